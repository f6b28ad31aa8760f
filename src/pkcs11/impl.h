/* The inside of src/pkcs11: modules, tokens with their session pool, keys. Not for use outside of this folder. */
#ifndef PKCS11_IMPL_H
#define PKCS11_IMPL_H

#include <p11-kit/pkcs11.h>
#include <pthread.h>

#include "pkcs11/pkcs11.h"

enum { NAME_MAX_BYTES = 64, PATH_MAX_BYTES = 512, NAMES_MAX = 8 };

struct p11_module {
	char path[PATH_MAX_BYTES];
	char names[NAMES_MAX]
		  [NAME_MAX_BYTES]; /* it may be configured several times, for tokens with different PINs */
	unsigned n_names;
	CK_FUNCTION_LIST *f;
	/* Calls hold it shared; starting the module anew, which ends all its sessions, holds it alone. */
	pthread_rwlock_t lock;
	unsigned long generation; /* counts the starts; read with the lock held */
	int64_t started_us;       /* monotonic; a module is started anew at most once a second */
};

struct p11 {
	pthread_mutex_t lock; /* of the list */
	struct p11_module *modules[P11_MODULES_MAX];
	unsigned count;
};

struct p11_token {
	struct p11 *p;
	struct arena *mem; /* holds the URI's values; allocated from at opening only */
	struct p11_uri uri;
	struct secret *pin;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t returned;
	struct p11_module *module; /* where it was seen last */
	unsigned long module_generation;
	CK_SLOT_ID slot;
	bool connected, pin_bad;
	unsigned long
	    generation;    /* counts the connections: what was found in an older one is not valid any more */
	int64_t failed_us; /* when connecting failed last, monotonic */
	int64_t restart_us, restart_wait_us; /* when modules may be started anew for it, and the pause then */
	CK_SESSION_HANDLE idle[P11_SESSIONS_MAX];
	unsigned n_idle, n_open;
};

struct p11_key {
	struct p11_token *t;
	struct arena *mem;
	struct bytes id, spki;
	struct key_type type;
	const char *kind, *uri;
	pthread_mutex_t lock;
	CK_OBJECT_HANDLE object; /* found in this generation of the token's connection */
	unsigned long generation;
};

/* A borrowed session; the module's lock is held shared meanwhile. */
struct p11_session {
	struct p11_token *t;
	struct p11_module *m;
	CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE h;
	unsigned long generation, module_generation;
};

/* What a module's return value means to us. */
bool p11_rv_is_loss(CK_RV rv); /* sessions are gone, or the token or its device */
enum rc p11_rv(CK_RV rv, const char *what, struct err *e);

/* Connects where need be. CHY_P11_AWAY and those of p11_open. */
MUST enum rc p11_session_get(struct p11_token *t, struct p11_session *s, struct err *e);
/* rv: of the last call on it. A loss ends the connection, so that the next one begins afresh. */
void p11_session_put(struct p11_session *s, CK_RV rv);

/* Something done with a session, that is tried once more over a new connection where the first was lost. */
typedef CK_RV p11_work(struct p11_session *s, void *arg, struct err *e);
MUST enum rc p11_do(struct p11_token *t, p11_work *work, void *arg, const char *what, struct err *e);

/* Starts the module anew; false when that was done a moment ago or failed. No lock may be held. */
bool p11_module_restart(struct p11_module *m, unsigned long generation);

/* One attribute's value in the arena; p = NULL when the object has none. */
struct bytes p11_attr(struct p11_session *s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type, struct arena *a);
/* Objects that match a template; count of them, at most max. */
CK_RV p11_find(struct p11_session *s, CK_ATTRIBUTE *want, CK_ULONG n, CK_OBJECT_HANDLE *ret, CK_ULONG max,
	       CK_ULONG *ret_n);

/* The private object in this connection; found once per connection. */
CK_RV p11_private_object(struct p11_key *k, struct p11_session *s, CK_OBJECT_HANDLE *ret);
/* PKCS#11 takes pointers to what it does not change without const. */
void *p11_unconst(struct bytes b);

/* SubjectPublicKeyInfo and kind ("p-256") of a public (or, for RSA, private) key object in the arena; nothing when the
   token does not tell, or it is of a kind unknown to us. */
void p11_spki(struct p11_session *s, CK_OBJECT_HANDLE o, struct arena *a, struct bytes *ret_spki,
	      struct bytes *ret_kind);
/* Kind of a SubjectPublicKeyInfo, the arena's. */
struct bytes p11_kind_of(struct arena *a, struct bytes spki);

/* Fixed-width text without its padding. */
struct bytes p11_unpadded(const void *p, size_t n);
/* The URI of a token by its own data, with the module's name. */
MUST enum rc p11_token_uri(struct arena *a, const struct p11_module *m, const CK_TOKEN_INFO *i,
			   struct bytes id, struct bytes label, struct bytes *ret, struct err *e);

#endif
