/*
 * certificate.import: certificates that a foreign CA has issued, many in one request, each with an outcome of its own. They
 * stand among the others, under the authority that has issued them, so that whatever is done with certificates is done
 * with them; that their authority's key is not here tells them apart. What is on hold or revoked is so by the officer's word,
 * or by the revocation lists of the authority that were imported before.
 */
#include "base/base.h"
#include "factory/import.h"

#include "factory/card_serial.h"
#include "model/issue.h"

#include "crypto/digest.h"
#include "crypto/verify.h"
#include "policy/body.h"
#include "store/read.h"

enum { SUBJECT_MAX = 8 << 10, SAN_MAX = 64 << 10, SINCE_SLACK_MS = 300000 };

/* ---- the body ---- */

/* The state that an officer gives it; *ret_said: one is given. */
static enum rc
read_state(const struct json *item, struct import_wish *ret, bool *ret_said, struct err *e)
{
	struct bytes state = BYTES_NONE, reason = BYTES_NONE, since = BYTES_NONE, invalid = BYTES_NONE;

	*ret = (struct import_wish){ .cause = BYTES(HOLD_CAUSE_IMPORT), .at_ms = clock_now_ms() };
	TRY(json_opt_str(item, "state", &state, e));
	TRY(json_opt_str(item, "reason", &reason, e));
	TRY(json_opt_str(item, "since", &since, e));
	TRY(json_opt_str(item, "invalid_at", &invalid, e));
	*ret_said = state.n > 0;
	for (int i = CERT_VALID; i < CERT_STATE_COUNT; i++)
		if (bytes_is(state, cert_state_name(i)))
			ret->state = (enum cert_state)i;
	if (*ret_said && !bytes_is(state, cert_state_name(ret->state))) {
		err_field(e, "state");
		FAIL(e, CHY_FIELD_CHOICE, NULL, "valid, held or revoked");
	}
	if ((reason.n > 0 || invalid.n > 0) && ret->state != CERT_REVOKED) {
		err_field(e, reason.n > 0 ? "reason" : "invalid_at");
		FAIL(e, CHY_FIELD_UNAVAILABLE, NULL, "it belongs to what is revoked");
	}
	if ((since.n > 0) != (ret->state != CERT_VALID)) {
		err_field(e, "since");
		FAIL(e, since.n > 0 ? CHY_FIELD_UNAVAILABLE : CHY_FIELD_MISSING, NULL,
		     since.n > 0 ? "only what is on hold or revoked says since when"
				 : "what is on hold or revoked must say since when");
	}
	if (reason.n > 0)
		ret->reason = reason_of(reason);
	if (ret->reason == REASON_NONE || ret->reason == REASON_HOLD) {
		err_field(e, "reason");
		FAIL(e, CHY_FIELD_CHOICE, "RFC 5280 5.3.1", "\"%.*s\" is no reason",
		     BYTES_FMT(bytes_part(reason, 0, 60)));
	}
	if (since.n > 0)
		TRY_AT(time_parse(since, &ret->at_ms, e), e, "since");
	if (invalid.n > 0)
		TRY_AT(time_parse(invalid, &ret->invalid_at_ms, e), e, "invalid_at");
	if (ret->at_ms > clock_now_ms() + SINCE_SLACK_MS) {
		err_field(e, "since");
		FAIL(e, CHY_STATUS_INVALID_AT, NULL, "it lies in the future");
	}
	return RC_OK;
}

static enum rc
read_cert(struct arena *a, const struct json *item, struct cert *ret, struct err *e)
{
	struct err why = { 0 };
	struct bytes text, der;

	TRY(json_need_str(item, "certificate", &text, e));
	TRY_AT(base64_parse(a, text, &der, e), e, "certificate");
	NEED(cert_parse(a, der, ret, &why) == RC_OK, e, CHY_IMPORT_FORM, why.std, "not a certificate: %s",
	     why.text);
	return RC_OK;
}

/* ---- preparing: the form; what each certificate is worth is its outcome ---- */

static enum rc
check_item(struct preparation *p, const struct json *item, size_t i, struct err *e)
{
	static const char *const names[] = { "certificate", "state",       "reason", "since",
					     "invalid_at",  "card_serial", NULL };
	OWN_BUF struct buf subject = buf_max(SUBJECT_MAX);
	struct bytes label = BYTES("what cannot be read"), text, card;
	struct import_wish wish;
	struct err why = { 0 };
	struct cert c;
	bool said;

	NEED(item->type == JSON_OBJECT, e, CHY_JSON_TYPE, NULL, "a certificate: an object");
	TRY(json_only(item, names, e));
	TRY(json_need_str(item, "certificate", &text, e));
	TRY(read_state(item, &wish, &said, e));
	TRY(card_serial_read(item, &card, e));
	if (read_cert(p->a, item, &c, &why) == RC_OK) {
		name_put_der_text(&subject, c.subject);
		if (buf_ok(&subject) && utf8_ok(buf_bytes(&subject)))
			label = bytes_part(buf_bytes(&subject), 0, 300);
	}
	act_difference(p->a, p->difference, arena_printf(p->a, "certificates[%zu]", i),
		       utf8_ok(label) ? label : BYTES("a certificate"), BYTES_NONE,
		       said ? bytes_str(cert_state_label(wish.state)) : BYTES("imported"));
	if (card.n > 0)
		act_difference(p->a, p->difference, arena_printf(p->a, "certificates[%zu].card_serial", i),
			       BYTES("Card serial number"), BYTES_NONE, card);
	return RC_OK;
}

