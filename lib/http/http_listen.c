/*
 * Listening sockets. One address each, never a wildcard: a guest that finds a way to some other
 * address of the host finds nobody there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/http/http_internal.h"

enum { BACKLOG = 256 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un path;
};

static bool parse_inet(const char *text, union address *address, socklen_t *size);
static bool is_wildcard(const union address *address);
static int open_inet(const union address *address, socklen_t size);
static int open_unix(const char *path, struct err *err);
static bool is_alive(const union address *address);

int
http_listen(const char *address, struct err *err)
{
	union address parsed = {0};
	socklen_t size;
	int fd;

	if (!strncmp(address, "unix:", 5))
		return open_unix(address + 5, err);
	if (!parse_inet(address, &parsed, &size)) {
		err_set(err, ERR_BAD_VALUE,
		    "'%s' is no address to listen on (IP:PORT or unix:PATH)", address);
		return -1;
	}
	if (is_wildcard(&parsed)) {
		err_set(err, ERR_BAD_VALUE, "'%s' is all addresses; name the management address",
		    address);
		return -1;
	}
	fd = open_inet(&parsed, size);
	if (fd < 0)
		err_set(err, ERR_UNAVAILABLE, "'%s' cannot be listened on: %s", address,
		    strerror(errno));
	return fd;
}

unsigned
http_listen_port(int fd)
{
	union address address = {0};
	socklen_t size = sizeof(address);

	if (getsockname(fd, &address.any, &size) < 0)
		return 0;
	if (address.any.sa_family == AF_INET6)
		return ntohs(address.v6.sin6_port);
	return address.any.sa_family == AF_INET ? ntohs(address.v4.sin_port) : 0;
}

static bool
parse_inet(const char *text, union address *address, socklen_t *size)
{
	char host[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : sizeof(host);
	long long port;

	if (len >= sizeof(host) || !str_to_i64(colon + 1, 0, 65535, &port))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		*size = sizeof(address->v6);
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host + 1, &address->v6.sin6_addr) == 1;
	}
	*size = sizeof(address->v4);
	address->v4.sin_family = AF_INET;
	address->v4.sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &address->v4.sin_addr) == 1;
}

static bool
is_wildcard(const union address *address)
{
	if (address->any.sa_family == AF_INET)
		return address->v4.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

static int
listen_or_close(int fd, const union address *address, socklen_t size)
{
	int cause;

	if (bind(fd, &address->any, size) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	cause = errno;
	close(fd);
	errno = cause;
	return -1;
}

static int
open_inet(const union address *address, socklen_t size)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return listen_or_close(fd, address, size);
}

/* A socket left by a process that died is replaced; one that somebody listens on is not. */
static int
open_unix(const char *path, struct err *err)
{
	union address address = {.path = {.sun_family = AF_UNIX}};
	int fd;

	if (path[0] != '/') {
		err_set(err, ERR_BAD_VALUE, "'%s' is no absolute path for a socket", path);
		return -1;
	}
	if (snprintf(address.path.sun_path, sizeof(address.path.sun_path), "%s", path) >=
	    (int)sizeof(address.path.sun_path)) {
		err_set(err, ERR_BAD_VALUE, "'%s' is too long a path for a socket", path);
		return -1;
	}
	if (is_alive(&address)) {
		err_set(err, ERR_CONFLICT, "'%s': another process listens there", path);
		return -1;
	}
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		fchmod(fd, 0600); /* before bind: the file is born with it */
		fd = listen_or_close(fd, &address, sizeof(address.path));
	}
	if (fd < 0)
		err_set(
		    err, ERR_UNAVAILABLE, "'%s' cannot be listened on: %s", path, strerror(errno));
	return fd;
}

static bool
is_alive(const union address *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool is_connected =
	    fd >= 0 && (connect(fd, &address->any, sizeof(address->path)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return is_connected;
}
