/*
 * What is remembered of a node while programmerd runs: nothing here must survive it.
 */
#include <stdlib.h>

#include "programmer/sliver.h"

bool
note_get(struct programmer *programmer, uint64_t rid, struct node_note *note)
{
	const struct node_note *found;

	pthread_mutex_lock(&programmer->lock);
	found = map_get_id(programmer->notes, rid);
	if (found)
		*note = *found;
	pthread_mutex_unlock(&programmer->lock);
	return found != NULL;
}

void
note_put(struct programmer *programmer, const struct node_note *note)
{
	struct node_note *copy = xmalloc(sizeof(*copy));

	*copy = *note;
	pthread_mutex_lock(&programmer->lock);
	free(map_put_id(programmer->notes, note->rid, copy));
	pthread_mutex_unlock(&programmer->lock);
}

void
note_drop(struct programmer *programmer, uint64_t rid)
{
	pthread_mutex_lock(&programmer->lock);
	free(map_drop_id(programmer->notes, rid));
	pthread_mutex_unlock(&programmer->lock);
}
