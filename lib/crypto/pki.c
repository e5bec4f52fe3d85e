/*
 * Keys and certificates of a domain's own CA. The CA key stays in its file; who may read it may
 * issue anything, so `vnode pki` runs where the operator sits, not on the daemons' hosts.
 */
#include "lib/crypto/pki.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crypto/pki_openssl.h"

enum { CA_DAYS = 3650, LEAF_DAYS = 90, SERIAL_BITS = 127 };

static bool make_certificate(
    X509 *certificate, EVP_PKEY *key, const char *common_name, int days, struct err *err);
static bool check_leaf(const struct pki_leaf *leaf, struct err *err);
static bool make_leaf(
    X509 *certificate, X509 *ca, EVP_PKEY *key, const struct pki_leaf *leaf, struct err *err);
static bool add_names(X509 *certificate, const struct pki_leaf *leaf, struct err *err);
static const char *usage_text(const struct pki_leaf *leaf);
static bool add_extension(
    X509 *certificate, X509 *issuer, int nid, const char *value, struct err *err);
static bool write_pair(const char *prefix, X509 *certificate, EVP_PKEY *key, struct err *err);

bool
pki_init(const char *dir, struct err *err)
{
	auto_x509 X509 *ca = X509_new();
	auto_key EVP_PKEY *key = EVP_EC_gen("P-384");
	char prefix[PATH_MAX - 8], file[PATH_MAX];

	snprintf(prefix, sizeof(prefix), "%s/ca", dir);
	snprintf(file, sizeof(file), "%s.crt", prefix);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_set(
		    err, ERR_UNAVAILABLE, "'%s' cannot be made: %s", dir, strerror(errno));
	if (access(file, F_OK) == 0)
		return err_set(err, ERR_CONFLICT, "there is a CA already: '%s'", file);
	if (!ca || !key)
		return pki_openssl_err(err, "make a CA");
	if (!make_certificate(ca, key, "vnode CA", CA_DAYS, err) ||
	    !add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0", err) ||
	    !add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign", err) ||
	    !add_extension(ca, ca, NID_subject_key_identifier, "hash", err))
		return false;
	if (!X509_set_issuer_name(ca, X509_get_subject_name(ca)) ||
	    X509_sign(ca, key, EVP_sha384()) <= 0)
		return pki_openssl_err(err, "sign a CA");
	return write_pair(prefix, ca, key, err);
}

bool
pki_issue(const char *dir, const struct pki_leaf *leaf, const char *prefix, struct err *err)
{
	auto_x509 X509 *ca = NULL, *certificate = X509_new();
	auto_key EVP_PKEY *ca_key = NULL, *key = EVP_EC_gen("P-256");
	char file[PATH_MAX];

	if (!check_leaf(leaf, err))
		return false;
	snprintf(file, sizeof(file), "%s/ca.crt", dir);
	if (!(ca = pki_read_certificate(file, err)))
		return false;
	snprintf(file, sizeof(file), "%s/ca.key", dir);
	if (!(ca_key = pki_read_key(file, err)))
		return false;
	if (!certificate || !key)
		return pki_openssl_err(err, "make a certificate");
	if (!make_leaf(certificate, ca, key, leaf, err))
		return false;
	if (X509_sign(certificate, ca_key, EVP_sha256()) <= 0)
		return pki_openssl_err(err, "sign a certificate");
	return write_pair(prefix, certificate, key, err);
}

static bool
is_word(const char *word, const char *words)
{
	size_t len = strlen(word);

	for (const char *at = words; len && *at; at += strcspn(at, " ")) {
		at += strspn(at, " ");
		if (strcspn(at, " ") == len && !memcmp(at, word, len))
			return true;
	}
	return false;
}

bool
pki_is_daemon_role(const char *role)
{
	return is_word(role, "snc tnc redirector programmer agw router portal sep");
}

bool
pki_is_user_role(const char *role)
{
	return is_word(role, "viewer developer vendor noc admin peer");
}

/* ---- certificates ---- */

static bool
make_certificate(
    X509 *certificate, EVP_PKEY *key, const char *common_name, int days, struct err *err)
{
	auto_bignum BIGNUM *serial = BN_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	long from = days < 0 ? 2L * days * 86400 : -300; /* clocks of hosts differ by minutes */

	if (!serial || !BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) ||
	    !BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) ||
	    !X509_set_version(certificate, X509_VERSION_3) ||
	    !X509_gmtime_adj(X509_getm_notBefore(certificate), from) ||
	    !X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, NULL) ||
	    !X509_NAME_add_entry_by_txt(
		name, "O", MBSTRING_ASC, (const unsigned char *)"vnode", -1, -1, 0) ||
	    !X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0) ||
	    !X509_set_pubkey(certificate, key))
		return pki_openssl_err(err, "make a certificate");
	return true;
}

