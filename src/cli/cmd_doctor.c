/* doctor: what relying parties meet when they follow a certificate's addresses; alone, what cmd_server.c checks. */
#include "base/base.h"
#include "cli/certid.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "cli/flow.h"
#include "cli/groups.h"
#include "cli/key.h"
#include "cli/kindcmd.h"
#include "cli/rest.h"
#include "crypto/digest.h"
#include "crypto/verify.h"

#include <unistd.h>

enum { FILE_CERTS_MAX = 16, TIMEOUT_S = 10, TIMEOUT_MAX_S = 600, VISIT_ARENA = 512 << 20, NEWEST = 50 };

/* ---- what is looked at ---- */

static struct bytes
name_text(struct arena *a, struct bytes name)
{
	OWN_BUF struct buf text = buf_max(64 << 10);

	name_put_der_text(&text, name);
	return buf_ok(&text) ? arena_dup(a, buf_bytes(&text)) : BYTES("?");
}

static enum rc
from_server(struct cli *c, const char *path, struct bytes *ret, struct err *e)
{
	struct rest_call call = { .path = path, .accept = "application/pkix-cert" };
	struct rest_answer answer;
	struct rest *r;

	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "certificate");
	TRY(cli_rest(c, &r, e));
	TRY(rest_do(r, c->a, &call, &answer, e));
	*ret = answer.body;
	return RC_OK;
}

/* A file (the issuer may stand behind it), or an id. */
static enum rc
named(struct cli *c, const char *word, struct bytes *ret, size_t *n, struct err *e)
{
	int64_t id;

	*n = 1;
	if (strcmp(word, "-") == 0 || access(word, R_OK) == 0)
		return certs_read(c->a, word, ret, FILE_CERTS_MAX, n, e);
	TRY(cert_id(c, word, &id, e));
	return from_server(c, arena_printf(c->a, "/api/v1/certificates/%lld", (long long)id), ret, e);
}

static bool
has_issued(const struct cert *up, const struct cert *c)
{
	struct err e = { 0 };

	return name_eq(up->subject, c->issuer) &&
	    verify_signature(up->spki, c->sigalg, c->tbs, c->signature, &e) == RC_OK;
}

static enum rc
known_issuer(struct cli *c, struct doctor *d, const struct bytes *more, size_t n, struct err *e)
{
	const char *file = args_text(&c->args, "issuer");
	struct bytes given[FILE_CERTS_MAX];
	struct cert up;

	if (file != NULL) {
		TRY_AT(certs_read(c->a, file, given, FILE_CERTS_MAX, &n, e), e, "issuer");
		more = given;
	}
	if (d->is_root)
		d->issuer = d->cert;
	d->has_issuer = d->is_root;
	for (size_t i = 0; i < n && !d->has_issuer; i++) {
		TRY(cert_parse(d->a, more[i], &up, e));
		d->has_issuer = has_issued(&up, &d->cert);
		if (d->has_issuer)
			d->issuer = up;
	}
	NEED(file == NULL || d->has_issuer, e, CHY_CLI_USAGE, NULL, "%s: it has not issued the certificate",
	     file);
	return RC_OK;
}

/* ---- what the store says, where an officer asks ---- */

