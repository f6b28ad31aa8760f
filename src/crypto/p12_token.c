#include "base/base.h"
#include "crypto/p12_token.h"

#include <openssl/pkcs12.h>

#include "crypto/crypto.h"
#include "crypto/internal.h"
#include "crypto/softkey_key.h"
#include "crypto/x509.h"

static inline void
bags_free(STACK_OF(PKCS12_SAFEBAG) * s)
{
	sk_PKCS12_SAFEBAG_pop_free(s, PKCS12_SAFEBAG_free);
}

static inline void
safes_free(STACK_OF(PKCS7) * s)
{
	sk_PKCS7_pop_free(s, PKCS7_free);
}

OWN_DEFINE(STACK_OF(PKCS12_SAFEBAG) *, bags_free)
OWN_DEFINE(STACK_OF(PKCS7) *, safes_free)
OWN_DEFINE(PKCS12 *, PKCS12_free)

struct making {
	int algorithm, rounds;
	const EVP_MD *mac;
	const char *pin;
	STACK_OF(PKCS12_SAFEBAG) * keys, *certs;
};

/* The local key id is what ties a key to its certificate in the file (RFC 7292 4.2). */
static bool
key_id(X509 *x, uint8_t id[EVP_MAX_MD_SIZE], unsigned *n)
{
	return X509_digest(x, EVP_sha1(), id, n) == 1 && X509_keyid_set1(x, id, (int)*n) == 1;
}

static enum rc
add_entry(struct making *m, const struct p12_entry *entry, struct err *e)
{
	OWN(X509_free)
	X509 *x = x509_of(entry->certificate);
	uint8_t id[EVP_MAX_MD_SIZE];
	char name[P12_NAME_MAX + 1] = { 0 };
	PKCS12_SAFEBAG *bag;
	unsigned n;

	NEED(entry->name.n <= P12_NAME_MAX, e, CHY_TOO_LONG, NULL, "friendly name of %zu bytes",
	     entry->name.n);
	if (x == NULL)
		return ossl_fail(e, CHY_P12_FORM, NULL, "a certificate");
	if (X509_check_private_key(x, softkey_pkey(entry->key)) != 1)
		return ossl_fail(e, CHY_P12_FORM, NULL, "the certificate is not this key's");
	if (entry->name.n > 0)
		memcpy(name, entry->name.p, entry->name.n);
	if (!key_id(x, id, &n) ||
	    (name[0] != 0 && X509_alias_set1(x, (uint8_t *)name, (int)entry->name.n) != 1) ||
	    PKCS12_add_cert(&m->certs, x) == NULL)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "RFC 7292 4.2.3", "a certificate's bag");
	bag = PKCS12_add_key(&m->keys, softkey_pkey(entry->key), 0, m->rounds, m->algorithm, m->pin);
	if (bag == NULL || PKCS12_add_localkeyid(bag, id, (int)n) != 1 ||
	    (name[0] != 0 && PKCS12_add_friendlyname_utf8(bag, name, -1) != 1))
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "RFC 7292 4.2.2", "a key's bag");
	return RC_OK;
}

static bool
is_there(const struct bytes *list, size_t n, struct bytes der)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_eq(list[i], der))
			return true;
	return false;
}

static enum rc
add_issuer(struct making *m, struct bytes der, struct err *e)
{
	OWN(X509_free)
	X509 *x = x509_of(der);

	if (x == NULL || PKCS12_add_cert(&m->certs, x) == NULL)
		return ossl_fail(e, CHY_P12_FORM, NULL, "an issuer's certificate");
	return RC_OK;
}

static enum rc
put_file(struct making *m, struct buf *out, struct err *e)
{
	OWN(safes_free)
	STACK_OF(PKCS7) *safes = NULL;
	OWN(PKCS12_free)
	PKCS12 *file = NULL;
	uint8_t *to;
	int n;

	if (PKCS12_add_safe(&safes, m->certs, m->algorithm, m->rounds, m->pin) != 1 ||
	    PKCS12_add_safe(&safes, m->keys, -1, 0, NULL) != 1)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "RFC 7292 4.1", "PKCS#12");
	file = PKCS12_add_safes(safes, 0);
	if (file == NULL || PKCS12_set_mac(file, m->pin, -1, NULL, 0, m->rounds, m->mac) != 1)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "RFC 7292 4", "PKCS#12");
	n = i2d_PKCS12(file, NULL);
	if (n <= 0)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, "RFC 7292", "PKCS#12");
	to = buf_room(out, (size_t)n);
	NEED(to != NULL, e, CHY_P12_TOO_MUCH, NULL, "a file of %d bytes", n);
	i2d_PKCS12(file, &to);
	out->n += (size_t)n;
	return RC_OK;
}

static enum rc
fill(struct making *m, const struct p12_entry *entries, size_t n, const struct bytes *issuers,
     size_t issuers_n, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		TRY(add_entry(m, &entries[i], e));
	for (size_t i = 0; i < issuers_n; i++)
		if (!is_there(issuers, i, issuers[i]))
			TRY(add_issuer(m, issuers[i], e));
	return put_file(m, out, e);
}

enum rc
p12_token(enum p12_style style, const struct p12_entry *entries, size_t n, const struct bytes *issuers,
	  size_t issuers_n, const struct secret *pin, struct buf *out, struct err *e)
{
	bool legacy = style == P12_LEGACY;
	struct making m = { .algorithm = legacy ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : NID_aes_256_cbc,
			    .rounds = legacy ? P12_ROUNDS_LEGACY : P12_ROUNDS,
			    .mac = legacy ? EVP_sha1() : EVP_sha256() };
	OWN(secret_free)
	struct secret *text = secret_new(secret_len(pin) + 1);
	enum rc rc;

	NEED(n >= 1 && n <= P12_KEYS_MAX && issuers_n <= P12_ISSUERS_MAX, e, CHY_P12_TOO_MUCH, NULL,
	     "%zu keys and %zu issuers", n, issuers_n);
	NEED(text != NULL, e, CHY_NO_MEMORY, NULL, "PKCS#12");
	memcpy(secret_data(text), secret_bytes(pin).p, secret_len(pin));
	NEED(memchr(secret_data(text), 0, secret_len(pin)) == NULL, e, CHY_P12_PASSWORD, NULL,
	     "the PIN holds a NUL");
	m.pin = (const char *)secret_data(text);
	rc = fill(&m, entries, n, issuers, issuers_n, out, e);
	bags_free(m.keys);
	bags_free(m.certs);
	return rc;
}
