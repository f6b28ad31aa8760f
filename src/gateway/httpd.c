/* Threads, listeners and the way of new connections and finished calls to the threads that own them. */
#include "base/base.h"
#include "gateway/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

__thread struct loop *this_loop;

enum { ACCEPTS_AT_ONCE = 16 };

/* The inbox of a thread. */

void
loop_post(struct loop *l, struct post *p)
{
	bool was_empty;

	p->next = NULL;
	pthread_mutex_lock(&l->lock);
	was_empty = l->first == NULL;
	*l->last = p;
	l->last = &p->next;
	pthread_mutex_unlock(&l->lock);
	if (was_empty)
		(void)!eventfd_write(l->wake_fd, 1);
}

static struct post *
inbox_take(struct loop *l)
{
	struct post *list;

	pthread_mutex_lock(&l->lock);
	list = l->first;
	l->first = NULL;
	l->last = &l->first;
	pthread_mutex_unlock(&l->lock);
	return list;
}

static void
inbox_one(struct post *p)
{
	switch (p->kind) {
	case POST_CONN:
		conn_begin(conn_of_post(p));
		break;
	case POST_SHAKEN:
		conn_shaken(conn_of_post(p));
		break;
	case POST_ANSWERED:
		conn_answered((struct call *)(void *)p);
		break;
	case POST_STREAM:
		conn_streamed((struct call *)(void *)p);
		break;
	}
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	eventfd_t n;

	(void)!eventfd_read(fd, &n); /* before taking: what is put from now on wakes us again */
	l->now_us = clock_mono_us();
	for (struct post *p = inbox_take(l), *next; p != NULL; p = next) {
		next = p->next;
		inbox_one(p);
	}
}

static void
on_after(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	void (*fn)(void *) = l->after_fn;

	l->after_fn = NULL;
	fn(l->after_arg);
}

/* libevent runs what is activated while it runs behind what was active before. */
void
http_after_round(void (*fn)(void *arg), void *arg)
{
	struct loop *l = this_loop;

	if (l->after_fn != NULL)
		return;
	l->after_fn = fn;
	l->after_arg = arg;
	event_active(&l->after, EV_TIMEOUT, 0);
}

/* Listeners. */

static struct loop *
least_loaded(struct httpd *h)
{
	struct loop *best = &h->loops[0];

	for (unsigned i = 1; i < h->o.threads; i++)
		if (atomic_load(&h->loops[i].nconns) < atomic_load(&best->nconns))
			best = &h->loops[i];
	return best;
}

static void
remote_text(const struct sockaddr_storage *from, char *dst, size_t n)
{
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;

	snprintf(dst, n, "?");
	if (from->ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, dst, (socklen_t)n);
	else if (from->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], dst, (socklen_t)n);
	else if (from->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, dst, (socklen_t)n);
}

/* A connection over the limit is answered with 503, one far over it is closed unheard. */
static void
take_connection(struct httpd *h, const struct listener *on, int fd, const struct sockaddr_storage *from)
{
	size_t n = atomic_fetch_add(&h->nconns, 1);
	struct conn *c = NULL;
	char remote[48];

	remote_text(from, remote, sizeof(remote));
	if (n < h->o.connections_max + h->o.connections_max / 8 + 8)
		c = conn_new(h, fd, on->tls, remote);
	if (c == NULL) {
		atomic_fetch_sub(&h->nconns, 1);
		close(fd);
		return;
	}
	c->overflow = n >= h->o.connections_max;
	c->loop = least_loaded(h);
	atomic_fetch_add(&c->loop->nconns, 1);
	if (c->loop == this_loop)
		conn_begin(c);
	else
		loop_post(c->loop, &c->post);
}

static const struct listener *
listener_of(const struct httpd *h, int fd)
{
	for (size_t i = 0; i < h->nlisteners; i++)
		if (h->listeners[i].fd == fd)
			return &h->listeners[i];
	return NULL;
}

