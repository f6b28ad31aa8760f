/* issuing-session: one signature of an officer that lets a machine issue. */
#include "base/base.h"
#include "base/file.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/list.h"
#include "cli/options.h"
#include "crypto/digest.h"
#include "crypto/rand.h"

enum { TOKEN_LEN = 32, TOKEN_TEXT = 48, HOURS_DEFAULT = 8 };

/* The token stays here; what is signed, and what the server learns now, is its hash. */
static enum rc
make_token(char token[TOKEN_TEXT], char hash[2 * SHA256_LEN + 1], struct err *e)
{
	OWN_BUF struct buf text = buf_max(TOKEN_TEXT);
	uint8_t random[TOKEN_LEN], digest[SHA256_LEN];

	TRY(rand_bytes(random, sizeof(random), e));
	base64url_put(&text, BYTES_OF(random));
	NEED(buf_ok(&text), e, CHY_NO_MEMORY, NULL, "token");
	snprintf(token, TOKEN_TEXT, "%s", buf_cstr(&text));
	sha256(bytes_str(token), digest);
	hex_text(hash, BYTES_OF(digest));
	return RC_OK;
}

static enum rc
make_body(struct cli *c, const char *hash, struct json **ret, struct err *e)
{
	struct json *body = json_object(c->a), *list = json_array(c->a);
	const char *until = args_text(&c->args, "until"), *name = args_text(&c->args, "name");
	char at[32];

	NEED(body && list, e, CHY_NO_MEMORY, NULL, "session");
	for (const struct arg *x = NULL; (x = args_next(&c->args, "procedure", x)) != NULL;) {
		int64_t id;

		json_add(list,
			 int_parse(bytes_str(x->value), 1, JSON_INT_MAX, &id, NULL) == RC_OK
			     ? json_int(c->a, id)
			     : json_str(c->a, bytes_str(x->value)));
	}
	if (until == NULL) {
		int64_t hours = args_int(&c->args, "hours", HOURS_DEFAULT);

		NEED(hours >= 1 && hours <= 24 * 366, e, CHY_CLI_USAGE, NULL, "--hours: 1 to %d", 24 * 366);
		until = time_text(at, (clock_now_ms() / 1000 + hours * 3600) * 1000);
	}
	json_set(body, "token_procedures", list);
	json_set(body, "certificates_max", json_int(c->a, args_int(&c->args, "max", 0)));
	json_set(body, "expires_at", json_str(c->a, bytes_str(until)));
	json_set(body, "token_sha256", json_str(c->a, bytes_str(hash)));
	if (name)
		json_set(body, "name", json_str(c->a, bytes_str(name)));
	*ret = body;
	return RC_OK;
}

static enum rc
give_token(struct cli *c, const char *token, struct err *e)
{
	const char *out = args_text(&c->args, "out");
	struct json *v = json_object(c->a);

	if (out) {
		TRY(file_write(out, bytes_str(arena_printf(c->a, "%s\n", token)), 0600, e));
		out_note(&c->out,
			 "The token is in %s; who has it can issue. Use: chancery certificate issue "
			 "--session %s\n",
			 out, out);
		return RC_OK;
	}
	if (c->out.json) {
		json_set(v, "token", json_str(c->a, bytes_str(token)));
		out_json(&c->out, v);
		return RC_OK;
	}
	out_note(&c->out, "The token, shown this once; who has it can issue:\n");
	out_line(&c->out, "%s\n", token);
	return RC_OK;
}

static enum rc
run_open(struct cli *c, struct err *e)
{
	char token[TOKEN_TEXT], hash[2 * SHA256_LEN + 1];
	struct json *body = NULL, *answer = NULL;
	struct bytes state;

	NEED(args_int(&c->args, "max", 0) > 0, e, CHY_CLI_USAGE, NULL, "--max: at least 1");
	TRY(make_token(token, hash, e));
	TRY(make_body(c, hash, &body, e));
	TRY(flow_run(c, &(struct asked){ "issuing-session.open", NULL, 0, body }, &answer, e));
	state = json_line(c->a, json_get(answer, "state"));
	NEED(bytes_is(state, "done"), e, CHY_CLI_ANSWER, NULL, "the session's request is in state %.*s",
	     BYTES_FMT(state));
	return give_token(c, token, e);
}

