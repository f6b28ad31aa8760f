/*
 * chancery.ini, read once at start into a typed struct. Every setting stands in one table (config.c): section, key, type,
 * default, help. From it come reading, checking, the environment's overrides (CHANCERY_SECTION_KEY, in capitals) and the
 * reference text. Secrets are given as file references only.
 */
#ifndef PROGRAMS_CONFIG_H
#define PROGRAMS_CONFIG_H

#include "base/base.h"

enum { CONFIG_MODULES_MAX = 16, CONFIG_PROBLEMS_MAX = 64, CONFIG_FILE_MAX = 256 << 10 };

/* [pkcs11:NAME] */
struct config_module {
	const char *name;
	const char *module;   /* path of the PKCS#11 library */
	const char *pin_file; /* NULL: PIN pad or none */
};

struct config {
	const char *path; /* where it was read, NULL: defaults and environment only */
	struct {
		const char *url; /* sqlite:/dir/chancery.db | postgresql://... */
	} store;
	struct {
		const char *directory; /* keys and the signer's journal */
		const char *
		    passphrase_file; /* opens the software keys; NULL: asked from systemd credentials or not needed */
		const char *key_archive; /* where the archive's key is made: "software" or a PKCS#11 URI */
	} signer;
	struct {
		const char *directory; /* its key and the sealed passwords of destinations */
		int64_t longest_rest_seconds;
		const char *folders; /* where it may write files, separated by colons; NULL: nowhere */
	} distributor;
	struct config_module modules[CONFIG_MODULES_MAX];
	size_t nmodules;
	struct {
		const char *tls, *plain; /* "127.0.0.1:8443"; NULL: no such listener */
		const char *
		    certificate_file; /* PEM chain of the TLS listener; NULL: DIRECTORY of the file made by setup */
		const char *key_file; /* PEM; NULL: the factory's own */
		int64_t threads, workers, connections, body_seconds, idle_seconds, refusals_per_minute;
	} listener;
	struct {
		const char *format; /* "text" | "json" */
		const char *level;  /* "debug" ... "error" */
	} log;
	struct {
		const char *role; /* "issuing" | "status" */
		int64_t number;   /* 0 to 15, another one for each factory on one store */
	} node;
	struct {
		int64_t drain_seconds;  /* that open requests get at the end */
		int64_t restart_ms_max; /* before a program that keeps dying is started again */
		bool sandbox;
	} serve;
};

/* A mistake in the file or environment. */
struct config_problem {
	unsigned line; /* 0: environment or a missing setting */
	struct err err;
};
struct config_problems {
	struct config_problem list[CONFIG_PROBLEMS_MAX];
	size_t n; /* those beyond the array are counted in `more` */
	size_t more;
};

/* Reads path (NULL: $CHANCERY_CONFIG, else /etc/chancery/chancery.ini if it is there) and the environment. Texts are the
   arena's; relative paths are relative to the file's folder. On failure *e is the first problem and, where all is not
   NULL, it holds all of them. CHY_CONFIG_*. */
MUST enum rc config_load(struct arena *a, const char *path, struct config *ret, struct config_problems *all,
			 struct err *e);

/* The same from text in place of a file; dir: what relative paths are relative to. environment: "NAME=value" list that ends with NULL. */
MUST enum rc config_parse(struct arena *a, struct bytes text, const char *dir, char *const *environment,
			  struct config *ret, struct config_problems *all, struct err *e);

bool config_is_status_node(const struct config *c);

/* What only a look at the machine shows: files that are there and not readable by others, folders, addresses. */
MUST enum rc config_check(const struct config *c, struct config_problems *all, struct err *e);

/* The PKCS#11 module of this name; NULL. */
const struct config_module *config_module_find(const struct config *c, const char *name);

/* Reference of all settings, as a commented chancery.ini or as roff for the man page. */
void config_put_reference(struct buf *out);
void config_put_man(struct buf *out);

#endif
