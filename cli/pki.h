/*
 * vnode pki: the private CA of a domain and its certificates. Needs no daemon.
 */
#pragma once

/* The words behind `vnode pki`; returns the exit code. */
int cli_pki(int argc, char **argv);
