#include "base/base.h"
#include "store/core.h"

/*
 * The follower of the queue certificate_todo: it enters subject, names, key and fingerprint of certificates into
 * certificate_search. An entry is a 64-bit hash, so a finding is compared with the certificate's row.
 */
enum { BATCH = 8192 };

/* FNV-1a over the text in lower case (ASCII), mixed. */
static int64_t
hash_of(struct bytes b, bool fold)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < b.n; i++) {
		uint8_t c = b.p[i];

		if (fold && c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 32);
		h = (h ^ c) * 0x100000001b3u;
	}
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	return (int64_t)h;
}

static bool
folds(enum search_by by)
{
	return by == SEARCH_SUBJECT || by == SEARCH_SAN;
}

struct search_row
store_search_entry(enum search_by by, struct bytes value, int64_t id)
{
	return (struct search_row){ by, hash_of(value, folds(by)), id };
}

struct entries {
	struct search_row *p;
	size_t n, cap;
};

/* A batch: the oldest of the queue. */
struct found {
	struct entries entries;
	int64_t *ids;
	size_t nids, most;
};

static bool
add(struct entries *x, enum search_by by, struct bytes value, int64_t id)
{
	if (value.n == 0)
		return true;
	if (x->n == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 4096;
		struct search_row *p = reallocarray(x->p, cap, sizeof(*p));

		if (p == NULL)
			return false;
		x->p = p;
		x->cap = cap;
	}
	x->p[x->n++] = store_search_entry(by, value, id);
	return true;
}

static bool
add_certificate(struct entries *x, const struct certificate_row *c)
{
	struct bytes rest = c->san;
	bool ok = add(x, SEARCH_SUBJECT, c->subject, c->id) && add(x, SEARCH_KEY, c->key_hash, c->id) &&
	    add(x, SEARCH_FINGERPRINT, c->fingerprint, c->id);

	while (ok && rest.n > 0)
		ok = add(x, SEARCH_SAN, text_cut(rest, '\n', &rest), c->id);
	return ok;
}

