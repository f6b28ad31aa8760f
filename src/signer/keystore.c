#include "base/base.h"
#include "signer/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/box.h"
#include "crypto/digest.h"
#include "crypto/rand.h"
#include "crypto/softkey.h"
#include "signer/newkey.h"

#define FOLDER "keys"
#define SUFFIX ".key"
#define SOFTWARE "software"

enum { FILE_VERSION = 1, TOKENS_MAX = 64, KEY_ARENA = 256 << 10 };

struct token {
	char *uri; /* canonical text, without the object's part */
	struct p11_token *t;
};

struct keystore {
	char dir[PATH_MAX];
	struct vault *vault;
	struct p11 *p11;
	struct {
		char name[64];
		struct secret *pin;
	} pins[KEYSTORE_PINS_MAX];
	size_t n_pins;
	struct token tokens[TOKENS_MAX];
	size_t n_tokens;
	struct skey *keys[SIGNER_KEYS_MAX];
	size_t n;
};

struct skey_inside {
	struct arena *mem;
	struct arena *limits_mem; /* of the limits alone: they are replaced */
	struct softkey *soft;
	struct secret
	    *pkcs8; /* of a software key: kept, because its file is written again when limits are set */
	struct p11_token *token;
	struct p11_uri uri;   /* of the key; values in mem */
	pthread_mutex_t lock; /* of hw */
	struct p11_key *hw;   /* NULL: its token has not been there yet */
};

/* ---- making and freeing ---- */

static void
skey_free(struct skey *k)
{
	if (k == NULL)
		return;
	softkey_free(k->inside->soft);
	secret_free(k->inside->pkcs8);
	p11_key_free(k->inside->hw);
	arena_free(k->inside->limits_mem);
	arena_free(k->inside->mem);
	pthread_mutex_destroy(&k->inside->lock);
	free(k->inside);
	free(k);
}
OWN_DEFINE(struct skey *, skey_free)

static struct skey *
skey_new(struct bytes label, enum signer_class class)
{
	struct skey *k = calloc(1, sizeof(*k));
	struct skey_inside *in = calloc(1, sizeof(*in));

	if (k == NULL || in == NULL || (in->mem = arena_new(KEY_ARENA)) == NULL) {
		free(k);
		free(in);
		return NULL;
	}
	pthread_mutex_init(&in->lock, NULL);
	k->inside = in;
	k->class = class;
	snprintf(k->label, sizeof(k->label), "%.*s", BYTES_FMT(label));
	return k;
}

