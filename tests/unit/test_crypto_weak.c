/* Keys that must not be certified, each made for its reason, and good ones beside them. */
#include "base/base.h"
#include "crypto/crypto.h"
#include "crypto/softkey.h"
#include "crypto/weak.h"

#include <openssl/bn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <cmocka.h>

static const uint8_t f4[] = { 1, 0, 1 };

static struct pubkey
rsa_key(struct bytes n, struct bytes e)
{
	return (struct pubkey){ .alg = KEY_RSA, .bits = (unsigned)n.n * 8, .modulus = n, .exponent = e };
}

static enum code
rsa_code(struct bytes n, struct bytes exponent, const struct key_limits *limits)
{
	struct pubkey k = rsa_key(n, exponent);
	struct err e = { 0 };
	enum rc rc = key_check(&k, limits, &e);

	assert_int_equal(rc, e.rc);
	return e.code;
}

/* A modulus as bytes; given back by the caller. */
struct modulus {
	uint8_t p[2048];
	struct bytes b;
};

static void
product(struct modulus *m, const BIGNUM *p, const BIGNUM *q)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_new();

	assert_int_equal(BN_mul(n, p, q, ctx), 1);
	m->b = bytes_of(m->p, (size_t)BN_bn2bin(n, m->p));
	BN_free(n);
	BN_CTX_free(ctx);
}

static BIGNUM *
prime(int bits)
{
	BIGNUM *p = BN_new();

	assert_int_equal(BN_generate_prime_ex(p, bits, 0, NULL, NULL, NULL), 1);
	BN_set_bit(p, bits - 1);
	return p;
}

static void
good_modulus(struct modulus *m, int bits)
{
	BIGNUM *p = prime(bits / 2), *q = prime(bits - bits / 2);

	product(m, p, q);
	BN_free(p);
	BN_free(q);
}

static void
rsa_sizes(void **state)
{
	struct key_limits exact = key_limits_default;
	struct modulus m;

	good_modulus(&m, 2048);
	assert_int_equal(rsa_code(m.b, BYTES_OF(f4), NULL), CHY_NONE);
	exact.rsa_min_bits = exact.rsa_max_bits = 2048;
	assert_int_equal(rsa_code(m.b, BYTES_OF(f4), &exact), CHY_NONE);
	exact.rsa_min_bits = 2049;
	assert_int_equal(rsa_code(m.b, BYTES_OF(f4), &exact), CHY_RSA_SHORT);
	exact.rsa_min_bits = 1024;
	exact.rsa_max_bits = 2047;
	assert_int_equal(rsa_code(m.b, BYTES_OF(f4), &exact), CHY_RSA_LONG);
	/* one bit short: 2047 */
	m.p[0] &= 0x7f;
	assert_int_equal(rsa_code(m.b, BYTES_OF(f4), NULL), CHY_RSA_SHORT);
	good_modulus(&m, 1024);
	assert_int_equal(rsa_code(m.b, BYTES_OF(f4), NULL), CHY_RSA_SHORT);
	memset(m.p, 0xff, sizeof(m.p));
	assert_int_equal(rsa_code(bytes_of(m.p, 1025), BYTES_OF(f4), NULL), CHY_RSA_LONG);
}

static void
rsa_exponents(void **state)
{
	static const uint8_t one[] = { 1 }, two[] = { 2 }, three[] = { 3 }, even[] = { 1, 0, 2 },
			     low[] = { 0xff, 0xff }, high[32] = { 0x80, [31] = 1 },
			     over[33] = { 1, [32] = 1 },
			     word[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const struct {
		struct bytes e;
		enum code strict, lax;
	} cases[] = {
		{ BYTES_NONE, CHY_RSA_EXPONENT, CHY_RSA_EXPONENT },
		{ BYTES_OF(one), CHY_RSA_EXPONENT, CHY_RSA_EXPONENT },
		{ BYTES_OF(two), CHY_RSA_EXPONENT, CHY_RSA_EXPONENT },
		{ BYTES_OF(three), CHY_RSA_EXPONENT, CHY_NONE },
		{ BYTES_OF(even), CHY_RSA_EXPONENT, CHY_RSA_EXPONENT },
		{ BYTES_OF(low), CHY_RSA_EXPONENT, CHY_NONE },
		{ BYTES_OF(f4), CHY_NONE, CHY_NONE },
		{ BYTES_OF(word), CHY_NONE, CHY_NONE },
		{ BYTES_OF(high), CHY_NONE, CHY_NONE },
		{ BYTES_OF(over), CHY_RSA_EXPONENT, CHY_RSA_EXPONENT },
	};
	struct key_limits lax = key_limits_default;
	struct modulus m;

	lax.rsa_exponent_min = 3;
	good_modulus(&m, 2048);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (rsa_code(m.b, cases[i].e, NULL) != cases[i].strict)
			fail_msg("exponent %zu by default", i);
		if (rsa_code(m.b, cases[i].e, &lax) != cases[i].lax)
			fail_msg("exponent %zu with 3 allowed", i);
	}
}

