/*
 * Revocation lists (RFC 5280 5): what we build is read by ourselves and by OpenSSL to the same, what OpenSSL builds is read by
 * us, and every rule of the signer's walker has a list that breaks it alone.
 */
#include "pki_made.h"
#include "test.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "pki/crl.h"
#include "pki/crl_walker.h"

static int64_t
at(const char *text)
{
	int64_t ms = 0;

	assert_int_equal(time_parse(bytes_str(text), &ms, NULL), RC_OK);
	return ms;
}

static struct ext
ext(struct arena *a, const struct ext_value *v)
{
	struct err e = { 0 };
	struct ext x;

	assert_rc(ext_encode(a, v, &x, &e), RC_OK, &e);
	return x;
}

static struct ext
number(struct arena *a, const char *contents)
{
	return ext(a, &(struct ext_value){ .kind = OID_CE_CRL_NUMBER, .number = bytes_str(contents) });
}

static struct ext
delta(struct arena *a, const char *contents)
{
	return ext(
	    a,
	    &(struct ext_value){ .kind = OID_CE_DELTA_CRL, .critical = true, .number = bytes_str(contents) });
}

static struct ext
aki(struct arena *a)
{
	return ext(
	    a,
	    &(struct ext_value){ .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = BYTES("12345678") } });
}

static struct gname *
uri(struct arena *a, const char *text)
{
	struct gname *g = arena_one(a, struct gname);

	*g = (struct gname){ .type = GN_URI, .value = bytes_str(text) };
	return g;
}

static struct ext
point(struct arena *a, struct issuing_point p)
{
	return ext(a, &(struct ext_value){ .kind = OID_CE_ISSUING_POINT, .critical = true, .point = p });
}

static struct crl_inputs
inputs(struct arena *a, struct ext *exts)
{
	exts[0] = aki(a);
	exts[1] = number(a, "\x05");
	return (struct crl_inputs){
		.sigalg = SIGALG_ECDSA_SHA256,
		.issuer = name_of(a, "CN=CA,O=Example,C=SE"),
		.this_update_at = at("2026-01-01T00:00:00Z"),
		.next_update_at = at("2026-01-08T00:00:00Z"),
		.exts = { 2, exts },
	};
}

static const struct crl_entry plain = { .serial = { (const uint8_t *)"\x01", 1 },
					.revoked_at = 1700000000000,
					.reason = CRL_NO_REASON,
					.invalidity_at = CRL_NO_TIME };

static struct crl_entry
entry(const char *serial, int reason)
{
	struct crl_entry x = plain;

	x.serial = bytes_str(serial);
	x.reason = reason;
	return x;
}

static struct bytes
tbs_built(struct arena *a, const struct crl_inputs *in, const struct crl_entry *v, size_t n)
{
	OWN_DW struct dw w = dw_growing(1 << 24);
	struct err e = { 0 };
	struct bytes r;

	assert_rc(crl_tbs_build(in, v, n, &w, &e), RC_OK, &e);
	assert_rc(dw_dup(&w, a, &r, &e), RC_OK, &e);
	return r;
}

/* With a signature that is none. */
static struct bytes
list_of(struct arena *a, struct bytes tbs, enum sigalg s)
{
	OWN_DW struct dw w = dw_growing(1 << 24);
	struct bytes signature = BYTES("\x30\x06\x02\x01\x01\x02\x01\x01"), r;
	struct err e = { 0 };

	assert_rc(crl_close_build(s, signature, &w, &e), RC_OK, &e);
	dw_put(&w, tbs);
	assert_rc(crl_open_build(tbs.n, s, signature, &w, &e), RC_OK, &e);
	assert_rc(dw_dup(&w, a, &r, &e), RC_OK, &e);
	return r;
}

static X509_CRL *
by_openssl(struct bytes der)
{
	const unsigned char *p = der.p;
	X509_CRL *c = d2i_X509_CRL(NULL, &p, (long)der.n);

	assert_non_null(c);
	assert_ptr_equal(p, der.p + der.n);
	return c;
}

/* ---- the walker, in parts ---- */

struct parts {
	struct bytes head, entries, tail;
};

static struct parts
cut(struct bytes tbs)
{
	struct der d = der_of(tbs, NULL);
	struct parts p = { .head = tbs };

	der_enter(&d, DER_SEQUENCE);
	der_int(&d, 0, 255);
	for (int i = 0; i < 4; i++)
		der_any(&d, NULL);
	if (der_next_is(&d, DER_SEQUENCE)) {
		der_enter(&d, DER_SEQUENCE);
		p.entries = bytes_of(d.p, (size_t)(d.end - d.p));
		p.head.n = (size_t)(d.p - tbs.p);
		p.tail = bytes_part(tbs, p.head.n + p.entries.n, SIZE_MAX);
	} else {
		p.head.n = (size_t)(d.p - tbs.p);
		p.tail = bytes_part(tbs, p.head.n, SIZE_MAX);
	}
	return p;
}

static enum rc
walk(struct bytes tbs, struct crl_walk *w, struct bytes *ret_point, struct err *e)
{
	struct parts p = cut(tbs);
	struct bytes issuer, rest = p.entries;
	struct crl_entry x;

	TRY(crl_walk_head(w, p.head, &issuer, e));
	while (rest.n > 0) { /* one by one, where they can be taken apart */
		struct bytes was = rest;

		if (!crl_next(&rest, &x))
			return crl_walk_entries(w, was, e);
		TRY(crl_walk_entries(w, bytes_of(was.p, was.n - rest.n), e));
	}
	return crl_walk_tail(w, p.tail, ret_point, e);
}

static void
walks(struct bytes tbs)
{
	struct err e = { 0 };
	struct crl_walk w;
	struct bytes point;

	assert_rc(walk(tbs, &w, &point, &e), RC_OK, &e);
	assert_int_equal(w.at, CRL_WALK_DONE);
	assert_int_equal(w.total, tbs.n);
}

