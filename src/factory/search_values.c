#include "base/base.h"
#include "factory/search_values.h"

#include <endian.h>

#include "crypto/digest.h"
#include "pki/cert.h"
#include "pki/ac.h"
#include "store/change.h"
#include "store/read.h"

enum { VALUES_PIECE = 64, OF_SUBJECT = 1, OF_SAN = 2 };

struct bytes
search_fold(struct arena *a, struct bytes text)
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

static enum rc
add_subject(struct arena *a, const struct certificate_row *row, struct search_text *list, size_t *n)
{
	struct name name;

	if (name_from_text(a, row->subject, &name, NULL) != RC_OK) {
		list[(*n)++] = (struct search_text){ BYTES("subject"), row->subject };
		return RC_OK;
	}
	for (size_t i = 0; i < name.n && *n < LIMIT_NAME_ATTRS; i++) {
		const struct ava *v = &name.ava[i];
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

enum rc
search_texts_of(struct arena *a, const struct certificate_row *row, struct search_text **ret, size_t *n,
		struct err *e)
{
	struct search_text *list = arena_array(a, VALUES_MOST, sizeof(*list));
	struct bytes rest = row->san;

	*n = 0;
	NEED(list != NULL && (row->subject.n == 0 || add_subject(a, row, list, n) == RC_OK), e, CHY_NO_MEMORY,
	     NULL, "a certificate's values");
	while (rest.n > 0 && *n < VALUES_MOST) { /* "dns:www.example.org" a line */
		struct bytes value;

		(void)text_cut(text_cut(rest, '\n', &rest), ':', &value);
		if (value.n > 0)
			list[(*n)++] = (struct search_text){ BYTES("san"), value };
	}
	*ret = list;
	return RC_OK;
}

/* ---- the follower ---- */

/* Values of a piece, each once: certificates share most of them. An open table of ids, which are digests; 0: free. */
enum { SEEN_SLOTS = 1 << 18 };
_Static_assert(SEEN_SLOTS > 2 * VALUES_PIECE * VALUES_MOST, "the table stays half empty");

static bool
is_new(int64_t *seen, int64_t id)
{
	size_t i = (uint64_t)id % SEEN_SLOTS;

	while (seen[i] != 0 && seen[i] != id)
		i = (i + 1) % SEEN_SLOTS;
	if (seen[i] == id)
		return false;
	seen[i] = id;
	return true;
}

static void
put_number(struct change *c, const char *attribute, int64_t number, int64_t certificate)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	change_put_link(
	    c, &(struct link_row){ search_value_id(bytes_str(attribute), bytes_str(text)), certificate });
}

static enum rc
put_key_id(struct factory *f, struct arena *a, struct change *c, const struct certificate_row *row,
	   struct err *e)
{
	char hex[2 * 64 + 1];
	struct bytes der, id;
	struct cert cert;

	if (row->base != 0)
		return RC_OK;
	TRY(store_der(f->store, a, row->id, &der, e));
	if (cert_parse(a, der, &cert, NULL) != RC_OK)
		return RC_OK;
	id = cert_key_id(&cert);
	if (id.n > 0 && id.n <= 64)
		change_put_link(c,
				&(struct link_row){
				    search_value_id(BYTES("ski"), bytes_str(hex_text(hex, id))), row->id });
	return RC_OK;
}

static enum rc
put_certificate(struct factory *f, struct change *c, const struct certificate_row *row, int64_t *seen,
		struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA);
	struct search_text *list;
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a certificate's values");
	TRY(search_texts_of(a, row, &list, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct bytes folded = search_fold(a, list[i].value);
		int64_t id = search_value_id(list[i].attribute, folded);

		if (folded.n == 0)
			continue;
		if (is_new(seen, id))
			change_put_value(
			    c,
			    &(struct value_row){ id, bytes_is(list[i].attribute, "san") ? OF_SAN : OF_SUBJECT,
						 folded });
		change_put_link(c, &(struct link_row){ id, row->id });
	}
	put_number(c, "issuer", row->issuer, row->id);
	put_number(c, "token-procedure", row->token_procedure, row->id);
	change_put_begin(c, &(struct begin_row){ row->not_before, row->id });
	TRY(put_key_id(f, a, c, row, e));
	change_drop_value_todo(c, row->id);
	return RC_OK;
}

static enum rc
enter_piece(struct factory *f, size_t *ret_n, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 20);
	OWN(change_free)
	struct change *c = change_new();
	int64_t *seen;
	struct certificate_row *rows;
	struct change *ready;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "values");
	TRY(store_values_waiting(f->store, a, VALUES_PIECE, &rows, ret_n, e));
	seen = arena_array(a, SEEN_SLOTS, sizeof(*seen));
	NEED(seen != NULL, e, CHY_NO_MEMORY, NULL, "values");
	for (size_t i = 0; i < *ret_n; i++)
		TRY(put_certificate(f, c, &rows[i], seen, e));
	if (*ret_n == 0)
		return RC_OK;
	ready = c;
	c = NULL;
	return store_commit(f->store, ready, e);
}

/* One at a time: whether a value is there already is asked before it is put. */
enum rc
search_values_catch_up(struct factory *f, size_t most, size_t *done, struct err *e)
{
	size_t n = VALUES_PIECE;
	enum rc rc = RC_OK;

	*done = 0;
	TRY(store_search_catch_up(f->store, most, NULL, e));
	while (rc == RC_OK && n == VALUES_PIECE && *done < most) {
		pthread_mutex_lock(&f->valuing);
		rc = enter_piece(f, &n, e);
		pthread_mutex_unlock(&f->valuing);
		*done += rc == RC_OK ? n : 0;
	}
	return rc;
}
