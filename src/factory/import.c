#include "base/base.h"
#include "factory/import.h"

#include "crypto/digest.h"
#include "crypto/verify.h"
#include "policy/body.h"
#include "policy/find.h"

enum rc
import_authority(struct preparation *p, const struct authority **ret, struct err *e)
{
	const struct document *d;

	TRY_AT(find_named(p->policy, KIND_AUTHORITY, p->in, "authority", p->who->domain, &d, e), e,
	       "authority");
	*ret = snapshot_authority(p->policy, d->id);
	TRY_AT(may_import(p->a, p->policy, p->who, *ret, e), e, "authority");
	return RC_OK;
}

enum rc
import_authority_signed(struct effect *x, const struct authority **ret, struct err *e)
{
	*ret = snapshot_authority(x->policy, body_ref(x->request->body, "authority"));
	NEED(x->signers_n > 0, e, CHY_OFFICER_UNKNOWN, NULL, "nobody has signed it");
	for (size_t i = 0; i < x->signers_n; i++) {
		const struct officer *who = snapshot_officer(x->policy, x->signers[i].officer);

		NEED(who != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "the officer is gone");
		TRY_AT(may_import(x->a, x->policy, who, *ret, e), e, "authority");
	}
	return RC_OK;
}

struct bytes
import_crl_cause(char dst[IMPORT_CAUSE_MAX], struct bytes scope)
{
	uint8_t sha[SHA256_LEN];

	snprintf(dst, IMPORT_CAUSE_MAX, "%s", HOLD_CAUSE_CRL);
	if (scope.n > 0) {
		sha256(scope, sha);
		snprintf(dst, IMPORT_CAUSE_MAX, "%s-%02x%02x%02x%02x", HOLD_CAUSE_CRL, sha[0], sha[1], sha[2],
			 sha[3]);
	}
	return bytes_str(dst);
}

enum rc
import_crl_read(struct arena *a, const struct authority *x, struct bytes der, int64_t now_ms, struct crl *ret,
		struct err *e)
{
	struct err why = { 0 };

	NEED(der.n <= LIMIT_IMPORT_CRL, e, CHY_LIMIT, NULL,
	     "a list of %zu octets; at most %d are imported at once", der.n, LIMIT_IMPORT_CRL);
	NEED(crl_parse(a, der, ret, &why) == RC_OK, e, CHY_IMPORT_FORM, why.std, "not a revocation list: %s",
	     why.text);
	TRY(import_crl_fits(a, x, ret, now_ms, e));
	NEED(verify_signature(x->spki, ret->sigalg, ret->tbs, ret->signature, &why) == RC_OK, e,
	     CHY_IMPORT_SIGNATURE, NULL, "its signature is not that of \"%.*s\": %.200s",
	     BYTES_FMT(x->doc->name), why.text);
	return RC_OK;
}

enum rc
import_put(struct effect *x, struct change *c, struct arena *a, const struct status_subject *s,
	   const struct import_wish *wish, struct request_id word, struct json *outcome, bool *ret_any,
	   struct err *e)
{
	const struct import_now now = { (enum cert_state)s->status.state, s->status.at, s->causes,
					s->causes_n };
	struct json *more = json_object(a);
	struct import_change d;

	*ret_any = false;
	TRY(decide_import(&now, wish, &d, e));
	if (!d.any)
		return RC_OK;
	json_set(more, "by", by_request(a, word));
	TRY(status_put(x->f, a, c, s, &(struct status_decision){ d.to, d.reason, d.at_ms, "imported" },
		       &(struct status_wish){ .verb = d.verb,
					      .reason = d.reason,
					      .invalid_at_ms = d.invalid_at_ms,
					      .cause = wish->cause,
					      .cause_named = true },
		       more, e));
	*ret_any = true;
	json_set(outcome, "state", json_str(x->a, bytes_str(cert_state_name(d.to))));
	json_set(outcome, "reason", json_str(x->a, bytes_str(reason_name(d.reason))));
	json_set(outcome, "since", json_time(x->a, d.at_ms));
	return RC_OK;
}
