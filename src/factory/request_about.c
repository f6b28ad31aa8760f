/* What a request is about, in a few words for lists. */
#include "base/base.h"
#include "factory/requests.h"

#include "policy/body.h"
#include "policy/path.h"

static const char *
text(struct arena *a, struct bytes b)
{
	const char *s = arena_str(a, b);

	return s ? s : "";
}

/* "Sweden/TLS server", in force or not yet. */
static const char *
of_document(struct arena *a, const struct snapshot *policy, const struct request *r)
{
	const char *place = r->act.kind == KIND_DOMAIN ? "parent" : "domain", *path;
	const struct document *domain = snapshot_of_kind(policy, KIND_DOMAIN, body_ref(r->body, place));
	struct bytes name = body_text(r->body, "name");

	if (domain == NULL)
		return text(a, name);
	path = path_of(policy, a, domain);
	path = path ? path_join(a, path, name) : NULL;
	return path ? path : text(a, name);
}

/* What an act that is no document names: by which document, and how many things. */
static const char *
by_document(struct arena *a, const struct snapshot *policy, const struct request *r)
{
	static const char *const members[] = { "token_procedure", "publication_procedure", "crl_procedure",
					       "authority", "officer" };

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct document *d = snapshot_document(policy, body_ref(r->body, members[i]));
		const char *path = d ? path_of(policy, a, d) : NULL;

		if (path != NULL)
			return path;
	}
	return NULL;
}

static const char *
how_many(struct arena *a, const struct request *r)
{
	static const char *const lists[][2] = { { "requests", "request" },
						{ "certificates", "certificate" },
						{ "deliveries", "delivery" },
						{ "token_procedures", "token procedure" } };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		size_t n = body_count(r->body, lists[i][0]);

		if (n == 1)
			return arena_printf(a, "1 %s", lists[i][1]);
		if (n > 1)
			return arena_printf(a, "%zu %s", n,
					    i == 2 ? "deliveries" : arena_printf(a, "%ss", lists[i][1]));
	}
	return NULL;
}

struct bytes
request_about(struct arena *a, const struct snapshot *policy, const struct request *r)
{
	const char *by, *many;
	int64_t other = body_int(r->body, "request", 0);

	if (r->act.kind != KIND_NONE)
		return bytes_str(of_document(a, policy, r));
	if (other != 0)
		return bytes_str(arena_printf(a, "request %lld", (long long)other));
	by = by_document(a, policy, r);
	many = how_many(a, r);
	if (by != NULL && many != NULL)
		by = arena_printf(a, "%s, %s", by, many);
	return bytes_str(by ? by : many ? many : text(a, body_text(r->body, "name")));
}
