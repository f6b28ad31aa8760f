#include "base/base.h"
#include "pkcs11/impl.h"

enum { RETRY_US = 200000, RESTART_FIRST_US = 1000000, RESTART_LONGEST_US = 60000000 };

/* ---- which tokens are there ---- */

struct seen {
	struct p11_module *m;
	unsigned long generation;
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
};

static bool
has_name(const struct p11_module *m, struct bytes name)
{
	for (unsigned i = 0; i < m->n_names; i++)
		if (bytes_is(name, m->names[i]))
			return true;
	return false;
}

static bool
module_matches(const struct p11_module *m, const struct p11_uri *u)
{
	CK_INFO i = { 0 };
	struct bytes name = u->attr[P11_MODULE_NAME], path = u->attr[P11_MODULE_PATH];

	if ((name.p != NULL && !has_name(m, name)) || (path.p != NULL && !bytes_is(path, m->path)))
		return false;
	if (u->attr[P11_LIBRARY_DESCRIPTION].p == NULL && u->attr[P11_LIBRARY_MANUFACTURER].p == NULL &&
	    u->attr[P11_LIBRARY_VERSION].p == NULL)
		return true;
	if (m->f->C_GetInfo(&i) != CKR_OK)
		return false;
	if (u->attr[P11_LIBRARY_VERSION].p != NULL) {
		char with[16], without[16];

		snprintf(with, sizeof(with), "%u.%u", i.libraryVersion.major, i.libraryVersion.minor);
		snprintf(without, sizeof(without), "%u", i.libraryVersion.major);
		if (!bytes_is(u->attr[P11_LIBRARY_VERSION], with) &&
		    !bytes_is(u->attr[P11_LIBRARY_VERSION], without))
			return false;
	}
	return p11_uri_field(u, P11_LIBRARY_DESCRIPTION, i.libraryDescription,
			     sizeof(i.libraryDescription)) &&
	    p11_uri_field(u, P11_LIBRARY_MANUFACTURER, i.manufacturerID, sizeof(i.manufacturerID));
}

static bool
slot_matches(struct p11_module *m, CK_SLOT_ID slot, const struct p11_uri *u)
{
	CK_SLOT_INFO i;

	if (u->attr[P11_SLOT_ID].p != NULL && u->slot_id != slot)
		return false;
	if (u->attr[P11_SLOT_DESCRIPTION].p == NULL && u->attr[P11_SLOT_MANUFACTURER].p == NULL)
		return true;
	return m->f->C_GetSlotInfo(slot, &i) == CKR_OK &&
	    p11_uri_field(u, P11_SLOT_DESCRIPTION, i.slotDescription, sizeof(i.slotDescription)) &&
	    p11_uri_field(u, P11_SLOT_MANUFACTURER, i.manufacturerID, sizeof(i.manufacturerID));
}

static bool
token_matches(const CK_TOKEN_INFO *i, const struct p11_uri *u)
{
	return (i->flags & CKF_TOKEN_INITIALIZED) != 0 &&
	    p11_uri_field(u, P11_TOKEN, i->label, sizeof(i->label)) &&
	    p11_uri_field(u, P11_MANUFACTURER, i->manufacturerID, sizeof(i->manufacturerID)) &&
	    p11_uri_field(u, P11_MODEL, i->model, sizeof(i->model)) &&
	    p11_uri_field(u, P11_SERIAL, i->serialNumber, sizeof(i->serialNumber));
}

