#include "base/base.h"
#include "model/choices.h"
#include "policy/body.h"
#include "policy/crl_point.h"
#include "policy/find.h"
#include "policy/issue_impl.h"
#include "policy/names.h"
#include "policy/rights.h"
#include "policy/rules.h"

#include <stdarg.h>

enum { TBS_EXTENSIONS_MAX = 32 };

/* ---- notes, trace, small helpers ---- */

void
issue_note(struct issuing *i, const char *fmt, ...)
{
	char text[200];
	const char *note;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note = i->note ? arena_printf(i->a, "%s; %s", i->note, text) : arena_str(i->a, bytes_str(text));
	if (note != NULL)
		i->note = note;
}

enum rc
trace_start(struct arena *a, struct rule_trace *t, size_t max, struct err *e)
{
	*t = (struct rule_trace){ .v = arena_array(a, max, sizeof(*t->v)), .max = max };
	NEED(t->v != NULL, e, CHY_NO_MEMORY, NULL, "rule trace");
	return RC_OK;
}

enum rc
trace_rule(struct arena *a, struct rule_trace *t, const char *rule, enum rc rc, const char *note,
	   struct err *e)
{
	bool passed = rc == RC_OK;

	if (t->n < t->max)
		t->v[t->n++] = (struct rule_verdict){ rule, passed,
						      passed ? note : arena_str(a, bytes_str(e->text)) };
	if (!passed)
		err_rule(e, rule);
	return rc;
}

enum rc
issue_extension(struct issuing *i, const struct ext_value *v)
{
	NEED(i->exts.n < TBS_EXTENSIONS_MAX, i->e, CHY_LIMIT, NULL, "more than %d extensions",
	     TBS_EXTENSIONS_MAX);
	return ext_encode(i->a, v, &i->exts.v[i->exts.n++], i->e);
}

enum rc
serial_make(uint8_t ret[SERIAL_LEN], int64_t now_ms, const uint8_t random[SERIAL_RANDOM], struct err *e)
{
	for (int k = 0; k < SERIAL_LEN - SERIAL_RANDOM; k++)
		ret[k] = (uint8_t)((uint64_t)now_ms >> 8 * (SERIAL_LEN - SERIAL_RANDOM - 1 - k));
	memcpy(ret + SERIAL_LEN - SERIAL_RANDOM, random, SERIAL_RANDOM);
	NEED(now_ms > 0 && now_ms < (int64_t)1 << 47 && ret[0] > 0, e, CHY_ISSUE_SERIAL, "RFC 5280 4.1.2.2",
	     "the clock is not within 2004 to 6429");
	return RC_OK;
}

/* ---- who asks ---- */

static enum rc
rule_officer(struct issuing *i)
{
	i->officer = snapshot_officer(i->f->policy, i->f->request->officer);
	TRY(may_act(i->officer, i->f->credential, i->f->now_ms, i->e));
	if (i->f->request->renewal)
		return RC_OK;
	return may_role(i->officer, ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_ISSUE_CERTIFICATE), i->e);
}

static enum rc
rule_session(struct issuing *i)
{
	const struct session_facts *s = i->f->session;

	if (i->f->request->word != WORD_SESSION)
		return RC_OK;
	NEED(s != NULL && s->id.v == i->f->request->session.v, i->e, CHY_INTERNAL, NULL,
	     "a session without facts");
	NEED(!s->closed, i->e, CHY_SESSION_CLOSED, NULL, "session %lld is closed", (long long)s->id.v);
	NEED(i->f->now_ms < s->expires_at_ms, i->e, CHY_SESSION_EXPIRED, NULL, "session %lld is over",
	     (long long)s->id.v);
	NEED(s->certificates_made < s->certificates_max, i->e, CHY_SESSION_USED_UP, NULL,
	     "session %lld has made its %lld certificates", (long long)s->id.v,
	     (long long)s->certificates_max);
	return RC_OK;
}

/* ---- by which token procedure ---- */

