/*
 * Certificates: ours from files, the caller's in the handshake. libmicrohttpd only asks for one;
 * that it is there, signed by our CA, within its dates, for clients and with a role is checked
 * here. A refusal is told by an alert, so that the caller can say why.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/http/http_internal.h"

enum { FILE_MAX = 1 << 20, LINGER_MS = 300 };

static char *read_file(const char *path, struct err *err);
static bool check_mode(const char *path, struct err *err);
static int verify(gnutls_session_t session);
static int refuse(gnutls_session_t session, gnutls_alert_description_t alert, const char *why);
static gnutls_alert_description_t alert_of(unsigned status);
static bool is_for_clients(gnutls_x509_crt_t certificate);
static bool read_role(gnutls_x509_crt_t certificate, struct http_peer *peer);

void
http_identity_done(struct http_identity *identity)
{
	if (identity->key)
		explicit_bzero(identity->key, strlen(identity->key));
	free(identity->ca);
	free(identity->cert);
	free(identity->key);
	if (identity->certificate)
		gnutls_x509_crt_deinit(identity->certificate);
	*identity = (struct http_identity){0};
}

bool
http_identity_init(
    struct http_identity *identity, const struct http_server_config *config, struct err *err)
{
	gnutls_datum_t pem;

	if (!check_mode(config->key_file, err))
		return false;
	if (!(identity->ca = read_file(config->ca_file, err)) ||
	    !(identity->cert = read_file(config->cert_file, err)) ||
	    !(identity->key = read_file(config->key_file, err)))
		return false;
	pem = (gnutls_datum_t){(unsigned char *)identity->cert, (unsigned)strlen(identity->cert)};
	if (gnutls_x509_crt_init(&identity->certificate) < 0 ||
	    gnutls_x509_crt_import(identity->certificate, &pem, GNUTLS_X509_FMT_PEM) < 0)
		return err_set(err, ERR_BAD_VALUE, "'%s' has no certificate", config->cert_file);
	return true;
}

static char *
read_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_str struct str text = {0};
	char part[4096];
	ssize_t n = 0;

	while (fd >= 0 && text.len < FILE_MAX && (n = read(fd, part, sizeof(part))) > 0)
		str_add_bytes(&text, part, (size_t)n);
	if (fd < 0 || n < 0)
		err_set(err, ERR_NOT_FOUND, "'%s' cannot be read: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return fd < 0 || n < 0 ? NULL : str_take(&text);
}

static bool
check_mode(const char *path, struct err *err)
{
	struct stat stat_of;

	if (stat(path, &stat_of) < 0)
		return err_set(
		    err, ERR_NOT_FOUND, "'%s' cannot be read: %s", path, strerror(errno));
	if (stat_of.st_mode & 077) {
		err_set(err, ERR_BAD_VALUE, "'%s' may be read by others", path);
		return err_hint(err, "chmod 0600 %s", path);
	}
	return true;
}

/* ---- the caller ---- */

void
http_peer_require(gnutls_session_t session)
{
	/* REQUIRE would end the handshake without a word; verify() refuses the lack of one as well.
	 */
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
	gnutls_session_set_verify_function(session, verify);
}

static int
verify(gnutls_session_t session)
{
	unsigned char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st wanted = {
	    .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = purpose, .size = 0};
	struct http_peer peer;
	unsigned n = 0, status = 0;

	if (!gnutls_certificate_get_peers(session, &n) || n == 0)
		return refuse(session, GNUTLS_A_CERTIFICATE_REQUIRED, "no certificate");
	if (gnutls_certificate_verify_peers(session, &wanted, 1, &status) < 0)
		return refuse(
		    session, GNUTLS_A_BAD_CERTIFICATE, "a certificate that cannot be read");
	if (status & GNUTLS_CERT_EXPIRED)
		return refuse(
		    session, GNUTLS_A_CERTIFICATE_EXPIRED, "a certificate that has expired");
	if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		return refuse(session, GNUTLS_A_UNKNOWN_CA, "a certificate of an unknown CA");
	if (status)
		return refuse(
		    session, alert_of(status), "a certificate that is not valid for this");
	if (!http_peer_read(session, &peer))
		return refuse(session, GNUTLS_A_UNSUPPORTED_CERTIFICATE,
		    "a certificate that names no role, or is not for clients");
	return 0;
}

