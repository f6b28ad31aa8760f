/* The gateway's pure parts: request heads, chunked bodies, paths and queries, Accept, bearer tokens, problem documents. */
#include "test.h"

#include <ctype.h>
#include <time.h>

#include "base/json.h"
#include "gateway/conneg.h"
#include "gateway/http.h"
#include "gateway/problem.h"
#include "gateway/uri.h"

static enum rc
parse(const char *text, struct http_head *h, struct err *e)
{
	size_t skip, n;

	TRY(http_head_find(bytes_str(text), 16384, &skip, &n, e));
	assert_int_not_equal(n, 0);
	return http_head_parse(bytes_part(bytes_str(text), skip, n), h, e);
}

static void
reads_a_request(void **state)
{
	struct http_head h;
	struct err e = { 0 };
	size_t n;

	assert_ok(parse(
	    "POST /a/b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nX-Y: \t a b \t\r\n\r\nbody", &h, &e));
	assert_int_equal(h.method, HTTP_POST);
	assert_text(h.target, "/a/b?c=d");
	assert_int_equal(h.minor, 1);
	assert_int_equal(h.length, 12);
	assert_false(h.close);
	assert_text(http_header_get(&h, "x-y", &n), "a b");
	assert_int_equal(n, 1);
	assert_int_equal(http_header_get(&h, "absent", &n).n, 0);
	assert_int_equal(n, 0);
}

static void
knows_when_the_connection_ends(void **state)
{
	struct http_head h;
	struct err e = { 0 };

	assert_ok(parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: a, Close\r\n\r\n", &h, &e));
	assert_true(h.close);
	assert_ok(parse("GET / HTTP/1.0\r\n\r\n", &h, &e));
	assert_true(h.close);
	assert_ok(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &h, &e));
	assert_false(h.close);
	assert_ok(parse("\r\nGET http://x:80/p?q HTTP/1.1\r\nHost: x\r\n\r\n", &h, &e));
	assert_text(h.target, "/p?q");
	assert_ok(parse("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", &h, &e));
	assert_text(h.target, "/");
}

static void
refuses_what_readers_disagree_about(void **state)
{
	static const struct {
		const char *text;
		enum code code;
	} rows[] = {
		{ "GET / HTTP/1.1\nHost: x\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET / HTTP/1.1\r\nHost: x\r\nA: b\r c\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET / HTTP/1.1\r\nHost: x\r\nA: b\n\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET / HTTP/1.1\r\nHost: x\r\nnocolon\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET / HTTP/1.1\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", CHY_HTTP_HEADER },
		{ "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET /\r\nHost: x\r\n\r\n", CHY_HTTP_SYNTAX },
		{ "GET / HTTP/2.0\r\nHost: x\r\n\r\n", CHY_HTTP_VERSION },
		{ "GET / HTTP/1.2\r\nHost: x\r\n\r\n", CHY_HTTP_VERSION },
		{ "get / HTTP/1.1\r\nHost: x\r\n\r\n", CHY_HTTP_METHOD },
		{ "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", CHY_HTTP_METHOD },
		{ "GET * HTTP/1.1\r\nHost: x\r\n\r\n", CHY_HTTP_TARGET },
		{ "GET x HTTP/1.1\r\nHost: x\r\n\r\n", CHY_HTTP_TARGET },
		{ "GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", CHY_HTTP_TARGET },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		  CHY_HTTP_FRAMING },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		  CHY_HTTP_FRAMING },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		  CHY_HTTP_FRAMING },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0b"
		  "chunked\r\n\r\n",
		  CHY_HTTP_SYNTAX },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n", CHY_HTTP_FRAMING },
		{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", CHY_HTTP_FRAMING },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", CHY_HTTP_FRAMING },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1,1\r\n\r\n", CHY_HTTP_FRAMING },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\n", CHY_HTTP_FRAMING },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", CHY_HTTP_FRAMING },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
		  CHY_HTTP_FRAMING },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", CHY_HTTP_FRAMING },
		{ "POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", CHY_HTTP_EXPECT },
	};
	struct http_head h;
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_code(parse(rows[i].text, &h, &e), rows[i].code);
}

static void
waits_for_the_whole_head(void **state)
{
	const char text[] = "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nrest";
	struct err e = { 0 };
	size_t skip, n;

	for (size_t i = 0; i + 5 < sizeof(text) - 1; i++) {
		assert_ok(http_head_find(bytes_of(text, i), 100, &skip, &n, &e));
		assert_int_equal(n, 0);
	}
	assert_ok(http_head_find(bytes_of(text, sizeof(text) - 1), 100, &skip, &n, &e));
	assert_int_equal(skip, 2);
	assert_int_equal(n, sizeof(text) - 1 - 2 - 4);
	assert_code(http_head_find(bytes_of(text, sizeof(text) - 1), 20, &skip, &n, &e),
		    CHY_HTTP_HEADERS_TOO_LARGE);
	assert_code(http_head_find(BYTES("\x16\x03\x01"), 100, &skip, &n, &e), CHY_HTTP_SYNTAX);
	assert_code(http_head_find(BYTES("\r\n\r\n"), 100, &skip, &n, &e), CHY_HTTP_SYNTAX);
}

