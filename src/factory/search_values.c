#include "base/base.h"
#include "factory/search_values.h"

#include <endian.h>

#include "base/fold.h"
#include "crypto/digest.h"
#include "model/issue.h"
#include "pki/cert.h"
#include "pki/ac.h"
#include "store/change.h"
#include "store/read.h"

enum { OF_SUBJECT = 1, OF_SAN = 2, OF_FIELD = 3 };

struct bytes
search_fold(struct arena *a, struct bytes text)
{
	uint8_t *p = arena_alloc(a, fold_max(text.n) + 1);

	return p != NULL ? bytes_of(p, fold_text(p, text)) : BYTES_NONE;
}

/* As values were entered before schema step 028: letters of ASCII alone. */
static struct bytes
fold_ascii(struct arena *a, struct bytes text)
{
	uint8_t *p = arena_alloc(a, text.n + 1);

	if (p == NULL)
		return BYTES_NONE;
	for (size_t i = 0; i < text.n; i++)
		p[i] = text.p[i] >= 'A' && text.p[i] <= 'Z' ? (uint8_t)(text.p[i] + 32) : text.p[i];
	return bytes_of(p, text.n);
}

int64_t
search_value_id(struct bytes attribute, struct bytes folded)
{
	const struct bytes parts[] = { attribute, BYTES("\0"), folded };
	uint8_t digest[SHA256_LEN];
	uint64_t n;

	sha256_parts(parts, ARRAY_LEN(parts), digest);
	memcpy(&n, digest, sizeof(n));
	return (int64_t)(be64toh(n) & INT64_MAX);
}

int64_t
search_number_id(const char *attribute, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	return search_value_id(bytes_str(attribute), bytes_str(text));
}

bool
search_value_is_of(const struct value_row *value, struct bytes attribute)
{
	return attribute.n == 0 ? value->attribute != OF_FIELD
				: value->id == search_value_id(attribute, value->value);
}

/* Nothing in it is escaped, quoted, encoded or part of an RDN of several: its commas and equals signs are the name's own. */
static bool
is_plain_name(struct bytes subject)
{
	for (size_t i = 0; i < subject.n; i++) {
		uint8_t c = subject.p[i];

		if (c == '\\' || c == '"' || c == '#' || c == '+' || c == ';' || c == '<' || c == '>')
			return false;
	}
	return true;
}

/* "CN=www.example.org,O=Example": the same as reading the name, for a fraction of the work. False: not plain after all. */
static bool
add_plain_name(struct bytes subject, struct search_text *list, size_t most, size_t *n)
{
	size_t before = *n;

	if (!is_plain_name(subject))
		return false;
	for (struct bytes rest = subject, value; rest.p != NULL && *n < most;) {
		struct bytes type = text_cut(text_cut(rest, ',', &rest), '=', &value);

		if (value.p == NULL) {
			*n = before;
			return false;
		}
		list[(*n)++] = (struct search_text){ type, value };
	}
	return true;
}

static enum rc
add_read_name(struct arena *a, const struct name *name, struct search_text *list, size_t most, size_t *n)
{
	for (size_t i = 0; i < name->n && *n < most; i++) {
		const struct ava *v = &name->ava[i];
		char *type = arena_alloc(a, OID_TEXT_MAX);

		if (type == NULL)
			return RC_NOMEM;
		if (v->known != OID_NONE && oid_name(v->known)[0])
			snprintf(type, OID_TEXT_MAX, "%s", oid_name(v->known));
		else
			oid_text(type, v->oid);
		list[(*n)++] = (struct search_text){ bytes_str(type), ava_utf8(a, v) };
	}
	return RC_OK;
}

static enum rc
add_subject(struct arena *a, const struct certificate_row *row, struct search_text *list, size_t most,
	    size_t *n)
{
	struct name name;

	if (add_plain_name(row->subject, list, most, n))
		return RC_OK;
	if (name_from_text(a, row->subject, &name, NULL) == RC_OK)
		return add_read_name(a, &name, list, most, n);
	list[(*n)++] = (struct search_text){ BYTES("subject"), row->subject };
	return RC_OK;
}

static size_t
count_of(struct bytes text, uint8_t c)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == c;
	return n;
}

/* As many as a name can have at most: a search looks at thousands of names. */
static size_t
names_most(struct bytes subject)
{
	size_t n = is_plain_name(subject) ? count_of(subject, ',') + 1 : LIMIT_NAME_ATTRS;

	return n < LIMIT_NAME_ATTRS ? n : LIMIT_NAME_ATTRS;
}

enum rc
search_texts_of(struct arena *a, const struct certificate_row *row, struct search_text **ret, size_t *n,
		struct err *e)
{
	size_t names = names_most(row->subject), most = names + count_of(row->san, '\n') + 1;
	struct search_text *list = arena_array(a, most + SEARCH_CARD, sizeof(*list));
	struct bytes rest = row->san;

