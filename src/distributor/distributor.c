#include "base/base.h"
#include "distributor/distributor.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/file.h"
#include "base/frame.h"
#include "distributor/lane.h"

enum { READ_OCTETS = 256 << 10, IDLE_SECONDS = 30, JOB_ARENA = 4 * LIMIT_DELIVERY, ROOTS_MAX = 4 << 20 };

static struct bytes system_roots; /* set once, by distributor_init */

struct waiting {
	struct waiting *next;
	int64_t id;
	struct buf blob; /* the delivery as it came */
};

struct lane {
	struct engine *all;
	int64_t destination; /* 0: free */
	struct waiting *first, **last;
	pthread_cond_t more;
	/* of the lane's own thread */
	int64_t version;
	const struct protocol *protocol;
	void *state;
};

struct engine {
	const struct outside *outside;
	int fd;
	pthread_mutex_t lock; /* of the lanes' queues */
	pthread_mutex_t answering;
	struct lane lanes[LANES_MAX];
};

/* ---- answers ---- */

static void
answer(struct engine *x, int64_t id, const struct err *e)
{
	OWN_BUF struct buf payload = buf_max(4096), out = buf_max(8192);

	outcome_put(&payload, e);
	frame_put(&out, (struct frame){ DELIVERY_OUTCOME, (uint64_t)id, buf_bytes(&payload) });
	pthread_mutex_lock(&x->answering);
	if (fd_write_all(x->fd, buf_bytes(&out), NULL) != RC_OK)
		shutdown(x->fd, SHUT_RDWR); /* the factory is gone, and so are we */
	pthread_mutex_unlock(&x->answering);
}

/* ---- one delivery ---- */

static const struct protocol *
protocol_of(struct bytes name)
{
	static const struct protocol *const all[] = { &protocol_http, &protocol_file, &protocol_ldap,
						      &protocol_mail };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (bytes_is(name, all[i]->name))
			return all[i];
	return NULL;
}

static void
leave_connection(struct lane *l)
{
	if (l->protocol != NULL && l->protocol->end != NULL)
		l->protocol->end(l->state);
	l->protocol = NULL;
	l->state = NULL;
}

/* Another version of the rule, or another protocol, begins with a connection of its own; so does what follows a failure. */
static enum rc
carry_out(struct lane *l, struct job *j, struct err *e)
{
	const struct protocol *p;
	enum rc rc;

	TRY(job_read(j, e));
	p = protocol_of(rule_text(j, "protocol"));
	NEED(p != NULL, e, CHY_DELIVERY_RULE, NULL, "no such protocol");
	if (l->protocol != p || l->version != j->d.version)
		leave_connection(l);
	l->protocol = p;
	l->version = j->d.version;
	rc = p->deliver(j, &l->state, e);
	if (rc != RC_OK)
		leave_connection(l);
	return rc;
}

static void
deliver(struct lane *l, struct waiting *w)
{
	OWN(arena_free)
	struct arena *a = arena_new(JOB_ARENA);
	struct job j = { .a = a, .outside = l->all->outside };
	struct err e = { 0 };
	enum rc rc = a ? delivery_get(buf_bytes(&w->blob), &j.d, &e)
		       : err_set(&e, CHY_NO_MEMORY, NULL, "a delivery");

	FAULT("distributor.before-delivery");
	j.d.id = w->id;
	if (rc == RC_OK)
		rc = carry_out(l, &j, &e);
	FAULT("distributor.after-delivery");
	LOG(DEBUG, "distributor.delivered", LI("delivery", w->id), LI("destination", l->destination), LE(&e));
	answer(l->all, w->id, &e);
}

/* ---- lanes ---- */

static void
waiting_free(struct waiting *w)
{
	buf_fini(&w->blob);
	free(w);
}

/* With the lock held: the next one, or NULL after an idle while, when the lane is free again. */
static struct waiting *
next_of(struct lane *l)
{
	struct waiting *w;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += IDLE_SECONDS;
	while (l->first == NULL)
		if (pthread_cond_timedwait(&l->more, &l->all->lock, &until) == ETIMEDOUT && l->first == NULL)
			break;
	w = l->first;
	if (w != NULL && (l->first = w->next) == NULL)
		l->last = &l->first;
	return w;
}

static void *
lane_main(void *arg)
{
	struct lane *l = arg;
	struct waiting *w;

	pthread_setname_np(pthread_self(), "lane");
	pthread_mutex_lock(&l->all->lock);
	while ((w = next_of(l)) != NULL) {
		pthread_mutex_unlock(&l->all->lock);
		deliver(l, w);
		waiting_free(w);
		pthread_mutex_lock(&l->all->lock);
	}
	leave_connection(l);
	l->destination = 0;
	pthread_mutex_unlock(&l->all->lock);
	return NULL;
}

