/*
 * The grammar of a document type as tables: elements with attributes and children. One walker holds
 * a tree against it and says all that is wrong, in document order, with the house's codes.
 */
#pragma once

#include "lib/base/diagnosis.h"
#include "lib/xml/xml_read.h"

enum xml_form {
	XML_FORM_TEXT, /* at most 4096 characters */
	XML_FORM_NAME, /* a letter, then letters, digits, _ and -; at most 63 */
	XML_FORM_REF,  /* a name, or _parent */
	XML_FORM_KEY,  /* as a name, and dots */
	XML_FORM_WORD, /* one of the words */
	XML_FORM_WORDS /* a list of them */
};

struct xml_attribute_rule {
	const char *name; /* NULL ends the table */
	enum xml_form form;
	bool is_optional;
	const char *words;            /* blank-separated */
	enum err_code missing, wrong; /* 0: ERR_X04, ERR_X18 */
};

struct xml_child_rule {
	const struct xml_rule *rule; /* NULL ends the table */
	unsigned min, max;
	enum err_code few, many; /* 0: ERR_X08; for many, when one is the limit, ERR_X05 */
	const char *key;    /* attribute that tells them apart (in xpaths); NULL = the position */
	enum err_code twin; /* two with the same key; 0 = not checked here */
};

struct xml_rule {
	const char *name;
	const struct xml_attribute_rule *attributes; /* NULL = none */
	const struct xml_child_rule *children;       /* NULL = none */
	bool is_ordered;                             /* children stand in the table's order */
};

/*
 * Adds what is wrong to found; true when nothing is. Gives every element that it knows its xpath
 * (in arena); children of unknown elements stay without. ERR_X02 for another root, alone.
 */
bool xml_check(struct xml_element *root, const struct xml_rule *rule, struct arena *arena,
    diagnoses *found) must_check;

/* Adds a diagnosis at the element, its subject being the nearest named element around it. */
struct err *xml_diagnose(diagnoses *found, const struct xml_element *element, enum err_code code,
    const char *format, ...) printf_like(4, 5);
