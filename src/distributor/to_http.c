/* HTTP by libcurl: PUT, POST and DELETE (RFC 9110), with basic authentication or a client certificate; what is pushed is posted. */
#include "base/base.h"
#include "distributor/lane.h"

#include <curl/curl.h>

/* ---- what http and mail share ---- */

struct wire {
	CURL *curl;
	struct secret *password, *identity; /* until the next job */
	char text[CURL_ERROR_SIZE];
};

/* What a server answers is of no interest but for its status. */
static size_t
drop_answer(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return size * n;
}

static void
forget(struct wire *w)
{
	secret_free(w->password);
	secret_free(w->identity);
	w->password = w->identity = NULL;
}

void
curl_end(void *state)
{
	struct wire *w = state;

	if (w == NULL)
		return;
	if (w->curl != NULL)
		curl_easy_cleanup(w->curl);
	forget(w);
	free(w);
}

static enum rc
new_wire(void **state, struct err *e)
{
	struct wire *w = *state ? *state : calloc(1, sizeof(*w));

	NEED(w != NULL, e, CHY_NO_MEMORY, NULL, "a connection");
	*state = w;
	if (w->curl == NULL)
		w->curl = curl_easy_init();
	NEED(w->curl != NULL, e, CHY_NO_MEMORY, NULL, "a connection");
	curl_easy_reset(w->curl); /* connections and TLS sessions stay */
	forget(w);
	return RC_OK;
}