static gnutls_alert_description_t
alert_of(unsigned status)
{
	if (status & GNUTLS_CERT_PURPOSE_MISMATCH)
		return GNUTLS_A_UNSUPPORTED_CERTIFICATE;
	return status & GNUTLS_CERT_REVOKED ? GNUTLS_A_CERTIFICATE_REVOKED
					    : GNUTLS_A_BAD_CERTIFICATE;
}

/*
 * The caller of TLS 1.3 has sent its request already; closing with it unread would reset the
 * connection and take the alert with it. So read on for a moment (we have a thread of our own).
 */
static int
refuse(gnutls_session_t session, gnutls_alert_description_t alert, const char *why)
{
	struct pollfd poll_of = {.fd = gnutls_transport_get_int(session), .events = POLLIN};
	char waste[4096];

	log_warn("http", "caller refused: %s", why);
	gnutls_alert_send(session, GNUTLS_AL_FATAL, alert);
	shutdown(poll_of.fd, SHUT_WR);
	for (int i = 0; i < 64 && poll(&poll_of, 1, LINGER_MS) > 0; i++)
		if (recv(poll_of.fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
			break;
	return GNUTLS_E_CERTIFICATE_ERROR;
}

bool
http_peer_read(gnutls_session_t session, struct http_peer *peer)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	gnutls_x509_crt_t leaf;
	bool is_good;

	if (!chain || n == 0 || gnutls_x509_crt_init(&leaf) < 0)
		return false;
	is_good = gnutls_x509_crt_import(leaf, chain, GNUTLS_X509_FMT_DER) == 0 &&
		  is_for_clients(leaf) && read_role(leaf, peer);
	gnutls_x509_crt_deinit(leaf);
	return is_good;
}

/* Said expressly: a certificate without any purpose would pass the verification. */
static bool
is_for_clients(gnutls_x509_crt_t certificate)
{
	char oid[64];

	for (unsigned i = 0;; i++) {
		size_t size = sizeof(oid);
		int code = gnutls_x509_crt_get_key_purpose_oid(certificate, i, oid, &size, NULL);

		if (code == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;
		if (code < 0)
			return false;
		if (!strcmp(oid, GNUTLS_KP_TLS_WWW_CLIENT))
			return true;
	}
}

static bool
take_word(char *word, const char *from, size_t len)
{
	if (len < 1 || len > HTTP_WORD_MAX ||
	    strspn(from, "abcdefghijklmnopqrstuvwxyz0123456789-") < len)
		return false;
	memcpy(word, from, len);
	word[len] = '\0';
	return true;
}

static bool
read_role(gnutls_x509_crt_t certificate, struct http_peer *peer)
{
	static const char prefix[] = "urn:vnode:role:";
	size_t skip = sizeof(prefix) - 1;
	char name[256];
	int type;

	for (unsigned i = 0;; i++) {
		size_t size = sizeof(name) - 1;
		const char *colon;

		type = gnutls_x509_crt_get_subject_alt_name(certificate, i, name, &size, NULL);
		if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;
		if (type < 0)
			return false;
		name[size] = '\0';
		if (type != GNUTLS_SAN_URI || strncmp(name, prefix, skip) != 0)
			continue;
		colon = strchr(name + skip, ':');
		return colon && take_word(peer->role, name + skip, (size_t)(colon - name) - skip) &&
		       take_word(peer->name, colon + 1, strlen(colon + 1));
	}
}
