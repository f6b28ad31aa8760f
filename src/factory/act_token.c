/* token.issue: soft tokens. The keys are made by the signer and durable, sealed, with the officer's signature; then come the
   certificates, each found again by its idempotency key after an interruption; the file is in the same commit as they. */
#include "base/base.h"
#include "factory/act_token.h"

#include "crypto/digest.h"
#include "crypto/rand.h"
#include "factory/issue.h"
#include "factory/tokens.h"
#include "policy/find.h"
#include "policy/rights.h"
#include "signer/client_token.h"
#include "store/read.h"

#define ARCHIVE_KEY "key-archive"

enum { CHAIN_MAX = 16 };

/* ---- preparing ---- */

static enum rc
may_make(const struct snapshot *policy, const struct officer *who, const struct token_procedure *t,
	 struct err *e)
{
	if (token_issues(t))
		TRY(may_issue(policy, who, t->doc, e));
	if (token_recovers(t))
		TRY(may_role(who, ROLES(ROLE_RECOVER_KEY), e));
	return RC_OK;
}

static enum rc
find_procedure(const struct snapshot *policy, const struct officer *who, const struct json *body,
	       const struct token_procedure **ret, struct err *e)
{
	const struct document *d;

	TRY(find_named(policy, KIND_TOKEN_PROCEDURE, body, "token_procedure", who->domain, &d, e));
	*ret = snapshot_token_procedure(policy, d->id);
	NEED(*ret != NULL, e, CHY_REF_NOTHING, NULL, "no such token procedure");
	NEED(d->active, e, CHY_ISSUE_TOKEN_CLOSED, NULL, "token procedure \"%.*s\" is closed",
	     BYTES_FMT(d->name));
	NEED((*ret)->why_not.code == CHY_NONE, e, CHY_ISSUE_UNUSABLE, NULL, "token procedure \"%.*s\": %s",
	     BYTES_FMT(d->name), (*ret)->why_not.text);
	NEED((*ret)->storage == STORAGE_PKCS12 && (*ret)->pin != NULL, e, CHY_TOKEN_PROFILE, NULL,
	     "its storage profile is %s", storage_profile_name((*ret)->storage));
	return RC_OK;
}

/* The holder whose keys are recovered, by the whole subject; empty: not said. */
static enum rc
read_holder(struct arena *a, const struct json *body, struct bytes *ret, struct err *e)
{
	struct bytes text = BYTES_NONE;
	struct name name;

	*ret = BYTES_NONE;
	TRY(json_opt_str(body, "holder", &text, e));
	if (text.n == 0)
		return RC_OK;
	TRY_AT(name_from_text(a, text, &name, e), e, "holder");
	*ret = name.der;
	return RC_OK;
}

static void
add_line(struct preparation *p, const char *field, const char *label, struct bytes value)
{
	struct json *o = json_object(p->a);

	json_set(o, "field", json_str(p->a, bytes_str(field)));
	json_set(o, "label", json_str(p->a, bytes_str(label)));
	json_set(o, "old", json_null(p->a));
	json_set(o, "new", json_str(p->a, value));
	json_add(p->difference, o);
}

/* Signed in our own writing of it. */
static enum rc
check_holder(struct preparation *p, const struct token_procedure *t, struct err *e)
{
	OWN_BUF struct buf text = buf_max(8 << 10);
	struct bytes holder;

	TRY(read_holder(p->a, p->body, &holder, e));
	if (holder.n == 0)
		return RC_OK;
	err_field(e, "holder");
	NEED(token_recovers(t), e, CHY_TOKEN_INPUT_UNWANTED, NULL, "the token procedure recovers no keys");
	err_clear(e);
	name_put_der_text(&text, holder);
	json_set(p->body, "holder", json_str(p->a, buf_bytes(&text)));
	add_line(p, "holder", "Keys from the archive of", buf_bytes(&text));
	return RC_OK;
}

