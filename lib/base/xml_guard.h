/*
 * The strict scanner in front of every XML parser: no byte from the network reaches libxml2 or
 * xmlrpc-c before it has passed. Linear in time, no memory of its own. What passes is UTF-8 without
 * document type, entities of its own or processing instructions, and within the limits; tags nest.
 * (RELIABILITY F1, F2: what the parsers do otherwise.)
 */
#pragma once

#include <stddef.h>

#include "lib/base/err.h"

/* 0 = XML_DEPTH_MAX, XML_ATTRIBUTES_MAX; for the others no limit. */
struct xml_limits {
	size_t bytes;
	size_t elements;
	size_t text;         /* bytes of one run of character data, or of one attribute's value */
	unsigned depth;      /* of elements; at most XML_DEPTH_CAP */
	unsigned attributes; /* of one element */
};

enum { XML_DEPTH_MAX = 32, XML_ATTRIBUTES_MAX = 16, XML_DEPTH_CAP = 64 };

/*
 * ERR_X01: not UTF-8, a character XML does not allow, or not well-formed as far as markup goes
 * (names of attributes are not compared). ERR_X19: document type, entity, processing instruction.
 * ERR_LIMIT: a limit. All with their line. Any thread.
 */
bool xml_guard(
    const char *xml, size_t size, const struct xml_limits *limits, struct err *err) must_check;

/* Bytes of the character at `at` (1 to 4); 0 when it is not UTF-8 or none that XML allows. left >
 * 0. */
size_t xml_character_size(const unsigned char *at, size_t left);
