#include "base/base.h"
#include "factory/deliveries.h"

#include "factory/leaf.h"
#include "factory/outbox.h"
#include "factory/status.h"
#include "policy/find.h"
#include "policy/rights.h"

static enum rc
may_look(const struct officer *who, struct err *e)
{
	NEED(who->roles & (ROLES(ROLE_PUBLISH_CERTIFICATE) | ROLES(ROLE_CA_AND_KEY_TASKS)), e,
	     CHY_ROLE_MISSING, NULL, "officer \"%.*s\" has neither the role \"%s\" nor \"%s\"",
	     BYTES_FMT(who->name), role_label(ROLE_PUBLISH_CERTIFICATE), role_label(ROLE_CA_AND_KEY_TASKS));
	return RC_OK;
}

/* Who sees what is delivered sees the delivery; what is no certificate, who sees the rule's domain. */
static bool
sees(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
     const struct outbox_row *row)
{
	const struct document *d;
	struct certificate_row cert;
	struct err e = { 0 };

	if (bytes_is(row->kind, "certificate")) {
		if (store_certificate(f->store, a, row->object, &cert, &e) != RC_OK)
			return false;
		return may_see_certificate(policy, who, snapshot_document(policy, doc_id_of(cert.issuer)),
					   snapshot_document(policy, doc_id_of(cert.token_procedure)),
					   NULL) == RC_OK;
	}
	d = snapshot_document(policy, doc_id_of(row->destination));
	return d != NULL && domain_is_above(policy, who->domain, d->domain);
}

static struct json *
named(struct arena *a, const struct snapshot *policy, int64_t id)
{
	const struct document *d = snapshot_document(policy, doc_id_of(id));
	struct json *o;

	if (id == 0)
		return json_null(a);
	o = json_object(a);
	json_set(o, "id", json_int(a, id));
	json_set(o, "name", d ? json_str(a, d->name) : json_null(a));
	return o;
}

static struct json *
row_json(struct arena *a, const struct snapshot *policy, const struct outbox_row *row)
{
	struct json *o = json_object(a);

	json_set(o, "id", json_int(a, row->id));
	json_set(o, "kind", json_str(a, row->kind));
	json_set(o, "object", json_int(a, row->object));
	json_set(o, "destination", named(a, policy, row->destination));
	json_set(o, "procedure", named(a, policy, row->by_procedure));
	json_set(o, "request", row->request_id ? json_int(a, row->request_id) : json_null(a));
	json_set(o, "removal", json_bool(a, row->removal != 0));
	json_set(o, "state", json_str(a, row->state));
	json_set(o, "attempts", json_int(a, row->attempts));
	json_set(o, "error", row->error.n ? json_str(a, row->error) : json_null(a));
	json_set(o, "at", json_time(a, row->at));
	json_set(o, "next_at", bytes_is(row->state, "waiting") ? json_time(a, row->next_at) : json_null(a));
	json_set(o, "changed_at", json_time(a, row->changed_at));
	return o;
}

enum rc
delivery_list(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	      const struct outbox_query *q, struct json **ret, struct err *e)
{
	struct json *items = json_array(a);
	struct outbox_row *rows;
	size_t n;

	TRY(may_look(who, e));
	TRY(store_outbox_list(f->store, a, q, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (sees(f, a, policy, who, &rows[i]))
			json_add(items, row_json(a, policy, &rows[i]));
	*ret = json_object(a);
	json_set(*ret, "items", items);
	json_set(*ret, "next", n > 0 && n == q->limit ? json_int(a, rows[n - 1].id) : json_null(a));
	return RC_OK;
}

static int64_t
count_of(const struct outbox_count_row *rows, size_t n, int64_t destination, const char *state)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].destination == destination && bytes_is(rows[i].state, state))
			return rows[i].n;
	return 0;
}

static struct json *
destination_json(struct factory *f, struct arena *a, const struct document *rule,
		 const struct outbox_count_row *rows, size_t n)
{
	struct json *o = json_object(a);
	struct destination_state s;

	outbox_destination(f->outbox, rule->id.v, &s);
	json_set(o, "id", json_int(a, rule->id.v));
	json_set(o, "name", json_str(a, rule->name));
	json_set(o, "protocol", json_copy(a, json_get(rule->body, "protocol")));
	json_set(o, "state", json_str(a, rule->active ? BYTES("active") : BYTES("closed")));
	json_set(o, "waiting", json_int(a, count_of(rows, n, rule->id.v, "waiting")));
	json_set(o, "dead", json_int(a, count_of(rows, n, rule->id.v, "dead")));
	json_set(o, "on_the_way", json_int(a, (int64_t)s.on_the_way));
	json_set(o, "failing_since", s.failing_since_ms ? json_time(a, s.failing_since_ms) : json_null(a));
	json_set(o, "next_try", s.resting ? json_time(a, s.until_ms) : json_null(a));
	json_set(o, "error", s.error[0] ? json_str(a, bytes_str(s.error)) : json_null(a));
	return o;
}

