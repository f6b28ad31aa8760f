/*
 * certificate.publish and certificate.unpublish: many certificates, one publication procedure. What goes out are rows of the
 * outbox, in the same commit as the signature; each certificate has an outcome of its own.
 */
#include "base/base.h"
#include "factory/act_each.h"

#include "factory/choice.h"
#include "factory/outbox.h"
#include "factory/status.h"
#include "policy/body.h"
#include "policy/find.h"
#include "policy/publication.h"
#include "policy/rights.h"
#include "store/read.h"

/* What both calls look at. */
struct publishing {
	struct factory *f;
	struct arena *a;
	const struct snapshot *policy;
	const struct officer *who;
	const struct json *body;
	const struct document *procedure;
	enum password_choice choice;
	bool removal;
	int64_t at_ms;    /* when it goes out; 0: at once */
	bool choice_open; /* the choice of the revocation password is made later */
};

/* ---- reading the body ---- */

static enum rc
find_procedure(struct publishing *p, struct err *e)
{
	TRY(find_named(p->policy, KIND_PUBLICATION_PROCEDURE, p->body, "publication_procedure",
		       p->who->domain, &p->procedure, e));
	return may_publish_by(p->policy, p->who, p->procedure, e);
}

/* Set and Delete are for those who manage passwords; Keep current is what everybody else does. */
static enum rc
read_choice(struct publishing *p, struct err *e)
{
	struct bytes word = BYTES_NONE, digest = BYTES_NONE;

	TRY(json_opt_str(p->body, "revocation_password", &word, e));
	TRY(json_opt_str(p->body, "revocation_password_sha256", &digest, e));
	p->choice = word.n ? password_choice_of(word) : PASSWORD_KEEP;
	if (p->choice == PASSWORD_CHOICES) {
		err_field(e, "revocation_password");
		FAIL(e, CHY_FIELD_CHOICE, NULL, "set, delete or keep");
	}
	if ((digest.n > 0) != (p->choice == PASSWORD_SET)) {
		err_field(e, "revocation_password_sha256");
		FAIL(e, CHY_REVOCATION_PASSWORD, NULL, "it goes with the choice \"set\", and only with it");
	}
	if (p->choice != PASSWORD_KEEP)
		TRY_AT(may_role(p->who, ROLES(ROLE_MANAGE_REVOCATION_PASSWORD), e), e, "revocation_password");
	return RC_OK;
}

static enum rc
read_body(struct publishing *p, struct err *e)
{
	struct bytes at = BYTES_NONE;

	TRY_AT(find_procedure(p, e), e, "publication_procedure");
	TRY(read_choice(p, e));
	TRY(json_opt_str(p->body, "publish_at", &at, e));
	if (at.n > 0)
		TRY_AT(time_parse(at, &p->at_ms, e), e, "publish_at");
	return RC_OK;
}

/* ---- one certificate ---- */

static enum rc
judge(struct publishing *p, int64_t id, struct certificate_row *cert, struct err *e)
{
	struct choice_row choice = { .publication = 1 };
	struct publication_facts facts = { .policy = p->policy,
					   .officer = p->who,
					   .procedure = p->procedure,
					   .removal = p->removal,
					   .now_ms = clock_now_ms(),
					   .choice = p->choice };
	enum rc rc = store_certificate(p->f->store, p->a, id, cert, e);

	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		FAIL(e, CHY_PUBLICATION_UNKNOWN, NULL, "no certificate has the id %lld", (long long)id);
	}
	TRY(rc);
	/* an attribute certificate shares its base's choice */
	rc = store_choice(p->f->store, p->a, cert->base ? cert->base : id, &choice, e);
	if (rc == RC_NOT_FOUND)
		err_clear(e);
	else
		TRY(rc);
	facts.allowed = choice.publication != 0;
	facts.valid = cert->status == CERTIFICATE_VALID;
	facts.not_after_ms = cert->not_after > p->at_ms ? cert->not_after
							: 0; /* over before it would go out */
	facts.choice_open = p->choice_open;
	facts.has_password = choice.revocation_password.n > 0;
	facts.authority = snapshot_document(p->policy, doc_id_of(cert->issuer));
	facts.token_procedure = snapshot_document(p->policy, doc_id_of(cert->token_procedure));
	TRY(certificate_asked_from(p->f, p->a, p->who, cert, &facts.asked_from, e));
	return decide_publication(&facts, e);
}