static void
rsa_factors(void **state)
{
	static const unsigned small[] = { 3, 5, 163, 167, 701, 743, 751 };
	struct modulus m;

	for (size_t i = 0; i < ARRAY_LEN(small); i++) {
		BIGNUM *p = BN_new(), *q = prime(2047);

		BN_set_word(p, small[i]);
		product(&m, p, q);
		if (rsa_code(m.b, BYTES_OF(f4), NULL) != CHY_RSA_SMALL_FACTOR)
			fail_msg("factor %u", small[i]);
		/* 757 is the first prime that is not looked for */
		BN_set_word(p, 757);
		product(&m, p, q);
		assert_int_equal(rsa_code(m.b, BYTES_OF(f4), NULL), CHY_NONE);
		BN_free(p);
		BN_free(q);
	}
	good_modulus(&m, 2048);
	m.p[m.b.n - 1] &= 0xfe;
	assert_int_equal(rsa_code(m.b, BYTES_OF(f4), NULL), CHY_RSA_EVEN);
}

/* p = k M + 65537^a mod M, M the product of the first primes: Nemec, Sys and others, "The Return of Coppersmith's
   Attack", 2017. */
static BIGNUM *
roca_prime(int bits, unsigned primes)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *m = BN_new(), *k = BN_new(), *g = BN_new(), *a = BN_new(), *p = BN_new();
	unsigned n = 1;

	BN_set_word(m, 2);
	for (unsigned c = 3; n < primes; c += 2) {
		bool good = true;

		for (unsigned d = 3; d * d <= c; d += 2)
			good = good && c % d != 0;
		if (good) {
			BN_mul_word(m, c);
			n++;
		}
	}
	do {
		assert_true(BN_rand(k, bits - BN_num_bits(m), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY));
		assert_true(BN_rand(a, 200, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY));
		BN_set_word(g, 65537);
		assert_true(BN_mod_exp_simple(g, g, a, m, ctx) && BN_mul(p, k, m, ctx) && BN_add(p, p, g));
	} while (BN_check_prime(p, ctx, NULL) != 1);
	BN_free(m);
	BN_free(k);
	BN_free(g);
	BN_free(a);
	BN_CTX_free(ctx);
	return p;
}

static void
rsa_roca(void **state)
{
	struct key_limits low = key_limits_default;
	struct modulus m;
	BIGNUM *p = roca_prime(1024, 126), *q = roca_prime(1024, 126), *r = prime(1024);

	product(&m, p, q);
	assert_int_equal(rsa_code(m.b, BYTES_OF(f4), NULL), CHY_RSA_ROCA);
	/* a single such prime is not the fingerprint */
	product(&m, p, r);
	assert_int_equal(rsa_code(m.b, BYTES_OF(f4), NULL), CHY_NONE);
	BN_free(p);
	BN_free(q);
	BN_free(r);
	/* the shortest keys of that generator have the least structure */
	low.rsa_min_bits = 512;
	p = roca_prime(264, 39);
	q = roca_prime(264, 39);
	product(&m, p, q);
	assert_int_equal(rsa_code(m.b, BYTES_OF(f4), &low), CHY_RSA_ROCA);
	BN_free(p);
	BN_free(q);
}

/* The prime behind p + 2^shift */
static BIGNUM *
prime_after(const BIGNUM *p, int shift)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *q = BN_new();

	BN_one(q);
	assert_true(BN_lshift(q, q, shift) && BN_add(q, q, p));
	BN_set_bit(q, 0);
	while (BN_check_prime(q, ctx, NULL) != 1)
		assert_true(BN_add_word(q, 2));
	BN_CTX_free(ctx);
	return q;
}

