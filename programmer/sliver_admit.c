/*
 * Admit: may this node be held? Its form and image must fit, and its share of the host be free.
 */
#include <string.h>

#include "lib/model/units.h"
#include "programmer/sliver.h"

static bool charge(const struct programmer *programmer, const struct row *row, struct arena *arena,
    struct capacity *sum, struct err *err);
static bool check_image(const struct sliver *sliver, const struct image *image, struct err *err);
static bool check_room(const struct programmer *programmer, const struct capacity *used,
    const struct capacity *wanted, struct err *err);

bool
sliver_admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	struct programmer *programmer = self;
	auto_arena struct arena *arena = arena_new();
	struct capacity used = {0}, wanted;
	struct sliver sliver;
	struct image image;

	(void)txn;
	if (!sliver_read(programmer, row, arena, &sliver, err) ||
	    !image_find(programmer->conf.images, sliver.spec.image, arena, &image, err) ||
	    !check_image(&sliver, &image, err))
		return false;
	if (sliver.form == NODE_CONTAINER && programmer->idmap < 0)
		return err_set(err, ERR_S08, "this host cannot run containers");
	wanted = (struct capacity){.cpu = sliver.spec.cpu,
	    .memory_bytes = sliver.spec.memory_bytes,
	    .disk_bytes = sliver.spec.disk_bytes ? sliver.spec.disk_bytes : image.disk_bytes};
	for (size_t i = 0; i < book->n_rows; i++)
		if (str_equal(book->rows[i].kind, sliver_kind) && book->rows[i].rid != row->rid &&
		    !charge(programmer, &book->rows[i], arena, &used, err))
			return false;
	if (!check_room(programmer, &used, &wanted, err))
		return false;
	/* What the image says may change; what was charged may not. */
	str_addf(result, "disk_bytes=%lld\n", (long long)wanted.disk_bytes);
	return true;
}

static bool
charge(const struct programmer *programmer, const struct row *row, struct arena *arena,
    struct capacity *sum, struct err *err)
{
	const char *disk = row->result ? spec_value(row->result, "disk_bytes", arena) : NULL;
	struct sliver sliver;
	long long disk_bytes;

	if (!sliver_read(programmer, row, arena, &sliver, err))
		return err_in(err, "a row held already");
	if (!disk || !str_to_i64(disk, 0, INT64_MAX, &disk_bytes))
		disk_bytes = sliver.spec.disk_bytes;
	sum->cpu += sliver.spec.cpu;
	sum->memory_bytes += sliver.spec.memory_bytes;
	sum->disk_bytes += disk_bytes;
	return true;
}

static bool
check_image(const struct sliver *sliver, const struct image *image, struct err *err)
{
	if (sliver->form != image->form)
		return err_set(err, ERR_S08, "image '%s' is made for a %s, the node is a %s",
		    image->name, node_form_text(image->form), node_form_text(sliver->form));
	if (sliver->spec.memory_bytes < image->memory_bytes)
		return err_set(err, ERR_S08, "image '%s' needs %s of memory, the node has %s",
		    image->name, size_text(image->memory_bytes).text,
		    size_text(sliver->spec.memory_bytes).text);
	return true;
}

static bool
check_room(const struct programmer *programmer, const struct capacity *used,
    const struct capacity *wanted, struct err *err)
{
	const struct capacity *all = &programmer->conf.capacity;
	int64_t memory_free = all->memory_bytes - used->memory_bytes;
	int64_t disk_free = all->disk_bytes - used->disk_bytes;

	if (wanted->cpu > all->cpu - used->cpu)
		return err_set(err, ERR_R01, "cpu: %lld wanted, %lld of %lld free",
		    (long long)wanted->cpu, (long long)(all->cpu - used->cpu), (long long)all->cpu);
	if (wanted->memory_bytes > memory_free)
		return err_set(err, ERR_R01, "memory: %s wanted, %s of %s free",
		    size_text(wanted->memory_bytes).text, size_text(memory_free).text,
		    size_text(all->memory_bytes).text);
	if (wanted->disk_bytes > disk_free)
		return err_set(err, ERR_R01, "disk: %s wanted, %s of %s free",
		    size_text(wanted->disk_bytes).text, size_text(disk_free).text,
		    size_text(all->disk_bytes).text);
	return true;
}
