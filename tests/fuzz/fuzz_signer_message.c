/*
 * Requests to the signer: one key of each class in a key store of its own. Whatever comes in, each whole message gets
 * one answer with its id; and a signature only ever comes out of a request of the right type.
 */
#include "base/base.h"

#include <ftw.h>
#include <sys/stat.h>

#include "base/frame.h"
#include "crypto/crypto.h"
#include "pki/name.h"
#include "signer/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char dir[64];
static struct keystore *keys;
static struct sj *journal;
static struct signer_core *core;

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static int
drop_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	return remove(path);
}

static void
tidy(void)
{
	signer_core_free(core);
	sj_close(journal);
	keystore_free(keys);
	nftw(dir, drop_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_key(enum signer_class class)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);
	struct signer_limits l = { .n_algs = 1,
				   .algs = { SIGALG_ECDSA_SHA256 },
				   .validity_max_days = 400,
				   .path_len_max = -1,
				   .acs_allowed = class == SIGNER_CA };
	const char *name = signer_class_name(class);
	struct skey *k;
	struct name n;

	check(keystore_generate(keys, bytes_str(name), class, "p-256", BYTES("software"), &k, NULL) == RC_OK);
	if (class != SIGNER_CA && class != SIGNER_OCSP)
		return;
	if (class == SIGNER_OCSP) /* made behind the CA's */
		l.issuer_key = keystore_find(keys, BYTES("ca"))->spki;
	check(name_from_text(a, BYTES("CN=Issuing"), &n, NULL) == RC_OK);
	l.issuer = n.der;
	check(keystore_limit(keys, k, &l, NULL) == RC_OK);
}

static void
begin(void)
{
	static char journal_dir[96];
	struct secret *passphrase = secret_of(BYTES("fuzz"));
	struct signer_core_options o = { .threads = 2 };

	snprintf(dir, sizeof(dir), "/tmp/chy-fuzz-XXXXXX");
	check(mkdtemp(dir) != NULL && crypto_init(NULL) == RC_OK);
	log_init("fuzz", false, LOG_ERROR);
	snprintf(journal_dir, sizeof(journal_dir), "%s/journal", dir);
	check(keystore_open(dir, passphrase, NULL, 0, &keys, NULL) == RC_OK);
	check(sj_open(journal_dir, SJ_SEGMENT_LEAST, &journal, NULL) == RC_OK);
	secret_free(passphrase);
	for (int c = SIGNER_CA; c <= SIGNER_ARCHIVE; c++)
		make_key((enum signer_class)c);
	o.keys = keys;
	o.journal = journal;
	o.journal_dir = journal_dir;
	check(signer_core_new(&o, &core, NULL) == RC_OK);
	atexit(tidy);
}

/* The answers in order: each to the request at the same place. */
static void
check_answers(struct bytes in, struct bytes out)
{
	struct frame request, answer;
	bool whole;

	for (;;) {
		if (frame_take(&in, &request, &whole, NULL) != RC_OK || !whole)
			break;
		check(frame_take(&out, &answer, &whole, NULL) == RC_OK && whole);
		check(answer.id == request.id);
		check(answer.type == SIGNER_ERROR || answer.type == (request.type | SIGNER_ANSWER));
	}
	check(out.n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN_BUF struct buf in = buf_max(1 << 20), out = buf_max(64 << 20);
	struct err e = { 0 };

	if (core == NULL)
		begin();
	/* the type, then the payload: finding out the frame's length is of no interest */
	if (n < 2 || data[0] == 0 || data[1] == SIGNER_KEY_GENERATE)
		frame_put(&in,
			  (struct frame){ n > 1 ? data[1] : 0, 1,
					  bytes_of(data + (n > 1 ? 2 : 0), n > 1 ? n - 2 : 0) });
	else
		buf_put(&in, bytes_of(data + 1, n - 1)); /* or raw */
	if (!buf_ok(&in))
		return 0;
	if (signer_core_one(core, buf_bytes(&in), &out, &e) == RC_OK)
		check_answers(buf_bytes(&in), buf_bytes(&out));
	else
		check(e.code == CHY_FRAME);
	if (sj_synced(journal) > 100)
		check(sj_ack(journal, sj_synced(journal), NULL) == RC_OK);
	return 0;
}
