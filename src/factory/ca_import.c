#include "base/base.h"
#include "factory/ca_import.h"

#include "crypto/chain.h"
#include "crypto/verify.h"
#include "crypto/weak.h"
#include "factory/ca_keys.h"
#include "model/choices.h"
#include "policy/body.h"
#include "policy/names.h"

struct import {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct json *before, *body;
	int64_t now_ms;
	struct err *e;
	struct bytes spki, subject; /* of the authority, where its key is here */
};

/* ---- one certificate ---- */

static enum rc
read_one(struct import *x, const struct json *item, struct cert *ret)
{
	struct err why = { 0 };
	struct bytes der;

	TRY(base64_parse(x->a, item->str, &der, x->e));
	NEED(cert_parse(x->a, der, ret, &why) == RC_OK, x->e, CHY_IMPORT_FORM, why.std,
	     "not a certificate: %s", why.text);
	return RC_OK;
}

/* A CA's, valid now, with a key and a signature that nobody can forge. */
static enum rc
ca_check(struct import *x, const struct cert *c)
{
	struct err why = { 0 };
	struct pubkey key;

	NEED(cert_is_ca(c), x->e, CHY_IMPORT_NOT_CA, "RFC 5280 4.2.1.9", "the certificate is no CA's");
	NEED(cert_key_id(c).n > 0, x->e, CHY_IMPORT_FORM, "RFC 5280 4.2.1.2",
	     "the certificate lacks a subject key identifier");
	NEED(x->now_ms >= c->not_before_at && x->now_ms <= c->not_after_at, x->e, CHY_IMPORT_TIME,
	     "RFC 5280 4.1.2.5", "the certificate is not valid now");
	NEED(c->sigalg != SIGALG_NONE, x->e, CHY_IMPORT_WEAK, NULL,
	     "the certificate is signed by an algorithm that is not accepted");
	NEED(pubkey_parse(c->spki, &key, &why) == RC_OK && key_check(&key, NULL, &why) == RC_OK, x->e,
	     CHY_IMPORT_WEAK, why.std, "the certificate's key: %s", why.text);
	return RC_OK;
}

static enum rc
signed_by(struct import *x, const struct cert *c, struct bytes issuer_spki)
{
	struct err why = { 0 };

	NEED(verify_signature(issuer_spki, c->sigalg, c->tbs, c->signature, &why) == RC_OK, x->e,
	     CHY_IMPORT_SIGNATURE, NULL, "the certificate's signature is not its issuer's: %s", why.text);
	return RC_OK;
}

/* Of our key and in our name, octet for octet: what it issues names its issuer so. */
static enum rc
is_ours(struct import *x, const struct cert *c)
{
	NEED(bytes_eq(c->spki, x->spki), x->e, CHY_IMPORT_KEY, NULL,
	     "the certificate is for another key than the authority's");
	NEED(bytes_eq(c->subject, x->subject), x->e, CHY_IMPORT_NAME, NULL,
	     "the certificate's subject is not the authority's as it was requested");
	return RC_OK;
}

/* ---- what kinds of authority import ---- */

static enum rc
anchor_check(struct import *x)
{
	struct cert c;

	TRY(read_one(x, json_get(x->body, "certificate"), &c));
	TRY(ca_check(x, &c));
	NEED(cert_is_self_issued(&c), x->e, CHY_IMPORT_SIGNATURE, NULL, "the certificate is no root's");
	return signed_by(x, &c, c.spki);
}

static enum rc
foreign_check(struct import *x)
{
	struct err why = { 0 };
	struct foreign_ca ca;

	TRY(foreign_ca_read(x->a, body_text(x->body, "request"), &ca, x->e));
	NEED(ca.sigalg != SIGALG_NONE, x->e, CHY_IMPORT_WEAK, NULL,
	     "it is signed by an algorithm that is not accepted");
	NEED(key_check(&ca.key, NULL, &why) == RC_OK, x->e, CHY_IMPORT_WEAK, why.std, "its key: %s",
	     why.text);
	NEED(verify_with(&ca.key, ca.sigalg, ca.tbs, ca.signature, &why) == RC_OK, x->e, CHY_IMPORT_SIGNATURE,
	     "RFC 2986 4.2", "it does not prove possession of its key: %s", why.text);
	NEED(ca.is_request || (x->now_ms >= ca.not_before_ms && x->now_ms <= ca.not_after_ms), x->e,
	     CHY_IMPORT_TIME, NULL, "the certificate is not valid now");
	return RC_OK;
}

