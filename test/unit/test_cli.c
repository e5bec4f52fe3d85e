/*
 * The command line as a user types it, against a fake sncd over real TLS: what it prints where, and
 * its exit codes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/base/str.h"
#include "test/support/domain.h"
#include "test/support/fake_snc.h"
#include "test/support/suite.h"

struct session {
	struct arena *arena;
	struct fake_snc *snc;
};

struct said {
	int code;
	char *out, *err; /* in the session's arena */
};

static struct session
session_start(void)
{
	struct session session = {.arena = arena_new()};
	const char *dir = test_dir();
	FILE *file;

	domain_make(session.arena);
	session.snc = fake_snc_new(session.arena);
	file = fopen(domain_path(session.arena, "config.ini"), "we");
	assert_true(file != NULL);
	fprintf(file,
	    "[vnode]\ncontext=test\n[context test]\nsnc=unix:%s/snc.sock\n"
	    "ca=%s/ca/ca.crt\ncert=%s/user.crt\nkey=%s/user.key\n"
	    "[context noc]\nsnc=unix:%s/snc.sock\n"
	    "ca=%s/ca/ca.crt\ncert=%s/noc.crt\nkey=%s/noc.key\n",
	    dir, dir, dir, dir, dir, dir, dir, dir);
	fclose(file);
	return session;
}

static void
session_end(struct session *session)
{
	fake_snc_free(session->snc);
	arena_free(session->arena);
}

static char *
read_text(struct session *session, const char *name)
{
	size_t size;
	auto_free char *text = test_read(domain_path(session->arena, name), &size);

	return arena_copy(session->arena, text, size);
}

/* Runs `vnode WORDS` by a shell. */
static struct said
vnode(struct session *session, const char *words)
{
	const char *dir = test_dir();
	const char *command = arena_format(session->arena,
	    "VNODE_CONFIG=%s/config.ini %s %s >%s/out 2>%s/err </dev/null", dir, VNODE_PROGRAM,
	    words, dir, dir);
	int status = system(command); /* NOLINT(cert-env33-c): the shell is part of the scene */
	struct said said = {.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1};

	said.out = read_text(session, "out");
	said.err = read_text(session, "err");
	return said;
}

/* The exit code is the one wanted and the texts hold what is wanted. */
static void
expect(struct session *session, const char *words, int code, const char *out, const char *err)
{
	struct said said = vnode(session, words);
	bool is_good =
	    said.code == code && strstr(said.out, out) != NULL && strstr(said.err, err) != NULL;

	if (!is_good)
		printf(
		    "\nvnode %s: exit code %d, wanted %d\nout: %swanted: %s\nerr: %swanted: %s\n",
		    words, said.code, code, said.out, out, said.err, err);
	CU_ASSERT_TRUE(is_good);
}

static void
a_slice_goes_through_its_life(void)
{
	struct session session = session_start();

	expect(&session, "slice create test/data/slice/base.xml --wait", 0, "base\n", "RUNNING");
	expect(&session, "slice list", 0, "RUNNING", "");
	expect(&session, "slice show base", 0, "owner dev1  project default", "");
	expect(&session, "slice create test/data/slice/base.xml", 5, "", "slice 'base' exists");
	expect(&session, "slice stop base --wait", 0, "", "STOPPED");
	expect(&session, "slice run base --wait=RUNNING", 0, "", "RUNNING");
	expect(&session, "slice delete base", 2, "", "wants --yes");
	expect(&session, "slice delete base --yes --wait", 0, "", "GONE");
	expect(&session, "slice show base", 3, "", "there is no slice 'base'");
	session_end(&session);
}

static void
a_modify_is_shown_before_it_is_done(void)
{
	struct session session = session_start();

	expect(&session, "slice define test/data/slice/base.xml", 0, "base\n", "");
	expect(&session, "slice reserve base --wait", 0, "", "RESERVED");
	expect(&session, "slice modify base", 2, "", "SLICE and FILE are wanted");
	expect(&session, "slice modify base test/data/slice/base.xml --plan", 0,
	    "link l1  7     hitless  bandwidth 20Mbps, was 10Mbps\n", "");
	expect(&session, "slice modify base -f - --plan --json </dev/null", 0,
	    "\"way\": \"remove\"", "");
	expect(&session, "slice modify base test/data/slice/base.xml", 2, "node n2  12",
	    "modifying 'base' wants --yes");
	expect(&session, "slice modify base test/data/slice/base.xml --yes", 5, "", "[O04]");
	expect(&session, "slice modify base test/data/slice/base.xml --yes --restart", 0, "n2", "");
	session_end(&session);
}

