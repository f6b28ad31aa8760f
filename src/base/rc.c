#include "base/base.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

static const struct code_row {
	enum code code;
	enum rc rc;
	const char *name, *title;
} rows[] = {
#define CODE(num, name, rc, title) { CHY_##name, rc, #name, title },
#include "base/codes.def"
#undef CODE
};

enum { NROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct code_row *
row_of(enum code code)
{
	for (size_t i = 0; i < NROWS; i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

enum rc
code_rc(enum code code)
{
	const struct code_row *r = row_of(code);

	return r ? r->rc : RC_INTERNAL;
}

const char *
code_title(enum code code)
{
	const struct code_row *r = row_of(code);

	return r ? r->title : "Unknown error";
}

const char *
code_name(enum code code)
{
	const struct code_row *r = row_of(code);

	return r ? r->name : "UNKNOWN";
}

static enum code sorted[NROWS];
static pthread_once_t sorted_once = PTHREAD_ONCE_INIT;

static int
by_number(const void *a, const void *b)
{
	return (int)*(const enum code *)a - (int)*(const enum code *)b;
}

static void
sort_codes(void)
{
	for (size_t i = 0; i < NROWS; i++)
		sorted[i] = rows[i].code;
	qsort(sorted, NROWS, sizeof(sorted[0]), by_number);
}

size_t
code_list(const enum code **ret)
{
	pthread_once(&sorted_once, sort_codes);
	*ret = sorted;
	return NROWS;
}

const char *
rc_name(enum rc rc)
{
	static const char *const names[] = { "ok",    "malformed", "denied",    "not-found", "conflict",
					     "again", "peer",      "no-memory", "internal" };

	return (unsigned)rc < sizeof(names) / sizeof(names[0]) ? names[rc] : "internal";
}

/* Formats into a fixed field; cuts what does not fit, at a character's border. */
static void put(char *dst, size_t max, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

static void
put(char *dst, size_t max, const char *fmt, va_list ap)
{
	int n = vsnprintf(dst, max, fmt, ap);

	if (n >= 0 && (size_t)n >= max) {
		size_t end = max - 1;

		while (end > 0 && ((unsigned char)dst[end - 1] & 0xc0) == 0x80)
			end--;
		if (end > 0 && (unsigned char)dst[end - 1] >= 0xc0)
			end--;
		dst[end] = 0;
	}
}

enum rc
err_set(struct err *e, enum code code, const char *std, const char *fmt, ...)
{
	enum rc rc = code_rc(code);
	va_list ap;

	if (e == NULL)
		return rc;
	if (e->code != CHY_NONE)
		return e->rc;
	e->rc = rc;
	e->code = code;
	snprintf(e->std, sizeof(e->std), "%s", std ? std : "");
	va_start(ap, fmt);
	put(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return rc;
}

void
err_field(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL || e->field[0])
		return;
	va_start(ap, fmt);
	put(e->field, sizeof(e->field), fmt, ap);
	va_end(ap);
}

void
err_cause(struct err *e, enum code cause)
{
	if (e != NULL && e->code == CHY_NONE)
		e->cause = cause;
}

enum code
err_exact(const struct err *why)
{
	return why->cause != CHY_NONE ? why->cause : why->code;
}

void
err_rule(struct err *e, const char *rule)
{
	if (e != NULL && e->rule == NULL)
		e->rule = rule;
}

void
err_clear(struct err *e)
{
	*e = (struct err){ 0 };
}
