/* Soft tokens and the key archive through the real signer process: what comes out of it is sealed, but for a file and its
   PIN; archived keys go into tokens and nowhere else, and are written down. */
#include "signer_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/p12.h"
#include "pki/cert.h"
#include "signer/client_token.h"

static const char *const places[] = { "software", "pkcs11:token=a?module-name=hsm-a" };

/* A certificate for a key, by the CA key "ca". */
static struct bytes
certify(struct world *w, struct arena *a, struct bytes spki, unsigned serial)
{
	struct tbs_spec spec = { .spki = spki, .serial = serial };
	struct bytes tbs = make_tbs(a, &spec);
	struct sign_cert c = {
		.key = "ca", .alg = SIGALG_ECDSA_SHA256, .tbs = tbs, .context = BYTES("test")
	};
	uint8_t *room = arena_alloc(a, 8 << 10);
	struct dw d = dw_fixed(room, 8 << 10);
	struct signed_cert s;
	struct err e = { 0 };

	OK(&e, signer_sign_cert_sync(w->s, &c, MS, a, &s, &e));
	OK(&e, cert_assemble(tbs, c.alg, s.signature, &d, &e));
	return dw_bytes(&d);
}

static struct bytes
pin_box(struct world *w, struct arena *a, const char *label, const char *pin)
{
	OWN(secret_free)
	struct secret *s = secret_of(bytes_str(pin));
	struct err e = { 0 };
	struct bytes box;

	OK(&e, signer_token_pin(w->s, label, s, MS, a, &box, &e));
	return box;
}

/* The key in a built token, by its own PIN. */
static struct bytes
key_in(struct world *w, struct arena *a, const char *label, struct bytes box, const char *pin)
{
	OWN(secret_free)
	struct secret *file = NULL, *s = secret_of(bytes_str(pin));
	struct err e = { 0 };
	struct bytes spki;
	struct p12 p;

	OK(&e, signer_token_open(w->s, label, box, MS, &file, &e));
	OK(&e, p12_read(a, secret_bytes(file), s, &p, &e));
	spki = arena_dup(a, softkey_spki(p.key));
	softkey_free(p.key);
	return spki;
}

static void
made_archived_recovered(void **state)
{
	static const char *const kinds[] = { "p-256", "rsa-2048", "ed25519" };
	struct world *w = *state;
	struct err e = { 0 };

	world_ca(w, "ca", "p-256", "software");
	for (size_t p = 0; p < ARRAY_LEN(places); p++)
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
			OWN(arena_free)
			struct arena *a = arena_new(8 << 20);
			const char *archive = p ? "archive.hard" : "archive.soft",
				   *bound = arena_printf(a, "certificate/%zu", i);
			struct token_key_made k;
			struct token_part part;
			struct token_build b = { .label = "file/1",
						 .pin_label = "pin/1",
						 .parts = &part,
						 .parts_n = 1,
						 .context = BYTES("request 7") };
			struct bytes cert, box;
			struct signer_key sk;

			if (i == 0)
				OK(&e,
				   signer_key_generate(w->s, archive, SIGNER_ARCHIVE, "p-256", places[p], MS,
						       a, &sk, &e));
			OK(&e, signer_token_key(w->s, kinds[i], "key/1/0", archive, bound, MS, a, &k, &e));
			assert_true(k.box.n > 0 && k.envelope.n > 0);
			cert = certify(w, a, k.spki, (unsigned)(100 * p + i + 1));
			b.pin_box = pin_box(w, a, "pin/1", "geheim1");
			part = (struct token_part){ NULL, "key/1/0", k.box, cert, BYTES("Anna") };
			OK(&e, signer_token_build(w->s, &b, MS, a, &box, &e));
			assert_true(bytes_eq(key_in(w, a, "file/1", box, "geheim1"), k.spki));
			/* later, out of the archive, under another PIN */
			b.pin_box = pin_box(w, a, "pin/1", "anders99");
			part = (struct token_part){ archive, bound, k.envelope, cert, BYTES("Anna") };
			OK(&e, signer_token_build(w->s, &b, MS, a, &box, &e));
			assert_true(bytes_eq(key_in(w, a, "file/1", box, "anders99"), k.spki));
		}
}

