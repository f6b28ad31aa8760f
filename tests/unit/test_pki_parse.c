/* Requests and certificates that the openssl command made, read by pki; and cut, and damaged. */
#include "base/base.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/pem.h"
#include "pki/walker.h"

#include "../vectors/pki/vectors.h"
#include "pki_util.h"

static const struct csr_case {
	const char *name;
	struct bytes der;
	enum code code;
	const char *key, *sigalg;
} csrs[] = {
#define V(x) \
	{ \
		v_##x, sizeof(v_##x) \
	}
	{ "p256", V(p256_csr), CHY_NONE, "p-256", "ecdsa-sha256" },
	{ "p384", V(p384_csr), CHY_NONE, "p-384", "ecdsa-sha384" },
	{ "p521", V(p521_csr), CHY_NONE, "p-521", "ecdsa-sha512" },
	{ "rsa2048", V(rsa2048_csr), CHY_NONE, "rsa-2048", "rsa-pkcs1-sha256" },
	{ "rsa3072pss", V(rsa3072pss_csr), CHY_NONE, "rsa-3072", "rsa-pss-sha384" },
	{ "ed25519", V(ed25519_csr), CHY_NONE, "ed25519", "ed25519" },
	{ "ed448", V(ed448_csr), CHY_NONE, "ed448", "ed448" },
	{ "full", V(full_csr), CHY_NONE, "p-256", "ecdsa-sha256" },
	{ "password", V(password_csr), CHY_NONE, "p-256", "ecdsa-sha256" },
	{ "multi", V(multi_csr), CHY_NONE, "p-256", "ecdsa-sha256" },
	{ "compressed", V(compressed_csr), CHY_NONE, "p-256", "ecdsa-sha256" },
	{ "explicit", V(explicit_csr), CHY_KEY_EXPLICIT, NULL, NULL },
	{ "secp256k1", V(secp256k1_csr), CHY_KEY_ALG, NULL, NULL },
	{ "sha1", V(sha1_csr), CHY_SIGALG, NULL, NULL },
};

static void
test_csrs(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(csrs); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		const struct csr_case *c = &csrs[i];
		struct err e = { 0 };
		char key[KEY_NAME_MAX];
		struct csr r;
		enum rc rc = csr_parse(a, c->der, &r, &e);

		print_message("%s: %s\n", c->name, e.text);
		assert_int_equal(e.code, c->code);
		assert_int_equal(rc, c->code ? RC_MALFORMED : RC_OK);
		if (c->code)
			continue;
		assert_string_equal(key_type_text(key, pubkey_type(&r.key)), c->key);
		assert_string_equal(sigalg_name(r.sigalg), c->sigalg);
	}
}

static void
test_csr_full(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct bytes der = BYTES_OF(v_full_csr);
	struct err e = { 0 };
	struct csr r;
	static const char *const names[] = {
		"dns:host.example",
		"dns:*.host.example",
		"ip:192.0.2.1",
		"ip:2001:db8::1",
		"email:a@host.example",
		"uri:https://host.example/x",
		"rid:1.2.3.4",
		"upn:user@realm.example",
		"srv:_ldap.host.example",
		"dir:CN=directory name,C=DE",
	};
	OWN_BUF struct buf text = buf_max(1000);

	assert_rc(csr_parse(a, der, &r, &e), RC_OK, &e);
	name_put_der_text(&text, r.subject);
	assert_string_equal(buf_cstr(&text), "CN=host.example,OU=Unit\\, with comma,O=Example Org,C=DE");
	assert_int_equal(r.key_usage, USAGE_DIGITAL_SIGNATURE | USAGE_KEY_ENCIPHERMENT);
	assert_int_equal(r.eku.n, 2);
	assert_true(oids_have(&r.eku, OID_EKU_SERVER_AUTH) && oids_have(&r.eku, OID_EKU_CLIENT_AUTH));
	assert_int_equal(r.san.n, ARRAY_LEN(names));
	assert_int_equal(r.exts.n, 5);
	for (size_t i = 0; i < r.san.n; i++) {
		OWN_BUF struct buf one = buf_max(1000);

		gname_put_text(&one, &r.san.v[i]);
		assert_string_equal(buf_cstr(&one), names[i]);
	}
	assert_null(r.challenge_password.p);
	assert_rc(csr_parse(a, BYTES_OF(v_password_csr), &r, &e), RC_OK, &e);
	assert_true(bytes_is(r.challenge_password, "secret words"));
	assert_int_equal(r.exts.n, 5);
}

