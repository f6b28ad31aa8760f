/*
 * The tables themselves: every kind, field and choice holds together, names go both ways, states and acts are complete.
 */
#include "test.h"
#include "base/file.h"

#include "model/choices.h"
#include "model/document.h"
#include "model/log.h"
#include "model/request.h"
#include "pki/ext.h"
#include "pki/key.h"

static void names_of_fields(const struct kind *k, const struct field *fields, int depth);

static bool
is_plain(const char *s)
{
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') && *s != '_')
			return false;
	return true;
}

static void
condition(const struct kind *k, const struct field *fields, const struct field *f, const struct cond *c)
{
	const struct field *other;

	if (c->op == COND_NONE)
		return;
	other = field_find(fields, bytes_str(c->field));
	if (other == NULL || other == f)
		fail_msg("%s.%s depends on %s", k->name, f->name, c->field);
	if (c->op == COND_SET || c->op == COND_UNSET)
		return;
	assert_non_null(c->values[0]);
	for (int i = 0; i < COND_VALUES_MAX && c->values[i]; i++) {
		if (other->type == FIELD_BOOL)
			assert_true(strcmp(c->values[i], "true") == 0 || strcmp(c->values[i], "false") == 0);
		else if (choice_index(other->choices, bytes_str(c->values[i])) < 0)
			fail_msg("%s.%s: %s is no choice of %s", k->name, f->name, c->values[i], other->name);
	}
}

static void
one_field(const struct kind *k, const struct field *fields, const struct field *f, int depth)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);
	struct json *v;

	assert_true(is_plain(f->name));
	assert_true(f->label && f->label[0]);
	assert_ptr_equal(field_find(fields, bytes_str(f->name)), f); /* no name twice */
	assert_true(f->min <= f->max);
	if (f->flags & FIELD_LIST)
		assert_true(f->list_min <= f->list_max && f->list_max > 0);
	if (f->type == FIELD_CHOICE || f->type == FIELD_URI)
		assert_true(f->choices != NULL && f->choices[0].name != NULL);
	if (f->type == FIELD_TEXT || f->type == FIELD_HEX || f->type == FIELD_DN || f->type == FIELD_URI)
		assert_true(f->max > 0); /* no text without a limit */
	if (f->type == FIELD_REF && !(f->flags & FIELD_NOT_YET))
		assert_non_null(kind_of(f->ref));
	if (f->dflt != NULL)
		assert_ok(json_parse(a, bytes_str(f->dflt), &v, NULL));
	if (depth == 0)
		assert_true(f->help && f->help[0]);
	for (int i = 0; i < FIELD_CONDS_MAX; i++) {
		condition(k, fields, f, &f->only_when[i]);
		condition(k, fields, f, &f->must_when[i]);
	}
	assert_int_equal(f->type == FIELD_OBJECT, f->members != NULL);
	if (f->members != NULL)
		names_of_fields(k, f->members, depth + 1);
}

static void
names_of_fields(const struct kind *k, const struct field *fields, int depth)
{
	assert_true(depth < 4);
	for (const struct field *f = fields; f->name != NULL; f++)
		one_field(k, fields, f, depth);
}

static void
every_kind_holds_together(void **state)
{
	int n = 0;

	for (int i = 0; i < KIND_COUNT; i++) {
		const struct kind *k = kind_of((enum kind_id)i);

		assert_int_equal(kind_id_of(bytes_str(kind_name((enum kind_id)i))), i);
		if (k == NULL)
			continue;
		n++;
		assert_string_equal(k->name, kind_name(k->id));
		assert_ptr_equal(kind_named(bytes_str(k->name)), k);
		assert_int_equal(k->signatures, 2);
		assert_non_null(field_find(k->fields, BYTES("name")));
		assert_non_null(field_find(k->fields, BYTES("state")));
		assert_non_null(
		    field_find(k->fields, k->id == KIND_DOMAIN ? BYTES("parent") : BYTES("domain")));
		names_of_fields(k, k->fields, 0);
	}
	assert_int_equal(n, KIND_COUNT);
	assert_int_equal(kind_id_of(BYTES("no-kind")), KIND_NONE);
	assert_null(kind_of(KIND_NONE));
	assert_string_equal(kind_name(KIND_COUNT), "");
}

/* What other folders know by the same words. */
static void
choices_are_what_pki_knows(void **state)
{
	struct key_type t;
	char text[KEY_NAME_MAX];

	for (const struct choice *c = signature_algorithm_choices; c->name; c++)
		if (sigalg_by_name(bytes_str(c->name)) == SIGALG_NONE)
			fail_msg("%s", c->name);
	for (int s = SIGALG_NONE + 1; s < SIGALG_COUNT; s++)
		assert_true(
		    choice_index(signature_algorithm_choices, bytes_str(sigalg_name((enum sigalg)s))) >= 0);
	for (const struct choice *c = key_algorithm_choices; c->name; c++) {
		assert_ok(key_type_parse(bytes_str(c->name), &t, NULL));
		assert_string_equal(key_type_text(text, t), c->name);
	}
	for (const struct choice *c = key_family_choices + 1; c->name; c++)
		assert_ok(key_type_parse(bytes_str(c->name), &t, NULL));
	for (unsigned bit = 0; bit < 9; bit++)
		assert_int_equal(key_usage_by_name(bytes_str(key_usage_choices[bit].name)), 1u << bit);
	assert_null(key_usage_choices[9].name);
}

