/* What a certificate's status is decided by, one by one or read ahead for many. */
#include "base/base.h"
#include "factory/status.h"

#include "store/read.h"

static enum rc
read_names(struct factory *f, struct arena *a, struct status_subject *x, struct err *e)
{
	const struct ext *san;
	struct name holder;
	struct cert cert;
	struct bytes der;

	if (x->row.base != 0) { /* an attribute certificate is of its base's subject */
		TRY(name_from_text(a, x->row.subject, &holder, e));
		x->subject = holder.der;
		return RC_OK;
	}
	TRY(store_der(f->store, a, x->row.id, &der, e));
	TRY(cert_parse(a, der, &cert, e));
	x->subject = cert.subject;
	san = exts_find(&cert.exts, OID_CE_SUBJECT_ALT_NAME);
	return san != NULL ? gnames_parse(a, san->value, &x->san, e) : RC_OK;
}

static void
add_cause(struct status_subject *x, const struct hold_row *hold)
{
	if (x->causes_n < HOLD_CAUSES_MAX)
		x->causes[x->causes_n++] = hold->cause;
}

static enum rc
read_causes(struct factory *f, struct arena *a, struct status_subject *x, struct err *e)
{
	struct hold_row *holds;
	size_t n;

	if (x->status.state != CERTIFICATE_HELD)
		return RC_OK;
	TRY(store_holds(f->store, a, x->row.id, &holds, &n, e));
	for (size_t i = 0; i < n; i++)
		add_cause(x, &holds[i]);
	return RC_OK;
}

/* The status before the rest: if that changes meanwhile, the change of it fails. */
static enum rc
read_rows(struct factory *f, struct arena *a, int64_t id, struct status_subject *ret, struct err *e)
{
	enum rc rc = store_status(f->store, a, id, &ret->status, e);

	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		FAIL(e, CHY_STATUS_UNSEEN, NULL, "there is no certificate %lld", (long long)id);
	}
	TRY(rc);
	TRY(store_certificate(f->store, a, id, &ret->row, e));
	return read_causes(f, a, ret, e);
}

/* ---- many ---- */

static enum rc
read_holds_ahead(struct factory *f, struct arena *a, struct status_ahead *x, struct err *e)
{
	int64_t *held = arena_array(a, x->statuses_n + 1, sizeof(*held));
	size_t n = 0;

	NEED(held != NULL, e, CHY_NO_MEMORY, NULL, "certificates on hold");
	for (size_t i = 0; i < x->statuses_n; i++)
		if (x->statuses[i].state == CERTIFICATE_HELD)
			held[n++] = x->statuses[i].id;
	return n > 0 ? store_holds_of(f->store, a, held, n, &x->holds, &x->holds_n, e) : RC_OK;
}

enum rc
status_read_ahead(struct factory *f, struct arena *a, const int64_t *ids, size_t n, struct status_ahead *ret,
		  struct err *e)
{
	*ret = (struct status_ahead){ 0 };
	if (n < 2)
		return RC_OK; /* no fewer questions */
	TRY(store_statuses_of(f->store, a, ids, n, &ret->statuses, &ret->statuses_n, e));
	TRY(store_certificates_of(f->store, a, ids, n, &ret->rows, &ret->rows_n, e));
	return read_holds_ahead(f, a, ret, e);
}

static int
of_status(const void *key, const void *row)
{
	int64_t id = *(const int64_t *)key, other = ((const struct status_row *)row)->id;

	return (id > other) - (id < other);
}

static int
of_certificate(const void *key, const void *row)
{
	int64_t id = *(const int64_t *)key, other = ((const struct certificate_row *)row)->id;

	return (id > other) - (id < other);
}

/* False: it was not read ahead, or was not there then. */
static bool
take_ahead(const struct status_ahead *ahead, int64_t id, struct status_subject *ret)
{
	const struct status_row *status;
	const struct certificate_row *row;

	if (ahead == NULL || ahead->statuses_n == 0 || ahead->rows_n == 0)
		return false;
	status = bsearch(&id, ahead->statuses, ahead->statuses_n, sizeof(*status), of_status);
	row = bsearch(&id, ahead->rows, ahead->rows_n, sizeof(*row), of_certificate);
	if (status == NULL || row == NULL)
		return false;
	ret->status = *status;
	ret->row = *row;
	for (size_t i = 0; status->state == CERTIFICATE_HELD && i < ahead->holds_n; i++)
		if (ahead->holds[i].certificate == id)
			add_cause(ret, &ahead->holds[i]);
	return true;
}

enum rc
status_load_of(struct factory *f, struct arena *a, const struct snapshot *policy,
	       const struct status_ahead *ahead, int64_t id, bool names, struct status_subject *ret,
	       struct err *e)
{
	const struct authority *issuer;

	*ret = (struct status_subject){ 0 };
	if (!take_ahead(ahead, id, ret))
		TRY(read_rows(f, a, id, ret, e));
	issuer = snapshot_authority(policy, doc_id_of(ret->row.issuer));
	if (issuer != NULL)
		ret->issuer = issuer->subject_in_force.n > 0 ? issuer->subject_in_force : issuer->subject;
	return names ? read_names(f, a, ret, e) : RC_OK;
}

enum rc
status_load(struct factory *f, struct arena *a, const struct snapshot *policy, int64_t id, bool names,
	    struct status_subject *ret, struct err *e)
{
	return status_load_of(f, a, policy, NULL, id, names, ret, e);
}
