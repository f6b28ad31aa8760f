/* PKCS#12 and what tokens are sealed in: never a crash; what is read has a key and its certificate; boxes and envelopes open
   by no chance. */
#include "base/base.h"
#include "crypto/box.h"
#include "crypto/crypto.h"
#include "crypto/p12.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
sealed(struct bytes in)
{
	static struct secret *key;
	static struct softkey *archive;
	struct secret *out = NULL, *shared = NULL;
	struct bytes peer;

	if (key == NULL) {
		key = secret_of(BYTES("0123456789abcdef0123456789abcdef"));
		check(softkey_generate("p-256", &archive, NULL) == RC_OK);
	}
	check(box_open(key, BYTES("key/1"), in, &out, NULL) != RC_OK && out == NULL);
	if (envelope_peer(in, &peer, NULL) != RC_OK || softkey_agree(archive, peer, &shared, NULL) != RC_OK)
		return;
	check(envelope_open(shared, softkey_spki(archive), BYTES("x"), in, &out, NULL) != RC_OK &&
	      out == NULL);
	secret_free(shared);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct secret *password;
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct err e = { 0 };
	struct p12 p;

	if (password == NULL) {
		check(crypto_init(NULL) == RC_OK);
		password = secret_of(BYTES("pw"));
	}
	if (a == NULL || n > P12_MAX)
		return 0;
	sealed(bytes_of(data, n));
	if (p12_read(a, bytes_of(data, n), password, &p, &e) == RC_OK) {
		check(p.key != NULL && p.cert.n > 0 && p.chain_count <= P12_CHAIN_MAX);
		softkey_free(p.key);
	} else {
		check(e.code != CHY_NONE && p.key == NULL);
	}
	return 0;
}
