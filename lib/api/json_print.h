/*
 * Structs of the services as JSON text, by their tables: what `vnode --json` prints and the REST
 * body is.
 */
#pragma once

#include "lib/base/str.h"
#include "lib/rpc/rpc.h"

/* Appends {"member": value, …}. An absent optional is left out; a blob is a text: what is no UTF-8
 * in it becomes U+FFFD. */
void json_print_struct(const struct rpc_struct *type, const void *from, struct str *out);

/* The result of a method of the service. The method must exist. */
void json_print_result(
    const struct rpc_service *service, const char *method, const void *result, struct str *out);

/* Appends the error as a problem (RFC 9457): title, status, detail, code, and one diagnosis. No
 * line end. */
void json_print_err(const struct err *err, struct str *out);