static void
moves_are_shown_before_they_are_made(void)
{
	struct session session = session_start();

	expect(&session, "slice create test/data/slice/base.xml --wait", 0, "base\n", "");
	expect(&session, "slice optimise --plan", 0,
	    "base   link l1  hitless  320 Mbps  koganei:u0  koganei:u1\n", "");
	expect(&session, "slice optimise --plan --json", 0, "\"gain_bps\": 320000000", "");
	expect(&session, "slice optimise base", 2, "320 Mbps", "moving them wants --yes");
	expect(&session, "slice optimise base --yes", 0, "320 Mbps", "");
	expect(&session, "slice optimise --yes", 0, "", "nothing would be gained");
	session_end(&session);
}

static void
a_refused_document_is_explained_fault_by_fault(void)
{
	struct session session = session_start();
	struct said said =
	    vnode(&session, "slice create test/data/slice/bad/x18_name_injection.xml");

	CU_ASSERT_EQUAL(said.code, 1);
	CU_ASSERT_STRING_EQUAL(said.out, "");
	CU_ASSERT_PTR_NOT_NULL(
	    strstr(said.err, "x18_name_injection.xml:12 "
			     "/slice-design/slicespec/sliverdef/nodeSlivers/nodeSliver[1]"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.err, "[X18]"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.err, "[X15]"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said.err, "  try: did you mean 'n2'?"));
	expect(&session, "slice check test/data/slice/demo3.xml", 1, "", "does not build it yet");
	expect(&session, "slice check test/data/slice/base.xml", 0, "", "");
	expect(&session, "slice check test/data/slice/base.xml --project relay", 0,
	    "memory      project  1 GiB        4 GiB         256 GiB", "");
	expect(&session, "slice check test/data/slice/base.xml --project relay", 0,
	    "rate-hours  you      without end  2.5 Gbps x h  500 Gbps x h", "");
	expect(&session, "slice check -f - <test/data/slice/base.xml", 1, "", "[X01]");
	expect(&session, "slice check /no/such/file", 2, "", "No such file");
	session_end(&session);
}

static void
a_failed_reservation_ends_with_its_own_exit_code(void)
{
	struct session session = session_start();
	const char *doomed = domain_path(session.arena, "doomed.xml");
	size_t size;
	auto_free char *text = test_read("test/data/slice/base.xml", &size);
	FILE *file = fopen(doomed, "we");

	assert_true(file != NULL);
	for (char *at = text, *mark; *at; at = mark) { /* each "base" becomes "doomed" */
		mark = strstr(at, "\"base\"");
		mark = mark ? mark : text + size;
		fprintf(file, "%.*s%s", (int)(mark - at), at, *mark ? "\"doomed\"" : "");
		mark += *mark ? strlen("\"base\"") : 0;
	}
	fclose(file);
	expect(&session, arena_format(session.arena, "slice create %s --wait", doomed), 6, "doomed",
	    "no path from 'koganei' to 'osaka' within 1 ms [R03]\n  try: allow more latency");
	expect(&session, "slice show doomed", 0, "within 1 ms [R03]\ntry: allow", "");
	session_end(&session);
}

static void
every_list_has_a_table_and_json(void)
{
	static const struct {
		const char *words, *table, *json;
		int code;
	} cases[] = {
	    {"node list", "ring/n1  container", "{\"nodes\": [{\"slice\": \"ring\"", 0},
	    {"link list", "ring/l1   n1.p1", "\"rate_ab_bps\": 100000000", 0},
	    {"link list", "ring/lan  n1.p1  … 3 ends", "\"end\": \"n3.p1\"", 0},
	    {"link show ring/l1", "dropped: queue full            8", "\"queue_drops\": 8", 0},
	    {"link top --once", "ring/l2  n2.p2  n3.p1  20 Mbps   3 kbps", "\"tx_fps\": 2", 0},
	    {"link set ring/l1 --max 150Mbps", "ceiling down     150 Mbps, was 100 Mbps",
		"\"real\": true", 0},
	    {"link delays", "hello-ring/l1", "\"clock_error_ns\": 4000", 0},
	    {"host list", "koganei  vnode", "\"accel\": \"tcg\"", 0},
	    {"slice list", "NAME", "{\"slices\": []}", 0},
	    {"event list", "", "{\"events\": []}", 0},
	    {"doctor", "koganei  kvm", "\"facts\": [", 0},
	};
	struct session session = session_start();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect(&session, cases[i].words, cases[i].code, cases[i].table, "");
		expect(&session, arena_format(session.arena, "%s --json", cases[i].words),
		    cases[i].code, cases[i].json, "");
	}
	session_end(&session);
}

