/* Keys out of the archive: whose they are is decided before any is taken. */
#include "base/base.h"
#include "factory/act_token.h"

#include "factory/status.h"
#include "pki/cert.h"
#include "policy/recovery.h"
#include "store/read.h"

enum { HOLDERS_MAX = 64, ROW_ARENA = 4 << 20, PAGE_ARENA = 64 << 20 };

struct recovering {
	struct token_making *m;
	const struct key_procedure *p;
	struct bytes subjects[HOLDERS_MAX]; /* of the keys that may be recovered, each once; DER */
	size_t subjects_n;
	struct bytes holder; /* the one who is meant */
	size_t found;
	struct err why; /* the first refusal */
};

/* What is decided by; *san: room for the alternative names. */
static enum rc
recovery_facts(const struct token_making *m, struct arena *a, const struct archived_row *row,
	       struct gnames *san, struct recovery_facts *ret, struct err *e)
{
	struct certificate_row cert;
	const struct ext *names;
	struct bytes der;
	struct cert c;

	TRY(store_certificate(m->x->f->store, a, row->certificate, &cert, e));
	TRY(store_der(m->x->f->store, a, row->certificate, &der, e));
	TRY(cert_parse(a, der, &c, e));
	*ret = (struct recovery_facts){
		.policy = m->x->policy,
		.officer = m->who,
		.asked = m->in.subject,
		.meant = m->meant,
		.authority = snapshot_of_kind(m->x->policy, KIND_AUTHORITY, doc_id_of(cert.issuer)),
		.token_procedure = snapshot_of_kind(m->x->policy, KIND_TOKEN_PROCEDURE,
						    doc_id_of(cert.token_procedure)),
		.issuer = c.issuer,
		.subject = c.subject,
		.san = san,
	};
	TRY(certificate_asked_from(m->x->f, a, m->who, &cert, &ret->asked_from, e));
	names = exts_find(&c.exts, OID_CE_SUBJECT_ALT_NAME);
	return names != NULL ? gnames_parse(a, names->value, san, e) : RC_OK;
}

/* What is not seen, or is somebody else's, is not told apart from what is not there: r->why tells of what else refuses.
   *ret: the subject, the arena's; empty: not to be recovered. */
static enum rc
may_recover(struct recovering *r, struct arena *a, const struct archived_row *row, struct bytes *ret,
	    struct err *e)
{
	struct gnames san = { 0 };
	struct recovery_facts facts;
	struct err why = { 0 };
	enum rc rc;

	TRY(recovery_facts(r->m, a, row, &san, &facts, e));
	rc = decide_recovery(a, &facts, &why);
	*ret = rc == RC_OK ? facts.subject : BYTES_NONE;
	NEED(rc == RC_OK || is_refusal(rc) || rc == RC_NOT_FOUND, e, why.code, NULL, "%s", why.text);
	if (rc != RC_OK && rc != RC_NOT_FOUND && r->why.code == CHY_NONE)
		r->why = why;
	return RC_OK;
}

/* ---- whose ---- */

static enum rc
add_subject(struct recovering *r, struct bytes subject, struct err *e)
{
	for (size_t i = 0; i < r->subjects_n; i++)
		if (name_eq(r->subjects[i], subject))
			return RC_OK;
	NEED(r->subjects_n < HOLDERS_MAX, e, CHY_RECOVERY_AMBIGUOUS, NULL,
	     "more than %d holders are called so: name one by the whole subject", HOLDERS_MAX);
	r->subjects[r->subjects_n] = arena_dup(r->m->x->a, subject);
	NEED(r->subjects[r->subjects_n].p != NULL, e, CHY_NO_MEMORY, NULL, "a name");
	r->subjects_n++;
	return RC_OK;
}

/* ---- taking them ---- */

/* The same key with the same certificate is in a token once, however many key procedures ask for it. */
static bool
is_there(const struct token_making *m, const struct key_procedure *p, const struct archived_row *row)
{
	for (size_t i = 0; i < m->n; i++)
		if (p->reuse && m->keys[i].source == row->certificate &&
		    m->keys[i].certificate_procedure == 0)
			return true;
	return false;
}

static enum rc
recover_one(struct token_making *m, const struct key_procedure *p, const struct archived_row *row,
	    struct err *e)
{
	struct token_key_row *k;

	TRY(token_new_key(m, &k, e));
	k->source = row->certificate;
	k->archive = arena_dup(m->x->a, row->archive);
	k->spki = arena_dup(m->x->a, row->spki);
	k->envelope = arena_dup(m->x->a, row->envelope);
	NEED(k->archive.p != NULL && k->spki.p != NULL && k->envelope.p != NULL, e, CHY_NO_MEMORY, NULL,
	     "a key");
	k->certificate_procedure = p->reuse ? 0 : p->renew->doc->id.v;
	if (p->reuse)
		k->certificate = row->certificate;
	return RC_OK;
}

static enum rc
take(struct recovering *r, const struct archived_row *row, struct bytes subject, struct err *e)
{
	if (!name_eq(subject, r->holder) || (r->found > 0 && !r->p->all))
		return RC_OK;
	if (!is_there(r->m, r->p, row))
		TRY(recover_one(r->m, r->p, row, e));
	r->found++;
	return RC_OK;
}

/* ---- through the archive ---- */

/* One row in an arena of its own: a name may be many people's. */
static enum rc
look_at(struct recovering *r, const struct archived_row *row, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(ROW_ARENA);
	struct bytes subject;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "an archived key");
	TRY(may_recover(r, a, row, &subject, e));
	if (subject.n == 0)
		return RC_OK;
	return r->holder.n == 0 ? add_subject(r, subject, e) : take(r, row, subject, e);
}

static enum rc
look_at_page(struct recovering *r, int64_t *below, bool *ret_more, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(PAGE_ARENA);
	struct archived_row *rows;
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "archived keys");
	TRY(store_archived(r->m->x->f->store, a, r->m->archived_of, *below, LIMIT_PAGE, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(look_at(r, &rows[i], e));
	*ret_more = n == LIMIT_PAGE;
	*below = n > 0 ? rows[n - 1].certificate : 0;
	return RC_OK;
}

static enum rc
look_through(struct recovering *r, struct err *e)
{
	int64_t below = INT64_MAX;
	bool more = true;

	while (more && !(r->found > 0 && !r->p->all))
		TRY(look_at_page(r, &below, &more, e));
	return RC_OK;
}

enum rc
token_recover(struct token_making *m, const struct key_procedure *p, struct err *e)
{
	struct recovering r = { .m = m, .p = p };

	TRY(look_through(&r, e));
	if (r.subjects_n == 0 && r.why.code != CHY_NONE) {
		*e = r.why;
		return e->rc;
	}
	NEED(r.subjects_n > 0, e, CHY_TOKEN_NOTHING_ARCHIVED, NULL, "no key of \"%.*s\" is in the archive",
	     BYTES_FMT(m->archived_of));
	TRY(decide_holder(m->x->a, r.subjects, r.subjects_n, m->in.subject, &r.holder, e));
	return look_through(&r, e);
}
