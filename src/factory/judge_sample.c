#include "base/base.h"
#include "factory/judge_sample.h"

#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/judge.h"
#include "crypto/softkey.h"
#include "crypto/verify.h"
#include "factory/sample_parts.h"
#include "pki/ac.h"
#include "pki/cert.h"
#include "pki/lint.h"
#include "pki/walker.h"

enum { SAMPLE_ARENA = 4 << 20 };

/* The lints that count, as one line: errors stop, warnings are shown with the certificate. */
static const char *
first_lint_error(struct arena *a, const struct lint_verdicts *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].outcome == LINT_FAIL && v->v[i].lint->severity == LINT_ERROR)
			return arena_printf(a, "lint %s: %s", v->v[i].lint->id, v->v[i].lint->text);
	return NULL;
}

/* key: as for judge_cert_of_key; NULL: as for judge_cert, with issuer. */
static enum rc
judge_by(struct arena *a, struct bytes der, struct bytes issuer, const struct judge_key *key,
	 const char **ret_why, struct json **lints, struct err *e)
{
	struct lint_verdicts verdicts;
	struct judgement judgement;
	struct cert cert;
	struct err parse = { 0 };

	*ret_why = NULL;
	if (cert_parse(a, der, &cert, &parse) != RC_OK) {
		*ret_why = arena_printf(a, "it cannot be read: CHY-%d %s", (int)parse.code, parse.text);
		return RC_OK;
	}
	TRY(key ? judge_cert_of_key(a, der, key, &cert, &judgement, e)
		: judge_cert(a, der, issuer, &cert, &judgement, e));
	TRY(lint_cert(a, &cert, &verdicts, e));
	if (lints != NULL)
		*lints = lint_json(a, &verdicts, false);
	if (judgement.count > 0)
		*ret_why = arena_printf(a, "%s: %s", judgement.first->field, judgement.first->text);
	else
		*ret_why = first_lint_error(a, &verdicts);
	return RC_OK;
}

enum rc
judge_certificate(struct arena *a, struct bytes der, struct bytes issuer, const char **ret_why,
		  struct json **lints, struct err *e)
{
	return judge_by(a, der, issuer, NULL, ret_why, lints, e);
}

/* No library that we have reads attribute certificates: the other reader is the signer's walker, the signature is judged by
   the library. */
enum rc
judge_attribute_certificate(struct arena *a, struct bytes der, struct bytes issuer, const char **ret_why,
			    struct err *e)
{
	struct err why = { 0 };
	struct ac_view v;
	struct cert ca;
	struct ac ac;

	*ret_why = NULL;
	TRY(cert_parse(a, issuer, &ca, e));
	if (ac_parse(a, der, &ac, &why) != RC_OK || ac_tbs_walk(ac.tbs, &v, &why) != RC_OK ||
	    verify_signature(ca.spki, ac.sigalg, ac.tbs, ac.signature, &why) != RC_OK)
		*ret_why = arena_printf(a, "CHY-%d %s", (int)why.code, why.text);
	else if (!bytes_eq(ac.issuer, ca.subject) || !bytes_eq(v.serial, ac.serial) ||
		 !bytes_eq(v.base_issuer, ac.base_issuer) || !bytes_eq(v.base_serial, ac.base_serial) ||
		 v.not_before_at != ac.not_before_at || v.not_after_at != ac.not_after_at)
		*ret_why = "the two readers do not agree";
	return RC_OK;
}

/* ---- samples ---- */

/* What all samples have in common: a P-256 key made for them, and a signature. That is not over them: the library is asked
   to read it, not to believe it. */
struct sampler {
	struct softkey *key;
	struct judge_key *read; /* the same key, as the library reads it */
	struct buf signature;
	uint8_t key_id[SHA1_LEN];
};

static void
sampler_fini(struct sampler *s)
{
	judge_key_free(s->read);
	softkey_free(s->key);
	buf_fini(&s->signature);
}

