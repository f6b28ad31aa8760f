/* Leaves that change the status of a certificate: on whose word, and what it is afterwards. */
#include "base/base.h"
#include "base/idgen.h"
#include "cli/journal_import.h"

enum { SINCE_SLACK_MS = 600000, UNPLACED_MS = 600000, FIELDS_MAX = 16 << 10 };

struct change_view {
	int64_t certificate, request, adopted, before, since_ms, invalid_at_ms;
	enum status_verb verb;
	enum cert_state from, to;
	enum reason reason;
	struct bytes hash, cause;
};

static enum rc
state_of(const struct json *leaf, const char *name, enum cert_state *ret, struct err *e)
{
	struct bytes text;

	TRY(json_need_str(leaf, name, &text, e));
	for (int i = 0; i < CERT_STATE_COUNT; i++)
		if (bytes_is(text, cert_state_name(i))) {
			*ret = (enum cert_state)i;
			return RC_OK;
		}
	FAIL(e, CHY_JOURNAL_FORMAT, NULL, "a state that there is not");
}

static enum rc
verb_of(struct bytes text, enum status_verb *ret, struct err *e)
{
	for (int i = STATUS_REVOKE; i <= STATUS_REINSTATE; i++)
		if (bytes_is(text, status_verb_name((enum status_verb)i))) {
			*ret = (enum status_verb)i;
			return RC_OK;
		}
	FAIL(e, CHY_JOURNAL_FORMAT, NULL, "a change that there is not");
}

static enum rc
time_of(const struct json *o, const char *name, int64_t *ret, struct err *e)
{
	struct bytes text = BYTES_NONE;

	*ret = 0;
	TRY(json_opt_str(o, name, &text, e));
	return text.n > 0 ? time_parse(text, ret, e) : RC_OK;
}

static enum rc
read_leaf(struct arena *a, const struct json *leaf, struct change_view *ret, struct err *e)
{
	struct bytes text;
	struct json *by;

	*ret = (struct change_view){ 0 };
	TRY(json_need_int(leaf, "certificate", 1, JSON_INT_MAX, &ret->certificate, e));
	TRY(json_need_str(leaf, "certificate_sha256", &text, e));
	TRY(hex_parse(a, text, &ret->hash, e));
	TRY(json_need_str(leaf, "act", &text, e));
	TRY(verb_of(text, &ret->verb, e));
	TRY(state_of(leaf, "from", &ret->from, e));
	TRY(state_of(leaf, "to", &ret->to, e));
	TRY(json_need_str(leaf, "reason", &text, e));
	ret->reason = bytes_is(text, reason_name(REASON_REMOVED)) ? REASON_REMOVED : reason_of(text);
	NEED(ret->reason != REASON_NONE, e, CHY_JOURNAL_FORMAT, NULL, "a reason that there is not");
	TRY(time_of(leaf, "since", &ret->since_ms, e));
	TRY(time_of(leaf, "invalid_at", &ret->invalid_at_ms, e));
	if (ret->verb != STATUS_REVOKE)
		TRY(json_need_str(leaf, "cause", &ret->cause, e));
	TRY(json_opt_int(leaf, "before", 1, JSON_INT_MAX, &ret->before, e));
	TRY(json_need_object(leaf, "by", &by, e));
	TRY(json_opt_int(by, "request", 1, JSON_INT_MAX, &ret->request, e));
	return json_opt_int(by, "adopted", 1, JSON_INT_MAX, &ret->adopted, e);
}

/* ---- on whose word ---- */

static bool
is_listed(const struct json *body, const struct change_view *c, const struct json **ret)
{
	char hex[2 * SHA256_LEN + 1];

	JSON_EACH(item, json_get(body, "certificates"))
	{
		const struct json *id = json_get(item, "certificate"),
				  *hash = json_get(item, "certificate_sha256");

		if (id != NULL && id->type == JSON_INT && id->integer == c->certificate && hash != NULL &&
		    hash->type == JSON_STR && c->hash.n == SHA256_LEN &&
		    bytes_is(hash->str, hex_text(hex, c->hash))) {
			*ret = item;
			return true;
		}
	}
	return false;
}

