/*
 * Two passes: all characters first, so that the second, which follows the markup, need not think
 * of encodings. What is not recognised is refused: a parser behind may be more generous, never
 * less.
 */
#include "lib/base/xml_guard.h"

#include <stdint.h>
#include <string.h>

struct scan {
	const char *at;
	const char *end;
	const char *start;
	const struct xml_limits *limits;
	unsigned depth;
	size_t elements;
	size_t run; /* bytes of character data since the last tag */

	struct {
		const char *name;
		size_t len;
	} open[XML_DEPTH_CAP];
	struct err *err;
};

static bool has_good_characters(struct scan *scan);
static bool skip_declaration(struct scan *scan);
static bool skip_markup(struct scan *scan);
static bool skip_text(struct scan *scan);
static bool skip_until(struct scan *scan, const char *mark, const char *what);
static bool skip_cdata(struct scan *scan);
static bool skip_end_tag(struct scan *scan);
static bool skip_start_tag(struct scan *scan);
static bool skip_attribute(struct scan *scan);
static bool skip_value(struct scan *scan);
static bool skip_reference(struct scan *scan);
static size_t name_size(const struct scan *scan);
static bool refuse(struct scan *scan, enum err_code code, const char *what);

bool
xml_guard(const char *xml, size_t size, const struct xml_limits *limits, struct err *err)
{
	struct scan scan = {
	    .at = xml, .start = xml, .end = xml + size, .limits = limits, .err = err};

	if (limits->bytes && size > limits->bytes)
		return err_set(err, ERR_LIMIT,
		    "the document has %zu bytes, at most %zu are allowed", size, limits->bytes);
	if (!has_good_characters(&scan) || !skip_declaration(&scan))
		return false;
	while (scan.at < scan.end)
		if (!(*scan.at == '<' ? skip_markup(&scan) : skip_text(&scan)))
			return false;
	if (scan.depth)
		return refuse(&scan, ERR_X01, "the document ends inside an element");
	return scan.elements ? true : refuse(&scan, ERR_X01, "there is no element");
}

/* ---- characters ---- */

static bool
has_good_characters(struct scan *scan)
{
	const unsigned char *at = (const unsigned char *)scan->start;
	const unsigned char *end = (const unsigned char *)scan->end;

	if (end - at >= 3 && !memcmp(at, "\xEF\xBB\xBF", 3))
		return refuse(scan, ERR_X01, "a byte order mark; plain UTF-8 is wanted");
	while (at < end) {
		size_t step = xml_character_size(at, (size_t)(end - at));

		scan->at = (const char *)at;
		if (!step)
			return refuse(scan, ERR_X01,
			    "a byte that is not UTF-8, or a character that XML does not allow");
		at += step;
	}
	scan->at = scan->start;
	return true;
}

static bool
is_character(uint32_t code)
{
	if (code < ' ')
		return code == '\t' || code == '\n' || code == '\r';
	return code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF) && code != 0xFFFE &&
	       code != 0xFFFF;
}

/* By its first byte (RFC 3629); 0: no character begins so. */
static size_t
size_by_lead(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xC2)
		return 0;
	if (lead < 0xE0)
		return 2;
	return lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
}

/* XML 1.0, Char, beyond ASCII. */
size_t
xml_character_size(const unsigned char *at, size_t left)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = size_by_lead(at[0]);
	uint32_t code;

	if (size == 1)
		return at[0] >= ' ' || at[0] == '\t' || at[0] == '\n' || at[0] == '\r';
	if (size == 0 || size > left)
		return 0;
	code = at[0] & (0x7FU >> size);
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3F);
	}
	return code >= lowest[size] && is_character(code) ? size : 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_name_byte(char c, bool is_first)
{
	unsigned char u = (unsigned char)c;

	if ((u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u == '_' || u == ':' || u >= 0x80)
		return true;
	return !is_first && ((u >= '0' && u <= '9') || u == '-' || u == '.');
}

static bool
starts(const struct scan *scan, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(scan->end - scan->at) >= len && !memcmp(scan->at, text, len);
}

static void
skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end && is_blank(*scan->at))
		scan->at++;
}

/* ---- markup ---- */

/* <?xml version="1.0" encoding="UTF-8" standalone="yes"?>: at offset 0 or nowhere, with no other
 * values. */
