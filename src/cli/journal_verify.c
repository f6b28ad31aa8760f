/* The export's lines: header, leaves and heads, rows, end. What leaves mean is in journal_leaf.c. */
#include "base/base.h"
#include "cli/journal_state.h"

#define VERIFY_ARENA_MAX ((size_t)8 << 30)

/* ---- findings ---- */

enum rc
journal_found(struct journal_verifier *v, enum rc rc, const struct err *found, struct err *e)
{
	struct journal_finding f = { v->where, *found };

	if (rc == RC_OK)
		return RC_OK;
	if (rc == RC_NOMEM && found->code == CHY_NO_MEMORY) {
		*e = *found;
		return rc;
	}
	if (v->sum.findings++ < FINDINGS_SHOWN)
		v->report(v->arg, &f);
	return RC_OK;
}

static enum rc
found(struct journal_verifier *v, enum code code, struct err *e, const char *text)
{
	struct err x = { 0 };
	enum rc rc = err_set(&x, code, NULL, "%s", text);

	return journal_found(v, rc, &x, e);
}

/* ---- part 1 and 2: header, leaves, heads ---- */

static enum rc
take_header(struct journal_verifier *v, const struct json *line, struct err *e)
{
	struct bytes type = BYTES_NONE, format = BYTES_NONE, instance = BYTES_NONE;
	int64_t size;

	NEED(json_need_str(line, "type", &type, NULL) == RC_OK && bytes_is(type, "header") &&
		 json_need_str(line, "format", &format, NULL) == RC_OK &&
		 bytes_is(format, "chancery-journal/1"),
	     e, CHY_JOURNAL_FORMAT, NULL, "the first line is not the header of a chancery-journal/1");
	TRY(json_need_str(line, "instance", &instance, e));
	TRY(json_need_int(line, "size", 0, JSON_INT_MAX, &size, e));
	NEED(bytes_is(instance, v->instance), e, CHY_JOURNAL_FORMAT, NULL,
	     "this is the journal of another installation than that of the root given");
	v->size = (uint64_t)size;
	v->header = true;
	return RC_OK;
}

/* At the place where the signer has signed last. */
static enum rc
check_witness(struct journal_verifier *v, struct err *e)
{
	struct tree_hash root;

	if (v->witness.size == 0 || v->witness.size != v->tree.size)
		return RC_OK;
	v->witness.size = 0;
	TRY(tree_root(journal_sha256, &v->tree, &root, e));
	if (memcmp(root.b, v->witness.root, TREE_HASH) == 0)
		return RC_OK;
	return found(v, CHY_JOURNAL_ALTERED, e,
		     "up to here the leaves are not those over which the signer has signed its last head: at "
		     "least one was exchanged");
}

static enum rc
take_leaf(struct journal_verifier *v, struct arena *a, const struct json *line, struct err *e)
{
	struct err why = { 0 };
	struct bytes body;
	struct tree_hash hash;
	struct json *leaf;
	int64_t index;
	enum rc rc;

	snprintf(v->where, sizeof(v->where), "leaf %llu", (unsigned long long)v->tree.size);
	if ((rc = json_need_int(line, "index", 0, JSON_INT_MAX, &index, &why)) != RC_OK ||
	    (rc = json_need_str(line, "body", &body, &why)) != RC_OK)
		return journal_found(v, rc, &why, e);
	if ((uint64_t)index != v->tree.size) {
		char text[96];

		snprintf(text, sizeof(text), "its index is %lld: leaves are missing, doubled or out of order",
			 (long long)index);
		TRY(found(v, CHY_JOURNAL_ALTERED, e, text));
	}
	TRY(tree_leaf(journal_sha256, body, &hash, e));
	TRY(tree_add(journal_sha256, &v->tree, &hash, NULL, NULL, e));
	v->sum.leaves++;
	TRY(check_witness(v, e));
	rc = json_parse(a, body, &leaf, &why);
	return rc == RC_OK ? journal_leaf(v, a, leaf, e) : journal_found(v, rc, &why, e);
}

static enum rc
check_head(struct journal_verifier *v, const struct journal_head *h, struct err *e)
{
	struct tree_hash root;

	NEED(h->size == v->tree.size, e, CHY_JOURNAL_ALTERED, NULL,
	     "it is over %llu leaves, but %llu stand before it", (unsigned long long)h->size,
	     (unsigned long long)v->tree.size);
	NEED(h->size > v->head_size, e, CHY_JOURNAL_ALTERED, NULL, "the head before it is not smaller");
	TRY(tree_root(journal_sha256, &v->tree, &root, e));
	NEED(v->journal_key != NULL, e, CHY_JOURNAL_SIGNATURE, NULL, "the journal's key is not known");
	NEED(h->at_ms >= v->sum.head_at_ms, e, CHY_JOURNAL_ALTERED, NULL,
	     "it is older than the head before it");
	NEED(h->at_ms >= v->journal_from_ms && h->at_ms <= v->journal_to_ms, e, CHY_JOURNAL_SIGNATURE, NULL,
	     "the journal key's certificate was not valid at its time");
	TRY(journal_head_signed(v->journal_key, v->journal_alg, h, e));
	NEED(memcmp(root.b, h->root, TREE_HASH) == 0, e, CHY_JOURNAL_ALTERED, "RFC 9162 2.1.1",
	     "the leaves before it do not have the root that was signed: at least one was altered, removed, "
	     "inserted or "
	     "moved since the head before");
	return RC_OK;
}

