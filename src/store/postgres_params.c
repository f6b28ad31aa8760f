#include "base/base.h"
#include "store/postgres.h"

#include <endian.h>

/* Parameters in PostgreSQL's binary formats: int8 big-endian, text and bytea as they are, arrays as in array_recv. */

enum {
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_TEXT = 25,
	OID_BYTEA_ARRAY = 1001,
	OID_TEXT_ARRAY = 1009,
	OID_INT8_ARRAY = 1016
};

Oid
postgres_type(char type, bool array)
{
	if (type == 'i')
		return array ? OID_INT8_ARRAY : OID_INT8;
	if (type == 't')
		return array ? OID_TEXT_ARRAY : OID_TEXT;
	return array ? OID_BYTEA_ARRAY : OID_BYTEA;
}

static void
set_param(struct postgres_params *q, size_t i, const void *p, size_t n)
{
	q->p[i] = p ? p : ""; /* NULL would be SQL's NULL */
	q->len[i] = (int)n;
	q->format[i] = 1;
}

void
postgres_params(struct postgres_params *ret, const struct stmt *s, const union value *v)
{
	size_t n = stmt_nparams(s);

	ret->n = (int)n;
	for (size_t i = 0; i < n; i++) {
		if (stmt_type(s, i) == 'i') {
			ret->number[i] = htobe64((uint64_t)v[i].i);
			set_param(ret, i, &ret->number[i], sizeof(ret->number[i]));
		} else {
			set_param(ret, i, v[i].b.p, v[i].b.n);
		}
	}
}

static void
put_array(struct buf *out, char type, size_t param, const struct op *const *ops, size_t n)
{
	buf_u32(out, 1); /* dimensions */
	buf_u32(out, 0); /* no NULL */
	buf_u32(out, postgres_type(type, false));
	buf_u32(out, (uint32_t)n);
	buf_u32(out, 1); /* lowest subscript */
	for (size_t i = 0; i < n; i++) {
		if (type == 'i') {
			buf_u32(out, 8);
			buf_u64(out, (uint64_t)ops[i]->v[param].i);
		} else {
			buf_lv(out, ops[i]->v[param].b);
		}
	}
}

bool
postgres_arrays(struct postgres_db *d, struct postgres_params *ret, const struct stmt *s,
		const struct op *const *ops, size_t n)
{
	size_t nparams = stmt_nparams(s);

	ret->n = (int)nparams;
	for (size_t i = 0; i < nparams; i++) {
		struct buf *b = &d->array[i];

		buf_drop(b, b->n);
		put_array(b, stmt_type(s, i), i, ops, n);
		if (!buf_ok(b)) {
			buf_fini(b);
			return false;
		}
		set_param(ret, i, b->p, b->n);
	}
	return true;
}
