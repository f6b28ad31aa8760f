#include "base/base.h"
#include "store/core.h"

/* Questions about the status of certificates. */

#define ARGS(...) ((const union value[]){ __VA_ARGS__ })
#define I(x) INT_VALUE(x)
#define B(x) BYTES_VALUE(x)
#define LIMIT(n) INT_VALUE((int64_t)((n) < LIMIT_PAGE ? (n) : LIMIT_PAGE))

enum rc
store_status(struct store *s, struct arena *a, int64_t id, struct status_row *ret, struct err *e)
{
	return store_row(s, a, Q_STATUS, ARGS(I(id)), ret, e);
}

enum rc
store_statuses_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n, struct status_row **ret,
		  size_t *n, struct err *e)
{
	return store_rows_of(s, a, Q_STATUSES_OF, ids, ids_n, ret, n, e);
}

enum rc
store_certificates_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n,
		      struct certificate_row **ret, size_t *n, struct err *e)
{
	return store_rows_of(s, a, Q_CERTIFICATES_OF, ids, ids_n, ret, n, e);
}

enum rc
store_procedures_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n,
		    struct number_row **ret, size_t *n, struct err *e)
{
	return store_rows_of(s, a, Q_PROCEDURES_OF, ids, ids_n, ret, n, e);
}

enum rc
store_holds_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n, struct hold_row **ret,
	       size_t *n, struct err *e)
{
	return store_rows_of(s, a, Q_HOLDS_OF, ids, ids_n, ret, n, e);
}

enum rc
store_status_by_serial(struct store *s, struct arena *a, int64_t issuer, struct bytes serial,
		       struct status_row *ret, struct err *e)
{
	return store_row(s, a, Q_STATUS_BY_SERIAL, ARGS(I(issuer), B(serial)), ret, e);
}