static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > 32 || name[0] < 'a' || name[0] > 'z')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* What is asked for ends up in OpenSSL's extension language, where a comma separates: so it is
 * checked. */
static bool
check_leaf(const struct pki_leaf *leaf, struct err *err)
{
	struct in6_addr address;

	if (!pki_is_daemon_role(leaf->role) && !pki_is_user_role(leaf->role)) {
		err_set(err, ERR_BAD_VALUE, "there is no role '%s'", leaf->role);
		return err_hint(err,
		    "daemons: snc tnc redirector programmer agw router portal sep; users: "
		    "viewer developer vendor noc admin peer");
	}
	if (!is_name(leaf->name))
		return err_set(err, ERR_BAD_NAME,
		    "'%s' is no name (a letter, then up to 31 letters, digits or '-', lower case)",
		    leaf->name);
	for (size_t i = 0; i < leaf->n_ips; i++)
		if (inet_pton(AF_INET, leaf->ips[i], &address) != 1 &&
		    inet_pton(AF_INET6, leaf->ips[i], &address) != 1)
			return err_set(err, ERR_BAD_VALUE, "'%s' is no IP address", leaf->ips[i]);
	for (size_t i = 0; i < leaf->n_dns; i++)
		if (!leaf->dns[i][0] || strlen(leaf->dns[i]) > 253 ||
		    strspn(leaf->dns[i], "abcdefghijklmnopqrstuvwxyz0123456789-.") !=
			strlen(leaf->dns[i]))
			return err_set(err, ERR_BAD_NAME, "'%s' is no DNS name", leaf->dns[i]);
	return true;
}

static bool
make_leaf(X509 *certificate, X509 *ca, EVP_PKEY *key, const struct pki_leaf *leaf, struct err *err)
{
	char common_name[80];

	snprintf(common_name, sizeof(common_name), "%s@%s", leaf->role, leaf->name);
	if (!make_certificate(
		certificate, key, common_name, leaf->days ? leaf->days : LEAF_DAYS, err))
		return false;
	if (!X509_set_issuer_name(certificate, X509_get_subject_name(ca)))
		return pki_openssl_err(err, "make a certificate");
	return add_extension(certificate, ca, NID_basic_constraints, "critical,CA:FALSE", err) &&
	       add_extension(certificate, ca, NID_key_usage, "critical,digitalSignature", err) &&
	       (leaf->usage == PKI_USAGE_NONE ||
		   add_extension(certificate, ca, NID_ext_key_usage, usage_text(leaf), err)) &&
	       add_extension(certificate, ca, NID_subject_key_identifier, "hash", err) &&
	       add_extension(certificate, ca, NID_authority_key_identifier, "keyid", err) &&
	       add_names(certificate, leaf, err);
}

static const char *
usage_text(const struct pki_leaf *leaf)
{
	if (leaf->usage == PKI_USAGE_SERVER)
		return "serverAuth";
	return pki_is_daemon_role(leaf->role) ? "serverAuth,clientAuth" : "clientAuth";
}

static bool
add_names(X509 *certificate, const struct pki_leaf *leaf, struct err *err)
{
	auto_str struct str names = {0};

	str_addf(&names, "URI:urn:vnode:role:%s:%s", leaf->role, leaf->name);
	if (pki_is_daemon_role(leaf->role))
		str_addf(&names, ",DNS:%s.%s.vnode", leaf->role, leaf->name);
	for (size_t i = 0; i < leaf->n_dns; i++)
		str_addf(&names, ",DNS:%s", leaf->dns[i]);
	for (size_t i = 0; i < leaf->n_ips; i++)
		str_addf(&names, ",IP:%s", leaf->ips[i]);
	return add_extension(certificate, NULL, NID_subject_alt_name, str_text(&names), err);
}

static bool
add_extension(X509 *certificate, X509 *issuer, int nid, const char *value, struct err *err)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool is_good;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	is_good = extension && X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return is_good || pki_openssl_err(err, value);
}

/* ---- files ---- */

/* Both are written beside their place first; the key goes last, so a new key never stands with an
 * old certificate for long. */
static bool
write_pair(const char *prefix, X509 *certificate, EVP_PKEY *key, struct err *err)
{
	struct pki_file certificate_file = {prefix, ".crt", 0644},
			key_file = {prefix, ".key", 0600};

	return pki_write(&certificate_file, certificate, NULL, err) &&
	       pki_write(&key_file, NULL, key, err);
}