/* With the lock held. NULL: all lanes are taken. */
static struct lane *
lane_for(struct engine *x, int64_t destination)
{
	struct lane *empty = NULL;
	pthread_t thread;

	for (size_t i = 0; i < LANES_MAX; i++) {
		if (x->lanes[i].destination == destination)
			return &x->lanes[i];
		if (x->lanes[i].destination == 0 && empty == NULL)
			empty = &x->lanes[i];
	}
	if (empty == NULL)
		return NULL;
	empty->destination = destination;
	empty->first = NULL;
	empty->last = &empty->first;
	if (pthread_create(&thread, NULL, lane_main, empty) != 0) {
		empty->destination = 0;
		return NULL;
	}
	pthread_detach(thread);
	return empty;
}

static enum rc
enqueue(struct engine *x, struct waiting *w, struct err *e)
{
	struct delivery d;
	struct lane *l;

	TRY(delivery_get(buf_bytes(&w->blob), &d, e));
	pthread_mutex_lock(&x->lock);
	l = lane_for(x, d.destination);
	if (l != NULL) {
		*l->last = w;
		l->last = &w->next;
		pthread_cond_signal(&l->more);
	}
	pthread_mutex_unlock(&x->lock);
	if (l == NULL) {
		struct err busy = { 0 };

		(void)!err_set(&busy, CHY_DISTRIBUTOR_BUSY, NULL, "%d destinations", LANES_MAX);
		answer(x, w->id, &busy);
		waiting_free(w);
	}
	return RC_OK;
}

/* ---- the socket ---- */

/* The pieces of one delivery follow each other. */
static enum rc
take_frame(struct engine *x, struct waiting **building, const struct frame *f, struct err *e)
{
	struct waiting *w = *building;
	enum rc rc;

	NEED((f->type == DELIVERY_PART || f->type == DELIVERY_LAST) && f->id != 0 &&
		 (w == NULL || w->id == (int64_t)f->id),
	     e, CHY_DISTRIBUTOR_MESSAGE, NULL, "a message of type %u", f->type);
	if (w == NULL) {
		w = *building = calloc(1, sizeof(*w));
		NEED(w != NULL, e, CHY_NO_MEMORY, NULL, "a delivery");
		w->id = (int64_t)f->id;
		w->blob = buf_max(LIMIT_DELIVERY);
	}
	buf_put(&w->blob, f->payload);
	NEED(buf_ok(&w->blob), e, CHY_NO_MEMORY, NULL, "a delivery");
	if (f->type == DELIVERY_PART)
		return RC_OK;
	*building = NULL;
	rc = enqueue(x, w, e);
	if (rc != RC_OK)
		waiting_free(w);
	return rc;
}

static enum rc
take_all(struct engine *x, struct waiting **building, struct buf *in, struct err *e)
{
	struct bytes rest = buf_bytes(in);
	struct frame f;
	bool whole = true;

	for (;;) {
		TRY(frame_take(&rest, &f, &whole, e));
		if (!whole)
			break;
		TRY(take_frame(x, building, &f, e));
	}
	buf_drop(in, in->n - rest.n);
	return RC_OK;
}

static enum rc
read_socket(struct engine *x, struct err *e)
{
	OWN_BUF struct buf in = buf_max(2 * LIMIT_FRAME + READ_OCTETS);
	struct waiting *building = NULL;
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		uint8_t *room = buf_room(&in, READ_OCTETS);
		ssize_t n = room ? recv(x->fd, room, READ_OCTETS, 0) : -1;

		if (n < 0 && room != NULL && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		in.n += (size_t)n;
		rc = take_all(x, &building, &in, e);
	}
	if (building != NULL)
		waiting_free(building);
	return rc;
}

enum rc
distributor_run(const struct distributor_options *o, int fd, struct err *e)
{
	static struct engine x; /* lanes may still be at it when the process ends */
	static struct outside outside;

	outside = (struct outside){ o->secrets, o->folders, system_roots };
	x.outside = &outside;
	x.fd = fd;
	pthread_mutex_init(&x.lock, NULL);
	pthread_mutex_init(&x.answering, NULL);
	for (size_t i = 0; i < LANES_MAX; i++) {
		x.lanes[i] = (struct lane){ .all = &x };
		pthread_cond_init(&x.lanes[i].more, NULL);
	}
	return read_socket(&x, e);
}

enum rc
distributor_init(struct err *e)
{
	static const char path[] = "/etc/ssl/certs/ca-certificates.crt";
	struct arena *a = arena_new(ROOTS_MAX + 4096); /* for as long as the process lives */

	setenv("LDAPNOINIT", "1", 1); /* the rules say all, and no file of the user's anything */
	NEED(a != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, e, CHY_NO_MEMORY, NULL,
	     "the distributor");
	if (file_read(a, path, ROOTS_MAX, &system_roots, NULL) != RC_OK)
		system_roots = BYTES("\n"); /* nobody is trusted but whom a rule names */
	return RC_OK;
}
