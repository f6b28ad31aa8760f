/* status, whoami, doctor: how the server is, and whether this command line can work with it. */
#include "base/base.h"
#include "cli/cli.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/key.h"
#include "cli/rest.h"
#include "pki/cert.h"
#include "policy/standing.h"

static void
show_members(struct cli *c, const struct json *v, const char *prefix)
{
	JSON_EACH(member, v)
	{
		char name[96];

		snprintf(name, sizeof(name), "%s%.*s", prefix, BYTES_FMT(member->name));
		if (member->type == JSON_OBJECT) {
			size_t n = strlen(name);

			snprintf(name + n, sizeof(name) - n, ".");
			show_members(c, member, name);
		} else
			out_field(&c->out, name,
				  member->type == JSON_NULL ? BYTES("-") : json_line(c->a, member));
	}
}

static enum rc
show_path(struct cli *c, const char *path, struct json **ret, struct err *e)
{
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, path, NULL, ret, e));
	out_json(&c->out, *ret);
	if (!c->out.json)
		show_members(c, *ret, "");
	return RC_OK;
}

/* What should not be overlooked among the figures. */
static void
tell_of_officers(struct cli *c, const struct json *officers)
{
	const struct json *ends = json_get(officers, "pair_ends");
	struct bytes until = json_line(c->a, json_get(officers, "pair_until"));

	if (ends == NULL || ends->type != JSON_BOOL || !ends->boolean || c->out.json)
		return;
	if (until.n == 0)
		fprintf(c->out.err, "ATTENTION: fewer than two officers who could administer are left.\n");
	else
		fprintf(c->out.err,
			"ATTENTION: from %.*s on fewer than two officers who could administer are left: "
			"renew their "
			"certificates before (chancery officer renew).\n",
			BYTES_FMT(until));
}

static void
tell_of_authorities(struct cli *c, const struct json *figures)
{
	int64_t ending = 0, ended = 0;

	if (json_need_int(figures, "ending", 0, JSON_INT_MAX, &ending, NULL) != RC_OK ||
	    json_need_int(figures, "ended", 0, JSON_INT_MAX, &ended, NULL) != RC_OK || c->out.json)
		return;
	if (ended > 0)
		fprintf(
		    c->out.err,
		    "ATTENTION: the certificates of %lld authorities have ended (chancery authority list).\n",
		    (long long)ended);
	if (ending > 0)
		fprintf(
		    c->out.err,
		    "ATTENTION: the certificates of %lld authorities end soon, the first at %.*s (chancery "
		    "authority list, chancery authority renew).\n",
		    (long long)ending, BYTES_FMT(json_line(c->a, json_get(figures, "next_end"))));
}

static void
tell_of_lists(struct cli *c, const struct json *figures, const char *what, const char *command)
{
	int64_t late = 0, failing = 0;

	if (json_need_int(figures, "late", 0, JSON_INT_MAX, &late, NULL) != RC_OK ||
	    json_need_int(figures, "failing", 0, JSON_INT_MAX, &failing, NULL) != RC_OK || c->out.json)
		return;
	if (late > 0)
		fprintf(c->out.err,
			"ATTENTION: the %s lists of %lld procedures are late (chancery %s list).\n", what,
			(long long)late, command);
	if (failing > 0)
		fprintf(c->out.err,
			"ATTENTION: the %s lists of %lld procedures cannot be built (chancery %s list).\n",
			what, (long long)failing, command);
}

/* What keeps the server from its work, by what /readyz says: texts such as "store: ... (CHY-1204)". */
static struct json *
readiness_lacks(struct cli *c, const struct json *says)
{
	struct json *list = json_array(c->a);
	const struct json *stopping = json_get(says, "stopping");

	JSON_EACH(check, json_get(says, "checks"))
	{
		const struct json *good = json_get(check, "ok");

		if (good != NULL && good->type == JSON_BOOL && good->boolean)
			continue;
		json_add(
		    list,
		    json_str(c->a,
			     bytes_str(arena_printf(c->a, "%.*s: %.*s (%.*s)",
						    BYTES_FMT(json_line(c->a, json_get(check, "name"))),
						    BYTES_FMT(json_line(c->a, json_get(check, "detail"))),
						    BYTES_FMT(json_line(c->a, json_get(check, "code")))))));
	}
	if (stopping != NULL && stopping->type == JSON_BOOL && stopping->boolean)
		json_add(list, json_str(c->a, BYTES("it is stopping")));
	return list;
}

