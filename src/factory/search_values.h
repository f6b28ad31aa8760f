/*
 * What certificates are found by: values of their attributes, in one case (base/fold.h), each known by a digest of attribute and
 * value. The follower enters them behind the path of issuing.
 */
#ifndef FACTORY_SEARCH_VALUES_H
#define FACTORY_SEARCH_VALUES_H

#include "factory/factory.h"
#include "store/rows.h"

enum { VALUES_MOST = 1200 }; /* of one certificate: LIMIT_SAN and LIMIT_NAME_ATTRS and some */

/* One value as it stands in the certificate. attribute: short name or dotted type of the subject's, "san". */
struct search_text {
	struct bytes attribute, value;
};
/* Of subject and alternative names. What cannot be read of a subject is one value, as a whole. */
MUST enum rc search_texts_of(struct arena *a, const struct certificate_row *row, struct search_text **ret,
			     size_t *n, struct err *e);

/* The same of what was filled in to search by, "field1" to "field6" and "card_serial", behind those that are there. */
MUST enum rc search_fields_of(struct factory *f, struct arena *a, int64_t certificate,
			      struct search_text *list, size_t *n, struct err *e);
/* Of the nth of them: 1 to SEARCH_FIELDS, SEARCH_CARD. */
const char *search_field_name(int64_t n);
bool search_is_field(struct bytes attribute);

/* Of upper and lower case one (base/fold.h), the arena's; p NULL: memory is out. */
struct bytes search_fold(struct arena *a, struct bytes text);
/* The id of a value; folded already. */
int64_t search_value_id(struct bytes attribute, struct bytes folded);
/* The same of a document's number: "issuer", "token-procedure". */
int64_t search_number_id(const char *attribute, int64_t number);

/* Whether it is one of this attribute; of none: of the subject's or an alternative name, not what was filled in. */
bool search_value_is_of(const struct value_row *value, struct bytes attribute);

/* What put_certificate entered goes, but for the values, which others may have too. */
struct change;
MUST enum rc search_values_remove(struct factory *f, struct arena *a, struct change *c,
				  const struct certificate_row *row, struct err *e);

/* Enters what waits, at most so many certificates. */
MUST enum rc search_values_catch_up(struct factory *f, size_t most, size_t *done, struct err *e);

#endif
