/* A search as it is asked. */
#include "base/base.h"
#include "factory/search.h"

#include "factory/search_values.h"
#include "model/status.h"
#include "pki/name.h"
#include "policy/snapshot.h"

enum { PAGE_DEFAULT = 100, PATTERN_MAX = 500 };

/* Members that are a text of the subject or an alternative name. */
static const struct {
	const char *member, *attribute;
} texts[] = {
	{ "common_name", "CN" },
	{ "given_name", "GN" },
	{ "surname", "SN" },
	{ "organisation", "O" },
	{ "organisational_unit", "OU" },
	{ "subject_serial_number", "serialNumber" },
	{ "country", "C" },
	{ "email", "" },
	{ "alternative_name", "san" },
	{ "field1", "field1" },
	{ "field2", "field2" },
	{ "field3", "field3" },
	{ "field4", "field4" },
	{ "field5", "field5" },
	{ "field6", "field6" },
	{ "card_serial", "card_serial" },
};

static const char *const members[] = { "text",
				       "common_name",
				       "given_name",
				       "surname",
				       "organisation",
				       "organisational_unit",
				       "subject_serial_number",
				       "country",
				       "email",
				       "alternative_name",
				       "field1",
				       "field2",
				       "field3",
				       "field4",
				       "field5",
				       "field6",
				       "card_serial",
				       "serial",
				       "authority",
				       "issuer",
				       "authority_key_identifier",
				       "subject_key_identifier",
				       "sha256",
				       "state",
				       "is_not_revoked",
				       "reason",
				       "revoked_from",
				       "revoked_to",
				       "valid_from_from",
				       "published_from",
				       "published_to",
				       "ocsp_activated_from",
				       "ocsp_activated_to",
				       "valid_from_to",
				       "valid_to_from",
				       "valid_to_to",
				       "is_expired",
				       "is_not_yet_valid",
				       "publication_allowed",
				       "subject_type",
				       "token_procedure",
				       "certificate_procedure",
				       "order",
				       "descending",
				       "limit",
				       "most",
				       "after",
				       NULL };

static enum rc
add_pattern(struct arena *a, struct search_query *q, const char *attribute, struct bytes text, bool email,
	    struct err *e)
{
	NEED(text.n > 0 && text.n <= PATTERN_MAX, e, CHY_FIELD_TOO_LONG, NULL, "1 to %d octets", PATTERN_MAX);
	NEED(q->patterns_n < SEARCH_PATTERNS_MAX, e, CHY_LIMIT, NULL, "at most %d texts",
	     SEARCH_PATTERNS_MAX);
	text = search_fold(a, text);
	NEED(text.p != NULL, e, CHY_NO_MEMORY, NULL, "a search");
	q->patterns[q->patterns_n++] = (struct search_pattern){ bytes_str(attribute), text, email };
	return RC_OK;
}

/* Free text: each word of it, anywhere. */
static enum rc
add_words(struct arena *a, struct search_query *q, struct bytes text, struct err *e)
{
	for (struct bytes word, rest = text; rest.n > 0;) {
		word = text_cut(rest, ' ', &rest);
		if (word.n > 0)
			TRY(add_pattern(a, q, "", bytes_str(arena_printf(a, "*%.*s*", BYTES_FMT(word))),
					false, e));
	}
	return RC_OK;
}

static enum rc
read_texts(struct arena *a, const struct json *in, struct search_query *q, struct err *e)
{
	struct bytes text = BYTES_NONE;

	TRY(json_opt_str(in, "text", &text, e));
	TRY_AT(add_words(a, q, text, e), e, "text");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		text = BYTES_NONE;
		TRY(json_opt_str(in, texts[i].member, &text, e));
		if (text.n > 0)
			TRY_AT(add_pattern(a, q, texts[i].attribute, text,
					   strcmp(texts[i].member, "email") == 0, e),
			       e, "%s", texts[i].member);
	}
	return RC_OK;
}

/* Without the colons that other programs show between the octets. */
static struct bytes
without_colons(struct arena *a, struct bytes text)
{
	uint8_t *p = arena_alloc(a, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; p != NULL && i < text.n; i++)
		if (text.p[i] != ':')
			p[n++] = text.p[i];
	return bytes_of(p, n);
}

static enum rc
read_hex(struct arena *a, const struct json *in, const char *member, struct bytes *ret, struct err *e)
{
	struct bytes text = BYTES_NONE;

	TRY(json_opt_str(in, member, &text, e));
	if (text.n > 0)
		TRY_AT(hex_parse(a, without_colons(a, text), ret, e), e, "%s", member);
	return RC_OK;
}

