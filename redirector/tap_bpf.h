/*
 * Taps in the maps of redirect.bpf.c: who wants copies, and the flag of the entries whose frames
 * are looked at for it. The caller holds the lock of the maps.
 */
#pragma once

#include "redirector/maps_bpf.h"

/* The flag that the entries of a link end have for its taps; 0 without. */
uint32_t tap_flag(const struct trace *trace);

/* Sets tap `nth`, for some seconds; NULL: off. ERR_NOT_FOUND without such a link end. */
bool tap_put(
    struct maps *maps, unsigned nth, const struct dataplane_tap *tap, struct err *err) must_check;

/* None of this link end is on: it goes, and its slot may be another's soon. */
bool taps_leave(struct maps *maps, uint64_t rid, struct err *err) must_check;

/* None is on: what an earlier run has left is taken back. */
bool taps_reset(struct maps *maps, struct err *err) must_check;

/* An event of vn_copies as the copy that it is. False: it is none. */
bool tap_copy(const void *event, size_t size, struct dataplane_copy *copy) must_check;