/* The module's lock is held shared. Room for P11_SLOTS_MAX in *list, n of them used. */
static void
look_in(struct p11_module *m, const struct p11_uri *u, struct seen *list, size_t *n)
{
	CK_SLOT_ID slots[P11_SLOTS_MAX];
	CK_ULONG count = 0;

	if (!module_matches(m, u))
		return;
	/* asking for the number first makes modules look for new tokens (PKCS#11 2.40 5.5) */
	if (m->f->C_GetSlotList(CK_TRUE, NULL, &count) != CKR_OK)
		return;
	count = P11_SLOTS_MAX;
	if (m->f->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return;
	for (CK_ULONG i = 0; i < count && *n < P11_SLOTS_MAX; i++) {
		struct seen *s = &list[*n];

		if (!slot_matches(m, slots[i], u) || m->f->C_GetTokenInfo(slots[i], &s->info) != CKR_OK ||
		    !token_matches(&s->info, u))
			continue;
		s->m = m;
		s->generation = m->generation;
		s->slot = slots[i];
		++*n;
	}
}

static unsigned
modules_of(struct p11 *p, struct p11_module *ret[P11_MODULES_MAX])
{
	unsigned n;

	pthread_mutex_lock(&p->lock);
	n = p->count;
	memcpy(ret, p->modules, sizeof(p->modules));
	pthread_mutex_unlock(&p->lock);
	return n;
}

static size_t
look(struct p11 *p, const struct p11_uri *u, struct seen *list)
{
	struct p11_module *modules[P11_MODULES_MAX];
	unsigned count = modules_of(p, modules);
	size_t n = 0;

	for (unsigned i = 0; i < count && !u->unknown; i++) {
		pthread_rwlock_rdlock(&modules[i]->lock);
		look_in(modules[i], u, list, &n);
		pthread_rwlock_unlock(&modules[i]->lock);
	}
	return n;
}

enum rc
p11_token_uri(struct arena *a, const struct p11_module *m, const CK_TOKEN_INFO *i, struct bytes id,
	      struct bytes label, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf b = buf_max(4 * P11_URI_MAX);
	struct p11_uri u = { 0 };

	u.attr[P11_TOKEN] = p11_unpadded(i->label, sizeof(i->label));
	u.attr[P11_SERIAL] = p11_unpadded(i->serialNumber, sizeof(i->serialNumber));
	u.attr[P11_ID] = id;
	u.attr[P11_OBJECT] = label;
	u.attr[P11_MODULE_NAME] = bytes_str(m->names[0]);
	p11_uri_put(&b, &u);
	*ret = arena_dup(a, buf_bytes(&b));
	NEED(buf_ok(&b) && ret->p != NULL, e, CHY_NO_MEMORY, NULL, "a URI");
	return RC_OK;
}

static MUST enum rc
tell(const struct seen *s, struct arena *a, struct p11_token_info *ret, struct err *e)
{
	const CK_TOKEN_INFO *i = &s->info;

	ret->module = bytes_str(s->m->names[0]);
	ret->label = arena_dup(a, p11_unpadded(i->label, sizeof(i->label)));
	ret->manufacturer = arena_dup(a, p11_unpadded(i->manufacturerID, sizeof(i->manufacturerID)));
	ret->model = arena_dup(a, p11_unpadded(i->model, sizeof(i->model)));
	ret->serial = arena_dup(a, p11_unpadded(i->serialNumber, sizeof(i->serialNumber)));
	ret->slot = s->slot;
	ret->login_required = (i->flags & CKF_LOGIN_REQUIRED) != 0;
	ret->pin_set = (i->flags & CKF_USER_PIN_INITIALIZED) != 0;
	ret->pin_locked = (i->flags & CKF_USER_PIN_LOCKED) != 0;
	NEED(ret->serial.p != NULL, e, CHY_NO_MEMORY, NULL, "tokens");
	return p11_token_uri(a, s->m, i, BYTES_NONE, BYTES_NONE, &ret->uri, e);
}

enum rc
p11_tokens(struct p11 *p, const struct p11_uri *u, struct arena *a, struct p11_token_info **ret,
	   size_t *ret_n, struct err *e)
{
	static const struct p11_uri any;
	struct seen *list = arena_array(a, P11_SLOTS_MAX, sizeof(*list));
	size_t n;

	NEED(list != NULL, e, CHY_NO_MEMORY, NULL, "tokens");
	n = look(p, u ? u : &any, list);
	*ret = arena_array(a, n, sizeof(**ret));
	NEED(*ret != NULL, e, CHY_NO_MEMORY, NULL, "tokens");
	for (size_t i = 0; i < n; i++)
		TRY(tell(&list[i], a, &(*ret)[i], e));
	*ret_n = n;
	return RC_OK;
}

/* ---- a token's connection ---- */

static MUST enum rc
copy_uri(struct p11_token *t, const struct p11_uri *u, struct err *e)
{
	t->uri = *u;
	for (unsigned i = 0; i < P11_URI_ATTRS; i++) {
		if (u->attr[i].p == NULL)
			continue;
		t->uri.attr[i] = arena_dup(t->mem, u->attr[i]);
		NEED(t->uri.attr[i].p != NULL, e, CHY_NO_MEMORY, NULL, "a token");
	}
	return RC_OK;
}

/* With the token's and the module's lock held. */
static CK_RV
login(struct p11_token *t, struct p11_module *m, CK_SESSION_HANDLE h)
{
	CK_RV rv;

	if (t->pin == NULL)
		return CKR_OK;
	if (t->pin_bad)
		return CKR_PIN_INCORRECT;
	rv = m->f->C_Login(h, CKU_USER, secret_data(t->pin), secret_len(t->pin));
	if (rv == CKR_USER_ALREADY_LOGGED_IN)
		return CKR_OK;
	/* once is enough: every further attempt with the same PIN brings the token nearer to being locked */
	t->pin_bad = rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED || rv == CKR_PIN_LEN_RANGE ||
	    rv == CKR_PIN_INVALID || rv == CKR_PIN_EXPIRED;
	return rv;
}

static void
disconnect(struct p11_token *t, bool module_is_same)
{
	while (t->n_idle > 0) {
		CK_SESSION_HANDLE h = t->idle[--t->n_idle];

		if (module_is_same)
			t->module->f->C_CloseSession(h);
	}
	t->n_open = 0; /* those lent out come back to an older generation and are not counted */
	t->connected = false;
}

static MUST enum rc
connect_to(struct p11_token *t, const struct seen *s, struct err *e)
{
	CK_SESSION_HANDLE h;
	CK_RV rv;

	rv = s->m->f->C_OpenSession(s->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h);
	if (rv == CKR_TOKEN_WRITE_PROTECTED)
		rv = s->m->f->C_OpenSession(s->slot, CKF_SERIAL_SESSION, NULL, NULL, &h);
	if (rv == CKR_OK) {
		rv = login(t, s->m, h);
		if (rv != CKR_OK)
			s->m->f->C_CloseSession(h);
	}
	TRY(p11_rv(rv, "login", e));
	t->module = s->m;
	t->module_generation = s->m->generation;
	t->slot = s->slot;
	t->idle[0] = h;
	t->n_idle = t->n_open = 1;
	t->connected = true;
	t->generation++;
	return RC_OK;
}

/* Finds the token among those that are there; RC_NOT_FOUND when it is not. */
static MUST enum rc
find_token(struct p11_token *t, struct seen *ret, struct err *e)
{
	struct seen *list = calloc(P11_SLOTS_MAX, sizeof(*list));
	size_t n;

	NEED(list != NULL, e, CHY_NO_MEMORY, NULL, "tokens");
	n = look(t->p, &t->uri, list);
	*ret = list[0];
	free(list);
	NEED(n > 0, e, CHY_P11_NO_TOKEN, NULL, "no token matches the URI");
	NEED(n == 1, e, CHY_P11_AMBIGUOUS, NULL, "%zu tokens match the URI", n);
	return RC_OK;
}

static MUST enum rc
try_connect(struct p11_token *t, struct err *e)
{
	struct seen s = { 0 };
	enum rc rc;

	TRY(find_token(t, &s, e));
	pthread_rwlock_rdlock(&s.m->lock);
	rc = s.m->generation == s.generation ? connect_to(t, &s, e)
					     : err_set(e, CHY_P11_AWAY, NULL, "the module was started anew");
	pthread_rwlock_unlock(&s.m->lock);
	return rc;
}

static bool
restart_one(struct p11_module *m, const struct p11_uri *u)
{
	unsigned long generation;
	bool matches;

	pthread_rwlock_rdlock(&m->lock);
	generation = m->generation;
	matches = module_matches(m, u);
	pthread_rwlock_unlock(&m->lock);
	return matches && p11_module_restart(m, generation);
}

/* Many modules look for readers and tokens only at their start. But a restart ends the sessions of other tokens too, and
   a token may be away for good: so after each that did not help we wait twice as long. */
static bool
restart_modules(struct p11_token *t)
{
	struct p11_module *modules[P11_MODULES_MAX];
	int64_t now = clock_mono_us();
	bool any = false;
	unsigned n;

	if (now < t->restart_us)
		return false;
	t->restart_wait_us = t->restart_wait_us == 0  ? RESTART_FIRST_US
	    : t->restart_wait_us < RESTART_LONGEST_US ? 2 * t->restart_wait_us
						      : RESTART_LONGEST_US;
	t->restart_us = now + t->restart_wait_us;
	n = modules_of(t->p, modules);
	for (unsigned i = 0; i < n; i++)
		any |= restart_one(modules[i], &t->uri);
	return any;
}

/* With the token's lock held. */
static MUST enum rc
connect_token(struct p11_token *t, struct err *e)
{
	struct err first = { 0 };
	enum rc rc = try_connect(t, &first);

	if ((first.code == CHY_P11_AWAY || first.code == CHY_P11_NO_TOKEN) && restart_modules(t)) {
		err_clear(&first);
		rc = try_connect(t, &first);
	}
	if (rc == RC_OK) {
		t->restart_wait_us = t->restart_us = 0;
		return RC_OK;
	}
	t->failed_us = clock_mono_us();
	if (e != NULL && e->code == CHY_NONE)
		*e = first;
	return rc;
}

static struct p11_token *
token_new(struct p11 *p, const struct secret *pin)
{
	struct p11_token *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->p = p;
	t->mem = arena_new(64 << 10);
	t->pin = pin ? secret_of(secret_bytes(pin)) : NULL;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->returned, NULL);
	if (t->mem == NULL || (pin != NULL && t->pin == NULL)) {
		p11_token_free(t);
		return NULL;
	}
	return t;
}