static enum rc
read_time(const struct json *in, const char *member, int64_t *ret, struct err *e)
{
	struct bytes text = BYTES_NONE;

	TRY(json_opt_str(in, member, &text, e));
	if (text.n > 0)
		TRY_AT(time_parse(text, ret, e), e, "%s", member);
	return RC_OK;
}

static enum rc
read_flag(const struct json *in, const char *member, int *ret, struct err *e)
{
	bool v = false;

	*ret = -1;
	if (json_get(in, member) == NULL)
		return RC_OK;
	TRY(json_opt_bool(in, member, &v, e));
	*ret = v;
	return RC_OK;
}

/* ---- issuers ---- */

static bool
may_be_issuer(struct arena *a, const struct authority *x, int64_t id, struct bytes name, struct bytes key_id)
{
	OWN_BUF struct buf text = buf_max(64 << 10);
	struct name asked;

	if (id != 0 && x->doc->id.v != id)
		return false;
	if (key_id.n > 0 && !bytes_eq(x->key_id, key_id))
		return false;
	if (name.n == 0)
		return true;
	name_put_der_text(&text, x->subject_in_force.n > 0 ? x->subject_in_force : x->subject);
	return ascii_case_eq(buf_bytes(&text), name) ||
	    (name_from_text(a, name, &asked, NULL) == RC_OK && name_eq(asked.der, x->subject_in_force));
}

static enum rc
read_issuers(struct arena *a, const struct snapshot *policy, const struct json *in, struct search_query *q,
	     struct err *e)
{
	struct bytes name = BYTES_NONE, key_id = BYTES_NONE;
	const struct document *const *docs;
	size_t n = snapshot_list(policy, KIND_AUTHORITY, &docs);
	int64_t id = 0;

	TRY(json_opt_int(in, "authority", 1, JSON_INT_MAX, &id, e));
	TRY(json_opt_str(in, "issuer", &name, e));
	TRY(read_hex(a, in, "authority_key_identifier", &key_id, e));
	q->by_issuer = id != 0 || name.n > 0 || key_id.n > 0;
	for (size_t i = 0; i < n && q->by_issuer && q->issuers_n < SEARCH_ISSUERS_MAX; i++) {
		const struct authority *x = snapshot_authority(policy, docs[i]->id);

		if (x != NULL && may_be_issuer(a, x, id, name, key_id))
			q->issuers[q->issuers_n++] = docs[i]->id.v;
	}
	return RC_OK;
}

/* ---- states and reasons ---- */

/* One word or a list of them. */
static enum rc
each_word(const struct json *v, enum rc (*fn)(struct search_query *, struct bytes, struct err *),
	  struct search_query *q, struct err *e)
{
	if (v == NULL || v->type == JSON_NULL)
		return RC_OK;
	if (v->type == JSON_STR)
		return fn(q, v->str, e);
	NEED(v->type == JSON_ARRAY, e, CHY_JSON_TYPE, NULL, "a word or a list of words");
	JSON_EACH(x, v)
	{
		NEED(x->type == JSON_STR, e, CHY_JSON_TYPE, NULL, "a list of words");
		TRY(fn(q, x->str, e));
	}
	return RC_OK;
}

static enum rc
add_state(struct search_query *q, struct bytes word, struct err *e)
{
	for (int i = 0; i < CERT_STATE_COUNT; i++)
		if (bytes_is(word, cert_state_name(i))) {
			q->states |= 1u << i;
			return RC_OK;
		}
	FAIL(e, CHY_FIELD_CHOICE, NULL, "\"%.*s\" is no state", BYTES_FMT(bytes_part(word, 0, 40)));
}

static enum rc
add_reason(struct search_query *q, struct bytes word, struct err *e)
{
	NEED(reason_of(word) != REASON_NONE, e, CHY_FIELD_CHOICE, NULL, "\"%.*s\" is no reason",
	     BYTES_FMT(bytes_part(word, 0, 40)));
	q->reasons |= 1u << reason_of(word);
	return RC_OK;
}

static enum rc
read_states(const struct json *in, struct search_query *q, struct err *e)
{
	int not_revoked;

	TRY_AT(each_word(json_get(in, "state"), add_state, q, e), e, "state");
	if (q->states == 0)
		q->states = SEARCH_ANY_STATE;
	TRY_AT(each_word(json_get(in, "reason"), add_reason, q, e), e, "reason");
	TRY(read_flag(in, "is_not_revoked", &not_revoked, e));
	if (not_revoked >= 0)
		q->states &= not_revoked ? ~(1u << CERT_REVOKED) : 1u << CERT_REVOKED;
	return RC_OK;
}