static enum rc
rule_token_procedure(struct issuing *i)
{
	const struct document *d;
	struct err why = { 0 };

	if (find_document(i->f->policy, KIND_TOKEN_PROCEDURE, i->f->request->token_procedure,
			  i->officer->domain, &d, &why) != RC_OK) {
		enum code code = why.code == CHY_REF_NOTHING ? CHY_ISSUE_TOKEN_PROCEDURE : why.code;

		REFUSE(i, "token_procedure", code, NULL, "%s", why.text);
	}
	i->d->token_procedure = snapshot_token_procedure(i->f->policy, d->id);
	i->d->token_version = doc_version_of(d);
	REFUSE_IF(!d->active, i, "token_procedure", CHY_ISSUE_TOKEN_CLOSED, NULL,
		  "token procedure \"%.*s\" is closed", BYTES_FMT(d->name));
	REFUSE_FOR(i->d->token_procedure->why_not.code != CHY_NONE, i->d->token_procedure->why_not.code, i,
		   "token_procedure", CHY_ISSUE_UNUSABLE, NULL, "token procedure \"%.*s\": %s",
		   BYTES_FMT(d->name), i->d->token_procedure->why_not.text);
	return RC_OK;
}

static enum rc
rule_right(struct issuing *i)
{
	const struct session_facts *s = i->f->session;
	int64_t id = i->d->token_version.id.v;

	if (i->f->request->renewal)
		return may_read(i->f->policy, i->officer, i->d->token_procedure->doc, i->e);
	TRY(may_issue(i->f->policy, i->officer, i->d->token_procedure->doc, i->e));
	if (i->f->request->word != WORD_SESSION)
		return RC_OK;
	for (size_t k = 0; k < s->token_procedures_n; k++)
		if (s->token_procedures[k] == id)
			return RC_OK;
	REFUSE(i, "token_procedure", CHY_SESSION_FOREIGN, NULL,
	       "session %lld does not hold for token procedure \"%.*s\"", (long long)s->id.v,
	       BYTES_FMT(i->d->token_procedure->doc->name));
}

static enum rc
rule_storage(struct issuing *i)
{
	enum storage_profile p = i->d->token_procedure->storage;

	REFUSE_IF(p != (i->f->request->spki.n > 0 ? STORAGE_PKCS12 : STORAGE_PKCS10), i, "storage_profile",
		  CHY_ISSUE_STORAGE_PROFILE, NULL, "storage profile %s: %s", storage_profile_name(p),
		  i->f->request->spki.n > 0 ? "the server makes keys for pkcs12 only"
					    : "requests are for pkcs10 only");
	return RC_OK;
}

/* ---- the key ---- */

static enum rc
rule_possession(struct issuing *i)
{
	const struct verdict *v = &i->f->pop;

	NEED(v->made, i->e, CHY_INTERNAL, NULL, "nobody has verified the request's signature");
	REFUSE_FOR(v->why.code != CHY_NONE, err_exact(&v->why), i, "csr", CHY_ISSUE_POSSESSION,
		   "RFC 2986 4.2", "%s", v->why.text);
	return RC_OK;
}

static enum rc
rule_weak_key(struct issuing *i)
{
	const struct verdict *v = &i->f->weak;

	NEED(v->made, i->e, CHY_INTERNAL, NULL, "nobody has judged the request's key");
	REFUSE_FOR(v->why.code != CHY_NONE, err_exact(&v->why), i, "csr.key", CHY_ISSUE_WEAK_KEY, v->why.std,
		   "%s", v->why.text);
	return RC_OK;
}

/* ---- by which certificate procedure ---- */

static enum rc
keep_considered(struct issuing *i, const struct selection *s)
{
	const struct token_procedure *t = i->d->token_procedure;

	ROOM(i->d->considered = arena_array(i->a, s->n, sizeof(*i->d->considered)), i);
	i->d->considered_n = s->n;
	for (size_t k = 0; k < s->n; k++) {
		const struct document *d = t->procedures[k]->doc;
		struct considered *c = &i->d->considered[k];
		char lacks[KEY_USAGE_TEXT_MAX];

		*c = (struct considered){ .procedure = { d->id, d->version },
					  .name = d->name,
					  .chosen = (int)k == s->chosen,
					  .reason = select_reason_name(s->reasons[k]),
					  .text = select_reason_text(s->reasons[k]) };
		if (s->reasons[k] == SELECT_LACKS)
			ROOM(c->text = arena_printf(i->a, "it lacks %s", key_usage_text(lacks, s->lacks[k])),
			     i);
	}
	return RC_OK;
}

