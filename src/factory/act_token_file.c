/* What comes after a soft token's keys: their certificates, each found again by its idempotency key, and the file. */
#include "base/base.h"
#include "factory/act_token.h"

#include "factory/issue.h"
#include "factory/tokens.h"
#include "policy/token.h"
#include "signer/client_token.h"
#include "store/read.h"

enum { CHAIN_MAX = 16 };

struct token_work {
	struct effect *x;
	struct token_making m;
	struct token_key_row *keys;
	size_t n;
	struct token_part parts[SIGNER_TOKEN_KEYS];
	struct bytes issuers[64];
	size_t issuers_n;
};

static enum rc
certify(struct token_work *w, const struct token_key_row *k, struct bytes *ret, struct err *e)
{
	struct issue_call c;
	enum rc rc;

	if (k->certificate_procedure == 0)
		return store_der(w->x->f->store, w->x->a, k->certificate, ret, e);
	TRY(token_call_of(&w->m, k, &c, e));
	c.into = w->x->change;
	rc = issue_wait(&c);
	if (rc == RC_OK) {
		w->x->has_signed = w->x->has_signed || !c.repeated;
		*ret = arena_dup(w->x->a, c.certificate);
		if (ret->p == NULL)
			rc = err_set(e, CHY_NO_MEMORY, NULL, "a certificate");
	} else {
		*e = c.err;
	}
	arena_free(c.arena);
	return rc;
}

static void
add_issuer(struct token_work *w, const struct authority *x)
{
	if (x->certificate.n > 0 && w->issuers_n < ARRAY_LEN(w->issuers))
		w->issuers[w->issuers_n++] = x->certificate;
}

/* The chain of one CA by the token procedure's policy: all, none, the root, the issuing one. */
static void
add_chain(struct token_work *w, const struct authority *x)
{
	enum issuer_certificates which = w->m.t->issuers;

	for (int i = 0; x != NULL && which != ISSUERS_NONE && i < CHAIN_MAX; i++, x = x->issuer) {
		bool root = x->issuer == NULL || x->issuer == x;

		if (which == ISSUERS_ALL || (which == ISSUERS_ISSUING && i == 0) ||
		    (which == ISSUERS_ROOT && root))
			add_issuer(w, x);
		if (root)
			break;
	}
}

/* Of the certificates of a procedure: the chain that it names, where it names one. */
static void
add_chain_of(struct token_work *w, const struct procedure *p)
{
	enum issuer_certificates which = w->m.t->issuers;

	if (p->chain_n == 0)
		add_chain(w, p->authority);
	for (size_t i = 0; i < p->chain_n; i++)
		if (which == ISSUERS_ALL || (which == ISSUERS_ISSUING && i == 0) ||
		    (which == ISSUERS_ROOT && i == p->chain_n - 1))
			add_issuer(w, p->chain[i]);
}

/* The CA of a recovered certificate that none of the certificate procedures uses. */
static enum rc
add_recovered_chain(struct token_work *w, const struct token_key_row *k, struct err *e)
{
	struct certificate_row row;
	const struct authority *x;

	TRY(store_certificate(w->x->f->store, w->x->a, k->certificate, &row, e));
	x = snapshot_authority(w->x->policy, doc_id_of(row.issuer));
	for (size_t i = 0; i < w->m.t->procedures_n; i++)
		if (w->m.t->procedures[i]->authority == x)
			return RC_OK; /* it is there */
	if (x != NULL && w->m.t->issuers_of_recovered)
		add_chain(w, x);
	return RC_OK;
}

static enum rc
add_issuers(struct token_work *w, struct err *e)
{
	for (size_t i = 0; i < w->m.t->procedures_n; i++)
		add_chain_of(w, w->m.t->procedures[i]);
	for (size_t i = 0; i < w->n; i++) {
		const struct procedure *p = snapshot_procedure(w->x->policy,
							       doc_id_of(w->keys[i].certificate_procedure));

		if (w->keys[i].certificate_procedure == 0)
			TRY(add_recovered_chain(w, &w->keys[i], e));
		else if (w->keys[i].source != 0 && p != NULL)
			add_chain_of(w, p);
	}
	return RC_OK;
}

/* "anna, Encryption": whose, and what for. */
static struct bytes
friendly_name(struct token_work *w, const struct token_key_row *k)
{
	const struct procedure *p = snapshot_procedure(w->x->policy, doc_id_of(k->certificate_procedure));
	const char *text = p
	    ? arena_printf(w->x->a, "%.*s, %.*s", BYTES_FMT(k->holder), BYTES_FMT(p->doc->name))
	    : arena_printf(w->x->a, "%.*s, recovered", BYTES_FMT(k->holder));
	struct bytes name = bytes_str(text ? text : "");

	while (name.n > 120 || !utf8_ok(name))
		name.n--;
	return name;
}

