/* Authorities: from bodies, their certificates and what stands above them. */
#include "base/base.h"
#include "model/choices.h"
#include "pki/csr.h"
#include "policy/body.h"
#include "policy/names.h"
#include "policy/ocsp.h"
#include "policy/snapshot_impl.h"

#define ROOM(p, e) NEED((p) != NULL, e, CHY_NO_MEMORY, NULL, "snapshot")

static const char waits[] =
    "it waits for its certificate: make its request (chancery authority request), have the "
    "foreign CA sign it, and import what comes back (chancery authority modify "
    "--certificate)";

bool
authority_has_key(enum authority_type t)
{
	return t == AUTHORITY_ROOT || t == AUTHORITY_SUBORDINATE || t == AUTHORITY_EXTERNAL_SUBORDINATE;
}

bool
authority_is_over(const struct authority *x, int64_t now_ms)
{
	return !x->doc->active &&
	    (x->certificate.n == 0 || x->why_not.code == CHY_AUTHORITY_REVOKED || now_ms >= x->not_after_ms);
}

bool
crl_is_over(const struct crl_procedure *p, int64_t now_ms)
{
	return !p->doc->active || (p->authority != NULL && authority_is_over(p->authority, now_ms)) ||
	    (p->signer != NULL && authority_is_over(p->signer, now_ms));
}

bool
cil_is_over(const struct cil_procedure *p, int64_t now_ms)
{
	return !p->doc->active || (p->authority != NULL && authority_is_over(p->authority, now_ms));
}

/* ---- certificates ---- */

static void
add_constraints(struct authority *x, const struct cert *c)
{
	const struct ext *nc = exts_find(&c->exts, OID_CE_NAME_CONSTRAINTS);

	if (nc != NULL)
		x->constraints[x->constraints_n++] = nc->value;
}

static enum rc
basic_of(const struct cert *c, struct basic_constraints *ret, struct err *e)
{
	const struct ext *bc = exts_find(&c->exts, OID_CE_BASIC_CONSTRAINTS);

	*ret = (struct basic_constraints){ .ca = false, .path_len = -1 };
	if (bc != NULL)
		TRY(ext_basic(bc->value, ret, e));
	NEED(ret->ca, e, CHY_AUTHORITY_CERTIFICATE, "RFC 5280 4.2.1.9", "its certificate is no CA's");
	return RC_OK;
}

static enum rc
read_certificate(struct arena *a, const struct authority_facts *facts, struct authority *x, struct err *e)
{
	struct basic_constraints basic;
	struct cert c;

	ROOM((x->certificate = arena_dup(a, facts->certificate)).p, e);
	x->certificate_id = facts->certificate_id;
	TRY(cert_parse(a, x->certificate, &c, e));
	TRY(basic_of(&c, &basic, e));
	add_constraints(x, &c);
	x->path_len = basic.path_len;
	x->subject_in_force = c.subject;
	x->spki = c.spki;
	x->key_id = cert_key_id(&c);
	NEED(x->key_id.n > 0, e, CHY_AUTHORITY_CERTIFICATE, "RFC 5280 4.2.1.2",
	     "its certificate lacks a subject key identifier");
	x->not_before_ms = c.not_before_at;
	x->not_after_ms = c.not_after_at;
	return RC_OK;
}

static void
bound_path(struct authority *x, int above, size_t between)
{
	int here = above - 1 - (int)between;

	if (above >= 0 && (x->path_len < 0 || here < x->path_len))
		x->path_len = here < 0 ? 0 : here;
}

/* The certificates of foreign CAs above it. */
static enum rc
read_chain(struct arena *a, const struct json *list, struct authority *x, struct err *e)
{
	JSON_EACH(item, list)
	{
		struct basic_constraints basic;
		struct bytes der;
		struct cert c;

		TRY(base64_parse(a, item->str, &der, e));
		TRY(cert_parse(a, der, &c, e));
		TRY(basic_of(&c, &basic, e));
		add_constraints(x, &c);
		bound_path(x, basic.path_len, x->chain_n);
		x->chain[x->chain_n++] = der;
	}
	return RC_OK;
}

/* What a foreign CA issued and officers imported stands in the document. */
static enum rc
read_imported(struct arena *a, const struct json *body, struct authority *x, struct err *e)
{
	struct authority_facts facts = { .authority = x->doc->id };
	struct bytes text = body_text(body, "certificate");

	if (text.n == 0)
		return RC_OK;
	TRY(base64_parse(a, text, &facts.certificate, e));
	TRY(read_certificate(a, &facts, x, e));
	return read_chain(a, body_list(body, "chain"), x, e);
}

/* ---- documents ---- */

static enum rc
read_key(struct snapshot *s, const struct json *body, struct authority *x, struct err *e)
{
	struct bytes alg = body_text(body, "signature_algorithm");
	struct name subject;

	x->key = snapshot_of_kind(s, KIND_CA_KEY, body_ref(body, "ca_key"));
	NEED(x->key != NULL, e, CHY_REF_NOTHING, NULL, "its CA key is not there");
	x->boot = bytes_is(body_text(x->key->body, "label"), "system-root");
	TRY(key_type_parse(body_text(x->key->body, "algorithm"), &x->key_type, e));
	TRY(name_from_text(s->a, body_text(body, "subject"), &subject, e));
	x->subject = subject.der;
	x->sigalg = alg.n ? sigalg_by_name(alg) : sigalg_default(&x->key_type);
	NEED(sigalg_fits(x->sigalg, &x->key_type), e, CHY_ISSUE_SIGNATURE_ALGORITHM, NULL,
	     "its signature algorithm does not fit its key");
	return RC_OK;
}