/* A sealed key comes out by no request, whatever it is called. */
static void
keys_never_come_out(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(8 << 20);
	struct world *w = *state;
	struct token_key_made k, other;
	struct token_part part;
	struct token_build b = { .label = "file/1", .pin_label = "pin/1", .parts = &part, .parts_n = 1 };
	struct secret *out = NULL;
	struct signer_key sk;
	struct err e = { 0 };
	struct bytes cert, box;

	world_ca(w, "ca", "p-256", "software");
	OK(&e, signer_key_generate(w->s, "archive", SIGNER_ARCHIVE, "p-256", "software", MS, a, &sk, &e));
	OK(&e, signer_token_key(w->s, "p-256", "key/1/0", "archive", "certificate/1", MS, a, &k, &e));
	OK(&e, signer_token_key(w->s, "p-256", "key/1/1", NULL, NULL, MS, a, &other, &e));
	assert_int_equal(other.envelope.n, 0);
	/* neither by its own label nor as something else */
	REFUSED(&e, CHY_SIGNER_LABEL, signer_token_open(w->s, "key/1/0", k.box, MS, &out, &e));
	REFUSED(&e, CHY_BOX_OPEN, signer_token_open(w->s, "pin/1/0", k.box, MS, &out, &e));
	REFUSED(&e, CHY_BOX_OPEN, signer_token_open(w->s, "file/1", k.box, MS, &out, &e));
	REFUSED(&e, CHY_BOX_FORM, signer_token_open(w->s, "file/1", k.envelope, MS, &out, &e));
	/* not as a PIN of a token, nor with another key's certificate or binding */
	cert = certify(w, a, k.spki, 1);
	b.pin_box = k.box;
	part = (struct token_part){ NULL, "key/1/0", k.box, cert, BYTES_NONE };
	REFUSED(&e, CHY_BOX_OPEN, signer_token_build(w->s, &b, MS, a, &box, &e));
	b.pin_box = pin_box(w, a, "pin/1", "1234");
	part.certificate = certify(w, a, other.spki, 2);
	REFUSED(&e, CHY_P12_FORM, signer_token_build(w->s, &b, MS, a, &box, &e));
	part = (struct token_part){ "archive", "certificate/1", k.envelope, part.certificate, BYTES_NONE };
	REFUSED(&e, CHY_BOX_OPEN, signer_token_build(w->s, &b, MS, a, &box, &e));
	part = (struct token_part){ "archive", "certificate/2", k.envelope, cert, BYTES_NONE };
	REFUSED(&e, CHY_BOX_OPEN, signer_token_build(w->s, &b, MS, a, &box, &e));
	part = (struct token_part){ "ca", "certificate/1", k.envelope, cert, BYTES_NONE };
	REFUSED(&e, CHY_SIGNER_KEY_CLASS, signer_token_build(w->s, &b, MS, a, &box, &e));
	/* and an archive key signs nothing */
	REFUSED(&e, CHY_SIGNER_KEY_CLASS,
		signer_sign_cert_sync(w->s,
				      &(struct sign_cert){ .key = "archive",
							   .alg = SIGALG_ECDSA_SHA256,
							   .tbs = make_tbs(a, &(struct tbs_spec){ 0 }) },
				      MS, a, &(struct signed_cert){ 0 }, &e));
	REFUSED(&e, CHY_SIGNER_KEY_CLASS,
		signer_sign_csr(w->s, "archive", SIGALG_ECDSA_SHA256, make_info(a, "CN=x", sk.spki),
				BYTES_NONE, MS, a, &(struct signed_cert){ 0 }, &e));
	assert_null(out);
}