static MUST enum rc
open_token(struct p11 *p, const struct p11_uri *u, const struct secret *pin, bool lazy,
	   struct p11_token **ret, struct err *e)
{
	OWN(p11_token_free)
	struct p11_token *t = token_new(p, pin);
	struct err first = { 0 };
	enum rc rc;

	NEED(t != NULL, e, CHY_NO_MEMORY, NULL, "a token");
	TRY(copy_uri(t, u, e));
	pthread_mutex_lock(&t->lock);
	rc = connect_token(t, &first);
	pthread_mutex_unlock(&t->lock);
	if (rc != RC_OK && !(lazy && (first.code == CHY_P11_NO_TOKEN || first.code == CHY_P11_AWAY))) {
		if (e != NULL && e->code == CHY_NONE)
			*e = first;
		return rc;
	}
	*ret = t;
	t = NULL;
	return RC_OK;
}

enum rc
p11_open(struct p11 *p, const struct p11_uri *u, const struct secret *pin, struct p11_token **ret,
	 struct err *e)
{
	return open_token(p, u, pin, false, ret, e);
}

enum rc
p11_open_lazy(struct p11 *p, const struct p11_uri *u, const struct secret *pin, struct p11_token **ret,
	      struct err *e)
{
	return open_token(p, u, pin, true, ret, e);
}

