#include "base/base.h"
#include "factory/in_flight.h"

#include <pthread.h>

enum { BUCKETS = 1024 };

struct in_flight {
	pthread_mutex_t lock;
	struct in_flight_key *bucket[BUCKETS];
};

struct in_flight *
in_flight_new(void)
{
	struct in_flight *f = calloc(1, sizeof(*f));

	if (f != NULL)
		pthread_mutex_init(&f->lock, NULL);
	return f;
}

void
in_flight_free(struct in_flight *f)
{
	if (f == NULL)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* Where it stands, or where the list ends. */
static struct in_flight_key **
place_of(struct in_flight *f, const uint8_t key[32])
{
	struct in_flight_key **at = &f->bucket[(key[0] << 8 | key[1]) % BUCKETS];

	while (*at != NULL && memcmp((*at)->key, key, sizeof((*at)->key)) != 0)
		at = &(*at)->next;
	return at;
}

bool
in_flight_enter(struct in_flight *f, struct in_flight_key *k)
{
	struct in_flight_key **at;

	pthread_mutex_lock(&f->lock);
	at = place_of(f, k->key);
	if (*at == NULL) {
		k->next = NULL;
		k->is_in = true;
		*at = k;
	}
	pthread_mutex_unlock(&f->lock);
	return k->is_in;
}

void
in_flight_leave(struct in_flight *f, struct in_flight_key *k)
{
	if (!k->is_in)
		return;
	pthread_mutex_lock(&f->lock);
	*place_of(f, k->key) = k->next;
	k->is_in = false;
	pthread_mutex_unlock(&f->lock);
}
