/*
 * Two daemons as they are: processes of their own, files of their own, mutual TLS between them. The
 * child is a redirector whose resources are files in a folder; the test itself is its controller.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/api/controller_api.h"
#include "lib/api/daemon.h"
#include "lib/base/clock.h"
#include "lib/base/id.h"
#include "lib/crypto/pki.h"
#include "lib/http/http_client.h"
#include "test/support/suite.h"

/* What the controller has heard. */
struct ear {
	pthread_mutex_t lock;
	pthread_cond_t heard;
	int n_hellos;
	char manager[80], capacity[80], changed[ID_TEXT_SIZE], caller[80], note[400];
};

/* The whole scene. */
struct scene {
	struct arena *arena;
	struct ear ear;
	pid_t manager;
	struct daemon *controller;
	pthread_t serving;
	int exit_code; /* of serving */
	const struct rpc_client *peer;
};

/* ---- the manager's process ---- */

static const char *
object_path(const struct row *row, char *path, size_t size)
{
	snprintf(path, size, "%s/object-%s", test_dir(), id_text(row->rid).text);
	return path;
}

static bool
file_admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	(void)self;
	(void)txn;
	if (book->n_rows >= 2)
		return err_set(err, ERR_CAPACITY, "'%s': there is room for two", row->spec);
	str_addf(result, "number=%zu\n", book->n_rows);
	return true;
}

static bool
file_ensure(void *self, const struct row *row, struct err *err)
{
	char path[256];
	FILE *file = fopen(object_path(row, path, sizeof(path)), "we");

	(void)self;
	if (!file)
		return err_set(err, ERR_UNAVAILABLE, "'%s': %s", path, strerror(errno));
	fputs(row->attr, file);
	fclose(file);
	return true;
}

static bool
file_remove(void *self, const struct row *row, struct err *err)
{
	char path[256];

	(void)self;
	if (unlink(object_path(row, path, sizeof(path))) == 0 || errno == ENOENT)
		return true;
	return err_set(err, ERR_UNAVAILABLE, "'%s': %s", path, strerror(errno));
}

static bool
file_is_there(void *self, const struct row *row, struct err *err)
{
	char path[256];

	(void)self;
	return access(object_path(row, path, sizeof(path)), F_OK) == 0 ||
	       err_set(err, ERR_GONE, "'%s' is gone", path);
}

static void
say_capacity(void *self, struct str *lines)
{
	(void)self;
	str_add(lines, "files=2\n");
}

static int
manager_main(char *conf_file)
{
	static const struct manager_kind kind = {
	    "file", NULL, file_admit, file_ensure, file_remove, file_is_there, NULL};
	struct daemon_config config = {
	    "redirectord", "redirector", manager_migrations, n_manager_migrations};
	char program[] = "redirectord", flag[] = "--config";
	char *argv[] = {program, flag, conf_file, NULL};
	struct manager_config manager_config = {.clock = &clock_real,
	    .kinds = &kind,
	    .n_kinds = 1,
	    .changed = daemon_changed,
	    .noted = daemon_noted,
	    .look_ms = 50};
	struct err err = {0};
	struct manager *manager;
	struct daemon *daemon;
	int code;

	daemon = daemon_start(&config, 3, argv, &code);
	if (!daemon)
		return code;
	manager_config.store = daemon_store(daemon);
	manager_config.self = daemon;
	manager = manager_new(&manager_config, &err);
	if (!manager || !daemon_add_manager(daemon, manager, say_capacity, NULL, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 99;
	}
	code = daemon_serve(daemon);
	manager_free(manager);
	daemon_free(daemon);
	return code;
}

/* ---- the controller's side ---- */

static bool
hear(void *self, const struct rpc_call *call, const struct controller_hello_args *args,
    struct controller_hello_result *result, struct err *err)
{
	struct ear *ear = self;

	(void)err;
	pthread_mutex_lock(&ear->lock);
	ear->n_hellos++;
	snprintf(ear->caller, sizeof(ear->caller), "%s@%s", call->role, call->name);
	snprintf(ear->manager, sizeof(ear->manager), "%s", args->manager);
	snprintf(ear->capacity, sizeof(ear->capacity), "%s", args->capacity);
	if (args->n_changed)
		snprintf(ear->changed, sizeof(ear->changed), "%s", args->changed[0].rid);
	if (args->n_notes)
		snprintf(ear->note, sizeof(ear->note), "%s %s: %s", args->notes[0].rid,
		    args->notes[0].what, args->notes[0].text);
	pthread_cond_broadcast(&ear->heard);
	pthread_mutex_unlock(&ear->lock);
	*result = (struct controller_hello_result){.epoch = 1, .interval_ms = 60000};
	return true;
}

/* Waits until `what` holds; the ear's lock is held meanwhile. */
static bool
wait_until(struct ear *ear, bool (*what)(const struct ear *ear, const char *rid), const char *rid)
{
	struct timespec until;
	bool is_heard;
	int code = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&ear->lock);
	while (!(is_heard = what(ear, rid)) && code == 0)
		code = pthread_cond_timedwait(&ear->heard, &ear->lock, &until);
	pthread_mutex_unlock(&ear->lock);
	return is_heard;
}

