/* chancery.ini, and the control messages between parent and children. */
#include "test.h"

#include "programs/config.h"
#include "programs/control.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	struct arena *a;
	struct config c;
	struct config_problems all;
	struct err e;
};

static enum rc
read_text(struct fixture *f, const char *text, char *const *environment)
{
	arena_free(f->a);
	f->a = arena_new(1 << 20);
	err_clear(&f->e);
	return config_parse(f->a, bytes_str(text), "/etc/x", environment, &f->c, &f->all, &f->e);
}

static int
setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ 0 };
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->a);
	return 0;
}

static void
has_defaults(void **state)
{
	struct fixture *f = *state;

	assert_ok(read_text(f, "", NULL));
	assert_string_equal(f->c.store.url, "sqlite:/var/lib/chancery/chancery.db");
	assert_string_equal(f->c.listener.tls, "127.0.0.1:8443");
	assert_null(f->c.listener.plain);
	assert_int_equal(f->c.listener.threads, 2);
	assert_true(f->c.serve.sandbox);
	assert_int_equal(f->c.nmodules, 0);
}

static void
reads_every_type(void **state)
{
	struct fixture *f = *state;

	assert_ok(read_text(f,
			    "# a comment\n"
			    "[store]\nurl = sqlite:data/chancery.db\n"
			    "[signer]\ndirectory = /var/keys ; and why\npassphrase_file = pass\n"
			    "[pkcs11:soft]\nmodule = /usr/lib/softhsm/libsofthsm2.so\npin_file = pins/soft\n"
			    "[pkcs11:other]\nmodule = other.so\n"
			    "[listener]\ntls = none\nplain = [::1]:80\nthreads = 64\n"
			    "[log]\nformat = json\n[node]\nnumber = 15\n[serve]\nsandbox = no\n",
			    NULL));
	assert_string_equal(f->c.store.url, "sqlite:/etc/x/data/chancery.db");
	assert_string_equal(f->c.signer.directory, "/var/keys");
	assert_string_equal(f->c.signer.passphrase_file, "/etc/x/pass");
	assert_int_equal(f->c.nmodules, 2);
	assert_string_equal(config_module_find(&f->c, "soft")->pin_file, "/etc/x/pins/soft");
	assert_string_equal(config_module_find(&f->c, "other")->module, "/etc/x/other.so");
	assert_null(config_module_find(&f->c, "none"));
	assert_null(f->c.listener.tls);
	assert_string_equal(f->c.listener.plain, "[::1]:80");
	assert_int_equal(f->c.listener.threads, 64);
	assert_string_equal(f->c.log.format, "json");
	assert_int_equal(f->c.node.number, 15);
	assert_false(f->c.serve.sandbox);
}

