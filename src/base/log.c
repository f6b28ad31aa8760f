#include "base/base.h"

#include <unistd.h>

#include "base/json.h"

enum { LINE_MAX_BYTES = 8192 };

static struct {
	const char *program;
	bool json;
	enum log_level least;
} conf = { "chancery", false, LOG_INFO };

static const char *const level_names[] = { "debug", "info", "warning", "error" };

void
log_init(const char *program, bool json, enum log_level least)
{
	conf.program = program;
	conf.json = json;
	conf.least = least;
}

bool
log_level_parse(struct bytes text, enum log_level *ret)
{
	for (unsigned i = 0; i < ARRAY_LEN(level_names); i++)
		if (bytes_is(text, level_names[i])) {
			*ret = (enum log_level)i;
			return true;
		}
	return false;
}

char *
log_err_text(char *dst, const struct err *e)
{
	snprintf(dst, 448, "CHY-%d %s%s%s", (int)e->code, e->field, e->field[0] ? ": " : "", e->text);
	return dst;
}

static void
put_json(struct buf *b, enum log_level level, const char *event, const struct log_field *f)
{
	char at[32];

	buf_printf(b, "{\"at\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"event\":",
		   time_text(at, clock_now_ms()), level_names[level], conf.program);
	json_put_str(b, bytes_str(event));
	for (; f->name != NULL; f++) {
		buf_str(b, ",");
		json_put_str(b, bytes_str(f->name));
		buf_str(b, ":");
		if (f->text != NULL)
			json_put_str(b, bytes_str(f->text));
		else
			buf_printf(b, "%lld", (long long)f->number);
	}
	buf_str(b, "}\n");
}

static void
put_text(struct buf *b, enum log_level level, const char *event, const struct log_field *f)
{
	char at[32];

	buf_printf(b, "%s %s %s %s", time_text(at, clock_now_ms()), conf.program, level_names[level], event);
	for (; f->name != NULL; f++) {
		if (f->text == NULL) {
			buf_printf(b, " %s=%lld", f->name, (long long)f->number);
			continue;
		}
		buf_printf(b, " %s=", f->name);
		json_put_str(b,
			     bytes_str(f->text)); /* quoted: a log line never breaks, whatever a peer sent */
	}
	buf_str(b, "\n");
}

void
log_write(enum log_level level, const char *event, const struct log_field *fields)
{
	OWN_BUF struct buf b = buf_max(LINE_MAX_BYTES);
	struct bytes line;

	if (level < conf.least)
		return;
	if (conf.json)
		put_json(&b, level, event, fields);
	else
		put_text(&b, level, event, fields);
	line = buf_ok(&b) ? buf_bytes(&b) : BYTES("{\"event\":\"log.line-too-long\"}\n");
	if (write(STDERR_FILENO, line.p, line.n) < 0)
		return; /* nowhere left to say it */
}