	*n = 0;
	NEED(list != NULL && (row->subject.n == 0 || add_subject(a, row, list, names, n) == RC_OK), e,
	     CHY_NO_MEMORY, NULL, "a certificate's values");
	while (rest.n > 0 && *n < VALUES_MOST && *n < most) { /* "dns:www.example.org" a line */
		struct bytes value;

		(void)text_cut(text_cut(rest, '\n', &rest), ':', &value);
		if (value.n > 0)
			list[(*n)++] = (struct search_text){ BYTES("san"), value };
	}
	*ret = list;
	return RC_OK;
}

const char *
search_field_name(int64_t n)
{
	static const char *const names[] = { "field1", "field2", "field3",     "field4",
					     "field5", "field6", "card_serial" };

	_Static_assert(ARRAY_LEN(names) == SEARCH_CARD, "the last one is the card's");
	return n >= 1 && n <= SEARCH_CARD ? names[n - 1] : "unknown";
}

bool
search_is_field(struct bytes attribute)
{
	return bytes_starts(attribute, "field") || bytes_is(attribute, "card_serial");
}

enum rc
search_fields_of(struct factory *f, struct arena *a, int64_t certificate, struct search_text *list, size_t *n,
		 struct err *e)
{
	struct field_row *rows;
	size_t count;

	TRY(store_fields(f->store, a, certificate, &rows, &count, e));
	for (size_t i = 0; i < count && i < SEARCH_CARD; i++) {
		list[(*n)++] = (struct search_text){ bytes_str(search_field_name(rows[i].n)), rows[i].value };
	}
	return RC_OK;
}

/* ---- the follower ---- */

/* Values of a piece, each once: certificates share most of them. An open table of ids, which are digests; 0: free. A piece ends
   before it is half full. */
enum { SEEN_SLOTS = 1 << 15 };
_Static_assert(SEEN_SLOTS > 4 * VALUES_MOST, "any one certificate finds room");

struct piece {
	struct change *change;
	bool fields; /* some of its certificates have any */
	size_t n;    /* certificates that it entered */
	size_t values;
	int64_t seen[SEEN_SLOTS];
};

static void
piece_free(struct piece *p)
{
	if (p != NULL)
		change_free(p->change);
	free(p);
}
OWN_DEFINE(struct piece *, piece_free)

static bool
is_new(struct piece *p, int64_t id)
{
	size_t i = (uint64_t)id % SEEN_SLOTS;

	while (p->seen[i] != 0 && p->seen[i] != id)
		i = (i + 1) % SEEN_SLOTS;
	if (p->seen[i] == id)
		return false;
	p->seen[i] = id;
	p->values++;
	return true;
}

enum { DERS_AT_ONCE = 64, DERS_ARENA = 2 * DERS_AT_ONCE * LIMIT_CERT };

static void
put_key_id(struct arena *a, struct change *c, const struct der_row *row)
{
	char hex[2 * 64 + 1];
	struct cert cert;
	struct bytes id;

	if (cert_parse(a, row->der, &cert, NULL) != RC_OK)
		return;
	id = cert_key_id(&cert);
	if (id.n > 0 && id.n <= 64)
		change_put_link(c,
				&(struct link_row){
				    search_value_id(BYTES("ski"), bytes_str(hex_text(hex, id))), row->id });
}

static enum rc
put_key_ids_of(struct factory *f, struct change *c, const int64_t *ids, size_t ids_n, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(DERS_ARENA);
	struct der_row *rows;
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "certificates' keys");
	TRY(store_ders_of(f->store, a, ids, ids_n, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		put_key_id(a, c, &rows[i]);
	NEED(!arena_failed(a), e, CHY_NO_MEMORY, NULL, "certificates' keys");
	return RC_OK;
}

/* They are no column, so the certificates themselves are read, some at a time. Attribute certificates have none. */
static enum rc
put_key_ids(struct factory *f, struct change *c, const struct certificate_row *rows, size_t n, struct err *e)
{
	int64_t ids[DERS_AT_ONCE];
	size_t ids_n = 0;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].base == 0)
			ids[ids_n++] = rows[i].id;
		if (ids_n == DERS_AT_ONCE) {
			TRY(put_key_ids_of(f, c, ids, ids_n, e));
			ids_n = 0;
		}
	}
	return ids_n > 0 ? put_key_ids_of(f, c, ids, ids_n, e) : RC_OK;
}

static int
kind_of_value(struct bytes attribute)
{
	return bytes_is(attribute, "san") ? OF_SAN : search_is_field(attribute) ? OF_FIELD : OF_SUBJECT;
}

/* What a certificate of a store of before was found by; nothing of what is the same now. */
static void
drop_former(struct arena *a, struct change *c, const struct search_text *t, int64_t certificate)
{
	struct bytes was = fold_ascii(a, t->value), is = search_fold(a, t->value);

	if (!bytes_eq(was, is))
		change_drop_link(c, &(struct link_row){ search_value_id(t->attribute, was), certificate });
}

