/* The hard limits of a CA key: each rule inside, at its border and outside; tightening; the rate. */
#include "signer_world.h"

#include "crypto/softkey.h"
#include "signer/limits.h"

static struct arena *mem;

static int
setup(void **state)
{
	mem = arena_new(4 << 20);
	return mem == NULL;
}

static int
teardown(void **state)
{
	arena_free(mem);
	return 0;
}

static enum code
judge(const struct signer_limits *l, const struct tbs_spec *spec)
{
	struct bytes own = make_info(mem, "CN=x", BYTES("\x30\x00")); /* no key's */
	struct tbs_view v;
	struct err e = { 0 };

	OK(&e, tbs_walk(make_tbs(mem, spec), &v, &e));
	return limits_check(l, &v, own, &e) == RC_OK ? CHY_NONE : e.code;
}

#define INSIDE(...) assert_int_equal(judge(&l, &(struct tbs_spec){ __VA_ARGS__ }), CHY_NONE)
#define OUTSIDE(code, ...) assert_int_equal(judge(&l, &(struct tbs_spec){ __VA_ARGS__ }), code)

static void
issuer(void **state)
{
	struct signer_limits l = usual_limits(mem, "p-256");

	INSIDE(0);
	OUTSIDE(CHY_SIGNER_ISSUER, .issuer = "CN=Other");
	OUTSIDE(CHY_SIGNER_ISSUER, .issuer = "CN=issuing"); /* octet for octet: no folding of case */
	OUTSIDE(CHY_SIGNER_ISSUER, .issuer = "CN=Issuing,C=DE");
}

static void
algorithm(void **state)
{
	struct signer_limits l = usual_limits(mem, "p-256");

	OUTSIDE(CHY_SIGNER_ALGORITHM, .alg = SIGALG_ECDSA_SHA384);
	l.algs[l.n_algs++] = SIGALG_ECDSA_SHA384;
	INSIDE(.alg = SIGALG_ECDSA_SHA384);
	INSIDE(.alg = SIGALG_ECDSA_SHA256);
	OUTSIDE(CHY_SIGNER_ALGORITHM, .alg = SIGALG_RSA_PKCS1_SHA256);
}

static void
validity(void **state)
{
	struct signer_limits l = usual_limits(mem, "p-256");

	INSIDE(.days = 400);
	OUTSIDE(CHY_SIGNER_VALIDITY, .days = 401);
	l.validity_max_days = 1;
	INSIDE(.days = 1);
	OUTSIDE(CHY_SIGNER_VALIDITY, .days = 2);
}

static void
ca_certificates(void **state)
{
	struct signer_limits l = usual_limits(mem, "p-256");

	OUTSIDE(CHY_SIGNER_CA_FLAG, .ca = true, .path_len = -1);
	OUTSIDE(CHY_SIGNER_CA_FLAG, .ca = true, .path_len = 0);
	l.ca_allowed = true;
	INSIDE(.ca = true, .path_len = -1);
	INSIDE(.ca = true, .path_len = 7);
	l.path_len_max = 1;
	OUTSIDE(CHY_SIGNER_CA_FLAG, .ca = true, .path_len = -1);
	OUTSIDE(CHY_SIGNER_CA_FLAG, .ca = true, .path_len = 2);
	INSIDE(.ca = true, .path_len = 1);
	INSIDE(.ca = true, .path_len = 0);
	INSIDE(0);
}

/* A CA's own certificate is not bound by what it may give to others, but for its issuer, algorithm and validity. */
static void
own_certificate(void **state)
{
	OWN(softkey_free)
	struct softkey *k = NULL;
	struct signer_limits l = usual_limits(mem, "p-256");
	struct tbs_spec spec = { .ca = true, .path_len = -1, .subject = "CN=Issuing" };
	struct err e = { 0 };
	struct tbs_view v;

	OK(&e, softkey_generate("p-256", &k, &e));
	spec.spki = softkey_spki(k);
	l.ca_allowed = true;
	l.path_len_max = 0;
	OK(&e, tbs_walk(make_tbs(mem, &spec), &v, &e));
	OK(&e, limits_check(&l, &v, softkey_spki(k), &e));
	spec.subject = "CN=Another"; /* its key, but not its name: no longer its own certificate */
	OK(&e, tbs_walk(make_tbs(mem, &spec), &v, &e));
	REFUSED(&e, CHY_SIGNER_CA_FLAG, limits_check(&l, &v, softkey_spki(k), &e));
	spec.subject = "CN=Issuing";
	l.ca_allowed = false;
	OK(&e, tbs_walk(make_tbs(mem, &spec), &v, &e));
	OK(&e, limits_check(&l, &v, softkey_spki(k), &e)); /* a root that has none below it */
	spec.subject = "CN=Another";
	OK(&e, tbs_walk(make_tbs(mem, &spec), &v, &e));
	REFUSED(&e, CHY_SIGNER_CA_FLAG, limits_check(&l, &v, softkey_spki(k), &e));
}

