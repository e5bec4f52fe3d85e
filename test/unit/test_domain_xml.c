/*
 * programmer/domain_xml: what libvirt is told, word for word, and that no text can become markup.
 */
#include <string.h>

#include "lib/xml/xml_read.h"
#include "programmer/hypervisor.h"
#include "test/support/suite.h"

static const struct domain_port ports[] = {
    {.device = "vn0001000000002", .mac = {2, 0, 0, 0, 0, 1}, .guest = "east", .mtu = 1500},
    {.device = "vn0001000000004", .mac = {2, 0, 0, 0, 0, 2}, .guest = "", .mtu = 1458},
};

static const struct domain container = {
    .name = "koganei-0001000000006",
    .rid = 0x0000010000000003,
    .form = NODE_CONTAINER,
    .accel = ACCEL_LXC,
    .cpu = 2,
    .cpu_share = 500,
    .memory_bytes = 64 << 20,
    .ports = ports,
    .n_ports = 2,
    .root = "/nodes/0001000000006/root",
    .guest_dir = "/nodes/0001000000006/vnode",
    .uid_base = 100000,
};

static const struct domain vm = {
    .name = "koganei-0001000000006",
    .rid = 0xfedcba9876543210,
    .form = NODE_VM,
    .accel = ACCEL_TCG,
    .cpu = 1,
    .memory_bytes = 256 << 20,
    .ports = ports,
    .n_ports = 2,
    .kernel = "/images/vm/vmlinuz",
    .initrd = "/nodes/0001000000006/initrd",
    .cmdline = "console=ttyS0 quiet",
    .console = "/nodes/0001000000006/console",
};

static const char evil[] = "x</name><qemu:commandline><qemu:arg value='-s'/></qemu:commandline>"
			   "<name>\" onload='&amp;]]><!--";

static void
a_container_is_told_to_libvirt(void)
{
	auto_str struct str xml = {0};

	domain_xml(&container, &xml);

	test_golden("domain_container.xml", str_text(&xml));
}

static void
an_emulated_vm_is_told_to_libvirt(void)
{
	auto_str struct str xml = {0};

	domain_xml(&vm, &xml);

	test_golden("domain_vm.xml", str_text(&xml));
}

static void
a_vm_with_kvm_and_disk_is_told_to_libvirt(void)
{
	struct domain domain = vm;
	auto_str struct str xml = {0};

	domain.accel = ACCEL_KVM;
	domain.disk = "/nodes/0001000000006/disk";
	domain.iops = 300;
	domain.cpu_share = 1000;
	domain_xml(&domain, &xml);

	test_golden("domain_vm_kvm.xml", str_text(&xml));
}

/* Appends names of elements and attributes in document order: the shape, without any value. */
static void
put_shape(const struct xml_element *element, struct str *out)
{
	str_addf(out, "<%s", element->name);
	for (size_t i = 0; i < element->n_attributes; i++)
		str_addf(out, " %s", element->attributes[i].name);
	str_add(out, ">");
	xml_each (child, element, NULL)
		put_shape(child, out);
	str_add(out, "</>");
}

static const struct xml_element *
parse(struct arena *arena, const struct str *xml, struct str *shape)
{
	struct err err = {0};
	struct xml_element *root =
	    xml_read(str_text(xml), xml->len, &(struct xml_limits){0}, arena, &err);

	if (!root)
		printf("%s\n", err.text);
	assert_true(root != NULL);
	if (root)
		put_shape(root, shape);
	return root;
}

static const char *
attribute_of(
    const struct xml_element *devices, const char *device, const char *child, const char *attribute)
{
	return xml_value(xml_child(xml_child(devices, device), child), attribute);
}

static void
texts_of_a_container_stay_texts(void)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str xml = {0}, evil_xml = {0}, shape = {0}, evil_shape = {0};
	struct domain domain = container;
	struct domain_port port = ports[0];
	const struct xml_element *devices;

	memcpy(port.guest, "'/><x a='", 10);
	domain.name = domain.root = domain.guest_dir = evil;
	domain.ports = &port;
	domain.n_ports = 1;
	domain_xml(&domain, &evil_xml);
	domain = container;
	domain.n_ports = 1;
	domain_xml(&domain, &xml);

	parse(arena, &xml, &shape);
	devices = xml_child(parse(arena, &evil_xml, &evil_shape), "devices");
	assert_text(str_text(&shape), str_text(&evil_shape));
	assert_text(attribute_of(devices, "filesystem", "source", "dir"), evil);
	assert_text(attribute_of(devices, "interface", "guest", "dev"), "'/><x a='");
}

static void
texts_of_a_vm_stay_texts(void)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str xml = {0}, evil_xml = {0}, shape = {0}, evil_shape = {0};
	struct domain domain = vm;
	const struct xml_element *devices;

	domain.disk = "/disk";
	domain_xml(&domain, &xml);
	domain.name = domain.kernel = domain.initrd = domain.cmdline = domain.console =
	    domain.disk = evil;
	domain_xml(&domain, &evil_xml);

	parse(arena, &xml, &shape);
	devices = xml_child(parse(arena, &evil_xml, &evil_shape), "devices");
	assert_text(str_text(&shape), str_text(&evil_shape));
	assert_text(attribute_of(devices, "serial", "source", "path"), evil);
	assert_text(attribute_of(devices, "disk", "source", "file"), evil);
}

static void
every_rid_has_its_own_uuid(void)
{
	auto_str struct str one = {0}, other = {0};
	struct domain domain = vm;

	for (int bit = 0; bit < 64; bit++) {
		str_clear(&one);
		str_clear(&other);
		domain.rid = 0;
		domain_xml(&domain, &one);
		domain.rid = (uint64_t)1 << bit;
		domain_xml(&domain, &other);

		assert_true(strcmp(str_text(&one), str_text(&other)) != 0);
		assert_equal(one.len, other.len);
	}
}

static const struct test tests[] = {
    TEST(a_container_is_told_to_libvirt),
    TEST(an_emulated_vm_is_told_to_libvirt),
    TEST(a_vm_with_kvm_and_disk_is_told_to_libvirt),
    TEST(texts_of_a_container_stay_texts),
    TEST(texts_of_a_vm_stay_texts),
    TEST(every_rid_has_its_own_uuid),
};

suite_main("domain_xml", tests)
