/*
 * Projects: who shares slices with whom, and who may do what there. All SQL of projects and their
 * members is here; every function runs inside the caller's transaction, texts of what is read live
 * in the arena.
 *
 *     a slice of the project            viewer   member   owner   its creator, noc, admin
 *     see it                            yes      yes      yes     yes
 *     make one                          -        yes      yes     -        (noc, admin: yes)
 *     change it, reach into its nodes   -        -        yes     yes
 *     add and remove members            -        -        yes     -        (noc, admin: yes)
 *
 * Quotas, new projects and their end are the operators' (noc, admin).
 */
#pragma once

#include "snc/snc.h"
#include "snc/snc_store.h"

#define PROJECT_DEFAULT "default" /* of who is in no other one */

enum project_role { PROJECT_STRANGER, PROJECT_VIEWER, PROJECT_MEMBER, PROJECT_OWNER };

const char *project_role_text(enum project_role role);
/* ERR_BAD_VALUE. */
bool project_role_parse(const char *text, enum project_role *role, struct err *err) must_check;

struct project_record {
	const char *name, *note;
	int64_t created_ms, n_members, n_slices;
};

struct project_records {
	struct project_record *items;
	size_t n;
};

struct project_member {
	const char *user;
	enum project_role role;
};

struct project_members {
	struct project_member *items;
	size_t n;
};

/* ERR_BAD_NAME, ERR_CONFLICT. */
bool project_add(struct txn *txn, const struct project_record *project, struct err *err) must_check;

/* ERR_CONFLICT while it has slices, and for the default one; ERR_NOT_FOUND. Its usage is kept. */
bool project_drop(struct txn *txn, const char *name, struct err *err) must_check;

/* By name: those of a user and the one that is everybody's, or all (NULL). */
bool project_list(struct txn *txn, const char *user, struct arena *arena,
    struct project_records *projects, struct err *err) must_check;

/* If the caller may know of it; else ERR_NOT_FOUND, so that nobody learns what others have. */
bool project_find(struct txn *txn, const struct snc_caller *caller, const char *name,
    struct arena *arena, struct project_record *project, struct err *err) must_check;

bool project_members(struct txn *txn, const char *project, struct arena *arena,
    struct project_members *members, struct err *err) must_check;

/* Writes what a user is there. ERR_BAD_NAME, ERR_CONFLICT for the default project. */
bool project_member_set(struct txn *txn, const char *project, const struct project_member *member,
    struct err *err) must_check;

/* ERR_NOT_FOUND. */
bool project_member_drop(
    struct txn *txn, const char *project, const char *user, struct err *err) must_check;

bool project_role_of(struct txn *txn, const char *project, const char *user,
    enum project_role *role, struct err *err) must_check;

/* ERR_A02 unless the caller may see to its members. */
bool project_may_manage(struct txn *txn, const struct snc_caller *caller, const char *project,
    struct err *err) must_check;

/* ERR_A02 unless the caller may change the slice, which he may see. */
bool project_may_change(struct txn *txn, const struct snc_caller *caller,
    const struct slice_record *slice, struct err *err) must_check;

/* ERR_A02 unless the user may have slices there. The default project is for those who may in no
 * other one, so that nobody gets round a quota by it. */
bool project_may_use(struct txn *txn, const struct snc_caller *user, const char *project,
    struct err *err) must_check;

/*
 * In which project a slice of the caller is made: the one wanted, if he may use it; without a wish
 * (NULL) the only one that he may use. ERR_A02, ERR_NOT_FOUND, and ERR_BAD_VALUE when there are
 * several.
 */
bool project_choose(struct txn *txn, const struct snc_caller *caller, const char *wanted,
    struct arena *arena, const char **project, struct err *err) must_check;
