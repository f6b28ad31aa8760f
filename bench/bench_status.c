/*
 * What relying parties see: a revocation list of a million entries built and signed by the real signer, as a stream; OCSP
 * responses signed on demand and beforehand; beside the library's bare signing in one thread. Prints NAME VALUE lines.
 * bench_status CHANCERY-SIGNER FOLDER [ENTRIES [SECONDS]]
 */
#include "base/base.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "crypto/digest.h"
#include "crypto/softkey.h"
#include "pki/crl.h"
#include "pki/ocsp.h"
#include "signer/client.h"

enum { WAIT_MS = 60000, PIECE = 90 << 10, IN_FLIGHT = 256 };

static void
die(const char *what, const struct err *e)
{
	fprintf(stderr, "%s: CHY-%d %s\n", what, e->code, e->text);
	exit(1);
}

#define MUST_DO(call) \
	do { \
		if ((call) != RC_OK) \
			die(#call, &e); \
	} while (0)

static pid_t child;

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
	child = fork();
	if (child == 0) {
		dup2(pair[1], SIGNER_FD);
		execl(program, program, "--directory", dir, "--passphrase-file", passphrase, "--log-level",
		      "warning", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	MUST_DO(signer_open(pair[0], &s, &e));
	return s;
}

static struct bytes
make_key(struct signer *s, struct arena *a, const char *label, enum signer_class class,
	 struct bytes issuer_key)
{
	struct signer_limits l = { .n_algs = 1,
				   .algs = { SIGALG_ECDSA_SHA256 },
				   .validity_max_days = 400,
				   .path_len_max = -1,
				   .issuer_key = issuer_key };
	struct signer_key k;
	struct name n;
	struct err e = { 0 };

	MUST_DO(name_from_text(a, BYTES("CN=Issuing"), &n, &e));
	l.issuer = n.der;
	MUST_DO(signer_key_generate(s, label, class, "p-256", "software", WAIT_MS, a, &k, &e));
	MUST_DO(signer_limits_set(s, label, &l, WAIT_MS, &e));
	return k.spki;
}

/* ---- the list ---- */

/* As the server does it: entries are built once, kept in pieces where they take no memory, and read again for the signer. */
struct entries {
	uint32_t n, at;
	uint8_t piece[PIECE];
	uint64_t bytes;
	FILE *kept;
};

/* As real ones: 16 octets that begin with the time, a time of their own, a reason. */
static size_t
put_entry(uint8_t *to, uint32_t i)
{
	uint8_t room[64], serial[16] = { 0x01, 0x97 };
	struct dw w = dw_fixed(room, sizeof(room));
	struct crl_entry x = { .serial = BYTES_OF(serial),
			       .revoked_at = 1700000000000 + (int64_t)i * 1000,
			       .reason = (int)(i % 5) + 1,
			       .invalidity_at = CRL_NO_TIME };
	struct err e = { 0 };

	for (int b = 0; b < 4; b++)
		serial[2 + b] = (uint8_t)(i >> (24 - 8 * b));
	MUST_DO(crl_entry_build(&x, &w, &e));
	memcpy(to, dw_bytes(&w).p, dw_mark(&w));
	return dw_mark(&w);
}

static void
gather(struct entries *x)
{
	while (x->at < x->n) {
		uint32_t n = 0;

		while (x->at < x->n && n + 64 < PIECE)
			n += (uint32_t)put_entry(x->piece + n, x->at++);
		if (fwrite(&n, sizeof(n), 1, x->kept) != 1 || fwrite(x->piece, n, 1, x->kept) != 1)
			die("keep", &(struct err){ .code = CHY_SYSTEM });
		x->bytes += n;
	}
	rewind(x->kept);
}

static enum rc
next(void *arg, struct bytes *ret, struct err *e)
{
	struct entries *x = arg;
	uint32_t n = 0;

	*ret = BYTES_NONE;
	if (fread(&n, sizeof(n), 1, x->kept) != 1)
		return RC_OK;
	NEED(n <= PIECE && fread(x->piece, n, 1, x->kept) == 1, e, CHY_SYSTEM, NULL, "a piece");
	*ret = bytes_of(x->piece, n);
	return RC_OK;
}

static void
list(struct signer *s, uint32_t entries, uint64_t number)
{
	static struct entries x;
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);
	OWN_DW struct dw head = dw_growing(1 << 16), tail = dw_growing(1 << 16), v = dw_growing(64);
	struct ext exts[2];
	struct crl_inputs in = { .sigalg = SIGALG_ECDSA_SHA256, .exts = { 2, exts } };
	struct sign_crl c = { .key = "ca", .alg = SIGALG_ECDSA_SHA256, .next = next, .arg = &x };
	struct signed_cert sc;
	struct name n;
	struct err e = { 0 };

	MUST_DO(name_from_text(a, BYTES("CN=Issuing"), &n, &e));
	in.issuer = n.der;
	in.this_update_at = clock_now_ms() / 1000 * 1000;
	in.next_update_at = in.this_update_at + 86400000;
	dw_int(&v, (int64_t)number);
	MUST_DO(ext_encode(
	    a, &(struct ext_value){ .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = BYTES("12345678") } },
	    &exts[0], &e));
	MUST_DO(ext_encode(
	    a,
	    &(struct ext_value){ .kind = OID_CE_CRL_NUMBER, .number = bytes_part(dw_bytes(&v), 2, SIZE_MAX) },
	    &exts[1], &e));
	x.n = entries;
	x.at = 0;
	x.bytes = 0;
	x.kept = tmpfile();
	if (x.kept == NULL)
		die("tmpfile", &e);
	gather(&x);
	MUST_DO(crl_head_build(&in, x.bytes, &head, &e));
	MUST_DO(crl_tail_build(&in, &tail, &e));
	c.head = dw_bytes(&head);
	c.tail = dw_bytes(&tail);
	MUST_DO(signer_sign_crl(s, &c, WAIT_MS, a, &sc, &e));
	fclose(x.kept);
}

