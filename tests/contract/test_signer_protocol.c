/*
 * The signer's protocol, message by message, at the real process: each request with a key of each class, cut short at
 * every octet, too long, unknown; limits; what stands in the journal; the sandbox; what is linked.
 */
#include "signer_world.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/frame.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANDBOXED = false }; /* built like this the program has none */
#else
enum { SANDBOXED = true };
#endif

static const char *const labels[] = { "a-ca", "a-ocsp", "a-journal", "a-tls" };

static void
one_key_of_each_class(struct world *w)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct signer_limits l = usual_limits(a, "p-256");
	struct signer_key k;
	struct err e = { 0 };

	for (int c = SIGNER_CA; c <= SIGNER_TLS; c++)
		OK(&e,
		   signer_key_generate(w->s, labels[c - 1], (enum signer_class)c, "p-256", "software", MS, a,
				       &k, &e));
	REFUSED(&e, CHY_SIGNER_NO_LIMITS, signer_limits_get(w->s, "a-ca", MS, a, &l, &e));
	l = usual_limits(a, "p-256");
	OK(&e, signer_limits_set(w->s, "a-ca", &l, MS, &e));
}

static void
each_request_with_each_class(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct signer_head h = { .size = 5, .at_ms = 1 };
	struct tree_proof none = { .n = 0 };
	struct err e = { 0 };
	struct signed_cert sc;
	struct signer_key k;

	one_key_of_each_class(w);
	for (int c = SIGNER_CA; c <= SIGNER_TLS; c++) {
		const char *label = labels[c - 1];
		struct sign_cert cert = { label, SIGALG_ECDSA_SHA256, make_tbs(a, &(struct tbs_spec){ 0 }),
					  BYTES_NONE };
		uint8_t digest[32] = { 7 };
		struct signer_limits l = usual_limits(a, "p-256");
		enum code want = CHY_SIGNER_KEY_CLASS;

		OK(&e, signer_key_public(w->s, label, MS, a, &k, &e));
		assert_int_equal(k.class, c);
#define ONLY(class, call) \
	if (c == class) \
		OK(&e, call); \
	else \
		REFUSED(&e, want, call)
		ONLY(SIGNER_CA, signer_sign_cert_sync(w->s, &cert, MS, a, &sc, &e));
		ONLY(SIGNER_JOURNAL, signer_sign_head(w->s, label, &h, &none, MS, a, &sc, &e));
		if (c == SIGNER_JOURNAL) {
			uint8_t bytes[SIGNER_HEAD_BYTES];

			signer_head_put(bytes, &h);
			assert_true(signature_ok(k.spki, SIGALG_ECDSA_SHA256, BYTES_OF(bytes), sc.signature));
		}
		ONLY(SIGNER_TLS,
		     signer_sign_tls(w->s, label, SIGALG_ECDSA_SHA256, BYTES_OF(digest), MS, a, &sc, &e));
		want = c == SIGNER_OCSP ? CHY_SIGNER_LIMITS
					: CHY_SIGNER_KEY_CLASS; /* it has limits of another kind */
		ONLY(SIGNER_CA, signer_limits_set(w->s, label, &l, MS, &e));
		want = CHY_SIGNER_KEY_CLASS;
		/* a certification request for its own key: any class; of a limited one in the name of its limits alone */
		OK(&e,
		   signer_sign_csr(w->s, label, SIGALG_ECDSA_SHA256, make_info(a, "CN=Issuing", k.spki),
				   BYTES_NONE, MS, a, &sc, &e));
		if (c == SIGNER_CA)
			REFUSED(&e, CHY_SIGNER_ISSUER,
				signer_sign_csr(w->s, label, SIGALG_ECDSA_SHA256,
						make_info(a, "CN=me", k.spki), BYTES_NONE, MS, a, &sc, &e));
		REFUSED(
		    &e, CHY_SIGNER_INFO,
		    signer_sign_csr(w->s, label, SIGALG_ECDSA_SHA256, cert.tbs, BYTES_NONE, MS, a, &sc, &e));
	}
	/* another key's request */
	OK(&e, signer_key_public(w->s, "a-tls", MS, a, &k, &e));
	REFUSED(&e, CHY_SIGNER_INFO,
		signer_sign_csr(w->s, "a-ca", SIGALG_ECDSA_SHA256, make_info(a, "CN=me", k.spki), BYTES_NONE,
				MS, a, &sc, &e));
}

