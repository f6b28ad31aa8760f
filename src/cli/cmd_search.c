/* certificate search. */
#include "base/base.h"
#include "base/file.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/kindcmd.h"
#include "cli/options.h"
#include "cli/rest.h"
#include "cli/search.h"
#include "model/status.h"

/* Options whose value is a member's text; "a=b": option a is member b. */
static const char *const texts[][2] = {
	{ "common-name", "common_name" },
	{ "given-name", "given_name" },
	{ "surname", "surname" },
	{ "organisation", "organisation" },
	{ "organisational-unit", "organisational_unit" },
	{ "subject-serial-number", "subject_serial_number" },
	{ "country", "country" },
	{ "email", "email" },
	{ "alternative-name", "alternative_name" },
	{ "field1", "field1" },
	{ "field2", "field2" },
	{ "field3", "field3" },
	{ "field4", "field4" },
	{ "field5", "field5" },
	{ "field6", "field6" },
	{ "card-serial", "card_serial" },
	{ "serial", "serial" },
	{ "issuer", "issuer" },
	{ "authority-key-identifier", "authority_key_identifier" },
	{ "key-identifier", "subject_key_identifier" },
	{ "sha256", "sha256" },
	{ "revoked-from", "revoked_from" },
	{ "revoked-to", "revoked_to" },
	{ "published-from", "published_from" },
	{ "published-to", "published_to" },
	{ "ocsp-activated-from", "ocsp_activated_from" },
	{ "ocsp-activated-to", "ocsp_activated_to" },
	{ "valid-from-from", "valid_from_from" },
	{ "valid-from-to", "valid_from_to" },
	{ "valid-to-from", "valid_to_from" },
	{ "valid-to-to", "valid_to_to" },
	{ "subject-type", "subject_type" },
	{ "order", "order" },
};
/* Kinds of documents, named or numbered. */
static const char *const documents[][2] = { { "authority", "authority" },
					    { "token-procedure", "token_procedure" },
					    { "certificate-procedure", "certificate_procedure" } };
static const char *const lists[] = { "state", "reason" };
static const struct {
	const char *option, *member;
	bool value;
} flags[] = {
	{ "not-revoked", "is_not_revoked", true },
	{ "expired", "is_expired", true },
	{ "not-expired", "is_expired", false },
	{ "not-yet-valid", "is_not_yet_valid", true },
};

/* Any of the words that were given. */
static void
put_list(struct cli *c, struct json *q, const char *name)
{
	struct json *list = json_array(c->a);

	for (const struct arg *x = NULL; (x = args_next(&c->args, name, x)) != NULL;)
		json_add(list, json_str(c->a, bytes_str(x->value)));
	if (list == NULL || list->count > 0)
		json_set(q, name, list);
}

static enum rc
put_documents(struct cli *c, struct json *q, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		const char *which = args_text(&c->args, documents[i][0]);
		int64_t id;

		if (which == NULL)
			continue;
		TRY(document_id(c, documents[i][0], which, &id, e));
		json_set(q, documents[i][1], json_int(c->a, id));
	}
	return RC_OK;
}

enum rc
search_query(struct cli *c, struct json **ret, struct err *e)
{
	struct json *q = json_object(c->a);
	const char *text = args_text(&c->args, args_has(&c->args, "text") ? "text" : "TEXT"),
		   *publication = args_text(&c->args, "publication-allowed");

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (args_has(&c->args, texts[i][0]))
			json_set(q, texts[i][1], json_str(c->a, bytes_str(args_text(&c->args, texts[i][0]))));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		put_list(c, q, lists[i]);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (args_has(&c->args, flags[i].option))
			json_set(q, flags[i].member, json_bool(c->a, flags[i].value));
	if (text != NULL)
		json_set(q, "text", json_str(c->a, bytes_str(text)));
	if (publication != NULL)
		json_set(q, "publication_allowed", json_bool(c->a, strcmp(publication, "yes") == 0));
	if (args_has(&c->args, "descending") || args_has(&c->args, "ascending"))
		json_set(q, "descending", json_bool(c->a, args_has(&c->args, "descending")));
	NEED(q != NULL, e, CHY_NO_MEMORY, NULL, "search");
	NEED(!args_has(&c->args, "expired") || !args_has(&c->args, "not-expired"), e, CHY_CLI_USAGE, NULL,
	     "--expired and --not-expired: one of them");
	*ret = q;
	return put_documents(c, q, e);
}

