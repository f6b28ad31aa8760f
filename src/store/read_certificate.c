#include "base/base.h"
#include "store/core.h"

/* Questions about certificates and the journal. */

#define ARGS(...) ((const union value[]){ __VA_ARGS__ })
#define I(x) INT_VALUE(x)
#define B(x) BYTES_VALUE(x)
#define LIMIT(n) INT_VALUE((int64_t)((n) < LIMIT_PAGE ? (n) : LIMIT_PAGE))

enum rc
store_certificate(struct store *s, struct arena *a, int64_t id, struct certificate_row *ret, struct err *e)
{
	return store_row(s, a, Q_CERTIFICATE, ARGS(I(id)), ret, e);
}

enum rc
store_certificate_by_serial(struct store *s, struct arena *a, int64_t issuer, struct bytes serial,
			    struct certificate_row *ret, struct err *e)
{
	return store_row(s, a, Q_CERTIFICATE_BY_SERIAL, ARGS(I(issuer), B(serial)), ret, e);
}

enum rc
store_certificate_of_authority(struct store *s, struct arena *a, int64_t authority,
			       struct certificate_row *ret, struct err *e)
{
	return store_row(s, a, Q_CERTIFICATE_OF_AUTHORITY, ARGS(I(authority)), ret, e);
}

enum rc
store_certificates_of_authority(struct store *s, struct arena *a, int64_t authority, int64_t after,
				size_t limit, struct certificate_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_CERTIFICATES_OF_AUTHORITY, ARGS(I(authority), I(after), LIMIT(limit)), ret,
			  n, e);
}

enum rc
store_certificates_by_request(struct store *s, struct arena *a, int64_t request_id, int64_t after,
			      size_t limit, struct certificate_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_CERTIFICATES_BY_REQUEST, ARGS(I(request_id), I(after), LIMIT(limit)), ret,
			  n, e);
}

enum rc
store_certificates_by_base(struct store *s, struct arena *a, int64_t base, int64_t after, size_t limit,
			   struct certificate_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_CERTIFICATES_BY_BASE, ARGS(I(base), I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_attribute_certificates(struct store *s, struct arena *a, int64_t after, size_t limit,
			     struct certificate_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_ATTRIBUTE_CERTIFICATES, ARGS(I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_certificates(struct store *s, struct arena *a, int64_t after, size_t limit,
		   struct certificate_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_CERTIFICATES, ARGS(I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_certificates_expiring(struct store *s, struct arena *a, int64_t from, int64_t after_id, int64_t to,
			    size_t limit, struct certificate_row **ret, size_t *n, struct err *e)
{
	return store_rows(s, a, Q_CERTIFICATES_EXPIRING, ARGS(I(from), I(after_id), I(to), LIMIT(limit)), ret,
			  n, e);
}

enum rc
store_der(struct store *s, struct arena *a, int64_t id, struct bytes *ret, struct err *e)
{
	struct der_row row;

	TRY(store_row(s, a, Q_DER, ARGS(I(id)), &row, e));
	*ret = row.der;
	return RC_OK;
}

enum rc
store_ders_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n, struct der_row **ret,
	      size_t *n, struct err *e)
{
	return store_rows_of(s, a, Q_DERS_OF, ids, ids_n, ret, n, e);
}

enum rc
store_ders(struct store *s, struct arena *a, int64_t after, size_t limit, struct der_row **ret, size_t *n,
	   struct err *e)
{
	return store_rows(s, a, Q_DERS, ARGS(I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_serials(struct store *s, struct arena *a, int64_t after, size_t limit, struct serial_row **ret,
	      size_t *n, struct err *e)
{
	return store_rows(s, a, Q_SERIALS, ARGS(I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_certificates_unjudged(struct store *s, struct arena *a, size_t limit, struct der_row **ret, size_t *n,
			    struct err *e)
{
	return store_rows(s, a, Q_UNJUDGED, ARGS(LIMIT(limit)), ret, n, e);
}

enum rc
store_verdict(struct store *s, struct arena *a, int64_t id, struct verdict_row *ret, struct err *e)
{
	return store_row(s, a, Q_VERDICT, ARGS(I(id)), ret, e);
}

enum rc
store_leaves_waiting(struct store *s, struct arena *a, size_t limit, struct leaf_row **ret, size_t *n,
		     struct err *e)
{
	return store_rows(s, a, Q_LEAVES_WAITING, ARGS(LIMIT(limit)), ret, n, e);
}

enum rc
store_leaves_newest(struct store *s, struct arena *a, size_t limit, struct leaf_row **ret, size_t *n,
		    struct err *e)
{
	return store_rows(s, a, Q_LEAVES_NEWEST, ARGS(LIMIT(limit)), ret, n, e);
}

enum rc
store_leaves_lost(struct store *s, struct arena *a, int64_t after, size_t limit, struct leaf_row **ret,
		  size_t *n, struct err *e)
{
	return store_rows(s, a, Q_LEAVES_LOST, ARGS(I(after), LIMIT(limit)), ret, n, e);
}

enum rc
store_leaf(struct store *s, struct arena *a, int64_t id, struct leaf_row *ret, struct err *e)
{
	return store_row(s, a, Q_LEAF, ARGS(I(id)), ret, e);
}

enum rc
store_leaf_index(struct store *s, int64_t id, int64_t *ret_idx, struct err *e)
{
	return store_number(s, Q_LEAF_INDEX, ARGS(I(id)), ret_idx, e);
}

enum rc
store_leaves(struct store *s, struct arena *a, int64_t from, size_t limit, struct placed_leaf_row **ret,
	     size_t *n, struct err *e)
{
	return store_rows(s, a, Q_LEAVES, ARGS(I(from), LIMIT(limit)), ret, n, e);
}

enum rc
store_tree_size(struct store *s, int64_t *ret, struct err *e)
{
	return store_number(s, Q_TREE_SIZE, NULL, ret, e);
}

enum rc
store_tile(struct store *s, struct arena *a, int64_t level, int64_t idx, struct tile_row *ret, struct err *e)
{
	return store_row(s, a, Q_TILE, ARGS(I(level), I(idx)), ret, e);
}

enum rc
store_head(struct store *s, struct arena *a, struct head_row *ret, struct err *e)
{
	return store_row(s, a, Q_HEAD, NULL, ret, e);
}

enum rc
store_heads(struct store *s, struct arena *a, int64_t after, size_t limit, struct head_row **ret, size_t *n,
	    struct err *e)
{
	return store_rows(s, a, Q_HEADS, ARGS(I(after), LIMIT(limit)), ret, n, e);
}
