/*
 * Who is together with whom, and what of that cannot be.
 */
#include "lib/model/slice_company.h"

#include "lib/model/slice_check.h"

size_t
slice_node_at(const struct slice *slice, const char *name)
{
	size_t i = 0;

	while (i < slice->body.n_nodes && !str_equal(slice->body.nodes[i].name, name))
		i++;
	return i;
}

static void
join(size_t *first, size_t n, size_t a, size_t b)
{
	size_t from = first[a] > first[b] ? first[a] : first[b];
	size_t to = first[a] > first[b] ? first[b] : first[a];

	for (size_t i = 0; i < n; i++)
		first[i] = first[i] == from ? to : first[i];
}

size_t *
slice_together(const struct slice *slice, struct arena *arena)
{
	size_t n = slice->body.n_nodes, *first = arena_alloc(arena, (n + 1) * sizeof(first[0]));

	for (size_t i = 0; i < n; i++)
		first[i] = i;
	for (size_t i = 0; i < slice->n_companies; i++) {
		const struct slice_company *company = &slice->companies[i];
		size_t one = n;

		for (size_t k = 0; !company->is_apart && k < company->n_members; k++) {
			size_t other = slice_node_at(slice, company->members[k].node);

			if (other == n) /* a slice may be a part of its document */
				continue;
			if (one < n)
				join(first, n, one, other);
			one = other;
		}
	}
	return first;
}

/* The grammar has no more of them than there are bits. */
uint64_t *
slice_apart(const struct slice *slice, struct arena *arena)
{
	uint64_t *bits = arena_alloc(arena, (slice->body.n_nodes + 1) * sizeof(bits[0])), bit = 1;

	for (size_t i = 0; i < slice->n_companies; i++) {
		const struct slice_company *company = &slice->companies[i];

		for (size_t k = 0; company->is_apart && k < company->n_members; k++)
			bits[slice_node_at(slice, company->members[k].node)] |= bit;
		bit <<= company->is_apart;
	}
	return bits;
}

/* ---- S18 ------------------------------------------------------------------------------------- */

/* What holds each lot of nodes that are together: the first amap of any of them. */
struct lots {
	const struct slice *slice;
	size_t *first;
	const struct slice_amap **held;
};

static void
check_amap(const struct check *check, struct lots *lots, const struct slice_amap *amap)
{
	struct slice_subject subject = slice_subject_of("node", amap->node);
	size_t at = slice_node_at(lots->slice, amap->node);
	const struct slice_amap **held;

	if (at == lots->slice->body.n_nodes)
		return;
	held = &lots->held[lots->first[at]];
	if (*held && !str_equal((*held)->vnode, amap->vnode))
		err_hint(slice_refuse(check, &amap->where, ERR_S18, subject.text,
			     "it is mapped to '%s', and together with '%s', which is mapped to "
			     "'%s' in line %u",
			     amap->vnode, (*held)->node, (*held)->vnode, (*held)->where.line),
		    "map both to one VNode, or leave one amap out");
	else if (!*held)
		*held = amap;
}

/* Two of one `apart`, at these places among the nodes. */
static void
check_pair(const struct check *check, const struct lots *lots, size_t a,
    const struct slice_member *member, size_t b)
{
	const struct slice_amap *held_a = lots->held[lots->first[a]];
	const struct slice_amap *held_b = lots->held[lots->first[b]];
	const char *other = lots->slice->body.nodes[a].name;

	if (lots->first[a] == lots->first[b])
		err_hint(slice_refuse(check, &member->where, ERR_S18,
			     slice_subject_of("node", member->node).text,
			     "it is to be apart from '%s', and together with it", other),
		    "leave it out of one of the two");
	else if (held_a && held_b && str_equal(held_a->vnode, held_b->vnode))
		err_hint(slice_refuse(check, &member->where, ERR_S18,
			     slice_subject_of("node", member->node).text,
			     "it is to be apart from '%s', and both are held on '%s' by amaps "
			     "(lines %u and %u)",
			     other, held_a->vnode, held_a->where.line, held_b->where.line),
		    "map one of them to another VNode, or leave one amap out");
}

/* Of many members there are many pairs: names are looked up once, and a full list ends it. */
static void
check_apart(const struct check *check, const struct lots *lots, const struct slice_company *company,
    size_t *at)
{
	size_t n = lots->slice->body.n_nodes;

	for (size_t b = 0; b < company->n_members && check->found->n < DIAGNOSES_MAX; b++) {
		at[b] = slice_node_at(lots->slice, company->members[b].node);
		for (size_t a = 0; at[b] < n && a < b; a++)
			if (at[a] < n)
				check_pair(check, lots, at[a], &company->members[b], at[b]);
	}
}

void
slice_check_company(const struct check *check, const struct slice *slice)
{
	auto_arena struct arena *arena = arena_new();
	struct lots lots = {slice, slice_together(slice, arena), NULL};

	if (!slice->n_companies)
		return;
	lots.held = arena_alloc(arena, (slice->body.n_nodes + 1) * sizeof(void *));
	for (size_t i = 0; i < slice->n_amaps; i++)
		check_amap(check, &lots, &slice->amaps[i]);
	for (size_t i = 0; i < slice->n_companies; i++) {
		const struct slice_company *company = &slice->companies[i];

		if (company->is_apart)
			check_apart(check, &lots, company,
			    arena_alloc(arena, company->n_members * sizeof(size_t)));
	}
}