/* ---- OCSP ---- */

static struct bytes
make_data(struct arena *a, struct bytes issuer_key, struct bytes own, uint32_t serial)
{
	uint8_t nh[SHA1_LEN], kh[SHA1_LEN], oh[SHA1_LEN], number[4];
	OWN_DW struct dw id = dw_growing(1 << 10), w = dw_growing(1 << 12);
	struct ocsp_id i = { .hash = OCSP_SHA1, .serial = BYTES_OF(number) };
	struct ocsp_single one = { .reason = CRL_NO_REASON, .archive_cutoff_at = OCSP_NO_TIME };
	struct ocsp_inputs in = { .v = &one, .n = 1, .nonce = BYTES("0123456789abcdef") };
	struct pubkey k;
	struct name n;
	struct bytes r;
	struct err e = { 0 };

	number[0] = 1;
	for (int b = 1; b < 4; b++)
		number[b] = (uint8_t)(serial >> (24 - 8 * b));
	MUST_DO(name_from_text(a, BYTES("CN=Issuing"), &n, &e));
	sha1(n.der, nh);
	MUST_DO(pubkey_parse(issuer_key, &k, &e));
	sha1(k.bits_der, kh);
	MUST_DO(pubkey_parse(own, &k, &e));
	sha1(k.bits_der, oh);
	i.name_hash = BYTES_OF(nh);
	i.key_hash = BYTES_OF(kh);
	dw_ocsp_id(&id, &i);
	one.cert_id = dw_bytes(&id);
	one.this_update_at = in.produced_at = clock_now_ms() / 1000 * 1000;
	one.next_update_at = one.this_update_at + 86400000;
	in.key_hash = BYTES_OF(oh);
	MUST_DO(ocsp_data_build(&in, &w, &e));
	MUST_DO(dw_dup(&w, a, &r, &e));
	return r;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static unsigned in_flight, failed;

static void
answered(void *arg, const struct signed_cert *sc, const struct err *e)
{
	pthread_mutex_lock(&lock);
	in_flight--;
	failed += sc == NULL;
	pthread_cond_signal(&more);
	pthread_mutex_unlock(&lock);
}

static double
on_demand(struct signer *s, struct bytes data, double seconds)
{
	struct sign_ocsp o = { "ocsp", SIGALG_ECDSA_SHA256, &data, 1 };
	int64_t begun = clock_mono_us(), end = begun + (int64_t)(seconds * 1e6);
	uint64_t n = 0;
	struct err e = { 0 };

	for (; clock_mono_us() < end; n++) {
		pthread_mutex_lock(&lock);
		while (in_flight >= IN_FLIGHT)
			pthread_cond_wait(&more, &lock);
		in_flight++;
		pthread_mutex_unlock(&lock);
		MUST_DO(signer_sign_ocsp(s, &o, false, answered, NULL, &e));
	}
	pthread_mutex_lock(&lock);
	while (in_flight > 0)
		pthread_cond_wait(&more, &lock);
	pthread_mutex_unlock(&lock);
	if (failed > 0)
		die("on demand", &e);
	return (double)n * 1e6 / (double)(clock_mono_us() - begun);
}

static double
beforehand(struct signer *s, struct bytes data, double seconds)
{
	struct bytes all[SIGNER_OCSP_MAX], sigs[SIGNER_OCSP_MAX];
	struct sign_ocsp o = { "ocsp", SIGALG_ECDSA_SHA256, all, SIGNER_OCSP_MAX };
	int64_t begun = clock_mono_us(), end = begun + (int64_t)(seconds * 1e6);
	uint64_t n = 0;
	struct err e = { 0 };

	for (size_t i = 0; i < SIGNER_OCSP_MAX; i++)
		all[i] = data;
	for (; clock_mono_us() < end; n += SIGNER_OCSP_MAX) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);

		MUST_DO(signer_sign_ocsp_sync(s, &o, WAIT_MS, a, sigs, NULL, &e));
	}
	return (double)n * 1e6 / (double)(clock_mono_us() - begun);
}

