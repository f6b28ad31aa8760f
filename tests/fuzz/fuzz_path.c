/*
 * What people call documents: the first octet says from where, then a document's name, then (behind a NUL) what is looked for.
 * Whatever is found is seen from there; a document is found by its own path whatever it is called; a refusal has a code.
 */
#include "base/base.h"
#include "base/json.h"
#include "policy/find.h"
#include "policy/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { NORTH = 1, CITY = 2, SOUTH = 3, MADE = 9 };

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static struct bytes
body_of(struct arena *a, struct bytes name)
{
	OWN_BUF struct buf b = buf_max(64 << 10);
	struct json *o = json_object(a);

	json_set(o, "name", json_str(a, name));
	json_set(o, "domain", json_int(a, CITY));
	json_put_canonical(&b, o);
	return arena_dup(a, buf_bytes(&b));
}

static struct snapshot *
snapshot_with(struct bytes body)
{
	const struct document docs[] = {
		{ .id = { NORTH }, .version = 1, .kind = KIND_DOMAIN, .text = BYTES("{\"name\":\"North\"}") },
		{ .id = { CITY },
		  .version = 1,
		  .kind = KIND_DOMAIN,
		  .text = BYTES("{\"name\":\"a/b\",\"parent\":1}") },
		{ .id = { SOUTH }, .version = 1, .kind = KIND_DOMAIN, .text = BYTES("{\"name\":\"South\"}") },
		{ .id = { 4 }, .version = 1, .kind = KIND_FORMAT, .text = BYTES("{\"name\":\"F\"}") },
		{ .id = { 5 },
		  .version = 1,
		  .kind = KIND_FORMAT,
		  .text = BYTES("{\"name\":\"F\",\"domain\":1}") },
		{ .id = { 6 },
		  .version = 1,
		  .kind = KIND_FORMAT,
		  .text = BYTES("{\"name\":\"F\",\"domain\":3}") },
		{ .id = { MADE }, .version = 1, .kind = KIND_FORMAT, .text = body },
	};
	struct snapshot *s = NULL;

	if (snapshot_build(&(struct snapshot_input){ .documents = docs, .documents_n = ARRAY_LEN(docs) }, &s,
			   NULL) != RC_OK)
		return NULL;
	return s;
}

static void
look(const struct snapshot *s, struct doc_id home, struct bytes text)
{
	const struct document *d = NULL;
	struct err e = { 0 };

	if (find_document(s, KIND_FORMAT, text, home, &d, &e) != RC_OK) {
		check(e.code == CHY_REF_NOTHING || e.code == CHY_REF_AMBIGUOUS);
		return;
	}
	check(d->kind == KIND_FORMAT);
	check(document_is_visible(s, d, home) || domain_is_above(s, home, d->domain));
	if (find_by_name(s, KIND_FORMAT, text, home, &d, &e) == RC_OK && d != NULL)
		check(document_is_visible(s, d, home));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(4 << 20);
	OWN(snapshot_unref)
	struct snapshot *s = NULL;
	struct bytes sought, name = text_cut(bytes_part(bytes_of(data, n), 1, SIZE_MAX), 0, &sought);
	const char *path;

	if (a == NULL || n < 2 || name.n == 0 || name.n > 800 || !utf8_ok(name))
		return 0;
	s = snapshot_with(body_of(a, name));
	if (s == NULL)
		return 0;
	path = path_of(s, a, snapshot_document(s, doc_id_of(MADE)));
	check(path != NULL && strncmp(path, "North/a%2Fb/", 12) == 0 && strchr(path + 12, '/') == NULL);
	check(path_find(s, KIND_FORMAT, bytes_str(path)) == snapshot_document(s, doc_id_of(MADE)));
	look(s, doc_id_of(data[0] % 4), sought);
	look(s, doc_id_of(data[0] % 4), name);
	return 0;
}