static enum rc
set_part(struct token_work *w, size_t i, struct bytes certificate, struct err *e)
{
	const struct token_key_row *k = &w->keys[i];
	struct token_part *p = &w->parts[i];

	*p = (struct token_part){ .certificate = certificate, .name = friendly_name(w, k) };
	if (k->source != 0) {
		p->archive = arena_str(w->x->a, k->archive);
		p->label = arena_printf(w->x->a, "certificate/%lld", (long long)k->source);
		p->sealed = k->envelope;
	} else {
		p->label = arena_printf(w->x->a, "key/%lld/%lld", (long long)k->token, (long long)k->n);
		p->sealed = k->box;
	}
	NEED(p->label != NULL, e, CHY_NO_MEMORY, NULL, "a token");
	return RC_OK;
}

static enum rc
build(struct token_work *w, const struct token_row *row, struct bytes *ret, struct err *e)
{
	struct token_build b = { .parts = w->parts,
				 .parts_n = w->n,
				 .issuers = w->issuers,
				 .issuers_n = w->issuers_n,
				 .pin_box = row->pin };
	struct bytes style = BYTES_NONE;

	TRY(json_opt_str(w->m.t->doc->body, "encryption", &style, e));
	b.legacy = bytes_is(style, "legacy");
	b.label = arena_printf(w->x->a, "file/%lld", (long long)row->id);
	b.pin_label = arena_printf(w->x->a, "pin/%lld", (long long)row->id);
	b.context = bytes_str(arena_printf(w->x->a, "request %lld", (long long)row->id));
	return signer_token_build(w->x->f->signer, &b, SIGNER_WAIT_MS, w->x->a, ret, e);
}

static enum rc
put_outcome(struct token_work *w, const struct token_row *row, struct bytes file, struct err *e)
{
	struct json *m = json_object(w->x->a), *made = json_array(w->x->a), *archived = json_array(w->x->a),
		    *recovered = json_array(w->x->a);

	for (size_t i = 0; i < w->n; i++) {
		const struct token_key_row *k = &w->keys[i];

		if (k->certificate_procedure != 0)
			json_add(made, json_int(w->x->a, k->certificate));
		if (k->source != 0) {
			json_add(recovered, json_int(w->x->a, k->source));
			change_put_recovery(w->x->change,
					    &(struct recovery_row){
						.certificate = k->source,
						.token = row->id,
						.at = clock_now_ms(),
						.issued = k->certificate_procedure ? k->certificate : 0 });
		} else if (k->archive.n > 0) {
			json_add(archived, json_int(w->x->a, k->certificate));
		}
	}
	json_set(w->x->result, "token", json_int(w->x->a, row->id));
	json_set(w->x->result, "certificates", json_copy(w->x->a, made));
	json_set(w->x->result, "archived", json_copy(w->x->a, archived));
	json_set(w->x->result, "recovered", json_copy(w->x->a, recovered));
	json_set(m, "token", json_int(w->x->a, row->id));
	json_set(m, "certificates", made);
	json_set(m, "archived", archived);
	json_set(m, "recovered", recovered);
	json_set(m, "by", by_request(w->x->a, w->x->request->id));
	TRY(leaf_add(w->x->f, w->x->a, w->x->change, LEAF_TOKEN, 0, row->id, m, e));
	change_token_ready(w->x->change, row->id, w->m.t->pin->method == PIN_SHOWN ? row->pin : BYTES_NONE,
			   file, clock_now_ms() + TOKEN_KEPT_MS);
	return RC_OK;
}

enum rc
token_act_work(struct effect *x, struct err *e)
{
	struct token_work w = { .x = x };
	struct token_row row;
	struct bytes file;

	TRY(token_start(x, &w.m, e));
	TRY(store_token(x->f->store, x->a, x->request->id.v, &row, e));
	TRY(store_token_keys(x->f->store, x->a, row.id, &w.keys, &w.n, e));
	NEED(w.n >= 1 && w.n <= SIGNER_TOKEN_KEYS, e, CHY_P12_TOO_MUCH, NULL, "%zu keys", w.n);
	for (size_t i = 0; i < w.n; i++) {
		struct bytes certificate;

		TRY(certify(&w, &w.keys[i], &certificate, e));
		TRY(set_part(&w, i, certificate, e));
	}
	FAULT("factory.token-certified");
	TRY(add_issuers(&w, e));
	TRY(build(&w, &row, &file, e));
	FAULT("factory.token-built");
	return put_outcome(&w, &row, file, e);
}
