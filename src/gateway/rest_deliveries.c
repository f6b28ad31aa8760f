/* Deliveries: the queue, dead letters, destinations. What is done about them are requests (delivery.retry, delivery.drop). */
#include "base/base.h"
#include "factory/deliveries.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static void
get_deliveries(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	const struct outbox_query q = { .state = route_query_text(c, "state"),
					.destination = route_query_int(c, "destination", 0),
					.request = route_query_int(c, "request", 0),
					.object = route_query_int(c, "certificate", 0),
					.after = route_query_int(c, "after", 0),
					.limit = (size_t)route_query_int(c, "limit", 100) };
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	rc = delivery_list(f, c->arena, policy, who, &q, &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static void
get_destinations(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	rc = destination_list(f, c->arena, policy, who, route_query_int(c, "after", 0),
			      (size_t)route_query_int(c, "limit", 100), &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static void
get_publications(void *ctx, struct http_call *c)
{
	struct factory *f = ctx;
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	const struct published_query q = { .procedure = route_query_text(c, "procedure"),
					   .from_at = route_query_time(c, "from", 0),
					   .to_at = route_query_time(c, "to", 0),
					   .after = route_query_int(c, "after", 0),
					   .limit = (size_t)route_query_int(c, "limit", 100) };
	struct json *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL)
		return;
	rc = published_list(f, c->arena, policy, who, &q, &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

#define WHO ROLES(ROLE_PUBLISH_CERTIFICATE) | ROLES(ROLE_CA_AND_KEY_TASKS)

const struct route rest_delivery_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/deliveries",
	  .run = get_deliveries,
	  .access = ACCESS_OFFICER,
	  .needs = WHO,
	  .summary = "What is to go out, has gone out, or could not",
	  .tag = "deliveries",
	  .query = { { "state", QUERY_TEXT, "waiting, done, dead, dropped" },
		     { "destination", QUERY_INT, "Id of the distribution rule" },
		     { "certificate", QUERY_INT, "Id of a certificate; then the others are not looked at" },
		     { "request", QUERY_INT, "Id of the request that had it published" },
		     { "after", QUERY_INT, "Cursor of the page before" },
		     { "limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE } },
	  .answers = { "application/json" },
	  .answer_schema = "DeliveryPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/destinations",
	  .run = get_destinations,
	  .access = ACCESS_OFFICER,
	  .needs = WHO,
	  .summary = "Distribution rules with what waits, what is dead, and how they do",
	  .tag = "deliveries",
	  .query = { { "after", QUERY_INT, "Cursor of the page before" },
		     { "limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE } },
	  .answers = { "application/json" },
	  .answer_schema = "DestinationPage" },
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/publications",
	  .run = get_publications,
	  .access = ACCESS_OFFICER,
	  .needs = WHO,
	  .summary = "Certificates by the time when a procedure published them last",
	  .tag = "deliveries",
	  .query = { { "procedure", QUERY_TEXT, "Name or id of the publication procedure", true },
		     { "from", QUERY_TIME, "At this time or later" },
		     { "to", QUERY_TIME, "Before this time" },
		     { "after", QUERY_INT, "Cursor of the page before" },
		     { "limit", QUERY_INT, "Rows of a page", false, 1, LIMIT_PAGE } },
	  .answers = { "application/json" },
	  .answer_schema = "PublicationPage" },
	{ 0 },
};
