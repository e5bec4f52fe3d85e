/*
 * A thin tree of an XML document: elements with attributes, children and line numbers. Used for
 * slice documents and inventories. The guard runs first; then libxml2 reads without network,
 * document type or entities. Only includer of libxml2.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/xml_guard.h"

struct xml_attribute {
	const char *name, *value; /* name as written: a prefix stays in it */
};

struct xml_element {
	const char *name;
	struct xml_attribute *attributes;
	size_t n_attributes;
	unsigned line;                       /* of its '<' */
	unsigned text_line;                  /* of the first text that is not blank; 0 = none */
	struct xml_element *parent, *next;   /* next sibling */
	struct xml_element *children, *last; /* the first one, the last one */
	const char *xpath;                   /* set by xml_check */
	unsigned index;                      /* among its namesakes, from 1; set by xml_check */
};

/*
 * The root element, in arena; NULL on failure. ERR_X01 and ERR_X19 with their line; ERR_LIMIT as
 * the guard says. Linear in time. Any thread.
 */
struct xml_element *xml_read(const char *xml, size_t size, const struct xml_limits *limits,
    struct arena *arena, struct err *err) must_check;

/* The value of an attribute; NULL when absent. */
const char *xml_value(const struct xml_element *element, const char *attribute);

/* The first child of that name and the next sibling of that name (NULL = any name). NULL at the
 * end. A NULL parent has no children. */
struct xml_element *xml_child(const struct xml_element *parent, const char *name);
struct xml_element *xml_next(const struct xml_element *element, const char *name);
size_t xml_count(const struct xml_element *parent, const char *name);

#define xml_each(element, parent, name)                                                            \
	for (struct xml_element *element = xml_child(parent, name); element;                       \
	     element = xml_next(element, name))

/*
 * Does the document satisfy the schema? Both are files' bytes that are trusted (tests). 1 = yes,
 * 0 = no, -1 = the schema itself or the document could not be read. The first message into err.
 */
int xml_validate(const char *xml, size_t size, const char *xsd, size_t xsd_size, struct err *err);
