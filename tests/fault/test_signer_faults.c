/*
 * The signer killed at every named point and at random under load, its journal failing: no signature has left that the
 * journal does not hold, and it goes on.
 */
#include "signer_world.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAVES = 40, IN_WAVE = 8, MOST = WAVES * IN_WAVE };

/* What a client was told, by serial number from 1. */
struct told {
	pthread_mutex_t lock;
	pthread_cond_t more;
	unsigned submitted, answered, lost, refused;
	struct one {
		uint64_t position;
		uint8_t signature[96];
		size_t n;
		struct told *all;
		enum code code;
		bool answered;
	} list[MOST + 1];
};

static void
answered(void *arg, const struct signed_cert *sc, const struct err *e)
{
	struct one *one = arg;
	struct told *t = one->all;

	pthread_mutex_lock(&t->lock);
	assert_false(one->answered); /* exactly once */
	one->answered = true;
	t->answered++;
	if (sc != NULL) {
		one->position = sc->position;
		one->n = sc->signature.n;
		memcpy(one->signature, sc->signature.p, sc->signature.n);
	} else {
		one->code = e->code;
		t->lost += e->code == CHY_SIGNER_LOST;
		t->refused += e->code != CHY_SIGNER_LOST;
	}
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
}

static uint8_t ca_spki[256]; /* of the key that prepare() made */
static size_t ca_spki_n;

static struct told *
told_new(void)
{
	struct told *t = calloc(1, sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->more, NULL);
	for (unsigned i = 0; i <= MOST; i++)
		t->list[i].all = t;
	return t;
}

static void
told_wait(struct told *t)
{
	pthread_mutex_lock(&t->lock);
	while (t->answered < t->submitted)
		pthread_cond_wait(&t->more, &t->lock);
	pthread_mutex_unlock(&t->lock);
}

/* Without waiting for its answer. False: the signer is gone. */
static bool
submit_one(struct world *w, struct told *t, unsigned i)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);
	struct sign_cert c = { "ca", SIGALG_ECDSA_SHA256, make_tbs(a, &(struct tbs_spec){ .serial = i }),
			       BYTES("why") };
	struct err e = { 0 };

	if (signer_sign_cert(w->s, &c, answered, &t->list[i], &e) != RC_OK) {
		assert_int_equal(e.code, CHY_SIGNER_AWAY);
		return false;
	}
	pthread_mutex_lock(&t->lock);
	t->submitted++;
	pthread_mutex_unlock(&t->lock);
	return true;
}

/* Submits certificates `from` to `to`, IN_WAVE at once; false when the signer is gone. */
static bool
submit(struct world *w, struct told *t, unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++) {
		if (!submit_one(w, t, i)) {
			told_wait(t);
			return false;
		}
		if (i % IN_WAVE == 0)
			told_wait(t);
	}
	told_wait(t);
	return true;
}

/* Everything in the journal, by serial number; and that each answer is there, just as it was given. */
static unsigned
check_journal(struct world *w, const struct told *t)
{
	OWN(sj_reader_free)
	struct sj_reader *r = NULL;
	uint64_t positions[MOST + 1] = { 0 }, last = 0;
	unsigned n = 0;
	bool more = true;
	struct err e = { 0 };

	OK(&e, signer_journal_open_read(world_path(w, "signer/journal"), 1, &r, &e));
	for (;;) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		struct sj_record rec;

		OK(&e, sj_read(r, a, &rec, &more, &e));
		if (!more)
			break;
		assert_int_equal(rec.position, ++last);
		if (rec.type != SJ_CERT)
			continue;
		n++;
		for (unsigned i = 1; i <= MOST; i++)
			if (t->list[i].position == rec.position) {
				assert_true(
				    bytes_eq(rec.signature, bytes_of(t->list[i].signature, t->list[i].n)));
				assert_true(
				    bytes_eq(rec.tbs, make_tbs(a, &(struct tbs_spec){ .serial = i })));
				assert_true(signature_ok(bytes_of(ca_spki, ca_spki_n), SIGALG_ECDSA_SHA256,
							 rec.tbs, rec.signature));
				positions[i] = rec.position;
			}
	}
	for (unsigned i = 1; i <= MOST; i++)
		if (t->list[i].n > 0)
			assert_int_equal(positions[i], t->list[i].position);
	return n;
}

