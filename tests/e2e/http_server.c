/*
 * A small server of src/gateway for test_http.py and for measuring: http_server [OPTIONS] prints "PORT TLS-PORT" and serves
 * until its standard input ends. Options: --cert FILE --key FILE (TLS too), --threads N, --workers N, --connections N,
 * --queue N, --body-seconds N, --idle-seconds N, --drain MS.
 */
#include "base/base.h"
#include "base/json.h"
#include "gateway/metrics.h"
#include "gateway/openapi.h"
#include "gateway/health.h"
#include "gateway/route.h"

#include <openssl/x509.h>
#include <pthread.h>
#include <unistd.h>

/* Answers with what came. */
static void
echo(void *ctx, struct http_call *c)
{
	http_answer(c, 200, "application/octet-stream", c->body);
}

static void
hello(void *ctx, struct http_call *c)
{
	http_answer(c, 200, "application/json", BYTES("{\"hello\":\"world\",\"n\":1234567}"));
}

/* Says what the server made of the request. */
static void
inspect(void *ctx, struct http_call *c)
{
	struct json *o = json_object(c->arena);
	struct json *query = json_object(c->arena);

	json_set(o, "method", json_str(c->arena, bytes_str(http_method_name(c->head.method))));
	json_set(o, "id", json_int(c->arena, route_id(c, 0)));
	json_set(o, "name", json_str(c->arena, c->params[1]));
	json_set(o, "remote", json_str(c->arena, bytes_str(c->remote)));
	json_set(o, "tls", json_bool(c->arena, c->tls));
	json_set(o, "cert", json_int(c->arena, (int64_t)c->peer_cert.n));
	json_set(o, "limit", json_int(c->arena, route_query_int(c, "limit", -1)));
	for (size_t i = 0; i < c->nquery; i++)
		json_set(query, arena_str(c->arena, c->query[i].name), json_str(c->arena, c->query[i].value));
	json_set(o, "query", query);
	json_set(o, "accept", json_int(c->arena, c->accept));
	http_answer_json(c, 200, o);
}

static void
whoami(void *ctx, struct http_call *c)
{
	struct json *o = json_object(c->arena);

	json_set(o, "officer", json_int(c->arena, c->caller->officer));
	json_set(o, "session", json_int(c->arena, c->caller->session));
	http_answer_json(c, 200, o);
}

static void *
answer_later(void *arg)
{
	struct http_call *c = arg;

	usleep((useconds_t)route_query_int(c, "ms", 0) * 1000);
	http_answer(c, 200, "application/octet-stream", c->body);
	return NULL;
}

/* From a thread of its own, after the handler has returned. */
static void
later(void *ctx, struct http_call *c)
{
	pthread_t t;
	struct err e = { 0 };

	if (pthread_create(&t, NULL, answer_later, c) == 0) {
		pthread_detach(t);
		return;
	}
	(void)!err_set(&e, CHY_SYSTEM, NULL, "no thread");
	http_problem(c, &e);
}

/* `lines` numbered lines of 1,000 bytes; `fail`: breaks off at that line. */
static void
stream(void *ctx, struct http_call *c)
{
	int64_t lines = route_query_int(c, "lines", 10), fail = route_query_int(c, "fail", -1);
	bool ok = true;
	char line[1001];

	http_stream_begin(c, 200, "text/plain");
	for (int64_t i = 0; i < lines && ok && i != fail; i++) {
		snprintf(line, sizeof(line), "%0999lld\n", (long long)i);
		ok = http_stream_put(c, bytes_of(line, 1000), NULL) == RC_OK;
	}
	http_stream_end(c, ok && fail < 0);
}

static const struct route routes[] = {
	{ .method = HTTP_POST,
	  .pattern = "/echo",
	  .run = echo,
	  .summary = "Echo on the event thread",
	  .bodies = { "application/octet-stream" },
	  .flags = ROUTE_INLINE },
	{ .method = HTTP_POST,
	  .pattern = "/echo-worker",
	  .run = echo,
	  .summary = "Echo on a worker",
	  .bodies = { "application/octet-stream" } },
	{ .method = HTTP_POST,
	  .pattern = "/echo-small",
	  .run = echo,
	  .summary = "Echo of at most 100 bytes",
	  .bodies = { "application/octet-stream" },
	  .body_max = 100 },
	{ .method = HTTP_POST,
	  .pattern = "/hello",
	  .run = hello,
	  .summary = "A fixed answer",
	  .bodies = { "application/json" },
	  .flags = ROUTE_INLINE },
	{ .method = HTTP_GET,
	  .pattern = "/hello",
	  .run = hello,
	  .summary = "A fixed answer",
	  .flags = ROUTE_INLINE },
	{ .method = HTTP_POST,
	  .pattern = "/later",
	  .run = later,
	  .summary = "Echo after a while",
	  .bodies = { "application/octet-stream" },
	  .query = { { "ms", QUERY_INT, "how long" } },
	  .flags = ROUTE_INLINE },
	{ .method = HTTP_GET,
	  .pattern = "/stream",
	  .run = stream,
	  .summary = "Many lines",
	  .query = { { "lines", QUERY_INT, "how many" }, { "fail", QUERY_INT, "break off here" } } },
	{ .method = HTTP_GET,
	  .pattern = "/items/{id}/{name}",
	  .run = inspect,
	  .summary = "What was asked",
	  .query = { { "limit", QUERY_INT, "at most", .min = 1, .max = 1000 },
		     { "from", QUERY_TIME, "since when" },
		     { "all", QUERY_BOOL, "closed ones too" },
		     { "text", QUERY_TEXT, "to find" } },
	  .answers = { "application/json", "text/plain" } },
	{ .method = HTTP_DELETE, .pattern = "/items/{id}/{name}", .run = inspect, .summary = "Not really" },
	{ .method = HTTP_GET,
	  .pattern = "/officer",
	  .run = whoami,
	  .summary = "Who am I",
	  .access = ACCESS_OFFICER },
	{ .method = HTTP_GET,
	  .pattern = "/auditor",
	  .run = whoami,
	  .summary = "Who am I",
	  .access = ACCESS_OFFICER,
	  .needs = ROLES(ROLE_AUDIT_TASKS) },
	{ .method = HTTP_GET,
	  .pattern = "/session",
	  .run = whoami,
	  .summary = "Who am I",
	  .access = ACCESS_SESSION },
	{ .method = HTTP_GET,
	  .pattern = "/either",
	  .run = whoami,
	  .summary = "Who am I",
	  .access = ACCESS_SESSION_OR_OFFICER },
	{ 0 },
};

