/*
 * What is refused before any handler: requests that two parsers could understand differently.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/http/http_internal.h"

struct headers {
	unsigned n_host, n_length, n_encoding;
	const char *host, *length, *encoding;
};

static enum MHD_Result count_header(
    void *self, enum MHD_ValueKind kind, const char *key, const char *value);
static bool is_our_host(const struct http_identity *identity, const char *host);
static bool is_good_path(const char *path);

static unsigned
refuse(unsigned status, const char *reason, const char **why)
{
	*why = reason;
	return status;
}

unsigned
http_guard_check(const struct http_guard *guard, struct MHD_Connection *connection,
    const char *method, const char *path, const char **why)
{
	struct headers headers = {0};
	bool is_get = !strcmp(method, "GET");
	long long length = 0;

	MHD_get_connection_values(connection, MHD_HEADER_KIND, count_header, &headers);
	if (!is_get && strcmp(method, "POST") != 0)
		return refuse(405, "only GET and POST", why);
	if (headers.n_host != 1 || !is_our_host(guard->identity, headers.host))
		return refuse(400, "exactly one Host, and one of ours", why);
	if (headers.n_length > 1 || headers.n_encoding > 1 ||
	    (headers.n_length && headers.n_encoding))
		return refuse(400, "more than one length", why);
	if (headers.n_encoding && strcasecmp(headers.encoding, "chunked") != 0)
		return refuse(400, "a transfer encoding other than chunked", why);
	if (headers.n_length && !str_to_i64(headers.length, 0, INT64_MAX, &length))
		return refuse(400, "a length that is no number", why);
	if (is_get && (length || headers.n_encoding))
		return refuse(400, "GET with a body", why);
	if ((unsigned long long)length > guard->body_max)
		return refuse(413, "too large a body", why);
	return is_good_path(path) ? 0 : refuse(400, "a path with control characters", why);
}

static enum MHD_Result
count_header(void *self, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct headers *headers = self;

	(void)kind;
	if (!strcasecmp(key, "Host")) {
		headers->n_host++;
		headers->host = value;
	} else if (!strcasecmp(key, "Content-Length")) {
		headers->n_length++;
		headers->length = value;
	} else if (!strcasecmp(key, "Transfer-Encoding")) {
		headers->n_encoding++;
		headers->encoding = value;
	}
	return MHD_YES;
}

/* Ours are the names in our certificate. */
static bool
is_our_host(const struct http_identity *identity, const char *host)
{
	char name[256];
	const char *end;
	size_t len;

	if (!host)
		return false;
	if (host[0] == '[') {
		host++;
		end = strchr(host, ']');
	} else {
		end = strchr(host, ':');
	}
	len = end ? (size_t)(end - host) : strlen(host);
	if (len == 0 || len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return gnutls_x509_crt_check_hostname(identity->certificate, name) != 0;
}

static bool
is_good_path(const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (c <= ' ' || c == 0x7F)
			return false;
		if (c == '%' &&
		    (path[1] == '0' || path[1] == '1' || !isxdigit((unsigned char)path[1]) ||
			!isxdigit((unsigned char)path[2]) || !strncasecmp(path, "%7f", 3)))
			return false;
	}
	return true;
}