/* As /readyz says; where it could not be asked, "ready" is null and code and detail say why. */
static struct json *
ask_readiness(struct cli *c)
{
	struct rest_answer answer = { 0 };
	struct err why = { 0 };
	struct rest *r;
	struct json *o;

	if (cli_rest(c, &r, &why) == RC_OK && rest_readiness(r, c->a, &answer, &why) == RC_OK)
		return answer.json;
	o = json_object(c->a);
	json_set(o, "ready", json_null(c->a));
	json_set(o, "code", json_str(c->a, bytes_str(arena_printf(c->a, "CHY-%d", (int)why.code))));
	json_set(o, "detail", json_str(c->a, bytes_str(why.text)));
	return o;
}

/* The figures are of the server's memory: they go on being told while it cannot do its work. */
static void
tell_of_readiness(struct cli *c, const struct json *says)
{
	struct out to_err = c->out;

	to_err.to = c->out.err;
	if (json_get(says, "checks") == NULL) {
		fputs("ATTENTION: whether the server can do its work is not known: ", to_err.to);
		out_text(&to_err, json_line(c->a, json_get(says, "detail")));
		fprintf(to_err.to, " (%.*s)\n", BYTES_FMT(json_line(c->a, json_get(says, "code"))));
		return;
	}
	JSON_EACH(text, readiness_lacks(c, says))
	{
		fputs("ATTENTION: the server cannot do its work: ", to_err.to);
		out_text(&to_err, text->str);
		fputc('\n', to_err.to);
	}
}

static enum rc
run_status(struct cli *c, struct err *e)
{
	struct json *v, *readiness;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, "/api/v1/status", NULL, &v, e));
	readiness = ask_readiness(c);
	if (c->out.json) {
		json_set(v, "readiness", readiness);
		out_json(&c->out, v);
	} else {
		show_members(c, v, "");
		tell_of_readiness(c, readiness);
	}
	tell_of_officers(c, json_get(v, "officers"));
	tell_of_authorities(c, json_get(v, "authorities"));
	tell_of_lists(c, json_get(v, "crls"), "revocation", "crl");
	tell_of_lists(c, json_get(v, "cils"), "issuance", "cil");
	return RC_OK;
}

static enum rc
run_whoami(struct cli *c, struct err *e)
{
	struct json *v;

	return show_path(c, "/api/v1/whoami", &v, e);
}

/* ---- doctor ---- */

enum { SKEW_MAX_MS = 5000 };

struct check_up {
	struct cli *c;
	struct json *findings;
	bool well;
};

enum verdict { WELL, WARNING, ILL };

static void
finding(struct check_up *d, enum verdict v, const char *what, const char *text)
{
	static const char *const words[] = { "good", "warning", "bad" };
	static const int styles[] = { OUT_GOOD, OUT_PLAIN, OUT_BAD };
	struct json *o = json_object(d->c->a);

	d->well = d->well && v != ILL;
	json_set(o, "check", json_str(d->c->a, bytes_str(what)));
	json_set(o, "verdict", json_str(d->c->a, bytes_str(words[v])));
	json_set(o, "text", json_str(d->c->a, bytes_str(text)));
	json_add(d->findings, o);
	out_styled(&d->c->out, styles[v], "%-8s", words[v]);
	out_line(&d->c->out, "%-16s", what);
	if (!d->c->out.json)
		out_text(&d->c->out, bytes_str(text));
	out_line(&d->c->out, "\n");
}

static void
failure(struct check_up *d, const char *what, const struct err *e)
{
	finding(d, ILL, what,
		arena_printf(d->c->a, "%s%s%s (CHY-%d)", e->field, e->field[0] ? ": " : "", e->text,
			     (int)e->code));
}