static void
refuses(struct bytes tbs, enum code want)
{
	struct err e = { 0 };
	struct crl_walk w;
	struct bytes point;
	enum rc rc = walk(tbs, &w, &point, &e);

	if (e.code != want)
		fail_msg("CHY-%d (%s) instead of CHY-%d", e.code, e.text, want);
	assert_int_not_equal(rc, RC_OK);
}

/* ---- our own ---- */

static void
builds_what_it_reads(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ext exts[6];
	struct crl_inputs in = inputs(a, exts);
	struct crl_entry v[3] = { entry("\x01", CRL_KEY_COMPROMISE), entry("\x02", CRL_HOLD),
				  entry("\x01\x02", 0) };
	struct err e = { 0 };
	struct issuing_point p;
	struct crl_entry x;
	struct bytes tbs, rest;
	struct crl c;

	v[0].invalidity_at = at("2025-06-01T00:00:00Z");
	v[2].issuer = name_of(a, "CN=Other");
	exts[2] = point(a,
			(struct issuing_point){ .full_name = { 1, uri(a, "http://crl.example/1.crl") },
						.indirect = true,
						.only_user = true,
						.reasons = 0x42 });
	exts[3] = ext(a,
		      &(struct ext_value){ .kind = OID_CE_EXPIRED_ON_CRL, .at = at("2020-01-01T00:00:00Z") });
	in.exts.n = 4;
	tbs = tbs_built(a, &in, v, 3);
	assert_rc(crl_parse(a, list_of(a, tbs, in.sigalg), &c, &e), RC_OK, &e);
	assert_bytes(c.tbs, tbs);
	assert_int_equal(c.version, 2);
	assert_bytes(c.issuer, in.issuer);
	assert_true(c.this_update_at == in.this_update_at && c.next_update_at == in.next_update_at);
	assert_bytes(c.number, BYTES("\x05"));
	assert_null(c.base.p);
	assert_false(c.critical_unknown);
	assert_int_equal(c.n, 3);
	assert_true(crl_issuing_point(a, &c, &p));
	assert_true(p.indirect && p.only_user && !p.only_ca && !p.only_attribute && p.reasons == 0x42);
	assert_text(p.full_name.v[0].value, "http://crl.example/1.crl");
	rest = c.entries;
	for (size_t i = 0; i < 3; i++) {
		assert_true(crl_next(&rest, &x));
		assert_bytes(x.serial, v[i].serial);
		assert_true(x.revoked_at == v[i].revoked_at && x.invalidity_at == v[i].invalidity_at);
		assert_int_equal(x.reason, i == 2 ? CRL_NO_REASON : v[i].reason);
		assert_bytes(x.issuer, v[i].issuer);
	}
	assert_false(crl_next(&rest, &x));
	walks(tbs);
}

static long
reason_by_openssl(X509_REVOKED *r)
{
	ASN1_ENUMERATED *v = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
	long n = v ? ASN1_ENUMERATED_get(v) : -1;

	ASN1_ENUMERATED_free(v);
	return n;
}

/* All lengths of headers: 0 entries to more than 64 KB of them. */
static void
openssl_reads_ours(void **state)
{
	static const size_t counts[] = { 0, 1, 3, 4, 8, 300, 2000 };

	for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct ext exts[4];
		struct crl_inputs in = inputs(a, exts);
		struct crl_entry *v = arena_array(a, counts[k] + 1, sizeof(*v));
		uint8_t *serials = arena_alloc(a, 4 * (counts[k] + 1));
		struct err e = { 0 };
		struct bytes tbs, der;
		X509_CRL *o;
		struct crl c;

		for (size_t i = 0; i < counts[k]; i++) {
			v[i] = plain;
			memcpy(serials + 4 * i, (uint8_t[]){ 0x40, 0, (uint8_t)(i >> 8), (uint8_t)i }, 4);
			v[i].serial = bytes_of(serials + 4 * i, 4);
			v[i].reason = (int)(i % 6);
			v[i].invalidity_at = i % 2 ? v[i].revoked_at - 1000 : CRL_NO_TIME;
		}
		tbs = tbs_built(a, &in, v, counts[k]);
		walks(tbs);
		der = list_of(a, tbs, in.sigalg);
		assert_rc(crl_parse(a, der, &c, &e), RC_OK, &e);
		assert_int_equal(c.n, counts[k]);
		o = by_openssl(der);
		assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(o)) == -1
				     ? 0
				     : sk_X509_REVOKED_num(X509_CRL_get_REVOKED(o)),
				 counts[k]);
		for (size_t i = 0; i < counts[k]; i++) {
			X509_REVOKED *r = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(o), (int)i);

			assert_int_equal(ASN1_INTEGER_get(X509_REVOKED_get0_serialNumber(r)),
					 0x40000000 + (long)i);
			assert_int_equal(reason_by_openssl(r), i % 6 ? (long)(i % 6) : -1);
		}
		X509_CRL_free(o);
	}
}

static void
parts_make_the_whole(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ext exts[4];
	struct crl_inputs in = inputs(a, exts);
	struct crl_entry v[300];
	OWN_DW struct dw head = dw_growing(1 << 16), tail = dw_growing(1 << 16);
	OWN_BUF struct buf all = buf_max(1 << 20), entries = buf_max(1 << 20);
	struct err e = { 0 };

	for (size_t i = 0; i < 300; i++) {
		OWN_DW struct dw one = dw_growing(LIMIT_CRL_ENTRY);

		v[i] = entry(i < 127 ? arena_printf(a, "%c", (int)i + 1)
				     : arena_printf(a, "\x7f%c%c", (int)(i / 100) + 1, (int)(i % 100) + 1),
			     (int)(i % 3));
		assert_rc(crl_entry_build(&v[i], &one, &e), RC_OK, &e);
		buf_put(&entries, dw_bytes(&one));
	}
	assert_rc(crl_head_build(&in, entries.n, &head, &e), RC_OK, &e);
	assert_rc(crl_tail_build(&in, &tail, &e), RC_OK, &e);
	buf_put(&all, dw_bytes(&head));
	buf_put(&all, buf_bytes(&entries));
	buf_put(&all, dw_bytes(&tail));
	assert_bytes(buf_bytes(&all), tbs_built(a, &in, v, 300));
	walks(buf_bytes(&all));
}

