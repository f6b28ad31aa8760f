#include "base/base.h"
#include "factory/journal_out.h"

#include "crypto/digest.h"

#include "base/idgen.h"
#include "factory/leaf.h"
#include "factory/page.h"
#include "factory/search_values.h"
#include "factory/sequencer.h"
#include "factory/tiles.h"
#include "store/read.h"

enum { PAGE = 500, LINE_MAX_BYTES = 8 << 20, CHANGED_MAX = 16 << 10 };

static struct json *
head_json(struct factory *f, struct arena *a, const struct head_row *h)
{
	struct json *o = json_object(a);

	json_set(o, "size", json_int(a, h->size));
	json_set(o, "root", json_base64(a, h->root));
	json_set(o, "at", json_time(a, h->at));
	json_set(o, "signature", json_base64(a, h->signature));
	json_set(o, "certificate", json_base64(a, f->journal_certificate));
	return o;
}

enum rc
journal_head(struct factory *f, struct arena *a, struct json **ret, struct err *e)
{
	struct head_row h;

	TRY(store_head(f->store, a, &h, e));
	*ret = head_json(f, a, &h);
	return RC_OK;
}

enum rc
journal_witness(struct factory *f, struct arena *a, struct json **ret, struct err *e)
{
	struct signer_last_head last;

	TRY(signer_head_last(f->signer, KEY_JOURNAL, SIGNER_WAIT_MS, a, &last, e));
	NEED(last.head.size > 0, e, CHY_STORE_NOT_FOUND, NULL, "the signer has signed no head yet");
	*ret = head_json(f, a,
			 &(struct head_row){ .size = (int64_t)last.head.size,
					     .root = arena_dup(a, BYTES_OF(last.head.root)),
					     .at = last.head.at_ms,
					     .signature = last.signature });
	json_set(*ret, "position", json_int(a, (int64_t)last.position));
	json_set(*ret, "given_up", json_bool(a, last.restart != 0));
	return RC_OK;
}

static enum rc
path_json(struct factory *f, struct arena *a, uint64_t index, uint64_t size, struct json **ret, struct err *e)
{
	struct tiles_reader reader;
	struct tree_proof proof;

	tiles_reader_init(&reader, f->store);
	TRY(tree_inclusion(tiles_sha256, &reader.reader, index, size, &proof, e));
	*ret = json_array(a);
	for (size_t i = 0; i < proof.n; i++)
		json_add(*ret, json_base64(a, BYTES_OF(proof.at[i].b)));
	return RC_OK;
}

enum rc
journal_proof(struct factory *f, struct arena *a, int64_t leaf, struct json **ret, struct err *e)
{
	struct leaf_row row;
	struct head_row head;
	struct json *path;
	int64_t index;
	enum rc rc;

	TRY(store_leaf(f->store, a, leaf, &row, e));
	rc = store_leaf_index(f->store, leaf, &index, e);
	if (rc == RC_OK)
		rc = store_head(f->store, a, &head, e);
	if (rc == RC_NOT_FOUND || (rc == RC_OK && index >= head.size)) {
		err_clear(e);
		FAIL(e, CHY_JOURNAL_WAITING, NULL, "leaf %lld waits for its place under a signed head",
		     (long long)leaf);
	}
	TRY(rc);
	TRY(path_json(f, a, (uint64_t)index, (uint64_t)head.size, &path, e));
	*ret = json_object(a);
	json_set(*ret, "leaf", json_str(a, row.body));
	json_set(*ret, "index", json_int(a, index));
	json_set(*ret, "head", head_json(f, a, &head));
	json_set(*ret, "path", path);
	return RC_OK;
}

/* ---- export ---- */

/*
 * Leaves are placed a moment after their facts are stored, so at any time some facts stand in the store and not under the
 * head that is exported. What is older than RECENT_MS has its place for certain once the waiting leaves were placed; of
 * what is younger, the leaves say which facts belong to this export.
 */
