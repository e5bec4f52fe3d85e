/*
 * Types of links: what of a description is refused, and the registry with its plug-ins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "redirector/link_types.h"
#include "test/support/suite.h"

static const struct link_type *const built_in[] = {
    &link_type_gre, &link_type_nvgre, &link_type_stt, &link_type_timestamp, &link_type_vxlan};

enum { BUILT_IN = sizeof(built_in) / sizeof(built_in[0]) };

/* ---- descriptions ---------------------------------------------------------------------------- */

static void
types_that_are_built_in_are_sound(void)
{
	for (size_t i = 0; i < BUILT_IN; i++) {
		struct err err = {0};

		assert_true(link_type_check(built_in[i], &err));
	}
}

static void
no_head(const struct link_type_end *end, uint8_t *head)
{
	(void)end;
	head[0] = 0;
}

static void
long_head(const struct link_type_end *end, uint8_t *head)
{
	link_type_gre.head(end, head);
	head[link_type_gre.head_size] = 1;
}

static void
expect_refused(const struct link_type *type, const char *why)
{
	struct err err = {0};

	assert_true(!link_type_check(type, &err));
	assert_true(strstr(err.text, why) != NULL);
}

#define REFUSED(base, why, ...)                                                                    \
	do {                                                                                       \
		struct link_type type = base;                                                      \
		__VA_ARGS__;                                                                       \
		expect_refused(&type, why);                                                        \
	} while (0)

static void
a_description_that_cannot_be_followed_is_refused(void)
{
	REFUSED(link_type_gre, "version 2 of the interface", type.abi = 2);
	REFUSED(link_type_gre, "has 8 bytes", type.size = 8);
	REFUSED(link_type_gre, "kind 'node'", type.kind = "node");
	REFUSED(link_type_gre, "no name for a type", type.name = "7up");
	REFUSED(link_type_gre, "no name for a type", type.name = "a b");
	REFUSED(link_type_gre, "no name for a type", type.name = NULL);
	REFUSED(
	    link_type_gre, "no name for a type", type.name = "a23456789012345678901234567890123");
	REFUSED(link_type_gre, "no doc", type.doc = NULL);
	REFUSED(link_type_gre, "no function `head`", type.head = NULL);
}

static void
a_header_that_cannot_be_followed_is_refused(void)
{
	REFUSED(link_type_gre, "flags 0x40 are unknown", type.flags = 0x40);
	REFUSED(link_type_gre, "protocol 1 is not", type.protocol = 1);
	REFUSED(link_type_gre, "LINK_UDP and protocol 17", type.flags = LINK_UDP);
	REFUSED(link_type_vxlan, "LINK_UDP and protocol 17", type.flags = 0);
	REFUSED(link_type_stt, "wants LINK_NO_GSO", type.flags = LINK_STT);
	REFUSED(link_type_vxlan, "a head of 7 bytes", type.head_size = 7);
	REFUSED(link_type_gre, "a head of 63 bytes", type.head_size = 63);
	REFUSED(link_type_timestamp, "a head of 19 bytes", type.head_size = 19);
}

static void
an_id_or_match_that_is_not_in_the_head_is_refused(void)
{
	REFUSED(link_type_gre, "an id of 12 bits", type.id_bits = 12);
	REFUSED(link_type_gre, "the id is outside", type.id_offset = 5);
	REFUSED(link_type_gre, "the match is outside", type.match_offset = 5);
	REFUSED(link_type_gre, "the match is outside", type.match_mask = type.match_value = 0,
	    type.match_offset = 255);
	REFUSED(link_type_gre, "its mask lacks", type.match_mask = 0xff);
	REFUSED(link_type_gre, "puts no id at byte 0", type.id_offset = 0);
	REFUSED(link_type_gre, "would not be recognised", type.discriminator = 1);
	REFUSED(link_type_stt, "would not be recognised", type.match_value = 0x01000000);
	REFUSED(link_type_gre, "puts no id", type.head = no_head);
	REFUSED(link_type_gre, "writes behind its 8 bytes", type.head = long_head);
}

static void
keys_without_name_or_sense_are_refused(void)
{
	static const struct link_type_key unnamed[] = {{"", "doc", 0, 1, 0}, {0}};
	static const struct link_type_key undocumented[] = {{"a", NULL, 0, 1, 0}, {0}};
	static const struct link_type_key upside_down[] = {{"a", "doc", 2, 1, 1}, {0}};
	static const struct link_type_key outside[] = {{"a", "doc", 0, 1, 2}, {0}};
	static const struct link_type_key twice[] = {
	    {"a", "doc", 0, 1, 0}, {"a", "doc", 0, 1, 0}, {0}};
	struct link_type_key many[LINK_KEYS_MAX + 2] = {0};

	for (size_t i = 0; i <= LINK_KEYS_MAX; i++)
		many[i] = (struct link_type_key){"a", "doc", 0, 1, 0};
	REFUSED(link_type_gre, "key 0 has no proper name", type.keys = unnamed);
	REFUSED(link_type_gre, "key 0 has no proper name", type.keys = undocumented);
	REFUSED(link_type_gre, "key 'a': 1 is not within 2 and 1", type.keys = upside_down);
	REFUSED(link_type_gre, "key 'a': 2 is not within 0 and 1", type.keys = outside);
	REFUSED(link_type_gre, "key 'a' is there twice", type.keys = twice);
	REFUSED(link_type_gre, "more than 16 keys", type.keys = many);
}