static void
a_host_is_drained_for_a_time_and_says_so(void)
{
	struct session session = session_start();

	expect(&session, "host drain --context noc koganei --plan", 0,
	    "slices with parts there, which stay: 1\nSLICE", "");
	expect(&session, "host drain --context noc koganei --until +2h --reason 'new switch'", 0,
	    "ring   alice  0000000000001", "");
	expect(&session,
	    "host drain --context noc koganei --until +2h --reason 'new switch' --json", 0,
	    "\"owner\": \"alice\"", "");
	expect(&session, "host drain --context noc koganei --until soon", 2, "", "until");
	expect(&session, "host drain --context noc osaka", 3, "", "is no host");
	expect(&session, "host drain --context noc", 2, "", "HOST");
	expect(&session, "host list", 0, "until further notice: new switch", "");
	expect(
	    &session, "host show koganei", 0, "maintenance  until further notice: new switch", "");
	expect(&session, "host show koganei --json", 0, "\"maintenance\": \"until further", "");
	expect(&session, "host show osaka", 3, "", "there is no host 'osaka'");
	expect(&session, "host undrain --context noc koganei", 0, "", "");
	expect(&session, "host undrain --context noc osaka", 3, "", "is no host");
	session_end(&session);
}

static void
a_host_is_given_up_when_it_is_confirmed(void)
{
	struct session session = session_start();

	expect(&session, "host evict --context noc koganei --plan", 0,
	    "ring   alice  0000000000001", "");
	expect(
	    &session, "host evict --context noc koganei", 2, "", "parts of 1 slices, wants --yes");
	expect(&session, "host evict --context noc koganei --yes", 0, "ring   alice", "");
	expect(&session, "host evict --context noc koganei --yes --json", 0, "\"owner\": \"alice\"",
	    "");
	expect(&session, "host evict --context noc osaka --yes", 5, "", "is not gone");
	expect(&session, "host evict --context noc", 2, "", "HOST");
	expect(&session, "host readmit --context noc koganei", 0, "", "");
	expect(&session, "host readmit --context noc osaka", 5, "", "not released 2 rows");
	expect(&session, "host retry --context noc koganei", 0, "2 tried again", "");
	expect(&session, "host retry --context noc koganei --json", 0, "\"n\": 2", "");
	expect(&session, "host retry --context noc osaka", 3, "", "no such host");
	session_end(&session);
}

static void
an_older_database_is_shown_and_confirmed(void)
{
	struct session session = session_start();

	expect(&session, "restore show --context noc", 5, "it knows more", "");
	expect(&session, "restore show --context noc", 5, "redirector@koganei  0000000000001", "");
	expect(&session, "restore confirm --context noc", 2, "", "--yes");
	expect(&session, "restore confirm --context noc --yes --json", 0, "\"unknown\": [", "");
	session_end(&session);
}

static void
the_busiest_link_comes_first(void)
{
	struct session session = session_start();
	struct said said = vnode(&session, "link top --once");
	const char *busy = strstr(said.out, "ring/l2"), *idle = strstr(said.out, "ring/l1");

	CU_ASSERT_TRUE(busy && idle && busy < idle);
	session_end(&session);
}

static void
what_is_to_change_of_a_link_is_read_with_its_units(void)
{
	static const struct {
		const char *words;
		int code;
		const char *out, *err;
	} cases[] = {
	    {"--rate 50Mbps", 0, "guaranteed up    50 Mbps, was 100 Mbps", ""},
	    {"--rate 50Mbps", 0, "guaranteed down  50 Mbps, was 100 Mbps", ""},
	    {"--rate 50Mbps --rate-up 20Mbps", 0, "guaranteed up    20 Mbps", ""},
	    {"--rate-down 20Mbps", 0, "guaranteed down  20 Mbps", ""},
	    {"--isolation policing --priority 5", 0, "isolation        policing, was shaping", ""},
	    {"--burst 64KiB", 0, "burst            65536, was 0", ""},
	    {"--rate 200Mbps", 6, "", "[R02]"},
	    {"--rate 50", 2, "", "--rate"},
	    {"--priority 8", 2, "", "0 to 7"},
	    {"", 2, "", "nothing is to be changed"},
	    {"--rate 50Mbps --timeout 0ms", 7, "guaranteed up", "not made it real yet"},
	};
	struct session session = session_start();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(&session, arena_format(session.arena, "link set ring/l1 %s", cases[i].words),
		    cases[i].code, cases[i].out, cases[i].err);
	session_end(&session);
}

