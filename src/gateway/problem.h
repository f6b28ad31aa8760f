/*
 * Problem documents (RFC 9457): every refusal of the gateway is one.
 *
 *	{"type":"urn:chancery:problem:CHY-1042","title":"...","status":400,"detail":"...","code":"CHY-1042",
 *	 "cause":"CHY-1201","field":"subject.cn","rule":"...","standard":"RFC 5280 4.1.2.6","instance":"urn:chancery:call:..."}
 *
 * cause, field, rule and standard only where there are some. cause: where the code stands for one of many findings, such as a
 * weak key, the code of that one. Details of RC_INTERNAL stay in the log, not in the answer.
 */
#ifndef GATEWAY_PROBLEM_H
#define GATEWAY_PROBLEM_H

#include "base/base.h"

struct json;

#define PROBLEM_TYPE "application/problem+json"

/* The HTTP status of an error: by the exceptions table of codes, else by its rc. */
int problem_status(const struct err *e);

/* The document. refused: what was refused one by one, an array; NULL: none. call: number of this call in the log. */
void problem_put(struct buf *out, const struct err *e, const struct json *refused, uint64_t call);

/* The JSON Schema of a problem document, for OpenAPI. */
extern const char problem_schema[];

#endif
