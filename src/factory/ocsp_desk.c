#include "base/base.h"
#include "factory/ocsp_desk.h"

#include "crypto/digest.h"
#include "store/read.h"

_Static_assert(OCSP_HASHES == (int)HASH_ALGS, "pki and crypto number digests alike");

/* How far the changes of an authority's statuses have been taken into account. */
struct seen {
	int64_t authority, seq;
};

struct ocsp_desk {
	pthread_rwlock_t lock;
	struct ocsp_by **rows;
	size_t n;
	struct ocsp_kept *kept;
	struct ocsp_figures figures;
	pthread_mutex_t renewing; /* one at a time, so that the last one has read the newest policy */
	pthread_mutex_t seen_lock;
	struct seen *seen;
	size_t seen_n;
	_Atomic int64_t gone; /* certificate whose key the signer lacks; 0: none */
};

struct ocsp_desk *
desk_new(void)
{
	struct ocsp_desk *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	pthread_rwlock_init(&d->lock, NULL);
	pthread_mutex_init(&d->renewing, NULL);
	pthread_mutex_init(&d->seen_lock, NULL);
	d->kept = kept_new();
	if (d->kept == NULL) {
		desk_free(d);
		return NULL;
	}
	return d;
}

static void
free_rows(struct ocsp_by **rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ocsp_by_unref(rows[i]);
	free(rows);
}

void
desk_free(struct ocsp_desk *d)
{
	if (d == NULL)
		return;
	kept_free(d->kept);
	free_rows(d->rows, d->n);
	free(d->seen);
	pthread_rwlock_destroy(&d->lock);
	pthread_mutex_destroy(&d->renewing);
	pthread_mutex_destroy(&d->seen_lock);
	free(d);
}

struct ocsp_kept *
desk_kept(struct ocsp_desk *d)
{
	return d->kept;
}

struct ocsp_figures *
desk_figures(struct ocsp_desk *d)
{
	return &d->figures;
}

/* ---- finding ---- */

static bool
is_issuer(const struct ocsp_by *by, const struct ocsp_id *id)
{
	return bytes_eq(id->key_hash, bytes_of(by->key[id->hash], ocsp_hash_len(id->hash))) &&
	    bytes_eq(id->name_hash, bytes_of(by->name[id->hash], ocsp_hash_len(id->hash)));
}

struct ocsp_by *
desk_find(struct ocsp_desk *d, const struct ocsp_id *id)
{
	struct ocsp_by *found = NULL;

	if (id->hash >= OCSP_HASHES)
		return NULL;
	pthread_rwlock_rdlock(&d->lock);
	for (size_t i = 0; i < d->n && found == NULL; i++)
		if (is_issuer(d->rows[i], id))
			found = ocsp_by_ref(d->rows[i]);
	pthread_rwlock_unlock(&d->lock);
	return found;
}

struct ocsp_by *
desk_row(struct ocsp_desk *d, size_t n)
{
	struct ocsp_by *found = NULL;

	pthread_rwlock_rdlock(&d->lock);
	if (n < d->n)
		found = ocsp_by_ref(d->rows[n]);
	pthread_rwlock_unlock(&d->lock);
	return found;
}

bool
desk_has_key(struct ocsp_desk *d, struct bytes label)
{
	bool found = false;

	pthread_rwlock_rdlock(&d->lock);
	for (size_t i = 0; i < d->n && !found; i++)
		found = bytes_is(label, d->rows[i]->label);
	pthread_rwlock_unlock(&d->lock);
	return found;
}

size_t
desk_row_count(struct ocsp_desk *d)
{
	size_t n;

	pthread_rwlock_rdlock(&d->lock);
	n = d->n;
	pthread_rwlock_unlock(&d->lock);
	return n;
}