static enum rc
read_foreign(struct snapshot *s, const struct json *body, struct authority *x, struct err *e)
{
	struct foreign_ca ca;

	if (x->type == AUTHORITY_EXTERNAL_ROOT)
		return RC_OK;
	TRY(foreign_ca_read(s->a, body_text(body, "request"), &ca, e));
	x->subject = ca.subject;
	x->key_type = pubkey_type(&ca.key);
	return RC_OK;
}

static enum rc
read_authority(struct snapshot *s, const struct json *body, struct authority *x, struct err *e)
{
	struct bytes own = BYTES_NONE;

	x->constraints = arena_array(s->a, body_count(body, "chain") + 2, sizeof(*x->constraints));
	x->chain = arena_array(s->a, body_count(body, "chain"), sizeof(*x->chain));
	ROOM(x->constraints, e);
	ROOM(x->chain, e);
	TRY(authority_has_key(x->type) ? read_key(s, body, x, e) : read_foreign(s, body, x, e));
	TRY(names_value(s->a, body, &own, e));
	if (own.n > 0)
		x->constraints[x->constraints_n++] = own;
	return RC_OK;
}

static enum rc
take_certificate(struct snapshot *s, const struct json *body, struct authority *x,
		 const struct authority_facts *facts, size_t n, struct err *e)
{
	struct err bad = { 0 };

	if (x->constraints == NULL)
		return RC_OK; /* the document itself cannot be used */
	if (x->type == AUTHORITY_EXTERNAL_ROOT || x->type == AUTHORITY_EXTERNAL_SUBORDINATE)
		return keep(s->a, &x->why_not, read_imported(s->a, body, x, &bad), &bad, e);
	for (size_t i = 0; i < n; i++)
		if (doc_id_eq(facts[i].authority, x->doc->id) && facts[i].certificate.n > 0)
			TRY(keep(s->a, &x->why_not, read_certificate(s->a, &facts[i], x, &bad), &bad, e));
	for (size_t i = 0; i < n; i++)
		if (doc_id_eq(facts[i].authority, x->doc->id) && facts[i].revoked)
			cannot(s->a, &x->why_not, CHY_AUTHORITY_REVOKED, "its certificate is revoked");
	return RC_OK;
}

static enum rc
authority_compile(struct snapshot *s, struct slot *slot, const struct authority_facts *facts, size_t n,
		  struct err *e)
{
	const struct json *body = slot->doc.body;
	struct authority *x = arena_one(s->a, struct authority);
	struct err why = { 0 };

	ROOM(x, e);
	slot->compiled = x;
	slot->why_not = &x->why_not;
	x->doc = &slot->doc;
	x->path_len = -1;
	x->type = (enum authority_type)body_choice(body, "type", authority_choices, AUTHORITY_ROOT);
	x->ocsp = ocsp_settings_of(body);
	TRY(rules_of(s, body, &x->rules, &x->rules_n, e));
	TRY(keep(s->a, &x->why_not, read_authority(s, body, x, &why), &why, e));
	TRY(take_certificate(s, body, x, facts, n, e));
	if (x->type == AUTHORITY_EXTERNAL_ROOT)
		x->subject = x->subject_in_force;
	if (!authority_has_key(x->type))
		cannot(s->a, &x->why_not, CHY_AUTHORITY_FOREIGN, "its key is not here");
	if (x->certificate.n == 0)
		cannot(s->a, &x->why_not, CHY_ISSUE_AUTHORITY_NOT_READY,
		       x->type == AUTHORITY_EXTERNAL_SUBORDINATE ? waits : "it has no certificate yet");
	return RC_OK;
}

static void
link_issuers(struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct authority *x = s->slots[i].compiled;

		if (s->slots[i].doc.kind != KIND_AUTHORITY || x->type == AUTHORITY_ROOT ||
		    x->type == AUTHORITY_EXTERNAL_ROOT)
			continue;
		x->issuer = snapshot_authority(s, body_ref(s->slots[i].doc.body, "issuing_authority"));
		if (x->issuer != NULL && x->type == AUTHORITY_EXTERNAL_SUBORDINATE)
			bound_path(x, x->issuer->path_len, x->chain_n);
	}
}

enum rc
compile_authorities(struct snapshot *s, const struct authority_facts *facts, size_t facts_n, struct err *e)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->slots[i].doc.kind == KIND_AUTHORITY)
			TRY(authority_compile(s, &s->slots[i], facts, facts_n, e));
	link_issuers(s);
	return RC_OK;
}

/* ---- chains ---- */

static void
append(struct bytes ret[AUTHORITY_CHAIN_MAX], size_t *n, struct bytes der)
{
	for (size_t i = 0; i < *n; i++)
		if (bytes_eq(ret[i], der))
			return;
	if (der.n > 0 && *n < AUTHORITY_CHAIN_MAX)
		ret[(*n)++] = der;
}

size_t
authority_chain(const struct authority *x, struct bytes ret[AUTHORITY_CHAIN_MAX])
{
	size_t n = 0;

	for (int depth = 0; x != NULL && depth < AUTHORITY_CHAIN_MAX; depth++, x = x->issuer) {
		append(ret, &n, x->certificate);
		for (size_t i = 0; i < x->chain_n; i++)
			append(ret, &n, x->chain[i]);
	}
	return n;
}