static struct bytes
text_of(const struct json *body, const char *name)
{
	const struct json *v = json_get(body, name);

	return v != NULL && v->type == JSON_STR ? v->str : BYTES_NONE;
}

static enum rc
check_roles(const struct journal_verifier *v, const struct signed_request *r, bool attribute, struct err *e)
{
	const roles enough = attribute
	    ? ROLES(ROLE_REVOKE_ATTRIBUTE_CERTIFICATE) |
		ROLES(ROLE_REVOKE_ATTRIBUTE_CERTIFICATE_WITH_PASSWORD)
	    : ROLES(ROLE_REVOKE_CERTIFICATE) | ROLES(ROLE_REVOKE_CERTIFICATE_WITH_PASSWORD);

	if (r->act.verb == ACT_CA_REVOKE)
		return RC_OK; /* the act's own roles were looked at */
	for (size_t i = 0; i < r->signers_n; i++) {
		const struct officer_state *o = pairmap_get(&v->officers, r->signers[i], 0);
		const struct profile_state *p = o ? pairmap_get(&v->profiles, o->profile, 0) : NULL;

		NEED(p != NULL && (p->roles & enough) != 0, e, CHY_JOURNAL_SIGNATURE, NULL,
		     "officer %lld had no role to change the state of certificates of this kind",
		     (long long)r->signers[i]);
	}
	return RC_OK;
}

static enum rc
by_import(struct journal_verifier *v, const struct certificate_state *s, const struct change_view *c,
	  struct err *e)
{
	return journal_import_word(
	    v, s,
	    &(struct import_word){ .request = c->request,
				   .certificate = c->certificate,
				   .verb = c->verb,
				   .reason = c->reason,
				   .since_ms = c->since_ms,
				   .invalid_at_ms = c->invalid_at_ms,
				   .keeps_since = s->state == CERT_HELD && c->to == CERT_HELD,
				   .cause = c->cause },
	    e);
}

static enum rc
by_officers(struct journal_verifier *v, const struct certificate_state *s, const struct change_view *c,
	    struct err *e)
{
	static const enum act_verb verbs[] = { ACT_REVOKE, ACT_HOLD, ACT_REINSTATE };
	struct signed_request *r = pairmap_get(&v->requests, c->request, 0);
	const struct json *item = NULL;
	int64_t invalid_at;
	struct bytes cause;

	NEED(r != NULL && r->signers_n >= act_signatures(r->act), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "request %lld had not its signatures", (long long)c->request);
	if (s->imported)
		return by_import(v, s, c, e);
	NEED(s->authority != 0 ? r->act.verb == ACT_CA_REVOKE && c->verb == STATUS_REVOKE
			       : r->act.verb == verbs[c->verb],
	     e, CHY_JOURNAL_SIGNATURE, NULL, "the officers signed another act");
	NEED(is_listed(r->body, c, &item), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the officers' request %lld does not name this certificate", (long long)c->request);
	NEED(pairmap_get(&v->statuses, c->request, c->certificate) == NULL, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "request %lld had taken effect on it already", (long long)c->request);
	TRY(check_roles(v, r, s->base != 0, e));
	if (c->verb == STATUS_REVOKE) {
		TRY(time_of(r->body, "invalid_at", &invalid_at, e));
		NEED(reason_of(text_of(r->body, "reason")) == c->reason && invalid_at == c->invalid_at_ms, e,
		     CHY_JOURNAL_SIGNATURE, NULL, "the officers signed another reason or time");
	} else {
		cause = text_of(r->body, "cause");
		NEED(bytes_eq(c->cause, cause.n > 0 ? cause : BYTES(HOLD_CAUSE_OFFICER)), e,
		     CHY_JOURNAL_SIGNATURE, NULL, "the officers signed another cause");
	}
	return pairmap_put(&v->statuses, c->request, c->certificate, r, e);
}

/* Found in the signer's journal, and nobody has claimed it. */
static enum rc
by_sweeper(const struct certificate_state *s, const struct change_view *c, struct err *e)
{
	NEED(c->verb == STATUS_REVOKE && c->reason == REASON_CESSATION && s->adopted != 0 &&
		 c->adopted == s->adopted && s->authority == 0 && s->base == 0,
	     e, CHY_JOURNAL_SIGNATURE, NULL, "no officer has asked for it, and it was not found unclaimed");
	return RC_OK;
}

/* ---- what it is afterwards ---- */

static struct cause_state **
find_cause(struct certificate_state *s, struct bytes cause)
{
	struct cause_state **at = &s->causes;

	while (*at != NULL && !bytes_eq((*at)->cause, cause))
		at = &(*at)->next;
	return at;
}

static enum rc
apply_causes(struct journal_verifier *v, struct certificate_state *s, const struct change_view *c,
	     struct err *e)
{
	struct cause_state **at = find_cause(s, c->cause), *x;

