/*
 * What foreign CAs have issued: under which authority it can come here, which lists are taken, and what becomes of a state,
 * from every state by every wish.
 */
#include "policy_world.h"

#include "pki/crl.h"
#include "policy/import.h"

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

static const struct officer *
officer(int64_t id, roles r, int64_t domain)
{
	struct officer *o = arena_one(w->a, struct officer);

	*o = *snapshot_officer(w->s, officer_id_of(id));
	o->roles = r;
	o->domain = doc_id_of(domain);
	return o;
}

static const roles importer = ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_IMPORT_CERTIFICATES);

/* A foreign root, out of what an authority here is. */
static struct authority
foreign(int64_t domain)
{
	struct authority x = *snapshot_authority(w->s, doc_id_of(ROOT_CA));
	struct document *d = arena_one(w->a, struct document);

	*d = *x.doc;
	d->domain = doc_id_of(domain);
	x.doc = d;
	x.type = AUTHORITY_EXTERNAL_ROOT;
	return x;
}

static void
only_what_a_foreign_authority_has_issued(void **state)
{
	static const struct {
		enum authority_type type;
		bool foreign;
	} rows[] = { { AUTHORITY_ROOT, false },
		     { AUTHORITY_SUBORDINATE, false },
		     { AUTHORITY_EXTERNAL_SUBORDINATE, false },
		     { AUTHORITY_EXTERNAL_ROOT, true },
		     { AUTHORITY_CROSS, true } };
	struct authority x = foreign(0);
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		x.type = rows[i].type;
		assert_int_equal(authority_is_foreign(&x), rows[i].foreign);
		if (rows[i].foreign)
			assert_ok(may_import(w->a, w->s, officer(CLEO, importer, 0), &x, &e));
		else
			assert_code(may_import(w->a, w->s, officer(CLEO, importer, 0), &x, &e),
				    CHY_IMPORT_AUTHORITY);
	}
	assert_false(authority_is_foreign(NULL));
	x.certificate = BYTES_NONE;
	assert_code(may_import(w->a, w->s, officer(CLEO, importer, 0), &x, &e), CHY_IMPORT_AUTHORITY);
}

static void
who_may_import(void **state)
{
	struct authority x = foreign(NORTH);
	struct officer *constrained = arena_one(w->a, struct officer);
	struct err e = { 0 };

	assert_code(may_import(w->a, w->s, officer(CLEO, ROLES(ROLE_USE_CLIENTS), 0), &x, &e),
		    CHY_ROLE_MISSING);
	assert_code(may_import(w->a, w->s, officer(CLEO, ROLES(ROLE_IMPORT_CERTIFICATES), 0), &x, &e),
		    CHY_ROLE_MISSING);
	assert_ok(may_import(w->a, w->s, officer(CLEO, importer, 0), &x, &e));
	assert_ok(may_import(w->a, w->s, officer(CLEO, importer, NORTH), &x, &e));
	assert_code(may_import(w->a, w->s, officer(CLEO, importer, SOUTH), &x, &e), CHY_STATUS_UNSEEN);
	assert_code(may_import(w->a, w->s, officer(CLEO, importer, 0), NULL, &e), CHY_STATUS_UNSEEN);
	*constrained = *officer(CLEO, importer, 0);
	constrained->issuer_constraints = world_json(
	    w, "[{\"tests\":[{\"attribute\":\"2.5.4.3\",\"test\":\"is\",\"value\":\"Somebody else\"}]}]");
	assert_code(may_import(w->a, w->s, constrained, &x, &e), CHY_ISSUER_CONSTRAINT);
}

/* ---- lists ---- */

static struct crl
list(const struct authority *x, struct ext *exts, size_t n)
{
	return (struct crl){ .version = 2,
			     .issuer = x->subject_in_force,
			     .this_update_at = WORLD_NOW,
			     .sigalg = SIGALG_ECDSA_SHA256,
			     .exts = { n, exts } };
}

static struct ext
ext_of(const struct ext_value *v)
{
	struct ext x;

	assert_ok(ext_encode(w->a, v, &x, NULL));
	return x;
}

