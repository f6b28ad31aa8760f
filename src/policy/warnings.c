/* What is allowed, and what officers should know before they sign it. */
#include "base/base.h"
#include "policy/body.h"
#include "policy/document_impl.h"

enum { NAMED_MAX = 100 };

struct warning_list {
	struct arena *a;
	const struct snapshot *policy;
	struct doc_id self;
	const struct json *before, *after;
	struct json *list;
	bool out_of_memory;
};

static void
member(struct warning_list *w, struct json *o, const char *name, struct json *v)
{
	w->out_of_memory = w->out_of_memory || o == NULL || v == NULL;
	json_set(o, name, v);
}

struct json *
document_warning(struct arena *a, const char *field, const char *text)
{
	struct json *o = json_object(a), *named = json_str(a, bytes_str(field)),
		    *said = json_str(a, bytes_str(text));

	json_set(o, "field", named);
	json_set(o, "text", said);
	return o != NULL && named != NULL && said != NULL ? o : NULL;
}

/* about: the document that the warning is about; NULL: the one that changes. */
static void
warn(struct warning_list *w, const char *field, const struct document *about, const char *text)
{
	struct json *o = text ? document_warning(w->a, field, text) : NULL;

	w->out_of_memory = w->out_of_memory || o == NULL;
	if (about != NULL) {
		member(w, o, "kind", json_str(w->a, bytes_str(kind_name(about->kind))));
		member(w, o, "document", json_int(w->a, about->id.v));
	}
	json_add(w->list, o);
}

static const struct document *
active_of(struct warning_list *w, int64_t id)
{
	const struct document *d = snapshot_document(w->policy, doc_id_of(id));

	return d != NULL && d->active ? d : NULL;
}

/* Closing is allowed; whoever uses it cannot be used any more. */
static void
closing(struct warning_list *w)
{
	struct json *users = NULL;
	size_t n = 0;

	if (w->before == NULL || !bytes_is(body_text(w->after, "state"), "closed") ||
	    bytes_is(body_text(w->before, "state"), "closed"))
		return;
	if (document_where_used(w->a, w->policy, w->self, &users, NULL) != RC_OK) {
		w->out_of_memory = true;
		return;
	}
	JSON_EACH(u, users)
	{
		const struct document *d = active_of(w, body_int(u, "id", 0));

		if (d != NULL && n++ < NAMED_MAX)
			warn(w, "state", d,
			     arena_printf(w->a, "%s \"%.*s\" refers to it (%.*s)", kind_name(d->kind),
					  BYTES_FMT(d->name), BYTES_FMT(body_text(u, "field"))));
	}
	if (n > NAMED_MAX)
		warn(w, "state", NULL, arena_printf(w->a, "%zu more documents refer to it", n - NAMED_MAX));
}

/* A format that closes settings which its procedures have. */
static void
format_closes(struct warning_list *w)
{
	const struct document *const *all;
	size_t n = snapshot_list(w->policy, KIND_CERTIFICATE_PROCEDURE, &all);

	for (size_t i = 0; i < n; i++) {
		const char *setting = all[i]->active && doc_id_eq(body_ref(all[i]->body, "format"), w->self)
		    ? setting_not_open(w->after, all[i]->body)
		    : NULL;

		if (setting != NULL)
			warn(w, "open_settings", all[i],
			     arena_printf(w->a,
					  "certificate procedure \"%.*s\" has %s and cannot be used then",
					  BYTES_FMT(all[i]->name), setting));
	}
}

/* ---- key usage of officers' soft tokens ---- */

/* Officers log in by TLS, so their certificates are for client authentication, or for anything. */
static bool
is_for_login(const struct json *procedure)
{
	const struct json *eku = body_list(procedure, "extended_key_usage");

	JSON_EACH(x, eku)
	if (bytes_is(x->str, oid_dotted(OID_EKU_CLIENT_AUTH)))
		return true;
	return eku == NULL || eku->count == 0;
}

static bool
has_id(const struct json *list, int64_t id)
{
	JSON_EACH(x, list)
	if (x->type == JSON_INT && x->integer == id)
		return true;
	return false;
}

static void
usage_warning(struct warning_list *w, const char *field, struct bytes procedure, struct bytes token,
	      const struct document *about)
{
	warn(w, field, about,
	     arena_printf(
		 w->a,
		 "certificate procedure \"%.*s\" has a key usage, and token procedure \"%.*s\" makes soft "
		 "tokens by it: an officer's certificate of this kind may not be offered at login",
		 BYTES_FMT(procedure), BYTES_FMT(token)));
}