/* What the public key says about the key. */
static MUST enum rc
set_public(struct skey *k, struct bytes spki, struct err *e)
{
	char *kind = arena_alloc(k->inside->mem, KEY_NAME_MAX);
	struct pubkey pub;

	k->spki = arena_dup(k->inside->mem, spki);
	NEED(kind != NULL && k->spki.p != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	TRY(pubkey_parse(k->spki, &pub, e));
	k->type = pubkey_type(&pub);
	k->kind = key_type_text(kind, k->type);
	k->in_token = k->inside->soft == NULL;
	k->slow = k->in_token || k->type.alg == KEY_RSA;
	return RC_OK;
}

void
keystore_free(struct keystore *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		skey_free(s->keys[i]);
	for (size_t i = 0; i < s->n_tokens; i++) {
		p11_token_free(s->tokens[i].t);
		free(s->tokens[i].uri);
	}
	for (size_t i = 0; i < s->n_pins; i++)
		secret_free(s->pins[i].pin);
	p11_free(s->p11);
	vault_free(s->vault);
	free(s);
}

/* ---- tokens ---- */

static const struct secret *
pin_of(const struct keystore *s, const struct p11_uri *u)
{
	struct bytes name = u->attr[P11_MODULE_NAME];

	for (size_t i = 0; i < s->n_pins; i++)
		if (name.p != NULL ? bytes_is(name, s->pins[i].name) : s->n_pins == 1)
			return s->pins[i].pin;
	return NULL;
}

/* One connection for all keys of a token. */
static MUST enum rc
token_of(struct keystore *s, const struct p11_uri *key_uri, struct p11_token **ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(8 * P11_URI_MAX);
	struct p11_uri u = *key_uri;
	const char *text;

	NEED(u.attr[P11_PIN_SOURCE].p == NULL, e, CHY_P11_URI_PIN, NULL,
	     "pin-source: the signer's own configuration says it");
	u.attr[P11_ID] = u.attr[P11_OBJECT] = u.attr[P11_TYPE] = BYTES_NONE;
	u.type = P11_TYPE_ANY;
	p11_uri_put(&b, &u);
	text = buf_cstr(&b);
	NEED(text != NULL, e, CHY_NO_MEMORY, NULL, "a token");
	for (size_t i = 0; i < s->n_tokens; i++)
		if (strcmp(s->tokens[i].uri, text) == 0) {
			*ret = s->tokens[i].t;
			return RC_OK;
		}
	NEED(s->n_tokens < TOKENS_MAX, e, CHY_LIMIT, NULL, "%d tokens", TOKENS_MAX);
	NEED(p11_modules(s->p11) > 0, e, CHY_P11_MODULE, NULL, "the signer has no PKCS#11 module");
	TRY(p11_open_lazy(s->p11, &u, pin_of(s, &u), ret, e));
	s->tokens[s->n_tokens] = (struct token){ strdup(text), *ret };
	NEED(s->tokens[s->n_tokens].uri != NULL, e, CHY_NO_MEMORY, NULL, "a token");
	s->n_tokens++;
	return RC_OK;
}

/* ---- files ---- */

static void
file_name(char out[SIGNER_LABEL_MAX + 16], const char *label)
{
	snprintf(out, SIGNER_LABEL_MAX + 16, FOLDER "/%s" SUFFIX, label);
}

static MUST enum rc
save(struct keystore *s, const struct skey *k, struct err *e)
{
	struct buf b = buf_max(VAULT_FILE_MAX / 2);
	char name[SIGNER_LABEL_MAX + 16];
	enum rc rc;

	buf_u8(&b, FILE_VERSION);
	buf_u8(&b, (uint8_t)k->class);
	buf_lv(&b, bytes_str(k->where));
	buf_lv(&b, k->spki);
	buf_lv(&b, k->inside->pkcs8 ? secret_bytes(k->inside->pkcs8) : BYTES_NONE);
	buf_u8(&b, k->limited);
	if (k->limited)
		signer_limits_put(&b, &k->limits);
	file_name(name, k->label);
	rc = buf_ok(&b) ? vault_write(s->vault, name, buf_bytes(&b), e)
			: err_set(e, CHY_NO_MEMORY, NULL, "key %s", k->label);
	buf_wipe(&b);
	return rc;
}

/* Copies the limits into memory of their own, then lets the old ones go. */
static MUST enum rc
adopt_limits(struct skey *k, const struct signer_limits *l, struct err *e)
{
	struct arena *a = arena_new(64 << 10), *was = k->inside->limits_mem;
	struct signer_limits copy = *l;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "limits");
	copy.issuer = arena_dup(a, l->issuer);
	copy.name_constraints = arena_dup(a, l->name_constraints);
	copy.issuer_key = arena_dup(a, l->issuer_key);
	if (copy.issuer.p == NULL || copy.name_constraints.p == NULL || copy.issuer_key.p == NULL) {
		arena_free(a);
		FAIL(e, CHY_NO_MEMORY, NULL, "limits");
	}
	k->limits = copy;
	k->names.known = false;
	k->limited = true;
	k->inside->limits_mem = a;
	arena_free(was);
	return RC_OK;
}