static void
a_capture_is_one_stream_to_file_or_stdout(void)
{
	struct session session = session_start();
	const char *file = domain_path(session.arena, "x.pcapng");

	expect(
	    &session, "link capture ring/l1", 0, "Axyz", "3 frames, 0 of them dropped; its time");
	expect(&session, "link capture ring/l1 --end all --for 5s", 0, "ABxxyyzz", "n2.p1: 3");
	expect(&session, arena_format(session.arena, "link capture ring/l1 -o %s", file), 0, "",
	    "capturing ring/l1 at n1.p1 on koganei");
	CU_ASSERT_STRING_EQUAL(read_text(&session, "x.pcapng"), "Axyz");
	expect(&session, "link capture ring/l1 --filter imcp", 1, "", "no word of a filter");
	expect(&session, "link capture ring/l1 --count none", 2, "", "--count 'none'");
	expect(&session, "link capture ring/l1 -o /nowhere/x", 2, "", "cannot be written");
	session_end(&session);
}

static void
consoles_and_commands_answer_what_was_typed(void)
{
	struct session session = session_start();

	expect(&session, "node console ring/n1 --read", 0, "old line\n", "");
	expect(&session, "node console ring/n1 --send hello --expect 'echo: hello'", 0, "echo", "");
	CU_ASSERT_STRING_EQUAL(fake_snc_typed(session.snc), "hello\n");
	CU_ASSERT_PTR_NULL(strstr(vnode(&session, "node console ring/n1 --send x").out, "old"));
	expect(&session, "node console ring/n1 --send a --expect b --timeout 1ms", 7, "",
	    "did not come");
	expect(&session, "node exec ring/n1 -- ls '-l b' c", 3, "[ls][-l b][c]", "");
	expect(&session, "node exec ring/n1 --json -- ls", 1, "\"exit\": 1", "");
	expect(&session, "node exec ring -- ls", 2, "", "SLICE/NAME was expected");
	session_end(&session);
}

static void
refusals_of_the_other_side_are_told_apart(void)
{
	struct session session = session_start();

	expect(&session, "orphans", 4, "", "error: ");
	expect(&session, "slice run nothing", 3, "", "there is no slice 'nothing'");
	expect(&session, "slice run nothing --json", 3, "", "\"status\": 404");
	expect(&session, "path list", 2, "", "with tnc, ca");
	expect(&session, "slice list ring", 2, "", "takes no name, but there is 'ring'");
	expect(&session, "node list ring", 2, "", "--slice ring");
	expect(&session, "slice create ring.xml --timeout 5", 2, "", "'5': a number with ms, s");
	expect(&session, "node exec ring -- true", 2, "", "vnode node list");
	expect(&session, "slice list --context other", 2, "", "[context other]");
	fake_snc_free(session.snc);
	session.snc = NULL;
	expect(&session, "slice list", 8, "", "error: ");
	expect(&session, "doctor", 5, "BAD", "");
	session_end(&session);
}

static void
times_are_read_and_told_with_their_zone(void)
{
	struct session session = session_start();
	const char *find =
	    "slice find-slot test/data/slice/base.xml --after 2026-11-22T17:00+09:00";

	expect(&session, arena_format(session.arena, "%s --duration 2h30m", find), 0,
	    "--from 2026-11-22T08:00:00Z --until 2026-11-22T10:30:00Z\nn1 -> koganei\n", "");
	expect(&session, arena_format(session.arena, "%s --duration 1d", find), 6, "",
	    "no start before 2026-11-22T08:00:00Z fits");
	expect(&session, arena_format(session.arena, "%s --duration 2", find), 2, "",
	    "--duration: '2' is no length of time");
	expect(&session, arena_format(session.arena, "%s --before 2027-02-29T00:00Z", find), 2, "",
	    "that month of 2027 has 28 days");
	expect(&session, "slice create test/data/slice/base.xml --from 08:00", 2, "",
	    "--from: '08:00' is no date and time");
	expect(&session, "slice create test/data/slice/base.xml --until +2h --wait", 0, "base\n",
	    "RUNNING");
	expect(&session, "slice renew base --until 2030-01-01T00:00Z", 0,
	    "until 2030-01-01T00:00:00Z, then 10m of grace\n", "");
	expect(&session, "slice renew base", 0, "no end\n", "");
	expect(&session, "slice renew none", 3, "", "there is no slice 'none'");
	session_end(&session);
}

