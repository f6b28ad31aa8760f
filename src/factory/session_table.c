#include "base/base.h"
#include "factory/session_table.h"

#include <pthread.h>
#include <stdatomic.h>

enum { BUCKETS = 1024 };

struct kept_session {
	struct kept_session *next; /* of the bucket */
	struct session x;
	_Atomic int64_t made; /* certificates, those on their way included */
	_Atomic int64_t in_use, used_us, good_until_us, good_epoch;
};

struct sessions {
	pthread_rwlock_t lock; /* of the buckets; shared: to look up, and to begin a use */
	struct kept_session *bucket[BUCKETS];
	size_t n, most;
};

struct sessions *
sessions_new(size_t most)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	pthread_rwlock_init(&s->lock, NULL);
	s->most = most;
	return s;
}

void
sessions_free(struct sessions *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct kept_session *k = s->bucket[i], *next; k != NULL; k = next) {
			next = k->next;
			free(k);
		}
	pthread_rwlock_destroy(&s->lock);
	free(s);
}

size_t
sessions_count(struct sessions *s)
{
	size_t n;

	pthread_rwlock_rdlock(&s->lock);
	n = s->n;
	pthread_rwlock_unlock(&s->lock);
	return n;
}

/* With the lock held. */
static struct kept_session **
place_of(struct sessions *s, const uint8_t hash[32])
{
	struct kept_session **at = &s->bucket[(hash[0] << 8 | hash[1]) % BUCKETS];

	while (*at != NULL && !bytes_eq_secret(BYTES_OF((*at)->x.token_hash), bytes_of(hash, 32)))
		at = &(*at)->next;
	return at;
}

bool
sessions_find(struct sessions *s, const uint8_t token_hash[32], struct session *ret)
{
	struct kept_session *k;

	pthread_rwlock_rdlock(&s->lock);
	k = *place_of(s, token_hash);
	if (k != NULL) {
		atomic_store(&k->used_us, clock_mono_us());
		*ret = k->x;
		ret->facts.token_procedures = ret->procedures;
		ret->good_until_us = atomic_load(&k->good_until_us);
		ret->good_epoch = atomic_load(&k->good_epoch);
	}
	pthread_rwlock_unlock(&s->lock);
	return k != NULL;
}

/* With the lock held alone: forgets what has ended, else the one that was asked for least recently. */
static void
make_room(struct sessions *s, int64_t now_ms)
{
	struct kept_session **oldest = NULL, *gone;
	size_t before = s->n;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct kept_session **at = &s->bucket[i]; *at != NULL;) {
			struct kept_session *k = *at;

			if (atomic_load(&k->in_use) == 0 && k->x.facts.expires_at_ms <= now_ms) {
				*at = k->next;
				free(k);
				s->n--;
				continue;
			}
			if (atomic_load(&k->in_use) == 0 &&
			    (oldest == NULL || atomic_load(&k->used_us) < atomic_load(&(*oldest)->used_us)))
				oldest = at;
			at = &k->next;
		}
	if (s->n < before || oldest == NULL)
		return;
	gone = *oldest;
	*oldest = gone->next;
	free(gone);
	s->n--;
}

static struct kept_session *
kept_new(const struct session *x)
{
	struct kept_session *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->x = *x;
	atomic_init(&k->made, x->facts.certificates_made);
	atomic_init(&k->used_us, clock_mono_us());
	return k;
}

enum rc
sessions_keep(struct sessions *s, const struct session *x, int64_t now_ms, struct err *e)
{
	struct kept_session *k = kept_new(x), **at;
	bool full = false;

	NEED(k != NULL, e, CHY_NO_MEMORY, NULL, "an issuing session");
	pthread_rwlock_wrlock(&s->lock);
	if (*place_of(s, x->token_hash) == NULL) {
		if (s->n >= s->most)
			make_room(s, now_ms);
		full = s->n >= s->most;
		at = place_of(s, x->token_hash);
		if (!full) {
			*at = k;
			k = NULL;
			s->n++;
		}
	}
	pthread_rwlock_unlock(&s->lock);
	free(k);
	NEED(!full, e, CHY_LIMIT, NULL, "more than %zu issuing sessions are in use", s->most);
	return RC_OK;
}

void
sessions_good_until(struct sessions *s, const uint8_t token_hash[32], int64_t until_us, int64_t epoch)
{
	struct kept_session *k;

	pthread_rwlock_rdlock(&s->lock);
	k = *place_of(s, token_hash);
	if (k != NULL)
		atomic_store(&k->good_until_us, until_us);
	if (k != NULL)
		atomic_store(&k->good_epoch, epoch);
	pthread_rwlock_unlock(&s->lock);
}

struct kept_session *
sessions_take(struct sessions *s, const uint8_t token_hash[32], int64_t *ret_before)
{
	struct kept_session *k;

	pthread_rwlock_rdlock(&s->lock);
	k = *place_of(s, token_hash);
	if (k != NULL) {
		atomic_fetch_add(&k->in_use, 1);
		*ret_before = atomic_fetch_add(&k->made, 1);
	}
	pthread_rwlock_unlock(&s->lock);
	return k;
}

void
sessions_give(struct kept_session *k, bool made)
{
	if (!made)
		atomic_fetch_sub(&k->made, 1);
	atomic_fetch_sub(&k->in_use, 1); /* the last look at it: it may be forgotten from here on */
}
