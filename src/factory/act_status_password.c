/* The revocation password that comes beside the signature: each guess counts, and waits longer. */
#include "base/base.h"
#include "factory/act_status_impl.h"

#include "crypto/kdf.h"
#include "policy/body.h"
#include "store/read.h"

enum { TRIES_FREE = 3, WAIT_FIRST_MS = 1000, WAIT_DOUBLINGS = 12 };

static int64_t
wait_after(int64_t tries)
{
	int64_t doublings = tries - TRIES_FREE;

	if (doublings < 0)
		return 0;
	return (int64_t)WAIT_FIRST_MS << (doublings < WAIT_DOUBLINGS ? doublings : WAIT_DOUBLINGS);
}

/* Counted and in the journal before anybody hears of it. */
static enum rc
password_was_wrong(struct effect *x, int64_t id, const struct password_wrong_row *before, struct err *e)
{
	OWN(change_free)
	struct change *c = change_new();
	struct json *m = json_object(x->a);
	int64_t until = clock_now_ms() + wait_after(before->tries + 1);
	struct change *ready;

	change_password_wrong(c, id, until);
	json_set(m, "certificate", json_int(x->a, id));
	json_set(m, "tries", json_int(x->a, before->tries + 1));
	json_set(m, "until", json_time(x->a, until));
	json_set(m, "officer", json_int(x->a, x->signer.v));
	json_set(m, "by", by_request(x->a, x->request->id));
	TRY(leaf_add(x->f, x->a, c, LEAF_REVOCATION_PASSWORD, 0, id, m, e));
	ready = c;
	c = NULL;
	FAULT("factory.before-password-wrong");
	TRY(store_commit(x->f->store, ready, e));
	FAULT("factory.after-password-wrong");
	FAIL(e, CHY_REVOCATION_PASSWORD_WRONG, NULL, "it is not the revocation password of certificate %lld",
	     (long long)id);
}

/* As it came out before, if the form is still that one: nobody is to wait for a comparison, and here the others do. */
static enum rc
compared(const struct effect *x, int64_t id, struct bytes form, struct err *e)
{
	for (size_t i = 0; i < x->passwords.n; i++) {
		const struct password_verdict *v = &x->passwords.v[i];

		if (v->certificate == id && bytes_eq(v->form, form))
			return v->code == CHY_NONE ? RC_OK : err_set(e, v->code, NULL, "as it was compared");
	}
	FAIL(e, CHY_REVOCATION_PASSWORD_BUSY, NULL,
	     "certificate %lld was not ready for it when the password was compared: try again",
	     (long long)id);
}

static enum rc
password_check(struct effect *x, int64_t id, struct change *c, struct err *e)
{
	struct password_wrong_row wrong;
	struct choice_row choice;
	struct err why = { 0 };
	enum rc rc;

	rc = store_choice(x->f->store, x->a, id, &choice, &why);
	NEED(rc == RC_OK || rc == RC_NOT_FOUND, e, why.code, NULL, "%s", why.text);
	NEED(rc == RC_OK && choice.revocation_password.n > 0, e, CHY_REVOCATION_PASSWORD_NONE, NULL,
	     "certificate %lld has none", (long long)id);
	TRY(store_password_wrong(x->f->store, x->a, id, &wrong, e));
	NEED(wrong.until_at <= clock_now_ms(), e, CHY_REVOCATION_PASSWORD_LATER, NULL,
	     "%lld wrong ones in a row: in %lld seconds again", (long long)wrong.tries,
	     (long long)((wrong.until_at - clock_now_ms()) / 1000 + 1));
	err_clear(&why);
	rc = compared(x, id, choice.revocation_password, &why);
	if (rc != RC_OK && why.code == CHY_PASSWORD_WRONG)
		return password_was_wrong(x, id, &wrong, e);
	NEED(rc == RC_OK, e, why.code, NULL, "%s", why.text);
	if (wrong.tries > 0)
		change_password_right(c, id);
	return RC_OK;
}

static enum rc
read_password(const struct json *secrets, struct secret **ret, struct err *e)
{
	static const char *const names[] = { "revocation_password", NULL };
	struct bytes text = BYTES_NONE;

	if (secrets != NULL) {
		NEED(secrets->type == JSON_OBJECT, e, CHY_JSON_TYPE, NULL, "secrets: an object");
		TRY(json_only(secrets, names, e));
		TRY(json_opt_str(secrets, "revocation_password", &text, e));
	}
	NEED(text.n > 0, e, CHY_REVOCATION_PASSWORD_NEEDED, NULL,
	     "secrets.revocation_password comes with the signature");
	*ret = secret_of(text);
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "a revocation password");
	return RC_OK;
}

static enum rc
compare_before(struct factory *f, struct arena *a, const struct secret *given, int64_t id,
	       struct password_verdicts *ret, struct err *e)
{
	struct password_wrong_row wrong;
	struct choice_row choice;
	enum rc rc;

	TRY(store_password_wrong(f->store, a, id, &wrong, e));
	if (wrong.until_at > clock_now_ms()) /* it will not be looked at */
		return RC_OK;
	TRY(store_choice(f->store, a, id, &choice, e));
	rc = password_verify(given, choice.revocation_password, e);
	ret->v[ret->n++] = (struct password_verdict){ id, choice.revocation_password,
						      rc == RC_OK ? CHY_NONE : e->code };
	return rc;
}

void
status_act_compare(struct factory *f, struct arena *a, const struct request *r, const struct json *secrets,
		   struct password_verdicts *ret)
{
	OWN(secret_free)
	struct secret *given = NULL;
	struct status_asked asked;

	*ret = (struct password_verdicts){ 0 };
	if (status_read_body(r->act, r->body, &asked, NULL) != RC_OK ||
	    asked.wish.verified != VERIFIED_PASSWORD || read_password(secrets, &given, NULL) != RC_OK)
		return;
	ret->v = arena_array(a, asked.list->count, sizeof(*ret->v));
	if (ret->v == NULL)
		return;
	JSON_EACH(item, asked.list)
	{
		struct err why = { 0 };

		if (compare_before(f, a, given, body_int(item, "certificate", 0), ret, &why) != RC_OK)
			break; /* one that is wrong decides for all */
	}
}

/* With the mutexes of guesses and of statuses held: no two guesses at once. Every certificate's password must be right, or nothing is done. */
enum rc
status_act_bring(struct effect *x, struct change *c, struct err *e)
{
	OWN(secret_free)
	struct secret *given = NULL;
	struct status_asked asked;
	size_t i = 0;

	TRY(status_read_body(x->request->act, x->request->body, &asked, e));
	if (asked.wish.verified != VERIFIED_PASSWORD) {
		NEED(x->secrets == NULL, e, CHY_SECRETS, NULL, "no password is asked by this request");
		return RC_OK;
	}
	TRY_AT(read_password(x->secrets, &given, e), e, "secrets");
	JSON_EACH(item, asked.list)
	{
		TRY_AT(password_check(x, body_int(item, "certificate", 0), c, e), e, "certificates[%zu]", i);
		i++;
	}
	return RC_OK;
}
