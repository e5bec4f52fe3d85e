/*
 * Projects and their members: the tables, and the rules of roles.
 */
#include "snc/project.h"

#include <string.h>

#include "lib/base/vec.h"

enum { NAME_MAX_LEN = 32, USER_MAX_LEN = 64, NOTE_MAX_LEN = 200, MEMBERS_MAX = 1000 };

static const char *const roles[] = {"stranger", "viewer", "member", "owner"};

const char *
project_role_text(enum project_role role)
{
	return roles[role];
}

bool
project_role_parse(const char *text, enum project_role *role, struct err *err)
{
	for (int i = PROJECT_VIEWER; i <= PROJECT_OWNER; i++) {
		if (!str_equal(roles[i], text))
			continue;
		*role = (enum project_role)i;
		return true;
	}
	err_set(err, ERR_BAD_VALUE, "'%.40s' is no role in a project", text);
	return err_hint(err, "owner, member or viewer");
}

/* ---- projects -------------------------------------------------------------------------------- */

static bool
check_name(const char *name, struct err *err)
{
	size_t len = strlen(name);

	if (len && len <= NAME_MAX_LEN && name[0] >= 'a' && name[0] <= 'z' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len)
		return true;
	err_set(err, ERR_BAD_NAME, "'%.40s' is no name of a project", name);
	return err_hint(err, "a small letter, then at most 31 small letters, digits and hyphens");
}

static bool
count(struct txn *txn, const char *sql, const char *name, int64_t *n, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err, sql, "t", name);

	if (!rows)
		return false;
	*n = rows_next(rows) ? rows_i64(rows, 0) : 0;
	return true;
}

bool
project_add(struct txn *txn, const struct project_record *project, struct err *err)
{
	int64_t n;

	if (!check_name(project->name, err) ||
	    !count(txn, "SELECT count(*) FROM project WHERE name = ?", project->name, &n, err))
		return false;
	if (strlen(project->note) > NOTE_MAX_LEN)
		return err_set(
		    err, ERR_LIMIT, "a project's note has at most %d bytes", NOTE_MAX_LEN);
	if (n) {
		err_set(err, ERR_CONFLICT, "there is a project '%s' already", project->name);
		return err_hint(err, "choose another name");
	}
	return txn_run(txn, err, "INSERT INTO project (name, note, created_ms) VALUES (?, ?, ?)",
	    "tti", project->name, project->note, project->created_ms);
}

static bool
refuse_unknown(const char *name, struct err *err)
{
	err_set(err, ERR_NOT_FOUND, "there is no project '%.40s'", name);
	return err_hint(err, "`vnode project list` lists them");
}

bool
project_drop(struct txn *txn, const char *name, struct err *err)
{
	int64_t n_slices;

	if (str_equal(name, PROJECT_DEFAULT))
		return err_set(err, ERR_CONFLICT, "the project '%s' stays", name);
	if (!count(txn, "SELECT count(*) FROM slice WHERE project = ?", name, &n_slices, err))
		return false;
	if (n_slices) {
		err_set(
		    err, ERR_CONFLICT, "project '%s' has %lld slices", name, (long long)n_slices);
		return err_hint(err, "delete them first: `vnode slice list`");
	}
	if (!txn_run(txn, err, "DELETE FROM project WHERE name = ?", "t", name))
		return false;
	if (!txn_changes(txn))
		return refuse_unknown(name, err);
	return txn_run(txn, err, "DELETE FROM quota WHERE project = ?", "t", name);
}

static bool
read_projects(
    struct rows *rows, struct arena *arena, struct project_records *projects, struct err *err)
{
	vec_of(struct project_record) found = {0};

	(void)err;
	while (rows_next(rows))
		vec_push(&found, ((struct project_record){
				     .name = arena_text(arena, rows_text(rows, 0)),
				     .note = arena_text(arena, rows_text(rows, 1)),
				     .created_ms = rows_i64(rows, 2),
				     .n_members = rows_i64(rows, 3),
				     .n_slices = rows_i64(rows, 4),
				 }));
	projects->n = found.n;
	projects->items =
	    (void *)arena_copy(arena, found.items, found.n * sizeof(projects->items[0]));
	vec_done(&found);
	return true;
}

