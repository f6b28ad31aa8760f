/*
 * Results and errors.
 *
 * A function that can fail returns an enum rc, which says what the caller can do about it, and takes a
 * struct err that keeps the *first* cause: a stable code (CHY-1042), the field or object it is about, the
 * paragraph of the standard, and a sentence for people. Codes stand in codes.def, one line each, and carry
 * their rc, so a failure names only its code:
 *
 *	NEED(len <= in.n, e, CHY_DER_TRUNCATED, "X.690 8.1.3", "length %zu of %zu", len, in.n);
 *
 * A struct err lives on the caller's stack and owns nothing. Libraries never log: they fill it in.
 */
#ifndef BASE_RC_H
#define BASE_RC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum rc {
	RC_OK = 0,
	RC_MALFORMED, /* the input is wrong; sending it again is of no use */
	RC_DENIED,    /* understood and refused: by right, by rule or by policy */
	RC_NOT_FOUND, /* what it names is not there, or not to be seen */
	RC_CONFLICT,  /* the state is not, or no longer, what the caller assumed */
	RC_AGAIN,     /* nothing wrong with it: try later */
	RC_PEER,      /* another party failed: key store, database, directory */
	RC_NOMEM,     /* memory or a limit on it */
	RC_INTERNAL,  /* our own mistake */
};

/* Every stable code: CHY_NAME = its number. */
enum code {
	CHY_NONE = 0,
#define CODE(num, name, rc, title) CHY_##name = num,
#include "base/codes.def"
#undef CODE
};

enum { ERR_TEXT_MAX = 320, ERR_FIELD_MAX = 96, ERR_STD_MAX = 64 };

struct err {
	enum rc rc;
	enum code code;
	char
	    field[ERR_FIELD_MAX]; /* what it is about: "subject.cn", "certificate_procedures[1]"; may be "" */
	char std[ERR_STD_MAX];    /* "RFC 5280 4.2.1.3"; may be "" */
	char text[ERR_TEXT_MAX];  /* one sentence for people; never holds a secret */
	enum code cause;  /* where the code stands for one of many findings: that one's; else CHY_NONE */
	const char *rule; /* static: the policy rule that decided; NULL: none did */
};

/* Keeps the first cause: sets *e if it is still empty, and returns the rc of the code (of the first cause, where
   there is one already). e may be NULL. */
enum rc err_set(struct err *e, enum code code, const char *std, const char *fmt, ...) PRINTF(4, 5);

/* Names the field that an error is about, unless one is named already. fmt as printf. */
void err_field(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Before err_set: the finding that the error is about to wrap. Nothing happens where *e has its first cause already. */
void err_cause(struct err *e, enum code cause);

/* Of an error that is to be wrapped: the code that says most exactly what was found. */
enum code err_exact(const struct err *why);

/* Names the policy rule that decided, unless one is named already. */
void err_rule(struct err *e, const char *rule);

/* Empties *e for another try. */
void err_clear(struct err *e);

/* The rc that a code carries; RC_INTERNAL for an unknown one. */
enum rc code_rc(enum code code);

/* The short English title of a code, "Request body too large"; never NULL. */
const char *code_title(enum code code);

/* The code's name as it stands in codes.def, "BODY_TOO_LARGE"; never NULL. */
const char *code_name(enum code code);

/* All codes in ascending order, for documentation and tests; returns how many, sets *ret. */
size_t code_list(const enum code **ret);

/* "malformed", "denied" ...; never NULL. */
const char *rc_name(enum rc rc);

#ifdef __clang_analyzer__ /* cannot know that err_set never says RC_OK */
#define ERR_SET_(...) (err_set(__VA_ARGS__), RC_INTERNAL)
#else
#define ERR_SET_(...) err_set(__VA_ARGS__)
#endif

/* Tells the compiler that err_set never returns RC_OK, so that it does not fear for what only success sets. */
static inline enum rc
rc_bad(enum rc rc)
{
	if (rc == RC_OK)
		__builtin_unreachable();
	return rc;
}

#define FAIL(e, code, std, ...) return rc_bad(err_set((e), (code), (std), __VA_ARGS__))

#define NEED(cond, e, code, std, ...) \
	do { \
		if (!(cond)) \
			return rc_bad(err_set((e), (code), (std), __VA_ARGS__)); \
	} while (0)

/* NEED that wraps a finding: `exact` is its code (err_exact), which programs will want to know too. */
#define NEED_FOR(cond, exact, e, code, std, ...) \
	do { \
		if (!(cond)) { \
			err_cause((e), (exact)); \
			return rc_bad(err_set((e), (code), (std), __VA_ARGS__)); \
		} \
	} while (0)

/* Passes a failure on to the caller. */
#define TRY(call) \
	do { \
		enum rc try_rc_ = (call); \
		if (try_rc_ != RC_OK) \
			return try_rc_; \
	} while (0)

/* Like TRY, and says which field the failure is about: TRY_AT(name_parse(...), e, "subject"). */
#define TRY_AT(call, e, ...) \
	do { \
		enum rc try_rc_ = (call); \
		if (try_rc_ != RC_OK) { \
			err_field((e), __VA_ARGS__); \
			return try_rc_; \
		} \
	} while (0)

/* OWN(arena_free) struct arena *a: released when the scope ends. The function takes the pointer and accepts NULL. */
#define OWN(fn) __attribute__((cleanup(own_##fn)))
#define OWN_DEFINE(type, fn) \
	static inline void own_##fn(type *p) \
	{ \
		if (*p) \
			fn(*p); \
	}

#endif