static void
refuses_to_build(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ext exts[4];
	struct crl_inputs in = inputs(a, exts), bad;
	OWN_DW struct dw w = dw_growing(1 << 16);
	struct crl_entry x = plain;
	struct err e = { 0 };
	uint8_t small[4];
	struct dw none = dw_fixed(small, sizeof(small));

	bad = in;
	bad.sigalg = SIGALG_NONE;
	assert_code(crl_head_build(&bad, 0, &w, &e), CHY_SIGALG);
	bad = in;
	bad.issuer = BYTES("\x30\x00");
	assert_code(crl_head_build(&bad, 0, &w, &e), CHY_CRL);
	bad = in;
	bad.next_update_at = in.this_update_at;
	assert_code(crl_head_build(&bad, 0, &w, &e), CHY_CRL);
	bad.next_update_at = CRL_NO_TIME;
	assert_code(crl_head_build(&bad, 0, &w, &e), CHY_CRL);
	assert_code(crl_head_build(&in, LIMIT_CRL + 1, &w, &e), CHY_CRL_SIZE);
	exts[1] = exts[0];
	assert_code(crl_head_build(&in, 0, &w, &e), CHY_CRL);
	x.serial = BYTES("\x00");
	assert_code(crl_entry_build(&x, &w, &e), CHY_CRL);
	x.serial = BYTES("\x00\x01");
	assert_code(crl_entry_build(&x, &w, &e), CHY_CRL);
	x.serial = BYTES("\x80");
	assert_code(crl_entry_build(&x, &w, &e), CHY_CRL);
	x.serial = BYTES("123456789012345678901");
	assert_code(crl_entry_build(&x, &w, &e), CHY_CRL);
	x = plain;
	x.reason = 7;
	assert_code(crl_entry_build(&x, &w, &e), CHY_CRL);
	x = plain;
	x.critical_unknown = true;
	assert_code(crl_entry_build(&x, &w, &e), CHY_CRL);
	assert_code(crl_entry_build(&plain, &none, &e), CHY_DER_ROOM);
}

/* ---- the walker's rules ---- */

/* An Extension of an entry, or of the list. */
static struct bytes
raw_ext(struct arena *a, enum oid o, bool critical, const char *hex)
{
	return ext_of(a, o, critical, hex);
}

static struct bytes
raw_entry(struct arena *a, const char *serial, struct bytes one, struct bytes two)
{
	struct bytes list[] = { one, two }, exts = cat(a, list, 2, DER_SEQUENCE);
	struct bytes parts[] = { hexb(a, serial), hexb(a, "170d 3233313131343232313332305a"),
				 one.n + two.n > 0 ? exts : BYTES_NONE };

	return cat(a, parts, 3, DER_SEQUENCE);
}

/* A list with these octets as entries, and as extensions. */
static struct bytes
raw(struct arena *a, struct bytes entries, const struct bytes *exts, size_t n)
{
	struct bytes inner = cat(a, exts, n, DER_SEQUENCE);
	struct bytes parts[] = { hexb(a, "020101"),
				 sigalg_alg_id(SIGALG_ECDSA_SHA256),
				 name_of(a, "CN=CA"),
				 hexb(a, "170d 3236303130313030303030305a"),
				 hexb(a, "170d 3236303230313030303030305a"),
				 entries.n > 0 ? cat(a, &entries, 1, DER_SEQUENCE) : BYTES_NONE,
				 n > 0 ? cat(a, &inner, 1, DER_CTX_CONS(0)) : BYTES_NONE };

	return cat(a, parts, ARRAY_LEN(parts), DER_SEQUENCE);
}

#define AKI "3006 8004 01020304"

static struct bytes
with_entry(struct arena *a, struct bytes entry)
{
	struct bytes exts[] = { raw_ext(a, OID_CE_AUTHORITY_KEY_ID, false, AKI),
				raw_ext(a, OID_CE_CRL_NUMBER, false, "020105") };

	return raw(a, entry, exts, 2);
}

static struct bytes
with_ext(struct arena *a, struct bytes one)
{
	struct bytes exts[] = { raw_ext(a, OID_CE_AUTHORITY_KEY_ID, false, AKI),
				raw_ext(a, OID_CE_CRL_NUMBER, false, "020105"), one };

	return raw(a, BYTES_NONE, exts, 3);
}

static struct bytes
two(struct arena *a, struct bytes one, struct bytes other)
{
	struct bytes l[] = { one, other };

	return cat(a, l, 2, 0);
}

