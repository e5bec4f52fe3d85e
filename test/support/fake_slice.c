#include "test/support/fake_slice.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test/support/site.h"
#include "test/support/suite.h"

struct scene
scene_start(const char *goal)
{
	struct scene scene = {.site = fake_site_new()};

	scene.id = fake_create(scene.site, site_document(scene.site->arena, "s", PAIR), goal);
	assert_text(fake_wait(scene.site, scene.id, goal ? goal : "RUNNING")->state,
	    goal ? goal : "RUNNING");
	return scene;
}

bool
modify(const struct scene *scene, const char *text, struct snc_slice_modify_args args,
    struct snc_slice_modify_result *result, struct err *err)
{
	struct fake_site *site = scene->site;
	const char *document = site_document(site->arena, "s", text);

	*err = (struct err){0};
	args.slice = scene->id;
	args.document = (struct rpc_blob){document, strlen(document)};
	return snc_slice_modify_call(&site->developer, site->arena, &args, result, err);
}

struct snc_slice_show_result
show(const struct scene *scene)
{
	struct snc_slice_show_result result = {0};
	struct err err = {0};

	assert_true(snc_slice_show_call(&scene->site->developer, scene->site->arena,
	    &(struct snc_slice_show_args){scene->id}, &result, &err));
	return result;
}

bool
has_objects(struct fake_site *site, int n)
{
	for (int i = 0; i < 1000 && fake_objects(site) != n; i++)
		usleep(5000);
	return fake_objects(site) == n;
}

void
nothing_orphaned(struct fake_site *site)
{
	struct snc_orphans_result result;
	struct err err;

	assert_true(
	    snc_orphans_call(&site->noc, site->arena, &(struct snc_orphans_args){}, &result, &err));
	for (size_t i = 0; i < result.n_orphans; i++)
		printf("\n%s: %s\n", result.orphans[i].manager, result.orphans[i].line);
	assert_equal(result.n_orphans, 0);
}
