/* Deliveries: the queue, dead letters, destinations. What is done about them are requests (delivery.retry, delivery.drop). */
#include "base/base.h"
#include "factory/deliveries.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static enum rc
ask_deliveries(const struct asked *q, struct json **ret, struct err *e)
{
	const struct outbox_query wanted = { .state = route_query_text(q->c, "state"),
					     .destination = route_query_int(q->c, "destination", 0),
					     .request = route_query_int(q->c, "request", 0),
					     .object = route_query_int(q->c, "certificate", 0),
					     .after = rest_after(q->c),
					     .limit = rest_limit(q->c) };

	return delivery_list(q->f, q->a, q->policy, q->who, &wanted, ret, e);
}

static enum rc
ask_destinations(const struct asked *q, struct json **ret, struct err *e)
{
	return destination_list(q->f, q->a, q->policy, q->who, rest_after(q->c), rest_limit(q->c), ret, e);
}

static enum rc
ask_publications(const struct asked *q, struct json **ret, struct err *e)
{
	const struct published_query wanted = { .procedure = route_query_text(q->c, "procedure"),
						.from_at = route_query_time(q->c, "from", 0),
						.to_at = route_query_time(q->c, "to", 0),
						.after = rest_after(q->c),
						.limit = rest_limit(q->c) };

	return published_list(q->f, q->a, q->policy, q->who, &wanted, ret, e);
}

#define WHO ROLES(ROLE_PUBLISH_CERTIFICATE) | ROLES(ROLE_CA_AND_KEY_TASKS)

const struct route rest_delivery_routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/api/v1/deliveries",
	  .run = rest_ask,
	  .ask = ask_deliveries,
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
	  .run = rest_ask,
	  .ask = ask_destinations,
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
	  .run = rest_ask,
	  .ask = ask_publications,
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
