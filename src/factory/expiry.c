#include "base/base.h"
#include "factory/expiry.h"

#include "factory/leaf.h"
#include "factory/standing.h"
#include "policy/last_pair.h"

enum { LOOK_MS = 600000, TELL_MS = 86400000 };

/* What one look at all open officers has found. */
struct look {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	struct officer_end *now, *soon; /* soon: as it will be when all that ends soon has ended */
	size_t n;
	int64_t ending, ended, now_ms;
	bool tell;
};

static const char *
name_of(struct arena *a, const struct officer *o)
{
	const char *s = arena_str(a, o->name);

	return s ? s : "";
}

static void
tell(const struct look *l, const struct officer *o, const struct standing *last)
{
	char at[32];

	if (l->tell)
		LOG(WARNING, "officer.certificate-ends", LI("officer", o->id.v), LS("name", name_of(l->a, o)),
		    LS("at", time_text(at, last->not_after_ms)));
}

static enum rc
look_at(struct look *l, const struct officer *o, struct err *e)
{
	struct standing last;
	bool soon;

	TRY(officer_standing(l->f, l->a, l->policy, o, l->now_ms, &last, e));
	soon = last.not_after_ms != 0 && standing_ends_soon(&last, l->now_ms);
	l->now[l->n] = (struct officer_end){ o->id, last.not_after_ms };
	l->soon[l->n++] = (struct officer_end){ o->id, soon ? 0 : last.not_after_ms };
	l->ending += soon;
	l->ended += last.not_after_ms == 0;
	if (soon)
		tell(l, o, &last);
	return RC_OK;
}

static enum rc
look_at_all(struct look *l, struct err *e)
{
	const struct document *const *docs;
	size_t n = snapshot_list(l->policy, KIND_OFFICER, &docs);

	l->now = arena_array(l->a, n + 1, sizeof(*l->now));
	l->soon = arena_array(l->a, n + 1, sizeof(*l->soon));
	NEED(l->now != NULL && l->soon != NULL, e, CHY_NO_MEMORY, NULL, "officers");
	for (size_t i = 0; i < n; i++) {
		const struct officer *o = snapshot_officer(l->policy, doc_officer(docs[i]->id));

		if (o != NULL && o->active)
			TRY(look_at(l, o, e));
	}
	return RC_OK;
}

/* ---- authorities ---- */

static bool
is_used(const struct authority *x)
{
	return x != NULL && x->doc->active && x->key != NULL && x->certificate.n > 0 &&
	    x->why_not.code != CHY_AUTHORITY_REVOKED;
}

static void
tell_of_ca(const struct look *l, const struct authority *x)
{
	const char *name = arena_str(l->a, x->doc->name);
	char at[32];

	if (l->tell)
		LOG(WARNING, "authority.certificate-ends", LI("authority", x->doc->id.v),
		    LS("name", name ? name : ""), LS("at", time_text(at, x->not_after_ms)));
}

static void
look_at_authorities(const struct look *l)
{
	const struct document *const *docs;
	size_t n = snapshot_list(l->policy, KIND_AUTHORITY, &docs);
	int64_t ending = 0, ended = 0, until = 0;

	for (size_t i = 0; i < n; i++) {
		const struct authority *x = snapshot_authority(l->policy, docs[i]->id);

		if (!is_used(x))
			continue;
		if (x->not_after_ms < l->now_ms) {
			ended++;
		} else {
			until = until == 0 || x->not_after_ms < until ? x->not_after_ms : until;
			ending += ca_ends_soon(x->not_before_ms, x->not_after_ms, l->now_ms);
		}
		if (ca_ends_soon(x->not_before_ms, x->not_after_ms, l->now_ms))
			tell_of_ca(l, x);
	}
	atomic_store(&l->f->expiry.cas_ending, ending);
	atomic_store(&l->f->expiry.cas_ended, ended);
	atomic_store(&l->f->expiry.ca_until_ms, until);
}

/* ---- both ---- */

/* With fewer than two people nothing that needs two signatures can be done any more: that is an error while it is still far. */
static void
tell_of_pair(const struct look *l, int64_t until_ms, enum role role)
{
	char at[32];

	if (l->tell)
		LOG(ERROR, "officers.last-pair-ends", LS("role", role_name(role)),
		    LS("at", until_ms ? time_text(at, until_ms) : "now"));
}

static enum rc
conclude(const struct look *l, struct err *e)
{
	struct expiry *x = &l->f->expiry;
	enum role role = ROLE_OFFICER_TASKS, first = role;
	int64_t now, then;

	TRY(last_pairs_until(l->policy, l->now, l->n, &now, &first, e));
	TRY(last_pairs_until(l->policy, l->soon, l->n, &then, &role, e));
	if (then == 0)
		tell_of_pair(l, now, first);
	atomic_store(&x->ending, l->ending);
	atomic_store(&x->ended, l->ended);
	atomic_store(&x->pair_until_ms, now);
	atomic_store(&x->pair_ends, then == 0);
	return RC_OK;
}

/* The monotonic clock: days are days, whatever the other is set to. */
enum rc
expiry_step(struct factory *f, struct err *e)
{
	OWN(snapshot_unref)
	struct snapshot *policy = NULL;
	OWN(arena_free)
	struct arena *a = NULL;
	struct expiry *x = &f->expiry;
	int64_t stamp = atomic_load(&f->policy_stamp),
		epoch = atomic_load(&f->status_epoch) + atomic_load(&f->expiry.renewed),
		mono_ms = clock_mono_us() / 1000;
	struct look l = { .f = f,
			  .now_ms = clock_now_ms(),
			  .tell = x->told_ms == 0 || mono_ms - x->told_ms >= TELL_MS };

	if (x->looked_ms != 0 && mono_ms - x->looked_ms < LOOK_MS && stamp == x->stamp && epoch == x->epoch)
		return RC_OK;
	l.policy = policy = factory_policy(f);
	NEED((l.a = a = arena_new(LIMIT_REQUEST_ARENA)) != NULL, e, CHY_NO_MEMORY, NULL, "officers");
	TRY(look_at_all(&l, e));
	TRY(conclude(&l, e));
	look_at_authorities(&l);
	x->stamp = stamp;
	x->epoch = epoch;
	x->looked_ms = mono_ms;
	if (l.tell)
		x->told_ms = mono_ms;
	return RC_OK;
}

struct json *
expiry_json(struct factory *f, struct arena *a)
{
	const struct expiry *x = &f->expiry;
	int64_t until = atomic_load(&x->pair_until_ms);
	struct json *o = json_object(a);

	json_set(o, "ending", json_int(a, atomic_load(&x->ending)));
	json_set(o, "ended", json_int(a, atomic_load(&x->ended)));
	json_set(o, "pair_until", until > 0 && until < INT64_MAX ? json_time(a, until) : json_null(a));
	json_set(o, "pair_ends", json_bool(a, atomic_load(&x->pair_ends) != 0));
	return o;
}

struct json *
ca_expiry_json(struct factory *f, struct arena *a)
{
	const struct expiry *x = &f->expiry;
	int64_t until = atomic_load(&x->ca_until_ms);
	struct json *o = json_object(a);

	json_set(o, "ending", json_int(a, atomic_load(&x->cas_ending)));
	json_set(o, "ended", json_int(a, atomic_load(&x->cas_ended)));
	json_set(o, "next_end", until > 0 ? json_time(a, until) : json_null(a));
	return o;
}