void
p11_token_free(struct p11_token *t)
{
	if (t == NULL)
		return;
	if (t->module != NULL) {
		pthread_rwlock_rdlock(&t->module->lock);
		disconnect(t, t->module->generation == t->module_generation);
		pthread_rwlock_unlock(&t->module->lock);
	}
	pthread_cond_destroy(&t->returned);
	pthread_mutex_destroy(&t->lock);
	secret_free(t->pin);
	arena_free(t->mem);
	free(t);
}

/* ---- sessions ---- */

/* With the token's lock held, connected, and the module's lock held shared. *ret_wait: all are lent out. */
static CK_RV
take_session(struct p11_token *t, CK_SESSION_HANDLE *ret, bool *ret_wait)
{
	CK_RV rv;

	*ret_wait = false;
	if (t->n_idle > 0) {
		*ret = t->idle[--t->n_idle];
		return CKR_OK;
	}
	if (t->n_open < P11_SESSIONS_MAX) {
		rv = t->module->f->C_OpenSession(t->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
						 ret);
		if (rv == CKR_OK)
			t->n_open++;
		if (rv != CKR_SESSION_COUNT || t->n_open == 0)
			return rv;
	}
	*ret_wait = true;
	return CKR_OK;
}

/* With the token's lock held. Tells whether a session was got; else a wait or a failure. */
static MUST enum rc
try_session(struct p11_token *t, struct p11_session *s, bool *ret_wait, struct err *e)
{
	struct p11_module *m;
	CK_RV rv;

	*ret_wait = false;
	if (!t->connected) {
		bool soon = t->failed_us != 0 && clock_mono_us() - t->failed_us < RETRY_US;

		NEED(!t->pin_bad, e, CHY_P11_PIN, NULL, "the PIN was wrong; not tried again");
		NEED(!soon, e, CHY_P11_AWAY, NULL, "the token was away a moment ago");
		TRY(connect_token(t, e));
	}
	m = t->module;
	pthread_rwlock_rdlock(&m->lock);
	if (m->generation != t->module_generation) { /* another token's trouble has ended our sessions too */
		disconnect(t, false);
		pthread_rwlock_unlock(&m->lock);
		return try_session(t, s, ret_wait, e);
	}
	rv = take_session(t, &s->h, ret_wait);
	if (rv == CKR_OK && !*ret_wait) {
		*s = (struct p11_session){ t, m, m->f, s->h, t->generation, m->generation };
		return RC_OK; /* the module's lock stays held */
	}
	if (rv != CKR_OK)
		disconnect(t, true);
	pthread_rwlock_unlock(&m->lock);
	return p11_rv(rv, "session", e);
}