static enum rc
take_head(struct journal_verifier *v, struct arena *a, const struct json *line, struct err *e)
{
	struct err why = { 0 };
	struct journal_head h = { 0 };
	enum rc rc = journal_head_read(a, line, &h, &why);

	snprintf(v->where, sizeof(v->where), "head over %llu leaves", (unsigned long long)h.size);
	if (rc == RC_OK)
		rc = check_head(v, &h, &why);
	TRY(journal_found(v, rc, &why, e));
	err_clear(&why);
	rc = journal_time_head(v, &h, &why);
	v->sum.heads++;
	v->head_size = h.size;
	v->sum.head_at_ms = h.at_ms;
	return journal_found(v, rc, &why, e);
}

/* ---- the end ---- */

static enum rc
take_end(struct journal_verifier *v, const struct json *line, struct err *e)
{
	const uint64_t counted[] = { v->sum.leaves, v->sum.documents, v->sum.certificates,
				     v->signature_rows };
	static const char *const names[] = { "leaves", "documents", "certificates", "signatures" };
	struct err why = { 0 };
	int64_t n;
	enum rc rc;

	v->ended = true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		rc = json_need_int(line, names[i], 0, JSON_INT_MAX, &n, &why);

		snprintf(v->where, sizeof(v->where), "end of the export");
		if (rc == RC_OK && (uint64_t)n != counted[i])
			rc = err_set(&why, CHY_JOURNAL_ALTERED, NULL, "it says %lld %s, but there are %llu",
				     (long long)n, names[i], (unsigned long long)counted[i]);
		TRY(journal_found(v, rc, &why, e));
		err_clear(&why);
	}
	rc = json_need_int(line, "left_out", 0, JSON_INT_MAX, &n, &why);
	v->sum.left_out = rc == RC_OK ? (uint64_t)n : 0;
	return journal_found(v, rc, &why, e);
}

/* Leaves whose row never came. */
static enum rc
missing_rows(struct journal_verifier *v, const struct pairmap *m, const char *what, struct err *e)
{
	PAIRMAP_EACH(x, m)
	{
		const struct row_state *row = x->value;

		if (row->found)
			continue;
		if (m == &v->signatures)
			snprintf(v->where, sizeof(v->where), "signature of officer %lld under request %lld",
				 (long long)x->b, (long long)x->a);
		else
			snprintf(v->where, sizeof(v->where), x->b ? "%s %lld version %lld" : "%s %lld", what,
				 (long long)x->a, (long long)x->b);
		TRY(found(v, CHY_JOURNAL_ACCOUNT, e, "the journal knows it, but it is not in the store"));
	}
	return RC_OK;
}

static enum rc
missed_witness(struct journal_verifier *v, struct err *e)
{
	struct err why = { 0 };
	enum rc rc;

	if (v->witness.size == 0)
		return RC_OK;
	rc = err_set(&why, CHY_JOURNAL_ALTERED, NULL,
		     "the signer has signed a head over %llu leaves, the store has only %llu: the end of the "
		     "journal was cut off",
		     (unsigned long long)v->witness.size, (unsigned long long)v->tree.size);
	return journal_found(v, rc, &why, e);
}

enum rc
journal_verifier_end(struct journal_verifier *v, struct journal_summary *ret, struct err *e)
{
	NEED(v->header, e, CHY_JOURNAL_FORMAT, NULL, "nothing in it");
	snprintf(v->where, sizeof(v->where), "end of the export");
	if (v->line.n > 0 || !v->ended)
		TRY(found(v, CHY_JOURNAL_FORMAT, e, "the export has been cut off"));
	if (v->sum.leaves != v->size)
		TRY(found(v, CHY_JOURNAL_ALTERED, e, "there are not as many leaves as the header says"));
	if (v->head_size != v->tree.size)
		TRY(found(v, CHY_JOURNAL_ALTERED, e, "the last leaves are under no signed head"));
	TRY(missed_witness(v, e));
	TRY(missing_rows(v, &v->documents, "document", e));
	TRY(missing_rows(v, &v->certificates, "certificate", e));
	TRY(missing_rows(v, &v->signatures, "signature", e));
	TRY(journal_issuers_end(v, e));
	TRY(journal_time_end(v, e));
	*ret = v->sum;
	return RC_OK;
}