static enum rc
ask_store(struct cli *c, struct doctor *d, struct err *e)
{
	char hex[2 * SHA256_LEN + 1];
	struct json *page, *items;
	uint8_t sha[SHA256_LEN];
	struct bytes state;
	enum said world = d->by_ocsp != SAID_NOTHING ? d->by_ocsp : d->by_crl;
	struct rest *r;

	if (c->set.officer == NULL || c->set.server == NULL)
		return RC_OK;
	sha256(d->cert.der, sha);
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a,
		      arena_printf(c->a, "/api/v1/certificates?sha256=%s", hex_text(hex, BYTES_OF(sha))),
		      NULL, &page, e));
	TRY_AT(json_need_array(page, "items", &items, e), e, "the server's answer");
	if (items->count == 0) {
		doctor_say(d, FOUND_DOUBT, "store", NULL, NULL, "the certificate is not in the store");
		return RC_OK;
	}
	TRY_AT(json_need_str(items->first, "state", &state, e), e, "the server's answer");
	if (world == SAID_NOTHING || bytes_is(state, said_name(world)))
		doctor_say(d, FOUND_GOOD, "store", NULL, NULL, "in the store the certificate is %.*s",
			   BYTES_FMT(state));
	else
		doctor_say(d, FOUND_BAD, "store", NULL, "see whether lists are built and answers signed anew",
			   "in the store the certificate is %.*s, to the world it is %s", BYTES_FMT(state),
			   said_name(world));
	return RC_OK;
}

/* ---- the visit ---- */

static void
own_state(struct doctor *d)
{
	char at[32];

	if (d->now_ms > d->cert.not_after_at)
		doctor_say(d, FOUND_BAD, "certificate", NULL, "renew it", "it has expired, %s",
			   time_text(at, d->cert.not_after_at));
	else if (d->now_ms < d->cert.not_before_at)
		doctor_say(d, FOUND_BAD, "certificate", NULL, "set the clock, or wait",
			   "it is not valid before %s", time_text(at, d->cert.not_before_at));
}

static enum rc
examine(struct cli *c, struct doctor *d, struct err *e)
{
	const struct ext *aia = exts_find(&d->cert.exts, OID_PE_AUTHORITY_INFO);
	struct ext_value v = { 0 };
	struct err why = { 0 };

	own_state(d);
	if (aia != NULL && ext_decode(d->a, aia, &v, &why) != RC_OK)
		doctor_say(d, FOUND_BAD, "certificate", NULL, "issue the certificate anew",
			   "its addresses cannot be read: %.300s", why.text);
	doctor_issuers(d, &v.access);
	doctor_crls(d);
	doctor_ocsp(d, &v.access);
	if (!d->is_root && d->by_crl == SAID_NOTHING && d->by_ocsp == SAID_NOTHING)
		doctor_say(d, FOUND_BAD, "certificate", NULL, "mend one of the addresses above, or name one",
			   "nobody can learn whether it is revoked");
	doctor_compare(d);
	return ask_store(c, d, e);
}

static const char *const levels[] = { "good", "doubtful", "wrong" };

static void
show(struct cli *c, const char *who, const struct doctor *d)
{
	struct bytes subject = name_text(c->a, d->cert.subject);

	if (c->out.json)
		return;
	out_styled(&c->out, OUT_BOLD, "%s", who);
	out_text(&c->out, subject);
	out_line(&c->out, "\n");
	for (const struct finding *f = d->first; f != NULL; f = f->next) {
		out_styled(&c->out,
			   f->level == FOUND_BAD        ? OUT_BAD
			       : f->level == FOUND_GOOD ? OUT_GOOD
							: OUT_BOLD,
			   "%-9s", levels[f->level]);
		out_line(&c->out, "%s ", f->what);
		out_text(&c->out, bytes_str(f->url));
		out_line(&c->out, "\n         ");
		out_text(&c->out, bytes_str(f->text));
		out_line(&c->out, "\n");
		if (f->mend != NULL)
			out_line(&c->out, "         To mend it: %s.\n", f->mend);
	}
}

