/* PKCS#11 URIs (RFC 7512): its own examples, what is refused, text again, and agreement with p11-kit's parser. */
#include "test.h"

#include <p11-kit/uri.h>
#include <p11-kit/pkcs11.h>

#include "pkcs11/uri.h"

static const char *const good[] = {
	"pkcs11:",
	"pkcs11:object=my-pubkey;type=public",
	"pkcs11:object=my-key;type=private?pin-source=file:/etc/token",
	"pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;"
	"object=my-certificate;"
	"type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=",
	"pkcs11:slot-description=Sun%20Metaslot",
	"pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;library-"
	"version=1.23",
	"pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-source=%7Cecho%"
	"20x",
	"pkcs11:id=%00%01%ff;slot-id=327?module-path=/usr/lib/x.so&module-name=x",
	"PKCS11:token=a",
};

static const struct {
	const char *text;
	enum code code;
} bad[] = {
	{ "", CHY_P11_URI },
	{ "pkcs11", CHY_P11_URI },
	{ "http://x", CHY_P11_URI },
	{ "pkcs11:token", CHY_P11_URI },
	{ "pkcs11:=a", CHY_P11_URI },
	{ "pkcs11:token=a;", CHY_P11_URI },
	{ "pkcs11:;token=a", CHY_P11_URI },
	{ "pkcs11:token=a;token=b", CHY_P11_URI },
	{ "pkcs11:token=a b", CHY_P11_URI },
	{ "pkcs11:token=a/b", CHY_P11_URI },
	{ "pkcs11:token=%4", CHY_P11_URI },
	{ "pkcs11:token=%", CHY_P11_URI },
	{ "pkcs11:token=%zz", CHY_P11_URI },
	{ "pkcs11:token=%00", CHY_P11_URI },
	{ "pkcs11:token=%ff", CHY_P11_URI },
	{ "pkcs11:type=key", CHY_P11_URI },
	{ "pkcs11:slot-id=x", CHY_P11_URI },
	{ "pkcs11:slot-id=-1", CHY_P11_URI },
	{ "pkcs11:library-version=1.2.3", CHY_P11_URI },
	{ "pkcs11:token=a?", CHY_P11_URI },
	{ "pkcs11:token=a?module-name=x&module-name=y", CHY_P11_URI },
	{ "pkcs11:token=a?pin-value=1234", CHY_P11_URI_PIN },
};

static void
accepts_and_writes_again(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 16);
		OWN_BUF struct buf one = buf_max(4096), two = buf_max(4096);
		struct p11_uri u, again;

		assert_ok(p11_uri_parse(a, bytes_str(good[i]), &u, NULL));
		p11_uri_put(&one, &u);
		assert_ok(p11_uri_parse(a, buf_bytes(&one), &again, NULL));
		p11_uri_put(&two, &again);
		assert_bytes(buf_bytes(&one), buf_bytes(&two));
		for (unsigned n = 0; n < P11_URI_ATTRS; n++)
			assert_true((u.attr[n].p == NULL) == (again.attr[n].p == NULL) &&
				    bytes_eq(u.attr[n], again.attr[n]));
	}
}

static void
refuses(void **state)
{
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 16);
		struct p11_uri u;

		assert_code(p11_uri_parse(a, bytes_str(bad[i].text), &u, &e), bad[i].code);
	}
}

static void
values(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);
	struct p11_uri u;

	assert_ok(p11_uri_parse(
	    a, BYTES("pkcs11:token=The%20%23;id=%00a;type=cert;slot-id=7?module-name=hsm"), &u, NULL));
	assert_bytes(u.attr[P11_TOKEN], BYTES("The #"));
	assert_bytes(u.attr[P11_ID], bytes_of("\0a", 2));
	assert_bytes(u.attr[P11_MODULE_NAME], BYTES("hsm"));
	assert_int_equal(u.type, P11_TYPE_CERT);
	assert_int_equal(u.slot_id, 7);
	assert_false(u.unknown);
	assert_ok(p11_uri_parse(a, BYTES("pkcs11:token=x;x-vendor=1?unknown=2"), &u, NULL));
	assert_true(u.unknown);
	assert_true(p11_uri_field(&u, P11_TOKEN, "x       ", 8));
	assert_false(p11_uri_field(&u, P11_TOKEN, "xy      ", 8));
	assert_true(p11_uri_field(&u, P11_SERIAL, "anything", 8));
	assert_true(p11_uri_object(&u, BYTES("id"), BYTES("label")));
}

/* Where p11-kit accepts a URI and we do too, token, object and id are the same. */
static void
agrees_with_p11_kit(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 16);
		P11KitUri *k = p11_kit_uri_new();
		CK_ATTRIBUTE *id;
		struct p11_uri u;

		assert_ok(p11_uri_parse(a, bytes_str(good[i]), &u, NULL));
		if (p11_kit_uri_parse(good[i], P11_KIT_URI_FOR_ANY, k) == P11_KIT_URI_OK) {
			id = p11_kit_uri_get_attribute(k, CKA_ID);
			assert_true((id == NULL) == (u.attr[P11_ID].p == NULL));
			if (id != NULL)
				assert_bytes(u.attr[P11_ID], bytes_of(id->pValue, id->ulValueLen));
			assert_true(p11_uri_field(&u, P11_TOKEN, p11_kit_uri_get_token_info(k)->label, 32) ||
				    p11_kit_uri_get_token_info(k)->label[0] == 0);
		}
		p11_kit_uri_free(k);
	}
}

static const struct CMUnitTest tests[] = {
	CASE(accepts_and_writes_again),
	CASE(refuses),
	CASE(values),
	CASE(agrees_with_p11_kit),
};
TESTS_MAIN(tests)
