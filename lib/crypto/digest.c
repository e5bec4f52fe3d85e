#include "lib/crypto/digest.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct digest_text
digest_parts(const struct digest_part *parts, size_t n_parts)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct digest_text out;
	int is_good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL);

	for (size_t i = 0; i < n_parts && is_good; i++) {
		uint64_t size = parts[i].size;

		is_good = EVP_DigestUpdate(context, &size, sizeof(size)) &&
			  EVP_DigestUpdate(context, parts[i].bytes, parts[i].size);
	}
	if (!is_good || !EVP_DigestFinal_ex(context, digest, NULL))
		abort(); /* SHA-256 is always there; what fails is memory */
	EVP_MD_CTX_free(context);
	for (size_t i = 0; i < 32; i++)
		snprintf(out.text + 2 * i, 3, "%02x", digest[i]);
	return out;
}
