/*
 * Where the server is and who the officer is: from the command line, else the environment, else a settings file, so
 * that scripts and people need not repeat themselves.
 *
 *	; ~/.config/chancery/cli.ini
 *	[cli]
 *	server = https://ca.example:8443
 *	ca = root.pem
 *	officer = anna.p12
 *	pin_file = anna.pin
 *
 * The file is --settings FILE, else $CHANCERY_SETTINGS, else $XDG_CONFIG_HOME/chancery/cli.ini or
 * ~/.config/chancery/cli.ini where it exists. Relative paths in it are relative to its folder. Unknown keys are refused:
 * a mistyped one would be a silent loss.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "cli/args.h"

/* All may be NULL; all live as long as the arena. */
struct settings {
	const char *server;  /* https://host:port, without a slash at the end */
	const char *ca;      /* PEM or DER file of the root to trust */
	const char *officer; /* a PKCS#12 file or a pkcs11: URI */
	const char *pin_file;
	const char *pkcs11_module; /* path of the module for pkcs11: URIs */
	const char *domain_view; /* name or id: lists show what lies there and below; "home": as without it */
	const char *session;     /* file that holds an issuing session's token */
	int64_t timeout_s;       /* of one call */
	int pin_fd;              /* -1: none; only from the command line */
	const char *file;        /* the file that was read; NULL: none */
};

/* environment: "NAME=value" list that ends with NULL. CHY_CLI_SETTINGS, and what reading a file gives. */
MUST enum rc settings_load(struct arena *a, const struct args *args, char *const *environment,
			   struct settings *ret, struct err *e);

/* Parses such a file; dir: what paths are relative to ("" leaves them alone). Only fills in what is still NULL. */
MUST enum rc settings_parse(struct arena *a, struct bytes text, const char *dir, struct settings *into,
			    struct err *e);

#endif
