#include "base/base.h"
#include "cli/flow.h"
#include "cli/list.h"
#include "cli/rest.h"

/* One page's address: filters, cursor, and how many are still wanted. */
static const char *
page_path(struct cli *c, const struct list *l, const char *after, int64_t left)
{
	OWN_BUF struct buf b = buf_max(16384);

	if (l->whole)
		return l->path;
	buf_printf(&b, "%s%climit=%lld", l->path, strchr(l->path, '?') ? '&' : '?',
		   (long long)(left < LIMIT_PAGE ? left : LIMIT_PAGE));
	for (size_t i = 0; l->filters[i]; i++) {
		struct bytes param, option = text_cut(bytes_str(l->filters[i]), '=', &param);
		const char *v = args_text(&c->args, arena_str(c->a, option));

		if (v)
			buf_printf(&b, "&%.*s=%s", BYTES_FMT(param.n ? param : option),
				   *v ? url_escape(c->a, bytes_str(v)) : "true");
	}
	if (l->by_domain && c->set.domain_view && strcmp(c->set.domain_view, "home") != 0)
		buf_printf(&b, "&domain=%s", url_escape(c->a, bytes_str(c->set.domain_view)));
	if (after)
		buf_printf(&b, "&after=%s", url_escape(c->a, bytes_str(after)));
	return arena_str(c->a, buf_bytes(&b));
}

static const char *
next_cursor(struct cli *c, const struct json *page)
{
	struct bytes next = json_line(c->a, json_get(page, "next"));

	return next.n ? arena_str(c->a, next) : NULL;
}

static enum rc
take_page(struct cli *c, const struct list *l, struct json *page, struct json *all, struct out_table *t,
	  struct err *e)
{
	struct json *items;

	TRY_AT(json_need_array(page, "items", &items, e), e, "the server's answer");
	JSON_EACH(item, items)
	{
		if (c->out.json)
			json_add(all, json_copy(c->a, item));
		else
			l->row(c, t, item);
	}
	return RC_OK;
}

enum rc
list_run(struct cli *c, const struct list *l, struct err *e)
{
	int64_t left = args_int(&c->args, "limit", INT64_MAX);
	const char *after = args_text(&c->args, "after"), *from;
	struct json *all = json_array(c->a), *page;
	struct out_table table;
	struct rest *r;

	NEED(all != NULL, e, CHY_NO_MEMORY, NULL, "list");
	NEED(left > 0, e, CHY_CLI_USAGE, NULL, "--limit: at least 1");
	TRY(cli_rest(c, &r, e));
	out_table_start(&table, &c->out, c->a, l->heads);
	do {
		size_t before = c->out.json ? all->count : table.rows;
		const char *path = page_path(c, l, after, left);

		NEED(path != NULL, e, CHY_NO_MEMORY, NULL, "list");
		TRY(rest_json(r, c->a, path, NULL, &page, e));
		TRY(take_page(c, l, page, all, &table, e));
		left -= (int64_t)((c->out.json ? all->count : table.rows) - before);
		from = after;
		after = next_cursor(c, page);
		/* a page may be empty where the server passes over what is not meant; only a cursor that stands ends it */
	} while (after && left > 0 && (from == NULL || strcmp(after, from) != 0));
	out_json(&c->out, all);
	out_table_end(&table);
	if (json_line(c->a, json_get(page, "unseen")).n > 0)
		out_note(&c->out, "Not to be seen: %.*s\n",
			 BYTES_FMT(json_line(c->a, json_get(page, "unseen"))));
	if (after)
		out_note(&c->out, "There are more: --after %s\n", after);
	return RC_OK;
}
