#include "base/base.h"
#include "cli/key.h"
#include "cli/rest.h"
#include "crypto/rand.h"
#include "crypto/tls.h"

#include <curl/curl.h>
#include <pthread.h>
#include <strings.h>
#include <unistd.h>

enum { ROOTS_MAX = 16, CONNECT_S = 10, WAIT_MAX_MS = 10000, WAIT_FIRST_MS = 250, KEY_LEN = 32, STALL_S = 60 };

struct rest {
	CURL *curl;
	const struct settings *set;
	struct arena *mem; /* identity and roots */
	struct bytes roots[ROOTS_MAX];
	size_t roots_count;
	struct tls_identity identity;
	bool has_identity;
	struct err tls_error; /* of the context's set-up */
	char text[CURL_ERROR_SIZE];
};

/* One call under way. */
struct exchange {
	struct rest *r;
	struct arena *a;
	struct buf body;
	rest_take_fn *take; /* streams only; on success statuses */
	void *arg;
	int64_t retry_ms, server_at_ms;
	char type[128];
	struct err err; /* of take */
};

/* ---- making ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
init_library(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Called by curl when it has made its TLS context and before it connects. */
static CURLcode
set_up_tls(CURL *curl, void *ctx, void *arg)
{
	struct rest *r = arg;

	return tls_client_setup(ctx, r->roots, r->roots_count, r->has_identity ? &r->identity : NULL,
				&r->tls_error) == RC_OK
	    ? CURLE_OK
	    : CURLE_SSL_CERTPROBLEM;
}

