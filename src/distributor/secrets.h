/*
 * Passwords and client certificates of destinations, sealed at rest with a key of the distributor's own. Each is bound to its
 * name and to the address it is for: a distribution rule that names it with another address does not get it, so nobody can
 * have a password sent elsewhere by changing a document.
 *
 *	DIRECTORY/key		32 octets, made when the first secret is sealed
 *	DIRECTORY/NAME.sealed	box (crypto/box.h) with the label "chancery-secret NAME ADDRESS"
 */
#ifndef DISTRIBUTOR_SECRETS_H
#define DISTRIBUTOR_SECRETS_H

#include "base/base.h"

struct secrets;

enum { SECRET_MAX = 64 << 10 };

/* Takes the key into memory where there is one. directory NULL or without a key: no secrets. CHY_FILE_READ, CHY_CONFIG_PERMISSION (the
   key can be read by others). The caller's: secrets_free. */
MUST enum rc secrets_open(const char *directory, struct secrets **ret, struct err *e);
void secrets_free(struct secrets *s);
OWN_DEFINE(struct secrets *, secrets_free)

/* DELIVERY_SECRET: not there, damaged, or sealed for another address. *ret is the caller's. */
MUST enum rc secrets_get(struct secrets *s, struct bytes name, struct bytes address, struct secret **ret,
			 struct err *e);

/* Seals one for an address, in place of the one before; makes folder and key at first. */
MUST enum rc secrets_seal(const char *directory, struct bytes name, struct bytes address, struct bytes what,
			  struct err *e);

/* "https://Host" -> "https://host:443"; the arena's. CHY_FIELD_URI. */
MUST enum rc address_normal(struct arena *a, struct bytes address, struct bytes *ret, struct err *e);

#endif
