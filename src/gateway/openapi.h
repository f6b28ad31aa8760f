/*
 * The OpenAPI 3.1 document of the route table.
 */
#ifndef GATEWAY_OPENAPI_H
#define GATEWAY_OPENAPI_H

#include "gateway/route.h"

/* Writes the document, UTF-8 JSON. Schema texts that are not JSON are CHY_ROUTE_TABLE, as are references by a route to a
   component that nobody gave. */
MUST enum rc openapi_put(struct buf *out, const struct router *r, struct err *e);

/* GET /api/openapi.json, /metrics, /healthz and /readyz: add these after all others, router_add(r, system_routes, s, e). */
struct health;
struct system_ctx {
	const struct router *router;
	struct metrics *metrics;
	struct health *health;
	struct bytes openapi; /* made by system_init */
};
extern const struct route system_routes[];
/* The same where no check waits: readiness is told on the event thread, whatever the workers wait for. */
extern const struct route system_node_routes[];
/* Their schemas; openapi_put takes them in by itself. */
extern const struct route_schema system_schemas[];
/* Builds the document once all routes are added; a is to live as long as the server. */
MUST enum rc system_init(struct system_ctx *s, struct arena *a, struct err *e);

#endif
