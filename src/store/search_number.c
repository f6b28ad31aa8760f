#include "base/base.h"
#include "store/core.h"

/*
 * Numbers in the values of the search. The index of three-character pieces is no help for them: there are a thousand pieces of digits, so
 * among many millions of values each is in far too many. A number of five digits or more is entered by each five in a row.
 */
enum { GRAM = 5, ASKED_MOST = 8 /* of a text that is looked for; more tell nothing new */ };

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "12345 23456", at most `most`. */
static void
put_grams(struct buf *out, struct bytes text, size_t most)
{
	size_t run = 0, n = 0;

	for (size_t i = 0; i < text.n && n < most; i++) {
		run = is_digit(text.p[i]) ? run + 1 : 0;
		if (run < GRAM)
			continue;
		buf_str(out, n++ ? " " : "");
		buf_put(out, bytes_part(text, i + 1 - GRAM, GRAM));
	}
}

void
store_number_grams(struct buf *out, struct bytes text)
{
	put_grams(out, text, SIZE_MAX);
}

bool
store_search_has_number(struct bytes text)
{
	size_t run = 0;

	for (size_t i = 0; i < text.n && run < GRAM; i++)
		run = is_digit(text.p[i]) ? run + 1 : 0;
	return run == GRAM;
}

enum rc
store_search_numbers(struct store *s, struct arena *a, struct bytes text, size_t limit, int64_t **ret,
		     size_t *n, struct err *e)
{
	OWN_BUF struct buf grams = buf_max(ASKED_MOST * (GRAM + 1));

	put_grams(&grams, text, ASKED_MOST);
	NEED(buf_ok(&grams), e, CHY_NO_MEMORY, NULL, "values");
	return store_rows(
	    s, a, Q_SEARCH_NUMBERS,
	    (const union value[]){ BYTES_VALUE(buf_bytes(&grams)),
				   INT_VALUE((int64_t)(limit < LIMIT_PAGE ? limit : LIMIT_PAGE)) },
	    ret, n, e);
}
