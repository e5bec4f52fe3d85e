/*
 * lib/base/xml_guard: what passes, what is refused, with which code and line.
 */
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/xml_guard.h"
#include "test/support/suite.h"

static const struct xml_limits limits = {.bytes = 1 << 20, .elements = 1000, .text = 65536};

static enum err_code
verdict(const char *xml, size_t size, unsigned *line)
{
	struct err err = {0};
	bool is_good = xml_guard(xml, size, &limits, &err);

	if (line)
		*line = err.line;
	CU_ASSERT_EQUAL_FATAL(is_good, err.code == ERR_NONE);
	return err.code;
}

static enum err_code
verdict_text(const char *xml)
{
	return verdict(xml, strlen(xml), NULL);
}

static void
plain_documents_pass(void)
{
	static const char *const good[] = {
	    "<a/>",
	    "<?xml version=\"1.0\"?><a/>",
	    "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<!-- c --><a b='&lt;'/>\n",
	    "<a b=\"1\" c='&lt;'>x</a>",
	    "<a>&#65;&#x41;&#x10FFFF;&amp;&apos;&quot;&gt;&lt;!DOCTYPE</a>",
	    "<a><![CDATA[<!DOCTYPE x [<!ENTITY y 'z'>]>]]></a>",
	    "<a><!-- <!DOCTYPE a> --></a>",
	    "<a b = '>'>\xE6\x9D\xB1\xE4\xBA\xAC \xF0\x9F\x98\x80</a >",
	    "<\xC3\xA9/>",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_equal(verdict_text(good[i]), ERR_NONE);
}

static void
document_types_entities_and_instructions_are_refused(void)
{
	static const char *const bad[] = {
	    "<!DOCTYPE a><a/>",
	    " <!DOCTYPE a><a/>",
	    "<?xml version=\"1.0\"?>\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
	    "<!doctype a><a/>",
	    "<!ENTITY x 'y'><a/>",
	    "<a><!ELEMENT a ANY></a>",
	    "<a><![INCLUDE[x]]></a>",
	    "<a>&b;</a>",
	    "<a b='&c;'/>",
	    "<a><?php x ?></a>",
	    "<?xml-stylesheet href='x'?><a/>",
	    " <?xml version=\"1.0\"?><a/>",
	    "<a/><!-- --><!DOCTYPE a>",
	    "<!-- --><!DOCTYPE a><a/>",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_equal(verdict_text(bad[i]), ERR_X19);
}

static void
broken_markup_is_refused(void)
{
	static const char *const bad[] = {"", "x", "<a>", "<a", "<a b", "<a b=", "<a b='",
	    "<a b=c/>", "<a></b>", "</a>", "<a/><b/>", "<a/>x", "<a b='<'/>", "<a>&#0;</a>",
	    "<a>&#x110000;</a>", "<a>&#xD800;</a>", "<a>&#99999999999;</a>", "<a>&</a>",
	    "<a>&#;</a>", "<a><!-- </a>", "<!-->", "<a><![CDATA[</a>", "<![CDATA[x]]>", "< a/>",
	    "<a/", "<1/>", "<a b='1'c='2'/>", "<?xml version=\"1.1\"?><a/>",
	    "<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>",
	    "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>", "<?xml version=\"1.0\""};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_equal(verdict_text(bad[i]), ERR_X01);
}

static void
other_encodings_and_control_characters_are_refused(void)
{
	static const struct {
		const char *xml;
		size_t size;
	} bad[] = {
	    {"\xEF\xBB\xBF<a/>", 7},
	    {"\xFF\xFE<\0a\0/\0>\0", 10},
	    {"\xFE\xFF\0<\0a\0/\0>", 10},
	    {"<\0a\0/\0>\0", 8},
	    {"\0<\0a\0/\0>", 8},
	    {"<a>\0</a>", 8},
	    {"<a>\x01</a>", 8},
	    {"<a>\x0B</a>", 8},
	    {"<a>\xC0\xAF</a>", 9},
	    {"<a>\xC1\x81</a>", 9},
	    {"<a>\xE0\x80\xAF</a>", 10},
	    {"<a>\xED\xA0\x80</a>", 10},
	    {"<a>\xEF\xBF\xBF</a>", 10},
	    {"<a>\xF4\x90\x80\x80</a>", 11},
	    {"<a>\xF0\x80\x80\x80</a>", 11},
	    {"<a>\x80</a>", 8},
	    {"<a/>\xE6\x9D", 6},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_equal(verdict(bad[i].xml, bad[i].size, NULL), ERR_X01);
}

/* PORTAL §11.6: entities that refer ten times to the one before. */
static void
bombs_of_every_size_are_refused(void)
{
	for (int levels = 1; levels <= 9; levels++) {
		auto_str struct str bomb = {0};

		str_add(&bomb, "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"AAAA\">");
		for (int i = 1; i <= levels; i++) {
			str_addf(&bomb, "<!ENTITY %c \"", 'a' + i);
			for (int n = 0; n < 10; n++)
				str_addf(&bomb, "&%c;", 'a' + i - 1);
			str_add(&bomb, "\">");
		}
		str_addf(&bomb,
		    "]><methodCall><methodName>x.y</methodName><params><param><value>&%c;"
		    "</value></param></params></methodCall>",
		    'a' + levels);

		assert_equal(verdict_text(bomb.text), ERR_X19);
	}
}

static void
a_bomb_in_utf16_is_refused(void)
{
	static const char bomb[] = "<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'b'>]><l>&a;</l>";
	char wide[2 + 2 * sizeof(bomb)] = "\xFF\xFE";

	for (size_t i = 0; i < sizeof(bomb) - 1; i++) {
		wide[2 + 2 * i] = bomb[i];
		wide[3 + 2 * i] = '\0';
	}

	assert_equal(verdict(wide, 2 * sizeof(bomb), NULL), ERR_X01);
	assert_equal(verdict(wide + 2, 2 * sizeof(bomb) - 2, NULL), ERR_X01);
}

static void
add_nested(struct str *xml, int depth)
{
	for (int i = 0; i < depth; i++)
		str_add(xml, "<a>");
	for (int i = 0; i < depth; i++)
		str_add(xml, "</a>");
}

static void
limits_hold_to_the_last_one(void)
{
	auto_str struct str deep = {0}, deeper = {0}, wide = {0}, wider = {0}, many = {0},
			    text = {0};

	add_nested(&deep, 32);
	add_nested(&deeper, 33);
	str_add(&wide, "<a");
	for (int i = 0; i < 16; i++)
		str_addf(&wide, " a%d=''", i);
	str_add(&wider, wide.text);
	for (int i = 16; i < 40000; i++)
		str_addf(&wider, " a%d=''", i);
	str_add(&wide, "/>");
	str_add(&wider, "/>");
	str_add(&many, "<a>");
	for (int i = 0; i < 1000; i++)
		str_add(&many, "<b/>");
	str_add(&many, "</a>");
	str_add(&text, "<a>");
	for (int i = 0; i < 65536; i++)
		str_add(&text, "x");

	assert_equal(verdict_text(deep.text), ERR_NONE);
	assert_equal(verdict_text(deeper.text), ERR_LIMIT);
	assert_equal(verdict_text(wide.text), ERR_NONE);
	assert_equal(verdict_text(wider.text), ERR_LIMIT);
	assert_equal(verdict_text(many.text), ERR_LIMIT);
	str_add(&text, "<!-- --></a>");
	assert_equal(verdict_text(text.text), ERR_NONE);
	text.len -= strlen("</a>");
	str_add(&text, "<![CDATA[]]></a>");
	assert_equal(verdict_text(text.text), ERR_LIMIT);
}

static void
a_document_may_have_its_last_byte_and_no_more(void)
{
	struct xml_limits four = {.bytes = 4};
	struct err err = {0};

	assert_true(xml_guard("<a/>", 4, &four, &err));
	assert_true(!xml_guard("<a/> ", 5, &four, &err));
	assert_equal(err.code, ERR_LIMIT);
}

static void
a_refusal_names_its_line(void)
{
	unsigned line;

	assert_equal(verdict("<a>\n<b>\n&x;</b></a>", 19, &line), ERR_X19);
	assert_equal(line, 3);
	assert_equal(verdict("<a>\n</a>\n\x01", 10, &line), ERR_X01);
	assert_equal(line, 3);
}

static const struct test tests[] = {
    TEST(plain_documents_pass),
    TEST(document_types_entities_and_instructions_are_refused),
    TEST(broken_markup_is_refused),
    TEST(other_encodings_and_control_characters_are_refused),
    TEST(bombs_of_every_size_are_refused),
    TEST(a_bomb_in_utf16_is_refused),
    TEST(limits_hold_to_the_last_one),
    TEST(a_document_may_have_its_last_byte_and_no_more),
    TEST(a_refusal_names_its_line),
};

suite_main("xml_guard", tests)
