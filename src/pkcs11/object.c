#include "base/base.h"
#include "pkcs11/impl.h"

#include "pki/oid.h"

enum { ATTR_MAX = 64 << 10 };

struct bytes
p11_attr(struct p11_session *s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type, struct arena *a)
{
	CK_ATTRIBUTE at = { type, NULL, 0 };
	uint8_t *p;

	if (s->f->C_GetAttributeValue(s->h, o, &at, 1) != CKR_OK || at.ulValueLen > ATTR_MAX)
		return BYTES_NONE;
	p = arena_alloc(a, at.ulValueLen + 1);
	if (p == NULL)
		return BYTES_NONE;
	at.pValue = p;
	if (s->f->C_GetAttributeValue(s->h, o, &at, 1) != CKR_OK || at.ulValueLen > ATTR_MAX)
		return BYTES_NONE;
	return bytes_of(p, at.ulValueLen);
}

CK_RV
p11_find(struct p11_session *s, CK_ATTRIBUTE *want, CK_ULONG n, CK_OBJECT_HANDLE *ret, CK_ULONG max,
	 CK_ULONG *ret_n)
{
	CK_RV rv = s->f->C_FindObjectsInit(s->h, want, n);
	CK_ULONG got = 0;

	*ret_n = 0;
	if (rv != CKR_OK)
		return rv;
	while (rv == CKR_OK && *ret_n < max) {
		rv = s->f->C_FindObjects(s->h, ret + *ret_n, max - *ret_n, &got);
		if (rv != CKR_OK || got == 0)
			break;
		*ret_n += got;
	}
	s->f->C_FindObjectsFinal(s->h);
	return rv;
}

static struct bytes
finish(struct dw *w, struct arena *a)
{
	struct bytes spki;

	return dw_dup(w, a, &spki, NULL) == RC_OK ? spki : BYTES_NONE;
}

static struct bytes
spki_rsa(struct p11_session *s, CK_OBJECT_HANDLE o, struct arena *a)
{
	struct bytes n = p11_attr(s, o, CKA_MODULUS, a), e = p11_attr(s, o, CKA_PUBLIC_EXPONENT, a);
	OWN_DW struct dw w = dw_growing(8 << 10);

	if (n.n == 0 || e.n == 0)
		return BYTES_NONE;
	dw_spki_rsa(&w, n, e);
	return finish(&w, a);
}

/* CKA_EC_PARAMS: an OID (of RFC 5480, or RFC 8410 for Edwards keys), or, for these, the curve's name. */
static bool
ec_type(struct bytes params, struct key_type *ret)
{
	struct der d = der_of(params, NULL);
	struct bytes v;

	*ret = (struct key_type){ 0 };
	if (der_next_is(&d, DER_PRINTABLE)) {
		v = der_take(&d, DER_PRINTABLE);
		ret->alg = bytes_is(v, "edwards25519") ? KEY_ED25519
		    : bytes_is(v, "edwards448")        ? KEY_ED448
						       : KEY_NONE;
		return der_end(&d) == RC_OK && ret->alg != KEY_NONE;
	}
	v = der_oid(&d);
	if (der_end(&d) != RC_OK)
		return false;
	for (enum curve c = CURVE_P256; c <= CURVE_P521; c++)
		if (bytes_eq(v, curve_oid(c)))
			*ret = (struct key_type){ KEY_EC, c, 0 };
	if (bytes_eq(v, BYTES("\x2b\x65\x70")))
		ret->alg = KEY_ED25519;
	if (bytes_eq(v, BYTES("\x2b\x65\x71")))
		ret->alg = KEY_ED448;
	return ret->alg != KEY_NONE;
}

/* The point is an OCTET STRING in DER by the standard; some modules give it bare. */
static struct bytes
spki_ec(struct p11_session *s, CK_OBJECT_HANDLE o, struct arena *a)
{
	struct bytes params = p11_attr(s, o, CKA_EC_PARAMS, a), point = p11_attr(s, o, CKA_EC_POINT, a),
		     inner;
	OWN_DW struct dw w = dw_growing(1 << 10);
	struct key_type t;
	struct der d = der_of(point, NULL);

	if (point.n == 0 || !ec_type(params, &t))
		return BYTES_NONE;
	inner = der_take(&d, DER_OCTET_STRING);
	dw_spki(&w, t, der_end(&d) == RC_OK ? inner : point);
	return finish(&w, a);
}

struct bytes
p11_kind_of(struct arena *a, struct bytes spki)
{
	char text[KEY_NAME_MAX];
	struct pubkey k;

	if (pubkey_parse(spki, &k, NULL) != RC_OK)
		return BYTES_NONE;
	return arena_dup(a, bytes_str(key_type_text(text, pubkey_type(&k))));
}

void
p11_spki(struct p11_session *s, CK_OBJECT_HANDLE o, struct arena *a, struct bytes *ret_spki,
	 struct bytes *ret_kind)
{
	struct bytes type = p11_attr(s, o, CKA_KEY_TYPE, a);
	CK_KEY_TYPE t = CKK_VENDOR_DEFINED;

