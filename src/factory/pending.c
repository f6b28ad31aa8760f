#include "base/base.h"
#include "factory/pending.h"

#include "crypto/digest.h"
#include "factory/leaf.h"
#include "pki/ac.h"
#include "pki/cert.h"
#include "pki/name.h"

enum {
	PENDING_VERSION = 1,
	PENDING_ATTRIBUTE = 2,
	PENDING_TOKEN = 3,
	PENDING_CHOSEN = 4,
	PENDING_RESPONDER = 5,
	PENDING_NODE = 6,         /* a responder's at a status node */
	PENDING_DELIVERED = 0x80, /* deliveries stand behind */
	PENDING_PARTITION = 0x40, /* behind these, the partition */
	PENDING_FIELDS = 0x20,    /* behind it, the fields that it is searched by, empty ones too */
	PENDING_CARD = 0x10,      /* behind them, the card's serial number */
	SUBJECT_MAX = 8 << 10,
	SAN_MAX = 64 << 10
};

static int
version_of(const struct pending *p)
{
	if (p->base != 0)
		return PENDING_ATTRIBUTE;
	if (p->token != 0)
		return PENDING_TOKEN;
	if (p->responder != 0)
		return p->node.n > 0 ? PENDING_NODE : PENDING_RESPONDER;
	return p->chosen ? PENDING_CHOSEN : PENDING_VERSION;
}

static bool
has_fields(const struct pending *p)
{
	for (int i = 0; i < SEARCH_FIELDS; i++)
		if (p->fields[i].n > 0)
			return true;
	return false;
}

enum rc
pending_put(struct buf *out, const struct pending *p, struct err *e)
{
	buf_u8(out,
	       (uint8_t)(version_of(p) | (p->deliveries.n > 0 ? PENDING_DELIVERED : 0) |
			 (p->partition > 0 ? PENDING_PARTITION : 0) | (has_fields(p) ? PENDING_FIELDS : 0) |
			 (p->card_serial.n > 0 ? PENDING_CARD : 0)));
	buf_u64(out, (uint64_t)p->id);
	buf_u64(out, (uint64_t)p->issuer);
	buf_u64(out, (uint64_t)p->authority);
	buf_u64(out, (uint64_t)p->token_procedure);
	buf_u64(out, (uint64_t)p->certificate_procedure);
	buf_u64(out, (uint64_t)p->request);
	buf_u64(out, (uint64_t)p->session);
	buf_u8(out, (uint8_t)p->sigalg);
	buf_lv(out, p->leaf);
	buf_lv(out, p->idempotency_key);
	buf_lv(out, p->idempotency_request);
	buf_u64(out, (uint64_t)p->caller);
	if (p->base != 0) {
		buf_u64(out, (uint64_t)p->base);
		buf_u8(out, p->with_base);
		buf_lv(out, p->holder);
	}
	if (p->token != 0) {
		buf_u64(out, (uint64_t)p->token);
		buf_u64(out, (uint64_t)p->token_n);
	}
	if (p->base == 0 && p->token == 0 && p->responder != 0) {
		buf_u64(out, (uint64_t)p->responder);
		buf_lv(out, p->responder_key);
		if (p->node.n > 0)
			buf_lv(out, p->node);
	}
	if (version_of(p) == PENDING_CHOSEN) {
		buf_u8(out, p->publication);
		buf_lv(out, p->revocation_password);
	}
	if (p->deliveries.n > 0)
		buf_lv(out, p->deliveries);
	if (p->partition > 0)
		buf_u32(out, p->partition);
	for (int i = 0; i < SEARCH_FIELDS && has_fields(p); i++)
		buf_lv(out, p->fields[i]);
	if (p->card_serial.n > 0)
		buf_lv(out, p->card_serial);
	NEED(buf_ok(out) && out->n <= LIMIT_CONTEXT, e, CHY_LIMIT, NULL,
	     "what is to be recorded exceeds %d octets", LIMIT_CONTEXT);
	return RC_OK;
}