static void
limits_the_number_of_headers(void **state)
{
	struct buf OWN_BUF b = buf_max(1 << 16);
	struct http_head h;
	struct err e = { 0 };

	buf_str(&b, "GET / HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < HTTP_HEADERS_MAX - 1; i++)
		buf_printf(&b, "a%d: b\r\n", i);
	buf_str(&b, "\r\n");
	assert_ok(parse(buf_cstr(&b), &h, &e));
	b.n -= 2;
	buf_str(&b, "one: more\r\n\r\n");
	assert_code(parse(buf_cstr(&b), &h, &e), CHY_HTTP_HEADERS_TOO_LARGE);
}

/* Feeds text in pieces of `step` bytes; gives the data as text in `out`. */
static enum rc
dechunk(const char *text, size_t step, uint64_t max, char *out, size_t *rest, struct err *e)
{
	struct http_chunks k = { 0 };
	uint8_t body[1024];
	size_t data = 0, end = 0, fed = 0, len = strlen(text);

	while (!k.done && fed < len) {
		size_t n = len - fed < step ? len - fed : step;

		memcpy(body + end, text + fed, n);
		end += n;
		fed += n;
		TRY(http_chunks_take(&k, body, &data, &end, max, e));
	}
	memcpy(out, body, data);
	out[data] = 0;
	*rest = k.done ? end - data + len - fed : SIZE_MAX;
	return RC_OK;
}

static void
takes_chunks_apart_in_pieces_of_any_size(void **state)
{
	const char text[] = "5\r\nhello\r\n00a;x=\"y\"\r\n, world!!!\r\n0\r\n\r\nGET /";
	struct err e = { 0 };
	char out[100];
	size_t rest;

	for (size_t step = 1; step < sizeof(text); step++) {
		assert_ok(dechunk(text, step, 15, out, &rest, &e));
		assert_string_equal(out, "hello, world!!!");
		assert_int_equal(rest, 5);
	}
	assert_code(dechunk(text, 1, 14, out, &rest, &e), CHY_HTTP_BODY_TOO_LARGE);
}

static void
refuses_wrong_chunks(void **state)
{
	static const char *const rows[] = {
		"\r\n",
		"g\r\n",
		"-1\r\n",
		"5\nhello",
		"5\r\nhelloo\r\n",
		"5 \r\nhello\r\n",
		"0\r\nTrailer: x\r\n\r\n",
		"ffffffffffffffff\r\n",
		"5;\x01\r\nhello",
		"0x5\r\nhello",
	};
	struct err e = { 0 };
	char out[100];
	size_t rest;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_code(dechunk(rows[i], 1, 100, out, &rest, &e), CHY_HTTP_FRAMING);
	assert_code(dechunk("fffffffff\r\n", 1, 100, out, &rest, &e), CHY_HTTP_BODY_TOO_LARGE);
}

static void
decodes_paths_strictly(void **state)
{
	struct arena OWN(arena_free) *a = arena_new(1 << 16);
	static const char *const wrong[] = {
		"",      "a",     "//",    "/a//b",     "/a/",
		"/.",    "/a/..", "/%2e",  "/%2E%2e/x", "/a%2fb",
		"/a%00", "/%",    "/%4",   "/%zz",      "/%c3",
		"/%ff",  "/a#b",  "/a\"b", "/%0a",      "/1/2/3/4/5/6/7/8/9/10/11/12/13",
	};
	struct uri_path p;
	struct bytes query;
	struct err e = { 0 };

	assert_ok(uri_path_parse(a, BYTES("/a/b%20c/%C3%a9~@:?x=1"), &p, &query, &e));
	assert_int_equal(p.n, 3);
	assert_text(p.segments[0], "a");
	assert_text(p.segments[1], "b c");
	assert_text(p.segments[2], "\xc3\xa9~@:");
	assert_text(query, "x=1");
	assert_ok(uri_path_parse(a, BYTES("/"), &p, &query, &e));
	assert_int_equal(p.n, 0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_code(uri_path_parse(a, bytes_str(wrong[i]), &p, &query, &e), CHY_URI);
}

static void
decodes_queries_strictly(void **state)
{
	struct arena OWN(arena_free) *a = arena_new(1 << 16);
	static const char *const wrong[] = { "a=1&a=2", "=1",   "a=%",   "a=%0d",          "a=%c3",
					     "&",       "a=1&", "a=b c", "a=1&b=2&c=3&d=4" };
	struct bytes names[3], values[3];
	struct err e = { 0 };
	size_t n;

	assert_ok(uri_query_parse(a, BYTES("a=1&b=x+y%2Bz&c"), names, values, 3, &n, &e));
	assert_int_equal(n, 3);
	assert_text(names[1], "b");
	assert_text(values[1], "x y+z");
	assert_text(names[2], "c");
	assert_int_equal(values[2].n, 0);
	assert_ok(uri_query_parse(a, BYTES(""), names, values, 3, &n, &e));
	assert_int_equal(n, 0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_code(uri_query_parse(a, bytes_str(wrong[i]), names, values, 3, &n, &e), CHY_URI_QUERY);
}

static void
encodes_what_it_decodes(void **state)
{
	struct arena OWN(arena_free) *a = arena_new(1 << 16);
	struct buf OWN_BUF b = buf_max(1000);
	struct bytes back;

	uri_put(&b, BYTES("a/b?c=d&e+f \xc3\xa9%"));
	assert_text(buf_bytes(&b), "a%2Fb%3Fc%3Dd%26e%2Bf%20%C3%A9%25");
	assert_ok(uri_decode(a, buf_bytes(&b), true, &back, NULL));
	assert_text(back, "a/b?c=d&e+f \xc3\xa9%");
}

static void
reads_base64_in_a_path(void **state)
{
	static const char *const good[] = { "+/8=", "%2b/8%3D", "%2B%2F%38%3d" },
				 *const bad[] = { "+/8", "+/8%3", "+/8%", "+/8%3g", "%00", "+_8=", "+/9=" };
	struct arena OWN(arena_free) *a = arena_new(1 << 16);
	struct bytes der;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		err_clear(&e);
		assert_ok(uri_base64(a, bytes_str(good[i]), &der, &e));
		assert_true(bytes_eq(der, BYTES("\xfb\xff")));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_clear(&e);
		if (uri_base64(a, bytes_str(bad[i]), &der, &e) == RC_OK)
			fail_msg("%s is taken", bad[i]);
		assert_int_not_equal(e.code, CHY_NONE);
	}
}

static void
chooses_a_media_type(void **state)
{
	static const char *const offers[] = { "application/json", "application/pkix-cert",
					      "application/x-pem-file", NULL };
	static const struct {
		const char *accept;
		unsigned want;
	} rows[] = {
		{ "", 0 },
		{ "*/*", 0 },
		{ "application/*", 0 },
		{ "application/pkix-cert", 1 },
		{ "APPLICATION/Pkix-Cert", 1 },
		{ "text/html, application/x-pem-file;q=0.5, application/json;q=0.4", 2 },
		{ "*/*;q=0.1, application/pkix-cert", 1 },
		{ "application/json;q=0, */*", 1 },
		{ "application/json;level=\"a,b;q=0\";q=1.000, application/pkix-cert;q=0.999", 0 },
		{ ", ,application/pkix-cert ,", 1 },
		{ "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", 0 }, /* Java before 19 */
		{ "*", 0 },
		{ "application/json;q=.2, application/pkix-cert;q=.25", 1 },
	};
	static const char *const wrong[] = { "application",
					     "application/json;q=2",
					     "application/json;q=0.1234",
					     "a/b c/d",
					     "a/b;x",
					     "a/b;x=\"",
					     "application/json;q=-1",
					     "application/json;q=.",
					     "application/json;q=.1234",
					     "application/json;q=..1",
					     "text",
					     "**",
					     "*json",
					     "(/)" };
	struct err e = { 0 };
	unsigned got;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(accept_choose(bytes_str(rows[i].accept), offers, &got, &e));
		assert_int_equal(got, rows[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_code(accept_choose(bytes_str(wrong[i]), offers, &got, &e), CHY_HTTP_HEADER);
	assert_code(accept_choose(BYTES("text/html"), offers, &got, &e), CHY_NOT_ACCEPTABLE);
	assert_code(accept_choose(BYTES("*/*;q=0"), offers, &got, &e), CHY_NOT_ACCEPTABLE);
}

static void
reads_content_types_and_tokens(void **state)
{
	static const char *const wrong[] = { "",           "Basic abc",  "Bearer",         "Bearer ",
					     "Bearer a b", "Bearer a=b", "Bearer \xc3\xa9" };
	struct bytes token;
	struct err e = { 0 };

	assert_text(media_type(BYTES("application/json; charset=UTF-8")), "application/json");
	assert_text(media_type(BYTES(" application/pkcs10 ")), "application/pkcs10");
	assert_int_equal(media_type(BYTES("application/json; charset=latin1")).n, 0);
	assert_int_equal(media_type(BYTES("application/json x")).n, 0);
	assert_int_equal(media_type(BYTES("json")).n, 0);
	assert_ok(bearer_token(BYTES("bearer aZ09-._~+/=="), &token, &e));
	assert_text(token, "aZ09-._~+/==");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_code(bearer_token(bytes_str(wrong[i]), &token, &e), CHY_BEARER);
}

static void
writes_problem_documents(void **state)
{
	struct arena OWN(arena_free) *a = arena_new(1 << 16);
	struct buf OWN_BUF b = buf_max(4000);
	struct err e = { 0 };
	struct json *o;
	struct bytes s;
	int64_t n;

	err_cause(&e, CHY_KEY_ALG);
	(void)!err_set(&e, CHY_JSON_TYPE, "RFC 8259", "not a \"number\"");
	err_field(&e, "subject.cn");
	err_rule(&e, "rule-7");
	problem_put(&b, &e, NULL, 42);
	assert_ok(json_parse(a, buf_bytes(&b), &o, NULL));
	assert_ok(json_need_str(o, "type", &s, NULL));
	assert_text(s, "urn:chancery:problem:CHY-1008");
	assert_ok(json_need_str(o, "code", &s, NULL));
	assert_text(s, "CHY-1008");
	assert_ok(json_need_str(o, "cause", &s, NULL));
	assert_text(s, "CHY-1140");
	assert_ok(json_need_str(o, "field", &s, NULL));
	assert_text(s, "subject.cn");
	assert_ok(json_need_str(o, "rule", &s, NULL));
	assert_text(s, "rule-7");
	assert_ok(json_need_str(o, "detail", &s, NULL));
	assert_text(s, "not a \"number\"");
	assert_ok(json_need_int(o, "status", 400, 400, &n, NULL));
}

static void
keeps_internal_details_to_itself(void **state)
{
	struct buf OWN_BUF b = buf_max(4000);
	struct err e = { 0 };

	(void)!err_set(&e, CHY_INTERNAL, NULL, "pointer 0x1234 of the secret thing");
	problem_put(&b, &e, NULL, 1);
	assert_int_equal(problem_status(&e), 500);
	assert_null(strstr(buf_cstr(&b), "secret"));
}

/* Every code has an HTTP status that fits it, so that no refusal is a 200 or a surprise. */
static void
has_a_status_for_every_code(void **state)
{
	const enum code *codes;
	size_t n = code_list(&codes);

	for (size_t i = 0; i < n; i++) {
		struct err e = { .code = codes[i], .rc = code_rc(codes[i]) };
		int status = problem_status(&e);

		assert_in_range(status, 400, 599);
		assert_string_not_equal(http_status_text(status), "Unknown");
		if (e.rc == RC_DENIED || e.rc == RC_MALFORMED || e.rc == RC_NOT_FOUND || e.rc == RC_CONFLICT)
			assert_true(status < 500 || e.code == CHY_HTTP_METHOD || e.code == CHY_HTTP_VERSION);
	}
}

/* RFC 9110 5.6.2 */
static void
takes_tokens_only_as_names(void **state)
{
	for (int c = 1; c < 256; c++) {
		char text[64];
		struct http_head h;
		bool token = isalnum(c) || strchr("!#$%&'*+-.^_`|~", c) != NULL;

		if (c == '\r' || c == '\n' || c == ':')
			continue;
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: x\r\nA%cB: c\r\n\r\n", c);
		assert_int_equal(parse(text, &h, NULL) == RC_OK, token);
	}
}

static void
writes_dates(void **state)
{
	for (int64_t at = 0; at < 300ll * 365 * 86400; at += 86400 * 13 + 7919) {
		char ours[32], theirs[40];
		time_t t = (time_t)at;
		struct tm tm;

		http_date(ours, 1000 * at + 999);
		gmtime_r(&t, &tm);
		strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		assert_string_equal(ours, theirs);
		assert_int_equal(strlen(ours), HTTP_DATE);
	}
}

static const struct CMUnitTest tests[] = {
	CASE(takes_tokens_only_as_names),
	CASE(writes_dates),
	CASE(reads_a_request),
	CASE(knows_when_the_connection_ends),
	CASE(refuses_what_readers_disagree_about),
	CASE(waits_for_the_whole_head),
	CASE(limits_the_number_of_headers),
	CASE(takes_chunks_apart_in_pieces_of_any_size),
	CASE(refuses_wrong_chunks),
	CASE(decodes_paths_strictly),
	CASE(decodes_queries_strictly),
	CASE(encodes_what_it_decodes),
	CASE(reads_base64_in_a_path),
	CASE(chooses_a_media_type),
	CASE(reads_content_types_and_tokens),
	CASE(writes_problem_documents),
	CASE(keeps_internal_details_to_itself),
	CASE(has_a_status_for_every_code),
};
TESTS_MAIN(tests)
