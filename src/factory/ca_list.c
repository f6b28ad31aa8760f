#include "base/base.h"
#include "factory/ca_list.h"

#include "crypto/digest.h"
#include "factory/in_force.h"
#include "factory/leaf.h"
#include "pki/cert.h"
#include "policy/body.h"
#include "store/read.h"

enum { DAY_MS = 86400000 };

struct listing {
	struct factory *f;
	struct arena *a;
	struct ca_certificate *v;
	size_t n;
};

static void
add(struct listing *l, struct bytes der, enum ca_origin origin)
{
	for (size_t i = 0; i < l->n; i++)
		if (bytes_eq(l->v[i].der, der))
			return;
	if (l->n == CA_CERTIFICATES_MAX)
		return;
	l->v[l->n] = (struct ca_certificate){ .der = der, .origin = origin, .number = (int64_t)l->n + 1 };
	l->n++;
}

static enum rc
add_issued(struct listing *l, int64_t authority, struct err *e)
{
	struct certificate_row *rows;
	size_t n;

	TRY(store_certificates_of_authority(l->f->store, l->a, authority, 0, CA_CERTIFICATES_MAX, &rows, &n,
					    e));
	for (size_t i = 0; i < n; i++) {
		struct bytes der;

		TRY(store_der(l->f->store, l->a, rows[i].id, &der, e));
		add(l, der, CA_ISSUED);
	}
	return RC_OK;
}

/* Each version of the document that had another one. */
static enum rc
add_imported(struct listing *l, int64_t authority, struct err *e)
{
	struct document_row *rows;
	size_t n;

	TRY(store_document_versions(l->f->store, l->a, authority, 0, LIMIT_PAGE, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct bytes der, text;
		struct json *body;

		TRY(json_parse(l->a, rows[i].body, &body, e));
		text = body_text(body, "certificate");
		if (text.n > 0 && base64_parse(l->a, text, &der, NULL) == RC_OK)
			add(l, der, CA_IMPORTED);
	}
	for (size_t i = 0; i < n; i++) {
		struct json *body;
		struct bytes der;

		TRY(json_parse(l->a, rows[i].body, &body, e));
		JSON_EACH(x, body_list(body, "cross_certificates"))
		if (base64_parse(l->a, x->str, &der, NULL) == RC_OK)
			add(l, der, CA_CROSS);
	}
	return RC_OK;
}

enum rc
ca_list(struct factory *f, struct arena *a, struct doc_id authority, struct ca_certificate **ret, size_t *n,
	struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct authority *x = snapshot_authority(policy, authority);
	struct listing l = { f, a, arena_array(a, CA_CERTIFICATES_MAX, sizeof(*l.v)), 0 };

	NEED(x != NULL, e, CHY_STORE_NOT_FOUND, NULL, "no such authority");
	NEED(l.v != NULL, e, CHY_NO_MEMORY, NULL, "certificates");
	TRY(add_issued(&l, authority.v, e));
	TRY(add_imported(&l, authority.v, e));
	for (size_t i = 0; i < l.n; i++)
		l.v[i].current = bytes_eq(l.v[i].der, x->certificate);
	*ret = l.v;
	*n = l.n;
	return RC_OK;
}

static struct json *
key_json(struct arena *a, struct bytes spki)
{
	char text[KEY_NAME_MAX];
	struct pubkey key;

	if (pubkey_parse(spki, &key, NULL) != RC_OK)
		return json_null(a);
	return json_str(a, arena_dup(a, bytes_str(key_type_text(text, pubkey_type(&key)))));
}

static struct json *
days_left(struct arena *a, int64_t not_after_ms)
{
	int64_t left = not_after_ms - clock_now_ms();

	return left < 0 ? json_null(a) : json_int(a, left / DAY_MS);
}

struct json *
ca_certificate_json(struct arena *a, const struct authority *x)
{
	struct json *o = json_object(a);
	uint8_t hash[SHA256_LEN];
	struct cert cert;

	if (x == NULL || x->certificate.n == 0 || cert_parse(a, x->certificate, &cert, NULL) != RC_OK)
		return json_null(a);
	sha256(cert.der, hash);
	json_set(o, "subject", json_name(a, cert.subject));
	json_set(o, "issuer", json_name(a, cert.issuer));
	json_set(o, "serial_number", json_hex(a, cert.serial));
	json_set(o, "sha256", json_hex(a, BYTES_OF(hash)));
	json_set(o, "not_before", json_time(a, cert.not_before_at));
	json_set(o, "not_after", json_time(a, cert.not_after_at));
	json_set(o, "key_algorithm", key_json(a, cert.spki));
	json_set(o, "days_left", days_left(a, cert.not_after_at));
	return o;
}

static enum rc
item_json(struct arena *a, const struct ca_certificate *c, struct json **ret, struct err *e)
{
	static const char *const origins[] = { "issued", "imported", "cross" };
	uint8_t hash[SHA256_LEN];
	struct cert cert;

	TRY(cert_parse(a, c->der, &cert, e));
	*ret = cert_json(a, &cert);
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "certificates");
	sha256(c->der, hash);
	json_drop(*ret, "extensions");
	json_set(*ret, "number", json_int(a, c->number));
	json_set(*ret, "origin", json_str(a, bytes_str(origins[c->origin])));
	json_set(*ret, "current", json_bool(a, c->current));
	json_set(*ret, "sha256", json_hex(a, BYTES_OF(hash)));
	json_set(*ret, "der", json_base64(a, c->der));
	return RC_OK;
}

enum rc
ca_list_json(struct factory *f, struct arena *a, struct doc_id authority, struct json **ret, struct err *e)
{
	struct json *items = json_array(a), *item;
	struct ca_certificate *list;
	size_t n;

	TRY(ca_list(f, a, authority, &list, &n, e));
	for (size_t i = 0; i < n; i++) {
		TRY(item_json(a, &list[i], &item, e));
		json_add(items, item);
	}
	*ret = json_object(a);
	json_set(*ret, "items", items);
	json_set(*ret, "next", json_null(a));
	return RC_OK;
}
