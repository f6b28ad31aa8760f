#include "base/base.h"
#include "crypto/weak.h"

#include <openssl/bn.h>
#include <pthread.h>

#include "crypto/internal.h"
#include "crypto/weak_rsa.h"

enum {
	PRIME_MAX = 751, /* SP 800-89 5.3.3: trial division by the small primes */
	PRIMES = 132,    /* odd ones up to that */
	ROCA_MAX = 167,  /* every flawed key's structure holds at least for the primes up to this */
	FERMAT_ROUNDS = 100,
	EXPONENT_BITS_MAX = 256, /* FIPS 186-5 5.4 (c) */
	N_OCTETS_MAX = 2048,
};

/* Residues of a modulus are taken for many primes at once: first by a product of them that fits a word. */
static struct {
	uint16_t prime[PRIMES];
	uint64_t product[PRIMES];
	uint8_t first[PRIMES], count[PRIMES];
	size_t groups;
	/* bit r of [p]: r is a power of 65537 modulo p. Primes of which all residues are have none set. */
	uint8_t powers[ROCA_MAX + 1][(ROCA_MAX + 8) / 8];
	bool tells[ROCA_MAX + 1];
	/* bit r of [p]: r is a square modulo p */
	uint8_t squares[ROCA_MAX + 1][(ROCA_MAX + 8) / 8];
} tab;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool
bit(const uint8_t *set, unsigned i)
{
	return set[i / 8] >> i % 8 & 1;
}

static void
set_bit(uint8_t *set, unsigned i)
{
	set[i / 8] |= (uint8_t)(1u << i % 8);
}

static bool
is_prime(unsigned n)
{
	for (unsigned d = 3; d * d <= n; d += 2)
		if (n % d == 0)
			return false;
	return true;
}

static void
find_residues(unsigned p)
{
	unsigned count = 0, x = 1;

	for (unsigned r = 0; r < p; r++)
		set_bit(tab.squares[p], r * r % p);
	do {
		set_bit(tab.powers[p], x);
		x = x * 65537 % p;
		count++;
	} while (x != 1);
	tab.tells[p] = count < p - 1;
}

static void
make_tables(void)
{
	size_t n = 0, g = 0;

	for (unsigned p = 3; p <= PRIME_MAX && n < PRIMES; p += 2) {
		if (!is_prime(p))
			continue;
		if (tab.count[g] > 0 && tab.product[g] > UINT64_MAX / p)
			g++;
		if (tab.count[g] == 0) {
			tab.product[g] = 1;
			tab.first[g] = (uint8_t)n;
		}
		tab.product[g] *= p;
		tab.count[g]++;
		tab.prime[n++] = (uint16_t)p;
		if (p <= ROCA_MAX)
			find_residues(p);
	}
	tab.groups = g + 1;
}

/* n mod m, n big-endian. */
static uint64_t
mod_word(struct bytes n, uint64_t m)
{
	uint64_t r = 0;
	size_t i = 0;

	for (; i < n.n % 8; i++)
		r = (uint64_t)(((unsigned __int128)r << 8 | n.p[i]) % m);
	for (; i < n.n; i += 8) {
		uint64_t w;

		memcpy(&w, n.p + i, 8);
		r = (uint64_t)(((unsigned __int128)r << 64 | __builtin_bswap64(w)) % m);
	}
	return r;
}

static size_t
bits_of(struct bytes n)
{
	return n.n == 0 ? 0 : n.n * 8 - (size_t)(__builtin_clz(n.p[0]) - 24);
}

/* The least prime up to PRIME_MAX that divides n, or 0; *ret_roca: every residue is a power of 65537. */
static unsigned
small_factor(struct bytes n, bool *ret_roca)
{
	*ret_roca = true;
	for (size_t g = 0; g < tab.groups; g++) {
		uint64_t r = mod_word(n, tab.product[g]);

		for (size_t i = tab.first[g]; i < (size_t)tab.first[g] + tab.count[g]; i++) {
			unsigned p = tab.prime[i], residue = (unsigned)(r % p);

			if (residue == 0)
				return p;
			if (p <= ROCA_MAX && tab.tells[p] && !bit(tab.powers[p], residue))
				*ret_roca = false;
		}
	}
	return 0;
}

/* ---- Fermat's method: n = a^2 - b^2 with a just above the square root of n finds primes that lie close together ---- */

/* ret = floor(sqrt(n)), n > 0, by Newton's method from above: falls until it rises. False: out of memory. */
static bool
square_root(BIGNUM *ret, const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *x = BN_CTX_get(ctx), *y = BN_CTX_get(ctx);

	if (y == NULL || !BN_set_word(x, 1) || !BN_lshift(x, x, (BN_num_bits(n) + 1) / 2))
		return false;
	for (;;) {
		if (!BN_div(y, NULL, n, x, ctx) || !BN_add(y, y, x) || !BN_rshift1(y, y))
			return false;
		if (BN_cmp(y, x) >= 0)
			return BN_copy(ret, x) != NULL;
		if (BN_copy(x, y) == NULL)
			return false;
	}
}

/* Whether b^2 can be a square, by its residues: all but one in some 100,000 others fail. */
static bool
may_be_square(const unsigned *residue, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!bit(tab.squares[tab.prime[i]], residue[i]))
			return false;
	return true;
}

enum { SIEVE = 20 };

