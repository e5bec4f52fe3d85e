/*
 * Any bytes as a slice document: no pass may crash, leak or run away, a refusal has a code, and
 * what is accepted can be written and read again. Run by hand:
 *     cmake --preset fuzz && cmake --build build-fuzz --target fuzz_slice
 *     build-fuzz/test/fuzz_slice -max_len=20000 NEW_CORPUS test/data/slice test/data/slice/bad
 */
#include <assert.h>
#include <stdint.h>

#include "lib/model/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
read_again(const struct slice *slice)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str first = {0}, second = {0};
	struct slice *again = NULL;
	diagnoses found = {0};

	slice_write(slice, &first);
	if (first.len <= 1 << 20) { /* escapes may make it longer than what is let in */
		assert(slice_read(first.text, first.len, arena, &again, &found));
		slice_write(again, &second);
		assert(str_equal(first.text, second.text));
	}
	vec_done(&found);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct slice_image images[] = {{"vm-minimal", SLICE_FORM_VM, 0}};
	static const struct slice_host hosts[] = {{"vnode-a", false}, {"agw-1", true}};
	static const struct slice_world world = {"vendor", images, 1, hosts, 2};
	auto_arena struct arena *arena = arena_new();
	struct slice *slice = NULL;
	diagnoses found = {0};

	if (slice_read((const char *)bytes, size, arena, &slice, &found)) {
		bool has_values = slice_defaults(slice, arena, &found);
		bool is_good = slice_check(slice, &world, &found) && has_values;

		assert(is_good == (diagnoses_errors(&found, 0) == 0));
		read_again(slice);
	} else {
		assert(diagnoses_errors(&found, 0) > 0);
	}
	for (size_t i = 0; i < found.n; i++)
		assert(found.items[i].code != ERR_NONE && found.items[i].text[0]);
	vec_done(&found);
	return 0;
}
