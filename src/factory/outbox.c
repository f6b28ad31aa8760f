#include "base/base.h"
#include "factory/outbox.h"

#include <pthread.h>
#include <time.h>

#include "base/idgen.h"
#include "distributor/link.h"
#include "factory/leaf.h"
#include "policy/body.h"
#include "policy/duration.h"
#include "store/change.h"
#include "store/read.h"

enum {
	FLIGHTS_MAX = 256,    /* on their way at once */
	LANE_FLIGHTS = 16,    /* ... to one destination */
	BEAT_MS = 250,        /* how often it looks by itself */
	REST_FIRST_MS = 1000, /* after a failure; twice as long after the next */
	LAST_WAIT_MS = 3000,  /* at the end, for what is on its way */
	LOAD_ARENA = 4 * LIMIT_DELIVERY,
	LEAF_ARENA = 256 << 10,
};

struct flight {
	struct outbox_row row; /* texts are the row's own copies below */
	char kind[24], form[16];
	int64_t give_up_at; /* INT64_MAX: never */
	bool settled;       /* its outcome is being written */
};

struct place {
	int64_t destination;
	struct destination_state s;
};

struct outbox {
	struct factory *f;
	struct distributor_link *link;
	int64_t longest_ms;
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t more;
	bool stop, running, wanted;
	struct flight *flights[FLIGHTS_MAX];
	size_t flights_n;
	struct place *places;
	size_t places_n;
};

/* ---- what is known of a destination; with the lock held ---- */

static struct destination_state *
place_of(struct outbox *o, int64_t destination)
{
	struct place *more;

	for (size_t i = 0; i < o->places_n; i++)
		if (o->places[i].destination == destination)
			return &o->places[i].s;
	more = reallocarray(o->places, o->places_n + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	o->places = more;
	o->places[o->places_n] = (struct place){ .destination = destination };
	return &o->places[o->places_n++].s;
}

/* What lies further ahead than any rest comes from a clock that was set back since. */
static bool
is_resting(const struct outbox *o, const struct destination_state *s, int64_t now)
{
	return s->until_ms > now && s->until_ms <= now + o->longest_ms;
}

/* One failure while it rests already is not another one: several were on their way when it went. */
static void
rests(struct outbox *o, struct destination_state *s, const struct err *why)
{
	int64_t now = clock_now_ms(), ms = REST_FIRST_MS;

	snprintf(s->error, sizeof(s->error), "CHY-%d %s", (int)why->code, why->text);
	if (s->failing_since_ms == 0)
		s->failing_since_ms = now;
	if (is_resting(o, s, now))
		return;
	for (unsigned i = 0; i < s->failures && ms < o->longest_ms; i++)
		ms *= 2;
	s->failures++;
	s->until_ms = now + (ms < o->longest_ms ? ms : o->longest_ms);
}

static void
is_well(struct destination_state *s)
{
	size_t on_the_way = s->on_the_way;

	*s = (struct destination_state){ .on_the_way = on_the_way };
}

/* ---- flights; with the lock held ---- */

static struct flight *
flight_of(struct outbox *o, int64_t id)
{
	for (size_t i = 0; i < o->flights_n; i++)
		if (o->flights[i]->row.id == id)
			return o->flights[i];
	return NULL;
}

static void
land(struct outbox *o, struct flight *x)
{
	struct destination_state *s = place_of(o, x->row.destination);

	for (size_t i = 0; i < o->flights_n; i++)
		if (o->flights[i] == x)
			o->flights[i] = o->flights[--o->flights_n];
	if (s != NULL && s->on_the_way > 0)
		s->on_the_way--;
	free(x);
	o->wanted = true;
	pthread_cond_broadcast(&o->more);
}

/* ---- outcomes ---- */

struct settling {
	struct outbox *o;
	struct flight *x;
};

/* Whatever the store says: what was not written down waits as before. */
static void
written(void *arg, enum rc rc, const struct err *e)
{
	struct settling *s = arg;

	if (rc != RC_OK && e->code != CHY_STORE_STATE) /* an officer dropped it meanwhile */
		LOG(WARNING, "outbox.outcome-not-written", LI("delivery", s->x->row.id), LE(e));
	pthread_mutex_lock(&s->o->lock);
	land(s->o, s->x);
	pthread_mutex_unlock(&s->o->lock);
	free(s);
}

/* What another try may mend, at the destination or with what is set up for it; the rest is the object's, or the rule's. */
static bool
is_passing(enum code code)
{
	switch (code) {
	case CHY_DELIVERY_UNREACHED:
	case CHY_DELIVERY_UNTRUSTED:
	case CHY_DELIVERY_LOGIN:
	case CHY_DELIVERY_LATER:
	case CHY_DELIVERY_SECRET:
	case CHY_DELIVERY_FOLDER:
	case CHY_DISTRIBUTOR_AWAY:
	case CHY_DISTRIBUTOR_BUSY:
	case CHY_NO_MEMORY:
	case CHY_SYSTEM:
		return true;
	default:
		return false;
	}
}

static enum rc
ends(struct outbox *o, struct change *c, const struct flight *x, const char *to, const struct err *why,
     struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LEAF_ARENA);
	const char *text = "";

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "an outcome");
	if (why->code != CHY_NONE)
		text = arena_printf(a, "CHY-%d %s", (int)why->code, why->text);
	change_outbox_end(c, x->row.id, BYTES("waiting"), bytes_str(to), bytes_str(text), clock_now_ms());
	if (why->code == CHY_NONE)
		change_add_counter(c, "deliveries.done", 1);
	return delivery_leaf(o->f, a, c, &x->row, to, why, NULL, e);
}

