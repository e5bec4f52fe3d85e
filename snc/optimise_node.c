/*
 * A better host of a node: what is usable of a room counts as that of a rate does (optimise_net.c),
 * so that nodes come together on hosts that are taken in part, and leave others whole. The ways of
 * its links there are the placing core's. Its links may lose what they carry by one hop more, and a
 * node goes only where no document says where it is to be.
 */
#include <string.h>

#include "lib/model/units.h"
#include "snc/optimise.h"

/* A move that gains less than this part of a host is not worth the restart. */
static const double WORTH = 0.02;

enum { TRIES_MAX = 3, KINDS = 3 };

/* One node on its way. */
struct trip {
	struct optimising *optimising;
	struct mover *mover;
	const struct slice_node *node;
	unsigned from, to; /* hosts */
	double gain;       /* of room */
	bool is_off;       /* off a host in maintenance: that is worth a move by itself */
	struct optimise_link *old, *new;
	size_t n_old, n_new;
};

/* ---- room ------------------------------------------------------------------------------------ */

static double
usable(int64_t free, int64_t size)
{
	double part = size > 0 && free > 0 ? (double)free / (double)size : 0;

	return part * part / KINDS;
}

/* With the node there (1), or without it (0). */
static double
usable_of(const struct substrate_host *host, const struct slice_node *node, int sign)
{
	return usable(host->cpu_free - sign * node->cpu, host->cpu) +
	       usable(host->memory_free_bytes - sign * node->memory_bytes, host->memory_bytes) +
	       usable(host->disk_free_bytes - sign * node->disk_bytes, host->disk_bytes);
}

static double
room_gain(
    const struct substrate *substrate, const struct slice_node *node, unsigned from, unsigned to)
{
	const struct substrate_host *a = &substrate->hosts[from], *b = &substrate->hosts[to];

	return usable_of(a, node, -1) - usable_of(a, node, 0) + usable_of(b, node, 1) -
	       usable_of(b, node, 0);
}

static bool
has_room(const struct substrate_host *host, const struct slice_node *node)
{
	return host->is_up && !host->drained && host->cpu_free >= node->cpu &&
	       host->memory_free_bytes >= node->memory_bytes &&
	       host->disk_free_bytes >= node->disk_bytes;
}

/* The best host of those that gain less than `below`; false when there is none that is worth it. A
 * node on a host in maintenance goes to the best of all, whatever that costs. */
static bool
next_host(struct trip *trip, double below)
{
	const struct substrate *substrate = trip->optimising->substrate;
	double least = trip->is_off ? -KINDS : WORTH, best = -KINDS;
	bool is_any = false;

	for (unsigned i = 0; i < substrate->n_hosts; i++) {
		double gain;

		if (i == trip->from || !has_room(&substrate->hosts[i], trip->node))
			continue;
		gain = room_gain(substrate, trip->node, trip->from, i);
		if (gain < least || (is_any && gain <= best) || gain >= below)
			continue;
		is_any = true;
		best = gain;
		trip->to = i;
	}
	trip->gain = best;
	return is_any;
}

/* ---- what a modify would make of it ---------------------------------------------------------- */

static bool
is_at(const struct slice *slice, const struct slice_link *link, const struct slice_node *node)
{
	for (unsigned k = 0; k < 2; k++) {
		const struct slice_bind_end *end = slice_link_end(slice, link, k);

		if (end && str_equal(end->sliver, node->name))
			return true;
	}
	return false;
}

/* The node begins anew, and its links with it; of a multipoint link all spokes are named. */
static void
make_diff(struct trip *trip)
{
	struct modify_work *work = &trip->mover->work;
	const struct slice_body *body = &work->old->body;
	struct slice_diff *diff = &work->diff;

	diff->items = arena_alloc(work->arena, (body->n_links + 1) * sizeof(diff->items[0]));
	diff->n = 1;
	diff->items[0] = (struct slice_change){.name = trip->node->name,
	    .way = SLICE_WAY_RESTART,
	    .is_rebuilt = true,
	    .text = "another host"};
	for (size_t i = 0; i < body->n_links; i++)
		if (is_at(work->old, &body->links[i], trip->node))
			diff->items[diff->n++] = (struct slice_change){.is_link = true,
			    .name = body->links[i].name,
			    .way = SLICE_WAY_LOCAL,
			    .is_rebuilt = true,
			    .text = "another way"};
}

/* The slice as it is, with a word on where the node goes. */
static void
pin(struct trip *trip)
{
	struct modify_work *work = &trip->mover->work;
	struct slice *slice = arena_new_of(work->arena, struct slice);
	size_t n = work->old->n_amaps;

	*slice = *work->old;
	slice->amaps = arena_alloc(work->arena, (n + 1) * sizeof(slice->amaps[0]));
	if (n)
		memcpy(slice->amaps, work->old->amaps, n * sizeof(slice->amaps[0]));
	slice->amaps[n] = (struct slice_amap){
	    .node = trip->node->name, .vnode = trip->optimising->substrate->hosts[trip->to].name};
	slice->n_amaps = n + 1;
	work->new = slice;
}

/* ---- ways ------------------------------------------------------------------------------------ */

static void
find_old(struct trip *trip)
{
	struct modify_work *work = &trip->mover->work;
	const struct slice_body *body = &work->old->body;

	trip->old = arena_alloc(work->arena, body->n_links * sizeof(trip->old[0]));
	trip->n_old = 0;
	for (size_t i = 0; i < body->n_links; i++)
		if (modify_is_new_link(work, &body->links[i]) &&
		    optimise_find_link(
			trip->optimising, work, &body->links[i], &trip->old[trip->n_old]))
			trip->n_old++;
}

