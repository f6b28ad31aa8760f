#include "base/base.h"
#include "factory/crl_impl.h"

#include "policy/body.h"
#include "policy/crl_point.h"
#include "store/read.h"

/* ---- what stands around the entries ---- */

static struct bytes
integer(uint8_t room[16], uint64_t v)
{
	struct dw w = dw_fixed(room, 16);

	dw_int(&w, (int64_t)v);
	return bytes_part(dw_bytes(&w), 2, SIZE_MAX);
}

static MUST enum rc
add(struct arena *a, struct exts *l, const struct ext_value *v, struct err *e)
{
	return ext_encode(a, v, &l->v[l->n++], e);
}

static MUST enum rc
add_freshest(struct crl_work *w, struct exts *l, struct err *e)
{
	struct dist_point point = { .reasons = 0 };

	TRY(crl_addresses(w->a, w->p->delta_points, w->partition, &point.full_name, e));
	return add(w->a, l, &(struct ext_value){ .kind = OID_CE_FRESHEST_CRL, .points = { 1, &point } }, e);
}

/* A partial list says which certificates it is about, and that it is the one that they point to: else an attacker could put one
   in the place of another (RFC 5280 5.2.5, 6.3.3). Its delta lists say the same. */
enum rc
crl_point(struct crl_work *w, struct ext *ret, struct err *e)
{
	struct ext_value v = { .kind = OID_CE_ISSUING_POINT,
			       .critical = true,
			       .point = { .indirect = w->p->indirect,
					  .only_user = w->p->covers == COVERS_END_ENTITIES,
					  .only_ca = w->p->covers == COVERS_AUTHORITIES,
					  .only_attribute = w->p->covers == COVERS_ATTRIBUTE_CERTIFICATES } };

	*ret = (struct ext){ .value = BYTES_NONE };
	if (w->p->covers == COVERS_ALL && w->partition == 0 && !w->p->indirect)
		return RC_OK;
	TRY(crl_addresses(w->a, w->p->points, w->partition, &v.point.full_name, e));
	return ext_encode(w->a, &v, ret, e);
}

/* Certificates name their own issuer's certificate; where another authority's is found, an indirect list has to say (RFC 5280 5.2.7). */
static MUST enum rc
add_signer(struct crl_work *w, struct exts *l, struct err *e)
{
	const struct json *urls = body_list(w->p->signer->doc->body, "ca_issuers_urls");
	struct ext_value v = { .kind = OID_PE_AUTHORITY_INFO };

	if (!w->p->indirect || urls == NULL || urls->count == 0)
		return RC_OK;
	v.access.v = arena_array(w->a, urls->count, sizeof(*v.access.v));
	NEED(v.access.v != NULL, e, CHY_NO_MEMORY, NULL, "extensions");
	JSON_EACH(x, urls)
	v.access.v[v.access.n++] = (struct access_desc){ oid_der(OID_AD_CA_ISSUERS),
							 OID_AD_CA_ISSUERS,
							 { .type = GN_URI, .value = x->str } };
	return add(w->a, l, &v, e);
}

static MUST enum rc
extensions(struct crl_work *w, struct exts *l, struct err *e)
{
	const struct authority *x = w->p->authority, *signer = w->p->signer;
	uint8_t number[16], base[16];

	l->v = arena_array(w->a, 7, sizeof(*l->v));
	NEED(l->v != NULL, e, CHY_NO_MEMORY, NULL, "extensions");
	TRY(add(w->a, l,
		&(struct ext_value){ .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = signer->key_id } },
		e));
	TRY(add(w->a, l,
		&(struct ext_value){ .kind = OID_CE_CRL_NUMBER, .number = integer(number, w->number) }, e));
	if (w->delta)
		TRY(add(w->a, l,
			&(struct ext_value){ .kind = OID_CE_DELTA_CRL,
					     .critical = true,
					     .number = integer(base, (uint64_t)w->complete->number) },
			e));
	else if (w->p->has_delta)
		TRY(add_freshest(w, l, e));
	TRY(crl_point(w, &l->v[l->n], e));
	l->n += l->v[l->n].value.p != NULL;
	TRY(add_signer(w, l, e));
	if (w->p->keep_expired) /* all that the authority ever revoked stay */
		TRY(add(w->a, l, &(struct ext_value){ .kind = OID_CE_EXPIRED_ON_CRL, .at = x->not_before_ms },
			e));
	return RC_OK;
}

static MUST enum rc
ends(struct crl_work *w, struct crl_row *row, struct err *e)
{
	struct crl_inputs in = { .sigalg = w->p->signer->sigalg,
				 .issuer = w->p->signer->subject_in_force,
				 .this_update_at = row->this_update,
				 .next_update_at = row->next_update };
	OWN_DW struct dw head = dw_growing(LIMIT_TBS), tail = dw_growing(LIMIT_TBS);

	TRY(extensions(w, &in.exts, e));
	TRY(crl_head_build(&in, (size_t)row->entries_len, &head, e));
	TRY(crl_tail_build(&in, &tail, e));
	TRY(dw_dup(&head, w->a, &row->head, e));
	TRY(dw_dup(&tail, w->a, &row->tail, e));
	row->sigalg = bytes_str(sigalg_name(in.sigalg));
	return RC_OK;
}

/* ---- the whole ---- */

static struct crl_row
begin(const struct crl_work *w)
{
	struct duration every = w->delta ? w->p->delta_interval : w->p->interval;

	int64_t id = factory_new_id(w->f), list = w->lists[w->delta];

	return (struct crl_row){
		.id = id,
		.procedure_id = w->p->doc->id.v,
		.list = list != 0 ? list : id,
		.part = w->partition,
		.delta = w->delta,
		.number = (int64_t)w->number,
		.base = w->delta ? w->complete->number : 0,
		.state = CRL_GATHERED,
		.this_update = w->now,
		.next_update = duration_add(duration_add(w->now, every), w->p->overlap),
		.sigalg = BYTES(""),
		.sha256 = BYTES(""),
		.head = BYTES(""),
		.tail = BYTES(""),
		.signature = BYTES(""),
	};
}

enum rc
crl_gather(struct crl_work *w, struct err *e)
{
	struct crl_row row = begin(w);
	struct change *c = NULL;
	enum rc rc = crl_pieces(w, &row, &c, e);

	FAULT("crl.gathered");
	row.state = CRL_PLANNED;
	if (rc == RC_OK)
		rc = ends(w, &row, e);
	if (rc == RC_OK) { /* the last pieces and the plan, at once */
		change_put_crl(c, &row);
		rc = store_commit(w->f->store, c, e);
		c = NULL;
	}
	change_free(c);
	if (rc != RC_OK && crl_forget(w->f, row.id, NULL) != RC_OK)
		LOG(WARNING, "crl.left-behind", LI("id", row.id)); /* the next step finds it */
	FAULT("crl.planned");
	return rc;
}