/* Anybody with a certificate is officer 7, who may use clients; the token "good" is session 9. */
static enum rc
officer(void *ctx, struct arena *a, struct bytes cert, struct caller *ret, struct err *e)
{
	*ret = (struct caller){ .kind = CALLER_OFFICER, .officer = 7, .has = ROLES(ROLE_USE_CLIENTS) };
	return RC_OK;
}

static enum rc
session(void *ctx, struct arena *a, struct bytes token, struct caller *ret, struct err *e)
{
	NEED(bytes_is(token, "good"), e, CHY_SESSION_TOKEN, NULL, "no such session");
	*ret = (struct caller){ .kind = CALLER_SESSION, .officer = 7, .session = 9 };
	return RC_OK;
}

static SSL_CTX *
tls_context(const char *cert, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
		fprintf(stderr, "%s or %s cannot be used\n", cert, key);
		exit(1);
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4);
	return ctx;
}

static int
accept_any(X509_STORE_CTX *ctx, void *arg)
{
	return 1;
}

struct setup {
	struct httpd_options o;
	const char *cert, *key;
	unsigned drain_ms;
};

static unsigned
number_of(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static struct setup
options(int argc, char **argv)
{
	struct setup s = { .drain_ms = 1000 };

	for (int i = 1; i + 1 < argc; i += 2) {
		const char *name = argv[i], *value = argv[i + 1];

		if (strcmp(name, "--cert") == 0)
			s.cert = value;
		else if (strcmp(name, "--key") == 0)
			s.key = value;
		else if (strcmp(name, "--threads") == 0)
			s.o.threads = number_of(value);
		else if (strcmp(name, "--workers") == 0)
			s.o.workers = number_of(value);
		else if (strcmp(name, "--connections") == 0)
			s.o.connections_max = number_of(value);
		else if (strcmp(name, "--queue") == 0)
			s.o.queue_max = number_of(value);
		else if (strcmp(name, "--body-seconds") == 0)
			s.o.body_seconds = number_of(value);
		else if (strcmp(name, "--idle-seconds") == 0)
			s.o.idle_seconds = number_of(value);
		else if (strcmp(name, "--drain") == 0)
			s.drain_ms = number_of(value);
	}
	return s;
}

static enum rc
listen_both(struct httpd *h, const struct setup *s, struct err *e)
{
	SSL_CTX *tls;
	enum rc rc;

	TRY(httpd_listen(h, "127.0.0.1:0", NULL, e));
	if (s->cert == NULL)
		return RC_OK;
	tls = tls_context(s->cert, s->key);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(tls, accept_any, NULL);
	rc = httpd_listen(h, "127.0.0.1:0", tls, e);
	SSL_CTX_free(tls);
	return rc;
}

static enum rc
serve(const struct setup *s, struct err *e)
{
	struct metrics OWN(metrics_free) *m = metrics_new();
	struct health OWN(health_free) *health = health_new();
	struct arena OWN(arena_free) *a = arena_new(16 << 20);
	struct route_auth auth = { .officer = officer, .session = session };
	struct router OWN(router_free) *r = NULL;
	struct httpd OWN(httpd_free) *h = NULL;
	struct system_ctx sys = { .metrics = m, .health = health };
	struct http_app app;
	char c;

	TRY(router_new(&auth, m, &r, e));
	sys.router = r;
	TRY(router_add(r, routes, NULL, e));
	TRY(router_add(r, system_routes, &sys, e));
	TRY(system_init(&sys, a, e));
	app = router_app(r);
	TRY(httpd_new(&s->o, &app, &h, e));
	TRY(listen_both(h, s, e));
	TRY(httpd_start(h, e));
	printf("%u %u\n", httpd_port(h, 0), httpd_port(h, 1));
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	health_stopping(health);
	printf("drained %d\n", httpd_drain(h, s->drain_ms));
	return RC_OK;
}

int
main(int argc, char **argv)
{
	struct setup s = options(argc, argv);
	struct err e = { 0 };

	log_init("http_server", false, LOG_INFO);
	if (serve(&s, &e) == RC_OK)
		return 0;
	LOG(ERROR, "http_server.failed", LE(&e));
	return 1;
}