static void
comes_later(struct change *c, const struct flight *x, const struct err *why, int64_t next_at)
{
	char text[ERR_TEXT_MAX + 16];

	snprintf(text, sizeof(text), "CHY-%d %s", (int)why->code, why->text);
	change_outbox_later(c, x->row.id, next_at, bytes_str(text), clock_now_ms());
}

/* The change that an outcome comes to. With the lock held for the destination's state. */
static enum rc
conclude(struct outbox *o, struct change *c, const struct flight *x, const struct err *why, struct err *e)
{
	struct destination_state *s = place_of(o, x->row.destination);
	bool over = why->code == CHY_PUBLICATION_STATE || why->code == CHY_PUBLICATION_EXPIRED ||
	    why->code == CHY_DELIVERY_OVERTAKEN;

	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "a destination");
	if (why->code == CHY_NONE) {
		is_well(s);
		return ends(o, c, x, "done", why, e);
	}
	if (over)
		return ends(o, c, x, "dropped", why, e);
	if (!is_passing(why->code)) {
		is_well(s); /* it has answered */
		return ends(o, c, x, "dead", why, e);
	}
	rests(o, s, why);
	if (clock_now_ms() >= x->give_up_at) {
		struct err given_up = { 0 };

		(void)!err_set(&given_up, CHY_DELIVERY_GIVEN_UP, NULL, "%s", why->text);
		return ends(o, c, x, "dead", &given_up, e);
	}
	comes_later(c, x, why, s->until_ms);
	return RC_OK;
}

/* With the lock held; x stays in the table until its outcome is written. */
static void
settle(struct outbox *o, struct flight *x, const struct err *why)
{
	struct settling *s = malloc(sizeof(*s));
	struct change *c = change_new();
	struct err e = { 0 };
	enum rc rc = s && c ? conclude(o, c, x, why, &e) : err_set(&e, CHY_NO_MEMORY, NULL, "an outcome");

	x->settled = true;
	if (rc == RC_OK) {
		*s = (struct settling){ o, x };
		FAULT("outbox.before-outcome");
		rc = store_submit(o->f->store, c, written, s, &e);
		if (rc == RC_OK)
			return;
	}
	LOG(WARNING, "outbox.outcome-not-written", LI("delivery", x->row.id), LE(&e));
	change_free(c);
	free(s);
	land(o, x); /* it waits as before */
}

