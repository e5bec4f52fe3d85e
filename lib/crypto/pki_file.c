/*
 * Reading, showing and writing of PEM files.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crypto/pki.h"
#include "lib/crypto/pki_openssl.h"

static FILE *open_file(const char *file, struct err *err);
static int open_new(char *path, const struct pki_file *file, struct err *err);
static bool write_pem(int fd, X509 *certificate, EVP_PKEY *key);
static void show_names(const X509 *certificate, struct str *out);
static void show_name(const GENERAL_NAME *name, struct str *out);
static void show_name_of(const char *key, const X509_NAME *name, struct str *out);
static void show_time(const char *key, const ASN1_TIME *time, struct str *out);

X509 *
pki_read_certificate(const char *file, struct err *err)
{
	FILE *stream = open_file(file, err);
	X509 *certificate;

	if (!stream)
		return NULL;
	certificate = PEM_read_X509(stream, NULL, NULL, NULL);
	fclose(stream);
	if (!certificate)
		err_set(err, ERR_BAD_VALUE, "'%s' has no certificate", file);
	return certificate;
}

EVP_PKEY *
pki_read_key(const char *file, struct err *err)
{
	FILE *stream = open_file(file, err);
	EVP_PKEY *key;

	if (!stream)
		return NULL;
	key = PEM_read_PrivateKey(stream, NULL, NULL, NULL);
	fclose(stream);
	if (!key)
		err_set(err, ERR_BAD_VALUE, "'%s' has no key", file);
	return key;
}

static FILE *
open_file(const char *file, struct err *err)
{
	FILE *stream = fopen(file, "re");

	if (!stream)
		err_set(err, ERR_NOT_FOUND, "'%s' cannot be read: %s", file, strerror(errno));
	return stream;
}

bool
pki_write(const struct pki_file *file, X509 *certificate, EVP_PKEY *key, struct err *err)
{
	char path[PATH_MAX], place[PATH_MAX];
	int fd = open_new(path, file, err);

	if (fd < 0)
		return false;
	snprintf(place, sizeof(place), "%s%s", file->prefix, file->suffix);
	if (!write_pem(fd, certificate, key) || fsync(fd) < 0) {
		close(fd);
		unlink(path);
		return pki_openssl_err(err, "write PEM");
	}
	close(fd);
	if (rename(path, place) == 0)
		return true;
	err_set(err, ERR_UNAVAILABLE, "'%s' cannot be written: %s", place, strerror(errno));
	unlink(path);
	return false;
}

static int
open_new(char *path, const struct pki_file *file, struct err *err)
{
	int fd;

	if (snprintf(path, PATH_MAX, "%s%s.XXXXXX", file->prefix, file->suffix) >= PATH_MAX) {
		err_set(err, ERR_BAD_VALUE, "too long a path");
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		err_set(err, ERR_UNAVAILABLE, "'%s' cannot be written: %s", path, strerror(errno));
	else
		fchmod(fd, file->mode);
	return fd;
}

static bool
write_pem(int fd, X509 *certificate, EVP_PKEY *key)
{
	BIO *bio = BIO_new_fd(fd, BIO_NOCLOSE);
	bool is_good = bio != NULL;

	if (is_good && certificate)
		is_good = PEM_write_bio_X509(bio, certificate);
	if (is_good && key)
		is_good = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	BIO_free(bio);
	return is_good;
}

bool
pki_show(const char *file, struct str *out, struct err *err)
{
	auto_x509 X509 *certificate = pki_read_certificate(file, err);
	uint32_t usage;

	if (!certificate)
		return false;
	show_name_of("subject", X509_get_subject_name(certificate), out);
	show_name_of("issuer", X509_get_issuer_name(certificate), out);
	show_names(certificate, out);
	usage = X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE
		    ? X509_get_extended_key_usage(certificate)
		    : 0;
	str_addf(out, "usage=%s%s%s\n", usage & XKU_SSL_SERVER ? "serverAuth" : "",
	    usage & XKU_SSL_SERVER && usage & XKU_SSL_CLIENT ? "," : "",
	    usage & XKU_SSL_CLIENT ? "clientAuth" : "");
	show_time("from", X509_get0_notBefore(certificate), out);
	show_time("until", X509_get0_notAfter(certificate), out);
	return true;
}

static void
show_names(const X509 *certificate, struct str *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		show_name(sk_GENERAL_NAME_value(names, i), out);
	GENERAL_NAMES_free(names);
}

static void
show_name(const GENERAL_NAME *name, struct str *out)
{
	static const char prefix[] = "urn:vnode:role:";
	char address[INET6_ADDRSTRLEN];
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const char *bytes = (const char *)ASN1_STRING_get0_data(value);
	int size = ASN1_STRING_length(value), skip = (int)sizeof(prefix) - 1;
	const char *colon;

	if (type == GEN_DNS) {
		str_addf(out, "dns=%.*s\n", size, bytes);
	} else if (type == GEN_IPADD) {
		inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, address, sizeof(address));
		str_addf(out, "ip=%s\n", address);
	} else if (type == GEN_URI && size > skip && !memcmp(bytes, prefix, (size_t)skip) &&
		   (colon = memchr(bytes + skip, ':', (size_t)(size - skip)))) {
		str_addf(out, "role=%.*s\n", (int)(colon - bytes) - skip, bytes + skip);
		str_addf(out, "name=%.*s\n", size - (int)(colon + 1 - bytes), colon + 1);
	}
}

static void
show_name_of(const char *key, const X509_NAME *name, struct str *out)
{
	char text[256] = "";

	X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text));
	str_addf(out, "%s=%s\n", key, text);
}

static void
show_time(const char *key, const ASN1_TIME *time, struct str *out)
{
	struct tm tm = {0};
	char text[32];

	if (ASN1_TIME_to_tm(time, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		str_addf(out, "%s=%s\n", key, text);
}

bool
pki_openssl_err(struct err *err, const char *attempt)
{
	char reason[256];

	ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
	ERR_clear_error();
	return err_set(err, ERR_INTERNAL, "%s: %s", attempt, reason);
}