struct bytes
ocsp_id_write(const struct ocsp_by *by, enum ocsp_hash h, struct bytes serial, uint8_t dst[OCSP_ID_MAX])
{
	uint8_t padded[LIMIT_SERIAL + 1] = { 0 };
	struct ocsp_id id = { .hash = h,
			      .name_hash = bytes_of(by->name[h], ocsp_hash_len(h)),
			      .key_hash = bytes_of(by->key[h], ocsp_hash_len(h)),
			      .serial = serial };
	struct dw w = dw_fixed(dst, OCSP_ID_MAX);

	if (serial.n > 0 && serial.n <= LIMIT_SERIAL &&
	    serial.p[0] & 0x80) { /* an INTEGER that is positive */
		memcpy(padded + 1, serial.p, serial.n);
		id.serial = bytes_of(padded, serial.n + 1);
	}
	dw_ocsp_id(&w, &id);
	return dw_bytes(&w);
}

/* ---- making rows ---- */

static MUST enum rc
put_certificate(struct factory *f, struct arena *a, const struct responder_row *row, struct ocsp_by **ret,
		struct err *e)
{
	struct ocsp_by *by = *ret, *larger;
	struct key_type type;
	struct pubkey key;
	struct bytes der;
	struct cert cert;

	TRY(store_der(f->store, a, row->certificate, &der, e));
	TRY(cert_parse(a, der, &cert, e));
	TRY(pubkey_parse(cert.spki, &key, e));
	type = pubkey_type(&key);
	larger = realloc(by, sizeof(*by) + der.n);
	NEED(larger != NULL && row->key.n < sizeof(by->label), e, CHY_NO_MEMORY, NULL, "an OCSP responder");
	by = *ret = larger;
	memcpy(by + 1, der.p, der.n);
	by->certificate = bytes_of(by + 1, der.n);
	by->certificate_id = row->certificate;
	by->not_before_at = row->not_before;
	by->not_after_at = row->not_after;
	by->sigalg = sigalg_default(&type);
	snprintf(by->label, sizeof(by->label), "%.*s", BYTES_FMT(row->key));
	sha1(key.bits_der, by->key_hash);
	return RC_OK;
}

/* A certificate that is revoked or over is none. */
static MUST enum rc
is_usable(struct factory *f, struct arena *a, const struct responder_row *row, bool *ret, struct err *e)
{
	struct status_row status;

	*ret = row->certificate != 0 && row->not_after > clock_now_ms() &&
	    row->certificate != atomic_load(&f->ocsp->gone);
	if (!*ret)
		return RC_OK;
	TRY(store_status(f->store, a, row->certificate, &status, e));
	*ret = status.state == CERTIFICATE_VALID;
	return RC_OK;
}

static MUST enum rc
make_row(struct factory *f, struct arena *a, const struct authority *x, struct ocsp_by **ret, struct err *e)
{
	struct ocsp_by *by = *ret = calloc(1, sizeof(*by));
	struct responder_row row;
	struct pubkey key;
	bool usable;

	NEED(by != NULL, e, CHY_NO_MEMORY, NULL, "an OCSP responder");
	by->refs = 1;
	by->authority = x->doc->id.v;
	by->version = x->doc->version;
	by->settings = x->ocsp;
	by->settings.key_algorithm = BYTES_NONE; /* the snapshot's */
	TRY(pubkey_parse(x->spki, &key, e));
	for (int h = 0; h < OCSP_HASHES; h++) {
		hash_of((enum hash_alg)h, x->subject_in_force, by->name[h]);
		hash_of((enum hash_alg)h, key.bits_der, by->key[h]);
	}
	TRY(store_responder(f->store, a, by->authority, f->node.sha256, &row, e));
	TRY(is_usable(f, a, &row, &usable, e));
	return usable ? put_certificate(f, a, &row, ret, e) : RC_OK;
}

/* What an authority has issued is answered for as long as its certificate lives, whether it issues on or not. */
static bool
is_answered(const struct authority *x, int64_t now)
{
	return x != NULL && x->ocsp.on && x->key != NULL && x->certificate.n > 0 && now < x->not_after_ms &&
	    !authority_is_over(x, now);
}