static void
prepare(struct world *w)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);
	struct signer_key k;
	struct err e = { 0 };

	world_start(w);
	world_ca(w, "ca", "p-256", "software");
	OK(&e, signer_key_public(w->s, "ca", MS, a, &k, &e));
	assert_true(k.spki.n <= sizeof(ca_spki));
	memcpy(ca_spki, k.spki.p, k.spki.n);
	ca_spki_n = k.spki.n;
	assert_int_equal(world_stop(w), 0);
}

static void
killed_at(void **state, const char *point, int least_left_behind)
{
	struct world *w = *state;
	struct told *t = told_new();
	char fault[64];
	int status;
	unsigned first, records;

	prepare(w);
	snprintf(fault, sizeof(fault), "%s@7=kill", point);
	w->fault = fault;
	world_start(w);
	assert_false(submit(w, t, 1, MOST));
	status = world_wait(w);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(t->answered, t->submitted);
	first = t->submitted;
	w->fault = NULL;
	world_start(w); /* the stub is attached again */
	records = check_journal(w, t);
	assert_true(records >= t->answered - t->lost);
	assert_true((int)(records - (t->answered - t->lost)) >= least_left_behind);
	assert_true(submit(w, t, first + 1, first + 24));
	assert_int_equal(t->refused, 0);
	check_journal(w, t);
	free(t);
}

static void
at_read(void **state)
{
	killed_at(state, "signer.after-read", 0);
}
static void
at_sign(void **state)
{
	killed_at(state, "signer.after-sign", 0);
}
static void
at_append(void **state)
{
	killed_at(state, "signer.after-append", 1); /* written: kept, though nobody was told */
}
static void
at_sync(void **state)
{
	killed_at(state, "signer.after-sync", 1);
}
static void
at_answer(void **state)
{
	killed_at(state, "signer.after-answer", 0);
}

static void
random_kills(void **state)
{
	struct world *w = *state;
	unsigned next = 1, kills = 0, seed = 20261121;
	struct told *t = told_new();

	prepare(w);
	while (kills < 25) {
		pid_t killer;

		world_start(w);
		killer = fork();
		if (killer == 0) {
			usleep((unsigned)(rand_r(&seed) % 30000));
			kill(w->pid, SIGKILL);
			_exit(0);
		}
		(void)rand_r(&seed);
		while (submit(w, t, next, next + IN_WAVE - 1)) {
			next += IN_WAVE;
			if (next + 2 * IN_WAVE >
			    MOST) { /* enough told: begin a new list, the journal stays */
				check_journal(w, t);
				free(t);
				t = told_new();
				next = 1;
			}
		}
		next = t->submitted + 1;
		world_wait(w);
		waitpid(killer, NULL, 0);
		check_journal(w, t);
		kills++;
	}
	free(t);
}

static void
submit_some(struct world *w, struct told *t, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++)
		assert_true(submit_one(w, t, i));
}

/* A batch of IN_WAVE is held on its way to the disk, and twice as many requests have come behind it. */
static void
hold_a_batch(struct world *w, struct told *t)
{
	char once[160];

	snprintf(once, sizeof(once), "%s", world_path(w, "signer/once"));
	setenv("CHANCERY_FAULT_ONCE", once, 1);
	w->fault = "signer.after-append@1=wait";
	world_start(w);
	unsetenv("CHANCERY_FAULT_ONCE");
	assert_int_equal(kill(w->pid, SIGSTOP), 0); /* so that it finds them all at once */
	submit_some(w, t, 1, IN_WAVE);
	assert_int_equal(kill(w->pid, SIGCONT), 0);
	for (unsigned n = 0; access(once, F_OK) != 0; n++) {
		assert_true(n < 2000);
		usleep(10000);
	}
	submit_some(w, t, IN_WAVE + 1, 2 * IN_WAVE);
}

/* Those that came behind are signed meanwhile, but none leaves before those in front of it are synced. */
static void
signed_while_one_is_committed(void **state)
{
	struct world *w = *state;
	struct told *t = told_new();

	prepare(w);
	hold_a_batch(w, t);
	usleep(50000);
	pthread_mutex_lock(&t->lock);
	assert_int_equal(t->answered, 0);
	pthread_mutex_unlock(&t->lock);
	assert_int_equal(unlink(world_path(w, "signer/once")), 0);
	told_wait(t);
	assert_int_equal(t->refused + t->lost, 0);
	assert_int_equal(check_journal(w, t), t->answered);
	free(t);
}

