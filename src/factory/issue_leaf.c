#include "base/base.h"
#include "factory/issue_leaf.h"

#include "base/json.h"
#include "crypto/digest.h"
#include "factory/leaf.h"

enum { LEAF_MAX = 12 << 10 };

static void
put_version(struct buf *b, const char *name, struct doc_version v)
{
	buf_printf(b, "\"%s\":[%lld,%lld]", name, (long long)v.id.v, (long long)v.version);
}

static void
put_considered(struct buf *b, const struct issue_decision *d)
{
	buf_str(b, "\"considered\":[");
	for (size_t i = 0; i < d->considered_n; i++)
		buf_printf(b, "%s{\"id\":%lld,\"reason\":\"%s\",\"version\":%lld}", i ? "," : "",
			   (long long)d->considered[i].procedure.id.v, d->considered[i].reason,
			   (long long)d->considered[i].procedure.version);
	buf_str(b, "]");
}

static void
put_notes(struct buf *b, const struct rule_trace *t)
{
	bool any = false;

	buf_str(b, "\"notes\":[");
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].note == NULL)
			continue;
		buf_printf(b, "%s[\"%s\",", any ? "," : "", t->v[i].rule);
		json_put_str(b, bytes_str(t->v[i].note));
		buf_u8(b, ']');
		any = true;
	}
	buf_str(b, "]");
}

static void
put_rule_names(struct buf *b, const struct rule_trace *t)
{
	buf_str(b, "\"rules\":[");
	for (size_t i = 0; i < t->n; i++)
		buf_printf(b, "%s\"%s\"", i ? "," : "", t->v[i].rule);
	buf_str(b, "]");
}

/* The password's form stays out of the journal, which others may read: its digest, over a salt that is not there, binds it. */
static void
put_choice(struct buf *b, const struct issue_request *r)
{
	uint8_t sha[SHA256_LEN];

	if (r->publication_said)
		buf_printf(b, "\"publication_allowed\":%s,", r->publication ? "true" : "false");
	if (r->revocation_password.n == 0 && r->revocation_sha256.n == 0)
		return;
	buf_str(b, "\"revocation_password_sha256\":\"");
	if (r->revocation_password.n > 0) {
		sha256(r->revocation_password, sha);
		hex_put(b, BYTES_OF(sha));
	} else {
		buf_put(b, r->revocation_sha256);
	}
	buf_str(b, "\",");
}

/* Members in the order of RFC 8785, written without a tree: this is the hot path. */
static void
put_fields(struct buf *b, const struct issue_decision *d, struct bytes card_serial)
{
	bool any = card_serial.n > 0;

	if (any) {
		buf_str(b, ",\"fields\":{\"card_serial\":");
		json_put_str(b, card_serial);
	}

	for (int i = 0; i < SEARCH_FIELDS; i++) {
		if (d->fields[i].n == 0)
			continue;
		buf_printf(b, "%s\"field%d\":", any ? "," : ",\"fields\":{", i + 1);
		json_put_str(b, d->fields[i]);
		any = true;
	}
	buf_str(b, any ? "}" : "");
}

static void
put_leaf(struct buf *b, const struct issue_call *c)
{
	const struct issue_decision *d = &c->decision;
	uint8_t csr_hash[SHA256_LEN];
	char at[32];

	sha256(c->csr.der, csr_hash);
	buf_printf(b, "{\"at\":\"%s\",\"by\":{\"%s\":%lld},\"certificate\":null,",
		   time_text(at, c->facts.now_ms),
		   c->session              ? "session"
		       : c->request.rescue ? "rescue"
					   : "request",
		   (long long)(c->session              ? c->session->facts.id.v
				   : c->request.rescue ? c->request.rescue
						       : c->request.request.v));
	put_considered(b, d);
	if (c->csr.der.n > 0) {
		buf_str(b, ",\"csr_sha256\":\"");
		hex_put(b, BYTES_OF(csr_hash));
		buf_str(b, "\"");
	}
	put_fields(b, d, c->request.card_serial);
	buf_printf(b, ",\"id\":%lld,\"kind\":\"certificate\",", (long long)c->id);
	put_notes(b, &d->trace);
	buf_str(b, ",\"procedures\":{");
	put_version(b, "authority", d->authority_version);
	buf_u8(b, ',');
	put_version(b, "certificate", d->certificate_version);
	buf_u8(b, ',');
	put_version(b, "format", d->format_version);
	buf_u8(b, ',');
	put_version(b, "token", d->token_version);
	buf_str(b, "},");
	put_choice(b, &c->request);
	put_rule_names(b, &d->trace);
	if (d->stands_for.v != 0)
		buf_printf(b, ",\"stands_for\":%lld", (long long)d->stands_for.v);
	if (c->request.token != 0)
		buf_printf(b, ",\"token\":%lld", (long long)c->request.token);
	buf_str(b, "}");
}

enum rc
issue_pending(struct issue_call *c, struct pending *ret)
{
	OWN_BUF struct buf leaf = buf_max(LEAF_MAX);
	bool keyed = c->request.idempotency_key.n > 0;

	put_leaf(&leaf, c);
	NEED(buf_ok(&leaf), &c->err, CHY_LIMIT, NULL, "what is to be recorded exceeds %d octets", LEAF_MAX);
	*ret = (struct pending){
		.id = c->id,
		.issuer = c->decision.authority_version.id.v,
		.token_procedure = c->decision.token_version.id.v,
		.certificate_procedure = c->decision.certificate_version.id.v,
		.request = c->session ? 0 : c->request.request.v,
		.session = c->session ? c->session->facts.id.v : 0,
		.sigalg = c->decision.sigalg,
		.partition = c->decision.crl_partition,
		.chosen = c->request.token == 0 &&
		    (c->request.publication_said || c->request.revocation_password.n > 0),
		.publication = issue_is_public(&c->request),
		.revocation_password = c->request.revocation_password,
		.token = c->request.token,
		.token_n = c->request.token_n,
		.leaf = arena_dup(c->arena, buf_bytes(&leaf)),
		.idempotency_key = keyed ? BYTES_OF(c->idempotency.key) : BYTES_NONE,
		.idempotency_request = keyed ? BYTES_OF(c->idempotency_request) : BYTES_NONE,
		.caller = c->session ? c->session->facts.id.v : c->request.officer.v,
	};
	memcpy(ret->fields, c->decision.fields, sizeof(ret->fields));
	ret->card_serial = c->request.card_serial;
	NEED(ret->leaf.p != NULL, &c->err, CHY_NO_MEMORY, NULL, "a leaf of the journal");
	if (c->decision.procedure->rules_n > 0 && issue_is_public(&c->request))
		return pending_deliver(c->f, c->arena, c->decision.procedure->rules,
				       c->decision.procedure->rules_n, ret, &c->err);
	return RC_OK;
}