static void
delivered(void *arg, int64_t id, const struct err *why)
{
	struct outbox *o = arg;
	struct flight *x;

	if (why->code != CHY_NONE)
		LOG(INFO, "outbox.not-delivered", LI("delivery", id), LE(why));
	pthread_mutex_lock(&o->lock);
	x = flight_of(o, id);
	if (x != NULL && !x->settled)
		settle(o, x, why);
	pthread_mutex_unlock(&o->lock);
}

/* Each that was on its way counts one failure: should one of them be what the distributor dies of, it comes ever more seldom. */
static void
lost(void *arg)
{
	struct outbox *o = arg;
	struct err why = { 0 };

	(void)!err_set(&why, CHY_DISTRIBUTOR_AWAY, NULL, "the distributor ended");
	LOG(WARNING, "outbox.distributor-lost");
	pthread_mutex_lock(&o->lock);
	for (size_t i = 0; i < o->flights_n; i++) {
		struct flight *x = o->flights[i];
		struct change *c = change_new();
		struct settling *s = malloc(sizeof(*s));
		int64_t ms = REST_FIRST_MS;

		if (x->settled || c == NULL || s == NULL) {
			change_free(c);
			free(s);
			continue;
		}
		for (int64_t k = 0; k < x->row.attempts && ms < o->longest_ms; k++)
			ms *= 2;
		x->settled = true;
		*s = (struct settling){ o, x };
		comes_later(c, x, &why, clock_now_ms() + (ms < o->longest_ms ? ms : o->longest_ms));
		if (store_submit(o->f->store, c, written, s, NULL) != RC_OK) {
			change_free(c);
			free(s);
			land(o, x);
			i--;
		}
	}
	pthread_mutex_unlock(&o->lock);
}

/* ---- handing out ---- */

static int64_t
give_up_at(const struct document *rule, int64_t since)
{
	struct duration d;

	if (duration_parse(body_text(rule->body, "give_up_after"), &d, NULL) != RC_OK)
		return INT64_MAX;
	return duration_add(since, d);
}

/* It is in the table before it is sent: the answer may be faster than we are. */
static struct flight *
take_off(struct outbox *o, const struct outbox_row *row, const struct document *rule)
{
	struct flight *x = calloc(1, sizeof(*x));
	struct destination_state *s;

	if (x == NULL)
		return NULL;
	x->row = *row;
	snprintf(x->kind, sizeof(x->kind), "%.*s", BYTES_FMT(row->kind));
	snprintf(x->form, sizeof(x->form), "%.*s", BYTES_FMT(row->form));
	x->row.kind = bytes_str(x->kind);
	x->row.form = bytes_str(x->form);
	x->row.state = x->row.error = BYTES_NONE;
	x->give_up_at = give_up_at(rule, row->since);
	pthread_mutex_lock(&o->lock);
	s = place_of(o, row->destination);
	if (s == NULL || flight_of(o, row->id) != NULL || o->flights_n == FLIGHTS_MAX) {
		pthread_mutex_unlock(&o->lock);
		free(x);
		return NULL;
	}
	o->flights[o->flights_n++] = x;
	s->on_the_way++;
	pthread_mutex_unlock(&o->lock);
	return x;
}

/* The store or the distributor is away: it says nothing of the delivery, which waits as before. */
static bool
is_not_tried(enum code code)
{
	return code == CHY_DISTRIBUTOR_AWAY || code == CHY_STORE_DOWN || code == CHY_STORE_BUSY;
}