static void
rsa_close(void **state)
{
	/* round r finds a difference of about 2 sqrt(2 r sqrt(n)): 2^(bits/4 + 1) is round 1, 2^(bits/4 + 4) round 32,
	   2^(bits/4 + 6) round 512 and thus past what is tried */
	static const struct {
		int bits, shift;
		enum code code;
	} cases[] = {
		{ 2048, 1, CHY_RSA_CLOSE_PRIMES },
		{ 2048, 100, CHY_RSA_CLOSE_PRIMES },
		{ 2048, 514, CHY_RSA_CLOSE_PRIMES },
		{ 2048, 516, CHY_RSA_CLOSE_PRIMES },
		{ 2048, 519, CHY_NONE },
		{ 2048, 900, CHY_NONE },
		{ 3072, 772, CHY_RSA_CLOSE_PRIMES },
		{ 3072, 775, CHY_NONE },
	};
	struct modulus m;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		BIGNUM *p = prime(cases[i].bits / 2), *q = prime_after(p, cases[i].shift);

		product(&m, p, q);
		if (rsa_code(m.b, BYTES_OF(f4), NULL) != cases[i].code)
			fail_msg("%d bits, primes 2^%d apart", cases[i].bits, cases[i].shift);
		product(&m, p, p);
		assert_int_equal(rsa_code(m.b, BYTES_OF(f4), NULL), CHY_RSA_CLOSE_PRIMES);
		BN_free(p);
		BN_free(q);
	}
}

/* No good key is refused: what the generator makes passes. */
static void
rsa_good(void **state)
{
	for (int i = 0; i < 6; i++) {
		OWN(softkey_free)
		struct softkey *k = NULL;
		struct pubkey key;

		assert_int_equal(softkey_generate(i < 5 ? "rsa-2048" : "rsa-3072", &k, NULL), RC_OK);
		assert_int_equal(pubkey_parse(softkey_spki(k), &key, NULL), RC_OK);
		assert_int_equal(key_check(&key, NULL, NULL), RC_OK);
	}
}

static enum code
point_code(enum key_alg alg, enum curve curve, struct bytes point)
{
	struct pubkey k = { .alg = alg, .curve = curve, .point = point };
	struct err e = { 0 };
	enum rc rc = key_check(&k, NULL, &e);

	assert_int_equal(rc, e.rc);
	return e.code;
}

static void
ec_points(void **state)
{
	static const char *const kinds[] = { "p-256", "p-384", "p-521" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		OWN(softkey_free)
		struct softkey *k = NULL;
		struct pubkey key;
		uint8_t bad[133];

		assert_int_equal(softkey_generate(kinds[i], &k, NULL), RC_OK);
		assert_int_equal(pubkey_parse(softkey_spki(k), &key, NULL), RC_OK);
		assert_int_equal(key_check(&key, NULL, NULL), RC_OK);
		memcpy(bad, key.point.p, key.point.n);
		bad[key.point.n - 1] ^= 1;
		assert_int_equal(point_code(KEY_EC, key.curve, bytes_of(bad, key.point.n)), CHY_KEY_POINT);
		assert_int_equal(point_code(KEY_EC, key.curve, bytes_of(bad, key.point.n - 1)),
				 CHY_KEY_POINT);
		memset(bad + 1, 0, key.point.n - 1);
		assert_int_equal(point_code(KEY_EC, key.curve, bytes_of(bad, key.point.n)), CHY_KEY_POINT);
		/* coordinates beyond the field */
		memset(bad + 1, 0xff, key.point.n - 1);
		assert_int_equal(point_code(KEY_EC, key.curve, bytes_of(bad, key.point.n)), CHY_KEY_POINT);
		bad[0] = 0; /* infinity, SEC 1 2.3.3 */
		assert_int_equal(point_code(KEY_EC, key.curve, bytes_of(bad, 1)), CHY_KEY_POINT);
		assert_int_equal(point_code(KEY_EC, CURVE_NONE, key.point), CHY_KEY_CURVE);
	}
	assert_int_equal(point_code(KEY_NONE, CURVE_NONE, BYTES_NONE), CHY_KEY_UNKNOWN);
}