/* NameConstraints { permitted DNS:example.org, excluded DNS:bad.example.org } */
static const char constraints[] = "\x30\x26\xa0\x0f\x30\x0d\x82\x0b"
				  "example.org\xa1\x13\x30\x11\x82\x0f"
				  "bad.example.org";

static void
names(void **state)
{
	struct signer_limits l = usual_limits(mem, "p-256");

	INSIDE(.dns = "anything.test");
	l.name_constraints = bytes_of(constraints, sizeof(constraints) - 1);
	INSIDE(.dns = "www.example.org");
	INSIDE(.dns = "example.org");
	OUTSIDE(CHY_SIGNER_NAME, .dns = "anything.test");
	OUTSIDE(CHY_SIGNER_NAME, .dns = "notexample.org");
	OUTSIDE(CHY_SIGNER_NAME, .dns = "www.bad.example.org");
}

static void
attribute_certificates(void **state)
{
	struct signer_limits l = usual_limits(mem, "p-256");
	struct err e = { 0 };
	struct ac_view v;

#define AC_OF(...) OK(&e, ac_tbs_walk(make_ac(mem, &(struct tbs_spec){ __VA_ARGS__ }), &v, &e))
	AC_OF(0);
	REFUSED(&e, CHY_SIGNER_AC_FLAG, limits_check_ac(&l, &v, &e));
	l.acs_allowed = true;
	OK(&e, limits_check_ac(&l, &v, &e));
	AC_OF(.days = 400);
	OK(&e, limits_check_ac(&l, &v, &e));
	AC_OF(.days = 401);
	REFUSED(&e, CHY_SIGNER_VALIDITY, limits_check_ac(&l, &v, &e));
	AC_OF(.issuer = "CN=issuing");
	REFUSED(&e, CHY_SIGNER_ISSUER, limits_check_ac(&l, &v, &e));
	AC_OF(.alg = SIGALG_ECDSA_SHA384);
	REFUSED(&e, CHY_SIGNER_ALGORITHM, limits_check_ac(&l, &v, &e));
}

static void
sense(void **state)
{
	struct key_type t = { KEY_EC, CURVE_P256, 256 };
	struct signer_limits good = usual_limits(mem, "p-256"), l;
	struct err e = { 0 };

	OK(&e, limits_check_sense(&good, &t, SIGNER_CA, &e));
#define BAD(code, change) \
	l = good; \
	change; \
	REFUSED(&e, code, limits_check_sense(&l, &t, SIGNER_CA, &e))
	BAD(CHY_SIGNER_LIMITS, l.issuer = BYTES("\x30\x00"));
	BAD(CHY_DER_TRUNCATED, l.issuer = BYTES("\x30\x05"));
	BAD(CHY_SIGNER_LIMITS, l.n_algs = 0);
	BAD(CHY_SIGNER_LIMITS, l.algs[0] = SIGALG_RSA_PKCS1_SHA256);
	BAD(CHY_SIGNER_LIMITS, l.validity_max_days = 0);
	BAD(CHY_SIGNER_LIMITS, l.validity_max_days = 40000);
	BAD(CHY_SIGNER_LIMITS, l.path_len_max = -2);
}

