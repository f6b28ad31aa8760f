#include "base/base.h"
#include "cli/fetch.h"

#include <curl/curl.h>
#include <pthread.h>

enum { REDIRECTS_MAX = 3, CONNECT_MS = 5000 };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
init_library(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;

	buf_put(b, bytes_of(p, size * n));
	return buf_ok(b) ? size * n : 0;
}

/* The last one counts: of the answer behind redirects. */
static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct bytes line = bytes_of(p, size * n), value, name = text_cut(line, ':', &value);
	char text[64];
	int64_t *date = arg;
	time_t at;

	if (ascii_case_eq(name, BYTES("Date"))) {
		snprintf(text, sizeof(text), "%.*s", BYTES_FMT(text_trim(value)));
		at = curl_getdate(text, NULL);
		*date = at > 0 ? (int64_t)at * 1000 : 0;
	}
	return size * n;
}

static void
set_options(CURL *c, const struct fetch *f, char *text, struct buf *body, int64_t *date)
{
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, text);
	curl_easy_setopt(c, CURLOPT_URL, f->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, f->timeout_ms);
	curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)f->max);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "chancery-doctor/" CHY_VERSION);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, date);
}

static void
take_answer(CURL *c, struct fetched *ret)
{
	struct bytes rest;
	char *type = NULL;

	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &ret->status);
	if (curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != NULL)
		snprintf(ret->type, sizeof(ret->type), "%.*s",
			 BYTES_FMT(text_trim(text_cut(bytes_str(type), ';', &rest))));
}

enum rc
fetch_do(struct arena *a, const struct fetch *f, struct fetched *ret, struct err *e)
{
	OWN_BUF struct buf body = buf_max(f->max);
	struct curl_slist *headers = NULL;
	char text[CURL_ERROR_SIZE] = "", line[160];
	CURLcode rc;
	CURL *c;

	*ret = (struct fetched){ 0 };
	pthread_once(&once, init_library);
	c = curl_easy_init();
	NEED(c != NULL, e, CHY_NO_MEMORY, NULL, "a connection");
	set_options(c, f, text, &body, &ret->date_ms);
	if (f->post.p != NULL) {
		snprintf(line, sizeof(line), "Content-Type: %s", f->post_type);
		headers = curl_slist_append(headers, line);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->post.n);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, (const char *)f->post.p);
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	}
	rc = curl_easy_perform(c);
	if (rc == CURLE_OK)
		take_answer(c, ret);
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	NEED(buf_ok(&body) && rc != CURLE_FILESIZE_EXCEEDED, e, CHY_FETCH, NULL,
	     "it sends more than %zu octets", f->max);
	NEED(rc == CURLE_OK, e, CHY_FETCH, NULL, "%s", text[0] ? text : curl_easy_strerror(rc));
	ret->body = arena_dup(a, buf_bytes(&body));
	NEED(ret->body.p != NULL, e, CHY_NO_MEMORY, NULL, "an answer");
	return RC_OK;
}
