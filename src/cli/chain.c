#include "base/base.h"
#include "cli/chain.h"
#include "cli/rest.h"

enum rc
chain_fetch(struct cli *c, int64_t certificate, struct bytes *ret, struct err *e)
{
	struct rest_call call = { .accept = "application/x-pem-file" };
	const char *path = arena_printf(c->a, "/api/v1/certificates/%lld", (long long)certificate);
	struct rest_answer answer;
	struct json *v;
	struct rest *r;
	int64_t authority;

	NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "chain");
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, path, NULL, &v, e));
	TRY_AT(json_need_int(v, "authority", 1, JSON_INT_MAX, &authority, e), e, "the server's answer");
	call.path = arena_printf(c->a, "/api/v1/authorities/%lld/chain", (long long)authority);
	NEED(call.path != NULL, e, CHY_NO_MEMORY, NULL, "chain");
	TRY(rest_do(r, c->a, &call, &answer, e));
	*ret = answer.body;
	return RC_OK;
}
