#include "base/base.h"
#include "policy/snapshot_impl.h"

/* ---- indexes: chained hash tables of fixed size, in the snapshot's arena ---- */

/* FNV-1a; the documents are the officers' own, nobody else can choose colliding ones. */
static uint64_t
hash_bytes(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 1099511628211u;
	return h;
}

#define HASH_START 14695981039346656037u

static uint64_t
hash_id(struct doc_id id)
{
	return hash_bytes(HASH_START, &id.v, sizeof(id.v));
}

static uint64_t
hash_name(enum kind_id kind, struct bytes name)
{
	int k = kind;

	return hash_bytes(hash_bytes(HASH_START, &k, sizeof(k)), name.p, name.n);
}

static bool
index_make(struct arena *a, struct index *x, size_t n)
{
	size_t size = 16;

	while (size < n * 2)
		size *= 2;
	x->mask = size - 1;
	x->heads = arena_array(a, size, sizeof(struct slot *));
	return x->heads != NULL;
}

static struct slot **
index_head(const struct index *x, uint64_t hash)
{
	return &x->heads[(hash ^ hash >> 32) & x->mask];
}

static void
put_in_indexes(struct snapshot *s, struct slot *slot)
{
	struct slot **head = index_head(&s->by_id, hash_id(slot->doc.id));

	slot->same_id = *head;
	*head = slot;
	head = index_head(&s->by_name, hash_name(slot->doc.kind, slot->doc.name));
	slot->same_name = *head;
	*head = slot;
}

/* ---- finding ---- */

struct slot *
slot_find(const struct snapshot *s, struct doc_id id)
{
	struct slot *x = s ? *index_head(&s->by_id, hash_id(id)) : NULL;

	while (x != NULL && !doc_id_eq(x->doc.id, id))
		x = x->same_id;
	return x;
}

void *
slot_compiled(const struct snapshot *s, enum kind_id kind, struct doc_id id)
{
	struct slot *x = slot_find(s, id);

	return x != NULL && x->doc.kind == kind ? x->compiled : NULL;
}

const struct document *
snapshot_document(const struct snapshot *s, struct doc_id id)
{
	struct slot *x = slot_find(s, id);

	return x ? &x->doc : NULL;
}

const struct document *
snapshot_of_kind(const struct snapshot *s, enum kind_id kind, struct doc_id id)
{
	const struct document *d = snapshot_document(s, id);

	return d != NULL && d->kind == kind ? d : NULL;
}

size_t
snapshot_list(const struct snapshot *s, enum kind_id kind, const struct document *const **ret)
{
	*ret = NULL;
	if (s == NULL || kind < 0 || kind >= KIND_COUNT)
		return 0;
	*ret = s->lists[kind];
	return s->lists_n[kind];
}

struct slot *
slot_named(const struct snapshot *s, enum kind_id kind, struct bytes name, struct slot *x)
{
	if (s == NULL)
		return NULL;
	x = x ? x->same_name : *index_head(&s->by_name, hash_name(kind, name));
	while (x != NULL && (x->doc.kind != kind || !bytes_eq(x->doc.name, name)))
		x = x->same_name;
	return x;
}

const struct document *
snapshot_in_domain(const struct snapshot *s, enum kind_id kind, struct bytes name, struct doc_id domain)
{
	for (struct slot *x = slot_named(s, kind, name, NULL); x != NULL; x = slot_named(s, kind, name, x))
		if (doc_id_eq(x->doc.domain, domain))
			return &x->doc;
	return NULL;
}

struct doc_id
domain_above(const struct snapshot *s, struct doc_id domain)
{
	const struct document *d = snapshot_of_kind(s, KIND_DOMAIN, domain);

	return d ? d->domain : doc_id_of(0);
}

bool
domain_is_above(const struct snapshot *s, struct doc_id a, struct doc_id b)
{
	for (int depth = 0; depth < DOMAIN_DEPTH_MAX; depth++) {
		if (!doc_id_is_none(b) && snapshot_of_kind(s, KIND_DOMAIN, b) == NULL)
			return false;
		if (doc_id_eq(a, b))
			return true;
		if (doc_id_is_none(b))
			return false;
		b = domain_above(s, b);
	}
	return false;
}

bool
document_is_visible(const struct snapshot *s, const struct document *d, struct doc_id from)
{
	if (doc_id_is_none(d->domain) || doc_id_eq(d->domain, from))
		return true;
	return d->visible && domain_is_above(s, d->domain, from);
}

/* ---- what cannot be used ---- */

