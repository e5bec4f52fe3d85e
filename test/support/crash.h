/*
 * Stories that are told in a process of their own, which may be made to die at a fault point.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * A child with a test_dir() of its own, which is killed when it has not ended after so many
 * seconds; and its end, which takes the folder away (-1 = of any child, whose pid is returned).
 */
pid_t test_fork(unsigned seconds);
pid_t test_wait(pid_t child, int *status);

/*
 * Runs body in a child, in the folder of the parent, which is killed at `crash` ("POINT:PASSAGE",
 * NULL = nowhere). Returns its wait status; of a body that returns, instead of ending the process,
 * that of exit code 3.
 */
int test_die_at(const char *crash, void (*body)(void));

/*
 * In such a child, where CUnit is not to be asked: says what is not so, and ends it with 1. The
 * other gives it a disk of its own ("4m"), at an empty folder, that nobody else sees; false: it
 * may not.
 */
void child_must(bool is_so, const char *what);
bool test_own_disk(const char *dir, const char *size);

/* A folder with all that is in it; absent is fine. */
void test_remove(const char *path);
