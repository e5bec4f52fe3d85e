/*
 * lib/crypto/pki: what stands in certificates, and what is refused. That they are accepted or not
 * by the other side of a connection is test_http's.
 */
#include <string.h>
#include <sys/stat.h>

#include "lib/base/arena.h"
#include "lib/crypto/pki.h"
#include "test/support/suite.h"

static const char *
path(struct arena *arena, const char *name)
{
	return arena_format(arena, "%s/%s", test_dir(), name);
}

static void
make_ca(struct arena *arena)
{
	struct err err = {0};
	bool is_made = pki_init(path(arena, "ca"), &err);

	assert_true(is_made || err.code == ERR_CONFLICT);
}

static unsigned
mode_of(const char *file)
{
	struct stat stat_of = {0};

	CU_ASSERT_EQUAL_FATAL(stat(file, &stat_of), 0);
	return stat_of.st_mode & 0777;
}

static void
a_second_ca_in_the_same_place_is_refused(void)
{
	auto_arena struct arena *arena = arena_new();
	struct err err = {0};

	make_ca(arena);
	assert_true(!pki_init(path(arena, "ca"), &err));
	assert_equal(err.code, ERR_CONFLICT);
	assert_equal(mode_of(path(arena, "ca/ca.key")), 0600);
	assert_equal(mode_of(path(arena, "ca/ca.crt")), 0644);
}

static void
a_ca_that_cannot_be_written_says_so(void)
{
	struct err err = {0};

	assert_true(!pki_init("/proc/nowhere", &err));
	assert_equal(err.code, ERR_UNAVAILABLE);
}

static void
a_daemon_gets_names_and_both_usages(void)
{
	static const char *const ips[] = {"10.63.0.11", "fd00::1"}, *const dns[] = {
									"koganei.example"};
	struct pki_leaf leaf = {.role = "redirector",
	    .name = "koganei",
	    .ips = ips,
	    .n_ips = 2,
	    .dns = dns,
	    .n_dns = 1};
	auto_arena struct arena *arena = arena_new();
	auto_str struct str text = {0};
	struct err err = {0};

	make_ca(arena);
	assert_true(pki_issue(path(arena, "ca"), &leaf, path(arena, "redirectord"), &err));
	assert_true(pki_show(path(arena, "redirectord.crt"), &text, &err));

	assert_true(
	    strstr(text.text,
		"role=redirector\nname=koganei\ndns=redirector.koganei.vnode\ndns=koganei.example\n"
		"ip=10.63.0.11\nip=fd00::1\nusage=serverAuth,clientAuth\n") != NULL);
	assert_equal(mode_of(path(arena, "redirectord.key")), 0600);
}

static void
a_user_gets_client_authentication_alone(void)
{
	struct pki_leaf leaf = {.role = "developer", .name = "dev1"};
	auto_arena struct arena *arena = arena_new();
	auto_str struct str text = {0};
	struct err err = {0};

	make_ca(arena);
	assert_true(pki_issue(path(arena, "ca"), &leaf, path(arena, "dev1"), &err));
	assert_true(pki_show(path(arena, "dev1.crt"), &text, &err));

	assert_true(strstr(text.text, "role=developer\nname=dev1\nusage=clientAuth\n") != NULL);
}

static void
an_issued_pair_is_replaced_whole(void)
{
	struct pki_leaf leaf = {.role = "developer", .name = "dev2"};
	auto_arena struct arena *arena = arena_new();
	auto_free char *first = NULL, *second = NULL;
	struct err err = {0};
	size_t size;

	make_ca(arena);
	assert_true(pki_issue(path(arena, "ca"), &leaf, path(arena, "dev2"), &err));
	first = test_read(path(arena, "dev2.key"), &size);
	assert_true(pki_issue(path(arena, "ca"), &leaf, path(arena, "dev2"), &err));
	second = test_read(path(arena, "dev2.key"), &size);

	assert_true(strcmp(first, second) != 0);
	assert_equal(mode_of(path(arena, "dev2.key")), 0600);
}

static void
what_could_be_taken_for_more_than_a_name_is_refused(void)
{
	static const char *const ip = "1.2.3.4,DNS:evil", *const dns =
							      "a,URI:urn:vnode:role:admin:x";

	static const struct {
		struct pki_leaf leaf;
		enum err_code code;
	} bad[] = {
	    {{.role = "king", .name = "a"}, ERR_BAD_VALUE},
	    {{.role = "", .name = "a"}, ERR_BAD_VALUE},
	    {{.role = "snc tnc", .name = "a"}, ERR_BAD_VALUE},
	    {{.role = "snc", .name = ""}, ERR_BAD_NAME},
	    {{.role = "snc", .name = "A"}, ERR_BAD_NAME},
	    {{.role = "snc", .name = "1a"}, ERR_BAD_NAME},
	    {{.role = "snc", .name = "a,DNS:b"}, ERR_BAD_NAME},
	    {{.role = "snc", .name = "a:b"}, ERR_BAD_NAME},
	    {{.role = "snc", .name = "../a"}, ERR_BAD_NAME},
	    {{.role = "snc", .name = "abcdefghijklmnopqrstuvwxyz0123456"}, ERR_BAD_NAME},
	    {{.role = "snc", .name = "a", .ips = &ip, .n_ips = 1}, ERR_BAD_VALUE},
	    {{.role = "snc", .name = "a", .dns = &dns, .n_dns = 1}, ERR_BAD_NAME},
	};
	auto_arena struct arena *arena = arena_new();

	make_ca(arena);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};

		assert_true(!pki_issue(path(arena, "ca"), &bad[i].leaf, path(arena, "bad"), &err));
		assert_equal(err.code, bad[i].code);
	}
}

static void
roles_are_of_daemons_or_of_users(void)
{
	assert_true(pki_is_daemon_role("snc") && pki_is_daemon_role("sep"));
	assert_true(!pki_is_daemon_role("developer") && !pki_is_daemon_role("") &&
		    !pki_is_daemon_role("sn"));
	assert_true(pki_is_user_role("viewer") && pki_is_user_role("peer"));
	assert_true(!pki_is_user_role("snc") && !pki_is_user_role("noc admin"));
}

static void
files_that_are_no_certificates_are_refused(void)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str text = {0};
	struct err err = {0};

	make_ca(arena);
	assert_true(!pki_show(path(arena, "ca/ca.key"), &text, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	assert_true(!pki_show(path(arena, "nothing"), &text, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
}

static const struct test tests[] = {
    TEST(a_second_ca_in_the_same_place_is_refused),
    TEST(a_ca_that_cannot_be_written_says_so),
    TEST(a_daemon_gets_names_and_both_usages),
    TEST(a_user_gets_client_authentication_alone),
    TEST(an_issued_pair_is_replaced_whole),
    TEST(what_could_be_taken_for_more_than_a_name_is_refused),
    TEST(roles_are_of_daemons_or_of_users),
    TEST(files_that_are_no_certificates_are_refused),
};

suite_main("pki", tests)
