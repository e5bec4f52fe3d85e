/*
 * The lattice's names, and the step of a group as a table.
 */
#include "lib/engine/lattice.h"

#include <stdio.h>

#include "lib/engine/controller_step.h"
#include "test/support/suite.h"

static void
names_of_states_are_read_back(void)
{
	for (int i = ROW_NONE; i <= ROW_RELEASED; i++) {
		enum row_state state = ROW_NONE;

		assert_true(row_state_parse(row_state_text((enum row_state)i), &state, NULL));
		assert_equal((int)state, i);
	}
}

static void
an_unknown_state_is_refused(void)
{
	enum row_state state;
	struct err err = {0};

	assert_true(!row_state_parse("holding", &state, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	assert_true(!row_state_parse(NULL, &state, &err));
}

static void
a_verb_asks_for_its_state(void)
{
	for (int i = VERB_RESERVE; i <= VERB_RELEASE; i++)
		assert_equal((int)verb_for(verb_target((enum verb)i)), i);
	assert_equal(verb_target(VERB_COMMIT), ROW_COMMITTED);
	assert_text(verb_text(VERB_RELEASE), "release");
}

/* Rows are two letters each: n none, h held, c committed, C committed and real, r released,
 * R released and gone; ! behind it = refused. */
static const struct step_case {
	enum group_state state;
	enum row_state goal;
	const char *rows;
	bool is_late;
	enum group_state next;
} cases[] = {
    {GROUP_PENDING, ROW_COMMITTED, "n n ", false, GROUP_PENDING},
    {GROUP_PENDING, ROW_COMMITTED, "h n ", false, GROUP_PENDING},
    {GROUP_PENDING, ROW_COMMITTED, "h h ", false, GROUP_COMMITTING},
    {GROUP_PENDING, ROW_HELD, "h h ", false, GROUP_RESERVED},
    {GROUP_PENDING, ROW_COMMITTED, "h n!", false, GROUP_RELEASING},
    {GROUP_PENDING, ROW_COMMITTED, "h r ", false, GROUP_RELEASING},
    {GROUP_PENDING, ROW_COMMITTED, "h n ", true, GROUP_RELEASING},
    {GROUP_PENDING, ROW_RELEASED, "n n ", false, GROUP_RELEASING},
    {GROUP_RESERVED, ROW_HELD, "h h ", false, GROUP_RESERVED},
    {GROUP_RESERVED, ROW_COMMITTED, "h h ", false, GROUP_COMMITTING},
    {GROUP_RESERVED, ROW_RELEASED, "h h ", false, GROUP_RELEASING},
    {GROUP_RESERVED, ROW_HELD, "h r ", false, GROUP_RELEASING},
    {GROUP_COMMITTING, ROW_COMMITTED, "C h ", false, GROUP_COMMITTING},
    {GROUP_COMMITTING, ROW_COMMITTED, "C c ", false, GROUP_COMMITTING},
    {GROUP_COMMITTING, ROW_COMMITTED, "C C ", false, GROUP_ACTIVE},
    {GROUP_COMMITTING, ROW_COMMITTED, "C c!", false, GROUP_RELEASING},
    {GROUP_COMMITTING, ROW_COMMITTED, "C r ", false, GROUP_RELEASING},
    {GROUP_COMMITTING, ROW_COMMITTED, "C c ", true, GROUP_RELEASING},
    {GROUP_COMMITTING, ROW_RELEASED, "C C ", false, GROUP_RELEASING},
    {GROUP_ACTIVE, ROW_COMMITTED, "C C ", false, GROUP_ACTIVE},
    {GROUP_ACTIVE, ROW_COMMITTED, "C c!", false, GROUP_ACTIVE},
    {GROUP_ACTIVE, ROW_COMMITTED, "C n!", true, GROUP_ACTIVE},
    {GROUP_ACTIVE, ROW_RELEASED, "C C ", false, GROUP_RELEASING},
    {GROUP_RELEASING, ROW_RELEASED, "R r ", false, GROUP_RELEASING},
    {GROUP_RELEASING, ROW_COMMITTED, "R C ", true, GROUP_RELEASING},
    {GROUP_RELEASING, ROW_RELEASED, "R n!", true, GROUP_RELEASING},
    {GROUP_RELEASING, ROW_RELEASED, "R R ", false, GROUP_GONE},
    {GROUP_GONE, ROW_COMMITTED, "R R ", true, GROUP_GONE},
};

static struct step_row
row_of(const char *text)
{
	struct step_row row = {.is_refused = text[1] == '!'};

	switch (text[0]) {
	case 'h':
		row.have = ROW_HELD;
		break;
	case 'c':
	case 'C':
		row.have = ROW_COMMITTED;
		break;
	case 'r':
	case 'R':
		row.have = ROW_RELEASED;
		break;
	default:
		break;
	}
	row.is_real = text[0] == 'C' || text[0] == 'R';
	return row;
}

static void
a_group_steps_as_the_table_says(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct step_case *at = &cases[i];
		struct step_row rows[2] = {row_of(at->rows), row_of(at->rows + 2)};
		enum group_state next = group_step(at->state, at->goal, rows, 2, at->is_late);

		if (next != at->next)
			printf("\n%s, rows '%s': %s\n", group_state_text(at->state), at->rows,
			    group_state_text(next));
		CU_ASSERT_EQUAL(next, at->next);
	}
}

/* All states, goals and rows: the rules that hold in every case. */
static void
a_group_never_goes_back_nor_promises_too_much(void)
{
	static const char *const all[] = {"n ", "n!", "h ", "h!", "c ", "c!", "C ", "r ", "R "};
	size_t n = sizeof(all) / sizeof(all[0]);

	for (int state = GROUP_PENDING; state <= GROUP_GONE; state++)
		for (size_t i = 0; i < n * n * 3 * 2; i++) {
			enum row_state goal = (enum row_state)(1 + i % 3);
			struct step_row rows[2] = {row_of(all[i / 6 % n]), row_of(all[i / 6 / n])};
			enum group_state next =
			    group_step((enum group_state)state, goal, rows, 2, i / 3 % 2);
			bool are_gone = rows[0].have == ROW_RELEASED && rows[0].is_real &&
					rows[1].have == ROW_RELEASED && rows[1].is_real;
			bool are_real = rows[0].have >= ROW_COMMITTED && rows[0].is_real &&
					rows[1].have >= ROW_COMMITTED && rows[1].is_real;

			CU_ASSERT_TRUE((int)next >= state);
			if (next == GROUP_GONE && state != GROUP_GONE)
				CU_ASSERT_TRUE(are_gone);
			if (next == GROUP_ACTIVE && state != GROUP_ACTIVE)
				CU_ASSERT_TRUE(are_real);
			if (goal == ROW_RELEASED)
				CU_ASSERT_TRUE(next >= GROUP_RELEASING);
		}
}

static const struct test tests[] = {
    TEST(names_of_states_are_read_back),
    TEST(an_unknown_state_is_refused),
    TEST(a_verb_asks_for_its_state),
    TEST(a_group_steps_as_the_table_says),
    TEST(a_group_never_goes_back_nor_promises_too_much),
};

suite_main("lattice", tests)
