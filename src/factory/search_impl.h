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

/*
 *                       candidates                     total                                    page
 * SEARCH_TAKEN          are hits, in the right order   known before (count), unless cut         the next ones
 * SEARCH_JUDGED         one after the other            as far as was looked                     the next ones that fit
 * SEARCH_SORTED         all, at most SEARCH_TOTAL_MAX  exact                                    of the sorted list
 */
enum search_mode { SEARCH_TAKEN, SEARCH_JUDGED, SEARCH_SORTED };

struct searching {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct officer *who;
	const struct search_query *q;

	/* the plan */
	struct search_walk walk;
	unsigned covers; /* groups of conditions that every candidate of the walk fulfils */
	enum search_mode mode;
	bool few;      /* the walk has at most SEARCH_TOTAL_MAX candidates: all may be looked at */
	int64_t count; /* SEARCH_TAKEN: how many there are, counted up to more than SEARCH_TOTAL_MAX */
	/* candidates come with what other tables know of them; else only those of the page are asked for it */
	bool full;
	size_t values_n; /* that indexes were asked for to find the walk */

	/* along ids, search_gather.c */
	/* ids: all certificates of the walk, in the order of their ids; else they come piece by piece */
	bool gathered;
	int64_t *ids;
	size_t ids_n;
	int64_t wanted[SEARCH_PATTERNS_MAX + 2]; /* values that they are to have as well */
	size_t wanted_n;
	bool not_valid; /* and they are to be on hold or revoked */
	bool timed;     /* and to begin and end in these times */
	struct search_times times;
	bool narrowed; /* of the gathered only these are left */
	bool cut;      /* SEARCH_TAKEN: there are more gathered ones that were not looked at */

	/* how far it is */
	int64_t began_us; /* monotonic */
	struct found_row *hits;
	size_t hits_n, scanned;
	bool ended;            /* the walk is at its end */
	int64_t key, id;       /* the candidate that was looked at last; first, that of the cursor */
	int64_t behind;        /* certificates that the index had not got */
	struct arena *rows;    /* of candidates; what the page needs has its own */
	struct arena *scratch; /* of the texts that are looked at */
};

/* Some candidates that follow each other, and where they end. */
struct search_piece {
	struct found_row *rows;
	size_t n, looked; /* looked: with those that were passed over by the index */
	int64_t id;       /* of the last that was looked at */
	bool ended;
};

/* Chooses s->walk and what follows from it; s->id is where the page begins. SEARCH_BROAD. */
MUST enum rc search_plan(struct searching *s, struct err *e);

/* When a page is full it is counted on only as long as it goes quickly. */
bool search_is_late(const struct searching *s);

/* Along ids: what else is asked that an index can tell of a certificate before it is read: s->wanted, s->not_valid, s->times. The groups
   of which that is all, once search_narrow has been; none of so few that to narrow them is not worth it. */
unsigned search_want(struct searching *s);
bool search_is_by_ids(const struct searching *s);
/* Of a walk that has at most SEARCH_TOTAL_MAX candidates: finds them. */
MUST enum rc search_gather(struct searching *s, struct err *e);
/* Keeps those of the gathered that have what is wanted. Where the page takes them as they are (SEARCH_TAKEN) only those behind s->id, and
   maybe not all of them (s->cut). */
MUST enum rc search_narrow(struct searching *s, struct err *e);
/* Those that follow s->id, of at most `page` candidates. One that has left the store meanwhile is left out. */
MUST enum rc search_along_ids(struct searching *s, size_t page, struct search_piece *ret, struct err *e);

/* None that is valid is what was asked for. */
bool search_is_of_changed(const struct search_query *q);
/* When certificates may begin and end, by all that was asked. */
struct search_times search_times_of(const struct search_query *q);
/* Nothing can be what was asked for. */
bool search_is_of_none(const struct search_query *q);

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
