/* What officers signed, and what sessions asked and is remembered. */
#include "base/base.h"
#include "factory/past.h"

#include "factory/requests.h"
#include "policy/body.h"
#include "signer/protocol.h"
#include "store/read.h"

enum { PAST_PAGE = 500, PAST_SCRATCH = 512 << 20 };

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

/* What the request asks for, as far as it can be told without its signatures; token_procedure empty: it is about none. */
static enum rc
head_of(struct arena *a, size_t act, const struct request_row *row, struct past *ret, struct err *e)
{
	const struct json *validity;
	struct request r;
	int64_t procedure;

	TRY(request_read(a, row, &r, e));
	validity = json_get(r.body, "validity");
	procedure = body_int(r.body, "token_procedure", 0);
	*ret = (struct past){ .what = acts[act].what,
			      .at = row->at,
			      .id = row->id,
			      .not_before = time_of(validity, "not_before"),
			      .not_after = time_of(validity, "not_after"),
			      .body = r.body };
	if (procedure == 0)
		return RC_OK;
	ret->token_procedure = bytes_str(arena_printf(a, "%lld", (long long)procedure));
	NEED(ret->token_procedure.p != NULL, e, CHY_NO_MEMORY, NULL, "past requests");
	return RC_OK;
}

/* Who signed last is who asked; what nobody signed was not asked. */
static enum rc
take_request(struct gathering *g, size_t act, int64_t id)
{
	struct signature_row *signatures;
	struct request_row row;
	struct past p;
	size_t n;

	TRY(store_request(g->q->f->store, g->q->mem, id, &row, g->e));
	TRY(store_signatures(g->q->f->store, g->q->mem, id, &signatures, &n, g->e));
	if (n == 0)
		return RC_OK;
	TRY(head_of(g->q->mem, act, &row, &p, g->e));
	p.officer = officer_id_of(signatures[n - 1].officer_id);
	return acts[act].take(g, &p);
}

static bool
is_wanted(const struct gathering *g, const struct past *p)
{
	return p->token_procedure.n > 0 && g->q->wanted(g->q->arg, p);
}

/* ---- page by page: others' requests are read and let go ---- */

struct paging {
	struct gathering *g;
	size_t act, from, limit;
	int64_t before; /* the cursor; 0: from the newest */
	bool more;
};

typedef enum rc page_fn(struct paging *p, struct arena *scratch);

static bool
is_full(const struct paging *p)
{
	return p->g->n - p->from >= p->g->q->most;
}

static enum rc
page_of_acts(struct paging *p, struct arena *scratch)
{
	struct gathering *g = p->g;
	struct request_row *rows;
	size_t n;

	TRY(store_requests_of_act(g->q->f->store, scratch, bytes_str(acts[p->act].act), p->before,
				  g->q->since, p->limit, &rows, &n, g->e));
	for (size_t i = 0; i < n && !is_full(p); i++) {
		struct past head;

		TRY(head_of(scratch, p->act, &rows[i], &head, g->e));
		if (is_wanted(g, &head))
			TRY(take_request(g, p->act, rows[i].id));
	}
	p->before = n > 0 ? rows[n - 1].id : 0;
	p->more = n == p->limit;
	return RC_OK;
}

static enum rc
take_one_remembered(struct gathering *g, const struct remembered_row *row)
{
	struct past p = { .what = PAST_CERTIFICATE,
			  .at = row->at,
			  .id = row->id,
			  .session = row->session_id,
			  .token_procedure = row->token_procedure,
			  .not_before = row->not_before,
			  .not_after = row->not_after };
	struct json *input;

	if (!is_wanted(g, &p))
		return RC_OK;
	p.csr = arena_dup(g->q->mem, row->csr);
	p.token_procedure = arena_dup(g->q->mem, row->token_procedure);
	NEED(p.csr.p != NULL && p.token_procedure.p != NULL, g->e, CHY_NO_MEMORY, NULL, "past requests");
	if (row->input.n > 0) {
		TRY(json_parse(g->q->mem, arena_dup(g->q->mem, row->input), &input, g->e));
		p.input = input;
	}
	(void)!add(g, &p);
	return RC_OK;
}

static enum rc
page_of_remembered(struct paging *p, struct arena *scratch)
{
	struct gathering *g = p->g;
	struct remembered_row *rows;
	size_t n;

	TRY(store_remembered(g->q->f->store, scratch, p->before, g->q->since, p->limit, &rows, &n, g->e));
	for (size_t i = 0; i < n && !is_full(p); i++)
		TRY(take_one_remembered(g, &rows[i]));
	p->before = n > 0 ? rows[n - 1].id : 0;
	p->more = n == p->limit;
	return RC_OK;
}

static enum rc
all_pages(struct gathering *g, size_t act, page_fn *page)
{
	struct paging p = { .g = g, .act = act, .from = g->n, .limit = PAST_PAGE, .more = true };

	for (int i = 0; i < PAST_PAGES_MAX && p.more && !is_full(&p); i++) {
		OWN(arena_free)
		struct arena *scratch = arena_new(PAST_SCRATCH);

		NEED(scratch != NULL, g->e, CHY_NO_MEMORY, NULL, "past requests");
		TRY(page(&p, scratch));
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
		TRY(all_pages(&g, i, page_of_acts));
	TRY(all_pages(&g, 0, page_of_remembered));
	*ret = g.v;
	*n = g.n;
	return RC_OK;
}