static bool
has_told(const struct ear *ear, const char *rid)
{
	return rid ? !strcmp(ear->changed, rid) : ear->n_hellos > 0;
}

static bool
has_noted(const struct ear *ear, const char *rid)
{
	return !strncmp(ear->note, rid, strlen(rid));
}

static void *
serve(void *self)
{
	struct scene *scene = self;

	scene->exit_code = daemon_serve(scene->controller);
	return NULL;
}

static char *
write_conf(struct arena *arena, const char *program, const char *name, const char *more)
{
	char *path = arena_format(arena, "%s/%s.conf", test_dir(), program);
	FILE *file = fopen(path, "we");

	if (!file)
		abort();
	fprintf(file,
	    "[daemon]\nname=%s\nlisten=127.0.0.1:0\nsocket=%s/%s.sock\npki=%s/pki\n"
	    "state=%s/%s\nlog=error\n%s\n",
	    name, test_dir(), program, test_dir(), test_dir(), program, more);
	fclose(file);
	return path;
}

static void
issue(struct arena *arena, const char *role, const char *name, const char *file)
{
	struct pki_leaf leaf = {.role = role, .name = name};
	struct err err = {0};

	assert_true(pki_issue(arena_format(arena, "%s/pki", test_dir()), &leaf,
	    arena_format(arena, "%s/pki/%s", test_dir(), file), &err));
}

static void
scene_open(struct scene *scene)
{
	static const struct controller_ops ops = {.hello = hear};
	struct daemon_config config = {"sncd", "snc", NULL, 0};
	char program[] = "sncd", flag[] = "--config";
	char *argv[] = {program, flag, NULL, NULL}, *manager_conf;
	struct err err = {0};
	int code;

	*scene = (struct scene){.arena = arena_new(),
	    .ear = {.lock = PTHREAD_MUTEX_INITIALIZER, .heard = PTHREAD_COND_INITIALIZER}};
	if (pki_init(arena_format(scene->arena, "%s/pki", test_dir()), &err)) {
		issue(scene->arena, "snc", "ctl", "sncd");
		issue(scene->arena, "redirector", "koganei", "redirectord");
		issue(scene->arena, "developer", "dev1", "dev1");
	}
	argv[2] = write_conf(scene->arena, "sncd", "ctl", "");
	manager_conf = write_conf(scene->arena, "redirectord", "koganei",
	    arena_format(scene->arena, "controller=snc@ctl unix:%s/sncd.sock", test_dir()));
	scene->manager = fork();
	if (scene->manager == 0)
		_exit(manager_main(manager_conf));
	scene->controller = daemon_start(&config, 3, argv, &code);
	assert_true(scene->controller != NULL);
	assert_true(rpc_server_add(
	    daemon_rpc(scene->controller), &controller_service, &ops, &scene->ear, &err));
	assert_equal(pthread_create(&scene->serving, NULL, serve, scene), 0);
	scene->peer = daemon_peer(scene->controller, "redirector@koganei",
	    arena_format(scene->arena, "unix:%s/redirectord.sock", test_dir()), &err);
	assert_true(scene->peer != NULL);
}

static void
scene_close(struct scene *scene)
{
	int status;

	kill(scene->manager, SIGTERM);
	assert_equal(waitpid(scene->manager, &status, 0), scene->manager);
	assert_true(WIFEXITED(status));
	assert_equal(WEXITSTATUS(status), 0);
	kill(getpid(), SIGTERM);
	pthread_join(scene->serving, NULL);
	CU_ASSERT_EQUAL(scene->exit_code, 0);
	daemon_free(scene->controller);
	arena_free(scene->arena);
}

static bool
call_verb(struct scene *scene, enum verb verb, const struct row_want *want, struct row_have *have,
    struct err *err)
{
	struct manager_call call = {
	    .caller = {.epoch = 1, .deadline_ms = 5000},
	    .verb = verb,
	    .want = want,
	    .n = 1,
	    .have = have,
	    .arena = scene->arena,
	};

