/* Policy tried before it is signed. */
#include "base/base.h"
#include "factory/try_policy.h"
#include "gateway/rest.h"
#include "gateway/route.h"

static enum rc
ask_simulation(const struct asked *q, struct json **ret, struct err *e)
{
	struct json *body;

	TRY(json_parse(q->a, q->c->body, &body, e));
	return policy_simulate(q->f, q->a, q->policy, q->who, body, ret, e);
}

static enum rc
ask_preview(const struct asked *q, struct json **ret, struct err *e)
{
	struct json *body;

	TRY(json_parse(q->a, q->c->body, &body, e));
	return policy_preview(q->f, q->a, q->policy, q->who, body, ret, e);
}

const struct route rest_policy_routes[] = {
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/policy/simulation",
	  .run = rest_ask,
	  .ask = ask_simulation,
	  .access = ACCESS_OFFICER,
	  .summary = "A changed document tried on past requests; nothing is signed or stored",
	  .tag = "policy",
	  .bodies = { "application/json" },
	  .body_schema = "SimulationCall",
	  .answers = { "application/json" },
	  .answer_schema = "Simulation" },
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/policy/preview",
	  .run = rest_ask,
	  .ask = ask_preview,
	  .access = ACCESS_OFFICER,
	  .summary = "Which certificate procedure of a token procedure each key would get, and why",
	  .tag = "policy",
	  .bodies = { "application/json" },
	  .body_schema = "PreviewCall",
	  .answers = { "application/json" },
	  .answer_schema = "Preview" },
	{ 0 },
};