static void
walks_by_the_rules_of_entries(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct bytes reason = raw_ext(a, OID_CE_REASON, false, "0a0101"), none = BYTES_NONE;
	struct bytes one = raw_entry(a, "020101", none, none), other = raw_entry(a, "020102", none, none);
	struct bytes empty = hexb(a, "020101 170d3233313131343232313332305a 3000");

	walks(with_entry(a, one));
	walks(with_entry(a, two(a, one, other)));
	walks(with_entry(a, two(a, raw_entry(a, "02020080", none, none), other))); /* the octets 0080, 02 */
	refuses(with_entry(a, two(a, other, one)), CHY_CRL_TBS);
	refuses(with_entry(a, two(a, one, one)), CHY_CRL_TBS);
	refuses(with_entry(a, two(a, other, raw_entry(a, "02020080", none, none))), CHY_CRL_TBS);
	refuses(with_entry(a, raw_entry(a, "020100", none, none)), CHY_CRL_TBS);
	refuses(with_entry(a, raw_entry(a, "020180", none, none)), CHY_CRL_TBS);
	refuses(with_entry(a, raw_entry(a, "0215 010101010101010101010101010101010101010101", none, none)),
		CHY_CRL_TBS);
	refuses(with_entry(a, raw_entry(a, "02020001", none, none)), CHY_DER_INTEGER);
	walks(with_entry(a, raw_entry(a, "020101", reason, none)));
	refuses(with_entry(a, raw_entry(a, "020101", reason, reason)), CHY_EXT_DUPLICATE);
	refuses(with_entry(a, raw_entry(a, "020101", raw_ext(a, OID_CE_REASON, true, "0a0101"), none)),
		CHY_CRL_TBS);
	refuses(with_entry(a, raw_entry(a, "020101", raw_ext(a, OID_CE_REASON, false, "0a0100"), none)),
		CHY_CRL_TBS);
	refuses(with_entry(a, raw_entry(a, "020101", raw_ext(a, OID_CE_REASON, false, "0a0107"), none)),
		CHY_CRL_TBS);
	refuses(with_entry(a, raw_entry(a, "020101", raw_ext(a, OID_CE_REASON, false, "0a010b"), none)),
		CHY_CRL_TBS);
	refuses(with_entry(a, raw_entry(a, "020101", raw_ext(a, OID_CE_REASON, false, "020101"), none)),
		CHY_CRL_TBS);
	refuses(with_entry(a, raw_entry(a, "020101", raw_ext(a, OID_CE_REASON, false, "0a0108"), none)),
		CHY_CRL_TBS); /* removeFromCRL in a complete list */
	walks(with_entry(
	    a,
	    raw_entry(a, "020101",
		      raw_ext(a, OID_CE_INVALIDITY_DATE, false, "180f 32303235303130313030303030305a"),
		      none)));
	refuses(
	    with_entry(a,
		       raw_entry(a, "020101",
				 raw_ext(a, OID_CE_INVALIDITY_DATE, false, "170d 3235303130313030303030305a"),
				 none)),
	    CHY_CRL_TBS);
	refuses(with_entry(a, raw_entry(a, "020101", raw_ext(a, OID_CE_KEY_USAGE, false, "03020780"), none)),
		CHY_CRL_TBS);
	refuses(with_entry(a, cat(a, &empty, 1, DER_SEQUENCE)), CHY_CRL_TBS);
}

/* The commonest entry is read octet by octet: each of them with each value, beside the parser, which shares nothing with it. */
static void
every_octet_of_an_entry_counts(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct bytes serial = hexb(a, "0210 019712345678 00112233445566778899"),
		     reason = raw_ext(a, OID_CE_REASON, false, "0a0101"), none = BYTES_NONE;
	struct bytes all = with_entry(a,
				      raw_entry(a, "0210 019712345678 00112233445566778899", reason, none));
	struct parts p = cut(all);
	uint8_t m[64];
	size_t times = 2 + serial.n + 2;

	assert_in_range(p.entries.n, 1, sizeof(m));
	for (size_t at = 0; at < p.entries.n; at++)
		for (int v = 0; v < 256; v++) {
			struct crl_walk w;
			struct bytes issuer, rest = bytes_of(m, p.entries.n);
			struct crl_entry x = plain;
			bool ours, theirs,
			    exact = (at >= 4 && at < 2 + serial.n) || (at >= times && at < times + 13) ||
			    at == p.entries.n - 1;
			struct err e = { 0 };

			memcpy(m, p.entries.p, p.entries.n);
			m[at] = (uint8_t)v;
			assert_rc(crl_walk_head(&w, p.head, &issuer, &e), RC_OK, &e);
			ours = crl_walk_entries(&w, bytes_of(m, p.entries.n), &e) == RC_OK;
			theirs = crl_next(&rest, &x) && rest.n == 0;
			if (ours && !theirs)
				fail_msg("octet %zu may be %02x for the walker alone", at, (unsigned)v);
			theirs = theirs && x.serial.p[0] < 0x80 && x.reason != CRL_UNSPECIFIED;
			if (exact && ours != theirs)
				fail_msg("octet %zu may be %02x for the parser alone", at, (unsigned)v);
			if (ours)
				assert_int_equal(w.removes, x.reason == CRL_REMOVE);
		}
}

static void
walks_issuers_in_order(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ext exts[4];
	struct crl_inputs in = inputs(a, exts);
	struct crl_entry v[4] = { entry("\x05", 1), entry("\x01", 1), entry("\x02", 1), entry("\x01", 1) };

	v[1].issuer = name_of(a, "CN=a");
	v[3].issuer = name_of(a, "CN=b");
	refuses(tbs_built(a, &in, v, 4), CHY_CRL_TBS); /* not indirect */
	exts[2] = point(a, (struct issuing_point){ .indirect = true });
	in.exts.n = 3;
	walks(tbs_built(a, &in, v, 4));
	v[1].issuer = name_of(a, "CN=c");
	refuses(tbs_built(a, &in, v, 4), CHY_CRL_TBS);
	v[1].issuer = v[3].issuer;
	refuses(tbs_built(a, &in, v, 4), CHY_CRL_TBS);
}