int
search_row_compare(const void *x, const void *y)
{
	const struct search_row *a = x, *b = y;

	if (a->attribute != b->attribute)
		return a->attribute < b->attribute ? -1 : 1;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static bool
take_certificate(struct found *f, const union value *cols)
{
	struct certificate_row row;

	row_view(&table_certificate, cols, &row);
	if (f->nids == f->most)
		return true;
	f->ids[f->nids++] = row.id;
	return add_certificate(&f->entries, &row);
}

static enum rc
take_row(void *arg, const union value *cols, struct err *e)
{
	NEED(take_certificate(arg, cols), e, CHY_NO_MEMORY, NULL, "the search follower");
	return RC_OK;
}

static enum rc
commit_slice(struct store *s, struct change *c, struct err *e)
{
	int64_t begun = clock_mono_us();

	TRY(store_commit(s, c, e));
	pace_took(&s->search_pace, clock_mono_us() - begun);
	return RC_OK;
}

/* In the order of the index: of a large batch many entries fall on each of its pages. In slices, because others wait for the
   committer too. Entering twice does no harm, so the slices need not hang together. */
static enum rc
enter(struct store *s, const struct entries *x, struct err *e)
{
	if (x->n > 0)
		qsort(x->p, x->n, sizeof(*x->p), search_row_compare);
	for (size_t i = 0; i < x->n;) {
		struct change *c = change_new();

		for (size_t end = i + s->search_pace.n; i < x->n && i < end; i++)
			change_row(c, Q_PUT_SEARCH, &x->p[i]);
		TRY(commit_slice(s, c, e));
	}
	return RC_OK;
}

/* Out of the queue, and into that of the auditor. */
static enum rc
pass_on(struct store *s, const int64_t *ids, size_t n, struct err *e)
{
	for (size_t i = 0; i < n;) {
		struct change *c = change_new();

		for (size_t end = i + s->search_pace.n; i < n && i < end; i++) {
			change_op(c, Q_DROP_CERTIFICATE_TODO, &INT_VALUE(ids[i]));
			change_op(c, Q_PUT_VERDICT_TODO, &INT_VALUE(ids[i]));
			change_op(c, Q_PUT_VALUE_TODO, &INT_VALUE(ids[i]));
		}
		TRY(commit_slice(s, c, e));
	}
	return RC_OK;
}

static enum rc
follow_into(struct store *s, struct found *f, struct err *e)
{
	struct err why = { 0 };
	enum rc rc;

	f->ids = calloc(f->most, sizeof(*f->ids));
	NEED(f->ids != NULL, e, CHY_NO_MEMORY, NULL, "the search follower");
	TRY(store_query(s, Q_SEARCH_TODO, &INT_VALUE((int64_t)f->most), take_row, f, e));
	TRY(enter(s, &f->entries, e));
	rc = pass_on(s, f->ids, f->nids, &why);
	if (why.code == CHY_STORE_STATE) /* another factory did the same meanwhile, which is fine */
		return RC_OK;
	if (rc != RC_OK && e != NULL && e->code == CHY_NONE)
		*e = why;
	return rc;
}

static enum rc
follow(struct store *s, size_t most, size_t *ret_n, struct err *e)
{
	struct found f = { .most = most };
	enum rc rc = follow_into(s, &f, e);

	*ret_n = f.nids;
	free(f.ids);
	free(f.entries.p);
	return rc;
}

enum rc
store_search_catch_up(struct store *s, size_t most, size_t *done, struct err *e)
{
	size_t sum = 0, n = 1;
	enum rc rc = RC_OK;

	pthread_mutex_lock(&s->search);
	while (rc == RC_OK && n > 0 && (most == 0 || sum < most)) {
		size_t batch = most > 0 && most - sum < BATCH ? most - sum : BATCH;

		rc = follow(s, batch, &n, e);
		sum += rc == RC_OK ? n : 0;
		if (n < batch)
			break;
	}
	pthread_mutex_unlock(&s->search);
	if (done != NULL)
		*done = sum;
	return rc;
}

static bool
has_name(struct bytes san, struct bytes value)
{
	while (san.n > 0)
		if (ascii_case_eq(text_cut(san, '\n', &san), value))
			return true;
	return false;
}

static bool
is_match(const struct certificate_row *c, enum search_by by, struct bytes value)
{
	switch (by) {
	case SEARCH_SUBJECT:
		return ascii_case_eq(c->subject, value);
	case SEARCH_SAN:
		return has_name(c->san, value);
	case SEARCH_KEY:
		return bytes_eq(c->key_hash, value);
	case SEARCH_FINGERPRINT:
		return bytes_eq(c->fingerprint, value);
	}
	return false;
}

/* In what the index holds already. */
static enum rc
search_index(struct store *s, struct arena *a, enum search_by by, struct bytes value, int64_t after,
	     size_t limit, struct certificate_row **ret, size_t *n, struct err *e)
{
	size_t most = limit < LIMIT_PAGE ? limit : LIMIT_PAGE, found, kept;

	/* another page where all of a page's entries were other values with the same hash */
	do {
		const union value args[] = { INT_VALUE(by), INT_VALUE(hash_of(value, folds(by))),
					     INT_VALUE(after), INT_VALUE((int64_t)most) };

		TRY(store_rows(s, a, Q_SEARCH, args, ret, &found, e));
		kept = 0;
		for (size_t i = 0; i < found; i++) {
			after = (*ret)[i].id;
			if (is_match(&(*ret)[i], by, value))
				(*ret)[kept++] = (*ret)[i];
		}
	} while (kept == 0 && found == most && most > 0);
	*n = kept;
	return RC_OK;
}

enum rc
store_search(struct store *s, struct arena *a, enum search_by by, struct bytes value, int64_t after,
	     size_t limit, struct certificate_row **ret, size_t *n, struct err *e)
{
	if (s->committer.running)
		TRY(store_search_catch_up(s, 0, NULL, e));
	return search_index(s, a, by, value, after, limit, ret, n, e);
}

/* The newest of those that are not in the index yet. */
static enum rc
search_waiting(struct store *s, struct arena *a, struct bytes sha256, struct certificate_row **ret, size_t *n,
	       struct err *e)
{
	const union value args[] = { BYTES_VALUE(sha256), INT_VALUE(SEARCH_WAITING_MAX) };

	return store_rows(s, a, Q_SEARCH_WAITING, args, ret, n, e);
}

/* Asked from event threads, so it neither fills the index nor reads a long queue. The index is asked again last: the follower
   may have taken the certificate from the queue since it was asked first. */
enum rc
store_certificate_by_fingerprint(struct store *s, struct arena *a, struct bytes sha256,
				 struct certificate_row *ret, struct err *e)
{
	struct certificate_row *rows;
	int64_t waiting = 0;
	size_t n;

	TRY(search_index(s, a, SEARCH_FINGERPRINT, sha256, 0, 1, &rows, &n, e));
	if (n == 0) {
		TRY(store_number(s, Q_SEARCH_WAIT, &INT_VALUE(SEARCH_WAITING_MAX + 1), &waiting, e));
		TRY(search_waiting(s, a, sha256, &rows, &n, e));
	}
	if (n == 0)
		TRY(search_index(s, a, SEARCH_FINGERPRINT, sha256, 0, 1, &rows, &n, e));
	NEED(n > 0 || waiting <= SEARCH_WAITING_MAX, e, CHY_STORE_BEHIND, NULL,
	     "more than %d new certificates are not in the search index yet: try again", SEARCH_WAITING_MAX);
	NEED(n > 0, e, CHY_STORE_NOT_FOUND, NULL, "no certificate has this fingerprint");
	*ret = rows[0];
	return RC_OK;
}