	if (c->verb == STATUS_REVOKE) {
		s->causes = NULL;
		s->causes_n = 0;
	} else if (c->verb == STATUS_HOLD) {
		NEED(*at == NULL, e, CHY_JOURNAL_ALTERED, NULL, "it was on hold for this cause already");
		x = arena_one(v->mem, struct cause_state);
		NEED(x != NULL && (x->cause = arena_dup(v->mem, c->cause)).p != NULL, e, CHY_NO_MEMORY, NULL,
		     "a hold");
		*at = x;
		s->causes_n++;
	} else {
		NEED(*at != NULL, e, CHY_JOURNAL_ALTERED, NULL, "it was not on hold for this cause");
		*at = (*at)->next;
		s->causes_n--;
	}
	return RC_OK;
}

static enum rc
apply(struct journal_verifier *v, struct certificate_state *s, const struct change_view *c, int64_t at_ms,
      struct err *e)
{
	enum cert_state from = s->state;
	bool since_hold = from == CERT_HELD && c->to != CERT_VALID && !(s->imported && c->to == CERT_REVOKED);
	bool elsewhere = s->imported && c->to != CERT_VALID; /* what was imported says since when */

	NEED(c->from == from, e, CHY_JOURNAL_ALTERED, NULL, "it was %s before, not %s",
	     cert_state_label(from), cert_state_label(c->from));
	NEED(status_may(from, c->verb), e, CHY_JOURNAL_ALTERED, NULL, "what is %s does not change so",
	     cert_state_label(from));
	NEED(c->before == s->status_leaf, e, CHY_JOURNAL_ALTERED, NULL,
	     "it says that leaf %lld was the change before, which was %lld", (long long)c->before,
	     (long long)s->status_leaf);
	TRY(apply_causes(v, s, c, e));
	NEED(c->to == status_after(from, c->verb, s->causes_n), e, CHY_JOURNAL_ALTERED, NULL,
	     "it is not what follows from that");
	NEED(c->verb == STATUS_REVOKE || c->reason == (c->to == CERT_HELD ? REASON_HOLD : REASON_REMOVED), e,
	     CHY_JOURNAL_ALTERED, NULL, "the reason does not belong to that");
	NEED(since_hold      ? c->since_ms == s->since_ms
		 : elsewhere ? c->since_ms <= at_ms + SINCE_SLACK_MS
			     : c->since_ms <= at_ms && at_ms - c->since_ms <= SINCE_SLACK_MS,
	     e, CHY_JOURNAL_ALTERED, NULL, "the time since when is another one");
	s->state = c->to;
	s->reason = c->reason;
	s->since_ms = c->since_ms;
	s->invalid_at_ms = c->to == CERT_REVOKED ? c->invalid_at_ms : 0;
	return RC_OK;
}

enum rc
journal_status(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, struct err *e)
{
	struct certificate_state *s;
	struct change_view c;
	enum rc rc;

	TRY(read_leaf(a, l->leaf, &c, e));
	s = pairmap_get(&v->certificates, c.certificate, 0);
	NEED(s != NULL && c.hash.n == SHA256_LEN && memcmp(s->row.sha256, c.hash.p, SHA256_LEN) == 0, e,
	     CHY_JOURNAL_ALTERED, NULL, "no such certificate was in the journal before");
	NEED(!!c.request + !!c.adopted == 1, e, CHY_JOURNAL_FORMAT, NULL,
	     "it does not say on whose one word");
	rc = c.request ? by_officers(v, s, &c, e) : by_sweeper(s, &c, e);
	if (rc == RC_OK)
		rc = apply(v, s, &c, l->at_ms, e);
	s->status_leaf = l->id; /* what comes next follows this one, whatever it is worth */
	return rc;
}

/* ---- the row ---- */

/* A change whose leaf has no place yet says nothing for or against what is exported; it must be as young as such are. */
enum rc
journal_is_unplaced(const struct journal_verifier *v, const struct json *changed, struct err *e)
{
	int64_t leaf;

	TRY(json_need_int(changed, "unplaced", 1, JSON_INT_MAX, &leaf, e));
	NEED(id_at_ms(leaf) + UNPLACED_MS + LEAF_EARLY_MS >= v->sum.head_at_ms, e, CHY_JOURNAL_ACCOUNT, NULL,
	     "a change of its state that should have its place long since has none");
	return RC_OK;
}

enum rc
journal_status_row(const struct journal_verifier *v, const struct json *row,
		   const struct certificate_state *s, struct err *e)
{
	const struct json *changed = json_get(row, "changed");

	if (changed != NULL && json_get(changed, "unplaced") != NULL)
		return journal_is_unplaced(v, changed, e);
	TRY(journal_number_is(row, "status", s->state, e));
	NEED((changed != NULL) == (s->status_leaf != 0), e, CHY_JOURNAL_ACCOUNT, NULL,
	     s->status_leaf ? "the store knows nothing of the change of its state"
			    : "the store knows a change of its state that nobody has made");
	if (changed == NULL)
		return RC_OK;
	TRY(journal_number_is(changed, "leaf", s->status_leaf, e));
	TRY(journal_number_is(changed, "state", s->state, e));
	if (s->void_ && s->status_leaf == s->own_leaf) /* adopted as revoked: its own leaf says no more */
		return RC_OK;
	TRY(journal_number_is(changed, "reason", s->reason, e));
	TRY(journal_number_is(changed, "since", s->since_ms, e));
	return journal_number_is(changed, "invalid_at", s->invalid_at_ms, e);
}

/* ---- what was chosen for it ---- */

static enum rc
take_password(const struct json *o, struct certificate_state *s, struct err *e)
{
	OWN(arena_free)
	struct arena *a = NULL;
	struct bytes hex = BYTES_NONE, sha;

	TRY(json_opt_str(o, "revocation_password_sha256", &hex, e));
	s->has_password = hex.n > 0;
	if (hex.n == 0)
		return RC_OK;
	NEED((a = arena_new(4096)) != NULL, e, CHY_NO_MEMORY, NULL, "a digest");
	TRY(hex_parse(a, hex, &sha, e));
	NEED(sha.n == SHA256_LEN, e, CHY_JOURNAL_FORMAT, NULL, "a digest of %zu octets", sha.n);
	memcpy(s->password, sha.p, SHA256_LEN);
	return RC_OK;
}

enum rc
journal_choice_leaf(const struct json *leaf, struct certificate_state *s, struct err *e)
{
	bool allowed = true;

	TRY(json_opt_bool(leaf, "publication_allowed", &allowed, e));
	TRY(take_password(leaf, s, e));
	s->publication = json_get(leaf, "publication_allowed") != NULL || s->has_password ? allowed : -1;
	return RC_OK;
}

/* A publication's request may set the password anew or take it away. */
enum rc
journal_choice_publication(struct journal_verifier *v, const struct leaf_view *l, const struct json *body,
			   struct err *e)
{
	struct certificate_state *s;
	struct bytes word = BYTES_NONE;
	int64_t id;

