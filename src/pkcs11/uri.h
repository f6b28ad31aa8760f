/*
 * PKCS#11 URIs (RFC 7512): "pkcs11:token=Root%20CA;object=ca-1;type=private?module-name=hsm1". Strict: every
 * attribute at most once, only characters of the grammar, percent-escapes in full, known attributes checked
 * for their form. Unknown attributes of the path make a URI that matches nothing (RFC 7512 2.3); those of the
 * query are passed over.
 *
 * pin-value is refused: a PIN does not belong in a URI, which ends up in logs and lists of processes.
 */
#ifndef PKCS11_URI_H
#define PKCS11_URI_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/rc.h"

enum { P11_URI_MAX = 1024, P11_ID_MAX = 255 };

enum p11_uri_attr {
	/* of the path, compared with what the module says */
	P11_LIBRARY_DESCRIPTION,
	P11_LIBRARY_MANUFACTURER,
	P11_LIBRARY_VERSION,
	P11_SLOT_DESCRIPTION,
	P11_SLOT_ID,
	P11_SLOT_MANUFACTURER,
	P11_MANUFACTURER,
	P11_MODEL,
	P11_SERIAL,
	P11_TOKEN,
	P11_ID,
	P11_OBJECT,
	P11_TYPE,
	/* of the query */
	P11_MODULE_NAME, /* the name that the configuration gave the module, or its file's */
	P11_MODULE_PATH,
	P11_PIN_SOURCE, /* a path, or "file:" and a path */
	P11_URI_ATTRS
};

enum p11_type { P11_TYPE_ANY, P11_TYPE_PUBLIC, P11_TYPE_PRIVATE, P11_TYPE_CERT, P11_TYPE_OTHER };

struct p11_uri {
	struct bytes attr[P11_URI_ATTRS]; /* unescaped, the arena's; p = NULL: not given */
	enum p11_type type;
	uint64_t slot_id; /* where attr[P11_SLOT_ID] is given */
	bool unknown;     /* has path attributes that we do not know: matches nothing */
};

/* Does the text begin like one? "pkcs11:" in any case. */
bool p11_uri_is(struct bytes text);
/* CHY_P11_URI (RFC 7512 2.3), CHY_NO_MEMORY. Values are the arena's. */
MUST enum rc p11_uri_parse(struct arena *a, struct bytes text, struct p11_uri *ret, struct err *e);
/* The text of a URI: attributes in the order of the enumeration, escaped where the grammar asks for it. */
void p11_uri_put(struct buf *out, const struct p11_uri *u);

/* Is `given` NULL-or-equal to the fixed-width, blank-padded field of PKCS#11? */
bool p11_uri_field(const struct p11_uri *u, enum p11_uri_attr attr, const void *padded, size_t width);
/* Do id and object, where given, equal these? */
bool p11_uri_object(const struct p11_uri *u, struct bytes id, struct bytes label);

#endif
