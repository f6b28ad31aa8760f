/*
 * CA keys: documents that name a key, and the key in the signer.
 */
#ifndef FACTORY_CA_KEYS_H
#define FACTORY_CA_KEYS_H

#include "factory/factory.h"
#include "model/document.h"

enum { KEY_LABEL_MAX = 65 };

/* What the signer calls the key of a ca-key document: the document's label, else "key-" and its id. Returns dst. */
char *key_label(const struct document *key, char dst[KEY_LABEL_MAX]);

/* The public part, DER SubjectPublicKeyInfo, in the arena. */
MUST enum rc key_public(struct factory *f, struct arena *a, const struct document *key, struct bytes *ret,
			struct err *e);

/* Has the signer make it. A key that is there already with this label and algorithm is taken: the effect of a request
   that was interrupted. */
MUST enum rc key_make(struct factory *f, struct arena *a, const struct document *key, struct err *e);

#endif