static enum rc
select_by_usage(struct issuing *i)
{
	const struct token_procedure *t = i->d->token_procedure;
	uint16_t *usages = arena_array(i->a, t->procedures_n, sizeof(*usages)),
		 asked = (uint16_t)i->f->csr->key_usage;
	struct selection s;
	enum rc rc;

	ROOM(usages, i);
	for (size_t k = 0; k < t->procedures_n; k++)
		usages[k] = t->procedures[k]->key_usage;
	rc = select_procedure(i->a, usages, t->procedures_n, asked != 0, asked, "the request's key", &s,
			      i->e);
	if (rc != RC_OK)
		err_field(i->e, "csr.key_usage");
	if (rc != RC_NOMEM)
		TRY(keep_considered(i, &s));
	if (rc != RC_OK)
		return rc;
	i->d->procedure = t->procedures[s.chosen];
	i->d->authority = i->d->procedure->authority;
	issue_note(i, "%.*s: %s", BYTES_FMT(i->d->procedure->doc->name),
		   select_reason_text(s.reasons[s.chosen]));
	return RC_OK;
}

/* A key that was made for one procedure has it: one of the token procedure's, or that of a recovery. */
static enum rc
made_for(struct issuing *i)
{
	const struct procedure *p = snapshot_procedure(i->f->policy, i->f->request->certificate_procedure);

	REFUSE_IF(p == NULL, i, "certificate_procedure", CHY_SELECT_NONE, NULL,
		  "the certificate procedure that the key was made for is gone");
	i->d->procedure = p;
	i->d->authority = p->authority;
	ROOM(i->d->considered = arena_one(i->a, struct considered), i);
	*i->d->considered = (struct considered){ .procedure = { p->doc->id, p->doc->version },
						 .name = p->doc->name,
						 .chosen = true,
						 .reason = "made-for",
						 .text = "the key was made for it" };
	i->d->considered_n = 1;
	issue_note(i, "%.*s: the key was made for it", BYTES_FMT(p->doc->name));
	return RC_OK;
}

static enum rc
rule_selection(struct issuing *i)
{
	return i->f->request->spki.n > 0 ? made_for(i) : select_by_usage(i);
}

static enum rc
not_closed(struct issuing *i, const struct document *d, const char *where, enum code code)
{
	REFUSE_IF(d != NULL && !d->active, i, where, code, NULL, "%s \"%.*s\" is closed", kind_name(d->kind),
		  BYTES_FMT(d->name));
	return RC_OK;
}

static enum rc
rule_procedure(struct issuing *i)
{
	const struct procedure *p = i->d->procedure;

	TRY(not_closed(i, p->doc, "certificate_procedure", CHY_ISSUE_PROCEDURE_CLOSED));
	TRY(not_closed(i, p->authority ? p->authority->doc : NULL, "authority", CHY_ISSUE_AUTHORITY_CLOSED));
	TRY(not_closed(i, p->format ? p->format->doc : NULL, "format", CHY_ISSUE_FORMAT_CLOSED));
	REFUSE_IF(p->why_not.code == CHY_ISSUE_AUTHORITY_NOT_READY, i, "authority",
		  CHY_ISSUE_AUTHORITY_NOT_READY, NULL, "certificate procedure \"%.*s\": %s",
		  BYTES_FMT(p->doc->name), p->why_not.text);
	REFUSE_FOR(p->why_not.code != CHY_NONE, p->why_not.code, i, "certificate_procedure",
		   CHY_ISSUE_UNUSABLE, NULL, "certificate procedure \"%.*s\": %s", BYTES_FMT(p->doc->name),
		   p->why_not.text);
	return RC_OK;
}

static enum rc
rule_authority(struct issuing *i)
{
	const struct authority *x = i->d->authority;
	const struct document *p = i->d->procedure->doc, *f = i->d->procedure->format->doc;

	i->d->certificate_version = doc_version_of(p);
	i->d->format_version = doc_version_of(f);
	i->d->authority_version = doc_version_of(x->doc);
	i->d->key_version = doc_version_of(x->key);
	i->d->sigalg = i->d->procedure->sigalg;
	REFUSE_IF(i->f->now_ms < x->not_before_ms || i->f->now_ms > x->not_after_ms, i, "authority",
		  CHY_ISSUE_AUTHORITY_EXPIRED, "RFC 5280 6.1.3",
		  "the certificate of authority \"%.*s\" is not valid now", BYTES_FMT(x->doc->name));
	return i->f->request->renewal ? RC_OK : may_issue_by(i->a, i->officer, x->subject_in_force, i->e);
}

