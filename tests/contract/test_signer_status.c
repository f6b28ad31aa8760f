/*
 * Revocation lists and OCSP responses at the real signer process, with software keys and tokens: lists in parts, numbers that
 * never go back, the hard limits of both, and what of it stands in the journal.
 */
#include "signer_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "model/tree.h"
#include "pki/crl.h"
#include "pki/ocsp.h"
#include "signer/crl_seen.h"

enum { HOUR = 3600000 };

/* ---- lists ---- */

struct list_spec {
	const char *key;       /* default "ca" */
	const char *issuer;    /* default "CN=Issuing" */
	enum sigalg alg;       /* default ecdsa-sha256 */
	uint64_t number, base; /* base 0: complete */
	size_t n;              /* entries */
	int64_t at_ms;         /* thisUpdate, 0: now */
	int64_t hours;         /* until the next, default 24 */
	const char *point;     /* URI of the distribution point, NULL: none */
	unsigned first;        /* serial number of the first entry, default 1: another makes another list */
	bool drop_key_id;
};

struct list {
	struct bytes head, tail, point;
	struct buf entries;
	size_t part; /* bytes of entries at once; 0: one entry */
	size_t at;
	struct bytes tbs;
};

static struct bytes
number_of(struct arena *a, uint64_t v)
{
	OWN_DW struct dw w = dw_growing(64);
	struct der d;
	struct bytes r;

	dw_int(&w, (int64_t)v);
	ok(dw_dup(&w, a, &r, NULL));
	d = der_of(r, NULL);
	return der_integer(&d);
}

static void
list_make(struct arena *a, const struct list_spec *s, struct list *l)
{
	struct ext exts[4];
	struct ext_value v[4] = { { .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = BYTES("12345678") } },
				  { .kind = OID_CE_CRL_NUMBER, .number = number_of(a, s->number) } };
	struct gname uri = { .type = GN_URI, .value = bytes_str(s->point) };
	struct crl_inputs in = { .sigalg = s->alg ? s->alg : SIGALG_ECDSA_SHA256,
				 .issuer = make_name(a, s->issuer ? s->issuer : "CN=Issuing"),
				 .this_update_at = s->at_ms ? s->at_ms : clock_now_ms() / 1000 * 1000,
				 .exts = { 2, exts } };
	OWN_DW struct dw head = dw_growing(1 << 16), tail = dw_growing(1 << 16);
	OWN_BUF struct buf all = buf_max(64 << 20);

	in.next_update_at = in.this_update_at + (s->hours ? s->hours : 24) * HOUR;
	if (s->base > 0)
		v[in.exts.n++] = (struct ext_value){ .kind = OID_CE_DELTA_CRL,
						     .critical = true,
						     .number = number_of(a, s->base) };
	if (s->point != NULL)
		v[in.exts.n++] = (struct ext_value){ .kind = OID_CE_ISSUING_POINT,
						     .critical = true,
						     .point = { .full_name = { 1, &uri } } };
	for (size_t i = 0; i < in.exts.n; i++)
		ok(ext_encode(a, &v[i], &exts[i], NULL));
	l->point = s->point != NULL ? exts[in.exts.n - 1].value : BYTES_NONE;
	if (s->drop_key_id) {
		in.exts.v = exts + 1;
		in.exts.n--;
	}
	l->entries = buf_max(64 << 20);
	for (size_t i = 0; i < s->n; i++) {
		uint8_t room[64], serial[5] = { 1 };
		struct dw w = dw_fixed(room, sizeof(room));
		uint32_t k = (uint32_t)i + (s->first ? s->first : 1);
		struct crl_entry x = { .serial = BYTES_OF(serial),
				       .revoked_at = 1700000000000,
				       .reason = (int)(i % 6),
				       .invalidity_at = CRL_NO_TIME };

		for (int b = 0; b < 4; b++)
			serial[1 + b] = (uint8_t)(k >> (24 - 8 * b));
		ok(crl_entry_build(&x, &w, NULL));
		buf_put(&l->entries, dw_bytes(&w));
	}
	ok(crl_head_build(&in, l->entries.n, &head, NULL));
	ok(crl_tail_build(&in, &tail, NULL));
	ok(dw_dup(&head, a, &l->head, NULL));
	ok(dw_dup(&tail, a, &l->tail, NULL));
	buf_put(&all, l->head);
	buf_put(&all, buf_bytes(&l->entries));
	buf_put(&all, l->tail);
	l->tbs = arena_dup(a, buf_bytes(&all));
	assert_non_null(l->tbs.p);
	l->at = 0;
}

/* Whole entries, at least one. */
static enum rc
next_part(void *arg, struct bytes *ret, struct err *e)
{
	struct list *l = arg;
	struct bytes rest = bytes_part(buf_bytes(&l->entries), l->at, SIZE_MAX), left = rest;
	struct crl_entry x;

	while (left.n > 0 && rest.n - left.n <= l->part)
		if (!crl_next(&left, &x))
			break;
	*ret = bytes_of(rest.p, rest.n - left.n);
	l->at += ret->n;
	return RC_OK;
}