static MUST enum rc
load_software(struct skey *k, struct bytes pkcs8, struct err *e)
{
	struct err why = { 0 };

	k->inside->pkcs8 = secret_of(pkcs8);
	NEED(k->inside->pkcs8 != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	NEED(softkey_from_pkcs8(secret_bytes(k->inside->pkcs8), &k->inside->soft, &why) == RC_OK, e,
	     CHY_SIGNER_KEY_FILE, NULL, "%s: %s", k->label, why.text);
	return RC_OK;
}

static MUST enum rc
load_reference(struct keystore *s, struct skey *k, struct err *e)
{
	TRY(p11_uri_parse(k->inside->mem, bytes_str(k->where), &k->inside->uri, e));
	TRY(token_of(s, &k->inside->uri, &k->inside->token, e));
	(void)keystore_there(k); /* away is no error */
	return RC_OK;
}

static MUST enum rc
parse(struct keystore *s, struct skey *k, struct rd *r, struct err *e)
{
	struct bytes where = rd_lv(r), spki = rd_lv(r), pkcs8 = rd_lv(r);
	struct signer_limits l;
	bool limited = rd_u8(r) == 1;

	NEED(rd_ok(r), e, CHY_SIGNER_KEY_FILE, NULL, "%s", k->label);
	if (limited) {
		TRY(signer_limits_get_from(r, &l, e));
		TRY(adopt_limits(k, &l, e));
	}
	NEED(rd_done(r), e, CHY_SIGNER_KEY_FILE, NULL, "%s", k->label);
	k->where = arena_str(k->inside->mem, where);
	NEED(k->where != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	if (strcmp(k->where, SOFTWARE) == 0)
		TRY(load_software(k, pkcs8, e));
	TRY(set_public(k, spki, e));
	/* certificates bear the recorded one: what this key signed would not verify */
	if (k->inside->soft != NULL)
		NEED(bytes_eq(softkey_spki(k->inside->soft), k->spki), e, CHY_SIGNER_KEY_CHANGED, NULL,
		     "%s: the private key does not belong to the public key recorded for it", k->label);
	return k->inside->soft ? RC_OK : load_reference(s, k, e);
}

static MUST enum rc
load(struct keystore *s, struct bytes label, struct err *e)
{
	OWN(secret_free)
	struct secret *plain = NULL;
	OWN(skey_free)
	struct skey *k = NULL;
	char name[SIGNER_LABEL_MAX + 16], text[SIGNER_LABEL_MAX + 1];
	uint8_t version, class;
	struct rd r;

	NEED(s->n < SIGNER_KEYS_MAX, e, CHY_SIGNER_KEYS_FULL, NULL, "%d keys", SIGNER_KEYS_MAX);
	snprintf(text, sizeof(text), "%.*s", BYTES_FMT(label));
	file_name(name, text);
	TRY(vault_read(s->vault, name, &plain, e));
	r = rd_of(secret_bytes(plain));
	version = rd_u8(&r);
	class = rd_u8(&r);
	NEED(version == FILE_VERSION && signer_class_name(class) != NULL, e, CHY_SIGNER_KEY_FILE, NULL, "%s",
	     name);
	k = skey_new(label, class);
	NEED(k != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	TRY(parse(s, k, &r, e));
	s->keys[s->n++] = k;
	k = NULL;
	return RC_OK;
}

/* "LABEL.key" */
static bool
label_of(const char *file, struct bytes *ret)
{
	struct bytes f = bytes_str(file);

	if (f.n <= sizeof(SUFFIX) - 1 ||
	    !bytes_is(bytes_part(f, f.n - (sizeof(SUFFIX) - 1), SIZE_MAX), SUFFIX))
		return false;
	*ret = bytes_part(f, 0, f.n - (sizeof(SUFFIX) - 1));
	return signer_label_ok(*ret);
}

static MUST enum rc
load_all(struct keystore *s, DIR *d, struct err *e)
{
	struct bytes label;

	for (struct dirent *f; (f = readdir(d)) != NULL;)
		if (label_of(f->d_name, &label))
			TRY_AT(load(s, label, e), e, "%s", f->d_name);
	return RC_OK;
}

static MUST enum rc
load_modules(struct keystore *s, const struct keystore_module *m, size_t n, struct err *e)
{
	TRY(p11_new(&s->p11, e));
	NEED(n <= KEYSTORE_PINS_MAX, e, CHY_LIMIT, NULL, "%zu modules", n);
	for (size_t i = 0; i < n; i++) {
		TRY_AT(p11_load(s->p11, m[i].name, m[i].path, e), e, "%s", m[i].name);
		snprintf(s->pins[i].name, sizeof(s->pins[i].name), "%s", m[i].name);
		s->pins[i].pin = m[i].pin ? secret_of(secret_bytes(m[i].pin)) : NULL;
		s->n_pins = i + 1;
	}
	return RC_OK;
}

enum rc
keystore_open(const char *dir, const struct secret *passphrase, const struct keystore_module *modules,
	      size_t n_modules, struct keystore **ret, struct err *e)
{
	OWN(keystore_free)
	struct keystore *s = calloc(1, sizeof(*s));
	char path[PATH_MAX];
	DIR *d;
	enum rc rc;

	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "the key store");
	NEED(snprintf(s->dir, sizeof(s->dir), "%s", dir) < PATH_MAX - 128, e, CHY_FILE_OPEN, NULL,
	     "path too long");
	snprintf(path, sizeof(path), "%.*s/" FOLDER, PATH_MAX - 128, dir);
	TRY(dir_make(path, 0700, e));
	TRY(vault_open(dir, passphrase, &s->vault, e));
	TRY(load_modules(s, modules, n_modules, e));
	d = opendir(path);
	NEED(d != NULL, e, CHY_FILE_OPEN, NULL, "%s: %s", path, strerror(errno));
	rc = load_all(s, d, e);
	closedir(d);
	TRY(rc);
	*ret = s;
	s = NULL;
	return RC_OK;
}

/* ---- looking ---- */

size_t
keystore_count(const struct keystore *s)
{
	return s->n;
}

struct skey *
keystore_at(struct keystore *s, size_t i)
{
	return s->keys[i];
}

struct skey *
keystore_find(struct keystore *s, struct bytes label)
{
	for (size_t i = 0; i < s->n; i++)
		if (bytes_is(label, s->keys[i]->label))
			return s->keys[i];
	return NULL;
}

bool
keystore_uses_modules(const struct keystore *s)
{
	return p11_modules(s->p11) > 0;
}

/* ---- making, deleting, limiting ---- */

static MUST enum rc
generate_software(struct skey *k, const char *kind, struct err *e)
{
	TRY(newkey_pkcs8(kind, &k->inside->pkcs8, e));
	TRY(softkey_from_pkcs8(secret_bytes(k->inside->pkcs8), &k->inside->soft, e));
	k->where = SOFTWARE;
	return set_public(k, softkey_spki(k->inside->soft), e);
}

/* The reference: as the request named the token, with the new key's id. */
static MUST enum rc
set_reference(struct skey *k, struct bytes id, struct err *e)
{
	OWN_BUF struct buf b = buf_max(8 * P11_URI_MAX);

	k->inside->uri.attr[P11_ID] = arena_dup(k->inside->mem, id);
	k->inside->uri.attr[P11_OBJECT] = k->inside->uri.attr[P11_TYPE] = BYTES_NONE;
	k->inside->uri.type = P11_TYPE_ANY;
	p11_uri_put(&b, &k->inside->uri);
	k->where = arena_str(k->inside->mem, buf_bytes(&b));
	NEED(buf_ok(&b) && k->where != NULL && k->inside->uri.attr[P11_ID].p != NULL, e, CHY_NO_MEMORY, NULL,
	     "a key");
	return RC_OK;
}

static MUST enum rc
generate_in_token(struct skey *k, const char *kind, struct err *e)
{
	uint8_t id[16];

	TRY(rand_bytes(id, sizeof(id), e));
	if (k->class == SIGNER_ARCHIVE)
		TRY(p11_key_generate_agreeing(k->inside->token, kind, BYTES_OF(id), bytes_str(k->label),
					      &k->inside->hw, e));
	else
		TRY(p11_key_generate(k->inside->token, kind, BYTES_OF(id), bytes_str(k->label),
				     &k->inside->hw, e));
	TRY(set_reference(k, BYTES_OF(id), e));
	return set_public(k, p11_key_spki(k->inside->hw), e);
}

enum rc
keystore_begin(struct keystore *s, struct bytes label, enum signer_class class, struct bytes where,
	       struct skey **ret, struct err *e)
{
	OWN(skey_free)
	struct skey *k = NULL;

	NEED(signer_label_ok(label), e, CHY_SIGNER_LABEL, NULL, "1 to %d of a-z A-Z 0-9 . _ -",
	     SIGNER_LABEL_MAX);
	NEED(keystore_find(s, label) == NULL, e, CHY_SIGNER_KEY_EXISTS, NULL, "%.*s", BYTES_FMT(label));
	NEED(s->n < SIGNER_KEYS_MAX, e, CHY_SIGNER_KEYS_FULL, NULL, "%d keys", SIGNER_KEYS_MAX);
	k = skey_new(label, class);
	NEED(k != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	if (!bytes_is(where, SOFTWARE)) {
		struct bytes own = arena_dup(k->inside->mem, where);

		NEED(own.p != NULL, e, CHY_NO_MEMORY, NULL, "a key");
		TRY_AT(p11_uri_parse(k->inside->mem, own, &k->inside->uri, e), e, "where");
		TRY_AT(token_of(s, &k->inside->uri, &k->inside->token, e), e, "where");
	}
	*ret = k;
	k = NULL;
	return RC_OK;
}

enum rc
keystore_make(struct skey *k, const char *kind, struct err *e)
{
	return k->inside->token == NULL ? generate_software(k, kind, e) : generate_in_token(k, kind, e);
}

void
keystore_drop(struct skey *k)
{
	skey_free(k);
}

static MUST enum rc
add(struct keystore *s, struct skey *k, struct err *e)
{
	NEED(keystore_find(s, bytes_str(k->label)) == NULL, e, CHY_SIGNER_KEY_EXISTS, NULL, "%s", k->label);
	NEED(s->n < SIGNER_KEYS_MAX, e, CHY_SIGNER_KEYS_FULL, NULL, "%d keys", SIGNER_KEYS_MAX);
	TRY(save(s, k, e));
	s->keys[s->n++] = k;
	return RC_OK;
}

enum rc
keystore_add(struct keystore *s, struct skey *k, struct err *e)
{
	enum rc rc = add(s, k, e);

	if (rc == RC_OK)
		return RC_OK;
	if (k->inside->hw != NULL && p11_key_delete(k->inside->hw, NULL) != RC_OK)
		err_field(e, "a key without reference was left in the token");
	skey_free(k);
	return rc;
}

enum rc
keystore_generate(struct keystore *s, struct bytes label, enum signer_class class, const char *kind,
		  struct bytes where, struct skey **ret, struct err *e)
{
	struct skey *k;
	enum rc rc;

	TRY(keystore_begin(s, label, class, where, &k, e));
	rc = keystore_make(k, kind, e);
	if (rc != RC_OK) {
		skey_free(k);
		return rc;
	}
	TRY(keystore_add(s, k, e));
	*ret = k;
	return RC_OK;
}

enum rc
keystore_delete(struct keystore *s, struct skey *k, struct err *e)
{
	char name[SIGNER_LABEL_MAX + 16], path[PATH_MAX];
	enum rc rc = RC_OK;

	/* away: its key would stay behind, and nobody would know of it */
	NEED(k->inside->soft != NULL || keystore_there(k), e, CHY_P11_AWAY, NULL,
	     "the key's token is not there");
	file_name(name, k->label);
	NEED(snprintf(path, sizeof(path), "%s/%s", s->dir, name) < PATH_MAX, e, CHY_FILE_WRITE, NULL,
	     "path too long");
	NEED(unlink(path) == 0, e, CHY_FILE_WRITE, NULL, "%s: %s", path, strerror(errno));
	if (k->inside->hw != NULL)
		rc = p11_key_delete(k->inside->hw, e);
	for (size_t i = 0; i < s->n; i++)
		if (s->keys[i] == k)
			s->keys[i] = s->keys[--s->n];
	skey_free(k);
	return rc;
}

enum rc
keystore_limit(struct keystore *s, struct skey *k, const struct signer_limits *l, struct err *e)
{
	struct skey next = *k;

	NEED(k->class == SIGNER_CA || k->class == SIGNER_OCSP, e, CHY_SIGNER_KEY_CLASS, NULL,
	     "only CA and OCSP keys have limits");
	TRY(limits_check_sense(l, &k->type, k->class, e));
	if (k->limited)
		TRY(limits_check_tighter(&k->limits, l, e));
	next.limited = true;
	next.limits = *l;
	TRY(save(s, &next, e));
	return adopt_limits(k, l, e);
}

/* ---- signing ---- */

/* The key in its token; looked for again until it is found once. From then on src/pkcs11 finds it again by itself. */
static MUST enum rc
hardware(struct skey *k, struct p11_key **ret, struct err *e)
{
	struct skey_inside *in = k->inside;
	enum rc rc = RC_OK;

	pthread_mutex_lock(&in->lock);
	if (in->hw == NULL)
		rc = p11_key_open(in->token, &in->uri, &in->hw, e);
	if (rc == RC_OK && !bytes_eq(p11_key_spki(in->hw), k->spki)) {
		p11_key_free(in->hw);
		in->hw = NULL;
		rc = err_set(e, CHY_SIGNER_KEY_CHANGED, NULL, "%s", k->label);
	}
	*ret = in->hw;
	pthread_mutex_unlock(&in->lock);
	return rc;
}

enum rc
keystore_sign_digest(struct skey *k, enum sigalg alg, struct bytes digest, struct buf *out, struct err *e)
{
	struct p11_key *hw;

	if (k->inside->soft != NULL) {
		if (sigalg_digest(alg) == DIGEST_NONE)
			return softkey_sign(k->inside->soft, alg, digest, out, e);
		return softkey_sign_digest(k->inside->soft, alg, digest, out, e);
	}
	TRY(hardware(k, &hw, e));
	return p11_sign(hw, alg, digest, out, e);
}

enum rc
keystore_sign(struct skey *k, enum sigalg alg, struct bytes message, struct buf *out, struct err *e)
{
	uint8_t digest[HASH_MAX];

	if (k->inside->soft != NULL)
		return softkey_sign(k->inside->soft, alg, message, out, e);
	switch (sigalg_digest(alg)) {
	case DIGEST_SHA256:
		sha256(message, digest);
		break;
	case DIGEST_SHA384:
		sha384(message, digest);
		break;
	case DIGEST_SHA512:
		sha512(message, digest);
		break;
	default:
		return keystore_sign_digest(k, alg, message, out, e);
	}
	return keystore_sign_digest(k, alg, bytes_of(digest, digest_len(sigalg_digest(alg))), out, e);
}

bool
keystore_there(struct skey *k)
{
	struct p11_key *hw;

	if (k->inside->soft != NULL)
		return true;
	return hardware(k, &hw, NULL) == RC_OK && p11_token_there(k->inside->token);
}

/* ---- archived keys ---- */

enum rc
keystore_agree(struct skey *k, struct bytes peer_spki, struct secret **ret, struct err *e)
{
	struct p11_key *hw;

	NEED(k->class == SIGNER_ARCHIVE, e, CHY_SIGNER_KEY_CLASS, NULL, "%s is no archive key", k->label);
	if (k->inside->soft != NULL)
		return softkey_agree(k->inside->soft, peer_spki, ret, e);
	TRY(hardware(k, &hw, e));
	return p11_agree(hw, peer_spki, ret, e);
}

const struct secret *
keystore_box_key(const struct keystore *s)
{
	return vault_box_key(s->vault);
}