/* ---- attribute certificates ---- */

/* A CA key "ac" that may sign them. */
static void
world_ac_key(struct world *w)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct signer_limits l = usual_limits(a, "p-256");
	struct signer_key k;
	struct err e = { 0 };

	l.acs_allowed = true;
	OK(&e, signer_key_generate(w->s, "ac", SIGNER_CA, "p-256", "software", MS, a, &k, &e));
	OK(&e, signer_limits_set(w->s, "ac", &l, MS, &e));
}

static void
attribute_certificates(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct sign_cert ac = { "ac", SIGALG_ECDSA_SHA256, make_ac(a, &(struct tbs_spec){ 0 }), BYTES("why"),
				true };
	struct sj_record *records;
	struct signed_cert sc;
	struct signer_key k;
	struct err e = { 0 };
	size_t n;

	world_ac_key(w);
	world_ca(w, "ca", "p-256", "software");
	OK(&e, signer_sign_cert_sync(w->s, &ac, MS, a, &sc, &e));
	OK(&e, signer_key_public(w->s, "ac", MS, a, &k, &e));
	assert_true(signature_ok(k.spki, SIGALG_ECDSA_SHA256, ac.tbs, sc.signature));
	OK(&e, signer_journal_read(w->s, sc.position, MS, a, &records, &n, &e));
	assert_true(records[0].type == SJ_AC && bytes_eq(records[0].tbs, ac.tbs) &&
		    bytes_is(records[0].context, "why"));
	ac.key = "ca"; /* its limits say nothing of them */
	REFUSED(&e, CHY_SIGNER_AC_FLAG, signer_sign_cert_sync(w->s, &ac, MS, a, &sc, &e));
	ac.key = "ac";
#define AC(code, ...) \
	ac.tbs = make_ac(a, &(struct tbs_spec){ __VA_ARGS__ }); \
	REFUSED(&e, code, signer_sign_cert_sync(w->s, &ac, MS, a, &sc, &e))
	AC(CHY_SIGNER_ISSUER, .issuer = "CN=Other");
	AC(CHY_SIGNER_VALIDITY, .days = 401);
	AC(CHY_SIGNER_ALGORITHM, .alg = SIGALG_ECDSA_SHA384);
	/* neither passes for the other */
	ac.tbs = make_tbs(a, &(struct tbs_spec){ 0 });
	REFUSED(&e, CHY_DER_TAG, signer_sign_cert_sync(w->s, &ac, MS, a, &sc, &e));
	ac.tbs = make_ac(a, &(struct tbs_spec){ 0 });
	ac.ac = false;
	REFUSED(&e, CHY_DER_TAG, signer_sign_cert_sync(w->s, &ac, MS, a, &sc, &e));
}