static void
only_tighter(void **state)
{
	struct signer_limits was = usual_limits(mem, "p-256"), l;
	struct err e = { 0 };

	was.algs[was.n_algs++] = SIGALG_ECDSA_SHA384;
	was.ca_allowed = true;
	was.path_len_max = 2;
	was.per_second = 100;
	was.name_constraints = bytes_of(constraints, sizeof(constraints) - 1);
	OK(&e, limits_check_tighter(&was, &was, &e));
#define TIGHTER(change) \
	l = was; \
	change; \
	OK(&e, limits_check_tighter(&was, &l, &e))
#define WIDER(change) \
	l = was; \
	change; \
	REFUSED(&e, CHY_SIGNER_LIMITS_WIDER, limits_check_tighter(&was, &l, &e))
	TIGHTER(l.n_algs = 1);
	TIGHTER(l.validity_max_days--);
	TIGHTER(l.ca_allowed = false);
	TIGHTER(l.path_len_max = 0);
	TIGHTER(l.per_second = 1);
	WIDER(l.issuer = make_name(mem, "CN=Other"));
	WIDER(l.algs[1] = SIGALG_ECDSA_SHA512);
	WIDER(l.validity_max_days++);
	WIDER(l.path_len_max = 3);
	WIDER(l.path_len_max = -1);
	WIDER(l.per_second = 101);
	WIDER(l.per_second = 0);
	WIDER(l.name_constraints = BYTES_NONE);
	WIDER(l.name_constraints = BYTES("\x30\x00"));
	was.ca_allowed = false;
	WIDER(l.ca_allowed = true);
	WIDER(l.acs_allowed = true);
	was.acs_allowed = true;
	TIGHTER(l.acs_allowed = false);
	was.name_constraints = BYTES_NONE;
	was.per_second = 0;
	TIGHTER(l.name_constraints = bytes_of(constraints, sizeof(constraints) - 1));
	TIGHTER(l.per_second = 5);
}

static void
rate(void **state)
{
	struct rate r = { 0 };
	struct err e = { 0 };
	int64_t now = 5000000;

	for (int i = 0; i < 10; i++)
		OK(&e, limits_rate(&r, 10, now, &e));
	REFUSED(&e, CHY_SIGNER_RATE, limits_rate(&r, 10, now, &e));
	REFUSED(&e, CHY_SIGNER_RATE, limits_rate(&r, 10, now + 99999, &e));
	OK(&e, limits_rate(&r, 10, now + 100000, &e)); /* a tenth of a second: one more */
	REFUSED(&e, CHY_SIGNER_RATE, limits_rate(&r, 10, now + 100000, &e));
	for (int i = 0; i < 10; i++)
		OK(&e, limits_rate(&r, 10, now + 3600000000, &e)); /* never more than a second's worth */
	REFUSED(&e, CHY_SIGNER_RATE, limits_rate(&r, 10, now + 3600000000, &e));
	for (int i = 0; i < 100000; i++)
		OK(&e, limits_rate(&r, 0, now, &e));
}

static void
limits_over_the_wire(void **state)
{
	OWN_BUF struct buf b = buf_max(4096);
	struct signer_limits l = usual_limits(mem, "p-256"), back;
	struct err e = { 0 };
	struct rd r;

	l.ca_allowed = true;
	l.acs_allowed = true;
	l.path_len_max = -1;
	l.name_constraints = bytes_of(constraints, sizeof(constraints) - 1);
	l.per_second = 77;
	signer_limits_put(&b, &l);
	r = rd_of(buf_bytes(&b));
	OK(&e, signer_limits_get_from(&r, &back, &e));
	assert_true(rd_done(&r));
	assert_true(bytes_eq(l.issuer, back.issuer) && bytes_eq(l.name_constraints, back.name_constraints));
	assert_true(back.n_algs == 1 && back.algs[0] == l.algs[0] && back.ca_allowed && back.acs_allowed &&
		    back.path_len_max == -1);
	assert_int_equal(back.per_second, 77);
	for (size_t n = 0; n < b.n; n++) {
		r = rd_of(bytes_part(buf_bytes(&b), 0, n));
		assert_int_not_equal(signer_limits_get_from(&r, &back, NULL), RC_OK);
	}
}

/* docs/formats/signer-protocol.md gives these bytes. */
static void
head(void **state)
{
	uint8_t out[SIGNER_HEAD_BYTES];
	struct signer_head h = { .size = 0x0102, .at_ms = 0x0a0b };

	memset(h.root, 0xee, sizeof(h.root));
	signer_head_put(out, &h);
	assert_memory_equal(out, "Chancery journal head, version 1", 32);
	assert_memory_equal(out + 32, "\0\0\0\0\0\0\1\2\0\0\0\0\0\0\x0a\x0b\xee\xee", 18);
	assert_int_equal(out[79], 0xee);
}

#define T(fn) \
	{ \
#fn, fn, setup, teardown, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(issuer),
		T(algorithm),
		T(validity),
		T(ca_certificates),
		T(own_certificate),
		T(names),
		T(attribute_certificates),
		T(sense),
		T(only_tighter),
		T(rate),
		T(limits_over_the_wire),
		T(head),
	};

	return cmocka_run_group_tests_name("signer_limits", tests, NULL, NULL);
}
