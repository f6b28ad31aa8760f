/* Keys made in tokens, each on a thread of its own: a token may take minutes over one, or hang, and meanwhile all other keys
   sign on. What the key store and the journal are told of it comes between two batches. */
#include "base/base.h"
#include "signer/core_impl.h"

#include <time.h>
#include <unistd.h>

enum { MAKING_MAX = 8, HANGS_SECONDS = 2 };

struct making {
	struct making *next;
	struct signer_core *c;
	pthread_t thread;
	struct skey *key;
	char label[SIGNER_LABEL_MAX + 1], kind[KEY_NAME_MAX];
	uint16_t type;
	uint64_t id;
	bool over;
};

static enum rc
enter_key(struct making *m, struct buf *payload, struct err *e)
{
	struct skey *k = m->key;

	m->key = NULL;
	TRY(keystore_add(m->c->o.keys, k, e));
	return core_key_made(m->c, k, payload, e);
}

static void *
making_main(void *arg)
{
	struct making *m = arg;
	OWN_BUF struct buf payload = buf_max(LIMIT_FRAME);
	struct err e = { 0 };
	enum rc rc = keystore_make(m->key, m->kind, &e);

	pthread_mutex_lock(&m->c->changing);
	if (rc == RC_OK)
		rc = enter_key(m, &payload, &e);
	keystore_drop(m->key);
	m->over = true;
	pthread_mutex_unlock(&m->c->changing);
	if (rc == RC_OK && !buf_ok(&payload))
		(void)err_set(&e, CHY_NO_MEMORY, NULL, "an answer");
	if (e.code != CHY_NONE)
		LOG(WARNING, "signer.refused", LI("type", m->type), LS("key", m->label), LE(&e));
	core_answer_later(m->c, m->type, m->id, buf_bytes(&payload), &e);
	return NULL;
}

/* Threads that have ended, and how many have not. */
static size_t
reap(struct signer_core *c)
{
	struct making **at = &c->making;
	size_t n = 0;

	while (*at != NULL) {
		struct making *m = *at;

		if (!m->over) {
			n++;
			at = &m->next;
			continue;
		}
		*at = m->next;
		pthread_join(m->thread, NULL);
		free(m);
	}
	return n;
}

enum rc
making_check(const struct signer_core *c, struct bytes label, struct err *e)
{
	for (const struct making *m = c->making; m != NULL; m = m->next)
		NEED(m->over || !bytes_is(label, m->label), e, CHY_SIGNER_BUSY, NULL,
		     "the key %s is being made", m->label);
	return RC_OK;
}

static MUST enum rc
begin(struct making *m, struct err *e)
{
	NEED(pthread_create(&m->thread, NULL, making_main, m) == 0, e, CHY_SYSTEM, NULL,
	     "a thread for a key");
	m->next = m->c->making;
	m->c->making = m;
	return RC_OK;
}

enum rc
making_start(struct signer_core *c, struct item *it, struct bytes label, enum signer_class class,
	     const char *kind, struct bytes where, struct err *e)
{
	struct making *m;
	struct skey *k;
	enum rc rc;

	NEED(reap(c) < MAKING_MAX, e, CHY_SIGNER_BUSY, NULL, "%d keys are being made", MAKING_MAX);
	TRY(keystore_begin(c->o.keys, label, class, where, &k, e));
	m = calloc(1, sizeof(*m));
	if (m == NULL) {
		keystore_drop(k);
		FAIL(e, CHY_NO_MEMORY, NULL, "a key");
	}
	*m = (struct making){ .c = c, .key = k, .type = it->in.type, .id = it->in.id };
	snprintf(m->label, sizeof(m->label), "%s", k->label);
	snprintf(m->kind, sizeof(m->kind), "%s", kind);
	rc = begin(m, e);
	if (rc != RC_OK) {
		keystore_drop(k);
		free(m);
		return rc;
	}
	it->later = true;
	return RC_OK;
}

/* A thread inside of a module cannot be ended; what counts is on the disk, and whoever asked is gone. */
void
making_end(struct signer_core *c)
{
	while (c->making != NULL) {
		struct making *m = c->making;
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += HANGS_SECONDS;
		if (pthread_timedjoin_np(m->thread, NULL, &until) != 0) {
			LOG(WARNING, "signer.token-hangs", LS("key", m->label));
			_exit(0);
		}
		c->making = m->next;
		free(m);
	}
}
