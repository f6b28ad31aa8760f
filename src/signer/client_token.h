/*
 * The factory's way to soft tokens: the signer makes their keys and their files; what comes back is sealed to the signer
 * (boxes) or to the key archive (envelopes), but for a finished file and its PIN. Synchronous; timeouts as in client.h.
 */
#ifndef SIGNER_CLIENT_TOKEN_H
#define SIGNER_CLIENT_TOKEN_H

#include "signer/client.h"

struct token_key_made {
	struct bytes spki;
	struct bytes box;      /* the private key, for signer_token_build */
	struct bytes envelope; /* the same for the archive; empty where no archive key was named */
};

/* kind: "p-256" ... label: "key/...", under which the box can be opened again. archive: label of a key of class archive,
   with `bound` as what the envelope is bound to besides the key itself; NULL: none. All in the arena. KEY_KIND,
   ALGORITHM_MISSING, SIGNER_NO_KEY, SIGNER_KEY_CLASS, SIGNER_BUSY. */
MUST enum rc signer_token_key(struct signer *s, const char *kind, const char *label, const char *archive,
			      const char *bound, int timeout_ms, struct arena *a, struct token_key_made *ret,
			      struct err *e);
/* A PIN into a box; label "pin/...". */
MUST enum rc signer_token_pin(struct signer *s, const char *label, const struct secret *pin, int timeout_ms,
			      struct arena *a, struct bytes *ret_box, struct err *e);

struct token_part {
	const char *archive; /* NULL: sealed is a box */
	const char *label;   /* as it was sealed */
	struct bytes sealed, certificate, name;
};

struct token_build {
	bool legacy;
	const char *label;     /* of the file's box, "file/..." */
	const char *pin_label; /* of the PIN's box */
	struct bytes pin_box;
	struct bytes context; /* to the signer's journal with each key that is taken out of the archive */
	const struct token_part *parts;
	size_t parts_n;
	const struct bytes *issuers;
	size_t issuers_n;
};

/* The file, in a box. BOX_OPEN: of another signer, or altered; P12_TOO_MUCH; P12_FORM. */
MUST enum rc signer_token_build(struct signer *s, const struct token_build *b, int timeout_ms,
				struct arena *a, struct bytes *ret_box, struct err *e);
/* Opens the box of a file or of a PIN; others are refused. The caller frees it. */
MUST enum rc signer_token_open(struct signer *s, const char *label, struct bytes box, int timeout_ms,
			       struct secret **ret, struct err *e);

#endif
