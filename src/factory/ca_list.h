/*
 * All certificates that an authority has or had.
 */
#ifndef FACTORY_CA_LIST_H
#define FACTORY_CA_LIST_H

#include "base/json.h"
#include "factory/factory.h"

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

#endif
