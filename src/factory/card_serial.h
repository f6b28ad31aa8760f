/*
 * The serial number of the card that a certificate is on, as whoever had it issued or imported says: it stands in no certificate. It is
 * one more of the values that certificates are searched by (SEARCH_CARD).
 */
#ifndef FACTORY_CARD_SERIAL_H
#define FACTORY_CARD_SERIAL_H

#include "factory/factory.h"

/* The member card_serial, {}: none. FIELD_VALUE: not 1 to 64 printable characters of ASCII, or with a blank at an end, or with the *
   that a search has for anything. */
MUST enum rc card_serial_read(const struct json *in, struct bytes *ret, struct err *e);

/* That of a certificate, the arena's; empty: none is known. */
MUST enum rc card_serial_of(struct factory *f, struct arena *a, int64_t certificate, struct bytes *ret,
			    struct err *e);

#endif
