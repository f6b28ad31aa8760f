/*
 * chancery-factory: the process that decides, stores and listens. Wiring only. Started by `chancery serve` with a control
 * socket as descriptor 3; with --setup FILE --outcome FILE it holds the boot ceremony and ends.
 */
#include "base/base.h"

#include <getopt.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "crypto/foreign.h"
#include "crypto/tls.h"
#include "factory/factory.h"
#include "factory/genesis.h"
#include "factory/node.h"
#include "factory/rescue.h"
#include "factory/ocsp_desk.h"
#include "gateway/health.h"
#include "gateway/httpd.h"
#include "gateway/metrics.h"
#include "gateway/openapi.h"
#include "gateway/rest.h"
#include "pki/cert.h"
#include "programs/config.h"
#include "programs/control.h"
#include "programs/sandbox.h"
#include "programs/sockets.h"

enum { FIRST_SIGNER_WAIT_MS = 30000, SETUP_MAX = 1 << 20, RESCUE_MAX = 4 << 20 };

struct program {
	struct arena *a;
	struct config config;
	struct sockets sockets; /* that listen already; in place of the addresses of the same use */
	struct factory *factory;
	struct metrics *metrics;
	struct health *health;
	struct router *router;
	struct system_ctx system;
	struct foreign_key *tls_key;
	SSL_CTX *tls;
	struct httpd *httpd;
	int early_distributor; /* its link, come before there was a factory to take it; -1: none */
};

/* ---- the listener's key, which is the signer's ---- */

static enum rc
tls_sign(void *ctx, enum foreign_op op, struct bytes in, struct buf *out, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 10);
	struct factory *f = ctx;
	struct signed_cert s;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a handshake");
	NEED(op == FOREIGN_ECDSA && in.n == 32, e, CHY_TLS_SETUP, NULL,
	     "the listener's key signs with ECDSA and SHA-256");
	TRY(signer_sign_tls(f->signer, KEY_TLS, SIGALG_ECDSA_SHA256, in, SIGNER_WAIT_MS, a, &s, e));
	buf_put(out, s.signature);
	NEED(buf_ok(out), e, CHY_NO_MEMORY, NULL, "a handshake");
	return RC_OK;
}

static enum rc
open_tls(struct program *p, struct err *e)
{
	const struct bytes chain[] = { p->factory->tls_certificate, p->factory->root };
	struct tls_identity id = { .chain = chain, .chain_count = ARRAY_LEN(chain) };
	struct cert cert;

	if (p->config.listener.tls == NULL && !sockets_have(&p->sockets, SOCKET_TLS))
		return RC_OK;
	TRY(cert_parse(p->a, p->factory->tls_certificate, &cert, e));
	TRY(foreign_key_new(cert.spki, tls_sign, p->factory, &p->tls_key, e));
	id.foreign = p->tls_key;
	return tls_server_ctx(&id, true, &p->tls, e);
}

/* ---- figures and health ---- */

static int64_t
read_figure(void *ctx)
{
	return (int64_t)atomic_load((_Atomic uint64_t *)ctx);
}

