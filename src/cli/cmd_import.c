/* certificate import, crl import: what foreign CAs have issued. */
#include "base/base.h"
#include "base/file.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/kindcmd.h"
#include "cli/rest.h"
#include "model/status.h"
#include "pki/crl.h"
#include "pki/pem.h"

#include <dirent.h>
#include <errno.h>

enum {
	FILES_MAX = 100000,
	FILE_MAX = 256 << 20, /* a bundle */
	CARDS_FILE_MAX = 16 << 20,
	ACT_BYTES = 300 << 10, /* of certificates, so that what is signed stays within its limit */
	ACT_ARENA = 64 << 20,
};

struct item {
	const char *file;
	size_t number; /* in the file, from 1 */
	struct bytes der;
	const char *card; /* its card's serial number; NULL: none is said */
};

/* A line of --card-serials. */
struct card {
	const char *file, *serial;
	bool used;
};

struct run {
	struct cli *c;
	struct arena *a; /* of the act that is being filled */
	int64_t authority;
	struct item items[LIMIT_IMPORT];
	size_t n, bytes;
	struct card *cards; /* by file */
	size_t cards_n;
	struct json *outcomes; /* for --json */
	struct progress progress;
	size_t imported, known, changed, refused;
	bool single;
	struct err first;
};

/* ---- outcomes ---- */

static void
tell(struct run *r, const char *file, size_t number, struct bytes outcome, const struct err *why)
{
	struct json *o = json_object(r->c->a);
	struct out to_err = r->c->out;

	json_set(o, "file", json_str(r->c->a, bytes_str(file)));
	json_set(o, "number", json_int(r->c->a, (int64_t)number));
	json_set(o, "outcome", json_str(r->c->a, outcome));
	if (why != NULL) {
		json_set(o, "code",
			 json_str(r->c->a, bytes_str(arena_printf(r->c->a, "CHY-%d", (int)why->code))));
		json_set(o, "detail", json_str(r->c->a, bytes_str(why->text)));
	}
	json_add(r->outcomes, o);
	r->refused += why != NULL;
	progress_step(&r->progress, 1, why != NULL);
	if (why == NULL)
		return;
	if (r->first.code == CHY_NONE)
		r->first = *why;
	if (r->single || r->c->out.json)
		return;
	progress_end(&r->progress);
	to_err.to = r->c->out.err;
	out_text(&to_err, bytes_str(file));
	fprintf(to_err.to, " (%zu): ", number);
	cli_print_error(&r->c->out, why);
}

static enum rc
take_outcome(struct run *r, const struct item *item, const struct json *o, struct err *e)
{
	const struct json *problem = json_get(o, "problem");
	OWN_BUF struct buf text = buf_max(1 << 16);
	struct err why = { 0 };
	struct bytes outcome;

	TRY_AT(json_need_str(o, "outcome", &outcome, e), e, "the server's answer");
	if (problem != NULL) {
		json_put(&text, problem);
		rest_problem(r->c->a, 403, buf_bytes(&text), &why);
		tell(r, item->file, item->number, outcome, &why);
		return RC_OK;
	}
	r->imported += bytes_is(outcome, "imported");
	r->known += bytes_is(outcome, "known");
	r->changed += bytes_is(outcome, "changed");
	tell(r, item->file, item->number, outcome, NULL);
	return RC_OK;
}

/* ---- one signed act ---- */

static enum rc
body_of(struct run *r, struct json **ret, struct err *e)
{
	static const char *const members[][2] = { { "state", "state" },
						  { "reason", "reason" },
						  { "since", "since" },
						  { "invalid-at", "invalid_at" } };
	struct json *body = json_object(r->a), *list = json_array(r->a);

	for (size_t i = 0; i < r->n; i++) {
		OWN_BUF struct buf text = buf_max(2 * LIMIT_CERT);
		struct json *o = json_object(r->a);

		base64_put(&text, r->items[i].der);
		json_set(o, "certificate", json_str(r->a, buf_bytes(&text)));
		for (size_t k = 0; k < ARRAY_LEN(members); k++)
			if (args_has(&r->c->args, members[k][0]))
				json_set(o, members[k][1],
					 json_str(r->a, bytes_str(args_text(&r->c->args, members[k][0]))));
		if (r->items[i].card != NULL)
			json_set(o, "card_serial", json_str(r->a, bytes_str(r->items[i].card)));
		json_add(list, o);
	}
	json_set(body, "authority", json_int(r->a, r->authority));
	json_set(body, "certificates", list);
	NEED(body != NULL && list != NULL && list->count == r->n, e, CHY_NO_MEMORY, NULL, "request");
	*ret = body;
	return RC_OK;
}