enum rc
token_act_check(struct preparation *p, struct err *e)
{
	static const char *const names[] = { "token_procedure", "input", "holder",
					     "revocation_password_sha256", NULL };
	struct json *input;
	const struct token_procedure *t;
	struct choice_asked choice;
	struct token_input in;

	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	TRY(json_only(p->body, names, e));
	TRY_AT(find_procedure(p->policy, p->who, p->body, &t, e), e, "token_procedure");
	TRY_AT(may_make(p->policy, p->who, t, e), e, "token_procedure");
	json_set(p->body, "token_procedure", json_int(p->a, t->doc->id.v));
	TRY(json_need_object(p->body, "input", &input, e));
	TRY_AT(token_input_read(p->a, t, input, &in, e), e, "input");
	TRY(choice_read(p->body, &choice, e));
	TRY(token_choices(t, &in.publication_said, &in.publication, choice.sha256.n > 0, e));
	add_line(p, "input", "Soft token for", in.holder);
	TRY(check_holder(p, t, e));
	return RC_OK;
}

/* ---- with the signature: secrets and keys ---- */

static enum rc
start(struct effect *x, struct token_making *m, struct err *e)
{
	struct json *input;

	*m = (struct token_making){ .x = x, .who = snapshot_officer(x->policy, x->signer) };
	NEED(m->who != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "the officer is gone");
	TRY(find_procedure(x->policy, m->who, x->request->body, &m->t, e));
	TRY(choice_read(x->request->body, &m->choice, e));
	TRY(json_need_object(x->request->body, "input", &input, e));
	TRY(token_input_read(x->a, m->t, input, &m->in, e));
	TRY(read_holder(x->a, x->request->body, &m->meant, e));
	m->archived_of = m->in.holder;
	if (m->meant.n > 0)
		TRY(token_holder(x->a, m->meant, &m->archived_of, e));
	if (name_is_empty(m->in.subject))
		m->in.holder = m->archived_of;
	return RC_OK;
}

static enum rc
generate_pin(const struct pin_procedure *p, struct secret **ret, struct err *e)
{
	const char *alphabet = token_pin_alphabet(p);
	size_t n = strlen(alphabet), most = 256 - 256 % n;
	OWN(secret_free)
	struct secret *pin = secret_new(p->generated_length);
	uint8_t byte;

	NEED(pin != NULL, e, CHY_NO_MEMORY, NULL, "a PIN");
	for (size_t i = 0; i < p->generated_length;) {
		TRY(rand_bytes(&byte, 1, e));
		if (byte < most) /* each character as likely as the others */
			secret_data(pin)[i++] = (uint8_t)alphabet[byte % n];
	}
	*ret = pin;
	pin = NULL;
	return RC_OK;
}

static enum rc
take_pin(struct token_making *m, struct bytes given, struct secret **ret, struct err *e)
{
	const struct pin_procedure *p = m->t->pin;

	if (p->method == PIN_SHOWN) {
		NEED(given.n == 0, e, CHY_TOKEN_PIN_UNWANTED, NULL, "the server makes the PIN");
		return generate_pin(p, ret, e);
	}
	NEED(given.n > 0, e, CHY_TOKEN_PIN_MISSING, NULL, "the officer chooses the PIN");
	TRY(token_pin_check(p, given, e));
	*ret = secret_of(given);
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "a PIN");
	return RC_OK;
}

static enum rc
take_secrets(struct token_making *m, struct bytes *ret_pin_box, struct err *e)
{
	static const char *const names[] = { "pin", "revocation_password", NULL };
	struct bytes pin = BYTES_NONE;
	OWN(secret_free)
	struct secret *s = NULL;
	char label[SIGNER_LABEL_MAX];

	if (m->x->secrets != NULL) {
		NEED(m->x->secrets->type == JSON_OBJECT, e, CHY_JSON_TYPE, NULL, "secrets: an object");
		TRY(json_only(m->x->secrets, names, e));
		TRY(json_opt_str(m->x->secrets, "pin", &pin, e));
	}
	TRY_AT(choice_form(&m->choice, m->x->secrets, &m->revocation, e), e, "secrets");
	TRY_AT(take_pin(m, pin, &s, e), e, "secrets.pin");
	snprintf(label, sizeof(label), "pin/%lld", (long long)m->x->request->id.v);
	return signer_token_pin(m->x->f->signer, label, s, SIGNER_WAIT_MS, m->x->a, ret_pin_box, e);
}