	*ret_spki = *ret_kind = BYTES_NONE;
	if (type.n == sizeof(t))
		memcpy(&t, type.p, sizeof(t));
	if (t == CKK_RSA)
		*ret_spki = spki_rsa(s, o, a);
	else if (t == CKK_EC || t == CKK_EC_EDWARDS)
		*ret_spki = spki_ec(s, o, a);
	if (ret_spki->n > 0)
		*ret_kind = p11_kind_of(a, *ret_spki);
	if (ret_kind->n == 0)
		*ret_spki = BYTES_NONE;
}

/* ---- listing a token ---- */

struct listing {
	struct arena *a;
	const struct p11_uri *u;
	struct p11_item *items;
	size_t n;
	bool want_cert, want_key;
};

static struct p11_item *
item_of(struct listing *l, struct bytes id, struct bytes label)
{
	for (size_t i = 0; i < l->n; i++)
		if (id.n > 0 && bytes_eq(l->items[i].id, id))
			return &l->items[i];
	if (l->n == P11_OBJECTS_MAX)
		return NULL;
	l->items[l->n] = (struct p11_item){ .id = id, .label = label };
	return &l->items[l->n++];
}

static void
list_object(struct p11_session *s, CK_OBJECT_HANDLE o, CK_OBJECT_CLASS class, struct listing *l)
{
	struct p11_item *i = item_of(l, p11_attr(s, o, CKA_ID, l->a), p11_attr(s, o, CKA_LABEL, l->a));
	struct bytes spki, kind;

	if (i == NULL)
		return;
	if (class == CKO_CERTIFICATE) {
		i->cert = p11_attr(s, o, CKA_VALUE, l->a);
		return;
	}
	if (class == CKO_PRIVATE_KEY)
		i->has_private = true;
	if (i->spki.n > 0)
		return;
	p11_spki(s, o, l->a, &spki, &kind);
	i->spki = spki;
	i->kind = kind;
}

static CK_RV
list_class(struct p11_session *s, CK_OBJECT_CLASS class, struct listing *l)
{
	CK_ATTRIBUTE want[] = { { CKA_CLASS, &class, sizeof(class) } };
	CK_OBJECT_HANDLE *found = arena_array(l->a, P11_OBJECTS_MAX, sizeof(*found));
	CK_ULONG n = 0;
	CK_RV rv;

	if (found == NULL)
		return CKR_HOST_MEMORY;
	rv = p11_find(s, want, 1, found, P11_OBJECTS_MAX, &n);
	for (CK_ULONG i = 0; rv == CKR_OK && i < n; i++)
		list_object(s, found[i], class, l);
	return rv;
}

/* Keeps what the URI asks for, and gives each its own URI. */
static MUST enum rc
sift(struct p11_session *s, struct listing *l, struct err *e)
{
	CK_TOKEN_INFO info;
	enum p11_type type = l->u ? l->u->type : P11_TYPE_ANY;
	size_t kept = 0;

	TRY(p11_rv(s->f->C_GetTokenInfo(s->t->slot, &info), "token", e));
	for (size_t i = 0; i < l->n; i++) {
		struct p11_item *it = &l->items[i];

		if (l->u != NULL && !p11_uri_object(l->u, it->id, it->label))
			continue;
		if ((type == P11_TYPE_PRIVATE && !it->has_private) ||
		    (type == P11_TYPE_CERT && it->cert.n == 0) ||
		    (type == P11_TYPE_PUBLIC && it->spki.n == 0) || type == P11_TYPE_OTHER)
			continue;
		TRY(p11_token_uri(l->a, s->m, &info, it->id.n ? it->id : BYTES_NONE,
				  it->id.n ? BYTES_NONE : it->label, &it->uri, e));
		l->items[kept++] = *it;
	}
	l->n = kept;
	return RC_OK;
}

static CK_RV
list_all(struct p11_session *s, void *arg, struct err *e)
{
	static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE };
	struct listing *l = arg;
	CK_RV rv = CKR_OK;

	l->n = 0;
	for (size_t i = 0; rv == CKR_OK && i < ARRAY_LEN(classes); i++)
		rv = list_class(s, classes[i], l);
	if (rv == CKR_OK && sift(s, l, e) != RC_OK)
		return CKR_OK; /* e says why */
	return rv;
}

enum rc
p11_list(struct p11_token *t, const struct p11_uri *u, struct arena *a, struct p11_item **ret, size_t *ret_n,
	 struct err *e)
{
	struct listing l = { .a = a, .u = u };

	l.items = arena_array(a, P11_OBJECTS_MAX, sizeof(*l.items));
	NEED(l.items != NULL, e, CHY_NO_MEMORY, NULL, "a token's objects");
	TRY(p11_do(t, list_all, &l, "list", e));
	*ret = l.items;
	*ret_n = l.n;
	return RC_OK;
}