enum rc
destination_list(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
		 int64_t after, size_t limit, struct json **ret, struct err *e)
{
	const struct document *const *rules;
	struct outbox_count_row *rows;
	struct json *items = json_array(a);
	size_t n, rules_n = snapshot_list(policy, KIND_DISTRIBUTION_RULE, &rules);
	int64_t last = 0;

	TRY(may_look(who, e));
	TRY(store_outbox_counts(f->store, a, &rows, &n, e));
	for (size_t i = 0; i < rules_n && items->count < limit; i++) {
		if (rules[i]->id.v <= after ||
		    (!domain_is_above(policy, who->domain, rules[i]->domain) &&
		     !document_is_visible(policy, rules[i], who->domain)))
			continue;
		json_add(items, destination_json(f, a, rules[i], rows, n));
		last = i + 1 < rules_n ? rules[i]->id.v : 0;
	}
	*ret = json_object(a);
	json_set(*ret, "items", items);
	json_set(*ret, "next", items->count == limit && last ? json_int(a, last) : json_null(a));
	json_set(*ret, "distributor", json_bool(a, outbox_has_distributor(f->outbox)));
	return RC_OK;
}

static enum rc
published_json(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	       const struct publication_row *row, struct json *items, struct err *e)
{
	struct certificate_row cert;
	struct json *o;

	TRY(store_certificate(f->store, a, row->certificate, &cert, e));
	if (may_see_certificate(policy, who, snapshot_document(policy, doc_id_of(cert.issuer)),
				snapshot_document(policy, doc_id_of(cert.token_procedure)), NULL) != RC_OK)
		return RC_OK;
	o = json_object(a);
	json_set(o, "certificate", json_int(a, row->certificate));
	json_set(o, "serial", json_hex(a, cert.serial));
	json_set(o, "subject", json_str(a, cert.subject));
	json_set(o, "at", json_time(a, row->at));
	json_set(o, "request", json_int(a, row->request_id));
	json_set(o, "withdrawn", json_bool(a, row->withdrawn != 0));
	json_add(items, o);
	return RC_OK;
}

enum rc
published_list(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	       const struct published_query *q, struct json **ret, struct err *e)
{
	const struct document *procedure;
	struct publication_row *rows;
	struct json *items = json_array(a);
	size_t n;

	TRY(may_look(who, e));
	TRY_AT(find_document(policy, KIND_PUBLICATION_PROCEDURE, q->procedure, who->domain, &procedure, e), e,
	       "procedure");
	TRY(store_published_between(f->store, a, procedure->id.v, q->from_at, q->to_at ? q->to_at : INT64_MAX,
				    q->after, q->limit, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(published_json(f, a, policy, who, &rows[i], items, e));
	*ret = json_object(a);
	json_set(*ret, "items", items);
	json_set(*ret, "next", n > 0 && n == q->limit ? json_int(a, rows[n - 1].certificate) : json_null(a));
	return RC_OK;
}

enum rc
delivery_find(struct factory *f, struct arena *a, const struct snapshot *policy, const struct officer *who,
	      int64_t id, struct outbox_row *ret, struct err *e)
{
	TRY(store_outbox(f->store, a, id, ret, e));
	NEED(sees(f, a, policy, who, ret), e, CHY_STORE_NOT_FOUND, NULL, "no such delivery");
	return RC_OK;
}

enum rc
delivery_to_change(struct factory *f, struct arena *a, const struct snapshot *policy,
		   const struct officer *who, int64_t id, struct outbox_row *ret, struct err *e)
{
	struct certificate_row cert;
	struct doc_id asked_from;

	TRY(delivery_find(f, a, policy, who, id, ret, e));
	if (!bytes_is(ret->kind, "certificate"))
		return RC_OK;
	TRY(store_certificate(f->store, a, ret->object, &cert, e));
	TRY(certificate_asked_from(f, a, who, &cert, &asked_from, e));
	return may_change_certificate(policy, who, snapshot_document(policy, doc_id_of(cert.issuer)),
				      snapshot_document(policy, doc_id_of(cert.token_procedure)), asked_from,
				      e);
}

enum rc
deliveries_of(struct factory *f, struct arena *a, const struct snapshot *policy, int64_t certificate,
	      struct json **ret, struct err *e)
{
	struct outbox_row *rows;
	size_t n;

	TRY(store_outbox_list(
	    f->store, a, &(struct outbox_query){ .object = certificate, .limit = LIMIT_PAGE }, &rows, &n, e));
	*ret = json_array(a);
	for (size_t i = 0; i < n; i++)
		if (bytes_is(rows[i].kind, "certificate"))
			json_add(*ret, row_json(a, policy, &rows[i]));
	return RC_OK;
}

enum rc
publications_of(struct factory *f, struct arena *a, const struct snapshot *policy, int64_t certificate,
		struct json **ret, struct err *e)
{
	struct publication_row *rows;
	size_t n;

	TRY(store_publications(f->store, a, certificate, &rows, &n, e));
	*ret = json_array(a);
	for (size_t i = 0; i < n; i++) {
		struct json *o = json_object(a);

		json_set(o, "procedure", named(a, policy, rows[i].by_procedure));
		json_set(o, "at", json_time(a, rows[i].at));
		json_set(o, "request", json_int(a, rows[i].request_id));
		json_set(o, "withdrawn", json_bool(a, rows[i].withdrawn != 0));
		json_add(*ret, o);
	}
	return RC_OK;
}
