/* Within the search: one asking, by which index it goes, and whether a candidate is what was asked for. */
#ifndef FACTORY_SEARCH_IMPL_H
#define FACTORY_SEARCH_IMPL_H

#include "factory/search.h"
#include "store/read.h"

struct searching {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct officer *who;
	const struct search_query *q;
	struct search_walk walk;
	struct search_walk narrow; /* along values, with the fewest rows of those that are too many to sort */
	unsigned narrow_covers;
	int64_t narrow_n;
	unsigned covers; /* groups of conditions (search_plan.c) that every row of the walk fulfils */
	bool
	    exact; /* all of them, and the walk goes in the order that was asked: its rows are what was asked for */
	int64_t count; /* rows of an exact walk, up to SEARCH_TOTAL_MAX + 1 */
	bool few;      /* the walk has at most SEARCH_TOTAL_MAX rows: all of them are taken and sorted */
	bool
	    full; /* candidates come with what other tables know of them; else only those of the page are asked for it */
	struct found_row *hits;
	size_t hits_n, scanned;
	bool ended; /* the walk is at its end */
	int64_t key, id;
	int64_t behind;        /* certificates that the index had not got */
	struct arena *scratch; /* of the texts that are looked at */
};

/* Chooses s->walk and what follows from it. SEARCH_BROAD. */
MUST enum rc search_plan(struct searching *s, struct err *e);

/* Whether the whole text is as the pattern, in which * stands for anything. */
bool search_glob(struct bytes pattern, struct bytes text);

/* Where nothing was chosen at issue, it may. */
bool search_may_be_published(const struct found_row *r);

/* As it is shown; NULL: memory is out. */
struct json *search_item_json(struct searching *s, const struct found_row *r);

/* Whether all that was asked holds for the row, and the officer sees it. */
MUST enum rc search_matches(struct searching *s, const struct found_row *r, bool *ret, struct err *e);

#endif
