/*
 * lib/http against callers that write their bytes by hand, through `openssl s_client`: what two
 * parsers could understand differently is refused, and the connection ends with it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/domain.h"
#include "test/support/suite.h"

/* A child with pipes at its stdin and stdout. */
struct child {
	pid_t pid;
	int in, out;
};

static void
child_start(struct child *child, char *const *argv)
{
	int in[2], out[2];

	assert_equal(pipe2(in, O_CLOEXEC), 0);
	assert_equal(pipe2(out, O_CLOEXEC), 0);
	child->pid = fork();
	if (child->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execvp("openssl", argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	child->in = in[1];
	child->out = out[0];
}

/* All that comes until the other side ends. */
static void
child_finish(struct child *child, struct str *answer)
{
	char part[4096];
	ssize_t n;

	while ((n = read(child->out, part, sizeof(part))) > 0)
		str_add_bytes(answer, part, (size_t)n);
	close(child->in);
	close(child->out);
	kill(child->pid, SIGTERM);
	waitpid(child->pid, NULL, 0);
}

static void
send_raw(struct arena *arena, const char *address, const char *tls, const char *request,
    struct str *answer)
{
	char *argv[20] = {NULL}, *rest = NULL;
	size_t n = 0;
	char *line = arena_format(arena,
	    "openssl s_client -quiet -verify_quiet -connect %s -cert %s -key %s -CAfile %s %s",
	    address, domain_path(arena, "user.crt"), domain_path(arena, "user.key"),
	    domain_path(arena, "ca/ca.crt"), tls);
	struct child child;

	for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[n++] = word;
	child_start(&child, argv);
	if (write(child.in, request, strlen(request)) < 0)
		CU_FAIL("openssl does not take the request");
	child_finish(&child, answer);
}

#define HOST "Host: snc.ctl.vnode\r\n"

static void
requests_with_two_meanings_are_refused(void)
{
	static const struct {
		const char *request;
		const char *status;
	} bad[] = {
	    {"POST /a HTTP/1.1\r\n" HOST
	     "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	     "GET /smuggled HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
		"400"},
	    {"POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
		"400"},
	    {"POST / HTTP/1.1\r\n" HOST
	     "Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc",
		"400"},
	    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\nabc", "400"},
	    {"POST / HTTP/1.1\r\n" HOST
	     "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"400"},
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc", "400"},
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 100001\r\n\r\nabc", "413"},
	    {"GET / HTTP/1.1\r\n\r\n", "400"},
	    {"GET / HTTP/1.1\r\nHost : snc.ctl.vnode\r\n\r\n", "400"},
	    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", "400"},
	    {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "400"},
	    {"GET / HTTP/1.1\r\nHost: \r\n\r\n", "400"},
	    {"GET /a%00b HTTP/1.1\r\n" HOST "\r\n", "400"},
	    {"GET /a%0ab HTTP/1.1\r\n" HOST "\r\n", "400"},
	    {"GET /a%zz HTTP/1.1\r\n" HOST "\r\n", "400"},
	    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "400"},
	    {"DELETE / HTTP/1.1\r\n" HOST "\r\n", "405"},
	    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "405"},
	};
	auto_arena struct arena *arena = arena_new();
	struct http_server *server;

	domain_make(arena);
	server = domain_server(arena, "127.0.0.1:0", "server");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		auto_str struct str answer = {0};
		const char *status = arena_format(arena, "HTTP/1.1 %s ", bad[i].status);

		send_raw(arena, domain_address(arena, server), "-tls1_3", bad[i].request, &answer);
		if (strncmp(str_text(&answer), status, strlen(status)) != 0)
			fprintf(stderr, "%zu: %s\n", i, str_text(&answer));
		CU_ASSERT_EQUAL(strncmp(str_text(&answer), status, strlen(status)), 0);
		CU_ASSERT_PTR_NULL(strstr(str_text(&answer), "200 OK"));
		CU_ASSERT_PTR_NULL(strstr(str_text(&answer), "developer"));
	}
	http_server_free(server);
}

static void
a_plain_request_passes_in_both_versions_of_tls(void)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str new = {0}, old = {0}, older = {0};
	const char *request =
	    "POST /a HTTP/1.1\r\n" HOST
	    "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
	struct http_server *server;

	domain_make(arena);
	server = domain_server(arena, "127.0.0.1:0", "server");
	send_raw(arena, domain_address(arena, server), "-tls1_3", request, &new);
	send_raw(arena, domain_address(arena, server), "-tls1_2", request, &old);
	send_raw(arena, domain_address(arena, server), "-tls1_1", request, &older);

	assert_true(strstr(str_text(&new), "POST /a developer dev1 3") != NULL);
	assert_true(strstr(str_text(&old), "POST /a developer dev1 3") != NULL);
	assert_true(strstr(str_text(&older), "HTTP/1.1") == NULL);
	http_server_free(server);
}

static void
a_body_that_never_says_its_length_is_cut_off(void)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str request = {0}, answer = {0};
	struct http_server *server;

	domain_make(arena);
	str_add(&request, "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 120; i++) {
		str_add(&request, "3e8\r\n");
		for (int n = 0; n < 100; n++)
			str_add(&request, "0123456789");
		str_add(&request, "\r\n");
	}
	str_add(&request, "0\r\n\r\n");
	server = domain_server(arena, "127.0.0.1:0", "server");
	send_raw(arena, domain_address(arena, server), "-tls1_3", str_text(&request), &answer);

	assert_true(strstr(str_text(&answer), "HTTP/1.1 413 ") != NULL);
	http_server_free(server);
}

static const struct test tests[] = {
    TEST(requests_with_two_meanings_are_refused),
    TEST(a_plain_request_passes_in_both_versions_of_tls),
    TEST(a_body_that_never_says_its_length_is_cut_off),
};

suite_main("http_guard", tests)
