/* The distributor's plain parts: sealed secrets and the messages between it and the factory. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "distributor/delivery.h"
#include "distributor/secrets.h"

static void
addresses_have_one_form(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} rows[] = {
		{ "https://Host.Example", "https://host.example:443" },
		{ "HTTPS://host.example/", "https://host.example:443" },
		{ "http://host:80", "http://host:80" },
		{ "ldap://host", "ldap://host:389" },
		{ "ldaps://[2001:DB8::1]", "ldaps://[2001:db8::1]:636" },
		{ "ldaps://[2001:db8::1]:1636", "ldaps://[2001:db8::1]:1636" },
		{ "smtp://mail", "smtp://mail:25" },
		{ "smtps://mail:465", "smtps://mail:465" },
		{ "https://host/path", NULL },
		{ "https://user@host", NULL },
		{ "https://", NULL },
		{ "https:host", NULL },
		{ "ftp://host", NULL },
		{ "", NULL },
	};
	struct arena *a = arena_new(1 << 16);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		struct bytes got = BYTES_NONE;
		enum rc rc = address_normal(a, bytes_str(rows[i].in), &got, &e);

		if (rows[i].out == NULL && e.code != CHY_FIELD_URI)
			fail_msg("%s is taken", rows[i].in);
		if (rows[i].out != NULL && (rc != RC_OK || !bytes_is(got, rows[i].out)))
			fail_msg("%s: %.*s", rows[i].in, BYTES_FMT(got));
	}
	arena_free(a);
}

struct place {
	struct arena *a;
	char dir[64];
};

static void
make_place(struct place *p)
{
	p->a = arena_new(4 << 20);
	snprintf(p->dir, sizeof(p->dir), "/tmp/chancery-secrets.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
}

static const char *
in(struct place *p, const char *name)
{
	return arena_printf(p->a, "%s/%s", p->dir, name);
}

static void
leave_place(struct place *p)
{
	static const char *const names[] = { "s/key", "s/one.sealed", "s/two.sealed", "s" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)!remove(in(p, names[i]));
	assert_int_equal(rmdir(p->dir), 0);
	arena_free(p->a);
}

/* Given to its name and address only; the file tells nothing; the first one may be sealed while the process runs. */
static void
a_secret_is_for_one_address(void **state)
{
	struct err e = { 0 };
	struct secrets *s = NULL;
	struct secret *got = NULL;
	struct bytes file;
	struct place p;

	(void)state;
	make_place(&p);
	assert_ok(secrets_open(in(&p, "s"), &s, &e));
	assert_code(secrets_get(s, BYTES("one"), BYTES("https://a.example"), &got, &e), CHY_DELIVERY_SECRET);
	assert_ok(
	    secrets_seal(in(&p, "s"), BYTES("one"), BYTES("https://A.example"), BYTES("the password"), &e));
	assert_ok(secrets_seal(in(&p, "s"), BYTES("two"), BYTES("https://a.example"), BYTES("another"), &e));
	assert_ok(secrets_get(s, BYTES("one"), BYTES("https://a.example:443/"), &got, &e));
	assert_bytes(secret_bytes(got), BYTES("the password"));
	secret_free(got);
	assert_code(secrets_get(s, BYTES("one"), BYTES("https://b.example"), &got, &e), CHY_DELIVERY_SECRET);
	assert_code(secrets_get(s, BYTES("one"), BYTES("https://a.example:444"), &got, &e),
		    CHY_DELIVERY_SECRET);
	assert_code(secrets_get(s, BYTES("one"), BYTES("http://a.example:443"), &got, &e),
		    CHY_DELIVERY_SECRET);
	assert_code(secrets_get(s, BYTES("none"), BYTES("https://a.example"), &got, &e), CHY_DELIVERY_SECRET);
	assert_code(secrets_get(s, BYTES("../one"), BYTES("https://a.example"), &got, &e),
		    CHY_DELIVERY_SECRET);
	assert_ok(file_read(p.a, in(&p, "s/one.sealed"), 4096, &file, &e));
	assert_null(memmem(file.p, file.n, "password", 8));
	/* one in another's place */
	assert_ok(file_write(in(&p, "s/two.sealed"), file, 0600, &e));
	assert_code(secrets_get(s, BYTES("two"), BYTES("https://a.example"), &got, &e), CHY_DELIVERY_SECRET);
	secrets_free(s);
	assert_int_equal(chmod(in(&p, "s/key"), 0644), 0);
	assert_code(secrets_open(in(&p, "s"), &s, &e), CHY_CONFIG_PERMISSION);
	assert_code(secrets_seal(in(&p, "s"), BYTES("Bad name"), BYTES("https://a.example"), BYTES("x"), &e),
		    CHY_DELIVERY_SECRET);
	assert_code(secrets_seal(in(&p, "s"), BYTES("one"), BYTES("a.example"), BYTES("x"), &e),
		    CHY_FIELD_URI);
	leave_place(&p);
}