enum { RECENT_MS = 600000 };
#define LEAF_OF_STATUS INT64_MAX

struct fact {
	int64_t id,
	    version; /* version 0: a certificate; below 0: a request's signature, by that officer; of a change of a
				status the leaf's id, and LEAF_OF_STATUS */
};

struct export
{
	struct factory *f;
	journal_put *put;
	void *arg;
	int64_t size; /* leaves */
	int64_t documents, certificates, signatures, left_out;
	int64_t recent_at; /* facts since then must be among these */
	struct fact *recent;
	size_t recent_n, recent_max;
};

static int
by_fact(const void *a, const void *b)
{
	const struct fact *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->version > y->version) - (x->version < y->version);
}

static bool
is_exported(struct export *x, int64_t at_ms, int64_t id, int64_t version)
{
	const struct fact key = { id, version };

	/* an export goes on for minutes, and rows come meanwhile; but no clock is so wrong as that: a row put in */
	if (at_ms < x->recent_at || at_ms > clock_now_ms() + RECENT_MS)
		return true;
	if (x->recent_n > 0 && bsearch(&key, x->recent, x->recent_n, sizeof(key), by_fact) != NULL)
		return true;
	x->left_out++;
	return false;
}

static enum rc
remember(struct export *x, int64_t id, int64_t version, struct err *e)
{
	if (x->recent_n == x->recent_max) {
		size_t max = x->recent_max ? x->recent_max * 2 : 1024;
		struct fact *more = reallocarray(x->recent, max, sizeof(*more));

		NEED(more != NULL, e, CHY_NO_MEMORY, NULL, "the export");
		x->recent = more;
		x->recent_max = max;
	}
	x->recent[x->recent_n++] = (struct fact){ id, version };
	return RC_OK;
}

/* Which fact a leaf is of, if that is a recent one. */
static enum rc
note_fact(struct export *x, const struct placed_leaf_row *row, struct err *e)
{
	OWN(arena_free)
	struct arena *a = NULL;
	struct json *body, *document;
	int64_t version;

	if (id_at_ms(row->id) < x->recent_at)
		return RC_OK;
	NEED((a = arena_new(PAGE_ARENA)) != NULL, e, CHY_NO_MEMORY, NULL, "the export");
	if (bytes_is(row->kind, "certificate") || bytes_is(row->kind, "ca-certificate") ||
	    bytes_is(row->kind, "ocsp-certificate") || bytes_is(row->kind, "attribute-certificate") ||
	    bytes_is(row->kind, "imported"))
		return remember(x, row->object, 0, e);
	if (bytes_is(row->kind, "certificate-state") || bytes_is(row->kind, "removed"))
		return remember(x, row->id, LEAF_OF_STATUS, e);
	if (bytes_is(row->kind, leaf_kind_name(LEAF_PUBLICATION))) {
		TRY(json_parse(a, row->body, &body, e));
		TRY(json_need_int(json_get(body, "by"), "request", 1, JSON_INT_MAX, &version, e));
		return remember(x, row->object, version, e);
	}
	if (bytes_is(row->kind, "signature")) {
		TRY(json_parse(a, row->body, &body, e));
		TRY(json_need_int(body, "officer", 1, JSON_INT_MAX, &version, e));
		return remember(x, row->object, -version, e);
	}
	if (!bytes_is(row->kind, "document"))
		return RC_OK;
	TRY(json_parse(a, row->body, &body, e));
	TRY(json_need_object(body, "document", &document, e));
	TRY(json_need_int(document, "version", 1, JSON_INT_MAX, &version, e));
	return remember(x, row->object, version, e);
}

static enum rc
put_line(struct export *x, const struct buf *b, struct err *e)
{
	NEED(buf_ok(b), e, CHY_NO_MEMORY, NULL, "a line of the export");
	return x->put(x->arg, buf_bytes(b), e);
}

