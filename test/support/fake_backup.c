/*
 * A backup of the fake site's sncd, and its database put back to it.
 */
#include <stdio.h>

#include "test/support/fake_site.h"
#include "test/support/suite.h"

static void
copy_file(const char *from, const char *to)
{
	char buffer[65536];
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	size_t n;

	assert_true(in != NULL && out != NULL);
	while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0)
		assert_equal(fwrite(buffer, 1, n, out), n);
	fclose(in);
	assert_true(fclose(out) == 0);
}

void
fake_site_back_up(struct fake_site *site)
{
	struct txn *txn = store_begin(site->store); /* nobody writes meanwhile */

	copy_file(arena_format(site->arena, "%s/sncd.db", site->dir),
	    arena_format(site->arena, "%s/backup", site->dir));
	copy_file(arena_format(site->arena, "%s/sncd.db-wal", site->dir),
	    arena_format(site->arena, "%s/backup-wal", site->dir));
	txn_cancel(txn);
}

void
fake_site_restore(struct fake_site *site)
{
	fake_site_stop_snc(site);
	copy_file(arena_format(site->arena, "%s/backup", site->dir),
	    arena_format(site->arena, "%s/sncd.db", site->dir));
	copy_file(arena_format(site->arena, "%s/backup-wal", site->dir),
	    arena_format(site->arena, "%s/sncd.db-wal", site->dir));
	fake_site_start_snc(site);
}
