/*
 * A pool of libcurl handles for one peer, each with its kept connection: a call takes one, makes
 * one when all are out, and puts it back.
 */
#include "lib/http/http_client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"

/* CONNECT_MS: TCP and the TLS handshake, which waits its turn where many come at once. */
enum { ANSWER_MAX = 4 << 20, CONNECT_MS = 4000, KEPT_MAX = 16 };

struct http_client {
	char *address;
	char *host; /* ROLE.NAME.vnode */
	char *port;
	char *ca_file, *cert_file, *key_file;
	size_t answer_max;
	struct curl_slist *connect_to, *headers;
	pthread_mutex_t lock;
	vec_of(CURL *) idle;
};

struct answer {
	struct str *text;
	size_t max;
	bool is_too_large;
};

static void init_curl(void);
static CURL *take_handle(struct http_client *client);
static void give_handle(struct http_client *client, CURL *handle, bool is_good);
static CURL *new_handle(const struct http_client *client);
static bool perform(
    const struct http_client *client, CURL *handle, struct answer *answer, struct err *err);
static int close_at_exec(void *self, curl_socket_t fd, curlsocktype purpose);
static size_t add_answer(char *bytes, size_t one, size_t n, void *self);
static bool put_failure(const struct http_client *client, CURL *handle, CURLcode code,
    const char *reason, struct err *err);
static const char *refusal(const char *reason);

void
http_client_free(struct http_client *client)
{
	if (!client)
		return;
	vec_each (handle, &client->idle)
		curl_easy_cleanup(*handle);
	vec_done(&client->idle);
	curl_slist_free_all(client->connect_to);
	curl_slist_free_all(client->headers);
	pthread_mutex_destroy(&client->lock);
	free(client->address);
	free(client->host);
	free(client->port);
	free(client->ca_file);
	free(client->cert_file);
	free(client->key_file);
	free(client);
}

struct http_client *
http_client_new(const struct http_client_config *config, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http_client *client;
	auto_str struct str route = {0};
	const char *colon = strrchr(config->address, ':');
	bool is_unix = !strncmp(config->address, "unix:", 5);

	if (!colon || !colon[1]) {
		err_set(err, ERR_BAD_VALUE, "'%s' is no address (IP:PORT or unix:PATH)",
		    config->address);
		return NULL;
	}
	pthread_once(&once, init_curl);
	client = xcalloc(1, sizeof(*client));
	client->address = xstrdup(config->address);
	client->host = xstrdup(config->name);
	client->port = xstrdup(is_unix ? "443" : colon + 1);
	client->ca_file = xstrdup(config->ca_file);
	client->cert_file = config->cert_file ? xstrdup(config->cert_file) : NULL;
	client->key_file = config->key_file ? xstrdup(config->key_file) : NULL;
	client->answer_max = config->answer_max ? config->answer_max : ANSWER_MAX;
	if (!is_unix) {
		str_addf(&route, "%s:%s:%s", client->host, client->port, client->address);
		client->connect_to = curl_slist_append(NULL, str_text(&route));
	}
	client->headers = curl_slist_append(NULL, "Content-Type: text/xml");
	client->headers = curl_slist_append(client->headers, "Expect:");
	pthread_mutex_init(&client->lock, NULL);
	return client;
}

static void
init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

bool
http_client_post(struct http_client *client, const char *path, const struct str *body,
    struct str *reply, int timeout_ms, struct err *err)
{
	CURL *handle = take_handle(client);
	struct answer answer = {.text = reply, .max = client->answer_max};
	auto_str struct str url = {0};
	bool is_good;

	if (!handle)
		return err_set(err, ERR_INTERNAL, "libcurl gives no handle");
	str_addf(&url, "https://%s:%s%s", client->host, client->port, path);
	curl_easy_setopt(handle, CURLOPT_URL, str_text(&url));
	curl_easy_setopt(handle, CURLOPT_POSTFIELDS, str_text(body));
	curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
	curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	is_good = perform(client, handle, &answer, err);
	give_handle(client, handle, is_good);
	return is_good;
}

/* ---- handles ---- */

static CURL *
take_handle(struct http_client *client)
{
	CURL *handle = NULL;

	pthread_mutex_lock(&client->lock);
	if (client->idle.n)
		handle = client->idle.items[--client->idle.n];
	pthread_mutex_unlock(&client->lock);
	return handle ? handle : new_handle(client);
}

