/*
 * programmer.def's rows bound to consoles, exec and probes. Who may ask for which node is checked
 * by sncd; here a rid is enough.
 */
#include "programmer/programmer_service.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/id.h"
#include "lib/model/units.h"
#include "programmer/exec.h"
#include "programmer/folder.h"
#include "programmer/probe.h"
#include "programmer/sliver.h"

enum {
	EXEC_MAX_MS = 600000,
	EXEC_OUTPUT_MAX = 1024 * 1024,
	EXEC_WORDS_MAX = 1024,
	EXECS_MAX = 32,
	CGROUP_FILE_MAX = 4096
};

static bool
console_read_rpc(void *self, const struct rpc_call *call,
    const struct programmer_console_read_args *args, struct programmer_console_read_result *result,
    struct err *err)
{
	struct programmer *programmer = self;
	struct console_text text = {.offset = args->offset, .wait_ms = args->wait_ms};
	uint64_t rid;

	if (!id_parse(args->rid, &rid, err) ||
	    !console_read(programmer->consoles, rid, call->arena, &text, err))
		return false;
	result->output = (struct rpc_blob){text.bytes, text.size};
	result->offset = text.offset;
	result->ready = text.is_ready;
	return true;
}

static bool
console_write_rpc(void *self, const struct rpc_call *call,
    const struct programmer_console_write_args *args,
    struct programmer_console_write_result *result, struct err *err)
{
	struct programmer *programmer = self;
	uint64_t rid;

	(void)call;
	(void)result;
	if (args->input.size > CONSOLE_WRITE_MAX)
		return err_set(err, ERR_LIMIT, "%zu bytes are more than the %d of one call",
		    args->input.size, CONSOLE_WRITE_MAX);
	return id_parse(args->rid, &rid, err) &&
	       console_write(programmer->consoles, rid, args->input.bytes, args->input.size, err);
}

/* ---- exec ------------------------------------------------------------------------------------ */

static bool
find_container(const struct programmer *programmer, const char *rid_text, struct arena *arena,
    pid_t *init, struct err *err)
{
	const struct hypervisor *hypervisor = &programmer->hypervisor;
	struct domain_look look;
	const char *name;
	uint64_t rid;

	if (!id_parse(rid_text, &rid, err))
		return false;
	name = sliver_name(programmer, rid, arena);
	if (!hypervisor->ops->look(hypervisor->self, NODE_CONTAINER, name, &look, err))
		return false;
	*init = look.pid;
	if (look.state == DOMAIN_RUNNING && look.pid)
		return true;
	if (hypervisor->ops->look(hypervisor->self, NODE_VM, name, &look, NULL) &&
	    look.state != DOMAIN_ABSENT) {
		(void)err_set(err, ERR_BAD_VALUE,
		    "commands can be run in containers only, this "
		    "node is a virtual machine");
		return err_hint(err, "use its console: vnode node console SLICE/NODE");
	}
	err_set(err, ERR_CONFLICT, "the container %s is not running", rid_text);
	return err_hint(err, "`vnode node list` tells its state");
}

static bool
exec_rpc(void *self, const struct rpc_call *call, const struct programmer_exec_args *args,
    struct programmer_exec_result *result, struct err *err)
{
	struct programmer *programmer = self;
	const char **argv = arena_alloc(call->arena, (args->n_argv + 1) * sizeof(*argv));
	struct command command = {.argv = argv, .output_max = EXEC_OUTPUT_MAX};
	auto_str struct str output = {0};
	struct command_end end = {0};
	pid_t init;
	bool is_good;

	if (!args->n_argv || args->n_argv > EXEC_WORDS_MAX || !args->argv[0].word[0])
		return err_set(err, ERR_BAD_VALUE, "a command has 1 to %d words", EXEC_WORDS_MAX);
	if (args->timeout_ms < 1 || args->timeout_ms > EXEC_MAX_MS)
		return err_set(err, ERR_BAD_VALUE, "timeout_ms=%lld is not within 1 and %d",
		    (long long)args->timeout_ms, EXEC_MAX_MS);
	for (size_t i = 0; i < args->n_argv; i++)
		argv[i] = args->argv[i].word;
	command.timeout_ms = (int)args->timeout_ms;
	if (!find_container(programmer, args->rid, call->arena, &init, err))
		return false;
	if (atomic_fetch_add(&programmer->n_execs, 1) >= EXECS_MAX)
		is_good = err_set(err, ERR_LIMIT, "%d commands are running already", EXECS_MAX);
	else
		is_good = exec_in(init, &command, &output, &end, err);
	atomic_fetch_sub(&programmer->n_execs, 1);
	if (!is_good)
		return false;
	if (end.is_late)
		return err_set(err, ERR_TIMEOUT, "the command was killed after %lld ms",
		    (long long)args->timeout_ms);
	result->exit = end.exit;
	result->output =
	    (struct rpc_blob){arena_copy(call->arena, str_text(&output), output.len), output.len};
	return true;
}

