/*
 * Admission by choice, `--admission many`: under load, requests that take much for long are refused
 * so that more of the others find a place. CPU and rates have a price each, the square of their
 * load over the whole substrate. A request is refused when that of its answer over its life is
 * more than 1.5 times what the mean request so far asks for: on a full substrate whatever takes
 * 1.5 times as much as the mean, at half load six times as much, on an empty one nothing.
 */
#pragma once

#include "snc/embed_core.h"

struct admission { /* of all requests so far, taken or not */
	double asked;
	size_t n_asked;
};

/* To be asked once for each request, with whether it has a place; before that is taken. */
bool admission_takes(struct admission *admission, const struct core_net *net,
    const struct core_request *request, const struct core_answer *answer, double life) must_check;