/* Of everybody's project a user is told his own slices alone. */
#define PROJECT_READ                                                                               \
	"SELECT name, note, created_ms,"                                                           \
	" (SELECT count(*) FROM member WHERE project = name),"                                     \
	" (SELECT count(*) FROM slice WHERE project = project.name"                                \
	"  AND (?1 IS NULL OR owner = ?1 OR project.name <> '" PROJECT_DEFAULT "'))"               \
	" FROM project "

bool
project_list(struct txn *txn, const char *user, struct arena *arena,
    struct project_records *projects, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    PROJECT_READ "WHERE ?1 IS NULL OR name = '" PROJECT_DEFAULT "'"
			 " OR name IN (SELECT project FROM member WHERE user = ?1) ORDER BY name",
	    "t", user);

	return rows && read_projects(rows, arena, projects, err);
}

bool
project_find(struct txn *txn, const struct snc_caller *caller, const char *name,
    struct arena *arena, struct project_record *project, struct err *err)
{
	struct project_records found;

	if (!project_list(txn, snc_sees_all(caller) ? NULL : caller->name, arena, &found, err))
		return false;
	for (size_t i = 0; i < found.n; i++) {
		if (!str_equal(found.items[i].name, name))
			continue;
		*project = found.items[i];
		return true;
	}
	return refuse_unknown(name, err);
}

/* ---- members --------------------------------------------------------------------------------- */

static enum project_role
role_in_row(struct rows *rows, int column)
{
	enum project_role role = PROJECT_STRANGER;
	struct err err;

	/* The column has a CHECK. */
	return project_role_parse(rows_text(rows, column), &role, &err) ? role : PROJECT_STRANGER;
}

bool
project_members(struct txn *txn, const char *project, struct arena *arena,
    struct project_members *members, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT user, role FROM member WHERE project = ? ORDER BY user", "t", project);
	vec_of(struct project_member) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, ((struct project_member){
				     arena_text(arena, rows_text(rows, 0)), role_in_row(rows, 1)}));
	members->n = found.n;
	members->items =
	    (void *)arena_copy(arena, found.items, found.n * sizeof(members->items[0]));
	vec_done(&found);
	return true;
}

bool
project_member_set(
    struct txn *txn, const char *project, const struct project_member *member, struct err *err)
{
	size_t len = strlen(member->user);
	int64_t n;

	if (str_equal(project, PROJECT_DEFAULT)) {
		err_set(err, ERR_CONFLICT, "the project '%s' has no members", project);
		return err_hint(err, "everybody who is in no other project belongs to it");
	}
	if (!len || len > USER_MAX_LEN)
		return err_set(err, ERR_BAD_NAME, "a user's name has 1 to %d bytes", USER_MAX_LEN);
	if (!count(txn, "SELECT count(*) FROM member WHERE project = ?", project, &n, err))
		return false;
	if (n >= MEMBERS_MAX)
		return err_set(err, ERR_LIMIT, "a project has at most %d members", MEMBERS_MAX);
	return txn_run(txn, err,
	    "INSERT OR REPLACE INTO member (project, user, role) VALUES (?, ?, ?)", "ttt", project,
	    member->user, roles[member->role]);
}

bool
project_member_drop(struct txn *txn, const char *project, const char *user, struct err *err)
{
	if (!txn_run(
		txn, err, "DELETE FROM member WHERE project = ? AND user = ?", "tt", project, user))
		return false;
	if (txn_changes(txn))
		return true;
	err_set(err, ERR_NOT_FOUND, "'%.64s' is not in project '%s'", user, project);
	return err_hint(err, "`vnode project show %s` lists who is", project);
}

bool
project_role_of(struct txn *txn, const char *project, const char *user, enum project_role *role,
    struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT role FROM member WHERE project = ? AND user = ?", "tt", project, user);

	if (!rows)
		return false;
	*role = rows_next(rows) ? role_in_row(rows, 0) : PROJECT_STRANGER;
	return true;
}

