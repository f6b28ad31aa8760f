#include "base/base.h"
#include "pkcs11/impl.h"

#include <p11-kit/p11-kit.h>
#include <unistd.h>

enum { RESTART_US = 1000000 };

enum rc
p11_new(struct p11 **ret, struct err *e)
{
	struct p11 *p = calloc(1, sizeof(*p));

	NEED(p != NULL, e, CHY_NO_MEMORY, NULL, "PKCS#11");
	pthread_mutex_init(&p->lock, NULL);
	*ret = p;
	return RC_OK;
}

static void
module_free(struct p11_module *m)
{
	if (m->f != NULL) {
		m->f->C_Finalize(NULL);
		p11_kit_module_release(m->f);
	}
	pthread_rwlock_destroy(&m->lock);
	free(m);
}

void
p11_free(struct p11 *p)
{
	if (p == NULL)
		return;
	for (unsigned i = 0; i < p->count; i++)
		module_free(p->modules[i]);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static CK_RV
start(struct p11_module *m)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_RV rv = m->f->C_Initialize(&args);

	m->started_us = clock_mono_us();
	m->generation++;
	return rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv;
}

/* A restart must not wait for ever while others go on signing. */
static void
lock_init(struct p11_module *m)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&m->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

static struct p11_module *
loaded(struct p11 *p, const char *path)
{
	for (unsigned i = 0; i < p->count; i++)
		if (strcmp(p->modules[i]->path, path) == 0)
			return p->modules[i];
	return NULL;
}

static MUST enum rc
add_name(struct p11_module *m, const char *name, struct err *e)
{
	for (unsigned i = 0; i < m->n_names; i++)
		if (strcmp(m->names[i], name) == 0)
			return RC_OK;
	NEED(m->n_names < NAMES_MAX, e, CHY_LIMIT, NULL, "%s has %d names", m->path, NAMES_MAX);
	snprintf(m->names[m->n_names++], NAME_MAX_BYTES, "%s", name);
	return RC_OK;
}

static MUST enum rc
load(struct p11 *p, struct p11_module *m, struct err *e)
{
	CK_RV rv;

	NEED(p->count < P11_MODULES_MAX, e, CHY_LIMIT, NULL, "%d modules are loaded", P11_MODULES_MAX);
	/* unmanaged: p11-kit's wrapping needs memory that is both written and executed, which the sandbox denies */
	m->f = p11_kit_module_load(m->path, P11_KIT_MODULE_UNMANAGED | P11_KIT_MODULE_CRITICAL);
	NEED(m->f != NULL, e, CHY_P11_MODULE, NULL, "%s: %s", m->path,
	     p11_kit_message() ? p11_kit_message() : "?");
	rv = start(m);
	NEED(rv == CKR_OK, e, CHY_P11_MODULE, NULL, "%s: C_Initialize: %s", m->path, p11_kit_strerror(rv));
	p->modules[p->count++] = m;
	return RC_OK;
}

static MUST enum rc
load_new(struct p11 *p, const char *name, const char *path, struct err *e)
{
	struct p11_module *m = calloc(1, sizeof(*m));
	enum rc rc;

	NEED(m != NULL, e, CHY_NO_MEMORY, NULL, "PKCS#11");
	snprintf(m->path, sizeof(m->path), "%s", path);
	lock_init(m);
	rc = add_name(m, name, e);
	if (rc == RC_OK)
		rc = load(p, m, e);
	if (rc != RC_OK)
		module_free(m);
	return rc;
}

enum rc
p11_load(struct p11 *p, const char *name, const char *path, struct err *e)
{
	struct p11_module *m;
	enum rc rc;

	NEED(strlen(name) < NAME_MAX_BYTES && strlen(path) < PATH_MAX_BYTES, e, CHY_P11_MODULE, NULL,
	     "name or path too long");
	pthread_mutex_lock(&p->lock);
	m = loaded(p, path);
	rc = m ? add_name(m, name, e) : load_new(p, name, path, e);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

unsigned
p11_modules(const struct p11 *p)
{
	return p->count;
}

bool
p11_module_restart(struct p11_module *m, unsigned long generation)
{
	bool ok = true;

	pthread_rwlock_wrlock(&m->lock);
	if (m->generation == generation) {
		ok = clock_mono_us() - m->started_us >= RESTART_US;
		if (ok) {
			m->f->C_Finalize(NULL);
			ok = start(m) == CKR_OK;
		}
	}
	pthread_rwlock_unlock(&m->lock);
	return ok;
}

bool
p11_rv_is_loss(CK_RV rv)
{
	static const CK_RV losses[] = {
		CKR_DEVICE_ERROR,       CKR_DEVICE_REMOVED,           CKR_DEVICE_MEMORY,
		CKR_TOKEN_NOT_PRESENT,  CKR_TOKEN_NOT_RECOGNIZED,     CKR_SESSION_HANDLE_INVALID,
		CKR_SESSION_CLOSED,     CKR_OBJECT_HANDLE_INVALID,    CKR_KEY_HANDLE_INVALID,
		CKR_USER_NOT_LOGGED_IN, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_GENERAL_ERROR,
		CKR_FUNCTION_FAILED,    CKR_SLOT_ID_INVALID,
	};

	for (size_t i = 0; i < ARRAY_LEN(losses); i++)
		if (rv == losses[i])
			return true;
	return false;
}

static const struct {
	CK_RV rv;
	enum code code;
} codes[] = {
	{ CKR_PIN_INCORRECT, CHY_P11_PIN },
	{ CKR_PIN_INVALID, CHY_P11_PIN },
	{ CKR_PIN_LEN_RANGE, CHY_P11_PIN },
	{ CKR_PIN_EXPIRED, CHY_P11_PIN },
	{ CKR_PIN_LOCKED, CHY_P11_PIN_LOCKED },
	{ CKR_MECHANISM_INVALID, CHY_P11_MECHANISM },
	{ CKR_MECHANISM_PARAM_INVALID, CHY_P11_MECHANISM },
	{ CKR_KEY_SIZE_RANGE, CHY_P11_MECHANISM },
	{ CKR_KEY_TYPE_INCONSISTENT, CHY_P11_MECHANISM },
	{ CKR_KEY_FUNCTION_NOT_PERMITTED, CHY_P11_USAGE },
	{ CKR_CURVE_NOT_SUPPORTED, CHY_P11_MECHANISM },
	{ CKR_DOMAIN_PARAMS_INVALID, CHY_P11_MECHANISM },
	{ CKR_FUNCTION_NOT_SUPPORTED, CHY_P11_MECHANISM },
	{ CKR_TOKEN_WRITE_PROTECTED, CHY_P11_MECHANISM },
	{ CKR_HOST_MEMORY, CHY_NO_MEMORY },
};

enum rc
p11_rv(CK_RV rv, const char *what, struct err *e)
{
	if (rv == CKR_OK)
		return RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].rv == rv)
			FAIL(e, codes[i].code, NULL, "%s: %s", what, p11_kit_strerror(rv));
	if (p11_rv_is_loss(rv))
		FAIL(e, CHY_P11_AWAY, NULL, "%s: %s", what, p11_kit_strerror(rv));
	FAIL(e, CHY_P11_FAILED, NULL, "%s: %s", what, p11_kit_strerror(rv));
}

struct bytes
p11_unpadded(const void *p, size_t n)
{
	struct bytes b = bytes_of(p, n);

	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == 0))
		b.n--;
	return b;
}
