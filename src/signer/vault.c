#include "base/base.h"
#include "signer/vault.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/box.h"
#include "crypto/kdf.h"
#include "crypto/rand.h"

enum { KEY = 32, NONCE = 12, TAG = 16, MAGIC = 8 };

#define MASTER "master"
static const char magic[MAGIC] = { 'C', 'H', 'Y', 'B', 'O', 'X', '0', '1' };

struct vault {
	char dir[PATH_MAX];
	struct secret *master, *box;
};

static MUST enum rc
path_of(const struct vault *v, const char *name, char out[PATH_MAX], struct err *e)
{
	NEED(snprintf(out, PATH_MAX, "%s/%s", v->dir, name) < PATH_MAX, e, CHY_FILE_OPEN, NULL,
	     "path too long");
	return RC_OK;
}

static MUST enum rc
make_master(struct vault *v, const char *path, const struct secret *passphrase, struct err *e)
{
	OWN_BUF struct buf b = buf_max(1 << 10);

	NEED(secret_len(passphrase) > 0, e, CHY_SIGNER_PASSPHRASE, NULL, "the passphrase is empty");
	v->master = secret_new(KEY);
	NEED(v->master != NULL, e, CHY_NO_MEMORY, NULL, "the signer's master key");
	TRY(rand_bytes(secret_data(v->master), KEY, e));
	TRY(seal(secret_bytes(v->master), passphrase, BYTES("signer " MASTER), &b, e));
	return file_write(path, buf_bytes(&b), 0600, e);
}

static MUST enum rc
open_master(struct vault *v, const char *path, const struct secret *passphrase, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 10);
	struct err why = { 0 };
	struct bytes sealed;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the signer's master key");
	TRY(file_read(a, path, 4096, &sealed, e));
	if (unseal(sealed, passphrase, BYTES("signer " MASTER), &v->master, &why) != RC_OK)
		FAIL(e, why.code == CHY_SEAL_OPEN ? CHY_SIGNER_PASSPHRASE : CHY_SIGNER_KEY_FILE, NULL,
		     "%s: %s", path, why.text);
	NEED(secret_len(v->master) == KEY, e, CHY_SIGNER_KEY_FILE, NULL, "%s", path);
	return RC_OK;
}

enum rc
vault_open(const char *dir, const struct secret *passphrase, struct vault **ret, struct err *e)
{
	OWN(vault_free)
	struct vault *v = calloc(1, sizeof(*v));
	char path[PATH_MAX];

	NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "the key store");
	NEED(snprintf(v->dir, sizeof(v->dir), "%s", dir) < PATH_MAX, e, CHY_FILE_OPEN, NULL, "path too long");
	TRY(dir_make(dir, 0700, e));
	TRY(path_of(v, MASTER, path, e));
	if (access(path, F_OK) == 0)
		TRY(open_master(v, path, passphrase, e));
	else
		TRY(make_master(v, path, passphrase, e));
	TRY(box_key(v->master, BYTES("chancery signer boxes 1"), &v->box, e));
	*ret = v;
	v = NULL;
	return RC_OK;
}

void
vault_free(struct vault *v)
{
	if (v == NULL)
		return;
	secret_free(v->master);
	secret_free(v->box);
	free(v);
}

const struct secret *
vault_box_key(const struct vault *v)
{
	return v->box;
}

/* AES-256-GCM one way or the other; in and out may be of the same length only. */
static bool
gcm(const struct vault *v, bool seal_it, const uint8_t *nonce, const char *name, struct bytes in,
    uint8_t *out, uint8_t *tag)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok = c != NULL &&
	    EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, secret_data(v->master), nonce, seal_it) == 1 &&
	    EVP_CipherUpdate(c, NULL, &n, (const uint8_t *)name, (int)strlen(name)) == 1 &&
	    EVP_CipherUpdate(c, out, &n, in.p, (int)in.n) == 1;

	if (ok && !seal_it)
		ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1;
	ok = ok && EVP_CipherFinal_ex(c, out + in.n, &n) == 1;
	if (ok && seal_it)
		ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

enum rc
vault_write(const struct vault *v, const char *name, struct bytes plain, struct err *e)
{
	OWN_BUF struct buf b = buf_max(VAULT_FILE_MAX);
	uint8_t nonce[NONCE], tag[TAG], *room;
	char path[PATH_MAX];

	TRY(path_of(v, name, path, e));
	TRY(rand_bytes(nonce, sizeof(nonce), e));
	buf_put(&b, BYTES_OF(magic));
	buf_put(&b, BYTES_OF(nonce));
	room = buf_room(&b, plain.n + TAG);
	NEED(room != NULL, e, CHY_TOO_LONG, NULL, "%s: %zu bytes", name, plain.n);
	NEED(gcm(v, true, nonce, name, plain, room, tag), e, CHY_CRYPTO_LIBRARY, NULL, "AES-256-GCM");
	b.n += plain.n;
	buf_put(&b, BYTES_OF(tag));
	return file_write(path, buf_bytes(&b), 0600, e);
}

enum rc
vault_read(const struct vault *v, const char *name, struct secret **ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(2 * VAULT_FILE_MAX);
	OWN(secret_free)
	struct secret *s = NULL;
	struct bytes all, nonce, tag;
	uint8_t tag_copy[TAG];
	char path[PATH_MAX];
	struct rd r;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	TRY(path_of(v, name, path, e));
	TRY(file_read(a, path, VAULT_FILE_MAX, &all, e));
	r = rd_of(all);
	NEED(all.n >= MAGIC + NONCE + TAG && bytes_eq(rd_take(&r, MAGIC), BYTES_OF(magic)), e,
	     CHY_SIGNER_KEY_FILE, NULL, "%s", path);
	nonce = rd_take(&r, NONCE);
	all = rd_take(&r, rd_left(&r) - TAG);
	tag = rd_take(&r, TAG);
	memcpy(tag_copy, tag.p, TAG);
	s = secret_new(all.n + 1);
	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	NEED(gcm(v, false, nonce.p, name, all, secret_data(s), tag_copy), e, CHY_SIGNER_KEY_FILE, NULL,
	     "%s: altered, or not of this key store", path);
	secret_cut(s, all.n);
	*ret = s;
	s = NULL;
	return RC_OK;
}
