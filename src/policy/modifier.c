#include "base/base.h"
#include "model/choices.h"
#include "policy/modifier.h"

enum { TRUNCATE_MAX = 32768 };

bool
modifier_has_argument(enum modifier_kind k)
{
	return k >= MODIFIER_PREFIX;
}

/* ---- reading ---- */

/* "/from/to" or "/from/to/": the first character stands between. */
static enum rc
replace_parse(struct bytes text, struct modifier *m, struct err *e)
{
	struct bytes rest = text, to;
	uint8_t sep = text.p[0];

	NEED(sep > 0x20 && sep < 0x7f, e, CHY_FIELD_VALUE, NULL, "replace: written as replace:/FROM/TO");
	m->text = text_cut(bytes_part(rest, 1, rest.n - 1), (char)sep, &rest);
	NEED(rest.p != NULL && m->text.n > 0, e, CHY_FIELD_VALUE, NULL,
	     "replace: written as replace:/FROM/TO, and FROM is some text");
	to = text_cut(rest, (char)sep, &rest);
	NEED(rest.p == NULL || rest.n == 0, e, CHY_FIELD_VALUE, NULL,
	     "replace: something stands behind replace:/FROM/TO/");
	m->to = to;
	return RC_OK;
}

/* Ranges go upwards, within ASCII. */
static enum rc
only_parse(struct bytes set, struct err *e)
{
	for (size_t i = 0; i < set.n; i++) {
		NEED(set.p[i] >= 0x20 && set.p[i] < 0x7f, e, CHY_FIELD_VALUE, NULL, "only: ASCII characters");
		if (i > 0 && i + 1 < set.n && set.p[i] == '-')
			NEED(set.p[i - 1] <= set.p[i + 1], e, CHY_FIELD_VALUE, NULL,
			     "only: a range from %c to %c has nothing in it", set.p[i - 1], set.p[i + 1]);
	}
	return RC_OK;
}

static enum rc
argument_parse(struct modifier *m, struct err *e)
{
	int64_t n = 0;

	switch (m->kind) {
	case MODIFIER_TRUNCATE:
		NEED(int_parse(m->text, 1, TRUNCATE_MAX, &n, NULL) == RC_OK, e, CHY_FIELD_VALUE, NULL,
		     "truncate: a number from 1 to %d", TRUNCATE_MAX);
		m->n = (size_t)n;
		return RC_OK;
	case MODIFIER_REPLACE:
		return replace_parse(m->text, m, e);
	case MODIFIER_ONLY:
		return only_parse(m->text, e);
	default:
		return RC_OK;
	}
}

enum rc
modifier_parse(struct bytes text, struct modifier *ret, struct err *e)
{
	struct bytes argument, word = text_cut(text, ':', &argument);
	int kind = choice_index(modifier_choices, word);

	NEED(kind >= 0, e, CHY_FIELD_CHOICE, NULL, "\"%.*s\" is no modifier",
	     BYTES_FMT(bytes_part(word, 0, 60)));
	*ret = (struct modifier){ .kind = (enum modifier_kind)kind, .text = argument };
	if (!modifier_has_argument(ret->kind)) {
		NEED(argument.p == NULL, e, CHY_FIELD_VALUE, NULL, "%s takes nothing behind it",
		     modifier_choices[kind].name);
		return RC_OK;
	}
	NEED(argument.n > 0, e, CHY_FIELD_VALUE, NULL, "%s: something must stand behind it",
	     modifier_choices[kind].name);
	return argument_parse(ret, e);
}

enum rc
modifiers_of(struct arena *a, const struct json *list, struct modifiers *ret, struct err *e)
{
	struct modifier *v = arena_array(a, list ? list->count : 0, sizeof(*v));

	NEED(v != NULL, e, CHY_NO_MEMORY, NULL, "modifiers");
	*ret = (struct modifiers){ v, 0 };
	JSON_EACH(x, list)
	if (x->type == JSON_STR && modifier_parse(x->str, &v[ret->n], NULL) == RC_OK)
		ret->n++;
	return RC_OK;
}

/* ---- at work ---- */

static struct bytes
letters(struct arena *a, struct bytes s, char from, int by)
{
	char *copy = arena_str(a, s);

	for (size_t k = 0; copy != NULL && k < s.n; k++)
		if (copy[k] >= from && copy[k] < from + 26)
			copy[k] = (char)(copy[k] + by);
	return bytes_of(copy, copy ? s.n : 0);
}

static struct bytes
collapse(struct arena *a, struct bytes s)
{
	char *copy = arena_str(a, s);
	size_t n = 0;

	for (size_t k = 0; copy != NULL && k < s.n; k++)
		if (s.p[k] != ' ' || n == 0 || copy[n - 1] != ' ')
			copy[n++] = (char)s.p[k];
	return bytes_of(copy, n);
}

static struct bytes
joined(struct arena *a, struct bytes x, struct bytes y)
{
	uint8_t *copy = arena_alloc(a, x.n + y.n + 1);

	if (copy == NULL)
		return BYTES_NONE;
	if (x.n > 0)
		memcpy(copy, x.p, x.n);
	if (y.n > 0)
		memcpy(copy + x.n, y.p, y.n);
	return bytes_of(copy, x.n + y.n);
}

static struct bytes
truncate_to(struct bytes s, size_t n)
{
	struct bytes rest = s;

	while (n > 0 && utf8_take(&rest) >= 0)
		n--;
	return bytes_part(s, 0, s.n - rest.n);
}

