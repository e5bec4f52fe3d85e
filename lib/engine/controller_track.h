/*
 * Which rows need a call, and when. The ticker's own.
 */
#pragma once

#include "lib/engine/controller_part.h"

/* A call is back; a row needs a call, a renewal, to be asked now, nothing. */
void flight_back(struct controller *controller, struct flight *flight);
struct peer *peer_get(struct controller *controller, const char *name);
bool peer_is_down(const struct peer *peer);
void peer_lives(struct controller *controller, struct peer *peer);
void track_need(struct controller *controller, const struct stored_row *row, enum verb verb);
void track_renew(struct controller *controller, const struct stored_row *row);
void track_ask(struct controller *controller, const struct stored_row *row, enum verb verb);
void track_drop(struct controller *controller, uint64_t rid);
void track_free(struct track *track);
/* The track takes off: it is in nobody's way until it is back. */
void track_fly(struct track *track);
/* The next track of a manager whose call may leave now, NULL when there is none. */
struct track *peer_due(const struct peer *peer, enum call_class class, int64_t now_ms);
/* May one more call to it be made? */
bool peer_has_room(const struct peer *peer, enum call_class class);
/* When something is due that nobody will signal; INT64_MAX = nothing. */
int64_t tracks_next_ms(struct controller *controller);
enum call_class verb_class(enum verb verb);
