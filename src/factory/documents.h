/*
 * Reading documents, and drafts.
 */
#ifndef FACTORY_DOCUMENTS_H
#define FACTORY_DOCUMENTS_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/officer.h"

struct document_query {
	enum kind_id kind;
	struct bytes state, name; /* empty: any */
	struct bytes named;       /* as people call it (policy/find.h): this one alone; empty: all */
	struct bytes storage;     /* of token procedures, as in storage_profile; empty: any */
	struct bytes
	    domain; /* name or id: the view is narrowed to it and what lies below; empty: the officer's own */
	int64_t after;
	size_t limit;
};

/* The domain that a view is narrowed to, by name or id: the officer's own or one below (DOMAIN_HIDDEN). *ret = NULL: domain
   is empty, the view is not narrowed. */
MUST enum rc document_view(const struct snapshot *policy, const struct officer *who, struct bytes domain,
			   const struct document **ret, struct err *e);

/* What the officer may see, {"items", "next"}. */
MUST enum rc document_list(struct factory *f, struct arena *a, const struct snapshot *policy,
			   const struct officer *who, const struct document_query *q, struct json **ret,
			   struct err *e);
/* version 0: the current one. STORE_NOT_FOUND also for one that the officer may not see. */
MUST enum rc document_show(struct factory *f, struct arena *a, const struct snapshot *policy,
			   const struct officer *who, enum kind_id kind, struct doc_id id, int64_t version,
			   struct json **ret, struct err *e);

/* Drafts need the roles of their kind, and the domain (draft_domain), but no signature, and are nobody's policy. id 0: a new one. Every member that is
   there must be right by itself; what is mandatory may be missing. DRAFT_CHANGED: somebody else was faster. */
MUST enum rc draft_save(struct factory *f, struct arena *a, const struct snapshot *policy,
			const struct officer *who, enum kind_id kind, int64_t id, const struct json *body,
			struct json **ret, struct err *e);
/* One that the officer sees (STORE_NOT_FOUND), with its body. */
struct draft_row;
MUST enum rc draft_load(struct factory *f, struct arena *a, const struct snapshot *policy,
			const struct officer *who, enum kind_id kind, int64_t id, struct draft_row *ret,
			struct json **ret_body, struct err *e);
MUST enum rc draft_show(struct factory *f, struct arena *a, const struct snapshot *policy,
			const struct officer *who, enum kind_id kind, int64_t id, struct json **ret,
			struct err *e);
/* kind KIND_NONE: of all kinds that the officer has the roles of. */
MUST enum rc draft_list(struct factory *f, struct arena *a, const struct snapshot *policy,
			const struct officer *who, enum kind_id kind, int64_t after, size_t limit,
			struct json **ret, struct err *e);
MUST enum rc draft_drop(struct factory *f, struct arena *a, const struct snapshot *policy,
			const struct officer *who, enum kind_id kind, int64_t id, struct err *e);

#endif