	return peer_manager_call(scene->peer, &call, err);
}

/* ---- tests ---- */

static void
a_row_goes_its_way_between_two_processes(void)
{
	struct scene scene;
	struct row_want want = {
	    .rid = id_make(1, 7), .kind = "file", .spec = "a=1\n", .attr = "b=2\n", .rev = 1};
	struct row_have have = {0};
	struct err err = {0};
	char path[256], nowhere[256];
	const char *rid;

	scene_open(&scene);
	rid = arena_text(scene.arena, id_text(want.rid).text);
	snprintf(path, sizeof(path), "%s/object-%s", test_dir(), rid);
	assert_true(wait_until(&scene.ear, has_told, NULL));
	assert_text(scene.ear.caller, "redirector@koganei");
	assert_text(scene.ear.manager, "redirector@koganei");
	assert_text(scene.ear.capacity, "files=2\n");

	CU_ASSERT_TRUE(call_verb(&scene, VERB_RESERVE, &want, &have, &err));
	CU_ASSERT_EQUAL(have.state, ROW_HELD);
	CU_ASSERT_STRING_EQUAL(have.result ? have.result : "", "number=0\n");
	CU_ASSERT_TRUE(call_verb(&scene, VERB_COMMIT, &want, &have, &err));
	CU_ASSERT_EQUAL(have.state, ROW_COMMITTED);
	CU_ASSERT_TRUE(have.is_real);
	CU_ASSERT_EQUAL(have.rev, 1);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	/* It vanishes, and there is no place to put it back to. */
	snprintf(nowhere, sizeof(nowhere), "%s/nowhere", test_dir());
	CU_ASSERT_EQUAL(symlink("no-such-folder/object", nowhere), 0);
	CU_ASSERT_EQUAL(rename(nowhere, path), 0);
	CU_ASSERT_TRUE(wait_until(&scene.ear, has_told, rid));
	CU_ASSERT_TRUE(call_verb(&scene, VERB_RELEASE, &want, &have, &err));
	CU_ASSERT_EQUAL(have.state, ROW_RELEASED);
	CU_ASSERT_TRUE(have.is_real);
	CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);

	scene_close(&scene);
}

static void
what_a_manager_puts_right_is_told_to_its_controller(void)
{
	struct scene scene;
	struct row_want want = {.rid = id_make(3, 7), .kind = "file", .spec = "a=1\n", .rev = 1};
	struct row_have have = {0};
	struct err err = {0};
	const char *rid;
	char path[256];

	scene_open(&scene);
	assert_true(wait_until(&scene.ear, has_told, NULL));
	CU_ASSERT_TRUE(call_verb(&scene, VERB_RESERVE, &want, &have, &err));
	CU_ASSERT_TRUE(call_verb(&scene, VERB_COMMIT, &want, &have, &err));
	CU_ASSERT_TRUE(have.is_real);
	rid = arena_text(scene.arena, id_text(want.rid).text);
	snprintf(path, sizeof(path), "%s/object-%s", test_dir(), rid);
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_TRUE(wait_until(&scene.ear, has_noted, rid));
	CU_ASSERT_STRING_EQUAL(
	    scene.ear.note, arena_format(scene.arena, "%s repaired: '%s' is gone", rid, path));
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	CU_ASSERT_TRUE(call_verb(&scene, VERB_RELEASE, &want, &have, &err));

	scene_close(&scene);
}

static void
a_refusal_of_one_row_arrives_with_its_code(void)
{
	struct scene scene;
	struct row_have have = {0};
	struct err err = {0};

	scene_open(&scene);
	assert_true(wait_until(&scene.ear, has_told, NULL));
	for (uint64_t i = 1; i <= 3; i++) {
		struct row_want want = {.rid = id_make(2, i), .kind = "file", .spec = "a=1\n"};

		CU_ASSERT_TRUE(call_verb(&scene, VERB_RESERVE, &want, &have, &err));
	}
	CU_ASSERT_EQUAL(have.state, ROW_NONE);
	CU_ASSERT_EQUAL(have.why.code, ERR_CAPACITY);
	CU_ASSERT_PTR_NOT_NULL(strstr(have.why.text, "room for two"));
	scene_close(&scene);
}

static bool
post(void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	struct str request = {0};
	bool is_good;

	str_add_bytes(&request, body, size);
	is_good = http_client_post(self, "/RPC2", &request, reply, timeout_ms, err);
	str_done(&request);
	return is_good;
}

