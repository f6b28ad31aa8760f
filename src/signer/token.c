/* Soft tokens: their keys, PINs and files. Private keys are in the clear in this process only, and only while they are made
   or put into a file; what others keep of them is boxes and envelopes (crypto/box.h). */
#include "base/base.h"
#include "signer/core_impl.h"

#include "crypto/box.h"
#include "crypto/digest.h"
#include "crypto/p12_token.h"
#include "crypto/softkey.h"
#include "pki/cert.h"
#include "signer/newkey.h"

enum { JOB_ARENA = 1 << 20, FILE_MAX = LIMIT_FRAME - 256, ENTRY_NAME_MAX = P12_NAME_MAX };

/* What boxes are for; a box is opened only for what its label says, so that none gives a key to whoever asks for a PIN. */
#define FOR_KEY "key/"
#define FOR_PIN "pin/"
#define FOR_FILE "file/"

struct entry {
	struct secret *pkcs8;
	struct bytes certificate, name;
};

struct token_job {
	struct token_job *next;
	struct arena *mem;
	uint16_t type;
	uint64_t id;
	/* TOKEN_KEY */
	char kind[KEY_NAME_MAX];
	struct bytes label, archive_label, archive_spki;
	/* TOKEN_BUILD */
	enum p12_style style;
	struct secret *pin;
	struct entry entries[SIGNER_TOKEN_KEYS];
	struct bytes issuers[P12_ISSUERS_MAX];
	size_t entries_n, issuers_n;
};

struct token_shop {
	struct signer_core *c;
	pthread_t thread;
	bool running, stop;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct token_job *first, **last;
	size_t waiting;
};

/* ---- jobs ---- */

static void
job_free(struct token_job *j)
{
	if (j == NULL)
		return;
	for (size_t i = 0; i < j->entries_n; i++)
		secret_free(j->entries[i].pkcs8);
	secret_free(j->pin);
	arena_free(j->mem);
}
OWN_DEFINE(struct token_job *, job_free)

static MUST enum rc
job_new(const struct item *it, struct token_job **ret, struct err *e)
{
	struct arena *mem = arena_new(JOB_ARENA);
	struct token_job *j = mem ? arena_one(mem, struct token_job) : NULL;

	if (j == NULL) {
		arena_free(mem);
		FAIL(e, CHY_NO_MEMORY, NULL, "a token");
	}
	j->mem = mem;
	j->type = it->in.type;
	j->id = it->in.id;
	*ret = j;
	return RC_OK;
}

static MUST enum rc
keep(struct token_job *j, struct bytes b, struct bytes *ret, struct err *e)
{
	*ret = arena_dup(j->mem, b);
	NEED(ret->p != NULL, e, CHY_NO_MEMORY, NULL, "a token");
	return RC_OK;
}

/* ---- making a key ---- */

/* The private key's octets to whoever keeps them. The archive's label and the key itself are bound in. */
static enum rc
archive_label(struct buf *out, struct bytes label, struct bytes spki, struct err *e)
{
	uint8_t hash[SHA256_LEN];

	sha256(spki, hash);
	buf_put(out, label);
	buf_u8(out, 0);
	buf_put(out, BYTES_OF(hash));
	NEED(buf_ok(out), e, CHY_NO_MEMORY, NULL, "a label");
	return RC_OK;
}

static enum rc
put_archived(struct token_job *j, struct bytes spki, struct bytes pkcs8, struct buf *out, struct err *e)
{
	OWN_BUF struct buf label = buf_max(1 << 10), envelope = buf_max(ENVELOPE_MAX);

	if (j->archive_spki.n > 0) {
		TRY(archive_label(&label, j->archive_label, spki, e));
		TRY(envelope_seal(j->archive_spki, buf_bytes(&label), pkcs8, &envelope, e));
	}
	buf_lv(out, buf_bytes(&envelope));
	return RC_OK;
}

