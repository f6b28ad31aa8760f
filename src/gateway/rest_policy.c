/* Policy tried before it is signed. */
#include "base/base.h"
#include "factory/try_policy.h"
#include "gateway/rest.h"
#include "gateway/route.h"

typedef enum rc try_fn(struct factory *f, struct arena *a, const struct snapshot *policy,
		       const struct officer *who, const struct json *in, struct json **ret, struct err *e);

static void
answer(struct factory *f, struct http_call *c, try_fn *fn)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	const struct officer *who = rest_officer(f, c, &policy);
	struct json *body, *ret = NULL;
	struct err e = { 0 };
	enum rc rc;

	if (who == NULL || (body = rest_body(c)) == NULL)
		return;
	rc = fn(f, c->arena, policy, who, body, &ret, &e);
	rest_answer(c, rc, 200, ret, &e);
}

static void
post_simulation(void *ctx, struct http_call *c)
{
	answer(ctx, c, policy_simulate);
}

static void
post_preview(void *ctx, struct http_call *c)
{
	answer(ctx, c, policy_preview);
}

const struct route rest_policy_routes[] = {
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/policy/simulation",
	  .run = post_simulation,
	  .access = ACCESS_OFFICER,
	  .summary = "A changed document tried on past requests; nothing is signed or stored",
	  .tag = "policy",
	  .bodies = { "application/json" },
	  .body_schema = "SimulationCall",
	  .answers = { "application/json" },
	  .answer_schema = "Simulation" },
	{ .method = HTTP_POST,
	  .pattern = "/api/v1/policy/preview",
	  .run = post_preview,
	  .access = ACCESS_OFFICER,
	  .summary = "Which certificate procedure of a token procedure each key would get, and why",
	  .tag = "policy",
	  .bodies = { "application/json" },
	  .body_schema = "PreviewCall",
	  .answers = { "application/json" },
	  .answer_schema = "Preview" },
	{ 0 },
};
