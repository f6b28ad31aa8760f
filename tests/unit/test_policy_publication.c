/*
 * Distribution rules as documents, and whether a certificate may be published: every combination against a second telling of
 * the rules.
 */
#include "policy_world.h"

#include "policy/publication.h"

static struct world *w;

static int
setup(void **state)
{
	w = world_new();
	return 0;
}

static int
teardown(void **state)
{
	world_free(w);
	return 0;
}

static enum rc
check(enum kind_id kind, const struct json *body, struct err *e)
{
	struct document_check c = { .kind = kind_of(kind), .policy = w->s };
	struct json *normal;

	return document_check(w->a, &c, body, &normal, e);
}

/* What no table says: the address fits the protocol, passwords go over TLS only, patterns keep their structure. */
static void
distribution_rules_hold(void **state)
{
	static const struct {
		const char *body, *field;
		enum code code;
	} rows[] = {
		{ "\"protocol\":\"http\",\"address\":\"ldap://a.example\",\"path\":\"/x\"", "address",
		  CHY_FIELD_CONFLICT },
		{ "\"protocol\":\"http\",\"address\":\"httpx://a.example\",\"path\":\"/x\"", "address",
		  CHY_FIELD_URI },
		{ "\"protocol\":\"http\",\"address\":\"https://u:p@a.example\",\"path\":\"/x\"", "address",
		  CHY_FIELD_VALUE },
		{ "\"protocol\":\"http\",\"address\":\"https://a.example/y\",\"path\":\"/x\"", "address",
		  CHY_FIELD_VALUE },
		{ "\"protocol\":\"http\",\"address\":\"https://a.example\",\"path\":\"/../x\"", "path",
		  CHY_FIELD_VALUE },
		{ "\"protocol\":\"http\",\"address\":\"https://a.example\",\"path\":\"/x\",\"user\":\"u\"",
		  "secret", CHY_FIELD_MISSING },
		{ "\"protocol\":\"http\",\"address\":\"https://a.example\",\"path\":\"/x\",\"secret\":\"s\"",
		  "user", CHY_FIELD_MISSING },
		{ "\"protocol\":\"http\",\"address\":\"http://a.example\",\"path\":\"/"
		  "x\",\"user\":\"u\",\"secret\":\"s\"",
		  "secret", CHY_FIELD_CONFLICT },
		{ "\"protocol\":\"http\",\"address\":\"http://a.example\",\"path\":\"/"
		  "x\",\"client_certificate\":\"s\"",
		  "client_certificate", CHY_FIELD_CONFLICT },
		{ "\"protocol\":\"http\",\"address\":\"https://a.example\",\"path\":\"/"
		  "x\",\"user\":\"u\",\"secret\":\"../s\"",
		  "secret", CHY_FIELD_VALUE },
		{ "\"protocol\":\"ldap\",\"address\":\"ldap://"
		  "a.example\",\"start_tls\":false,\"dn\":\"cn={cn}\",\"bind_dn\":"
		  "\"cn=x\",\"secret\":\"s\"",
		  "secret", CHY_FIELD_CONFLICT },
		{ "\"protocol\":\"ldap\",\"address\":\"ldap://a.example\"", "dn", CHY_FIELD_MISSING },
		{ "\"protocol\":\"ldap\",\"address\":\"ldap://"
		  "a.example\",\"dn\":\"cn={cn}\",\"search_base\":\"o=x\","
		  "\"search_filter\":\"(cn=x)\"",
		  "dn", CHY_FIELD_CONFLICT },
		{ "\"protocol\":\"ldap\",\"address\":\"ldap://a.example\",\"dn\":\"{cn}=x\"", "dn",
		  CHY_FIELD_VALUE },
		{ "\"protocol\":\"ldap\",\"address\":\"ldap://"
		  "a.example\",\"search_base\":\"o=x\",\"search_filter\":\"cn={cn}\"",
		  "search_filter", CHY_FIELD_VALUE },
		{ "\"protocol\":\"ldap\",\"address\":\"ldap://"
		  "a.example\",\"dn\":\"cn={cn}\",\"attribute\":\"a b\"",
		  "attribute", CHY_FIELD_VALUE },
		{ "\"protocol\":\"ldap\",\"address\":\"ldap://"
		  "a.example\",\"dn\":\"cn={cn}\",\"attributes\":[{\"type\":\"sn\","
		  "\"value\":\"{nosuch}\"}]",
		  "attributes[0].value", CHY_FIELD_VALUE },
		{ "\"protocol\":\"file\",\"folder\":\"srv\",\"file_name\":\"x\"", "folder", CHY_FIELD_VALUE },
		{ "\"protocol\":\"file\",\"folder\":\"/srv/../etc\",\"file_name\":\"x\"", "folder",
		  CHY_FIELD_VALUE },
		{ "\"protocol\":\"file\",\"folder\":\"/srv\",\"file_name\":\"../x\"", "file_name",
		  CHY_FIELD_VALUE },
		{ "\"protocol\":\"mail\",\"address\":\"smtp://"
		  "a.example\",\"sender\":\"a@b.example\",\"recipients\":[\"{nobody}\"],"
		  "\"subject\":\"x\"",
		  "recipients[0]", CHY_FIELD_VALUE },
		{ "\"protocol\":\"file\",\"folder\":\"/srv\",\"file_name\":\"x\",\"give_up_after\":\"P0D\"",
		  "give_up_after", CHY_FIELD_RANGE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		const char *body = arena_printf(w->a, "{\"name\":\"R\",%s}", rows[i].body);

		(void)!check(KIND_DISTRIBUTION_RULE, world_json(w, body), &e);
		if (e.code != rows[i].code || strcmp(e.field, rows[i].field) != 0)
			fail_msg("%s: %s %s, not %s %s", rows[i].body, code_name(e.code), e.field,
				 code_name(rows[i].code), rows[i].field);
	}
}

enum { PUBLISHING = 950, PUBLISHING_FREELY, NOWHERE };

static void
make_procedures(void)
{
	world_put(w, KIND_PUBLICATION_PROCEDURE, PUBLISHING,
		  "{\"name\":\"Web\",\"format\":\"der\",\"distribution_rules\":[907]}");
	world_put(w, KIND_PUBLICATION_PROCEDURE, PUBLISHING_FREELY,
		  "{\"name\":\"Freely\",\"format\":\"der\",\"distribution_rules\":[907],\"password_needed\":"
		  "false}");
	world_put(w, KIND_PUBLICATION_PROCEDURE, NOWHERE, "{\"name\":\"Nowhere\",\"format\":\"der\"}");
}

/* What must come out, told once more and in another order. */
static enum code
expected(const struct publication_facts *f, bool needed, bool both)
{
	bool has = f->choice == PASSWORD_SET || (f->choice == PASSWORD_KEEP && f->has_password);

	if (f->authority == NULL)
		return CHY_PUBLICATION_UNKNOWN;
	if (f->removal)
		return CHY_NONE;
	if (!f->allowed)
		return CHY_PUBLICATION_NOT_ALLOWED;
	if (!f->valid)
		return CHY_PUBLICATION_STATE;
	if (f->now_ms > f->not_after_ms)
		return CHY_PUBLICATION_EXPIRED;
	return needed && both && !has ? CHY_PUBLICATION_PASSWORD : CHY_NONE;
}

static void
every_combination_is_decided(void **state)
{
	const roles publish = ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_PUBLISH_CERTIFICATE);
	size_t refused = 0;

	make_procedures();
	for (unsigned bits = 0; bits < 1u << 8; bits++)
		for (int choice = 0; choice < PASSWORD_CHOICES; choice++) {
			bool both = bits & 1, needed = bits & 2;
			struct officer o = { .roles = publish |
						 (both ? ROLES(ROLE_MANAGE_REVOCATION_PASSWORD) : 0) };
			struct publication_facts f = {
				.policy = w->s,
				.officer = &o,
				.procedure = snapshot_document(
				    w->s, doc_id_of(needed ? PUBLISHING : PUBLISHING_FREELY)),
				.removal = bits & 4,
				.allowed = bits & 8,
				.valid = bits & 16,
				.has_password = bits & 32,
				.now_ms = WORLD_NOW,
				.not_after_ms = WORLD_NOW - ((bits & 64) != 0),
				.choice = (enum password_choice)choice,
				.authority = bits & 128 ? NULL
							: snapshot_document(w->s, doc_id_of(ISSUING_CA)),
			};
			struct err e = { 0 };
			enum rc rc = decide_publication(&f, &e);

			if (e.code != expected(&f, needed, both) || (rc == RC_OK) != (e.code == CHY_NONE))
				fail_msg("%x %d: %s, not %s", bits, choice, code_name(e.code),
					 code_name(expected(&f, needed, both)));
			if (rc != RC_OK) {
				assert_non_null(e.rule);
				refused++;
			}
		}
	assert_true(refused > 300);
}

