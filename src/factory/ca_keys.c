#include "base/base.h"
#include "factory/ca_keys.h"

#include "base/json.h"

char *
key_label(const struct document *key, char dst[KEY_LABEL_MAX])
{
	struct bytes label = BYTES_NONE;

	if (json_opt_str(key->body, "label", &label, NULL) == RC_OK && label.n > 0 && label.n < KEY_LABEL_MAX)
		snprintf(dst, KEY_LABEL_MAX, "%.*s", BYTES_FMT(label));
	else
		snprintf(dst, KEY_LABEL_MAX, "key-%lld", (long long)key->id.v);
	return dst;
}

enum rc
key_public(struct factory *f, struct arena *a, const struct document *key, struct bytes *ret, struct err *e)
{
	char label[KEY_LABEL_MAX];
	struct signer_key k;

	TRY(signer_key_public(f->signer, key_label(key, label), SIGNER_WAIT_MS, a, &k, e));
	*ret = k.spki;
	return RC_OK;
}

enum rc
key_make(struct factory *f, struct arena *a, const struct document *key, struct err *e)
{
	struct bytes algorithm, place = BYTES("software"), uri = BYTES_NONE;
	char label[KEY_LABEL_MAX];
	struct key_type type, there;
	struct signer_key made;
	struct pubkey pub;
	enum rc rc;

	TRY(json_need_str(key->body, "algorithm", &algorithm, e));
	TRY_AT(key_type_parse(algorithm, &type, e), e, "algorithm");
	TRY(json_opt_str(key->body, "place", &place, e));
	TRY(json_opt_str(key->body, "pkcs11_uri", &uri, e));
	rc = signer_key_generate(f->signer, key_label(key, label), SIGNER_CA, arena_str(a, algorithm),
				 uri.n > 0 ? arena_str(a, uri) : "software", SIGNER_WAIT_MS, a, &made, e);
	if (rc == RC_OK || e->code != CHY_SIGNER_KEY_EXISTS)
		return rc;
	err_clear(e);
	TRY(signer_key_public(f->signer, label, SIGNER_WAIT_MS, a, &made, e));
	TRY(pubkey_parse(made.spki, &pub, e));
	there = pubkey_type(&pub);
	NEED(made.class == SIGNER_CA && there.alg == type.alg && there.bits == type.bits, e,
	     CHY_SIGNER_KEY_EXISTS, NULL, "the signer has another key called \"%s\"", label);
	return RC_OK;
}