/* The points of small order of both Edwards curves, with either bit of x */
static void
edwards_points(void **state)
{
	static const char *const small25519[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);
	uint8_t y[57];
	struct bytes b;
	int on = 0;

	for (size_t i = 0; i < ARRAY_LEN(small25519); i++) {
		assert_int_equal(hex_parse(a, bytes_str(small25519[i]), &b, NULL), RC_OK);
		memcpy(y, b.p, 32);
		assert_int_equal(point_code(KEY_ED25519, CURVE_NONE, bytes_of(y, 32)), CHY_KEY_POINT);
		y[31] |= 0x80;
		assert_int_equal(point_code(KEY_ED25519, CURVE_NONE, bytes_of(y, 32)), CHY_KEY_POINT);
	}
	/* about half of all numbers are the y of a point */
	for (int i = 2; i < 66; i++) {
		memset(y, 0, sizeof(y));
		y[0] = (uint8_t)i;
		on += point_code(KEY_ED25519, CURVE_NONE, bytes_of(y, 32)) == CHY_NONE;
		on += point_code(KEY_ED448, CURVE_NONE, bytes_of(y, 57)) == CHY_NONE;
	}
	assert_in_range(on, 40, 88);
	for (int i = 0; i < 2; i++) {
		memset(y, 0, sizeof(y));
		y[0] = (uint8_t)i;
		assert_int_equal(point_code(KEY_ED448, CURVE_NONE, bytes_of(y, 57)), CHY_KEY_POINT);
	}
	memset(y, 0xff, sizeof(y));
	assert_int_equal(point_code(KEY_ED448, CURVE_NONE, bytes_of(y, 57)), CHY_KEY_POINT);
	assert_int_equal(point_code(KEY_ED25519, CURVE_NONE, bytes_of(y, 31)), CHY_KEY_POINT);
	assert_int_equal(point_code(KEY_ED25519, CURVE_NONE, BYTES_NONE), CHY_KEY_POINT);
	for (int i = 0; i < 20; i++) {
		OWN(softkey_free)
		struct softkey *k = NULL;
		struct pubkey key;

		assert_int_equal(softkey_generate(i % 2 ? "ed25519" : "ed448", &k, NULL), RC_OK);
		assert_int_equal(pubkey_parse(softkey_spki(k), &key, NULL), RC_OK);
		assert_int_equal(key_check(&key, NULL, NULL), RC_OK);
	}
}

/* Time that this thread has used: neighbours on the machine do not count. */
static int64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Prints what the checks cost where asked to; as a test it only says that they stay under the limit of a millisecond. */
static void
cost(void **state)
{
	static const int bits[] = { 2048, 4096 };

	for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
		struct modulus m;
		struct pubkey k;
		int64_t start, us;
		enum { N = 200 };

		good_modulus(&m, bits[i]);
		k = rsa_key(m.b, BYTES_OF(f4));
		assert_int_equal(key_check(&k, NULL, NULL), RC_OK);
		start = cpu_us();
		for (int n = 0; n < N; n++)
			assert_int_equal(key_check(&k, NULL, NULL), RC_OK);
		us = cpu_us() - start;
		if (getenv("CHY_TIMING"))
			fprintf(stderr, "rsa-%d check: %.1f us\n", bits[i], (double)us / N);
		/* generous: sanitizers and neighbours */
		assert_true(us / N < 20000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "an RSA modulus within its limits passes, one bit outside is refused", rsa_sizes, NULL,
		  NULL, NULL },
		{ "RSA exponents: even, 1, small, too long", rsa_exponents, NULL, NULL, NULL },
		{ "RSA moduli: even, each small factor up to 751", rsa_factors, NULL, NULL, NULL },
		{ "RSA moduli of the ROCA structure", rsa_roca, NULL, NULL, NULL },
		{ "RSA primes close together, and squares", rsa_close, NULL, NULL, NULL },
		{ "RSA keys of the generator pass", rsa_good, NULL, NULL, NULL },
		{ "elliptic points off the curve, beyond the field, infinity", ec_points, NULL, NULL, NULL },
		{ "Edwards points off the curve, not reduced, of small order", edwards_points, NULL, NULL,
		  NULL },
		{ "the cost of the RSA checks", cost, NULL, NULL, NULL },
	};

	assert_int_equal(crypto_init(NULL), RC_OK);
	return cmocka_run_group_tests_name("crypto_weak", tests, NULL, NULL);
}