static enum rc
put_head(struct export *x, const struct head_row *h, struct err *e)
{
	OWN_BUF struct buf b = buf_max(64 << 10);
	char at[32];

	buf_printf(&b, "{\"type\":\"head\",\"size\":%lld,\"root\":\"", (long long)h->size);
	base64_put(&b, h->root);
	buf_printf(&b, "\",\"at\":\"%s\",\"signature\":\"", time_text(at, h->at));
	base64_put(&b, h->signature);
	buf_str(&b, "\"}\n");
	return put_line(x, &b, e);
}

/* Heads whose leaves have all been written, read page by page. */
static enum rc
put_heads_up_to(struct export *x, int64_t leaves, int64_t *after, struct err *e)
{
	for (;;) {
		OWN(arena_free)
		struct arena *a = arena_new(PAGE_ARENA);
		struct head_row *rows;
		size_t n;

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the export");
		TRY(store_heads(x->f->store, a, *after, 1, &rows, &n, e));
		if (n == 0 || rows[0].size > leaves)
			return RC_OK;
		TRY(put_head(x, &rows[0], e));
		*after = rows[0].size;
	}
}

static enum rc
put_leaf(struct export *x, const struct placed_leaf_row *row, struct err *e)
{
	OWN_BUF struct buf b = buf_max(LINE_MAX_BYTES);

	buf_printf(&b, "{\"type\":\"leaf\",\"index\":%lld,\"body\":", (long long)row->idx);
	json_put_str(&b, row->body);
	buf_str(&b, "}\n");
	return put_line(x, &b, e);
}

static enum rc
put_leaves(struct export *x, struct err *e)
{
	int64_t idx = 0, head = 0;

	while (idx < x->size) {
		OWN(arena_free)
		struct arena *a = NULL;
		struct placed_leaf_row *rows;
		size_t n, most = PAGE;

		TRY(PAGE_READ(a, most, PAGE_ARENA, e, store_leaves(x->f->store, a, idx, most, &rows, &n, e)));
		NEED(n > 0, e, CHY_JOURNAL_HEAD, NULL, "leaf %lld of %lld is missing", (long long)idx,
		     (long long)x->size);
		for (size_t i = 0; i < n && idx < x->size; i++) {
			TRY(put_leaf(x, &rows[i], e));
			TRY(note_fact(x, &rows[i], e));
			idx = rows[i].idx + 1;
			TRY(put_heads_up_to(x, idx, &head, e));
		}
	}
	return RC_OK;
}

static enum rc
put_document(struct export *x, const struct document_row *row, struct err *e)
{
	OWN_BUF struct buf b = buf_max(LINE_MAX_BYTES);

	if (!is_exported(x, row->at, row->id, row->version) ||
	    bytes_is(row->state, "deleted")) /* no act does this: to policy it is not there */
		return RC_OK;
	buf_printf(&b, "{\"type\":\"document\",\"id\":%lld,\"version\":%lld,\"kind\":", (long long)row->id,
		   (long long)row->version);
	json_put_str(&b, row->kind);
	buf_str(&b, ",\"body\":");
	buf_put(&b, row->body);
	buf_str(&b, "}\n");
	TRY(put_line(x, &b, e));
	x->documents++;
	return RC_OK;
}

static enum rc
put_documents(struct export *x, struct err *e)
{
	int64_t id = 0, version = 0;
	size_t n, most;

	do {
		OWN(arena_free)
		struct arena *a = NULL;
		struct document_row *rows;

		most = PAGE;
		TRY(PAGE_READ(a, most, PAGE_ARENA, e,
			      store_document_history(x->f->store, a, id, version, most, &rows, &n, e)));
		for (size_t i = 0; i < n; i++) {
			id = rows[i].id;
			version = rows[i].version;
			TRY(put_document(x, &rows[i], e));
		}
	} while (n == most);
	return RC_OK;
}

