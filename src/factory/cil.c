#include "base/base.h"
#include "factory/cil_impl.h"

#include "factory/list_wish.h"
#include "store/read.h"

enum { ARENA = 1 << 20 };

/* ---- one procedure ---- */

bool
cil_is_built_here(const struct cil_procedure *p, int64_t now_ms)
{
	return p != NULL && !cil_is_over(p, now_ms) && p->why_not.code == CHY_NONE && p->authority != NULL &&
	    p->authority->key != NULL && p->authority->certificate.n > 0;
}

enum rc
cil_load(struct factory *f, struct arena *a, struct doc_id procedure, struct cil_row *complete,
	 struct cil_row *delta, struct err *e)
{
	struct cil_row *rows;
	size_t n;

	*complete = *delta = (struct cil_row){ 0 };
	TRY(store_cils(f->store, a, procedure.v, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		*(rows[i].delta ? delta : complete) = rows[i];
	return RC_OK;
}

static MUST enum rc
work_on(struct factory *f, const struct cil_procedure *p, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(ARENA);
	struct cil_work w = { .f = f, .p = p };
	struct cil_state now;
	int64_t wish;
	enum rc rc;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "an issuance list");
	TRY(cil_load(f, a, p->doc->id, &w.complete, &w.delta, e));
	TRY(list_wish_of(f, a, KIND_CIL_PROCEDURE, p->doc->id, false, &wish, e));
	now = (struct cil_state){
		.complete = w.complete.build != 0,
		.delta = w.delta.build != 0,
		.this_update_ms = w.complete.this_update,
		.delta_this_update_ms = w.delta.this_update,
		.timing = w.complete.timing,
	};
	w.plan = decide_cil(p, &now, wish > w.complete.build, clock_now_ms());
	if (w.plan.what == CIL_NOTHING)
		return RC_OK;
	rc = cil_build(&w, e);
	if (rc == RC_OK || e->code != CHY_CRL_DELTA)
		return rc;
	err_clear(e);
	w.plan = decide_cil(p, &now, true, clock_now_ms());
	return cil_build(&w, e);
}

enum rc
cils_step(struct factory *f, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_CIL_PROCEDURE, &all);
	enum rc rc = RC_OK;

	if (!signer_is_there(f->signer) || doubt_is(&f->doubt))
		return RC_OK;
	for (size_t i = 0; i < n; i++) {
		const struct cil_procedure *p = snapshot_cil_procedure(policy, all[i]->id);
		struct err why = { 0 };

		if (cil_is_built_here(p, clock_now_ms()) && work_on(f, p, &why) != RC_OK)
			trouble_note(&f->troubles, all[i]->id, &why);
		else
			trouble_over(&f->troubles, all[i]->id);
		if (why.rc != RC_OK)
			rc = err_set(e, why.code, why.std, "CIL procedure %lld: %s", (long long)all[i]->id.v,
				     why.text);
	}
	return rc;
}

/* ---- handing out ---- */

static const struct cil_procedure *
served_as(const struct snapshot *policy, struct bytes name)
{
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_CIL_PROCEDURE, &all);

	for (size_t i = 0; i < n; i++) {
		const struct cil_procedure *p = snapshot_cil_procedure(policy, all[i]->id);

		if (p != NULL && p->doc->active && bytes_eq(p->served_as, name))
			return p;
	}
	return NULL;
}

enum rc
cil_by_name(struct factory *f, struct arena *a, struct bytes name, bool delta, int64_t segment,
	    struct cil_row *ret_list, struct cil_file_row *ret, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct cil_procedure *p = served_as(policy, name);
	struct cil_row lists[2];
	int64_t before = 0;
	enum rc rc;

	NEED(p != NULL, e, CHY_CIL_NONE, NULL, "no CIL procedure is served as \"%.*s\"", BYTES_FMT(name));
	for (;;) {
		TRY(cil_load(f, a, p->doc->id, &lists[0], &lists[1], e));
		*ret_list = lists[delta];
		NEED(ret_list->build != 0, e, CHY_CIL_NONE, NULL, "no %s list", delta ? "delta" : "complete");
		rc = store_cil_file(f->store, a, ret_list->build, segment, ret, e);
		if (rc != RC_NOT_FOUND)
			return rc;
		err_clear(e);
		NEED(ret_list->build != before, e, CHY_CIL_NONE, NULL, "segment %lld; it has %lld",
		     (long long)segment, (long long)(ret_list->last_number - ret_list->number + 1));
		before = ret_list->build; /* once more: a newer list may have taken its place in between */
	}
}
