/*
 * Reading filters.
 */
#include "redirector/tap_filter.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/nearest.h"
#include "lib/base/str.h"

enum {
	TYPE_IP = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_IP6 = 0x86dd,
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ICMP6 = 58,
	TYPE_LEAST = 0x0600, /* below are lengths */
	WORD_SIZE = 64,
};

/* Words that are one fact or two. */
static const struct fact {
	const char *word;
	uint16_t type;    /* 0 = any */
	uint8_t protocol; /* 0 = any */
} facts[] = {
    {"arp", TYPE_ARP, 0},
    {"ip", TYPE_IP, 0},
    {"ip6", TYPE_IP6, 0},
    {"icmp", TYPE_IP, PROTOCOL_ICMP},
    {"icmp6", TYPE_IP6, PROTOCOL_ICMP6},
    {"tcp", 0, PROTOCOL_TCP},
    {"udp", 0, PROTOCOL_UDP},
};

static const char *const others[] = {"ether", "host", "port", "sent", "received"};

enum { N_FACTS = sizeof(facts) / sizeof(facts[0]), N_OTHERS = sizeof(others) / sizeof(others[0]) };

static const char blanks[] = " \t";

/* A filter under way: the rest of its text, and the word that was read last. */
struct reading {
	const char *rest;
	char word[WORD_SIZE];
	struct tap_filter *filter;
};

/* "" at the end. A word that is too long is cut: none so long means anything. */
static const char *
next_word(struct reading *reading)
{
	size_t size, kept;

	reading->rest += strspn(reading->rest, blanks);
	size = strcspn(reading->rest, blanks);
	kept = size < WORD_SIZE ? size : WORD_SIZE - 1;
	memcpy(reading->word, reading->rest, kept);
	reading->word[kept] = '\0';
	reading->rest += size;
	return reading->word;
}

static bool
refuse_word(const char *word, struct err *err)
{
	struct nearest nearest = {.word = word};

	for (size_t i = 0; i < N_FACTS; i++)
		nearest_offer(&nearest, facts[i].word);
	for (size_t i = 0; i < N_OTHERS; i++)
		nearest_offer(&nearest, others[i]);
	if (word[0])
		err_set(err, ERR_BAD_VALUE, "filter: '%s' is no word of a filter", word);
	else
		err_set(err, ERR_BAD_VALUE, "filter: something must follow 'and'");
	if (nearest.best)
		return err_hint(err, "'%s'?", nearest.best);
	return err_hint(err, "ether TYPE, arp, ip, ip6, icmp, icmp6, tcp, udp, host ADDRESS, "
			     "port N, sent, received; joined by 'and'");
}

/* No frame has two types. */
static bool
take_type(struct tap_filter *filter, uint16_t type, struct err *err)
{
	if (filter->has_type && filter->type != type)
		return err_set(err, ERR_BAD_VALUE,
		    "filter: no frame is of type 0x%04x and 0x%04x at once", filter->type, type);
	filter->has_type = true;
	filter->type = type;
	return true;
}

static bool
take_protocol(struct tap_filter *filter, uint8_t protocol, struct err *err)
{
	if (filter->has_protocol && filter->protocol != protocol)
		return err_set(err, ERR_BAD_VALUE,
		    "filter: no packet has the protocols %u and %u at once", filter->protocol,
		    protocol);
	filter->has_protocol = true;
	filter->protocol = protocol;
	return true;
}

static bool
take_ether(struct reading *reading, struct err *err)
{
	const char *word = next_word(reading);
	char *end;
	unsigned long type = strtoul(word, &end, 0);

	if (!word[0] || *end || type < TYPE_LEAST || type > UINT16_MAX) {
		err_set(err, ERR_BAD_VALUE, "filter: 'ether' wants a type, not '%s'", word);
		return err_hint(err, "ether 0x88cc");
	}
	return take_type(reading->filter, (uint16_t)type, err);
}

static bool
take_host(struct reading *reading, struct err *err)
{
	struct tap_filter *filter = reading->filter;
	const char *word = next_word(reading);

	if (filter->host != TAP_ANY_HOST)
		return err_set(err, ERR_BAD_VALUE, "filter: one host only");
	if (inet_pton(AF_INET, word, filter->address) == 1)
		filter->host = TAP_IP_HOST;
	else if (inet_pton(AF_INET6, word, filter->address) == 1)
		filter->host = TAP_IP6_HOST;
	else {
		err_set(err, ERR_BAD_VALUE,
		    "filter: 'host' wants an IPv4 or IPv6 address, not '%s'", word);
		return err_hint(err, "host 10.0.0.1");
	}
	return true;
}

