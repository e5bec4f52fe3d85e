/*
 * Stories that are told in a process of their own, which may be made to die at a fault point.
 */
#pragma once

/*
 * Runs body in a child, which is killed at `crash` ("POINT:PASSAGE", NULL = nowhere). Returns its
 * wait status; of a body that returns, instead of ending the process, that of exit code 3.
 */
int test_die_at(const char *crash, void (*body)(void));

/* A folder with all that is in it; absent is fine. */
void test_remove(const char *path);
