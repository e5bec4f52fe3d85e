/*
 * The steps of slice_read, private to it: grammar, references, building.
 */
#pragma once

#include "lib/model/slice.h"
#include "lib/xml/xml_grammar.h"

/* Names, attributes, children, counts of a slice document: the tables of docs/slice-language.md
 * chapter 4. */
extern const struct xml_rule slice_grammar;

/* Names twice and references to nothing (X06, X09, X11, X15, X16, X21), wherever the tree has what
 * is needed to tell. */
void slice_read_references(const struct xml_element *root, diagnoses *found);

/* The model of a tree that has passed both. */
struct slice *slice_read_build(const struct xml_element *root, struct arena *arena);