static enum rc
put_certificate(struct factory *f, struct piece *p, const struct certificate_row *row, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct change *c = p->change;
	struct search_text *list;
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a certificate's values");
	TRY(search_texts_of(a, row, &list, &n, e));
	if (p->fields)
		TRY(search_fields_of(f, a, row->id, list, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct bytes folded = search_fold(a, list[i].value);
		int64_t id = search_value_id(list[i].attribute, folded);

		if (folded.n == 0)
			continue;
		if (is_new(p, id))
			change_put_value(c,
					 &(struct value_row){ id, kind_of_value(list[i].attribute), folded });
		change_put_link(c, &(struct link_row){ id, row->id });
	}
	for (size_t i = 0; i < n; i++)
		drop_former(a, c, &list[i], row->id);
	change_put_link(c, &(struct link_row){ search_number_id("issuer", row->issuer), row->id });
	change_put_link(
	    c, &(struct link_row){ search_number_id("token-procedure", row->token_procedure), row->id });
	change_put_begin(c, &(struct begin_row){ row->not_before, row->id });
	change_drop_value_todo(c, row->id);
	NEED(!arena_failed(a), e, CHY_NO_MEMORY, NULL,
	     "a certificate's values"); /* it waits no longer: all of them are there */
	return RC_OK;
}

enum rc
search_values_remove(struct factory *f, struct arena *a, struct change *c, const struct certificate_row *row,
		     struct err *e)
{
	char hex[2 * 64 + 1];
	struct search_text *list;
	struct bytes der, id;
	struct cert cert;
	size_t n;

	TRY(search_texts_of(a, row, &list, &n, e));
	TRY(search_fields_of(f, a, row->id, list, &n, e));
	for (size_t i = 0; i < n; i++)
		change_drop_link(
		    c,
		    &(struct link_row){ search_value_id(list[i].attribute, search_fold(a, list[i].value)),
					row->id });
	for (size_t i = 0; i < n; i++)
		drop_former(a, c, &list[i], row->id);
	change_drop_link(c, &(struct link_row){ search_number_id("issuer", row->issuer), row->id });
	change_drop_link(
	    c, &(struct link_row){ search_number_id("token-procedure", row->token_procedure), row->id });
	NEED(!arena_failed(a), e, CHY_NO_MEMORY, NULL, "a certificate's values");
	if (row->base != 0)
		return RC_OK;
	TRY(store_der(f->store, a, row->id, &der, e));
	id = cert_parse(a, der, &cert, NULL) == RC_OK ? cert_key_id(&cert) : BYTES_NONE;
	if (id.n > 0 && id.n <= 64)
		change_drop_link(c,
				 &(struct link_row){
				     search_value_id(BYTES("ski"), bytes_str(hex_text(hex, id))), row->id });
	return RC_OK;
}

/* Of those that wait the oldest, at most n. */
static enum rc
enter_piece(struct factory *f, size_t n, size_t *ret_n, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	OWN(piece_free)
	struct piece *p = calloc(1, sizeof(*p));
	struct certificate_row *rows;
	struct err why = { 0 };
	struct change *ready;
	enum rc rc;

	NEED(a != NULL && p != NULL, e, CHY_NO_MEMORY, NULL, "values");
	p->change = change_new();
	TRY(store_values_waiting(f->store, a, n, &rows, &n, e));
	if (n > 0)
		TRY(store_fields_any(f->store, rows[0].id, rows[n - 1].id, &p->fields, e));
	for (; p->n < n && p->values < SEEN_SLOTS / 2 - VALUES_MOST; p->n++)
		TRY(put_certificate(f, p, &rows[p->n], e));
	*ret_n = p->n;
	if (p->n == 0)
		return RC_OK;
	TRY(put_key_ids(f, p->change, rows, p->n, e));
	ready = p->change;
	p->change = NULL;
	rc = store_commit(f->store, ready, &why);
	if (why.code ==
	    CHY_STORE_STATE) /* one was removed meanwhile, or another factory did the same: those that wait still are next */
		return RC_OK;
	if (rc != RC_OK && e != NULL && e->code == CHY_NONE)
		*e = why;
	return rc;
}

/* f->valuing is held: one at a time, for whether a value is there already is asked before it is put. */
static enum rc
enter_at_pace(struct factory *f, size_t most, size_t *ret_n, struct err *e)
{
	int64_t begun = clock_mono_us();

	TRY(enter_piece(f, f->valuing_pace.n < most ? f->valuing_pace.n : most, ret_n, e));
	if (*ret_n == f->valuing_pace.n)
		pace_took(&f->valuing_pace, clock_mono_us() - begun);
	return RC_OK;
}

enum rc
search_values_catch_up(struct factory *f, size_t most, size_t *done, struct err *e)
{
	size_t n = 1;
	enum rc rc = RC_OK;

	*done = 0;
	TRY(store_search_catch_up(f->store, most, NULL, e));
	while (rc == RC_OK && n > 0 && *done < most) {
		pthread_mutex_lock(&f->valuing);
		rc = enter_at_pace(f, most - *done, &n, e);
		pthread_mutex_unlock(&f->valuing);
		*done += rc == RC_OK ? n : 0;
	}
	return rc;
}