struct unusable
snapshot_unusable(const struct snapshot *s, struct doc_id id)
{
	struct slot *x = slot_find(s, id);

	if (x == NULL)
		return (struct unusable){ CHY_REF_NOTHING, "there is no such document" };
	return x->why_not && x->why_not->code != CHY_NONE ? *x->why_not : (struct unusable){ CHY_NONE, "" };
}

enum rc
snapshot_condemn(struct snapshot *s, struct doc_id id, enum code code, const char *text, struct err *e)
{
	struct slot *x = slot_find(s, id);
	char *copy;

	NEED(x != NULL && x->why_not != NULL, e, CHY_REF_NOTHING, NULL, "no document %lld to condemn",
	     (long long)id.v);
	NEED(atomic_load(&s->refs) == 1, e, CHY_INTERNAL, NULL, "the snapshot is shared already");
	if (x->why_not->code != CHY_NONE)
		return RC_OK;
	NEED((copy = arena_str(s->a, bytes_str(text))) != NULL, e, CHY_NO_MEMORY, NULL, "snapshot");
	*x->why_not = (struct unusable){ code, copy };
	return RC_OK;
}

const struct document *
snapshot_boot_officer(const struct snapshot *s)
{
	return s->boot;
}

/* ---- compiled ---- */

const struct authority *
snapshot_authority(const struct snapshot *s, struct doc_id id)
{
	return slot_compiled(s, KIND_AUTHORITY, id);
}

const struct format *
snapshot_format(const struct snapshot *s, struct doc_id id)
{
	return slot_compiled(s, KIND_FORMAT, id);
}

const struct procedure *
snapshot_procedure(const struct snapshot *s, struct doc_id id)
{
	return slot_compiled(s, KIND_CERTIFICATE_PROCEDURE, id);
}

const struct token_procedure *
snapshot_token_procedure(const struct snapshot *s, struct doc_id id)
{
	return slot_compiled(s, KIND_TOKEN_PROCEDURE, id);
}

const struct key_procedure *
snapshot_key_procedure(const struct snapshot *s, struct doc_id id)
{
	return slot_compiled(s, KIND_KEY_PROCEDURE, id);
}

const struct pin_procedure *
snapshot_pin_procedure(const struct snapshot *s, struct doc_id id)
{
	return slot_compiled(s, KIND_PIN_PROCEDURE, id);
}

const struct ac_procedure *
snapshot_ac_procedure(const struct snapshot *s, struct doc_id id)
{
	return slot_compiled(s, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, id);
}

const struct cil_procedure *
snapshot_cil_procedure(const struct snapshot *s, struct doc_id id)
{
	return slot_compiled(s, KIND_CIL_PROCEDURE, id);
}

const struct crl_procedure *
snapshot_crl_procedure(const struct snapshot *s, struct doc_id id)
{
	return slot_compiled(s, KIND_CRL_PROCEDURE, id);
}

const struct input_view *
snapshot_input_view(const struct snapshot *s, struct doc_id id)
{
	return slot_compiled(s, KIND_INPUT_VIEW, id);
}

const struct officer *
snapshot_officer(const struct snapshot *s, struct officer_id id)
{
	return slot_compiled(s, KIND_OFFICER, officer_doc(id));
}

/* An open officer is taken before closed ones that had the same certificate. */
const struct officer *
snapshot_officer_by_fingerprint(const struct snapshot *s, const uint8_t print[FINGERPRINT_LEN])
{
	const struct officer *closed = NULL;

	for (struct slot *x = *index_head(&s->by_print, hash_bytes(HASH_START, print, FINGERPRINT_LEN));
	     x != NULL; x = x->same_print) {
		const struct officer *o = x->compiled;

		if (memcmp(o->fingerprint, print, FINGERPRINT_LEN) != 0)
			continue;
		if (o->active)
			return o;
		closed = o;
	}
	return closed;
}

static int
compare_keys(const void *a, const void *b)
{
	return memcmp(((const struct token_key_of *)a)->key, ((const struct token_key_of *)b)->key,
		      FINGERPRINT_LEN);
}