static void
outside_of_the_limits(void **state)
{
	static const struct {
		struct tbs_spec spec;
		enum code code;
	} rows[] = {
		{ { .issuer = "CN=Other" }, CHY_SIGNER_ISSUER },
		{ { .days = 401 }, CHY_SIGNER_VALIDITY },
		{ { .ca = true, .path_len = -1 }, CHY_SIGNER_CA_FLAG },
		{ { .alg = SIGALG_ECDSA_SHA384 }, CHY_SIGNER_ALGORITHM },
	};
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct signer_limits l = usual_limits(a, "p-256");
	struct sign_cert c = { "ca", SIGALG_ECDSA_SHA256, BYTES_NONE, BYTES_NONE };
	struct signer_status st;
	struct signed_cert sc;
	struct signer_key k;
	struct err e = { 0 };
	unsigned done = 0, refused = 0;

	OK(&e, signer_key_generate(w->s, "ca", SIGNER_CA, "p-256", "software", MS, a, &k, &e));
	c.tbs = make_tbs(a, &(struct tbs_spec){ 0 });
	REFUSED(&e, CHY_SIGNER_NO_LIMITS, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
	OK(&e, signer_limits_set(w->s, "ca", &l, MS, &e));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		c.tbs = make_tbs(a, &rows[i].spec);
		c.alg = rows[i].spec.alg ? rows[i].spec.alg : SIGALG_ECDSA_SHA256;
		REFUSED(&e, rows[i].code, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
	}
	c.tbs = make_tbs(a,
			 &(struct tbs_spec){ .alg = SIGALG_ECDSA_SHA384 }); /* says one, asks for the other */
	c.alg = SIGALG_ECDSA_SHA256;
	REFUSED(&e, CHY_SIGNER_ALGORITHM, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
	c.tbs = BYTES("\x30\x03\x02\x01\x05");
	err_clear(&e);
	assert_int_not_equal(signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e), RC_OK);
	assert_string_equal(e.field, "tbs");
	l.per_second = 5;
	OK(&e, signer_limits_set(w->s, "ca", &l, MS, &e));
	l.per_second = 6;
	REFUSED(&e, CHY_SIGNER_LIMITS_WIDER, signer_limits_set(w->s, "ca", &l, MS, &e));
	c.tbs = make_tbs(a, &(struct tbs_spec){ 0 });
	for (int i = 0; i < 20; i++) {
		err_clear(&e);
		if (signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e) == RC_OK)
			done++;
		else
			refused += e.code == CHY_SIGNER_RATE;
	}
	assert_in_range(done, 5, 7);
	assert_int_equal(done + refused, 20);
	OK(&e, signer_status(w->s, MS, &st, &e));
	assert_int_equal(st.signed_total, done); /* nothing that was refused has been signed */
	assert_true(st.refused_total >= refused + ARRAY_LEN(rows));
}

/* ---- octets of our own on the socket ---- */

static void
send_raw(int fd, uint16_t type, uint64_t id, struct bytes payload)
{
	OWN_BUF struct buf b = buf_max(LIMIT_FRAME + 64);

	frame_put(&b, (struct frame){ type, id, payload });
	ok(fd_write_all(fd, buf_bytes(&b), NULL));
}

static const uint8_t *raw_payload; /* of the answer taken last */

/* Takes an answer; its error code, or 0. */
static enum code
take_raw(int fd, uint64_t want_id)
{
	static uint8_t all[LIMIT_FRAME + 64];
	struct bytes in;
	struct frame f;
	struct rd r;
	bool whole;

	ok(fd_read_all(fd, all, 4, NULL));
	r = rd_of(bytes_of(all, 4));
	in.n = 4 + (size_t)rd_u32(&r);
	ok(fd_read_all(fd, all + 4, in.n - 4, NULL));
	in.p = all;
	ok(frame_take(&in, &f, &whole, NULL));
	assert_true(whole);
	assert_int_equal(f.id, want_id);
	raw_payload = f.payload.p;
	r = rd_of(f.payload);
	return f.type == SIGNER_ERROR ? (enum code)rd_u32(&r) : CHY_NONE;
}

