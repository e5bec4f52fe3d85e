/*
 * A picture of the kernel that all rows looked at within the same moment share: devices, classes of
 * the shapers, next hops. Thousands of link ends are looked at each second, and one dump is cheaper
 * than as many questions. It may be out of date by VIEW_MS: what it says is amiss is asked of the
 * kernel itself before anybody acts on it.
 *
 * Every function takes a view; NULL: the kernel is asked. Any thread.
 */
#pragma once

#include "lib/net/device.h"
#include "lib/net/tc.h"

struct kernel_view;

enum { VIEW_MS = 400 };

void kernel_view_free(struct kernel_view *view);

/* The netlink is borrowed. */
struct kernel_view *kernel_view_new(struct netlink *netlink) malloc_by(kernel_view_free) must_check;

/* Devices have changed, nobody knows which: they are listed anew for whoever looks next. */
void kernel_view_stale(struct kernel_view *view);

/* This one has changed (or gone). */
void kernel_view_device(struct kernel_view *view, const struct device *device, bool is_gone);

/* ERR_NOT_FOUND: there is none of that name. */
bool kernel_device(struct kernel_view *view, struct netlink *netlink, const char *name,
    struct device *device, struct err *err) must_check;

/* The address of a veth's other half, as it was some seconds ago at most; false: it is not in
 * another network namespace, or cannot be asked there. `mac` is all 0 then. */
bool kernel_far(struct kernel_view *view, struct netlink *netlink, const struct device *device,
    unsigned char mac[6]) must_check;

/* ERR_NOT_FOUND: the device's shaper has no such class. */
bool kernel_class(struct kernel_view *view, struct netlink *netlink, uint32_t device,
    uint32_t minor, struct tc_class *class, struct err *err) must_check;

/* As neigh_resolve. */
bool kernel_next_hop(struct kernel_view *view, struct netlink *netlink, uint32_t device,
    uint32_t address, unsigned char mac[6], struct err *err) must_check;
