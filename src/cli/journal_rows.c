/* Part 3 of the export: the store's rows against the leaves, certificates against their issuers. */
#include "base/base.h"
#include "base/idgen.h"
#include "cli/journal_state.h"
#include "pki/ac.h"
#include "pki/cert.h"
#include "pki/name.h"

enum { SUBJECT_MAX = 8 << 10, SAN_MAX = 64 << 10 };

enum rc
journal_document_hash(const char *kind, const struct json *body, uint8_t ret[SHA256_LEN], struct err *e)
{
	OWN_BUF struct buf text = buf_max(JOURNAL_LINE_MAX);
	struct bytes parts[] = { bytes_str(kind), BYTES("\n"), BYTES_NONE };

	json_put_canonical(&text, body);
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "document");
	parts[2] = buf_bytes(&text);
	sha256_parts(parts, ARRAY_LEN(parts), ret);
	return RC_OK;
}

static enum rc
match_row(struct journal_verifier *v, struct row_state *row, const uint8_t hash[SHA256_LEN], struct err *e)
{
	NEED(row != NULL, e, CHY_JOURNAL_ACCOUNT, NULL,
	     "it is in the store, but the journal does not know it");
	NEED(!row->found, e, CHY_JOURNAL_ACCOUNT, NULL, "it stands there twice");
	row->found = true;
	NEED(memcmp(row->sha256, hash, SHA256_LEN) == 0, e, CHY_JOURNAL_ACCOUNT, NULL,
	     "what the store has is not what the journal says");
	return RC_OK;
}

static enum rc
document_row(struct journal_verifier *v, const struct json *line, struct err *e)
{
	int64_t id, version;
	struct bytes kind;
	struct json *body;
	uint8_t hash[SHA256_LEN];
	char name[64];

	TRY(json_need_int(line, "id", 1, JSON_INT_MAX, &id, e));
	TRY(json_need_int(line, "version", 1, JSON_INT_MAX, &version, e));
	snprintf(v->where, sizeof(v->where), "document %lld version %lld", (long long)id, (long long)version);
	TRY(json_need_str(line, "kind", &kind, e));
	TRY(json_need_object(line, "body", &body, e));
	snprintf(name, sizeof(name), "%.*s", BYTES_FMT(kind));
	TRY(journal_document_hash(name, body, hash, e));
	return match_row(v, pairmap_get(&v->documents, id, version), hash, e);
}

static enum rc
signature_row(struct journal_verifier *v, struct arena *a, const struct json *line, struct err *e)
{
	int64_t request, officer;
	struct bytes text, cms;
	uint8_t hash[SHA256_LEN];

	TRY(json_need_int(line, "request", 1, JSON_INT_MAX, &request, e));
	TRY(json_need_int(line, "officer", 1, JSON_INT_MAX, &officer, e));
	snprintf(v->where, sizeof(v->where), "signature of officer %lld under request %lld",
		 (long long)officer, (long long)request);
	TRY(json_need_str(line, "cms", &text, e));
	TRY(base64_parse(a, text, &cms, e));
	sha256(cms, hash);
	return match_row(v, pairmap_get(&v->signatures, request, officer), hash, e);
}

/* ---- certificates ---- */

enum rc
journal_number_is(const struct json *row, const char *name, int64_t want, struct err *e)
{
	int64_t n;

	TRY(json_need_int(row, name, INT64_MIN, INT64_MAX, &n, e));
	NEED(n == want, e, CHY_JOURNAL_ACCOUNT, NULL, "the store's column %s says %lld, it should be %lld",
	     name, (long long)n, (long long)want);
	return RC_OK;
}

static enum rc
text_is(const struct json *row, const char *name, struct bytes want, struct err *e)
{
	struct bytes text;

	TRY(json_need_str(row, name, &text, e));
	NEED(bytes_eq(text, want), e, CHY_JOURNAL_ACCOUNT, NULL,
	     "the store's column %s is not what the certificate says", name);
	return RC_OK;
}

