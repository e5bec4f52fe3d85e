/*
 * The parts of slice_check, private to it. Each adds what it finds; order is made at the end.
 */
#pragma once

#include "lib/base/map.h"
#include "lib/model/slice_keys.h"

struct check {
	const struct slice_world *world;
	diagnoses *found;
	struct map *macs; /* seen so far */
};

/* A sliver of either kind, as binds see it. */
struct sliver {
	const char *name;
	const struct slice_link *link; /* one of these two */
	struct slice_node *node;
	const struct slice_vport *vports;
	size_t n_vports;
	struct slice_where where;
};

/* A slice, or the inside of a node. */
struct scope {
	struct slice_body *body;
	const struct slice_node *outer; /* NULL = the slice itself */
	struct sliver *slivers;
	size_t n_slivers;
	struct map *by_name; /* of struct sliver */
};

/* Types, vports, keys and values of each sliver: S01, S05 to S07, S10, S13, S15. */
void slice_check_slivers(const struct check *check, const struct scope *scope);

/*
 * What carries a link whose subtype is not built in: one that the operator has named, or an
 * experimental definition: S05, S06, S07, S13. False: it was refused.
 */
bool slice_check_carrier(const struct check *check, struct slice_link *link, const char *subject);

/* S06: may the caller name plug-ins? */
bool slice_check_experiment(
    const struct check *check, const struct slice_where *where, const char *subject);

/* S05, with the nearest subtype as hint. */
void slice_refuse_type(const struct check *check, const struct slice_where *where,
    const char *subject, const struct slice_type *types, const char *type, const char *subtype);

/* Which port joins which: S02, S03, S04, S10. */
void slice_check_binds(const struct check *check, const struct scope *scope);

/* Placements that contradict each other: S18. */
void slice_check_company(const struct check *check, const struct slice *slice);

/* Access points: S02, S09. */
void slice_check_access(const struct check *check, const struct scope *scope);

/* One sentence with place and subject ("link 'l1'"). NULL when the list is full. */
struct err *slice_refuse(const struct check *check, const struct slice_where *where,
    enum err_code code, const char *subject, const char *format, ...) printf_like(5, 6);

/* The thing is in the language, and this version does not build it. */
void slice_refuse_planned(const struct check *check, const struct slice_where *where,
    enum err_code code, const char *subject, const char *what);

bool slice_has_vport(const struct sliver *sliver, const char *vport);

/* S02, with the nearest vport as hint. */
void slice_refuse_vport(const struct check *check, const struct slice_where *where,
    const char *subject, const struct sliver *sliver, const char *vport);

bool slice_role_is_operator(const char *role);

struct slice_subject {
	char text[100];
};

/* "link 'l1'" */
struct slice_subject slice_subject_of(const char *kind, const char *name);