static void
set_trust(CURL *c, struct bytes roots)
{
	struct curl_blob blob = { (void *)(uintptr_t)roots.p, roots.n, CURL_BLOB_COPY };

	curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static enum rc
set_login(const struct job *j, struct wire *w, struct err *e)
{
	struct bytes user = rule_text(j, "user");

	TRY(job_secret(j, "secret", &w->password, e));
	TRY(job_secret(j, "client_certificate", &w->identity, e));
	if (user.n > 0 && w->password != NULL) {
		struct buf text = buf_max(SECRET_MAX + 1);

		buf_put(&text, secret_bytes(w->password));
		curl_easy_setopt(w->curl, CURLOPT_USERNAME, (const char *)user.p);
		curl_easy_setopt(w->curl, CURLOPT_PASSWORD, buf_cstr(&text));
		buf_wipe(&text);
	}
	if (w->identity != NULL) {
		struct bytes pem = secret_bytes(w->identity);
		struct curl_blob blob = { (void *)(uintptr_t)pem.p, pem.n, CURL_BLOB_NOCOPY };

		curl_easy_setopt(w->curl, CURLOPT_SSLCERT_BLOB, &blob);
		curl_easy_setopt(w->curl, CURLOPT_SSLKEY_BLOB, &blob);
		curl_easy_setopt(w->curl, CURLOPT_SSLCERTTYPE, "PEM");
		curl_easy_setopt(w->curl, CURLOPT_SSLKEYTYPE, "PEM");
	}
	return RC_OK;
}

enum rc
curl_begin(const struct job *j, void **state, struct bytes url, struct err *e)
{
	long limit = (long)rule_int(j, "timeout_seconds", 20);
	struct bytes roots;
	struct wire *w;

	TRY(new_wire(state, e));
	w = *state;
	TRY(job_roots(j, &roots, e));
	curl_easy_setopt(w->curl, CURLOPT_URL, (const char *)url.p);
	curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, w->text);
	curl_easy_setopt(w->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(w->curl, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(w->curl, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
	curl_easy_setopt(w->curl, CURLOPT_FOLLOWLOCATION,
			 0L); /* a password is for the address named, no other */
	curl_easy_setopt(w->curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(w->curl, CURLOPT_TIMEOUT, limit);
	curl_easy_setopt(w->curl, CURLOPT_CONNECTTIMEOUT, limit);
	curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, drop_answer);
	set_trust(w->curl, roots);
	return set_login(j, w, e);
}

/* What no server said. */
static enum rc
curl_error(CURLcode code, const struct wire *w, struct err *e)
{
	const char *text = w->text[0] ? w->text : curl_easy_strerror(code);

	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_USE_SSL_FAILED: /* no StartTLS there */
		FAIL(e, CHY_DELIVERY_UNTRUSTED, "RFC 9525", "%s", text);
	case CURLE_LOGIN_DENIED:
		FAIL(e, CHY_DELIVERY_LOGIN, NULL, "%s", text);
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		FAIL(e, CHY_DELIVERY_RULE, NULL, "%s", text);
	case CURLE_OUT_OF_MEMORY:
		FAIL(e, CHY_NO_MEMORY, NULL, "%s", text);
	default:
		FAIL(e, CHY_DELIVERY_UNREACHED, NULL, "%s", text);
	}
}

enum rc
curl_carry_out(void *state, long *ret_status, struct err *e)
{
	struct wire *w = state;
	CURLcode code;

	w->text[0] = 0;
	code = curl_easy_perform(w->curl);
	curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, ret_status);
	forget(w);
	curl_easy_setopt(w->curl, CURLOPT_PASSWORD, NULL);
	if (code != CURLE_OK)
		return curl_error(code, w, e);
	return RC_OK;
}

/* ---- HTTP ---- */

static enum rc
judge(long status, bool removal, struct err *e)
{
	if (status >= 200 && status < 300)
		return RC_OK;
	if (removal && (status == 404 || status == 410))
		return RC_OK;
	NEED(status != 401 && status != 403 && status != 407, e, CHY_DELIVERY_LOGIN, NULL,
	     "the server answers %ld", status);
	NEED(status < 500 && status != 408 && status != 425 && status != 429, e, CHY_DELIVERY_LATER, NULL,
	     "the server answers %ld", status);
	FAIL(e, CHY_DELIVERY_REFUSED, "RFC 9110 15", "the server answers %ld%s", status,
	     status >= 300 && status < 400 ? "; redirections are not followed" : "");
}

/* What is pushed bears its key, so that the receiver knows what it had already: no answer may have come back. */
static enum rc
headers_of(const struct job *j, bool push, struct curl_slist **ret, struct err *e)
{
	const char *type = arena_printf(j->a, "Content-Type: %s", j->media_type),
		   *key = arena_printf(j->a, "Idempotency-Key: \"%.*s-%lld\"", BYTES_FMT(j->d.instance),
				       (long long)j->d.id);
	struct curl_slist *list = type ? curl_slist_append(NULL, type) : NULL,
			  *more = list && push && key ? curl_slist_append(list, key) : list;

	if (more == NULL || key == NULL) {
		curl_slist_free_all(list);
		FAIL(e, CHY_NO_MEMORY, NULL, "a request");
	}
	*ret = more;
	return RC_OK;
}

static enum rc
send_it(const struct job *j, struct wire *w, struct err *e)
{
	bool push = push_is(j), post = push || bytes_is(rule_text(j, "method"), "post"),
	     deletes = j->d.removal && !push;
	struct curl_slist *headers = NULL;
	long status = 0;
	enum rc rc;

	TRY(headers_of(j, push, &headers, e));
	if (!deletes) {
		curl_easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)j->body.n);
		curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, (const char *)j->body.p);
		curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, headers);
	}
	if (!post || deletes)
		curl_easy_setopt(w->curl, CURLOPT_CUSTOMREQUEST, deletes ? "DELETE" : "PUT");
	curl_easy_setopt(w->curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(w->curl, CURLOPT_USERAGENT, "chancery/" CHY_VERSION);
	FAULT("distributor.before-http");
	rc = curl_carry_out(w, &status, e);
	FAULT("distributor.after-http");
	curl_slist_free_all(headers);
	return rc == RC_OK ? judge(status, j->d.removal, e) : rc;
}

static enum rc
deliver(const struct job *j, void **state, struct err *e)
{
	struct bytes path, address = rule_text(j, "address");
	char *url;

	NEED(!j->d.removal || push_is(j) || !bytes_is(rule_text(j, "method"), "post"), e,
	     CHY_DELIVERY_NO_REMOVAL, NULL, "what was handed over by POST has no address of its own");
	TRY(job_fill(j, rule_text(j, "path"), PATTERN_PATH, &path, e));
	if (address.n > 0 && address.p[address.n - 1] == '/')
		address.n--;
	url = arena_printf(j->a, "%.*s%.*s", BYTES_FMT(address), BYTES_FMT(path));
	NEED(url != NULL, e, CHY_NO_MEMORY, NULL, "an address");
	TRY(curl_begin(j, state, bytes_str(url), e));
	return send_it(j, *state, e);
}

const struct protocol protocol_http = { "http", deliver, curl_end };