/* The act's memory is given back when it is over: a bundle may have more certificates than fit at once. */
static enum rc
flow_in(struct run *r, const struct json *body, struct json **ret, struct err *e)
{
	struct arena *own = r->c->a;
	enum rc rc;

	r->c->a = r->a;
	rc = flow_quietly(r->c, &(struct asked){ "certificate.import", NULL, 0, body }, ret, e);
	r->c->a = own;
	return rc;
}

static enum rc
sign_batch(struct run *r, struct err *e)
{
	struct json *body, *answer, *result, *list;
	const struct json *o;

	if (r->n == 0)
		return RC_OK;
	TRY(body_of(r, &body, e));
	TRY(flow_in(r, body, &answer, e));
	TRY_AT(json_need_object(answer, "result", &result, e), e, "the server's answer");
	TRY_AT(json_need_array(result, "certificates", &list, e), e, "the server's answer");
	NEED(list->count == r->n, e, CHY_CLI_ANSWER, NULL, "%zu outcomes for %zu certificates", list->count,
	     r->n);
	o = list->first;
	for (size_t i = 0; i < r->n; i++, o = o->next)
		TRY(take_outcome(r, &r->items[i], o, e));
	r->n = r->bytes = 0;
	arena_free(r->a);
	r->a = arena_new(ACT_ARENA);
	NEED(r->a != NULL, e, CHY_NO_MEMORY, NULL, "request");
	return RC_OK;
}

/* ---- cards ---- */

static int
by_file(const void *a, const void *b)
{
	return strcmp(((const struct card *)a)->file, ((const struct card *)b)->file);
}

/* Of all certificates of a file. */
static const char *
card_of(struct run *r, const char *file)
{
	const char *slash = strrchr(file, '/');
	struct card key = { .file = slash ? slash + 1 : file }, *found;

	if (args_has(&r->c->args, "card-serial"))
		return args_text(&r->c->args, "card-serial");
	found = r->cards_n > 0 ? bsearch(&key, r->cards, r->cards_n, sizeof(key), by_file) : NULL;
	if (found == NULL)
		return NULL;
	found->used = true;
	return found->serial;
}

/* "NAME,SERIAL" */
static enum rc
read_card(struct run *r, struct bytes line, size_t number, struct err *e)
{
	struct bytes serial, file = text_trim(text_cut(line, ',', &serial));
	struct card *c = &r->cards[r->cards_n];

	if (file.n == 0 && serial.n == 0)
		return RC_OK;
	serial = text_trim(serial);
	NEED(file.n > 0 && serial.n > 0, e, CHY_CLI_USAGE, NULL,
	     "--card-serials, line %zu: a file's name, a comma, and its card's serial number", number);
	*c = (struct card){ arena_str(r->c->a, file), arena_str(r->c->a, serial), false };
	NEED(c->file != NULL && c->serial != NULL, e, CHY_NO_MEMORY, NULL, "cards");
	r->cards_n++;
	return RC_OK;
}

