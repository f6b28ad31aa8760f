#include "base/base.h"
#include "factory/sessions.h"

#include "base/json.h"
#include "crypto/digest.h"
#include "factory/callers.h"
#include "policy/rights.h"
#include "store/read.h"

enum { TOKEN_TEXT_MAX = 64, STATE_KEPT_US = 1000000 };

static enum rc
procedures_read(const struct json *list, struct session_body *ret, struct err *e)
{
	NEED(list->count >= 1 && list->count <= SESSION_PROCEDURES_MAX, e, CHY_SESSION_BODY, NULL,
	     "1 to %d token procedures", SESSION_PROCEDURES_MAX);
	JSON_EACH(item, list)
	{
		NEED(item->type == JSON_INT && item->integer > 0, e, CHY_SESSION_BODY, NULL,
		     "a token procedure is named by its id");
		ret->procedures[ret->procedures_n++] = item->integer;
	}
	return RC_OK;
}

enum rc
session_body_read(struct arena *a, const struct json *body, struct session_body *ret, struct err *e)
{
	static const char *const names[] = {
		"token_procedures", "certificates_max", "expires_at", "token_sha256", "name", NULL
	};
	struct bytes hex, time, hash;
	struct json *list;

	*ret = (struct session_body){ 0 };
	TRY(json_only(body, names, e));
	TRY(json_need_array(body, "token_procedures", &list, e));
	TRY_AT(procedures_read(list, ret, e), e, "token_procedures");
	TRY(json_need_int(body, "certificates_max", 1, JSON_INT_MAX, &ret->certificates_max, e));
	TRY(json_need_str(body, "expires_at", &time, e));
	TRY_AT(time_parse(time, &ret->expires_at_ms, e), e, "expires_at");
	TRY(json_opt_str(body, "name", &ret->name, e));
	TRY(json_need_str(body, "token_sha256", &hex, e));
	TRY_AT(hex_parse(a, hex, &hash, e), e, "token_sha256");
	if (hash.n != sizeof(ret->token_hash)) {
		err_field(e, "token_sha256");
		FAIL(e, CHY_SESSION_BODY, NULL, "a SHA-256 has 64 hexadecimal digits");
	}
	memcpy(ret->token_hash, hash.p, hash.n);
	return RC_OK;
}

/* What has ended is refused before it takes the room of one that has not, and before its signature costs anything. */
static enum rc
not_over(const struct session *x, struct err *e)
{
	NEED(!x->facts.closed && x->facts.expires_at_ms > clock_now_ms(), e, CHY_SESSION_OVER, NULL,
	     "the issuing session has ended");
	return RC_OK;
}

static enum rc
from_row(struct factory *f, struct arena *a, const struct session_row *row, struct session *x, struct err *e)
{
	struct session_body b;
	struct json *body;

	TRY(json_parse(a, row->body, &body, e));
	TRY(session_body_read(a, body, &b, e));
	memcpy(x->token_hash, b.token_hash, sizeof(x->token_hash));
	memcpy(x->procedures, b.procedures, sizeof(x->procedures));
	x->officer = officer_id_of(row->officer_id);
	x->request = request_id_of(row->request_id);
	x->facts = (struct session_facts){ .id = session_id_of(row->id),
					   .token_procedures = x->procedures,
					   .token_procedures_n = b.procedures_n,
					   .certificates_max = b.certificates_max,
					   .certificates_made = row->used,
					   .expires_at_ms = b.expires_at_ms,
					   .closed = !bytes_is(row->state, "open") };
	TRY(not_over(x, e));
	return session_check_signed(f, a, row, body, &x->signed_by, e);
}

static enum rc
load(struct factory *f, const uint8_t hash[32], struct session *ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct session_row row;
	enum rc rc;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "an issuing session");
	rc = store_session_by_token(f->store, a, bytes_of(hash, 32), &row, e);
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		FAIL(e, CHY_SESSION_TOKEN, "RFC 6750 3.1", "no issuing session has this token");
	}
	TRY(rc);
	*ret = (struct session){ 0 };
	TRY(from_row(f, a, &row, ret, e));
	return sessions_keep(f->sessions, ret, clock_now_ms(), e);
}

