/* To-be-signed certificates made by hand, each part of which a test may replace. */
#ifndef TESTS_PKI_MADE_H
#define TESTS_PKI_MADE_H

#include "pki_util.h"

#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/lint.h"
#include "pki/walker.h"

#include "../vectors/pki/vectors.h"

/* Bytes of a part to be put in place of the ordinary one. */
struct made {
	struct arena *a;
	struct bytes version, serial, alg, issuer, validity, subject, spki, uids,
	    exts; /* exts: contents of [3] */
};

static inline struct bytes
cat(struct arena *a, const struct bytes *parts, size_t n, uint32_t tag)
{
	OWN_DW struct dw w = dw_growing(1 << 20);
	struct bytes r;

	for (size_t i = n; i-- > 0;)
		dw_put(&w, parts[i]);
	if (tag != 0)
		dw_wrap(&w, tag, 0);
	assert_int_equal(dw_dup(&w, a, &r, NULL), RC_OK);
	return r;
}

static inline struct bytes
ext_of(struct arena *a, enum oid o, bool critical, const char *hex)
{
	struct ext x = { .known = o, .critical = critical, .value = hexb(a, hex) };
	OWN_DW struct dw w = dw_growing(1 << 16);
	struct bytes r;

	dw_ext(&w, &x);
	assert_int_equal(dw_dup(&w, a, &r, NULL), RC_OK);
	return r;
}

static inline struct bytes
name_of(struct arena *a, const char *text)
{
	struct err e = { 0 };
	struct name n;

	assert_rc(name_from_text(a, bytes_str(text), &n, &e), RC_OK, &e);
	return n.der;
}

static inline struct made
ordinary(struct arena *a)
{
	struct csr r;
	struct err e = { 0 };

	assert_rc(csr_parse(a, BYTES_OF(v_p256_csr), &r, &e), RC_OK, &e);
	return (struct made){
		.a = a,
		.version = hexb(a, "a003020102"),
		.serial = hexb(a, "020101"),
		.alg = sigalg_alg_id(SIGALG_ECDSA_SHA256),
		.issuer = name_of(a, "CN=ca"),
		.validity = hexb(a, "301e 170d 3236303130313030303030305a 170d 3237303130313030303030305a"),
		.subject = name_of(a, "CN=a"),
		.spki = arena_dup(a, r.key.spki),
	};
}

static inline struct bytes
tbs_of(const struct made *m)
{
	struct bytes exts = cat(m->a, &m->exts, 1, DER_CTX_CONS(3));
	struct bytes parts[] = { m->version, m->serial,   m->alg,
				 m->issuer,  m->validity, m->subject,
				 m->spki,    m->uids,     m->exts.p ? exts : BYTES_NONE };

	return cat(m->a, parts, ARRAY_LEN(parts), DER_SEQUENCE);
}

static inline struct bytes
exts_of(struct arena *a, struct bytes one, struct bytes two, struct bytes three)
{
	struct bytes parts[] = { one, two, three };

	return cat(a, parts, 3, DER_SEQUENCE);
}

#define BASIC_CA "3003 0101ff"
#define USAGE_SIGN "03020204"

#endif