	TRY(json_need_int(l->leaf, "certificate", 1, JSON_INT_MAX, &id, e));
	TRY(json_opt_str(l->leaf, "revocation_password", &word, e));
	s = pairmap_get(&v->certificates, id, 0);
	if (s == NULL || word.n == 0 || bytes_is(word, "keep"))
		return RC_OK;
	if (s->publication < 0)
		s->publication = 1;
	if (bytes_is(word, "set"))
		return take_password(body, s, e);
	s->has_password = false;
	return RC_OK;
}

enum rc
journal_choice_row(const struct journal_verifier *v, const struct json *row,
		   const struct certificate_state *s, struct err *e)
{
	const struct json *choice = json_get(row, "choice");
	struct certificate_state is = { .publication = -1 };
	int64_t at;

	if (choice != NULL && json_get(choice, "unplaced") != NULL) {
		TRY(json_need_int(choice, "unplaced", 1, JSON_INT_MAX, &at, e));
		NEED(at + UNPLACED_MS + LEAF_EARLY_MS >= v->sum.head_at_ms, e, CHY_JOURNAL_ACCOUNT, NULL,
		     "a publication that should have its place long since has none");
		return RC_OK;
	}
	if (choice != NULL)
		TRY(journal_choice_leaf(choice, &is, e));
	NEED(is.has_password == s->has_password &&
		 (!is.has_password || bytes_eq(BYTES_OF(is.password), BYTES_OF(s->password))),
	     e, CHY_JOURNAL_ACCOUNT, NULL,
	     "the revocation password in the store is not the one that was signed for");
	NEED((is.publication == 0) == (s->publication == 0), e, CHY_JOURNAL_ACCOUNT, NULL,
	     "the store says otherwise whether it may be published");
	return RC_OK;
}

/* ---- what it is searched by ---- */

static enum rc
fields_hash(const struct json *fields, uint8_t ret[SHA256_LEN], struct err *e)
{
	OWN_BUF struct buf text = buf_max(FIELDS_MAX);

	json_put_canonical(&text, fields);
	NEED(buf_ok(&text), e, CHY_JOURNAL_FORMAT, NULL, "fields that are too long");
	sha256(buf_bytes(&text), ret);
	return RC_OK;
}

enum rc
journal_fields_leaf(struct journal_verifier *v, const struct json *leaf, struct certificate_state *s,
		    struct err *e)
{
	uint8_t hash[SHA256_LEN];
	struct json *fields;

