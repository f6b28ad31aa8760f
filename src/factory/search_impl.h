/* Within the search: one asking, by which index it goes, and whether a candidate is what was asked for. */
#ifndef FACTORY_SEARCH_IMPL_H
#define FACTORY_SEARCH_IMPL_H

#include "factory/search.h"
#include "store/read.h"

/* What is asked, in groups that one walk can be the whole answer to. */
enum {
	GROUP_PATTERNS = 1,
	GROUP_ISSUER = 2,
	GROUP_PROCEDURE = 4,
	GROUP_STATE = 8,
	GROUP_END = 16,
	GROUP_BEGIN = 32,
	GROUP_OTHER = 64
};

struct searching {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct officer *who;
	const struct search_query *q;
	struct search_walk walk;
	unsigned covers; /* groups of conditions that every row of the walk fulfils */
	bool
	    exact; /* all of them, and the walk goes in the order that was asked: its rows are what was asked for */
	int64_t count; /* rows of an exact walk, up to SEARCH_TOTAL_MAX + 1 */
	bool few;      /* the walk has at most SEARCH_TOTAL_MAX rows, and is not exact */
	bool sorts;    /* all of these are taken and sorted */
	bool
	    full; /* candidates come with what other tables know of them; else only those of the page are asked for it */
	int64_t
	    *ids; /* of a walk along few values: the certificates that have them, in the order of their ids */
	size_t ids_n;
	bool gathered; /* ids are known */
	int64_t wanted[SEARCH_PATTERNS_MAX +
		       2]; /* values that the gathered are to have as well; s->covers has what that fulfils */
	size_t wanted_n;
	bool changed;    /* and they are not to be valid */
	bool cut;        /* there are more that were not looked at */
	size_t values_n; /* that indexes were asked for to find the walk */
	struct found_row *hits;
	size_t hits_n, scanned;
	bool ended; /* the walk is at its end */
	int64_t key, id;
	int64_t behind;        /* certificates that the index had not got */
	struct arena *scratch; /* of the texts that are looked at */
};

/* Chooses s->walk and what follows from it. SEARCH_BROAD. */
MUST enum rc search_plan(struct searching *s, struct err *e);

/* Of a walk along values that has at most SEARCH_TOTAL_MAX rows: its certificates by the index alone (s->gathered), and what else
   tables that are small or lie side by side know of them (s->wanted, s->changed). */
MUST enum rc search_gather(struct searching *s, struct err *e);
/* Keeps those of the gathered of which that holds. Where the page takes them as they are (s->exact), only those behind s->id, and
   maybe not all of them (s->cut). */
MUST enum rc search_narrow(struct searching *s, struct err *e);
/* At most `page` of them in the walk's direction behind s->id, which follows; s->ended: there are no more. One that has left the store
   meanwhile is left out. */
MUST enum rc search_gathered_rows(struct searching *s, size_t page, struct found_row **rows, size_t *n,
				  struct err *e);

/* None that is valid is what was asked for. */
bool search_is_of_changed(const struct search_query *q);

/* A pattern that only one value of its attribute is like. */
bool search_is_one_value(const struct search_pattern *p);

/* Whether the whole text is as the pattern, in which * stands for anything. */
bool search_glob(struct bytes pattern, struct bytes text);

/* Where nothing was chosen at issue, it may. */
bool search_may_be_published(const struct found_row *r);

/* As it is shown; NULL: memory is out. */
struct json *search_item_json(struct searching *s, const struct found_row *r);

/* Whether all that was asked holds for the row, and the officer sees it. */
MUST enum rc search_matches(struct searching *s, const struct found_row *r, bool *ret, struct err *e);

#endif