/* ---- preparing ---- */

static struct bytes
without_zeros(struct bytes b)
{
	while (b.n > 1 && b.p[0] == 0)
		b = bytes_part(b, 1, SIZE_MAX);
	return b;
}

/* Digits to octets: each digit multiplies what is there by ten. */
static enum rc
serial_from_decimal(struct arena *a, struct bytes text, struct bytes *ret, struct err *e)
{
	uint8_t *octets = arena_alloc(a, LIMIT_SERIAL + 1);
	size_t n = LIMIT_SERIAL + 1;

	NEED(octets != NULL, e, CHY_NO_MEMORY, NULL, "a serial number");
	NEED(text.n >= 1 && text.n <= 49, e, CHY_NUMBER_TEXT, NULL, "1 to 49 digits");
	for (size_t i = 0; i < text.n; i++) {
		unsigned carry = text.p[i] - '0';

		NEED(carry <= 9, e, CHY_NUMBER_TEXT, NULL, "digits only");
		for (size_t k = n; k > 0; k--) {
			carry += octets[k - 1] * 10u;
			octets[k - 1] = (uint8_t)carry;
			carry >>= 8;
		}
		NEED(carry == 0, e, CHY_NUMBER_TEXT, NULL, "larger than a serial number");
	}
	*ret = bytes_of(octets, n);
	return RC_OK;
}

static enum rc
by_serial(struct publishing *p, const struct json *item, int64_t *ret, struct err *e)
{
	static const char *const names[] = { "authority", "serial", "serial_decimal", NULL };
	const struct document *authority;
	struct bytes hex = BYTES_NONE, decimal = BYTES_NONE, serial;
	struct certificate_row cert;
	enum rc rc;

	TRY(json_only(item, names, e));
	TRY_AT(find_named(p->policy, KIND_AUTHORITY, item, "authority", p->who->domain, &authority, e), e,
	       "authority");
	TRY(json_opt_str(item, "serial", &hex, e));
	TRY(json_opt_str(item, "serial_decimal", &decimal, e));
	NEED((hex.n > 0) != (decimal.n > 0), e, CHY_JSON_MISSING, NULL, "serial or serial_decimal");
	if (hex.n > 0)
		TRY_AT(hex_parse(p->a, hex, &serial, e), e, "serial");
	else
		TRY_AT(serial_from_decimal(p->a, decimal, &serial, e), e, "serial_decimal");
	rc = store_certificate_by_serial(p->f->store, p->a, authority->id.v, without_zeros(serial), &cert, e);
	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		FAIL(e, CHY_PUBLICATION_UNKNOWN, NULL, "\"%.*s\" has issued no certificate with this number",
		     BYTES_FMT(authority->name));
	}
	TRY(rc);
	*ret = cert.id;
	return RC_OK;
}

static enum rc
id_of(struct publishing *p, const struct json *item, int64_t *ret, struct err *e)
{
	if (item->type == JSON_OBJECT)
		return by_serial(p, item, ret, e);
	NEED(item->type == JSON_INT && item->integer > 0, e, CHY_JSON_TYPE, NULL,
	     "a certificate's id, or its authority and serial number");
	*ret = item->integer;
	return RC_OK;
}

static void
add_line(struct preparation *p, size_t i, const struct certificate_row *cert, const struct err *why,
	 const struct publishing *x)
{
	const char *label = arena_printf(p->a, "%s - %.*s", x->removal ? "Unpublish" : "Publish",
					 BYTES_FMT(x->procedure->name)),
		   *refused = arena_printf(p->a, "refused, CHY-%d: %s", (int)why->code, why->text);

	act_difference(p->a, p->difference, arena_printf(p->a, "certificates[%zu]", i), bytes_str(label),
		       BYTES_NONE, why->code == CHY_NONE ? cert->subject : bytes_str(refused));
}

