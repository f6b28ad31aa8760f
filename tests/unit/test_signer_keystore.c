/* What the key store makes of files that are whole but say something wrong. */
#include "test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rd.h"
#include "crypto/crypto.h"
#include "signer/keystore.h"
#include "signer/vault.h"

struct store {
	char dir[64];
	struct secret *passphrase;
	struct keystore *keys;
};

/* A key's file, taken apart as keystore.c writes it. */
struct file {
	uint8_t version, class;
	struct bytes where, spki, pkcs8, rest;
};

static int
setup(void **state)
{
	struct store *s = calloc(1, sizeof(*s));

	snprintf(s->dir, sizeof(s->dir), "/tmp/chy-keystore-XXXXXX");
	s->passphrase = secret_of(BYTES("correct horse"));
	*state = s;
	return mkdtemp(s->dir) == NULL || s->passphrase == NULL || crypto_init(NULL) != RC_OK;
}

static int
drop_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	return remove(path);
}

static int
teardown(void **state)
{
	struct store *s = *state;

	keystore_free(s->keys);
	secret_free(s->passphrase);
	nftw(s->dir, drop_one, 8, FTW_DEPTH | FTW_PHYS);
	free(s);
	return 0;
}

static enum rc
reopen(struct store *s, struct err *e)
{
	keystore_free(s->keys);
	s->keys = NULL;
	return keystore_open(s->dir, s->passphrase, NULL, 0, &s->keys, e);
}

static void
make(struct store *s, const char *label, const char *kind)
{
	struct err e = { 0 };
	struct skey *k;

	if (keystore_generate(s->keys, bytes_str(label), SIGNER_JOURNAL, kind, BYTES("software"), &k, &e) !=
	    RC_OK)
		fail_msg("%s: %s", label, e.text);
}

static struct file
take_apart(const struct secret *plain)
{
	struct rd r = rd_of(secret_bytes(plain));
	struct file f = { .version = rd_u8(&r), .class = rd_u8(&r) };

	f.where = rd_lv(&r);
	f.spki = rd_lv(&r);
	f.pkcs8 = rd_lv(&r);
	f.rest = rd_take(&r, rd_left(&r));
	assert_true(rd_ok(&r) && f.pkcs8.n > 0);
	return f;
}

static void
write_back(struct store *s, const char *name, const struct file *f)
{
	OWN(vault_free)
	struct vault *v = NULL;
	OWN_BUF struct buf b = buf_max(VAULT_FILE_MAX / 2);

	buf_u8(&b, f->version);
	buf_u8(&b, f->class);
	buf_lv(&b, f->where);
	buf_lv(&b, f->spki);
	buf_lv(&b, f->pkcs8);
	buf_put(&b, f->rest);
	assert_ok(vault_open(s->dir, s->passphrase, &v, NULL));
	assert_ok(vault_write(v, name, buf_bytes(&b), NULL));
}

/* The private key of one under the name and the public key of another, and the other way about. */
static void
software_keys_belong_to_their_records(void **state)
{
	static const char *const kinds[] = { "p-256", "rsa-2048", "ed25519" };
	struct store *s = *state;
	struct err e = { 0 };

	assert_ok(reopen(s, &e));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		OWN(vault_free)
		struct vault *v = NULL;
		OWN(secret_free)
		struct secret *mine = NULL;
		OWN(secret_free)
		struct secret *others = NULL;
		struct file good, bad;

		make(s, "mine", kinds[i]);
		make(s, "others", kinds[i]);
		assert_ok(reopen(s, &e));
		assert_int_equal(keystore_count(s->keys), 2);
		assert_ok(vault_open(s->dir, s->passphrase, &v, NULL));
		assert_ok(vault_read(v, "keys/mine.key", &mine, NULL));
		assert_ok(vault_read(v, "keys/others.key", &others, NULL));
		good = bad = take_apart(mine);
		bad.pkcs8 = take_apart(others).pkcs8;
		write_back(s, "keys/mine.key", &bad);
		assert_code(reopen(s, &e), CHY_SIGNER_KEY_CHANGED);
		assert_null(s->keys);
		bad = good;
		bad.spki = take_apart(others).spki;
		write_back(s, "keys/mine.key", &bad);
		assert_code(reopen(s, &e), CHY_SIGNER_KEY_CHANGED);
		bad = good;
		bad.pkcs8 = bytes_part(good.pkcs8, 0, good.pkcs8.n - 1);
		write_back(s, "keys/mine.key", &bad);
		assert_code(reopen(s, &e), CHY_SIGNER_KEY_FILE);
		write_back(s, "keys/mine.key", &good);
		assert_ok(reopen(s, &e));
		assert_ok(keystore_delete(s->keys, keystore_find(s->keys, BYTES("mine")), &e));
		assert_ok(keystore_delete(s->keys, keystore_find(s->keys, BYTES("others")), &e));
	}
}

static const struct CMUnitTest tests[] = {
	{ "software_keys_belong_to_their_records", software_keys_belong_to_their_records, setup, teardown,
	  NULL },
};
TESTS_MAIN(tests)