static double
bare(struct bytes data, double seconds)
{
	OWN(softkey_free)
	struct softkey *k = NULL;
	int64_t begun, end;
	uint64_t n = 0;
	struct err e = { 0 };

	MUST_DO(softkey_generate("p-256", &k, &e));
	begun = clock_mono_us();
	end = begun + (int64_t)(seconds * 1e6);
	for (; clock_mono_us() < end; n++) {
		OWN_BUF struct buf out = buf_max(SOFTKEY_SIGNATURE_MAX);

		MUST_DO(softkey_sign(k, SIGALG_ECDSA_SHA256, data, &out, &e));
	}
	return (double)n * 1e6 / (double)(clock_mono_us() - begun);
}

int
main(int argc, char **argv)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);
	uint32_t entries = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1000000;
	double seconds = argc > 4 ? strtod(argv[4], NULL) : 3;
	struct signer *s;
	struct bytes ca, own, data;
	struct rusage own_use, child_use;
	struct err e = { 0 };
	int64_t begun;

	if (argc < 3 || crypto_init(&e) != RC_OK)
		die("usage: bench_status CHANCERY-SIGNER FOLDER [ENTRIES [SECONDS]]", &e);
	s = start(argv[1], argv[2]);
	ca = make_key(s, a, "ca", SIGNER_CA, BYTES_NONE);
	own = make_key(s, a, "ocsp", SIGNER_OCSP, ca);
	for (uint64_t i = 1; i <= 3; i++) {
		begun = clock_mono_us();
		list(s, entries, i);
		printf("list_ms %.1f\n", (double)(clock_mono_us() - begun) / 1000);
	}
	data = make_data(a, ca, own, 7);
	printf("bare %.0f\n", bare(data, seconds));
	printf("on_demand %.0f\n", on_demand(s, data, seconds));
	printf("beforehand %.0f\n", beforehand(s, data, seconds));
	signer_close(s);
	waitpid(child, NULL, 0);
	getrusage(RUSAGE_SELF, &own_use);
	getrusage(RUSAGE_CHILDREN, &child_use);
	printf("memory_mb %.1f\nsigner_memory_mb %.1f\n", (double)own_use.ru_maxrss / 1024,
	       (double)child_use.ru_maxrss / 1024);
	return 0;
}
