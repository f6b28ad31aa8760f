/*
 * A certificate as people name it: its id, its serial number or SHA-256 fingerprint in hexadecimal, or a file that holds it.
 */
#ifndef CLI_CERTID_H
#define CLI_CERTID_H

#include "cli/cli.h"

/* The id by which the server knows it. A word of digits alone is an id; a path that exists is a file; anything else
   must be a serial number or, of 64 digits, a fingerprint (colons between the octets are allowed). CHY_CLI_NOT_FOUND. */
MUST enum rc cert_id(struct cli *c, const char *word, int64_t *ret, struct err *e);
/* The same of what stands in a list, where nothing is a file. */
MUST enum rc cert_id_listed(struct cli *c, const char *word, int64_t *ret, struct err *e);

/* A serial number as typed -> lower-case hexadecimal without separators; false when it is none. dst: 64 characters. */
bool serial_text(char *dst, const char *word);

#endif