/* ---- who may what ---------------------------------------------------------------------------- */

bool
project_may_manage(
    struct txn *txn, const struct snc_caller *caller, const char *project, struct err *err)
{
	enum project_role role;

	if (snc_is_operator(caller))
		return true;
	if (!project_role_of(txn, project, caller->name, &role, err))
		return false;
	if (role == PROJECT_OWNER)
		return true;
	err_set(err, ERR_A02, "'%s' is no owner of project '%s'", caller->name, project);
	return err_hint(err, "`vnode project show %s` names its owners", project);
}

bool
project_may_change(struct txn *txn, const struct snc_caller *caller,
    const struct slice_record *slice, struct err *err)
{
	enum project_role role;

	if (snc_is_operator(caller) || str_equal(slice->owner, caller->name))
		return true;
	if (!project_role_of(txn, slice->project, caller->name, &role, err))
		return false;
	if (role == PROJECT_OWNER)
		return true;
	err_set(err, ERR_A02, "slice '%s' is '%s's, and '%s' may only look at it", slice->name,
	    slice->owner, caller->name);
	err_subject(err, "slice '%s'", slice->name);
	return err_hint(
	    err, "'%s' or an owner of project '%s' may change it", slice->owner, slice->project);
}

/* Those in which a user may have slices, at most two. */
static bool
usable(struct txn *txn, const char *user, struct arena *arena, const char *found[2], size_t *n,
    struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT project FROM member WHERE user = ? AND role IN ('member', 'owner')"
	    " ORDER BY project LIMIT 2",
	    "t", user);

	if (!rows)
		return false;
	for (*n = 0; *n < 2 && rows_next(rows); ++*n)
		found[*n] = arena_text(arena, rows_text(rows, 0));
	return true;
}

static bool
refuse_use(const struct snc_caller *user, const char *project, struct err *err)
{
	err_set(err, ERR_A02, "'%s' may have no slices in project '%s'", user->name, project);
	return err_hint(
	    err, "ask one of its owners: `vnode project add %s %s member`", project, user->name);
}

static bool
may_use_default(struct txn *txn, const struct snc_caller *user, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const char *other[2];
	size_t n;

	if (!usable(txn, user->name, arena, other, &n, err))
		return false;
	if (!n)
		return true;
	err_set(err, ERR_A02,
	    "'%s' is in project '%s': the project '" PROJECT_DEFAULT
	    "' is for those who are in none",
	    user->name, other[0]);
	return err_hint(err, "make the slice with --project %s", other[0]);
}

bool
project_may_use(
    struct txn *txn, const struct snc_caller *user, const char *project, struct err *err)
{
	enum project_role role;
	int64_t n;

	if (!count(txn, "SELECT count(*) FROM project WHERE name = ?", project, &n, err))
		return false;
	if (!n)
		return refuse_unknown(project, err);
	if (snc_is_operator(user))
		return true;
	if (str_equal(project, PROJECT_DEFAULT))
		return may_use_default(txn, user, err);
	if (!project_role_of(txn, project, user->name, &role, err))
		return false;
	if (role == PROJECT_STRANGER && !snc_sees_all(user))
		return refuse_unknown(project, err);
	return role >= PROJECT_MEMBER || refuse_use(user, project, err);
}

bool
project_choose(struct txn *txn, const struct snc_caller *caller, const char *wanted,
    struct arena *arena, const char **project, struct err *err)
{
	const char *found[2];
	size_t n;

	if (wanted) {
		*project = wanted;
		return project_may_use(txn, caller, wanted, err);
	}
	if (!usable(txn, caller->name, arena, found, &n, err))
		return false;
	if (n > 1) {
		err_set(err, ERR_BAD_VALUE, "'%s' is in several projects: which one is meant?",
		    caller->name);
		return err_hint(err, "--project %s, or --project %s, …", found[0], found[1]);
	}
	*project = n ? found[0] : PROJECT_DEFAULT;
	return true;
}
