/*
 * Where revocation lists are found, as certificates and the lists themselves say: both must be octet for octet the same (RFC 5280
 * 6.3.3 b 2), so both are made here. A procedure with partitions has {partition} in each of its addresses, once, in the last
 * segment of the path; it stands for the partition's number, from 1 on.
 */
#ifndef POLICY_CRL_POINT_H
#define POLICY_CRL_POINT_H

#include "pki/ext.h"
#include "policy/snapshot.h"

#define CRL_PLACE "{partition}"

/* With the number in its place; an address without a place stays as it is. The arena's. */
MUST enum rc crl_address(struct arena *a, struct bytes address, unsigned partition, struct bytes *ret,
			 struct err *e);
/* Has it the place just once, behind the last '/'? */
bool crl_address_is_partitioned(struct bytes address);
/* Is this name (without '/') the address's end behind `folder` ("/crl/")? *ret_partition: of an address with a place, which of them;
   0: it has none. */
bool crl_address_ends(struct bytes address, const char *folder, struct bytes name, unsigned *ret_partition);

/* Addresses as general names, those of a partition; 0: of the one list. The arena's. */
MUST enum rc crl_addresses(struct arena *a, const struct json *list, unsigned partition, struct gnames *ret,
			   struct err *e);
/* The distribution point of a procedure's list, or of one of its partitions, as certificates have it. */
MUST enum rc crl_point_of(struct arena *a, const struct crl_procedure *p, unsigned partition,
			  struct dist_point *ret, struct err *e);

/* The partition of a new certificate, 1 to p->partitions: by its serial number, whose end is random. What was decided is recorded:
   it does not change when there are more partitions. */
unsigned crl_partition(const struct crl_procedure *p, struct bytes serial);

#endif