static void
a_links_id_and_values_fit_its_type(void)
{
	static const struct link_type_key keys[] = {
	    {"class", "a number", 5, 9, 6}, {"other", "a number", -1, 1, 0}, {0}};

	static const struct {
		const char *items[2];
		size_t n;
		uint64_t id;
		enum err_code code;
		const char *why;
	} cases[] = {
	    {{"class 9", "other -1"}, 2, 0xffffff, ERR_NONE, ""},
	    {{NULL}, 0, 0x1000000, ERR_S08,
		"id 16777216 is not one of the 24 bits of type 'vxlan'"},
	    {{"clas 5"}, 1, 1, ERR_S07, "links of type 'vxlan' have no key 'clas'"},
	    {{"class 5", "class 5"}, 2, 1, ERR_S07, "key 'class' is there twice"},
	    {{"class 10"}, 1, 1, ERR_S08, "key 'class': '10' is not a number from 5 to 9"},
	    {{"class"}, 1, 1, ERR_S08, "key 'class': '' is not a number from 5 to 9"},
	};
	auto_arena struct arena *arena = arena_new();
	struct link_type type = link_type_vxlan;
	struct link_type_end end = {0};

	type.keys = keys;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spec_list config = {cases[i].items, cases[i].n};
		struct err err = {0};
		bool good = link_type_read(&type, cases[i].id, &config, arena, &end, &err);

		assert_equal(good, cases[i].code == ERR_NONE);
		assert_true(good || err.code == cases[i].code);
		assert_true(good || !strcmp(err.text, cases[i].why));
	}
	assert_equal(end.id, 0xffffff);
	assert_equal(end.values[0], 9);
	assert_equal(end.values[1], -1);
}

static void
overheads_are_those_of_the_formats(void)
{
	assert_equal(link_type_overhead(&link_type_gre), 42);
	assert_equal(link_type_overhead(&link_type_vxlan), 50);
	assert_equal(link_type_overhead(&link_type_nvgre), 42);
	assert_equal(link_type_overhead(&link_type_stt), 72);
	assert_equal(link_type_overhead(&link_type_timestamp), 58);
}

/* ---- plug-ins -------------------------------------------------------------------------------- */

/* A clock that a test sets on. */
struct hand {
	int64_t now_ms;
};

static int64_t
hand_ms(void *self)
{
	return ((struct hand *)self)->now_ms;
}

struct registry {
	struct hand hand;
	struct clock clock;
	struct link_types *types;
	char folder[256];
};

static void
registry_open(struct registry *registry, const char *name)
{
	*registry = (struct registry){.clock = {hand_ms, hand_ms, &registry->hand}};
	snprintf(registry->folder, sizeof(registry->folder), "%s/%s", test_dir(), name);
	assert_equal(mkdir(registry->folder, 0755), 0);
	registry->types = link_types_new(registry->folder, &registry->clock);
}

static void
registry_close(struct registry *registry)
{
	link_types_free(registry->types);
}

/* The example plug-in under another name; the path. */
static struct str
put_plugin(const struct registry *registry, const char *file)
{
	struct str path = {0};
	size_t size;
	char *bytes = test_read(LINK_PLUGIN, &size);
	FILE *out;

	str_addf(&path, "%s/%s", registry->folder, file);
	out = fopen(path.text, "we");
	assert_true(out != NULL);
	assert_equal(fwrite(bytes, 1, size, out), size);
	fclose(out);
	free(bytes);
	assert_equal(chmod(path.text, 0644), 0);
	return path;
}

static const char *
why_not(struct registry *registry, const char *name, struct err *err)
{
	registry->hand.now_ms += 1000;
	return link_types_find(registry->types, name, err) ? "" : err->text;
}

static void
a_plug_in_comes_in_when_it_is_asked_for(void)
{
	struct registry registry;
	const struct link_type *type;
	struct err err = {0};

	registry_open(&registry, "later");
	assert_true(link_types_find(registry.types, "geneve", &err) == NULL);
	assert_equal(err.code, ERR_S05);
	assert_text(err.text, "this host has no link type 'geneve'");

	auto_str struct str path = put_plugin(&registry, "geneve.so");
	assert_true(link_types_find(registry.types, "geneve", &err) == NULL);
	registry.hand.now_ms += 1000;
	type = link_types_find(registry.types, "geneve", &err);

	assert_true(type != NULL);
	assert_equal(unlink(path.text), 0);
	registry.hand.now_ms += 1000;
	assert_true(link_types_find(registry.types, "geneve", &err) == type);
	assert_true(link_types_find(registry.types, "gre", &err) == &link_type_gre);
	registry_close(&registry);
}