static void
a_project_is_told_with_its_units(void)
{
	struct session session = session_start();

	expect(&session, "project list", 0, "relay  owner  2        1       of all\n", "");
	expect(&session, "project show relay", 0, "alice  owner\nbob    viewer\n", "");
	expect(&session, "project show relay", 0, "memory      project  256 GiB (site)", "");
	expect(&session, "quota show", 0, "cpu         project  64              12", "");
	expect(&session, "quota show", 0, "rate        you      none            2 Gbps", "");
	expect(&session, "quota show", 0, "500 Gbps x h    2.5 Gbps x h", "");
	expect(&session, "quota show relay --json", 0, "\"limit\": 64", "");
	expect(&session, "quota show none", 3, "", "there is no project 'none'");
	expect(&session, "project create --context noc relay", 5, "", "already");
	expect(
	    &session, "project create --context noc mesh --user bob --note 'of meshes'", 0, "", "");
	expect(&session, "project add relay bob member", 0, "", "");
	expect(&session, "project add relay bob", 2, "", "wants PROJECT USER ROLE");
	expect(&session, "project add relay bob king", 1, "", "no role in a project");
	expect(&session, "project remove relay bob", 0, "", "");
	expect(&session,
	    "quota set --context noc relay --cpu 64 --memory 2GiB --rate 10Gbps --since "
	    "1970-01-01T00:00:01Z",
	    9, "", "relay project cpu=64 memory=2147483648 rate=10000000000 since 1000");
	expect(&session, "quota set --context noc --site --each --slices none --rate-hours site", 9,
	    "", "site each slices=-1 rate-hours=-2 since 0");
	expect(&session, "quota set relay --rate 10", 2, "", "--rate: ");
	expect(&session, "quota set relay", 2, "", "no quota is given");
	expect(&session, "quota set --cpu 1", 2, "", "wants one PROJECT, or --site");
	expect(&session, "usage --from -1", 2, "", "--from");
	expect(&session, "usage --user alice", 0,
	    "relay    alice  3       2.00     7.50   3.00   1.25", "");
	session_end(&session);
}

static void
an_audit_trail_is_tested_by_who_reads_it(void)
{
	struct session session = session_start();
	struct said said;
	char head[80];

	expect(&session, "audit list --context noc", 0,
	    "developer@bob    slice_create  star    A03     goal=RUNNING", "");
	said = vnode(&session, "audit list --context noc --user alice");
	assert_true(strstr(said.out, "ring") && !strstr(said.out, "star"));
	said = vnode(&session, "audit list --context noc --slice star");
	assert_true(strstr(said.out, "star") && !strstr(said.out, "ring"));
	said = vnode(&session, "audit verify --context noc");
	assert_equal(0, said.code);
	assert_equal(1, sscanf(said.out, "2 records, unbroken\nhead %79s", head));
	expect(&session, arena_format(session.arena, "audit verify --context noc --head %s", head),
	    0, "2 records", "");
	expect(&session,
	    arena_format(session.arena, "audit verify --context noc --head 3%s", head + 1), 5, "",
	    "it ends with record 2, and 3 was kept");
	expect(&session,
	    arena_format(session.arena, "audit verify --context noc --head 1%s", head + 1), 5, "",
	    "record 1 has another hash than was kept");
	expect(&session, "audit verify --context noc --head 1", 2, "", "SEQ:HASH was expected");
	expect(&session, "project delete --context noc relay", 0, "", "");
	expect(&session, "audit verify --context noc", 5, "",
	    "record 2, or one before it, was changed");
	session_end(&session);
}

static const struct test tests[] = {
    TEST(a_slice_goes_through_its_life),
    TEST(a_modify_is_shown_before_it_is_done),
    TEST(moves_are_shown_before_they_are_made),
    TEST(times_are_read_and_told_with_their_zone),
    TEST(a_refused_document_is_explained_fault_by_fault),
    TEST(a_failed_reservation_ends_with_its_own_exit_code),
    TEST(every_list_has_a_table_and_json),
    TEST(a_host_is_drained_for_a_time_and_says_so),
    TEST(a_host_is_given_up_when_it_is_confirmed),
    TEST(an_older_database_is_shown_and_confirmed),
    TEST(the_busiest_link_comes_first),
    TEST(what_is_to_change_of_a_link_is_read_with_its_units),
    TEST(a_capture_is_one_stream_to_file_or_stdout),
    TEST(consoles_and_commands_answer_what_was_typed),
    TEST(refusals_of_the_other_side_are_told_apart),
    TEST(a_project_is_told_with_its_units),
    TEST(an_audit_trail_is_tested_by_who_reads_it),
};

suite_main("cli", tests)
