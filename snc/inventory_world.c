/*
 * What all hosts together have, as the check of a document wants to know it.
 */
#include "snc/inventory_part.h"

/* Under the lock. */
static void
read_said(struct inventory *inventory)
{
	if (inventory->said_version == inventory->version)
		return;
	inventory->said_version = inventory->version;
	arena_free(inventory->said);
	inventory->said = arena_new();
	inventory->images.n = inventory->carriers.n = 0;
	vec_each (host, &inventory->hosts)
		for (int i = 0; i < n_daemons(host); i++) {
			const char *capacity = host->daemons[i].capacity;

			capacity_images(capacity, inventory->said, &inventory->images);
			capacity_carriers(capacity, inventory->said, &inventory->carriers);
		}
}

static void
copy_said(const struct inventory *inventory, struct arena *arena, struct slice_world *world)
{
	const struct capacity_images *images = &inventory->images;
	const struct capacity_carriers *carriers = &inventory->carriers;
	struct slice_image *image = arena_alloc(arena, images->n * sizeof(image[0]));
	struct slice_carrier *carrier = arena_alloc(arena, carriers->n * sizeof(carrier[0]));

	for (size_t i = 0; i < images->n; i++) {
		image[i] = images->items[i];
		image[i].name = arena_text(arena, image[i].name);
	}
	for (size_t i = 0; i < carriers->n; i++) {
		carrier[i] = carriers->items[i];
		carrier[i].type = arena_text(arena, carrier[i].type);
	}
	world->images = image;
	world->n_images = images->n;
	world->carriers = carrier;
	world->n_carriers = carriers->n;
}

void
inventory_world(struct inventory *inventory, struct arena *arena, struct slice_world *world)
{
	struct slice_host *hosts = arena_alloc(arena, inventory->hosts.n * sizeof(hosts[0]));

	for (size_t i = 0; i < inventory->hosts.n; i++) {
		const struct host *host = &inventory->hosts.items[i];

		hosts[i].name = arena_text(arena, host->name);
		hosts[i].is_agw = host->is_agw;
	}
	world->hosts = hosts;
	world->n_hosts = inventory->hosts.n;
	pthread_mutex_lock(&inventory->lock);
	read_said(inventory);
	copy_said(inventory, arena, world);
	pthread_mutex_unlock(&inventory->lock);
}
