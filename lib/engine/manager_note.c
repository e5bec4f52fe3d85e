/*
 * Notes of the manager: what it has put right by itself, for those who are told (hello, notes).
 */
#include <stdlib.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/engine/manager_part.h"

static struct kept_note *
note_at(const struct manager *manager, int64_t seq)
{
	return &manager->notes[seq % NOTES_MAX];
}

static void
note_clear(struct kept_note *kept)
{
	free(kept->kind);
	free(kept->what);
	free(kept->text);
	*kept = (struct kept_note){0};
}

/* The oldest that is kept. */
static int64_t
first_seq(const struct manager *manager)
{
	return manager->n_notes < NOTES_MAX ? 1 : manager->n_notes - NOTES_MAX + 1;
}

static bool
is_just_noted(const struct manager *manager, uint64_t rid, const char *text, int64_t now_ms)
{
	for (int64_t seq = manager->n_notes; seq >= first_seq(manager); seq--) {
		const struct kept_note *kept = note_at(manager, seq);

		if (now_ms - kept->boot_ms > NOTE_QUIET_MS)
			return false;
		if (kept->rid == rid && str_equal(kept->text, text))
			return true;
	}
	return false;
}

bool
note_add(struct manager *manager, const struct row *row, const char *what, const char *text)
{
	int64_t now_ms = clock_boot_ms(manager->config.clock);
	struct kept_note *kept;

	if (is_just_noted(manager, row->rid, text, now_ms))
		return false;
	kept = note_at(manager, ++manager->n_notes);
	note_clear(kept);
	*kept = (struct kept_note){.boot_ms = now_ms,
	    .wall_ms = clock_wall_ms(manager->config.clock),
	    .rid = row->rid,
	    .kind = xstrdup(row->kind),
	    .what = xstrdup(what),
	    .text = xstrdup(text)};
	log_info("engine", "event=%s kind=%s rid=%s text=\"%s\"", what, row->kind,
	    id_text(row->rid).text, text);
	return true;
}

void
manager_note(struct manager *manager, uint64_t rid, const char *what, const char *text)
{
	static const struct row host = {.kind = "host"};
	struct item *item;
	bool is_new;

	pthread_mutex_lock(&manager->lock);
	item = map_get_id(manager->items, rid);
	is_new = (item || !rid) && note_add(manager, item ? &item->row : &host, what, text);
	pthread_mutex_unlock(&manager->lock);
	if (is_new && manager->config.noted)
		manager->config.noted(manager->config.self);
}

size_t
manager_notes(struct manager *manager, int64_t after, size_t most, struct arena *arena,
    const struct manager_note **notes)
{
	struct manager_note *found;
	size_t n = 0;

	pthread_mutex_lock(&manager->lock);
	if (after + 1 < first_seq(manager))
		after = first_seq(manager) - 1;
	if (manager->n_notes - after < (int64_t)most)
		most = manager->n_notes > after ? (size_t)(manager->n_notes - after) : 0;
	found = arena_alloc(arena, (most + 1) * sizeof(*found));
	for (; n < most; n++) {
		const struct kept_note *kept = note_at(manager, after + 1 + (int64_t)n);

		found[n] = (struct manager_note){.seq = after + 1 + (int64_t)n,
		    .at_ms = kept->wall_ms,
		    .rid = kept->rid,
		    .kind = arena_text(arena, kept->kind),
		    .what = arena_text(arena, kept->what),
		    .text = arena_text(arena, kept->text)};
	}
	pthread_mutex_unlock(&manager->lock);
	*notes = found;
	return n;
}

void
notes_free(struct manager *manager)
{
	for (size_t i = 0; i < NOTES_MAX; i++)
		note_clear(&manager->notes[i]);
	free(manager->notes);
}
