/* From when to when: within the procedure, and within the authority. Times of certificates are whole seconds, and both
   ends count (RFC 5280 4.1.2.5), so a validity of P1Y ends one second before the day comes round. */
#include "base/base.h"
#include "policy/issue_impl.h"

struct period {
	int64_t from, to;
};

static int64_t
whole(int64_t at_ms)
{
	return at_ms - at_ms % 1000;
}

/* What the procedure gives now. */
static struct period
offered(const struct procedure *p, int64_t now_ms)
{
	int64_t from = duration_sub(whole(now_ms), p->backdate);

	return (struct period){ from, duration_add(from, p->validity) - 1000 };
}

const char *
validity_beyond(struct arena *a, const struct procedure *p, int64_t now_ms, int64_t not_after_ms)
{
	const struct authority *x = p->authority;
	struct period v = offered(p, now_ms);
	char end[32], would[32];

	if (x == NULL || x->certificate.n == 0)
		return NULL;
	v.to = not_after_ms != 0 && not_after_ms < v.to ? whole(not_after_ms) : v.to;
	if (v.to <= x->not_after_ms || civil_of(v.to).year > 9999)
		return NULL;
	if (x->not_after_ms <= now_ms)
		return arena_printf(a, "authority \"%.*s\" has ended at %s: it issues nothing any more",
				    BYTES_FMT(x->doc->name), time_text(end, x->not_after_ms));
	return arena_printf(a,
			    "certificate procedure \"%.*s\" goes to %s now, beyond authority \"%.*s\": %s %s",
			    BYTES_FMT(p->doc->name), time_text(would, v.to), BYTES_FMT(x->doc->name),
			    p->cut ? "its certificates are cut to end with it at"
				   : "its certificates are refused (CHY-1583) unless a shorter validity is "
				     "asked for; it ends at",
			    time_text(end, x->not_after_ms));
}

static enum rc
asked(struct issuing *i, struct period offer, struct period *ret)
{
	const struct procedure *p = i->d->procedure;

	*ret = offer;
	if (i->not_before_ms == 0 && i->not_after_ms == 0)
		return RC_OK;
	REFUSE_IF(!p->requested_validity, i, "validity", CHY_VALIDITY_NOT_ALLOWED, NULL,
		  "certificate procedure \"%.*s\" sets the validity", BYTES_FMT(p->doc->name));
	if (i->not_before_ms != 0)
		ret->from = whole(i->not_before_ms);
	if (i->not_after_ms != 0)
		ret->to = whole(i->not_after_ms);
	REFUSE_IF(ret->from >= ret->to, i, "validity.not_after", CHY_VALIDITY_ORDER, NULL,
		  "the validity ends before it begins");
	REFUSE_IF(ret->to <= i->f->now_ms, i, "validity.not_after", CHY_VALIDITY_ORDER, NULL,
		  "the validity would be over already");
	REFUSE_IF(ret->from < offer.from, i, "validity.not_before", CHY_VALIDITY_PROCEDURE, NULL,
		  "earlier than certificate procedure \"%.*s\" allows", BYTES_FMT(p->doc->name));
	REFUSE_IF(ret->to > offer.to, i, "validity.not_after", CHY_VALIDITY_PROCEDURE, NULL,
		  "later than certificate procedure \"%.*s\" allows", BYTES_FMT(p->doc->name));
	return RC_OK;
}

/* A beginning before the authority's own comes from backdating and is cut always; an end after it is cut or refused. */
static enum rc
within_authority(struct issuing *i, struct period *v)
{
	const struct authority *x = i->d->authority;
	char text[32];

	if (v->from < x->not_before_ms) {
		v->from = x->not_before_ms;
		issue_note(i, "begins with the authority");
	}
	REFUSE_IF(v->to > x->not_after_ms && !i->d->procedure->cut, i, "validity.not_after",
		  CHY_VALIDITY_AUTHORITY, NULL, "authority \"%.*s\" ends at %s", BYTES_FMT(x->doc->name),
		  time_text(text, x->not_after_ms));
	if (v->to > x->not_after_ms) {
		v->to = x->not_after_ms;
		issue_note(i, "cut at the authority's end");
	}
	REFUSE_IF(v->from >= v->to, i, "validity", CHY_VALIDITY_AUTHORITY, NULL,
		  "nothing is left within the validity of authority \"%.*s\"", BYTES_FMT(x->doc->name));
	return RC_OK;
}

enum rc
rule_validity(struct issuing *i)
{
	struct period v;

	TRY(asked(i, offered(i->d->procedure, i->f->now_ms), &v));
	TRY(within_authority(i, &v));
	REFUSE_IF(civil_of(v.to).year > 9999, i, "validity.not_after", CHY_VALIDITY_PROCEDURE,
		  "RFC 5280 4.1.2.5", "later than certificates can say");
	i->d->not_before_ms = i->d->inputs.not_before_at = v.from;
	i->d->not_after_ms = i->d->inputs.not_after_at = v.to;
	return RC_OK;
}
