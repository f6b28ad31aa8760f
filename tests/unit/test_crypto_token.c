/* What soft tokens are made of: boxes and envelopes for private keys, and PKCS#12 files with several keys, judged by the
   programs of others. */
#include "crypto_help.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/box.h"
#include "crypto/crypto.h"
#include "crypto/p12_token.h"

static char folder[] = "/tmp/chancery-token.XXXXXX";

static int
begin(void **state)
{
	return mkdtemp(folder) == NULL;
}

static int
end(void **state)
{
	char cmd[64];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", folder);
	return system(cmd);
}

/* 0: the command succeeded, in the folder. */
static int PRINTF(1, 2) run(const char *fmt, ...)
{
	char cmd[1024], all[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	snprintf(all, sizeof(all), "cd %s && { %s ; } >log 2>&1", folder, cmd);
	return system(all);
}

/* ---- boxes ---- */

static void
boxes(void **state)
{
	OWN(secret_free)
	struct secret *master = secret_of(BYTES("0123456789abcdef0123456789abcdef")), *k = NULL, *k2 = NULL;
	OWN_BUF struct buf box = buf_max(BOX_MAX);
	struct secret *plain = NULL;
	struct err e = { 0 };

	assert_int_equal(box_key(master, BYTES("one"), &k, &e), RC_OK);
	assert_int_equal(box_key(master, BYTES("two"), &k2, &e), RC_OK);
	assert_false(bytes_eq(secret_bytes(k), secret_bytes(k2)));
	assert_int_equal(box_seal(k, BYTES("key/1/0"), BYTES("a private key"), &box, &e), RC_OK);
	assert_int_equal(box.n, 13 + BOX_OVERHEAD);
	assert_null(memmem(box.p, box.n, "private", 7));
	assert_int_equal(box_open(k, BYTES("key/1/0"), buf_bytes(&box), &plain, &e), RC_OK);
	assert_true(bytes_is(secret_bytes(plain), "a private key"));
	secret_free(plain);
	plain = NULL;
	assert_int_equal(box_open(k, BYTES("pin/1/0"), buf_bytes(&box), &plain, &e), RC_DENIED);
	assert_int_equal(e.code, CHY_BOX_OPEN);
	assert_int_equal(box_open(k2, BYTES("key/1/0"), buf_bytes(&box), &plain, NULL), RC_DENIED);
	for (size_t i = 0; i < box.n; i++) {
		box.p[i] ^= 1;
		assert_int_not_equal(box_open(k, BYTES("key/1/0"), buf_bytes(&box), &plain, NULL), RC_OK);
		box.p[i] ^= 1;
	}
	for (size_t n = 0; n < box.n; n++)
		assert_int_not_equal(box_open(k, BYTES("key/1/0"), bytes_of(box.p, n), &plain, NULL), RC_OK);
	assert_null(plain);
}

static enum code
open_with(const struct softkey *who, struct bytes recipient, const char *label, struct bytes envelope)
{
	OWN(secret_free)
	struct secret *shared = NULL, *plain = NULL;
	struct err e = { 0 };
	struct bytes peer;

	if (envelope_peer(envelope, &peer, &e) == RC_OK && softkey_agree(who, peer, &shared, &e) == RC_OK &&
	    envelope_open(shared, recipient, bytes_str(label), envelope, &plain, &e) == RC_OK)
		assert_true(bytes_is(secret_bytes(plain), "a private key"));
	return e.code;
}

static void
envelopes(void **state)
{
	static const char *const kinds[] = { "p-256", "p-384", "p-521" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		OWN(softkey_free)
		struct softkey *archive = test_key(kinds[i]), *other = test_key(kinds[i]);
		OWN_BUF struct buf out = buf_max(ENVELOPE_MAX);
		struct bytes spki = softkey_spki(archive);
		struct err e = { 0 };

		assert_int_equal(
		    envelope_seal(spki, BYTES("certificate/5"), BYTES("a private key"), &out, &e), RC_OK);
		assert_int_equal(open_with(archive, spki, "certificate/5", buf_bytes(&out)), CHY_NONE);
		assert_int_equal(open_with(archive, spki, "certificate/6", buf_bytes(&out)), CHY_BOX_OPEN);
		assert_int_equal(open_with(other, spki, "certificate/5", buf_bytes(&out)), CHY_BOX_OPEN);
		assert_int_equal(open_with(archive, softkey_spki(other), "certificate/5", buf_bytes(&out)),
				 CHY_BOX_OPEN);
		for (size_t k = 0; k < out.n; k++) {
			out.p[k] ^= 0x20;
			assert_int_not_equal(open_with(archive, spki, "certificate/5", buf_bytes(&out)),
					     CHY_NONE);
			out.p[k] ^= 0x20;
		}
	}
}

static void
envelopes_are_for_curves(void **state)
{
	OWN(softkey_free)
	struct softkey *rsa = test_key("rsa-2048"), *p256 = test_key("p-256"), *p384 = test_key("p-384");
	OWN_BUF struct buf out = buf_max(ENVELOPE_MAX);
	struct secret *z = NULL;
	struct err e = { 0 };

	assert_int_equal(envelope_seal(softkey_spki(rsa), BYTES("x"), BYTES("y"), &out, &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_KEY_KIND);
	assert_int_equal(softkey_agree(p256, softkey_spki(p384), &z, NULL), RC_MALFORMED);
	assert_int_equal(softkey_agree(rsa, softkey_spki(p384), &z, NULL), RC_MALFORMED);
	assert_int_equal(softkey_agree(p256, BYTES("no key"), &z, NULL), RC_MALFORMED);
	assert_null(z);
}

/* ---- files ---- */

struct made {
	struct softkey *root, *keys[3];
	struct bytes top, certs[3];
	struct p12_entry entries[3];
};

static struct made
make(struct arena *a)
{
	static const char *const kinds[] = { "p-256", "rsa-2048", "p-384" };
	static const char *const names[] = { "Anna, signature", "Anna, encryption", "Anna, login" };
	struct made m = { .root = test_key("p-256") };

	m.top = test_issue(a, (struct test_cert){ .cn = "root", .key = m.root, .ca = true, .path_len = -1 });
	for (size_t i = 0; i < 3; i++) {
		m.keys[i] = test_key(kinds[i]);
		m.certs[i] = test_issue(a,
					(struct test_cert){ .cn = names[i],
							    .key = m.keys[i],
							    .issuer_cn = "root",
							    .issuer_key = m.root,
							    .serial = 100 + (long)i });
		m.entries[i] = (struct p12_entry){ m.keys[i], m.certs[i], bytes_str(names[i]) };
	}
	return m;
}

static void
drop(struct made *m)
{
	softkey_free(m->root);
	for (size_t i = 0; i < 3; i++)
		softkey_free(m->keys[i]);
}

static void
write_token(struct arena *a, enum p12_style style, const char *name)
{
	struct made m = make(a);
	struct bytes issuers[2] = { m.top, m.top }; /* twice in the list, once in the file */
	OWN(secret_free)
	struct secret *pin = secret_of(BYTES("geheim1234"));
	OWN_BUF struct buf file = buf_max(1 << 20);
	struct err e = { 0 };
	char path[128];

	if (p12_token(style, m.entries, 3, issuers, 2, pin, &file, &e) != RC_OK)
		fail_msg("CHY-%d %s", (int)e.code, e.text);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(file_write(path, buf_bytes(&file), 0600, NULL), RC_OK);
	drop(&m);
}

/* Each reads three private keys and four certificates, and none without the PIN. */
static void
read_by_others(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);

	write_token(a, P12_MODERN, "modern.p12");
	write_token(a, P12_LEGACY, "legacy.p12");
	for (int i = 0; i < 2; i++) {
		const char *f = i ? "legacy.p12" : "modern.p12";

		assert_int_equal(
		    run("openssl pkcs12 -in %s -passin pass:geheim1234 -nodes > all && test $(grep -c "
			"'BEGIN PRIVATE' all) = 3 && test $(grep -c 'BEGIN CERT' all) = 4 && grep "
			"'friendlyName: Anna, login' all",
			f),
		    0);
		assert_int_not_equal(run("openssl pkcs12 -in %s -passin pass:falsch -nodes", f), 0);
		assert_int_equal(
		    run("certtool --p12-info --inder --password geheim1234 --infile %s > all && test "
			"$(grep -c 'BEGIN CERT' all) = 4 && test $(grep -c 'BEGIN.*PRIVATE' all) = 3",
			f),
		    0);
		assert_int_equal(
		    run("keytool -list -keystore %s -storetype PKCS12 -storepass geheim1234 > all && "
			"test $(grep -c PrivateKeyEntry all) = 3",
			f),
		    0);
		assert_int_equal(
		    run("rm -rf db && mkdir db && certutil -N -d sql:db --empty-password && pk12util -i "
			"%s -d sql:db -W geheim1234 && test $(certutil -K -d sql:db | grep -c Anna) = 3",
			f),
		    0);
	}
}

static void
modern_and_legacy(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);

	assert_true(P12_ROUNDS >= 600000);
	write_token(a, P12_MODERN, "modern.p12");
	write_token(a, P12_LEGACY, "legacy.p12");
	assert_int_equal(
	    run("openssl pkcs12 -info -noout -in modern.p12 -passin pass:geheim1234 > all 2>&1; cat all; "
		"grep 'MAC: sha256, Iteration 600000' all && test $(grep -c 'PBES2, PBKDF2, AES-256-CBC, "
		"Iteration 600000, PRF hmacWithSHA256' all) = 4"),
	    0);
	assert_int_equal(
	    run("openssl pkcs12 -info -noout -in legacy.p12 -passin pass:geheim1234 > all 2>&1; cat all; "
		"grep 'MAC: sha1' all && test $(grep -c pbeWithSHA1And3-KeyTripleDES-CBC all) = 4"),
	    0);
}

