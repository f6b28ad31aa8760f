/*
 * Who answers OCSP here: for each authority that does, its responder's certificate, as far as it has one. The desk is renewed by a
 * job; who takes a row of it keeps that as long as he likes.
 */
#ifndef FACTORY_OCSP_DESK_H
#define FACTORY_OCSP_DESK_H

#include "factory/factory.h"
#include "factory/ocsp_kept.h"

/* Figures that /metrics shows. */
struct ocsp_figures {
	_Atomic uint64_t kept, signed_, resigned, malformed, unauthorized, try_later, good, revoked, unknown;
};

struct ocsp_desk;
struct ocsp_desk *desk_new(void); /* NULL: no memory */
void desk_free(struct ocsp_desk *d);

struct ocsp_kept *desk_kept(struct ocsp_desk *d);
struct ocsp_figures *desk_figures(struct ocsp_desk *d);

/* The row of the issuer that a CertID names; NULL: we answer for no such one. The caller's: ocsp_by_unref. */
struct ocsp_by *desk_find(struct ocsp_desk *d, const struct ocsp_id *id);
/* The n-th row; NULL behind the last. The caller's. */
struct ocsp_by *desk_row(struct ocsp_desk *d, size_t n);

/* Is it the label of a row's key? */
bool desk_has_key(struct ocsp_desk *d, struct bytes label);
size_t desk_row_count(struct ocsp_desk *d);
/* Has each authority that is answered for here a row with a responder's certificate? */
bool desk_is_complete(struct factory *f);

/* Reads policy and store anew, where they may have changed. */
MUST enum rc desk_renew(struct factory *f, struct err *e);
/* Statuses have changed: drops the answers that say otherwise. On the watcher's thread. */
void desk_status_changed(void *factory, int64_t stamp);

/* The signer does not have a key that it should: another certificate is made. */
void desk_key_gone(struct ocsp_desk *d, int64_t certificate);
/* One job's step: what responders lack is made. */
MUST enum rc responders_step(struct factory *f, struct err *e);
/* The other's: answers of live certificates are signed ahead, some hundred at a time. */
MUST enum rc ocsp_presign_step(struct factory *f, bool *ret_more, struct err *e);

/* A CertID by a row; writes into dst. */
struct bytes ocsp_id_write(const struct ocsp_by *by, enum ocsp_hash h, struct bytes serial,
			   uint8_t dst[OCSP_ID_MAX]);

#endif