/* Each key that leaves the archive has its line before it leaves. */
static void
recovery_is_written_down(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(8 << 20);
	struct world *w = *state;
	struct token_key_made k;
	struct token_part part;
	struct token_build b = { .label = "file/1",
				 .pin_label = "pin/1",
				 .parts = &part,
				 .parts_n = 1,
				 .context = BYTES("request 4711") };
	struct signer_status before, after;
	struct sj_record *records;
	struct signer_key sk;
	struct err e = { 0 };
	struct bytes box;
	size_t n;

	world_ca(w, "ca", "p-256", "software");
	OK(&e, signer_key_generate(w->s, "archive", SIGNER_ARCHIVE, "p-384", "software", MS, a, &sk, &e));
	OK(&e, signer_token_key(w->s, "p-256", "key/1/0", "archive", "certificate/1", MS, a, &k, &e));
	b.pin_box = pin_box(w, a, "pin/1", "1234");
	part = (struct token_part){ "archive", "certificate/1", k.envelope, certify(w, a, k.spki, 1),
				    BYTES_NONE };
	OK(&e, signer_status(w->s, MS, &before, &e));
	OK(&e, signer_token_build(w->s, &b, MS, a, &box, &e));
	OK(&e, signer_status(w->s, MS, &after, &e));
	assert_int_equal(after.synced, before.synced + 1);
	OK(&e, signer_journal_read(w->s, after.synced, MS, a, &records, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(records[0].type, SJ_RECOVERED);
	assert_true(bytes_eq(records[0].tbs, k.spki) && bytes_is(records[0].context, "request 4711") &&
		    bytes_is(records[0].key, "archive"));
	/* one that is refused leaves no line, and stops nothing */
	part.label = "certificate/2";
	REFUSED(&e, CHY_BOX_OPEN, signer_token_build(w->s, &b, MS, a, &box, &e));
	certify(w, a, k.spki, 3);
	OK(&e, signer_status(w->s, MS, &before, &e));
	assert_int_equal(before.synced, after.synced + 1);
}

static void
boxes_outlive_the_process(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(8 << 20);
	struct world *w = *state;
	struct token_key_made k;
	struct token_part part;
	struct token_build b = {
		.legacy = true, .label = "file/1", .pin_label = "pin/1", .parts = &part, .parts_n = 1
	};
	struct err e = { 0 };
	struct bytes box;

	world_ca(w, "ca", "p-256", "software");
	OK(&e, signer_token_key(w->s, "p-256", "key/1/0", NULL, NULL, MS, a, &k, &e));
	b.pin_box = pin_box(w, a, "pin/1", "1234");
	assert_int_equal(world_stop(w), 0);
	world_start(w);
	part = (struct token_part){ NULL, "key/1/0", k.box, certify(w, a, k.spki, 1), BYTES_NONE };
	OK(&e, signer_token_build(w->s, &b, MS, a, &box, &e));
	assert_true(bytes_eq(key_in(w, a, "file/1", box, "1234"), k.spki));
}

struct building {
	struct world *w;
	const struct token_build *b;
	struct arena *a;
	struct bytes box;
	enum rc rc;
	atomic_bool over;
};

static void *
build_main(void *arg)
{
	struct building *x = arg;

	x->rc = signer_token_build(x->w->s, x->b, MS, x->a, &x->box, NULL);
	atomic_store(&x->over, true);
	return NULL;
}

static void
wait_for_file(const char *path)
{
	for (int i = 0; i < 1000 && access(path, F_OK) != 0; i++)
		usleep(10000);
	assert_int_equal(access(path, F_OK), 0);
}

/* Files are made beside the signatures, not before them: while one is held up, certificates are signed. */
static void
signing_does_not_wait(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(32 << 20);
	OWN(arena_free)
	struct arena *of_build = arena_new(32 << 20);
	struct world *w = *state;
	struct token_key_made k;
	struct token_part part;
	struct token_build b = { .label = "file/1", .pin_label = "pin/1", .parts = &part, .parts_n = 1 };
	struct building x = { .w = w, .b = &b, .a = of_build };
	struct err e = { 0 };
	char held[256];
	pthread_t thread;

	world_ca(w, "ca", "p-256", "software");
	OK(&e, signer_token_key(w->s, "p-256", "key/1/0", NULL, NULL, MS, a, &k, &e));
	b.pin_box = pin_box(w, a, "pin/1", "1234");
	part = (struct token_part){ NULL, "key/1/0", k.box, certify(w, a, k.spki, 1), BYTES_NONE };
	snprintf(held, sizeof(held), "%s", world_path(w, "signer/held"));
	assert_int_equal(world_stop(w), 0);
	setenv("CHANCERY_FAULT_ONCE", held, 1);
	w->fault = "signer.token-before-file@1=wait";
	world_start(w);
	w->fault = NULL;
	unsetenv("CHANCERY_FAULT_ONCE");
	assert_int_equal(pthread_create(&thread, NULL, build_main, &x), 0);
	wait_for_file(held);
	for (unsigned i = 0; i < 5; i++)
		certify(w, a, k.spki, 100 + i);
	assert_false(atomic_load(&x.over));
	assert_int_equal(unlink(held), 0);
	pthread_join(thread, NULL);
	assert_int_equal(x.rc, RC_OK);
	assert_true(bytes_eq(key_in(w, a, "file/1", x.box, "1234"), k.spki));
}

enum { SHADOW = 1 << 30 }; /* no mapping of the signer's own is so large */

/* How often the octets stand in the memory of the process; -1: its memory may not be read here. */
static int
count_in_memory(pid_t pid, const char *what)
{
	char path[64], line[512];
	FILE *maps, *mem;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	mem = fopen(path, "r");
	while (maps != NULL && mem != NULL && fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from, to;
		char mode[8], *room;
		size_t got;

		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[1] != 'w')
			continue;
		if (to - from > (unsigned long)SHADOW) /* a sanitizer's own memory */
			continue;
		room = malloc(to - from);
		assert_non_null(room);
		got = fseek(mem, (long)from, SEEK_SET) == 0 ? fread(room, 1, to - from, mem) : 0;
		for (char *at = room;
		     got > 0 && (at = memmem(at, got - (size_t)(at - room), what, strlen(what))); at++)
			n++;
		free(room);
	}
	if (maps == NULL || mem == NULL)
		n = -1;
	if (maps != NULL)
		fclose(maps);
	if (mem != NULL)
		fclose(mem);
	return n;
}

static void
no_pin_stays_in_memory(void **state)
{
	static const char pin[] = "unverwechselbar-4711-0815";
	OWN(arena_free)
	struct arena *a = arena_new(8 << 20);
	OWN(secret_free)
	struct secret *got = NULL;
	struct world *w = *state;
	struct signer_status st;
	struct err e = { 0 };
	struct bytes box = pin_box(w, a, "pin/1", pin);

	OK(&e, signer_token_open(w->s, "pin/1", box, MS, &got, &e));
	assert_true(bytes_is(secret_bytes(got), pin));
	OK(&e, signer_status(w->s, MS, &st, &e)); /* the batch before has ended */
	if (count_in_memory(w->pid, "pin/") < 0)
		skip();
	assert_int_equal(count_in_memory(w->pid, pin), 0);
}

static void
bad_requests(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(8 << 20);
	struct world *w = *state;
	OWN(secret_free)
	struct secret *none = secret_of(BYTES_NONE), *longer = secret_new(SIGNER_PIN_MAX + 1);
	struct token_key_made k;
	struct signer_key sk;
	struct err e = { 0 };
	struct bytes box;

	REFUSED(&e, CHY_KEY_KIND, signer_token_key(w->s, "rsa-511", "key/1/0", NULL, NULL, MS, a, &k, &e));
	REFUSED(&e, CHY_SIGNER_LABEL, signer_token_key(w->s, "p-256", "pin/1/0", NULL, NULL, MS, a, &k, &e));
	REFUSED(&e, CHY_SIGNER_LABEL, signer_token_key(w->s, "p-256", "key/", NULL, NULL, MS, a, &k, &e));
	REFUSED(&e, CHY_SIGNER_NO_KEY, signer_token_key(w->s, "p-256", "key/1", "gone", "x", MS, a, &k, &e));
	REFUSED(&e, CHY_KEY_KIND,
		signer_key_generate(w->s, "archive", SIGNER_ARCHIVE, "rsa-3072", "software", MS, a, &sk, &e));
	REFUSED(&e, CHY_SIGNER_MESSAGE, signer_token_pin(w->s, "pin/1", none, MS, a, &box, &e));
	REFUSED(&e, CHY_SIGNER_MESSAGE, signer_token_pin(w->s, "pin/1", longer, MS, a, &box, &e));
	REFUSED(&e, CHY_P12_TOO_MUCH,
		signer_token_build(w->s,
				   &(struct token_build){ .label = "file/1",
							  .pin_label = "pin/1",
							  .pin_box = pin_box(w, a, "pin/1", "1234") },
				   MS, a, &box, &e));
}

#define T(name, fn) \
	{ \
		name, fn, world_setup_softhsm, world_teardown, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("keys are made, archived and recovered, the archive key in software or a token "
		  "rows=CM-I-20",
		  made_archived_recovered),
		T("sealed keys come out by no request rows=CM-I-20", keys_never_come_out),
		T("every recovery is in the signer's journal first", recovery_is_written_down),
		T("boxes outlive the process", boxes_outlive_the_process),
		T("signing does not wait for tokens", signing_does_not_wait),
		T("no PIN stays in memory", no_pin_stays_in_memory),
		T("bad requests about tokens", bad_requests),
	};

	return cmocka_run_group_tests_name("signer_tokens", tests, NULL, NULL);
}
