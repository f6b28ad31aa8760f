#include "base/base.h"
#include "base/json.h"
#include "gateway/problem.h"

/* By rc, for all codes that do not say otherwise below. */
static const int by_rc[] = {
	[RC_OK] = 500,    [RC_MALFORMED] = 400, [RC_DENIED] = 403, [RC_NOT_FOUND] = 404, [RC_CONFLICT] = 409,
	[RC_AGAIN] = 503, [RC_PEER] = 503,      [RC_NOMEM] = 503,  [RC_INTERNAL] = 500,
};

/* Codes for which HTTP has a status of its own. */
static const struct {
	enum code code;
	int status;
} by_code[] = {
	{ CHY_HTTP_METHOD, 501 },        { CHY_HTTP_VERSION, 505 },
	{ CHY_HTTP_TARGET, 400 },        { CHY_HTTP_HEADERS_TOO_LARGE, 431 },
	{ CHY_HTTP_EXPECT, 417 },        { CHY_HTTP_BODY_TOO_LARGE, 413 },
	{ CHY_HTTP_TIMEOUT, 408 },       { CHY_NOT_ACCEPTABLE, 406 },
	{ CHY_MEDIA_TYPE, 415 },         { CHY_BEARER, 401 },
	{ CHY_CREDENTIAL_MISSING, 401 }, { CHY_CREDENTIAL_KIND, 401 },
	{ CHY_ROUTE_METHOD, 405 },       { CHY_LIMIT, 422 },
	{ CHY_SESSION_TOKEN, 401 },      { CHY_SESSION_EXPIRED, 401 },
	{ CHY_SESSION_CLOSED, 401 },     { CHY_REFUSED_OFTEN, 429 },
};

int
problem_status(const struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(by_code); i++)
		if (by_code[i].code == e->code)
			return by_code[i].status;
	return (unsigned)e->rc < ARRAY_LEN(by_rc) ? by_rc[e->rc] : 500;
}

static void
member(struct buf *out, const char *name, const char *value)
{
	if (value == NULL || value[0] == 0)
		return;
	buf_printf(out, ",\"%s\":", name);
	json_put_str(out, bytes_str(value));
}

void
problem_put(struct buf *out, const struct err *e, const struct json *refused, uint64_t call)
{
	bool ours = e->rc == RC_INTERNAL || e->code == CHY_NONE;
	unsigned code = e->code ? (unsigned)e->code : (unsigned)CHY_INTERNAL;

	buf_printf(out, "{\"type\":\"urn:chancery:problem:CHY-%u\",\"title\":", code);
	json_put_str(out, bytes_str(code_title((enum code)code)));
	buf_printf(out, ",\"status\":%d", problem_status(e));
	member(out, "detail", ours ? "The log says more." : e->text);
	buf_printf(out, ",\"code\":\"CHY-%u\"", code);
	if (e->cause != CHY_NONE && e->cause != e->code && !ours)
		buf_printf(out, ",\"cause\":\"CHY-%u\"", (unsigned)e->cause);
	member(out, "field", e->field);
	member(out, "rule", e->rule);
	member(out, "standard", e->std);
	if (refused != NULL) {
		buf_put(out, BYTES(",\"refused\":"));
		json_put(out, refused);
	}
	buf_printf(out, ",\"instance\":\"urn:chancery:call:%llu\"}", (unsigned long long)call);
}

const char problem_schema[] =
    "{\"type\":\"object\",\"description\":\"RFC 9457 problem document\","
    "\"required\":[\"type\",\"title\",\"status\",\"code\"],\"properties\":{"
    "\"type\":{\"type\":\"string\",\"format\":\"uri\",\"description\":\"urn:chancery:problem:CODE\"},"
    "\"title\":{\"type\":\"string\",\"description\":\"what kind of problem, the same for each occurrence\"},"
    "\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},"
    "\"detail\":{\"type\":\"string\",\"description\":\"what is wrong this time\"},"
    "\"code\":{\"type\":\"string\",\"pattern\":\"^CHY-[0-9]{4}$\",\"description\":\"stable, for programs\"},"
    "\"cause\":{\"type\":\"string\",\"pattern\":\"^CHY-[0-9]{4}$\",\"description\":\"where the code stands "
    "for "
    "one of many findings, such as a weak key: the code of that one\"},"
    "\"field\":{\"type\":\"string\",\"description\":\"the member, parameter or object that it is about\"},"
    "\"rule\":{\"type\":\"string\",\"description\":\"the policy rule that decided\"},"
    "\"standard\":{\"type\":\"string\",\"description\":\"the paragraph of the standard\"},"
    "\"refused\":{\"type\":\"array\",\"items\":{\"type\":\"object\"},\"description\":\"where all "
    "certificates of a request were refused that was to leave out the refused ones: index, certificate and "
    "problem of each\"},"
    "\"instance\":{\"type\":\"string\",\"format\":\"uri\",\"description\":\"this call, as the log names "
    "it\"}}}";