static enum rc
sampler_init(struct sampler *s, struct err *e)
{
	struct pubkey pub;

	*s = (struct sampler){ .signature = buf_max(SOFTKEY_SIGNATURE_MAX) };
	TRY(softkey_generate("p-256", &s->key, e));
	TRY(judge_key_new(softkey_spki(s->key), &s->read, e));
	TRY(softkey_sign(s->key, SIGALG_ECDSA_SHA256, BYTES("sample"), &s->signature, e));
	TRY(pubkey_parse(softkey_spki(s->key), &pub, e));
	sha1(pub.bits_der, s->key_id);
	return RC_OK;
}

/* A certificate as the procedure makes it, for a subject that says that it is a sample. */
static enum rc
sample(struct arena *a, const struct sampler *s, const struct procedure *p, struct bytes *ret, struct err *e)
{
	static const uint8_t serial[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct sample_parts parts;
	uint8_t *room = arena_alloc(a, LIMIT_TBS), *whole = arena_alloc(a, LIMIT_CERT);
	struct cert_inputs in = { .serial = BYTES_OF(serial),
				  .not_before_at = p->authority->not_before_ms,
				  .not_after_at = p->authority->not_before_ms + 3600000,
				  .spki = softkey_spki(s->key),
				  .exts = &parts.exts };
	struct dw w, out;

	NEED(room != NULL && whole != NULL, e, CHY_NO_MEMORY, NULL, "a sample certificate");
	TRY(sample_parts_of(a, p, &parts, e));
	in.subject = parts.subject;
	in.san = parts.san;
	if (p->template_.has_ski)
		in.key_id = BYTES_OF(s->key_id);
	w = dw_fixed(room, LIMIT_TBS);
	out = dw_fixed(whole, LIMIT_CERT);
	TRY(cert_tbs_build(&p->template_, &in, &w, e));
	TRY(cert_assemble(dw_bytes(&w), p->sigalg, buf_bytes(&s->signature), &out, e));
	*ret = dw_bytes(&out);
	return RC_OK;
}

/* *ret: why it does not hold, NULL where it does; the arena's. */
static enum rc
verdict_of(struct arena *a, const struct sampler *s, const struct procedure *p, const char **ret,
	   struct err *e)
{
	struct err why = { 0 };
	struct bytes der;
	enum rc rc = sample(a, s, p, &der, &why);

	*ret = NULL;
	if (rc == RC_NOMEM)
		FAIL(e, CHY_NO_MEMORY, NULL, "a sample certificate");
	if (rc == RC_OK)
		return judge_by(a, der, BYTES_NONE, s->read, ret, NULL, e);
	*ret = arena_printf(a, "no sample can be built: %s", why.text);
	return RC_OK;
}

/* ---- verdicts that are known ---- */

enum { JUDGED_HEADS = 1 << 12, JUDGED_MAX = 1 << 16, JUDGED_ARENA = 64 << 20 };

struct known {
	struct known *next;
	uint8_t hash[SHA256_LEN];
	const char *text; /* NULL: it holds */
};

struct judged {
	struct arena *a;
	struct sampler sampler;
	struct known *heads[JUDGED_HEADS];
	size_t n, made;
};

enum rc
judged_new(struct judged **ret, struct err *e)
{
	OWN(judged_free)
	struct judged *j = calloc(1, sizeof(*j));

	NEED(j != NULL && (j->a = arena_new(JUDGED_ARENA)) != NULL, e, CHY_NO_MEMORY, NULL, "verdicts");
	TRY(sampler_init(&j->sampler, e));
	*ret = j;
	j = NULL;
	return RC_OK;
}

void
judged_free(struct judged *j)
{
	if (j == NULL)
		return;
	sampler_fini(&j->sampler);
	arena_free(j->a);
	free(j);
}

size_t
judged_count(const struct judged *j)
{
	return j->made;
}

/* Everything in which samples differ, each piece with its length in front. */
static void
put_piece(struct buf *b, struct bytes piece)
{
	buf_u32(b, (uint32_t)piece.n);
	buf_put(b, piece);
}

static enum rc
sample_hash(struct arena *a, const struct procedure *p, uint8_t ret[SHA256_LEN], struct err *e)
{
	struct sample_parts parts;
	OWN_BUF struct buf b = buf_max(1 << 20);
	const struct cert_template *t = &p->template_;
	struct err why = { 0 };
	enum rc rc;

	buf_u32(&b, (uint32_t)t->sigalg);
	buf_u32(&b, (uint32_t)(t->has_ski | t->has_san << 1 | t->has_input << 2));
	buf_u64(&b, (uint64_t)p->authority->not_before_ms);
	rc = sample_parts_of(a, p, &parts, &why);
	NEED(rc != RC_NOMEM, e, CHY_NO_MEMORY, NULL, "a sample certificate");
	put_piece(&b, rc == RC_OK ? parts.subject : bytes_str(why.text));
	for (size_t i = 0; rc == RC_OK && i < parts.exts.n; i++) {
		put_piece(&b, parts.exts.v[i].oid);
		buf_u32(&b, parts.exts.v[i].critical);
		put_piece(&b, parts.exts.v[i].value);
	}
	put_piece(&b, BYTES("names"));
	for (size_t i = 0; rc == RC_OK && i < parts.san.n; i++) {
		buf_u32(&b, (uint32_t)parts.san.v[i].type);
		put_piece(&b, parts.san.v[i].other);
		put_piece(&b, parts.san.v[i].value);
	}
	put_piece(&b, t->issuer);
	for (size_t i = 0; i < t->n; i++) {
		buf_u32(&b, (uint32_t)t->parts[i].slot);
		put_piece(&b, t->parts[i].der);
	}
	NEED(buf_ok(&b), e, CHY_NO_MEMORY, NULL, "a sample certificate");
	sha256(buf_bytes(&b), ret);
	return RC_OK;
}

static struct known **
head_of(struct judged *j, const uint8_t hash[SHA256_LEN])
{
	return &j->heads[(hash[0] << 8 | hash[1]) & (JUDGED_HEADS - 1)];
}

static const struct known *
find(struct judged *j, const uint8_t hash[SHA256_LEN])
{
	for (const struct known *k = *head_of(j, hash); k != NULL; k = k->next)
		if (memcmp(k->hash, hash, SHA256_LEN) == 0)
			return k;
	return NULL;
}

/* Never grows without end: begins anew instead. */
static enum rc
forget_if_full(struct judged *j, struct err *e)
{
	struct arena *fresh;

	if (j->n < JUDGED_MAX)
		return RC_OK;
	NEED((fresh = arena_new(JUDGED_ARENA)) != NULL, e, CHY_NO_MEMORY, NULL, "verdicts");
	arena_free(j->a);
	j->a = fresh;
	j->n = 0;
	memset(j->heads, 0, sizeof(j->heads));
	return RC_OK;
}

static enum rc
learn(struct judged *j, const struct procedure *p, const uint8_t hash[SHA256_LEN], const struct known **ret,
      struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(SAMPLE_ARENA);
	struct known *k;
	const char *text;

	TRY(forget_if_full(j, e));
	NEED(a != NULL && (k = arena_one(j->a, struct known)) != NULL, e, CHY_NO_MEMORY, NULL, "verdicts");
	TRY(verdict_of(a, &j->sampler, p, &text, e));
	memcpy(k->hash, hash, SHA256_LEN);
	if (text != NULL)
		NEED((k->text = arena_str(j->a, bytes_str(text))) != NULL, e, CHY_NO_MEMORY, NULL,
		     "verdicts");
	k->next = *head_of(j, hash);
	*head_of(j, hash) = k;
	j->n++;
	j->made++;
	*ret = k;
	return RC_OK;
}

enum rc
judge_once(struct judged *j, struct snapshot *s, const struct procedure *p, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(SAMPLE_ARENA);
	uint8_t hash[SHA256_LEN];
	const struct known *k;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "verdicts");
	TRY(sample_hash(a, p, hash, e));
	if ((k = find(j, hash)) == NULL)
		TRY(learn(j, p, hash, &k, e));
	return k->text ? snapshot_condemn(s, p->doc->id, CHY_PROCEDURE_SAMPLE, k->text, e) : RC_OK;
}