static void
check_settings(struct check_up *d)
{
	const struct settings *s = &d->c->set;

	finding(d, WELL, "settings", s->file ? s->file : "none; options and environment only");
	finding(d, s->server ? WELL : ILL, "server",
		s->server ? s->server : "none: --server, CHANCERY_SERVER, or the settings file");
	if (s->server && bytes_starts(bytes_str(s->server), "http://"))
		finding(d, WARNING, "server", "without TLS nobody can act as an officer");
	finding(d, s->officer ? WELL : WARNING, "officer",
		s->officer ? s->officer : "none: nothing can be signed");
}

static void
check_officer(struct check_up *d)
{
	struct officer_key *key;
	struct standing standing;
	struct err e = { 0 };
	struct cert cert;
	char at[32];

	if (d->c->set.officer == NULL)
		return;
	if (cli_officer(d->c, &key, &e) != RC_OK ||
	    cert_parse(d->c->a, officer_key_cert(key), &cert, &e) != RC_OK) {
		failure(d, "officer's key", &e);
		d->c->set.officer = NULL; /* the rest is looked at without it */
		return;
	}
	standing = (struct standing){ CREDENTIAL_GOOD, cert.not_before_at, cert.not_after_at };
	finding(d, WELL, "officer's key", officer_key_name(key));
	finding(d,
		cert.not_after_at < clock_now_ms()                  ? ILL
		    : standing_ends_soon(&standing, clock_now_ms()) ? WARNING
								    : WELL,
		"certificate", arena_printf(d->c->a, "valid until %s", time_text(at, cert.not_after_at)));
}

static bool
check_server(struct check_up *d)
{
	struct rest_answer answer;
	struct json *lacks;
	struct err e = { 0 };
	struct rest *r;
	int64_t skew_ms;

	if (d->c->set.server == NULL)
		return false;
	if (cli_rest(d->c, &r, &e) != RC_OK || rest_readiness(r, d->c->a, &answer, &e) != RC_OK) {
		failure(d, "reached", &e);
		return false;
	}
	lacks = readiness_lacks(d->c, answer.json);
	finding(d, WELL, "reached", lacks->count == 0 ? "ready" : "it answers");
	JSON_EACH(text, lacks)
	finding(d, ILL, "ready", arena_str(d->c->a, text->str));
	if (answer.server_at_ms == 0)
		return true;
	skew_ms = answer.server_at_ms - clock_now_ms(); /* Date has whole seconds */
	finding(d, skew_ms > SKEW_MAX_MS || skew_ms < -SKEW_MAX_MS ? WARNING : WELL, "clock",
		arena_printf(d->c->a, "the server's is %lld s %s",
			     (long long)((skew_ms < 0 ? -skew_ms : skew_ms) / 1000),
			     skew_ms < 0 ? "behind" : "ahead"));
	return true;
}

static void
check_who(struct check_up *d)
{
	struct err e = { 0 };
	struct rest *r;
	struct json *v;

	if (d->c->set.officer == NULL)
		return;
	if (cli_rest(d->c, &r, &e) == RC_OK && rest_json(r, d->c->a, "/api/v1/whoami", NULL, &v, &e) == RC_OK)
		finding(d, WELL, "logged in",
			arena_printf(d->c->a, "as %.*s", BYTES_FMT(json_line(d->c->a, json_get(v, "name")))));
	else
		failure(d, "logged in", &e);
}

enum rc
doctor_settings(struct cli *c, struct err *e)
{
	struct check_up d = { c, json_array(c->a), true };

	NEED(d.findings != NULL, e, CHY_NO_MEMORY, NULL, "findings");
	check_settings(&d);
	check_officer(&d);
	if (check_server(&d))
		check_who(&d);
	out_json(&c->out, d.findings);
	NEED(d.well, e, CHY_CLI_SOME_FAILED, NULL, "not everything is well");
	return RC_OK;
}

const struct command commands_server[] = {
	{ "status", NULL, "show how the server is", NULL, NULL, NULL, NULL, run_status },
	{ "whoami", NULL, "show who the server takes you for, and your roles", NULL, NULL, NULL, NULL,
	  run_whoami },
	{ 0 },
};