static void
which_lists_are_taken(void **state)
{
	struct authority x = foreign(0), other = *snapshot_authority(w->s, doc_id_of(ISSUING_CA));
	struct ext exts[2];
	struct crl c = list(&x, exts, 0);
	struct err e = { 0 };

	assert_ok(import_crl_fits(w->a, &x, &c, WORLD_NOW, &e));
	assert_int_equal(import_crl_scope(&c).n, 0);
	assert_code(import_crl_fits(w->a, &other, &c, WORLD_NOW, &e), CHY_IMPORT_ISSUER);
	assert_code(import_crl_fits(w->a, &x, &c, WORLD_NOW - 400000, &e), CHY_IMPORT_TIME);
	assert_ok(import_crl_fits(w->a, &x, &c, WORLD_NOW - 200000, &e)); /* a clock may be ahead */
	c.sigalg = SIGALG_NONE;
	assert_code(import_crl_fits(w->a, &x, &c, WORLD_NOW, &e), CHY_IMPORT_WEAK);
	c = list(&x, exts, 0);
	c.critical_unknown = true;
	assert_code(import_crl_fits(w->a, &x, &c, WORLD_NOW, &e), CHY_IMPORT_LIST);
	c = list(&x, exts, 0);
	c.base = BYTES("\x01");
	assert_code(import_crl_fits(w->a, &x, &c, WORLD_NOW, &e), CHY_IMPORT_LIST);
	c = list(&x, exts, 1);
	exts[0] = ext_of(
	    &(struct ext_value){ .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = x.key_id } });
	assert_ok(import_crl_fits(w->a, &x, &c, WORLD_NOW, &e));
	exts[0] = ext_of(
	    &(struct ext_value){ .kind = OID_CE_AUTHORITY_KEY_ID, .aki = { .key_id = other.key_id } });
	assert_code(import_crl_fits(w->a, &x, &c, WORLD_NOW, &e), CHY_IMPORT_ISSUER);
}

static void
lists_of_parts_are_taken_those_of_others_not(void **state)
{
	static const struct {
		struct issuing_point p;
		bool taken;
	} rows[] = { { { .only_user = true }, true },
		     { { .only_ca = true }, true },
		     { { .reasons = 2 }, true },
		     { { .indirect = true }, false },
		     { { .only_attribute = true }, false } };
	struct authority x = foreign(0);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ext idp = ext_of(&(struct ext_value){
		    .kind = OID_CE_ISSUING_POINT, .critical = true, .point = rows[i].p });
		struct crl c = list(&x, &idp, 1);
		struct err e = { 0 };

		assert_bytes(import_crl_scope(&c), idp.value);
		if (rows[i].taken)
			assert_ok(import_crl_fits(w->a, &x, &c, WORLD_NOW, &e));
		else
			assert_code(import_crl_fits(w->a, &x, &c, WORLD_NOW, &e), CHY_IMPORT_LIST);
	}
}

static void
what_an_entry_says(void **state)
{
	struct crl_entry entry = { .revoked_at = 5, .reason = CRL_NO_REASON, .invalidity_at = CRL_NO_TIME };
	struct import_wish wish = import_crl_wish(NULL, BYTES("crl"), 9);

	assert_int_equal(wish.state, CERT_VALID);
	assert_int_equal(wish.at_ms, 9);
	wish = import_crl_wish(&entry, BYTES("crl"), 9);
	assert_int_equal(wish.state, CERT_REVOKED);
	assert_int_equal(wish.reason, REASON_UNSPECIFIED);
	assert_int_equal(wish.at_ms, 5);
	assert_int_equal(wish.invalid_at_ms, 0);
	for (int reason = 0; reason <= CRL_AA_COMPROMISE; reason++) {
		entry.reason = reason;
		entry.invalidity_at = 3;
		wish = import_crl_wish(&entry, BYTES("crl"), 9);
		assert_int_equal(wish.state,
				 reason == CRL_HOLD         ? CERT_HELD
				     : reason == CRL_REMOVE ? CERT_VALID
							    : CERT_REVOKED);
		assert_int_equal(wish.invalid_at_ms, wish.state == CERT_REVOKED ? 3 : 0);
		assert_true(wish.state != CERT_REVOKED || reason_name(wish.reason)[0] != 0);
	}
}

/* ---- every state by every wish ---- */