static void
walks_by_the_rules_of_lists(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct bytes none = BYTES_NONE, id = raw_ext(a, OID_CE_AUTHORITY_KEY_ID, false, AKI),
		     n5 = raw_ext(a, OID_CE_CRL_NUMBER, false, "020105"),
		     d4 = raw_ext(a, OID_CE_DELTA_CRL, true, "020104"),
		     point_user = raw_ext(a, OID_CE_ISSUING_POINT, true, "3003 8101ff");
	const struct {
		struct bytes exts[4];
		size_t n;
		enum code want;
	} t[] = {
		{ { id, n5 }, 2, CHY_NONE },
		{ { n5, id }, 2, CHY_NONE },
		{ { id }, 1, CHY_CRL_TBS },
		{ { n5 }, 1, CHY_CRL_TBS },
		{ { id, n5, n5 }, 3, CHY_EXT_DUPLICATE },
		{ { raw_ext(a, OID_CE_AUTHORITY_KEY_ID, true, AKI), n5 }, 2, CHY_CRL_TBS },
		{ { raw_ext(a, OID_CE_AUTHORITY_KEY_ID, false, "3000"), n5 }, 2, CHY_DER_TRUNCATED },
		{ { id, raw_ext(a, OID_CE_CRL_NUMBER, true, "020105") }, 2, CHY_CRL_TBS },
		{ { id, raw_ext(a, OID_CE_CRL_NUMBER, false, "0201ff") }, 2, CHY_DER_INTEGER },
		{ { id, raw_ext(a, OID_CE_CRL_NUMBER, false, "0209 00ffffffffffffffff") },
		  2,
		  CHY_DER_INTEGER },
		{ { id, n5, d4 }, 3, CHY_NONE },
		{ { id, n5, raw_ext(a, OID_CE_DELTA_CRL, false, "020104") }, 3, CHY_CRL_TBS },
		{ { id, n5, raw_ext(a, OID_CE_DELTA_CRL, true, "020105") }, 3, CHY_CRL_TBS },
		{ { id, n5, raw_ext(a, OID_CE_DELTA_CRL, true, "020106") }, 3, CHY_CRL_TBS },
		{ { id, n5, d4, raw_ext(a, OID_CE_FRESHEST_CRL, false, "3000") }, 4, CHY_CRL_TBS },
		{ { id, n5, raw_ext(a, OID_CE_FRESHEST_CRL, true, "3000") }, 3, CHY_CRL_TBS },
		{ { id, n5, point_user }, 3, CHY_NONE },
		{ { id, n5, raw_ext(a, OID_CE_ISSUING_POINT, false, "3003 8101ff") }, 3, CHY_CRL_TBS },
		{ { id, n5, raw_ext(a, OID_CE_ISSUING_POINT, true, "3000") }, 3, CHY_CRL_TBS },
		{ { id, n5, raw_ext(a, OID_CE_ISSUING_POINT, true, "3003 810100") }, 3, CHY_CRL_TBS },
		{ { id, n5, raw_ext(a, OID_CE_ISSUING_POINT, true, "3006 8101ff 8201ff") }, 3, CHY_CRL_TBS },
		{ { id, n5, raw_ext(a, OID_CE_ISSUING_POINT, true, "3006 8401ff 8101ff") }, 3, CHY_CRL_TBS },
		{ { id, n5, raw_ext(a, OID_CE_ISSUING_POINT, true, "3006 8101ff 8401ff") }, 3, CHY_NONE },
		{ { id, n5, raw_ext(a, OID_CE_ISSUING_POINT, true, "3003 8601ff") }, 3, CHY_CRL_TBS },
		{ { id, n5, raw_ext(a, OID_CE_EXPIRED_ON_CRL, false, "180f 32303235303130313030303030305a") },
		  3,
		  CHY_NONE },
		{ { id, n5, raw_ext(a, OID_CE_EXPIRED_ON_CRL, false, "170d 3235303130313030303030305a") },
		  3,
		  CHY_CRL_TBS },
		{ { id, n5, raw_ext(a, OID_CE_KEY_USAGE, false, "03020780") }, 3, CHY_CRL_TBS },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		if (t[i].want == CHY_NONE)
			walks(raw(a, none, t[i].exts, t[i].n));
		else
			refuses(raw(a, none, t[i].exts, t[i].n), t[i].want);
	}
	walks(with_ext(a, point_user));
	refuses(raw(a, none, t[0].exts, 0), CHY_DER_TRUNCATED); /* no extensions at all */
}

static void
walks_heads_by_their_rules(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct bytes good = with_entry(a, raw_entry(a, "020101", BYTES_NONE, BYTES_NONE)), issuer, point;
	struct parts p = cut(good);
	struct err e = { 0 };
	struct crl_walk w;
	static const struct {
		const char *from, *to;
		enum code want;
	} t[] = {
		{ "020101", "020100", CHY_CRL_TBS },
		{ "170d3236303130313030303030305a", "170d3236303330313030303030305a", CHY_CRL_TBS },
		{ "300a06082a8648ce3d040302", "300a06082a8648ce3d040301", CHY_SIGALG },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct bytes from = hexb(a, t[i].from), to = hexb(a, t[i].to), copy = arena_dup(a, good);
		uint8_t *m = memmem(copy.p, copy.n, from.p, from.n);

		assert_non_null(m);
		memcpy(m, to.p, to.n);
		refuses(copy, t[i].want);
	}
	/* every part in its turn only, and whole */
	assert_rc(crl_walk_head(&w, p.head, &issuer, &e), RC_OK, &e);
	assert_bytes(issuer, name_of(a, "CN=CA"));
	assert_code(crl_walk_tail(&w, p.tail, &point, &e), CHY_CRL_TBS);
	assert_rc(crl_walk_head(&w, p.head, &issuer, &e), RC_OK, &e);
	assert_code(crl_walk_entries(&w, bytes_part(p.entries, 0, p.entries.n - 1), &e), CHY_DER_TRUNCATED);
	assert_code(crl_walk_entries(&w, p.entries, &e), CHY_CRL_TBS);
	assert_rc(crl_walk_head(&w, p.head, &issuer, &e), RC_OK, &e);
	assert_code(crl_walk_entries(&w, BYTES_NONE, &e), CHY_CRL_TBS);
	assert_rc(crl_walk_entries(&w, p.entries, &e), RC_OK, &e);
	assert_code(crl_walk_entries(&w, p.entries, &e), CHY_CRL_TBS);
	assert_code(crl_walk_tail(&w, bytes_part(p.tail, 0, p.tail.n - 1), &point, &e), CHY_CRL_TBS);
	for (size_t n = 0; n < p.head.n;
	     n++) { /* one that ends in front of the list of entries has a tail that does not fit */
		assert_true(crl_walk_head(&w, bytes_part(p.head, 0, n), &issuer, &e) != RC_OK ||
			    crl_walk_tail(&w, p.tail, &point, &e) != RC_OK);
		err_clear(&e);
	}
	assert_int_not_equal(crl_walk_head(&w, good, &issuer, &e), RC_OK);
}