/* Any prefix is refused with a code and nothing is read behind its end (the sanitizer build sees to that). */
static void
truncate_all(struct bytes der, bool is_cert)
{
	for (size_t n = 0; n < der.n; n++) {
		OWN(arena_free)
		struct arena *a = fresh();
		uint8_t *copy = malloc(n ? n : 1);
		struct err e = { 0 };
		struct csr r;
		struct cert c;
		enum rc rc;

		assert_non_null(copy);
		memcpy(copy, der.p, n);
		rc = is_cert ? cert_parse(a, bytes_of(copy, n), &c, &e)
			     : csr_parse(a, bytes_of(copy, n), &r, &e);
		assert_int_equal(rc, RC_MALFORMED);
		assert_int_not_equal(e.code, CHY_NONE);
		free(copy);
	}
}

static void
test_truncated(void **state)
{
	truncate_all(BYTES_OF(v_full_csr), false);
	truncate_all(BYTES_OF(v_rsa2048_csr), false);
	truncate_all(BYTES_OF(v_leaf_cert), true);
	truncate_all(BYTES_OF(v_ca_cert), true);
}

static void
test_certs(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct err e = { 0 };
	struct cert c;

	assert_rc(cert_parse(a, BYTES_OF(v_ca_cert), &c, &e), RC_OK, &e);
	assert_int_equal(c.version, 3);
	assert_int_equal(c.sigalg, SIGALG_ECDSA_SHA384);
	assert_true(cert_is_ca(&c) && cert_is_self_issued(&c));
	assert_true(bytes_eq(cert_key_id(&c), cert_authority_key_id(a, &c)));
	assert_rc(cert_parse(a, BYTES_OF(v_leaf_cert), &c, &e), RC_OK, &e);
	assert_false(cert_is_ca(&c));
	assert_int_equal(c.serial.n, 14);
	assert_int_equal(c.not_after_at - c.not_before_at, 365 * INT64_C(86400000));
	for (size_t i = 0; i < c.exts.n; i++) {
		struct ext_value v;

		assert_rc(ext_decode(a, &c.exts.v[i], &v, &e), RC_OK, &e);
	}
	assert_rc(cert_parse(a, BYTES_OF(v_v1_cert), &c, &e), RC_OK, &e);
	assert_int_equal(c.version, 1);
	assert_true(c.not_after_generalized && !c.not_before_generalized);
}

static void
test_walk(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct err e = { 0 };
	struct tbs_view v, ca;
	struct cert c;

	assert_rc(cert_parse(a, BYTES_OF(v_ca_cert), &c, &e), RC_OK, &e);
	assert_rc(tbs_walk(c.tbs, &ca, &e), RC_OK, &e);
	assert_true(ca.ca);
	assert_int_equal(ca.path_len, 1);
	assert_rc(cert_parse(a, BYTES_OF(v_leaf_cert), &c, &e), RC_OK, &e);
	assert_rc(tbs_walk(c.tbs, &v, &e), RC_OK, &e);
	assert_false(v.ca);
	assert_int_equal(v.key_usage, USAGE_DIGITAL_SIGNATURE);
	assert_true(bytes_eq(v.authority_key_id, ca.key_id));
	assert_rc(tbs_check_names(&v, ca.name_constraints, &e), RC_OK, &e);
	assert_rc(cert_parse(a, BYTES_OF(v_v1_cert), &c, &e), RC_OK, &e);
	assert_int_equal(tbs_walk(c.tbs, &v, &e), RC_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csrs),      cmocka_unit_test(test_csr_full),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_certs),
		cmocka_unit_test(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
