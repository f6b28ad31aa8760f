/* A real signer process over a socket pair, in a folder of its own, with SoftHSM2 tokens where asked for. */
#ifndef SIGNER_WORLD_H
#define SIGNER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <sys/types.h>

#include "base/base.h"
#include "signer/client.h"
#include "signer/journal.h"

#include <cmocka.h>

#define SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define PIN_A "1234"
#define PIN_B "987654"
#define MS 20000

struct world {
	char dir[128];
	pid_t pid;
	int fd; /* our end, until the stub has it */
	struct signer *s;
	const char *fault; /* CHANCERY_FAULT of the next start */
	bool softhsm;
	const char *
	    module; /* in place of SOFTHSM_MODULE; the environment variable SLOW_PKCS11_GATE is "DIR/signer/gate" */
	char segment_bytes[16];
};

/* cmocka fixtures: *state is the world. */
int world_setup(void **state); /* software keys only, started, stub open */
int
world_setup_softhsm(void **state); /* with tokens "a" and "b" (PIN_A, PIN_B), modules named hsm-a and hsm-b */
int world_setup_stopped(void **state); /* nothing started */
int world_setup_tokens(void **state);  /* the tokens, nothing started */
int world_teardown(void **state);

/* Starts the process; w->fd is the socket. */
void world_spawn(struct world *w);
/* spawn, then opens the stub, or attaches it when it is open already. */
void world_start(struct world *w);
/* Closes the socket or kills; waits; returns the wait status. */
int world_stop(struct world *w);
int world_kill(struct world *w);
/* Waits for a process that ends by itself; its status. */
int world_wait(struct world *w);
/* "DIR/name" in static memory. */
const char *world_path(const struct world *w, const char *name);

void world_token(const struct world *w, const char *label, const char *pin);
/* Runs a shell command with the world's SOFTHSM2_CONF; must succeed. */
void world_sh(const struct world *w, const char *fmt, ...) PRINTF(2, 3);

/* Fails the test with the error's text. */
#define ok(call) \
	do { \
		struct err ok_e_ = { 0 }; \
		enum rc ok_rc_ = (call); \
		(void)ok_e_; \
		if (ok_rc_ != RC_OK) \
			fail_msg("%s: %s", #call, rc_name(ok_rc_)); \
	} while (0)
#define OK(e, call) \
	do { \
		err_clear(e); \
		if ((call) != RC_OK) \
			fail_msg("%s: CHY-%d %s: %s", #call, (e)->code, (e)->field, (e)->text); \
	} while (0)
#define REFUSED(e, want, call) \
	do { \
		err_clear(e); \
		if ((call) == RC_OK || (e)->code != (want)) \
			fail_msg("%s: wanted %s, got CHY-%d %s %s", #call, code_name(want), (e)->code, \
				 code_name((e)->code), (e)->text); \
	} while (0)

/* ---- to-be-signed certificates ---- */

struct tbs_spec {
	enum sigalg alg;     /* default ecdsa-sha256 */
	const char *issuer;  /* RFC 4514, default "CN=Issuing" */
	const char *subject; /* default "CN=server" */
	const char *dns;     /* subjectAltName; NULL: none */
	struct bytes spki;   /* default: some P-256 key */
	unsigned serial;     /* default 1 */
	int64_t days;        /* default 90 */
	bool ca;
	int path_len; /* where ca; -1: none */
};
struct bytes make_tbs(struct arena *a, const struct tbs_spec *spec);
/* An AttributeCertificateInfo; of the spec: alg, issuer, serial, days. */
struct bytes make_ac(struct arena *a, const struct tbs_spec *spec);
struct bytes make_name(struct arena *a, const char *text);
struct bytes make_info(struct arena *a, const char *subject, struct bytes spki);

/* A CA key "ca" with limits that make_tbs's defaults keep; where as in signer_key_generate. */
void world_ca(struct world *w, const char *label, const char *kind, const char *where);
struct signer_limits usual_limits(struct arena *a, const char *kind);

/* Verifies with the library. */
bool signature_ok(struct bytes spki, enum sigalg alg, struct bytes message, struct bytes signature);

#endif
