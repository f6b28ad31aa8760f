/* What is delivered, by the kind of a row: content, the certificate that it is about, those above. */
#include "base/base.h"
#include "factory/outbox.h"

#include "factory/crl.h"
#include "factory/leaf.h"
#include "factory/status.h"
#include "policy/crl_point.h"
#include "store/read.h"

enum { PIECES_AT_ONCE = 16, REST_MAX = 1 << 20 /* of a delivery, beside its content */ };

/* A list on its way into memory. */
struct crl_fill {
	uint8_t *p;
	size_t n, room;
};

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

/* What an officer wrote to a hold is nobody else's. */
static enum rc
load_status(struct factory *f, struct arena *a, int64_t id, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf text = buf_max(1024);
	struct json *status;

	TRY(status_json(f, a, id, &status, e));
	json_drop(status, "holds");
	json_drop(status, "ocsp_activated_at");
	json_put_canonical(&text, status);
	*ret = arena_dup(a, buf_bytes(&text));
	NEED(buf_ok(&text) && ret->p != NULL, e, CHY_NO_MEMORY, NULL, "a status");
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
	TRY(load_status(f, a, row->object, &d->status, e));
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

/* ---- revocation lists ---- */

static MUST enum rc
put(struct crl_fill *to, struct bytes piece, struct err *e)
{
	NEED(piece.n <= to->room - to->n, e, CHY_CRL_NONE, NULL, "the list was replaced meanwhile");
	memcpy(to->p + to->n, piece.p, piece.n);
	to->n += piece.n;
	return RC_OK;
}

/* The whole CertificateList; no second copy of what may have tens of megabytes. */
static MUST enum rc
whole_list(struct factory *f, struct arena *a, const struct crl_row *row, struct bytes *ret, struct err *e)
{
	struct bytes front, back;
	struct crl_fill to = { .n = 0 };
	size_t n;

	TRY(crl_ends(a, row, &front, &back, e));
	to.room = front.n + (size_t)row->entries_len + back.n;
	NEED(to.room <= LIMIT_DELIVERY - REST_MAX, e, CHY_DELIVERY_RULE, NULL,
	     "a list of %zu octets is not delivered", to.room);
	NEED((to.p = arena_alloc(a, to.room)) != NULL, e, CHY_NO_MEMORY, NULL, "a revocation list");
	TRY(put(&to, front, e));
	for (int64_t next = 0; next < row->pieces; next += (int64_t)n) {
		OWN(arena_free)
		struct arena *page = arena_new(16 << 20);
		struct crl_piece_row *v;

		NEED(page != NULL, e, CHY_NO_MEMORY, NULL, "a revocation list");
		TRY(store_crl_pieces(f->store, page, row->id, next, PIECES_AT_ONCE, &v, &n, e));
		NEED(n > 0, e, CHY_CRL_NONE, NULL, "the list was replaced meanwhile");
		for (size_t i = 0; i < n; i++)
			TRY(put(&to, v[i].entries, e));
	}
	TRY(put(&to, back, e));
	NEED(to.n == to.room, e, CHY_CRL_NONE, NULL, "the list was replaced meanwhile");
	*ret = bytes_of(to.p, to.n);
	return RC_OK;
}

/* What the first of its addresses ends with. */
static MUST enum rc
list_name(struct arena *a, const struct crl_procedure *p, const struct crl_row *row, struct bytes *ret,
	  struct err *e)
{
	const struct json *list = row->delta ? p->delta_points : p->points;
	struct bytes address;
	size_t at;

	NEED(list != NULL && list->first != NULL, e, CHY_DELIVERY_RULE, NULL, "the list has no address");
	TRY(crl_address(a, list->first->str, (unsigned)row->part, &address, e));
	for (at = address.n; at > 0 && address.p[at - 1] != '/'; at--)
		;
	*ret = bytes_part(address, at, SIZE_MAX);
	return RC_OK;
}

static enum delivery_what
sort_of_list(const struct crl_procedure *p, const struct crl_row *row)
{
	if (row->delta)
		return DELIVER_DELTA_CRL;
	return p->covers == COVERS_AUTHORITIES ? DELIVER_AUTHORITY_CRL : DELIVER_CRL;
}

/* The list that is in force now, which may be younger than the row: an older one never comes after it. */
static enum rc
load_crl(struct factory *f, struct arena *a, const struct snapshot *policy, const struct outbox_row *row,
	 struct delivery *d, struct err *e)
{
	const struct crl_procedure *p;
	struct crl_row list, newer;
	enum rc rc;

	TRY(store_crl_of_list(f->store, a, row->object, &list, e));
	p = snapshot_crl_procedure(policy, doc_id_of(list.procedure_id));
	NEED(p != NULL && p->authority != NULL && p->authority->certificate.n > 0, e, CHY_DELIVERY_RULE, NULL,
	     "its CRL procedure cannot be used");
	d->what = sort_of_list(p, &list);
	d->about = p->authority->certificate;
	TRY(list_name(a, p, &list, &d->name, e));
	FAULT("outbox.loading-list");
	rc = whole_list(f, a, &list, &d->content, e);
	if (rc == RC_OK || e->code != CHY_CRL_NONE)
		return rc;
	/* a piece is not there: damage, or the newer list, which has a delivery of its own */
	if (store_crl_of_list(f->store, a, row->object, &newer, NULL) == RC_OK && newer.id != list.id) {
		err_clear(e);
		FAIL(e, CHY_DELIVERY_OVERTAKEN, NULL, "the list was replaced meanwhile");
	}
	return rc;
}

/* ---- issuance lists ---- */

/* A list has no address of its own: the name that it is served as, with what tells its files apart. */
static MUST enum rc
cil_name(struct arena *a, const struct cil_procedure *p, const struct cil_list_row *row, struct bytes *ret,
	 struct err *e)
{
	char segment[24] = "";
	const char *name;

	if (row->segment > 1)
		snprintf(segment, sizeof(segment), "-%lld", (long long)row->segment);
	name = arena_printf(a, "%.*s%s%s.cil", BYTES_FMT(p->served_as), row->delta ? "-delta" : "", segment);
	NEED(name != NULL, e, CHY_NO_MEMORY, NULL, "an issuance list");
	*ret = bytes_str(name);
	return RC_OK;
}

/* The segment that is in force now. A newer list may have fewer of them, or no delta list: then there is nothing to deliver. */
static enum rc
load_cil(struct factory *f, struct arena *a, const struct snapshot *policy, const struct outbox_row *row,
	 struct delivery *d, struct err *e)
{
	const struct cil_procedure *p;
	struct cil_list_row list;
	struct cil_file_row file;
	struct cil_row *v;
	struct err why = { 0 };
	size_t n, i = 0;

	TRY(store_cil_list(f->store, a, row->object, &list, e));
	p = snapshot_cil_procedure(policy, doc_id_of(list.procedure_id));
	NEED(p != NULL && p->authority != NULL && p->authority->certificate.n > 0, e, CHY_DELIVERY_RULE, NULL,
	     "its CIL procedure cannot be used");
	TRY(store_cils(f->store, a, list.procedure_id, &v, &n, e));
	while (i < n && v[i].delta != list.delta)
		i++;
	if (i == n || store_cil_file(f->store, a, v[i].build, list.segment, &file, &why) != RC_OK) {
		NEED(why.code == CHY_NONE || why.code == CHY_STORE_NOT_FOUND, e, why.code, NULL, "%s",
		     why.text);
		FAIL(e, CHY_DELIVERY_OVERTAKEN, NULL, "the newer list has no such part");
	}
	d->what = DELIVER_CIL;
	d->about = p->authority->certificate;
	d->content = file.der;
	return cil_name(a, p, &list, &d->name, e);
}

static const struct {
	const char *kind;
	enum rc (*load)(struct factory *f, struct arena *a, const struct snapshot *policy,
			const struct outbox_row *row, struct delivery *d, struct err *e);
} kinds[] = {
	{ "certificate", load_certificate },
	{ "crl", load_crl },
	{ "cil", load_cil },
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

	NEED(!fault_fails("outbox.load"), e, CHY_STORE_DOWN, NULL, "asked to fail");
	NEED(rule != NULL, e, CHY_DELIVERY_RULE, NULL, "its distribution rule is gone");
	*ret = (struct delivery){ .id = row->id,
				  .destination = row->destination,
				  .version = rule->version,
				  .form = form_of(row->form),
				  .removal = row->removal != 0,
				  .rule = rule->text,
				  .object = row->object,
				  .instance = bytes_str(f->instance) };
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