static enum rc
goes_on(bool good, enum credential_state state, struct err *e)
{
	NEED_FOR(good,
		 state == CREDENTIAL_HELD ? CHY_OFFICER_CERTIFICATE_HELD : CHY_OFFICER_CERTIFICATE_REVOKED, e,
		 CHY_SESSION_OFFICER, NULL,
		 "the certificate of the officer who opened the issuing session is %s",
		 state == CREDENTIAL_HELD ? "on hold" : "revoked");
	return RC_OK;
}

static enum rc
certificate_holds(struct factory *f, struct arena *a, int64_t id, struct err *e)
{
	struct certificate_row row;

	if (id == 0) /* one that is not ours has no state here */
		return RC_OK;
	TRY(store_certificate(f->store, a, id, &row, e));
	return goes_on(row.status == CERTIFICATE_VALID, credential_state_of(row.status), e);
}

static enum rc
bound_holds(const struct officer *o, const struct credential *c, struct err *e)
{
	return goes_on(!bound_certificate_stops(o->entity, c->bound, c->bound_superseded), c->bound, e);
}

/* Somebody may have ended it since it was read. */
static enum rc
is_open(struct factory *f, struct arena *a, const struct session *x, struct err *e)
{
	struct session_row row;

	TRY(store_session(f->store, a, x->facts.id.v, &row, e));
	NEED(bytes_is(row.state, "open"), e, CHY_SESSION_OVER, NULL, "the issuing session has ended");
	return RC_OK;
}

/* Both the certificate with which it was opened and the one that the officer has now. Asked at most once a second and by their
   ids: this is the hot path, and an event thread. */
static enum rc
certificates_hold(struct factory *f, const struct session *x, const struct snapshot *policy,
		  const struct officer *o, struct err *e)
{
	struct credential c = { .state = CREDENTIAL_GOOD };
	int64_t now_us = clock_mono_us(), now_bound, epoch = atomic_load(&f->status_epoch);
	OWN(arena_free)
	struct arena *a = NULL;

	if (x->good_until_us > now_us && x->good_epoch == epoch)
		return RC_OK;
	a = arena_new(256 << 10);
	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "an issuing session");
	TRY(is_open(f, a, x, e));
	TRY(officer_certificate(policy, o, &now_bound, e));
	TRY(certificate_holds(f, a, x->signed_by, e));
	if (now_bound != x->signed_by)
		TRY(officer_bound_state(f, a, policy, o, &c, e));
	TRY(bound_holds(o, &c, e));
	sessions_good_until(f->sessions, x->token_hash, now_us + STATE_KEPT_US, epoch);
	return RC_OK;
}

/* The officer who opened it must still be one: closing an officer ends what goes on in the officer's name. */
static enum rc
still_good(struct factory *f, const struct session *x, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct officer *o = snapshot_officer(policy, x->officer);

	TRY(not_over(x, e));
	NEED(o != NULL && o->active, e, CHY_SESSION_OFFICER, NULL,
	     "the officer who opened the issuing session is no longer active");
	return certificates_hold(f, x, policy, o, e);
}

bool
session_is_known(struct factory *f, struct bytes token)
{
	struct session x;
	uint8_t hash[32];

	sha256(token, hash);
	return sessions_find(f->sessions, hash, &x);
}

enum rc
session_by_token(struct factory *f, struct arena *a, struct bytes token, const struct session **ret,
		 struct err *e)
{
	struct session *x = arena_one(a, struct session);
	uint8_t hash[32];

	NEED(x != NULL, e, CHY_NO_MEMORY, NULL, "an issuing session");
	NEED(token.n > 0 && token.n <= TOKEN_TEXT_MAX, e, CHY_SESSION_TOKEN, "RFC 6750 3.1",
	     "not a token of ours");
	sha256(token, hash);
	if (!sessions_find(f->sessions, hash, x))
		TRY(load(f, hash, x, e));
	TRY(still_good(f, x, e));
	*ret = x;
	return RC_OK;
}

/* It may have been forgotten since the call began: then it is read again. */
enum rc
session_take(struct factory *f, const struct session *s, struct kept_session **ret, int64_t *ret_before,
	     struct err *e)
{
	struct session again;

	while ((*ret = sessions_take(f->sessions, s->token_hash, ret_before)) == NULL)
		TRY(load(f, s->token_hash, &again, e));
	return RC_OK;
}