static void
deliveries_come_as_they_went(void **state)
{
	struct delivery d = { .destination = 7,
			      .version = 3,
			      .what = DELIVER_CRL,
			      .form = DELIVER_PEM_CHAIN,
			      .removal = true,
			      .rule = BYTES("{}"),
			      .content = BYTES("content"),
			      .about = BYTES("about"),
			      .name = BYTES("name"),
			      .chain = { BYTES("one"), BYTES("two") },
			      .chain_n = 2,
			      .object = 4711,
			      .instance = BYTES("instance"),
			      .status = BYTES("{\"state\":\"valid\"}") },
			got;
	struct buf b = buf_max(4096);
	struct err e = { 0 };

	(void)state;
	delivery_put(&b, &d);
	assert_ok(delivery_get(buf_bytes(&b), &got, &e));
	assert_true(got.destination == 7 && got.version == 3 && got.what == DELIVER_CRL && got.removal);
	assert_true(got.form == DELIVER_PEM_CHAIN && got.chain_n == 2);
	assert_bytes(got.chain[1], BYTES("two"));
	assert_bytes(got.content, BYTES("content"));
	assert_bytes(got.name, BYTES("name"));
	assert_int_equal(got.object, 4711);
	assert_bytes(got.instance, BYTES("instance"));
	assert_bytes(got.status, BYTES("{\"state\":\"valid\"}"));
	for (size_t n = 0; n < b.n; n++)
		assert_code(delivery_get(bytes_part(buf_bytes(&b), 0, n), &got, &e), CHY_DISTRIBUTOR_MESSAGE);
	b.p[16] = DELIVERY_WHATS;
	assert_code(delivery_get(buf_bytes(&b), &got, &e), CHY_DISTRIBUTOR_MESSAGE);
	buf_fini(&b);
}

static void
outcomes_come_as_they_went(void **state)
{
	struct err e = { 0 }, why = { 0 }, got;
	struct buf b = buf_max(4096);

	(void)state;
	outcome_put(&b, &why);
	assert_ok(outcome_get(buf_bytes(&b), &got, &e));
	assert_int_equal(got.code, CHY_NONE);
	buf_fini(&b);
	(void)!err_set(&why, CHY_DELIVERY_LATER, NULL, "not now");
	outcome_put(&b, &why);
	assert_ok(outcome_get(buf_bytes(&b), &got, &e));
	assert_int_equal(got.code, CHY_DELIVERY_LATER);
	assert_string_equal(got.text, "not now");
	for (size_t n = 0; n < b.n; n++)
		assert_code(outcome_get(bytes_part(buf_bytes(&b), 0, n), &got, &e), CHY_DISTRIBUTOR_MESSAGE);
	b.p[0] = 0x7f;
	assert_code(outcome_get(buf_bytes(&b), &got, &e), CHY_DISTRIBUTOR_MESSAGE);
	buf_fini(&b);
}

static const struct CMUnitTest tests[] = {
	CASE(addresses_have_one_form),
	ROWS(a_secret_is_for_one_address, "CM-P-21"),
	CASE(deliveries_come_as_they_went),
	CASE(outcomes_come_as_they_went),
};
TESTS_MAIN(tests)
