/*
 * The words of a capture's filter.
 */
#include "redirector/tap_filter.h"

#include <arpa/inet.h>
#include <string.h>

#include "test/support/suite.h"

static struct tap_filter
read_good(const char *text)
{
	struct tap_filter filter = {0};
	struct err err = {0};
	bool is_good = tap_filter_read(text, &filter, &err);

	if (!is_good)
		printf("\n'%s': %s\n", text ? text : "NULL", err.text);
	CU_ASSERT_TRUE(is_good);
	return filter;
}

static void
no_words_are_all_frames(void)
{
	static const char *const texts[] = {NULL, "", "  \t "};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct tap_filter filter = read_good(texts[i]);

		CU_ASSERT_TRUE(filter.sent && filter.received);
		CU_ASSERT_FALSE(filter.has_type || filter.has_protocol || filter.has_port);
		CU_ASSERT_EQUAL(filter.host, TAP_ANY_HOST);
	}
}

static void
each_word_is_its_fact(void)
{
	static const struct {
		const char *text;
		uint16_t type; /* 0 = any */
		uint8_t protocol;
		uint16_t port;
	} cases[] = {
	    {"arp", 0x0806, 0, 0},
	    {"ip", 0x0800, 0, 0},
	    {"ip6", 0x86dd, 0, 0},
	    {"icmp", 0x0800, 1, 0},
	    {"icmp6", 0x86dd, 58, 0},
	    {"tcp", 0, 6, 0},
	    {"udp", 0, 17, 0},
	    {"ether 0x88cc", 0x88cc, 0, 0},
	    {"ether 2048", 0x0800, 0, 0},
	    {"port 80", 0, 0, 80},
	    {"tcp port 80", 0, 6, 80},
	    {"ip and tcp and port 65535", 0x0800, 6, 65535},
	    {"  ip   and\tudp ", 0x0800, 17, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tap_filter filter = read_good(cases[i].text);

		CU_ASSERT_EQUAL(filter.has_type, cases[i].type != 0);
		CU_ASSERT_EQUAL(filter.type, cases[i].type);
		CU_ASSERT_EQUAL(filter.has_protocol, cases[i].protocol != 0);
		CU_ASSERT_EQUAL(filter.protocol, cases[i].protocol);
		CU_ASSERT_EQUAL(filter.has_port, cases[i].port != 0);
		CU_ASSERT_EQUAL(filter.port, cases[i].port);
	}
}

static void
a_host_has_an_address_of_its_family(void)
{
	struct tap_filter filter = read_good("host 10.0.0.1 and udp");
	uint32_t address;
	struct in6_addr address6;

	CU_ASSERT_EQUAL(filter.host, TAP_IP_HOST);
	memcpy(&address, filter.address, sizeof(address));
	CU_ASSERT_EQUAL(address, htonl(0x0a000001));
	filter = read_good("tcp host fe80::1");
	CU_ASSERT_EQUAL(filter.host, TAP_IP6_HOST);
	assert_equal(inet_pton(AF_INET6, "fe80::1", &address6), 1);
	CU_ASSERT_EQUAL(memcmp(filter.address, &address6, sizeof(address6)), 0);
}

static void
a_direction_excludes_the_other(void)
{
	struct tap_filter filter = read_good("sent and icmp");

	CU_ASSERT_TRUE(filter.sent && !filter.received);
	filter = read_good("received");
	CU_ASSERT_TRUE(filter.received && !filter.sent);
}

static void
a_wrong_filter_is_explained(void)
{
	static const struct {
		const char *text, *why, *hint;
	} cases[] = {
	    {"imcp", "'imcp' is no word", "'icmp'?"},
	    {"tcp or udp", "'and' was expected before 'or'", "joined by 'and'"},
	    {"tcp and", "something must follow 'and'", "ether TYPE"},
	    {"tcp and udp", "the protocols 6 and 17 at once", ""},
	    {"ip and arp", "type 0x0800 and 0x0806 at once", ""},
	    {"port http", "'port' wants a number", "port 80"},
	    {"port 65536", "'port' wants a number", ""},
	    {"port 0", "'port' wants a number", ""},
	    {"host alice", "not 'alice'", "host 10.0.0.1"},
	    {"host 1.2.3.4 and host 1.2.3.5", "one host only", ""},
	    {"port 1 and port 2", "one port only", ""},
	    {"ether 20", "'ether' wants a type, not '20'", "ether 0x88cc"},
	    {"ether", "'ether' wants a type", ""},
	    {"sent and received", "sent and received", ""},
	    {"icmp and port 80", "only tcp and udp have ports", ""},
	    {"arp and tcp", "no protocol of IP", ""},
	    {"ip6 and host 10.0.0.1", "no IPv4 address", ""},
	    {"ip and host ::1", "no IPv6 address", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tap_filter filter;
		struct err err = {0};
		bool is_refused = !tap_filter_read(cases[i].text, &filter, &err);
		bool is_explained =
		    strstr(err.text, cases[i].why) && strstr(err.hint, cases[i].hint);

		if (!is_refused || !is_explained)
			printf("\n'%s': %s (%s)\n", cases[i].text, err.text, err.hint);
		CU_ASSERT_TRUE(is_refused && is_explained);
		CU_ASSERT_EQUAL(err.code, ERR_BAD_VALUE);
	}
}

static void
an_overlong_word_is_none(void)
{
	char text[400];
	struct tap_filter filter;
	struct err err = {0};

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CU_ASSERT_FALSE(tap_filter_read(text, &filter, &err));
}

/* Words of four bytes, as a reader on a little-endian machine sees them; a line a block. */

static const struct test tests[] = {
    TEST(no_words_are_all_frames),
    TEST(each_word_is_its_fact),
    TEST(a_host_has_an_address_of_its_family),
    TEST(a_direction_excludes_the_other),
    TEST(a_wrong_filter_is_explained),
    TEST(an_overlong_word_is_none),
};

suite_main("tap_filter", tests)