static void
listen_stop(struct loop *l)
{
	for (size_t i = 0; i < l->h->nlisteners && l->accepting; i++)
		event_del(&l->accept[i]);
	l->accepting = false;
}

static void
listen_go(struct loop *l)
{
	for (size_t i = 0; i < l->h->nlisteners && !l->accepting; i++)
		event_add(&l->accept[i], NULL);
	l->accepting = true;
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	l->now_us = clock_mono_us();
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t n = sizeof(from);
		int c = accept4(fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (c >= 0) {
			take_connection(l->h, listener_of(l->h, fd), c, &from);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			listen_stop(l); /* the next tick tries again; to be woken at once would spin */
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

/* "host:port", "[v6]:port", "*:port" */
static bool
address_split(const char *address, char *host, size_t host_max, const char **port)
{
	const char *colon = strrchr(address, ':');
	struct bytes h = colon ? bytes_of(address, (size_t)(colon - address)) : BYTES_NONE;

	if (colon == NULL || h.n == 0 || h.n >= host_max || colon[1] == 0)
		return false;
	if (h.p[0] == '[') {
		if (h.p[h.n - 1] != ']' || h.n < 3)
			return false;
		h = bytes_part(h, 1, h.n - 2);
	} else if (memchr(h.p, ':', h.n) != NULL) {
		return false;
	}
	snprintf(host, host_max, "%.*s", BYTES_FMT(h));
	*port = colon + 1;
	return true;
}

static int
open_socket(const struct addrinfo *ai)
{
	int on = 1, off = 0;
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, 4096) == 0)
		return fd;
	close(fd);
	return -1;
}

enum rc
httpd_listen(struct httpd *h, const char *address, SSL_CTX *tls, struct err *e)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM },
			*found = NULL;
	char host[256];
	const char *port;
	int fd = -1, r;

	NEED(address_split(address, host, sizeof(host), &port), e, CHY_LISTEN_ADDRESS, NULL,
	     "%s is not of the form address:port", address);
	r = getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, port, &hints, &found);
	NEED(r == 0, e, CHY_LISTEN_ADDRESS, NULL, "%s: %s", address, gai_strerror(r));
	for (const struct addrinfo *ai = found; ai != NULL && fd < 0; ai = ai->ai_next)
		fd = open_socket(ai);
	r = errno;
	freeaddrinfo(found);
	NEED(fd >= 0, e, CHY_LISTEN, NULL, "%s: %s", address, strerror(r));
	return httpd_listen_fd(h, fd, tls, e);
}

static unsigned
port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = { 0 };
	socklen_t n = sizeof(at);

	if (getsockname(fd, &at.any, &n) != 0)
		return 0;
	return at.any.sa_family == AF_INET ? ntohs(at.v4.sin_port)
	    : at.any.sa_family == AF_INET6 ? ntohs(at.v6.sin6_port)
					   : 0;
}

