/*
 * Messages, requests with acknowledgement, dumps, events.
 */
#include "lib/net/netlink.h"

#include <assert.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Large enough for any answer of a dump (the kernel fills at most 32 KiB). */
enum { BUFFER_SIZE = 64 * 1024, EVENT_BUFFER_BYTES = 4 * 1024 * 1024 };

struct netlink {
	int fd;
	uint32_t sequence;
	pthread_mutex_t mutex; /* one request at a time */
	_Alignas(struct nlmsghdr) char buffer[BUFFER_SIZE];
	_Alignas(struct nlmsghdr) char batch[BUFFER_SIZE]; /* requests that go together */
};

struct netlink_events {
	int fd;
	char buffer[BUFFER_SIZE];
};

/* What a walk over received messages has found. */
struct walk {
	uint32_t sequence; /* 0 = any */
	size_t fixed_size; /* 0 = by type */
	netlink_each *each;
	void *self;
	int error;
	bool is_done;
};

static int netlink_open(void);
static void walk_messages(struct walk *walk, const char *bytes, size_t size);

/* ---- messages -------------------------------------------------------------------------------- */

static struct nlmsghdr *
header_of(struct message *message)
{
	return (struct nlmsghdr *)(void *)message->bytes;
}

static void *
grow(struct message *message, size_t size)
{
	struct nlmsghdr *header = header_of(message);
	size_t old = NLMSG_ALIGN(header->nlmsg_len);
	void *space = message->bytes + old;

	assert(old + NLMSG_ALIGN(size) <= MESSAGE_SIZE);
	memset(space, 0, NLMSG_ALIGN(size));
	header->nlmsg_len = (uint32_t)(old + size);
	return space;
}

void
message_begin(
    struct message *message, uint16_t type, uint16_t flags, const void *fixed, size_t size)
{
	struct nlmsghdr *header = header_of(message);

	*header = (struct nlmsghdr){
	    .nlmsg_len = NLMSG_HDRLEN,
	    .nlmsg_type = type,
	    .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
	};
	memcpy(grow(message, size), fixed, size);
}

void
message_put(struct message *message, uint16_t type, const void *data, size_t size)
{
	struct nlattr *attr = grow(message, NLA_HDRLEN + size);

	attr->nla_type = type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + size);
	if (size)
		memcpy((char *)attr + NLA_HDRLEN, data, size);
}

void
message_put_u32(struct message *message, uint16_t type, uint32_t value)
{
	message_put(message, type, &value, sizeof(value));
}

void
message_put_text(struct message *message, uint16_t type, const char *text)
{
	message_put(message, type, text, strlen(text) + 1);
}

void
message_append(struct message *message, const void *bytes, size_t size)
{
	memcpy(grow(message, size), bytes, size);
}

size_t
message_nest(struct message *message, uint16_t type)
{
	size_t at = NLMSG_ALIGN(header_of(message)->nlmsg_len);

	message_put(message, (uint16_t)(type | NLA_F_NESTED), NULL, 0);
	return at;
}

void
message_end(struct message *message, size_t nest)
{
	struct nlattr *attr = (struct nlattr *)(void *)(message->bytes + nest);

	attr->nla_len = (uint16_t)(header_of(message)->nlmsg_len - nest);
}

/* ---- answers --------------------------------------------------------------------------------- */

const void *
reply_data(const struct nlattr *attr, size_t size)
{
	if (!attr || attr->nla_len < NLA_HDRLEN + size)
		return NULL;
	return (const char *)attr + NLA_HDRLEN;
}

const char *
reply_text(const struct nlattr *attr)
{
	const char *text = reply_data(attr, 1);

	return text && memchr(text, 0, attr->nla_len - NLA_HDRLEN) ? text : "";
}

uint32_t
reply_u32(const struct nlattr *attr)
{
	const void *data = reply_data(attr, sizeof(uint32_t));
	uint32_t value = 0;

	if (data)
		memcpy(&value, data, sizeof(value));
	return value;
}

static void
read_attrs(const char *bytes, size_t size, const struct nlattr *attrs[REPLY_TYPES])
{
	memset((void *)attrs, 0, REPLY_TYPES * sizeof(const void *));
	while (size >= NLA_HDRLEN) {
		const struct nlattr *attr = (const struct nlattr *)(const void *)bytes;
		unsigned type = attr->nla_type & NLA_TYPE_MASK;
		size_t step = NLA_ALIGN(attr->nla_len);

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > size)
			return;
		if (type < REPLY_TYPES)
			attrs[type] = attr;
		if (step >= size)
			return;
		bytes += step;
		size -= step;
	}
}

