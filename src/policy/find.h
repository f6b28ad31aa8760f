/*
 * What people call a document: by its name, by its path from Root ("Sweden/TLS server"; "/TLS server" is Root's own), or by
 * its id. The only place that turns one into the document, for every act, question and reference.
 */
#ifndef POLICY_FIND_H
#define POLICY_FIND_H

#include "base/json.h"
#include "policy/snapshot.h"

/* By name as seen from a domain: the one in that domain, else in the nearest domain above it from which it is visible; or
   by path, of what is visible. *ret = NULL when none is seen. REF_AMBIGUOUS: a name that is another one's path. */
MUST enum rc find_by_name(const struct snapshot *s, enum kind_id kind, struct bytes name, struct doc_id from,
			  const struct document **ret, struct err *e);

/* As an officer of a domain sees it: by id (it goes before a name of the same digits: what was meant by its id stays meant), as
   before, else below the domain. REF_NOTHING, REF_AMBIGUOUS (two domains below have one of this name: the paths are told). */
MUST enum rc find_document(const struct snapshot *s, enum kind_id kind, struct bytes name, struct doc_id home,
			   const struct document **ret, struct err *e);

/* The same of a text or an id in JSON (JSON_TYPE), and of a member that must be there (JSON_MISSING). */
MUST enum rc find_value(const struct snapshot *s, enum kind_id kind, const struct json *v, struct doc_id home,
			const struct document **ret, struct err *e);
MUST enum rc find_named(const struct snapshot *s, enum kind_id kind, const struct json *in,
			const char *member, struct doc_id home, const struct document **ret, struct err *e);

/* As a text, for find_document: an id in digits; nothing for what is neither, or where memory is out. */
struct bytes find_text(struct arena *a, const struct json *v);

#endif