static enum code
token_code(const struct p12_entry *x, size_t n, struct bytes issuer, const char *pin)
{
	OWN_BUF struct buf file = buf_max(1 << 20);
	OWN(secret_free)
	struct secret *s = secret_of(bytes_str(pin));
	struct err e = { 0 };

	if (p12_token(P12_LEGACY, x, n, &issuer, 1, s, &file, &e) != RC_OK)
		return e.code;
	return CHY_NONE;
}

static void
refused(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct made m = make(a);
	struct p12_entry wrong = { m.keys[0], m.certs[1], BYTES("x") },
			 none = { m.keys[0], BYTES("x"), BYTES("x") };
	struct p12_entry longer = m.entries[0], many[P12_KEYS_MAX + 1];
	uint8_t name[P12_NAME_MAX + 1];

	memset(name, 'n', sizeof(name));
	longer.name = BYTES_OF(name);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = m.entries[0];
	assert_int_equal(token_code(m.entries, 3, m.top, "1234"), CHY_NONE);
	assert_int_equal(token_code(&wrong, 1, m.top, "1234"), CHY_P12_FORM);
	assert_int_equal(token_code(&none, 1, m.top, "1234"), CHY_P12_FORM);
	assert_int_equal(token_code(m.entries, 1, BYTES("no certificate"), "1234"), CHY_P12_FORM);
	assert_int_equal(token_code(&longer, 1, m.top, "1234"), CHY_TOO_LONG);
	assert_int_equal(token_code(many, ARRAY_LEN(many), m.top, "1234"), CHY_P12_TOO_MUCH);
	assert_int_equal(token_code(many, 0, m.top, "1234"), CHY_P12_TOO_MUCH);
	drop(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "boxes open by their key and label only", boxes, NULL, NULL, NULL },
		{ "envelopes open by their recipient and label only", envelopes, NULL, NULL, NULL },
		{ "envelopes are for keys on curves", envelopes_are_for_curves, NULL, NULL, NULL },
		{ "openssl, GnuTLS, Java and NSS read a token of three keys rows=CM-I-10", read_by_others,
		  NULL, NULL, NULL },
		{ "modern encryption with 600,000 rounds, legacy where asked", modern_and_legacy, NULL, NULL,
		  NULL },
		{ "what a token cannot be made of", refused, NULL, NULL, NULL },
	};

	assert_int_equal(crypto_init(NULL), RC_OK);
	return cmocka_run_group_tests_name("crypto_token", tests, begin, end);
}
