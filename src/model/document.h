/*
 * A document: one immutable version of something that officers administer.
 */
#ifndef MODEL_DOCUMENT_H
#define MODEL_DOCUMENT_H

#include "model/field.h"
#include "model/id.h"

struct document {
	struct doc_id id;
	int64_t version; /* from 1 */
	enum kind_id kind;
	int64_t at_ms;           /* when this version came into force */
	struct bytes text;       /* the body, canonical JSON */
	const struct json *body; /* the same parsed; NULL where only the text is known */

	/* of the body, for indexes and lists */
	struct bytes name;
	bool active;          /* state "active", not "closed" */
	struct doc_id domain; /* none: Root. Of a domain: its parent, where it lies */
	bool visible;         /* visible_in_subdomain */
};

static inline struct doc_version
doc_version_of(const struct document *d)
{
	return (struct doc_version){ d->id, d->version };
}

/* Fills in body (unless it is there) and what follows it from text. Views into the arena and into text.
   Codes: those of json_parse, JSON_MISSING, JSON_TYPE. */
MUST enum rc document_read(struct arena *a, struct document *d, struct err *e);

#endif
