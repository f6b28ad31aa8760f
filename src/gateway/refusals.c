#include "base/base.h"
#include "gateway/refusals.h"

#include <arpa/inet.h>
#include <pthread.h>

enum { SETS = 512, WAYS = 8, MINUTE_MS = 60000 };

/* clear_at_ms: when all that was refused is given back. In the past: nothing is owed, the place is free. */
struct debtor {
	uint64_t id;
	enum refused_kind kind;
	int64_t clear_at_ms;
};

struct set {
	pthread_mutex_t lock;
	struct debtor v[WAYS];
};

struct refusals {
	int64_t each_ms; /* what one of them costs */
	struct set sets[SETS];
};

enum rc
refusals_new(unsigned per_minute, struct refusals **ret, struct err *e)
{
	struct refusals *r;

	*ret = NULL;
	if (per_minute == 0)
		return RC_OK;
	r = calloc(1, sizeof(*r));
	NEED(r != NULL, e, CHY_NO_MEMORY, NULL, "the refused");
	r->each_ms = per_minute < MINUTE_MS ? MINUTE_MS / per_minute : 1;
	for (size_t i = 0; i < SETS; i++)
		pthread_mutex_init(&r->sets[i].lock, NULL);
	*ret = r;
	return RC_OK;
}

void
refusals_free(struct refusals *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < SETS; i++)
		pthread_mutex_destroy(&r->sets[i].lock);
	free(r);
}

/* FNV-1a: which set, and which address. Who finds many of one set costs others their place in it, not more. */
static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)p)[i]) * 0x100000001b3;
	return h;
}

static const uint64_t mix_start = 0xcbf29ce484222325;

uint64_t
refused_address(const char *address)
{
	struct in6_addr six;

	if (address == NULL)
		return 0;
	if (inet_pton(AF_INET6, address, &six) == 1)
		return mix(mix_start, six.s6_addr, 8);
	return mix(mix_start, address, strlen(address));
}

static struct set *
set_of(struct refusals *r, struct refused_who who)
{
	uint64_t h = mix(mix(mix_start, &who.id, sizeof(who.id)), &who.kind, sizeof(who.kind));

	return &r->sets[(h ^ h >> 32) % SETS];
}

static struct debtor *
find(struct set *s, struct refused_who who)
{
	for (int i = 0; i < WAYS; i++)
		if (s->v[i].clear_at_ms != 0 && s->v[i].id == who.id && s->v[i].kind == who.kind)
			return &s->v[i];
	return NULL;
}

static struct debtor *
least(struct set *s)
{
	struct debtor *d = &s->v[0];

	for (int i = 1; i < WAYS; i++)
		if (s->v[i].clear_at_ms < d->clear_at_ms)
			d = &s->v[i];
	return d;
}

unsigned
refusals_wait(struct refusals *r, struct refused_who who, int64_t now_ms)
{
	struct debtor *d;
	struct set *s;
	int64_t over;

	if (r == NULL)
		return 0;
	s = set_of(r, who);
	pthread_mutex_lock(&s->lock);
	d = find(s, who);
	over = d != NULL ? d->clear_at_ms - now_ms - MINUTE_MS : 0;
	pthread_mutex_unlock(&s->lock);
	return over > 0 ? (unsigned)((over + 999) / 1000) : 0;
}

void
refusals_add(struct refusals *r, struct refused_who who, int64_t now_ms)
{
	struct debtor *d;
	struct set *s;
	int64_t from;

	if (r == NULL)
		return;
	s = set_of(r, who);
	pthread_mutex_lock(&s->lock);
	d = find(s, who);
	if (d == NULL) {
		d = least(s);
		*d = (struct debtor){ .id = who.id, .kind = who.kind };
	}
	from = d->clear_at_ms > now_ms ? d->clear_at_ms : now_ms;
	/* calls that were under way count too, but nobody waits for long because of them */
	d->clear_at_ms = from + r->each_ms < now_ms + 2 * MINUTE_MS ? from + r->each_ms
								    : now_ms + 2 * MINUTE_MS;
	pthread_mutex_unlock(&s->lock);
}

void
refusals_give_back(struct refusals *r, struct refused_who who, int64_t now_ms)
{
	struct debtor *d;
	struct set *s;

	if (r == NULL)
		return;
	s = set_of(r, who);
	pthread_mutex_lock(&s->lock);
	d = find(s, who);
	if (d != NULL && d->clear_at_ms > now_ms)
		d->clear_at_ms -= r->each_ms;
	pthread_mutex_unlock(&s->lock);
}