/* The certificates above in their order, each by the next; the last one, or the external root, is what is trusted. */
static enum rc
read_chain(struct import *x, const struct cert *own, struct bytes *ret, size_t *n)
{
	const struct authority *root = snapshot_authority(x->policy, body_ref(x->body, "issuing_authority"));
	struct cert below = *own, c;

	*n = 0;
	JSON_EACH(item, body_list(x->body, "chain"))
	{
		TRY_AT(read_one(x, item, &c), x->e, "chain[%zu]", *n);
		TRY_AT(ca_check(x, &c), x->e, "chain[%zu]", *n);
		NEED(name_eq(below.issuer, c.subject), x->e, CHY_IMPORT_PATH, NULL,
		     "chain[%zu] is not the certificate of the issuer of the one before it", *n);
		TRY(signed_by(x, &below, c.spki));
		ret[(*n)++] = c.der;
		below = c;
	}
	if (root == NULL || root->certificate.n == 0 || bytes_eq(below.der, root->certificate))
		return RC_OK;
	NEED(name_eq(below.issuer, root->subject_in_force), x->e, CHY_IMPORT_PATH, NULL,
	     "the chain does not lead to \"%.*s\"", BYTES_FMT(root->doc->name));
	TRY(signed_by(x, &below, root->spki));
	ret[(*n)++] = root->certificate;
	return RC_OK;
}

static enum rc
issued_check(struct import *x)
{
	struct bytes chain[CHAIN_MAX];
	struct err why = { 0 };
	struct cert c;
	size_t n;
	enum rc rc;

	TRY(read_one(x, json_get(x->body, "certificate"), &c));
	TRY(ca_check(x, &c));
	TRY(is_ours(x, &c));
	TRY(read_chain(x, &c, chain, &n));
	NEED(n > 0, x->e, CHY_IMPORT_PATH, NULL,
	     "the certificate of who issued it must be in the chain, or be the external root above");
	rc = chain_verify(c.der, chain, n - 1, &chain[n - 1], 1, x->now_ms, &why);
	NEED(rc == RC_OK, x->e, why.code == CHY_CHAIN_TIME ? CHY_IMPORT_TIME : CHY_IMPORT_PATH, why.std, "%s",
	     why.text);
	return RC_OK;
}

/* A cross certificate of ours is by a CA whose root is here: so it can be told whether it is theirs. */
static enum rc
cross_check(struct import *x, const struct json *item)
{
	const struct document *const *all;
	size_t n = snapshot_list(x->policy, KIND_AUTHORITY, &all);
	struct cert c;

	TRY(read_one(x, item, &c));
	TRY(ca_check(x, &c));
	TRY(is_ours(x, &c));
	for (size_t i = 0; i < n; i++) {
		const struct authority *up = snapshot_authority(x->policy, all[i]->id);

		if (up->certificate.n > 0 && all[i]->active && name_eq(up->subject_in_force, c.issuer))
			return signed_by(x, &c, up->spki);
	}
	FAIL(x->e, CHY_IMPORT_PATH, NULL,
	     "no authority here has its issuer's name: import the foreign CA as an external root first");
}

static bool
stands_in(const struct json *list, const struct json *item)
{
	JSON_EACH(y, list)
	if (json_eq(y, item))
		return true;
	return false;
}

static enum rc
crosses_check(struct import *x)
{
	size_t i = 0;

	JSON_EACH(item, body_list(x->body, "cross_certificates"))
	{
		if (!stands_in(body_list(x->before, "cross_certificates"), item))
			TRY_AT(cross_check(x, item), x->e, "cross_certificates[%zu]", i);
		i++;
	}
	return RC_OK;
}

static bool
is_new(const struct import *x, const char *member)
{
	const struct json *now = json_get(x->body, member), *was = json_get(x->before, member);

	return now != NULL && now->type != JSON_NULL && (was == NULL || !json_eq(now, was));
}

static enum rc
own_names(struct import *x)
{
	const struct document *key = snapshot_of_kind(x->policy, KIND_CA_KEY, body_ref(x->body, "ca_key"));
	struct name subject;

	NEED(key != NULL, x->e, CHY_AUTHORITY_NO_KEY, NULL, "the authority's key is not there");
	TRY(key_public(x->f, x->a, key, &x->spki, x->e));
	TRY(name_from_text(x->a, body_text(x->body, "subject"), &subject, x->e));
	x->subject = subject.der;
	return RC_OK;
}

enum rc
import_check(struct factory *f, struct arena *a, const struct snapshot *policy, const struct json *before,
	     const struct json *body, int64_t now_ms, struct err *e)
{
	int type = body_choice(body, "type", authority_choices, AUTHORITY_ROOT);
	struct import x = { f, a, policy, before, body, now_ms, e, BYTES_NONE, BYTES_NONE };
	bool issued = is_new(&x, "certificate") || is_new(&x, "chain");

	if (type == AUTHORITY_EXTERNAL_ROOT && issued)
		TRY_AT(anchor_check(&x), e, "certificate");
	if (type == AUTHORITY_CROSS && is_new(&x, "request"))
		TRY_AT(foreign_check(&x), e, "request");
	if (!authority_has_key((enum authority_type)type) || (!issued && !is_new(&x, "cross_certificates")))
		return RC_OK;
	TRY(own_names(&x));
	if (issued && json_get(body, "certificate") != NULL)
		TRY_AT(issued_check(&x), e, "certificate");
	return crosses_check(&x);
}