static enum rc
hash_is(const struct json *row, const char *name, const uint8_t hash[SHA256_LEN], struct err *e)
{
	char hex[2 * SHA256_LEN + 1];

	return text_is(row, name, bytes_str(hex_text(hex, bytes_of(hash, SHA256_LEN))), e);
}

/* What the certificate itself says. */
static enum rc
columns_of_der(struct arena *a, const struct json *row, const struct cert *c, const uint8_t sha[SHA256_LEN],
	       struct bytes subject, struct err *e)
{
	OWN_BUF struct buf san = buf_max(SAN_MAX);
	uint8_t key_hash[SHA256_LEN];

	sha256(c->spki, key_hash);
	cert_put_san_lines(&san, a, c);
	TRY(hash_is(row, "fingerprint", sha, e));
	TRY(hash_is(row, "key_hash", key_hash, e));
	TRY(text_is(row, "subject", subject, e));
	TRY(text_is(row, "san", buf_bytes(&san), e));
	TRY(journal_number_is(row, "not_before", c->not_before_at, e));
	return journal_number_is(row, "not_after", c->not_after_at, e);
}

/* What the leaves say. */
static enum rc
columns_of_leaf(const struct journal_verifier *v, const struct json *row, const struct certificate_state *s,
		struct err *e)
{
	TRY(journal_number_is(row, "issuer", s->issuer, e));
	TRY(journal_number_is(row, "authority", s->authority, e));
	TRY(journal_number_is(row, "request", s->request, e));
	TRY(journal_number_is(row, "session", s->session, e));
	TRY(journal_number_is(row, "token_procedure", s->token_procedure, e));
	TRY(journal_number_is(row, "certificate_procedure", s->certificate_procedure, e));
	TRY(journal_number_is(row, "base", s->base, e));
	TRY(journal_choice_row(v, row, s, e));
	TRY(journal_fields_row(row, s, e));
	return journal_status_row(v, row, s, e);
}

/* The holder's name stands in the row and in the leaf, not in the attribute certificate itself. */
static enum rc
columns_of_ac(const struct json *row, const struct ac *c, const struct certificate_state *s,
	      const uint8_t sha[SHA256_LEN], struct err *e)
{
	struct bytes subject;
	uint8_t names[SHA256_LEN];

	TRY(json_need_str(row, "subject", &subject, e));
	sha256_parts((const struct bytes[]){ c->serial, subject }, 2, names);
	NEED(memcmp(names, s->names, SHA256_LEN) == 0, e, CHY_JOURNAL_ACCOUNT, NULL,
	     "the leaf names another holder or serial number than the row");
	TRY(hash_is(row, "fingerprint", sha, e));
	TRY(text_is(row, "key_hash", BYTES_NONE, e));
	TRY(text_is(row, "san", BYTES_NONE, e));
	TRY(journal_number_is(row, "not_before", c->not_before_at, e));
	return journal_number_is(row, "not_after", c->not_after_at, e);
}

static enum rc
attribute_row(struct journal_verifier *v, struct arena *a, const struct json *line,
	      const struct certificate_state *s, struct bytes der, struct bytes serial, struct err *e)
{
	uint8_t sha[SHA256_LEN];
	struct json *row;
	struct cert as;
	struct ac ac;

	TRY(ac_parse(a, der, &ac, e));
	NEED(bytes_eq(ac.serial, serial), e, CHY_JOURNAL_ACCOUNT, NULL,
	     "the store's serial number is not the certificate's");
	/* what an issuer's signature is checked by is the same in both kinds */
	as = journal_as_cert(&ac);
	TRY(journal_issuer_check(v, json_get(line, "id")->integer, s->issuer, &as, e));
	TRY(json_need_object(line, "row", &row, e));
	sha256(der, sha);
	TRY(columns_of_ac(row, &ac, s, sha, e));
	return columns_of_leaf(v, row, s, e);
}

