/* The search for certificates: a page of it, or all that was found as a stream of JSON lines or CSV. */
#include "base/base.h"
#include "factory/search.h"
#include "factory/summary.h"
#include "gateway/rest.h"
#include "gateway/route.h"

enum { AS_JSON, AS_LINES, AS_CSV };

static const char type_json[] = "application/json", type_lines[] = "application/jsonl",
		  type_csv[] = "text/csv";

static const char *const columns[] = { "id",
				       "serial",
				       "authority",
				       "subject",
				       "alternative_names",
				       "not_before",
				       "not_after",
				       "validity",
				       "state",
				       "reason",
				       "since",
				       "subject_type",
				       "publication_allowed",
				       "published_at",
				       "ocsp_activated_at",
				       "token_procedure",
				       "certificate_procedure",
				       "sha256",
				       "issuer",
				       "authority_name",
				       "token_procedure_name",
				       "certificate_procedure_name",
				       "card_serial" };

/* RFC 4180; what a spreadsheet would take for a formula gets a quote in front, for names in it are other people's text. */
static void
put_cell(struct buf *out, const struct json *v)
{
	OWN_BUF struct buf text = buf_max(1 << 20);
	struct bytes b;

	if (v != NULL && v->type == JSON_STR)
		buf_put(&text, v->str);
	else if (v != NULL && v->type != JSON_NULL)
		json_put(&text, v);
	b = buf_bytes(&text);
	buf_u8(out, '"');
	if (b.n > 0 && strchr("=+-@\t\r", b.p[0]) != NULL)
		buf_u8(out, '\'');
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] == '"')
			buf_u8(out, '"');
		buf_u8(out, b.p[i]);
	}
	buf_u8(out, '"');
}

static void
put_csv(struct buf *out, const struct json *item)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		buf_str(out, i ? "," : "");
		put_cell(out, json_get(item, columns[i]));
	}
	buf_str(out, "\r\n");
}

/* No more than *left, which is counted down. */
static enum rc
put_items(struct http_call *c, const struct json *items, int64_t *left, struct err *e)
{
	JSON_EACH(item, items)
	{
		OWN_BUF struct buf line = buf_max(4 << 20);

		if (*left == 0)
			break;
		--*left;
		if (c->accept == AS_CSV)
			put_csv(&line, item);
		else
			json_put(&line, item);
		if (c->accept == AS_LINES)
			buf_u8(&line, '\n');
		NEED(buf_ok(&line), e, CHY_NO_MEMORY, NULL, "a line");
		TRY(http_stream_put(c, buf_bytes(&line), e));
	}
	return RC_OK;
}

/* From page to page; each has its own memory. */
static enum rc
stream_all(struct factory *f, struct http_call *c, const struct snapshot *policy, const struct officer *who,
	   struct search_query q, const struct json *first, struct err *e)
{
	OWN(arena_free)
	struct arena *page = NULL;
	const struct json *next = json_get(first, "next");
	int64_t left = q.most;

	TRY(put_items(c, json_get(first, "items"), &left, e));
	q.limit = LIMIT_PAGE;
	while (left > 0 && next != NULL && next->type == JSON_STR) {
		struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
		struct json *ret = NULL;
		enum rc rc;

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a page");
		q.after = next->str;
		rc = search_run(f, a, policy, who, &q, &ret, e);
		arena_free(page); /* the cursor lived in it */
		page = a;
		TRY(rc);
		TRY(put_items(c, json_get(ret, "items"), &left, e));
		next = json_get(ret, "next");
	}
	return RC_OK;
}

static void
stream(struct factory *f, struct http_call *c, const struct snapshot *policy, const struct officer *who,
       const struct search_query *q, const struct json *first)
{
	OWN_BUF struct buf head = buf_max(4096);
	struct err e = { 0 };
	enum rc rc = RC_OK;

	http_stream_begin(c, 200, c->accept == AS_CSV ? type_csv : type_lines);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		buf_printf(&head, "%s%s", i ? "," : "", columns[i]);
	buf_str(&head, "\r\n");
	if (c->accept == AS_CSV)
		rc = http_stream_put(c, buf_bytes(&head), &e);
	if (rc == RC_OK)
		rc = stream_all(f, c, policy, who, *q, first, &e);
	if (rc != RC_OK && e.code != CHY_CLIENT_GONE)
		LOG(ERROR, "search.export-failed", LE(&e));
	http_stream_end(c, rc == RC_OK);
}

/* The first page is asked for before anything is answered, so that a refusal is one. */
static void
post_search(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	struct search_query q;
	struct json *body, *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL || (body = rest_body(c)) == NULL)
		return;
	rc = search_read(f, c->arena, policy, body, &q, &e);
	if (rc == RC_OK)
		rc = search_run(f, c->arena, policy, who, &q, &ret, &e);
	if (rc == RC_OK && c->accept != AS_JSON)
		stream(f, c, policy, who, &q, ret);
	else
		rest_answer(c, rc, 200, ret, &e);
}

static enum rc
ask_summary(const struct asked *q, struct json **ret, struct err *e)
{
	return summary_json(q->f, q->a, q->who, ret, e);
}

const struct route rest_search_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/certificates/summary",
	  .run = rest_ask,
	  .ask = ask_summary,
	  .access = ACCESS_OFFICER,
	  .summary = "How many certificates there are, by what became of them and by when they end",
	  .tag = "certificates",
	  .answers = { type_json },
	  .answer_schema = "CertificateSummary" },
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/certificates/search",
	  .run = post_search,
	  .access = ACCESS_OFFICER,
	  .summary = "Certificates by any fields together; all of them as JSON lines or CSV",
	  .tag = "certificates",
	  .bodies = { type_json },
	  .body_schema = "SearchCall",
	  .answers = { type_json, type_lines, type_csv },
	  .answer_schema = "SearchPage" },
	{ 0 },
};
