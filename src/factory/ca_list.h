/*
 * All certificates that an authority has or had.
 */
#ifndef FACTORY_CA_LIST_H
#define FACTORY_CA_LIST_H

#include "base/json.h"
#include "factory/factory.h"
#include "policy/snapshot.h"

enum { CA_CERTIFICATES_MAX = 200 };

enum ca_origin { CA_ISSUED, CA_IMPORTED, CA_CROSS };

struct ca_certificate {
	struct bytes der;
	enum ca_origin origin;
	int64_t number; /* from 1, oldest first */
	bool current;   /* the one in force */
};

/* Oldest first, cross certificates by others last; *ret is the arena's. CHY_STORE_NOT_FOUND. */
MUST enum rc ca_list(struct factory *f, struct arena *a, struct doc_id authority, struct ca_certificate **ret,
		     size_t *n, struct err *e);
/* For people and programs: {items:[...]}. */
MUST enum rc ca_list_json(struct factory *f, struct arena *a, struct doc_id authority, struct json **ret,
			  struct err *e);

/* What people know the authority's certificate by: subject, issuer, serial_number, sha256, not_before, not_after, key_algorithm and
   days_left (whole ones, from 0; null: it has ended); null where it has none. NULL: memory is out. */
struct json *ca_certificate_json(struct arena *a, const struct authority *x);

#endif