void
reply_members(const struct nlattr *nest, const struct nlattr *attrs[REPLY_TYPES])
{
	if (nest)
		read_attrs((const char *)nest + NLA_HDRLEN, nest->nla_len - NLA_HDRLEN, attrs);
	else
		memset((void *)attrs, 0, REPLY_TYPES * sizeof(const void *));
}

/* ---- requests -------------------------------------------------------------------------------- */

struct netlink *
netlink_new(struct err *err)
{
	struct netlink *netlink;
	int fd = netlink_open();

	if (fd < 0) {
		err_set(err, ERR_INTERNAL, "cannot open a netlink socket: %s", strerror(errno));
		return NULL;
	}
	netlink = xcalloc(1, sizeof(*netlink));
	netlink->fd = fd;
	pthread_mutex_init(&netlink->mutex, NULL);
	return netlink;
}

void
netlink_free(struct netlink *netlink)
{
	if (!netlink)
		return;
	close(netlink->fd);
	pthread_mutex_destroy(&netlink->mutex);
	free(netlink);
}

static int
receive(struct netlink *netlink, struct walk *walk)
{
	while (!walk->is_done) {
		ssize_t got = recv(netlink->fd, netlink->buffer, sizeof(netlink->buffer), 0);

		if (got < 0 && errno != EINTR)
			return errno;
		if (got > 0)
			walk_messages(walk, netlink->buffer, (size_t)got);
	}
	return walk->error;
}

int
netlink_ask(struct netlink *netlink, struct message *message, size_t fixed_size, netlink_each *each,
    void *self)
{
	struct nlmsghdr *header = header_of(message);
	struct walk walk = {.fixed_size = fixed_size, .each = each, .self = self};
	int error;

	pthread_mutex_lock(&netlink->mutex);
	walk.sequence = ++netlink->sequence ? netlink->sequence : ++netlink->sequence;
	header->nlmsg_seq = walk.sequence;
	if ((header->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		header->nlmsg_flags |= NLM_F_ACK;
	if (send(netlink->fd, header, header->nlmsg_len, 0) < 0)
		error = errno;
	else
		error = receive(netlink, &walk);
	pthread_mutex_unlock(&netlink->mutex);
	return error;
}

/* One system call's worth of requests. */
struct batch {
	const struct netlink_many *many;
	size_t first, n; /* which of them */
	uint32_t first_sequence;
	size_t size; /* bytes */
};

/*
 * The kernel works through a batch in order and tells of failures at once, so the last one's
 * acknowledgement says that all are done: one answer instead of 64.
 */
static void
batch_fill(struct netlink *netlink, struct batch *batch)
{
	const struct netlink_many *many = batch->many;
	struct nlmsghdr *header = NULL;
	struct message message;

	batch->n = batch->size = 0;
	if (netlink->sequence > UINT32_MAX - NETLINK_MANY)
		netlink->sequence = 0;
	batch->first_sequence = netlink->sequence + 1;
	while (batch->n < NETLINK_MANY && batch->first + batch->n < many->n &&
	       batch->size + MESSAGE_SIZE <= BUFFER_SIZE) {
		many->fill(many->self, batch->first + batch->n++, &message);
		header = (struct nlmsghdr *)(void *)(netlink->batch + batch->size);
		memcpy(header, message.bytes, header_of(&message)->nlmsg_len);
		header->nlmsg_seq = ++netlink->sequence;
		batch->size += NLMSG_ALIGN(header->nlmsg_len);
	}
	if (header)
		header->nlmsg_flags |= NLM_F_ACK;
}

/* Returns whether it was the last one's. */
static bool
batch_answer(const struct batch *batch, const struct nlmsghdr *header)
{
	uint32_t at = header->nlmsg_seq - batch->first_sequence;
	const char *bytes = (const char *)header + NLMSG_HDRLEN;
	int error;

	if (header->nlmsg_type != NLMSG_ERROR || at >= batch->n)
		return false;
	error = -((const struct nlmsgerr *)(const void *)bytes)->error;
	if (error)
		batch->many->told(batch->many->self, batch->first + at, error);
	return at == batch->n - 1;
}

static int
batch_send(struct netlink *netlink, const struct batch *batch)
{
	bool is_done = false;

	if (send(netlink->fd, netlink->batch, batch->size, 0) < 0)
		return errno;
	while (!is_done) {
		ssize_t got = recv(netlink->fd, netlink->buffer, sizeof(netlink->buffer), 0);

		if (got < 0 && errno != EINTR)
			return errno;
		if (got >= (ssize_t)NLMSG_HDRLEN + (ssize_t)sizeof(struct nlmsgerr))
			is_done = batch_answer(
			    batch, (const struct nlmsghdr *)(const void *)netlink->buffer);
	}
	return 0;
}

int
netlink_ask_many(struct netlink *netlink, const struct netlink_many *many)
{
	struct batch batch = {.many = many};
	int error = 0;

	pthread_mutex_lock(&netlink->mutex);
	for (; !error && batch.first < many->n; batch.first += batch.n) {
		batch_fill(netlink, &batch);
		error = batch_send(netlink, &batch);
	}
	pthread_mutex_unlock(&netlink->mutex);
	return error;
}

static int
netlink_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int size = EVENT_BUFFER_BYTES, one = 1;

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	/* More room for events and strict dumps where the kernel grants them; both can be missing.
	 */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	return fd;
}

/* The length of a message's fixed part. */
static size_t
fixed_of(uint16_t type)
{
	switch (type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return sizeof(struct ifinfomsg);
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return sizeof(struct ndmsg);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return sizeof(struct rtmsg);
	default:
		return sizeof(struct tcmsg);
	}
}

static void
walk_answer(struct walk *walk, const struct nlmsghdr *header)
{
	size_t fixed = walk->fixed_size ? walk->fixed_size : fixed_of(header->nlmsg_type);
	struct reply reply = {.type = header->nlmsg_type};
	const char *bytes = (const char *)header + NLMSG_HDRLEN;
	size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(fixed);

	if (!walk->each || header->nlmsg_len < NLMSG_HDRLEN + fixed)
		return;
	reply.fixed = bytes;
	if (header->nlmsg_len > head)
		read_attrs(bytes + NLMSG_ALIGN(fixed), header->nlmsg_len - head, reply.attrs);
	walk->each(walk->self, &reply);
}

static void
walk_one(struct walk *walk, const struct nlmsghdr *header)
{
	const char *bytes = (const char *)header + NLMSG_HDRLEN;

	if (header->nlmsg_type == NLMSG_ERROR) {
		walk->error = -((const struct nlmsgerr *)(const void *)bytes)->error;
		walk->is_done = true;
	} else if (header->nlmsg_type == NLMSG_DONE) {
		walk->is_done = true;
	} else if (header->nlmsg_type >= NLMSG_MIN_TYPE) {
		walk_answer(walk, header);
	}
}

static void
walk_messages(struct walk *walk, const char *bytes, size_t size)
{
	while (size >= NLMSG_HDRLEN) {
		const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)bytes;
		size_t step = NLMSG_ALIGN(header->nlmsg_len);

		if (header->nlmsg_len < NLMSG_HDRLEN || header->nlmsg_len > size)
			return;
		if (!walk->sequence || header->nlmsg_seq == walk->sequence)
			walk_one(walk, header);
		if (step >= size)
			return;
		bytes += step;
		size -= step;
	}
}