static void
hand_out(struct outbox *o, const struct snapshot *policy, const struct outbox_row *row,
	 const struct document *rule)
{
	OWN(arena_free)
	struct arena *a = arena_new(LOAD_ARENA);
	struct flight *x = a ? take_off(o, row, rule) : NULL;
	struct err e = { 0 };
	struct delivery d;
	enum rc rc;

	if (x == NULL)
		return;
	rc = delivery_load(o->f, a, policy, row, &d, &e);
	FAULT("outbox.before-send");
	if (rc == RC_OK)
		rc = distributor_send(o->link, &d, &e);
	FAULT("outbox.after-send");
	if (rc == RC_OK)
		return;
	pthread_mutex_lock(&o->lock);
	x = flight_of(o, row->id);
	if (x != NULL && !x->settled && is_not_tried(e.code))
		land(o, x);
	else if (x != NULL && !x->settled)
		settle(o, x, &e);
	pthread_mutex_unlock(&o->lock);
}

/* How many more it may get now: one only, where the last attempt failed. */
static size_t
room_for(struct outbox *o, int64_t destination)
{
	size_t room = 0, most;
	struct destination_state *s;

	pthread_mutex_lock(&o->lock);
	s = place_of(o, destination);
	if (s != NULL && !is_resting(o, s, clock_now_ms())) {
		most = s->failures > 0 ? 1 : LANE_FLIGHTS;
		room = s->on_the_way < most ? most - s->on_the_way : 0;
	}
	if (room > FLIGHTS_MAX - o->flights_n)
		room = FLIGHTS_MAX - o->flights_n;
	pthread_mutex_unlock(&o->lock);
	return room;
}

static size_t
note_flights(struct outbox *o, int64_t ids[FLIGHTS_MAX])
{
	size_t n;

	pthread_mutex_lock(&o->lock);
	for (n = 0; n < o->flights_n; n++)
		ids[n] = o->flights[n]->row.id;
	pthread_mutex_unlock(&o->lock);
	return n;
}

/* What is on its way is found again as due; so more are read than there is room for. Which those are is asked before: what lands
   while they are read is found as it was, and is not to fly again. */
static enum rc
serve_destination(struct outbox *o, const struct snapshot *policy, const struct document *rule, struct err *e)
{
	OWN(arena_free)
	struct arena *a = NULL;
	size_t room = room_for(o, rule->id.v), n, flying;
	int64_t flights[FLIGHTS_MAX];
	struct outbox_row *rows;

	if (room == 0)
		return RC_OK;
	NEED((a = arena_new(1 << 20)) != NULL, e, CHY_NO_MEMORY, NULL, "the outbox");
	flying = note_flights(o, flights);
	TRY(store_outbox_due(o->f->store, a, rule->id.v, clock_now_ms(), (size_t)2 * LANE_FLIGHTS, &rows, &n,
			     e));
	FAULT("outbox.due");
	for (size_t i = 0; i < n && room > 0; i++)
		if (!id_is_among(flights, flying, rows[i].id)) {
			hand_out(o, policy, &rows[i], rule);
			room--;
		}
	return RC_OK;
}

/* Rules that are closed keep what waits for them until they are open again, or an officer drops it. */
static enum rc
one_round(struct outbox *o, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct document *const *rules;
	bool any;
	size_t n;

	if (!distributor_is_there(o->link))
		return RC_OK;
	TRY(store_outbox_any(o->f->store, &any, e));
	if (!any)
		return RC_OK;
	policy = factory_policy(o->f);
	n = snapshot_list(policy, KIND_DISTRIBUTION_RULE, &rules);
	for (size_t i = 0; i < n; i++)
		if (rules[i]->active)
			TRY(serve_destination(o, policy, rules[i], e));
	return RC_OK;
}

/* False: stop. */
static bool
wait_for_work(struct outbox *o)
{
	struct timespec until;
	bool go_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += BEAT_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_mutex_lock(&o->lock);
	while (!o->stop && !o->wanted && pthread_cond_timedwait(&o->more, &o->lock, &until) == 0)
		;
	o->wanted = false;
	go_on = !o->stop;
	pthread_mutex_unlock(&o->lock);
	return go_on;
}

