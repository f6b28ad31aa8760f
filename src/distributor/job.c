/* One delivery: what the rule says and what the certificate gives. */
#include "base/base.h"
#include "distributor/lane.h"

#include "crypto/digest.h"
#include "pki/ac.h"
#include "pki/cert.h"
#include "pki/pem.h"

/* ---- members of the rule ---- */

struct bytes
rule_text(const struct job *j, const char *name)
{
	const struct json *v = json_get(j->rule, name);

	return v != NULL && v->type == JSON_STR ? v->str : BYTES_NONE;
}

bool
rule_true(const struct job *j, const char *name)
{
	const struct json *v = json_get(j->rule, name);

	return v != NULL && v->type == JSON_BOOL && v->boolean;
}

int64_t
rule_int(const struct job *j, const char *name, int64_t otherwise)
{
	const struct json *v = json_get(j->rule, name);

	return v != NULL && v->type == JSON_INT ? v->integer : otherwise;
}

const struct json *
rule_list(const struct job *j, const char *name)
{
	const struct json *v = json_get(j->rule, name);

	return v != NULL && v->type == JSON_ARRAY ? v : NULL;
}

enum rc
job_fill(const struct job *j, struct bytes text, enum pattern_place place, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(2 * PATTERN_OUT_MAX);
	struct err why = { 0 };
	struct pattern p;

	NEED(pattern_parse(text, place, &p, &why) == RC_OK, e, CHY_DELIVERY_RULE, NULL, "%s", why.text);
	TRY(pattern_fill(j->a, &p, &j->facts, &b, e));
	*ret = arena_dup(j->a, buf_bytes(&b));
	NEED(ret->p != NULL && memchr(ret->p, 0, ret->n) == NULL, e, CHY_PATTERN_RESULT, NULL, "a NUL");
	return RC_OK;
}

enum rc
job_secret(const struct job *j, const char *member, struct secret **ret, struct err *e)
{
	struct bytes name = rule_text(j, member);

	*ret = NULL;
	return name.n ? secrets_get(j->outside->secrets, name, rule_text(j, "address"), ret, e) : RC_OK;
}

enum rc
job_roots(const struct job *j, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(1 << 20);
	const struct json *list = rule_list(j, "trust");
	struct bytes der;

	*ret = j->outside->roots;
	if (list == NULL || list->count == 0)
		return RC_OK;
	JSON_EACH(x, list)
	{
		TRY(base64_parse(j->a, x->str, &der, e));
		pem_put(&b, "CERTIFICATE", der);
	}
	*ret = arena_dup(j->a, buf_bytes(&b));
	NEED(ret->p != NULL, e, CHY_NO_MEMORY, NULL, "trusted authorities");
	return RC_OK;
}

/* ---- what is delivered ---- */

static const struct {
	const char *media_type, *label;
} kinds[DELIVERY_WHATS] = {
	[DELIVER_CERTIFICATE] = { "application/pkix-cert", "CERTIFICATE" }, /* RFC 2585 4 */
	[DELIVER_CA_CERTIFICATE] = { "application/pkix-cert", "CERTIFICATE" },
	[DELIVER_ATTRIBUTE] = { "application/pkix-attr-cert", "ATTRIBUTE CERTIFICATE" }, /* RFC 5877 */
	[DELIVER_CRL] = { "application/pkix-crl", "X509 CRL" },
	[DELIVER_DELTA_CRL] = { "application/pkix-crl", "X509 CRL" },
	[DELIVER_AUTHORITY_CRL] = { "application/pkix-crl", "X509 CRL" },
	[DELIVER_CIL] = { "application/octet-stream", "CIL" }, /* no type is registered for it */
};

static enum rc
make_body(struct job *j, struct err *e)
{
	OWN_BUF struct buf b = buf_max((size_t)2 * LIMIT_DELIVERY);

	j->body = j->d.content;
	j->media_type = kinds[j->d.what].media_type;
	if (j->d.form == DELIVER_DER)
		return RC_OK;
	j->media_type = "application/x-pem-file";
	pem_put(&b, kinds[j->d.what].label, j->d.content);
	for (size_t i = 0; j->d.form == DELIVER_PEM_CHAIN && i < j->d.chain_n; i++)
		pem_put(&b, "CERTIFICATE", j->d.chain[i]);
	j->body = arena_dup(j->a, buf_bytes(&b));
	NEED(j->body.p != NULL, e, CHY_NO_MEMORY, NULL, "PEM");
	return RC_OK;
}

static enum rc
read_names(struct job *j, const struct cert *c, struct err *e)
{
	OWN_BUF struct buf san = buf_max(64 << 10);

	TRY(name_parse(j->a, c->subject, &j->facts.subject, e));
	TRY(name_parse(j->a, c->issuer, &j->facts.issuer, e));
	cert_put_san_lines(&san, j->a, c);
	j->facts.san = arena_dup(j->a, buf_bytes(&san));
	j->facts.serial = c->serial;
	return RC_OK;
}

/* Names are those of the certificate that it is about; serial number and digest are its own. */
static enum rc
read_facts(struct job *j, struct err *e)
{
	uint8_t *digest = arena_alloc(j->a, SHA256_LEN);
	struct cert c;
	struct ac ac;

	NEED(digest != NULL, e, CHY_NO_MEMORY, NULL, "a delivery");
	TRY(cert_parse(j->a, j->d.about, &c, e));
	TRY(read_names(j, &c, e));
	sha256(j->d.content, digest);
	j->facts.sha256 = bytes_of(digest, SHA256_LEN);
	j->facts.crl = j->d.name;
	if (j->d.what == DELIVER_ATTRIBUTE) {
		TRY(ac_parse(j->a, j->d.content, &ac, e));
		j->facts.serial = ac.serial;
		TRY(name_parse(j->a, ac.issuer, &j->facts.issuer, e));
	}
	return RC_OK;
}

enum rc
job_read(struct job *j, struct err *e)
{
	struct err why = { 0 };
	struct json *rule = NULL;

	NEED(json_parse(j->a, j->d.rule, &rule, &why) == RC_OK && read_facts(j, &why) == RC_OK, e,
	     CHY_DELIVERY_RULE, NULL, "%s", why.text);
	j->rule = rule;
	return push_is(j) ? push_make(j, e) : make_body(j, e);
}
