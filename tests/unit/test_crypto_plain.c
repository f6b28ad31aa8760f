/* Digests, random numbers, passwords and sealed bytes: vectors of the standards, borders, damage. */
#include "base/base.h"
#include "crypto/crypto.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"
#include "crypto/rand.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void
is_hex(const uint8_t *p, size_t n, const char *hex)
{
	char text[2 * HASH_MAX + 1];

	assert_string_equal(hex_text(text, bytes_of(p, n)), hex);
}

/* FIPS 180-4, examples of NIST for the message "abc" */
static void
digest_vectors(void **state)
{
	uint8_t out[HASH_MAX];
	struct bytes abc = BYTES("abc");

	sha1(abc, out);
	is_hex(out, SHA1_LEN, "a9993e364706816aba3e25717850c26c9cd0d89d");
	sha256(abc, out);
	is_hex(out, SHA256_LEN, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha384(abc, out);
	is_hex(out, SHA384_LEN,
	       "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c82"
	       "5a7");
	sha512(abc, out);
	is_hex(out, SHA512_LEN,
	       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	sha256(BYTES_NONE, out);
	is_hex(out, SHA256_LEN, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void
digest_streams(void **state)
{
	uint8_t whole[HASH_MAX], parts[HASH_MAX], again[HASH_MAX];

	for (enum hash_alg alg = 0; alg < HASH_ALGS; alg++) {
		OWN(hasher_free)
		struct hasher *d = hasher_new(alg);

		assert_non_null(d);
		hash_of(alg, BYTES("one two three"), whole);
		hasher_add(d, BYTES("one "));
		hasher_add(d, BYTES_NONE);
		hasher_add(d, BYTES("two three"));
		hasher_end(d, parts);
		assert_memory_equal(whole, parts, hash_len(alg));
		hasher_add(d, BYTES("one two three"));
		hasher_end(d, again);
		assert_memory_equal(whole, again, hash_len(alg));
	}
	sha256(BYTES("one two"), whole);
	sha256_parts((struct bytes[]){ BYTES("one"), BYTES_NONE, BYTES(" two") }, 3, parts);
	assert_memory_equal(whole, parts, SHA256_LEN);
}

/* RFC 4231 4.2, 4.3, 4.7 (key longer than a block) */
static void
hmac_vectors(void **state)
{
	uint8_t key[131], out[SHA256_LEN];

	memset(key, 0x0b, 20);
	hmac_sha256(bytes_of(key, 20), BYTES("Hi There"), out);
	is_hex(out, SHA256_LEN, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hmac_sha256(BYTES("Jefe"), BYTES("what do ya want for nothing?"), out);
	is_hex(out, SHA256_LEN, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_sha256(BYTES_OF(key), BYTES("Test Using Larger Than Block-Size Key - Hash Key First"), out);
	is_hex(out, SHA256_LEN, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void *
hash_in_thread(void *arg)
{
	uint8_t out[SHA256_LEN], *ok = arg;

	*ok = 1;
	for (int i = 0; i < 1000; i++) {
		sha256(BYTES("abc"), out);
		*ok &= out[0] == 0xba && out[31] == 0xad;
	}
	return NULL;
}

static void
digests_in_threads(void **state)
{
	pthread_t t[4];
	uint8_t ok[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hash_in_thread, &ok[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		assert_int_equal(ok[i], 1);
	}
}

static void
random_differs(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 }, zero[32] = { 0 };

	assert_int_equal(rand_bytes(a, sizeof(a), NULL), RC_OK);
	assert_int_equal(rand_bytes(b, sizeof(b), NULL), RC_OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, zero, sizeof(a));
	assert_int_equal(rand_bytes(a, 0, NULL), RC_OK);
}

/* What password_verify says about a form; CHY_NONE when it is right. */
static enum code
verify_code(const char *password, const char *form)
{
	OWN(secret_free)
	struct secret *s = secret_of(bytes_str(password));
	struct err e = { 0 };
	enum rc rc = password_verify(s, bytes_str(form), &e);

	assert_int_equal(rc, e.rc);
	return e.code;
}

/* RFC 7914 section 12, third vector, but for N, which is that of stored forms: made by Python's hashlib.scrypt. */
#define RFC_SALT "U29kaXVtQ2hsb3JpZGU"
#define RFC_HASH "9yy8IEvc/D/1sRXYUIrsFWb/DvP2WDiGAaOTMHjvesg"

static void
password_vector(void **state)
{
	assert_int_equal(verify_code("pleaseletmein", "$scrypt$ln=15,r=8,p=1$" RFC_SALT "$" RFC_HASH),
			 CHY_NONE);
	assert_int_equal(verify_code("pleaseletmeiN", "$scrypt$ln=15,r=8,p=1$" RFC_SALT "$" RFC_HASH),
			 CHY_PASSWORD_WRONG);
}

static void
password_forms_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"$argon2id$v=19$m=65536,t=3,p=4$" RFC_SALT "$" RFC_HASH,
		"$scrypt$",
		"$scrypt$ln=15,r=8,p=1$" RFC_SALT,
		"$scrypt$ln=15,r=8,p=1$" RFC_SALT "$",
		"$scrypt$ln=15,r=8,p=1$" RFC_SALT "$" RFC_HASH "$",
		"$scrypt$ln=15,r=8,p=1$" RFC_SALT "$" RFC_HASH "=",
		"$scrypt$ln=15,r=8,p=1$$" RFC_HASH,
		"$scrypt$ln=15,r=8,p=1$" RFC_SALT "$AAAA",
		"$scrypt$ln=15,r=8$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=15,r=8,p=1,x=1$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=015,r=8,p=1$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=14,r=8,p=1$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=16,r=8,p=1$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=15,r=7,p=1$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=15,r=9,p=1$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=15,r=8,p=2$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=9,r=8,p=1$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=21,r=8,p=1$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=15,r=0,p=1$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=15,r=17,p=1$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=15,r=8,p=5$" RFC_SALT "$" RFC_HASH,
		"$scrypt$ln=20,r=16,p=1$" RFC_SALT "$" RFC_HASH,
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (verify_code("pleaseletmein", bad[i]) != CHY_PASSWORD_FORM)
			fail_msg("accepted: %s", bad[i]);
}

/* Somebody else's form is stored only at today's cost, with a whole salt. */
static void
password_forms_to_be_stored(void **state)
{
#define SALT16 "AAECAwQFBgcICQoLDA0ODw"
	static const struct {
		const char *form;
		bool good;
	} all[] = {
		{ "$scrypt$ln=15,r=8,p=1$" SALT16 "$" RFC_HASH, true },
		{ "$scrypt$ln=16,r=8,p=1$" SALT16 "$" RFC_HASH, false }, /* dearer: the server would pay */
		{ "$scrypt$ln=15,r=9,p=1$" SALT16 "$" RFC_HASH, false },
		{ "$scrypt$ln=15,r=8,p=2$" SALT16 "$" RFC_HASH, false },
		{ "$scrypt$ln=14,r=8,p=1$" SALT16 "$" RFC_HASH, false },
		{ "$scrypt$ln=15,r=7,p=1$" SALT16 "$" RFC_HASH, false },
		{ "$scrypt$ln=15,r=8,p=1$" RFC_SALT "$" RFC_HASH, false },
		{ "$scrypt$ln=15,r=8,p=1$" SALT16 "$" RFC_HASH "$", false },
		{ "$scrypt$ln=15,r=8,p=1$" SALT16 "$AAAA", false },
		{ "pleaseletmein", false },
		{ "", false },
	};
	OWN(secret_free)
	struct secret *s = secret_of(BYTES("pleaseletmein"));
	char own[PASSWORD_TEXT_MAX], longer[2 * PASSWORD_TEXT_MAX];
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		err_clear(&e);
		if ((password_form_check(bytes_str(all[i].form), &e) == RC_OK) != all[i].good)
			fail_msg("%s", all[i].form);
		assert_int_equal(e.code, all[i].good ? CHY_NONE : CHY_PASSWORD_FORM);
	}
	err_clear(&e);
	assert_int_equal(password_hash(s, own, NULL), RC_OK);
	assert_int_equal(password_form_check(bytes_str(own), &e), RC_OK);
	snprintf(longer, sizeof(longer), "%s%s", own, own);
	assert_int_equal(password_form_check(bytes_str(longer), &e), RC_MALFORMED);
}

static void
password_round_trip(void **state)
{
	OWN(secret_free)
	struct secret *s = secret_of(BYTES("gr\xc3\xbc\xc3\x9f dich"));
	char a[PASSWORD_TEXT_MAX], b[PASSWORD_TEXT_MAX];

	assert_int_equal(password_hash(s, a, NULL), RC_OK);
	assert_int_equal(password_hash(s, b, NULL), RC_OK);
	assert_string_not_equal(a, b);
	assert_int_equal(verify_code("gr\xc3\xbc\xc3\x9f dich", a), CHY_NONE);
	assert_int_equal(verify_code("", a), CHY_PASSWORD_WRONG);
}

static enum code
unseal_code(struct bytes sealed, const char *passphrase, const char *label, struct bytes expect)
{
	OWN(secret_free)
	struct secret *s = secret_of(bytes_str(passphrase));
	OWN(secret_free)
	struct secret *plain = NULL;
	struct err e = { 0 };

	if (unseal(sealed, s, bytes_str(label), &plain, &e) == RC_OK)
		assert_true(bytes_eq(secret_bytes(plain), expect));
	else
		assert_null(plain);
	return e.code;
}

static void
seal_round_trip(void **state)
{
	OWN(secret_free)
	struct secret *s = secret_of(BYTES("passphrase"));
	struct bytes plains[] = { BYTES("a private key"), BYTES_NONE };

	for (size_t i = 0; i < ARRAY_LEN(plains); i++) {
		OWN_BUF struct buf out = buf_max(4096);

		assert_int_equal(seal(plains[i], s, BYTES("key 12"), &out, NULL), RC_OK);
		assert_int_equal(out.n, plains[i].n + SEAL_OVERHEAD);
		assert_int_equal(unseal_code(buf_bytes(&out), "passphrase", "key 12", plains[i]), CHY_NONE);
		assert_int_equal(unseal_code(buf_bytes(&out), "passphrasE", "key 12", plains[i]),
				 CHY_SEAL_OPEN);
		assert_int_equal(unseal_code(buf_bytes(&out), "passphrase", "key 13", plains[i]),
				 CHY_SEAL_OPEN);
	}
}

static void
seal_damage_found(void **state)
{
	OWN(secret_free)
	struct secret *s = secret_of(BYTES("passphrase"));
	OWN_BUF struct buf out = buf_max(4096);
	struct bytes plain = BYTES("secret");
	/* magic, version, cost, salt, nonce, ciphertext, tag */
	static const struct {
		size_t at;
		uint8_t flip;
		enum code code;
	} cases[] = {
		{ 0, 1, CHY_SEAL_FORM },    { 8, 2, CHY_SEAL_FORM },     { 9, 1, CHY_SEAL_FORM },
		{ 9, 0x80, CHY_SEAL_FORM }, { 10, 8, CHY_SEAL_FORM },    { 11, 0x40, CHY_SEAL_FORM },
		{ 12, 1, CHY_SEAL_OPEN },   { 28, 1, CHY_SEAL_OPEN },    { 40, 1, CHY_SEAL_OPEN },
		{ 46, 1, CHY_SEAL_OPEN },   { 61, 0x80, CHY_SEAL_OPEN },
	};

	assert_int_equal(seal(plain, s, BYTES_NONE, &out, NULL), RC_OK);
	assert_int_equal(out.n, 62);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		out.p[cases[i].at] ^= cases[i].flip;
		if (unseal_code(buf_bytes(&out), "passphrase", "", plain) != cases[i].code)
			fail_msg("flipped %02x at %zu", cases[i].flip, cases[i].at);
		out.p[cases[i].at] ^= cases[i].flip;
	}
	for (size_t n = 0; n < SEAL_OVERHEAD; n++)
		assert_int_equal(unseal_code(bytes_of(out.p, n), "passphrase", "", plain), CHY_SEAL_FORM);
	assert_int_equal(unseal_code(bytes_of(out.p, out.n - 1), "passphrase", "", plain), CHY_SEAL_OPEN);
	assert_int_equal(unseal_code(buf_bytes(&out), "passphrase", "", plain), CHY_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_vectors),         cmocka_unit_test(digest_streams),
		cmocka_unit_test(hmac_vectors),           cmocka_unit_test(digests_in_threads),
		cmocka_unit_test(random_differs),         cmocka_unit_test(password_vector),
		cmocka_unit_test(password_forms_refused), cmocka_unit_test(password_forms_to_be_stored),
		cmocka_unit_test(password_round_trip),    cmocka_unit_test(seal_round_trip),
		cmocka_unit_test(seal_damage_found),
	};

	assert_int_equal(crypto_init(NULL), RC_OK);
	return cmocka_run_group_tests_name("crypto_plain", tests, NULL, NULL);
}
