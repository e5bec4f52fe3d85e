/*
 * What pki.c and pki_file.c share: OpenSSL's objects as locals with cleanup, files, errors.
 */
#pragma once

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/base/err.h"

static inline void
pki_x509_cleanup(X509 **certificate)
{
	X509_free(*certificate);
}

static inline void
pki_key_cleanup(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static inline void
pki_bignum_cleanup(BIGNUM **number)
{
	BN_free(*number);
}

#define auto_x509 __attribute__((cleanup(pki_x509_cleanup)))
#define auto_key __attribute__((cleanup(pki_key_cleanup)))
#define auto_bignum __attribute__((cleanup(pki_bignum_cleanup)))

/* From PEM files; owned by the caller. NULL: ERR_NOT_FOUND, ERR_BAD_VALUE. */
X509 *pki_read_certificate(const char *file, struct err *err);
EVP_PKEY *pki_read_key(const char *file, struct err *err);

/* Writes the one that is not NULL to PREFIX SUFFIX by way of a new file: atomic, durable. */
struct pki_file {
	const char *prefix;
	const char *suffix;
	unsigned mode;
};

bool pki_write(
    const struct pki_file *file, X509 *certificate, EVP_PKEY *key, struct err *err) must_check;

/* ERR_INTERNAL with what OpenSSL says; false. */
bool pki_openssl_err(struct err *err, const char *attempt);
