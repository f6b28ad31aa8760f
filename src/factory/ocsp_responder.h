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
/* Tells the desk where the signer has lost a row's key. */
void responder_look_for_key(struct factory *f, struct arena *a, const struct ocsp_by *by);
/* Deletes responders' keys that no row of the desk uses. */
MUST enum rc responder_tidy_keys(struct factory *f, struct arena *a, struct err *e);

#endif
