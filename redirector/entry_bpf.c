/*
 * Everything that is the same for all frames of a link is worked out here, once.
 */
#include "redirector/entry_bpf.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <netinet/in.h>
#include <string.h>

enum { TTL = 64, DONT_FRAGMENT = 0x4000, IPV4_HEADER = 20, OUTER = ETH_HLEN + IPV4_HEADER };

static const uint64_t ns_per_byte = 8000000000; /* at 1 bit/s */

static uint32_t
flags_of(const struct dataplane_link *link)
{
	static const struct {
		uint32_t from, to;
	} same[] = {
	    {LINK_UDP, REDIRECT_UDP},
	    {LINK_STT, REDIRECT_STT},
	    {LINK_STAMP, REDIRECT_STAMP},
	    {LINK_NO_TAGS, REDIRECT_NO_TAGS},
	    {LINK_NO_GSO, REDIRECT_NO_GSO},
	};

	uint32_t flags = link->is_open ? REDIRECT_OPEN : 0;

	if (!link->type)
		return flags | REDIRECT_DIRECT;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (link->type->flags & same[i].from)
			flags |= same[i].to;
	return flags;
}

/* ---- the header -------------------------------------------------------------------------------
 */

static uint64_t
room_of(const struct link_type *type)
{
	uint64_t flags =
	    BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L2_ETH;

	if (type->protocol == IPPROTO_GRE)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_GRE;
	else if (type->protocol == IPPROTO_UDP)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
	return flags;
}

static uint32_t
sum_of(const void *bytes, size_t size)
{
	uint32_t sum = 0;
	uint16_t word;

	for (size_t i = 0; i < size; i += sizeof(word)) {
		memcpy(&word, (const char *)bytes + i, sizeof(word));
		sum += word;
	}
	return sum;
}

static void
fill_head(const struct dataplane_link *link, struct redirect_departure *departure)
{
	struct ethhdr ethernet = {.h_proto = htons(ETH_P_IP)};
	struct iphdr ip = {
	    .version = 4,
	    .ihl = IPV4_HEADER / 4,
	    .frag_off = htons(DONT_FRAGMENT),
	    .ttl = TTL,
	    .protocol = link->type->protocol,
	    .saddr = link->local,
	    .daddr = link->remote,
	};

	memcpy(ethernet.h_dest, link->next_hop, ETH_ALEN);
	memcpy(ethernet.h_source, link->own, ETH_ALEN);
	memcpy(departure->head, &ethernet, ETH_HLEN);
	memcpy(departure->head + ETH_HLEN, &ip, IPV4_HEADER);
	link->type->head(&link->end, departure->head + OUTER);
	departure->ip_sum = sum_of(&ip, IPV4_HEADER);
	departure->room = room_of(link->type);
}

/* ---- the policer ------------------------------------------------------------------------------
 */

/* No link is slower than some 30 bit/s: see time_of in bpf/leave.bpf.h. */
static uint64_t
cost_of(uint64_t rate_bps)
{
	uint64_t cost = rate_bps ? (ns_per_byte << REDIRECT_COST_SHIFT) / rate_bps : 0;

	return cost < REDIRECT_COST_MAX ? cost : REDIRECT_COST_MAX;
}

static uint64_t
time_of(uint64_t bytes, uint64_t rate_bps)
{
	return rate_bps ? (uint64_t)((unsigned __int128)bytes * ns_per_byte / rate_bps) : 0;
}

static void
fill_policer(const struct dataplane_link *link, struct redirect_departure *departure)
{
	uint64_t excess_bps =
	    link->police_ceil_bps > link->police_bps ? link->police_ceil_bps - link->police_bps : 0;

	if (!link->police_bps && !excess_bps)
		return;
	departure->flags |= REDIRECT_POLICE;
	departure->cost = cost_of(link->police_bps);
	departure->burst_ns = time_of(link->police_burst_bytes, link->police_bps);
	departure->excess_cost = cost_of(excess_bps);
	departure->excess_burst_ns = time_of(link->police_burst_bytes, excess_bps);
}