/* ---- the rest ---- */

static enum rc
read_word(const struct json *in, const char *member, const char *const *words, int *ret, struct err *e)
{
	struct bytes text = BYTES_NONE;

	*ret = 0;
	TRY(json_opt_str(in, member, &text, e));
	if (text.n == 0)
		return RC_OK;
	for (int i = 0; words[i] != NULL; i++)
		if (bytes_is(text, words[i])) {
			*ret = i;
			return RC_OK;
		}
	err_field(e, "%s", member);
	FAIL(e, CHY_FIELD_CHOICE, NULL, "\"%.*s\" is none of its words", BYTES_FMT(bytes_part(text, 0, 40)));
}

static enum rc
read_times(const struct json *in, struct search_query *q, struct err *e)
{
	struct {
		const char *member;
		int64_t *at;
	} const times[] = {
		{ "revoked_from", &q->since_from },
		{ "revoked_to", &q->since_to },
		{ "published_from", &q->published_from },
		{ "published_to", &q->published_to },
		{ "ocsp_activated_from", &q->activated_from },
		{ "ocsp_activated_to", &q->activated_to },
		{ "valid_from_from", &q->begin_from },
		{ "valid_from_to", &q->begin_to },
		{ "valid_to_from", &q->end_from },
		{ "valid_to_to", &q->end_to },
	};

	q->since_to = q->published_to = q->activated_to = q->begin_to = q->end_to = INT64_MAX;
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		TRY(read_time(in, times[i].member, times[i].at, e));
	TRY(read_flag(in, "is_expired", &q->is_expired, e));
	return read_flag(in, "is_not_yet_valid", &q->is_not_yet_valid, e);
}

static enum rc
read_page(const struct json *in, struct search_query *q, struct err *e)
{
	static const char *const orders[] = { "id",      "valid_to", "valid_from", "since",
					      "subject", "serial",   NULL };
	static const char *const kinds[] = { "", "EE", "CA", "AC", NULL };
	int64_t limit = PAGE_DEFAULT;
	int order;

	TRY(read_word(in, "order", orders, &order, e));
	TRY(read_word(in, "subject_type", kinds, &q->kind, e));
	q->order = (enum search_order)order;
	q->descending = order == ORDER_ID && json_get(in, "descending") == NULL; /* the newest first */
	TRY(json_opt_bool(in, "descending", &q->descending, e));
	TRY(json_opt_int(in, "limit", 1, LIMIT_PAGE, &limit, e));
	q->limit = (size_t)limit;
	q->most = INT64_MAX;
	TRY(json_opt_int(in, "most", 1, JSON_INT_MAX, &q->most, e));
	return json_opt_str(in, "after", &q->after, e);
}

static enum rc
read_query(struct factory *f, struct arena *a, const struct snapshot *policy, const struct json *in,
	   struct search_query *ret, struct err *e)
{
	*ret = (struct search_query){ .now_ms = clock_now_ms() };
	TRY(json_only(in, members, e));
	TRY(read_texts(a, in, ret, e));
	TRY(read_hex(a, in, "serial", &ret->serial, e));
	TRY(read_hex(a, in, "subject_key_identifier", &ret->key_id, e));
	TRY(read_hex(a, in, "sha256", &ret->sha256, e));
	TRY(read_issuers(a, policy, in, ret, e));
	TRY(read_states(in, ret, e));
	TRY(read_times(in, ret, e));
	TRY(read_flag(in, "publication_allowed", &ret->publication, e));
	TRY(json_opt_int(in, "token_procedure", 1, JSON_INT_MAX, &ret->token_procedure, e));
	TRY(json_opt_int(in, "certificate_procedure", 1, JSON_INT_MAX, &ret->certificate_procedure, e));
	return read_page(in, ret, e);
}

/* A condition that was lost for want of memory would find more than was asked for. */
enum rc
search_read(struct factory *f, struct arena *a, const struct snapshot *policy, const struct json *in,
	    struct search_query *ret, struct err *e)
{
	enum rc rc = read_query(f, a, policy, in, ret, e);

	if (!arena_failed(a))
		return rc;
	err_clear(e);
	FAIL(e, CHY_NO_MEMORY, NULL, "a search");
}
