/*
 * From a row's texts to a conversion, and whether it may be held beside the others.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "redirector/convert.h"

enum { ISID_MAX = 0xfffffe, VLAN_MAX = 4094, MAC_GROUP = 1 };

/* ---- configuration --------------------------------------------------------------------------- */

static bool
add_device(struct converter *converter, const char *name, const char *role, struct err *err)
{
	struct converter_device *device = &converter->devices[converter->n_devices];

	if (converter->n_devices == CONVERTER_DEVICES_MAX)
		return err_set(
		    err, ERR_LIMIT, "more than %d devices of a converter", CONVERTER_DEVICES_MAX);
	if (strlen(name) >= sizeof(device->name))
		return err_set(err, ERR_BAD_NAME, "device '%s': the name is too long", name);
	if (strcmp(role, "backbone") != 0 && strcmp(role, "customer") != 0)
		return err_set(err, ERR_BAD_VALUE,
		    "[converter] %s=%s: neither backbone nor customer", name, role);
	snprintf(device->name, sizeof(device->name), "%s", name);
	device->is_backbone = !strcmp(role, "backbone");
	converter->n_devices++;
	return true;
}

bool
converter_init(
    struct converter *converter, const struct conf *conf, const char *host, struct err *err)
{
	const char *name, *role;

	*converter = (struct converter){.programs = PTHREAD_MUTEX_INITIALIZER};
	snprintf(converter->host, sizeof(converter->host), "%s", host);
	for (size_t i = 0; conf_each(conf, "converter", i, &name, &role); i++)
		if (!add_device(converter, name, role, err))
			return false;
	return true;
}

void
converter_done(struct converter *converter)
{
	conversions_free(converter->kernel);
	pthread_mutex_destroy(&converter->programs);
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool
has_device(const struct converter *converter, const char *name, bool is_backbone)
{
	for (size_t i = 0; i < converter->n_devices; i++)
		if (!strcmp(converter->devices[i].name, name) &&
		    converter->devices[i].is_backbone == is_backbone)
			return true;
	return false;
}

static bool
check_devices(
    const struct converter *converter, const struct conversion_spec *spec, struct err *err)
{
	const char *names[] = {spec->customer, spec->backbone};
	static const char *const roles[] = {"customer", "backbone"};

	for (size_t i = 0; i < 2; i++) {
		if (!names[i])
			return err_set(err, ERR_BAD_VALUE, "conversion: %s is missing", roles[i]);
		if (!has_device(converter, names[i], i == 1))
			return err_set(err, ERR_NOT_FOUND,
			    "the converter of %s has no %s device '%.20s'", converter->host,
			    roles[i], names[i]);
	}
	return true;
}

static bool
check_numbers(const struct conversion_spec *spec, struct err *err)
{
	if (spec->isid < 1 || spec->isid > ISID_MAX)
		return err_set(err, ERR_BAD_VALUE, "conversion: isid=%lld is not within 1 and %d",
		    (long long)spec->isid, ISID_MAX);
	if (spec->b_vid < 1 || spec->b_vid > VLAN_MAX)
		return err_set(err, ERR_BAD_VALUE, "conversion: b_vid=%lld is not within 1 and %d",
		    (long long)spec->b_vid, VLAN_MAX);
	if (spec->vlan < 0 || spec->vlan > VLAN_MAX)
		return err_set(err, ERR_BAD_VALUE, "conversion: vlan=%lld is not within 0 and %d",
		    (long long)spec->vlan, VLAN_MAX);
	return true;
}

/* "2a" -> 0x2a */
static bool
read_byte(const char *text, unsigned char *byte)
{
	static const char digits[] = "0123456789abcdef";
	unsigned value = 0;

	for (size_t i = 0; i < 2; i++) {
		const char *at = text[i] ? strchr(digits, text[i] | 0x20) : NULL;

		if (!at)
			return false;
		value = value << 4 | (unsigned)(at - digits);
	}
	*byte = (unsigned char)value;
	return true;
}

/* Of one station: a group is nobody's address. */
static bool
read_mac(const char *key, const char *text, unsigned char mac[6], struct err *err)
{
	const char *at = text ? text : "";
	bool good = strlen(at) == 17;

	for (size_t i = 0; good && i < 6; i++, at += 3)
		good = read_byte(at, &mac[i]) && at[2] == (i < 5 ? ':' : 0);
	if (good && !(mac[0] & MAC_GROUP))
		return true;
	return err_set(err, ERR_BAD_VALUE, "conversion: %s='%.40s' is no MAC address of a station",
	    key, text ? text : "");
}

bool
conversion_read(const struct converter *converter, const struct row *row, struct arena *arena,
    struct conversion *conversion, struct err *err)
{
	struct conversion found = {.rid = row->rid};

	if (!spec_parse(&conversion_spec_table, row->spec, arena, &found.spec, err) ||
	    !check_numbers(&found.spec, err) ||
	    !read_mac("b_da", found.spec.b_da, found.remote, err) ||
	    !read_mac("b_sa", found.spec.b_sa, found.own, err) ||
	    !check_devices(converter, &found.spec, err))
		return false;
	*conversion = found;
	return true;
}

/* ---- admission ------------------------------------------------------------------------------- */

static bool
is_beside(const struct conversion *conversion, const struct conversion *other, struct err *err)
{
	const struct conversion_spec *spec = &conversion->spec, *there = &other->spec;

	if (!strcmp(spec->backbone, there->backbone) && spec->isid == there->isid &&
	    spec->b_vid == there->b_vid && !memcmp(conversion->remote, other->remote, 6))
		return err_set(err, ERR_CONFLICT,
		    "service instance %lld with %s is in use on '%s' already",
		    (long long)spec->isid, spec->b_da, spec->backbone);
	if (strcmp(spec->customer, there->customer) != 0)
		return true;
	if (!spec->vlan || !there->vlan)
		return err_set(err, ERR_CONFLICT,
		    "a conversion of all frames of '%s' can be its only one", spec->customer);
	return spec->vlan != there->vlan ||
	       err_set(err, ERR_CONFLICT, "VLAN %lld of '%s' is in use already",
		   (long long)spec->vlan, spec->customer);
}

bool
conversion_admit(void *self, struct txn *txn, const struct row *row,
    const struct manager_book *book, struct str *result, struct err *err)
{
	const struct converter *converter = self;
	auto_arena struct arena *arena = arena_new();
	struct conversion conversion, other;

	(void)txn, (void)result;
	if (!conversion_read(converter, row, arena, &conversion, err))
		return false;
	for (size_t i = 0; i < book->n_rows; i++) {
		const struct row *there = &book->rows[i];

		/* A row whose device the configuration has lost is in nobody's way. */
		if (there->rid != row->rid && !strcmp(there->kind, row->kind) &&
		    conversion_read(converter, there, arena, &other, NULL) &&
		    !is_beside(&conversion, &other, err))
			return false;
	}
	return true;
}
