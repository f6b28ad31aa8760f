/*
 * The signer alone: signatures per second over its socket, P-256 in software, journal synced before each answer; beside
 * the library's bare signing in one thread. bench_signer CHANCERY-SIGNER FOLDER [SECONDS]
 */
#include "base/base.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "crypto/softkey.h"
#include "pki/name.h"
#include "signer/client.h"

enum { WAIT_MS = 60000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static unsigned in_flight, failed;
static uint64_t done_n, total; /* total: but for the last run, which is counted at the end */

static void
die(const char *what, const struct err *e)
{
	fprintf(stderr, "%s: CHY-%d %s\n", what, e->code, e->text);
	exit(1);
}

static void
done(void *arg, const struct signed_cert *sc, const struct err *e)
{
	pthread_mutex_lock(&lock);
	in_flight--;
	done_n++;
	failed += sc == NULL;
	pthread_cond_signal(&more);
	pthread_mutex_unlock(&lock);
}

static struct signer *
start(const char *program, const char *dir)
{
	char passphrase[4096];
	struct signer *s;
	struct err e = { 0 };
	int pair[2];

	snprintf(passphrase, sizeof(passphrase), "%s/passphrase", dir);
	if (dir_make(dir, 0700, &e) != RC_OK || file_write(passphrase, BYTES("bench\n"), 0600, &e) != RC_OK ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		die("start", &e);
	if (fork() == 0) {
		dup2(pair[1], SIGNER_FD);
		execl(program, program, "--directory", dir, "--passphrase-file", passphrase, "--log-level",
		      "warning", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	if (signer_open(pair[0], &s, &e) != RC_OK)
		die("open", &e);
	return s;
}

static struct bytes
tbs_of(struct arena *a, struct bytes name, struct bytes spki, size_t padding)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	struct bytes out;
	size_t at = dw_mark(&w), all = at;

	/* subjectAltName with one long URI: TBSCertificates are 500 to 700 octets as a rule */
	memset(dw_room(&w, padding), 'a', padding);
	dw_put(&w, BYTES("http://a.test/"));
	dw_wrap(&w, DER_CTX(6), at);
	dw_wrap(&w, DER_SEQUENCE, at);
	dw_wrap(&w, DER_OCTET_STRING, at);
	dw_oid(&w, BYTES("\x55\x1d\x11"));
	dw_wrap(&w, DER_SEQUENCE, at);
	dw_wrap(&w, DER_SEQUENCE, all);
	dw_wrap(&w, DER_CTX_CONS(3), all);
	dw_put(&w, spki);
	dw_put(&w, name);
	at = dw_mark(&w);
	dw_time(&w, 1900000000000 + 86400000);
	dw_time(&w, 1900000000000);
	dw_wrap(&w, DER_SEQUENCE, at);
	dw_put(&w, name);
	dw_put(&w, sigalg_alg_id(SIGALG_ECDSA_SHA256));
	dw_int(&w, 77);
	at = dw_mark(&w);
	dw_int(&w, 2);
	dw_wrap(&w, DER_CTX_CONS(0), at);
	dw_wrap(&w, DER_SEQUENCE, 0);
	if (dw_dup(&w, a, &out, NULL) != RC_OK)
		exit(1);
	return out;
}

/* Keeps `depth` requests on their way; per second. */
static double
run(struct signer *s, const struct sign_cert *c, unsigned depth, double seconds)
{
	int64_t from = clock_mono_us(), until = from + (int64_t)(seconds * 1e6), end;
	struct err e = { 0 };
	uint64_t n;

	total += done_n;
	done_n = 0;
	while (clock_mono_us() < until) {
		pthread_mutex_lock(&lock);
		while (in_flight >= depth)
			pthread_cond_wait(&more, &lock);
		in_flight++;
		pthread_mutex_unlock(&lock);
		if (signer_sign_cert(s, c, done, NULL, &e) != RC_OK)
			die("sign", &e);
	}
	pthread_mutex_lock(&lock);
	while (in_flight > 0)
		pthread_cond_wait(&more, &lock);
	n = done_n;
	end = clock_mono_us();
	pthread_mutex_unlock(&lock);
	return (double)n * 1e6 / (double)(end - from);
}

static double
bare(struct bytes message, double seconds)
{
	int64_t from = clock_mono_us(), until = from + (int64_t)(seconds * 1e6);
	OWN_BUF struct buf b = buf_max(SOFTKEY_SIGNATURE_MAX);
	struct softkey *k;
	struct err e = { 0 };
	uint64_t n = 0;

	if (softkey_generate("p-256", &k, &e) != RC_OK)
		die("key", &e);
	for (; clock_mono_us() < until; n++) {
		b.n = 0;
		if (softkey_sign(k, SIGALG_ECDSA_SHA256, message, &b, &e) != RC_OK)
			die("sign", &e);
	}
	softkey_free(k);
	return (double)n * 1e6 / (double)(clock_mono_us() - from);
}

int
main(int argc, char **argv)
{
	static const unsigned depths[] = { 1, 8, 32, 128, 512 };
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	double seconds = argc > 3 ? strtod(argv[3], NULL) : 1, raw;
	struct sign_cert c = { .key = "ca", .alg = SIGALG_ECDSA_SHA256 };
	struct signer_limits l = {
		.n_algs = 1, .algs = { SIGALG_ECDSA_SHA256 }, .validity_max_days = 10, .path_len_max = -1
	};
	struct signer_key k;
	struct signer *s;
	struct rusage used;
	struct name n;
	struct err e = { 0 };

	if (argc < 3) {
		fprintf(stderr, "usage: bench_signer CHANCERY-SIGNER FOLDER [SECONDS]\n");
		return 2;
	}
	s = start(argv[1], argv[2]);
	if (crypto_init(&e) != RC_OK || name_from_text(a, BYTES("CN=Issuing,O=Bench"), &n, &e) != RC_OK ||
	    signer_key_generate(s, "ca", SIGNER_CA, "p-256", "software", WAIT_MS, a, &k, &e) != RC_OK)
		die("key", &e);
	l.issuer = n.der;
	if (signer_limits_set(s, "ca", &l, WAIT_MS, &e) != RC_OK)
		die("limits", &e);
	c.tbs = tbs_of(a, n.der, k.spki, 250);
	c.context = bytes_of(arena_alloc(a, 400), 400);
	raw = bare(c.tbs, seconds);
	printf("to be signed %zu bytes, context %zu\n%-28s %10.0f/s\n", c.tbs.n, c.context.n,
	       "bare, one thread", raw);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		double rate = run(s, &c, depths[i], seconds);

		if (failed > 0) {
			fprintf(stderr, "%u requests failed\n", failed);
			return 1;
		}
		printf("signer, %4u on their way %12.0f/s  %3.0f %% of bare\n", depths[i], rate,
		       100 * rate / raw);
	}
	signer_close(s);
	total += done_n;
	wait4(-1, NULL, 0, &used);
	printf("signer's processor time: %.1f us a signature, start included\n",
	       ((double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
		(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec)) /
		   (double)total);
	return failed > 0;
}
