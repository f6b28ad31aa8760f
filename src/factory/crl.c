#include "base/base.h"
#include "factory/crl_impl.h"

#include <pthread.h>

#include "factory/ca_keys.h"
#include "factory/list_wish.h"
#include "policy/crl_point.h"
#include "store/read.h"

enum {
	AHEAD_MS = 5 * 60 * 1000,
	ARENA = 128 << 20,
	TOGETHER = 16,          /* of them, on as many threads; the signer takes 24 lists at a time */
	PARTS_AT_ONCE = 1024,   /* of partitions, that are looked through for what is due */
	PARTS_FOR_US = 1000000, /* then the others of the procedures have their turn */
	REST_MOST_US = 5000000,
	REST_FOR_ONE = 20, /* looking through them takes a twentieth of the time at most */
};

/* ---- what is there of a procedure, or of a partition ---- */

struct lists {
	struct crl_row *unfinished; /* gathered only: left behind by a crash */
	struct crl_row *planned;
	struct crl_row *current[2]; /* signed: complete, delta */
	int64_t number;             /* the highest */
};

static void
lists_note(struct lists *l, struct crl_row *row)
{
	if (row->state != CRL_GATHERED && row->number > l->number)
		l->number = row->number; /* what was never planned has used up none */
	if (row->state == CRL_GATHERED)
		l->unfinished = row;
	else if (row->state == CRL_PLANNED)
		l->planned = row;
	else
		l->current[row->delta != 0] = row;
}

static MUST enum rc
lists_of(struct factory *f, struct arena *a, struct doc_id procedure, unsigned partition, struct lists *ret,
	 struct err *e)
{
	struct crl_row *v;
	size_t n;

	*ret = (struct lists){ 0 };
	TRY(store_crls(f->store, a, procedure.v, partition, &v, &n, e));
	for (size_t i = 0; i < n; i++)
		lists_note(ret, &v[i]);
	return RC_OK;
}

/* ---- when ---- */

static bool
is_wanted(const struct crl_work *w, const struct crl_row *row, bool delta)
{
	return w->wanted[delta] > 0 && (row == NULL || w->wanted[delta] > row->id);
}

/* One from the future comes from a clock that went wrong: it says nothing of what is revoked now. */
static bool
is_due(const struct crl_row *row, struct duration every, int64_t now)
{
	return row == NULL || now >= duration_add(row->this_update, every) ||
	    row->this_update > now + AHEAD_MS;
}

/* A status has changed since the newest list of this sort. */
static bool
is_behind(const struct crl_work *w, const struct crl_row *row, bool delta)
{
	return w->p->has_after_change && w->p->has_delta == delta && row != NULL &&
	    w->seq > row->status_seq && w->now >= duration_add(row->this_update, w->p->after_change);
}

/* What is to be made now; false: nothing. With each complete list there is a delta list to it: who has the new one must not
   be left with one to the old one. */
static bool
find_work(struct crl_work *w, const struct lists *l)
{
	const struct crl_row *complete = l->current[0], *delta = l->current[1];

	w->delta = false;
	if (is_wanted(w, complete, false) || is_due(complete, w->p->interval, w->now) ||
	    is_behind(w, complete, false))
		return true;
	w->delta = w->p->has_delta;
	return w->delta &&
	    (is_wanted(w, delta, true) || is_due(delta, w->p->delta_interval, w->now) ||
	     is_behind(w, delta, true) || delta->base != complete->number);
}

/* ---- one procedure ---- */

bool
crl_is_built_here(const struct crl_procedure *p, int64_t now_ms)
{
	return p != NULL && !crl_is_over(p, now_ms) && p->built && p->why_not.code == CHY_NONE &&
	    p->authority != NULL && p->authority->certificate.n > 0 && p->signer != NULL &&
	    p->signer->key != NULL && p->signer->certificate.n > 0;
}