enum rc
pending_get(struct bytes context, struct pending *ret, struct err *e)
{
	struct rd r = rd_of(context);
	uint8_t first = rd_u8(&r),
		version = first & ~(PENDING_DELIVERED | PENDING_PARTITION | PENDING_FIELDS | PENDING_CARD);

	ret->id = (int64_t)rd_u64(&r);
	ret->issuer = (int64_t)rd_u64(&r);
	ret->authority = (int64_t)rd_u64(&r);
	ret->token_procedure = (int64_t)rd_u64(&r);
	ret->certificate_procedure = (int64_t)rd_u64(&r);
	ret->request = (int64_t)rd_u64(&r);
	ret->session = (int64_t)rd_u64(&r);
	ret->sigalg = (enum sigalg)rd_u8(&r);
	ret->leaf = rd_lv(&r);
	ret->idempotency_key = rd_lv(&r);
	ret->idempotency_request = rd_lv(&r);
	ret->caller = (int64_t)rd_u64(&r);
	ret->unclaimed = ret->revoked = ret->with_base = false;
	ret->base = 0;
	ret->holder = BYTES_NONE;
	if (version == PENDING_ATTRIBUTE) {
		ret->base = (int64_t)rd_u64(&r);
		ret->with_base = rd_u8(&r) == 1;
		ret->holder = rd_lv(&r);
	}
	ret->token = ret->token_n = 0;
	if (version == PENDING_TOKEN) {
		ret->token = (int64_t)rd_u64(&r);
		ret->token_n = (int64_t)rd_u64(&r);
	}
	ret->responder = version == PENDING_RESPONDER || version == PENDING_NODE ? (int64_t)rd_u64(&r) : 0;
	ret->responder_key = ret->responder != 0 ? rd_lv(&r) : BYTES_NONE;
	ret->node = ret->responder != 0 && version == PENDING_NODE ? rd_lv(&r) : BYTES_NONE;
	ret->chosen = version == PENDING_CHOSEN;
	ret->publication = ret->chosen && rd_u8(&r) == 1;
	ret->revocation_password = ret->chosen ? rd_lv(&r) : BYTES_NONE;
	ret->deliveries = first & PENDING_DELIVERED ? rd_lv(&r) : BYTES_NONE;
	ret->partition = first & PENDING_PARTITION ? rd_u32(&r) : 0;
	for (int i = 0; i < SEARCH_FIELDS; i++)
		ret->fields[i] = first & PENDING_FIELDS ? rd_lv(&r) : BYTES_NONE;
	ret->card_serial = first & PENDING_CARD ? rd_lv(&r) : BYTES_NONE;
	NEED((version == PENDING_VERSION || ret->base != 0 || ret->token != 0 || ret->responder != 0 ||
	      ret->chosen) &&
		 rd_done(&r) && ret->sigalg < SIGALG_COUNT && ret->deliveries.n % PENDING_DELIVERY == 0,
	     e, CHY_PENDING, NULL, "the context of a signature, %zu octets", context.n);
	return RC_OK;
}

/* The member of the leaf that only the finished certificate can give, in place of its null. */
static enum rc
complete_leaf(struct buf *out, const struct pending *p, struct bytes serial, struct bytes subject,
	      const uint8_t sha[32], struct err *e)
{
	static const char hole[] = "\"certificate\":null";
	const uint8_t *at = memmem(p->leaf.p, p->leaf.n, hole, sizeof(hole) - 1);
	size_t before = at ? (size_t)(at - p->leaf.p) : 0;

	NEED(at != NULL, e, CHY_PENDING, NULL, "the leaf has no place for the certificate");
	buf_put(out, bytes_of(p->leaf.p, before));
	buf_printf(out, "\"certificate\":{\"issuer\":%lld,\"serial\":\"", (long long)p->issuer);
	hex_put(out, serial);
	buf_str(out, "\",\"sha256\":\"");
	hex_put(out, bytes_of(sha, SHA256_LEN));
	buf_str(out, "\",\"subject\":");
	json_put_str(out, subject);
	buf_str(out, p->revoked ? ",\"void\":true}" : "}");
	buf_put(out, bytes_part(p->leaf, before + sizeof(hole) - 1, SIZE_MAX));
	NEED(buf_ok(out), e, CHY_NO_MEMORY, NULL, "a leaf of the journal");
	return RC_OK;
}

