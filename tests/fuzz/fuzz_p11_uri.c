/* PKCS#11 URIs: what is accepted is written so that it is read again as the same, and p11-kit finds the same values. */
#include "base/base.h"

#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include "pkcs11/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
same(const struct p11_uri *u, const struct p11_uri *v)
{
	check(u->type == v->type && u->slot_id == v->slot_id);
	for (unsigned i = 0; i < P11_URI_ATTRS; i++)
		check((u->attr[i].p == NULL) == (v->attr[i].p == NULL) && bytes_eq(u->attr[i], v->attr[i]));
}

static void
compare(const char *text, const struct p11_uri *u)
{
	P11KitUri *k = p11_kit_uri_new();
	CK_ATTRIBUTE *id, *label;

	if (k != NULL && p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, k) == P11_KIT_URI_OK) {
		id = p11_kit_uri_get_attribute(k, CKA_ID);
		label = p11_kit_uri_get_attribute(k, CKA_LABEL);
		check((id != NULL) == (u->attr[P11_ID].p != NULL));
		check((label != NULL) == (u->attr[P11_OBJECT].p != NULL));
		check(id == NULL || bytes_eq(u->attr[P11_ID], bytes_of(id->pValue, id->ulValueLen)));
		check(label == NULL ||
		      bytes_eq(u->attr[P11_OBJECT], bytes_of(label->pValue, label->ulValueLen)));
	}
	p11_kit_uri_free(k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	OWN_BUF struct buf b = buf_max(16 << 10);
	struct p11_uri u, again;
	struct err e = { 0 };

	if (a == NULL)
		return 0;
	if (p11_uri_parse(a, bytes_of(data, n), &u, &e) != RC_OK) {
		check(e.code != CHY_NONE);
		return 0;
	}
	compare(arena_str(a, bytes_of(data, n)), &u);
	p11_uri_put(&b, &u);
	if (b.n > P11_URI_MAX) /* escaping made it longer */
		return 0;
	check(p11_uri_parse(a, buf_bytes(&b), &again, NULL) == RC_OK);
	same(&u, &again);
	return 0;
}