static void
what_becomes_of_a_state(void **state)
{
	const struct bytes own[] = { BYTES("crl") }, others[] = { BYTES("import") },
			   both[] = { BYTES("crl"), BYTES("import") };
	const struct {
		enum cert_state now;
		const struct bytes *causes;
		size_t n;
		enum cert_state wish;
		enum code code;
		bool any;
		enum cert_state to;
		int64_t at; /* 7: as before, 9: as the wish says */
	} rows[] = {
		{ CERT_VALID, NULL, 0, CERT_VALID, CHY_NONE, false, CERT_VALID, 0 },
		{ CERT_VALID, NULL, 0, CERT_HELD, CHY_NONE, true, CERT_HELD, 9 },
		{ CERT_VALID, NULL, 0, CERT_REVOKED, CHY_NONE, true, CERT_REVOKED, 9 },
		{ CERT_HELD, own, 1, CERT_VALID, CHY_NONE, true, CERT_VALID, 9 },
		{ CERT_HELD, own, 1, CERT_HELD, CHY_NONE, false, CERT_HELD, 0 },
		{ CERT_HELD, own, 1, CERT_REVOKED, CHY_NONE, true, CERT_REVOKED, 9 },
		{ CERT_HELD, others, 1, CERT_VALID, CHY_NONE, false, CERT_HELD, 0 },
		{ CERT_HELD, others, 1, CERT_HELD, CHY_NONE, true, CERT_HELD, 7 },
		{ CERT_HELD, both, 2, CERT_VALID, CHY_NONE, true, CERT_HELD, 7 },
		{ CERT_HELD, both, 2, CERT_REVOKED, CHY_NONE, true, CERT_REVOKED, 9 },
		{ CERT_REVOKED, NULL, 0, CERT_REVOKED, CHY_NONE, false, CERT_REVOKED, 0 },
		{ CERT_REVOKED, NULL, 0, CERT_HELD, CHY_IMPORT_STATE, false, CERT_REVOKED, 0 },
		{ CERT_REVOKED, NULL, 0, CERT_VALID, CHY_IMPORT_STATE, false, CERT_REVOKED, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct import_now now = { rows[i].now, 7, rows[i].causes, rows[i].n };
		const struct import_wish wish = {
			.state = rows[i].wish, .reason = REASON_SUPERSEDED, .at_ms = 9, .cause = BYTES("crl")
		};
		struct import_change d;
		struct err e = { 0 };

		if (rows[i].code != CHY_NONE) {
			assert_code(decide_import(&now, &wish, &d, &e), rows[i].code);
			continue;
		}
		assert_ok(decide_import(&now, &wish, &d, &e));
		assert_int_equal(d.any, rows[i].any);
		if (!d.any)
			continue;
		assert_int_equal(d.to, rows[i].to);
		assert_int_equal(d.at_ms, rows[i].at);
		assert_true(status_may(now.state, d.verb));
		assert_int_equal(d.reason,
				 d.to == CERT_REVOKED    ? REASON_SUPERSEDED
				     : d.to == CERT_HELD ? REASON_HOLD
							 : REASON_REMOVED);
	}
}

static void
holds_have_a_limit(void **state)
{
	struct bytes causes[HOLD_CAUSES_MAX];
	const struct import_now now = { CERT_HELD, 7, causes, HOLD_CAUSES_MAX };
	const struct import_wish wish = { .state = CERT_HELD, .at_ms = 9, .cause = BYTES("crl") };
	struct import_change d;
	struct err e = { 0 };

	for (size_t i = 0; i < HOLD_CAUSES_MAX; i++)
		causes[i] = bytes_str(arena_printf(w->a, "cause %zu", i));
	assert_code(decide_import(&now, &wish, &d, &e), CHY_IMPORT_STATE);
}

static const struct CMUnitTest tests[] = {
	ROWS(only_what_a_foreign_authority_has_issued, "CM-I-22"),
	CASE(who_may_import),
	CASE(which_lists_are_taken),
	CASE(lists_of_parts_are_taken_those_of_others_not),
	CASE(what_an_entry_says),
	ROWS(what_becomes_of_a_state, "CM-I-22"),
	CASE(holds_have_a_limit),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, setup, teardown);
}