enum rc
p11_session_get(struct p11_token *t, struct p11_session *s, struct err *e)
{
	struct err own = { 0 };
	bool wait = true;
	enum rc rc;

	pthread_mutex_lock(&t->lock);
	while ((rc = try_session(t, s, &wait, &own)) == RC_OK && wait)
		pthread_cond_wait(&t->returned, &t->lock);
	pthread_mutex_unlock(&t->lock);
	/* a token that is not there now but was known: away, not unknown */
	if (own.code == CHY_P11_NO_TOKEN)
		return err_set(e, CHY_P11_AWAY, NULL, "the token is not there");
	if (rc != RC_OK && e != NULL && e->code == CHY_NONE)
		*e = own;
	return rc;
}

/* A token's lock is always taken before its module's, so the module is let go first. */
void
p11_session_put(struct p11_session *s, CK_RV rv)
{
	struct p11_token *t = s->t;
	struct p11_module *m = s->m;
	bool same;

	pthread_rwlock_unlock(&m->lock);
	pthread_mutex_lock(&t->lock);
	pthread_rwlock_rdlock(&m->lock);
	same = m->generation == s->module_generation;
	if (same && t->connected && s->generation == t->generation && !p11_rv_is_loss(rv)) {
		t->idle[t->n_idle++] = s->h;
	} else {
		if (same)
			s->f->C_CloseSession(s->h);
		if (t->connected && s->generation == t->generation) {
			disconnect(t, same);
			t->failed_us = 0; /* try at once, in case only the session was lost */
		}
	}
	pthread_rwlock_unlock(&m->lock);
	pthread_cond_broadcast(&t->returned);
	pthread_mutex_unlock(&t->lock);
}

enum rc
p11_do(struct p11_token *t, p11_work *work, void *arg, const char *what, struct err *e)
{
	for (int attempt = 0;; attempt++) {
		struct err own = { 0 };
		struct p11_session s = { 0 };
		CK_RV rv;

		TRY(p11_session_get(t, &s, e));
		NEED(s.f != NULL, e, CHY_INTERNAL, NULL, "a session without a module");
		rv = work(&s, arg, &own);
		p11_session_put(&s, rv);
		if (rv == CKR_OK && own.code == CHY_NONE)
			return RC_OK;
		if (p11_rv_is_loss(rv) && attempt == 0)
			continue;
		if (own.code != CHY_NONE) {
			if (e != NULL && e->code == CHY_NONE)
				*e = own;
			return own.rc;
		}
		if (p11_rv_is_loss(rv)) { /* twice over fresh connections: leave it alone for a moment */
			pthread_mutex_lock(&t->lock);
			t->failed_us = clock_mono_us();
			pthread_mutex_unlock(&t->lock);
		}
		return p11_rv(rv, what, e);
	}
}

static CK_RV
ask_session(struct p11_session *s, void *arg, struct err *e)
{
	CK_SESSION_INFO i;

	return s->f->C_GetSessionInfo(s->h, &i);
}

bool
p11_token_there(struct p11_token *t)
{
	return p11_do(t, ask_session, NULL, "token", NULL) == RC_OK;
}