/* What the system's authority issues lets officers in, for the whole installation. */
static enum rc
rule_system_authority(struct issuing *i)
{
	const struct document *p = i->d->procedure->doc;

	REFUSE_IF(
	    i->d->authority->boot && !doc_id_is_none(p->domain), i, "certificate_procedure",
	    CHY_SYSTEM_AUTHORITY_DOMAIN, NULL,
	    "certificate procedure \"%.*s\" lies in a domain: the system's authority is for those of Root",
	    BYTES_FMT(p->name));
	return RC_OK;
}

/* Before the officers of the boot ceremony are closed, certificates are made for their successors alone: nobody else may
   come to trust what two soft tokens of an installer could issue. */
static enum rc
rule_production(struct issuing *i)
{
	const struct document *boot = snapshot_boot_officer(i->f->policy);

	REFUSE_IF(boot != NULL && !i->d->authority->boot, i, "authority", CHY_ISSUE_BOOT, NULL,
		  "boot officer \"%.*s\" is still active: close the boot officers first",
		  BYTES_FMT(boot->name));
	return RC_OK;
}

/* Of the authority and of everything above it, before anything is signed. */
static enum rc
rule_constraints(struct issuing *i)
{
	REFUSE_IF(i->d->authority->boot && is_journal_name(i->a, i->d->subject), i, "subject.CN",
		  CHY_ISSUE_JOURNAL_NAME, NULL, "under the system's authority the name %s is the journal's",
		  JOURNAL_NAME);
	TRY_AT(names_allowed(i->a, i->d->authority, i->d->subject, &i->d->inputs.san, false, i->e), i->e,
	       "csr.names");
	return RC_OK;
}

/* Of the officer's profile: for whom the officer may issue; not who the officer is. */
static enum rc
rule_officer_names(struct issuing *i)
{
	struct err why = { 0 };

	REFUSE_IF(!i->f->request->renewal && i->officer->name_constraints.n > 0 &&
		      names_within(i->a, i->officer->name_constraints, i->d->subject, &i->d->inputs.san,
				   &why) != RC_OK,
		  i, "csr.names", CHY_OFFICER_NAMES, "RFC 5280 4.2.1.10", "officer \"%.*s\": %.260s",
		  BYTES_FMT(i->officer->name), why.text);
	return RC_OK;
}

static bool
same_names(const struct gnames *x, const struct gnames *y)
{
	size_t found = 0;

	for (size_t i = 0; i < x->n; i++)
		for (size_t k = 0; k < y->n; k++)
			if (gname_eq(&x->v[i], &y->v[k])) {
				found++;
				break;
			}
	return found == x->n && x->n == y->n;
}

static bool
in_token(const struct officer *o, const uint8_t key[FINGERPRINT_LEN])
{
	for (size_t i = 0; i < o->binding_n; i++)
		if (memcmp(o->keys[i], key, FINGERPRINT_LEN) == 0)
			return true;
	return false;
}

/* What an officer gets without the right to issue is the bound certificate once more: its names, by its procedure; for one who is
   bound to a token, for a key that is in it. */
static enum rc
is_renewed(struct issuing *i)
{
	const struct officer *o = i->officer;

	REFUSE_IF(
	    i->d->certificate_version.id.v != o->certificate_procedure, i, "certificate_procedure",
	    CHY_ISSUE_RENEWAL, NULL,
	    "certificate procedure \"%.*s\" would issue it, and another one has issued the certificate of "
	    "officer \"%.*s\"",
	    BYTES_FMT(i->d->procedure->doc->name), BYTES_FMT(o->name));
	REFUSE_IF(o->subject_der.n == 0 || !name_eq(i->d->subject, o->subject_der), i, "subject",
		  CHY_ISSUE_RENEWAL, NULL, "the subject is not that of officer \"%.*s\": %.*s",
		  BYTES_FMT(o->name), BYTES_FMT(o->subject));
	REFUSE_IF(!same_names(&i->d->inputs.san, &i->f->request->bound_san), i,
		  "csr.subject_alternative_names", CHY_ISSUE_RENEWAL, NULL,
		  "the alternative names are not those of the certificate of officer \"%.*s\"",
		  BYTES_FMT(o->name));
	REFUSE_IF(o->entity == ENTITY_DYNAMIC_TOKEN && !in_token(o, i->f->key), i, "csr.key",
		  CHY_ISSUE_RENEWAL, NULL, "the key is not in the token of officer \"%.*s\"",
		  BYTES_FMT(o->name));
	REFUSE_IF(o->entity == ENTITY_SUBJECT && i->d->stands_for.v != o->id.v, i, "subject",
		  CHY_ISSUE_RENEWAL, NULL, "it would not stand for officer \"%.*s\"", BYTES_FMT(o->name));
	return RC_OK;
}