static enum rc
make_key(struct signer_core *c, struct token_job *j, struct buf *out, struct err *e)
{
	OWN(secret_free)
	struct secret *pkcs8 = NULL;
	OWN(softkey_free)
	struct softkey *k = NULL;
	OWN_BUF struct buf box = buf_max(BOX_MAX + BOX_OVERHEAD);

	NEED(!fault_fails("signer.token-key"), e, CHY_CRYPTO_LIBRARY, NULL, "making a key (fault point)");
	FAULT("signer.token-before-key");
	TRY(newkey_pkcs8(j->kind, &pkcs8, e));
	/* tried once: this is the proof that whoever gets it possesses the private key */
	TRY(softkey_from_pkcs8(secret_bytes(pkcs8), &k, e));
	TRY(box_seal(keystore_box_key(c->o.keys), j->label, secret_bytes(pkcs8), &box, e));
	buf_lv(out, softkey_spki(k));
	buf_lv(out, buf_bytes(&box));
	TRY(put_archived(j, softkey_spki(k), secret_bytes(pkcs8), out, e));
	FAULT("signer.token-after-key");
	return RC_OK;
}

/* ---- making a file ---- */

static enum rc
make_file(struct signer_core *c, struct token_job *j, struct buf *out, struct err *e)
{
	struct p12_entry entries[SIGNER_TOKEN_KEYS] = { 0 };
	OWN_BUF struct buf file = buf_max(FILE_MAX), box = buf_max(FILE_MAX + BOX_OVERHEAD);
	struct softkey *keys[SIGNER_TOKEN_KEYS] = { 0 };
	enum rc rc = RC_OK;
	size_t i;

	FAULT("signer.token-before-file");
	for (i = 0; rc == RC_OK && i < j->entries_n; i++) {
		rc = softkey_from_pkcs8(secret_bytes(j->entries[i].pkcs8), &keys[i], e);
		entries[i] = (struct p12_entry){ keys[i], j->entries[i].certificate, j->entries[i].name };
	}
	if (rc == RC_OK)
		rc = p12_token(j->style, entries, j->entries_n, j->issuers, j->issuers_n, j->pin, &file, e);
	for (i = 0; i < ARRAY_LEN(keys); i++)
		softkey_free(keys[i]);
	TRY(rc);
	TRY(box_seal(keystore_box_key(c->o.keys), j->label, buf_bytes(&file), &box, e));
	buf_lv(out, buf_bytes(&box));
	FAULT("signer.token-after-file");
	return RC_OK;
}

static enum rc
job_do(struct signer_core *c, struct token_job *j, struct buf *payload, struct err *e)
{
	return j->type == SIGNER_TOKEN_KEY ? make_key(c, j, payload, e) : make_file(c, j, payload, e);
}

static void
job_answer(struct signer_core *c, struct token_job *j)
{
	OWN_BUF struct buf payload = buf_max(2 * LIMIT_FRAME);
	struct err e = { 0 };
	enum rc rc = job_do(c, j, &payload, &e);

	if (rc == RC_OK && !buf_ok(&payload))
		(void)err_set(&e, CHY_NO_MEMORY, NULL, "a token");
	if (e.code != CHY_NONE)
		LOG(WARNING, "signer.refused", LI("type", j->type), LE(&e));
	core_answer_later(c, j->type, j->id, buf_bytes(&payload), &e);
}

/* ---- the thread ---- */

static void *
shop_main(void *arg)
{
	struct token_shop *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		struct token_job *j = s->first;

		if (j == NULL) {
			pthread_cond_wait(&s->more, &s->lock);
			continue;
		}
		s->first = j->next;
		if (s->first == NULL)
			s->last = &s->first;
		s->waiting--;
		pthread_mutex_unlock(&s->lock);
		job_answer(s->c, j);
		job_free(j);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

enum rc
token_shop_new(struct signer_core *c, struct token_shop **ret, struct err *e)
{
	struct token_shop *s = calloc(1, sizeof(*s));

	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "the signer");
	s->c = c;
	s->last = &s->first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->more, NULL);
	*ret = s;
	s->running = pthread_create(&s->thread, NULL, shop_main, s) == 0;
	NEED(s->running, e, CHY_SYSTEM, NULL, "a thread for tokens");
	return RC_OK;
}

