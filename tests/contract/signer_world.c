#include "signer_world.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "crypto/verify.h"
#include "pki/ac.h"
#include "pki/name.h"

/* ---- the process ---- */

const char *
world_path(const struct world *w, const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, 256, "%s/%s", w->dir, name);
	return p;
}

static void
write_file(const struct world *w, const char *name, const char *text)
{
	struct err e = { 0 };

	OK(&e, file_write(world_path(w, name), bytes_str(text), 0600, &e));
}

void
world_sh(const struct world *w, const char *fmt, ...)
{
	char line[1024], all[1400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	snprintf(all, sizeof(all), "exec >/dev/null 2>&1; export SOFTHSM2_CONF=%s/softhsm.conf; %s", w->dir,
		 line);
	if (system(all) != 0)
		fail_msg("failed: %s", line);
}

void
world_token(const struct world *w, const char *label, const char *pin)
{
	world_sh(w, "softhsm2-util --init-token --free --label %s --pin %s --so-pin 12345678", label, pin);
}

static void
exec_signer(const struct world *w, int fd)
{
	char module_a[256], module_b[256], bin[256];
	const char *build = getenv("CHANCERY_BUILD");
	const char *argv[24];
	int n = 0, log = open(world_path(w, "log"), O_WRONLY | O_CREAT | O_APPEND, 0600);

	snprintf(bin, sizeof(bin), "%s/src/programs/chancery-signer", build ? build : "build");
	dup2(log, STDERR_FILENO); /* first: it may stand where the socket is to go */
	if (fd == SIGNER_FD)
		(void)fcntl(fd, F_SETFD, 0); /* dup2 to itself would leave it to be closed */
	else
		dup2(fd, SIGNER_FD);
	close(STDIN_FILENO);
	if (w->fault != NULL)
		setenv("CHANCERY_FAULT", w->fault, 1);
	else
		unsetenv("CHANCERY_FAULT");
	setenv("SOFTHSM2_CONF", world_path(w, "softhsm.conf"), 1);
	setenv("SLOW_PKCS11_GATE", world_path(w, "signer/gate"), 1);
	argv[n++] = bin;
	argv[n++] = "--directory";
	argv[n++] = world_path(w, "signer");
	argv[n++] = "--passphrase-file";
	argv[n++] = world_path(w, "passphrase");
	argv[n++] = "--segment-bytes";
	argv[n++] = w->segment_bytes[0] ? w->segment_bytes : "1048576";
	if (w->softhsm) {
		const char *module = w->module ? w->module : SOFTHSM_MODULE;

		snprintf(module_a, sizeof(module_a), "hsm-a=%s,%s/pin-a", module, w->dir);
		snprintf(module_b, sizeof(module_b), "hsm-b=%s,%s/pin-b", module, w->dir);
		argv[n++] = "--module";
		argv[n++] = module_a;
		argv[n++] = "--module";
		argv[n++] = module_b;
	}
	argv[n] = NULL;
	execv(bin, (char *const *)(uintptr_t)argv);
	_exit(127);
}

void
world_spawn(struct world *w)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (w->pid == 0)
		exec_signer(w, pair[1]);
	close(pair[1]);
	w->fd = pair[0];
}

void
world_start(struct world *w)
{
	struct err e = { 0 };
	int fd;

	world_spawn(w);
	fd = w->fd;
	w->fd = -1;
	if (w->s == NULL)
		OK(&e, signer_open(fd, &w->s, &e));
	else
		OK(&e, signer_attach(w->s, fd, &e));
}

int
world_wait(struct world *w)
{
	int status = 0;

	if (w->pid > 0)
		waitpid(w->pid, &status, 0);
	w->pid = 0;
	return status;
}

int
world_stop(struct world *w)
{
	signer_close(w->s);
	w->s = NULL;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	return world_wait(w);
}

int
world_kill(struct world *w)
{
	kill(w->pid, SIGKILL);
	return world_wait(w);
}