/* ---- made by another ---- */

static void
reads_what_openssl_wrote(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	X509_CRL *o = X509_CRL_new();
	X509_NAME *name = X509_NAME_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	ASN1_TIME *from = ASN1_TIME_set(NULL, 1767225600), *to = ASN1_TIME_set(NULL, 1767830400);
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
	unsigned char *der = NULL;
	struct err e = { 0 };
	struct crl_entry x;
	struct bytes rest;
	struct crl c;
	int len;

	assert_true(
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"Other", -1, -1, 0));
	assert_true(X509_CRL_set_version(o, 1) && X509_CRL_set_issuer_name(o, name) &&
		    X509_CRL_set1_lastUpdate(o, from) && X509_CRL_set1_nextUpdate(o, to));
	assert_true(ASN1_INTEGER_set(n, 77) && X509_REVOKED_set_serialNumber(r, n) &&
		    X509_REVOKED_set_revocationDate(r, from) && ASN1_ENUMERATED_set(reason, 4) &&
		    X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, reason, 0, 0) &&
		    X509_CRL_add0_revoked(o, r));
	assert_true(X509_CRL_add1_ext_i2d(o, NID_crl_number, n, 0, 0));
	assert_true(X509_CRL_sign(o, key, EVP_sha256()) > 0);
	len = i2d_X509_CRL(o, &der);
	assert_true(len > 0);
	assert_rc(crl_parse_any(a, bytes_of(der, (size_t)len), &c, &e), RC_OK, &e);
	assert_true(name_eq(c.issuer, name_of(a, "CN=Other")));
	assert_int_equal(c.sigalg, SIGALG_ECDSA_SHA256);
	assert_bytes(c.number, BYTES("\x4d"));
	assert_true(c.this_update_at == 1767225600000 && c.next_update_at == 1767830400000);
	rest = c.entries;
	assert_true(crl_next(&rest, &x) && x.reason == CRL_SUPERSEDED && bytes_eq(x.serial, BYTES("\x4d")));
	for (size_t i = 0; i < (size_t)len; i++) { /* every beginning is refused */
		assert_int_not_equal(crl_parse(a, bytes_of(der, i), &c, &e), RC_OK);
		err_clear(&e);
	}
	OPENSSL_free(der);
	X509_CRL_free(o);
	X509_NAME_free(name);
	EVP_PKEY_free(key);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	ASN1_INTEGER_free(n);
	ASN1_ENUMERATED_free(reason);
}

static void
refuses_to_read(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct bytes entry = raw_entry(a, "020101", BYTES_NONE, BYTES_NONE), tbs = with_entry(a, entry);
	struct bytes empty[] = { hexb(a, "020101"), sigalg_alg_id(SIGALG_ECDSA_SHA256), name_of(a, "CN=CA"),
				 hexb(a, "170d3236303130313030303030305a"), hexb(a, "3000") };
	struct bytes unknown = raw_ext(a, OID_CE_KEY_USAGE, true, "03020780"), v1[5];
	struct err e = { 0 };
	struct crl c;

	assert_rc(crl_parse(a, list_of(a, tbs, SIGALG_ECDSA_SHA256), &c, &e), RC_OK, &e);
	assert_code(crl_parse(a, list_of(a, tbs, SIGALG_ECDSA_SHA384), &c, &e), CHY_CRL);
	assert_code(crl_parse(a, list_of(a, cat(a, empty, 5, DER_SEQUENCE), SIGALG_ECDSA_SHA256), &c, &e),
		    CHY_CRL);
	memcpy(v1, empty, sizeof(v1));
	v1[4] =
	    BYTES_NONE; /* no next update, no entries: version 2 may have neither; version 1 has no version */
	assert_rc(crl_parse(a, list_of(a, cat(a, v1, 5, DER_SEQUENCE), SIGALG_ECDSA_SHA256), &c, &e), RC_OK,
		  &e);
	assert_true(c.next_update_at == CRL_NO_TIME && c.n == 0);
	v1[0] = BYTES_NONE;
	assert_rc(crl_parse(a, list_of(a, cat(a, v1, 5, DER_SEQUENCE), SIGALG_ECDSA_SHA256), &c, &e), RC_OK,
		  &e);
	assert_int_equal(c.version, 1);
	v1[0] = hexb(a, "020100");
	assert_code(crl_parse(a, list_of(a, cat(a, v1, 5, DER_SEQUENCE), SIGALG_ECDSA_SHA256), &c, &e),
		    CHY_CRL);
	/* what must not be relied upon says so */
	assert_rc(crl_parse(a, list_of(a, with_ext(a, unknown), SIGALG_ECDSA_SHA256), &c, &e), RC_OK, &e);
	assert_true(c.critical_unknown);
	assert_rc(crl_parse(a,
			    list_of(a, with_entry(a, raw_entry(a, "020101", unknown, BYTES_NONE)),
				    SIGALG_ECDSA_SHA256),
			    &c, &e),
		  RC_OK, &e);
	assert_true(c.critical_unknown);
	assert_code(crl_parse(a,
			      list_of(a, with_entry(a, raw_entry(a, "020101", unknown, unknown)),
				      SIGALG_ECDSA_SHA256),
			      &c, &e),
		    CHY_EXT_DUPLICATE);
	assert_code(
	    crl_parse(a,
		      list_of(a,
			      with_entry(a,
					 raw_entry(a, "020101",
						   raw_ext(a, OID_CE_CERTIFICATE_ISSUER, true, "3003 820161"),
						   BYTES_NONE)),
			      SIGALG_ECDSA_SHA256),
		      &c, &e),
	    CHY_CRL);
}

