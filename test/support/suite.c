/*
 * Running a table of tests, own folders, golden files.
 */
#include "test/support/suite.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "test/support/crash.h"

static char own_dir[64];
static pid_t dir_owner;

static void remove_own_dir(void);
static bool write_file(const char *path, const char *text);

int
suite_run(const char *name, const struct test *tests, size_t n_tests, int argc, char **argv)
{
	CU_pSuite suite;
	unsigned failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	suite = CU_add_suite(name, NULL, NULL);
	for (size_t i = 0; i < n_tests; i++)
		if (argc < 2 || strcmp(argv[1], tests[i].name) == 0)
			CU_add_test(suite, tests[i].name, tests[i].run);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_tests_failed();
	if (!CU_get_number_of_tests_run())
		failed = 1;
	CU_cleanup_registry();
	return failed ? 1 : 0;
}

void
suite_pass(unsigned line, const char *what, const char *file)
{
	CU_assertImplementation(CU_TRUE, line, what, file, "", CU_TRUE);
}

void
suite_fail(unsigned line, const char *what, const char *file)
{
	CU_assertImplementation(CU_FALSE, line, what, file, "", CU_TRUE);
	abort();
}

const char *
test_dir(void)
{
	if (!own_dir[0]) {
		snprintf(own_dir, sizeof(own_dir), "/tmp/vnode-test-XXXXXX");
		if (!mkdtemp(own_dir))
			abort();
		dir_owner = getpid();
		atexit(remove_own_dir);
	}
	return own_dir;
}

void
test_dir_of_child(void)
{
	size_t len = strlen(own_dir);

	snprintf(own_dir + len, sizeof(own_dir) - len, "/%d", (int)getpid());
	if (mkdir(own_dir, 0700) != 0)
		abort();
}

void
test_golden(const char *file, const char *text)
{
	auto_str struct str path = {0};
	auto_free char *wanted = NULL;
	size_t size;

	str_addf(&path, "test/golden/%s", file);
	if (getenv("UPDATE_GOLDEN")) {
		CU_ASSERT_TRUE(write_file(path.text, text));
		return;
	}
	wanted = test_read(path.text, &size);
	if (strcmp(wanted, text) != 0)
		printf("\n--- %s differs; this is what came:\n%s---\n", path.text, text);
	CU_ASSERT_STRING_EQUAL(wanted, text);
}

char *
test_read(const char *path, size_t *size)
{
	FILE *file = fopen(path, "re");
	auto_str struct str text = {0};
	char chunk[4096];
	size_t got;

	CU_ASSERT_PTR_NOT_NULL(file);
	if (!file)
		printf("\ncannot read %s\n", path);
	while (file && (got = fread(chunk, 1, sizeof(chunk), file)) > 0)
		str_add_bytes(&text, chunk, got);
	if (file)
		fclose(file);
	*size = text.len;
	return str_take(&text);
}

static bool
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return false;
	fputs(text, file);
	return fclose(file) == 0;
}

static void
remove_own_dir(void)
{
	if (getpid() == dir_owner)
		test_remove(own_dir);
}