static enum rc
sign_list(struct world *w, struct arena *a, const struct list_spec *s, struct list *l,
	  struct signed_cert *ret, struct err *e)
{
	struct sign_crl c = { .key = s->key ? s->key : "ca", .alg = s->alg ? s->alg : SIGALG_ECDSA_SHA256 };
	enum rc rc;

	list_make(a, s, l);
	l->part = 50000;
	c.head = l->head;
	c.tail = l->tail;
	c.context = BYTES("why");
	c.next = next_part;
	c.arg = l;
	rc = signer_sign_crl(w->s, &c, MS, a, ret, e);
	buf_fini(&l->entries);
	return rc;
}

static enum rc
try_list(struct world *w, const struct list_spec *s, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	struct signed_cert sc;
	struct list l;

	return sign_list(w, a, s, &l, &sc, e);
}

#define SIGNS(...) OK(&e, try_list(w, &(struct list_spec){ __VA_ARGS__ }, &e))
#define REFUSES(want, ...) REFUSED(&e, want, try_list(w, &(struct list_spec){ __VA_ARGS__ }, &e))

static struct bytes
spki_of(struct world *w, struct arena *a, const char *label)
{
	struct signer_key k;
	struct err e = { 0 };

	OK(&e, signer_key_public(w->s, label, MS, a, &k, &e));
	return k.spki;
}

/* The last record of the journal, by the files. */
static struct sj_record
last_record(struct world *w, struct arena *a)
{
	OWN(sj_reader_free)
	struct sj_reader *r = NULL;
	struct sj_record rec = { 0 }, one;
	bool more = true;
	struct err e = { 0 };

	OK(&e, signer_journal_open_read(world_path(w, "signer/journal"), 1, &r, &e));
	while (more) {
		OK(&e, sj_read(r, a, &one, &more, &e));
		if (more)
			rec = one;
	}
	return rec;
}

static void
signs_lists_in_parts(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(512 << 20);
	struct world *w = *state;
	static const size_t counts[] = { 0, 1, 2, 5000, 100000 };
	struct signed_cert sc;
	struct crl_record rec;
	struct err e = { 0 };
	struct bytes spki;
	struct list l;

	world_ca(w, "ca", "p-256", "software");
	spki = spki_of(w, a, "ca");
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		uint8_t digest[SHA256_LEN];
		struct sj_record r;

		OK(&e, sign_list(w, a, &(struct list_spec){ .number = i + 1, .n = counts[i] }, &l, &sc, &e));
		assert_true(signature_ok(spki, SIGALG_ECDSA_SHA256, l.tbs, sc.signature));
		r = last_record(w, a);
		assert_int_equal(r.type, SJ_CRL);
		assert_int_equal(r.position, sc.position);
		assert_true(bytes_eq(r.signature, sc.signature) && bytes_is(r.key, "ca") &&
			    bytes_is(r.context, "why"));
		assert_true(r.tbs.n < 1000); /* not the list */
		assert_true(crl_record_get(r.tbs, &rec));
		sha256(l.tbs, digest);
		assert_memory_equal(rec.digest, digest, SHA256_LEN);
		assert_true(rec.bytes == l.tbs.n && rec.entries == counts[i] && rec.number == i + 1 &&
			    !rec.delta);
		assert_true(bytes_eq(rec.head, l.head) && bytes_eq(rec.tail, l.tail));
	}
}

enum { ASKERS = 8, EACH = 25 };

struct asker {
	struct world *w;
	char point[64];
	unsigned first;
	enum code got[EACH];
};

static void *
ask_for_lists(void *arg)
{
	struct asker *x = arg;

	for (uint64_t i = 0; i < EACH; i++) {
		struct err e = { 0 };

		if (try_list(
			x->w,
			&(struct list_spec){ .number = i + 1, .n = 3, .point = x->point, .first = x->first },
			&e) != RC_OK)
			x->got[i] = e.code;
	}
	return NULL;
}

/* Several at a time, one sync for all. The last two ask for other lists of the same numbers: of each number only one may be signed. */
static void
signs_lists_at_the_same_time(void **state)
{
	static struct asker askers[ASKERS];
	pthread_t threads[ASKERS];
	struct world *w = *state;

	world_ca(w, "ca", "p-256", "software");
	for (unsigned i = 0; i < ASKERS; i++) {
		askers[i] = (struct asker){ .w = w, .first = 1 + i * 100 };
		snprintf(askers[i].point, sizeof(askers[i].point), "http://crl.example/%u.crl",
			 i < ASKERS - 1 ? i : i - 1);
		assert_int_equal(pthread_create(&threads[i], NULL, ask_for_lists, &askers[i]), 0);
	}
	for (unsigned i = 0; i < ASKERS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < ASKERS - 2; i++)
		for (unsigned k = 0; k < EACH; k++)
			assert_int_equal(askers[i].got[k], CHY_NONE);
	for (unsigned k = 0; k < EACH; k++) {
		enum code one = askers[ASKERS - 2].got[k], other = askers[ASKERS - 1].got[k];

		assert_true(one == CHY_NONE || one == CHY_SIGNER_CRL_NUMBER || one == CHY_SIGNER_BUSY);
		assert_true(other == CHY_NONE || other == CHY_SIGNER_CRL_NUMBER || other == CHY_SIGNER_BUSY);
		assert_false(one == CHY_NONE && other == CHY_NONE);
	}
}