/* ---- lines ---- */

static enum rc
take_line(struct journal_verifier *v, struct bytes text, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(4 * JOURNAL_LINE_MAX);
	struct bytes type = BYTES_NONE;
	struct err why = { 0 };
	struct json *line;
	enum rc rc;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "line");
	v->lines++;
	snprintf(v->where, sizeof(v->where), "line %llu", (unsigned long long)v->lines);
	rc = json_parse(a, text, &line, &why);
	if (!v->header) {
		NEED(rc == RC_OK, e, CHY_JOURNAL_FORMAT, NULL,
		     "the first line is not the header of a chancery-journal/1");
		return take_header(v, line, e);
	}
	if (rc == RC_OK)
		rc = json_need_str(line, "type", &type, &why);
	if (rc != RC_OK)
		return journal_found(v, rc, &why, e);
	if (v->ended)
		return found(v, CHY_JOURNAL_FORMAT, e, "it stands behind the end");
	if (bytes_is(type, "leaf"))
		return take_leaf(v, a, line, e);
	if (bytes_is(type, "head"))
		return take_head(v, a, line, e);
	if (bytes_is(type, "document"))
		return journal_row(v, a, line, ROW_DOCUMENT, e);
	if (bytes_is(type, "certificate"))
		return journal_row(v, a, line, ROW_CERTIFICATE, e);
	if (bytes_is(type, "removed"))
		return journal_row(v, a, line, ROW_REMOVED, e);
	if (bytes_is(type, "request-signature"))
		return journal_row(v, a, line, ROW_SIGNATURE, e);
	if (bytes_is(type, "end"))
		return take_end(v, line, e);
	return found(v, CHY_JOURNAL_FORMAT, e, "a line of an unknown type");
}

enum rc
journal_verifier_take(struct journal_verifier *v, struct bytes piece, struct err *e)
{
	while (piece.n > 0) {
		struct bytes rest, part = text_cut(piece, '\n', &rest);

		if (rest.p == NULL) { /* the line goes on in the next piece */
			buf_put(&v->line, part);
			NEED(buf_ok(&v->line), e, CHY_JOURNAL_FORMAT, NULL, "a line is longer than %d octets",
			     JOURNAL_LINE_MAX);
			return RC_OK;
		}
		if (v->line.n > 0) {
			buf_put(&v->line, part);
			NEED(buf_ok(&v->line), e, CHY_JOURNAL_FORMAT, NULL, "a line is longer than %d octets",
			     JOURNAL_LINE_MAX);
			part = buf_bytes(&v->line);
		}
		TRY(take_line(v, part, e));
		v->line.n = 0;
		piece = rest;
	}
	return RC_OK;
}

uint64_t
journal_verifier_lines(const struct journal_verifier *v)
{
	return v->lines;
}

void
journal_verifier_witness(struct journal_verifier *v, const struct journal_head *last)
{
	v->witness = *last;
	v->witness.signature = BYTES_NONE;
}

void
journal_verifier_quick(struct journal_verifier *v)
{
	v->quick = true;
}

/* ---- making ---- */

enum rc
journal_verifier_new(struct bytes root, int64_t now_ms, journal_report_fn *report, void *arg,
		     struct journal_verifier **ret, struct err *e)
{
	struct journal_verifier *v = calloc(1, sizeof(*v));
	uint8_t hash[SHA256_LEN];

	NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "verification");
	v->mem = arena_new(VERIFY_ARENA_MAX);
	v->root = v->mem ? arena_dup(v->mem, root) : BYTES_NONE;
	if (v->root.p == NULL) {
		journal_verifier_free(v);
		FAIL(e, CHY_NO_MEMORY, NULL, "verification");
	}
	v->line = buf_max(JOURNAL_LINE_MAX);
	v->now_ms = now_ms;
	v->report = report;
	v->arg = arg;
	v->ceremony = true;
	sha256(root, hash);
	hex_text(v->instance, BYTES_OF(hash));
	*ret = v;
	return RC_OK;
}

void
journal_verifier_free(struct journal_verifier *v)
{
	if (v == NULL)
		return;
	if (v->journal_key)
		verifier_free(v->journal_key);
	journal_issuers_fini(v);
	pairmap_fini(&v->issuers);
	pairmap_fini(&v->late);
	pairmap_fini(&v->signatures);
	pairmap_fini(&v->statuses);
	pairmap_fini(&v->officers);
	pairmap_fini(&v->profiles);
	pairmap_fini(&v->domains);
	pairmap_fini(&v->requests);
	pairmap_fini(&v->rescues);
	pairmap_fini(&v->nodes);
	pairmap_fini(&v->sessions);
	pairmap_fini(&v->documents);
	pairmap_fini(&v->certificates);
	pairmap_fini(&v->versions);
	pairmap_fini(&v->prints);
	buf_fini(&v->line);
	arena_free(v->mem);
	free(v);
}