static void
give_handle(struct http_client *client, CURL *handle, bool is_good)
{
	bool is_kept = false;

	pthread_mutex_lock(&client->lock);
	if (is_good && client->idle.n < KEPT_MAX) {
		vec_push(&client->idle, handle);
		is_kept = true;
	}
	pthread_mutex_unlock(&client->lock);
	if (!is_kept)
		curl_easy_cleanup(handle);
}

static CURL *
new_handle(const struct http_client *client)
{
	CURL *handle = curl_easy_init();

	if (!handle)
		return NULL;
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(handle, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(handle, CURLOPT_CAINFO, client->ca_file);
	curl_easy_setopt(handle, CURLOPT_SSLCERT, client->cert_file);
	curl_easy_setopt(handle, CURLOPT_SSLKEY, client->key_file);
	curl_easy_setopt(handle, CURLOPT_HTTPHEADER, client->headers);
	curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, close_at_exec);
	if (client->connect_to)
		curl_easy_setopt(handle, CURLOPT_CONNECT_TO, client->connect_to);
	else
		curl_easy_setopt(
		    handle, CURLOPT_UNIX_SOCKET_PATH, client->address + strlen("unix:"));
	return handle;
}

static int
close_at_exec(void *self, curl_socket_t fd, curlsocktype purpose)
{
	(void)self;
	(void)purpose;
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? CURL_SOCKOPT_ERROR : CURL_SOCKOPT_OK;
}

static bool
perform(const struct http_client *client, CURL *handle, struct answer *answer, struct err *err)
{
	char reason[CURL_ERROR_SIZE] = "";
	long status = 0;
	size_t before = answer->text->len;
	CURLcode code;

	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, add_answer);
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer);
	code = curl_easy_perform(handle);
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, NULL);
	if (answer->is_too_large)
		return err_set(err, ERR_LIMIT, "%s: the answer has more than %zu bytes",
		    client->host, answer->max);
	if (code != CURLE_OK)
		return put_failure(
		    client, handle, code, reason[0] ? reason : curl_easy_strerror(code), err);
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return true;
	err_set(err, status == 413 ? ERR_LIMIT : ERR_INTERNAL, "%s answers with status %ld: %.200s",
	    client->host, status, str_text(answer->text) + before);
	return false;
}

static size_t
add_answer(char *bytes, size_t one, size_t n, void *self)
{
	struct answer *answer = self;
	size_t size = one * n;

	answer->is_too_large = size > answer->max - answer->text->len;
	if (answer->is_too_large)
		return 0;
	str_add_bytes(answer->text, bytes, size);
	return size;
}

/* ---- failures ---- */

static bool
put_failure(const struct http_client *client, CURL *handle, CURLcode code, const char *reason,
    struct err *err)
{
	const char *refused = refusal(reason);
	double connected_s = 0;

	curl_easy_getinfo(handle, CURLINFO_APPCONNECT_TIME, &connected_s);
	if (refused)
		return err_set(err, ERR_UNAUTHENTICATED,
		    "%s (%s) does not accept our certificate: %s", client->host, client->address,
		    refused);
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR)
		return err_set(err, ERR_UNAUTHENTICATED,
		    "the peer at %s does not prove that it is %s: %s", client->address,
		    client->host, reason);
	if (code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE)
		return err_set(err, ERR_UNAUTHENTICATED,
		    "our own certificate '%s' or CA '%s' cannot be used: %s",
		    client->cert_file ? client->cert_file : "", client->ca_file, reason);
	if (code == CURLE_OPERATION_TIMEDOUT && connected_s > 0)
		return err_set(
		    err, ERR_TIMEOUT, "%s (%s): no answer in time", client->host, client->address);
	return err_set(err, ERR_UNAVAILABLE, "%s (%s) cannot be reached: %s", client->host,
	    client->address, reason);
}

/* What the peer's TLS alert means, as OpenSSL words it; NULL: it is about something else. */
static const char *
refusal(const char *reason)
{
	static const struct {
		const char *alert;
		const char *meaning;
	} known[] = {
	    {"alert certificate required", "we show none"},
	    {"alert unknown ca", "it is signed by a CA that is not the peer's"},
	    {"alert certificate expired", "it has expired"},
	    {"alert certificate revoked", "it has been revoked"},
	    {"alert unsupported certificate", "it names no role, or is not for clients"},
	    {"alert bad certificate", "it is not valid"},
	    {"alert access denied", "it is not valid"},
	    {"alert handshake failure", "the handshake failed"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(reason, known[i].alert))
			return known[i].meaning;
	return NULL;
}