static struct json *
as_json(struct arena *a, const struct doctor *d)
{
	OWN_BUF struct buf serial = buf_max(4 * LIMIT_CERT);
	struct json *o = json_object(a), *list = json_array(a);

	for (const struct finding *f = d->first; f != NULL; f = f->next) {
		struct json *x = json_object(a);

		json_set(x, "level", json_str(a, bytes_str(levels[f->level])));
		json_set(x, "what", json_str(a, bytes_str(f->what)));
		json_set(x, "url", json_str(a, bytes_str(f->url)));
		json_set(x, "text", json_str(a, bytes_str(f->text)));
		json_set(x, "mend", f->mend ? json_str(a, bytes_str(f->mend)) : json_null(a));
		json_add(list, x);
	}
	json_set(o, "subject", json_str(a, name_text(a, d->cert.subject)));
	hex_put(&serial, d->cert.serial);
	json_set(o, "serial", json_str(a, buf_bytes(&serial)));
	json_set(o, "findings", list);
	json_set(o, "crl", json_str(a, bytes_str(said_name(d->by_crl))));
	json_set(o, "ocsp", json_str(a, bytes_str(said_name(d->by_ocsp))));
	json_set(o, "wrong", json_int(a, (int64_t)d->bad));
	json_set(o, "doubtful", json_int(a, (int64_t)d->doubts));
	return o;
}

/* ---- visits ---- */

struct round {
	struct cli *c;
	struct json *told;
	size_t wrong, patients;
};

static enum rc
visit(struct round *r, const char *who, const struct bytes *certs, size_t n, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(VISIT_ARENA);
	int64_t patience = args_int(&r->c->args, "patience", TIMEOUT_S);
	struct doctor d = { .a = a, .now_ms = clock_now_ms() };

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
	d.last = &d.first;
	d.timeout_ms = (long)(patience < 1 ? 1 : patience > TIMEOUT_MAX_S ? TIMEOUT_MAX_S : patience) * 1000;
	TRY(cert_parse(a, certs[0], &d.cert, e));
	d.is_root = cert_is_self_issued(&d.cert);
	TRY(known_issuer(r->c, &d, certs + 1, n - 1, e));
	TRY(examine(r->c, &d, e));
	show(r->c, who, &d);
	json_add(r->told, as_json(r->c->a, &d));
	r->wrong += d.bad;
	r->patients++;
	return RC_OK;
}

/* *ret 0: there is none. A responder's certificate is not looked for: it points nowhere. */
static enum rc
newest_of(struct cli *c, int64_t authority, int64_t *ret, struct err *e)
{
	struct json *q = json_object(c->a), *page, *items;
	struct rest *rest;

	*ret = 0;
	json_set(q, "authority", json_int(c->a, authority));
	json_set(q, "subject_type", json_str(c->a, BYTES("EE")));
	json_set(q, "state", json_str(c->a, BYTES("valid")));
	json_set(q, "is_expired", json_bool(c->a, false));
	json_set(q, "limit", json_int(c->a, NEWEST));
	NEED(q != NULL && q->count == 5, e, CHY_NO_MEMORY, NULL, "request");
	TRY(cli_rest(c, &rest, e));
	TRY(rest_json(rest, c->a, "/api/v1/certificates/search", q, &page, e));
	TRY_AT(json_need_array(page, "items", &items, e), e, "the server's answer");
	JSON_EACH(x, items)
	{
		const struct json *id = json_get(x, "id"), *procedure = json_get(x, "token_procedure");

		if (*ret == 0 && id != NULL && id->type == JSON_INT && procedure != NULL &&
		    procedure->type == JSON_INT && procedure->integer > 0)
			*ret = id->integer;
	}
	return RC_OK;
}

/* An authority's own certificate, and the newest that it has issued: that one carries the addresses that the authority stands for. */
static enum rc
visit_authority(struct round *r, int64_t id, struct err *e)
{
	struct cli *c = r->c;
	struct bytes certs[2];
	int64_t newest;

	TRY(from_server(c, arena_printf(c->a, "/api/v1/authorities/%lld/certificate", (long long)id),
			&certs[0], e));
	TRY(visit(r, "Authority ", certs, 1, e));
	TRY(newest_of(c, id, &newest, e));
	if (newest == 0)
		return RC_OK;
	certs[1] = certs[0];
	TRY(from_server(c, arena_printf(c->a, "/api/v1/certificates/%lld", (long long)newest), &certs[0], e));
	return visit(r, "Its newest certificate ", certs, 2, e);
}

