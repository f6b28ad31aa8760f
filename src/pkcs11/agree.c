#include "base/base.h"
#include "pkcs11/impl.h"

struct agree {
	struct p11_key *k;
	struct bytes point;
	struct secret *out;
};

/* The secret as a session object that may be read, read, and gone again. */
static CK_RV
agree(struct p11_session *s, void *arg, struct err *e)
{
	struct agree *w = arg;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ULONG len = secret_len(w->out);
	CK_ATTRIBUTE want[] = {
		{ CKA_CLASS, &class, sizeof(class) },   { CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &no, sizeof(no) },         { CKA_SENSITIVE, &no, sizeof(no) },
		{ CKA_EXTRACTABLE, &yes, sizeof(yes) }, { CKA_VALUE_LEN, &len, sizeof(len) },
	};
	CK_ATTRIBUTE value = { CKA_VALUE, secret_data(w->out), len };
	CK_ECDH1_DERIVE_PARAMS params = { CKD_NULL, 0, NULL, w->point.n, p11_unconst(w->point) };
	CK_MECHANISM m = { CKM_ECDH1_DERIVE, &params, sizeof(params) };
	CK_OBJECT_HANDLE key, made;
	CK_RV rv = p11_private_object(w->k, s, &key);

	if (rv == CKR_OK)
		rv = s->f->C_DeriveKey(s->h, &m, key, want, ARRAY_LEN(want), &made);
	if (rv != CKR_OK)
		return rv;
	rv = s->f->C_GetAttributeValue(s->h, made, &value, 1);
	s->f->C_DestroyObject(s->h, made);
	return rv == CKR_OK && value.ulValueLen != len ? CKR_GENERAL_ERROR : rv;
}

enum rc
p11_agree(struct p11_key *k, struct bytes peer_spki, struct secret **ret, struct err *e)
{
	OWN(secret_free)
	struct secret *out = NULL;
	struct agree w = { .k = k };
	struct pubkey peer;

	TRY(pubkey_parse(peer_spki, &peer, e));
	NEED(k->type.alg == KEY_EC && peer.alg == KEY_EC && peer.curve == k->type.curve, e, CHY_KEY_KIND,
	     NULL, "the keys do not agree: not of one curve");
	out = secret_new(curve_field_len(peer.curve));
	NEED(out != NULL, e, CHY_NO_MEMORY, NULL, "a shared secret");
	w.point = peer.point;
	w.out = out;
	TRY(p11_do(k->t, agree, &w, "derive", e));
	*ret = out;
	out = NULL;
	return RC_OK;
}
