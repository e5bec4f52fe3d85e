/*
 * lib/base/conf: files, drop-ins, defaults, what is refused and what is warned of.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/arena.h"
#include "lib/base/conf.h"
#include "lib/base/log.h"
#include "test/support/suite.h"

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file)
		abort();
	fputs(text, file);
	fclose(file);
}

/* The configuration with this text; NULL: err. */
static struct conf *
read_text(const char *text, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const char *path = arena_format(arena, "%s/x.conf", test_dir());

	write_file(path, text);
	return conf_read(path, err);
}

static void
keep_line(void *self, enum log_level level, const char *line)
{
	struct str *lines = self;

	(void)level;
	str_addf(lines, "%s\n", line);
}

static void
values_defaults_and_absent_keys_are_told_apart(void)
{
	struct err err = {0};
	auto_conf struct conf *conf =
	    read_text("# a remark\n\n[daemon]\n name = koganei \n; another\n"
		      "listen=10.63.0.11:7703\n[underlay]\nu0=1Gbps\nu1=100Mbps\n",
		&err);

	assert_true(conf != NULL);
	assert_text(conf_text(conf, "daemon", "name"), "koganei");
	assert_text(conf_text(conf, "daemon", "pki"), "/etc/vnode/pki");
	assert_true(!conf_text(conf, "daemon", "controller"));
	assert_true(!conf_text(conf, "nothing", "name"));
}

static void
sections_of_names_are_walked_in_file_order(void)
{
	struct err err = {0};
	auto_conf struct conf *conf =
	    read_text("[underlay]\nu1=100Mbps\n[node]\nkvm=no\n[underlay]\nu0=1Gbps\n", &err);
	const char *key, *value;

	assert_true(conf_each(conf, "underlay", 0, &key, &value));
	assert_text(key, "u1");
	assert_true(conf_each(conf, "underlay", 1, &key, &value));
	assert_text(key, "u0");
	assert_text(value, "1Gbps");
	assert_true(!conf_each(conf, "underlay", 2, &key, &value));
}

static void
drop_ins_change_lines_in_lexical_order(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *path = arena_format(arena, "%s/d.conf", test_dir());
	struct err err = {0};
	struct conf *conf;

	mkdir(arena_format(arena, "%s.d", path), 0700);
	write_file(path, "[daemon]\nname=a\nlog=info\n");
	write_file(arena_format(arena, "%s.d/20.conf", path), "[daemon]\nlog=error\n");
	write_file(arena_format(arena, "%s.d/10.conf", path), "[daemon]\nlog=debug\nname=b\n");
	write_file(arena_format(arena, "%s.d/30.conf~", path), "[daemon]\nname=c\n");
	conf = conf_read(path, &err);

	assert_true(conf != NULL);
	assert_text(conf_text(conf, "daemon", "name"), "b");
	assert_text(conf_text(conf, "daemon", "log"), "error");
	conf_free(conf);
}

static void
faults_name_file_and_line(void)
{
	static const char *const bad[] = {"[daemon]\nname\n", "[daemon]\n=x\n",
	    "[daemon]\n[daemon\n", "[daemon]\n[]\n", "# x\nname=koganei\n"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};

		assert_true(!read_text(bad[i], &err));
		assert_equal(err.code, ERR_BAD_VALUE);
		assert_true(strstr(err.text, "x.conf:2:") != NULL);
	}
}

static void
a_file_that_is_not_there_is_an_error(void)
{
	struct err err = {0};

	assert_true(!conf_read("/nonexistent/x.conf", &err));
	assert_equal(err.code, ERR_NOT_FOUND);
}

static void
numbers_are_checked_against_their_range(void)
{
	struct err err = {0};
	auto_conf struct conf *conf = read_text("[node]\ncpu=8\nmemory=many\n", &err);
	int64_t value = -1;

	assert_true(conf_i64(conf, &(struct conf_number){"node", "cpu", 1, 8}, &value, &err));
	assert_equal(value, 8);
	assert_true(!conf_i64(conf, &(struct conf_number){"node", "cpu", 1, 7}, &value, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	assert_true(strstr(err.text, "x.conf:2: [node] cpu=8") != NULL);
	assert_true(!conf_i64(conf, &(struct conf_number){"node", "memory", 1, 7}, &value, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	assert_true(!conf_i64(conf, &(struct conf_number){"node", "disk", 1, 7}, &value, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	assert_equal(value, 8);
}

static void
an_unknown_key_is_a_warning_with_the_nearest_spelling(void)
{
	auto_str struct str lines = {0};
	struct err err = {0};
	struct conf *conf;

	log_set_sink(keep_line, &lines);
	conf = read_text("[daemon]\nname=a\nlisen=b\n", &err);
	log_set_sink(NULL, NULL);

	assert_true(conf != NULL);
	assert_true(strstr(str_text(&lines), "x.conf:3: [daemon] has no key 'lisen'") != NULL);
	assert_true(strstr(str_text(&lines), "'listen'") != NULL);
	conf_free(conf);
}

static void
what_is_printed_reads_back_the_same(void)
{
	struct err err = {0};
	auto_conf struct conf *conf =
	    read_text("[daemon]\nname=a\nlog=warn\n[underlay]\nu0=1Gbps\n", &err);
	auto_str struct str first = {0}, second = {0};
	struct conf *again;

	conf_print(conf, &first);
	again = read_text(str_text(&first), &err);
	assert_true(again != NULL);
	conf_print(again, &second);

	assert_text(str_text(&first), str_text(&second));
	assert_true(strstr(str_text(&first), "log=warn\n") != NULL);
	assert_true(strstr(str_text(&first), "pki=/etc/vnode/pki\n") != NULL);
	conf_free(again);
}

static const struct test tests[] = {
    TEST(values_defaults_and_absent_keys_are_told_apart),
    TEST(sections_of_names_are_walked_in_file_order),
    TEST(drop_ins_change_lines_in_lexical_order),
    TEST(faults_name_file_and_line),
    TEST(a_file_that_is_not_there_is_an_error),
    TEST(numbers_are_checked_against_their_range),
    TEST(an_unknown_key_is_a_warning_with_the_nearest_spelling),
    TEST(what_is_printed_reads_back_the_same),
};

suite_main("conf", tests)