static struct bytes
leaf_kind(const struct pending *p)
{
	if (p->base != 0)
		return bytes_str(leaf_kind_name(LEAF_ATTRIBUTE_CERTIFICATE));
	if (p->responder != 0)
		return bytes_str(leaf_kind_name(LEAF_OCSP_CERTIFICATE));
	return bytes_str(leaf_kind_name(p->authority ? LEAF_CA_CERTIFICATE : LEAF_CERTIFICATE));
}

static enum rc
put_leaf(struct change *change, const struct pending *p, struct bytes serial, struct bytes subject,
	 const uint8_t sha[32], struct err *e)
{
	OWN_BUF struct buf body = buf_max(LIMIT_CONTEXT + SUBJECT_MAX * 6 + 1024);
	uint8_t hash[SHA256_LEN];

	buf_reserve(&body, p->leaf.n + 1024);
	TRY(complete_leaf(&body, p, serial, subject, sha, e));
	leaf_hash(buf_bytes(&body), hash);
	change_put_leaf(change,
			&(struct leaf_row){ .id = p->id,
					    .kind = leaf_kind(p),
					    .object = p->id,
					    .body = buf_bytes(&body),
					    .hash = BYTES_OF(hash) });
	return RC_OK;
}

enum rc
pending_deliver(struct factory *f, struct arena *a, const struct doc_id *rules, size_t n, struct pending *p,
		struct err *e)
{
	OWN_BUF struct buf b = buf_max(LIMIT_CONTEXT);

	for (size_t i = 0; i < n; i++) {
		buf_u64(&b, (uint64_t)factory_new_id(f));
		buf_u64(&b, (uint64_t)rules[i].v);
	}
	NEED(buf_ok(&b), e, CHY_LIMIT, NULL, "more distribution rules than can be recorded");
	p->deliveries = arena_dup(a, buf_bytes(&b));
	NEED(p->deliveries.p != NULL, e, CHY_NO_MEMORY, NULL, "deliveries");
	return RC_OK;
}

/* What the procedure's rules deliver goes into the outbox with the certificate itself. */
static void
put_deliveries(struct change *change, const struct pending *p)
{
	struct rd r = rd_of(p->deliveries);
	int64_t now = clock_now_ms();

	while (rd_left(&r) > 0 && !p->revoked) {
		int64_t id = (int64_t)rd_u64(&r), rule = (int64_t)rd_u64(&r);

		change_put_outbox(change,
				  &(struct outbox_row){ .id = id,
							.kind = BYTES("certificate"),
							.object = p->id,
							.destination = rule,
							.by_procedure = p->certificate_procedure,
							.form = BYTES("der"),
							.at = now,
							.since = now,
							.next_at = now,
							.state = BYTES("waiting"),
							.changed_at = now });
	}
}

static enum rc
put_row(struct arena *a, struct change *change, const struct pending *p, const struct cert *c,
	const struct finished *done, struct bytes subject, struct err *e)
{
	OWN_BUF struct buf san = buf_max(SAN_MAX);
	uint8_t key_hash[SHA256_LEN];

	sha256(c->spki, key_hash);
	cert_put_san_lines(&san, a, c);
	change_put_certificate(change,
			       &(struct certificate_row){ .id = p->id,
							  .serial = c->serial,
							  .issuer = p->issuer,
							  .status = CERTIFICATE_VALID,
							  .subject = subject,
							  .not_before = c->not_before_at,
							  .not_after = c->not_after_at,
							  .token_procedure = p->token_procedure,
							  .certificate_procedure = p->certificate_procedure,
							  .authority = p->authority,
							  .request_id = p->request,
							  .session_id = p->session,
							  .san = buf_bytes(&san),
							  .key_hash = BYTES_OF(key_hash),
							  .fingerprint = BYTES_OF(done->sha256) },
			       done->der);
	if (p->idempotency_key.n > 0 && !p->unclaimed)
		change_put_idempotency(change,
				       &(struct idempotency_row){ .key = p->idempotency_key,
								  .caller = p->caller,
								  .request_hash = p->idempotency_request,
								  .result = p->id,
								  .at = clock_now_ms() });
	if (p->session != 0 && !p->unclaimed)
		change_session_use(change, p->session, 1);
	if (p->chosen)
		change_put_choice(change,
				  &(struct choice_row){ .certificate = p->id,
							.publication = p->publication,
							.revocation_password = p->revocation_password });
	if (p->responder != 0)
		change_put_responder(change,
				     &(struct responder_row){ .certificate = p->id,
							      .authority = p->responder,
							      .key = p->responder_key,
							      .node = p->node,
							      .not_before = c->not_before_at,
							      .not_after = c->not_after_at });
	if (p->partition > 0)
		change_put_partition(change, &(struct partition_row){ p->id, p->partition });
	for (int i = 0; i < SEARCH_FIELDS; i++)
		if (p->fields[i].n > 0)
			change_put_field(change, &(struct field_row){ p->id, i + 1, p->fields[i] });
	if (p->card_serial.n > 0)
		change_put_field(change, &(struct field_row){ p->id, SEARCH_CARD, p->card_serial });
	if (p->token != 0)
		change_archive_key(change, p->token, p->token_n, p->id);
	put_deliveries(change, p);
	change_add_counter(change, "certificates.issued", 1);
	return RC_OK;
}

