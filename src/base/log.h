/*
 * Structured log lines to stderr: JSON for machines, or text for a terminal. Programs and use cases log; libraries
 * fill in a struct err. One line is one write(2), so lines of several threads and processes do not mix.
 *
 *	LOG(INFO, "signer.key-loaded", LS("key", name), LI("bits", bits));
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/bytes.h"
#include "base/rc.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log_field {
	const char *name;
	const char *text; /* NULL: the number */
	int64_t number;
};

static inline struct log_field
log_text_field(const char *name, const char *text)
{
	return (struct log_field){ name, text ? text : "", 0 };
}

#define LS(name, text) log_text_field((name), (text))
#define LI(name, number) ((struct log_field){ (name), NULL, (number) })
/* An error's code, field and text as three fields' worth in one: code, and text behind it. */
#define LE(err) LS("error", log_err_text((char[448]){ 0 }, (err)))

#define LOG(level, event, ...) \
	log_write(LOG_##level, (event), \
		  (const struct log_field[]){ { NULL, NULL, 0 }, ##__VA_ARGS__, { 0 } } + 1)

/* program: named in each line. json: JSON lines, else text. least: what is below is dropped. Call once at start. */
void log_init(const char *program, bool json, enum log_level least);
/* fields end with one whose name is NULL. event is a stable dotted name: "factory.started". */
void log_write(enum log_level level, const char *event, const struct log_field *fields);
/* "CHY-1042 field: text" into dst of 448 characters; returns dst. */
char *log_err_text(char *dst, const struct err *e);
/* "debug" ... "error"; false for another word. */
bool log_level_parse(struct bytes text, enum log_level *ret);

#endif
