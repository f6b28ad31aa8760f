#include "base/base.h"
#include "factory/acts.h"

/* The first row that fits; a kind's own rows stand before those of any kind. */
static const struct act_row rows[] = {
	{ ACT_CREATE, KIND_CA_KEY, document_act_check, document_act_apply, ca_key_act_work },
	{ ACT_CREATE, KIND_AUTHORITY, authority_act_check, document_act_apply, authority_act_work },
	{ ACT_MODIFY, KIND_AUTHORITY, authority_act_check, document_act_apply, NULL },
	{ ACT_RENEW, KIND_AUTHORITY, authority_renew_check, document_act_apply, authority_act_work,
	  .tell = authority_renew_tell },
	{ ACT_CA_REQUEST, KIND_AUTHORITY, authority_request_check, authority_request_apply,
	  authority_request_work, .tell = authority_request_tell },
	{ ACT_CREATE, KIND_OFFICER, officer_act_check, document_act_apply, NULL },
	{ ACT_MODIFY, KIND_OFFICER, officer_act_check, document_act_apply, NULL },
	{ ACT_CREATE, KIND_NONE, document_act_check, document_act_apply, NULL },
	{ ACT_MODIFY, KIND_NONE, document_act_check, document_act_apply, NULL },
	{ ACT_ISSUE, KIND_NONE, issue_act_check, issue_act_apply, issue_act_work, issue_act_bring,
	  .abandon = issue_act_abandon },
	{ ACT_ISSUE_ATTRIBUTE, KIND_NONE, attribute_act_check, attribute_act_apply, attribute_act_work },
	{ ACT_SESSION_OPEN, KIND_NONE, session_act_check, session_act_apply, NULL },
	{ ACT_SESSION_CLOSE, KIND_NONE, session_close_check, session_close_apply, NULL, NULL,
	  session_close_after },
	{ ACT_TOKEN_ISSUE, KIND_NONE, token_act_check, token_act_apply, token_act_work, token_act_bring,
	  .abandon = token_act_abandon },
	{ ACT_REVOKE, KIND_NONE, status_act_check, status_act_apply, NULL, status_act_bring, status_act_after,
	  status_act_tell, .selects = LIMIT_BULK_STATUS },
	{ ACT_HOLD, KIND_NONE, status_act_check, status_act_apply, NULL, status_act_bring, status_act_after,
	  status_act_tell, .selects = LIMIT_BULK_STATUS },
	{ ACT_REINSTATE, KIND_NONE, status_act_check, status_act_apply, NULL, status_act_bring,
	  status_act_after, status_act_tell, .selects = LIMIT_BULK_STATUS },
	{ ACT_CA_REVOKE, KIND_NONE, status_act_check, status_act_apply, NULL, NULL, status_act_after,
	  status_act_tell },
	{ ACT_PUBLISH, KIND_NONE, publish_act_check, publish_act_apply, NULL, publish_act_bring,
	  .selects = LIMIT_BULK },
	{ ACT_UNPUBLISH, KIND_NONE, publish_act_check, publish_act_apply, NULL, .selects = LIMIT_BULK },
	{ ACT_DELIVERY_RETRY, KIND_NONE, delivery_act_check, delivery_act_apply, NULL },
	{ ACT_DELIVERY_DROP, KIND_NONE, delivery_act_check, delivery_act_apply, NULL },
	{ ACT_CRL_BUILD, KIND_NONE, crl_act_check, crl_act_apply, NULL },
	{ ACT_REMOVE, KIND_NONE, remove_act_check, remove_act_apply, NULL, NULL, status_act_after,
	  .selects = LIMIT_BULK },
	{ ACT_CIL_BUILD, KIND_NONE, cil_act_check, cil_act_apply, NULL },
	{ ACT_ACTIVATE_OCSP, KIND_NONE, ocsp_act_check, ocsp_act_apply, NULL, .selects = LIMIT_BULK_STATUS },
	{ ACT_IMPORT, KIND_NONE, import_act_check, import_act_apply, NULL, NULL, status_act_after },
	{ ACT_IMPORT_CRL, KIND_NONE, import_crl_act_check, import_crl_act_apply, NULL, NULL,
	  status_act_after },
	{ ACT_OFFICER_RENEW, KIND_NONE, renew_act_check, renew_act_apply, renew_act_work,
	  .tell = renew_act_tell },
	{ ACT_WITHDRAW, KIND_NONE, ending_act_check, ending_act_apply, NULL },
	{ ACT_REJECT, KIND_NONE, ending_act_check, ending_act_apply, NULL },
};

const struct act_row *
act_row_of(struct act act)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].verb == act.verb && (rows[i].kind == act.kind || rows[i].kind == KIND_NONE))
			return &rows[i];
	return NULL;
}

enum rc
act_verdict(struct preparation *p, int64_t certificate, enum rc rc, const struct err *why, struct err *e)
{
	if (rc != RC_OK && !is_refusal(rc)) {
		*e = *why;
		return rc;
	}
	p->verdicts->v[p->verdicts->n++] = (struct act_verdict){ certificate, *why };
	return RC_OK;
}
