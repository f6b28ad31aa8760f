/*
 * One row for each kind of extension: how its value is read and written. Inside of pki only.
 */
#ifndef PKI_EXT_KINDS_H
#define PKI_EXT_KINDS_H

#include "pki/ext.h"

/* Readers take the extension's whole value from the cursor; writers put it in front of what is written. */
typedef void ext_read_fn(struct der *d, struct arena *a, struct ext_value *v);
typedef void ext_write_fn(struct dw *w, const struct ext_value *v);

struct ext_kind {
	enum oid oid;
	ext_read_fn *read;
	ext_write_fn *write;
};

/* NULL for one that we keep as bytes. */
const struct ext_kind *ext_kind(enum oid o);

ext_read_fn read_key_usage, read_eku, read_basic, read_key_id, read_aki, read_names, read_points, read_access,
    read_policies, read_mappings, read_policy_constraints, read_inhibit, read_constraints, read_attrs,
    read_qc, read_tls, read_null, read_audit, read_targets, read_number, read_reason, read_at, read_issuing;
ext_write_fn write_key_usage, write_eku, write_basic, write_key_id, write_aki, write_names, write_points,
    write_access, write_policies, write_mappings, write_policy_constraints, write_inhibit, write_constraints,
    write_attrs, write_qc, write_tls, write_null, write_audit, write_targets, write_number, write_reason,
    write_at, write_issuing;

/* DistributionPointName: one of both is set. */
void take_point_name(struct der *d, struct arena *a, struct gnames *full, struct bytes *relative);
void write_point_name(struct dw *w, const struct gnames *full, struct bytes relative);

/* How many values are left in the innermost one entered. */
size_t der_count(const struct der *d);
/* Array for all of them, in the arena; fails the cursor when there is none (minimum 1) or memory is out. */
void *der_array(struct der *d, struct arena *a, size_t size, size_t *ret_n);

#endif
