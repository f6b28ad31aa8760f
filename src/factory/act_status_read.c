/* The bodies of acts that change a status. */
#include "base/base.h"
#include "factory/act_status_impl.h"

#include "policy/body.h"

enum { NOTE_MAX = 1000 };

enum status_verb
status_verb_of(struct act act)
{
	return act.verb == ACT_HOLD     ? STATUS_HOLD
	    : act.verb == ACT_REINSTATE ? STATUS_REINSTATE
					: STATUS_REVOKE;
}

static enum rc
read_reason(const struct json *body, struct status_wish *w, struct err *e)
{
	struct bytes name, at = BYTES_NONE;

	TRY(json_need_str(body, "reason", &name, e));
	w->reason = reason_of(name);
	if (w->reason == REASON_NONE) {
		err_field(e, "reason");
		FAIL(e, CHY_FIELD_CHOICE, "RFC 5280 5.3.1", "\"%.*s\" is no reason",
		     BYTES_FMT(bytes_part(name, 0, 60)));
	}
	TRY(json_opt_str(body, "invalid_at", &at, e));
	if (at.n > 0)
		TRY_AT(time_parse(at, &w->invalid_at_ms, e), e, "invalid_at");
	return RC_OK;
}

static enum rc
read_cause(const struct json *body, struct status_wish *w, struct err *e)
{
	w->cause = BYTES_NONE;
	TRY(json_opt_str(body, "cause", &w->cause, e));
	w->cause_named = w->cause.n > 0;
	if (!w->cause_named)
		w->cause = BYTES(HOLD_CAUSE_OFFICER);
	if (w->cause.n > HOLD_CAUSE_MAX || !bytes_eq(text_trim(w->cause), w->cause)) {
		err_field(e, "cause");
		FAIL(e, CHY_FIELD_TEXT, NULL, "a cause has at most %d octets and no blanks around it",
		     HOLD_CAUSE_MAX);
	}
	return RC_OK;
}

static enum rc
read_verification(const struct json *body, struct status_wish *w, struct err *e)
{
	struct bytes name = BYTES_NONE, note = BYTES_NONE;

	TRY(json_opt_str(body, "verification", &name, e));
	TRY(json_opt_str(body, "verification_note", &note, e));
	w->verified = verification_of(name);
	if (w->verified == VERIFICATION_NONE) {
		err_field(e, "verification");
		FAIL(e, CHY_FIELD_CHOICE, NULL, "\"password\" or \"manual\"");
	}
	if ((w->verified == VERIFIED_MANUALLY) != (text_trim(note).n > 0) || note.n > NOTE_MAX) {
		err_field(e, "verification_note");
		FAIL(e, w->verified == VERIFIED_MANUALLY ? CHY_FIELD_MISSING : CHY_FIELD_UNAVAILABLE, NULL,
		     "how it was checked who asks belongs to a manual check, in at most %d octets", NOTE_MAX);
	}
	return RC_OK;
}

enum rc
status_read_body(struct act act, const struct json *body, struct status_asked *ret, struct err *e)
{
	static const char *const of_revoke[] = { "certificates",      "reason", "invalid_at", "verification",
						 "verification_note", NULL };
	static const char *const of_hold[] = { "certificates", "cause", "verification", "verification_note",
					       NULL };
	static const char *const of_authority[] = { "certificates", "reason", "invalid_at", NULL };

	*ret = (struct status_asked){ .wish = { .verb = status_verb_of(act) },
				      .authority = act.verb == ACT_CA_REVOKE };
	TRY(json_only(body,
		      ret->authority                        ? of_authority
			  : ret->wish.verb == STATUS_REVOKE ? of_revoke
							    : of_hold,
		      e));
	TRY(ret->wish.verb == STATUS_REVOKE ? read_reason(body, &ret->wish, e)
					    : read_cause(body, &ret->wish, e));
	TRY(read_verification(body, &ret->wish, e));
	return json_need_array(body, "certificates", &ret->list, e);
}

enum rc
status_read_listed(struct factory *f, struct arena *a, struct status_asked *asked, struct err *e)
{
	int64_t *ids = arena_array(a, asked->list->count + 1, sizeof(*ids));
	size_t n = 0;

	_Static_assert(LIMIT_BULK_STATUS <= LIMIT_PAGE, "one reading is enough");
	NEED(ids != NULL, e, CHY_NO_MEMORY, NULL, "a request's certificates");
	JSON_EACH(item, asked->list)
	{
		ids[n] = item->type == JSON_INT ? item->integer : body_int(item, "certificate", 0);
		n += ids[n] > 0;
	}
	return status_read_ahead(f, a, ids, n, &asked->ahead, e);
}
