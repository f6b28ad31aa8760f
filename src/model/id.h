/*
 * Ids: one-field structs over the integers of base/idgen.h, so that the id of one noun cannot stand where
 * another one's is expected. 0 is nobody's id and means "none" (of a domain: Root).
 */
#ifndef MODEL_ID_H
#define MODEL_ID_H

#include <stdbool.h>
#include <stdint.h>

/* struct NAME_id { int64_t v; } with NAME_id_of, NAME_id_eq and NAME_id_is_none. */
#define ID_DEFINE(name) \
	struct name##_id { \
		int64_t v; \
	}; \
	static inline struct name##_id name##_id_of(int64_t v) \
	{ \
		return (struct name##_id){ v }; \
	} \
	static inline bool name##_id_eq(struct name##_id a, struct name##_id b) \
	{ \
		return a.v == b.v; \
	} \
	static inline bool name##_id_is_none(struct name##_id a) \
	{ \
		return a.v == 0; \
	}

ID_DEFINE(doc)     /* a document, whatever its version: a domain, an officer, an authority, a procedure ... */
ID_DEFINE(cert)    /* an issued certificate; its journal leaf has the same number */
ID_DEFINE(request) /* an officer's act */
ID_DEFINE(session) /* an issuing session */
ID_DEFINE(leaf)    /* a leaf of the journal */
ID_DEFINE(draft)   /* an unfinished document */

struct doc_version {
	struct doc_id id;
	int64_t version;
};

/* An officer is a document, but not every document is an officer. */
ID_DEFINE(officer)

static inline struct doc_id
officer_doc(struct officer_id o)
{
	return doc_id_of(o.v);
}

static inline struct officer_id
doc_officer(struct doc_id d)
{
	return officer_id_of(d.v);
}

#endif