static void
a_user_may_not_command_a_manager(void)
{
	struct scene scene;
	struct manager_status_args args = {.after = "0000000000000"};
	struct manager_status_result result = {0};
	struct http_client_config config = {.name = "redirector.koganei.vnode"};
	struct rpc_client developer = {.post = post, .timeout_ms = 5000};
	struct http_client *http;
	struct err err = {0};

	scene_open(&scene);
	assert_true(wait_until(&scene.ear, has_told, NULL));
	config.address = arena_format(scene.arena, "unix:%s/redirectord.sock", test_dir());
	config.ca_file = arena_format(scene.arena, "%s/pki/ca.crt", test_dir());
	config.cert_file = arena_format(scene.arena, "%s/pki/dev1.crt", test_dir());
	config.key_file = arena_format(scene.arena, "%s/pki/dev1.key", test_dir());
	http = http_client_new(&config, &err);
	assert_true(http != NULL);
	developer.self = http;

	CU_ASSERT_FALSE(manager_status_call(&developer, scene.arena, &args, &result, &err));
	CU_ASSERT_EQUAL(err.code, ERR_FORBIDDEN);
	CU_ASSERT_TRUE(manager_status_call(scene.peer, scene.arena, &args, &result, &err));

	http_client_free(http);
	scene_close(&scene);
}

/* Entities that refer ten times to the one before, nine times over: 64 billion characters. */
static void
a_bomb_is_refused_by_a_daemon_that_goes_on(void)
{
	struct scene scene;
	struct str bomb = {0}, reply = {0};
	struct manager_status_args args = {.after = "0000000000000"};
	struct manager_status_result result = {0};
	struct err err = {0};

	str_add(&bomb, "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"AAAAAAAA\">");
	for (int i = 1; i <= 9; i++) {
		str_addf(&bomb, "<!ENTITY %c \"", 'a' + i);
		for (int n = 0; n < 10; n++)
			str_addf(&bomb, "&%c;", 'a' + i - 1);
		str_add(&bomb, "\">");
	}
	str_add(&bomb, "]><methodCall><methodName>manager.status</methodName><params><param><value>"
		       "<string>&j;</string></value></param></params></methodCall>");
	scene_open(&scene);
	assert_true(wait_until(&scene.ear, has_told, NULL));

	CU_ASSERT_TRUE(scene.peer->post(scene.peer->self, bomb.text, bomb.len, &reply, 5000, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(str_text(&reply), "<int>100</int>"));
	CU_ASSERT_PTR_NOT_NULL(strstr(str_text(&reply), "bad_xml: "));
	CU_ASSERT_TRUE(manager_status_call(scene.peer, scene.arena, &args, &result, &err));

	str_done(&bomb);
	str_done(&reply);
	scene_close(&scene);
}

/* What daemon_start says to a command line when it does not start. */
static int
exit_code_of(char *first, char *second, char *third)
{
	struct daemon_config config = {"sncd", "snc", NULL, 0};
	char program[] = "sncd";
	char *argv[] = {program, first, second, third, NULL};
	int code = -1;

	CU_ASSERT_PTR_NULL(daemon_start(&config, third ? 4 : second ? 3 : 2, argv, &code));
	return code;
}

static void
a_command_line_is_answered_without_a_start(void)
{
	auto_arena struct arena *arena = arena_new();
	char config[] = "--config", check[] = "--check-config", nothing[] = "/nonexistent/x.conf";
	char unknown[] = "--nonsense", version[] = "--version";
	char *good = write_conf(arena, "good", "ctl", ""),
	     *bad = write_conf(arena, "bad", "ctl", "nonsense");

	CU_ASSERT_EQUAL(exit_code_of(config, good, check), 0);
	CU_ASSERT_EQUAL(exit_code_of(config, bad, check), err_code_exit(ERR_BAD_VALUE));
	CU_ASSERT_EQUAL(exit_code_of(config, nothing, check), err_code_exit(ERR_NOT_FOUND));
	CU_ASSERT_EQUAL(exit_code_of(unknown, NULL, NULL), err_code_exit(ERR_USAGE));
	CU_ASSERT_EQUAL(exit_code_of(version, NULL, NULL), 0);
	CU_ASSERT_NOT_EQUAL(access(arena_format(arena, "%s/good", test_dir()), F_OK), 0);
}

static const struct test tests[] = {
    TEST(a_row_goes_its_way_between_two_processes),
    TEST(what_a_manager_puts_right_is_told_to_its_controller),
    TEST(a_refusal_of_one_row_arrives_with_its_code),
    TEST(a_user_may_not_command_a_manager),
    TEST(a_bomb_is_refused_by_a_daemon_that_goes_on),
    TEST(a_command_line_is_answered_without_a_start),
};

suite_main("daemon", tests)
