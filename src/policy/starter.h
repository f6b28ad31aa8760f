/*
 * The starter set: documents that come with the program, from the files in starter/. The boot ceremony makes those that need
 * no authority; the command line writes the others into a folder, for officers to look at and sign.
 */
#ifndef POLICY_STARTER_H
#define POLICY_STARTER_H

#include "model/field.h"

struct starter_document {
	const char *case_; /* the folder: "setup", "tls-server" */
	enum kind_id kind;
	const char *name;
	const char *text; /* JSON, references by name */
};

/* Each refers only to documents before it. */
extern const struct starter_document starter_documents[];
extern const size_t starter_documents_n;

/* The cases but "setup", sorted; ends with NULL. */
extern const char *const starter_cases[];

#endif