/* A certificate of an officer's subject stands for the officer where the officer's own signature asks for it, and only then:
   else whoever may issue could be two people. Who is closed is nobody, and stays nobody by what is issued meanwhile. */
static enum rc
stands_for(struct issuing *i)
{
	const struct officer *o = snapshot_officer_of_subject(i->f->policy, i->d->subject,
							      i->d->certificate_version.id.v, i->officer->id);

	if (o == NULL)
		return RC_OK;
	REFUSE_IF(!may_know(i->f->policy, i->officer, snapshot_document(i->f->policy, doc_id_of(o->id.v))), i,
		  "subject", CHY_ISSUE_OFFICER_SUBJECT, NULL,
		  "another officer is bound to this subject of certificate procedure \"%.*s\", and asks for "
		  "it alone",
		  BYTES_FMT(i->d->procedure->doc->name));
	REFUSE_IF(
	    o->id.v != i->officer->id.v || i->f->request->word != WORD_REQUEST, i, "subject",
	    CHY_ISSUE_OFFICER_SUBJECT, NULL,
	    "officer \"%.*s\" is bound to this subject of certificate procedure \"%.*s\": the officer "
	    "asks for it in a request of their own; or two officers close the officer first, and open it "
	    "again with the new certificate",
	    BYTES_FMT(o->name), BYTES_FMT(i->d->procedure->doc->name));
	i->d->stands_for = o->id;
	return RC_OK;
}

static enum rc
rule_officer_subject(struct issuing *i)
{
	TRY(stands_for(i));
	return i->f->request->renewal ? is_renewed(i) : RC_OK;
}

/* The position in key_family_choices; -1 for what no format can name. */
static int
family_of(const struct pubkey *k)
{
	char text[KEY_NAME_MAX];

	return choice_index(key_family_choices,
			    bytes_str(k->alg == KEY_RSA ? "rsa" : key_type_text(text, pubkey_type(k))));
}

static enum rc
rule_key_algorithm(struct issuing *i)
{
	const struct format *f = i->d->procedure->format;
	const struct pubkey *k = &i->f->csr->key;
	int family = family_of(k);
	char text[KEY_NAME_MAX];

	REFUSE_IF(family < 0 || !(f->key_families & 1u << family), i, "csr.key", CHY_ISSUE_KEY_ALGORITHM,
		  NULL, "format \"%.*s\" does not allow %s", BYTES_FMT(f->doc->name),
		  key_type_text(text, pubkey_type(k)));
	REFUSE_IF(k->alg == KEY_RSA && (k->bits < f->rsa_bits_min || k->bits > f->rsa_bits_max), i, "csr.key",
		  CHY_ISSUE_KEY_ALGORITHM, NULL, "RSA with %u bits: format \"%.*s\" allows %u to %u", k->bits,
		  BYTES_FMT(f->doc->name), f->rsa_bits_min, f->rsa_bits_max);
	return RC_OK;
}

/* A subject with an authority's key could pass for it. */
static enum rc
rule_authority_key(struct issuing *i)
{
	const struct document *const *all;
	size_t n = snapshot_list(i->f->policy, KIND_AUTHORITY, &all);

	for (size_t k = 0; k < n; k++) {
		const struct authority *x = snapshot_authority(i->f->policy, all[k]->id);

		REFUSE_IF(x->spki.n > 0 && bytes_eq(x->spki, i->f->csr->key.spki), i, "csr.key",
			  CHY_ISSUE_OWN_KEY, NULL, "the request has the key of authority \"%.*s\"",
			  BYTES_FMT(x->doc->name));
	}
	return RC_OK;
}

/* What an officer of the entity type static token is bound to stays as it is while the officer is open. */
static enum rc
rule_static_token(struct issuing *i)
{
	const struct officer *o = snapshot_static_officer(i->f->policy, i->f->key);

	REFUSE_IF(o != NULL, i, "csr", CHY_ISSUE_STATIC_TOKEN, NULL,
		  "the key is in the token of officer \"%.*s\", which gets no further certificates",
		  BYTES_FMT(o->name));
	return RC_OK;
}

