/*
 * Revocation lists: complete and delta lists of the CRL procedures that have an interval, built when they are due or wanted, signed,
 * kept in the store and handed out. A list is gathered page by page and stored in pieces, so that memory does not grow with it;
 * then its plan, number included, is durable before the signer is asked. So whatever dies in between, the very same list is signed
 * afterwards, and no number is left out or given twice.
 */
#ifndef FACTORY_CRL_H
#define FACTORY_CRL_H

#include "factory/factory.h"
#include "store/change.h"

/* A piece of work of the job: a list gathered or signed, or some of a procedure with partitions. *ret_more: others wait. What keeps
   one procedure's list from being built does not keep the others. */
MUST enum rc crls_step(struct factory *f, bool *ret_more, struct err *e);

/* The signed list whose address ends like this ("issuing.crl", of http://host/crl/issuing.crl). CHY_CRL_NONE: there is none (yet). */
MUST enum rc crl_by_name(struct factory *f, struct arena *a, struct bytes name, struct crl_row *ret,
			 struct err *e);
/* That of a procedure; partition 0: its only one. */
MUST enum rc crl_of(struct factory *f, struct arena *a, struct doc_id procedure, unsigned partition,
		    bool delta, struct crl_row *ret, struct err *e);
/* What stands in front of its entries and behind them, as the whole CertificateList has it. */
MUST enum rc crl_ends(struct arena *a, const struct crl_row *row, struct bytes *ret_front,
		      struct bytes *ret_back, struct err *e);
/* A certificate of an authority by the last segment of an address at which it says that it is found. CHY_CRL_NONE. */
MUST enum rc ca_certificate_by_name(struct factory *f, struct arena *a, struct bytes name, struct bytes *ret,
				    struct err *e);

#endif