static void
other_keys_sign_lists(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(256 << 20);
	struct world *w = *state;
	struct signed_cert sc;
	struct err e = { 0 };
	struct list l;
	static const struct {
		const char *kind, *where;
		enum sigalg alg;
	} t[] = {
		{ "p-384", "software", SIGALG_ECDSA_SHA384 },
		{ "ed25519", "software", SIGALG_ED25519 },
		{ "rsa-2048", "software", SIGALG_RSA_PKCS1_SHA256 },
		{ "p-256", "pkcs11:token=a?module-name=hsm-a", SIGALG_ECDSA_SHA256 },
		{ "rsa-2048", "pkcs11:token=b?module-name=hsm-b", SIGALG_RSA_PKCS1_SHA256 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char label[16];

		snprintf(label, sizeof(label), "ca-%zu", i);
		world_ca(w, label, t[i].kind, t[i].where);
		OK(&e,
		   sign_list(w, a,
			     &(struct list_spec){ .key = label, .alg = t[i].alg, .number = 1, .n = 3000 }, &l,
			     &sc, &e));
		assert_true(signature_ok(spki_of(w, a, label), t[i].alg, l.tbs, sc.signature));
	}
	/* a key that signs whole messages must hold the whole list */
	REFUSES(CHY_CRL_SIZE, .key = "ca-1", .alg = SIGALG_ED25519, .number = 2, .n = 200000);
	SIGNS(.key = "ca-1", .alg = SIGALG_ED25519, .number = 2, .n = 3);
}

static void
numbers_go_on(void **state)
{
	struct world *w = *state;
	struct err e = { 0 };
	int64_t now = clock_now_ms() / 1000 * 1000;

	world_ca(w, "ca", "p-256", "software");
	world_ca(w, "cb", "p-256", "software");
	SIGNS(.number = 5, .n = 3, .at_ms = now);
	for (int round = 0; round < 5; round++) {
		REFUSES(CHY_SIGNER_CRL_NUMBER, .number = 4, .n = 3, .at_ms = now);
		REFUSES(CHY_SIGNER_CRL_NUMBER, .number = 5, .n = 2,
			.at_ms = now);                               /* another with this number */
		SIGNS(.number = 5, .n = 3, .at_ms = now);            /* the same: after a crash */
		SIGNS(.number = 5, .base = 4, .n = 1, .at_ms = now); /* its delta list, of the same moment */
		REFUSES(CHY_SIGNER_CRL_NUMBER, .number = 5, .base = 4, .n = 2, .at_ms = now);
		SIGNS(.number = 1 + (uint64_t)round, .point = "http://crl.example/2",
		      .n = 1);                                             /* another scope */
		SIGNS(.key = "cb", .number = 1 + (uint64_t)round, .n = 1); /* another key */
		if (round == 0) { /* what it knows outlives a stop, */
			world_stop(w);
			assert_int_equal(access(world_path(w, "signer/journal/" CRL_SEEN_NAME), F_OK), 0);
		} else if (round == 1) { /* a kill, */
			world_kill(w);
		} else if (round == 2) { /* the loss of its copy, */
			world_stop(w);
			assert_int_equal(unlink(world_path(w, "signer/journal/" CRL_SEEN_NAME)), 0);
		} else if (round == 3) { /* and its damage */
			world_stop(w);
			world_sh(w, "printf x >> %s", world_path(w, "signer/journal/" CRL_SEEN_NAME));
		}
		if (round < 4)
			world_start(w);
	}
	SIGNS(.number = 6, .base = 5, .n = 3, .at_ms = now);
	REFUSES(CHY_SIGNER_CRL_NUMBER, .number = 6, .n = 3, .at_ms = now - 1000); /* not of one moment */
	SIGNS(.number = 6, .n = 3, .at_ms = now);
	REFUSES(CHY_SIGNER_CRL_NUMBER, .number = 5, .n = 3, .at_ms = now);
	/* a key made anew begins anew */
	OK(&e, signer_key_delete(w->s, "ca", MS, &e));
	world_ca(w, "ca", "p-256", "software");
	SIGNS(.number = 1, .n = 3);
}

static void
tells_the_last_number(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	struct world *w = *state;
	struct signer_last_crl last;
	struct signed_cert sc;
	uint8_t digest[SHA256_LEN];
	struct err e = { 0 };
	struct list l;

	world_ca(w, "ca", "p-256", "software");
	OK(&e, signer_crl_last(w->s, "ca", BYTES_NONE, MS, &last, &e));
	assert_true(!last.complete && !last.delta && last.number == 0);
	OK(&e,
	   sign_list(w, a, &(struct list_spec){ .number = 7, .n = 1, .point = "http://crl.example/7" }, &l,
		     &sc, &e));
	OK(&e, signer_crl_last(w->s, "ca", BYTES_NONE, MS, &last, &e));
	assert_false(last.complete);
	OK(&e, signer_crl_last(w->s, "ca", l.point, MS, &last, &e));
	sha256(l.tbs, digest);
	assert_true(last.complete && !last.delta && last.number == 7 && last.this_update_at > 0);
	assert_memory_equal(last.digest[0], digest, SHA256_LEN);
	REFUSED(&e, CHY_SIGNER_NO_KEY, signer_crl_last(w->s, "none", BYTES_NONE, MS, &last, &e));
}

static void
lists_keep_the_limits(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	struct world *w = *state;
	int64_t now = clock_now_ms() / 1000 * 1000;
	struct signer_key k;
	struct err e = { 0 };

	world_ca(w, "ca", "p-256", "software");
	REFUSES(CHY_SIGNER_ISSUER, .number = 1, .n = 1, .issuer = "CN=Another");
	REFUSES(CHY_SIGNER_ALGORITHM, .number = 1, .n = 1, .alg = SIGALG_ECDSA_SHA384);
	REFUSES(CHY_SIGNER_ALGORITHM, .number = 1, .n = 1, .alg = SIGALG_ED25519);
	REFUSES(CHY_SIGNER_VALIDITY, .number = 1, .n = 1, .hours = 401 * 24);
	REFUSES(CHY_SIGNER_CLOCK, .number = 1, .n = 1, .at_ms = now + HOUR);
	REFUSES(CHY_SIGNER_CLOCK, .number = 1, .n = 1, .at_ms = now - 3 * HOUR);
	REFUSES(CHY_CRL_TBS, .number = 1, .n = 1, .drop_key_id = true);
	OK(&e, signer_key_generate(w->s, "bare", SIGNER_CA, "p-256", "software", MS, a, &k, &e));
	OK(&e, signer_key_generate(w->s, "ocsp", SIGNER_OCSP, "p-256", "software", MS, a, &k, &e));
	OK(&e, signer_key_generate(w->s, "tls", SIGNER_TLS, "p-256", "software", MS, a, &k, &e));
	REFUSES(CHY_SIGNER_NO_LIMITS, .number = 1, .n = 1, .key = "bare");
	REFUSES(CHY_SIGNER_KEY_CLASS, .number = 1, .n = 1, .key = "ocsp");
	REFUSES(CHY_SIGNER_KEY_CLASS, .number = 1, .n = 1, .key = "tls");
	REFUSES(CHY_SIGNER_NO_KEY, .number = 1, .n = 1, .key = "none");
	SIGNS(.number = 1, .n = 1, .at_ms = now - HOUR);
}

/* ---- parts in a wrong order, at the socket's level ---- */

static enum rc
part_fails(void *arg, struct bytes *ret, struct err *e)
{
	FAIL(e, CHY_FILE_READ, NULL, "the spool");
}

static enum rc
part_swapped(void *arg, struct bytes *ret, struct err *e)
{
	struct list *l = arg;
	struct bytes all = buf_bytes(&l->entries), rest = all;
	struct crl_entry x;

	assert_true(crl_next(&rest, &x));
	*ret = l->at == 0 ? rest : bytes_of(all.p, all.n - rest.n);
	l->at++;
	return RC_OK;
}

static void
parts_come_whole_and_in_order(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	struct world *w = *state;
	struct signed_cert sc;
	struct err e = { 0 };
	struct list l;
	struct sign_crl c = { .key = "ca", .alg = SIGALG_ECDSA_SHA256, .arg = &l };

	world_ca(w, "ca", "p-256", "software");
	list_make(a, &(struct list_spec){ .number = 1, .n = 3 }, &l);
	c.head = l.head;
	c.tail = l.tail;
	for (int i = 0; i < 30; i++) { /* more often than lists may be open: each is given up */
		c.next = part_fails;
		REFUSED(&e, CHY_FILE_READ, signer_sign_crl(w->s, &c, MS, a, &sc, &e));
	}
	c.next = part_swapped;
	REFUSED(&e, CHY_CRL_TBS, signer_sign_crl(w->s, &c, MS, a, &sc, &e));
	c.next = NULL; /* the entries are left out */
	REFUSED(&e, CHY_CRL_TBS, signer_sign_crl(w->s, &c, MS, a, &sc, &e));
	l.at = 0;
	l.part = 1;
	c.next = next_part;
	c.tail = bytes_part(l.tail, 0, l.tail.n - 1);
	REFUSED(&e, CHY_CRL_TBS, signer_sign_crl(w->s, &c, MS, a, &sc, &e));
	l.at = 0;
	c.tail = l.tail;
	OK(&e, signer_sign_crl(w->s, &c, MS, a, &sc, &e));
	assert_true(signature_ok(spki_of(w, a, "ca"), SIGALG_ECDSA_SHA256, l.tbs, sc.signature));
	buf_fini(&l.entries);
}

/* ---- faults ---- */

/* Killed while list 5 is signed. Whatever the client was told: the same list can be signed again, so that no number is left out; if
   the journal has it, no other list gets its number. */
static void
killed_at(struct world *w, const char *point, bool journaled)
{
	int64_t now = clock_now_ms() / 1000 * 1000;
	struct signer_last_crl last;
	char fault[64];
	struct err e = { 0 };

	world_ca(w, "ca", "p-256", "software");
	SIGNS(.number = 4, .n = 2, .at_ms = now);
	world_stop(w);
	snprintf(fault, sizeof(fault), "%s=kill", point);
	w->fault = fault;
	world_start(w);
	assert_int_not_equal(try_list(w, &(struct list_spec){ .number = 5, .n = 3, .at_ms = now }, &e),
			     RC_OK);
	assert_true(WIFSIGNALED(world_wait(w)));
	w->fault = NULL;
	world_start(w);
	OK(&e, signer_crl_last(w->s, "ca", BYTES_NONE, MS, &last, &e));
	assert_int_equal(last.number, journaled ? 5 : 4);
	if (journaled)
		REFUSES(CHY_SIGNER_CRL_NUMBER, .number = 5, .n = 4, .at_ms = now);
	SIGNS(.number = 5, .n = 3, .at_ms = now);
	SIGNS(.number = 6, .n = 3, .at_ms = now);
}

static void
killed_before_the_journal(void **state)
{
	killed_at(*state, "signer.after-sign", false);
}

static void
killed_after_the_journal(void **state)
{
	killed_at(*state, "signer.after-sync", true);
}

static void
the_journal_fails(void **state)
{
	struct world *w = *state;
	int64_t now = clock_now_ms() / 1000 * 1000;
	struct signer_last_crl last;
	struct err e = { 0 };

	world_ca(w, "ca", "p-256", "software");
	SIGNS(.number = 4, .n = 2, .at_ms = now);
	world_stop(w);
	w->fault = "signer.journal-write@1=fail";
	world_start(w);
	REFUSES(CHY_SJ_WRITE, .number = 5, .n = 3, .at_ms = now);
	OK(&e, signer_crl_last(w->s, "ca", BYTES_NONE, MS, &last, &e));
	assert_int_equal(last.number, 4);
	for (int i = 0; i < 50; i++) { /* it tries to repair once a second */
		err_clear(&e);
		if (try_list(w, &(struct list_spec){ .number = 5, .n = 9, .at_ms = now }, &e) == RC_OK)
			break;
		assert_true(e.code == CHY_SJ_WRITE || e.code == CHY_SJ_BROKEN);
		usleep(100000);
	}
	REFUSES(CHY_SIGNER_CRL_NUMBER, .number = 5, .n = 3, .at_ms = now);
	w->fault = NULL;
}

/* What the witness knows cannot be kept: the next start reads it from the journal. */
static void
the_copy_fails(void **state)
{
	struct world *w = *state;
	struct err e = { 0 };

	w->fault = "signer.lists-kept=fail";
	world_stop(w);
	world_start(w);
	world_ca(w, "ca", "p-256", "software");
	SIGNS(.number = 4, .n = 2);
	world_stop(w);
	assert_int_not_equal(access(world_path(w, "signer/journal/" CRL_SEEN_NAME), F_OK), 0);
	w->fault = NULL;
	world_start(w);
	REFUSES(CHY_SIGNER_CRL_NUMBER, .number = 3, .n = 2);
	SIGNS(.number = 5, .n = 2);
}

/* ---- OCSP ---- */

struct ocsp_spec {
	const char *issuer;      /* default "CN=Issuing" */
	struct bytes issuer_key; /* SubjectPublicKeyInfo */
	struct bytes own;        /* the same: named by it */
	enum ocsp_hash hash;
	unsigned serial;
	int64_t at_ms, next_ms; /* thisUpdate, 0: now; until the next, default a day; -1: none */
	bool by_name;
};

static struct bytes
data_make(struct arena *a, const struct ocsp_spec *s)
{
	static uint8_t nh[HASH_MAX], kh[HASH_MAX];
	OWN_DW struct dw id = dw_growing(1 << 10), w = dw_growing(1 << 12);
	uint8_t own[SHA1_LEN],
	    serial[4] = { 1, (uint8_t)(s->serial >> 16), (uint8_t)(s->serial >> 8), (uint8_t)s->serial };
	struct pubkey k;
	struct ocsp_id i = { .hash = s->hash, .serial = BYTES_OF(serial) };
	struct ocsp_single one = { .reason = CRL_NO_REASON, .archive_cutoff_at = OCSP_NO_TIME };
	struct ocsp_inputs in = { .v = &one, .n = 1 };
	struct bytes r;

	ok(pubkey_parse(s->issuer_key, &k, NULL));
	i.name_hash = hash_of((enum hash_alg)s->hash, make_name(a, s->issuer ? s->issuer : "CN=Issuing"), nh);
	i.key_hash = hash_of((enum hash_alg)s->hash, k.bits_der, kh);
	dw_ocsp_id(&id, &i);
	ok(pubkey_parse(s->own, &k, NULL));
	sha1(k.bits_der, own);
	one.cert_id = dw_bytes(&id);
	one.this_update_at = s->at_ms ? s->at_ms : clock_now_ms() / 1000 * 1000;
	one.next_update_at = s->next_ms < 0 ? OCSP_NO_TIME
					    : one.this_update_at + (s->next_ms ? s->next_ms : 24ll * HOUR);
	in.produced_at = one.this_update_at;
	if (s->by_name)
		in.name = make_name(a, "CN=Issuing");
	else
		in.key_hash = BYTES_OF(own);
	ok(ocsp_data_build(&in, &w, NULL));
	ok(dw_dup(&w, a, &r, NULL));
	return r;
}

static void
responder(struct world *w, struct arena *a, const char *label, const char *kind, const char *where,
	  struct bytes issuer_key)
{
	struct signer_limits l = usual_limits(a, kind);
	struct signer_key k;
	struct err e = { 0 };

	l.validity_max_days = 10;
	l.issuer_key = issuer_key;
	OK(&e, signer_key_generate(w->s, label, SIGNER_OCSP, kind, where, 60000, a, &k, &e));
	OK(&e, signer_limits_set(w->s, label, &l, MS, &e));
}

static enum rc
sign_one(struct world *w, struct arena *a, const char *label, enum sigalg alg, struct bytes data,
	 struct bytes *ret, struct err *e)
{
	struct sign_ocsp o = { label, alg, &data, 1 };

	return signer_sign_ocsp_sync(w->s, &o, MS, a, ret, NULL, e);
}

static enum rc
plain_sha256(const struct bytes *parts, size_t count, struct tree_hash *ret, struct err *e)
{
	sha256_parts(parts, count, ret->b);
	return RC_OK;
}

static void
signs_responses_by_the_hundred(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	struct world *w = *state;
	struct bytes data[SIGNER_OCSP_MAX + 1], sigs[SIGNER_OCSP_MAX + 1], issuer, own;
	struct sign_ocsp o = { "ocsp", SIGALG_ECDSA_SHA256, data, SIGNER_OCSP_MAX };
	struct tree t = { 0 };
	struct tree_hash root, leaf;
	struct sj_record r;
	int64_t now = clock_now_ms() / 1000 * 1000;
	uint64_t position;
	struct err e = { 0 };

	world_ca(w, "ca", "p-256", "software");
	issuer = spki_of(w, a, "ca");
	responder(w, a, "ocsp", "p-256", "software", issuer);
	own = spki_of(w, a, "ocsp");
	for (unsigned i = 0; i <= SIGNER_OCSP_MAX; i++)
		data[i] = data_make(
		    a,
		    &(struct ocsp_spec){
			.issuer_key = issuer, .own = own, .serial = i, .hash = i % 4, .at_ms = now });
	OK(&e, signer_sign_ocsp_sync(w->s, &o, MS, a, sigs, &position, &e));
	for (size_t i = 0; i < SIGNER_OCSP_MAX; i++)
		assert_true(signature_ok(own, SIGALG_ECDSA_SHA256, data[i], sigs[i]));
	o.n++;
	REFUSED(&e, CHY_TOO_LONG, signer_sign_ocsp_sync(w->s, &o, MS, a, sigs, NULL, &e));
	o.n = SIGNER_OCSP_MAX;
	data[17] = data_make(a,
			     &(struct ocsp_spec){ .issuer = "CN=Another", .issuer_key = issuer, .own = own });
	REFUSED(&e, CHY_SIGNER_RESPONDER, signer_sign_ocsp_sync(w->s, &o, MS, a, sigs, NULL, &e));
	assert_non_null(strstr(e.field, "data[17]"));
	/* one small record for all of them */
	r = last_record(w, a);
	assert_int_equal(r.type, SJ_OCSP);
	assert_int_equal(r.position, position);
	assert_int_equal(r.tbs.n, 4 + 32 + 12 + 16);
	assert_int_equal(r.signature.n + r.context.n, 0);
	data[17] = data_make(
	    a,
	    &(struct ocsp_spec){ .issuer_key = issuer, .own = own, .serial = 17, .hash = 1, .at_ms = now });
	for (size_t i = 0; i < SIGNER_OCSP_MAX;
	     i++) { /* whoever keeps the responses can prove what the record says */
		OK(&e, tree_leaf(plain_sha256, data[i], &leaf, &e));
		OK(&e, tree_add(plain_sha256, &t, &leaf, NULL, NULL, &e));
	}
	OK(&e, tree_root(plain_sha256, &t, &root, &e));
	assert_memory_equal(r.tbs.p + 4, root.b, sizeof(root.b));
}

/* Also of a batch whose place in memory another batch had before it. */
static void
every_batch_of_responses_has_a_record(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	struct world *w = *state;
	struct bytes issuer, own, data, sig;
	struct sign_ocsp o = { "ocsp", SIGALG_ECDSA_SHA256, &data, 1 };
	uint64_t before = 0, position;
	struct sj_record r;
	struct err e = { 0 };

	world_ca(w, "ca", "p-256", "software");
	issuer = spki_of(w, a, "ca");
	responder(w, a, "ocsp", "p-256", "software", issuer);
	own = spki_of(w, a, "ocsp");
	for (unsigned i = 0; i < 4; i++) {
		struct tree t = { 0 };
		struct tree_hash root, leaf;

		data = data_make(a, &(struct ocsp_spec){ .issuer_key = issuer, .own = own, .serial = i + 1 });
		OK(&e, signer_sign_ocsp_sync(w->s, &o, MS, a, &sig, &position, &e));
		assert_true(i == 0 || position == before + 1);
		before = position;
		r = last_record(w, a);
		assert_int_equal(r.type, SJ_OCSP);
		assert_int_equal(r.position, position);
		OK(&e, tree_leaf(plain_sha256, data, &leaf, &e));
		OK(&e, tree_add(plain_sha256, &t, &leaf, NULL, NULL, &e));
		OK(&e, tree_root(plain_sha256, &t, &root, &e));
		assert_memory_equal(r.tbs.p + 4, root.b, sizeof(root.b));
	}
}

static void
other_keys_sign_responses(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	struct world *w = *state;
	struct bytes issuer, own, data, sig;
	struct err e = { 0 };
	static const struct {
		const char *kind, *where;
		enum sigalg alg;
	} t[] = {
		{ "p-384", "software", SIGALG_ECDSA_SHA384 },
		{ "ed25519", "software", SIGALG_ED25519 },
		{ "p-256", "pkcs11:token=a?module-name=hsm-a", SIGALG_ECDSA_SHA256 },
		{ "rsa-2048", "pkcs11:token=b?module-name=hsm-b", SIGALG_RSA_PKCS1_SHA256 },
	};

	world_ca(w, "ca", "p-256", "software");
	issuer = spki_of(w, a, "ca");
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char label[16];

		snprintf(label, sizeof(label), "ocsp-%zu", i);
		responder(w, a, label, t[i].kind, t[i].where, issuer);
		own = spki_of(w, a, label);
		data = data_make(a, &(struct ocsp_spec){ .issuer_key = issuer, .own = own });
		OK(&e, sign_one(w, a, label, t[i].alg, data, &sig, &e));
		assert_true(signature_ok(own, t[i].alg, data, sig));
	}
	/* a CA's own key, for its own certificates */
	data = data_make(a, &(struct ocsp_spec){ .issuer_key = issuer, .own = issuer });
	OK(&e, sign_one(w, a, "ca", SIGALG_ECDSA_SHA256, data, &sig, &e));
	assert_true(signature_ok(issuer, SIGALG_ECDSA_SHA256, data, sig));
}