static void
roles_go_both_ways(void **state)
{
	for (int r = 0; r < ROLE_COUNT; r++) {
		assert_int_equal(role_of(bytes_str(role_name((enum role)r))), r);
		assert_int_equal(choice_index(role_choices, bytes_str(role_name((enum role)r))), r);
		assert_int_equal(role_workbench((enum role)r),
				 r < ROLE_USE_CLIENTS ? WORKBENCH_ADMINISTRATION : WORKBENCH_REGISTRATION);
		assert_true(role_label((enum role)r)[0] != 0);
	}
	assert_int_equal(role_of(BYTES("")), ROLE_NONE);
	assert_string_equal(role_name(ROLE_NONE), "");
	assert_true(ROLE_COUNT <= 64);
}

/* Every pair of states, against the list of what may be. */
static void
states_change_as_the_table_says(void **state)
{
	static const char *const may[] = { "prepared>waiting",  "prepared>signed",    "prepared>void",
					   "prepared>expired",  "prepared>withdrawn", "waiting>signed",
					   "waiting>void",      "waiting>expired",    "waiting>rejected",
					   "waiting>withdrawn", "signed>done",        "signed>void",
					   "signed>failed" };
	size_t found = 0;

	for (int from = 0; from < REQUEST_STATE_COUNT; from++) {
		assert_int_equal(request_state_of(bytes_str(request_state_name((enum request_state)from))),
				 from);
		for (int to = 0; to < REQUEST_STATE_COUNT; to++) {
			char pair[64];
			bool want = false;

			snprintf(pair, sizeof(pair), "%s>%s", request_state_name((enum request_state)from),
				 request_state_name((enum request_state)to));
			for (size_t i = 0; i < ARRAY_LEN(may); i++)
				want = want || strcmp(may[i], pair) == 0;
			assert_int_equal(request_may_become((enum request_state)from, (enum request_state)to),
					 want);
			found += want;
			if (want)
				assert_false(request_state_is_final((enum request_state)from));
		}
	}
	assert_int_equal(found, ARRAY_LEN(may));
	assert_false(request_may_become(REQUEST_STATE_NONE, REQUEST_DONE));
	assert_int_equal(request_state_of(BYTES("lost")), REQUEST_STATE_NONE);
}

/* docs/formats/request.md is what signatures are read by in twenty years: it names every act. */
static void
acts_stand_in_the_format(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	const char *path = arena_printf(a, "%s/docs/formats/request.md", getenv("CHANCERY_SOURCE")), *text;
	struct bytes file;
	char name[64];
	struct err e;

	err_clear(&e);
	assert_int_equal(file_read(a, path, 1 << 20, &file, &e), RC_OK);
	text = arena_str(a, file);
	for (int v = ACT_MODIFY + 1; v < ACT_VERB_COUNT; v++)
		for (int k = KIND_NONE; k < KIND_COUNT; k++) {
			struct act act = { (enum act_verb)v, (enum kind_id)k };
			struct act again = act_of(bytes_str(act_name(name, act)));

			if (again.verb == act.verb && again.kind == act.kind &&
			    strstr(text, arena_printf(a, "`%s`", name)) == NULL)
				fail_msg("%s is not in %s", name, path);
		}
}