static enum rc
read_cards(struct run *r, struct err *e)
{
	const char *list = args_text(&r->c->args, "card-serials");
	struct bytes text, rest;
	size_t lines = 1;

	NEED(!args_has(&r->c->args, "card-serial") || (r->single && list == NULL), e, CHY_CLI_USAGE, NULL,
	     "--card-serial is of one card: one FILE; for many there is --card-serials");
	if (list == NULL)
		return RC_OK;
	TRY(file_read(r->c->a, list, CARDS_FILE_MAX, &text, e));
	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	r->cards = arena_array(r->c->a, lines, sizeof(*r->cards));
	NEED(r->cards != NULL, e, CHY_NO_MEMORY, NULL, "cards");
	rest = text;
	for (size_t i = 1; i <= lines; i++)
		TRY(read_card(r, text_cut(rest, '\n', &rest), i, e));
	qsort(r->cards, r->cards_n, sizeof(*r->cards), by_file);
	for (size_t i = 1; i < r->cards_n; i++)
		NEED(strcmp(r->cards[i].file, r->cards[i - 1].file) != 0, e, CHY_CLI_USAGE, NULL,
		     "--card-serials: \"%.100s\" stands in it twice", r->cards[i].file);
	return RC_OK;
}

/* A name that no file has is a mistake: some card would not be found. */
static enum rc
all_used(const struct run *r, struct err *e)
{
	for (size_t i = 0; i < r->cards_n; i++)
		NEED(r->cards[i].used, e, CHY_CLI_SOME_FAILED, NULL,
		     "--card-serials names \"%.100s\", and no such file was read", r->cards[i].file);
	return RC_OK;
}

static enum rc
add(struct run *r, const char *file, size_t number, struct bytes der, struct err *e)
{
	struct err why = { 0 };

	if (der.n > LIMIT_CERT) {
		err_set(&why, CHY_CERT_SIZE, NULL, "%zu octets", der.n);
		tell(r, file, number, BYTES("refused"), &why);
		return RC_OK;
	}
	if (r->n == LIMIT_IMPORT || (r->n > 0 && r->bytes + der.n > ACT_BYTES))
		TRY(sign_batch(r, e));
	r->items[r->n] = (struct item){ file, number, arena_dup(r->a, der), card_of(r, file) };
	NEED(r->items[r->n].der.p != NULL, e, CHY_NO_MEMORY, NULL, "request");
	r->n++;
	r->bytes += der.n;
	return RC_OK;
}

/* ---- files ---- */

static enum rc
add_bundle(struct run *r, struct arena *own, const char *file, struct bytes text, struct err *e)
{
	struct pem_block block;
	struct err why = { 0 };
	size_t number = 0;
	enum rc rc;

	while ((rc = pem_next(own, &text, &block, &why)) == RC_OK)
		if (bytes_is(block.label, "CERTIFICATE") || bytes_is(block.label, "X509 CERTIFICATE"))
			TRY(add(r, file, ++number, block.der, e));
	if (why.code == CHY_PEM_NONE && number > 0)
		return RC_OK;
	tell(r, file, number + 1, BYTES("refused"), &why);
	return RC_OK;
}

