/* What a search shows of one certificate. */
#include "base/base.h"
#include "factory/search_impl.h"

#include "factory/leaf.h"
#include "model/status.h"
#include "pki/name.h"
#include "policy/document.h"

static const char *
validity_of(const struct certificate_row *c, int64_t now_ms)
{
	return c->not_after < now_ms ? "expired" : c->not_before > now_ms ? "not-yet-valid" : "valid";
}

/* Nothing of what the officer may not see. */
static void
put_name(struct searching *s, struct json *o, const char *member, int64_t id)
{
	const char *path = document_path_seen(s->policy, s->who, doc_id_of(id), s->a);

	if (path != NULL)
		json_set(o, member, json_str(s->a, bytes_str(path)));
}

/* What the numbers stand for, for people. */
static void
put_names(struct searching *s, const struct certificate_row *c, struct json *o)
{
	const struct authority *x = snapshot_authority(s->policy, doc_id_of(c->issuer));

	if (x != NULL)
		json_set(o, "issuer",
			 json_name(s->a, x->subject_in_force.n > 0 ? x->subject_in_force : x->subject));
	put_name(s, o, "authority_name", c->issuer);
	put_name(s, o, "token_procedure_name", c->token_procedure);
	put_name(s, o, "certificate_procedure_name", c->certificate_procedure);
}

struct json *
search_item_json(struct searching *s, const struct found_row *r)
{
	struct arena *a = s->a;
	struct json *o = json_object(a);
	const struct certificate_row *c = &r->c;

	json_set(o, "id", json_int(a, c->id));
	json_set(o, "serial", json_hex(a, c->serial));
	json_set(o, "authority", json_int(a, c->issuer));
	json_set(o, "subject", json_str(a, c->subject));
	json_set(o, "alternative_names", json_str(a, c->san));
	json_set(o, "not_before", json_time(a, c->not_before));
	json_set(o, "not_after", json_time(a, c->not_after));
	json_set(o, "validity", json_str(a, bytes_str(validity_of(c, s->q->now_ms))));
	json_set(o, "state", json_str(a, bytes_str(cert_state_name(c->status))));
	if (c->status != CERT_VALID) {
		json_set(o, "reason", json_str(a, bytes_str(reason_name(r->reason))));
		json_set(o, "since", json_time(a, r->at));
	}
	json_set(o, "subject_type",
		 json_str(a,
			  bytes_str(c->base != 0            ? "AC"
					: c->authority != 0 ? "CA"
							    : "EE")));
	json_set(o, "publication_allowed", json_bool(a, search_may_be_published(r)));
	json_set(o, "ocsp_activated_at", r->activated ? json_time(a, r->activated) : json_null(a));
	json_set(o, "published_at", r->published ? json_time(a, r->published) : json_null(a));
	json_set(o, "token_procedure", json_int(a, c->token_procedure));
	json_set(o, "certificate_procedure", json_int(a, c->certificate_procedure));
	json_set(o, "sha256", json_hex(a, c->fingerprint));
	put_names(s, c, o);
	json_set(o, "card_serial", r->card_serial.n > 0 ? json_str(a, r->card_serial) : json_null(a));
	return o;
}