/* Where the officers of a key begin in the index. */
static size_t
first_of_key(const struct snapshot *s, const uint8_t key[FINGERPRINT_LEN])
{
	size_t low = 0, high = s->keys_n;

	while (low < high) { /* the first that is not below it */
		size_t middle = low + (high - low) / 2;

		if (memcmp(s->keys[middle].key, key, FINGERPRINT_LEN) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_of_key(const struct snapshot *s, size_t i, const uint8_t key[FINGERPRINT_LEN])
{
	return i < s->keys_n && memcmp(s->keys[i].key, key, FINGERPRINT_LEN) == 0;
}

/* Of two in one token nobody can tell which of them a further certificate is. */
const struct officer *
snapshot_officer_by_token(const struct snapshot *s, const uint8_t key[FINGERPRINT_LEN])
{
	const struct officer *found = NULL;

	for (size_t i = first_of_key(s, key); is_of_key(s, i, key); i++) {
		if (!s->keys[i].binds || s->keys[i].officer->entity != ENTITY_DYNAMIC_TOKEN)
			continue;
		if (found != NULL)
			return NULL;
		found = s->keys[i].officer;
	}
	return found;
}

const struct officer *
snapshot_static_officer(const struct snapshot *s, const uint8_t key[FINGERPRINT_LEN])
{
	for (size_t i = first_of_key(s, key); is_of_key(s, i, key); i++)
		if (s->keys[i].officer->entity == ENTITY_STATIC_TOKEN)
			return s->keys[i].officer;
	return NULL;
}

bool
snapshot_binds_subject(const struct snapshot *s, struct bytes subject)
{
	for (size_t i = 0; i < s->subjects_n; i++)
		if (name_eq(s->subjects[i].officer->subject_der, subject))
			return true;
	return false;
}

/* Where the officers of a procedure begin in the index. */
static size_t
first_of_procedure(const struct snapshot *s, int64_t procedure)
{
	size_t low = 0, high = s->subjects_n;

	while (low < high) { /* the first that is not below it */
		size_t middle = low + (high - low) / 2;

		if (s->subjects[middle].procedure < procedure)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
snapshot_binds_procedure(const struct snapshot *s, int64_t certificate_procedure)
{
	size_t i = first_of_procedure(s, certificate_procedure);

	return i < s->subjects_n && s->subjects[i].procedure == certificate_procedure;
}

const struct officer *
snapshot_officer_of_subject(const struct snapshot *s, struct bytes subject, int64_t certificate_procedure,
			    struct officer_id first)
{
	const struct officer *found = NULL;

	for (size_t i = first_of_procedure(s, certificate_procedure);
	     i < s->subjects_n && s->subjects[i].procedure == certificate_procedure; i++) {
		const struct officer *o = s->subjects[i].officer;

		if (!name_eq(o->subject_der, subject))
			continue;
		if (o->id.v == first.v)
			return o;
		found = found ? found : o;
	}
	return found;
}

/* ---- building and its end ---- */

static int
by_id(const void *a, const void *b)
{
	int64_t x = ((const struct slot *)a)->doc.id.v, y = ((const struct slot *)b)->doc.id.v;

	return (x > y) - (x < y);
}

static enum rc
take_document(struct snapshot *s, const struct document *in, struct slot *ret, struct err *e)
{
	struct bytes text = arena_dup(s->a, in->text);
	struct err why = { 0 };

	NEED(text.p != NULL, e, CHY_NO_MEMORY, NULL, "snapshot");
	ret->doc = *in;
	ret->doc.text = text;
	ret->doc.body = in->text.n ? NULL : json_copy(s->a, in->body);
	if (document_read(s->a, &ret->doc, &why) != RC_OK) {
		err_field(e, "%.60s", why.field);
		FAIL(e, why.code, NULL, "%s %lld: %s", kind_name(in->kind), (long long)in->id.v, why.text);
	}
	return RC_OK;
}

static enum rc
make_lists(struct snapshot *s, struct err *e)
{
	for (size_t i = 0; i < s->n; i++)
		s->lists_n[s->slots[i].doc.kind]++;
	for (int k = 0; k < KIND_COUNT; k++) {
		s->lists[k] = arena_array(s->a, s->lists_n[k], sizeof(*s->lists[k]));
		NEED(s->lists[k] != NULL, e, CHY_NO_MEMORY, NULL, "snapshot");
		s->lists_n[k] = 0;
	}
	for (size_t i = 0; i < s->n; i++) {
		enum kind_id k = s->slots[i].doc.kind;

		s->lists[k][s->lists_n[k]++] = &s->slots[i].doc;
	}
	return RC_OK;
}

static const struct officer *
open_officer(const struct slot *x)
{
	const struct officer *o = x->doc.kind == KIND_OFFICER ? x->compiled : NULL;

	return o != NULL && o->active ? o : NULL;
}

static enum rc
index_keys(struct snapshot *s, struct err *e)
{
	size_t most = 0;

	for (size_t i = 0; i < s->n; i++)
		most += open_officer(&s->slots[i]) ? open_officer(&s->slots[i])->keys_n : 0;
	s->keys = arena_array(s->a, most, sizeof(*s->keys));
	NEED(s->keys != NULL, e, CHY_NO_MEMORY, NULL, "snapshot");
	for (size_t i = 0; i < s->n; i++) {
		const struct officer *o = open_officer(&s->slots[i]);

		for (size_t k = 0; o != NULL && k < o->keys_n; k++)
			s->keys[s->keys_n++] = (struct token_key_of){ o->keys[k], o, k < o->binding_n };
	}
	qsort(s->keys, s->keys_n, sizeof(*s->keys), compare_keys);
	return RC_OK;
}

static int
compare_subjects(const void *a, const void *b)
{
	int64_t x = ((const struct subject_of *)a)->procedure, y = ((const struct subject_of *)b)->procedure;

	return (x > y) - (x < y);
}

static bool
is_bound_by_subject(const struct officer *o)
{
	return o != NULL && o->entity == ENTITY_SUBJECT && o->certificate_procedure != 0 &&
	    o->subject_der.n > 0;
}

static enum rc
index_subjects(struct snapshot *s, struct err *e)
{
	s->subjects = arena_array(s->a, s->lists_n[KIND_OFFICER], sizeof(*s->subjects));
	NEED(s->subjects != NULL, e, CHY_NO_MEMORY, NULL, "snapshot");
	for (size_t i = 0; i < s->n; i++) {
		const struct officer *o = open_officer(&s->slots[i]);

		if (is_bound_by_subject(o))
			s->subjects[s->subjects_n++] = (struct subject_of){ o->certificate_procedure, o };
	}
	qsort(s->subjects, s->subjects_n, sizeof(*s->subjects), compare_subjects);
	return RC_OK;
}

/* Officers, once compiled. */
static void
index_officers(struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct officer *o = s->slots[i].compiled;
		struct slot **head;

		if (s->slots[i].doc.kind != KIND_OFFICER || o == NULL)
			continue;
		head = index_head(&s->by_print, hash_bytes(HASH_START, o->fingerprint, FINGERPRINT_LEN));
		s->slots[i].same_print = *head;
		*head = &s->slots[i];
	}
}

static enum rc
fill(struct snapshot *s, const struct snapshot_input *in, struct err *e)
{
	s->slots = arena_array(s->a, in->documents_n, sizeof(*s->slots));
	NEED(s->slots != NULL && index_make(s->a, &s->by_id, in->documents_n) &&
		 index_make(s->a, &s->by_name, in->documents_n) &&
		 index_make(s->a, &s->by_print, in->documents_n / 8),
	     e, CHY_NO_MEMORY, NULL, "snapshot");
	for (size_t i = 0; i < in->documents_n; i++) {
		NEED(in->documents[i].kind >= 0 && in->documents[i].kind < KIND_COUNT, e, CHY_KIND_UNKNOWN,
		     NULL, "document %lld", (long long)in->documents[i].id.v);
		TRY(take_document(s, &in->documents[i], &s->slots[i], e));
	}
	s->n = in->documents_n;
	qsort(s->slots, s->n, sizeof(*s->slots), by_id);
	for (size_t i = 1; i < s->n; i++)
		NEED(!doc_id_eq(s->slots[i - 1].doc.id, s->slots[i].doc.id), e, CHY_INTERNAL, NULL,
		     "two versions of document %lld", (long long)s->slots[i].doc.id.v);
	for (size_t i = 0; i < s->n; i++)
		put_in_indexes(s, &s->slots[i]);
	TRY(make_lists(s, e));
	TRY(compile_all(s, in->authorities, in->authorities_n, e));
	index_officers(s);
	TRY(index_subjects(s, e));
	return index_keys(s, e);
}

enum rc
snapshot_build(const struct snapshot_input *in, struct snapshot **ret, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *s = calloc(1, sizeof(*s));

	NEED(s != NULL && (s->a = arena_new(SNAPSHOT_ARENA_MAX)) != NULL, e, CHY_NO_MEMORY, NULL, "snapshot");
	atomic_init(&s->refs, 1);
	TRY(fill(s, in, e));
	*ret = s;
	s = NULL;
	return RC_OK;
}

struct snapshot *
snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void
snapshot_unref(struct snapshot *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	if (s->a != NULL)
		arena_free(s->a);
	free(s);
}

size_t
snapshot_size(const struct snapshot *s)
{
	return arena_used(s->a) + sizeof(*s);
}
