/*
 * Issuance lists: what is built is read to the same, by the walker of the signer too; every rule of theirs has a list that breaks it
 * alone; and nobody takes one for a revocation list, or the other way round.
 */
#include "pki_made.h"
#include "test.h"

#include <openssl/x509.h>

#include "base/clock.h"
#include "pki/cil.h"
#include "pki/crl_walker.h"

static const uint8_t hash[32] = { 1, 2, 3 };
static const int64_t now_ms = 1767225600000; /* 2026-01-01 */

struct parts {
	const char *content, *version, *segment, *last; /* hex */
	const char *entry, *exts;
};

/* A list made by hand: each part of it may be another. */
static struct bytes
made(struct arena *a, struct parts p)
{
	struct bytes entry = hexb(a, p.entry);
	struct bytes parts[] = {
		hexb(a, p.content ? p.content : "06 05 2b2408030d"),
		hexb(a, p.version ? p.version : "020101"),
		hexb(a, p.segment ? p.segment : "020101"),
		hexb(a, p.last ? p.last : "0101ff"),
		sigalg_alg_id(SIGALG_ECDSA_SHA256),
		name_of(a, "CN=CA"),
		hexb(a, "170d 3236303130313030303030305a"),
		hexb(a, "170d 3236303230313030303030305a"),
		p.entry[0] == 0 ? BYTES_NONE : cat(a, &entry, 1, DER_SEQUENCE),
		hexb(a,
		     p.exts ? p.exts
			    : "a0 1f 30 1d 300f 0603551d23 0408 3006 8004 01020304"
			      " 300a 0603551d14 0403 020107"),
	};

	return cat(a, parts, ARRAY_LEN(parts), DER_SEQUENCE);
}

#define HASH32 "0101010101010101010101010101010101010101010101010101010101010101"
#define AT "170d 3236303130313030303030305a"
#define CERT_HASH "30 2f 30 0b 06 09 608648016503040201 04 20 " HASH32
#define EXT "30 3a 06 05 2b2408030d 04 31 " CERT_HASH
#define ENTRY(serial_n, serial) "30 " serial_n " " serial " " AT " 30 3c " EXT
#define GOOD ENTRY("50", "02 01 05")

/* With a signature that is none. */
static struct bytes
whole(struct arena *a, struct bytes tbs)
{
	OWN_DW struct dw w = dw_growing(1 << 20);
	struct bytes r;

	assert_int_equal(
	    crl_close_build(SIGALG_ECDSA_SHA256, BYTES("\x30\x06\x02\x01\x01\x02\x01\x01"), &w, NULL), RC_OK);
	dw_put(&w, tbs);
	assert_int_equal(
	    crl_open_build(tbs.n, SIGALG_ECDSA_SHA256, BYTES("\x30\x06\x02\x01\x01\x02\x01\x01"), &w, NULL),
	    RC_OK);
	assert_int_equal(dw_dup(&w, a, &r, NULL), RC_OK);
	return r;
}

static enum code
refusal(struct arena *a, struct parts p)
{
	struct err e = { 0 };
	struct cil c;

	if (p.entry == NULL)
		p.entry = GOOD;
	return cil_parse(whole(a, made(a, p)), &c, &e) == RC_OK ? CHY_NONE : e.code;
}

