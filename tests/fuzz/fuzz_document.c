/*
 * Bodies of documents: the first octet chooses the kind and whether it is a draft, the rest is the body. Whatever passes
 * is a fixed point of the check, can be shown as a difference, and makes a snapshot with other documents, in which it is
 * usable or says why not. Whatever is refused has a code, a text and, where one is at fault, a field.
 */
#include "base/base.h"
#include "base/json.h"
#include "policy/document.h"
#include "policy/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { ARENA_MAX = 64 << 20 };

static void
check(bool ok)
{
	if (!ok)
		abort();
}

/* Others for the body to refer to. */
static struct document others[] = {
	{ .id = { 1 }, .version = 1, .kind = KIND_DOMAIN, .text = BYTES("{\"name\":\"North\"}") },
	{ .id = { 2 },
	  .version = 1,
	  .kind = KIND_OFFICER_PROFILE,
	  .text = BYTES("{\"name\":\"Clerk\",\"entity_type\":\"subject\",\"roles\":[\"use-clients\"]}") },
	{ .id = { 4 },
	  .version = 1,
	  .kind = KIND_CA_KEY,
	  .text = BYTES("{\"name\":\"Key\",\"algorithm\":\"p-256\",\"place\":\"software\"}") },
	{ .id = { 5 },
	  .version = 1,
	  .kind = KIND_FORMAT,
	  .text = BYTES("{\"name\":\"CA\",\"purpose\":\"ca\"}") },
	{ .id = { 6 },
	  .version = 1,
	  .kind = KIND_FORMAT,
	  .text = BYTES("{\"name\":\"TLS\",\"purpose\":\"end-entity\"}") },
	{ .id = { 7 },
	  .version = 1,
	  .kind = KIND_AUTHORITY,
	  .text = BYTES("{\"name\":\"Root\",\"type\":\"root\",\"ca_key\":4,\"format\":5,\"subject\":\"CN="
			"Root\",\"validity\":\"P9Y\"}") },
	{ .id = { 8 },
	  .version = 1,
	  .kind = KIND_CERTIFICATE_PROCEDURE,
	  .text = BYTES("{\"name\":\"Proc\",\"authority\":7,\"format\":6,\"validity\":\"P1Y\"}") },
	{ .id = { 9 },
	  .version = 1,
	  .kind = KIND_TOKEN_PROCEDURE,
	  .text = BYTES(
	      "{\"name\":\"Old\",\"storage_profile\":\"smart-card\",\"card_serial_number\":true,\"serial_"
	      "number_from\":10,\"serial_number_to\":20,\"pin_procedure\":11,\"certificate_procedures\":[8]"
	      "}") },
	{ .id = { 10 },
	  .version = 1,
	  .kind = KIND_FORMAT,
	  .text = BYTES("{\"name\":\"AC\",\"purpose\":\"attribute-certificate\"}") },
	{ .id = { 11 },
	  .version = 1,
	  .kind = KIND_PIN_PROCEDURE,
	  .text = BYTES("{\"name\":\"PIN\",\"method\":\"shown\"}") },
	{ .id = { 12 },
	  .version = 1,
	  .kind = KIND_KEY_PROCEDURE,
	  .text = BYTES("{\"name\":\"Keys\",\"action\":\"recover\",\"certificate\":\"reuse\"}") },
	{ .id = { 13 },
	  .version = 1,
	  .kind = KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE,
	  .text = BYTES("{\"name\":\"Roles\",\"authority\":7,\"format\":10,\"validity\":\"P1Y\"}") },
	{ .id = { 14 },
	  .version = 1,
	  .kind = KIND_CRL_PROCEDURE,
	  .text = BYTES(
	      "{\"name\":\"CRL\",\"authority\":7,\"distribution_points\":[\"http://a.example/c\"]}") },
	{ .id = { 15 },
	  .version = 1,
	  .kind = KIND_DISTRIBUTION_RULE,
	  .text = BYTES("{\"name\":\"Web\",\"protocol\":\"http\",\"address\":\"http://a.example\"}") },
	{ .id = { 16 },
	  .version = 1,
	  .kind = KIND_INPUT_VIEW,
	  .text = BYTES("{\"name\":\"Names\",\"fields\":[{\"input\":\"san.dns\"}]}") },
};

static struct snapshot *
policy_with(const struct document *more)
{
	struct document all[ARRAY_LEN(others) + 1];
	struct snapshot_input in = { all, ARRAY_LEN(others), NULL, 0 };
	struct snapshot *s = NULL;

	memcpy(all, others, sizeof(others));
	if (more != NULL)
		all[in.documents_n++] = *more;
	check(snapshot_build(&in, &s, NULL) == RC_OK);
	return s;
}

static void
passed(struct arena *a, const struct document_check *c, const struct json *normal)
{
	OWN_BUF struct buf text = buf_max(ARENA_MAX);
	struct document d = { .id = { 99 }, .version = 1, .kind = c->kind->id };
	struct json *again, *list;

	check(document_check(a, c, normal, &again, NULL) == RC_OK);
	check(json_eq(normal, again));
	if (document_difference(a, c->kind, c->policy, NULL, normal, &list, NULL) == RC_OK)
		check(list->count == normal->count);
	json_put_canonical(&text, normal);
	d.text = buf_bytes(&text);
	if (!c->draft) {
		OWN(snapshot_unref)
		struct snapshot *s = policy_with(&d);
		struct unusable why = snapshot_unusable(s, d.id);

		check((why.code == CHY_NONE) == (why.text[0] == 0));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct snapshot *policy;
	OWN(arena_free)
	struct arena *a = arena_new(ARENA_MAX);
	struct document_check c = { .kind = NULL };
	struct json *body, *normal = NULL;
	struct err e = { 0 };

	if (policy == NULL)
		policy = policy_with(NULL);
	if (n == 0 || a == NULL || json_parse(a, bytes_of(data + 1, n - 1), &body, NULL) != RC_OK)
		return 0;
	c = (struct document_check){ .kind = kind_of((enum kind_id)(data[0] & 15)),
				     .policy = policy,
				     .draft = (data[0] & 64) != 0 };
	if (document_check(a, &c, body, &normal, &e) == RC_OK)
		passed(a, &c, normal);
	else
		check(e.code != CHY_NONE && e.text[0] != 0);
	return 0;
}
