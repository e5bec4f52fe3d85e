/*
 * From bytes to our own tree, through libxml2's SAX interface: lines of any size, and memory that
 * dies with the arena. The guard has refused what must not reach a parser; handlers for document
 * types and entities do not exist here, so none could be acted on either.
 */
#include "lib/xml/xml_read.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdio.h>
#include <string.h>

struct reader {
	const char *xml;
	size_t size;
	struct arena *arena;
	xmlParserCtxt *parser;
	struct xml_element *root, *open; /* open: the innermost open element */
	size_t at;                       /* lines are counted up to here */
	unsigned line;
};

static void start_element(void *self, const xmlChar *name, const xmlChar **attributes);
static void end_element(void *self, const xmlChar *name);
static void see_text(void *self, const xmlChar *text, int size);
static bool refuse(const xmlParserCtxt *parser, struct err *err);
static unsigned line_of_tag(struct reader *reader);
static void read_attributes(
    struct reader *reader, struct xml_element *element, const char *const *attributes);

static const xmlSAXHandler handler = {
    .initialized = 1, /* SAX version 1: names as written, namespaces mean nothing here */
    .startElement = start_element,
    .endElement = end_element,
    .characters = see_text,
    .cdataBlock = see_text,
};

struct xml_element *
xml_read(const char *xml, size_t size, const struct xml_limits *limits, struct arena *arena,
    struct err *err)
{
	struct reader reader = {.xml = xml, .size = size, .arena = arena, .line = 1};
	bool is_good;

	if (!xml_guard(xml, size, limits, err))
		return NULL;
	if (size > INT32_MAX || !(reader.parser = xmlCreateMemoryParserCtxt(xml, (int)size))) {
		err_set(err, ERR_X01, "the document is empty or cannot be read");
		return NULL;
	}
	*reader.parser->sax = handler;
	reader.parser->userData = &reader;
	/* NOENT makes libxml2 give `&amp;` in an attribute as '&'; other entities there are none.
	 */
	xmlCtxtUseOptions(reader.parser, XML_PARSE_NONET | XML_PARSE_NOENT);
	xmlParseDocument(reader.parser);
	is_good = reader.parser->wellFormed || refuse(reader.parser, err);
	xmlFreeParserCtxt(reader.parser);
	return is_good ? reader.root : NULL;
}

const char *
xml_value(const struct xml_element *element, const char *attribute)
{
	for (size_t i = 0; i < element->n_attributes; i++)
		if (!strcmp(element->attributes[i].name, attribute))
			return element->attributes[i].value;
	return NULL;
}

static struct xml_element *
find_from(struct xml_element *element, const char *name)
{
	while (element && name && strcmp(element->name, name) != 0)
		element = element->next;
	return element;
}

struct xml_element *
xml_child(const struct xml_element *parent, const char *name)
{
	return parent ? find_from(parent->children, name) : NULL;
}

struct xml_element *
xml_next(const struct xml_element *element, const char *name)
{
	return find_from(element->next, name);
}

size_t
xml_count(const struct xml_element *parent, const char *name)
{
	size_t n = 0;

	xml_each (child, parent, name)
		n++;
	return n;
}

static void
start_element(void *self, const xmlChar *name, const xmlChar **attributes)
{
	struct reader *reader = self;
	struct xml_element *parent = reader->open;
	struct xml_element *element = arena_new_of(reader->arena, struct xml_element);

	element->name = arena_text(reader->arena, (const char *)name);
	element->parent = parent;
	element->line = line_of_tag(reader);
	if (attributes)
		read_attributes(reader, element, (const char *const *)attributes);
	if (!parent)
		reader->root = element;
	else if (parent->last)
		parent->last->next = element;
	else
		parent->children = element;
	if (parent)
		parent->last = element;
	reader->open = element;
}

static void
end_element(void *self, const xmlChar *name)
{
	struct reader *reader = self;

	(void)name;
	if (reader->open)
		reader->open = reader->open->parent;
}

static void
see_text(void *self, const xmlChar *text, int size)
{
	struct reader *reader = self;
	const char *at = (const char *)text, *end = at + size;

	while (at < end && strchr(" \t\r\n", *at))
		at++;
	if (at == end || !reader->open || reader->open->text_line)
		return;
	reader->open->text_line = (unsigned)xmlSAX2GetLineNumber(reader->parser);
	for (; at < end; at++)
		if (*at == '\n' && reader->open->text_line > 1)
			reader->open->text_line--;
}

static bool
refuse(const xmlParserCtxt *parser, struct err *err)
{
	const xmlError *error = &parser->lastError;
	const char *text = error->message ? error->message : "the parser does not say why";

	err_set(err, ERR_X01, "line %d is not well-formed: %.*s", error->line,
	    (int)strcspn(text, "\n"), text);
	return err_at(err, (unsigned)error->line, NULL);
}

/* The parser has read a start tag up to its end: '<' cannot stand inside it, so the last one starts
 * it. Lines are counted once over the whole document. */
static unsigned
line_of_tag(struct reader *reader)
{
	long end = xmlByteConsumed(reader->parser);
	size_t start = end < 0 ? 0 : (size_t)end;

	if (start > reader->size)
		start = reader->size;
	while (start > reader->at && reader->xml[start - 1] != '<')
		start--;
	for (; reader->at < start; reader->at++)
		reader->line += reader->xml[reader->at] == '\n';
	return reader->line;
}

/* Name and value in turn, NULL at the end. */
static void
read_attributes(struct reader *reader, struct xml_element *element, const char *const *attributes)
{
	size_t n = 0;

	while (attributes[2 * n])
		n++;
	element->attributes = arena_alloc(reader->arena, n * sizeof(*element->attributes));
	element->n_attributes = n;
	for (size_t i = 0; i < n; i++)
		element->attributes[i] =
		    (struct xml_attribute){arena_text(reader->arena, attributes[2 * i]),
			arena_text(reader->arena, attributes[2 * i + 1])};
}