/* A file that cannot be read is one outcome among the others. */
static enum rc
add_file(struct run *r, const char *file, struct err *e)
{
	OWN(arena_free)
	struct arena *own = arena_new((size_t)3 * FILE_MAX);
	struct err why = { 0 };
	struct bytes text;

	NEED(own != NULL, e, CHY_NO_MEMORY, NULL, "a file");
	if (file_read(own, file, FILE_MAX, &text, &why) != RC_OK) {
		tell(r, file, 0, BYTES("refused"), &why);
		return RC_OK;
	}
	return pem_is(text) ? add_bundle(r, own, file, text, e) : add(r, file, 1, text, e);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
is_ours(const char *name)
{
	static const char *const endings[] = { ".pem", ".crt", ".cer", ".cert", ".der" };
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (n > strlen(endings[i]) && strcasecmp(name + n - strlen(endings[i]), endings[i]) == 0)
			return name[0] != '.';
	return false;
}

static enum rc
add_folder(struct run *r, const char *folder, struct err *e)
{
	const char **names = arena_array(r->c->a, FILES_MAX, sizeof(*names));
	DIR *d = opendir(folder);
	size_t n = 0;
	bool full = false;

	NEED(d != NULL, e, CHY_FILE_OPEN, NULL, "%s: %s", folder, strerror(errno));
	for (struct dirent *f; names && (f = readdir(d)) != NULL;) {
		if (!is_ours(f->d_name))
			continue;
		full = full || n == FILES_MAX;
		if (!full)
			names[n++] = arena_printf(r->c->a, "%s/%s", folder, f->d_name);
	}
	closedir(d);
	NEED(names != NULL, e, CHY_NO_MEMORY, NULL, "folder");
	NEED(!full, e, CHY_LIMIT, NULL, "%s: more than %d files", folder, FILES_MAX);
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		TRY(add_file(r, names[i], e));
	return RC_OK;
}

static enum rc
add_all(struct run *r, struct err *e)
{
	const char *folder = args_text(&r->c->args, "folder");

	if (folder != NULL)
		TRY(add_folder(r, folder, e));
	for (const struct arg *x = NULL; (x = args_next(&r->c->args, "FILE", x)) != NULL;)
		TRY(add_file(r, x->value, e));
	return sign_batch(r, e);
}

/* ---- the commands ---- */

static enum rc
ended(struct run *r, enum rc rc, struct err *e)
{
	size_t all = r->imported + r->known + r->changed + r->refused;

	progress_end(&r->progress);
	out_json(&r->c->out, r->outcomes);
	out_note(&r->c->out, "%zu imported, %zu were here already, %zu changed their state, %zu refused.\n",
		 r->imported, r->known, r->changed, r->refused);
	TRY(rc);
	if (r->refused == 0)
		return all_used(r, e);
	if (r->single && all == 1) {
		*e = r->first;
		return e->rc;
	}
	FAIL(e, CHY_CLI_SOME_FAILED, NULL, "%zu of %zu were refused", r->refused, all);
}

static enum rc
run_import(struct cli *c, struct err *e)
{
	struct run *r = arena_one(c->a, struct run);
	struct officer_key *key;
	enum rc rc;

	NEED(r != NULL, e, CHY_NO_MEMORY, NULL, "import");
	NEED(args_has(&c->args, "FILE") || args_has(&c->args, "folder"), e, CHY_CLI_USAGE, NULL,
	     "FILE or --folder DIR is needed; see \"chancery help certificate import\"");
	r->c = c;
	r->outcomes = json_array(c->a);
	r->single = args_count(&c->args, "FILE") == 1 && !args_has(&c->args, "folder");
	NEED(r->outcomes != NULL, e, CHY_NO_MEMORY, NULL, "import");
	TRY(read_cards(r, e));
	TRY(cli_officer(c, &key, e));
	TRY(document_id(c, "authority", args_text(&c->args, "authority"), &r->authority, e));
	NEED((r->a = arena_new(ACT_ARENA)) != NULL, e, CHY_NO_MEMORY, NULL, "import");
	progress_start(&r->progress, &c->out, "Importing", 0);
	rc = add_all(r, e);
	arena_free(r->a);
	return ended(r, rc, e);
}

static void
show_changes(struct cli *c, const struct json *result)
{
	static const char *const heads[] = { "CERTIFICATE", "SERIAL", "STATE", "REASON", "SINCE", NULL };
	static const char *const names[] = { "certificate", "serial", "state", "reason", "since" };
	struct out_table t;

	out_table_start(&t, &c->out, c->a, heads);
	JSON_EACH(item, json_get(result, "certificates"))
	{
		const struct json *problem = json_get(item, "problem");
		struct bytes cells[ARRAY_LEN(names)];

		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			cells[i] = json_line(c->a, json_get(item, names[i]));
		if (problem != NULL) {
			cells[2] = BYTES("refused");
			cells[3] = json_line(c->a, json_get(problem, "code"));
			cells[4] = json_line(c->a, json_get(problem, "detail"));
		}
		out_table_row(&t, cells);
	}
	out_table_end(&t);
}

static enum rc
run_import_crl(struct cli *c, struct err *e)
{
	OWN_BUF struct buf text = buf_max(2 * LIMIT_IMPORT_CRL);
	struct json *body = json_object(c->a), *answer, *result;
	struct bytes in;
	struct crl crl;
	int64_t authority;

	TRY(file_read(c->a, args_text(&c->args, "FILE"), 2 * LIMIT_IMPORT_CRL, &in, e));
	TRY(crl_parse_any(c->a, in, &crl, e));
	TRY(document_id(c, "authority", args_text(&c->args, "authority"), &authority, e));
	base64_put(&text, crl.der);
	json_set(body, "authority", json_int(c->a, authority));
	json_set(body, "crl", json_str(c->a, buf_bytes(&text)));
	NEED(buf_ok(&text) && body != NULL && body->count == 2, e, CHY_NO_MEMORY, NULL, "request");
	TRY(flow_with_secrets(c, &(struct asked){ "crl.import", NULL, 0, body }, NULL, &answer, e));
	out_json(&c->out, answer);
	TRY_AT(json_need_object(answer, "result", &result, e), e, "the server's answer");
	if (json_get(result, "certificates") != NULL && json_get(result, "certificates")->count > 0)
		show_changes(c, result);
	out_note(&c->out, "%.*s entries, %.*s of them of certificates that are here, %.*s changed.\n",
		 BYTES_FMT(json_line(c->a, json_get(result, "entries"))),
		 BYTES_FMT(json_line(c->a, json_get(result, "here"))),
		 BYTES_FMT(json_line(c->a, json_get(result, "changed"))));
	return RC_OK;
}

static const char *const states[] = { "valid", "held", "revoked", NULL };
static const char *const reasons[] = { "unspecified",         "key-compromise",
				       "ca-compromise",       "affiliation-changed",
				       "superseded",          "cessation-of-operation",
				       "privilege-withdrawn", NULL };
static const struct opt import_options[] = {
	{ "authority", "NAME|ID", OPT_TEXT, OPT_MUST, "the foreign authority that has issued them" },
	{ "folder", "DIR", OPT_DIR, 0, "every file of this folder (.pem .crt .cer .cert .der)" },
	{ "state", "STATE", OPT_CHOICE, 0,
	  "what all of them are; without it what imported revocation lists say", states },
	{ "reason", "REASON", OPT_CHOICE, 0, "why they are revoked; unspecified if not given", reasons },
	{ "since", "TIME", OPT_TIME, 0, "since when they are on hold or revoked" },
	{ "invalid-at", "TIME", OPT_TIME, 0, "since when the key may have been out" },
	{ "card-serial", "TEXT", OPT_TEXT, 0,
	  "serial number of the card that the certificates of one FILE are on" },
	{ "card-serials", "FILE", OPT_FILE, 0,
	  "the same for many: a line for each file, its name without folder, a comma, and its card's serial "
	  "number" },
	{ 0 },
};
static const struct operand import_files[] = {
	{ "FILE", OPT_FILE, OPT_MANY, "certificates: PEM, one or many, or one in DER; - is standard input" },
	{ 0 },
};
static const struct opt import_crl_options[] = {
	{ "authority", "NAME|ID", OPT_TEXT, OPT_MUST, "the foreign authority whose list it is" },
	{ 0 },
};
static const struct operand import_crl_file[] = {
	{ "FILE", OPT_FILE, OPT_MUST, "the list, PEM or DER; - is standard input" },
	{ 0 },
};

const struct command commands_import[] = {
	{ "certificate", "import", "import certificates that a foreign CA has issued",
	  "The CA must be here as an authority of the type external-root or cross. Each signature is "
	  "verified; "
	  "what is here already is told, so that an interrupted import is simply started again. Imported "
	  "certificates are found and shown like others, are told apart, and get their state from the CA's "
	  "revocation lists (chancery crl import) or from --state.",
	  import_options, import_files,
	  "chancery certificate import --officer rosa.p12 --authority \"Foreign root\" bundle.pem\n"
	  "chancery certificate import --officer rosa.p12 --authority \"Foreign root\" --folder old-ca",
	  run_import },
	{ "crl", "import", "import a foreign CA's revocation list",
	  "It sets the state of the CA's certificates that are here, and of those that are imported later. "
	  "What "
	  "an earlier list held and this one names no longer is reinstated; what was revoked stays so.",
	  import_crl_options, import_crl_file,
	  "chancery crl import --officer rosa.p12 --authority \"Foreign root\" foreign.crl", run_import_crl },
	{ 0 },
};
