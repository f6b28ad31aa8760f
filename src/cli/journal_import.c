/* What foreign CAs have issued: leaves of imports, and the word that a change of such a certificate's state stands on. */
#include "base/base.h"
#include "cli/journal_import.h"

#include "pki/crl.h"

#include <stdlib.h>

/* ---- the requests ---- */

static enum rc
read_certificates(struct journal_verifier *v, struct arena *a, const struct json *body,
		  struct signed_request *r, struct err *e)
{
	struct json *list, *kept = json_object(v->mem), *states = json_array(v->mem);
	int64_t authority;

	TRY(json_need_int(body, "authority", 1, JSON_INT_MAX, &authority, e));
	TRY(json_need_array(body, "certificates", &list, e));
	r->csrs = arena_array(v->mem, list->count ? list->count : 1, SHA256_LEN);
	r->issued = arena_array(v->mem, list->count ? list->count : 1, sizeof(*r->issued));
	NEED(r->csrs && r->issued && kept && states, e, CHY_NO_MEMORY, NULL, "requests");
	JSON_EACH(item, list)
	{
		struct json *state = json_object(v->mem);
		struct bytes text, der;

		TRY(json_need_str(item, "certificate", &text, e));
		if (base64_parse(a, text, &der, NULL) == RC_OK) /* else it was refused */
			sha256(der, r->csrs + r->csrs_n * SHA256_LEN);
		r->csrs_n++;
		JSON_EACH(member, item)
		if (!bytes_is(member->name, "certificate"))
			json_set(state, arena_str(v->mem, member->name), json_copy(v->mem, member));
		json_add(states, state);
	}
	json_set(kept, "authority", json_int(v->mem, authority));
	json_set(kept, "certificates", states);
	r->body = kept;
	return RC_OK;
}

static int
by_serial(const void *a, const void *b)
{
	return bytes_cmp(((const struct crl_entry *)a)->serial, ((const struct crl_entry *)b)->serial);
}

static enum rc
read_list(struct journal_verifier *v, const struct json *body, struct signed_request *r, struct err *e)
{
	struct signed_list *l = arena_one(v->mem, struct signed_list);
	struct crl_entry entry;
	struct bytes text, der, rest;
	struct crl crl;

	NEED(l != NULL && (r->body = json_object(v->mem)) != NULL, e, CHY_NO_MEMORY, NULL, "requests");
	TRY(json_need_int(body, "authority", 1, JSON_INT_MAX, &l->authority, e));
	TRY(json_need_str(body, "crl", &text, e));
	TRY(base64_parse(v->mem, text, &der, e));
	TRY(crl_parse(v->mem, der, &crl, e));
	l->entries = arena_array(v->mem, crl.n + 1, sizeof(*l->entries));
	NEED(l->entries != NULL, e, CHY_NO_MEMORY, NULL, "a revocation list");
	for (rest = crl.entries; l->n < crl.n && crl_next(&rest, &entry);)
		l->entries[l->n++] = entry;
	qsort(l->entries, l->n, sizeof(*l->entries), by_serial);
	sha256(der, l->sha256);
	r->list = l;
	return RC_OK;
}

enum rc
journal_import_request(struct journal_verifier *v, struct arena *a, const struct json *body,
		       struct signed_request *r, struct err *e)
{
	return r->act.verb == ACT_IMPORT ? read_certificates(v, a, body, r, e) : read_list(v, body, r, e);
}

/* ---- the leaves ---- */

static enum rc
request_of(struct journal_verifier *v, int64_t id, enum act_verb verb, struct signed_request **ret,
	   struct err *e)
{
	*ret = pairmap_get(&v->requests, id, 0);
	NEED(*ret != NULL && (*ret)->signers_n >= act_signatures((*ret)->act) && (*ret)->act.verb == verb, e,
	     CHY_JOURNAL_SIGNATURE, NULL, "no officer had signed such an import as request %lld",
	     (long long)id);
	return RC_OK;
}

/* Which of the request's certificates it is; csrs_n: none. */
static size_t
place_of(const struct signed_request *r, const uint8_t sha[SHA256_LEN])
{
	size_t i = 0;

	while (i < r->csrs_n && memcmp(r->csrs + i * SHA256_LEN, sha, SHA256_LEN) != 0)
		i++;
	return i;
}

static const struct json *
nth(const struct json *list, size_t n)
{
	const struct json *x = list->first;

	while (x != NULL && n-- > 0)
		x = x->next;
	return x;
}

/* What was imported is searched by the card that the officer named, and by nothing else. */
static bool
same_card(const struct json *signed_item, const struct json *fields)
{
	const struct json *said = json_get(signed_item, "card_serial"),
			  *kept = json_get(fields, "card_serial");

	if (said == NULL || said->type == JSON_NULL)
		return fields == NULL;
	return kept != NULL && fields->count == 1 && json_eq(said, kept);
}

enum rc
journal_imported(struct journal_verifier *v, struct arena *a, const struct leaf_view *l,
		 struct certificate_state *s, struct err *e)
{
	const struct json *authority;
	struct signed_request *r;
	struct bytes hex, serial;
	size_t i;

	s->imported = true;
	TRY(json_need_str(json_get(l->leaf, "certificate"), "serial", &hex, e));
	TRY(hex_parse(a, hex, &serial, e));
	s->serial = arena_dup(v->mem, serial);
	TRY(request_of(v, s->request, ACT_IMPORT, &r, e));
	i = place_of(r, s->row.sha256);
	authority = json_get(r->body, "authority");
	NEED(i < r->csrs_n && !r->issued[i] && authority != NULL && authority->integer == s->issuer, e,
	     CHY_JOURNAL_SIGNATURE, NULL,
	     "the officer's request %lld does not import it, or not so often, or not under this authority",
	     (long long)s->request);
	r->issued[i] = true;
	NEED(same_card(nth(json_get(r->body, "certificates"), i), json_get(l->leaf, "fields")), e,
	     CHY_JOURNAL_SIGNATURE, NULL, "the officer's request %lld says another card's serial number",
	     (long long)s->request);
	return RC_OK;
}

