/* certificate publish and unpublish; publication: the queue, destinations, dead letters. */
#include "base/base.h"
#include "cli/bulk.h"
#include "cli/certid.h"
#include "cli/choice.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/kindcmd.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/publication.h"
#include "cli/rest.h"

/* ---- publishing ---- */

struct json *
publication_named(struct cli *c, const char *text)
{
	int64_t id;

	return int_parse(bytes_str(text), 1, JSON_INT_MAX, &id, NULL) == RC_OK
	    ? json_int(c->a, id)
	    : json_str(c->a, bytes_str(text));
}

/* One of Set (a password is given), Delete, Keep current. */
enum rc
publication_password(struct cli *c, struct json *body, const struct cli_choice *choice, struct err *e)
{
	bool drop = args_has(&c->args, "delete-revocation-password"),
	     keep = args_has(&c->args, "keep-revocation-password");

	NEED((choice->form != NULL) + drop + keep <= 1, e, CHY_CLI_USAGE, NULL,
	     "a new revocation password, --delete-revocation-password or --keep-revocation-password: one of "
	     "them");
	if (choice->form != NULL)
		json_set(body, "revocation_password_sha256", choice->sha256);
	if (choice->form != NULL || drop || keep)
		json_set(body, "revocation_password",
			 json_str(c->a,
				  bytes_str(choice->form ? "set"
						: drop   ? "delete"
							 : "keep")));
	return RC_OK;
}

static void
tell_one(struct cli *c, const struct json *x, const char *done)
{
	const struct json *problem = json_get(x, "problem");
	size_t ways = json_get(x, "deliveries") ? json_get(x, "deliveries")->count : 0;

	out_line(&c->out, "Certificate %.*s ", BYTES_FMT(json_line(c->a, json_get(x, "certificate"))));
	if (problem == NULL) {
		out_line(&c->out, "%s: %zu %s\n", done, ways, ways == 1 ? "delivery" : "deliveries");
		return;
	}
	out_styled(&c->out, OUT_BAD, "refused");
	out_line(&c->out, ": ");
	out_text(&c->out, json_line(c->a, json_get(problem, "detail")));
	out_line(&c->out, " (%.*s)\n", BYTES_FMT(json_line(c->a, json_get(problem, "code"))));
}

static enum rc
tell_all(struct cli *c, const struct bulk_done *all, const char *done, struct err *e)
{
	JSON_EACH(x, all->outcomes)
	tell_one(c, x, done);
	return bulk_end(all, e);
}

enum rc
publication_tell(struct cli *c, const struct json *answer, const char *done, struct err *e)
{
	struct bulk_done all;

	TRY(bulk_of_one(c, answer, &all, e));
	return tell_all(c, &all, done, e);
}

/* What became of each; a failure where one was refused. */
static enum rc
run_many(struct cli *c, const struct bulk *b, const char *done, struct err *e)
{
	struct bulk_done all;

	TRY(bulk_run(c, b, &all, e));
	if (c->out.json) {
		bulk_json(c, &all);
		return bulk_end(&all, e);
	}
	JSON_EACH(answer, all.answers)
	flow_show_outcome(c, answer);
	return tell_all(c, &all, done, e);
}

static enum rc
run_publish(struct cli *c, struct err *e)
{
	const char *at = args_text(&c->args, "at");
	struct json *body = json_object(c->a), *secrets = NULL;
	struct cli_choice choice;

	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	TRY(cli_choice(c, &choice, e));
	json_set(body, "publication_procedure", publication_named(c, args_text(&c->args, "procedure")));
	if (at != NULL)
		json_set(body, "publish_at", json_str(c->a, bytes_str(at)));
	TRY(publication_password(c, body, &choice, e));
	if (choice.form != NULL) {
		secrets = json_object(c->a);
		json_set(secrets, "revocation_password", choice.form);
	}
	return run_many(
	    c,
	    &(struct bulk){
		.act = "certificate.publish", .body = body, .secrets = secrets, .most = LIMIT_BULK },
	    at ? "will be published" : "is queued", e);
}

