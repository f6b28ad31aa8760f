/*
 * officer.renew: an officer has a certificate of his or her own issued once more, for a new key, by the token procedure of the
 * certificate that the officer is bound to. No right to issue is needed: nothing else can come of it (policy/issue.c), and
 * another officer signs it, too.
 */
#include "base/base.h"
#include "factory/act_difference.h"
#include "factory/acts.h"

#include "crypto/digest.h"
#include "factory/callers.h"
#include "factory/issue.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/name.h"
#include "policy/body.h"
#include "store/read.h"

/* What is renewed. */
struct renewed {
	const struct officer *o;
	struct certificate_row bound;
	struct gnames san; /* of the bound certificate */
	struct bytes csr;  /* DER */
};

static enum rc
read_san(struct factory *f, struct arena *a, struct renewed *r, struct err *e)
{
	const struct ext *san;
	struct cert cert;
	struct bytes der;

	TRY(store_der(f->store, a, r->bound.id, &der, e));
	TRY(cert_parse(a, der, &cert, e));
	san = exts_find(&cert.exts, OID_CE_SUBJECT_ALT_NAME);
	return san != NULL ? gnames_parse(a, san->value, &r->san, e) : RC_OK;
}

static enum rc
read_bound(struct factory *f, struct arena *a, const struct snapshot *policy, struct renewed *r,
	   struct err *e)
{
	int64_t id;

	TRY(officer_certificate(policy, r->o, &id, e));
	NEED(id != 0, e, CHY_RENEWAL_NONE, NULL,
	     "officer \"%.*s\" is bound to a certificate without a number", BYTES_FMT(r->o->name));
	TRY(store_certificate(f->store, a, id, &r->bound, e));
	NEED(r->bound.token_procedure != 0, e, CHY_RENEWAL_NONE, NULL,
	     "the boot ceremony made the certificate of officer \"%.*s\": make an officer in its place",
	     BYTES_FMT(r->o->name));
	NEED(r->o->entity != ENTITY_STATIC_TOKEN, e, CHY_RENEWAL_NONE, NULL,
	     "officer \"%.*s\" is bound to a static token: two officers bind another certificate",
	     BYTES_FMT(r->o->name));
	return read_san(f, a, r, e);
}

/* The officer as the policy has him or her; whose body it is was signed. */
static enum rc
read_body(struct factory *f, struct arena *a, const struct snapshot *policy, const struct json *body,
	  struct renewed *r, struct err *e)
{
	struct bytes text;

	*r = (struct renewed){ .o = snapshot_officer(policy, officer_id_of(body_int(body, "officer", 0))) };
	NEED(r->o != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "the officer of the renewal is gone");
	TRY(json_need_str(body, "csr", &text, e));
	TRY(base64_parse(a, text, &r->csr, e));
	return read_bound(f, a, policy, r, e);
}

static void
set_up(struct factory *f, struct arena *a, const struct renewed *r, struct request_id request,
       struct issue_call *c)
{
	*c = (struct issue_call){ .f = f, .arena = a };
	c->request = (struct issue_request){
		.word = WORD_REQUEST,
		.request = request,
		.officer = r->o->id,
		.renewal = true,
		.bound_san = r->san,
		.csr_der = r->csr,
		.token_procedure = bytes_str(arena_printf(a, "%lld", (long long)r->bound.token_procedure)),
		.idempotency_key = bytes_str(arena_printf(a, "request %lld, 0", (long long)request.v)),
	};
}

/* ---- preparing ---- */

/* Who gets it, and which key: its digest is what two people can compare. */
static enum rc
tell(struct arena *a, const struct renewed *r, struct json *list, struct err *e)
{
	OWN_BUF struct buf was = buf_max(2 * SHA256_LEN + 1);
	char key[2 * SHA256_LEN + 1];
	uint8_t hash[SHA256_LEN];
	struct csr csr;

	TRY(csr_parse(a, r->csr, &csr, e));
	sha256(csr.key.spki, hash);
	hex_text(key, BYTES_OF(hash));
	hex_put(&was, r->bound.key_hash);
	act_difference(a, list, "officer", BYTES("Officer"), BYTES_NONE, r->o->name);
	act_difference(a, list, "csr", BYTES("Certificate for"), r->bound.subject, r->o->subject);
	act_difference(a, list, "csr.key", BYTES("SHA-256 of the key"), buf_bytes(&was), bytes_str(key));
	return RC_OK;
}

static enum rc
read_asked(struct preparation *p, struct err *e)
{
	static const char *const names[] = { "officer", "csr", NULL };
	int64_t officer = p->who->id.v;
	struct bytes text, der;
	struct csr csr;

	TRY(json_only(p->in, names, e));
	TRY(json_opt_int(p->in, "officer", 1, JSON_INT_MAX, &officer, e));
	TRY(json_need_str(p->in, "csr", &text, e));
	err_field(e, "officer");
	NEED(officer == p->who->id.v, e, CHY_RENEWAL_OWN, NULL,
	     "the officer whose certificate is renewed asks for it");
	err_clear(e);
	der = text;
	if (!bytes_starts(text_trim(text), "-----"))
		TRY_AT(base64_parse(p->a, text_trim(text), &der, e), e, "csr");
	TRY_AT(csr_parse_any(p->a, der, &csr, e), e, "csr");
	p->body = json_object(p->a);
	json_set(p->body, "csr", json_base64(p->a, csr.der));
	json_set(p->body, "officer", json_int(p->a, officer));
	NEED(p->body != NULL, e, CHY_NO_MEMORY, NULL, "a renewal");
	return RC_OK;
}

/* What would be refused when it is signed is refused now. */
enum rc
renew_act_check(struct preparation *p, struct err *e)
{
	struct issue_call c;
	struct renewed r;

	TRY(read_asked(p, e));
	TRY(read_body(p->f, p->a, p->policy, p->body, &r, e));
	set_up(p->f, p->a, &r, request_id_of(0), &c);
	TRY(issue_try(&c, e));
	p->difference = json_array(p->a);
	return tell(p->a, &r, p->difference, e);
}

enum rc
renew_act_tell(const struct telling *t, struct json *difference, struct err *e)
{
	struct renewed r;

	TRY(read_body(t->f, t->a, t->policy, t->request->body, &r, e));
	return tell(t->a, &r, difference, e);
}

/* ---- taking effect ---- */

static enum rc
issue(struct effect *x, const struct renewed *r, struct arena *a, struct err *e)
{
	struct issue_call c;
	enum rc rc;

	set_up(x->f, a, r, x->request->id, &c);
	rc = issue_wait(&c);
	if (rc != RC_OK) {
		*e = c.err;
		return rc;
	}
	json_set(x->result, "officer", json_int(x->a, r->o->id.v));
	json_set(x->result, "certificate", json_int(x->a, c.id));
	json_set(x->result, "der", json_base64(x->a, c.certificate));
	atomic_fetch_add(&x->f->expiry.renewed, 1);
	return RC_OK;
}

enum rc
renew_act_work(struct effect *x, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct renewed r;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a renewal");
	TRY(read_body(x->f, a, x->policy, x->request->body, &r, e));
	return issue(x, &r, a, e);
}

enum rc
renew_act_apply(struct effect *x, struct change *c, struct err *e)
{
	return RC_OK; /* the certificate was stored by itself */
}
