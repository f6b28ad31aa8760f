/* policy starter: the documents of the common cases as files, for officers to look at, complete and sign. */
#include "base/base.h"
#include "cli/groups.h"
#include "cli/out.h"
#include "cli/policy_folder.h"
#include "policy/path.h"
#include "cli/policy_set.h"
#include "policy/starter.h"

struct starting {
	struct cli *c;
	struct policy_writer w;
	const char *authority, *disclosure;
	size_t written, kept;
};

static bool
is_named(const struct cli *c, const char *case_)
{
	for (const struct arg *x = args_next(&c->args, "case", NULL); x != NULL;
	     x = args_next(&c->args, "case", x))
		if (strcmp(x->value, case_) == 0)
			return true;
	return false;
}

/* A qualified certificate points to a disclosure statement (EN 319 412-5 4.3.4), which only the house has. */
static bool
needs_disclosure(const char *case_)
{
	return strncmp(case_, "qualified-", strlen("qualified-")) == 0;
}

static bool
is_wanted(const struct starting *s, const char *case_)
{
	if (args_has(&s->c->args, "case"))
		return is_named(s->c, case_);
	return strcmp(case_, "setup") != 0 && (s->disclosure != NULL || !needs_disclosure(case_));
}

static enum rc
check_options(struct starting *s, struct err *e)
{
	NEED(s->disclosure == NULL || strncmp(s->disclosure, "https://", 8) == 0, e, CHY_CLI_USAGE,
	     "EN 319 412-5 4.3.4", "--disclosure: an address that begins with https:// is expected");
	for (const char *const *x = starter_cases; *x != NULL; x++)
		NEED(s->disclosure != NULL || !needs_disclosure(*x) || !is_named(s->c, *x), e, CHY_CLI_USAGE,
		     "EN 319 412-5 4.3.4",
		     "%s needs --disclosure, the address of the PKI disclosure statement", *x);
	return RC_OK;
}

/* In English: EN 319 412-5 4.3.4 wants one that is. */
static void
put_disclosure(struct starting *s, struct json *body)
{
	struct arena *a = s->c->a;
	struct json *qc = json_get(body, "qc_statements"), *list = json_array(a), *one = json_object(a);

	if (qc == NULL)
		return;
	json_set(one, "url", json_str(a, bytes_str(s->disclosure)));
	json_set(one, "language", json_str(a, BYTES("en")));
	json_add(list, one);
	json_set(qc, "disclosures", list);
}

static enum rc
write_one(struct starting *s, const struct starter_document *d, struct err *e)
{
	struct arena *a = s->c->a;
	const char *path = path_join(a, "", bytes_str(d->name));
	struct bytes text;
	struct json *body;
	bool written;

	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "the starter set");
	TRY(json_parse(a, bytes_str(d->text), &body, e));
	if (d->kind == KIND_CERTIFICATE_PROCEDURE) {
		json_set(body, "authority", json_str(a, bytes_str(s->authority)));
		put_disclosure(s, body);
	}
	TRY(policy_text(a, body, &text, e));
	TRY(policy_folder_add(&s->w, d->kind, path, text, &written, e));
	s->written += written;
	s->kept += !written;
	if (!written && !s->c->out.json)
		out_line(&s->c->out, "kept  %s/%s.json\n", kind_name(d->kind), path);
	return RC_OK;
}

static enum rc
write_all(struct starting *s, struct err *e)
{
	struct json *manifest = json_object(s->c->a);
	struct bytes text;

	json_set(manifest, "format", json_str(s->c->a, BYTES(POLICY_FORMAT)));
	json_set(manifest, "part", json_bool(s->c->a, true)); /* only where no other manifest is there */
	TRY(policy_text(s->c->a, manifest, &text, e));
	TRY(policy_folder_mark(&s->w, text, e));
	for (size_t i = 0; i < starter_documents_n; i++)
		if (is_wanted(s, starter_documents[i].case_))
			TRY(write_one(s, &starter_documents[i], e));
	return RC_OK;
}

static enum rc
run_starter(struct cli *c, struct err *e)
{
	struct starting s = { .c = c,
			      .authority = args_text(&c->args, "authority"),
			      .disclosure = args_text(&c->args, "disclosure") };
	enum rc rc;

	TRY(check_options(&s, e));
	rc = policy_folder_begin(c->a, args_text(&c->args, "FOLDER"), &s.w, e);
	if (rc == RC_OK)
		rc = write_all(&s, e);
	policy_folder_close(&s.w);
	TRY(rc);
	out_note(&c->out, "%zu files were written into %s", s.written, s.w.folder);
	out_note(&c->out, s.kept ? "; %zu that were there already were kept\n" : "\n", s.kept);
	if (s.disclosure == NULL && !args_has(&c->args, "case"))
		out_note(&c->out, "The qualified cases need --disclosure and were left out.\n");
	return RC_OK;
}

static const struct opt starter_options[] = {
	{ "authority", "PATH", OPT_TEXT, OPT_MUST,
	  "the authority that issues, as files of a policy call it: \"Issuing CA\", \"Sweden/Issuing CA\"" },
	{ "case", "CASE", OPT_CHOICE, OPT_MANY, "this case only", starter_cases },
	{ "disclosure", "URL", OPT_TEXT, 0,
	  "where the PKI disclosure statement is, in English; for qualified certificates" },
	{ 0 },
};
static const struct operand folder[] = {
	{ "FOLDER", OPT_DIR, OPT_MUST, "a new folder, or one with a policy that was exported" },
	{ 0 },
};

const struct command commands_starter[] = {
	{ "policy", "starter", "write procedures for the common cases into a folder",
	  "Formats, input views, certificate procedures and token procedures as policy as code: TLS servers "
	  "and "
	  "clients, mail, code signing, OCSP, smart card logon, PIV, qualified signatures and seals. Nothing "
	  "is "
	  "asked of the server: look at the files, change what is different in your house, then plan and "
	  "apply. "
	  "Files that are there already are kept.",
	  starter_options, folder,
	  "chancery policy starter --authority \"Issuing CA\" policy\n"
	  "chancery policy apply --officer anna.p12 --co-officer bert.p12 policy",
	  run_starter },
	{ 0 },
};