static enum rc
put_signature(struct export *x, const struct signature_row *row, struct err *e)
{
	OWN_BUF struct buf b = buf_max(LINE_MAX_BYTES);

	if (!is_exported(x, row->at, row->request_id, -row->officer_id))
		return RC_OK;
	buf_printf(&b, "{\"type\":\"request-signature\",\"request\":%lld,\"officer\":%lld,\"cms\":\"",
		   (long long)row->request_id, (long long)row->officer_id);
	base64_put(&b, row->cms);
	buf_str(&b, "\"}\n");
	TRY(put_line(x, &b, e));
	x->signatures++;
	return RC_OK;
}

static enum rc
put_signatures(struct export *x, struct err *e)
{
	int64_t request = 0, number = 0;
	size_t n, most;

	do {
		OWN(arena_free)
		struct arena *a = NULL;
		struct signature_row *rows;

		most = PAGE;
		TRY(PAGE_READ(a, most, PAGE_ARENA, e,
			      store_signature_history(x->f->store, a, request, number, most, &rows, &n, e)));
		for (size_t i = 0; i < n; i++) {
			request = rows[i].request_id;
			number = rows[i].n;
			TRY(put_signature(x, &rows[i], e));
		}
	} while (n == most);
	return RC_OK;
}

/* What became of it; where the leaf of the last change has no place under the head yet, no more than that. */
static void
put_changed(struct export *x, struct buf *b, const struct status_row *s)
{
	if (s == NULL)
		return;
	if (!is_exported(x, id_at_ms(s->leaf), s->leaf, LEAF_OF_STATUS)) {
		buf_printf(b, ",\"changed\":{\"unplaced\":%lld}", (long long)s->leaf);
		return;
	}
	buf_printf(b,
		   ",\"changed\":{\"invalid_at\":%lld,\"leaf\":%lld,\"reason\":%lld,\"since\":%lld,"
		   "\"state\":%lld}",
		   (long long)s->invalid_at, (long long)s->leaf, (long long)s->reason, (long long)s->at,
		   (long long)s->state);
}

static const struct status_row *
find_status(const struct status_row *rows, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

/* What was chosen for it, without the password's form: its digest. A password that an officer has changed by a publication
   whose leaf has no place yet says nothing for or against the export. */
static enum rc
put_choice(struct export *x, struct arena *a, struct buf *b, int64_t certificate, struct err *e)
{
	struct publication_row *published;
	uint8_t sha[SHA256_LEN];
	struct choice_row choice;
	struct err why = { 0 };
	size_t n;

	if (store_choice(x->f->store, a, certificate, &choice, &why) != RC_OK) {
		NEED(why.code == CHY_STORE_NOT_FOUND, e, why.code, NULL, "%s", why.text);
		return RC_OK;
	}
	TRY(store_publications(x->f->store, a, certificate, &published, &n, e));
	for (size_t i = 0; i < n; i++)
		if (!is_exported(x, published[i].at, certificate, published[i].request_id)) {
			buf_printf(b, ",\"choice\":{\"unplaced\":%lld}", (long long)published[i].at);
			return RC_OK;
		}
	buf_printf(b, ",\"choice\":{\"publication_allowed\":%s", choice.publication ? "true" : "false");
	if (choice.revocation_password.n > 0) {
		sha256(choice.revocation_password, sha);
		buf_str(b, ",\"revocation_password_sha256\":\"");
		hex_put(b, BYTES_OF(sha));
		buf_u8(b, '"');
	}
	buf_u8(b, '}');
	return RC_OK;
}

/* What it is searched by; {} where it has nothing. */
static enum rc
put_fields(struct export *x, struct arena *a, struct buf *b, int64_t certificate, bool any, struct err *e)
{
	struct field_row *rows;
	size_t n = 0;

	if (any)
		TRY(store_fields(x->f->store, a, certificate, &rows, &n, e));
	buf_str(b, ",\"fields\":{");
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%s\"%s\":", i ? "," : "", search_field_name(rows[i].n));
		json_put_str(b, rows[i].value);
	}
	buf_u8(b, '}');
	return RC_OK;
}

