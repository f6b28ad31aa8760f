/*
 * What an officer fills in for a soft token: by the token procedure's input view, or where it has none by what its formats
 * take. Pure.
 */
#ifndef POLICY_TOKEN_H
#define POLICY_TOKEN_H

#include "base/json.h"
#include "policy/snapshot.h"

enum { HOLDER_MAX = 256 };

struct token_input {
	struct bytes subject; /* DER, in the order of the inputs */
	struct gnames san;
	int64_t not_before_ms, not_after_ms; /* 0: not given */
	bool publication;                    /* allowed; true where nothing is said */
	bool publication_said;
	struct bytes
	    holder; /* by whom archived keys are found: the common name, else the whole subject; small letters */
};

/* input: {"subject.common-name": text, "san.dns": [texts], ...}. Codes: TOKEN_INPUT (unknown, of the wrong type, too
   long), TOKEN_INPUT_UNWANTED, TOKEN_INPUT_MISSING, TOKEN_PROFILE, those of names. */
MUST enum rc token_input_read(struct arena *a, const struct token_procedure *t, const struct json *input,
			      struct token_input *ret, struct err *e);
/* May a secret ("pin", "revocation_password") be given? Of views that name neither: the password may, the PIN follows the
   PIN procedure. */
bool token_takes(const struct token_procedure *t, const char *input);

/* What is chosen for a certificate beside its contents, by the input view: may publication be said and a password be
   given (TOKEN_INPUT_UNWANTED), must they be (TOKEN_INPUT_MISSING); the view's default where nothing is said. */
MUST enum rc token_choices(const struct token_procedure *t, bool *said, bool *publication, bool password,
			   struct err *e);

/* The PIN by its procedure: TOKEN_PIN_LENGTH, TOKEN_PIN_CHARACTERS. */
MUST enum rc token_pin_check(const struct pin_procedure *p, struct bytes pin, struct err *e);
/* The characters of generated PINs: digits, or letters and digits without those that look alike. */
const char *token_pin_alphabet(const struct pin_procedure *p);

/* Does it make keys or certificates; does it take keys out of the archive? */
bool token_issues(const struct token_procedure *t);
bool token_recovers(const struct token_procedure *t);
/* Is the key of this procedure archived when the token is made? */
bool token_archives(const struct token_procedure *t, const struct procedure *p);

/* The holder of a name, as of struct token_input. */
MUST enum rc token_holder(struct arena *a, struct bytes subject, struct bytes *ret, struct err *e);

#endif