static struct world *
world_new(bool softhsm)
{
	struct world *w = calloc(1, sizeof(*w));

	if (crypto_init(NULL) != RC_OK)
		return NULL;
	w->fd = -1;
	w->softhsm = softhsm;
	snprintf(w->dir, sizeof(w->dir), "%s/chy-signer-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (mkdtemp(w->dir) == NULL)
		return NULL;
	write_file(w, "passphrase", "correct horse battery staple\n");
	write_file(w, "pin-a", PIN_A "\n");
	write_file(w, "pin-b", PIN_B "\n");
	return w;
}

static void
make_tokens(struct world *w)
{
	char conf[512];

	snprintf(conf, sizeof(conf),
		 "directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", w->dir);
	write_file(w, "softhsm.conf", conf);
	mkdir(world_path(w, "tokens"), 0700);
	world_token(w, "a", PIN_A);
	world_token(w, "b", PIN_B);
}

int
world_setup_stopped(void **state)
{
	*state = world_new(false);
	return *state == NULL;
}

int
world_setup_tokens(void **state)
{
	struct world *w = world_new(true);

	*state = w;
	if (w == NULL)
		return 1;
	make_tokens(w);
	return 0;
}

int
world_setup(void **state)
{
	if (world_setup_stopped(state) != 0)
		return 1;
	world_start(*state);
	return 0;
}

int
world_setup_softhsm(void **state)
{
	struct world *w = world_new(true);

	if (w == NULL)
		return 1;
	*state = w;
	make_tokens(w);
	world_start(w);
	return 0;
}

static int
drop_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	return remove(path);
}