/* The row and its status are two questions: what was changed between them is asked again. */
static enum rc
same_moment(struct export *x, struct arena *a, struct certificate_row *row, const struct status_row **status,
	    struct err *e)
{
	for (int i = 0; i < 10; i++) {
		struct status_row *again;
		size_t n;

		if (row->status == (*status != NULL ? (*status)->state : CERTIFICATE_VALID))
			return RC_OK;
		TRY(store_certificate(x->f->store, a, row->id, row, e));
		TRY(store_status_range(x->f->store, a, row->id, row->id, 1, &again, &n, e));
		*status = n > 0 ? &again[0] : NULL;
	}
	return RC_OK; /* they contradict each other, and whoever verifies it shall see that */
}

/* The columns, as they stand there: the DER and the leaf say what they must be. */
static void
put_columns(struct buf *b, const struct certificate_row *r, struct bytes changed)
{
	const struct {
		const char *name;
		int64_t v;
	} numbers[] = { { "authority", r->authority },
			{ "base", r->base },
			{ "certificate_procedure", r->certificate_procedure },
			{ "issuer", r->issuer },
			{ "not_after", r->not_after },
			{ "not_before", r->not_before },
			{ "request", r->request_id },
			{ "session", r->session_id },
			{ "status", r->status },
			{ "token_procedure", r->token_procedure } };

	buf_str(b, ",\"row\":{");
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		buf_printf(b, "\"%s\":%lld,", numbers[i].name, (long long)numbers[i].v);
	buf_str(b, "\"fingerprint\":\"");
	hex_put(b, r->fingerprint);
	buf_str(b, "\",\"key_hash\":\"");
	hex_put(b, r->key_hash);
	buf_str(b, "\"");
	buf_put(b, changed);
	buf_str(b, ",\"san\":");
	json_put_str(b, r->san);
	buf_str(b, ",\"subject\":");
	json_put_str(b, r->subject);
	buf_str(b, "}");
}

static enum rc
put_certificate(struct export *x, struct certificate_row *row, const struct status_row *status, bool fields,
		struct err *e)
{
	OWN_BUF struct buf b = buf_max(LINE_MAX_BYTES), changed = buf_max(CHANGED_MAX);
	OWN(arena_free)
	struct arena *own = arena_new(4 * LIMIT_CERT);
	struct bytes der;
	enum rc rc;

