/*
 * Any text as a filter of captures: a refusal has a code and words, what is taken can fit a frame,
 * and blanks more or less change nothing. Run by hand:
 *     cmake --preset fuzz && cmake --build build-fuzz --target fuzz_filter
 *     build-fuzz/test/fuzz_filter -max_len=200 -only_ascii=1 NEW_CORPUS
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/str.h"
#include "redirector/tap_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool
is_same(const struct tap_filter *a, const struct tap_filter *b)
{
	return a->sent == b->sent && a->received == b->received && a->has_type == b->has_type &&
	       a->has_protocol == b->has_protocol && a->has_port == b->has_port &&
	       a->type == b->type && a->protocol == b->protocol && a->port == b->port &&
	       a->host == b->host && !memcmp(a->address, b->address, sizeof(a->address));
}

static void
read_again(const char *text, const struct tap_filter *filter)
{
	auto_str struct str wider = {0};
	struct tap_filter again;
	struct err err = {0};

	str_addf(&wider, " \t%s ", text);
	assert(tap_filter_read(str_text(&wider), &again, &err));
	assert(is_same(filter, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	auto_str struct str text = {0};
	struct tap_filter filter;
	struct err err = {0};

	str_add_bytes(&text, bytes, size);
	if (!tap_filter_read(str_text(&text), &filter, &err)) {
		assert(err.code == ERR_BAD_VALUE && err.text[0]);
		return 0;
	}
	assert(filter.sent || filter.received);
	assert(!filter.has_port || filter.port);
	assert(filter.has_type || !filter.type);
	read_again(str_text(&text), &filter);
	return 0;
}
