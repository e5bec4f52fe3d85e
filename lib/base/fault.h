/*
 * Fault points: named places where a test may end the process as SIGKILL does. Compiled in by the
 * preset `dev` and its kin (VNODE_FAULTS), asleep without the environment variable
 *     VNODE_CRASH=NAME:N     die at the N-th passage of point NAME
 *     VNODE_CRASH=NAME/TEXT  die at the first passage with something in which TEXT is
 * Names are `module.step.before` or `.after`; test/fault lists them from the sources.
 */
#pragma once

#if VNODE_FAULTS
#define FAULT_POINT(name) fault_point(name)
#define FAULT_POINT_WITH(name, what) fault_point_with(name, what)
void fault_point(const char *name);
void fault_point_with(const char *name, const char *what);
#else
#define FAULT_POINT(name) ((void)0)
#define FAULT_POINT_WITH(name, what) ((void)0)
#endif