/* The authority is shared, the token procedure is another tenant's. */
static void
what_another_tenant_has_is_not_seen(void **state)
{
	struct document south = { .id = doc_id_of(4711),
				  .kind = KIND_TOKEN_PROCEDURE,
				  .domain = doc_id_of(SOUTH) };
	struct officer o = { .roles = ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_PUBLISH_CERTIFICATE),
			     .domain = doc_id_of(NORTH) };
	struct publication_facts f = { .policy = w->s,
				       .officer = &o,
				       .allowed = true,
				       .valid = true,
				       .now_ms = WORLD_NOW,
				       .not_after_ms = WORLD_NOW,
				       .authority = snapshot_document(w->s, doc_id_of(ISSUING_CA)),
				       .token_procedure = &south };
	struct err e = { 0 };

	make_procedures();
	f.policy = w->s;
	f.procedure = snapshot_document(w->s, doc_id_of(PUBLISHING));
	f.authority = snapshot_document(w->s, doc_id_of(ISSUING_CA));
	for (int removal = 0; removal <= 1; removal++) {
		f.removal = removal != 0;
		f.token_procedure = &south;
		assert_code(decide_publication(&f, &e), CHY_PUBLICATION_UNKNOWN);
		south.domain = doc_id_of(NORTH);
		assert_ok(decide_publication(&f, &e));
		south.domain = doc_id_of(0); /* Root's: whose domain it is says who asked for it */
		assert_code(decide_publication(&f, &e), CHY_DOMAIN_FOREIGN);
		f.asked_from = doc_id_of(NORTH_CITY);
		assert_ok(decide_publication(&f, &e));
		f.asked_from = doc_id_of(0);
		south.domain = doc_id_of(SOUTH);
	}
}