/* ---- all of it, as a file ---- */

static enum rc
write_all(struct cli *c, struct json *q, const char *type, struct err *e)
{
	OWN_BUF struct buf body = buf_max(1 << 20);
	struct rest_call call = { .path = "/api/v1/certificates/search", .accept = type };
	struct rest_answer answer;
	struct rest *r;

	if (args_has(&c->args, "limit"))
		json_set(q, "most", json_int(c->a, args_int(&c->args, "limit", 0)));
	json_put(&body, q);
	call.body = buf_bytes(&body);
	TRY(cli_rest(c, &r, e));
	TRY(rest_do(r, c->a, &call, &answer, e));
	if (args_has(&c->args, "out"))
		return file_write(args_text(&c->args, "out"), answer.body, 0644, e);
	fwrite(answer.body.p, 1, answer.body.n, c->out.to);
	return RC_OK;
}

/* ---- page by page ---- */

static void
show_items(struct cli *c, struct out_table *t, struct json *all, const struct json *items, size_t most)
{
	JSON_EACH(x, items)
	{
		const struct json *reason = json_get(x, "reason");
		struct bytes cells[] = { json_line(c->a, json_get(x, "id")),
					 json_line(c->a, json_get(x, "state")),
					 reason ? json_line(c->a, reason) : BYTES_NONE,
					 json_line(c->a, json_get(x, "validity")),
					 json_line(c->a, json_get(x, "not_after")),
					 json_line(c->a, json_get(x, "subject")),
					 json_line(c->a, json_get(x, "authority_name")),
					 json_line(c->a, json_get(x, "serial")) };

		if (all->count >= most)
			return;
		if (cells[5].n == 0)
			cells[5] = json_line(c->a, json_get(x, "alternative_names"));
		out_table_row(t, cells);
		json_add(all, json_copy(c->a, x));
	}
}

/* Who has gone through all pages knows how many there are. */
static void
tell_total(struct cli *c, size_t shown, bool left, const struct json *total, const struct json *more)
{
	size_t n = total != NULL && total->type == JSON_INT ? (size_t)total->integer : 0;
	bool at_least = left && more != NULL && more->boolean;

	if (!left || n < shown)
		n = shown;
	out_note(&c->out, "%s%zu found%s\n", at_least ? "At least " : "", n,
		 at_least || n > shown ? "; --limit shows more" : "");
}

static enum rc
run_search(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "ID",      "STATE",     "REASON", "VALIDITY", "VALID TO",
					     "SUBJECT", "AUTHORITY", "SERIAL", NULL };
	size_t most = (size_t)args_int(&c->args, "limit", 100);
	struct json *q, *page, *all = json_array(c->a), *total = NULL, *more = NULL;
	const struct json *next = NULL;
	struct out_table t;
	struct rest *r;

	NEED(most >= 1, e, CHY_CLI_USAGE, NULL, "--limit: at least 1");
	TRY(search_query(c, &q, e));
	if (args_has(&c->args, "csv") || args_has(&c->args, "lines"))
		return write_all(c, q, args_has(&c->args, "csv") ? "text/csv" : "application/jsonl", e);
	NEED(all != NULL, e, CHY_NO_MEMORY, NULL, "search");
	json_set(q, "limit", json_int(c->a, most < LIMIT_PAGE ? (int64_t)most : LIMIT_PAGE));
	TRY(cli_rest(c, &r, e));
	out_table_start(&t, &c->out, c->a, heads);
	do {
		if (next != NULL)
			json_set(q, "after", json_copy(c->a, next));
		TRY(rest_json(r, c->a, "/api/v1/certificates/search", q, &page, e));
		if (total == NULL) {
			total = json_copy(c->a, json_get(page, "total"));
			more = json_copy(c->a, json_get(page, "more"));
		}
		show_items(c, &t, all, json_get(page, "items"), most);
		next = json_get(page, "next");
	} while (next != NULL && next->type == JSON_STR && all->count < most);
	out_json(&c->out, all);
	out_table_end(&t);
	tell_total(c, all->count, next != NULL && next->type == JSON_STR, total, more);
	return RC_OK;
}

