/*
 * A map from a pair of ids to a pointer, for verification: grows, never shrinks, keeps nothing alive.
 */
#ifndef CLI_PAIRMAP_H
#define CLI_PAIRMAP_H

#include "base/base.h"

struct pair_entry {
	int64_t a, b;
	void *value; /* NULL: free place */
};

struct pairmap {
	struct pair_entry *at;
	size_t n, cap; /* cap is a power of two, or 0 */
};

void pairmap_fini(struct pairmap *m);
/* NULL: not there. */
void *pairmap_get(const struct pairmap *m, int64_t a, int64_t b);
/* Adds or replaces; value is not NULL. CHY_NO_MEMORY. */
MUST enum rc pairmap_put(struct pairmap *m, int64_t a, int64_t b, void *value, struct err *e);

#define PAIRMAP_EACH(entry, m) \
	for (struct pair_entry *entry = (m)->at; (m)->at && entry < (m)->at + (m)->cap; entry++) \
		if (entry->value)

#endif