static enum rc
run_unpublish(struct cli *c, struct err *e)
{
	struct json *body = json_object(c->a);

	NEED(body != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	json_set(body, "publication_procedure", publication_named(c, args_text(&c->args, "procedure")));
	return run_many(c, &(struct bulk){ .act = "certificate.unpublish", .body = body, .most = LIMIT_BULK },
			"is queued to be taken back", e);
}

/* ---- the queue ---- */

static bool
is_removal(const struct json *item)
{
	const struct json *m = json_get(item, "removal");

	return m != NULL && m->type == JSON_BOOL && m->boolean;
}

static void
delivery_row(struct cli *c, struct out_table *t, const struct json *item)
{
	bool waits = bytes_is(json_line(c->a, json_get(item, "state")), "waiting");
	struct bytes cells[] = {
		json_line(c->a, json_get(item, "id")),
		json_line(c->a, json_get(item, "state")),
		is_removal(item) ? BYTES("take back") : BYTES("publish"),
		json_line(c->a, json_get(item, "object")),
		json_line(c->a, json_get(json_get(item, "destination"), "name")),
		json_line(c->a, json_get(item, "attempts")),
		json_line(c->a, json_get(item, waits ? "next_at" : "changed_at")),
		json_line(c->a, json_get(item, "error")),
	};

	out_table_row(t, cells);
}

static enum rc
run_list(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "ID",       "STATE", "ACTION", "OBJECT", "DESTINATION",
					     "ATTEMPTS", "WHEN",  "ERROR",  NULL };
	static const char *const filters[] = { "state", "request", NULL };
	const char *certificate = args_text(&c->args, "certificate"),
		   *rule = args_text(&c->args, "destination"), *path = "/api/v1/deliveries";
	int64_t id;

	if (certificate != NULL) {
		TRY(cert_id(c, certificate, &id, e));
		path = arena_printf(c->a, "%s?certificate=%lld", path, (long long)id);
	}
	if (rule != NULL) {
		TRY(document_id(c, "distribution-rule", rule, &id, e));
		path = arena_printf(c->a, "%s%cdestination=%lld", path, certificate ? '&' : '?',
				    (long long)id);
	}
	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "list");
	return list_run(c, &(struct list){ path, filters, heads, delivery_row }, e);
}

static void
destination_row(struct cli *c, struct out_table *t, const struct json *item)
{
	static const char *const names[] = {
		"id", "name", "protocol", "waiting", "dead", "next_try", "error"
	};
	struct bytes cells[ARRAY_LEN(names)];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cells[i] = json_line(c->a, json_get(item, names[i]));
	out_table_row(t, cells);
}

static enum rc
run_destinations(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "ID",   "NAME",     "PROTOCOL", "WAITING",
					     "DEAD", "NEXT TRY", "ERROR",    NULL };
	static const char *const filters[] = { NULL };

	return list_run(c, &(struct list){ "/api/v1/destinations", filters, heads, destination_row }, e);
}

static void
published_row(struct cli *c, struct out_table *t, const struct json *item)
{
	static const char *const names[] = { "certificate", "serial", "subject", "at", "withdrawn" };
	struct bytes cells[ARRAY_LEN(names)];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cells[i] = json_line(c->a, json_get(item, names[i]));
	out_table_row(t, cells);
}

static enum rc
run_published(struct cli *c, struct err *e)
{
	static const char *const heads[] = { "CERTIFICATE", "SERIAL",     "SUBJECT",
					     "PUBLISHED",   "TAKEN BACK", NULL };
	static const char *const filters[] = { "procedure", "from", "to", NULL };

	return list_run(c, &(struct list){ "/api/v1/publications", filters, heads, published_row }, e);
}