/* Which certificates, by id, each once; what each would come to. One that can be published is enough to go on. */
static enum rc
check_all(struct preparation *p, struct publishing *x, struct err *e)
{
	struct json *list, *ids = json_array(p->a);
	struct err first = { 0 };
	size_t i = 0, good = 0, first_at = 0, most = act_row_of(p->act)->selects;

	TRY(json_need_array(p->body, "certificates", &list, e));
	if ((list->count < 1 && p->verdicts == NULL) || list->count > most) {
		err_field(e, "certificates");
		FAIL(e, CHY_LIMIT, NULL, "1 to %zu certificates", most);
	}
	JSON_EACH(item, list)
	{
		struct certificate_row cert = { 0 };
		struct err why = { 0 };
		int64_t id = 0;
		enum rc rc;

		TRY_AT(id_of(x, item, &id, e), e, "certificates[%zu]", i);
		JSON_EACH(before, ids)
		if (before->integer == id) {
			err_field(e, "certificates[%zu]", i);
			FAIL(e, CHY_FIELD_TWICE, NULL, "the certificate stands in the list twice");
		}
		rc = judge(x, id, &cert, &why);
		if (p->verdicts != NULL) {
			TRY(act_verdict(p, id, rc, &why, e));
			json_add(ids, json_int(p->a, id));
			continue;
		}
		if (rc == RC_OK) {
			good++;
		} else if (p->skip_refused) {
			TRY(each_refused(p, item, i++, &why, e));
			continue;
		} else if (why.code == CHY_PUBLICATION_UNKNOWN || first.code == CHY_NONE) {
			first = why;
			first_at = i;
		}
		json_add(ids, json_int(p->a, id));
		add_line(p, i++, &cert, &why, x);
	}
	if (p->verdicts != NULL)
		return RC_OK;
	TRY(each_some_left(p, good, e));
	if (good == 0 || first.code == CHY_PUBLICATION_UNKNOWN) {
		*e = first;
		err_field(e, "certificates[%zu]", first_at);
		return e->rc;
	}
	json_set(p->body, "certificates", ids);
	return RC_OK;
}