/* The signer is asked too: a restored store knows less than it. */
static MUST enum rc
next_number(struct crl_work *w, const struct lists *l, struct err *e)
{
	char label[KEY_LABEL_MAX];
	struct signer_last_crl last;
	struct ext point;

	TRY(crl_point(w, &point, e));
	TRY(signer_crl_last(w->f->signer, key_label(w->p->signer->key, label), point.value, SIGNER_WAIT_MS,
			    &last, e));
	w->number = (uint64_t)l->number > last.number ? (uint64_t)l->number : last.number;
	w->number++;
	return RC_OK;
}

static MUST enum rc
make(struct crl_work *w, const struct lists *l, struct err *e)
{
	struct lists now;
	struct err why = { 0 };
	enum rc rc;

	TRY(next_number(w, l, e));
	rc = crl_gather(w, &why);
	if (rc != RC_OK && why.code == CHY_CRL_DELTA) { /* a complete list, which a delta list will follow */
		w->delta = false;
		err_clear(&why);
		rc = crl_gather(w, &why);
	}
	NEED(rc == RC_OK, e, why.code, why.std, "%s", why.text);
	TRY(lists_of(w->f, w->a, w->p->doc->id, w->partition, &now, e));
	return now.planned != NULL ? crl_sign_planned(w, now.planned, e) : RC_OK;
}

/* One list of a procedure, or of one of its partitions. */
static MUST enum rc
work_on(struct crl_work *w, bool *ret_did, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(ARENA);
	struct lists l;

	*ret_did = false;
	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a revocation list");
	w->a = a;
	w->now = clock_now_ms() / 1000 * 1000;
	w->begun_us = clock_mono_us();
	w->shared = 0;
	TRY(lists_of(w->f, a, w->p->doc->id, w->partition, &l, e));
	if (l.unfinished != NULL)
		TRY(crl_forget(w->f, l.unfinished->id, e));
	w->complete = l.current[0];
	for (int delta = 0; delta < 2; delta++)
		w->lists[delta] = l.current[delta] != NULL ? l.current[delta]->list : 0;
	if (l.planned !=
	    NULL) { /* a crash came between: the very same list, so that its number is not left out */
		*ret_did = true;
		w->delta = l.planned->delta != 0;
		return crl_sign_planned(w, l.planned, e);
	}
	if (w->p->has_after_change)
		TRY(store_status_seq(w->f->store, w->p->authority->doc->id.v, &w->seq, e));
	*ret_did = find_work(w, &l);
	return *ret_did ? make(w, &l, e) : RC_OK;
}

/* ---- partitions ---- */

/* A list that has its turn, and then the delta list to it. */
static MUST enum rc
work_on_partition(struct crl_work *w, struct err *e)
{
	bool did = true;

	for (int i = 0; i < 3 && did; i++)
		TRY(work_on(w, &did, e));
	return RC_OK;
}

/* Some partitions, whose lists several threads build: what each of them waits for is mostly a disk, and what they commit at the
   same time is one transaction. */
struct turn {
	pthread_mutex_t lock;    /* of all below */
	struct crl_work w;       /* to copy, and to ask what is due */
	const struct lists *l;   /* of partition `from` and on */
	unsigned from, to, next; /* next: the first that nobody has looked at */
	int64_t until_us;
	bool did;
	enum rc rc;
	struct err *e;
};

static bool
is_turn(struct turn *t, unsigned partition)
{
	const struct lists *x = &t->l[partition - t->from];

	return x->unfinished != NULL || x->planned != NULL || find_work(&t->w, x);
}

/* The next partition with a list to be built; false: there is none, or the time is over. */
static bool
next_turn(struct turn *t, unsigned *ret)
{
	bool found = false;

	pthread_mutex_lock(&t->lock);
	while (!found && t->next <= t->to && clock_mono_us() < t->until_us) {
		*ret = t->next++;
		found = is_turn(t, *ret);
	}
	t->did |= found;
	pthread_mutex_unlock(&t->lock);
	return found;
}

/* What keeps one list from being built does not keep the others; the first trouble is told. */
static void *
take_turns(void *arg)
{
	struct turn *t = arg;
	struct crl_work w = t->w;

	while (next_turn(t, &w.partition)) {
		struct err why = { 0 };

		if (work_on_partition(&w, &why) == RC_OK)
			continue;
		pthread_mutex_lock(&t->lock);
		t->rc = err_set(t->e, why.code, why.std, "partition %u: %s", w.partition, why.text);
		pthread_mutex_unlock(&t->lock);
	}
	return NULL;
}