/* ---- the first time that we see an authority, nothing is kept of it ---- */

static MUST enum rc
know(struct factory *f, int64_t authority, struct err *e)
{
	struct ocsp_desk *d = f->ocsp;
	struct seen *more;
	int64_t seq;

	for (size_t i = 0; i < d->seen_n; i++)
		if (d->seen[i].authority == authority)
			return RC_OK;
	TRY(store_status_seq(f->store, authority, &seq, e));
	more = reallocarray(d->seen, d->seen_n + 1, sizeof(*more));
	NEED(more != NULL, e, CHY_NO_MEMORY, NULL, "an OCSP responder");
	d->seen = more;
	d->seen[d->seen_n++] = (struct seen){ authority, seq };
	return RC_OK;
}

static MUST enum rc
know_all(struct factory *f, struct ocsp_by **rows, size_t n, struct err *e)
{
	enum rc rc = RC_OK;

	pthread_mutex_lock(&f->ocsp->seen_lock);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = know(f, rows[i]->authority, e);
	pthread_mutex_unlock(&f->ocsp->seen_lock);
	return rc;
}

/* ---- renewing the desk ---- */

/* The next authority from the i-th on that we answer for, here; NULL: there is no more. */
static const struct authority *
next_answered(const struct factory *f, const struct snapshot *policy, size_t *i)
{
	const struct document *node = status_node_of(policy, bytes_str(f->node.sha256)), *const * all;
	size_t n = snapshot_list(policy, KIND_AUTHORITY, &all);

	while (*i < n) {
		const struct authority *x = snapshot_authority(policy, all[(*i)++]->id);

		if (is_answered(x, clock_now_ms()) &&
		    (!factory_is_node(f) || (node != NULL && status_node_answers(policy, node, x))))
			return x;
	}
	return NULL;
}

static MUST enum rc
make_rows(struct factory *f, const struct snapshot *policy, struct ocsp_by ***ret, size_t *ret_n,
	  struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_AUTHORITY, &all), i = 0;
	struct ocsp_by **rows = *ret = calloc(n + 1, sizeof(struct ocsp_by *));
	const struct authority *x;

	*ret_n = 0;
	NEED(a != NULL && rows != NULL, e, CHY_NO_MEMORY, NULL, "OCSP responders");
	while ((x = next_answered(f, policy, &i)) != NULL) {
		enum rc rc = make_row(f, a, x, &rows[*ret_n], e);

		if (rows[*ret_n] != NULL)
			++*ret_n;
		TRY(rc);
	}
	return know_all(f, rows, *ret_n, e);
}

static const struct ocsp_by *
row_of(struct ocsp_by *const *rows, size_t n, int64_t authority)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i]->authority == authority)
			return rows[i];
	return NULL;
}

/* What was answered by other settings, or is answered no more, is not told any longer. */
static void
drop_changed(struct ocsp_desk *d, struct ocsp_by *const *old, size_t old_n, struct ocsp_by *const *rows,
	     size_t n)
{
	for (size_t i = 0; i < old_n; i++) {
		const struct ocsp_by *now = row_of(rows, n, old[i]->authority);

		if (now != NULL && now->version == old[i]->version &&
		    (now->certificate_id == old[i]->certificate_id || now->certificate_id != 0))
			continue;
		kept_next_epoch(d->kept);
		kept_drop_authority(d->kept, old[i]->authority);
	}
}

static MUST enum rc
renew(struct factory *f, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	struct ocsp_desk *d = f->ocsp;
	struct ocsp_by **rows, **old;
	size_t n, old_n;
	enum rc rc = make_rows(f, policy, &rows, &n, e);

	if (rc != RC_OK) {
		free_rows(rows, rows != NULL ? n : 0);
		return rc;
	}
	pthread_rwlock_wrlock(&d->lock);
	old = d->rows;
	old_n = d->n;
	d->rows = rows;
	d->n = n;
	pthread_rwlock_unlock(&d->lock);
	drop_changed(d, old, old_n, rows, n);
	free_rows(old, old_n);
	return RC_OK;
}