	s->fields = NULL;
	if (json_get(leaf, "fields") == NULL)
		return RC_OK;
	TRY(json_need_object(leaf, "fields", &fields, e));
	TRY(fields_hash(fields, hash, e));
	s->fields = arena_dup(v->mem, BYTES_OF(hash)).p;
	NEED(s->fields != NULL, e, CHY_NO_MEMORY, NULL, "fields");
	return RC_OK;
}

/* Exports of before have none in their rows. */
enum rc
journal_fields_row(const struct json *row, const struct certificate_state *s, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	struct json *fields;

	if (json_get(row, "fields") == NULL)
		return RC_OK;
	TRY(json_need_object(row, "fields", &fields, e));
	TRY(fields_hash(fields, hash, e));
	NEED(s->fields != NULL ? memcmp(s->fields, hash, SHA256_LEN) == 0 : fields->count == 0, e,
	     CHY_JOURNAL_ACCOUNT, NULL, "what the store has to search it by is not what was filled in");
	return RC_OK;
}

enum rc
journal_removed(struct journal_verifier *v, const struct leaf_view *l, int64_t id, struct err *e)
{
	struct certificate_state *s = pairmap_get(&v->certificates, id, 0);
	char hex[2 * SHA256_LEN + 1];
	struct bytes hash;

	NEED(s != NULL, e, CHY_JOURNAL_ACCOUNT, NULL, "certificate %lld is not known", (long long)id);
	TRY(json_need_str(l->leaf, "certificate_sha256", &hash, e));
	NEED(bytes_is(hash, hex_text(hex, BYTES_OF(s->row.sha256))), e, CHY_JOURNAL_ACCOUNT, NULL,
	     "it names another certificate than the one that was issued");
	NEED(!s->row.found, e, CHY_JOURNAL_ACCOUNT, NULL, "it was removed before");
	s->row.found = true;
	return RC_OK;
}