static void
set_options(struct rest *r)
{
	curl_easy_setopt(r->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, r->text);
	curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(r->curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(r->curl, CURLOPT_FOLLOWLOCATION,
			 0L); /* an officer's key answers to the server named, no other */
	curl_easy_setopt(r->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(r->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(r->curl, CURLOPT_SSL_CTX_FUNCTION, set_up_tls);
	curl_easy_setopt(r->curl, CURLOPT_SSL_CTX_DATA, r);
	curl_easy_setopt(r->curl, CURLOPT_USERAGENT, "chancery/" CHY_VERSION);
	if (r->roots_count > 0) { /* the system's roots are not asked, and need not be installed */
		curl_easy_setopt(r->curl, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(r->curl, CURLOPT_CAPATH, NULL);
	}
}

enum rc
rest_new(const struct settings *set, struct officer_key *officer, struct rest **ret, struct err *e)
{
	struct rest *r;

	NEED(set->server != NULL, e, CHY_CLI_USAGE, NULL,
	     "no server: give --server URL, CHANCERY_SERVER, or \"server\" in the settings file");
	pthread_once(&once, init_library);
	r = calloc(1, sizeof(*r));
	NEED(r != NULL, e, CHY_NO_MEMORY, NULL, "connection");
	r->set = set;
	r->mem = arena_new(4 << 20);
	r->curl = curl_easy_init();
	if (r->mem == NULL || r->curl == NULL) {
		rest_free(r);
		FAIL(e, CHY_NO_MEMORY, NULL, "connection");
	}
	if (set->ca && certs_read(r->mem, set->ca, r->roots, ROOTS_MAX, &r->roots_count, e) != RC_OK) {
		rest_free(r);
		return e->rc;
	}
	if (officer) {
		r->identity = officer_key_identity(officer);
		r->has_identity = true;
	}
	set_options(r);
	*ret = r;
	return RC_OK;
}

void
rest_free(struct rest *r)
{
	if (r == NULL)
		return;
	if (r->curl)
		curl_easy_cleanup(r->curl);
	arena_free(r->mem);
	free(r);
}

enum rc
rest_new_key(char *dst, struct err *e)
{
	uint8_t random[16];

	TRY(rand_bytes(random, sizeof(random), e));
	hex_text(dst, BYTES_OF(random));
	return RC_OK;
}

const char *
url_escape(struct arena *a, struct bytes s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	OWN_BUF struct buf b = buf_max(s.n * 3 + 1);
	const char *text;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != 0 && strchr(plain, s.p[i]))
			buf_u8(&b, s.p[i]);
		else
			buf_printf(&b, "%%%02X", s.p[i]);
	text = arena_str(a, buf_bytes(&b));
	return text ? text : "";
}

/* ---- problem documents ---- */

static enum code
status_code(long status)
{
	return status == 503 || status == 429 ? CHY_QUEUE_FULL
	    : status >= 500                   ? CHY_CLI_ANSWER
					      : CHY_CLI_REFUSED;
}

/* "CHY-1042" -> 1042 where this program knows the number too; it takes the rc from it. */
static enum code
known_code(struct bytes text, long status)
{
	const enum code *list;
	size_t n = code_list(&list);
	int64_t number;

	if (!bytes_starts(text, "CHY-") ||
	    int_parse(bytes_part(text, 4, SIZE_MAX), 1, 99999, &number, NULL) != RC_OK)
		return status_code(status);
	for (size_t i = 0; i < n; i++)
		if ((int64_t)list[i] == number)
			return list[i];
	return status_code(status);
}

enum rc
rest_problem(struct arena *a, long status, struct bytes body, struct err *e)
{
	struct bytes code = BYTES_NONE, detail = BYTES_NONE, title = BYTES_NONE, field = BYTES_NONE,
		     std = BYTES_NONE, cause = BYTES_NONE;
	struct json *v = NULL;
	char standard[ERR_STD_MAX];
	enum rc rc;

	if (body.n == 0 || json_parse(a, body, &v, NULL) != RC_OK || v->type != JSON_OBJECT)
		FAIL(e, status_code(status), NULL, "the server answered with status %ld", status);
	if (json_opt_str(v, "code", &code, NULL) != RC_OK ||
	    json_opt_str(v, "cause", &cause, NULL) != RC_OK ||
	    json_opt_str(v, "detail", &detail, NULL) != RC_OK ||
	    json_opt_str(v, "title", &title, NULL) != RC_OK ||
	    json_opt_str(v, "field", &field, NULL) != RC_OK ||
	    json_opt_str(v, "standard", &std, NULL) != RC_OK)
		FAIL(e, CHY_CLI_ANSWER, "RFC 9457", "a damaged problem document with status %ld", status);
	if (std.n == 0 && json_opt_str(v, "rule", &std, NULL) != RC_OK)
		std = BYTES_NONE;
	snprintf(standard, sizeof(standard), "%.*s", BYTES_FMT(std));
	if (detail.n == 0)
		detail = title.n ? title : BYTES("refused");
	if (cause.n > 0)
		err_cause(e, known_code(cause, status));
	rc = err_set(e, known_code(code, status), standard, "%.*s", BYTES_FMT(detail));
	if (field.n)
		err_field(e, "%.*s", BYTES_FMT(field));
	return rc;
}

/* ---- calls ---- */

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	long status = 0;

	curl_easy_getinfo(x->r->curl, CURLINFO_RESPONSE_CODE, &status);
	n *= size;
	if (x->take && status < 300)
		return x->take(x->arg, bytes_of(p, n), &x->err) == RC_OK ? n : 0;
	buf_put(&x->body, bytes_of(p, n));
	return buf_ok(&x->body) ? n : 0;
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	struct bytes value, rest, name = text_cut(bytes_of(p, n * size), ':', &value);
	char text[64];
	int64_t s;

	value = text_trim(value);
	if (ascii_case_eq(name, BYTES("content-type"))) {
		value = text_trim(text_cut(value, ';', &rest));
		snprintf(x->type, sizeof(x->type), "%.*s", BYTES_FMT(value));
	} else if (ascii_case_eq(name, BYTES("retry-after")) && int_parse(value, 0, 3600, &s, NULL) == RC_OK)
		x->retry_ms = s * 1000;
	else if (ascii_case_eq(name, BYTES("date"))) {
		snprintf(text, sizeof(text), "%.*s", BYTES_FMT(value));
		x->server_at_ms = (int64_t)curl_getdate(text, NULL) * 1000;
	}
	return n * size;
}

static enum rc
header(struct curl_slist **list, const char *name, const char *value, struct err *e)
{
	char line[2048];
	struct curl_slist *more;

	if (value == NULL)
		return RC_OK;
	NEED(snprintf(line, sizeof(line), "%s: %s", name, value) < (int)sizeof(line) &&
		 !strpbrk(value, "\r\n"),
	     e, CHY_CLI_USAGE, NULL, "the value for the header %s is too long or has a line feed", name);
	more = curl_slist_append(*list, line);
	NEED(more != NULL, e, CHY_NO_MEMORY, NULL, "header");
	*list = more;
	return RC_OK;
}

static enum rc
headers(const struct rest_call *call, struct curl_slist **list, struct err *e)
{
	char bearer[512];

	TRY(header(list, "Accept", call->accept ? call->accept : "application/json", e));
	if (call->body.p)
		TRY(header(list, "Content-Type", call->type ? call->type : "application/json", e));
	TRY(header(list, "Idempotency-Key", call->idempotency_key, e));
	TRY(header(list, "Expect", call->body.p ? "" : NULL, e)); /* no wait for 100 Continue */
	if (call->bearer == NULL)
		return RC_OK;
	NEED(snprintf(bearer, sizeof(bearer), "Bearer %s", call->bearer) < (int)sizeof(bearer), e,
	     CHY_CLI_USAGE, NULL, "the session's token is too long");
	return header(list, "Authorization", bearer, e);
}

/* Why it was not reached, in words that say what to do. */
static enum rc
transport_error(struct rest *r, const struct exchange *x, CURLcode rc, struct err *e)
{
	struct err key = { 0 };
	const char *why = r->text[0] ? r->text : curl_easy_strerror(rc);

	if (x->err.code != CHY_NONE) {
		*e = x->err;
		return e->rc;
	}
	if (r->tls_error.code != CHY_NONE) {
		*e = r->tls_error;
		return e->rc;
	}
	if (foreign_last_error(&key)) {
		*e = key;
		return e->rc;
	}
	NEED(!x->body.bad, e, CHY_CLI_ANSWER, NULL, "the answer is longer than %d bytes", REST_BODY_MAX);
	NEED(rc != CURLE_PEER_FAILED_VERIFICATION, e, CHY_CLI_SERVER, "RFC 5280 6.1",
	     "the server's certificate is not trusted (%s); --ca FILE names the root to trust", why);
	NEED(rc != CURLE_SSL_CACERT_BADFILE, e, CHY_CLI_SERVER, "RFC 5280 6.1",
	     "this system has no list of trusted roots (%s); --ca FILE names the root to trust", why);
	FAIL(e, CHY_CLI_SERVER, NULL, "%s: %s", r->set->server, why);
}

static void
prepare(struct rest *r, const struct rest_call *call, struct exchange *x, struct curl_slist *list,
	const char *url)
{
	CURL *c = r->curl;
	const char *method = call->method ? call->method : call->body.p ? "POST" : "GET";

	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	/* a long answer may take its time as long as it moves */
	curl_easy_setopt(c, CURLOPT_TIMEOUT, x->take ? 0L : (long)r->set->timeout_s);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, x->take ? 1L : 0L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
	if (call->body.p) {
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, (const char *)call->body.p);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
	} else {
		curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	r->text[0] = 0;
	err_clear(&r->tls_error);
}

static enum rc
exchange(struct rest *r, const struct rest_call *call, struct exchange *x, long *status, struct err *e)
{
	const char *url = arena_printf(x->a, "%s%s", r->set->server, call->path);
	struct curl_slist *list = NULL;
	enum rc rc = headers(call, &list, e);
	CURLcode done;

	if (rc == RC_OK && url == NULL)
		rc = err_set(e, CHY_NO_MEMORY, NULL, "call");
	if (rc == RC_OK) {
		prepare(r, call, x, list, url);
		done = curl_easy_perform(r->curl);
		curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, status);
		if (done != CURLE_OK)
			rc = transport_error(r, x, done, e);
		else if (*status >= 300 || *status < 200)
			rc = rest_problem(x->a, *status, buf_bytes(&x->body), e);
	}
	curl_slist_free_all(list);
	return rc;
}

static bool
may_repeat(const struct rest_call *call, const struct err *e)
{
	const char *method = call->method ? call->method : call->body.p ? "POST" : "GET";
	bool safe = !call->once && (strcmp(method, "GET") == 0 || call->idempotency_key);

	return safe && (e->rc == RC_AGAIN || (e->code == CHY_CLI_SERVER && e->std[0] == 0));
}

static bool
is_json(const char *type)
{
	size_t n = strlen(type);

	return strcmp(type, "application/json") == 0 || (n > 5 && strcmp(type + n - 5, "+json") == 0);
}

static enum rc
answer_of(struct exchange *x, long status, struct rest_answer *ret, struct err *e)
{
	*ret = (struct rest_answer){ .status = status,
				     .body = arena_dup(x->a, buf_bytes(&x->body)),
				     .type = arena_str(x->a, bytes_str(x->type)),
				     .server_at_ms = x->server_at_ms };
	NEED(ret->body.p != NULL && ret->type != NULL, e, CHY_NO_MEMORY, NULL, "answer");
	if (!is_json(x->type) || ret->body.n == 0)
		return RC_OK;
	if (json_parse(x->a, ret->body, &ret->json, e) == RC_OK)
		return RC_OK;
	err_clear(e);
	FAIL(e, CHY_CLI_ANSWER, "RFC 8259", "the server's answer is not JSON");
}

/* The problem document, for the members that an error has no room for. */
static void
refusal_of(struct exchange *x, long status, struct rest_answer *ret)
{
	struct bytes body = arena_dup(x->a, buf_bytes(&x->body));

	*ret = (struct rest_answer){ .status = status, .server_at_ms = x->server_at_ms };
	if (body.n > 0 && json_parse(x->a, body, &ret->json, NULL) != RC_OK)
		ret->json = NULL;
}

enum rc
rest_do(struct rest *r, struct arena *a, const struct rest_call *call, struct rest_answer *ret, struct err *e)
{
	int64_t wait_ms = WAIT_FIRST_MS;

	for (int attempt = 1;; attempt++, wait_ms *= 2) {
		struct exchange x = { .r = r, .a = a, .body = buf_max(REST_BODY_MAX) };
		struct err why = { 0 };
		long status = 0;
		enum rc rc = exchange(r, call, &x, &status, &why);

		if (rc == RC_OK)
			rc = answer_of(&x, status, ret, &why);
		else
			refusal_of(&x, status, ret);
		buf_fini(&x.body);
		if (rc == RC_OK)
			return RC_OK;
		if (attempt == REST_TRIES || !may_repeat(call, &why)) {
			*e = why;
			return rc;
		}
		if (x.retry_ms > wait_ms)
			wait_ms = x.retry_ms < WAIT_MAX_MS ? x.retry_ms : WAIT_MAX_MS;
		usleep((useconds_t)wait_ms * 1000);
	}
}

enum rc
rest_json(struct rest *r, struct arena *a, const char *path, const struct json *body, struct json **ret,
	  struct err *e)
{
	struct json *problem;

	return rest_json_or(r, a, path, body, ret, &problem, e);
}

enum rc
rest_json_or(struct rest *r, struct arena *a, const char *path, const struct json *body, struct json **ret,
	     struct json **ret_problem, struct err *e)
{
	OWN_BUF struct buf b = buf_max(REST_BODY_MAX);
	struct rest_call call = { .path = path };
	struct rest_answer answer = { 0 };
	enum rc rc;

	*ret_problem = NULL;
	if (body) {
		json_put(&b, body);
		NEED(buf_ok(&b) && b.n > 0, e, CHY_NO_MEMORY, NULL, "body");
		call.body = buf_bytes(&b);
	}
	rc = rest_do(r, a, &call, &answer, e);
	if (rc != RC_OK)
		*ret_problem = answer.json;
	TRY(rc);
	NEED(answer.json != NULL, e, CHY_CLI_ANSWER, NULL, "%s answered with no JSON", path);
	*ret = answer.json;
	return RC_OK;
}

enum rc
rest_readiness(struct rest *r, struct arena *a, struct rest_answer *ret, struct err *e)
{
	struct err why = { 0 };

	if (rest_do(r, a, &(struct rest_call){ .path = "/readyz", .once = true }, ret, &why) == RC_OK ||
	    json_get(ret->json, "checks") != NULL)
		return RC_OK;
	*e = why;
	return e->rc;
}

enum rc
rest_stream(struct rest *r, struct arena *a, const struct rest_call *call, rest_take_fn *take, void *arg,
	    struct err *e)
{
	struct exchange x = { .r = r, .a = a, .body = buf_max(1 << 20), .take = take, .arg = arg };
	long status = 0;
	enum rc rc = exchange(r, call, &x, &status, e);

	buf_fini(&x.body);
	return rc;
}