/* A link of the mapping as the net has it; false for one on one host. */
static bool
read_way(struct trip *trip, const struct mapping_link *way, struct optimise_link *link)
{
	const struct substrate *substrate = trip->optimising->substrate;
	const struct slice_link *asked = way->link;
	const char **edges;

	if (way->is_local)
		return false;
	edges = arena_alloc(trip->mover->work.arena, way->path.n_edges * sizeof(edges[0]));
	for (size_t i = 0; i < way->path.n_edges; i++)
		edges[i] = substrate->graph->edges[way->path.edges[i]].name;
	*link = (struct optimise_link){
	    .host_a = (unsigned)(way->host_a - substrate->hosts),
	    .host_b = (unsigned)(way->host_b - substrate->hosts),
	    .up = rate_on_wire(asked->rate_up_bps, asked->mtu, asked->carrier.overhead),
	    .down = rate_on_wire(asked->rate_down_bps, asked->mtu, asked->carrier.overhead),
	};
	return optimise_net_find(&trip->optimising->net, link,
	    &(struct optimise_names){
		way->port_a->name, way->port_b->name, edges, way->path.n_edges});
}

static void
read_new(struct trip *trip)
{
	const struct mapping *mapping = &trip->mover->work.mapping;

	trip->new = arena_alloc(trip->mover->work.arena, mapping->n_links * sizeof(trip->new[0]));
	trip->n_new = 0;
	for (size_t i = 0; i < mapping->n_links; i++)
		if (read_way(trip, &mapping->links[i], &trip->new[trip->n_new]))
			trip->n_new++;
}

/* What the links carry, up and down: so much they may lose. */
static int64_t
carried(const struct trip *trip)
{
	int64_t sum = 0;

	for (size_t i = 0; i < trip->n_old; i++)
		sum += trip->old[i].up + trip->old[i].down;
	return sum;
}

/* ---- the move -------------------------------------------------------------------------------- */

static void
move_room(const struct trip *trip)
{
	struct substrate_host *hosts = trip->optimising->substrate->hosts;
	const struct slice_node *node = trip->node;

	hosts[trip->from].cpu_free += node->cpu;
	hosts[trip->from].memory_free_bytes += node->memory_bytes;
	hosts[trip->from].disk_free_bytes += node->disk_bytes;
	hosts[trip->to].cpu_free -= node->cpu;
	hosts[trip->to].memory_free_bytes -= node->memory_bytes;
	hosts[trip->to].disk_free_bytes -= node->disk_bytes;
}

static void
tell(struct trip *trip, int64_t gain_bps)
{
	const struct slice_record *record = &trip->mover->work.record;
	const struct substrate *substrate = trip->optimising->substrate;

	vec_push(&trip->optimising->moves, ((struct optimise_move){
					       .slice_id = record->id,
					       .slice = record->name,
					       .owner = record->owner,
					       .is_node = true,
					       .name = trip->node->name,
					       .way = SLICE_WAY_RESTART,
					       .from = substrate->hosts[trip->from].name,
					       .to = substrate->hosts[trip->to].name,
					       .gain_bps = gain_bps,
					       .gain_room = (int64_t)(trip->gain * 1000),
					       .reason = "",
					   }));
}

/* Do its links find ways to the host that cost others no more than they carry? */
static bool
goes_there(struct trip *trip)
{
	struct modify_work *work = &trip->mover->work;
	struct optimise_exchange exchange;
	diagnoses found = {0};
	int64_t gain_bps;
	bool is_placed;

	pin(trip);
	is_placed = modify_place(work, &found);
	vec_done(&found);
	if (!is_placed)
		return false;
	read_new(trip);
	exchange = (struct optimise_exchange){
	    .old = trip->old, .n_old = trip->n_old, .new = trip->new, .n_new = trip->n_new};
	gain_bps = optimise_net_exchange(&trip->optimising->net, &exchange);
	if (gain_bps < -carried(trip) && !trip->is_off)
		return false;
	exchange.is_taken = true;
	(void)optimise_net_exchange(&trip->optimising->net, &exchange);
	tell(trip, gain_bps);
	move_room(trip);
	return true;
}

static bool
try_node(struct trip *trip)
{
	struct modify_work *work = &trip->mover->work;
	const char *host = modify_host(work, trip->node);
	const struct substrate *substrate = trip->optimising->substrate;
	double below = KINDS;

	for (trip->from = 0; trip->from < substrate->n_hosts; trip->from++)
		if (str_equal(substrate->hosts[trip->from].name, host))
			break;
	if (!host || trip->from == substrate->n_hosts || !substrate->hosts[trip->from].is_up)
		return false;
	trip->is_off = substrate->hosts[trip->from].drained;
	make_diff(trip);
	find_old(trip);
	for (int i = 0; i < TRIES_MAX && next_host(trip, below); i++) {
		if (goes_there(trip))
			return true;
		below = trip->gain;
	}
	return false;
}

static bool
is_free(const struct slice *slice, const struct slice_node *node)
{
	for (size_t i = 0; i < slice->n_amaps; i++)
		if (str_equal(slice->amaps[i].node, node->name))
			return false;
	return !node->hub_of;
}

/* One node at a time: where it goes others may follow, when it is there. */
void
optimise_node(struct optimising *optimising, struct mover *mover)
{
	struct modify_work *work = &mover->work;
	const struct slice_body *body = &work->old->body;
	bool is_moved = false;

	optimise_net_show(&optimising->net, optimising->substrate);
	work->is_move = false; /* begun anew it is as the document says */
	for (size_t i = 0; i < body->n_nodes && !is_moved; i++) {
		struct trip trip = {
		    .optimising = optimising, .mover = mover, .node = &body->nodes[i]};

		is_moved = is_free(work->old, trip.node) && try_node(&trip);
	}
}