/* ---- extensions and text ---- */

static void
extensions_have_their_rules(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	static const struct {
		enum oid oid;
		const char *hex;
		enum code want;
		const char *text;
	} t[] = {
		{ OID_CE_CRL_NUMBER, "020105", CHY_NONE, "5" },
		{ OID_CE_CRL_NUMBER, "0214 7fffffffffffffffffffffffffffffffffffffff", CHY_NONE,
		  "0x7fffffffffffffffffffffffffffffffffffffff" },
		{ OID_CE_CRL_NUMBER, "0215 007fffffffffffffffffffffffffffffffffffffff", CHY_DER_INTEGER,
		  NULL },
		{ OID_CE_CRL_NUMBER, "0215 01ffffffffffffffffffffffffffffffffffffffff", CHY_EXT, NULL },
		{ OID_CE_DELTA_CRL, "0201ff", CHY_EXT, NULL },
		{ OID_CE_REASON, "0a0106", CHY_NONE, "certificateHold" },
		{ OID_CE_REASON, "0a0107", CHY_EXT, NULL },
		{ OID_CE_INVALIDITY_DATE, "180f 32303235303130313030303030305a", CHY_NONE,
		  "2025-01-01T00:00:00Z" },
		{ OID_CE_INVALIDITY_DATE, "170d 3235303130313030303030305a", CHY_EXT, NULL },
		{ OID_CE_ISSUING_POINT, "3003 8401ff", CHY_NONE, "indirect" },
		{ OID_CE_ISSUING_POINT, "3006 8201ff 8401ff", CHY_NONE, "of authorities only, indirect" },
		{ OID_CE_ISSUING_POINT, "3004 83020640", CHY_NONE, "for keyCompromise" },
		{ OID_CE_ISSUING_POINT, "3000", CHY_EXT, NULL },
		{ OID_CE_ISSUING_POINT, "3003 840100", CHY_DER_DEFAULT, NULL },
		{ OID_CE_ISSUING_POINT, "3003 840101", CHY_DER_BOOLEAN, NULL },
		{ OID_CE_ISSUING_POINT, "3006 8101ff 8201ff", CHY_EXT, NULL },
		{ OID_CE_ISSUING_POINT, "300b a009 a007 8605 613a2f2f62", CHY_NONE, "uri:a://b" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct ext x = { .oid = oid_der(t[i].oid), .known = t[i].oid, .value = hexb(a, t[i].hex) },
			   again;
		OWN_BUF struct buf text = buf_max(4096);
		struct ext_value v;
		struct err e = { 0 };

		assert_int_equal(ext_decode(a, &x, &v, &e) == RC_OK, t[i].want == CHY_NONE);
		if (e.code != t[i].want)
			fail_msg("%zu: CHY-%d %s", i, e.code, e.text);
		if (t[i].want != CHY_NONE)
			continue;
		assert_rc(ext_encode(a, &v, &again, &e), RC_OK, &e);
		assert_bytes(again.value, x.value);
		ext_put_text(&text, &x);
		assert_text(buf_bytes(&text), t[i].text);
	}
}

static void
reasons_have_names(void **state)
{
	for (int i = -1; i < 12; i++) {
		const char *name = crl_reason_name(i);

		assert_int_equal(name[0] != 0, i >= 0 && i <= 10 && i != 7);
		assert_int_equal(crl_reason_by_name(bytes_str(name[0] ? name : "none")),
				 name[0] ? i : CRL_NO_REASON);
	}
}

static void
shows_itself(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct ext exts[4];
	struct crl_inputs in = inputs(a, exts);
	struct crl_entry v[2] = { entry("\x0b", CRL_KEY_COMPROMISE), entry("\x0c", CRL_NO_REASON) };
	OWN_BUF struct buf text = buf_max(1 << 16), js = buf_max(1 << 16);
	struct err e = { 0 };
	struct json *o;
	struct crl c;

	exts[2] = delta(a, "\x03");
	in.exts.n = 3;
	assert_rc(crl_parse(a, list_of(a, tbs_built(a, &in, v, 2), in.sigalg), &c, &e), RC_OK, &e);
	crl_put_text(&text, &c, 1);
	assert_non_null(
	    strstr(buf_cstr(&text), "Number      5\nDelta to    3\nIssuer      CN=CA,O=Example,C=SE\n"));
	assert_non_null(
	    strstr(buf_cstr(&text),
		   "Revoked certificates: 2\n  0b 2023-11-14T22:13:20Z keyCompromise\n  and 1 more\n"));
	o = crl_json(a, &c, 10);
	assert_non_null(o);
	json_put(&js, o);
	assert_non_null(strstr(buf_cstr(&js), "\"number\":\"5\""));
	assert_non_null(strstr(buf_cstr(&js), "{\"serial\":\"0c\",\"revoked\":\"2023-11-14T22:13:20Z\"}"));
}

/* ---- lints ---- */

static enum lint_outcome
lint_of(struct arena *a, struct bytes tbs, const char *id)
{
	struct lint_verdicts v;
	struct err e = { 0 };
	struct crl c;

	assert_rc(crl_parse(a, list_of(a, tbs, SIGALG_ECDSA_SHA256), &c, &e), RC_OK, &e);
	assert_rc(lint_crl(a, &c, &v, &e), RC_OK, &e);
	for (size_t i = 0; i < v.n; i++)
		if (strcmp(v.v[i].lint->id, id) == 0)
			return v.v[i].outcome;
	fail_msg("no lint %s", id);
	return LINT_NA;
}

static void
lints_judge_lists(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct bytes id = raw_ext(a, OID_CE_AUTHORITY_KEY_ID, false, AKI),
		     n5 = raw_ext(a, OID_CE_CRL_NUMBER, false, "020105"), none = BYTES_NONE,
		     one = raw_entry(a, "020101", none, none), v1[5];
	const struct {
		const char *lint;
		struct bytes tbs;
	} t[] = {
		{ "rfc5280-5.2.1-crl-aki", raw(a, none, &n5, 1) },
		{ "rfc5280-5.2.3-number", raw(a, none, &id, 1) },
		{ "rfc5280-5.2.3-number-not-critical",
		  with_ext(a, raw_ext(a, OID_CE_KEY_USAGE, false, "03020780")) },
		{ "rfc5280-5.2.4-delta-critical",
		  with_ext(a, raw_ext(a, OID_CE_DELTA_CRL, false, "020104")) },
		{ "rfc5280-5.2.4-delta-after-base",
		  with_ext(a, raw_ext(a, OID_CE_DELTA_CRL, true, "020105")) },
		{ "rfc5280-5.2.5-point-critical",
		  with_ext(a, raw_ext(a, OID_CE_ISSUING_POINT, false, "3003 8101ff")) },
		{ "rfc5280-5.2.6-freshest-not-critical",
		  with_ext(a, raw_ext(a, OID_CE_FRESHEST_CRL, true, "300d 300b a009 a007 8605 613a2f2f62")) },
		{ "rfc5280-5.2-critical-unknown",
		  with_ext(a, raw_ext(a, OID_CE_KEY_USAGE, true, "03020780")) },
		{ "rfc5280-5.1.2.6-serial-twice", with_entry(a, two(a, one, one)) },
		{ "rfc5280-5.3.1-unspecified",
		  with_entry(a, raw_entry(a, "020101", raw_ext(a, OID_CE_REASON, false, "0a0100"), none)) },
		{ "rfc5280-5.3.1-remove-only-in-delta",
		  with_entry(a, raw_entry(a, "020101", raw_ext(a, OID_CE_REASON, false, "0a0108"), none)) },
		{ "rfc5280-5.3.3-issuer-only-indirect",
		  with_entry(a,
			     raw_entry(a, "020101",
				       raw_ext(a, OID_CE_CERTIFICATE_ISSUER, true,
					       "3010 a40e 300c 310a 3008 0603 550403 0c0161"),
				       none)) },
	};
	struct bytes good = with_entry(a, one);
	struct lint_verdicts v;
	struct err e = { 0 };
	struct crl c;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		enum lint_outcome want = strcmp(t[i].lint, "rfc5280-5.2.3-number-not-critical") == 0
		    ? LINT_PASS
		    : LINT_FAIL;

		if (lint_of(a, t[i].tbs, t[i].lint) != want)
			fail_msg("%s", t[i].lint);
		assert_int_not_equal(lint_of(a, good, t[i].lint), LINT_FAIL);
	}
	{
		struct bytes exts[] = { id, raw_ext(a, OID_CE_CRL_NUMBER, true, "020105") },
			     delta_too[] = { id, n5, raw_ext(a, OID_CE_DELTA_CRL, true, "020104"),
					     raw_ext(a, OID_CE_FRESHEST_CRL, false,
						     "300d 300b a009 a007 8605 613a2f2f62") };

		assert_int_equal(lint_of(a, raw(a, none, exts, 2), "rfc5280-5.2.3-number-not-critical"),
				 LINT_FAIL);
		assert_int_equal(
		    lint_of(a, raw(a, none, delta_too, 4), "rfc5280-5.2.6-freshest-not-in-delta"), LINT_FAIL);
	}
	/* version 1 without a next update; and one whose next update is no later, with an entry from the future */
	v1[0] = sigalg_alg_id(SIGALG_ECDSA_SHA256);
	v1[1] = name_of(a, "CN=CA");
	v1[2] = hexb(a, "170d3230303130313030303030305a");
	assert_int_equal(lint_of(a, cat(a, v1, 3, DER_SEQUENCE), "rfc5280-5.1.2.1-crl-version-2"), LINT_FAIL);
	assert_int_equal(lint_of(a, cat(a, v1, 3, DER_SEQUENCE), "rfc5280-5.1.2.5-next-update"), LINT_FAIL);
	v1[3] = v1[2];
	v1[4] = cat(a, &one, 1, DER_SEQUENCE);
	assert_int_equal(lint_of(a, cat(a, v1, 5, DER_SEQUENCE), "rfc5280-5.1.2.5-times-ordered"), LINT_FAIL);
	assert_int_equal(lint_of(a, cat(a, v1, 5, DER_SEQUENCE), "rfc5280-5.1.2.6-not-in-future"), LINT_FAIL);
	assert_rc(crl_parse(a, list_of(a, good, SIGALG_ECDSA_SHA256), &c, &e), RC_OK, &e);
	assert_rc(lint_crl(a, &c, &v, &e), RC_OK, &e);
	assert_int_equal(v.errors + v.warnings + v.notices, 0);
	(void)lint_crl_list(&n);
	assert_int_equal(v.n, n);
	c.sigalg = SIGALG_NONE;
	assert_rc(lint_crl(a, &c, &v, &e), RC_OK, &e);
	assert_int_equal(v.errors, 1);
}

static const struct CMUnitTest tests[] = {
	CASE(lints_judge_lists),
	CASE(builds_what_it_reads),
	CASE(openssl_reads_ours),
	CASE(parts_make_the_whole),
	CASE(refuses_to_build),
	CASE(walks_by_the_rules_of_entries),
	CASE(every_octet_of_an_entry_counts),
	CASE(walks_issuers_in_order),
	CASE(walks_by_the_rules_of_lists),
	CASE(walks_heads_by_their_rules),
	CASE(reads_what_openssl_wrote),
	CASE(refuses_to_read),
	CASE(extensions_have_their_rules),
	CASE(reasons_have_names),
	CASE(shows_itself),
};

TESTS_MAIN(tests)