/* a^2 - n is a square, exactly. */
static bool
is_hit(const BIGNUM *a, const BIGNUM *n, BN_CTX *ctx, bool *ret)
{
	BIGNUM *b2 = BN_CTX_get(ctx), *b = BN_CTX_get(ctx); /* given back by the caller */

	if (b == NULL || !BN_sqr(b2, a, ctx) || !BN_sub(b2, b2, n))
		return false;
	*ret = BN_is_zero(b2);
	if (*ret || BN_is_negative(b2))
		return true;
	if (!square_root(b, b2, ctx) || !BN_sqr(b, b, ctx))
		return false;
	*ret = BN_cmp(b, b2) == 0;
	return true;
}

/* *ret_round: the round that found the primes, -1: none. False: out of memory. Residues of a and of a^2 - n are kept
   for a few primes, so that a round without a hit touches no big number. */
static bool
fermat(const BIGNUM *n, BN_CTX *ctx, int *ret_round)
{
	unsigned a_mod[SIEVE], b2_mod[SIEVE];
	BIGNUM *a = BN_CTX_get(ctx);

	*ret_round = -1;
	if (a == NULL || !square_root(a, n, ctx))
		return false;
	for (size_t i = 0; i < SIEVE; i++) {
		unsigned p = tab.prime[i];

		a_mod[i] = (unsigned)BN_mod_word(a, p);
		b2_mod[i] = (a_mod[i] * a_mod[i] + p - (unsigned)BN_mod_word(n, p)) % p;
	}
	for (int round = 0, behind = 0; round <= FERMAT_ROUNDS; round++, behind++) {
		bool hit = false;

		if (may_be_square(b2_mod, SIEVE)) {
			if (!BN_add_word(a, (BN_ULONG)behind))
				return false;
			behind = 0;
			/* the first a is the root rounded down: only a perfect square counts there */
			if (!is_hit(a, n, ctx, &hit))
				return false;
		}
		if (hit) {
			*ret_round = round;
			return true;
		}
		for (size_t i = 0; i < SIEVE; i++) {
			unsigned p = tab.prime[i];

			b2_mod[i] = (b2_mod[i] + 2 * a_mod[i] + 1) % p;
			a_mod[i] = (a_mod[i] + 1) % p;
		}
	}
	return true;
}

static enum rc
check_close(struct bytes modulus, struct err *e)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_bin2bn(modulus.p, (int)modulus.n, NULL);
	int round = -1;
	bool done = false;

	if (ctx != NULL && n != NULL) {
		BN_CTX_start(ctx);
		done = fermat(n, ctx, &round);
		BN_CTX_end(ctx);
	}
	BN_free(n);
	BN_CTX_free(ctx);
	if (!done)
		return ossl_fail(e, CHY_NO_MEMORY, NULL, "checking an RSA key");
	NEED(round < 0, e, CHY_RSA_CLOSE_PRIMES, "FIPS 186-5 A.1.3",
	     "Fermat's method finds its primes in round %d", round);
	return RC_OK;
}

/* FIPS 186-5 5.4: odd, 2^16 < e < 2^256; the lower bound is the policy's */
static enum rc
check_exponent(struct bytes exponent, uint64_t min, struct err *e)
{
	size_t bits = bits_of(exponent);
	uint64_t v = bits <= 64 ? mod_word(exponent, UINT64_MAX) : UINT64_MAX;

	/* UINT64_MAX mod UINT64_MAX is 0, and odd enough to be worth the line */
	if (bits == 64 && v == 0)
		v = UINT64_MAX;
	NEED(bits > 0 && (exponent.p[exponent.n - 1] & 1), e, CHY_RSA_EXPONENT, "FIPS 186-5 5.4",
	     "it is even");
	NEED(v >= 3, e, CHY_RSA_EXPONENT, "RFC 8017 3.1", "it is 1");
	NEED(v >= min, e, CHY_RSA_EXPONENT, "FIPS 186-5 5.4", "it is %llu, at least %llu is required",
	     (unsigned long long)v, (unsigned long long)min);
	NEED(bits <= EXPONENT_BITS_MAX, e, CHY_RSA_EXPONENT, "FIPS 186-5 5.4", "it has %zu bits, over %d",
	     bits, EXPONENT_BITS_MAX);
	return RC_OK;
}

enum rc
rsa_check(struct bytes n, struct bytes exponent, const struct key_limits *limits, struct err *e)
{
	size_t bits = bits_of(n);
	unsigned factor;
	bool roca;

	pthread_once(&once, make_tables);
	NEED(bits >= limits->rsa_min_bits && bits >= 512, e, CHY_RSA_SHORT, "BR 6.1.5",
	     "%zu bits, at least %u", bits, limits->rsa_min_bits);
	NEED(bits <= limits->rsa_max_bits && n.n <= N_OCTETS_MAX, e, CHY_RSA_LONG, NULL,
	     "%zu bits, at most %u", bits, limits->rsa_max_bits);
	TRY(check_exponent(exponent, limits->rsa_exponent_min, e));
	NEED(n.p[n.n - 1] & 1, e, CHY_RSA_EVEN, "RFC 8017 3.1", "the modulus is divisible by 2");
	factor = small_factor(n, &roca);
	NEED(factor == 0, e, CHY_RSA_SMALL_FACTOR, "SP 800-89 5.3.3", "the modulus is divisible by %u",
	     factor);
	NEED(!roca, e, CHY_RSA_ROCA, "BR 6.1.1.3", "the modulus has the structure of CVE-2017-15361");
	return check_close(n, e);
}
