/*
 * SHA-256 (OpenSSL), as text.
 */
#pragma once

#include <stddef.h>

struct digest_text {
	char text[65]; /* 64 hexadecimal digits */
};

struct digest_part {
	const void *bytes;
	size_t size;
};

/* Of all parts one after another, each preceded by its length: what belongs where is part of it. */
struct digest_text digest_parts(const struct digest_part *parts, size_t n_parts);