enum rc
publish_act_check(struct preparation *p, struct err *e)
{
	static const char *const names[] = {
		"certificates",        "publication_procedure",      "publish_at",
		"revocation_password", "revocation_password_sha256", NULL
	};
	static const char *const back[] = { "certificates", "publication_procedure", NULL };
	struct publishing x = { .f = p->f,
				.a = p->a,
				.policy = p->policy,
				.who = p->who,
				.removal = p->act.verb == ACT_UNPUBLISH };

	p->body = json_copy(p->a, p->in);
	p->difference = json_array(p->a);
	NEED(p->body != NULL && p->difference != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	x.body = p->body;
	TRY(may_role(p->who, act_roles(p->act), e)); /* before anything is told of what there is */
	TRY(json_only(p->body, x.removal ? back : names, e));
	TRY(read_body(&x, e));
	x.choice_open = p->verdicts != NULL && json_get(p->body, "revocation_password") == NULL;
	TRY(check_all(p, &x, e));
	json_set(p->body, "publication_procedure", json_int(p->a, x.procedure->id.v));
	return RC_OK;
}

/* ---- taking effect ---- */

static enum rc
start(struct effect *x, struct publishing *p, struct err *e)
{
	*p = (struct publishing){ .f = x->f,
				  .a = x->a,
				  .policy = x->policy,
				  .who = snapshot_officer(x->policy, x->signer),
				  .body = x->request->body,
				  .removal = x->request->act.verb == ACT_UNPUBLISH };
	NEED(p->who != NULL, e, CHY_OFFICER_UNKNOWN, NULL, "the officer is gone");
	return read_body(p, e);
}

static void
put_delivery(struct publishing *p, struct effect *x, struct change *c, int64_t certificate, int64_t rule,
	     struct json *ids)
{
	int64_t id = factory_new_id(x->f), now = clock_now_ms(), when = p->at_ms > now ? p->at_ms : now;

	change_put_outbox(c,
			  &(struct outbox_row){ .id = id,
						.kind = BYTES("certificate"),
						.object = certificate,
						.destination = rule,
						.by_procedure = p->procedure->id.v,
						.request_id = x->request->id.v,
						.form = body_text(p->procedure->body, "format"),
						.removal = p->removal,
						.at = now,
						.since = when,
						.next_at = when,
						.state = BYTES("waiting"),
						.changed_at = now });
	json_add(ids, json_int(x->a, id));
}

static enum rc
put_leaf(struct publishing *p, struct effect *x, struct change *c, const struct certificate_row *cert,
	 const struct json *deliveries, struct err *e)
{
	struct json *m = json_object(x->a);

	json_set(m, "by", by_request(x->a, x->request->id));
	json_set(m, "certificate", json_int(x->a, cert->id));
	json_set(m, "procedure", json_version(x->a, doc_version_of(p->procedure)));
	json_set(m, "removal", json_bool(x->a, p->removal));
	json_set(m, "revocation_password", json_str(x->a, bytes_str(password_choice_name(p->choice))));
	json_set(m, "deliveries", json_copy(x->a, deliveries));
	return leaf_add(x->f, x->a, c, LEAF_PUBLICATION, 0, cert->id, m, e);
}

static enum rc
publish_one(struct publishing *p, struct effect *x, struct change *c, const struct certificate_row *cert,
	    struct json *outcome, struct err *e)
{
	struct json *deliveries = json_array(x->a);
	int64_t now = clock_now_ms();

	JSON_EACH(rule, body_list(p->procedure->body, "distribution_rules"))
	{
		const struct document *d = snapshot_of_kind(p->policy, KIND_DISTRIBUTION_RULE,
							    doc_id_of(rule->integer));

		if (d != NULL && d->active)
			put_delivery(p, x, c, cert->id, d->id.v, deliveries);
	}
	if (p->choice == PASSWORD_DELETE)
		change_set_revocation_password(c, cert->id, BYTES_NONE);
	change_published(c,
			 &(struct publication_row){ .certificate = cert->id,
						    .by_procedure = p->procedure->id.v,
						    .at = p->at_ms > now ? p->at_ms : now,
						    .request_id = x->request->id.v,
						    .withdrawn = p->removal });
	json_set(outcome, "deliveries", deliveries);
	return put_leaf(p, x, c, cert, deliveries, e);
}

/* Judged again by what is so now: minutes may lie between the two calls. */
enum rc
publish_act_apply(struct effect *x, struct change *c, struct err *e)
{
	struct json *list, *outcomes = json_array(x->a);
	struct publishing p;

	TRY(start(x, &p, e));
	TRY(json_need_array(p.body, "certificates", &list, e));
	JSON_EACH(item, list)
	{
		struct json *o = json_object(x->a);
		struct certificate_row cert;
		struct err why = { 0 };
		enum rc rc = judge(&p, item->integer, &cert, &why);

		json_set(o, "certificate", json_int(x->a, item->integer));
		if (rc == RC_OK)
			TRY(publish_one(&p, x, c, &cert, o, e));
		else if (is_refusal(rc))
			json_set(o, "problem", problem_json(x->a, &why));
		else
			FAIL(e, why.code, NULL, "%s", why.text);
		json_add(outcomes, o);
	}
	json_set(x->result, "certificates", outcomes);
	return RC_OK;
}

/* The password's form, for each that is published: the same for all of the request. */
enum rc
publish_act_bring(struct effect *x, struct change *c, struct err *e)
{
	static const char *const names[] = { "revocation_password", NULL };
	struct choice_asked asked;
	struct publishing p;
	struct json *list;
	struct bytes form;

	TRY(choice_read(x->request->body, &asked, e));
	if (x->secrets != NULL)
		TRY_AT(json_only(x->secrets, names, e), e, "secrets");
	TRY_AT(choice_form(&asked, x->secrets, &form, e), e, "secrets");
	if (form.n == 0)
		return RC_OK;
	TRY(start(x, &p, e));
	TRY(json_need_array(p.body, "certificates", &list, e));
	JSON_EACH(item, list)
	{
		struct certificate_row cert;
		struct err why = { 0 };

		if (judge(&p, item->integer, &cert, &why) == RC_OK)
			change_set_revocation_password(c, cert.id, form);
	}
	return RC_OK;
}