static void
killed_while_one_is_committed(void **state)
{
	struct world *w = *state;
	struct told *t = told_new();

	prepare(w);
	hold_a_batch(w, t);
	world_kill(w);
	told_wait(t);
	assert_int_equal(t->lost, 3 * IN_WAVE);
	w->fault = NULL;
	world_start(w);
	assert_true(check_journal(w, t) <= IN_WAVE); /* of those behind it none was written yet */
	assert_true(submit(w, t, 3 * IN_WAVE + 1, 4 * IN_WAVE));
	assert_int_equal(t->refused, 0);
	check_journal(w, t);
	free(t);
}

/* What changes keys, or tells of the journal, waits for what is on its way there. */
static void
an_act_while_one_is_committed(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct told *t = told_new();
	struct signer_key k;
	struct signer_status st;
	struct err e = { 0 };

	prepare(w);
	hold_a_batch(w, t);
	REFUSED(&e, CHY_SIGNER_TIMEOUT, signer_status(w->s, 100, &st, &e));
	REFUSED(&e, CHY_SIGNER_TIMEOUT,
		signer_key_generate(w->s, "other", SIGNER_CA, "p-256", "software", 100, a, &k, &e));
	assert_int_equal(unlink(world_path(w, "signer/once")), 0);
	OK(&e, signer_status(w->s, MS, &st, &e));
	told_wait(t);
	assert_int_equal(t->refused + t->lost, 0);
	OK(&e, signer_key_public(w->s, "other", MS, a, &k, &e));
	assert_int_equal(check_journal(w, t), t->answered);
	free(t);
}

/* False: the signer is gone. Several that are waited for together, so that some come while others are on their way to the disk. */
static bool
submit_waves(struct world *w, struct told *t)
{
	for (unsigned i = 1; i <= MOST; i++) {
		if (!submit_one(w, t, i))
			return false;
		if (i % (4 * IN_WAVE) == 0)
			told_wait(t);
	}
	return true;
}

/* Some are signed already when the batch before them turns out not to be on the disk, and the repair fails too: they are refused like
   all others, and what is signed later is signed once. */
static void
fails_while_the_next_is_signed(void **state)
{
	struct world *w = *state;
	struct told *t = told_new();

	prepare(w);
	w->fault = "signer.journal-sync@3=fail,signer.journal-sync@3=fail"; /* a commit, then the repair */
	world_start(w);
	assert_true(submit_waves(w, t));
	assert_true(t->refused > 0 && t->lost == 0);
	check_journal(w, t);
	free(t);
	t = told_new();
	usleep(1100000); /* it is repaired at most once a second */
	assert_true(submit_waves(w, t));
	assert_int_equal(t->refused + t->lost, 0);
	check_journal(w, t);
	free(t);
}

static void
killed_while_the_next_is_signed(void **state)
{
	struct world *w = *state;
	struct told *t = told_new();
	int status;

	prepare(w);
	w->fault = "signer.signed-ahead@3=kill";
	world_start(w);
	for (unsigned i = 0; submit_waves(w, t); i++) {
		assert_true(i < 50);
		free(t);
		t = told_new();
	}
	status = world_wait(w);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	told_wait(t);
	assert_true(t->lost > 0);
	w->fault = NULL;
	world_start(w);
	check_journal(w, t);
	assert_int_equal(t->refused, 0);
	free(t);
}

/* Nothing is signed while the journal cannot be written; and it repairs itself. */
static void
journal_fails(void **state, const char *fault)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct told *t = told_new();
	struct sign_cert c = { "ca", SIGALG_ECDSA_SHA256, make_tbs(a, &(struct tbs_spec){ .serial = 300 }),
			       BYTES_NONE };
	struct signer_status st;
	struct signed_cert sc;
	struct err e = { 0 };

	prepare(w);
	w->fault = fault;
	world_start(w);
	for (unsigned i = 1; i <= 80 && t->refused == 0; i += 8)
		assert_true(submit(w, t, i, i + 7));
	assert_true(t->refused > 0);
	for (unsigned i = 1; i <= MOST; i++)
		if (t->list[i].code != CHY_NONE)
			assert_true(t->list[i].code == CHY_SJ_WRITE || t->list[i].code == CHY_SJ_BROKEN);
	check_journal(w, t);
	for (int i = 0; i < 50; i++) {
		err_clear(&e);
		if (signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e) == RC_OK)
			break;
		assert_true(e.code == CHY_SJ_WRITE || e.code == CHY_SJ_BROKEN);
		usleep(100000);
	}
	OK(&e, signer_status(w->s, MS, &st, &e));
	assert_false(st.journal_broken);
	assert_true(submit(w, t, 100, 120));
	/* as many records as signatures were given out, and the one of the loop: what failed has left no trace */
	assert_int_equal(check_journal(w, t), t->answered - t->refused + 1);
	free(t);
}

