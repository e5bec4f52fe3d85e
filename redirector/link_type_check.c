/*
 * Is a description of a type of link sound, and does a link's configuration fit it?
 */
#include <netinet/in.h>
#include <string.h>

#include "redirector/link_types.h"

enum {
	ETHERNET = 14,
	IPV4_HEADER = 20,
	DISCRIMINATOR_OFFSET = 2, /* in GRE, UDP and TCP */
	UDP_HEAD = 8,
	TCP_HEAD = 20,
	STAMP = 16,
	MATCH = 4,
};

uint32_t
link_type_overhead(const struct link_type *type)
{
	return (uint32_t)ETHERNET + IPV4_HEADER + type->head_size;
}

/* ---- a description --------------------------------------------------------------------------- */

static bool
is_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char rest[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return text && *text && strchr(letters, *text) &&
	       strnlen(text, LINK_NAME_MAX + 1) <= LINK_NAME_MAX && !text[strspn(text, rest)];
}

static bool
check_kind(const struct link_type *type, struct err *err)
{
	if (type->abi != LINK_TYPE_ABI)
		return err_set(err, ERR_BAD_VALUE,
		    "made for version %u of the interface, ours is %d", type->abi, LINK_TYPE_ABI);
	if (type->size != sizeof(*type))
		return err_set(err, ERR_BAD_VALUE, "its struct link_type has %u bytes, ours %zu",
		    type->size, sizeof(*type));
	if (!str_equal(type->kind, "link"))
		return err_set(
		    err, ERR_BAD_VALUE, "kind '%.20s' is not 'link'", type->kind ? type->kind : "");
	if (!is_name(type->name))
		return err_set(err, ERR_BAD_VALUE, "'%.40s' is no name for a type",
		    type->name ? type->name : "");
	if (!type->doc || !type->head)
		return err_set(
		    err, ERR_BAD_VALUE, "it has no %s", type->doc ? "function `head`" : "doc");
	return true;
}

static bool
check_flags(const struct link_type *type, struct err *err)
{
	const struct {
		uint32_t flag;
		uint8_t protocol;
		const char *text;
	} cases[] = {{LINK_UDP, IPPROTO_UDP, "LINK_UDP"}, {LINK_STT, IPPROTO_TCP, "LINK_STT"}};

	if (type->flags & ~(uint32_t)LINK_FLAGS_ALL)
		return err_set(err, ERR_BAD_VALUE, "flags 0x%x are unknown",
		    type->flags & ~(uint32_t)LINK_FLAGS_ALL);
	if (type->protocol != IPPROTO_GRE && type->protocol != IPPROTO_UDP &&
	    type->protocol != IPPROTO_TCP)
		return err_set(
		    err, ERR_BAD_VALUE, "protocol %u is not GRE, UDP or TCP", type->protocol);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!(type->flags & cases[i].flag) != (type->protocol != cases[i].protocol))
			return err_set(err, ERR_BAD_VALUE, "%s and protocol %u go together",
			    cases[i].text, cases[i].protocol);
	/* Large frames cannot be cut behind a header of TCP that is none. */
	if (type->flags & LINK_STT && !(type->flags & LINK_NO_GSO))
		return err_set(err, ERR_BAD_VALUE, "LINK_STT wants LINK_NO_GSO");
	return true;
}

static bool
check_offsets(const struct link_type *type, struct err *err)
{
	uint32_t least = type->protocol == IPPROTO_UDP   ? UDP_HEAD
			 : type->protocol == IPPROTO_TCP ? TCP_HEAD
							 : MATCH;

	if (type->flags & LINK_STAMP)
		least += STAMP;
	if (type->head_size < least || type->head_size > LINK_HEAD_MAX)
		return err_set(err, ERR_BAD_VALUE, "a head of %u bytes is not within %u and %d",
		    type->head_size, least, LINK_HEAD_MAX);
	if (type->id_bits < 8 || type->id_bits > 64 || type->id_bits % 8)
		return err_set(err, ERR_BAD_VALUE, "an id of %u bits is not one of 1 to 8 bytes",
		    type->id_bits);
	if (type->id_offset + type->id_bits / 8u > type->head_size)
		return err_set(err, ERR_BAD_VALUE, "the id is outside the head");
	if (type->match_offset + (uint32_t)MATCH > type->head_size)
		return err_set(err, ERR_BAD_VALUE, "the match is outside the head");
	if (type->match_value & ~type->match_mask)
		return err_set(
		    err, ERR_BAD_VALUE, "the match's value has bits that its mask lacks");
	return true;
}

static bool
check_key(const struct link_type_key *keys, size_t at, struct err *err)
{
	const struct link_type_key *key = &keys[at];

	if (!is_name(key->name) || !key->doc)
		return err_set(err, ERR_BAD_VALUE, "key %zu has no proper name and doc", at);
	if (key->least > key->most || key->otherwise < key->least || key->otherwise > key->most)
		return err_set(err, ERR_BAD_VALUE, "key '%s': %lld is not within %lld and %lld",
		    key->name, (long long)key->otherwise, (long long)key->least,
		    (long long)key->most);
	for (size_t i = 0; i < at; i++)
		if (str_equal(keys[i].name, key->name))
			return err_set(err, ERR_BAD_VALUE, "key '%s' is there twice", key->name);
	return true;
}

static size_t
n_keys(const struct link_type *type)
{
	size_t n = 0;

	while (type->keys && n <= LINK_KEYS_MAX && type->keys[n].name)
		n++;
	return n;
}