enum rc
token_new_key(struct token_making *m, struct token_key_row **ret, struct err *e)
{
	NEED(m->n < SIGNER_TOKEN_KEYS, e, CHY_P12_TOO_MUCH, NULL, "more than %d keys in a token",
	     SIGNER_TOKEN_KEYS);
	*ret = &m->keys[m->n];
	**ret = (struct token_key_row){ .token = m->x->request->id.v,
					.n = (int64_t)m->n,
					.certificate = factory_new_id(m->x->f),
					.holder = m->in.holder };
	m->n++;
	return RC_OK;
}

/* The key for each place is another one: where the place is changed, what is archived stays with the key of before. */
static const char *
archive_key(const struct factory *f, struct arena *a)
{
	uint8_t sha[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	if (strcmp(f->key_archive, "software") == 0)
		return ARCHIVE_KEY;
	sha256(bytes_str(f->key_archive), sha);
	return arena_printf(a, ARCHIVE_KEY "-%.16s", hex_text(hex, BYTES_OF(sha)));
}

/* The archive's key is made when it is first needed. */
static enum rc
need_archive(struct factory *f, struct arena *a, const char *label, struct err *e)
{
	struct signer_key k;
	enum rc rc;

	NEED(label != NULL, e, CHY_NO_MEMORY, NULL, "the key archive");
	rc = signer_key_public(f->signer, label, SIGNER_WAIT_MS, a, &k, e);
	if (rc != RC_NOT_FOUND)
		return rc;
	err_clear(e);
	rc = signer_key_generate(f->signer, label, SIGNER_ARCHIVE, "p-384", f->key_archive, SIGNER_WAIT_MS, a,
				 &k, e);
	if (rc != RC_OK && e->code == CHY_SIGNER_KEY_EXISTS) {
		err_clear(e);
		return RC_OK;
	}
	return rc;
}

static enum rc
make_key(struct token_making *m, const struct procedure *p, struct err *e)
{
	const char *archive = token_archives(m->t, p) ? archive_key(m->x->f, m->x->a) : NULL;
	bool archived = token_archives(m->t, p);
	struct token_key_made made;
	struct token_key_row *k;
	char label[SIGNER_LABEL_MAX], bound[SIGNER_LABEL_MAX], kind[KEY_NAME_MAX];

	TRY(token_new_key(m, &k, e));
	snprintf(label, sizeof(label), "key/%lld/%lld", (long long)k->token, (long long)k->n);
	snprintf(bound, sizeof(bound), "certificate/%lld", (long long)k->certificate);
	if (archived)
		TRY_AT(need_archive(m->x->f, m->x->a, archive, e), e, "key_archive");
	TRY(signer_token_key(m->x->f->signer, key_type_text(kind, p->key_type), label, archive,
			     archived ? bound : NULL, SIGNER_WAIT_MS, m->x->a, &made, e));
	k->certificate_procedure = p->doc->id.v;
	k->archive = archived ? bytes_str(archive) : BYTES_NONE;
	k->spki = made.spki;
	k->box = made.box;
	k->envelope = made.envelope;
	return RC_OK;
}

/* What issuing a certificate for one of the keys is asked with. */
static enum rc
call_of(const struct token_making *m, const struct token_key_row *k, struct issue_call *c, struct err *e)
{
	const struct token_input *in = &m->in;
	struct effect *x = m->x;

	*c = (struct issue_call){ .f = x->f, .arena = arena_new(LIMIT_REQUEST_ARENA) };
	NEED(c->arena != NULL, e, CHY_NO_MEMORY, NULL, "issuing");
	c->request = (struct issue_request){
		.word = WORD_REQUEST,
		.request = x->request->id,
		.officer = x->signer,
		.token_procedure = bytes_str(arena_printf(
		    c->arena, "%lld", (long long)json_get(x->request->body, "token_procedure")->integer)),
		.not_before_ms = in->not_before_ms,
		.not_after_ms = in->not_after_ms,
		.idempotency_key = bytes_str(
		    arena_printf(c->arena, "request %lld, key %lld", (long long)k->token, (long long)k->n)),
		.publication_said = in->publication_said,
		.publication = in->publication,
		.revocation_sha256 = m->choice.sha256,
		.spki = k->spki,
		.subject = in->subject,
		.input = json_get(x->request->body, "input"),
		.san = in->san,
		.certificate_procedure = doc_id_of(k->certificate_procedure),
		.token = k->token,
		.token_n = k->n,
		.certificate = k->certificate,
	};
	return RC_OK;
}

static enum rc
try_key(struct token_making *m, const struct token_key_row *k, struct err *e)
{
	struct issue_call c;
	enum rc rc;

	if (k->certificate_procedure == 0)
		return RC_OK;
	TRY(call_of(m, k, &c, e));
	rc = issue_try(&c, e);
	arena_free(c.arena);
	return rc;
}

enum rc
token_act_bring(struct effect *x, struct change *c, struct err *e)
{
	struct token_making m;
	struct bytes pin;

	TRY(start(x, &m, e));
	TRY(may_make(x->policy, m.who, m.t, e));
	TRY(take_secrets(&m, &pin, e));
	for (size_t i = 0; i < m.t->procedures_n; i++)
		TRY(make_key(&m, m.t->procedures[i], e));
	for (size_t i = 0; i < m.t->keys_n; i++)
		if (m.t->keys[i]->action == KEY_RECOVER)
			TRY(token_recover(&m, m.t->keys[i], e));
	/* all or nothing: what one certificate is refused for refuses the token before anything is made */
	for (size_t i = 0; i < m.n; i++)
		TRY(try_key(&m, &m.keys[i], e));
	change_put_token(c,
			 &(struct token_row){ .id = x->request->id.v,
					      .officer_id = x->signer.v,
					      .token_procedure = m.t->doc->id.v,
					      .at = clock_now_ms(),
					      .state = BYTES("made"),
					      .holder = m.in.holder,
					      .pin = pin });
	for (size_t i = 0; i < m.n; i++) {
		change_put_token_key(c, &m.keys[i]);
		if (m.keys[i].certificate_procedure != 0 && (m.revocation.n > 0 || m.in.publication_said))
			change_put_choice(c,
					  &(struct choice_row){ .certificate = m.keys[i].certificate,
								.publication = m.in.publication,
								.revocation_password = m.revocation });
	}
	return RC_OK;
}

/* What was chosen for certificates stays: one of them may have been signed, and is taken over from the signer's journal. */
void
token_act_abandon(int64_t request, struct change *c)
{
	change_token_failed(c, request);
}

/* ---- afterwards: certificates and the file ---- */

struct token_work {
	struct effect *x;
	struct token_making m;
	struct token_key_row *keys;
	size_t n;
	struct token_part parts[SIGNER_TOKEN_KEYS];
	struct bytes issuers[64];
	size_t issuers_n;
};

static enum rc
certify(struct token_work *w, const struct token_key_row *k, struct bytes *ret, struct err *e)
{
	struct issue_call c;
	enum rc rc;

	if (k->certificate_procedure == 0)
		return store_der(w->x->f->store, w->x->a, k->certificate, ret, e);
	TRY(call_of(&w->m, k, &c, e));
	c.into = w->x->change;
	rc = issue_wait(&c);
	if (rc == RC_OK) {
		*ret = arena_dup(w->x->a, c.certificate);
		if (ret->p == NULL)
			rc = err_set(e, CHY_NO_MEMORY, NULL, "a certificate");
	} else {
		*e = c.err;
	}
	arena_free(c.arena);
	return rc;
}

static void
add_issuer(struct token_work *w, const struct authority *x)
{
	if (x->certificate.n > 0 && w->issuers_n < ARRAY_LEN(w->issuers))
		w->issuers[w->issuers_n++] = x->certificate;
}

/* The chain of one CA by the token procedure's policy: all, none, the root, the issuing one. */
static void
add_chain(struct token_work *w, const struct authority *x)
{
	enum issuer_certificates which = w->m.t->issuers;

	for (int i = 0; x != NULL && which != ISSUERS_NONE && i < CHAIN_MAX; i++, x = x->issuer) {
		bool root = x->issuer == NULL || x->issuer == x;

		if (which == ISSUERS_ALL || (which == ISSUERS_ISSUING && i == 0) ||
		    (which == ISSUERS_ROOT && root))
			add_issuer(w, x);
		if (root)
			break;
	}
}

/* Of the certificates of a procedure: the chain that it names, where it names one. */
static void
add_chain_of(struct token_work *w, const struct procedure *p)
{
	enum issuer_certificates which = w->m.t->issuers;

	if (p->chain_n == 0)
		add_chain(w, p->authority);
	for (size_t i = 0; i < p->chain_n; i++)
		if (which == ISSUERS_ALL || (which == ISSUERS_ISSUING && i == 0) ||
		    (which == ISSUERS_ROOT && i == p->chain_n - 1))
			add_issuer(w, p->chain[i]);
}

/* The CA of a recovered certificate that none of the certificate procedures uses. */
static enum rc
add_recovered_chain(struct token_work *w, const struct token_key_row *k, struct err *e)
{
	struct certificate_row row;
	const struct authority *x;

	TRY(store_certificate(w->x->f->store, w->x->a, k->certificate, &row, e));
	x = snapshot_authority(w->x->policy, doc_id_of(row.issuer));
	for (size_t i = 0; i < w->m.t->procedures_n; i++)
		if (w->m.t->procedures[i]->authority == x)
			return RC_OK; /* it is there */
	if (x != NULL && w->m.t->issuers_of_recovered)
		add_chain(w, x);
	return RC_OK;
}

static enum rc
add_issuers(struct token_work *w, struct err *e)
{
	for (size_t i = 0; i < w->m.t->procedures_n; i++)
		add_chain_of(w, w->m.t->procedures[i]);
	for (size_t i = 0; i < w->n; i++) {
		const struct procedure *p = snapshot_procedure(w->x->policy,
							       doc_id_of(w->keys[i].certificate_procedure));

		if (w->keys[i].certificate_procedure == 0)
			TRY(add_recovered_chain(w, &w->keys[i], e));
		else if (w->keys[i].source != 0 && p != NULL)
			add_chain_of(w, p);
	}
	return RC_OK;
}

/* "anna, Encryption": whose, and what for. */
static struct bytes
friendly_name(struct token_work *w, const struct token_key_row *k)
{
	const struct procedure *p = snapshot_procedure(w->x->policy, doc_id_of(k->certificate_procedure));
	const char *text = p
	    ? arena_printf(w->x->a, "%.*s, %.*s", BYTES_FMT(k->holder), BYTES_FMT(p->doc->name))
	    : arena_printf(w->x->a, "%.*s, recovered", BYTES_FMT(k->holder));
	struct bytes name = bytes_str(text ? text : "");

	while (name.n > 120 || !utf8_ok(name))
		name.n--;
	return name;
}

static enum rc
set_part(struct token_work *w, size_t i, struct bytes certificate, struct err *e)
{
	const struct token_key_row *k = &w->keys[i];
	struct token_part *p = &w->parts[i];

	*p = (struct token_part){ .certificate = certificate, .name = friendly_name(w, k) };
	if (k->source != 0) {
		p->archive = arena_str(w->x->a, k->archive);
		p->label = arena_printf(w->x->a, "certificate/%lld", (long long)k->source);
		p->sealed = k->envelope;
	} else {
		p->label = arena_printf(w->x->a, "key/%lld/%lld", (long long)k->token, (long long)k->n);
		p->sealed = k->box;
	}
	NEED(p->label != NULL, e, CHY_NO_MEMORY, NULL, "a token");
	return RC_OK;
}

static enum rc
build(struct token_work *w, const struct token_row *row, struct bytes *ret, struct err *e)
{
	struct token_build b = { .parts = w->parts,
				 .parts_n = w->n,
				 .issuers = w->issuers,
				 .issuers_n = w->issuers_n,
				 .pin_box = row->pin };
	struct bytes style = BYTES_NONE;

	TRY(json_opt_str(w->m.t->doc->body, "encryption", &style, e));
	b.legacy = bytes_is(style, "legacy");
	b.label = arena_printf(w->x->a, "file/%lld", (long long)row->id);
	b.pin_label = arena_printf(w->x->a, "pin/%lld", (long long)row->id);
	b.context = bytes_str(arena_printf(w->x->a, "request %lld", (long long)row->id));
	return signer_token_build(w->x->f->signer, &b, SIGNER_WAIT_MS, w->x->a, ret, e);
}

static enum rc
put_outcome(struct token_work *w, const struct token_row *row, struct bytes file, struct err *e)
{
	struct json *m = json_object(w->x->a), *made = json_array(w->x->a), *archived = json_array(w->x->a),
		    *recovered = json_array(w->x->a);

	for (size_t i = 0; i < w->n; i++) {
		const struct token_key_row *k = &w->keys[i];

		if (k->certificate_procedure != 0)
			json_add(made, json_int(w->x->a, k->certificate));
		if (k->source != 0) {
			json_add(recovered, json_int(w->x->a, k->source));
			change_put_recovery(w->x->change,
					    &(struct recovery_row){
						.certificate = k->source,
						.token = row->id,
						.at = clock_now_ms(),
						.issued = k->certificate_procedure ? k->certificate : 0 });
		} else if (k->archive.n > 0) {
			json_add(archived, json_int(w->x->a, k->certificate));
		}
	}
	json_set(w->x->result, "token", json_int(w->x->a, row->id));
	json_set(w->x->result, "certificates", json_copy(w->x->a, made));
	json_set(w->x->result, "archived", json_copy(w->x->a, archived));
	json_set(w->x->result, "recovered", json_copy(w->x->a, recovered));
	json_set(m, "token", json_int(w->x->a, row->id));
	json_set(m, "certificates", made);
	json_set(m, "archived", archived);
	json_set(m, "recovered", recovered);
	json_set(m, "by", by_request(w->x->a, w->x->request->id));
	TRY(leaf_add(w->x->f, w->x->a, w->x->change, LEAF_TOKEN, 0, row->id, m, e));
	change_token_ready(w->x->change, row->id, w->m.t->pin->method == PIN_SHOWN ? row->pin : BYTES_NONE,
			   file, clock_now_ms() + TOKEN_KEPT_MS);
	return RC_OK;
}

enum rc
token_act_work(struct effect *x, struct err *e)
{
	struct token_work w = { .x = x };
	struct token_row row;
	struct bytes file;

	TRY(start(x, &w.m, e));
	TRY(store_token(x->f->store, x->a, x->request->id.v, &row, e));
	TRY(store_token_keys(x->f->store, x->a, row.id, &w.keys, &w.n, e));
	NEED(w.n >= 1 && w.n <= SIGNER_TOKEN_KEYS, e, CHY_P12_TOO_MUCH, NULL, "%zu keys", w.n);
	for (size_t i = 0; i < w.n; i++) {
		struct bytes certificate;

		TRY(certify(&w, &w.keys[i], &certificate, e));
		TRY(set_part(&w, i, certificate, e));
	}
	FAULT("factory.token-certified");
	TRY(add_issuers(&w, e));
	TRY(build(&w, &row, &file, e));
	FAULT("factory.token-built");
	return put_outcome(&w, &row, file, e);
}

enum rc
token_act_apply(struct effect *x, struct change *c, struct err *e)
{
	return RC_OK; /* all of it is in the change */
}