static bool
skip_declaration(struct scan *scan)
{
	static const char *const known[] = {"version=\"1.0\"", "version='1.0'",
	    "encoding=\"UTF-8\"", "encoding='UTF-8'", "encoding=\"utf-8\"", "encoding='utf-8'",
	    "standalone=\"yes\"", "standalone='yes'", "standalone=\"no\"", "standalone='no'"};

	if (!starts(scan, "<?xml") || scan->end - scan->at < 6 || !is_blank(scan->at[5]))
		return true;
	scan->at += 5;
	for (;;) {
		size_t i = 0;

		skip_blanks(scan);
		if (starts(scan, "?>"))
			break;
		while (i < sizeof(known) / sizeof(known[0]) && !starts(scan, known[i]))
			i++;
		if (i == sizeof(known) / sizeof(known[0]))
			return refuse(scan, ERR_X01,
			    "an XML declaration with something else than version 1.0 and UTF-8");
		scan->at += strlen(known[i]);
	}
	scan->at += 2;
	return true;
}

static bool
skip_markup(struct scan *scan)
{
	if (starts(scan, "<!--"))
		return skip_until(scan, "-->", "a comment");
	if (starts(scan, "<![CDATA["))
		return skip_cdata(scan);
	if (starts(scan, "<!"))
		return refuse(scan, ERR_X19, "a document type or another declaration");
	if (starts(scan, "<?"))
		return refuse(scan, ERR_X19, "a processing instruction");
	scan->run = 0;
	return starts(scan, "</") ? skip_end_tag(scan) : skip_start_tag(scan);
}

static bool
add_to_run(struct scan *scan, size_t size)
{
	scan->run += size;
	if (scan->limits->text && scan->run > scan->limits->text)
		return refuse(scan, ERR_LIMIT, "too long a text");
	return true;
}

static bool
skip_text(struct scan *scan)
{
	const char *from = scan->at;

	while (scan->at < scan->end && *scan->at != '<') {
		if (!scan->depth && !is_blank(*scan->at))
			return refuse(scan, ERR_X01, "text outside of the root element");
		if (*scan->at != '&')
			scan->at++;
		else if (!skip_reference(scan))
			return false;
	}
	return add_to_run(scan, (size_t)(scan->at - from));
}

static bool
skip_until(struct scan *scan, const char *mark, const char *what)
{
	size_t len = strlen(mark);
	const char *found;

	scan->at += 4; /* the mark must not overlap the opening: "<!-->" opens and does not close */
	found = memmem(scan->at, (size_t)(scan->end - scan->at), mark, len);
	if (!found) {
		refuse(scan, ERR_X01, "is not closed");
		return err_in(scan->err, "%s", what);
	}
	scan->at = found + len;
	return true;
}

static bool
skip_cdata(struct scan *scan)
{
	const char *from = scan->at;

	if (!scan->depth)
		return refuse(scan, ERR_X01, "text outside of the root element");
	scan->at += strlen("<![CDATA[") - 4;
	return skip_until(scan, "]]>", "a CDATA section") &&
	       add_to_run(scan, (size_t)(scan->at - from));
}

static bool
skip_end_tag(struct scan *scan)
{
	size_t len;

	scan->at += 2;
	len = name_size(scan);
	if (!scan->depth || len != scan->open[scan->depth - 1].len ||
	    memcmp(scan->at, scan->open[scan->depth - 1].name, len) != 0)
		return refuse(scan, ERR_X01, "an end tag that closes no open element");
	scan->at += len;
	skip_blanks(scan);
	if (!starts(scan, ">"))
		return refuse(scan, ERR_X01, "an end tag that is not closed");
	scan->at++;
	scan->depth--;
	return true;
}

static unsigned
limit_or(unsigned limit, unsigned otherwise)
{
	return limit ? limit : otherwise;
}