static void
responses_keep_the_limits(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	struct world *w = *state;
	int64_t now = clock_now_ms() / 1000 * 1000;
	struct bytes issuer, own, sig;
	struct signer_limits l = usual_limits(a, "p-256"), got;
	struct signer_key k;
	struct err e = { 0 };

	world_ca(w, "ca", "p-256", "software");
	issuer = spki_of(w, a, "ca");
	OK(&e, signer_key_generate(w->s, "ocsp", SIGNER_OCSP, "p-256", "software", MS, a, &k, &e));
	own = spki_of(w, a, "ocsp");
#define DATA(...) data_make(a, &(struct ocsp_spec){ .issuer_key = issuer, .own = own, __VA_ARGS__ })
#define TRY_ONE(label, ...) sign_one(w, a, label, SIGALG_ECDSA_SHA256, DATA(__VA_ARGS__), &sig, &e)
	REFUSED(&e, CHY_SIGNER_NO_LIMITS, TRY_ONE("ocsp", .serial = 1));
	REFUSED(&e, CHY_SIGNER_LIMITS, signer_limits_set(w->s, "ocsp", &l, MS, &e)); /* no issuer's key */
	l.issuer_key = issuer;
	REFUSED(&e, CHY_SIGNER_LIMITS, signer_limits_set(w->s, "ca", &l, MS, &e)); /* that is its own */
	l.ca_allowed = true;
	REFUSED(&e, CHY_SIGNER_LIMITS, signer_limits_set(w->s, "ocsp", &l, MS, &e));
	l.ca_allowed = false;
	l.validity_max_days = 10;
	OK(&e, signer_limits_set(w->s, "ocsp", &l, MS, &e));
	OK(&e, signer_limits_get(w->s, "ocsp", MS, a, &got, &e));
	assert_true(bytes_eq(got.issuer_key, issuer) && got.validity_max_days == 10);
	l.issuer_key = own;
	REFUSED(&e, CHY_SIGNER_LIMITS_WIDER, signer_limits_set(w->s, "ocsp", &l, MS, &e));
	world_stop(w);
	world_start(w);
	OK(&e, TRY_ONE("ocsp", .serial = 1));
	REFUSED(&e, CHY_SIGNER_RESPONDER, TRY_ONE("ocsp", .issuer = "CN=Another"));
	REFUSED(&e, CHY_SIGNER_RESPONDER,
		sign_one(w, a, "ocsp", SIGALG_ECDSA_SHA256,
			 data_make(a, &(struct ocsp_spec){ .issuer_key = own, .own = own }), &sig, &e));
	REFUSED(&e, CHY_SIGNER_RESPONDER,
		sign_one(w, a, "ocsp", SIGALG_ECDSA_SHA256,
			 data_make(a, &(struct ocsp_spec){ .issuer_key = issuer, .own = issuer }), &sig, &e));
	REFUSED(&e, CHY_SIGNER_RESPONDER, TRY_ONE("ocsp", .by_name = true));
	REFUSED(&e, CHY_SIGNER_RESPONDER, TRY_ONE("ca", .serial = 1)); /* named by another key than signs */
	REFUSED(&e, CHY_SIGNER_CLOCK, TRY_ONE("ocsp", .at_ms = now + HOUR));
	REFUSED(&e, CHY_SIGNER_CLOCK, TRY_ONE("ocsp", .at_ms = now - 3 * HOUR));
	REFUSED(&e, CHY_SIGNER_VALIDITY, TRY_ONE("ocsp", .next_ms = 11ll * 24 * HOUR));
	REFUSED(&e, CHY_SIGNER_VALIDITY, TRY_ONE("ocsp", .next_ms = -1));
	REFUSED(&e, CHY_SIGNER_ALGORITHM,
		sign_one(w, a, "ocsp", SIGALG_ECDSA_SHA384, DATA(.serial = 1), &sig, &e));
	REFUSED(&e, CHY_DER_TRUNCATED,
		sign_one(w, a, "ocsp", SIGALG_ECDSA_SHA256, BYTES("\x30\x02\xa1\x00"), &sig, &e));
	OK(&e, signer_key_generate(w->s, "tls", SIGNER_TLS, "p-256", "software", MS, a, &k, &e));
	REFUSED(&e, CHY_SIGNER_KEY_CLASS, TRY_ONE("tls", .serial = 1));
	/* a responder's key signs neither certificates nor lists */
	REFUSES(CHY_SIGNER_KEY_CLASS, .key = "ocsp", .number = 1, .n = 1);
}