static void *
outbox_main(void *arg)
{
	struct outbox *o = arg;
	enum code last = CHY_NONE;

	pthread_setname_np(pthread_self(), "outbox");
	do {
		struct err e = { 0 };

		if (one_round(o, &e) != RC_OK && e.code != last) /* the same trouble is told once */
			LOG(WARNING, "outbox.failed", LE(&e));
		last = e.code;
	} while (wait_for_work(o));
	return NULL;
}

/* ---- from outside ---- */

enum rc
outbox_start(struct factory *f, int64_t longest_ms, struct outbox **ret, struct err *e)
{
	struct outbox *o = calloc(1, sizeof(*o));
	struct distributor_calls calls = { delivered, lost, o };
	pthread_condattr_t attr;

	NEED(o != NULL, e, CHY_NO_MEMORY, NULL, "the outbox");
	o->f = f;
	o->longest_ms = longest_ms;
	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&o->more, &attr);
	pthread_condattr_destroy(&attr);
	if (distributor_link_new(&calls, &o->link, e) != RC_OK) {
		outbox_stop(o);
		return e->rc;
	}
	if (pthread_create(&o->thread, NULL, outbox_main, o) != 0) {
		outbox_stop(o);
		FAIL(e, CHY_SYSTEM, NULL, "a thread for the outbox");
	}
	o->running = true;
	*ret = o;
	return RC_OK;
}

static void
wait_for_landings(struct outbox *o)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LAST_WAIT_MS / 1000;
	pthread_mutex_lock(&o->lock);
	while (o->flights_n > 0 && pthread_cond_timedwait(&o->more, &o->lock, &until) == 0)
		;
	pthread_mutex_unlock(&o->lock);
}

/* The store answers for each, in the end. */
static void
wait_for_writing(struct outbox *o)
{
	bool any = true;

	pthread_mutex_lock(&o->lock);
	while (any) {
		any = false;
		for (size_t i = 0; i < o->flights_n; i++)
			any = any || o->flights[i]->settled;
		if (any)
			pthread_cond_wait(&o->more, &o->lock);
	}
	pthread_mutex_unlock(&o->lock);
}

void
outbox_stop(struct outbox *o)
{
	if (o == NULL)
		return;
	pthread_mutex_lock(&o->lock);
	o->stop = true;
	pthread_cond_broadcast(&o->more);
	pthread_mutex_unlock(&o->lock);
	if (o->running) {
		pthread_join(o->thread, NULL);
		wait_for_landings(o);
	}
	distributor_link_free(o->link);
	wait_for_writing(o);
	for (size_t i = 0; i < o->flights_n; i++)
		free(o->flights[i]);
	pthread_cond_destroy(&o->more);
	pthread_mutex_destroy(&o->lock);
	free(o->places);
	free(o);
}

void
outbox_attach(struct outbox *o, int fd)
{
	distributor_attach(o->link, fd);
	outbox_wake(o, 0);
}

void
outbox_wake(struct outbox *o, int64_t destination)
{
	if (o == NULL)
		return;
	pthread_mutex_lock(&o->lock);
	for (size_t i = 0; i < o->places_n; i++)
		if (o->places[i].destination == destination)
			o->places[i].s.until_ms = 0;
	o->wanted = true;
	pthread_cond_broadcast(&o->more);
	pthread_mutex_unlock(&o->lock);
}

void
outbox_destination(struct outbox *o, int64_t destination, struct destination_state *ret)
{
	*ret = (struct destination_state){ 0 };
	if (o == NULL)
		return;
	pthread_mutex_lock(&o->lock);
	for (size_t i = 0; i < o->places_n; i++)
		if (o->places[i].destination == destination)
			*ret = o->places[i].s;
	pthread_mutex_unlock(&o->lock);
	ret->resting = ret->until_ms > clock_now_ms();
}

bool
outbox_has_distributor(struct outbox *o)
{
	return o != NULL && distributor_is_there(o->link);
}
