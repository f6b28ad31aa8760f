/*
 * Bodies of documents against the description of their kind: checks, names to ids, defaults, differences.
 * Every refusal has its own code, names the field (err.field: "subject[2].max_length") and says which rule.
 */
#ifndef POLICY_DOCUMENT_H
#define POLICY_DOCUMENT_H

#include "base/json.h"
#include "model/document.h"
#include "policy/snapshot.h"

struct document_check {
	const struct kind *kind;
	const struct snapshot
	    *policy;        /* where references lead; NULL: references must be ids and are not followed */
	struct doc_id self; /* the document that is changed; none: a new one */
	const struct json *before; /* its body; NULL: a new one */
	const struct officer *who; /* who is told: of what is not seen no name is; NULL: all is seen */
	bool draft; /* what is mandatory may be missing, what is not available or not possible yet may stay */
};

/*
 * *ret: the normal form of body, the arena's: references as ids, known OIDs dotted, defaults filled in (not
 * in a draft), null members gone, members in the order of the description. That is what officers sign. Codes:
 * FIELD_* and REF_* of codes.def, NAME_TAKEN, NO_MEMORY.
 */
MUST enum rc document_check(struct arena *a, const struct document_check *c, const struct json *body,
			    struct json **ret, struct err *e);

/* What changes, for people: an array of {"field", "label", "old", "new"}, texts, null where there is nothing;
   references by name, choices by label, lists item by item joined with ", ". before NULL: a creation. Members
   as they stand: both in normal form. */
MUST enum rc document_difference(struct arena *a, const struct kind *kind, const struct snapshot *policy,
				 const struct json *before, const struct json *after, struct json **ret,
				 struct err *e);

/* What officers should know before they sign, as an array of {"field", "text", "kind"?, "document"?}: documents that
   cannot be used any more when this one is closed; settings that a format closes under procedures which have them; key
   usage where officers' soft tokens are made; lists on which certificates cannot be that are there already; attribute certificates for directories that do not take them. before NULL: a
   creation. issued: of a CRL procedure, its authority has issued certificates. */
MUST enum rc document_warnings(struct arena *a, const struct kind *kind, const struct snapshot *policy,
			       struct doc_id self, const struct json *before, const struct json *after,
			       bool issued, struct json **ret, struct err *e);
/* One of them, that is about the document that changes; NULL: memory is out. */
struct json *document_warning(struct arena *a, const char *field, const char *text);

/* The path of a document that the officer may see ("Sweden/TLS server"); NULL: there is none, or memory is out. */
const char *document_path_seen(const struct snapshot *policy, const struct officer *who, struct doc_id id,
			       struct arena *a);
/* {"ID": "path"} for each document that a body refers to, in lists and objects too, and that the officer may see. */
MUST enum rc document_names(struct arena *a, const struct snapshot *policy, const struct officer *who,
			    const struct kind *kind, const struct json *body, struct json **ret,
			    struct err *e);

/* Documents that refer to id, as an array of {"kind", "id", "name", "field"}. */
MUST enum rc document_where_used(struct arena *a, const struct snapshot *policy, struct doc_id id,
				 struct json **ret, struct err *e);

#endif
