/*
 * Upper and lower case as one: simple case folding of Unicode (CaseFolding.txt, entries C and S; the version stands in fold.def, which
 * tools/fold.py makes). Simple means a character for a character: "STRASSE" is not "Straße". Accents stay what they are.
 */
#ifndef BASE_FOLD_H
#define BASE_FOLD_H

#include "base/bytes.h"

/* Of one character; what has no other case is itself. */
uint32_t fold_char(uint32_t c);

/* Octets that a text takes at most when it is folded: two may become three. */
size_t fold_max(size_t n);

/* A text in UTF-8; dst holds fold_max(text.n). Octets that are no UTF-8 stay as they are. Returns how many there are then. */
size_t fold_text(uint8_t *dst, struct bytes text);

#endif