static bool
take_port(struct reading *reading, struct err *err)
{
	struct tap_filter *filter = reading->filter;
	const char *word = next_word(reading);
	long long port;

	if (filter->has_port)
		return err_set(err, ERR_BAD_VALUE, "filter: one port only");
	if (!str_to_i64(word, 1, UINT16_MAX, &port)) {
		err_set(err, ERR_BAD_VALUE, "filter: 'port' wants a number up to %d, not '%s'",
		    UINT16_MAX, word);
		return err_hint(err, "port 80");
	}
	filter->has_port = true;
	filter->port = (uint16_t)port;
	return true;
}

static bool
take_direction(struct tap_filter *filter, bool is_sent, struct err *err)
{
	if (!(is_sent ? filter->sent : filter->received))
		return err_set(
		    err, ERR_BAD_VALUE, "filter: no frame is sent and received by one node");
	filter->sent = is_sent;
	filter->received = !is_sent;
	return true;
}

static bool
take_term(struct reading *reading, struct err *err)
{
	const char *word = next_word(reading);

	for (size_t i = 0; i < N_FACTS; i++) {
		const struct fact *fact = &facts[i];

		if (strcmp(word, fact->word) != 0)
			continue;
		return (!fact->type || take_type(reading->filter, fact->type, err)) &&
		       (!fact->protocol || take_protocol(reading->filter, fact->protocol, err));
	}
	if (!strcmp(word, "ether"))
		return take_ether(reading, err);
	if (!strcmp(word, "host"))
		return take_host(reading, err);
	if (!strcmp(word, "port"))
		return take_port(reading, err);
	if (!strcmp(word, "sent") || !strcmp(word, "received"))
		return take_direction(reading->filter, !strcmp(word, "sent"), err);
	return refuse_word(word, err);
}

static bool
read_terms(struct reading *reading, struct err *err)
{
	while (take_term(reading, err)) {
		const char *word = next_word(reading);

		if (!word[0])
			return true;
		if (!strcmp(word, "and"))
			continue;
		/* As tcpdump would have it: `tcp port 80`. */
		if (!strcmp(word, "port") || !strcmp(word, "host")) {
			reading->rest -= strlen(word);
			continue;
		}
		err_set(err, ERR_BAD_VALUE, "filter: 'and' was expected before '%s'", word);
		return err_hint(err, "facts are joined by 'and': tcp and port 80");
	}
	return false;
}

/* What can fit no frame is a mistake, not a filter. */
static bool
check_sense(const struct tap_filter *filter, struct err *err)
{
	bool is_ip = !filter->has_type || filter->type == TYPE_IP;
	bool is_ip6 = !filter->has_type || filter->type == TYPE_IP6;
	bool has_ports = !filter->has_protocol || filter->protocol == PROTOCOL_TCP ||
			 filter->protocol == PROTOCOL_UDP;

	if ((filter->has_protocol || filter->has_port) && !is_ip && !is_ip6)
		return err_set(err, ERR_BAD_VALUE,
		    "filter: frames of type 0x%04x have no protocol of IP", filter->type);
	if (filter->has_port && !has_ports)
		return err_set(err, ERR_BAD_VALUE, "filter: only tcp and udp have ports");
	if (filter->host == TAP_IP_HOST && !is_ip && filter->type != TYPE_ARP)
		return err_set(err, ERR_BAD_VALUE,
		    "filter: frames of type 0x%04x have no IPv4 address", filter->type);
	if (filter->host == TAP_IP6_HOST && !is_ip6)
		return err_set(err, ERR_BAD_VALUE,
		    "filter: frames of type 0x%04x have no IPv6 address", filter->type);
	return true;
}

bool
tap_filter_read(const char *text, struct tap_filter *filter, struct err *err)
{
	struct tap_filter found = {.sent = true, .received = true};
	struct reading reading = {.rest = text ? text : "", .filter = &found};

	reading.rest += strspn(reading.rest, blanks);
	if (*reading.rest && (!read_terms(&reading, err) || !check_sense(&found, err)))
		return false;
	*filter = found;
	return true;
}