static enum rc
rule_serial(struct issuing *i)
{
	TRY(serial_make(i->d->serial, i->f->now_ms, i->f->random, i->e));
	i->d->inputs.serial = arena_dup(i->a, BYTES_OF(i->d->serial));
	ROOM(i->d->inputs.serial.p, i);
	return RC_OK;
}

/* In this order: who, by what, the key, what goes into it. Names are for ever. */
#define RULES(X) \
	X("officer", rule_officer) \
	X("session", rule_session) \
	X("token-procedure", rule_token_procedure) \
	X("right-to-issue", rule_right) \
	X("storage-profile", rule_storage) \
	X("input-view", rule_input) \
	X("proof-of-possession", rule_possession) \
	X("weak-key", rule_weak_key) \
	X("static-token", rule_static_token) \
	X("selection", rule_selection) \
	X("certificate-procedure", rule_procedure) \
	X("authority", rule_authority) \
	X("system-authority", rule_system_authority) \
	X("production", rule_production) \
	X("key-algorithm", rule_key_algorithm) \
	X("authority-key", rule_authority_key) \
	X("basic-constraints", rule_basic_constraints) \
	X("key-usage", rule_key_usage) \
	X("extended-key-usage", rule_extended_key_usage) \
	X("extensions", rule_extensions) \
	X("subject", rule_subject) \
	X("alternative-names", rule_names) \
	X("name-constraints", rule_constraints) \
	X("officer-name-constraints", rule_officer_names) \
	X("officer-subject", rule_officer_subject) \
	X("validity", rule_validity) \
	X("serial-number", rule_serial)

RULE_TABLE(issue_rule_fn, RULES);
RULE_NAMES(issue_rules, RULES)

/* Which list with partitions the certificate is on, decided once and for all by its serial number. */
static enum rc
partition_points(struct issuing *i)
{
	const struct procedure *p = i->d->procedure;
	struct ext_value v = { .kind = OID_CE_CRL_POINTS };

	if (p->split == NULL)
		return RC_OK;
	i->d->crl_partition = crl_partition(p->split, BYTES_OF(i->d->serial));
	ROOM(v.points.v = arena_array(i->a, p->points.n, sizeof(*v.points.v)), i);
	v.points.n = p->points.n;
	memcpy(v.points.v, p->points.v, p->points.n * sizeof(*v.points.v));
	TRY(crl_point_of(i->a, p->split, i->d->crl_partition, &v.points.v[p->split_at], i->e));
	return issue_extension(i, &v);
}

enum rc
decide_issue(struct arena *a, const struct issue_facts *f, struct issue_decision *ret, struct err *e)
{
	struct err own = { 0 };
	struct issuing i = { .a = a,
			     .f = f,
			     .d = ret,
			     .e = e ? e : &own,
			     .san = f->csr->san,
			     .not_before_ms = f->request->not_before_ms,
			     .not_after_ms = f->request->not_after_ms };

	*ret = (struct issue_decision){ .token_procedure = NULL };
	TRY(trace_start(a, &ret->trace, ARRAY_LEN(rules), i.e));
	ROOM(i.exts.v = arena_array(a, TBS_EXTENSIONS_MAX, sizeof(struct ext)), &i);
	for (size_t k = 0; k < ARRAY_LEN(rules); k++) {
		enum rc rc;

		i.note = NULL;
		rc = rules[k].fn(&i);
		TRY(trace_rule(a, &ret->trace, rules[k].name, rc, i.note, i.e));
	}
	TRY(issue_fields(&i));
	TRY(partition_points(&i));
	ROOM(ret->exts = arena_one(a, struct exts), &i);
	*ret->exts = i.exts;
	ret->inputs.exts = ret->exts;
	ret->inputs.spki = f->csr->key.spki;
	if (ret->procedure->format->subject_key_id) {
		NEED(f->key_id.n > 0, i.e, CHY_INTERNAL, NULL, "nobody has made the key identifier");
		ret->inputs.key_id = f->key_id;
	}
	return RC_OK;
}

enum rc
issue_tbs(struct arena *a, const struct issue_decision *d, struct bytes *ret, struct err *e)
{
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);

	NEED(d->procedure != NULL, e, CHY_INTERNAL, NULL, "no decision");
	TRY(cert_tbs_build(&d->procedure->template_, &d->inputs, &w, e));
	return dw_dup(&w, a, ret, e);
}