static void
says_every_mistake_with_its_line(void **state)
{
	static const struct {
		const char *text;
		enum code code;
		unsigned line;
	} rows[] = {
		{ "[store]\nurll = sqlite:x\n", CHY_CONFIG_KEY, 2 },
		{ "\n[stone]\nurl = sqlite:x\n", CHY_CONFIG_SECTION, 3 },
		{ "url = sqlite:x\n", CHY_CONFIG_SECTION, 1 },
		{ "[store]\nurl = mysql:x\n", CHY_CONFIG_VALUE, 2 },
		{ "[store]\nurl = sqlite:\n", CHY_CONFIG_VALUE, 2 },
		{ "[store]\nurl =\n", CHY_CONFIG_VALUE, 2 },
		{ "[node]\nnumber = 16\n", CHY_CONFIG_VALUE, 2 },
		{ "[node]\nnumber = 07\n", CHY_CONFIG_VALUE, 2 },
		{ "[log]\nformat = xml\n", CHY_CONFIG_VALUE, 2 },
		{ "[serve]\nsandbox = maybe\n", CHY_CONFIG_VALUE, 2 },
		{ "[listener]\nplain = 8080\n", CHY_CONFIG_VALUE, 2 },
		{ "[listener]\nplain = ::1:80\n", CHY_CONFIG_VALUE, 2 },
		{ "[listener]\nplain = x:70000\n", CHY_CONFIG_VALUE, 2 },
		{ "[node]\nnumber = 1\nnumber = 1\n", CHY_CONFIG_TWICE, 3 },
		{ "[signer]\ndirectory = a\n  b\n", CHY_CONFIG_TWICE, 3 },
		{ "[pkcs11:x]\nmodule = a\nmodule = b\n", CHY_CONFIG_TWICE, 3 },
		{ "[pkcs11:x]\npin = b\nmodule = a\n", CHY_CONFIG_KEY, 2 },
		{ "[pkcs11:]\nmodule = a\n", CHY_CONFIG_SECTION, 2 },
		{ "[pkcs11:NAME2]\npin_file = b\n", CHY_CONFIG_MISSING, 0 },
		{ "[listener]\nkey_file = b\n", CHY_CONFIG_MISSING, 0 },
		{ "[store]\nnonsense\n", CHY_CONFIG_SYNTAX, 2 },
		{ "[store\nurl = sqlite:x\n", CHY_CONFIG_SYNTAX, 1 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool found = false;

		if (read_text(f, rows[i].text, NULL) == RC_OK)
			fail_msg("accepted: %s", rows[i].text);
		for (size_t j = 0; j < f->all.n; j++)
			found = found ||
			    (f->all.list[j].err.code == rows[i].code && f->all.list[j].line == rows[i].line);
		if (!found)
			fail_msg("%s gave %s at line %u", rows[i].text, code_name(f->e.code),
				 f->all.list[0].line);
	}
}

static void
collects_all_mistakes(void **state)
{
	struct fixture *f = *state;

	assert_int_not_equal(
	    read_text(f, "[node]\nnumber = x\n[log]\nlevel = y\nfoo = 1\n[bar]\nx = y\n", NULL), RC_OK);
	assert_int_equal(f->all.n, 4);
	assert_int_equal(f->e.code, f->all.list[0].err.code);
}

static void
refuses_lines_that_the_library_would_cut(void **state)
{
	struct buf OWN_BUF b = buf_max(4000);
	struct fixture *f = *state;

	buf_str(&b, "[signer]\ndirectory = /");
	for (int i = 0; i < 500; i++)
		buf_str(&b, "x");
	buf_str(&b, "\n");
	assert_int_equal(read_text(f, buf_cstr(&b), NULL), RC_MALFORMED);
	assert_int_equal(f->all.list[0].err.code, CHY_CONFIG_SYNTAX);
	assert_int_equal(f->all.list[0].line, 2);
}

static void
takes_the_environment_before_the_file(void **state)
{
	char url[] = "CHANCERY_STORE_URL=postgresql:///x", bad[] = "CHANCERY_NODE_NUMBER=99",
	     other[] = "CHANCERY_FAULT=x";
	char *good_list[] = { other, url, NULL }, *bad_list[] = { bad, NULL };
	struct fixture *f = *state;

	assert_ok(read_text(f, "[store]\nurl = sqlite:a\n", good_list));
	assert_string_equal(f->c.store.url, "postgresql:///x");
	assert_int_equal(read_text(f, "", bad_list), RC_MALFORMED);
	assert_int_equal(f->all.list[0].line, 0);
	assert_non_null(strstr(f->e.text, "CHANCERY_NODE_NUMBER"));
}

/* The printed reference is itself a configuration that means the defaults. */
static void
prints_a_reference_that_it_can_read(void **state)
{
	struct buf OWN_BUF b = buf_max(1 << 16), man = buf_max(1 << 16);
	struct fixture *f = *state;

	config_put_reference(&b);
	assert_ok(read_text(f, buf_cstr(&b), NULL));
	assert_int_equal(f->c.listener.body_seconds, 20);
	config_put_man(&man);
	assert_non_null(strstr(buf_cstr(&man), ".B drain_seconds"));
}

static void
looks_at_the_machine(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/config-test-XXXXXX", text[600], secret[64];
	int fd;

	assert_non_null(mkdtemp(dir));
	snprintf(secret, sizeof(secret), "%s/pass", dir);
	fd = open(secret, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_true(fd >= 0 && fchmod(fd, 0644) == 0);
	snprintf(text, sizeof(text),
		 "[store]\nurl = sqlite:%s/x.db\n[signer]\ndirectory = %s\npassphrase_file = %s\n", dir, dir,
		 secret);
	assert_ok(read_text(f, text, NULL));
	assert_int_equal(config_check(&f->c, &f->all, &f->e), RC_DENIED);
	assert_int_equal(f->all.n, 1);
	assert_int_equal(f->e.code, CHY_CONFIG_PERMISSION);
	assert_true(fchmod(fd, 0600) == 0);
	err_clear(&f->e);
	assert_ok(config_check(&f->c, &f->all, &f->e));
	unlink(secret);
	assert_int_equal(config_check(&f->c, &f->all, &f->e), RC_NOT_FOUND);
	close(fd);
	rmdir(dir);
	err_clear(&f->e);
	assert_int_equal(config_check(&f->c, &f->all, &f->e), RC_NOT_FOUND);
	assert_int_equal(f->all.n, 3);
}

static bool
is_told(const struct fixture *f, enum code code, const char *setting)
{
	for (size_t i = 0; i < f->all.n; i++)
		if (f->all.list[i].err.code == code && strcmp(f->all.list[i].err.field, setting) == 0)
			return true;
	return false;
}

/* What it reads is on another machine, and officers have no business there. */
static void
a_status_node_needs_postgresql_and_a_plain_listener(void **state)
{
	struct fixture *f = *state;

	assert_ok(read_text(f, "[store]\nurl = sqlite:/tmp/x.db\n[node]\nrole = status\n", NULL));
	assert_true(config_is_status_node(&f->c));
	assert_int_not_equal(config_check(&f->c, &f->all, &f->e), RC_OK);
	assert_true(is_told(f, CHY_CONFIG_VALUE, "store.url"));
	assert_true(is_told(f, CHY_CONFIG_MISSING, "listener.plain"));
	err_clear(&f->e);
	assert_ok(read_text(
	    f, "[store]\nurl = postgresql:///x\n[listener]\nplain = *:80\n[node]\nrole = status\n", NULL));
	(void)!config_check(&f->c, &f->all, &f->e);
	assert_false(is_told(f, CHY_CONFIG_VALUE, "store.url") ||
		     is_told(f, CHY_CONFIG_MISSING, "listener.plain"));
	err_clear(&f->e);
	assert_ok(read_text(f, "", NULL));
	assert_false(config_is_status_node(&f->c));
}

static void
passes_messages_and_descriptors(void **state)
{
	struct control m;
	struct err e = { 0 };
	int pair[2], fds[2];
	char c = 0;

	assert_ok(control_pair(pair, &e));
	assert_int_equal(pipe(fds), 0);
	assert_ok(control_send(pair[0], CONTROL_SIGNER, fds[0], NULL, &e));
	assert_ok(control_send(pair[0], CONTROL_READY, -1, "127.0.0.1:1", &e));
	close(fds[0]);
	assert_ok(control_recv(pair[1], 0, &m, &e));
	assert_int_equal(m.type, CONTROL_SIGNER);
	assert_true(m.fd >= 0 && (fcntl(m.fd, F_GETFD) & FD_CLOEXEC));
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(read(m.fd, &c, 1), 1);
	assert_int_equal(c, 'x');
	close(m.fd);
	close(fds[1]);
	assert_ok(control_recv(pair[1], 0, &m, &e));
	assert_int_equal(m.type, CONTROL_READY);
	assert_int_equal(m.fd, -1);
	assert_string_equal(m.text, "127.0.0.1:1");
	assert_code(control_recv(pair[1], 10, &m, &e), CHY_CONTROL_TIMEOUT);
	assert_int_equal(write(pair[0], "\x63", 1), 1);
	assert_code(control_recv(pair[1], 0, &m, &e), CHY_CONTROL);
	close(pair[0]);
	assert_code(control_recv(pair[1], -1, &m, &e), CHY_CONTROL_CLOSED);
	assert_code(control_send(pair[1], CONTROL_STOP, -1, NULL, &e), CHY_CONTROL_CLOSED);
	close(pair[1]);
}

#define WITH(fn) \
	{ \
#fn, fn, setup, teardown, NULL \
	}

static const struct CMUnitTest tests[] = {
	WITH(has_defaults),
	WITH(reads_every_type),
	WITH(says_every_mistake_with_its_line),
	WITH(collects_all_mistakes),
	WITH(refuses_lines_that_the_library_would_cut),
	WITH(takes_the_environment_before_the_file),
	WITH(prints_a_reference_that_it_can_read),
	WITH(looks_at_the_machine),
	WITH(a_status_node_needs_postgresql_and_a_plain_listener),
	CASE(passes_messages_and_descriptors),
};
TESTS_MAIN(tests)