/* ---- events ---------------------------------------------------------------------------------- */

_Static_assert(NETLINK_OF_LINKS == (int)RTNLGRP_LINK, "group of links");
_Static_assert(NETLINK_OF_NEIGHBOURS == (int)RTNLGRP_NEIGH, "group of neighbours");

struct netlink_events *
netlink_events_new(const int *groups, struct err *err)
{
	struct netlink_events *events;
	int fd = netlink_open();

	for (; fd >= 0 && *groups; groups++) {
		if (!setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, groups, sizeof(*groups)))
			continue;
		close(fd);
		fd = -1;
	}
	if (fd < 0) {
		err_set(err, ERR_INTERNAL, "cannot listen to netlink: %s", strerror(errno));
		return NULL;
	}
	events = xcalloc(1, sizeof(*events));
	events->fd = fd;
	return events;
}

void
netlink_events_free(struct netlink_events *events)
{
	if (!events)
		return;
	close(events->fd);
	free(events);
}

bool
netlink_events_wait(
    struct netlink_events *events, int timeout_ms, netlink_each *each, void *self, bool *lost)
{
	struct pollfd poll_fd = {.fd = events->fd, .events = POLLIN};
	struct walk walk = {.each = each, .self = self};
	ssize_t got;

	*lost = false;
	if (poll(&poll_fd, 1, timeout_ms) < 0)
		return errno == EINTR;
	while ((got = recv(events->fd, events->buffer, BUFFER_SIZE, MSG_DONTWAIT)) > 0)
		walk_messages(&walk, events->buffer, (size_t)got);
	if (got < 0 && errno == ENOBUFS) {
		*lost = true;
		return true;
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}