void
token_shop_free(struct token_shop *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
	if (s->running)
		pthread_join(s->thread, NULL);
	while (s->first != NULL) {
		struct token_job *j = s->first;

		s->first = j->next;
		job_free(j);
	}
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* Takes *j over. Without a socket (tests, fuzzing) it is done at once. */
static MUST enum rc
shop_put(struct signer_core *c, struct item *it, struct token_job **j, struct err *e)
{
	struct token_shop *s = c->shop;
	bool full;

	if (c->fd < 0)
		return job_do(c, *j, &it->payload, e);
	pthread_mutex_lock(&s->lock);
	full = s->waiting >= SIGNER_TOKENS_QUEUE;
	if (!full) {
		*s->last = *j;
		s->last = &(*j)->next;
		s->waiting++;
		pthread_cond_signal(&s->more);
	}
	pthread_mutex_unlock(&s->lock);
	NEED(!full, e, CHY_SIGNER_BUSY, NULL, "%d tokens wait", SIGNER_TOKENS_QUEUE);
	it->later = true;
	*j = NULL;
	return RC_OK;
}

/* ---- requests ---- */

static MUST enum rc
whole(const struct rd *r, struct err *e)
{
	NEED(rd_done(r), e, CHY_SIGNER_MESSAGE, NULL, "truncated, or more than was expected");
	return RC_OK;
}

/* "key/12/0": what it is for, and what of whose. */
static MUST enum rc
check_label(struct bytes label, const char *purpose, struct err *e)
{
	NEED(label.n > strlen(purpose) && label.n <= SIGNER_LABEL_MAX && bytes_starts(label, purpose), e,
	     CHY_SIGNER_LABEL, NULL, "a box for \"%s\" is needed", purpose);
	return RC_OK;
}

static MUST enum rc
archive_key(struct signer_core *c, struct bytes label, struct skey **ret, struct err *e)
{
	*ret = signer_label_ok(label) ? keystore_find(c->o.keys, label) : NULL;
	NEED(*ret != NULL, e, CHY_SIGNER_NO_KEY, NULL, "%.*s", BYTES_FMT(bytes_part(label, 0, 64)));
	NEED((*ret)->class == SIGNER_ARCHIVE, e, CHY_SIGNER_KEY_CLASS, NULL, "%s is no archive key",
	     (*ret)->label);
	return RC_OK;
}

enum rc
token_key(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes kind = rd_lv(r), label = rd_lv(r), archive = rd_lv(r), bound = rd_lv(r);
	OWN(job_free)
	struct token_job *j = NULL;
	struct skey *k;

	TRY(whole(r, &it->e));
	TRY(check_label(label, FOR_KEY, &it->e));
	NEED(kind.n > 0 && kind.n < KEY_NAME_MAX && bound.n <= SIGNER_LABEL_MAX, &it->e, CHY_SIGNER_MESSAGE,
	     NULL, "kind or label too long");
	TRY(job_new(it, &j, &it->e));
	snprintf(j->kind, sizeof(j->kind), "%.*s", BYTES_FMT(kind));
	TRY(keep(j, label, &j->label, &it->e));
	if (archive.n > 0) {
		TRY(archive_key(c, archive, &k, &it->e));
		TRY(keep(j, k->spki, &j->archive_spki, &it->e));
		TRY(keep(j, bound, &j->archive_label, &it->e));
	}
	return shop_put(c, it, &j, &it->e);
}

enum rc
token_pin(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r), pin = rd_lv(r);

	TRY(whole(r, &it->e));
	TRY(check_label(label, FOR_PIN, &it->e));
	NEED(pin.n > 0 && pin.n <= SIGNER_PIN_MAX, &it->e, CHY_SIGNER_MESSAGE, NULL, "a PIN of %zu bytes",
	     pin.n);
	FAULT("signer.token-before-pin");
	return box_seal(keystore_box_key(c->o.keys), label, pin, &it->payload, &it->e);
}

/* What leaves in the clear: a file that is under its PIN, and the PIN; never a key. */
enum rc
token_open(struct signer_core *c, struct item *it, struct rd *r)
{
	struct bytes label = rd_lv(r), box = rd_lv(r);
	OWN(secret_free)
	struct secret *plain = NULL;

	TRY(whole(r, &it->e));
	if (!bytes_starts(label, FOR_PIN))
		TRY(check_label(label, FOR_FILE, &it->e));
	FAULT("signer.token-before-open");
	TRY(box_open(keystore_box_key(c->o.keys), label, box, &plain, &it->e));
	buf_put(&it->payload, secret_bytes(plain));
	return RC_OK;
}

/* An archived key, of the certificate's own public key; written down before it goes anywhere. */
static MUST enum rc
open_archived(struct signer_core *c, struct bytes archive, struct bytes bound, struct bytes sealed,
	      struct bytes spki, struct bytes context, struct secret **ret, struct err *e)
{
	OWN_BUF struct buf label = buf_max(1 << 10);
	OWN(secret_free)
	struct secret *shared = NULL;
	struct bytes peer;
	struct skey *k;
	struct sj_record rec;