/* ---- status and doctor ----------------------------------------------------------------------- */

static const char *
state_of(const struct domain_look *look, bool is_known, const struct node_note *note)
{
	if (look->state == DOMAIN_RUNNING)
		return "running";
	if (look->state != DOMAIN_ABSENT)
		return "starting";
	if (!is_known)
		return "absent";
	if (!note->is_on)
		return "off";
	return note->n_deaths ? "failed" : "starting";
}

static bool
node_status_rpc(void *self, const struct rpc_call *call,
    const struct programmer_node_status_args *args, struct programmer_node_status_result *result,
    struct err *err)
{
	struct programmer *programmer = self;
	const struct hypervisor *hypervisor = &programmer->hypervisor;
	struct node_note note = {0};
	struct domain_look look = {0};
	uint64_t rid;
	bool is_known;

	if (!id_parse(args->rid, &rid, err))
		return false;
	is_known = note_get(programmer, rid, &note);
	if (is_known && !hypervisor->ops->look(hypervisor->self, note.form,
			    sliver_name(programmer, rid, call->arena), &look, err))
		return false;
	result->state = state_of(&look, is_known, &note);
	result->ready = look.state == DOMAIN_RUNNING && console_is_ready(programmer->consoles, rid);
	result->accel =
	    node_accel_text(!is_known || note.form == NODE_VM ? programmer->vm_accel : ACCEL_LXC);
	return true;
}

struct facts {
	struct arena *arena;
	struct programmer_fact *items;
	size_t n;
};

static void
add_fact(struct facts *facts, const char *name, bool is_good, const char *value, const char *hint)
{
	facts->items[facts->n++] = (struct programmer_fact){.name = arena_text(facts->arena, name),
	    .good = is_good,
	    .value = arena_text(facts->arena, value),
	    .hint = is_good ? "" : hint};
}

static void
add_driver(
    struct programmer *programmer, struct facts *facts, const char *name, enum node_form form)
{
	const struct hypervisor *hypervisor = &programmer->hypervisor;
	auto_str struct str found = {0};
	struct err err = {0};
	bool is_good = hypervisor->ops->check(hypervisor->self, form, &found, &err);

	add_fact(facts, name, is_good, is_good ? str_text(&found) : err.text,
	    "start libvirtd; virtlogd must run too");
}

/* The controller in either version of control groups. */
static bool
has_memory_limits(void)
{
	size_t size;
	auto_free char *controllers =
	    file_get("/sys/fs/cgroup/cgroup.controllers", CGROUP_FILE_MAX, &size, NULL);

	return access("/sys/fs/cgroup/memory", X_OK) == 0 ||
	       (controllers && strstr(controllers, "memory"));
}

static bool
doctor_rpc(void *self, const struct rpc_call *call, const struct programmer_doctor_args *args,
    struct programmer_doctor_result *result, struct err *err)
{
	enum { OTHER_FACTS = 6 };
	struct programmer *programmer = self;
	const struct image *images;
	struct facts facts = {.arena = call->arena};
	size_t n_images;

	(void)args;
	(void)err;
	image_list(programmer->conf.images, call->arena, &images, &n_images);
	facts.items = arena_alloc(call->arena, (n_images + OTHER_FACTS) * sizeof(*facts.items));
	add_fact(&facts, "kvm", programmer->vm_accel == ACCEL_KVM,
	    programmer->vm_accel == ACCEL_KVM ? "a guest boots" : programmer->kvm_why,
	    "virtual machines are emulated, slowly; enable hardware virtualisation");
	add_driver(programmer, &facts, "tcg", NODE_VM);
	add_driver(programmer, &facts, "lxc", NODE_CONTAINER);
	add_fact(&facts, "cgroup", has_memory_limits(),
	    has_memory_limits() ? "limits can be set" : "no controller for memory",
	    "mount the memory controller below /sys/fs/cgroup");
	add_fact(&facts, "idmap", programmer->idmap >= 0,
	    programmer->idmap >= 0 ? "user ids are mapped" : "no user namespace",
	    "containers need user namespaces and Linux 5.19 or newer");
	for (size_t i = 0; i < n_images; i++)
		add_fact(&facts, arena_format(call->arena, "image.%s", images[i].name), true,
		    arena_format(call->arena, "%s, %s of memory", node_form_text(images[i].form),
			size_text(images[i].memory_bytes).text),
		    "");
	if (!n_images)
		add_fact(&facts, "image.*", false, "no image in the catalogue",
		    "put images into the folder that [node] images names");
	result->facts = facts.items;
	result->n_facts = facts.n;
	return true;
}

const struct programmer_ops programmer_rpc_ops = {
    .console_read = console_read_rpc,
    .console_write = console_write_rpc,
    .exec = exec_rpc,
    .node_status = node_status_rpc,
    .doctor = doctor_rpc,
};
