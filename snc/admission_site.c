/*
 * What the rule of admission is asked about, from slices and substrates, and what its refusal says.
 */
#include "snc/admission.h"

#include "lib/base/when.h"
#include "lib/model/units.h"
#include "snc/lease.h"

#define HOUR_MS 3600000.0
#define ENDLESS_HOURS (365 * 24.0)
#define STORED                                                                                     \
	1e9 /* a weight is stored in billionths: even 1,000 of ten years are within 64 bits */

static const char *const things[ADMISSION_THINGS] = {"cpu", "memory", "disk", "rate"};

static struct admission_amounts
sum_of(const struct substrate *substrate, bool is_free)
{
	const struct graph *graph = substrate->graph;
	struct admission_amounts sum = {{0}};

	for (size_t i = 0; i < substrate->n_hosts; i++) {
		const struct substrate_host *host = &substrate->hosts[i];

		sum.of[ADMISSION_CPU] += (double)(is_free ? host->cpu_free : host->cpu);
		sum.of[ADMISSION_MEMORY] +=
		    (double)(is_free ? host->memory_free_bytes : host->memory_bytes);
		sum.of[ADMISSION_DISK] +=
		    (double)(is_free ? host->disk_free_bytes : host->disk_bytes);
	}
	for (size_t i = 0; graph && i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];

		sum.of[ADMISSION_RATE] +=
		    is_free ? (double)edge->free_ab_bps + (double)edge->free_ba_bps
			    : 2 * (double)edge->capacity_bps;
	}
	return sum;
}

static struct admission_amounts
less(const struct admission_amounts *a, const struct admission_amounts *b)
{
	struct admission_amounts left;

	for (size_t i = 0; i < ADMISSION_THINGS; i++)
		left.of[i] = a->of[i] - b->of[i];
	return left;
}

void
admission_load(const struct substrate *substrate, struct admission_case *asked)
{
	struct admission_amounts left = sum_of(substrate, true);

	asked->size = sum_of(substrate, false);
	asked->used = less(&asked->size, &left);
}

static struct admission_amounts
sum_nodes(const struct slice_body *body)
{
	struct admission_amounts sum = {{0}};

	for (size_t i = 0; i < body->n_nodes; i++) {
		const struct slice_node *node = &body->nodes[i];

		if (node->hub_of)
			continue;
		sum.of[ADMISSION_CPU] += (double)node->cpu;
		sum.of[ADMISSION_MEMORY] += (double)node->memory_bytes;
		sum.of[ADMISSION_DISK] += (double)node->disk_bytes;
	}
	return sum;
}

static double
rate_of(const struct slice_link *link)
{
	int64_t overhead = link->carrier.overhead;

	return (double)rate_on_wire(link->rate_up_bps, link->mtu, overhead) +
	       (double)rate_on_wire(link->rate_down_bps, link->mtu, overhead);
}

void
admission_asked(const struct slice *expanded, struct admission_case *asked)
{
	asked->asked = sum_nodes(&expanded->body);
	for (size_t i = 0; i < expanded->body.n_links; i++)
		asked->asked.of[ADMISSION_RATE] += rate_of(&expanded->body.links[i]);
}

void
admission_placed(const struct mapping *mapping, struct admission_case *asked)
{
	asked->takes = asked->asked;
	asked->takes.of[ADMISSION_RATE] = 0;
	for (size_t i = 0; i < mapping->n_links; i++)
		asked->takes.of[ADMISSION_RATE] +=
		    rate_of(mapping->links[i].link) * (double)mapping->links[i].path.n_edges;
}

void
admission_taken(const struct substrate *after, struct admission_case *asked)
{
	struct admission_amounts left = sum_of(after, true), used = less(&asked->size, &left);

	asked->takes = asked->asked = less(&used, &asked->used);
}

void
admission_window(struct calendar_span window, struct admission_case *asked)
{
	asked->life = window.until_ms == CALENDAR_EVER
			  ? ENDLESS_HOURS
			  : ((double)window.until_ms - (double)window.from_ms) / HOUR_MS;
}

/* The thing that makes it dear. */
static size_t
scarce_thing(const struct admission_case *asked)
{
	size_t worst = ADMISSION_RATE;
	double most = 0;

	for (size_t i = 0; i < ADMISSION_THINGS; i++) {
		double size = asked->size.of[i], load = size > 0 ? asked->used.of[i] / size : 0;
		double price = size > 0 ? load * load * asked->takes.of[i] / size : 0;

		if (price > most) {
			most = price;
			worst = i;
		}
	}
	return worst;
}

bool
admission_admits(const struct admission_case *asked, struct calendar_span window, struct err *err)
{
	double part = admission_part(asked), length_ms = part * asked->life * HOUR_MS;
	size_t thing = scarce_thing(asked);
	int64_t until_ms;

	if (part >= 1)
		return true;
	until_ms = lease_latest_end(window.from_ms, window.from_ms + (int64_t)length_ms);
	err_set(err, ERR_R06,
	    "%s: %.0f %% of the site's is taken then; of what takes as much for as long, %d %% is "
	    "admitted",
	    things[thing], 100 * asked->used.of[thing] / asked->size.of[thing], (int)(100 * part));
	if (until_ms <= window.from_ms)
		return err_hint(err, "`vnode slice find-slot` finds a time when less is taken");
	return err_hint(err,
	    "be smaller, or end at %s; `vnode slice check` tells what is small enough, `vnode "
	    "slice find-slot` when less is taken",
	    when_text(until_ms).text);
}

bool
admission_others(struct txn *txn, const struct admission_asker *asker, struct admission_case *asked,
    struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT count(*), coalesce(sum(weight), 0) FROM request WHERE owner <> ? OR name <> ?",
	    "tt", asker->owner, asker->name);

	if (!rows || !rows_next(rows))
		return false;
	asked->n_others = (size_t)rows_i64(rows, 0);
	asked->others = (double)rows_i64(rows, 1) / STORED;
	return true;
}

/* Nothing is written when somebody tries the same again and again. */
bool
admission_note(struct txn *txn, const struct admission_asker *asker, double weight, struct err *err)
{
	return txn_run(txn, err,
	    "INSERT OR REPLACE INTO request (owner, name, weight) SELECT ?1, ?2, ?3"
	    " WHERE NOT EXISTS (SELECT 1 FROM request"
	    "  WHERE owner = ?1 AND name = ?2 AND abs(weight - ?3) <= weight / 100)",
	    "tti", asker->owner, asker->name, (int64_t)(weight * STORED));
}