/* One more thread for each list that is due behind the first. */
static void
take_turns_together(struct turn *t)
{
	pthread_t threads[TOGETHER - 1];
	size_t n = 0, due = 0;

	for (unsigned i = t->from; i <= t->to && due < TOGETHER; i++)
		due += is_turn(t, i);
	while (n + 1 < due && pthread_create(&threads[n], NULL, take_turns, t) == 0)
		n++;
	take_turns(t);
	while (n > 0)
		pthread_join(threads[--n], NULL);
}

/* Partitions from..to. *ret_at: how far it came before its time was over. */
static MUST enum rc
work_on_some(struct crl_work *w, unsigned from, unsigned to, int64_t until_us, bool *ret_did,
	     unsigned *ret_at, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(ARENA);
	struct lists *l = a != NULL ? arena_array(a, PARTS_AT_ONCE, sizeof(*l)) : NULL;
	struct turn t = { .w = *w, .l = l, .from = from, .to = to, .next = from, .until_us = until_us };
	struct crl_row *v;
	size_t n;

	NEED(l != NULL, e, CHY_NO_MEMORY, NULL, "revocation lists");
	TRY(store_crl_places(w->f->store, a, w->p->doc->id.v, from, to, &v, &n, e));
	for (size_t i = 0; i < n; i++)
		lists_note(&l[v[i].part - from], &v[i]);
	t.w.now = clock_now_ms();
	t.e = e;
	pthread_mutex_init(&t.lock, NULL);
	take_turns_together(&t);
	pthread_mutex_destroy(&t.lock);
	*ret_did |= t.did;
	*ret_at = t.next;
	return t.rc;
}

static MUST enum rc
work_on_partitions(struct crl_work *w, bool *ret_did, struct err *e)
{
	int64_t until = clock_mono_us() + PARTS_FOR_US;
	unsigned next = 1;
	enum rc rc = RC_OK;

	while (next <= w->p->partitions && clock_mono_us() < until) {
		unsigned to = next + PARTS_AT_ONCE - 1, from = next;
		struct err why = { 0 };

		if (work_on_some(w, from, to < w->p->partitions ? to : w->p->partitions, until, ret_did,
				 &next, &why) != RC_OK)
			rc = err_set(e, why.code, why.std, "%s", why.text);
		if (next == from) /* the lists could not even be read */
			break;
	}
	return rc;
}

/* ---- all ---- */

static MUST enum rc
work_on_procedure(struct factory *f, const struct crl_procedure *p, bool *ret_did, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct crl_work w = { .f = f, .p = p };

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a revocation list");
	for (int delta = 0; delta < 2; delta++)
		TRY(list_wish_of(f, a, KIND_CRL_PROCEDURE, p->doc->id, delta, &w.wanted[delta], e));
	return p->partitions > 0 ? work_on_partitions(&w, ret_did, e) : work_on(&w, ret_did, e);
}

static MUST enum rc
work_on_all(struct factory *f, bool *ret_did, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_CRL_PROCEDURE, &all);
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n; i++) {
		const struct crl_procedure *p = snapshot_crl_procedure(policy, all[i]->id);
		struct err why = { 0 };
		bool did = false;

		if (!crl_is_built_here(p, clock_now_ms())) {
			trouble_over(&f->troubles, all[i]->id);
			continue;
		}
		if (work_on_procedure(f, p, &did, &why) != RC_OK)
			trouble_note(&f->troubles, all[i]->id, &why);
		else
			trouble_over(&f->troubles, all[i]->id);
		if (why.rc != RC_OK)
			rc = err_set(e, why.code, why.std, "CRL procedure %lld: %s", (long long)all[i]->id.v,
				     why.text);
		else
			*ret_did |= did;
	}
	return rc;
}