static void
put_samples(struct arena *a, struct buf *b, uint16_t type)
{
	struct signer_limits l = usual_limits(a, "p-256");

	switch (type) {
	case SIGNER_HELLO:
		buf_u16(b, SIGNER_VERSION);
		break;
	case SIGNER_KEY_GENERATE:
		buf_u8(b, SIGNER_TLS);
		buf_lv(b, BYTES("new"));
		buf_lv(b, BYTES("p-256"));
		buf_lv(b, BYTES("software"));
		break;
	case SIGNER_KEY_LIST:
		buf_u16(b, 0);
		break;
	case SIGNER_KEY_PUBLIC:
	case SIGNER_LIMITS_GET:
		buf_lv(b, BYTES("ca"));
		break;
	case SIGNER_KEY_DELETE:
		buf_lv(b, BYTES("new"));
		break;
	case SIGNER_LIMITS_SET:
		buf_lv(b, BYTES("ca"));
		signer_limits_put(b, &l);
		break;
	case SIGNER_SIGN_CERT:
		buf_lv(b, BYTES("ca"));
		buf_lv(b, BYTES("ecdsa-sha256"));
		buf_lv(b, make_tbs(a, &(struct tbs_spec){ 0 }));
		buf_lv(b, BYTES("context"));
		break;
	case SIGNER_SIGN_AC:
		buf_lv(b, BYTES("ac"));
		buf_lv(b, BYTES("ecdsa-sha256"));
		buf_lv(b, make_ac(a, &(struct tbs_spec){ 0 }));
		buf_lv(b, BYTES("context"));
		break;
	case SIGNER_CRL_LAST:
		buf_lv(b, BYTES("ca"));
		buf_lv(b, BYTES("point"));
		break;
	case SIGNER_JOURNAL_READ:
		buf_u64(b, 1);
		break;
	case SIGNER_JOURNAL_ACK:
		buf_u64(b, 1);
		break;
	default:
		break; /* STATUS: empty */
	}
}

static void
cut_short_and_too_long(void **state)
{
	static const uint16_t types[] = { SIGNER_HELLO,      SIGNER_KEY_GENERATE, SIGNER_KEY_LIST,
					  SIGNER_KEY_PUBLIC, SIGNER_LIMITS_SET,   SIGNER_LIMITS_GET,
					  SIGNER_SIGN_CERT,  SIGNER_SIGN_AC,      SIGNER_CRL_LAST,
					  SIGNER_KEY_DELETE, SIGNER_JOURNAL_READ, SIGNER_JOURNAL_ACK,
					  SIGNER_STATUS };
	struct world *w = *state;
	uint64_t id = 0;

	world_ca(w, "ca", "p-256", "software");
	world_ac_key(w);
	world_stop(w);
	world_spawn(w);
	for (size_t t = 0; t < ARRAY_LEN(types); t++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		OWN_BUF struct buf b = buf_max(LIMIT_FRAME);

		put_samples(a, &b, types[t]);
		for (size_t n = 0; n < b.n; n++) {
			send_raw(w->fd, types[t], ++id, bytes_part(buf_bytes(&b), 0, n));
			assert_int_not_equal(take_raw(w->fd, id), CHY_NONE);
		}
		buf_u8(&b, 0);
		send_raw(w->fd, types[t], ++id, buf_bytes(&b));
		assert_int_equal(take_raw(w->fd, id), CHY_SIGNER_MESSAGE);
		b.n--;
		send_raw(w->fd, types[t], ++id, buf_bytes(&b));
		assert_int_equal(take_raw(w->fd, id), CHY_NONE); /* the sample itself is right */
	}
	for (unsigned type = 0; type < 80; type++) {
		bool known = (type >= 1 && type <= 7) || (type >= 16 && type <= 34);

		send_raw(w->fd, (uint16_t)type, ++id, BYTES("x"));
		assert_int_equal(take_raw(w->fd, id) == CHY_SIGNER_UNKNOWN, !known);
	}
}