enum rc
httpd_listen_fd(struct httpd *h, int fd, SSL_CTX *tls, struct err *e)
{
	int on = 1;

	if (h->nlisteners == LISTENERS_MAX) {
		close(fd);
		FAIL(e, CHY_LISTEN, NULL, "more than %d listeners", LISTENERS_MAX);
	}
	evutil_make_socket_nonblocking(fd);
	/* Inherited by what is accepted. Without it an answer in two segments waits 40 ms for the client's delayed
	   acknowledgement. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (tls != NULL)
		SSL_CTX_up_ref(tls);
	h->listeners[h->nlisteners++] = (struct listener){ fd, port_of(fd), tls };
	return RC_OK;
}

unsigned
httpd_port(const struct httpd *h, size_t n)
{
	return n < h->nlisteners ? h->listeners[n].port : 0;
}

/* Threads. */

static void
loop_finish(struct loop *l)
{
	for (struct conn *c = l->conns, *next; c != NULL; c = next) {
		next = c->next;
		conn_close(c);
	}
	event_base_loopbreak(l->base);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	l->now_us = clock_mono_us();
	if (atomic_load(&l->h->draining))
		listen_stop(l);
	else if (!l->accepting)
		listen_go(l);
	for (struct conn *c = l->conns, *next; c != NULL; c = next) {
		next = c->next;
		conn_tick(c, l->now_us);
	}
	if (atomic_load(&l->h->ending) && atomic_load(&l->h->ncalls) == 0 &&
	    atomic_load(&l->h->nshaking) == 0)
		loop_finish(l);
}

static void *
loop_main(void *arg)
{
	struct loop *l = arg;

	pthread_setname_np(pthread_self(), "http-events");
	this_loop = l;
	event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static void *
worker_main(void *arg)
{
	struct httpd *h = arg;

	pthread_setname_np(pthread_self(), "http-worker");
	for (;;) {
		struct mq_item *job = mq_take(&h->jobs, 1, -1);

		if (job == NULL)
			return NULL;
		call_run_job(job);
	}
}

static void *
shaker_main(void *arg)
{
	struct httpd *h = arg;

	for (;;) {
		struct mq_item *item = mq_take(&h->shakes, 1, -1);

		if (item == NULL)
			return NULL;
		conn_shake(item);
	}
}

static enum rc
loop_init(struct loop *l, struct httpd *h, struct err *e)
{
	struct event_config *cfg = event_config_new();

	l->h = h;
	l->last = &l->first;
	pthread_mutex_init(&l->lock, NULL);
	/* each base is its own thread's: no locks in libevent, and a timer that need not be exact */
	if (cfg != NULL) {
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
		l->base = event_base_new_with_config(cfg);
		event_config_free(cfg);
	}
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	NEED(l->base != NULL && l->wake_fd >= 0, e, CHY_SYSTEM, NULL, "no event loop: %s", strerror(errno));
	return RC_OK;
}

static void
defaults(struct httpd_options *o)
{
	o->threads = o->threads == 0 ? 2 : o->threads > 64 ? 64 : o->threads;
	o->workers = o->workers == 0 ? 2 : o->workers > 64 ? 64 : o->workers;
	o->connections_max = o->connections_max ? o->connections_max : LIMIT_CONNECTIONS;
	o->queue_max = o->queue_max ? o->queue_max : 1024;
	o->body_seconds = o->body_seconds ? o->body_seconds : LIMIT_BODY_SECONDS;
	o->idle_seconds = o->idle_seconds ? o->idle_seconds : 75;
	o->headers_max = o->headers_max ? o->headers_max : LIMIT_HEADERS;
}

enum rc
httpd_new(const struct httpd_options *o, const struct http_app *app, struct httpd **ret, struct err *e)
{
	struct httpd *h = calloc(1, sizeof(*h));

	NEED(h != NULL, e, CHY_NO_MEMORY, NULL, "no memory for the HTTP server");
	h->o = *o;
	defaults(&h->o);
	h->app = *app;
	atomic_store(&h->numbers, (uint64_t)clock_now_ms() * 1000);
	mq_init(&h->jobs, h->o.queue_max);
	mq_init(&h->shakes, h->o.connections_max * 2);
	h->loops = calloc(h->o.threads, sizeof(*h->loops));
	h->workers = calloc(h->o.workers, sizeof(*h->workers));
	if (h->loops == NULL || h->workers == NULL) {
		httpd_free(h);
		FAIL(e, CHY_NO_MEMORY, NULL, "no memory for the HTTP server");
	}
	for (unsigned i = 0; i < h->o.threads; i++)
		h->loops[i].wake_fd = -1;
	for (unsigned i = 0; i < h->o.threads; i++) {
		enum rc rc = loop_init(&h->loops[i], h, e);

		if (rc != RC_OK) {
			httpd_free(h);
			return rc;
		}
	}
	*ret = h;
	return RC_OK;
}

static bool
loop_start(struct loop *l)
{
	struct timeval tick = { 0, CONN_TICK_MS * 1000 };

	event_assign(&l->wake, l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
	event_add(&l->wake, NULL);
	event_assign(&l->after, l->base, -1, 0, on_after, l);
	event_assign(&l->tick, l->base, -1, EV_PERSIST, on_tick, l);
	event_add(&l->tick, &tick);
	for (size_t i = 0; i < l->h->nlisteners; i++)
		event_assign(&l->accept[i], l->base, l->h->listeners[i].fd, EV_READ | EV_PERSIST, on_accept,
			     l);
	listen_go(l);
	l->started = pthread_create(&l->thread, NULL, loop_main, l) == 0;
	return l->started;
}

enum rc
httpd_start(struct httpd *h, struct err *e)
{
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write(2) */
	for (; h->nworkers < h->o.workers; h->nworkers++)
		NEED(pthread_create(&h->workers[h->nworkers], NULL, worker_main, h) == 0, e, CHY_SYSTEM, NULL,
		     "no thread for a worker");
	for (; h->nshakers < SHAKERS; h->nshakers++)
		NEED(pthread_create(&h->shakers[h->nshakers], NULL, shaker_main, h) == 0, e, CHY_SYSTEM, NULL,
		     "no thread for TLS handshakes");
	for (unsigned i = 0; i < h->o.threads; i++)
		NEED(loop_start(&h->loops[i]), e, CHY_SYSTEM, NULL, "no thread for an event loop");
	return RC_OK;
}

static bool
all_gone(struct httpd *h, bool calls_only, unsigned wait_ms)
{
	for (unsigned waited = 0;; waited += 10) {
		if (atomic_load(&h->ncalls) == 0 && (calls_only || atomic_load(&h->nconns) == 0))
			return true;
		if (waited >= wait_ms)
			return false;
		usleep(10000);
	}
}

bool
httpd_drain(struct httpd *h, unsigned wait_ms)
{
	bool ok;

	atomic_store(&h->draining, true);
	ok = all_gone(h, false, wait_ms);
	atomic_store(&h->killing, true);
	return ok || atomic_load(&h->ncalls) == 0;
}

static void
loop_fini(struct loop *l)
{
	if (l->started)
		pthread_join(l->thread, NULL);
	if (l->base != NULL) {
		for (struct post *p = inbox_take(l), *next; p != NULL; p = next) {
			next = p->next;
			conn_free(conn_of_post(p)); /* calls are all back: these are new connections */
		}
		event_base_free(l->base);
		pthread_mutex_destroy(&l->lock);
	}
	if (l->wake_fd >= 0)
		close(l->wake_fd);
}

void
httpd_free(struct httpd *h)
{
	if (h == NULL)
		return;
	atomic_store(&h->draining, true);
	atomic_store(&h->killing, true);
	atomic_store(&h->ending, true);
	for (unsigned i = 0; h->loops != NULL && i < h->o.threads; i++)
		loop_fini(&h->loops[i]);
	mq_close(&h->jobs);
	mq_close(&h->shakes);
	for (unsigned i = 0; i < h->nshakers; i++)
		pthread_join(h->shakers[i], NULL);
	for (unsigned i = 0; i < h->nworkers; i++)
		pthread_join(h->workers[i], NULL);
	for (size_t i = 0; i < h->nlisteners; i++) {
		close(h->listeners[i].fd);
		SSL_CTX_free(h->listeners[i].tls);
	}
	mq_fini(&h->jobs);
	mq_fini(&h->shakes);
	free(h->workers);
	free(h->loops);
	free(h);
}

size_t
httpd_connections(const struct httpd *h)
{
	return atomic_load(&h->nconns);
}

size_t
httpd_calls(const struct httpd *h)
{
	return atomic_load(&h->ncalls);
}