static bool
open_element(struct scan *scan)
{
	unsigned depth_max = limit_or(scan->limits->depth, XML_DEPTH_MAX);
	size_t len;

	scan->at++;
	len = name_size(scan);
	if (!len)
		return refuse(scan, ERR_X01, "a '<' that opens nothing");
	if (!scan->depth && scan->elements)
		return refuse(scan, ERR_X01, "a second root element");
	if (scan->depth >= depth_max || scan->depth >= XML_DEPTH_CAP)
		return refuse(scan, ERR_LIMIT, "elements nested too deep");
	if (scan->limits->elements && scan->elements >= scan->limits->elements)
		return refuse(scan, ERR_LIMIT, "too many elements");
	scan->elements++;
	scan->open[scan->depth].name = scan->at;
	scan->open[scan->depth].len = len;
	scan->depth++;
	scan->at += len;
	return true;
}

static bool
skip_start_tag(struct scan *scan)
{
	unsigned attributes_max = limit_or(scan->limits->attributes, XML_ATTRIBUTES_MAX);
	unsigned n = 0;

	if (!open_element(scan))
		return false;
	for (;;) {
		const char *from = scan->at;

		skip_blanks(scan);
		if (starts(scan, "/>") || starts(scan, ">"))
			break;
		if (scan->at == from)
			return refuse(scan, ERR_X01, "a start tag that is not closed");
		if (n++ >= attributes_max)
			return refuse(scan, ERR_LIMIT, "too many attributes");
		if (!skip_attribute(scan))
			return false;
	}
	if (*scan->at == '/') {
		scan->depth--;
		scan->at++;
	}
	scan->at++;
	return true;
}

static bool
skip_attribute(struct scan *scan)
{
	size_t len = name_size(scan);

	if (!len)
		return refuse(scan, ERR_X01, "a start tag with something that is no attribute");
	scan->at += len;
	skip_blanks(scan);
	if (!starts(scan, "="))
		return refuse(scan, ERR_X01, "an attribute without a value");
	scan->at++;
	skip_blanks(scan);
	if (!starts(scan, "\"") && !starts(scan, "'"))
		return refuse(scan, ERR_X01, "an attribute whose value is not quoted");
	return skip_value(scan);
}

static bool
skip_value(struct scan *scan)
{
	char quote = *scan->at++;
	const char *from = scan->at;

	while (scan->at < scan->end && *scan->at != quote) {
		if (*scan->at == '<')
			return refuse(scan, ERR_X01, "a '<' in an attribute");
		if (*scan->at != '&')
			scan->at++;
		else if (!skip_reference(scan))
			return false;
	}
	if (scan->at == scan->end)
		return refuse(scan, ERR_X01, "an attribute whose value is not closed");
	if (scan->limits->text && (size_t)(scan->at - from) > scan->limits->text)
		return refuse(scan, ERR_LIMIT, "too long an attribute");
	scan->at++;
	return true;
}

/* ---- references and names ---- */

static int
digit_value(char c, uint32_t base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return base == 16 && c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool
skip_number(struct scan *scan)
{
	uint32_t base = starts(scan, "&#x") ? 16 : 10, code = 0;
	const char *at = scan->at + (base == 16 ? 3 : 2), *from = at;

	for (; at < scan->end && digit_value(*at, base) >= 0 && code <= 0x10FFFF; at++)
		code = code * base + (uint32_t)digit_value(*at, base);
	if (at == from || at == scan->end || *at != ';' || !is_character(code))
		return refuse(scan, ERR_X01, "a reference to no character");
	scan->at = at + 1;
	return true;
}

static bool
skip_reference(struct scan *scan)
{
	static const char *const known[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"};

	if (starts(scan, "&#"))
		return skip_number(scan);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (starts(scan, known[i])) {
			scan->at += strlen(known[i]);
			return true;
		}
	scan->at++;
	if (name_size(scan))
		return refuse(
		    scan, ERR_X19, "an entity; only lt, gt, amp, quot and apos are allowed");
	return refuse(scan, ERR_X01, "a '&' that refers to nothing");
}

static size_t
name_size(const struct scan *scan)
{
	const char *at = scan->at;

	while (at < scan->end && is_name_byte(*at, at == scan->at))
		at++;
	return (size_t)(at - scan->at);
}

static bool
refuse(struct scan *scan, enum err_code code, const char *what)
{
	unsigned line = 1;

	for (const char *at = scan->start; at < scan->at; at++)
		line += *at == '\n';
	err_set(scan->err, code, "%s", what);
	return err_at(scan->err, line, "");
}