static void
write_fails(void **state)
{
	journal_fails(state, "signer.journal-write@3=fail");
}
static void
sync_fails(void **state)
{
	journal_fails(state, "signer.journal-sync@3=fail");
}

static void
stays_refusing_while_it_fails(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct sign_cert c = { "ca", SIGALG_ECDSA_SHA256, make_tbs(a, &(struct tbs_spec){ .serial = 1 }),
			       BYTES_NONE };
	struct signer_status st;
	struct signer_key k;
	struct signed_cert sc;
	struct err e = { 0 };

	prepare(w);
	w->fault = "signer.journal-write=fail";
	world_start(w);
	for (int i = 0; i < 15; i++) {
		err_clear(&e);
		assert_int_not_equal(signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e), RC_OK);
		assert_true(e.code == CHY_SJ_WRITE || e.code == CHY_SJ_BROKEN);
		usleep(100000);
	}
	/* keys are not made either: the journal could not tell of them */
	assert_int_not_equal(
	    signer_key_generate(w->s, "new", SIGNER_TLS, "p-256", "software", MS, a, &k, NULL), RC_OK);
	REFUSED(&e, CHY_SIGNER_NO_KEY, signer_key_public(w->s, "new", MS, a, &k, &e));
	OK(&e, signer_status(w->s, MS, &st, &e));
	assert_true(st.journal_broken);
}

