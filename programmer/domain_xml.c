/*
 * libvirt's domain XML from our own struct: the only place where it is written, so that no text of
 * a user can become markup. Transient domains: the row is what lasts.
 */
#include <string.h>

#include "lib/base/id.h"
#include "programmer/hypervisor.h"

enum { UID_COUNT = 65536 };

static void put_head(const struct domain *domain, struct str *out);
static void put_cpu(const struct domain *domain, struct str *out);
static void put_container(const struct domain *domain, struct str *out);
static void put_vm(const struct domain *domain, struct str *out);
static void put_port(const struct domain *domain, const struct domain_port *port, struct str *out);
static void put_element(struct str *out, const char *element, const char *text);
static void put_escaped(struct str *out, const char *text);

void
domain_xml(const struct domain *domain, struct str *out)
{
	put_head(domain, out);
	put_cpu(domain, out);
	if (domain->form == NODE_CONTAINER)
		put_container(domain, out);
	else
		put_vm(domain, out);
	for (size_t i = 0; i < domain->n_ports; i++)
		put_port(domain, &domain->ports[i], out);
	str_add(out, "  </devices>\n</domain>\n");
}

const char *
node_form_text(enum node_form form)
{
	return form == NODE_CONTAINER ? "container" : "vm";
}

bool
node_form_parse(const char *text, enum node_form *form, struct err *err)
{
	if (str_equal(text, "container"))
		*form = NODE_CONTAINER;
	else if (str_equal(text, "vm"))
		*form = NODE_VM;
	else
		return err_set(err, ERR_BAD_VALUE, "form '%.20s' is neither vm nor container",
		    text ? text : "");
	return true;
}

const char *
node_accel_text(enum node_accel accel)
{
	static const char *const texts[] = {
	    [ACCEL_LXC] = "lxc", [ACCEL_KVM] = "kvm", [ACCEL_TCG] = "tcg"};

	return texts[accel];
}

static void
put_head(const struct domain *domain, struct str *out)
{
	const char *type = domain->accel == ACCEL_LXC   ? "lxc"
			   : domain->accel == ACCEL_KVM ? "kvm"
							: "qemu";
	uint64_t rid = domain->rid;

	str_addf(out, "<domain type='%s'>\n", type);
	put_element(out, "name", domain->name);
	/* A version 8 UUID (own scheme): the rid, so that two nodes never share one. */
	str_addf(out, "  <uuid>%08x-%04x-8%03x-8%x00-766e6f646500</uuid>\n", (unsigned)(rid >> 32),
	    (unsigned)(rid >> 16 & 0xffff), (unsigned)(rid >> 4 & 0xfff), (unsigned)(rid & 15));
	str_addf(out, "  <memory unit='KiB'>%lld</memory>\n",
	    (long long)(domain->memory_bytes + 1023) / 1024);
	str_addf(out, "  <vcpu>%lld</vcpu>\n", (long long)domain->cpu);
}

/* A guaranteed share is a weight of 1024 a whole CPU; without one a node gets what others leave. */
static void
put_cpu(const struct domain *domain, struct str *out)
{
	enum { CPU_WEIGHT = 1024, BEST_EFFORT = 128, PERIOD_US = 100000 };

	int64_t share = domain->cpu_share ? domain->cpu_share * CPU_WEIGHT / 1000 : BEST_EFFORT;
	int64_t weight = share * domain->cpu;

	str_add(out, "  <cputune>\n");
	str_addf(out, "    <shares>%lld</shares>\n", (long long)(weight > 2 ? weight : 2));
	if (domain->form == NODE_CONTAINER) {
		str_addf(out, "    <period>%d</period>\n", PERIOD_US);
		str_addf(out, "    <quota>%lld</quota>\n", (long long)domain->cpu * PERIOD_US);
	}
	str_add(out, "  </cputune>\n");
}

