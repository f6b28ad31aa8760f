#include "base/base.h"
#include "policy/recovery.h"

#include "policy/names.h"
#include "policy/rights.h"
#include "policy/rules.h"

typedef enum rc rule_fn(struct arena *a, const struct recovery_facts *f, struct err *e);

static enum rc
rule_seen(struct arena *a, const struct recovery_facts *f, struct err *e)
{
	NEED(may_see_certificate(f->policy, f->officer, f->authority, f->token_procedure, NULL) == RC_OK, e,
	     CHY_STORE_NOT_FOUND, NULL, "the officer sees no such certificate");
	return RC_OK;
}

static bool
has(struct arena *a, const struct name *n, const struct ava *x)
{
	for (size_t i = 0; i < n->n; i++)
		if (bytes_eq(n->ava[i].oid, x->oid) && ascii_case_eq(ava_utf8(a, &n->ava[i]), ava_utf8(a, x)))
			return true;
	return false;
}

/* Everything that was filled in of the holder stands in the certificate. */
static enum rc
rule_holder(struct arena *a, const struct recovery_facts *f, struct err *e)
{
	struct name asked, subject;

	TRY(name_parse(a, f->asked, &asked, e));
	TRY(name_parse(a, f->subject, &subject, e));
	NEED(asked.n > 0 || f->meant.n > 0, e, CHY_STORE_NOT_FOUND, NULL, "nobody is named");
	NEED(f->meant.n == 0 || name_eq(f->meant, f->subject), e, CHY_STORE_NOT_FOUND, NULL,
	     "the certificate is somebody else's");
	for (size_t i = 0; i < asked.n; i++)
		NEED(has(a, &subject, &asked.ava[i]), e, CHY_STORE_NOT_FOUND, NULL,
		     "the certificate is somebody else's");
	return RC_OK;
}

static enum rc
rule_domain(struct arena *a, const struct recovery_facts *f, struct err *e)
{
	return may_change_certificate(f->policy, f->officer, f->authority, f->token_procedure, f->asked_from,
				      e);
}

static enum rc
rule_issuer(struct arena *a, const struct recovery_facts *f, struct err *e)
{
	return may_issue_by(a, f->officer, f->issuer, e);
}

static enum rc
rule_names(struct arena *a, const struct recovery_facts *f, struct err *e)
{
	return may_name(a, f->officer, f->subject, f->san, e);
}

#define RULES(X) \
	X("certificate-seen", rule_seen) \
	X("holder", rule_holder) \
	X("certificate-domain", rule_domain) \
	X("issuer-constraints", rule_issuer) \
	X("name-constraints", rule_names)

RULE_TABLE(rule_fn, RULES);
RULE_NAMES(recovery_rules, RULES)

enum rc
decide_recovery(struct arena *a, const struct recovery_facts *f, struct err *e)
{
	RULES_ASK(a, f, e);
	return RC_OK;
}

/* ---- of several ---- */

static enum rc
refuse_several(const struct bytes *subjects, size_t n, struct err *e)
{
	enum { SHOWN = 4, LONGEST = 60 };
	OWN_BUF struct buf list = buf_max(1024), one = buf_max(8 << 10);
	char more[40] = "";

	for (size_t i = 0; i < n && i < SHOWN; i++) {
		one.n = 0;
		name_put_der_text(&one, subjects[i]);
		buf_printf(&list, "%s\"%.*s\"", i ? ", " : "",
			   BYTES_FMT(bytes_part(buf_bytes(&one), 0, LONGEST)));
	}
	if (n > SHOWN)
		snprintf(more, sizeof(more), " and %zu more", n - SHOWN);
	FAIL(e, CHY_RECOVERY_AMBIGUOUS, NULL, "it could be %.*s%s: name the holder by the whole subject",
	     BYTES_FMT(buf_bytes(&list)), more);
}

enum rc
decide_holder(struct arena *a, const struct bytes *subjects, size_t n, struct bytes asked, struct bytes *ret,
	      struct err *e)
{
	struct name all, one;
	size_t exact = 0;

	*ret = subjects[0];
	if (n == 1)
		return RC_OK;
	TRY(name_parse(a, asked, &all, e));
	for (size_t i = 0; i < n; i++) {
		TRY(name_parse(a, subjects[i], &one, e));
		if (one.n != all.n) /* it has more: all that was filled in it has */
			continue;
		*ret = subjects[i];
		exact++;
	}
	return exact == 1 ? RC_OK : refuse_several(subjects, n, e);
}
