/* What officers signed, and what sessions asked and is remembered. */
#include "base/base.h"
#include "factory/past.h"

#include "factory/requests.h"
#include "policy/body.h"
#include "signer/protocol.h"
#include "store/read.h"

struct gathering {
	const struct past_query *q;
	struct past *v;
	size_t n, max;
	struct err *e;
};

/* One more, of which the caller fills in the rest; NULL: there is no room. */
static struct past *
add(struct gathering *g, const struct past *p)
{
	if (g->n == g->max)
		return NULL;
	g->v[g->n] = *p;
	return &g->v[g->n++];
}

static int64_t
time_of(const struct json *validity, const char *name)
{
	const struct json *v = json_get(validity, name);
	int64_t at = 0;

	if (v == NULL || v->type != JSON_STR || time_parse(v->str, &at, NULL) != RC_OK)
		return 0;
	return at;
}

/* ---- one signed act each ---- */

/* Takes what one request asked for; p has what is the same for all of it. */
typedef enum rc take_fn(struct gathering *g, const struct past *p);

static enum rc
take_certificates(struct gathering *g, const struct past *p)
{
	JSON_EACH(item, json_get(p->body, "requests"))
	{
		struct bytes text, csr;
		struct past *one;

		if (json_need_str(item, "csr", &text, NULL) != RC_OK ||
		    base64_parse(g->q->mem, text, &csr, NULL) != RC_OK || (one = add(g, p)) == NULL)
			continue;
		one->csr = csr;
		one->input = json_get(item, "input");
	}
	return RC_OK;
}

/* Unless the request has one by this procedure already, from its place in the list on. */
static void
add_by(struct gathering *g, size_t from, const struct past *p, struct doc_id procedure, struct bytes spki)
{
	struct past *one;

	for (size_t i = from; i < g->n; i++)
		if (spki.n == 0 && doc_id_eq(g->v[i].procedure, procedure))
			return;
	if ((one = add(g, p)) == NULL)
		return;
	one->procedure = procedure;
	one->spki = spki;
}

/* The keys that were made, and those that either policy would make. */
static enum rc
take_keys(struct gathering *g, const struct past *p)
{
	const struct snapshot *const both[] = { g->q->now, g->q->then };
	struct doc_id id = doc_id_of(body_int(p->body, "token_procedure", 0));
	struct token_key_row *rows;
	size_t n, from = g->n;

	TRY(store_token_keys(g->q->f->store, g->q->mem, p->id, &rows, &n, g->e));
	for (size_t i = 0; i < n; i++)
		if (rows[i].certificate_procedure != 0) /* else a certificate that was there already */
			add_by(g, from, p, doc_id_of(rows[i].certificate_procedure), rows[i].spki);
	for (size_t k = 0; k < ARRAY_LEN(both); k++) {
		const struct token_procedure *t = snapshot_token_procedure(both[k], id);

		for (size_t i = 0; t != NULL && i < t->procedures_n; i++)
			add_by(g, from, p, t->procedures[i]->doc->id, BYTES_NONE);
	}
	return RC_OK;
}

static enum rc
take_attributes(struct gathering *g, const struct past *p)
{
	const struct snapshot *const both[] = { g->q->now, g->q->then };
	struct doc_id id = doc_id_of(body_int(p->body, "token_procedure", 0));
	size_t from = g->n;

	for (size_t k = 0; k < ARRAY_LEN(both); k++) {
		const struct token_procedure *t = snapshot_token_procedure(both[k], id);

		for (size_t i = 0; t != NULL && i < t->acs_n; i++)
			add_by(g, from, p, t->acs[i]->doc->id, BYTES_NONE);
	}
	return RC_OK;
}

static const struct {
	const char *act;
	enum past_what what;
	take_fn *take;
} acts[] = {
	{ "certificate.issue", PAST_CERTIFICATE, take_certificates },
	{ "token.issue", PAST_KEY, take_keys },
	{ "attribute-certificate.issue", PAST_ATTRIBUTE, take_attributes },
};

/* Who signed last is who asked; what nobody signed was not asked. */
static enum rc
take_request(struct gathering *g, size_t act, const struct request_row *row)
{
	struct signature_row *signatures;
	const struct json *validity;
	struct request r;
	struct past p;
	size_t n;

	TRY(request_read(g->q->mem, row, &r, g->e));
	TRY(store_signatures(g->q->f->store, g->q->mem, row->id, &signatures, &n, g->e));
	if (n == 0 || body_int(r.body, "token_procedure", 0) == 0)
		return RC_OK;
	validity = json_get(r.body, "validity");
	p = (struct past){ .what = acts[act].what,
			   .at = row->at,
			   .id = row->id,
			   .officer = officer_id_of(signatures[n - 1].officer_id),
			   .not_before = time_of(validity, "not_before"),
			   .not_after = time_of(validity, "not_after"),
			   .body = r.body };
	p.token_procedure = bytes_str(
	    arena_printf(g->q->mem, "%lld", (long long)body_int(r.body, "token_procedure", 0)));
	NEED(p.token_procedure.p != NULL, g->e, CHY_NO_MEMORY, NULL, "past requests");
	return acts[act].take(g, &p);
}

static enum rc
take_acts(struct gathering *g, size_t act)
{
	struct request_row *rows;
	size_t n, from = g->n;

	TRY(store_requests_of_act(g->q->f->store, g->q->mem, bytes_str(acts[act].act), 0, g->q->since,
				  g->q->most, &rows, &n, g->e));
	for (size_t i = 0; i < n && g->n - from < g->q->most; i++)
		TRY(take_request(g, act, &rows[i]));
	return RC_OK;
}

static enum rc
take_remembered(struct gathering *g)
{
	struct remembered_row *rows;
	size_t n;

	TRY(store_remembered(g->q->f->store, g->q->mem, 0, g->q->since, g->q->most, &rows, &n, g->e));
	for (size_t i = 0; i < n; i++) {
		struct past *one = add(g,
				       &(struct past){ .what = PAST_CERTIFICATE,
						       .at = rows[i].at,
						       .id = rows[i].id,
						       .session = rows[i].session_id,
						       .csr = rows[i].csr,
						       .token_procedure = rows[i].token_procedure,
						       .not_before = rows[i].not_before,
						       .not_after = rows[i].not_after });
		struct json *input;

		if (one == NULL || rows[i].input.n == 0)
			continue;
		TRY(json_parse(g->q->mem, rows[i].input, &input, g->e));
		one->input = input;
	}
	return RC_OK;
}

enum rc
past_gather(const struct past_query *q, struct past **ret, size_t *n, struct err *e)
{
	/* of each sort as many as wanted, and what one request may go beyond that */
	struct gathering g = { .q = q, .max = (ARRAY_LEN(acts) + 1) * (q->most + LIMIT_BULK), .e = e };

	g.v = arena_array(q->mem, g.max, sizeof(*g.v));
	NEED(g.v != NULL, e, CHY_NO_MEMORY, NULL, "past requests");
	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		TRY(take_acts(&g, i));
	TRY(take_remembered(&g));
	*ret = g.v;
	*n = g.n;
	return RC_OK;
}
