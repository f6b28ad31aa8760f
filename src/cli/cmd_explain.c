/* explain: which procedure made a certificate and why, by whose word, and where the journal has it. */
#include "base/base.h"
#include "cli/certid.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/rest.h"
#include "cli/status.h"

static struct bytes
get(struct cli *c, const struct json *v, const char *name)
{
	return json_line(c->a, json_get(v, name));
}

static void
heading(struct cli *c, const char *text)
{
	out_line(&c->out, "\n");
	out_styled(&c->out, OUT_BOLD, "%s\n", text);
}

static void
show_certificate(struct cli *c, const struct json *v)
{
	static const char *const names[] = { "id",         "subject",   "issuer", "serial",
					     "not_before", "not_after", "key",    "signature_algorithm" };
	static const char *const labels[] = { "Id",         "Subject",     "Issuer", "Serial number",
					      "Valid from", "Valid until", "Key",    "Signed with" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct bytes text = get(c, v, names[i]);

		if (text.n)
			out_field(&c->out, labels[i], text);
	}
}

static void
show_choices(struct cli *c, const struct json *choices)
{
	out_field(&c->out, "Publication allowed", get(c, choices, "publication_allowed"));
	out_field(&c->out, "Revocation password",
		  bytes_is(get(c, choices, "revocation_password"), "yes") ? BYTES("set") : BYTES("none"));
}

static void
show_recovery(struct cli *c, const struct json *r)
{
	out_line(&c->out, "  recovered at %.*s into token %.*s by ", BYTES_FMT(get(c, r, "at")),
		 BYTES_FMT(get(c, r, "token")));
	out_text(&c->out, get(c, r, "name"));
	out_line(&c->out, " (officer %.*s)", BYTES_FMT(get(c, r, "officer")));
	out_line(&c->out, ", the key of certificate %.*s", BYTES_FMT(get(c, r, "certificate")));
	if (get(c, r, "issued").n)
		out_line(&c->out, ", with the new certificate %.*s", BYTES_FMT(get(c, r, "issued")));
	out_line(&c->out, "\n");
}

/* Where the server made the key or has it. */
static void
show_key(struct cli *c, const struct json *key)
{
	const struct json *archived = json_get(key, "archived");

	if (key == NULL)
		return;
	heading(c, "The key");
	if (get(c, key, "token").n)
		out_line(&c->out, "  made by the server for token %.*s\n", BYTES_FMT(get(c, key, "token")));
	if (archived == NULL || archived->type != JSON_OBJECT) {
		out_line(&c->out, "  not archived\n");
	} else {
		out_line(&c->out, "  archived at %.*s under ", BYTES_FMT(get(c, archived, "at")));
		out_text(&c->out, get(c, archived, "archive"));
		out_line(&c->out, " for ");
		out_text(&c->out, get(c, archived, "holder"));
		out_line(&c->out, "\n");
	}
	JSON_EACH(r, json_get(key, "recoveries"))
	show_recovery(c, r);
}

/* "Employee card, version 3 (id 210453)" */
static struct bytes
versioned(struct cli *c, const struct json *d)
{
	struct bytes name = get(c, d, "name");
	const char *text = arena_printf(c->a, "%.*s%sversion %.*s (id %.*s)", BYTES_FMT(name),
					name.n ? ", " : "", BYTES_FMT(get(c, d, "version")),
					BYTES_FMT(get(c, d, "id")));

	return bytes_str(text);
}

static void
show_documents(struct cli *c, const struct json *procedures)
{
	heading(c, "Documents that made it");
	JSON_EACH(d, procedures)
	{
		char label[64];

		snprintf(label, sizeof(label), "%.*s", BYTES_FMT(d->name));
		out_field(&c->out, label, versioned(c, d));
	}
}

