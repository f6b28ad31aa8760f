/*
 * Which certificate procedure of a token procedure makes the certificate of a key. The first in the list that
 *matches:
 *
 *	the request has no key usage                   -> the first in the list, whatever its usages
 *	the procedure has none, or all, usages set     -> matches every request
 *	the request's usages are a subset of its own   -> matches
 *
 * Asked once per key of the token. Every procedure of the list gets its reason, for explanations.
 */
#ifndef POLICY_SELECT_H
#define POLICY_SELECT_H

#include "policy/snapshot.h"

enum { KEY_USAGE_ALL = 0x1ff }; /* the nine of RFC 5280 4.2.1.3 */

enum select_reason {
	SELECT_FIRST,      /* chosen: the request has no key usage */
	SELECT_NO_USAGE,   /* chosen: it has no usage set and matches all */
	SELECT_ALL_USAGES, /* chosen: it has every usage set and matches all */
	SELECT_SUBSET,     /* chosen: it has what the request asks */
	SELECT_NOT_ASKED,  /* would match too, but stands behind the chosen one */
	SELECT_LATER,      /* not looked at: the request has no key usage and it is not the first */
	SELECT_LACKS,      /* does not match: lacks a usage that the request asks */
	SELECT_REASON_COUNT
};

/* "first-in-list", ... and a sentence for people. */
const char *select_reason_name(enum select_reason r);
const char *select_reason_text(enum select_reason r);

struct selection {
	size_t n;
	int chosen;                  /* position in the list; -1: none matches */
	enum select_reason *reasons; /* one each, the arena's */
	uint16_t *lacks;             /* SELECT_LACKS: the usages that lack */
};

/* usages: the request's; has_usage false: it has no key usage extension (an empty one counts as none).
   key: what the key is called in the message ("key 1"). Codes: SELECT_NONE (names key and usages),
   SELECT_EMPTY (the list is empty), NO_MEMORY. *ret is filled in on SELECT_NONE too. */
MUST enum rc select_procedure(struct arena *a, const uint16_t *procedure_usages, size_t n, bool has_usage,
			      uint16_t usages, const char *key, struct selection *ret, struct err *e);

enum { KEY_USAGE_TEXT_MAX = 160 };
/* "digitalSignature, keyEncipherment"; dst holds KEY_USAGE_TEXT_MAX. Returns dst. */
char *key_usage_text(char *dst, uint16_t usages);
/* One usage's bit by its name in RFC 5280; -1 when it is none. */
int key_usage_bit(struct bytes name);

#endif