static bool
check_keys(const struct link_type *type, struct err *err)
{
	size_t n = n_keys(type);

	if (n > LINK_KEYS_MAX)
		return err_set(err, ERR_BAD_VALUE, "more than %d keys", LINK_KEYS_MAX);
	for (size_t i = 0; i < n; i++)
		if (!check_key(type->keys, i, err))
			return false;
	return true;
}

static uint64_t
load(const uint8_t *at, unsigned n_bytes)
{
	uint64_t value = 0;

	while (n_bytes--)
		value = value << 8 | *at++;
	return value;
}

/* What it writes is what it says it recognises, and nothing behind its end. */
static bool
check_head(const struct link_type *type, struct err *err)
{
	static const uint64_t id_pattern = 0x8123456789abcdef;
	int64_t values[LINK_KEYS_MAX];
	uint8_t head[LINK_HEAD_MAX + STAMP] = {0};
	struct link_type_end end = {
	    .id = id_pattern >> (64 - type->id_bits),
	    .values = values,
	};

	for (size_t i = 0; i < n_keys(type); i++)
		values[i] = type->keys[i].otherwise;
	type->head(&end, head);
	for (size_t i = type->head_size; i < sizeof(head); i++)
		if (head[i])
			return err_set(err, ERR_BAD_VALUE, "`head` writes behind its %u bytes",
			    type->head_size);
	if (load(head + type->id_offset, type->id_bits / 8) != end.id)
		return err_set(err, ERR_BAD_VALUE, "`head` puts no id at byte %u", type->id_offset);
	if (load(head + DISCRIMINATOR_OFFSET, 2) != type->discriminator ||
	    (load(head + type->match_offset, MATCH) & type->match_mask) != type->match_value)
		return err_set(err, ERR_BAD_VALUE, "what `head` writes would not be recognised");
	return true;
}

bool
link_type_check(const struct link_type *type, struct err *err)
{
	return check_kind(type, err) && check_flags(type, err) && check_offsets(type, err) &&
	       check_keys(type, err) && check_head(type, err);
}

/* ---- types that are alike -------------------------------------------------------------------- */

bool
link_type_alike(const struct link_type *type, const struct link_type *other)
{
	uint32_t both = type->match_mask & other->match_mask;

	return type->protocol == other->protocol && type->discriminator == other->discriminator &&
	       (type->match_offset != other->match_offset ||
		   !((type->match_value ^ other->match_value) & both));
}

static unsigned
id_end(const struct link_type *type)
{
	return type->id_offset + type->id_bits / 8u;
}

static uint8_t
id_byte(const struct link_type *type, uint64_t id, unsigned at)
{
	return (uint8_t)(id >> 8 * (id_end(type) - 1 - at));
}

/* Where both have their id, the bytes tell; what one alone has there may be anything. */
bool
link_type_clash(
    const struct link_type *type, uint64_t id, const struct link_type *other, uint64_t other_id)
{
	unsigned at = type->id_offset > other->id_offset ? type->id_offset : other->id_offset;
	unsigned end = id_end(type) < id_end(other) ? id_end(type) : id_end(other);

	while (at < end && id_byte(type, id, at) == id_byte(other, other_id, at))
		at++;
	return at >= end;
}

/* ---- a configuration ------------------------------------------------------------------------- */

static bool
find_key(const struct link_type *type, const char *name, size_t len, size_t *at, struct err *err)
{
	auto_str struct str names = {0};

	for (*at = 0; *at < n_keys(type); ++*at) {
		const char *key = type->keys[*at].name;

		if (strlen(key) == len && !memcmp(key, name, len))
			return true;
		str_addf(&names, "%s%s", names.len ? ", " : "", key);
	}
	err_set(err, ERR_S07, "links of type '%s' have no key '%.*s'", type->name,
	    (int)(len > LINK_NAME_MAX ? LINK_NAME_MAX : len), name);
	return names.len ? err_hint(err, "there are: %s", str_text(&names)) : false;
}

static bool
read_value(
    const struct link_type *type, const char *text, int64_t *values, bool *seen, struct err *err)
{
	size_t len = strcspn(text, " "), at;
	long long value;

	if (!find_key(type, text, len, &at, err))
		return false;
	if (seen[at])
		return err_set(err, ERR_S07, "key '%s' is there twice", type->keys[at].name);
	if (!text[len] ||
	    !str_to_i64(text + len + 1, type->keys[at].least, type->keys[at].most, &value))
		return err_set(err, ERR_S08, "key '%s': '%.40s' is not a number from %lld to %lld",
		    type->keys[at].name, text[len] ? text + len + 1 : "",
		    (long long)type->keys[at].least, (long long)type->keys[at].most);
	values[at] = value;
	seen[at] = true;
	return true;
}

bool
link_type_read(const struct link_type *type, uint64_t id, const struct spec_list *config,
    struct arena *arena, struct link_type_end *end, struct err *err)
{
	int64_t *values = arena_alloc(arena, LINK_KEYS_MAX * sizeof(*values));
	bool seen[LINK_KEYS_MAX] = {false};

	if (type->id_bits < 64 && id >> type->id_bits)
		return err_set(err, ERR_S08, "id %llu is not one of the %u bits of type '%s'",
		    (unsigned long long)id, type->id_bits, type->name);
	for (size_t i = 0; i < LINK_KEYS_MAX; i++)
		values[i] = i < n_keys(type) ? type->keys[i].otherwise : 0;
	for (size_t i = 0; i < config->n; i++)
		if (!read_value(type, config->items[i], values, seen, err))
			return false;
	*end = (struct link_type_end){.id = id, .values = values};
	return true;
}