static bool
has_many_partitions(struct factory *f)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_CRL_PROCEDURE, &all);

	for (size_t i = 0; i < n; i++) {
		const struct crl_procedure *p = snapshot_crl_procedure(policy, all[i]->id);

		if (p != NULL && p->partitions > PARTS_AT_ONCE)
			return true;
	}
	return false;
}

enum rc
crls_step(struct factory *f, bool *ret_more, struct err *e)
{
	int64_t from = clock_mono_us(), rest;
	enum rc rc;

	if (!signer_is_there(f->signer) || doubt_is(&f->doubt) || from < f->crls_rest_until)
		return RC_OK;
	rc = work_on_all(f, ret_more, e);
	if (!*ret_more && has_many_partitions(f)) {
		rest = (clock_mono_us() - from) * REST_FOR_ONE;
		f->crls_rest_until = clock_mono_us() + (rest < REST_MOST_US ? rest : REST_MOST_US);
	}
	return rc;
}

/* ---- handing out ---- */

enum rc
crl_of(struct factory *f, struct arena *a, struct doc_id procedure, unsigned partition, bool delta,
       struct crl_row *ret, struct err *e)
{
	struct lists l;

	TRY(lists_of(f, a, procedure, partition, &l, e));
	NEED(l.current[delta] != NULL, e, CHY_CRL_NONE, NULL, "no %s list of procedure %lld",
	     delta ? "delta" : "complete", (long long)procedure.v);
	*ret = *l.current[delta];
	return RC_OK;
}

static bool
has_address(const struct json *list, const char *folder, struct bytes name, unsigned *ret_partition)
{
	JSON_EACH(address, list)
	{
		if (address->type == JSON_STR && crl_address_ends(address->str, folder, name, ret_partition))
			return true;
	}
	return false;
}

enum rc
crl_by_name(struct factory *f, struct arena *a, struct bytes name, struct crl_row *ret, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_CRL_PROCEDURE, &all);
	unsigned partition;

	for (size_t i = 0; i < n; i++) {
		const struct crl_procedure *p = snapshot_crl_procedure(policy, all[i]->id);

		if (p == NULL || !p->built)
			continue;
		if (has_address(p->points, "/crl/", name, &partition))
			return crl_of(f, a, p->doc->id, partition, false, ret, e);
		if (has_address(p->delta_points, "/crl/", name, &partition))
			return crl_of(f, a, p->doc->id, partition, true, ret, e);
	}
	FAIL(e, CHY_CRL_NONE, NULL, "no CRL procedure has an address that ends with /crl/%.*s",
	     BYTES_FMT(name));
}

enum rc
crl_ends(struct arena *a, const struct crl_row *row, struct bytes *ret_front, struct bytes *ret_back,
	 struct err *e)
{
	enum sigalg s = sigalg_by_name(row->sigalg);
	OWN_DW struct dw front = dw_growing(LIMIT_TBS), back = dw_growing(LIMIT_TBS);

	dw_put(&front, row->head);
	TRY(crl_open_build(row->head.n + (size_t)row->entries_len + row->tail.n, s, row->signature, &front,
			   e));
	TRY(crl_close_build(s, row->signature, &back, e));
	dw_put(&back, row->tail);
	TRY(dw_dup(&front, a, ret_front, e));
	return dw_dup(&back, a, ret_back, e);
}

enum rc
ca_certificate_by_name(struct factory *f, struct arena *a, struct bytes name, struct bytes *ret,
		       struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = factory_policy(f);
	const struct document *const *all;
	size_t n = snapshot_list(policy, KIND_AUTHORITY, &all);
	unsigned none;

	for (size_t i = 0; i < n; i++) {
		const struct authority *x = snapshot_authority(policy, all[i]->id);

		if (x == NULL || x->certificate.n == 0 ||
		    !has_address(json_get(x->doc->body, "ca_issuers_urls"), "/ca/", name, &none))
			continue;
		*ret = arena_dup(a, x->certificate);
		NEED(ret->p != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
		return RC_OK;
	}
	FAIL(e, CHY_CRL_NONE, NULL, "no authority has an address that ends with /ca/%.*s", BYTES_FMT(name));
}
