/* token.issue: soft tokens. The keys are made by the signer and durable, sealed, with the officer's signature; then come the
   certificates, each found again by its idempotency key after an interruption; the file is in the same commit as they. */
#include "base/base.h"
#include "factory/act_token.h"

#include "crypto/digest.h"
#include "crypto/rand.h"
#include "factory/issue.h"
#include "policy/find.h"
#include "policy/rights.h"
#include "signer/client_token.h"
#include "store/read.h"

#define ARCHIVE_KEY "key-archive"

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
	act_difference(p->a, p->difference, "holder", BYTES("Keys from the archive of"), BYTES_NONE,
		       buf_bytes(&text));
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
	act_difference(p->a, p->difference, "input", BYTES("Soft token for"), BYTES_NONE, in.holder);
	for (size_t i = 0; i < t->procedures_n; i++)
		TRY(validity_warning(p, t->procedures[i], 0, e));
	return check_holder(p, t, e);
}

/* ---- with the signature: secrets and keys ---- */

enum rc
token_start(struct effect *x, struct token_making *m, struct err *e)
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
enum rc
token_call_of(const struct token_making *m, const struct token_key_row *k, struct issue_call *c,
	      struct err *e)
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
	TRY(token_call_of(m, k, &c, e));
	rc = issue_try(&c, e);
	arena_free(c.arena);
	return rc;
}

enum rc
token_act_bring(struct effect *x, struct change *c, struct err *e)
{
	struct token_making m;
	struct bytes pin;

	TRY(token_start(x, &m, e));
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

/* Certificates that were signed for it are revoked as what nobody claims; what was chosen for them stays until then. */
void
token_act_abandon(int64_t request, struct change *c)
{
	change_token_failed(c, request);
}

enum rc
token_act_apply(struct effect *x, struct change *c, struct err *e)
{
	return RC_OK; /* all of it is in the change */
}
