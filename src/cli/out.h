/*
 * What a command shows: tables and fields for people, JSON for programs, progress on a terminal.
 *
 * Colours only on a terminal, and never with NO_COLOR (no-color.org) or TERM=dumb. Control characters that came from a
 * server or a certificate are never sent to a terminal: they are shown as \xNN.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "base/base.h"
#include "base/json.h"

struct out {
	FILE *to, *err;
	bool json, quiet, color, terminal; /* terminal: stderr is one, for progress and questions */
	size_t width;                      /* columns of the terminal; 0: no limit */
};

enum { OUT_COLUMNS_MAX = 12, OUT_PLAIN = 0, OUT_GOOD, OUT_BAD, OUT_DIM, OUT_BOLD };

/* From the environment and isatty. */
void out_init(struct out *o, FILE *to, FILE *err, bool json, bool quiet);

/* Columns that text takes on a terminal: by code points, wide East Asian ones two, combining marks none. */
size_t text_columns(struct bytes s);

/* Text with what a terminal must not get made visible. */
void out_text(const struct out *o, struct bytes s);
/* printf for people: nothing with --json. Text from elsewhere goes through out_text. */
void out_line(const struct out *o, const char *fmt, ...) PRINTF(2, 3);
/* The same, but not with --quiet. */
void out_note(const struct out *o, const char *fmt, ...) PRINTF(2, 3);
/* "name   value"; text from anywhere. */
void out_field(const struct out *o, const char *name, struct bytes value);
void out_styled(const struct out *o, int style, const char *fmt, ...) PRINTF(3, 4);

/* A table: header, rows, then out_table_end prints it aligned; the last column is cut at the terminal's width. */
struct out_table {
	const struct out *o;
	struct arena *a;
	size_t columns;
	const char *head[OUT_COLUMNS_MAX];
	struct out_row *first, *last;
	size_t rows;
};
/* heads end with NULL. The arena keeps the cells until the end. */
void out_table_start(struct out_table *t, const struct out *o, struct arena *a, const char *const *heads);
/* As many cells as there are columns; a missing one is BYTES_NONE. */
void out_table_row(struct out_table *t, const struct bytes *cells);
void out_table_end(struct out_table *t);

/* The whole answer as JSON with --json: indented, one line feed at the end. */
void out_json(const struct out *o, const struct json *v);
/* One JSON value on a line of its own: for streams. */
void out_json_line(const struct out *o, const struct json *v);

/* A progress bar on stderr, when that is a terminal and neither --quiet nor --json asks for silence. Redrawn at most ten
   times a second; progress_end takes it away. */
struct progress {
	const struct out *o;
	const char *what;
	uint64_t done, failed, total; /* total 0: unknown */
	int64_t started_us, drawn_us;
};
void progress_start(struct progress *p, const struct out *o, const char *what, uint64_t total);
void progress_step(struct progress *p, uint64_t done, uint64_t failed);
void progress_end(struct progress *p);

#endif