/* All but where the frames go. */
static struct redirect_departure
departure_of(const struct dataplane_link *link, uint32_t slot)
{
	struct redirect_departure departure = {
	    .rid = link->rid,
	    .slot = slot,
	    .underlay = link->underlay,
	    .flags = flags_of(link),
	    .mtu = link->mtu,
	    .class = link->class_handle,
	    .excess_class = link->excess_handle,
	    .first_class = link->first_handle,
	    .first_dscp = link->first_dscp,
	};

	if (link->type)
		departure.head_size = (uint32_t)OUTER + link->type->head_size;
	if (link->first_dscp)
		departure.flags |= REDIRECT_FIRST;
	fill_policer(link, &departure);
	return departure;
}

struct redirect_departure
entry_departure(const struct dataplane_link *link, uint32_t slot)
{
	struct redirect_departure departure = departure_of(link, slot);

	if (link->type)
		fill_head(link, &departure);
	return departure;
}

/* ---- arrivals ---------------------------------------------------------------------------------
 */

struct redirect_arrival
entry_arrival(const struct dataplane_link *link, uint32_t slot)
{
	struct redirect_arrival arrival = {
	    .rid = link->rid,
	    .slot = slot,
	    .port = link->port,
	    .local = link->local,
	    .remote = link->remote,
	    .flags = flags_of(link) | (link->is_far ? REDIRECT_FAR : 0u),
	};

	memcpy(arrival.far, link->far, sizeof(arrival.far));
	return arrival;
}

struct redirect_arrival_key
entry_arrival_key(const struct dataplane_link *link, uint8_t nth)
{
	return (struct redirect_arrival_key){
	    .id = link->end.id,
	    .underlay = link->underlay,
	    .format = entry_format_key(link->type, nth),
	};
}

struct redirect_format_key
entry_format_key(const struct link_type *type, uint8_t nth)
{
	return (struct redirect_format_key){
	    .protocol = type->protocol,
	    .nth = nth,
	    .discriminator = htons(type->discriminator),
	};
}

struct redirect_format
entry_format(const struct link_type *type)
{
	assert(type->head_size <= LINK_HEAD_MAX && type->id_bits && type->id_bits <= 64);
	return (struct redirect_format){
	    .head_size = (uint32_t)OUTER + type->head_size,
	    .id_offset = (uint32_t)OUTER + type->id_offset,
	    .id_shift = 64u - type->id_bits,
	    .match_offset = (uint32_t)OUTER + type->match_offset,
	    .match_mask = htonl(type->match_mask),
	    .match_value = htonl(type->match_value),
	};
}

struct dataplane_way
entry_way(const struct redirect_departure *departure)
{
	struct dataplane_way way = {
	    .underlay = departure->underlay,
	    .is_open = departure->flags & REDIRECT_OPEN,
	};

	memcpy(&way.remote, departure->head + ETH_HLEN + offsetof(struct iphdr, daddr),
	    sizeof(way.remote));
	memcpy(way.next_hop, departure->head, sizeof(way.next_hop));
	return way;
}

/* ---- driver `device` --------------------------------------------------------------------------
 */

struct redirect_departure
entry_tunnel_departure(
    const struct dataplane_link *link, uint32_t slot, uint8_t kind, uint32_t device)
{
	struct redirect_departure departure = departure_of(link, slot);

	departure.tunnel = (struct redirect_tunnel){
	    .device = device,
	    .id = (uint32_t)link->end.id,
	    .local = link->local,
	    .remote = link->remote,
	    .next_hop_address = link->next_hop_address,
	    .kind = kind,
	};
	memcpy(departure.tunnel.next_hop, link->next_hop, ETH_ALEN);
	if (link->is_loop)
		departure.flags |= REDIRECT_DIRECT;
	return departure;
}

struct redirect_arrival_key
entry_tunnel_key(const struct dataplane_link *link, uint32_t device)
{
	return (struct redirect_arrival_key){
	    .id = link->end.id,
	    .underlay = device,
	    .local = link->is_loop ? 0 : link->local,
	};
}

struct redirect_arrival
entry_tunnel_arrival(const struct dataplane_link *link, uint32_t slot)
{
	struct redirect_arrival arrival = entry_arrival(link, slot);

	if (link->is_loop)
		arrival.local = arrival.remote = 0;
	return arrival;
}

struct dataplane_way
entry_tunnel_way(const struct redirect_departure *departure)
{
	struct dataplane_way way = {
	    .underlay = departure->underlay,
	    .remote = departure->tunnel.remote,
	    .is_open = departure->flags & REDIRECT_OPEN,
	};

	memcpy(way.next_hop, departure->tunnel.next_hop, sizeof(way.next_hop));
	return way;
}
