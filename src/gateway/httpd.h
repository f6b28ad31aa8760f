/*
 * The HTTP/1.1 server (RFC 9110, RFC 9112), plain and TLS. It knows connections, limits, time and threads, but nothing
 * of routes or of certificates: what to do with a request is the struct http_app's business (router.h is the one).
 *
 * It reads with its own strict reader (http.h) on libevent's event loop. evhttp of libevent 2.1 cannot do what we ask:
 * its refusals are HTML of its own, its body limit is one for all routes, it has no deadline for a whole request and
 * no way to look at the headers before the body has come.
 *
 * Threads: each event thread has its own event_base and its own connections; a connection never changes its thread.
 * A new connection goes to the thread that has the fewest. app->head and app->run of an inline request run on the event
 * thread and must not block; app->run of the others runs on a small pool of workers. TLS handshakes have threads of
 * their own: they are dear, and the listener's key may be another process's, which takes its time. Everything else below
 * may be called from any thread.
 *
 * A call: the server makes one for each request and hands it to app->head (headers are there, the body is not) and then
 * to app->run. From then on it belongs to the handler, until http_answer or http_stream_end gives it back: each call
 * must be given back exactly once, from any thread, at any time; afterwards it must not be touched. That the client has
 * gone meanwhile changes nothing for the handler. Requests of one connection are handled one after the other, so
 * pipelined ones are answered in their order.
 */
#ifndef GATEWAY_HTTPD_H
#define GATEWAY_HTTPD_H

#include <openssl/ssl.h>

#include "base/base.h"
#include "gateway/http.h"

struct json;
struct httpd;
struct route;
struct caller;

enum { HTTP_PARAMS_MAX = 4, HTTP_QUERY_MAX = 32, HTTP_EXTRA_MAX = 12 };

/* One ?name=value, percent-decoded, UTF-8, without control characters. */
struct http_pair {
	struct bytes name, value;
};

struct http_call {
	/* The request, together with `head`. All views live as long as the call. */
	struct bytes body; /* whole; empty in app->head */
	struct bytes
	    peer_cert;      /* DER of the TLS client certificate; empty when there is none. NOT yet judged. */
	const char *remote; /* "192.0.2.1" or "2001:db8::1" */
	bool tls;
	struct arena *arena; /* LIMIT_REQUEST_ARENA; the call itself lives in it */
	uint64_t number;     /* of this call, as log and problem documents name it */
	int64_t began_us;    /* clock_mono_us when its first byte came */

	/* Filled in by the router. */
	const struct route *route;
	const struct route_entry *entry;      /* the router's own */
	struct bytes params[HTTP_PARAMS_MAX]; /* {id} ... of the pattern, in its order, percent-decoded */
	size_t nquery;
	unsigned accept; /* which of the route's answer types the client wants: index into route->answers */
	const struct caller *caller; /* who asks; NULL on a public route without credentials */

	/* Set by app->head. */
	size_t body_max; /* more than this is refused with 413; at first 0 */
	bool inline_run; /* run on the event thread */
	bool
	    secrets; /* body or answer may hold secrets: wiped when it is over, the arena by whoever says so */

	void *user; /* the handler's own */

	/* Last, for they are large: what is not in use is not even zeroed (call_new), nor would be what stood behind them. */
	struct http_pair query[HTTP_QUERY_MAX]; /* the router's, nquery of them */
	struct http_head head; /* method, target, version, all headers (http_header_get finds one) */
};

struct http_app {
	void *ctx;
	/* The headers are there: find out what this is and set body_max and inline_run, or answer at once (then run is
	   not called, and the connection is closed behind the answer if a body was announced). Event thread. */
	void (*head)(void *ctx, struct http_call *c);
	/* The whole request is there. */
	void (*run)(void *ctx, struct http_call *c);
	/* Answered, for counting; the call is still whole. Event thread. May be NULL. */
	void (*done)(void *ctx, const struct http_call *c, int status, size_t sent, int64_t took_us);
};

