/* What is delivered, by the kind of a row: content, the certificate that it is about, those above. */
#include "base/base.h"
#include "factory/outbox.h"

#include "factory/leaf.h"
#include "store/read.h"

/* What was revoked or ran out while it waited does not go out any more. */
static enum rc
still_wanted(const struct outbox_row *row, const struct certificate_row *cert, struct err *e)
{
	if (row->removal)
		return RC_OK;
	NEED(cert->status == CERTIFICATE_VALID, e, CHY_PUBLICATION_STATE, NULL,
	     "it is revoked or on hold by now");
	NEED(cert->not_after >= clock_now_ms(), e, CHY_PUBLICATION_EXPIRED, NULL, "its validity is over");
	return RC_OK;
}

static enum rc
load_certificate(struct factory *f, struct arena *a, const struct snapshot *policy,
		 const struct outbox_row *row, struct delivery *d, struct err *e)
{
	const struct authority *issuer;
	struct certificate_row cert;

	TRY(store_certificate(f->store, a, row->object, &cert, e));
	TRY(still_wanted(row, &cert, e));
	TRY(store_der(f->store, a, row->object, &d->content, e));
	d->what = cert.base  ? DELIVER_ATTRIBUTE
	    : cert.authority ? DELIVER_CA_CERTIFICATE
			     : DELIVER_CERTIFICATE;
	d->about = d->content;
	if (cert.base != 0)
		TRY(store_der(f->store, a, cert.base, &d->about, e));
	issuer = snapshot_authority(policy, doc_id_of(cert.issuer));
	if (issuer != NULL && cert.issuer != cert.authority)
		d->chain_n = authority_chain(issuer, d->chain);
	return RC_OK;
}

static const struct {
	const char *kind;
	enum rc (*load)(struct factory *f, struct arena *a, const struct snapshot *policy,
			const struct outbox_row *row, struct delivery *d, struct err *e);
} kinds[] = {
	{ "certificate", load_certificate },
};

static enum delivery_form
form_of(struct bytes form)
{
	return bytes_is(form, "pem")      ? DELIVER_PEM
	    : bytes_is(form, "pem-chain") ? DELIVER_PEM_CHAIN
					  : DELIVER_DER;
}

enum rc
delivery_load(struct factory *f, struct arena *a, const struct snapshot *policy, const struct outbox_row *row,
	      struct delivery *ret, struct err *e)
{
	const struct document *rule = snapshot_of_kind(policy, KIND_DISTRIBUTION_RULE,
						       doc_id_of(row->destination));

	NEED(rule != NULL, e, CHY_DELIVERY_RULE, NULL, "its distribution rule is gone");
	*ret = (struct delivery){ .id = row->id,
				  .destination = row->destination,
				  .version = rule->version,
				  .form = form_of(row->form),
				  .removal = row->removal != 0,
				  .rule = rule->text };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (bytes_is(row->kind, kinds[i].kind))
			return kinds[i].load(f, a, policy, row, ret, e);
	FAIL(e, CHY_DELIVERY_RULE, NULL, "nothing of the kind \"%.*s\" is delivered",
	     BYTES_FMT(bytes_part(row->kind, 0, 40)));
}

enum rc
delivery_leaf(struct factory *f, struct arena *a, struct change *c, const struct outbox_row *row,
	      const char *outcome, const struct err *why, struct json *by, struct err *e)
{
	struct json *m = json_object(a);

	json_set(m, "delivery", json_int(a, row->id));
	json_set(m, "what", json_str(a, row->kind));
	json_set(m, bytes_is(row->kind, "certificate") ? "certificate" : "object", json_int(a, row->object));
	json_set(m, "destination", json_int(a, row->destination));
	json_set(m, "removal", json_bool(a, row->removal != 0));
	json_set(m, "outcome", json_str(a, bytes_str(outcome)));
	if (why != NULL && why->code != CHY_NONE) {
		json_set(m, "code", json_int(a, why->code));
		json_set(m, "text", json_str(a, bytes_str(why->text)));
	}
	if (by != NULL)
		json_set(m, "by", by);
	return leaf_add(f, a, c, LEAF_DELIVERY, 0, row->object, m, e);
}
