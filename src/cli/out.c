#include "base/base.h"
#include "cli/out.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

/* ---- text on a terminal ---- */

void
out_init(struct out *o, FILE *to, FILE *err, bool json, bool quiet)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize size;
	bool tty = isatty(fileno(to));

	*o = (struct out){ .to = to, .err = err, .json = json, .quiet = quiet };
	o->terminal = isatty(fileno(err));
	o->color = tty && !json && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
	if (tty && ioctl(fileno(to), TIOCGWINSZ, &size) == 0)
		o->width = size.ws_col;
}

static const struct {
	int32_t from, to;
} wide[] = { /* Unicode TR 11: wide and full width */
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },
	{ 0xa000, 0xa4cf },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
	{ 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
}, none[] = { /* combining marks, joiners and direction marks of the scripts that names are written in */
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a }, { 0x064b, 0x065f },
	{ 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
	{ 0x200b, 0x200f }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};

/* C0, C1, and the marks that turn the direction of what follows: with them a name can look like another one. */
static bool
is_dangerous(int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029;
}

static size_t
columns_of(int32_t c)
{
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (c >= none[i].from && c <= none[i].to)
			return 0;
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (c >= wide[i].from && c <= wide[i].to)
			return 2;
	return 1;
}

/* One character as it is shown: itself or its escape. Returns columns. */
static size_t
shown(struct bytes *s, struct buf *to)
{
	const uint8_t *from = s->p;
	int32_t c = utf8_take(s);
	char escape[16];

	if (c < 0) { /* not UTF-8 */
		snprintf(escape, sizeof(escape), "\\x%02x", *from);
		*s = bytes_part(*s, 1, SIZE_MAX);
	} else if (is_dangerous(c)) {
		snprintf(escape, sizeof(escape), c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
	} else {
		if (to)
			buf_put(to, bytes_of(from, (size_t)(s->p - from)));
		return columns_of(c);
	}
	if (to)
		buf_str(to, escape);
	return strlen(escape);
}

size_t
text_columns(struct bytes s)
{
	size_t n = 0;

	while (s.n > 0)
		n += shown(&s, NULL);
	return n;
}

/* At most so many columns of s, an ellipsis where it was cut; returns the columns. */
static size_t
put_columns(struct buf *to, struct bytes s, size_t most)
{
	size_t all = text_columns(s), n = 0;

	while (s.n > 0) {
		struct bytes before = s;
		size_t w = shown(&s, NULL);

		if (all > most && n + w > most - 1) {
			buf_str(to, "…");
			return n + 1;
		}
		s = before;
		n += shown(&s, to);
	}
	return n;
}

void
out_text(const struct out *o, struct bytes s)
{
	OWN_BUF struct buf b = buf_max(s.n * 4 + 16);

	put_columns(&b, s, SIZE_MAX);
	if (b.n > 0) /* of nothing there is no pointer, which fwrite must not be given */
		fwrite(b.p, 1, buf_bytes(&b).n, o->to);
}

static const char *const styles[] = { "", "\033[32m", "\033[31m", "\033[2m", "\033[1m" };

static void
vline(const struct out *o, int style, const char *fmt, va_list args)
{
	fputs(o->color ? styles[style] : "", o->to);
	vfprintf(o->to, fmt, args);
	fputs(o->color && style ? "\033[0m" : "", o->to);
}

void
out_line(const struct out *o, const char *fmt, ...)
{
	va_list args;

	if (o->json)
		return;
	va_start(args, fmt);
	vline(o, OUT_PLAIN, fmt, args);
	va_end(args);
}

void
out_note(const struct out *o, const char *fmt, ...)
{
	va_list args;

	if (o->json || o->quiet)
		return;
	va_start(args, fmt);
	vline(o, OUT_PLAIN, fmt, args);
	va_end(args);
}

void
out_styled(const struct out *o, int style, const char *fmt, ...)
{
	va_list args;

	if (o->json)
		return;
	va_start(args, fmt);
	vline(o, style, fmt, args);
	va_end(args);
}

void
out_field(const struct out *o, const char *name, struct bytes value)
{
	size_t n = text_columns(bytes_str(name));

	if (o->json)
		return;
	out_styled(o, OUT_DIM, "%s", name);
	fprintf(o->to, "%*s", n < 22 ? (int)(22 - n) : 1, "");
	out_text(o, value);
	fputc('\n', o->to);
}

/* ---- tables ---- */

struct out_row {
	struct out_row *next;
	struct bytes cell[OUT_COLUMNS_MAX];
};

void
out_table_start(struct out_table *t, const struct out *o, struct arena *a, const char *const *heads)
{
	*t = (struct out_table){ .o = o, .a = a };
	while (heads[t->columns] && t->columns < OUT_COLUMNS_MAX) {
		t->head[t->columns] = heads[t->columns];
		t->columns++;
	}
}

void
out_table_row(struct out_table *t, const struct bytes *cells)
{
	struct out_row *row = arena_one(t->a, struct out_row);

	if (row == NULL)
		return; /* the arena's next user reports it */
	for (size_t i = 0; i < t->columns; i++)
		row->cell[i] = cells[i].n ? arena_dup(t->a, cells[i]) : BYTES("-");
	if (t->last)
		t->last->next = row;
	else
		t->first = row;
	t->last = row;
	t->rows++;
}

static void
table_line(const struct out_table *t, const struct bytes *cells, const size_t *widths, int style)
{
	OWN_BUF struct buf b = buf_max(1 << 20);
	size_t used = 0;

	for (size_t i = 0; i < t->columns; i++) {
		bool last = i + 1 == t->columns;
		size_t left = t->o->width > used + 8 ? t->o->width - used : 8;
		size_t n = put_columns(&b, cells[i], last && t->o->width ? left : SIZE_MAX);

		if (!last)
			buf_printf(&b, "%*s", (int)(widths[i] - n) + 2, "");
		used += widths[i] + 2;
	}
	out_styled(t->o, style, "%.*s", BYTES_FMT(buf_bytes(&b)));
	fputc('\n', t->o->to);
}

void
out_table_end(struct out_table *t)
{
	size_t widths[OUT_COLUMNS_MAX];
	struct bytes head[OUT_COLUMNS_MAX];

	if (t->o->json)
		return;
	for (size_t i = 0; i < t->columns; i++) {
		head[i] = bytes_str(t->head[i]);
		widths[i] = text_columns(head[i]);
		for (const struct out_row *r = t->first; r; r = r->next) {
			size_t n = text_columns(r->cell[i]);

			widths[i] = n > widths[i] ? n : widths[i];
		}
	}
	if (!t->o->quiet)
		table_line(t, head, widths, OUT_BOLD);
	for (const struct out_row *r = t->first; r; r = r->next)
		table_line(t, r->cell, widths, OUT_PLAIN);
}

/* ---- JSON ---- */

void
out_json(const struct out *o, const struct json *v)
{
	OWN_BUF struct buf b = buf_max(256 << 20);

	if (!o->json)
		return;
	json_put_pretty(&b, v);
	fwrite(b.p, 1, buf_bytes(&b).n, o->to);
	if (b.n == 0 || b.p[b.n - 1] != '\n')
		fputc('\n', o->to);
}

void
out_json_line(const struct out *o, const struct json *v)
{
	OWN_BUF struct buf b = buf_max(64 << 20);

	if (!o->json)
		return;
	json_put(&b, v);
	fwrite(b.p, 1, buf_bytes(&b).n, o->to);
	fputc('\n', o->to);
}

/* ---- progress ---- */

enum { PROGRESS_EVERY_US = 100000, PROGRESS_BAR = 30 };

static bool
progress_shows(const struct progress *p)
{
	return p->o->terminal && !p->o->quiet;
}

static void
progress_draw(const struct progress *p, int64_t now_us)
{
	double seconds = (double)(now_us - p->started_us) / 1e6;
	double rate = seconds > 0.05 ? (double)p->done / seconds : 0;
	char bar[PROGRESS_BAR + 1];
	size_t full = p->total ? (size_t)(p->done * PROGRESS_BAR / p->total) : 0;

	memset(bar, '.', PROGRESS_BAR);
	memset(bar, '#', full > PROGRESS_BAR ? PROGRESS_BAR : full);
	bar[PROGRESS_BAR] = 0;
	fprintf(p->o->err, "\r\033[K%s ", p->what);
	if (p->total)
		fprintf(p->o->err, "[%s] %llu of %llu", bar, (unsigned long long)p->done,
			(unsigned long long)p->total);
	else
		fprintf(p->o->err, "%llu", (unsigned long long)p->done);
	if (p->failed)
		fprintf(p->o->err, ", %llu failed", (unsigned long long)p->failed);
	if (rate > 0)
		fprintf(p->o->err, ", %.0f/s", rate);
	fflush(p->o->err);
}

void
progress_start(struct progress *p, const struct out *o, const char *what, uint64_t total)
{
	*p = (struct progress){ .o = o, .what = what, .total = total, .started_us = clock_mono_us() };
}

void
progress_step(struct progress *p, uint64_t done, uint64_t failed)
{
	int64_t now = clock_mono_us();

	p->done += done;
	p->failed += failed;
	if (!progress_shows(p) || (p->drawn_us && now - p->drawn_us < PROGRESS_EVERY_US))
		return;
	p->drawn_us = now;
	progress_draw(p, now);
}

void
progress_end(struct progress *p)
{
	if (progress_shows(p) && p->drawn_us)
		fputs("\r\033[K", p->o->err);
}