enum rc
store_statuses(struct store *s, struct arena *a, int64_t issuer, struct bytes after, size_t limit,
	       struct status_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_STATUSES, ARGS(I(issuer), B(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_revoked(struct store *s, struct arena *a, int64_t issuer, struct bytes after, size_t limit,
	      struct status_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_REVOKED, ARGS(I(issuer), B(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_status_changed(struct store *s, struct arena *a, int64_t issuer, int64_t after, size_t limit,
		     struct status_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_STATUS_CHANGED, ARGS(I(issuer), I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_status_seq(struct store *s, int64_t issuer, int64_t *ret, struct err *e)
{
	struct err why = { 0 };
	enum rc rc = store_number(s, Q_STATUS_SEQ, ARGS(I(issuer)), ret, &why);

	if (why.code == CHY_STORE_NOT_FOUND) {
		*ret = 0;
		return RC_OK;
	}
	if (rc != RC_OK && e != NULL && e->code == CHY_NONE)
		*e = why;
	return rc;
}

enum rc
store_holds(struct store *s, struct arena *a, int64_t certificate, struct hold_row **ret, size_t *n,
	    struct err *e)
{
	return store_rows(s, a, Q_HOLDS, ARGS(I(certificate)), ret, n, e);
}

enum rc
store_responder(struct store *s, struct arena *a, int64_t authority, const char *node,
		struct responder_row *ret, struct err *e)
{
	struct responder_row *rows;
	size_t n;

	TRY(store_rows(s, a, Q_RESPONDER, ARGS(I(authority), B(bytes_str(node))), &rows, &n, e));
	*ret = n > 0 ? rows[0] : (struct responder_row){ .authority = authority };
	return RC_OK;
}

enum rc
store_responders(struct store *s, struct arena *a, int64_t after, size_t limit, struct responder_row **ret,
		 size_t *n, struct err *e)
{
	return store_rows(s, a, Q_RESPONDERS, ARGS(I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_node_key(struct store *s, struct arena *a, const char *node, int64_t authority,
	       struct node_key_row *ret, struct err *e)
{
	struct node_key_row *rows;
	size_t n;

	TRY(store_rows(s, a, Q_NODE_KEY, ARGS(B(bytes_str(node)), I(authority)), &rows, &n, e));
	*ret = n > 0 ? rows[0] : (struct node_key_row){ .authority = authority };
	return RC_OK;
}

enum rc
store_node_keys(struct store *s, struct arena *a, struct bytes node, struct node_key_row **ret, size_t *n,
		struct err *e)
{
	return store_rows(s, a, Q_NODE_KEYS, ARGS(B(node)), ret, n, e);
}

enum rc
store_activation(struct store *s, struct arena *a, int64_t certificate, struct activation_row *ret,
		 struct err *e)
{
	struct activation_row *rows;
	size_t n;

	TRY(store_rows(s, a, Q_ACTIVATION, ARGS(I(certificate)), &rows, &n, e));
	*ret = n > 0 ? rows[0] : (struct activation_row){ 0 };
	return RC_OK;
}

enum rc
store_imported_crls(struct store *s, struct arena *a, int64_t authority, struct imported_crl_row **ret,
		    size_t *n, struct err *e)
{
	return store_rows(s, a, Q_IMPORTED_CRLS, ARGS(I(authority)), ret, n, e);
}

enum rc
store_password_wrong(struct store *s, struct arena *a, int64_t certificate, struct password_wrong_row *ret,
		     struct err *e)
{
	struct password_wrong_row *rows;
	size_t n;

	TRY(store_rows(s, a, Q_PASSWORD_TRIES, ARGS(I(certificate)), &rows, &n, e));
	*ret = n > 0 ? rows[0] : (struct password_wrong_row){ .certificate = certificate };
	return RC_OK;
}

enum rc
store_status_range(struct store *s, struct arena *a, int64_t from, int64_t to, size_t limit,
		   struct status_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_STATUS_RANGE, ARGS(I(from), I(to), LIMIT(limit)), ret, n, e);
}

enum rc
store_unclaimed(struct store *s, struct arena *a, int64_t after, size_t limit, struct unclaimed_row **ret,
		size_t *n, struct err *e)
{
	return store_rows(s, a, Q_UNCLAIMED, ARGS(I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_is_unclaimed(struct store *s, struct arena *a, int64_t certificate, bool *ret, struct err *e)
{
	struct unclaimed_row *rows;
	size_t n;

	TRY(store_unclaimed(s, a, certificate - 1, 1, &rows, &n, e));
	*ret = n > 0 && rows[0].certificate == certificate;
	return RC_OK;
}

enum rc
store_crls(struct store *s, struct arena *a, int64_t procedure, int64_t part, struct crl_row **ret, size_t *n,
	   struct err *e)
{
	return store_rows(s, a, Q_CRLS, ARGS(I(procedure), I(part)), ret, n, e);
}

enum rc
store_fields(struct store *s, struct arena *a, int64_t certificate, struct field_row **ret, size_t *n,
	     struct err *e)
{
	return store_rows(s, a, Q_FIELDS, ARGS(I(certificate)), ret, n, e);
}

enum rc
store_fields_any(struct store *s, int64_t from, int64_t to, bool *ret, struct err *e)
{
	int64_t n;

	TRY(store_number(s, Q_FIELDS_ANY, ARGS(I(from), I(to)), &n, e));
	*ret = n > 0;
	return RC_OK;
}

enum rc
store_crl_of_list(struct store *s, struct arena *a, int64_t list, struct crl_row *ret, struct err *e)
{
	return store_row(s, a, Q_CRL_OF_LIST, ARGS(I(list)), ret, e);
}

enum rc
store_crl_places(struct store *s, struct arena *a, int64_t procedure, int64_t from, int64_t to,
		 struct crl_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_CRL_PLACES, ARGS(I(procedure), I(from), I(to)), ret, n, e);
}

enum rc
store_crl_sums(struct store *s, struct arena *a, int64_t procedure, struct crl_sum_row **ret, size_t *n,
	       struct err *e)
{
	return store_rows(s, a, Q_CRL_SUMS, ARGS(I(procedure)), ret, n, e);
}

enum rc
store_revoked_part(struct store *s, struct arena *a, int64_t issuer, int64_t part, int64_t since,
		   struct bytes after, size_t limit, struct status_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_REVOKED_PART, ARGS(I(issuer), B(after), LIMIT(limit), I(part), I(since)),
			  ret, n, e);
}

enum rc
store_crl_parts(struct store *s, struct arena *a, int64_t crl, int64_t from, size_t limit,
		struct crl_part_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_CRL_PARTS, ARGS(I(crl), I(from), LIMIT(limit)), ret, n, e);
}

enum rc
store_crl_pieces(struct store *s, struct arena *a, int64_t crl, int64_t from, size_t limit,
		 struct crl_piece_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_CRL_PIECES, ARGS(I(crl), I(from), LIMIT(limit)), ret, n, e);
}

enum rc
store_revoked_of(struct store *s, struct arena *a, int64_t issuer, enum status_sort sort, struct bytes after,
		 size_t limit, struct status_row **ret, size_t *n, struct err *e)
{
	if (sort == STATUS_OF_ALL)
		return store_revoked(s, a, issuer, after, limit, ret, n, e);
	return store_rows(s, a, Q_REVOKED_OF, ARGS(I(issuer), B(after), LIMIT(limit), I(sort)), ret, n, e);
}

enum rc
store_status_changed_of(struct store *s, struct arena *a, int64_t issuer, enum status_sort sort,
			int64_t after, size_t limit, struct status_row **ret, size_t *n, struct err *e)
{
	if (sort == STATUS_OF_ALL)
		return store_status_changed(s, a, issuer, after, limit, ret, n, e);
	return store_rows(s, a, Q_STATUS_CHANGED_OF, ARGS(I(issuer), I(after), LIMIT(limit), I(sort)), ret, n,
			  e);
}

/* ---- issuance lists ---- */

enum rc
store_cils(struct store *s, struct arena *a, int64_t procedure, struct cil_row **ret, size_t *n,
	   struct err *e)
{
	return store_rows(s, a, Q_CILS, ARGS(I(procedure)), ret, n, e);
}

enum rc
store_cil_octets(struct store *s, int64_t build, int64_t *ret, struct err *e)
{
	return store_number(s, Q_CIL_OCTETS, ARGS(I(build)), ret, e);
}

enum rc
store_cil_file(struct store *s, struct arena *a, int64_t build, int64_t segment, struct cil_file_row *ret,
	       struct err *e)
{
	struct cil_file_row *rows;
	size_t n;

	TRY(store_rows(s, a, Q_CIL_FILE, ARGS(I(build), I(segment)), &rows, &n, e));
	NEED(n == 1, e, CHY_STORE_NOT_FOUND, NULL, "segment %lld of an issuance list", (long long)segment);
	*ret = rows[0];
	return RC_OK;
}

static enum rc
one_list(struct cil_list_row *rows, size_t n, struct cil_list_row *ret, struct err *e)
{
	NEED(n == 1, e, CHY_STORE_NOT_FOUND, NULL, "an issuance list that is delivered");
	*ret = rows[0];
	return RC_OK;
}

enum rc
store_cil_list(struct store *s, struct arena *a, int64_t id, struct cil_list_row *ret, struct err *e)
{
	struct cil_list_row *rows;
	size_t n;

	TRY(store_rows(s, a, Q_CIL_LIST, ARGS(I(id)), &rows, &n, e));
	return one_list(rows, n, ret, e);
}

enum rc
store_cil_list_of(struct store *s, struct arena *a, int64_t procedure, bool delta, int64_t segment,
		  struct cil_list_row *ret, struct err *e)
{
	struct cil_list_row *rows;
	size_t n;

	TRY(store_rows(s, a, Q_CIL_LIST_OF, ARGS(I(procedure), I(delta), I(segment)), &rows, &n, e));
	return one_list(rows, n, ret, e);
}

enum rc
store_issued(struct store *s, struct arena *a, int64_t issuer, struct bytes after, size_t limit,
	     struct certificate_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_ISSUED, ARGS(I(issuer), B(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_issued_between(struct store *s, struct arena *a, int64_t issuer, int64_t from, int64_t to,
		     struct certificate_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_ISSUED_BETWEEN, ARGS(I(issuer), I(from), I(to)), ret, n, e);
}

/* ---- removed certificates ---- */

enum rc
store_certificate_uses(struct store *s, struct arena *a, int64_t certificate, int64_t *ret, struct err *e)
{
	struct number_row *rows;
	size_t n;

	TRY(store_rows(s, a, Q_CERTIFICATE_USES, ARGS(I(certificate)), &rows, &n, e));
	*ret = n > 0 ? rows[0].value : 0;
	return RC_OK;
}

enum rc
store_removed(struct store *s, struct arena *a, int64_t after, size_t limit, struct removed_row **ret,
	      size_t *n, struct err *e)
{
	return store_rows(s, a, Q_REMOVED, ARGS(I(after), LIMIT(limit)), ret, n, e);
}