static void
show_considered(struct cli *c, const struct json *list)
{
	if (list == NULL || list->count == 0)
		return;
	heading(c, "Certificate procedures in the list");
	JSON_EACH(item, list)
	{
		struct bytes text = get(c, item, "text");

		out_line(&c->out, "  ");
		out_text(&c->out, versioned(c, item));
		out_line(&c->out, "\n    ");
		out_text(&c->out, get(c, item, "reason"));
		if (text.n) {
			out_line(&c->out, ": ");
			out_text(&c->out, text);
		}
		out_line(&c->out, "\n");
	}
}

static void
show_rules(struct cli *c, const struct json *rules)
{
	if (rules == NULL || rules->count == 0)
		return;
	heading(c, "Rules that it passed, in order");
	JSON_EACH(rule, rules)
	{
		const struct json *name = rule->type == JSON_OBJECT ? json_get(rule, "rule") : rule;
		struct bytes note = rule->type == JSON_OBJECT ? get(c, rule, "note") : BYTES_NONE;

		out_styled(&c->out, OUT_GOOD, "  + ");
		out_text(&c->out, json_line(c->a, name));
		if (note.n) {
			out_line(&c->out, "  ");
			out_text(&c->out, note);
		}
		out_line(&c->out, "\n");
	}
}

static void
show_notes(struct cli *c, const struct json *notes)
{
	if (notes == NULL || (notes->type == JSON_ARRAY && notes->count == 0) || notes->type == JSON_NULL)
		return;
	heading(c, "Notes");
	if (notes->type != JSON_ARRAY && notes->type != JSON_OBJECT) {
		out_line(&c->out, "  ");
		out_text(&c->out, json_line(c->a, notes));
		out_line(&c->out, "\n");
		return;
	}
	JSON_EACH(n, notes)
	{
		bool pair = n->type == JSON_ARRAY && n->count == 2; /* the rule, and what it notes */

		out_line(&c->out, "  ");
		if (n->name.n || pair) {
			out_text(&c->out, pair ? json_line(c->a, n->first) : n->name);
			out_line(&c->out, ": ");
		}
		out_text(&c->out, json_line(c->a, pair ? n->last : n));
		out_line(&c->out, "\n");
	}
}

static void
show_signers(struct cli *c, const struct json *by, const struct json *signatures)
{
	heading(c, "By whose word");
	JSON_EACH(word, by && by->type == JSON_OBJECT ? by : NULL)
	{
		char label[64];

		snprintf(label, sizeof(label), "%.*s", BYTES_FMT(word->name));
		out_field(&c->out, label, json_line(c->a, word));
	}
	JSON_EACH(s, signatures)
	{
		struct bytes verdict = get(c, s, "signature");

		out_line(&c->out, "  ");
		out_text(&c->out, get(c, s, "name"));
		out_line(&c->out, " (officer %.*s)", BYTES_FMT(get(c, s, "officer")));
		if (get(c, s, "signed_at").n)
			out_line(&c->out, " at %.*s", BYTES_FMT(get(c, s, "signed_at")));
		out_line(&c->out, ", signature ");
		out_styled(&c->out, bytes_is(verdict, "verified") ? OUT_GOOD : OUT_BAD, "%.*s",
			   BYTES_FMT(verdict));
		out_line(&c->out, "\n");
	}
}

/* "notice  chancery-revocation-known: a certificate should ... — RFC 5280 4.2.1.13" */
static void
show_lint(struct cli *c, const struct json *l)
{
	struct bytes standard = get(c, l, "standard");

	out_line(&c->out, "  %.*s  ", BYTES_FMT(get(c, l, "severity")));
	out_text(&c->out, l->type == JSON_OBJECT ? get(c, l, "id") : json_line(c->a, l));
	if (get(c, l, "text").n) {
		out_line(&c->out, ": ");
		out_text(&c->out, get(c, l, "text"));
	}
	if (standard.n) {
		out_line(&c->out, " — ");
		out_text(&c->out, standard);
	}
	out_line(&c->out, "\n");
}

