/*
 * Keys and certificates of OCSP responders: our own, and those of status nodes, which have their keys and ask for certificates.
 */
#ifndef FACTORY_OCSP_RESPONDER_H
#define FACTORY_OCSP_RESPONDER_H

#include "factory/ca_keys.h"
#include "factory/factory.h"
#include "factory/ocsp_kept.h"
#include "model/id.h"

/* What a certificate is made for. */
struct responder_for {
	const struct authority *authority;
	struct bytes label; /* of the key */
	struct bytes spki;  /* the key */
	/* a status node: its document, SHA-256 of its own key (hex), that key, and its signature over the wish (model/node.h) */
	const struct document *node; /* NULL: it is for us */
	struct bytes node_sha256, node_spki, signature;
};

/* Decides, signs, stores. Codes: those of decide_responder and of the signer; where the outcome is not known, the factory is in
   doubt. */
MUST enum rc responder_issue(struct factory *f, struct arena *a, const struct snapshot *policy,
			     const struct responder_for *w, struct err *e);

/* The label of the key behind the one that the certificate `before` has (0: the first). */
char *responder_label(char dst[KEY_LABEL_MAX], int64_t authority, int64_t before);
/* The key with this label, made where it is not there, limited to answers about the authority's certificates. */
MUST enum rc responder_key(struct factory *f, struct arena *a, const struct authority *x, const char *label,
			   struct signer_key *ret, struct err *e);
/* Has fn see to each authority whose responder has no certificate or needs the next one. keys: the desk is told first where the
   signer has lost one. *ret_any: there was one. */
typedef enum rc responder_fn(struct factory *f, struct arena *a, const struct snapshot *policy,
			     const struct authority *x, struct err *e);
MUST enum rc responders_care(struct factory *f, struct arena *a, bool keys, responder_fn *fn, bool *ret_any,
			     struct err *e);
/* Deletes responders' keys that no row of the desk uses. */
MUST enum rc responder_tidy_keys(struct factory *f, struct arena *a, struct err *e);

#endif