/* Authorities without a certificate yet have nothing that could be looked at. */
static enum rc
visit_authorities(struct round *r, struct err *e)
{
	struct json *page, *items;
	struct rest *rest;

	TRY(cli_rest(r->c, &rest, e));
	TRY(rest_json(rest, r->c->a, "/api/v1/documents/authority?limit=1000", NULL, &page, e));
	TRY_AT(json_need_array(page, "items", &items, e), e, "the server's answer");
	JSON_EACH(x, items)
	{
		struct err why = { 0 };
		int64_t id;

		TRY_AT(json_need_int(x, "id", 1, JSON_INT_MAX, &id, e), e, "the server's answer");
		if (visit_authority(r, id, &why) != RC_OK) {
			if (why.rc == RC_NOT_FOUND)
				continue;
			*e = why;
			return why.rc;
		}
	}
	return RC_OK;
}

static enum rc
run_doctor(struct cli *c, struct err *e)
{
	const char *authority = args_text(&c->args, "authority"), *word = args_text(&c->args, "CERTIFICATE");
	bool all = args_has(&c->args, "authorities");
	struct round r = { .c = c, .told = json_array(c->a) };
	struct bytes certs[FILE_CERTS_MAX];
	int64_t id;
	size_t n;

	if (authority == NULL && word == NULL && !all)
		return doctor_settings(c, e);
	NEED((authority != NULL) + (word != NULL) + all == 1, e, CHY_CLI_USAGE, NULL,
	     "one of a certificate, --authority and --authorities; see \"chancery help doctor\"");
	NEED(r.told != NULL, e, CHY_NO_MEMORY, NULL, "findings");
	if (all) {
		TRY(visit_authorities(&r, e));
	} else if (authority != NULL) {
		TRY(document_id(c, "authority", authority, &id, e));
		TRY(visit_authority(&r, id, e));
	} else {
		TRY(named(c, word, certs, &n, e));
		TRY(visit(&r, "", certs, n, e));
	}
	out_json(&c->out, r.told);
	out_note(&c->out, "%zu certificates were looked at.\n", r.patients);
	NEED(r.wrong == 0, e, CHY_DOCTOR, NULL, "%zu thing%s wrong", r.wrong, r.wrong == 1 ? " is" : "s are");
	return RC_OK;
}

static const struct opt doctor_options[] = {
	{ "authority", "NAME|ID", OPT_TEXT, 0,
	  "this authority's own certificate, and the newest that it has issued" },
	{ "authorities", NULL, OPT_FLAG, 0, "the same of all authorities of the server" },
	{ "issuer", "FILE", OPT_FILE, 0,
	  "the issuer's certificate, where the certificate's own address gives none" },
	{ "patience", "SECONDS", OPT_INT, 0, "how long each address may take; 10 if not given" },
	{ 0 },
};
static const struct operand doctor_operands[] = {
	{ "CERTIFICATE", OPT_FILE, 0,
	  "a file that holds it (its issuer may stand behind it), its serial number, or its id" },
	{ 0 },
};

const struct command commands_doctor[] = {
	{ "doctor", NULL,
	  "check settings and connection, or the addresses that certificates carry, and say what is wrong",
	  "Alone it checks settings, the officer's key, the connection, clocks and login. With a certificate "
	  "it fetches "
	  "the issuer's certificate (caIssuers), revocation lists, delta lists and OCSP answers from the "
	  "addresses that "
	  "the certificate names, as a stranger would, and judges them as relying parties do: whether they "
	  "are reached, "
	  "their media type and form, issuer, signature, freshness and scope, and whether list and responder "
	  "say the "
	  "same; with --officer also whether that is what the store says. Nothing of the officer goes to "
	  "these "
	  "addresses. Exit code 1: something is wrong.",
	  doctor_options, doctor_operands,
	  "chancery doctor\nchancery doctor web.pem\nchancery doctor --authority \"Issuing CA\" --json",
	  run_doctor },
	{ 0 },
};
