/*
 * Which key belongs to which type, with unit and range. What is marked planned is in the language,
 * and its values are checked, but this version refuses it.
 */
#include "lib/model/slice_keys.h"

#include <string.h>

#include "lib/model/units.h"

#define RESOURCE(k, u, ...)                                                                        \
	{                                                                                          \
		.key = (k), .unit = SLICE_UNIT_##u, __VA_ARGS__                                    \
	}
#define PARAM(k, u, ...)                                                                           \
	{                                                                                          \
		.key = (k), .is_param = true, .unit = SLICE_UNIT_##u, __VA_ARGS__                  \
	}
#define PLANNED .is_planned = true
#define MANDATORY .is_mandatory = true

enum { CPU_MAX = 1024, MTU_MIN = 68, MTU_MAX = 9000, VLAN_MAX = 4094, PRIORITY_MAX = 7 };

#define LINK_KEYS                                                                                  \
	RESOURCE("bandwidth", RATE), RESOURCE("bandwidthUp", RATE),                                \
	    RESOURCE("bandwidthDown", RATE), RESOURCE("maxBandwidth", RATE),                       \
	    RESOURCE("burst", SIZE), RESOURCE("latency", TIME), RESOURCE("loss", RATIO, PLANNED),  \
	    RESOURCE("isolation", WORD, .words = "shaping policing besteffort"),                   \
	    RESOURCE("priority", NUMBER, .max = PRIORITY_MAX),                                     \
	    PARAM("mtu", COUNT, .min = MTU_MIN, .max = MTU_MAX),                                   \
	    PARAM("path", TEXT, PLANNED, .is_for_operators = true)

static const struct slice_key gre_keys[] = {
    LINK_KEYS,
    {0},
};

/* Every other param is one of the type of link itself. */
static const struct slice_key experimental_keys[] = {
    LINK_KEYS,
    PARAM("dpPlugin", TEXT),
    PARAM("cpPlugin", TEXT),
    {0},
};

static const struct slice_key internal_keys[] = {
    RESOURCE("bandwidth", RATE),
    {0},
};

static const struct slice_key slow_path_keys[] = {
    RESOURCE("cpu", COUNT, .max = CPU_MAX),
    RESOURCE("memory", SIZE),
    RESOURCE("disk", SIZE, PLANNED),
    RESOURCE("cpuShare", RATIO),
    RESOURCE("iops", COUNT, PLANNED),
    PARAM("bootImage", REFERENCE, MANDATORY, .words = "image:"),
    PARAM("virtualization", WORD, .words = "vm container"),
    PARAM("kernelArgs", TEXT),
    PARAM("loginKey", REFERENCE, PLANNED, .words = "cred."),
    PARAM("userData", TEXT),
    PARAM("netio", WORD, .words = "offload onload"),
    {0},
};

static const struct slice_key fast_path_keys[] = {
    RESOURCE("cpu", COUNT, .max = CPU_MAX),
    RESOURCE("memory", SIZE),
    RESOURCE("pps", COUNT),
    PARAM("module", REFERENCE, MANDATORY, .words = "fp:"),
    PARAM("language", WORD, .words = "phonepl ebpf c"),
    PARAM("entry", TEXT),
    PARAM("tables", TEXT),
    {0},
};

static const struct slice_key agw_keys[] = {
    RESOURCE("bandwidth", RATE),
    RESOURCE("sessions", COUNT),
    RESOURCE("cpu", COUNT, .max = CPU_MAX),
    {0},
};

const struct slice_key slice_access_point_keys[] = {
    PARAM("pool", TEXT),
    PARAM("vlan", NUMBER, .min = 1, .max = VLAN_MAX),
    PARAM("trailerSlice", NUMBER, .min = 1, .max = UINT16_MAX),
    PARAM("appId", NUMBER, .max = UINT16_MAX),
    PARAM("trailerAuth", WORD, .words = "on off"),
    PARAM("trailerMode", WORD, .words = "all first"),
    PARAM("protocol", TEXT),
    PARAM("externalPort", TEXT),
    {0},
};

static const struct slice_key vlan_gateway_keys[] = {
    RESOURCE("bandwidth", RATE),
    PARAM("externalPort", TEXT, MANDATORY),
    PARAM("vlan", NUMBER, MANDATORY, .min = 1, .max = VLAN_MAX),
    {0},
};

static const struct slice_key ethernet_keys[] = {
    RESOURCE("bandwidth", RATE),
    RESOURCE("macTable", COUNT),
    PARAM("ageing", TIME),
    PARAM("flooding", WORD, .words = "on off"),
    {0},
};