static enum rc
certificate_row(struct journal_verifier *v, struct arena *a, const struct json *line, struct err *e)
{
	OWN_BUF struct buf subject = buf_max(SUBJECT_MAX);
	struct certificate_state *s;
	struct bytes text, der, serial;
	uint8_t hash[SHA256_LEN];
	struct cert cert;
	struct json *row;
	int64_t id;

	TRY(json_need_int(line, "id", 1, JSON_INT_MAX, &id, e));
	snprintf(v->where, sizeof(v->where), "certificate %lld", (long long)id);
	TRY(json_need_str(line, "der", &text, e));
	TRY(base64_parse(a, text, &der, e));
	TRY(json_need_str(line, "serial", &text, e));
	TRY(hex_parse(a, text, &serial, e));
	sha256(der, hash);
	s = pairmap_get(&v->certificates, id, 0);
	TRY(match_row(v, s ? &s->row : NULL, hash, e));
	if (s->base != 0)
		return attribute_row(v, a, line, s, der, serial, e);
	TRY(cert_parse(a, der, &cert, e));
	NEED(bytes_eq(cert.serial, serial), e, CHY_JOURNAL_ACCOUNT, NULL,
	     "the store's serial number is not the certificate's");
	if (s->authority != 0)
		TRY(journal_issuer_add(v, s->authority, &cert, e));
	if (s->responder)
		TRY(journal_responder_row(v, a, s, &cert, e));
	TRY(journal_issuer_check(v, id, s->issuer, &cert, e));
	name_put_der_text(&subject, cert.subject);
	sha256_parts((const struct bytes[]){ cert.serial, buf_bytes(&subject) }, 2, hash);
	NEED(memcmp(hash, s->names, SHA256_LEN) == 0, e, CHY_JOURNAL_ACCOUNT, NULL,
	     "the leaf names another subject or serial number than the certificate");
	sha256(der, hash);
	TRY(json_need_object(line, "row", &row, e));
	TRY(columns_of_der(a, row, &cert, hash, buf_bytes(&subject), e));
	return columns_of_leaf(v, row, s, e);
}

/* Removed by a leaf that has no place yet: as young as such are. It stands among the rows only where it went after they were written, and
   so after the head. */
static enum rc
removed_row(struct journal_verifier *v, const struct json *line, struct err *e)
{
	struct certificate_state *s;
	int64_t id, leaf;

	TRY(json_need_int(line, "certificate", 1, JSON_INT_MAX, &id, e));
	snprintf(v->where, sizeof(v->where), "certificate %lld", (long long)id);
	TRY(journal_is_unplaced(v, line, e));
	TRY(json_need_int(line, "unplaced", 1, JSON_INT_MAX, &leaf, e));
	s = pairmap_get(&v->certificates, id, 0);
	NEED(s == NULL || !s->row.found || id_at_ms(leaf) + LEAF_EARLY_MS >= v->sum.head_at_ms, e,
	     CHY_JOURNAL_ACCOUNT, NULL, "it is in the store, and removed");
	if (s != NULL)
		s->row.found = true;
	return RC_OK;
}

enum rc
journal_row(struct journal_verifier *v, struct arena *a, const struct json *line, enum journal_row_kind kind,
	    struct err *e)
{
	struct err why = { 0 };
	enum rc rc;

	snprintf(v->where, sizeof(v->where), "line %llu", (unsigned long long)v->lines);
	switch (kind) {
	case ROW_DOCUMENT:
		v->sum.documents++;
		rc = document_row(v, line, &why);
		break;
	case ROW_SIGNATURE:
		v->signature_rows++;
		rc = signature_row(v, a, line, &why);
		break;
	case ROW_REMOVED:
		rc = removed_row(v, line, &why);
		break;
	default:
		v->sum.certificates++;
		rc = certificate_row(v, a, line, &why);
	}
	return journal_found(v, rc, &why, e);
}