struct httpd_options {
	unsigned threads;       /* event threads, 1 to 64 */
	unsigned workers;       /* threads for what is not inline, 1 to 64 */
	size_t connections_max; /* further ones get 503 and are closed; 0: LIMIT_CONNECTIONS */
	size_t queue_max;       /* requests that wait for a worker, further ones get 503; 0: 1024 */
	unsigned body_seconds;  /* a request must have come whole in this time; 0: LIMIT_BODY_SECONDS */
	unsigned idle_seconds;  /* between two requests, and while an answer is not taken; 0: 75 */
	size_t headers_max;     /* 0: LIMIT_HEADERS */
};

/* A server without listeners. app is copied. Owned by the caller. CHY_SYSTEM, CHY_NO_MEMORY. */
MUST enum rc httpd_new(const struct httpd_options *o, const struct http_app *app, struct httpd **ret,
		       struct err *e);

/* Listens on "127.0.0.1:8080", "[::1]:8080" or "*:8080" (port 0: any free one). tls: NULL for plain, else TLS by
   this context, which is referenced, whose protocol versions and client certificate policy are the caller's (made by
   crypto/tls.h: TLS 1.3, client certificate asked for and not yet judged).
   CHY_LISTEN_ADDRESS, CHY_LISTEN. Before httpd_start. */
MUST enum rc httpd_listen(struct httpd *h, const char *address, SSL_CTX *tls, struct err *e);
/* The same on a socket that listens already (systemd); it belongs to the server from now on, also on failure. */
MUST enum rc httpd_listen_fd(struct httpd *h, int fd, SSL_CTX *tls, struct err *e);
/* The port of the n-th listener, 0 when there is none. */
unsigned httpd_port(const struct httpd *h, size_t n);

MUST enum rc httpd_start(struct httpd *h, struct err *e);
/* Closes the listeners, ends idle connections, and waits up to so long for open calls to be answered; then closes the
   rest. False: calls are still with their handlers. The threads go on until httpd_free. */
bool httpd_drain(struct httpd *h, unsigned wait_ms);
/* Ends the threads. Waits for calls that handlers still hold: give them back first. NULL is fine. */
void httpd_free(struct httpd *h);
OWN_DEFINE(struct httpd *, httpd_free)

size_t httpd_connections(const struct httpd *h);
size_t httpd_calls(const struct httpd *h); /* with their handlers now */

/* A header of the answer, before it is given; name is a literal in its usual spelling, value is copied and must hold
   visible characters only (else, and beyond HTTP_EXTRA_MAX or out of memory, the header is left out). Server, Date,
   Content-Length, Content-Type, Connection are the server's. */
void http_set(struct http_call *c, const char *name, const char *value);

/* An inline handler finds that it must wait after all: its route's handler is called again, on a worker, with
   inline_run false, and may have been by the time this returns. False: the workers' queue is full, the call is still the handler's. */
bool http_to_worker(struct http_call *c);

/* On an event thread: calls fn(arg) once all that has come until now has been run, for what is better done once for many calls.
   All who ask in one round must ask for the same. */
void http_after_round(void (*fn)(void *arg), void *arg);

/* Answers, and gives the call back. The body is copied (its memory may be the call's arena); type may be NULL when
   the body is empty. For HEAD the server leaves the body out by itself. */
void http_answer(struct http_call *c, int status, const char *type, struct bytes body);

/* Answers with a problem document (RFC 9457) made of the error, problem.h; the status by its rc and code. */
void http_problem(struct http_call *c, const struct err *e);
/* The same with its member refused: an array of what was refused one by one; NULL: none. */
void http_problem_of_each(struct http_call *c, const struct err *e, const struct json *refused);

/* Answers in pieces of unknown total length. NOT on an event thread: http_stream_put waits while more than about 256 KB
   are not yet taken by the client, at most idle_seconds. CHY_CLIENT_GONE: the client is gone or too slow;
   stop producing, and call http_stream_end all the same. After a failure of one's own call http_stream_end with ok =
   false: the connection is then cut, so that the client sees that the answer is not whole. */
void http_stream_begin(struct http_call *c, int status, const char *type);
MUST enum rc http_stream_put(struct http_call *c, struct bytes piece, struct err *e);
void http_stream_end(struct http_call *c, bool ok);

#endif