int
world_teardown(void **state)
{
	struct world *w = *state;

	if (w->pid > 0)
		kill(w->pid, SIGCONT);
	signer_close(w->s);
	w->s = NULL;
	if (w->fd >= 0)
		close(w->fd);
	world_wait(w);
	nftw(w->dir, drop_one, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

/* ---- to-be-signed certificates ---- */

struct bytes
make_name(struct arena *a, const char *text)
{
	struct err e = { 0 };
	struct name n;

	OK(&e, name_from_text(a, bytes_str(text), &n, &e));
	return n.der;
}

/* The generator of P-256: a point like any other, and its key is known to everybody. */
static struct bytes
some_spki(struct arena *a)
{
	OWN(arena_free)
	struct arena *t = arena_new(4096);
	OWN_DW struct dw w = dw_growing(256);
	struct bytes point, out;

	ok(hex_parse(t,
		     BYTES("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
			   "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
		     &point, NULL));
	dw_spki(&w, (struct key_type){ KEY_EC, CURVE_P256, 256 }, point);
	ok(dw_dup(&w, a, &out, NULL));
	return out;
}

static void
put_ext(struct dw *w, const char *oid, size_t oid_n, bool critical, size_t value_mark)
{
	dw_wrap(w, DER_OCTET_STRING, value_mark);
	if (critical)
		dw_bool(w, true);
	dw_oid(w, bytes_of(oid, oid_n));
	dw_wrap(w, DER_SEQUENCE, value_mark);
}

static void
put_exts(struct dw *w, const struct tbs_spec *s)
{
	size_t all = dw_mark(w), at, in;

	if (s->dns != NULL) {
		at = dw_mark(w);
		dw_tlv(w, DER_CTX(2), bytes_str(s->dns));
		dw_wrap(w, DER_SEQUENCE, at);
		put_ext(w, "\x55\x1d\x11", 3, false, at);
	}
	at = dw_mark(w);
	dw_named_bits(w, DER_BIT_STRING, s->ca ? 1u << 5 | 1u << 6 : 1u << 0);
	put_ext(w, "\x55\x1d\x0f", 3, true, at);
	if (s->ca) {
		at = dw_mark(w);
		in = dw_mark(w);
		if (s->path_len >= 0)
			dw_int(w, s->path_len);
		dw_bool(w, true);
		dw_wrap(w, DER_SEQUENCE, in);
		put_ext(w, "\x55\x1d\x13", 3, true, at);
		at = dw_mark(w);
		dw_octets(w, BYTES("twenty octets of id."));
		put_ext(w, "\x55\x1d\x0e", 3, false, at);
	}
	dw_wrap(w, DER_SEQUENCE, all);
	dw_wrap(w, DER_CTX_CONS(3), all);
}

struct bytes
make_tbs(struct arena *a, const struct tbs_spec *s)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	int64_t from = 1900000000000, days = s->days ? s->days : 90;
	struct bytes out;
	size_t at;

	put_exts(&w, s);
	dw_put(&w, s->spki.n ? s->spki : some_spki(a));
	dw_put(&w, make_name(a, s->subject ? s->subject : "CN=server"));
	at = dw_mark(&w);
	dw_time(&w, from + days * 86400000);
	dw_time(&w, from);
	dw_wrap(&w, DER_SEQUENCE, at);
	dw_put(&w, make_name(a, s->issuer ? s->issuer : "CN=Issuing"));
	dw_put(&w, sigalg_alg_id(s->alg ? s->alg : SIGALG_ECDSA_SHA256));
	dw_int(&w, s->serial ? s->serial : 1);
	at = dw_mark(&w);
	dw_int(&w, 2);
	dw_wrap(&w, DER_CTX_CONS(0), at);
	dw_wrap(&w, DER_SEQUENCE, 0);
	ok(dw_dup(&w, a, &out, NULL));
	return out;
}

struct bytes
make_ac(struct arena *a, const struct tbs_spec *s)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	const struct bytes role = BYTES("urn:role:clerk");
	struct ac_attr attr;
	struct ac_inputs in = {
		.sigalg = s->alg ? s->alg : SIGALG_ECDSA_SHA256,
		.base_issuer = make_name(a, "CN=Base CA"),
		.base_serial = BYTES("\x07"),
		.issuer = make_name(a, s->issuer ? s->issuer : "CN=Issuing"),
		.serial = BYTES("\x09"),
		.not_before_at = 1900000000000,
		.not_after_at = 1900000000000 + (s->days ? s->days : 90) * 86400000,
		.attrs = { 1, &attr },
	};
	struct bytes out;

	ok(ac_attr_from_text(a, oid_der(OID_ACA_ROLE), NULL, &role, 1, &attr, NULL));
	ok(ac_tbs_build(&in, &w, NULL));
	ok(dw_dup(&w, a, &out, NULL));
	return out;
}

struct bytes
make_info(struct arena *a, const char *subject, struct bytes spki)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);
	struct bytes out;

	dw_tlv(&w, DER_CTX_CONS(0), BYTES_NONE);
	dw_put(&w, spki);
	dw_put(&w, make_name(a, subject));
	dw_int(&w, 0);
	dw_wrap(&w, DER_SEQUENCE, 0);
	ok(dw_dup(&w, a, &out, NULL));
	return out;
}

struct signer_limits
usual_limits(struct arena *a, const char *kind)
{
	struct key_type t;
	struct signer_limits l = { .issuer = make_name(a, "CN=Issuing"),
				   .n_algs = 1,
				   .validity_max_days = 400,
				   .path_len_max = -1 };

	ok(key_type_parse(bytes_str(kind), &t, NULL));
	l.algs[0] = sigalg_default(&t);
	return l;
}

void
world_ca(struct world *w, const char *label, const char *kind, const char *where)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct signer_limits l = usual_limits(a, kind);
	struct signer_key k;
	struct err e = { 0 };

	OK(&e, signer_key_generate(w->s, label, SIGNER_CA, kind, where, 60000, a, &k, &e));
	OK(&e, signer_limits_set(w->s, label, &l, MS, &e));
}

bool
signature_ok(struct bytes spki, enum sigalg alg, struct bytes message, struct bytes signature)
{
	return verify_signature(spki, alg, message, signature, NULL) == RC_OK;
}