/* ---- how many there are ---- */

static void
show_counted(struct cli *c, struct out_table *t, const char *of, const struct json *counted)
{
	JSON_EACH(x, counted)
	{
		out_table_row(
		    t,
		    (const struct bytes[]){ bytes_str(arena_printf(c->a, "%s%.*s", of, BYTES_FMT(x->name))),
					    json_line(c->a, x) });
	}
}

static void
show_within(struct cli *c, struct out_table *t, const char *what, const struct json *within)
{
	const struct json *more = json_get(within, "more");
	struct bytes n = json_line(c->a, json_get(within, "count"));

	out_table_row(
	    t,
	    (const struct bytes[]){
		bytes_str(arena_printf(c->a, "%s %.*s days", what,
				       BYTES_FMT(json_line(c->a, json_get(within, "days"))))),
		bytes_str(arena_printf(c->a, "%s%.*s", more != NULL && more->boolean ? "more than " : "",
				       BYTES_FMT(n))) });
}

static enum rc
run_summary(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "CERTIFICATES", "COUNT", NULL };
	struct out_table t;
	struct rest *r;
	struct json *v;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, "/api/v1/certificates/summary", NULL, &v, e));
	out_json(&c->out, v);
	out_table_start(&t, &c->out, c->a, heads);
	show_counted(c, &t, "", json_get(v, "certificates"));
	show_counted(c, &t, "attribute certificates, ", json_get(v, "attribute_certificates"));
	JSON_EACH(x, json_get(v, "ending"))
	{
		show_within(c, &t, "ending within", x);
	}
	show_within(c, &t, "ended within the last", json_get(v, "ended"));
	out_table_end(&t);
	return RC_OK;
}

const char *const search_states[] = {
#define X(e, name, label) name,
	CERT_STATES(X)
#undef X
	    NULL
};
const char *const search_reasons[] = {
#define X(e, code, name, label, help) name,
	REASONS(X)
#undef X
	    NULL
};
/* What is on hold is not revoked, and only an authority's certificate is for what became of an authority's key. */
const char *const revoke_reasons[] = { "unspecified", "key-compromise",         "affiliation-changed",
				       "superseded",  "cessation-of-operation", "privilege-withdrawn",
				       NULL };
const char *const authority_reasons[] = { "unspecified",         "key-compromise",
					  "ca-compromise",       "affiliation-changed",
					  "superseded",          "cessation-of-operation",
					  "privilege-withdrawn", NULL };
static const char *const orders[] = { "id", "valid_to", "valid_from", "since", "subject", "serial", NULL };
const char *const search_types[] = { "EE", "CA", "AC", NULL };

static const struct opt options[] = {
	SEARCH_OPTIONS,
	{ "order", "ORDER", OPT_CHOICE, 0, "id if not given, the newest first", orders },
	{ "descending", NULL, OPT_FLAG, 0, "from the greatest" },
	{ "ascending", NULL, OPT_FLAG, 0, "from the least" },
	{ "limit", "N", OPT_INT, 0, "at most so many; if not given 100, with --csv and --lines all" },
	{ "csv", NULL, OPT_FLAG, 0, "as CSV" },
	{ "lines", NULL, OPT_FLAG, 0, "as lines of JSON" },
	{ "out", "FILE", OPT_FILE, 0, "where --csv and --lines go; standard output if not given" },
	{ 0 },
};
static const struct operand words[] = {
	{ "TEXT", OPT_TEXT, 0, "words that stand anywhere in subject or alternative names" },
	{ 0 },
};

const struct command commands_search[] = {
	{ "certificate", "search", "find certificates by any fields together",
	  "All that is given must hold. Sorted by subject or serial number only where at most 1,000 are "
	  "found.",
	  options, words,
	  "chancery certificate search example.org --state revoked --revoked-from 2026-01-01 --csv",
	  run_search },
	{ "certificate", "summary", "show how many certificates there are, and how many end soon",
	  "Issued and revoked ones are all that ever were; those that end are of any state. For officers who "
	  "see every certificate.",
	  NULL, NULL, "chancery certificate summary", run_summary },
	{ 0 },
};