static void
show_lints(struct cli *c, const struct json *lints)
{
	struct bytes state = get(c, lints, "state");
	const struct json *found = json_get(lints, "found");

	heading(c, "Judged afterwards by OpenSSL and the lints");
	out_line(&c->out, "  ");
	out_styled(&c->out,
		   bytes_is(state, "bad")        ? OUT_BAD
		       : bytes_is(state, "good") ? OUT_GOOD
						 : OUT_PLAIN,
		   "%.*s", BYTES_FMT(state));
	if (get(c, lints, "judged_at").n)
		out_line(&c->out, " at %.*s", BYTES_FMT(get(c, lints, "judged_at")));
	out_line(&c->out, "\n");
	JSON_EACH(l, found && found->type == JSON_ARRAY ? found : NULL)
	{
		show_lint(c, l);
	}
}

static void
show_journal(struct cli *c, const struct json *journal)
{
	struct bytes index = get(c, journal, "index");

	heading(c, "In the journal");
	out_field(&c->out, "  leaf", get(c, journal, "leaf"));
	out_field(&c->out, "  position", index.n ? index : BYTES("waits for its place, a second at most"));
}

/* "  Directory  done, 2026-11-29T15:00:00Z" */
static void
show_delivery(struct cli *c, const struct json *d)
{
	const struct json *removal = json_get(d, "removal");
	bool back = removal != NULL && removal->type == JSON_BOOL && removal->boolean;

	out_line(&c->out, "  ");
	out_text(&c->out, get(c, json_get(d, "destination"), "name"));
	out_line(&c->out, "  %s%.*s, %.*s", back ? "taken back: " : "", BYTES_FMT(get(c, d, "state")),
		 BYTES_FMT(get(c, d, "changed_at")));
	if (get(c, d, "error").n) {
		out_line(&c->out, "  ");
		out_text(&c->out, get(c, d, "error"));
	}
	out_line(&c->out, "\n");
}

static void
show_deliveries(struct cli *c, const struct json *publications, const struct json *deliveries)
{
	if (deliveries == NULL || deliveries->count == 0)
		return;
	heading(c, "Published");
	JSON_EACH(p, publications)
	{
		struct bytes at = get(c, p, "at");

		out_line(&c->out, "  by ");
		out_text(&c->out, get(c, json_get(p, "procedure"), "name"));
		out_line(&c->out, " at %.*s\n", BYTES_FMT(at));
	}
	JSON_EACH(d, deliveries)
	show_delivery(c, d);
}

static enum rc
run_explain(struct cli *c, struct err *e)
{
	struct json *x;
	struct rest *r;
	int64_t id;

	TRY(cert_id(c, args_text(&c->args, "CERTIFICATE"), &id, e));
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, arena_printf(c->a, "/api/v1/certificates/%lld/explanation", (long long)id),
		      NULL, &x, e));
	out_json(&c->out, x);
	if (c->out.json)
		return RC_OK;
	show_certificate(c, json_get(x, "certificate"));
	show_choices(c, json_get(x, "choices"));
	heading(c, "Its status");
	status_show(c, json_get(x, "status"));
	show_key(c, json_get(x, "key"));
	show_documents(c, json_get(x, "procedures"));
	show_considered(c, json_get(x, "considered"));
	show_rules(c, json_get(x, "rules"));
	show_notes(c, json_get(x, "notes"));
	show_signers(c, json_get(x, "by"), json_get(x, "signatures"));
	show_deliveries(c, json_get(x, "publications"), json_get(x, "deliveries"));
	show_lints(c, json_get(x, "lints"));
	show_journal(c, json_get(x, "journal"));
	return RC_OK;
}

static const struct operand one[] = {
	{ "CERTIFICATE", OPT_FILE, OPT_MUST, "a file that holds it, its serial number, or its id" },
	{ 0 },
};

const struct command commands_explain[] = {
	{ "explain", NULL,
	  "tell how a certificate came about: procedure, rules, documents, officers, journal",
	  "Shows which certificate procedure was chosen and why the others of the list were not, the "
	  "versions of all "
	  "documents, the rules that were applied, the officers on whose word it was issued with their "
	  "signatures verified, "
	  "what OpenSSL and the lints found, and its place in the journal.",
	  NULL, one, "chancery explain web.pem", run_explain },
	{ 0 },
};
