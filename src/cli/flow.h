/*
 * An officer's act from the command line: prepared by the server, compared with what was asked, signed here, brought
 * back. What the server gives to be signed is not believed: it must be canonical JSON, of this act and request, with
 * every member that was asked for as it was asked for, and none that was not asked for and is not the kind's default.
 */
#ifndef CLI_FLOW_H
#define CLI_FLOW_H

#include "cli/cli.h"

/* What was asked. */
struct asked {
	const char *act;         /* "token-procedure.create" */
	const struct kind *kind; /* of documents; NULL: another act */
	int64_t object;          /* id of what is modified; 0: none */
	const struct json *body;
	const char *
	    question; /* asked on a terminal before it is signed, of what cannot be undone; NULL: nothing is asked */
	const char *path; /* prepared by this call, with `more` as its body, in place of a new request's */
	const struct json *more;
	bool
	    skip_refused; /* certificates that the server refuses are left out; the answer tells them as "refused" */
	const struct json *
	    *ret_refused; /* the same list where all are refused, which is a failure; NULL: not wanted */
};

/* Is this, what the server gave to sign, the act that was asked for? Pure. CHY_CLI_ALTERED names the member that is
   not. signed_text: the exact bytes; *ret the parsed document. */
MUST enum rc flow_compare(struct arena *a, const struct asked *asked, int64_t request,
			  struct bytes signed_text, struct json **ret, struct err *e);

/* Prepare, compare, sign (with --co-officer twice), bring back. *ret is the server's last answer: state, result. Shows
   the difference and the outcome to people; with --json the answer. */
MUST enum rc flow_run(struct cli *c, const struct asked *asked, struct json **ret, struct err *e);

/* The same, saying nothing. */
MUST enum rc flow_quietly(struct cli *c, const struct asked *asked, struct json **ret, struct err *e);

/* The same for certificate.issue, saying nothing: a batch tells its outcome itself. */
MUST enum rc flow_issue(struct cli *c, const struct json *body, const struct json *secrets, struct json **ret,
			struct err *e);

/* The same as flow_run for an act that takes secrets, which go beside the signatures (NULL or empty: none); the outcome is
   the caller's to tell. */
MUST enum rc flow_with_secrets(struct cli *c, const struct asked *asked, const struct json *secrets,
			       struct json **ret, struct err *e);

/* The same, saying nothing but warnings: one of several requests of a command. */
MUST enum rc flow_one_of_many(struct cli *c, const struct asked *asked, const struct json *secrets,
			      struct json **ret, struct err *e);

/* Signs the bytes as the officer, and as the co-officer where one is given, and brings the signatures. */
MUST enum rc flow_sign(struct cli *c, int64_t request, struct bytes to_sign, const struct json *secrets,
		       struct json **ret, struct err *e);

/* The difference that came with a request, for people. */
void flow_show_difference(struct cli *c, const struct json *request);
/* "Request 17 is done" and what to do next. */
void flow_show_outcome(struct cli *c, const struct json *answer);

/* A value of JSON in one line for people: text bare, the rest as JSON. The arena's. */
struct bytes json_line(struct arena *a, const struct json *v);

#endif