static void
add_plugin(struct registry *registry, const char *name)
{
	auto_str struct str path = put_plugin(registry, name);

	assert_true(path.len > 0);
}

static void
all_types_are_listed_and_what_was_refused(void)
{
	auto_arena struct arena *arena = arena_new();
	const struct link_type_refused *refused;
	const struct link_type *types;
	struct registry registry;

	registry_open(&registry, "list");
	add_plugin(&registry, "geneve.so");
	add_plugin(&registry, "other.so");
	add_plugin(&registry, "README");
	registry.hand.now_ms += 1000;

	assert_equal(link_types_list(registry.types, arena, &types), BUILT_IN + 1);
	assert_text(types[BUILT_IN].name, "geneve");
	assert_equal(link_types_refused(registry.types, arena, &refused), 1);
	assert_text(refused[0].file, "other.so");
	assert_text(refused[0].why, "a type 'geneve' belongs into a file geneve.so");
	registry_close(&registry);
}

static void
a_plug_in_that_others_may_write_is_refused(void)
{
	struct registry registry;
	struct err err = {0};

	registry_open(&registry, "writable");
	auto_str struct str path = put_plugin(&registry, "geneve.so");

	assert_equal(chmod(path.text, 0664), 0);
	assert_text(why_not(&registry, "geneve", &err),
	    "link type 'geneve': plug-in geneve.so is refused: others may write it (mode 0664)");
	assert_equal(chmod(path.text, 0644), 0);
	assert_equal(chmod(registry.folder, 0757), 0);
	assert_true(strstr(why_not(&registry, "geneve", &err), "others may write it (mode 0757)"));
	assert_equal(chmod(registry.folder, 0755), 0);
	assert_text(why_not(&registry, "geneve", &err), "");
	registry_close(&registry);
}

static void
a_plug_in_of_somebody_else_is_refused(void)
{
	struct registry registry;
	struct err err = {0};

	registry_open(&registry, "foreign");
	auto_str struct str path = put_plugin(&registry, "geneve.so");

	assert_equal(chown(path.text, 4711, 4711), 0);
	assert_true(strstr(why_not(&registry, "geneve", &err), "it belongs to user 4711"));
	assert_equal(chown(path.text, 0, 0), 0);
	assert_equal(chown(registry.folder, 4711, 4711), 0);
	assert_true(strstr(why_not(&registry, "geneve", &err), "it belongs to user 4711"));
	registry_close(&registry);
}

static void
a_plug_in_cannot_take_the_place_of_another_type(void)
{
	struct registry registry;
	auto_arena struct arena *arena = arena_new();
	const struct link_type_refused *refused;
	struct err err = {0};

	registry_open(&registry, "taken");
	auto_str struct str path = {0};
	str_addf(&path, "%s/gre.so", registry.folder);
	assert_equal(symlink(LINK_PLUGIN, path.text), 0);
	registry.hand.now_ms += 1000;

	assert_equal(link_types_refused(registry.types, arena, &refused), 1);
	assert_text(refused[0].why, "it is no plain file");
	assert_true(link_types_find(registry.types, "gre", &err) == &link_type_gre);
	registry_close(&registry);
}

static void
what_is_no_plug_in_is_refused(void)
{
	struct registry registry;
	struct err err = {0};

	registry_open(&registry, "nonsense");
	auto_str struct str path = put_plugin(&registry, "geneve.so");
	assert_equal(truncate(path.text, 100), 0);

	assert_true(strstr(why_not(&registry, "geneve", &err), "plug-in geneve.so is refused"));
	registry_close(&registry);
}

static const struct test tests[] = {
    TEST(types_that_are_built_in_are_sound),
    TEST(a_description_that_cannot_be_followed_is_refused),
    TEST(a_header_that_cannot_be_followed_is_refused),
    TEST(an_id_or_match_that_is_not_in_the_head_is_refused),
    TEST(keys_without_name_or_sense_are_refused),
    TEST(a_links_id_and_values_fit_its_type),
    TEST(overheads_are_those_of_the_formats),
    TEST(a_plug_in_comes_in_when_it_is_asked_for),
    TEST(all_types_are_listed_and_what_was_refused),
    TEST(a_plug_in_that_others_may_write_is_refused),
    TEST(a_plug_in_of_somebody_else_is_refused),
    TEST(a_plug_in_cannot_take_the_place_of_another_type),
    TEST(what_is_no_plug_in_is_refused),
};

suite_main("link_types", tests)
