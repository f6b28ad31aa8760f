/*
 * Inside of the HTTP server: what httpd.c (threads, listeners), conn.c (a connection's states), wire.c (reading and writing,
 * plain and TLS) and call.c (answers from any thread) share. Nobody else includes this.
 */
#ifndef GATEWAY_CONN_H
#define GATEWAY_CONN_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/mq.h"
#include "gateway/httpd.h"

enum {
	CONN_IN_FIRST = 4096,    /* first size of the input buffer */
	CONN_IN_KEEP = 16 << 10, /* a larger one is given back between requests */
	CONN_OUT_KEEP = 64 << 10,
	CONN_LINGER_MS = 3000, /* the client may go on sending so long after a refusal */
	CONN_HANDSHAKE_MS = 10000,
	CONN_TICK_MS = 250,
	STREAM_HIGH = 256 << 10, /* bytes of a streamed answer that wait for the client */
};

enum conn_state {
	CONN_HANDSHAKE,
	CONN_HEAD, /* waits for, or is in the middle of, a request's head */
	CONN_BODY,
	CONN_BUSY,   /* the call is with its handler */
	CONN_FLUSH,  /* the answer is being taken */
	CONN_LINGER, /* answered, reading on only so that the answer is not lost by a reset */
	CONN_CLOSED, /* only the call is still out */
};

/* What another thread leaves in an event thread's inbox. */
enum post_kind { POST_CONN, POST_SHAKEN, POST_ANSWERED, POST_STREAM };
struct post {
	struct post *next;
	enum post_kind kind;
};

struct listener {
	int fd;
	unsigned port;
	SSL_CTX *tls;
};

enum { LISTENERS_MAX = 8, SHAKERS = 4 };

struct loop {
	struct httpd *h;
	pthread_t thread;
	struct event_base *base;
	int wake_fd;
	struct event wake, tick, accept[LISTENERS_MAX];
	struct event after; /* of http_after_round: active behind all that has come */
	void (*after_fn)(void *arg);
	void *after_arg;
	bool accepting, started;
	pthread_mutex_t lock; /* of the inbox */
	struct post *first, **last;
	struct conn *conns;
	_Atomic unsigned nconns; /* also those on their way here */
	int64_t now_us;          /* of the current wake-up */
};

struct httpd {
	struct httpd_options o;
	struct http_app app;
	struct listener listeners[LISTENERS_MAX];
	size_t nlisteners;
	struct loop *loops;
	pthread_t *workers;
	unsigned nworkers;
	struct mq jobs;
	pthread_t shakers
	    [SHAKERS]; /* a handshake costs as much as thirty requests, and may wait for the key's owner */
	unsigned nshakers;
	struct mq shakes;
	_Atomic size_t nconns, ncalls, nshaking;
	_Atomic uint64_t numbers;
	_Atomic bool draining, killing, ending;
};

/* A growing array with a front: data are p[off..n). */
struct wire_buf {
	uint8_t *p;
	size_t off, n, cap;
};

enum wire { WIRE_OK, WIRE_WAIT, WIRE_END, WIRE_ERROR };

struct conn {
	struct mq_item shake;
	enum wire shaken; /* how the last step of the handshake ended */
	bool shaking;     /* with a shaker, who alone may touch it */
	struct post post; /* POST_CONN, POST_SHAKEN */
	struct conn *prev, *next;
	struct loop *loop;
	int fd;
	SSL *ssl;
	struct event ev_read, ev_write;
	enum conn_state state;
	bool reading, writing; /* events added */
	bool drained;          /* the last read emptied the socket */
	bool overflow;         /* over the limit of connections: 503, then close */
	bool close_after;
	bool dispatching; /* inside app->head or app->run of this connection on this thread */
	bool streaming;   /* the loop knows that the answer comes in pieces */
	bool tls_wants_write;
	bool wipes; /* what is or was in `out` may hold secrets */
	int64_t deadline_us;
	int64_t began_us; /* when the first byte of this request came; 0: none yet */
	struct wire_buf in;
	struct buf out;
	size_t out_off;
	struct bytes peer_cert; /* malloc'd */
	char remote[48];
	struct call *call;
	struct http_chunks chunks;
	size_t body_n; /* chunked: decoded so far */
};

/* Headers of an answer. */
struct extra {
	const char *name, *value;
};

struct call {
	struct post post; /* first: POST_ANSWERED, POST_STREAM */
	struct mq_item job;
	struct conn *conn;
	struct extra extras[HTTP_EXTRA_MAX];
	size_t nextras;
	int status;
	size_t sent;   /* bytes of the answer's body */
	bool answered; /* within app->head or app->run, on the connection's own thread */
	bool close;    /* the answer says that the connection ends */
	/* A streamed answer. */
	bool chunked, no_body;
	pthread_mutex_t lock;
	pthread_cond_t room;
	struct buf pieces; /* from the producer, not yet taken by the loop */
	size_t waiting;    /* bytes with the loop, not yet written */
	bool posted, ended, failed, gone;
	struct http_call pub; /* last, as are the large arrays in it */
};

static inline struct conn *
conn_of_post(struct post *p)
{
	return (struct conn *)(void *)((char *)p - offsetof(struct conn, post));
}

static inline struct call *
call_of(struct http_call *c)
{
	return (struct call *)(void *)((char *)c - offsetof(struct call, pub));
}

/* wire.c. All on the connection's own thread. */
/* Makes room and reads what is there, at most `most` more bytes. */
enum wire wire_read(struct conn *c, size_t most);
/* Writes what is in c->out. WIRE_OK: all of it. */
enum wire wire_write(struct conn *c);
enum wire wire_handshake(struct conn *c);
void wire_drop(struct wire_buf *b, size_t n);
/* Overwrites the first n bytes of the data, and what moved through the room behind it; the data must not be looked at any more. */
void wire_wipe(struct wire_buf *b, size_t n);
static inline struct bytes
wire_bytes(const struct wire_buf *b)
{
	return bytes_of(b->p + b->off, b->n - b->off);
}

/* conn.c */
struct conn *conn_new(struct httpd *h, int fd, SSL_CTX *tls, const char *remote);
/* On its own thread, once. */
void conn_begin(struct conn *c);
void conn_shake(struct mq_item *item); /* on a shaker */
void conn_shaken(struct conn *c);
void conn_ready(struct conn *c);    /* something has come, or can be written */
void conn_answered(struct call *k); /* the call came back */
void conn_streamed(struct call *k); /* pieces wait in it */
void conn_tick(struct conn *c, int64_t now_us);
void conn_close(struct conn *c);
void conn_free(struct conn *c); /* one that was never begun, or closed without a call */

/* call.c */
/* In the call's own arena. NULL: memory. */
struct call *call_new(struct conn *c);
void call_free(struct call *k);
void call_run_job(struct mq_item *item);

/* httpd.c */
extern __thread struct loop *this_loop;
void loop_post(struct loop *l, struct post *p);

#endif