static struct bytes
built(struct arena *a, size_t n, unsigned segment, bool last, bool delta)
{
	struct ext exts[3];
	struct crl_inputs in = { .sigalg = SIGALG_ECDSA_SHA256,
				 .issuer = name_of(a, "CN=CA"),
				 .this_update_at = now_ms,
				 .next_update_at = now_ms + 86400000,
				 .exts = { delta ? 3 : 2, exts },
				 .segment = segment,
				 .last = last };
	OWN_DW struct dw w = dw_growing(1 << 20);
	struct bytes r;
	size_t at;

	assert_int_equal(ext_encode(a,
				    &(struct ext_value){ .kind = OID_CE_AUTHORITY_KEY_ID,
							 .aki = { .key_id = BYTES("12345678") } },
				    &exts[0], NULL),
			 RC_OK);
	assert_int_equal(ext_encode(a,
				    &(struct ext_value){ .kind = OID_CE_CRL_NUMBER, .number = BYTES("\x07") },
				    &exts[1], NULL),
			 RC_OK);
	assert_int_equal(
	    ext_encode(
		a, &(struct ext_value){ .kind = OID_CE_DELTA_CRL, .critical = true, .number = BYTES("\x05") },
		&exts[2], NULL),
	    RC_OK);
	assert_int_equal(crl_tail_build(&in, &w, NULL), RC_OK);
	at = dw_mark(&w);
	for (size_t i = n; i-- > 0;) {
		uint8_t serial[] = { 0x40, (uint8_t)(i >> 8), (uint8_t)i };

		assert_int_equal(
		    cil_entry_build(&(struct cil_entry){ BYTES_OF(serial), now_ms, BYTES_OF(hash) }, &w,
				    NULL),
		    RC_OK);
	}
	at = dw_mark(&w) - at;
	assert_int_equal(crl_head_build(&in, at, &w, NULL), RC_OK);
	assert_int_equal(dw_dup(&w, a, &r, NULL), RC_OK);
	return r;
}

static void
reads_what_was_built(void **state)
{
	static const size_t counts[] = { 0, 1, 2, 130, 700 };

	for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
		OWN(arena_free)
		struct arena *a = arena_new(16 << 20);
		OWN_BUF struct buf text = buf_max(1 << 20);
		struct err e = { 0 };
		struct cil_entry x;
		struct bytes rest;
		size_t n = 0;
		struct cil c;

		assert_rc(cil_parse(whole(a, built(a, counts[k], 3, k % 2, k % 3 == 0)), &c, &e), RC_OK, &e);
		assert_int_equal(c.n, counts[k]);
		assert_int_equal(c.segment, 3);
		assert_int_equal(c.last, k % 2);
		assert_int_equal(c.number, 7);
		assert_int_equal(c.delta, k % 3 == 0);
		assert_int_equal(c.base, k % 3 == 0 ? 5 : 0);
		assert_int_equal(c.this_update_at, now_ms);
		for (rest = c.entries; cil_next(&rest, &x); n++) {
			assert_int_equal(x.at, now_ms);
			assert_bytes(x.sha256, BYTES_OF(hash));
			assert_int_equal(x.serial.p[1] << 8 | x.serial.p[2], n);
		}
		assert_int_equal(n, counts[k]);
		cil_put_text(&text, &c, 1);
		assert_true(buf_ok(&text));
		assert_int_equal(json_get(cil_json(a, &c, 1), "count")->integer, counts[k]);
	}
}

/* Also by OpenSSL. */
static void
never_one_for_the_other(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct bytes list = whole(a, built(a, 2, 1, true, false)),
		     revoked = whole(a, built(a, 0, 0, false, false));
	const unsigned char *p = list.p;
	struct err e = { 0 };
	struct crl crl;
	struct cil cil;

	assert_int_not_equal(crl_parse(a, list, &crl, &e), RC_OK);
	assert_null(d2i_X509_CRL(NULL, &p, (long)list.n));
	err_clear(&e);
	assert_rc(crl_parse(a, revoked, &crl, &e), RC_OK, &e);
	assert_code(cil_parse(revoked, &cil, &e), CHY_CIL);
}