static void
procedures_are_open_and_lead_somewhere(void **state)
{
	struct officer o = { .roles = ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_PUBLISH_CERTIFICATE) };
	struct err e = { 0 };

	make_procedures();
	assert_ok(may_publish_by(w->s, &o, snapshot_document(w->s, doc_id_of(PUBLISHING)), &e));
	assert_code(may_publish_by(w->s, &o, snapshot_document(w->s, doc_id_of(NOWHERE)), &e),
		    CHY_PUBLICATION_PROCEDURE);
	o.roles = ROLES(ROLE_USE_CLIENTS);
	assert_code(may_publish_by(w->s, &o, snapshot_document(w->s, doc_id_of(PUBLISHING)), &e),
		    CHY_ROLE_MISSING);
	o.roles |= ROLES(ROLE_PUBLISH_CERTIFICATE);
	world_put(w, KIND_DISTRIBUTION_RULE, RULE,
		  "{\"name\":\"Web\",\"state\":\"closed\",\"protocol\":\"http\",\"address\":\"http://"
		  "web.example\",\"path\":"
		  "\"/in\"}");
	assert_code(may_publish_by(w->s, &o, snapshot_document(w->s, doc_id_of(PUBLISHING)), &e),
		    CHY_PUBLICATION_PROCEDURE);
	world_put(w, KIND_PUBLICATION_PROCEDURE, PUBLISHING,
		  "{\"name\":\"Web\",\"state\":\"closed\",\"format\":\"der\",\"distribution_rules\":[]}");
	assert_code(may_publish_by(w->s, &o, snapshot_document(w->s, doc_id_of(PUBLISHING)), &e),
		    CHY_PUBLICATION_PROCEDURE);
}

/* Open ones only: what a closed rule would get is not even put into the outbox. */
static void
procedures_know_their_open_rules(void **state)
{
	const struct procedure *p;

	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE,
		  "{\"name\":\"Any\",\"authority\":502,\"format\":602,\"validity\":\"P90D\",\"distribution_"
		  "rules\":[907]}");
	p = snapshot_procedure(w->s, doc_id_of(PROC_NONE));
	assert_true(p->rules_n == 1 && p->rules[0].v == RULE);
	world_put(w, KIND_DISTRIBUTION_RULE, RULE,
		  "{\"name\":\"Web\",\"state\":\"closed\",\"protocol\":\"http\",\"address\":\"http://"
		  "web.example\",\"path\":"
		  "\"/in\"}");
	p = snapshot_procedure(w->s, doc_id_of(PROC_NONE));
	assert_int_equal(p->rules_n, 0);
}

#define EACH(fn) \
	{ \
#fn, fn, setup, teardown, NULL \
	}
#define EACH_ROWS(fn, ids) \
	{ \
#fn " rows=" ids, fn, setup, teardown, NULL \
	}

static const struct CMUnitTest tests[] = {
	EACH_ROWS(distribution_rules_hold, "CM-P-21"),
	EACH_ROWS(every_combination_is_decided, "CM-P-07 CM-P-12 CM-P-27"),
	EACH(what_another_tenant_has_is_not_seen),
	EACH(procedures_are_open_and_lead_somewhere),
	EACH(procedures_know_their_open_rules),
};
TESTS_MAIN(tests)