/* Where what begins in s at `from` or later; s.n: nowhere. */
static size_t
where(struct bytes s, struct bytes what, size_t from)
{
	for (; from + what.n <= s.n; from++)
		if (memcmp(s.p + from, what.p, what.n) == 0)
			return from;
	return s.n;
}

static struct bytes
part_of(struct bytes s, struct bytes what, bool behind)
{
	size_t at = where(s, what, 0);

	if (at == s.n)
		return s;
	return behind ? bytes_part(s, at + what.n, s.n - at - what.n) : bytes_part(s, 0, at);
}

static struct bytes
replaced(struct arena *a, struct bytes s, const struct modifier *m, bool *full)
{
	OWN_BUF struct buf b = buf_max(MODIFIED_MAX);
	size_t at = 0, next;
	char *copy;

	while ((next = where(s, m->text, at)) < s.n) {
		buf_put(&b, bytes_part(s, at, next - at));
		buf_put(&b, m->to);
		at = next + m->text.n;
	}
	buf_put(&b, bytes_part(s, at, s.n - at));
	*full = !buf_ok(&b);
	copy = *full ? NULL : arena_str(a, buf_bytes(&b));
	return bytes_of(copy, copy ? b.n : 0);
}

/* A character of the pattern against one of the value. */
static bool
fits(int32_t p, int32_t c)
{
	return p == '?' || (p == '#' ? c >= '0' && c <= '9' : p == c);
}

/* * is any text: only the last one that was met needs to give way, so the work is at most value times pattern. */
static bool
matches(struct bytes pattern, struct bytes s)
{
	struct bytes after_star = BYTES_NONE, again = BYTES_NONE;

	for (;;) {
		struct bytes p = pattern, v = s;
		int32_t x = utf8_take(&p), c = utf8_take(&v);

		if (x == '*') {
			after_star = pattern = p;
			again = s;
		} else if (c >= 0 && x >= 0 && fits(x, c)) {
			pattern = p;
			s = v;
		} else if (c < 0 && x < 0) {
			return s.n == 0; /* not so of damaged text */
		} else if (after_star.p == NULL || utf8_take(&again) < 0) {
			return false;
		} else {
			pattern = after_star;
			s = again;
		}
	}
}

static bool
is_in(struct bytes set, uint8_t c)
{
	for (size_t i = 0; i < set.n; i++) {
		bool range = i > 0 && i + 1 < set.n && set.p[i] == '-';

		if (range ? c >= set.p[i - 1] && c <= set.p[i + 1] : c == set.p[i])
			return true;
	}
	return false;
}

static bool
has_only(struct bytes set, struct bytes s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_in(set, s.p[i]))
			return false;
	return true;
}

/* Those that make new text in the arena; the others give a part of the old. */
static bool
is_made(enum modifier_kind k)
{
	return (k >= MODIFIER_COLLAPSE && k <= MODIFIER_SUFFIX) || k == MODIFIER_REPLACE;
}

static enum rc
apply(struct arena *a, const struct modifier *m, struct bytes s, struct bytes *ret, struct err *e)
{
	bool full = false;

	*ret = s;
	switch (m->kind) {
	case MODIFIER_TRIM:
		*ret = text_trim(s);
		break;
	case MODIFIER_COLLAPSE:
		*ret = collapse(a, s);
		break;
	case MODIFIER_LOWER:
		*ret = letters(a, s, 'A', 'a' - 'A');
		break;
	case MODIFIER_UPPER:
		*ret = letters(a, s, 'a', 'A' - 'a');
		break;
	case MODIFIER_PREFIX:
		*ret = joined(a, m->text, s);
		break;
	case MODIFIER_SUFFIX:
		*ret = joined(a, s, m->text);
		break;
	case MODIFIER_TRUNCATE:
		*ret = truncate_to(s, m->n);
		break;
	case MODIFIER_BEFORE:
		*ret = part_of(s, m->text, false);
		break;
	case MODIFIER_AFTER:
		*ret = part_of(s, m->text, true);
		break;
	case MODIFIER_REPLACE:
		*ret = replaced(a, s, m, &full);
		break;
	case MODIFIER_MATCH:
		NEED(matches(m->text, s), e, CHY_VALUE_PATTERN, NULL, "\"%.*s\" does not match %.*s",
		     BYTES_FMT(bytes_part(s, 0, 80)), BYTES_FMT(bytes_part(m->text, 0, 80)));
		break;
	case MODIFIER_ONLY:
		NEED(has_only(m->text, s), e, CHY_VALUE_PATTERN, NULL,
		     "\"%.*s\" has other characters than %.*s", BYTES_FMT(bytes_part(s, 0, 80)),
		     BYTES_FMT(bytes_part(m->text, 0, 80)));
		break;
	case MODIFIER_COUNT:
		break;
	}
	NEED(!full && ret->n <= MODIFIED_MAX, e, CHY_LIMIT, NULL, "a value of more than %d bytes",
	     MODIFIED_MAX);
	NEED(ret->p != NULL || !is_made(m->kind), e, CHY_NO_MEMORY, NULL, "a value");
	return RC_OK;
}

enum rc
modifiers_apply(struct arena *a, const struct modifiers *m, struct bytes s, struct bytes *ret, struct err *e)
{
	for (size_t i = 0; i < m->n; i++)
		TRY(apply(a, &m->v[i], s, &s, e));
	*ret = s;
	return RC_OK;
}
