/*
 * Fault points: named places where a test may end the process as SIGKILL does. Compiled in by the
 * preset `dev` and its kin (VNODE_FAULTS), asleep without the environment variable
 *     VNODE_CRASH=NAME:N     die at the N-th passage of point NAME
 * Names are `module.step.before` or `.after`; test/fault lists them from the sources.
 */
#pragma once

#if VNODE_FAULTS
#define FAULT_POINT(name) fault_point(name)
void fault_point(const char *name);
#else
#define FAULT_POINT(name) ((void)0)
#endif