	TRY(archive_key(c, archive, &k, e));
	TRY(envelope_peer(sealed, &peer, e));
	TRY(archive_label(&label, bound, spki, e));
	TRY(keystore_agree(k, peer, &shared, e));
	TRY(envelope_open(shared, k->spki, buf_bytes(&label), sealed, ret, e));
	rec = (struct sj_record){ .at_ms = clock_now_ms(),
				  .type = SJ_RECOVERED,
				  .key = bytes_str(k->label),
				  .tbs = spki,
				  .context = context };
	return sj_add(c->o.journal, &rec, e);
}

/* One key: from a box (archive empty) or from the archive; its certificate says which key it must be. */
static MUST enum rc
take_entry(struct signer_core *c, struct token_job *j, struct rd *r, struct bytes context, bool *recovers,
	   struct err *e)
{
	struct bytes archive = rd_lv(r), label = rd_lv(r), sealed = rd_lv(r), der = rd_lv(r), name = rd_lv(r);
	struct entry *x = &j->entries[j->entries_n];
	struct cert cert;

	NEED(rd_ok(r) && label.n <= SIGNER_LABEL_MAX && name.n <= ENTRY_NAME_MAX && der.n <= LIMIT_CERT, e,
	     CHY_SIGNER_MESSAGE, NULL, "a key of a token");
	TRY(cert_parse(j->mem, der, &cert, e));
	TRY(keep(j, der, &x->certificate, e));
	TRY(keep(j, name, &x->name, e));
	j->entries_n++;
	if (archive.n > 0) {
		*recovers = true;
		return open_archived(c, archive, label, sealed, cert.spki, context, &x->pkcs8, e);
	}
	TRY(check_label(label, FOR_KEY, e));
	return box_open(keystore_box_key(c->o.keys), label, sealed, &x->pkcs8, e);
}

static MUST enum rc
take_entries(struct signer_core *c, struct token_job *j, struct rd *r, struct bytes context, struct err *e)
{
	bool recovers = false;
	size_t n = rd_u8(r), m;
	enum rc rc = RC_OK;

	NEED(n >= 1 && n <= SIGNER_TOKEN_KEYS, e, CHY_P12_TOO_MUCH, NULL, "%zu keys", n);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = take_entry(c, j, r, context, &recovers, e);
	m = rd_u8(r);
	for (size_t i = 0; rc == RC_OK && i < m && i < P12_ISSUERS_MAX; i++)
		rc = keep(j, rd_lv(r), &j->issuers[j->issuers_n++], e);
	if (rc == RC_OK && m > P12_ISSUERS_MAX)
		rc = err_set(e, CHY_P12_TOO_MUCH, NULL, "%zu issuers", m);
	if (rc == RC_OK)
		rc = whole(r, e);
	if (recovers && rc == RC_OK) {
		FAULT("signer.token-before-recovered");
		TRY(sj_commit(c->o.journal, e));
		FAULT("signer.token-after-recovered");
		return RC_OK;
	}
	if (recovers)
		sj_drop(c->o.journal);
	return rc;
}

enum rc
token_build(struct signer_core *c, struct item *it, struct rd *r)
{
	uint8_t style = rd_u8(r);
	struct bytes label = rd_lv(r), pin_label = rd_lv(r), pin = rd_lv(r), context = rd_lv(r);
	OWN(job_free)
	struct token_job *j = NULL;

	NEED(rd_ok(r) && style <= P12_LEGACY && context.n <= LIMIT_CONTEXT, &it->e, CHY_SIGNER_MESSAGE, NULL,
	     "a token");
	TRY(check_label(label, FOR_FILE, &it->e));
	TRY(check_label(pin_label, FOR_PIN, &it->e));
	TRY(core_journal_ready(c, &it->e));
	TRY(job_new(it, &j, &it->e));
	j->style = (enum p12_style)style;
	TRY(keep(j, label, &j->label, &it->e));
	TRY(box_open(keystore_box_key(c->o.keys), pin_label, pin, &j->pin, &it->e));
	TRY(take_entries(c, j, r, context, &it->e));
	return shop_put(c, it, &j, &it->e);
}