/* ---- certificates meanwhile ---- */

struct certifier {
	struct world *w;
	atomic_bool *stop;
	uint64_t first;
	unsigned signed_n;
	pthread_t thread;
};

static void *
certify(void *arg)
{
	struct certifier *t = arg;

	while (!atomic_load(t->stop)) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		struct sign_cert c = { "ca", SIGALG_ECDSA_SHA256,
				       make_tbs(a, &(struct tbs_spec){ .serial = t->first + t->signed_n }),
				       BYTES("why") };
		struct signed_cert sc;

		if (signer_sign_cert_sync(t->w->s, &c, MS, a, &sc, NULL) != RC_OK)
			break;
		t->signed_n++;
	}
	return NULL;
}

/* A list that is refused is answered in one batch with certificates, on whose way to the disk the next list is begun. */
static void
refused_lists_beside_certificates(void **state)
{
	struct world *w = *state;
	struct certifier t[4];
	atomic_bool stop = false;
	struct err e = { 0 };

	world_ca(w, "ca", "p-256", "software");
	SIGNS(.number = 5, .n = 3);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		t[i] = (struct certifier){ w, &stop, 1 + 1000000 * i, 0, 0 };
		assert_int_equal(pthread_create(&t[i].thread, NULL, certify, &t[i]), 0);
	}
	for (unsigned i = 0; i < 100; i++) {
		REFUSES(CHY_SIGNER_CRL_NUMBER, .number = 5, .n = 2);
		if (i % 10 == 0)
			SIGNS(.number = 6 + i, .n = 3);
		else
			REFUSES(CHY_SIGNER_CRL_NUMBER, .number = 4, .n = 3);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		pthread_join(t[i].thread, NULL);
		assert_true(t[i].signed_n > 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(signs_lists_in_parts, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(signs_lists_at_the_same_time, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(other_keys_sign_lists, world_setup_softhsm, world_teardown),
	cmocka_unit_test_setup_teardown(numbers_go_on, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(tells_the_last_number, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(lists_keep_the_limits, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(parts_come_whole_and_in_order, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(killed_before_the_journal, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(killed_after_the_journal, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(the_journal_fails, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(the_copy_fails, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(signs_responses_by_the_hundred, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(every_batch_of_responses_has_a_record, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(other_keys_sign_responses, world_setup_softhsm, world_teardown),
	cmocka_unit_test_setup_teardown(responses_keep_the_limits, world_setup, world_teardown),
	cmocka_unit_test_setup_teardown(refused_lists_beside_certificates, world_setup, world_teardown),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