/* The stub by itself: a stopped signer fills the queue, a dead one ends everything, a new one takes over. */
static void
lost_and_attached(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct told *t = told_new();
	struct sign_cert c = { "ca", SIGALG_ECDSA_SHA256, make_tbs(a, &(struct tbs_spec){ .serial = 1 }),
			       BYTES_NONE };
	struct err e = { 0 };
	struct signed_cert sc;

	prepare(w);
	world_start(w);
	kill(w->pid, SIGSTOP);
	for (unsigned i = 1; i <= 50; i++)
		OK(&e, signer_sign_cert(w->s, &c, answered, &t->list[i], &e));
	t->submitted = 50;
	REFUSED(&e, CHY_SIGNER_TIMEOUT, signer_sign_cert_sync(w->s, &c, 200, a, &sc, &e));
	world_kill(w);
	told_wait(t);
	assert_int_equal(t->lost, 50);
	while (signer_is_there(w->s))
		usleep(1000);
	REFUSED(&e, CHY_SIGNER_AWAY, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
	world_start(w);
	OK(&e, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
	free(t);
}

/* ---- a token that hangs while it makes a key ---- */

#define IN_A "pkcs11:token=a?module-name=hsm-a"

enum { PATIENCE_MS = 300 };

static void
shut(const struct world *w, bool is_shut)
{
	world_sh(w, is_shut ? "touch %s" : "rm %s", world_path(w, "signer/gate"));
}

/* Asked again until the key is there or not; whoever asks in between is told so. */
static void
wait_for_key(struct world *w, const char *label, struct arena *a)
{
	struct signer_key k;
	enum rc rc = RC_NOT_FOUND;

	for (int i = 0; i < 600 && rc == RC_NOT_FOUND; i++) {
		usleep(50000);
		rc = signer_key_public(w->s, label, MS, a, &k, NULL);
	}
	assert_int_equal(rc, RC_OK);
	assert_true(k.there);
}

static void
a_token_hangs(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct sign_cert c = { "ca", SIGALG_ECDSA_SHA256, make_tbs(a, &(struct tbs_spec){ .serial = 1 }),
			       BYTES_NONE };
	struct err e = { 0 };
	struct signer_key k, *all;
	struct signed_cert sc;
	char label[16];
	size_t n;

	w->module = SLOW_PKCS11;
	prepare(w);
	world_start(w);
	shut(w, true);
	REFUSED(&e, CHY_SIGNER_TIMEOUT,
		signer_key_generate(w->s, "hung-0", SIGNER_CA, "p-256", IN_A, PATIENCE_MS, a, &k, &e));
	/* not a second key of this label, in whichever place */
	REFUSED(&e, CHY_SIGNER_BUSY,
		signer_key_generate(w->s, "hung-0", SIGNER_CA, "p-256", IN_A, MS, a, &k, &e));
	REFUSED(&e, CHY_SIGNER_BUSY,
		signer_key_generate(w->s, "hung-0", SIGNER_CA, "p-256", "software", MS, a, &k, &e));
	REFUSED(&e, CHY_SIGNER_NO_KEY, signer_key_public(w->s, "hung-0", MS, a, &k, &e));
	for (int i = 1; i < 8; i++) {
		snprintf(label, sizeof(label), "hung-%d", i);
		REFUSED(&e, CHY_SIGNER_TIMEOUT,
			signer_key_generate(w->s, label, SIGNER_CA, "p-256", IN_A, PATIENCE_MS, a, &k, &e));
	}
	REFUSED(&e, CHY_SIGNER_BUSY,
		signer_key_generate(w->s, "hung-8", SIGNER_CA, "p-256", IN_A, MS, a, &k, &e));
	/* all else goes on, also what changes keys */
	OK(&e, signer_sign_cert_sync(w->s, &c, MS, a, &sc, &e));
	OK(&e, signer_key_generate(w->s, "other", SIGNER_CA, "p-256", "software", MS, a, &k, &e));
	OK(&e, signer_key_delete(w->s, "other", MS, &e));
	shut(w, false);
	for (int i = 0; i < 8; i++) {
		snprintf(label, sizeof(label), "hung-%d", i);
		wait_for_key(w, label, a);
		REFUSED(&e, CHY_SIGNER_KEY_EXISTS,
			signer_key_generate(w->s, label, SIGNER_CA, "p-256", IN_A, MS, a, &k, &e));
	}
	OK(&e, signer_key_generate(w->s, "hung-8", SIGNER_CA, "p-256", IN_A, MS, a, &k, &e));
	OK(&e, signer_key_list(w->s, MS, a, &all, &n, &e));
	assert_int_equal(n, 1 + 9); /* and the CA's */
	/* a public and a private object each, and the two tokens' own */
	world_sh(w, "test $(find %s -name '*.object' | wc -l) = %d", world_path(w, "tokens"), 2 + 2 * 9);
	world_kill(w);
	world_start(w); /* the journal accounts for them all, or it would not start */
	OK(&e, signer_key_public(w->s, "hung-7", MS, a, &k, &e));
	assert_true(k.there);
}

/* Whoever asked is gone: so is the signer, with the token still hanging, and the next one starts without the key. */
static void
a_token_hangs_for_good(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct world *w = *state;
	struct err e = { 0 };
	struct signer_key k;

	w->module = SLOW_PKCS11;
	prepare(w);
	world_start(w);
	shut(w, true);
	REFUSED(&e, CHY_SIGNER_TIMEOUT,
		signer_key_generate(w->s, "hung", SIGNER_CA, "p-256", IN_A, PATIENCE_MS, a, &k, &e));
	assert_int_equal(world_stop(w), 0);
	shut(w, false);
	world_start(w);
	REFUSED(&e, CHY_SIGNER_NO_KEY, signer_key_public(w->s, "hung", MS, a, &k, &e));
	OK(&e, signer_key_generate(w->s, "hung", SIGNER_CA, "p-256", IN_A, MS, a, &k, &e));
}

#define T(name, fn) \
	{ \
		name, fn, world_setup_stopped, world_teardown, NULL \
	}

#define H(name, fn) \
	{ \
		name, fn, world_setup_tokens, world_teardown, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("killed after reading", at_read),
		T("killed after signing", at_sign),
		T("killed after appending to the journal", at_append),
		T("killed after the sync", at_sync),
		T("killed after answering", at_answer),
		T("killed at random under load", random_kills),
		T("signed while the batch before is committed", signed_while_one_is_committed),
		T("killed while the batch before is committed", killed_while_one_is_committed),
		T("an act while a batch is committed", an_act_while_one_is_committed),
		T("killed while the next batch is signed", killed_while_the_next_is_signed),
		T("journal: fails while the next batch is signed", fails_while_the_next_is_signed),
		T("journal: a write fails, and it is repaired", write_fails),
		T("journal: a sync fails, and it is repaired", sync_fails),
		T("journal: refuses as long as it cannot be written", stays_refusing_while_it_fails),
		H("a token hangs while it makes keys", a_token_hangs),
		H("a token hangs for good", a_token_hangs_for_good),
		T("lost, then attached to the next signer rows=CM-A-15", lost_and_attached),
	};

	return cmocka_run_group_tests_name("signer_faults", tests, NULL, NULL);
}
