/*
 * Between the files that make a snapshot: snapshot.c indexes, compile.c turns bodies into structs, template.c makes
 * certificate templates. Not for others.
 */
#ifndef POLICY_SNAPSHOT_IMPL_H
#define POLICY_SNAPSHOT_IMPL_H

#include <stdatomic.h>

#include "policy/snapshot.h"

/* A document with what was made of it. */
struct slot {
	struct document doc;
	void *
	    compiled; /* struct authority, format, procedure, token_procedure ...; NULL: kinds that need nothing made */
	struct unusable *why_not;                      /* inside compiled; NULL: nothing to say */
	struct slot *same_id, *same_name, *same_print; /* chains of the indexes */
};

struct index {
	struct slot **heads;
	size_t mask;
};

/* A key in an officer's token. */
struct token_key_of {
	const uint8_t *key;
	const struct officer *officer;
	bool binds; /* no archive has it */
};

/* An officer who is bound by the subject of certificates of a procedure. */
struct subject_of {
	int64_t procedure;
	const struct officer *officer;
};

struct snapshot {
	atomic_int refs;
	struct arena *a;
	struct slot *slots; /* by ascending id */
	size_t n;
	struct index by_id, by_name, by_print;
	const struct document **lists[KIND_COUNT];
	size_t lists_n[KIND_COUNT];
	struct token_key_of *keys; /* of open officers, by key */
	size_t keys_n;
	struct subject_of *subjects; /* open ones, by procedure */
	size_t subjects_n;
	const struct document *boot; /* an active officer of the boot ceremony; NULL: none */
};

struct slot *slot_find(const struct snapshot *s, struct doc_id id);
/* The chain of one name: the next one behind x (NULL: the first); NULL: no more. */
struct slot *slot_named(const struct snapshot *s, enum kind_id kind, struct bytes name, struct slot *x);
/* The domain above; none from Root and from what is no domain. */
enum { DOMAIN_DEPTH_MAX = 64 };
struct doc_id domain_above(const struct snapshot *s, struct doc_id domain);
/* What was made of a document of this kind; NULL: there is none. */
void *slot_compiled(const struct snapshot *s, enum kind_id kind, struct doc_id id);

/* Fills in the slots' compiled. Fails for lack of memory only. */
/* What binds an officer, by the body of its document: certificate, subject, token, keys. *ret_bound: it names a certificate. a
   keeps it, the body must live as long. */
MUST enum rc officer_take_binding(struct arena *a, const struct json *body, struct officer *o,
				  bool *ret_bound, struct err *e);

MUST enum rc compile_all(struct snapshot *s, const struct authority_facts *facts, size_t facts_n,
			 struct err *e);

/* Keeps a reason why a document cannot be used, the first one; text is copied. */
void cannot(struct arena *a, struct unusable *u, enum code code, const char *text);
/* Keeps what an inner call refused, with its field; passes on only that memory is out. */
MUST enum rc keep(struct arena *a, struct unusable *u, enum rc rc, struct err *why, struct err *e);
/* A document that is referred to and not there, or closed, makes the one that refers unusable, by name. */
void needs(struct snapshot *s, struct unusable *u, struct doc_id id, const char *what);
/* The same of one that may be closed: an authority, of whose lists more come. */
void needs_there(struct snapshot *s, struct unusable *u, struct doc_id id, const char *what);
/* A list of authorities, those that are there. */
MUST enum rc authorities_of(struct snapshot *s, const struct json *list, const struct authority ***ret,
			    size_t *n, struct err *e);
/* The open ones of the distribution rules that a procedure names. */
MUST enum rc rules_of(struct snapshot *s, const struct json *body, const struct doc_id **ret, size_t *n,
		      struct err *e);

typedef enum rc compile_fn(struct snapshot *, struct slot *, struct err *);
/* compile_format.c, compile_tokens.c */
compile_fn format_compile, crl_procedure_compile, key_procedure_compile, pin_procedure_compile,
    ac_procedure_compile, input_view_compile, token_compile;
/* cil.c */
compile_fn cil_procedure_compile;
/* compile_authority.c: all authorities, with what stands above each. */
MUST enum rc compile_authorities(struct snapshot *s, const struct authority_facts *facts, size_t facts_n,
				 struct err *e);
/* Gives each authority its CRL procedures. */
MUST enum rc link_crls(struct snapshot *s, struct err *e);

/* The template of a procedure whose authority and format are usable. Codes: those of pki; the caller keeps them as the
   reason why the procedure is not. */
MUST enum rc template_of(struct snapshot *s, struct procedure *p, struct cert_template *ret, struct err *e);

/* The extensions of a procedure's attribute certificates, and the attributes that they always have; authority and format
   are usable. */
MUST enum rc ac_template_of(struct snapshot *s, struct ac_procedure *p, struct err *e);

/* One extension, encoded, behind the specs that are there; room for LIMIT_EXTENSIONS. */
struct specs {
	struct cert_slot_spec v[LIMIT_EXTENSIONS];
	size_t n;
};
MUST enum rc specs_add(struct arena *a, struct specs *s, const struct ext_value *v, struct err *e);
MUST enum rc specs_slot(struct specs *s, enum cert_slot slot, struct err *e);
MUST enum rc specs_qc(struct arena *a, struct specs *s, const struct json *qc, struct err *e);
/* A list of OIDs, DER; member: of each item, NULL: each item is one. */
MUST enum rc oids_of(struct arena *a, const struct json *list, const char *member, struct oids *ret,
		     struct err *e);
/* CRL points, AIA as the document (or the one above it) has them. */
MUST enum rc specs_addresses(struct arena *a, struct specs *s, const struct json *body,
			     const struct json *above, struct err *e);
/* The same of a procedure, with what its CRL procedure or those of its authority say. */
MUST enum rc specs_procedure_addresses(struct snapshot *in, struct specs *s, struct procedure *p,
				       struct err *e);

#endif
