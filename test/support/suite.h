/*
 * One CUnit program per module: a table of named tests, run under CUnit's basic interface. The
 * name of a test is a sentence. Exit code 1 when one failed.
 */
#pragma once

#include <CUnit/CUnit.h>
#include <string.h>

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(function)                                                                             \
	{                                                                                          \
#function, function                                                                \
	}

/* Runs the tests (the one named by argv[1] only, if given) and returns the exit code of main. */
int suite_run(const char *name, const struct test *tests, size_t n_tests, int argc, char **argv);

/* An own, empty folder for the test program, removed at exit. Borrowed. */
const char *test_dir(void);

/* In a child: from now on another one, by its pid, in that of the parent. See test_fork. */
void test_dir_of_child(void);

/*
 * Compare with test/golden/FILE; with UPDATE_GOLDEN=1 the file is rewritten. A difference fails the
 * test and is printed.
 */
void test_golden(const char *file, const char *text);

/* The whole file; owned by the caller (free). Fails the test and returns "" when it cannot be read.
 */
char *test_read(const char *path, size_t *size);

#define suite_main(name, tests)                                                                    \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return suite_run(name, tests, sizeof(tests) / sizeof((tests)[0]), argc, argv);     \
	}

/* Count one assertion of the running test; the second ends the test and never returns. */
void suite_pass(unsigned line, const char *what, const char *file);
_Noreturn void suite_fail(unsigned line, const char *what, const char *file);

/* An expression that tells compilers and analyzers what holds after it. */
#define assert_true(value)                                                                         \
	((value) ? suite_pass(__LINE__, #value, __FILE__) : suite_fail(__LINE__, #value, __FILE__))
#define assert_equal(a, b) assert_true((a) == (b))
#define assert_text(a, b) assert_true(strcmp(a, b) == 0)
