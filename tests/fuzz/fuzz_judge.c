/*
 * Any bytes as a certificate before the judge, and as a public key before the checks and the import. Where both readers
 * take a certificate it must not crash to compare them.
 */
#include "base/base.h"
#include "crypto/judge.h"
#include "crypto/verify.h"
#include "crypto/weak.h"

#include <openssl/err.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

/* A key that passes the checks can be imported: verifying fails for the signature only. */
static void
try_key(struct bytes spki)
{
	struct err e = { 0 };
	struct pubkey key;
	struct key_type type;

	if (pubkey_parse(spki, &key, NULL) != RC_OK || key_check(&key, NULL, NULL) != RC_OK)
		return;
	type = pubkey_type(&key);
	check(verify_with(&key, sigalg_default(&type), BYTES("x"), BYTES("y"), &e) != RC_OK);
	check(e.code == CHY_SIGNATURE_WRONG || e.code == CHY_ALGORITHM_MISSING);
}

/* The verdict is the same whether the library reads the key with the certificate or has read it before. */
static void
judge_twice(struct arena *a, struct bytes der, const struct cert *c)
{
	OWN(judge_key_free)
	struct judge_key *key = NULL;
	struct judgement whole, by_key;

	if (judge_key_new(c->spki, &key, NULL) != RC_OK ||
	    judge_cert(a, der, BYTES_NONE, c, &whole, NULL) != RC_OK ||
	    judge_cert_of_key(a, der, key, c, &by_key, NULL) != RC_OK)
		return;
	check(whole.count == by_key.count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(4 << 20);
	struct bytes in = bytes_of(data, n);
	struct judgement j;
	struct cert c;

	if (a == NULL)
		return 0;
	if (judge_cert(a, in, in, NULL, &j, NULL) == RC_OK)
		check((j.count == 0) == (j.first == NULL));
	try_key(in);
	if (cert_parse(a, in, &c, NULL) == RC_OK) {
		try_key(c.spki);
		judge_twice(a, in, &c);
	}
	check(ERR_peek_error() == 0);
	return 0;
}