static void
acts_go_both_ways(void **state)
{
	static const char *const others[] = { "certificate.issue", "issuing-session.open" };
	static const char *const none[] = { "",
					    ".",
					    "format",
					    "format.",
					    "format.delete",
					    "no-kind.create",
					    ".create",
					    "certificate.issue.x",
					    "issue" };
	char text[64];

	for (int k = 0; k < KIND_COUNT; k++)
		for (int v = ACT_CREATE; v <= ACT_MODIFY; v++) {
			struct act a = { (enum act_verb)v, (enum kind_id)k };
			struct act again = act_of(bytes_str(act_name(text, a)));

			assert_int_equal(again.verb, kind_of(a.kind) ? (int)a.verb : (int)ACT_NONE);
			assert_true(act_roles(a) != 0 && act_signatures(a) == 2);
		}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct act a = act_of(bytes_str(others[i]));

		assert_string_equal(act_name(text, a), others[i]);
		assert_int_equal(act_roles(a), ROLES(ROLE_USE_CLIENTS) | ROLES(ROLE_ISSUE_CERTIFICATE));
		assert_int_equal(act_signatures(a), 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_int_equal(act_of(bytes_str(none[i])).verb, ACT_NONE);
	assert_int_equal(act_roles((struct act){ ACT_NONE, KIND_NONE }),
			 ~(roles)0); /* what nobody knows, nobody may */
}

static void
documents_are_read_for_indexes(void **state)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 16);
	struct document d = { .kind = KIND_FORMAT,
			      .text = BYTES("{\"name\":\"F\",\"domain\":7,\"visible_in_subdomain\":true}") };
	struct document e1 = { .kind = KIND_DOMAIN,
			       .text = BYTES("{\"name\":\"D\",\"parent\":9,\"state\":\"closed\"}") };
	struct document bad = { .kind = KIND_FORMAT, .text = BYTES("{\"name\":\"F\",\"domain\":\"North\"}") };
	struct err e = { 0 };

	assert_ok(document_read(a, &d, &e));
	assert_text(d.name, "F");
	assert_true(d.active && d.visible && d.domain.v == 7);
	assert_ok(document_read(a, &e1, &e));
	assert_true(!e1.active && e1.domain.v == 9);
	assert_code(document_read(a, &bad, &e), CHY_JSON_TYPE);
}

/* It is one that the compiler was told of. */
static void
has_a_category(const char *act)
{
	enum log_category c = log_category_of_act(bytes_str(act));

	if (log_category_name(c)[0] == 0 || log_group_label(c)[0] == 0)
		fail_msg("%s has no category", act);
}

static void
every_act_has_a_category_in_the_log(void **state)
{
	size_t n = 0;

	for (int verb = 0; verb < ACT_VERB_COUNT; verb++)
		for (int kind = KIND_NONE; kind < KIND_COUNT; kind++) {
			struct act act = { (enum act_verb)verb, (enum kind_id)kind }, back;
			char name[64];

			back = act_of(bytes_str(act_name(name, act)));
			if (back.verb != act.verb || back.kind != act.kind)
				continue; /* there is no such act */
			has_a_category(name);
			n++;
		}
	assert_true(n >= 2 * 13 + 8);
	assert_int_equal(log_category_of_act(BYTES("certificate.issue")), LOG_ISSUED);
	assert_int_equal(log_category_of_act(BYTES("token.issue")), LOG_ISSUED);
	assert_int_equal(log_category_of_act(BYTES("issuing-session.open")), LOG_SESSION);
	assert_int_equal(log_category_of_act(BYTES("authority.renew")), LOG_CA);
	assert_int_equal(log_category_of_act(BYTES("authority.modify")), LOG_CA);
	assert_int_equal(log_category_of_act(BYTES("ca-key.create")), LOG_KEY);
	assert_int_equal(log_category_of_act(BYTES("officer-profile.modify")), LOG_OFFICER);
	assert_int_equal(log_category_of_act(BYTES("domain.create")), LOG_DOMAIN);
	assert_int_equal(log_category_of_act(BYTES("input-view.create")), LOG_POLICY);
	assert_int_equal(log_category_of_act(BYTES("log.read")), LOG_NONE);
	assert_int_equal(log_category_of_act(BYTES("")), LOG_NONE);
}

/* Its own, or that of the act which such leaves name. */
static void
every_leaf_has_a_category_in_the_log(void **state)
{
	for (int k = 0; k < LEAF_KIND_COUNT; k++) {
		struct bytes name = bytes_str(leaf_kind_name((enum leaf_kind)k));
		enum log_category c = log_category_of_leaf(name);
		bool of_act = k == LEAF_SIGNATURE || k == LEAF_DOCUMENT || k == LEAF_REQUEST_STATE ||
		    k == LEAF_REFUSAL;

		assert_true(name.n > 0);
		if (of_act ? c != LOG_NONE : log_category_name(c)[0] == 0)
			fail_msg("a leaf \"%s\" has no category", leaf_kind_name((enum leaf_kind)k));
		for (int other = 0; other < k; other++)
			assert_false(bytes_is(name, leaf_kind_name((enum leaf_kind)other)));
	}
	assert_int_equal(log_category_of_leaf(BYTES("token-file")), LOG_ISSUED);
	assert_int_equal(log_category_of_leaf(BYTES("restart")), LOG_SYSTEM);
	assert_int_equal(log_category_of_leaf(BYTES("from a later version")), LOG_SYSTEM);
}

static const struct CMUnitTest tests[] = {
	CASE(every_kind_holds_together),
	CASE(choices_are_what_pki_knows),
	CASE(roles_go_both_ways),
	CASE(states_change_as_the_table_says),
	CASE(acts_go_both_ways),
	CASE(acts_stand_in_the_format),
	CASE(documents_are_read_for_indexes),
	CASE(every_act_has_a_category_in_the_log),
	CASE(every_leaf_has_a_category_in_the_log),
};

TESTS_MAIN(tests)