static void
procedure_of_soft_tokens(struct warning_list *w)
{
	const struct document *const *all;
	size_t n = snapshot_list(w->policy, KIND_TOKEN_PROCEDURE, &all);

	if (body_count(w->after, "key_usage") == 0 || !is_for_login(w->after))
		return;
	for (size_t i = 0; i < n; i++)
		if (all[i]->active && bytes_is(body_text(all[i]->body, "storage_profile"), "pkcs12") &&
		    has_id(body_list(all[i]->body, "certificate_procedures"), w->self.v))
			usage_warning(w, "key_usage", body_text(w->after, "name"), all[i]->name, all[i]);
}

static void
soft_token(struct warning_list *w)
{
	if (!bytes_is(body_text(w->after, "storage_profile"), "pkcs12"))
		return;
	JSON_EACH(x, body_list(w->after, "certificate_procedures"))
	{
		const struct document *p = active_of(w, x->integer);

		if (p != NULL && body_count(p->body, "key_usage") > 0 && is_for_login(p->body))
			usage_warning(w, "certificate_procedures", p->name, body_text(w->after, "name"), p);
	}
}

/* OpenLDAP's type for attribute certificates takes none that is as RFC 5755 4.2.3 wants them. */
static void
attribute_certificates_in_directories(struct warning_list *w)
{
	JSON_EACH(x, body_list(w->after, "distribution_rules"))
	{
		const struct document *d = active_of(w, x->integer);

		if (d != NULL && bytes_is(body_text(d->body, "protocol"), "ldap") &&
		    json_get(d->body, "attribute") == NULL)
			warn(w, "distribution_rules", d,
			     arena_printf(w->a,
					  "distribution rule \"%.*s\" names no attribute, and the type that "
					  "OpenLDAP has for attribute "
					  "certificates takes none of RFC 5755: let it name one of octets",
					  BYTES_FMT(d->name)));
	}
}

/* Certificates that were issued before the list was there say nothing of it (RFC 5280 4.2.1.13, 6.3.3). */
static void
late_list(struct warning_list *w)
{
	if (json_get(w->after, "crl_issuer") != NULL)
		warn(
		    w, "crl_issuer", NULL,
		    "the authority has issued certificates that do not name this CRL issuer: nobody can know "
		    "from them that the "
		    "list is about them");
	if (json_get(w->after, "partitions") != NULL)
		warn(w, "partitions", NULL,
		     "the authority has issued certificates that belong to none of the partitions: keep the "
		     "list that they point to");
}

static bool
is_activated_by_officers(const struct json *body)
{
	return body_true(body, "ocsp") && bytes_is(body_text(body, "ocsp_activation"), "by-officer");
}

/* Nothing is activated by itself any more, nor was anything before. */
static void
ocsp_by_officer(struct warning_list *w)
{
	if (body_true(w->before, "ocsp") && !is_activated_by_officers(w->before) &&
	    is_activated_by_officers(w->after))
		warn(w, "ocsp_activation", NULL,
		     "OCSP answers \"unknown\" at once for every certificate that the authority has issued, "
		     "until an "
		     "officer has activated it (certificate.activate-ocsp)");
}

enum rc
document_warnings(struct arena *a, const struct kind *kind, const struct snapshot *policy, struct doc_id self,
		  const struct json *before, const struct json *after, bool issued, struct json **ret,
		  struct err *e)
{
	struct warning_list w = { a, policy, self, before, after, json_array(a), false };

	closing(&w);
	if (kind->id == KIND_FORMAT && before != NULL)
		format_closes(&w);
	if (kind->id == KIND_CERTIFICATE_PROCEDURE && before != NULL)
		procedure_of_soft_tokens(&w);
	if (kind->id == KIND_TOKEN_PROCEDURE)
		soft_token(&w);
	if (kind->id == KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE)
		attribute_certificates_in_directories(&w);
	if (kind->id == KIND_AUTHORITY && before != NULL)
		ocsp_by_officer(&w);
	if (kind->id == KIND_CRL_PROCEDURE && before == NULL && issued)
		late_list(&w);
	NEED(w.list != NULL && !w.out_of_memory, e, CHY_NO_MEMORY, NULL, "warnings");
	*ret = w.list;
	return RC_OK;
}
