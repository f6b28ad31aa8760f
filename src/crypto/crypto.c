#include "base/base.h"
#include "crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "crypto/internal.h"

enum {
	GUARDED = 4 << 20, /* about 800 RSA-4096 keys; to make one more fails */
	GUARDED_LEAST = 32,
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *mds[HASH_ALGS];
static bool complete;

static void
fetch_all(void)
{
	static const char *const names[HASH_ALGS] = { "SHA1", "SHA2-256", "SHA2-384", "SHA2-512" };

	/* No clean-up at exit: other threads may still be at work in the library while main returns. */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL))
		return;
	complete = true;
	for (size_t i = 0; i < HASH_ALGS; i++) {
		mds[i] = EVP_MD_fetch(NULL, names[i], NULL);
		complete = complete && mds[i] != NULL;
	}
}

enum rc
crypto_init(struct err *e)
{
	pthread_once(&once, fetch_all);
	NEED(complete, e, CHY_CRYPTO_LIBRARY, "FIPS 180-4", "a digest is missing in %s", crypto_library());
	return RC_OK;
}

#ifdef __SANITIZE_ADDRESS__
/* The leak checker does not look into that memory by itself, and would miss what only the library's random generator, which lives
   there, points to. Empty, the memory is one free block, whose place is so found. */
static void
show_to_leak_checker(void)
{
	void *all = OPENSSL_secure_malloc(GUARDED);

	if (all != NULL)
		__lsan_register_root_region(all, GUARDED);
	OPENSSL_secure_free(all);
}
#else
static void
show_to_leak_checker(void)
{
}
#endif

enum rc
crypto_guard_keys(bool *ret_locked, struct err *e)
{
	static int made; /* 1: locked, 2: not */

	if (made == 0) {
		made = CRYPTO_secure_malloc_init(GUARDED, GUARDED_LEAST);
		if (made != 0)
			show_to_leak_checker();
	}
	if (made == 0)
		return ossl_fail(e, CHY_CRYPTO_LIBRARY, NULL, "no guarded memory for keys");
	*ret_locked = made == 1;
	return RC_OK;
}

size_t
crypto_guarded(void)
{
	return CRYPTO_secure_malloc_initialized() ? CRYPTO_secure_used() : 0;
}

const char *
crypto_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

void
crypto_wipe(void *p, size_t n)
{
	if (n > 0)
		OPENSSL_cleanse(p, n);
}

const EVP_MD *
crypto_md(enum hash_alg alg)
{
	struct err e = { 0 };

	if (crypto_init(&e) != RC_OK) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	return mds[alg];
}

enum rc
ossl_fail(struct err *e, enum code code, const char *std, const char *what)
{
	unsigned long last = ERR_peek_last_error();
	const char *reason = last ? ERR_reason_error_string(last) : NULL;

	ERR_clear_error();
	FAIL(e, code, std, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
}

void
ossl_forget(void)
{
	ERR_clear_error();
}