bool
desk_is_complete(struct factory *f)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct authority *x;
	size_t i = 0;

	while ((x = next_answered(f, policy, &i)) != NULL) {
		bool there = false;

		pthread_rwlock_rdlock(&f->ocsp->lock);
		for (size_t k = 0; k < f->ocsp->n; k++)
			there = there ||
			    (f->ocsp->rows[k]->authority == x->doc->id.v &&
			     f->ocsp->rows[k]->certificate_id != 0);
		pthread_rwlock_unlock(&f->ocsp->lock);
		if (!there)
			return false;
	}
	return true;
}

enum rc
desk_renew(struct factory *f, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&f->ocsp->renewing);
	rc = renew(f, e);
	pthread_mutex_unlock(&f->ocsp->renewing);
	return rc;
}

void
desk_key_gone(struct ocsp_desk *d, int64_t certificate)
{
	atomic_store(&d->gone, certificate);
}

/* ---- statuses ---- */

static void
drop_answers(struct ocsp_desk *d, const struct ocsp_by *by, struct bytes serial)
{
	uint8_t id[OCSP_ID_MAX];

	for (int h = 0; h < OCSP_HASHES; h++)
		kept_drop(d->kept, ocsp_id_write(by, (enum ocsp_hash)h, serial, id));
}

static MUST enum rc
take_page(struct factory *f, struct seen *s, const struct ocsp_by *by, bool *ret_more, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct status_row *v;
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "changed statuses");
	TRY(store_status_changed(f->store, a, s->authority, s->seq, LIMIT_PAGE, &v, &n, e));
	for (size_t i = 0; i < n; i++) {
		drop_answers(f->ocsp, by, v[i].serial);
		s->seq = v[i].seq;
	}
	*ret_more = n == LIMIT_PAGE;
	return RC_OK;
}

/* All rows, referenced, for who asks the store in between: by their numbers one would be left out where the table is exchanged
   meanwhile. NULL: there are none, or no memory. */
static struct ocsp_by **
rows_now(struct ocsp_desk *d, size_t *ret_n)
{
	struct ocsp_by **all;

	pthread_rwlock_rdlock(&d->lock);
	all = d->n > 0 ? calloc(d->n, sizeof(struct ocsp_by *)) : NULL;
	*ret_n = all != NULL ? d->n : 0;
	for (size_t i = 0; i < *ret_n; i++)
		all[i] = ocsp_by_ref(d->rows[i]);
	pthread_rwlock_unlock(&d->lock);
	return all;
}

/* Where the store cannot tell what has changed, all is dropped, and told anew at the next question. */
static void
take_changes(struct factory *f, struct seen *s, const struct ocsp_by *by)
{
	struct err e = { 0 };
	bool more = true;
	enum rc rc = RC_OK;

	while (more && rc == RC_OK)
		rc = take_page(f, s, by, &more, &e);
	if (rc != RC_OK)
		kept_drop_authority(f->ocsp->kept, s->authority);
}

void
desk_status_changed(void *factory, int64_t stamp)
{
	struct factory *f = factory;
	struct ocsp_desk *d = f->ocsp;
	struct ocsp_by **rows;
	size_t n;

	kept_next_epoch(d->kept);
	pthread_mutex_lock(&d->seen_lock);
	rows = rows_now(d, &n);
	for (size_t row = 0; row < n; row++)
		for (size_t i = 0; i < d->seen_n; i++)
			if (d->seen[i].authority == rows[row]->authority)
				take_changes(f, &d->seen[i], rows[row]);
	for (size_t i = 0; i < d->seen_n && rows == NULL; i++)
		kept_drop_authority(d->kept, d->seen[i].authority);
	free_rows(rows, n);
	pthread_mutex_unlock(&d->seen_lock);
}