/* The journal shows what was to be signed by the message before, even where both come at once: reconcile relies on it. */
static void
the_journal_is_read_in_turn(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	OWN_BUF struct buf sign = buf_max(LIMIT_FRAME), read = buf_max(64), both = buf_max(2 * LIMIT_FRAME);
	struct world *w = *state;

	world_ca(w, "ca", "p-256", "software");
	world_stop(w);
	world_spawn(w);
	put_samples(a, &sign, SIGNER_SIGN_CERT);
	buf_u64(&read, 3); /* behind the key and its limits */
	for (uint64_t i = 1; i <= 3; i += 2) {
		frame_put(&both, (struct frame){ SIGNER_SIGN_CERT, i, buf_bytes(&sign) });
		frame_put(&both, (struct frame){ SIGNER_JOURNAL_READ, i + 1, buf_bytes(&read) });
	}
	ok(fd_write_all(w->fd, buf_bytes(&both), NULL));
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(take_raw(w->fd, 2 * i - 1), CHY_NONE);
		assert_int_equal(take_raw(w->fd, 2 * i), CHY_NONE);
		assert_int_equal(raw_payload[0] << 8 | raw_payload[1], i); /* records */
	}
}

/* What is no message of ours ends the process, after answers to what came before. */
static void
damaged_stream_ends_it(void **state)
{
	OWN_BUF struct buf b = buf_max(1 << 10);
	struct world *w = *state;
	int status;

	world_spawn(w);
	frame_put(&b, (struct frame){ SIGNER_STATUS, 9, BYTES_NONE });
	buf_put(&b, BYTES("\xff\xff\xff\xff garbage, and more of it"));
	ok(fd_write_all(w->fd, buf_bytes(&b), NULL));
	assert_int_equal(take_raw(w->fd, 9), CHY_NONE);
	status = world_wait(w);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void
half_a_message_then_the_end(void **state)
{
	struct world *w = *state;
	int status;

	world_spawn(w);
	ok(fd_write_all(w->fd, BYTES("\0\0\1\0\0\1half"), NULL));
	close(w->fd);
	w->fd = -1;
	status = world_wait(w);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- the journal by the socket ---- */

static void
journal_by_the_socket(void **state)
{
	struct world *w = *state;
	struct err e = { 0 };
	struct signer_status st;
	uint64_t from = 1;
	unsigned certs = 0, others = 0;

	snprintf(w->segment_bytes, sizeof(w->segment_bytes), "262144");
	world_start(w);
	world_ca(w, "ca", "p-256", "software");
	for (unsigned i = 1; i <= 300; i++) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		struct bytes context = arena_dup(a, bytes_of(arena_alloc(a, 4000), 4000));
		struct sign_cert c = { "ca", SIGALG_ECDSA_SHA256,
				       make_tbs(a, &(struct tbs_spec){ .serial = i }), context };
		struct signed_cert sc;

		OK(&e, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
	}
	for (;;) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		struct sj_record *list;
		size_t n;

		OK(&e, signer_journal_read(w->s, from, MS, a, &list, &n, &e));
		for (size_t i = 0; i < n; i++, from++) {
			assert_int_equal(list[i].position, from);
			certs += list[i].type == SJ_CERT && list[i].context.n == 4000;
			others += list[i].type == SJ_KEY_MADE || list[i].type == SJ_LIMITS;
		}
		if (n == 0)
			break;
	}
	assert_int_equal(certs, 300);
	assert_int_equal(others, 2);
	OK(&e, signer_status(w->s, MS, &st, &e));
	assert_int_equal(st.synced, 302);
	assert_true(st.segments > 2);
	REFUSED(&e, CHY_SJ_POSITION, signer_journal_ack(w->s, 303, MS, &e));
	OK(&e, signer_journal_ack(w->s, 302, MS, &e));
	OK(&e, signer_status(w->s, MS, &st, &e));
	assert_true(st.acked == 302 && st.segments == 1);
	assert_int_equal(st.sandboxed, SANDBOXED);
	{
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		struct sj_record *list;
		size_t n;

		OK(&e, signer_journal_read(w->s, 5, MS, a, &list, &n, &e)); /* archived ones too */
		assert_true(n > 0 && list[0].position == 5);
		REFUSED(&e, CHY_SJ_POSITION, signer_journal_read(w->s, 304, MS, a, &list, &n, &e));
		REFUSED(&e, CHY_SJ_POSITION, signer_journal_read(w->s, 0, MS, a, &list, &n, &e));
	}
}

/* ---- starting ---- */

static void
wrong_passphrase(void **state)
{
	struct world *w = *state;
	struct err e = { 0 };
	int status;

	world_start(w);
	world_ca(w, "ca", "p-256", "software");
	world_stop(w);
	OK(&e, file_write(world_path(w, "passphrase"), BYTES("wrong\n"), 0600, &e));
	world_spawn(w);
	status = world_wait(w);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	world_sh(w, "grep -q CHY-1317 %s", world_path(w, "log"));
}

/* Limits are sealed with the key: a changed file is found, and so is another key's file in its place. */
static void
altered_key_file(void **state)
{
	struct world *w = *state;
	int status;

	world_start(w);
	world_ca(w, "ca", "p-256", "software");
	world_ca(w, "ca2", "p-256", "software");
	world_stop(w);
	world_sh(w, "cp %s %s", world_path(w, "signer/keys/ca2.key"), world_path(w, "signer/keys/ca.key"));
	world_spawn(w);
	status = world_wait(w);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	world_sh(w, "grep -q CHY-1315 %s", world_path(w, "log"));
}

static void
no_key_in_the_clear(void **state)
{
	struct world *w = *state;

	world_start(w);
	world_ca(w, "ca", "p-256", "software");
	world_stop(w);
	/* a PKCS#8 of P-256 holds the curve's OID */
	world_sh(w, "! grep -rqP '\\x2a\\x86\\x48\\xce\\x3d\\x02\\x01' %s", world_path(w, "signer/keys"));
	world_sh(w, "test \"$(stat -c %%a %s)\" = 600", world_path(w, "signer/keys/ca.key"));
}

/* ---- what is in it ---- */

static void
links_no_http_json_sql(void **state)
{
	struct world *w = *state;
	const char *build = getenv("CHANCERY_BUILD");

	assert_non_null(build);
	world_sh(w, "nm %s/src/programs/chancery-signer | grep -q ' T sj_commit'",
		 build); /* nm sees symbols at all */
	world_sh(w,
		 "! nm %s/src/programs/chancery-signer | grep -E ' [TtU] "
		 "(json_parse|json_put$|json_get|evhttp|event_|sqlite3|PQ|http|curl|SSL_|ldap)'",
		 build);
	world_sh(w,
		 "! ldd %s/src/programs/chancery-signer | grep -E 'sqlite|libpq|event|curl|libssl|json|ldap'",
		 build);
}

#define T(name, fn) \
	{ \
		name, fn, world_setup, world_teardown, NULL \
	}
#define STOPPED(name, fn) \
	{ \
		name, fn, world_setup_stopped, world_teardown, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("each request with a key of each class", each_request_with_each_class),
		T("attribute certificates", attribute_certificates),
		T("outside of the limits", outside_of_the_limits),
		T("the journal is read in turn", the_journal_is_read_in_turn),
		T("each request cut short at every octet, and too long", cut_short_and_too_long),
		STOPPED("a damaged stream ends the process", damaged_stream_ends_it),
		STOPPED("half a message, then the end", half_a_message_then_the_end),
		STOPPED("the journal is read and acknowledged by the socket", journal_by_the_socket),
		STOPPED("a wrong passphrase", wrong_passphrase),
		STOPPED("an altered key file", altered_key_file),
		STOPPED("no key lies in the clear", no_key_in_the_clear),
		STOPPED("a process of its own that links no HTTP, JSON or SQL rows=CM-A-15",
			links_no_http_json_sql),
	};

	return cmocka_run_group_tests_name("signer_protocol", tests, NULL, NULL);
}