enum rc
import_act_check(struct preparation *p, struct err *e)
{
	static const char *const names[] = { "authority", "certificates", NULL };
	const struct authority *authority;
	struct json *list;
	size_t i = 0;

	TRY(json_only(p->in, names, e));
	TRY(import_authority(p, &authority, e));
	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	NEED(p->body != NULL && p->difference != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	json_set(p->body, "authority", json_int(p->a, authority->doc->id.v));
	TRY(json_need_array(p->in, "certificates", &list, e));
	if (list->count < 1 || list->count > LIMIT_IMPORT) {
		err_field(e, "certificates");
		FAIL(e, CHY_LIMIT, NULL, "1 to %d certificates", LIMIT_IMPORT);
	}
	JSON_EACH(item, list)
	{
		TRY_AT(check_item(p, item, i, e), e, "certificates[%zu]", i);
		i++;
	}
	return RC_OK;
}

/* ---- taking effect ---- */

/* A list that was imported before. */
struct known_list {
	struct crl crl;
	struct request_id request;
	char cause[IMPORT_CAUSE_MAX];
};

struct importing {
	struct effect *x;
	struct change *c;
	const struct authority *authority;
	struct known_list *lists;
	size_t lists_n;
	struct seen {
		struct bytes serial;
		uint8_t print[SHA256_LEN];
		struct import_wish asked;
		struct bytes card;
		const struct json *outcome;
	} seen[LIMIT_IMPORT]; /* of this request, so far */
	size_t seen_n;
	struct json *outcomes;
};

static enum rc
load_lists(struct importing *m, struct err *e)
{
	struct imported_crl_row *rows;

	TRY(store_imported_crls(m->x->f->store, m->x->a, m->authority->doc->id.v, &rows, &m->lists_n, e));
	m->lists = arena_array(m->x->a, m->lists_n + 1, sizeof(*m->lists));
	NEED(m->lists != NULL, e, CHY_NO_MEMORY, NULL, "revocation lists");
	for (size_t i = 0; i < m->lists_n; i++) {
		TRY(crl_parse(m->x->a, rows[i].der, &m->lists[i].crl, e));
		m->lists[i].request = request_id_of(rows[i].request_id);
		import_crl_cause(m->lists[i].cause, rows[i].scope);
	}
	return RC_OK;
}

static bool
list_has(const struct known_list *l, struct bytes serial, struct import_wish *ret)
{
	struct bytes rest = l->crl.entries;
	struct crl_entry entry;

	while (crl_next(&rest, &entry))
		if (bytes_eq(entry.serial, serial)) {
			*ret = import_crl_wish(&entry, bytes_str(l->cause), 0);
			return ret->state != CERT_VALID;
		}
	return false;
}

/* What it is from the first: revoked, by the officer or by a list; else on hold, by the officer or by a list. */
static void
first_state(const struct importing *m, struct bytes serial, bool said, struct import_wish *wish,
	    struct request_id *word)
{
	for (size_t i = 0; i < m->lists_n; i++) {
		bool by_officer = said && wish->state != CERT_VALID && word->v == m->x->request->id.v;
		struct import_wish w;

		if (!list_has(&m->lists[i], serial, &w) || wish->state == CERT_REVOKED ||
		    (w.state == CERT_HELD && by_officer))
			continue;
		*wish = w;
		*word = m->lists[i].request;
	}
}

static enum rc
put_leaf(struct importing *m, const struct certificate_row *row, struct bytes card, struct err *e)
{
	struct arena *a = m->x->a;
	struct json *members = json_object(a), *c = json_object(a), *fields = json_object(a);

	json_set(c, "issuer", json_int(a, row->issuer));
	json_set(c, "serial", json_hex(a, row->serial));
	json_set(c, "sha256", json_hex(a, row->fingerprint));
	json_set(c, "subject", json_str(a, row->subject));
	json_set(members, "certificate", c);
	json_set(members, "by", by_request(a, m->x->request->id));
	json_set(fields, "card_serial", json_str(a, card));
	if (card.n > 0)
		json_set(members, "fields", fields);
	return leaf_add(m->x->f, a, m->c, LEAF_IMPORTED, row->id, row->id, members, e);
}

static enum rc
texts_of(struct importing *m, const struct cert *c, struct certificate_row *row, struct err *e)
{
	OWN_BUF struct buf subject = buf_max(SUBJECT_MAX), san = buf_max(SAN_MAX);

	name_put_der_text(&subject, c->subject);
	cert_put_san_lines(&san, m->x->a, c);
	NEED(buf_ok(&subject) && buf_ok(&san), e, CHY_IMPORT_FORM, NULL, "its names are too long");
	row->subject = arena_dup(m->x->a, buf_bytes(&subject));
	row->san = arena_dup(m->x->a, buf_bytes(&san));
	NEED(row->subject.p != NULL && row->san.p != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
	NEED(utf8_ok(row->subject) && utf8_ok(row->san) &&
		 (row->subject.n == 0 || memchr(row->subject.p, 0, row->subject.n) == NULL) &&
		 (row->san.n == 0 || memchr(row->san.p, 0, row->san.n) == NULL),
	     e, CHY_IMPORT_FORM, NULL, "its names are no text");
	return RC_OK;
}

static enum rc
add_new(struct importing *m, const struct cert *c, struct import_wish wish, bool said, struct bytes card,
	struct json *o, struct err *e)
{
	struct status_subject s = { .is_new = true };
	struct request_id word = m->x->request->id;
	uint8_t key[SHA256_LEN], print[SHA256_LEN];
	struct certificate_row *row = &s.row;
	bool any = false;

	sha256(c->spki, key);
	sha256(c->der, print);
	first_state(m, c->serial, said, &wish, &word);
	*row = (struct certificate_row){ .id = factory_new_id(m->x->f),
					 .serial = c->serial,
					 .issuer = m->authority->doc->id.v,
					 .status = wish.state,
					 .not_before = c->not_before_at,
					 .not_after = c->not_after_at,
					 .request_id = m->x->request->id.v,
					 .key_hash = BYTES_OF(key),
					 .fingerprint = BYTES_OF(print) };
	TRY(texts_of(m, c, row, e));
	s.status = (struct status_row){
		.id = row->id, .issuer = row->issuer, .serial = row->serial, .not_after = row->not_after
	};
	json_set(o, "certificate", json_int(m->x->a, row->id));
	json_set(o, "outcome", json_str(m->x->a, BYTES("imported")));
	json_set(o, "state", json_str(m->x->a, bytes_str(cert_state_name(wish.state))));
	change_put_certificate(m->c, row, c->der);
	change_add_counter(m->c, "certificates.imported", 1);
	if (card.n > 0)
		change_put_field(m->c, &(struct field_row){ row->id, SEARCH_CARD, card });
	TRY(put_leaf(m, row, card, e));
	return wish.state == CERT_VALID ? RC_OK
					: import_put(m->x, m->c, m->x->a, &s, &wish, word, o, &any, e);
}

/* What was signed when it came stays: nothing is said again about the card. */
static enum rc
same_card(struct importing *m, int64_t id, struct bytes card, struct err *e)
{
	struct bytes known;

	if (card.n == 0)
		return RC_OK;
	TRY(card_serial_of(m->x->f, m->x->a, id, &known, e));
	if (bytes_eq(known, card))
		return RC_OK;
	err_field(e, "card_serial");
	FAIL(e, CHY_IMPORT_CARD, NULL, "certificate %lld was imported %s", (long long)id,
	     known.n > 0 ? "with another card's serial number" : "without a card's serial number");
}

/* It is here; a state that the officer gives it may be news. */
static enum rc
known(struct importing *m, const struct certificate_row *row, const struct import_wish *wish, bool said,
      struct json *o, struct err *e)
{
	struct status_subject s;
	bool any = false;

	json_set(o, "certificate", json_int(m->x->a, row->id));
	json_set(o, "state", json_str(m->x->a, bytes_str(cert_state_name(row->status))));
	if (said) {
		TRY(status_load(m->x->f, m->x->a, m->x->policy, row->id, false, &s, e));
		TRY(import_put(m->x, m->c, m->x->a, &s, wish, m->x->request->id, o, &any, e));
	}
	json_set(o, "outcome", json_str(m->x->a, any ? BYTES("changed") : BYTES("known")));
	return RC_OK;
}

/* The one before it in this request with its serial number; NULL: there is none. */
static const struct seen *
seen_before(const struct importing *m, struct bytes serial)
{
	for (size_t i = 0; i < m->seen_n; i++)
		if (bytes_eq(m->seen[i].serial, serial))
			return &m->seen[i];
	return NULL;
}

/* What becomes of it: a second one is known then. */
static void
remember(struct importing *m, const struct cert *c, const uint8_t print[SHA256_LEN],
	 const struct import_wish *asked, struct bytes card, const struct json *outcome)
{
	struct seen *s = &m->seen[m->seen_n];

	if (m->seen_n == LIMIT_IMPORT)
		return;
	*s = (struct seen){ .serial = c->serial, .asked = *asked, .outcome = outcome, .card = card };
	memcpy(s->print, print, SHA256_LEN);
	m->seen_n++;
}

static bool
is_same_wish(const struct import_wish *x, const struct import_wish *y)
{
	return x->state == y->state && x->reason == y->reason && x->invalid_at_ms == y->invalid_at_ms &&
	    (x->state == CERT_VALID || x->at_ms == y->at_ms);
}

/* The very same again is known by now; another one, or the same with another state, contradicts it. */
static enum rc
second(const struct importing *m, const struct seen *s, const uint8_t print[SHA256_LEN],
       const struct import_wish *asked, struct bytes card, struct json *o, struct err *e)
{
	static const char *const same[] = { "certificate", "state" };

	NEED(memcmp(s->print, print, SHA256_LEN) == 0, e, CHY_FIELD_TWICE, NULL,
	     "another certificate with its serial number stands before it");
	NEED(is_same_wish(&s->asked, asked), e, CHY_FIELD_TWICE, NULL, "it stands before with another state");
	NEED(card.n == 0 || bytes_eq(s->card, card), e, CHY_FIELD_TWICE, NULL,
	     "it stands before with another card's serial number, or with none");
	NEED(json_get(s->outcome, "problem") == NULL, e, CHY_FIELD_TWICE, NULL,
	     "it stands before, and was refused");
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		json_set(o, same[i], json_copy(m->x->a, json_get(s->outcome, same[i])));
	json_set(o, "outcome", json_str(m->x->a, BYTES("known")));
	return RC_OK;
}

static enum rc
import_one(struct importing *m, const struct json *item, struct json *o, struct err *e)
{
	const struct authority *x = m->authority;
	const struct seen *before;
	struct certificate_row row;
	uint8_t print[SHA256_LEN];
	struct import_wish wish;
	struct err why = { 0 };
	struct bytes card;
	struct cert c;
	bool said;
	enum rc rc;

	TRY(read_state(item, &wish, &said, e));
	TRY(card_serial_read(item, &card, e));
	TRY(read_cert(m->x->a, item, &c, e));
	json_set(o, "serial", json_hex(m->x->a, c.serial));
	TRY(import_certificate_fits(m->x->a, x, &c, e));
	NEED(verify_signature(x->spki, c.sigalg, c.tbs, c.signature, &why) == RC_OK, e, CHY_IMPORT_SIGNATURE,
	     NULL, "its signature is not that of \"%.*s\": %.200s", BYTES_FMT(x->doc->name), why.text);
	sha256(c.der, print);
	if ((before = seen_before(m, c.serial)) != NULL)
		return second(m, before, print, &wish, card, o, e);
	remember(m, &c, print, &wish, card, o);
	rc = store_certificate_by_serial(m->x->f->store, m->x->a, x->doc->id.v, c.serial, &row, e);
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		return add_new(m, &c, wish, said, card, o, e);
	}
	TRY(rc);
	NEED(bytes_eq(row.fingerprint, BYTES_OF(print)), e, CHY_IMPORT_OTHER, "RFC 5280 4.1.2.2",
	     "certificate %lld has this serial number", (long long)row.id);
	TRY(same_card(m, row.id, card, e));
	return known(m, &row, &wish, said, o, e);
}

/* A refusal is this certificate's outcome; what fails for another cause fails all. */
static enum rc
import_item(struct importing *m, const struct json *item, struct err *e)
{
	struct json *o = json_object(m->x->a);
	struct err why = { 0 };
	enum rc rc = import_one(m, item, o, &why);

	if (rc != RC_OK && !is_refusal(rc)) {
		*e = why;
		return rc;
	}
	if (rc != RC_OK) {
		json_set(o, "outcome", json_str(m->x->a, BYTES("refused")));
		json_set(o, "problem", problem_json(m->x->a, &why));
	}
	json_add(m->outcomes, o);
	return RC_OK;
}

enum rc
import_act_apply(struct effect *x, struct change *c, struct err *e)
{
	struct importing *m = arena_one(x->a, struct importing);
	struct json *list;

	NEED(m != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	*m = (struct importing){ .x = x, .c = c, .outcomes = json_array(x->a) };
	TRY(import_authority_signed(x, &m->authority, e));
	TRY(load_lists(m, e));
	TRY(json_need_array(x->request->body, "certificates", &list, e));
	JSON_EACH(item, list)
	TRY(import_item(m, item, e));
	json_set(x->result, "certificates", m->outcomes);
	FAULT("factory.before-import");
	return RC_OK;
}