static void
put_ac_row(struct change *change, const struct pending *p, const struct ac *c, const struct finished *done)
{
	change_put_certificate(
	    change,
	    &(struct certificate_row){ .id = p->id,
				       .serial = c->serial,
				       .issuer = p->issuer,
				       .status = p->revoked ? CERTIFICATE_REVOKED : CERTIFICATE_VALID,
				       .subject = p->holder,
				       .not_before = c->not_before_at,
				       .not_after = c->not_after_at,
				       .token_procedure = p->token_procedure,
				       .certificate_procedure = p->certificate_procedure,
				       .request_id = p->request,
				       .session_id = p->session,
				       .fingerprint = BYTES_OF(done->sha256),
				       .base = p->base },
	    done->der);
	put_deliveries(change, p);
	change_add_counter(change, "attribute-certificates.issued", 1);
	if (p->revoked)
		change_add_counter(change, "attribute-certificates.revoked", 1);
	if (p->revoked)
		change_put_new_status(change,
				      &(struct status_row){ .id = p->id,
							    .issuer = p->issuer,
							    .serial = c->serial,
							    .state = CERTIFICATE_REVOKED,
							    .at = clock_now_ms(),
							    .not_after = c->not_after_at,
							    .leaf = p->id });
}

static enum rc
add_ac(struct arena *a, const struct pending *p, struct change *change, const struct finished *done,
       struct err *e)
{
	struct ac ac;

	TRY(ac_parse(a, done->der, &ac, e));
	put_ac_row(change, p, &ac, done);
	return put_leaf(change, p, ac.serial, p->holder, done->sha256, e);
}

static enum rc
add_cert(struct arena *a, const struct pending *p, struct change *change, const struct finished *done,
	 struct err *e)
{
	OWN_BUF struct buf subject = buf_max(SUBJECT_MAX);
	struct cert cert;

	TRY(cert_parse(a, done->der, &cert, e));
	name_put_der_text(&subject, cert.subject);
	TRY(put_row(a, change, p, &cert, done, buf_bytes(&subject), e));
	return put_leaf(change, p, cert.serial, buf_bytes(&subject), done->sha256, e);
}

enum rc
pending_add(struct arena *a, const struct pending *p, struct bytes tbs, struct bytes signature,
	    struct change *change, struct finished *ret, struct err *e)
{
	size_t room = tbs.n + signature.n + 256;
	uint8_t *der = arena_alloc(a, room);
	struct dw w;

	NEED(der != NULL && change != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
	w = dw_fixed(der, room);
	TRY(cert_assemble(tbs, p->sigalg, signature, &w, e));
	ret->der = dw_bytes(&w);
	sha256(ret->der, ret->sha256);
	return p->base ? add_ac(a, p, change, ret, e) : add_cert(a, p, change, ret, e);
}

enum rc
pending_finish(struct arena *a, const struct pending *p, struct bytes tbs, struct bytes signature,
	       struct finished *ret, struct err *e)
{
	OWN(change_free)
	struct change *change = change_new();

	TRY(pending_add(a, p, tbs, signature, change, ret, e));
	ret->change = change;
	change = NULL;
	return RC_OK;
}
