#include "base/base.h"
#include "policy/person.h"

#include "pki/name.h"

static bool
is_set(const uint8_t *p)
{
	static const uint8_t none[FINGERPRINT_LEN];

	return p != NULL && memcmp(p, none, FINGERPRINT_LEN) != 0;
}

/* The k-th certificate of a person: the one shown, the one bound to. NULL: not known. */
static const uint8_t *
certificate_of(struct person x, size_t k)
{
	return k == 0 ? (x.credential ? x.credential->fingerprint : NULL)
		      : (x.officer ? x.officer->fingerprint : NULL);
}

/* The k-th key: that of the certificate shown, then those in the token by the officer's document. */
static const uint8_t *
key_of(struct person x, size_t k)
{
	return k == 0 ? (x.credential ? x.credential->key : NULL) : x.officer->keys[k - 1];
}

static size_t
keys_of(struct person x)
{
	return 1 + (x.officer ? x.officer->keys_n : 0);
}

static bool
share(struct person x, size_t x_n, struct person y, size_t y_n, const uint8_t *of(struct person, size_t))
{
	for (size_t i = 0; i < x_n; i++)
		for (size_t k = 0; k < y_n; k++) {
			const uint8_t *a = of(x, i), *b = of(y, k);

			if (is_set(a) && is_set(b) && memcmp(a, b, FINGERPRINT_LEN) == 0)
				return true;
		}
	return false;
}

static struct bytes
token_of(struct person x)
{
	if (x.credential != NULL && x.credential->token.n > 0)
		return x.credential->token;
	return x.officer != NULL ? x.officer->token : BYTES_NONE;
}

static struct bytes
subject_of(struct person x, size_t k)
{
	if (k == 0)
		return x.credential != NULL ? x.credential->subject : BYTES_NONE;
	return x.officer != NULL ? x.officer->subject_der : BYTES_NONE;
}

static bool
share_a_subject(struct person x, struct person y)
{
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < 2; k++) {
			struct bytes a = subject_of(x, i), b = subject_of(y, k);

			if (a.n > 0 && b.n > 0 && (bytes_eq(a, b) || name_eq(a, b)))
				return true;
		}
	return false;
}

bool
is_one_person(struct person x, struct person y)
{
	struct bytes token = token_of(x);

	if (x.officer != NULL && y.officer != NULL && x.officer->id.v == y.officer->id.v)
		return true;
	return share(x, 2, y, 2, certificate_of) || share(x, keys_of(x), y, keys_of(y), key_of) ||
	    (token.n > 0 && bytes_eq(token, token_of(y))) || share_a_subject(x, y);
}