	NEED(own != NULL, e, CHY_NO_MEMORY, NULL, "the export");
	if (!is_exported(x, id_at_ms(row->id), row->id, 0))
		return RC_OK;
	rc = same_moment(x, own, row, &status, e);
	if (rc == RC_OK) {
		put_changed(x, &changed, status);
		TRY(put_choice(x, own, &changed, row->id, e));
		TRY(put_fields(x, own, &changed, row->id, fields, e));
		rc = store_der(x->f->store, own, row->id, &der, e); /* the last: where it is, all was */
	}
	if (rc == RC_NOT_FOUND) { /* removed meanwhile: put_removed says so */
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	NEED(buf_ok(&changed), e, CHY_NO_MEMORY, NULL, "the export");
	buf_printf(&b, "{\"type\":\"certificate\",\"id\":%lld,\"serial\":\"", (long long)row->id);
	hex_put(&b, row->serial);
	buf_str(&b, "\",\"der\":\"");
	base64_put(&b, der);
	buf_str(&b, "\"");
	put_columns(&b, row, buf_bytes(&changed));
	buf_str(&b, "}\n");
	TRY(put_line(x, &b, e));
	x->certificates++;
	return RC_OK;
}

static enum rc
put_certificates(struct export *x, struct err *e)
{
	int64_t after = 0;
	size_t n, most;

	do {
		OWN(arena_free)
		struct arena *a = NULL;
		struct certificate_row *rows;
		struct status_row *statuses = NULL;
		size_t statuses_n = 0;
		bool fields = false; /* one of the page has some */

		most = PAGE;
		TRY(PAGE_READ(a, most, PAGE_ARENA, e,
			      store_certificates(x->f->store, a, after, most, &rows, &n, e)));
		if (n > 0)
			TRY(store_status_range(x->f->store, a, rows[0].id, rows[n - 1].id, n, &statuses,
					       &statuses_n, e));
		if (n > 0)
			TRY(store_fields_any(x->f->store, rows[0].id, rows[n - 1].id, &fields, e));
		for (size_t i = 0; i < n; i++)
			TRY(put_certificate(x, &rows[i], find_status(statuses, statuses_n, rows[i].id),
					    fields, e));
		after = n > 0 ? rows[n - 1].id : after;
	} while (n == most);
	return RC_OK;
}

/* What was removed by a leaf that has no place under the head yet: its row is missing, and no leaf says why. */
static enum rc
put_removed(struct export *x, struct err *e)
{
	int64_t after = 0;
	size_t n = 1;

	while (n > 0) {
		OWN(arena_free)
		struct arena *a = arena_new(PAGE_ARENA);
		struct removed_row *rows;

		NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the export");
		TRY(store_removed(x->f->store, a, after, PAGE, &rows, &n, e));
		for (size_t i = 0; i < n; i++) {
			OWN_BUF struct buf b = buf_max(256);

			after = rows[i].id;
			if (is_exported(x, id_at_ms(rows[i].leaf), rows[i].leaf, LEAF_OF_STATUS))
				continue;
			buf_printf(&b, "{\"type\":\"removed\",\"certificate\":%lld,\"unplaced\":%lld}\n",
				   (long long)rows[i].id, (long long)rows[i].leaf);
			TRY(put_line(x, &b, e));
		}
	}
	return RC_OK;
}

static enum rc
export_all(struct export *x, struct err *e)
{
	OWN_BUF struct buf b = buf_max(4096);

	buf_printf(
	    &b, "{\"type\":\"header\",\"format\":\"chancery-journal/1\",\"instance\":\"%s\",\"size\":%lld}\n",
	    x->f->instance, (long long)x->size);
	TRY(put_line(x, &b, e));
	TRY(put_leaves(x, e));
	if (x->recent_n > 0)
		qsort(x->recent, x->recent_n, sizeof(*x->recent), by_fact);
	TRY(put_documents(x, e));
	TRY(put_signatures(x, e));
	TRY(put_certificates(x, e));
	FAULT("journal.exported-certificates");
	TRY(put_removed(x, e));
	b.n = 0;
	buf_printf(&b,
		   "{\"type\":\"end\",\"leaves\":%lld,\"documents\":%lld,\"certificates\":%lld,"
		   "\"signatures\":%lld,\"left_out\":%lld}\n",
		   (long long)x->size, (long long)x->documents, (long long)x->certificates,
		   (long long)x->signatures, (long long)x->left_out);
	return put_line(x, &b, e);
}

enum rc
journal_export(struct factory *f, journal_put *put, void *arg, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct export x = { .f = f, .put = put, .arg = arg, .recent_at = clock_now_ms() - RECENT_MS };
	struct head_row head;
	enum rc rc;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the export");
	rc = sequencer_drain(f, e);
	if (rc != RC_OK && e->code != CHY_SIGNER_HEAD_BACK && e->code != CHY_SIGNER_HEAD_OTHER)
		return rc;
	if (rc != RC_OK) { /* what is there is shown: whoever verifies it has the signer's word against it */
		LOG(ERROR, "journal.not-the-signed-one", LE(e));
		err_clear(e);
	}
	TRY(store_head(f->store, a, &head, e));
	x.size = head.size;
	rc = export_all(&x, e);
	free(x.recent);
	return rc;
}