/* `privnet`: without it a container that has no port would get the host's own network. */
static void
put_container(const struct domain *domain, struct str *out)
{
	str_add(out, "  <os>\n    <type>exe</type>\n    <init>/sbin/init</init>\n  </os>\n"
		     "  <idmap>\n");
	str_addf(out, "    <uid start='0' target='%u' count='%d'/>\n", domain->uid_base, UID_COUNT);
	str_addf(out, "    <gid start='0' target='%u' count='%d'/>\n", domain->uid_base, UID_COUNT);
	str_add(out, "  </idmap>\n"
		     "  <features>\n    <privnet/>\n  </features>\n"
		     "  <on_poweroff>destroy</on_poweroff>\n"
		     "  <on_reboot>restart</on_reboot>\n"
		     "  <on_crash>destroy</on_crash>\n"
		     "  <devices>\n"
		     "    <filesystem type='mount'>\n      <source dir='");
	put_escaped(out, domain->root);
	str_add(out, "'/>\n      <target dir='/'/>\n    </filesystem>\n"
		     "    <filesystem type='mount'>\n      <source dir='");
	put_escaped(out, domain->guest_dir);
	str_add(out, "'/>\n      <target dir='/vnode'/>\n      <readonly/>\n    </filesystem>\n"
		     "    <console type='pty'/>\n");
}

static void
put_disk(const struct domain *domain, struct str *out)
{
	str_add(out, "    <disk type='file' device='disk'>\n"
		     "      <driver name='qemu' type='raw' cache='none'/>\n      <source file='");
	put_escaped(out, domain->disk);
	str_add(out, "'/>\n      <target dev='vda' bus='virtio'/>\n");
	if (domain->iops)
		str_addf(out,
		    "      <iotune>\n        <total_iops_sec>%lld</total_iops_sec>\n"
		    "      </iotune>\n",
		    (long long)domain->iops);
	str_add(out, "    </disk>\n");
}

/* The console is a pair of FIFOs: the guest waits while nobody reads, and nothing is lost. */
static void
put_vm(const struct domain *domain, struct str *out)
{
	str_add(out, "  <os>\n    <type machine='q35'>hvm</type>\n");
	str_add(out, "  ");
	put_element(out, "kernel", domain->kernel);
	str_add(out, "  ");
	put_element(out, "initrd", domain->initrd);
	str_add(out, "  ");
	put_element(out, "cmdline", domain->cmdline);
	str_add(out, "  </os>\n  <features>\n    <acpi/>\n  </features>\n");
	str_addf(out, "  <cpu mode='%s'/>\n",
	    domain->accel == ACCEL_KVM ? "host-passthrough" : "maximum");
	str_add(out, "  <clock offset='utc'/>\n"
		     "  <on_poweroff>destroy</on_poweroff>\n"
		     "  <on_reboot>restart</on_reboot>\n"
		     "  <on_crash>destroy</on_crash>\n"
		     "  <devices>\n"
		     "    <controller type='usb' model='none'/>\n"
		     "    <memballoon model='none'/>\n"
		     "    <serial type='pipe'>\n      <source path='");
	put_escaped(out, domain->console);
	str_add(out, "'/>\n      <target port='0'/>\n    </serial>\n");
	if (domain->disk)
		put_disk(domain, out);
}

/* LXC makes a veth pair and calls its inner end `guest`; QEMU gets a tap. */
static void
put_port(const struct domain *domain, const struct domain_port *port, struct str *out)
{
	const unsigned char *mac = port->mac;

	str_add(out, "    <interface type='ethernet'>\n");
	str_addf(out, "      <mac address='%02x:%02x:%02x:%02x:%02x:%02x'/>\n", mac[0], mac[1],
	    mac[2], mac[3], mac[4], mac[5]);
	str_add(out, "      <target dev='");
	put_escaped(out, port->device);
	str_add(out, domain->form == NODE_VM ? "' managed='yes'/>\n" : "'/>\n");
	if (domain->form == NODE_VM) {
		str_add(out, "      <model type='virtio'/>\n");
		str_addf(out, "      <mtu size='%d'/>\n", port->mtu);
		str_add(out, "      <rom enabled='no'/>\n");
	} else if (port->guest[0]) {
		str_add(out, "      <guest dev='");
		put_escaped(out, port->guest);
		str_add(out, "'/>\n");
	}
	str_add(out, "    </interface>\n");
}

static void
put_element(struct str *out, const char *element, const char *text)
{
	str_addf(out, "  <%s>", element);
	put_escaped(out, text);
	str_addf(out, "</%s>\n", element);
}

/* What XML cannot hold at all (control characters) is left out. */
static void
put_escaped(struct str *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>&'\"", *text))
			str_addf(out, "&#%d;", *text);
		else if ((unsigned char)*text >= ' ' && *text != 0x7f)
			str_add_bytes(out, text, 1);
	}
}