static void
every_rule(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	static const struct {
		struct parts p;
		enum code code;
	} bad[] = {
		{ { .content = "06 03 551d14" }, CHY_CRL_TBS },
		{ { .version = "020102" }, CHY_DER_INTEGER },
		{ { .segment = "020100" }, CHY_DER_INTEGER },
		{ { .segment = "0201ff" }, CHY_DER_INTEGER },
		{ { .last = "010101" }, CHY_DER_BOOLEAN },
		{ { .last = "020101" }, CHY_DER_TAG },
		{ { .entry = ENTRY("50", "02 01 05") " 00" }, CHY_DER_TRUNCATED },
		{ { .entry = GOOD GOOD }, CHY_CRL_TBS }, /* one serial number twice */
		{ { .entry = ENTRY("50", "02 01 05") " " ENTRY("50", "02 01 04") }, CHY_CRL_TBS },
		{ { .entry = ENTRY("50", "02 01 00") }, CHY_CRL_TBS },
		{ { .entry = ENTRY("50", "02 01 85") }, CHY_CRL_TBS },
		{ { .entry = "30 12 02 01 05 " AT }, CHY_DER_TRUNCATED }, /* no hash */
		{ { .entry = "30 14 02 01 05 " AT " 30 00" }, CHY_DER_TRUNCATED },
		{ { .entry = "30 20 02 01 05 " AT " 30 0c 30 0a 06 03 551d15 04 03 0a 01 01" },
		  CHY_CRL_TBS }, /* a reason */
		{ { .entry = "30 53 02 01 05 " AT " 30 3f 30 3d 06 05 2b2408030d 01 01 ff 04 31 " CERT_HASH },
		  CHY_DER_TAG },
		{ { .entry = "30 4f 02 01 05 " AT
			     " 30 3b 30 39 06 05 2b2408030d 04 30 30 2e 30 0b 06 09 608648016503040201"
			     " 04 1f 01010101010101010101010101010101010101010101010101010101010101" },
		  CHY_CRL_TBS },
		{ { .entry = "30 50 02 01 05 " AT
			     " 30 3c 30 3a 06 05 2b2408030d 04 31 30 2f 30 0b 06 09 608648016503040202"
			     " 04 20 " HASH32 },
		  CHY_CRL_TBS },
		{ { .exts = "a0 0e 30 0c 300a 0603551d14 0403 020107" },
		  CHY_CRL_TBS }, /* no key identifier */
		{ { .exts = "a0 13 30 11 300f 0603551d23 0408 3006 8004 01020304" },
		  CHY_CRL_TBS }, /* no number */
		{ { .exts = "a0 30 30 2e 300f 0603551d23 0408 3006 8004 01020304 300a 0603551d14 0403 020107"
			    " 300f 0603551d1c 0101ff 0405 3003 8101ff" },
		  CHY_CRL_TBS }, /* an issuing distribution point */
	};

	assert_int_equal(refusal(a, (struct parts){ 0 }), CHY_NONE);
	assert_int_equal(refusal(a, (struct parts){ .entry = "" }), CHY_NONE);
	assert_int_equal(refusal(a, (struct parts){ .entry = GOOD " " ENTRY("50", "02 01 06") }), CHY_NONE);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (refusal(a, bad[i].p) != bad[i].code)
			fail_msg("rule %zu: CHY-%d", i, (int)refusal(a, bad[i].p));
}

static void
refuses_to_build(void **state)
{
	OWN_DW struct dw w = dw_growing(1 << 16);
	struct err e = { 0 };
	struct cil_entry x = { BYTES("\x01"), now_ms, BYTES_OF(hash) };

	assert_int_equal(cil_entry_build(&x, &w, &e), RC_OK);
	x.serial = BYTES("\x80");
	assert_code(cil_entry_build(&x, &w, &e), CHY_CRL);
	x.serial = BYTES("\x01");
	x.sha256.n = 31;
	assert_code(cil_entry_build(&x, &w, &e), CHY_CRL);
}

static const struct CMUnitTest tests[] = {
	CASE(reads_what_was_built),
	CASE(never_one_for_the_other),
	CASE(every_rule),
	CASE(refuses_to_build),
};

TESTS_MAIN(tests)
