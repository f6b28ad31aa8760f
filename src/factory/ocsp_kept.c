#include "base/base.h"
#include "factory/ocsp_kept.h"

#include <pthread.h>

#include "crypto/digest.h"

enum {
	SHARDS = 64,
	SHARD_MAX = LIMIT_OCSP_KEPT / SHARDS,
	BUCKETS_FIRST = 64,
	AHEAD_MS = 5 * 60 * 1000, /* one from further ahead was made by a clock that went wrong */
};

struct entry {
	struct entry *next;          /* of its bucket */
	struct entry *older, *newer; /* of its shard */
	uint64_t hash;
	struct ocsp_by *by;
	int64_t this_at, next_at, revoked_at, cutoff_at;
	int8_t reason, status;
	uint16_t id_at, id_n, data_n, signature_n;
	uint8_t etag[SHA1_LEN];
	uint8_t octets[]; /* data, signature */
};

struct shard {
	pthread_mutex_t lock;
	struct entry **buckets;
	size_t mask, n;
	struct entry *oldest, *newest;
};

struct ocsp_kept {
	_Atomic int64_t epoch;
	_Atomic size_t n;
	struct shard shards[SHARDS];
};

/* ---- who signs ---- */

struct ocsp_by *
ocsp_by_ref(struct ocsp_by *by)
{
	atomic_fetch_add_explicit(&by->refs, 1, memory_order_relaxed);
	return by;
}

void
ocsp_by_unref(struct ocsp_by *by)
{
	if (by != NULL && atomic_fetch_sub(&by->refs, 1) == 1)
		free(by);
}

/* ---- the table ---- */

struct ocsp_kept *
kept_new(void)
{
	struct ocsp_kept *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	for (int i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&k->shards[i].lock, NULL);
		k->shards[i].buckets = calloc(BUCKETS_FIRST, sizeof(struct entry *));
		k->shards[i].mask = BUCKETS_FIRST - 1;
		if (k->shards[i].buckets == NULL) {
			kept_free(k);
			return NULL;
		}
	}
	return k;
}

enum { HASHED = 32 }; /* octets at the end, where the serial number is */

