#include "base/base.h"
#include "cli/status.h"

#include "cli/flow.h"

static void
show_history(struct cli *c, const struct json *list)
{
	static const char *const heads[] = { "AT", "CHANGE", "STATE", "REASON", "CAUSE", "BY", NULL };
	struct out_table t;

	if (list == NULL || list->type != JSON_ARRAY || list->count == 0)
		return;
	out_table_start(&t, &c->out, c->a, heads);
	JSON_EACH(x, list)
	{
		const struct json *officers = json_get(x, "officers");
		struct bytes cells[] = { json_line(c->a, json_get(x, "at")),
					 json_line(c->a, json_get(x, "act")),
					 json_line(c->a, json_get(x, "to")),
					 json_line(c->a, json_get(x, "reason")),
					 json_line(c->a, json_get(x, "cause")),
					 officers != NULL && officers->first != NULL
					     ? json_line(c->a, json_get(officers->first, "name"))
					     : BYTES("nobody claimed it") };

		out_table_row(&t, cells);
	}
	out_table_end(&t);
}

void
status_show(struct cli *c, const struct json *status)
{
	static const char *const members[] = { "state", "reason", "since", "invalid_at",
					       "ocsp_activated_at" };
	static const char *const labels[] = { "State", "Reason", "Since", "Key out since",
					      "OCSP activated at" };

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (json_get(status, members[i]) != NULL)
			out_field(&c->out, labels[i], json_line(c->a, json_get(status, members[i])));
	JSON_EACH(hold, json_get(status, "holds"))
	out_field(&c->out, "Held for", json_line(c->a, json_get(hold, "cause")));
	show_history(c, json_get(status, "history"));
}