static enum rc
add_figures(struct program *p, struct err *e)
{
	struct factory_figures *f = &p->factory->figures;
	const struct {
		const char *name, *help;
		_Atomic uint64_t *figure;
	} all[] = {
		{ "chancery_certificates_issued_total", "Certificates issued since start", &f->issued },
		{ "chancery_refusals_total", "Acts and issue requests refused since start", &f->refused },
		{ "chancery_issue_failures_total", "Issue requests that failed for no fault of theirs",
		  &f->failed },
		{ "chancery_certificates_adopted_total", "Certificates taken over from the signer's journal",
		  &f->adopted },
		{ "chancery_certificates_judged_total", "Stored certificates judged by the auditor",
		  &f->judged },
		{ "chancery_disagreements_total", "Certificates that the auditor did not accept",
		  &f->disagreements },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		TRY(metrics_read(p->metrics, METRIC_COUNTER, all[i].name, all[i].help, NULL, read_figure,
				 all[i].figure, e));
	return RC_OK;
}

static int64_t
read_number(void *ctx)
{
	return atomic_load((_Atomic int64_t *)ctx);
}

struct gauge {
	const char *name, *help;
	_Atomic int64_t *figure;
};

static enum rc
add_gauges(struct program *p, const struct gauge *all, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		TRY(metrics_read(p->metrics, METRIC_GAUGE, all[i].name, all[i].help, NULL, read_number,
				 all[i].figure, e));
	return RC_OK;
}

static enum rc
add_expiry_figures(struct program *p, struct err *e)
{
	struct expiry *x = &p->factory->expiry;
	const struct gauge all[] = {
		{ "chancery_officers_ending", "Officers whose last certificate ends soon", &x->ending },
		{ "chancery_officers_ended", "Open officers without a certificate that acts", &x->ended },
		{ "chancery_authorities_ending", "Authorities whose certificate ends soon", &x->cas_ending },
		{ "chancery_authorities_ended", "Authorities whose certificate has ended", &x->cas_ended },
		{ "chancery_officers_pair_ends", "1: fewer than two who administer will be left soon",
		  &x->pair_ends },
	};

	return add_gauges(p, all, ARRAY_LEN(all), e);
}

static enum rc
add_list_figures(struct program *p, struct err *e)
{
	struct list_figures *x = &p->factory->lists;
	const struct gauge all[] = {
		{ "chancery_crls_late", "CRL procedures whose next list was due over a minute ago",
		  &x->crls_late },
		{ "chancery_crls_failing", "CRL procedures whose lists cannot be built", &x->crls_failing },
		{ "chancery_cils_late", "CIL procedures whose next list was due over a minute ago",
		  &x->cils_late },
		{ "chancery_cils_failing", "CIL procedures whose lists cannot be built", &x->cils_failing },
	};

	return add_gauges(p, all, ARRAY_LEN(all), e);
}

static int64_t
read_kept(void *ctx)
{
	return (int64_t)kept_count(desk_kept(ctx));
}

static enum rc
add_ocsp_figures(struct program *p, struct err *e)
{
	struct ocsp_figures *g = desk_figures(p->factory->ocsp);
	const struct {
		const char *name, *help, *labels;
		_Atomic uint64_t *figure;
	} all[] = {
		{ "chancery_ocsp_answers_total", "OCSP answers given, by where their signature came from",
		  "from=\"memory\"", &g->kept },
		{ "chancery_ocsp_answers_total", NULL, "from=\"signer\"", &g->signed_ },
		{ "chancery_ocsp_presigned_total", "OCSP answers signed ahead of any question", NULL,
		  &g->resigned },
		{ "chancery_ocsp_statuses_total", "Certificates answered for, by what was told",
		  "status=\"good\"", &g->good },
		{ "chancery_ocsp_statuses_total", NULL, "status=\"revoked\"", &g->revoked },
		{ "chancery_ocsp_statuses_total", NULL, "status=\"unknown\"", &g->unknown },
		{ "chancery_ocsp_refusals_total", "OCSP requests without a signed answer",
		  "why=\"malformedRequest\"", &g->malformed },
		{ "chancery_ocsp_refusals_total", NULL, "why=\"unauthorized\"", &g->unauthorized },
		{ "chancery_ocsp_refusals_total", NULL, "why=\"tryLater\"", &g->try_later },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		TRY(metrics_read(p->metrics, METRIC_COUNTER, all[i].name, all[i].help ? all[i].help : "",
				 all[i].labels, read_figure, all[i].figure, e));
	return metrics_read(p->metrics, METRIC_GAUGE, "chancery_ocsp_kept", "OCSP answers in memory", NULL,
			    read_kept, p->factory->ocsp, e);
}

static enum rc
check_store(void *ctx, struct err *e)
{
	return store_ping(((struct factory *)ctx)->store, e);
}

static enum rc
check_signer(void *ctx, struct err *e)
{
	NEED(signer_is_there(((struct factory *)ctx)->signer), e, CHY_SIGNER_AWAY, NULL,
	     "the signer is being restarted");
	return RC_OK;
}

static enum rc
check_node(void *ctx, struct err *e)
{
	return node_check(ctx, e);
}

/* Whoever administers asks the issuing server: it tells of all that a status node does not know. */
static enum rc
add_issuing(struct program *p, struct err *e)
{
	TRY(add_expiry_figures(p, e));
	TRY(add_list_figures(p, e));
	TRY(health_check(p->health, "store", check_store, p->factory, e));
	TRY(health_check(p->health, "signer", check_signer, p->factory, e));
	TRY(rest_add(p->router, p->factory, e));
	return router_add(p->router, system_routes, &p->system, e);
}

/* It goes on without the database for a while, and must not wait for it where its health is asked for. */
static enum rc
add_node(struct program *p, struct err *e)
{
	TRY(health_check(p->health, "signer", check_signer, p->factory, e));
	TRY(health_check(p->health, "node", check_node, p->factory, e));
	TRY(rest_add_node(p->router, p->factory, e));
	return router_add(p->router, system_node_routes, &p->system, e);
}

static enum rc
open_gateway(struct program *p, struct err *e)
{
	struct route_auth auth = rest_auth(p->factory);

	p->metrics = metrics_new();
	p->health = health_new();
	NEED(p->metrics != NULL && p->health != NULL, e, CHY_NO_MEMORY, NULL, "the gateway");
	TRY(add_figures(p, e));
	TRY(add_ocsp_figures(p, e));
	TRY(router_new(&auth, p->metrics, &p->router, e));
	TRY(router_hold_back(p->router, (unsigned)p->config.listener.refusals_per_minute, e));
	p->system = (struct system_ctx){ p->router, p->metrics, p->health, BYTES_NONE };
	TRY(factory_is_node(p->factory) ? add_node(p, e) : add_issuing(p, e));
	return system_init(&p->system, p->a, e);
}

/* By the sockets that were handed over, else by the address. */
static enum rc
open_listener(struct program *p, enum socket_use use, const char *address, SSL_CTX *tls, struct err *e)
{
	for (size_t i = 0; i < p->sockets.n; i++)
		if (p->sockets.use[i] == use)
			TRY(httpd_listen_fd(p->httpd, p->sockets.fd[i], tls, e));
	if (address == NULL || sockets_have(&p->sockets, use))
		return RC_OK;
	return httpd_listen(p->httpd, address, tls, e);
}

/* Nobody logs in at a status node. */
static const char *
tls_address(const struct program *p)
{
	return config_is_status_node(&p->config) ? NULL : p->config.listener.tls;
}

static enum rc
open_listeners(struct program *p, struct err *e)
{
	struct http_app app = router_app(p->router);
	struct httpd_options o = { .threads = (unsigned)p->config.listener.threads,
				   .workers = (unsigned)p->config.listener.workers,
				   .connections_max = (size_t)p->config.listener.connections,
				   .body_seconds = (unsigned)p->config.listener.body_seconds,
				   .idle_seconds = (unsigned)p->config.listener.idle_seconds };

	TRY(httpd_new(&o, &app, &p->httpd, e));
	TRY(open_listener(p, SOCKET_TLS, tls_address(p), p->tls, e));
	TRY(open_listener(p, SOCKET_PLAIN, p->config.listener.plain, NULL, e));
	return httpd_start(p->httpd, e);
}

/* ---- the parent ---- */

/* Where the signer died with the factory before, the distributor's link may come first: it is kept. */
static enum rc
first_signer(struct program *p, int *ret_fd, struct err *e)
{
	struct control c;

	for (;;) {
		TRY(control_recv(CONTROL_FD, FIRST_SIGNER_WAIT_MS, &c, e));
		if (c.type != CONTROL_DISTRIBUTOR || c.fd < 0)
			break;
		if (p->early_distributor >= 0)
			close(p->early_distributor);
		p->early_distributor = c.fd;
	}
	NEED(c.type == CONTROL_SIGNER && c.fd >= 0, e, CHY_CONTROL, NULL,
	     "a link to the signer was expected");
	*ret_fd = c.fd;
	return RC_OK;
}

static void
attach(struct program *p, int fd)
{
	struct err e = { 0 };

	if (factory_attach_signer(p->factory, fd, &e) != RC_OK)
		LOG(ERROR, "factory.signer-not-attached", LE(&e));
}

/* Until the parent says stop, or is gone. */
static void
obey(struct program *p)
{
	for (;;) {
		struct err e = { 0 };
		struct control c;
		enum rc rc = control_recv(CONTROL_FD, -1, &c, &e);

		if (rc != RC_OK || c.type == CONTROL_STOP)
			return;
		if (c.type == CONTROL_SIGNER && c.fd >= 0)
			attach(p, c.fd);
		else if (c.type == CONTROL_DISTRIBUTOR && c.fd >= 0)
			factory_attach_distributor(p->factory, c.fd);
	}
}

/* ---- modes ---- */

static enum rc
enter_sandbox(struct program *p, struct err *e)
{
	struct sandbox s = { .may_connect = strcmp(store_engine(p->factory->store), "postgresql") == 0 };

	if (!p->config.serve.sandbox)
		return RC_OK;
	return sandbox_enter(&s, e);
}

static const char *
listener_text(const struct program *p, enum socket_use use, const char *address)
{
	return sockets_have(&p->sockets, use) ? "socket" : address ? address : "none";
}

static MUST enum rc
listen_and_obey(struct program *p, struct err *e)
{
	TRY(open_gateway(p, e));
	TRY(open_listeners(p, e));
	TRY(enter_sandbox(p, e));
	TRY(control_send(CONTROL_FD, CONTROL_READY, -1, "listening", e));
	LOG(INFO, "factory.ready", LS("instance", p->factory->instance), LS("role", p->config.node.role),
	    LS("store", store_engine(p->factory->store)),
	    LS("tls", listener_text(p, SOCKET_TLS, tls_address(p))),
	    LS("plain", listener_text(p, SOCKET_PLAIN, p->config.listener.plain)));
	obey(p);
	health_stopping(p->health);
	if (!httpd_drain(p->httpd, (unsigned)p->config.serve.drain_seconds * 1000))
		LOG(WARNING, "factory.calls-cut-off", LI("calls", (int64_t)httpd_calls(p->httpd)));
	return RC_OK;
}

/* Officers' certificates and sessions mean nothing here, and nothing goes out. */
static MUST enum rc
serve_status(struct program *p, const struct factory_options *o, struct err *e)
{
	NEED(p->config.listener.plain != NULL || sockets_have(&p->sockets, SOCKET_PLAIN), e,
	     CHY_CONFIG_MISSING, NULL, "a status node needs [listener] plain");
	NEED(!sockets_have(&p->sockets, SOCKET_TLS), e, CHY_CONFIG_VALUE, NULL,
	     "a status node has no TLS listener");
	NEED(strncmp(o->store_url, "sqlite:", 7) != 0, e, CHY_CONFIG_VALUE, NULL,
	     "a status node needs the issuing server's PostgreSQL, not %s", o->store_url);
	TRY(factory_open_status(o, &p->factory, e));
	return listen_and_obey(p, e);
}

static enum rc
serve(struct program *p, struct err *e)
{
	struct factory_options o = { .store_url = p->config.store.url,
				     .node = (unsigned)p->config.node.number,
				     .key_archive = p->config.signer.key_archive,
				     .longest_rest_ms = p->config.distributor.longest_rest_seconds * 1000 };

	TRY(first_signer(p, &o.signer_fd, e));
	if (config_is_status_node(&p->config))
		return serve_status(p, &o, e);
	TRY(factory_open(&o, &p->factory, e));
	if (p->early_distributor >= 0)
		factory_attach_distributor(p->factory, p->early_distributor);
	TRY(open_tls(p, e));
	return listen_and_obey(p, e);
}

static enum rc
setup(struct program *p, const char *in_path, const char *out_path, struct err *e)
{
	struct factory_options o = { .store_url = p->config.store.url,
				     .node = (unsigned)p->config.node.number,
				     .key_archive = p->config.signer.key_archive };
	OWN_BUF struct buf out = buf_max(SETUP_MAX);
	struct json *in, *ret;
	struct bytes text;

	TRY(file_read(p->a, in_path, SETUP_MAX, &text, e));
	TRY(json_parse(p->a, text, &in, e));
	TRY(first_signer(p, &o.signer_fd, e));
	TRY(factory_open_bare(&o, &p->factory, e));
	TRY(genesis(p->factory, p->a, in, &ret, e));
	json_put(&out, ret);
	NEED(buf_ok(&out), e, CHY_NO_MEMORY, NULL, "the outcome");
	return file_write(out_path, buf_bytes(&out), 0600, e);
}

/* A refusal is told in the outcome, with its code: whoever asked reads no log. */
static enum rc
put_refusal(struct program *p, struct buf *out, const struct err *why)
{
	struct json *o = json_object(p->a);

	json_set(o, "code", json_int(p->a, (int64_t)why->code));
	json_set(o, "field", json_str(p->a, bytes_str(why->field)));
	json_set(o, "detail", json_str(p->a, bytes_str(why->text)));
	json_put(out, o);
	return RC_OK;
}

static enum rc
rescue_officers(struct program *p, const char *in_path, const char *out_path, struct err *e)
{
	struct factory_options o = { .store_url = p->config.store.url,
				     .node = (unsigned)p->config.node.number,
				     .key_archive = p->config.signer.key_archive };
	OWN_BUF struct buf out = buf_max(SETUP_MAX);
	struct json *in, *ret;
	struct bytes text;
	enum rc rc;

	TRY(file_read(p->a, in_path, RESCUE_MAX, &text, e));
	TRY(json_parse(p->a, text, &in, e));
	TRY(first_signer(p, &o.signer_fd, e));
	TRY(factory_open_offline(&o, &p->factory, e));
	rc = rescue(p->factory, p->a, in, &ret, e);
	if (rc == RC_OK)
		json_put(&out, ret);
	else
		TRY(put_refusal(p, &out, e));
	NEED(buf_ok(&out), e, CHY_NO_MEMORY, NULL, "the outcome");
	TRY(file_write(out_path, buf_bytes(&out), 0600, e));
	return rc;
}

static void
close_program(struct program *p)
{
	/* the order matters: calls that are open still need the factory, and their answers the listener */
	httpd_free(p->httpd);
	factory_close(p->factory);
	router_free(p->router);
	tls_ctx_free(p->tls);
	foreign_key_free(p->tls_key);
	health_free(p->health);
	metrics_free(p->metrics);
}

/* What the program is to do; one of them. */
struct mode {
	const char *config;
	const char *setup_in, *rescue_in, *outcome;
	const char *backup, *restore;
	const char *sockets; /* NULL: none handed over */
};

/* Beside a running factory: the database's own means make the copy consistent. */
static enum rc
back_up(struct program *p, const char *to, struct err *e)
{
	OWN(store_close)
	struct store *s = NULL;

	TRY(store_open(p->config.store.url, &(struct store_options){ .read_only = true }, &s, e));
	TRY(store_backup(s, to, e));
	LOG(INFO, "factory.backed-up", LS("to", to));
	return RC_OK;
}

static enum rc
act(struct program *p, const struct mode *m, struct err *e)
{
	if (m->setup_in != NULL)
		return setup(p, m->setup_in, m->outcome, e);
	if (m->rescue_in != NULL)
		return rescue_officers(p, m->rescue_in, m->outcome, e);
	if (m->backup != NULL)
		return back_up(p, m->backup, e);
	if (m->restore != NULL)
		return store_restore(p->config.store.url, m->restore, e);
	return serve(p, e);
}

/* What the parent is to make of it: the signer's death is no refusal of ours, and another try may do. */
static int
status_of(enum rc rc, const struct err *e)
{
	if (rc == RC_OK)
		return 0;
	return e->code == CHY_SIGNER_LOST || e->code == CHY_SIGNER_AWAY ? EX_TEMPFAIL : 1;
}

static int
run(const struct mode *m)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);
	struct program p = { .a = a, .early_distributor = -1 };
	enum log_level level = LOG_INFO;
	struct err e = { 0 };
	enum rc rc;

	if (a == NULL)
		return 1;
	rc = config_load(a, m->config, &p.config, NULL, &e);
	if (rc == RC_OK && m->sockets != NULL)
		rc = sockets_parse(m->sockets, &p.sockets, &e);
	if (rc == RC_OK) {
		if (!log_level_parse(bytes_str(p.config.log.level), &level))
			level = LOG_INFO;
		log_init("chancery-factory", strcmp(p.config.log.format, "json") == 0, level);
		rc = act(&p, m, &e);
	}
	if (rc != RC_OK)
		LOG(ERROR, "factory.failed", LE(&e));
	close_program(&p);
	return status_of(rc, &e);
}

int
main(int argc, char **argv)
{
	static const struct option known[] = { { "config", required_argument, NULL, 'c' },
					       { "setup", required_argument, NULL, 's' },
					       { "outcome", required_argument, NULL, 'o' },
					       { "backup", required_argument, NULL, 'b' },
					       { "restore", required_argument, NULL, 'r' },
					       { "sockets", required_argument, NULL, 'l' },
					       { "rescue", required_argument, NULL, 'R' },
					       { "version", no_argument, NULL, 'V' },
					       { NULL, 0, NULL, 0 } };
	struct mode m = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		const char **to = c == 'c' ? &m.config
		    : c == 's'             ? &m.setup_in
		    : c == 'R'             ? &m.rescue_in
		    : c == 'o'             ? &m.outcome
		    : c == 'b'             ? &m.backup
		    : c == 'r'             ? &m.restore
		    : c == 'l'             ? &m.sockets
					   : NULL;

		if (c == 'V')
			return puts("chancery-factory " CHY_VERSION) < 0;
		if (to == NULL)
			return 2;
		*to = optarg;
	}
	signal(SIGPIPE, SIG_IGN);
	return (m.setup_in == NULL && m.rescue_in == NULL) != (m.outcome == NULL) ? 2 : run(&m);
}