static const struct slice_key openflow_keys[] = {
    RESOURCE("bandwidth", RATE),
    RESOURCE("flows", COUNT),
    PARAM("controller", TEXT, MANDATORY),
    PARAM("protocols", TEXT),
    {0},
};

const struct slice_key slice_vport_keys[] = {
    PARAM("mac", TEXT),
    {0},
};

const struct slice_type slice_link_types[] = {
    {"link", "GRE", false, gre_keys, {"gre", 42, 32, false, NULL, 0}},
    {"link", "VXLAN", false, gre_keys, {"vxlan", 50, 24, false, NULL, 0}},
    {"link", "NVGRE", false, gre_keys, {"nvgre", 42, 24, false, NULL, 0}},
    {"link", "STT", false, gre_keys, {"stt", 72, 64, true, NULL, 0}},
    {"link", "TimestampLink", false, gre_keys, {"TimestampLink", 58, 32, false, NULL, 0}},
    {"link", "internal", true, internal_keys, {0}},
    {0},
};

const struct slice_type slice_node_types[] = {
    {"prog", "SlowPath_VM", false, slow_path_keys, {0}},
    {"prog", "FastPath", true, fast_path_keys, {0}},
    {"gateway", "AGW", true, agw_keys, {0}},
    {"gateway", "VLAN", true, vlan_gateway_keys, {0}},
    {"switch", "Ethernet", true, ethernet_keys, {0}},
    {"switch", "OpenFlow", true, openflow_keys, {0}},
    {0},
};

const struct slice_type *
slice_type_find(const struct slice_type *types, const char *type, const char *subtype)
{
	for (; types->type; types++)
		if (!strcmp(types->type, type) && !strcmp(types->subtype, subtype))
			return types;
	return NULL;
}

const struct slice_key *
slice_link_keys(const char *type, const char *subtype)
{
	const struct slice_type *known = slice_type_find(slice_link_types, type, subtype);

	if (!strcmp(type, "extension"))
		return experimental_keys;
	return known ? known->keys : gre_keys;
}

const struct slice_key *
slice_key_find(const struct slice_key *keys, const char *key)
{
	for (; keys->key; keys++)
		if (!strcmp(keys->key, key))
			return keys;
	return NULL;
}

static bool
read_word(const char *words, const char *text, int64_t *value, struct err *err)
{
	const char *at = words;
	size_t len;

	for (int64_t position = 0; *at; position++, at += len) {
		at += strspn(at, " ");
		len = strcspn(at, " ");
		if (len && strlen(text) == len && !memcmp(at, text, len)) {
			*value = position;
			return true;
		}
	}
	return err_set(err, ERR_S08, "'%.60s' is not one of: %s", text, words);
}

static bool
read_number(const struct slice_key *key, const char *text, int64_t *value, struct err *err)
{
	long long number;

	if (!str_to_i64(text, key->min, key->max, &number))
		return err_set(err, ERR_S08, "'%.60s' is not a whole number from %lld to %lld",
		    text, (long long)key->min, (long long)key->max);
	*value = number;
	return true;
}

static bool
read_count(const struct slice_key *key, const char *text, int64_t *value, struct err *err)
{
	int64_t count;

	if (!unit_count(text, &count, err))
		return false;
	if (key->max && (count < key->min || count > key->max))
		return err_set(err, ERR_S08, "'%.60s' is not from %lld to %lld", text,
		    (long long)(key->min ? key->min : 1), (long long)key->max);
	*value = count;
	return true;
}

bool
slice_key_value(const struct slice_key *key, const char *text, int64_t *value, struct err *err)
{
	switch (key->unit) {
	case SLICE_UNIT_RATE:
		return unit_rate(text, value, err);
	case SLICE_UNIT_SIZE:
		return unit_size(text, value, err);
	case SLICE_UNIT_TIME:
		return unit_time(text, value, err);
	case SLICE_UNIT_RATIO:
		return unit_ratio(text, value, err);
	case SLICE_UNIT_COUNT:
		return read_count(key, text, value, err);
	case SLICE_UNIT_NUMBER:
		return read_number(key, text, value, err);
	case SLICE_UNIT_WORD:
		return read_word(key->words, text, value, err);
	case SLICE_UNIT_TEXT:
		*value = 0;
		return true;
	case SLICE_UNIT_REFERENCE:
		*value = 0;
		if (strncmp(text, key->words, strlen(key->words)) != 0 || !text[strlen(key->words)])
			return err_set(err, ERR_S08, "'%.60s' is not a reference: %sNAME is wanted",
			    text, key->words);
		return true;
	}
	return err_set(err, ERR_INTERNAL, "key '%s' has no unit", key->key);
}

const struct slice_pair *
slice_pair_find(const struct slice_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (!strcmp(pairs->items[i].key, key))
			return &pairs->items[i];
	return NULL;
}