enum rc
journal_imported_crl(struct journal_verifier *v, struct arena *a, const struct leaf_view *l, struct err *e)
{
	int64_t request, authority;
	struct signed_request *r;
	struct bytes hex, sha;
	struct json *by;

	TRY(json_need_object(l->leaf, "by", &by, e));
	TRY(json_need_int(by, "request", 1, JSON_INT_MAX, &request, e));
	TRY(json_need_int(l->leaf, "authority", 1, JSON_INT_MAX, &authority, e));
	TRY(json_need_str(l->leaf, "crl_sha256", &hex, e));
	TRY(hex_parse(a, hex, &sha, e));
	TRY(request_of(v, request, ACT_IMPORT_CRL, &r, e));
	NEED(!r->over && r->list->authority == authority && bytes_eq(sha, BYTES_OF(r->list->sha256)), e,
	     CHY_JOURNAL_SIGNATURE, NULL, "it is not the list that the officer signed");
	r->over = true;
	return RC_OK;
}

/* ---- states ---- */

static enum rc
same(const struct import_word *w, enum cert_state to, enum reason reason, int64_t since_ms,
     int64_t invalid_at_ms, struct err *e)
{
	NEED(w->verb ==
		 (to == CERT_REVOKED    ? STATUS_REVOKE
		      : to == CERT_HELD ? STATUS_HOLD
					: STATUS_REINSTATE),
	     e, CHY_JOURNAL_SIGNATURE, NULL, "what was imported says another state");
	NEED(to != CERT_REVOKED || (w->reason == reason && w->invalid_at_ms == invalid_at_ms), e,
	     CHY_JOURNAL_SIGNATURE, NULL, "what was imported says another reason or time");
	NEED(to == CERT_VALID || w->keeps_since || w->since_ms == since_ms, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "what was imported says another time since when");
	return RC_OK;
}

static int64_t
time_at(const struct json *o, const char *name)
{
	const struct json *v = json_get(o, name);
	int64_t ms = 0;

	if (v == NULL || v->type != JSON_STR || time_parse(v->str, &ms, NULL) != RC_OK)
		return 0;
	return ms;
}

static struct bytes
text_at(const struct json *o, const char *name)
{
	const struct json *v = json_get(o, name);

	return v != NULL && v->type == JSON_STR ? v->str : BYTES_NONE;
}

static enum rc
by_officer(const struct signed_request *r, const struct certificate_state *s, const struct import_word *w,
	   struct err *e)
{
	const struct json *list = json_get(r->body, "certificates"), *item = list ? list->first : NULL;
	size_t i = place_of(r, s->row.sha256);
	enum cert_state to = CERT_STATE_COUNT;
	struct bytes state, reason;

	NEED(i < r->csrs_n, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the officer's request does not name this certificate");
	for (; i > 0 && item != NULL; i--)
		item = item->next;
	state = text_at(item, "state");
	reason = text_at(item, "reason");
	for (int k = CERT_VALID; k < CERT_STATE_COUNT; k++)
		if (bytes_is(state, cert_state_name(k)))
			to = (enum cert_state)k;
	NEED(to != CERT_STATE_COUNT, e, CHY_JOURNAL_SIGNATURE, NULL, "the officer gave it no state");
	NEED(to == CERT_REVOKED || bytes_is(w->cause, HOLD_CAUSE_IMPORT), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "an import by hand has another cause");
	return same(w, to, reason.n > 0 ? reason_of(reason) : REASON_UNSPECIFIED, time_at(item, "since"),
		    time_at(item, "invalid_at"), e);
}

static enum rc
by_list(const struct signed_request *r, const struct certificate_state *s, const struct import_word *w,
	struct err *e)
{
	const struct crl_entry key = { .serial = s->serial }, *x = NULL;
	struct import_wish wish;

	NEED(r->list->authority == s->issuer, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the list is another authority's");
	if (r->list->n > 0)
		x = bsearch(&key, r->list->entries, r->list->n, sizeof(key), by_serial);
	wish = import_crl_wish(x, BYTES_NONE, 0);
	NEED(w->verb == STATUS_REVOKE || bytes_starts(w->cause, HOLD_CAUSE_CRL), e, CHY_JOURNAL_SIGNATURE,
	     NULL, "a revocation list has another cause");
	return same(w, wish.state, wish.reason, wish.at_ms, wish.invalid_at_ms, e);
}

enum rc
journal_import_word(struct journal_verifier *v, const struct certificate_state *s,
		    const struct import_word *w, struct err *e)
{
	struct signed_request *r = pairmap_get(&v->requests, w->request, 0);

	NEED(r != NULL && r->signers_n >= act_signatures(r->act), e, CHY_JOURNAL_SIGNATURE, NULL,
	     "request %lld had not its signatures", (long long)w->request);
	NEED(r->act.verb == ACT_IMPORT || r->act.verb == ACT_IMPORT_CRL, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the officers signed another act");
	NEED(pairmap_get(&v->statuses, w->request, w->certificate) == NULL, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "request %lld had taken effect on it already", (long long)w->request);
	TRY(r->act.verb == ACT_IMPORT ? by_officer(r, s, w, e) : by_list(r, s, w, e));
	return pairmap_put(&v->statuses, w->request, w->certificate, r, e);
}