static enum rc
decide(struct cli *c, const char *act, struct err *e)
{
	struct json *body = json_object(c->a), *list = json_array(c->a), *answer;
	int64_t id;

	NEED(body != NULL && list != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	for (const struct arg *x = NULL; (x = args_next(&c->args, "DELIVERY", x)) != NULL;) {
		TRY(int_parse(bytes_str(x->value), 1, JSON_INT_MAX, &id, e));
		json_add(list, json_int(c->a, id));
	}
	json_set(body, "deliveries", list);
	return flow_run(c, &(struct asked){ act, NULL, 0, body }, &answer, e);
}

static enum rc
run_retry(struct cli *c, struct err *e)
{
	return decide(c, "delivery.retry", e);
}

static enum rc
run_drop(struct cli *c, struct err *e)
{
	return decide(c, "delivery.drop", e);
}

static const char *const states[] = { "waiting", "done", "dead", "dropped", NULL };
static const struct opt publish_options[] = {
	{ "procedure", "NAME|ID", OPT_TEXT, OPT_MUST, "the publication procedure" },
	{ "at", "TIME", OPT_TIME, 0, "when it is to go out; at once if not given" },
	OPTIONS_PUBLICATION_PASSWORD,
	OPTIONS_BULK,
	{ 0 },
};
static const struct opt unpublish_options[] = {
	{ "procedure", "NAME|ID", OPT_TEXT, OPT_MUST, "the publication procedure" },
	OPTIONS_BULK,
	{ 0 },
};
static const struct opt list_options[] = {
	{ "state", "STATE", OPT_CHOICE, 0, "only those in this state", states },
	{ "destination", "NAME|ID", OPT_TEXT, 0, "only those of this distribution rule" },
	{ "certificate", "CERTIFICATE", OPT_TEXT, 0,
	  "all of this certificate: a file that holds it, its serial number, or its id" },
	{ "request", "ID", OPT_INT, 0, "only those of this request" },
	OPTIONS_PAGE,
	{ 0 },
};
static const struct opt published_options[] = {
	{ "procedure", "NAME|ID", OPT_TEXT, OPT_MUST, "the publication procedure" },
	{ "from", "TIME", OPT_TIME, 0, "published at or after this time" },
	{ "to", "TIME", OPT_TIME, 0, "published before this time" },
	OPTIONS_PAGE,
	{ 0 },
};
static const struct opt destination_options[] = { OPTIONS_PAGE, { 0 } };
static const struct operand many[] = {
	{ "CERTIFICATE", OPT_TEXT, OPT_MANY,
	  "its id, serial number or SHA-256 fingerprint, or a file that holds it" },
	{ 0 },
};
static const struct operand deliveries[] = {
	{ "DELIVERY", OPT_INT, OPT_MUST | OPT_MANY, "its id, as \"publication list\" shows it" },
	{ 0 },
};

const struct command commands_publication[] = {
	{ "certificate", "publish", "publish certificates by a publication procedure",
	  "One procedure for all of them. What goes out is carried out by the distributor, in the "
	  "background: "
	  "\"publication list\" shows it. An officer who manages revocation passwords publishes only "
	  "certificates that have one, unless the procedure says otherwise.",
	  publish_options, many,
	  "chancery certificate publish --officer rosa.p12 --procedure Directory 210453 210454",
	  run_publish },
	{ "certificate", "unpublish", "take published certificates back", NULL, unpublish_options, many,
	  "chancery certificate unpublish --officer rosa.p12 --procedure Directory 210453", run_unpublish },
	{ "publication", "list", "list what is to go out, has gone out, or could not", NULL, list_options,
	  NULL, "chancery publication list --state dead", run_list },
	{ "publication", "destinations", "show how each destination does", NULL, destination_options, NULL,
	  NULL, run_destinations },
	{ "publication", "published", "list what a procedure has published, by time", NULL, published_options,
	  NULL, "chancery publication published --procedure Directory --from 2026-11-01T00:00:00Z",
	  run_published },
	{ "publication", "retry", "try dead letters again", NULL, NULL, deliveries,
	  "chancery publication retry --officer rosa.p12 210999", run_retry },
	{ "publication", "drop", "give deliveries up for good", NULL, NULL, deliveries, NULL, run_drop },
	{ 0 },
};
