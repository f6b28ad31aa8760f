/*
 * What is chosen for a certificate when it is issued: may it be published, and by which password can it be revoked.
 *
 * The officer's own program makes the password's scrypt form and signs that form's digest; the form comes beside the
 * signature. So the signature binds the password, and neither the signed request nor the journal has anything that a
 * password could be guessed with (docs/design/choices.md).
 */
#ifndef FACTORY_CHOICE_H
#define FACTORY_CHOICE_H

#include "base/json.h"

struct choice_asked {
	bool publication_said, publication;
	struct bytes sha256; /* hex, of the password's scrypt form; empty: none */
};

/* The members publication_allowed and revocation_password_sha256 of a signed body. JSON_TYPE, REVOCATION_PASSWORD. */
MUST enum rc choice_read(const struct json *body, struct choice_asked *ret, struct err *e);
/* The first of them alone; *allowed stays where nothing is said. */
MUST enum rc choice_publication(const struct json *body, bool *said, bool *allowed, struct err *e);
/* The form that came beside it; empty where none was signed. REVOCATION_PASSWORD: not the one that was signed, missing, or
   not of the kind that may be stored. */
MUST enum rc choice_form(const struct choice_asked *c, const struct json *secrets, struct bytes *ret,
			 struct err *e);
/* May it be stored? REVOCATION_PASSWORD. */
MUST enum rc choice_form_check(struct bytes form, struct err *e);

#endif