static const struct opt open_options[] = {
	{ "procedure", "NAME|ID", OPT_TEXT, OPT_MUST | OPT_MANY, "a token procedure that may be used" },
	{ "max", "N", OPT_INT, OPT_MUST, "how many certificates may be issued" },
	{ "hours", "N", OPT_INT, 0, "how long it stays open; 8 if neither this nor --until is given" },
	{ "until", "TIME", OPT_TIME, 0, "when it ends" },
	{ "name", "TEXT", OPT_TEXT, 0, "what it is for" },
	{ "out", "FILE", OPT_FILE, 0,
	  "write the token into FILE, readable by its owner alone, and do not show it" },
	{ 0 },
};

static void
row(struct cli *c, struct out_table *t, const struct json *item)
{
	const struct json *made = json_get(item, "certificates_made"),
			  *most = json_get(item, "certificates_max");
	struct bytes cells[6] = { json_line(c->a, json_get(item, "id")),
				  json_line(c->a, json_get(item, "officer_name")),
				  json_line(c->a, json_get(item, "name")),
				  bytes_str(arena_printf(c->a, "%lld of %lld",
							 made ? (long long)made->integer : 0,
							 most ? (long long)most->integer : 0)),
				  json_line(c->a, json_get(item, "expires_at")),
				  json_line(c->a, json_get(item, "state")) };

	out_table_row(t, cells);
}

static enum rc
run_list(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "ID", "OFFICER", "FOR", "MADE", "UNTIL", "STATE", NULL };
	static const char *const filters[] = { NULL };

	return list_run(c, &(struct list){ "/api/v1/issuing-sessions", filters, heads, row }, e);
}

static enum rc
run_close(struct cli *c, struct err *e)
{
	struct json *body = json_object(c->a), *answer;
	const char *reason = args_text(&c->args, "reason");

	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	json_set(body, "session", json_int(c->a, args_int(&c->args, "ID", 0)));
	json_set(body, "reason", json_str(c->a, bytes_str(reason)));
	TRY(flow_run(c, &(struct asked){ "issuing-session.close", NULL, 0, body }, &answer, e));
	flow_show_outcome(c, answer);
	return RC_OK;
}

static const struct opt close_options[] = {
	{ "reason", "TEXT", OPT_TEXT, OPT_MUST, "why; it stands in the journal" },
	{ 0 },
};

static const struct operand session_id[] = {
	{ "ID", OPT_INT, OPT_MUST, "the session, as issuing-session list shows it" }, { 0 }
};

static const struct opt list_options[] = { OPTIONS_PAGE, { 0 } };

const struct command commands_session[] = {
	{ "issuing-session", "open", "let whoever holds a token issue certificates in your name",
	  "Makes a random token here. The officer signs its hash together with what it may do; the token "
	  "itself is shown once "
	  "and kept nowhere. Everything issued with it is attributed to this signature in the journal.",
	  open_options, NULL,
	  "chancery issuing-session open --officer carl.p12 --procedure \"Web server\" --max 1000 --hours 24 "
	  "--out token",
	  run_open },
	{ "issuing-session", "list",
	  "list issuing sessions: your own, and those of officers whom you may close", NULL, list_options,
	  NULL, "chancery issuing-session list", run_list },
	{ "issuing-session", "close", "end an issuing session before its time",
	  "Nothing is issued by its token from then on. For who opened it, and for officers who may change "
	  "that one.",
	  close_options, session_id,
	  "chancery issuing-session close 4711 --reason \"the token got out\" --officer anna.p12",
	  run_close },
	{ 0 },
};