/* Serial numbers are ours, and random: nobody chooses them so that they meet in one bucket. */
static uint64_t
hash(struct bytes id)
{
	uint64_t h = 0xcbf29ce484222325u ^ id.n, word;
	size_t from = id.n > HASHED ? id.n - HASHED : 0;

	for (size_t i = from; i < id.n; i += sizeof(word)) {
		size_t left = id.n - i;

		word = 0;
		memcpy(&word, id.p + i, left < sizeof(word) ? left : sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return h ^ h >> 32;
}

static struct shard *
shard_of(struct ocsp_kept *k, uint64_t h)
{
	return &k->shards[h >> 20 & (SHARDS - 1)];
}

static struct bytes
id_of(const struct entry *x)
{
	return bytes_of(x->octets + x->id_at, x->id_n);
}

static struct entry **
place_of(struct shard *s, uint64_t h, struct bytes id)
{
	struct entry **at = &s->buckets[h & s->mask];

	while (*at != NULL && ((*at)->hash != h || !bytes_eq(id_of(*at), id)))
		at = &(*at)->next;
	return at;
}

static void
take_out(struct ocsp_kept *k, struct shard *s, struct entry **at)
{
	struct entry *x = *at;

	*at = x->next;
	*(x->older ? &x->older->newer : &s->oldest) = x->newer;
	*(x->newer ? &x->newer->older : &s->newest) = x->older;
	s->n--;
	atomic_fetch_sub(&k->n, 1);
	ocsp_by_unref(x->by);
	free(x);
}

/* Where memory is out, the chains get longer. */
static void
grow(struct shard *s)
{
	size_t mask = s->mask * 2 + 1;
	struct entry **more = calloc(mask + 1, sizeof(struct entry *));

	if (more == NULL)
		return;
	for (struct entry *x = s->oldest; x != NULL; x = x->newer) {
		x->next = more[x->hash & mask];
		more[x->hash & mask] = x;
	}
	free(s->buckets);
	s->buckets = more;
	s->mask = mask;
}

static void
put_in(struct ocsp_kept *k, struct shard *s, struct entry *x)
{
	if (s->n > s->mask)
		grow(s);
	x->next = s->buckets[x->hash & s->mask];
	s->buckets[x->hash & s->mask] = x;
	x->older = s->newest;
	x->newer = NULL;
	*(s->newest ? &s->newest->newer : &s->oldest) = x;
	s->newest = x;
	s->n++;
	atomic_fetch_add(&k->n, 1);
}

/* ---- epochs ---- */

int64_t
kept_epoch(const struct ocsp_kept *k)
{
	return atomic_load(&k->epoch);
}

void
kept_next_epoch(struct ocsp_kept *k)
{
	atomic_fetch_add(&k->epoch, 1);
}

/* ---- getting ---- */

static bool
is_good(const struct entry *x, int64_t now)
{
	return now < x->next_at && x->this_at <= now + AHEAD_MS;
}

enum kept
kept_state(struct ocsp_kept *k, struct bytes cert_id, int64_t now)
{
	uint64_t h = hash(cert_id);
	struct shard *s = shard_of(k, h);
	enum kept state = KEPT_NONE;
	struct entry *x;

	pthread_mutex_lock(&s->lock);
	x = *place_of(s, h, cert_id);
	if (x != NULL && is_good(x, now))
		state = now < x->this_at + (x->next_at - x->this_at) / 2 ? KEPT_FRESH : KEPT_AGING;
	pthread_mutex_unlock(&s->lock);
	return state;
}

static bool
copy_out(const struct entry *x, struct arena *a, struct ocsp_signed *ret)
{
	struct bytes all = arena_dup(a, bytes_of(x->octets, (size_t)x->data_n + x->signature_n));

	if (all.p == NULL)
		return false;
	*ret = (struct ocsp_signed){ .by = ocsp_by_ref(x->by),
				     .data = bytes_part(all, 0, x->data_n),
				     .signature = bytes_part(all, x->data_n, x->signature_n),
				     .single = { .cert_id = bytes_part(all, x->id_at, x->id_n),
						 .status = (enum ocsp_status)x->status,
						 .revoked_at = x->revoked_at,
						 .reason = x->reason,
						 .this_update_at = x->this_at,
						 .next_update_at = x->next_at,
						 .archive_cutoff_at = x->cutoff_at } };
	memcpy(ret->etag, x->etag, SHA1_LEN);
	return true;
}

bool
kept_get(struct ocsp_kept *k, struct arena *a, struct bytes cert_id, int64_t now, struct ocsp_signed *ret)
{
	uint64_t h = hash(cert_id);
	struct shard *s = shard_of(k, h);
	struct entry *x;
	bool found;

	pthread_mutex_lock(&s->lock);
	x = *place_of(s, h, cert_id);
	found = x != NULL && is_good(x, now) && copy_out(x, a, ret);
	pthread_mutex_unlock(&s->lock);
	return found;
}

/* ---- putting ---- */

static bool
digest(const struct ocsp_signed *s, uint8_t etag[SHA1_LEN])
{
	OWN_DW struct dw w = dw_growing(LIMIT_OCSP_RESPONSE);

	if (ocsp_response_build(s->data, s->by->sigalg, s->signature, &s->by->certificate, 1, &w, NULL) !=
	    RC_OK)
		return false;
	sha1(dw_bytes(&w), etag);
	return true;
}

static struct entry *
entry_of(const struct ocsp_signed *s)
{
	const struct ocsp_single *one = &s->single;
	const uint8_t *id = memmem(s->data.p, s->data.n, one->cert_id.p, one->cert_id.n);
	struct entry *x;

	if (id == NULL || s->data.n > UINT16_MAX || s->signature.n > UINT16_MAX)
		return NULL;
	x = malloc(sizeof(*x) + s->data.n + s->signature.n);
	if (x == NULL)
		return NULL;
	*x = (struct entry){ .hash = hash(one->cert_id),
			     .this_at = one->this_update_at,
			     .next_at = one->next_update_at,
			     .revoked_at = one->revoked_at,
			     .cutoff_at = one->archive_cutoff_at,
			     .reason = (int8_t)one->reason,
			     .status = (int8_t)one->status,
			     .id_at = (uint16_t)(id - s->data.p),
			     .id_n = (uint16_t)one->cert_id.n,
			     .data_n = (uint16_t)s->data.n,
			     .signature_n = (uint16_t)s->signature.n };
	memcpy(x->octets, s->data.p, s->data.n);
	memcpy(x->octets + s->data.n, s->signature.p, s->signature.n);
	if (!digest(s, x->etag)) {
		free(x);
		return NULL;
	}
	return x;
}

/* With the shard's lock. */
static bool
make_room(struct ocsp_kept *k, struct shard *s, bool evict)
{
	if (s->n < SHARD_MAX)
		return true;
	if (!evict)
		return false;
	take_out(k, s, place_of(s, s->oldest->hash, id_of(s->oldest)));
	return true;
}

bool
kept_put(struct ocsp_kept *k, int64_t epoch, const struct ocsp_signed *given, bool evict)
{
	struct entry *x = entry_of(given), **at;
	struct shard *s;
	bool kept;

	if (x == NULL)
		return false;
	s = shard_of(k, x->hash);
	pthread_mutex_lock(&s->lock);
	at = place_of(s, x->hash, id_of(x));
	if (*at != NULL)
		take_out(k, s, at);
	kept = atomic_load(&k->epoch) == epoch && make_room(k, s, evict);
	if (kept) {
		x->by = ocsp_by_ref(given->by);
		put_in(k, s, x);
	}
	pthread_mutex_unlock(&s->lock);
	if (!kept)
		free(x);
	return kept;
}

/* ---- dropping ---- */

void
kept_drop(struct ocsp_kept *k, struct bytes cert_id)
{
	uint64_t h = hash(cert_id);
	struct shard *s = shard_of(k, h);
	struct entry **at;

	pthread_mutex_lock(&s->lock);
	at = place_of(s, h, cert_id);
	if (*at != NULL)
		take_out(k, s, at);
	pthread_mutex_unlock(&s->lock);
}

static void
drop_if(struct ocsp_kept *k, bool (*is)(const struct entry *x, int64_t arg), int64_t arg)
{
	for (int i = 0; i < SHARDS; i++) {
		struct shard *s = &k->shards[i];
		struct entry *x, *then;

		pthread_mutex_lock(&s->lock);
		for (x = s->oldest; x != NULL; x = then) {
			then = x->newer;
			if (is(x, arg))
				take_out(k, s, place_of(s, x->hash, id_of(x)));
		}
		pthread_mutex_unlock(&s->lock);
	}
}

static bool
is_of(const struct entry *x, int64_t authority)
{
	return x->by->authority == authority;
}

static bool
is_over(const struct entry *x, int64_t now)
{
	return !is_good(x, now);
}

void
kept_drop_authority(struct ocsp_kept *k, int64_t authority)
{
	drop_if(k, is_of, authority);
}

void
kept_sweep(struct ocsp_kept *k, int64_t now)
{
	drop_if(k, is_over, now);
}

size_t
kept_count(const struct ocsp_kept *k)
{
	return atomic_load(&k->n);
}

bool
kept_is_full(const struct ocsp_kept *k)
{
	return kept_count(k) >= LIMIT_OCSP_KEPT / 8 * 7; /* shards do not fill alike */
}

void
kept_free(struct ocsp_kept *k)
{
	if (k == NULL)
		return;
	for (int i = 0; i < SHARDS && k->shards[i].buckets != NULL; i++) {
		struct shard *s = &k->shards[i];

		while (s->oldest != NULL)
			take_out(k, s, place_of(s, s->oldest->hash, id_of(s->oldest)));
		free(s->buckets);
		pthread_mutex_destroy(&s->lock);
	}
	free(k);
}
