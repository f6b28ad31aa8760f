#include "base/base.h"
#include "cli/kindbody.h"
#include "cli/kindcmd.h"
#include "cli/options.h"

const char *const document_states[] = { "active", "closed", NULL };

static const struct opt list_options[] = {
	{ "state", "STATE", OPT_CHOICE, 0, "only those in this state", document_states },
	{ "name", "TEXT", OPT_TEXT, 0, "only the one of this name" },
	OPTIONS_PAGE,
	{ 0 },
};
static const struct opt show_options[] = {
	{ "document-version", "N", OPT_INT, 0, "an older version in place of the current one" },
	{ 0 },
};
static const struct opt sign_options[] = { OPTIONS_CO_OFFICER, { 0 } };
static const struct opt create_options[] = {
	OPTIONS_CO_OFFICER,
	{ "file", "FILE", OPT_FILE, 0, "take the body from a JSON file; options are put over it" },
	{ "draft", NULL, OPT_FLAG, 0, "keep it as a draft, unsigned and unchecked, to be completed later" },
	{ "from-draft", "ID", OPT_INT, 0, "take the body from a draft; with --draft the draft is changed" },
	{ 0 },
};
static const struct opt modify_options[] = {
	OPTIONS_CO_OFFICER,
	{ "file", "FILE", OPT_FILE, 0, "take the whole new body from a JSON file; options are put over it" },
	{ "unset", "FIELD", OPT_TEXT, OPT_MANY, "take a field out" },
	{ 0 },
};

static const struct operand one[] = {
	{ "NAME|ID", OPT_TEXT, OPT_MUST, "which one, by its name, path or id" },
	{ 0 },
};

const char *
field_value_name(const struct field *f)
{
	switch (f->type) {
	case FIELD_BOOL:
		return "yes|no";
	case FIELD_INT:
		return "N";
	case FIELD_CHOICE:
		return "WORD";
	case FIELD_REF:
		return "NAME|ID";
	case FIELD_OBJECT:
		return "MEMBER=VALUE,...";
	case FIELD_TIME:
		return "TIME";
	case FIELD_DURATION:
		return "DURATION";
	case FIELD_OID:
		return "OID";
	case FIELD_HEX:
		return "HEX";
	case FIELD_DER:
		return "FILE";
	case FIELD_DN:
		return "DN";
	case FIELD_URI:
		return "URI";
	case FIELD_MODIFIER:
		return "MODIFIER";
	default:
		return "TEXT";
	}
}

/* ---- options from fields ---- */

static const char *const *
choice_names(struct arena *a, const struct choice *choices)
{
	size_t n = 0;
	const char **names;

	while (choices && choices[n].name)
		n++;
	names = arena_array(a, n + 1, sizeof(*names));
	for (size_t i = 0; names && i < n; i++)
		names[i] = choices[i].name;
	return names;
}

static void
member_list(struct buf *b, const struct field *members)
{
	for (; members && members->name; members++)
		buf_printf(b, "%s%s%s", b->n ? ", " : "", members->name,
			   members->flags & FIELD_MUST ? " (compulsory)" : "");
}

/* "A clause." of the table -> what an option's help looks like; members of objects are named. */
static const char *
field_help(struct arena *a, const struct field *f)
{
	OWN_BUF struct buf members = buf_max(2048);
	bool nested = f->type == FIELD_OBJECT && members_are_nested(f->members);
	struct bytes help = bytes_str(f->help ? f->help : f->label);
	const char *more = "";

	if (help.n && help.p[help.n - 1] == '.')
		help.n--;
	if (f->type == FIELD_OBJECT) {
		(nested ? members_shape : member_list)(&members, f->members);
		more = arena_printf(a, "; %s: %s", nested ? "as JSON, or by --file" : "members",
				    members.n ? buf_cstr(&members) : "none");
	}
	return arena_printf(a, "%.*s%s%s%s%s", BYTES_FMT(help), more ? more : "", f->standard ? " [" : "",
			    f->standard ? f->standard : "", f->standard ? "]" : "");
}

/* Type checks beyond the form are the server's: it has the same table, and says which field is wrong. */
static enum opt_type
field_opt_type(const struct field *f)
{
	switch (f->type) {
	case FIELD_BOOL:
		return f->flags & FIELD_LIST ? OPT_TEXT : OPT_YESNO;
	case FIELD_INT:
		return f->min < 0 ? OPT_TEXT : OPT_INT;
	case FIELD_CHOICE:
		return OPT_CHOICE;
	case FIELD_DER:
		return OPT_FILE;
	case FIELD_TIME:
		return OPT_TIME;
	case FIELD_DURATION:
		return OPT_DURATION;
	default:
		return OPT_TEXT;
	}
}

static enum rc
field_option(struct arena *a, const struct field *f, struct opt *ret, struct err *e)
{
	*ret = (struct opt){ .name = field_option_name(a, f->name),
			     .value = field_value_name(f),
			     .type = field_opt_type(f),
			     .flags = f->flags & FIELD_LIST ? OPT_MANY : 0,
			     .help = field_help(a, f),
			     .field = f };
	if (f->type == FIELD_CHOICE)
		ret->choices = choice_names(a, f->choices);
	NEED(ret->name && ret->help && (f->type != FIELD_CHOICE || ret->choices), e, CHY_NO_MEMORY, NULL,
	     "commands");
	return RC_OK;
}

/* The kind's fields first, then the verb's own options. modify leaves out what never changes. */
static enum rc
field_options(struct arena *a, const struct kind *kind, bool modify, const struct opt *own, struct opt **ret,
	      struct err *e)
{
	static const struct opt certificate_file = {
		"certificate-file", "FILE", OPT_FILE, 0,
		"the certificate with which the officer logs in and signs, in place of its fingerprint"
	};
	size_t fields = 0, owns = 0, n = 0;
	struct opt *list;

	while (kind->fields[fields].name)
		fields++;
	while (own[owns].name)
		owns++;
	list = arena_array(a, fields + owns + 2, sizeof(*list));
	NEED(list != NULL, e, CHY_NO_MEMORY, NULL, "commands");
	for (size_t i = 0; i < fields; i++)
		if (!(kind->fields[i].flags & FIELD_NOT_YET) &&
		    !(modify && kind->fields[i].flags & FIELD_FIXED))
			TRY(field_option(a, &kind->fields[i], &list[n++], e));
	if (kind->id == KIND_OFFICER)
		list[n++] = certificate_file;
	memcpy(list + n, own, owns * sizeof(*own));
	*ret = list;
	return RC_OK;
}

/* ---- commands ---- */

static enum rc
add(struct arena *a, const struct command *what, const struct command **at, size_t *n, struct err *e)
{
	struct command *c = arena_one(a, struct command);

	NEED(c != NULL && what->summary != NULL, e, CHY_NO_MEMORY, NULL, "commands");
	*c = *what;
	at[(*n)++] = c;
	return RC_OK;
}

static const char signing[] = "The change is prepared by the server, compared here with what was asked, and "
			      "signed with the officer's own key. "
			      "Where two officers must sign, it waits for the second one (chancery request "
			      "sign), or is complete at once with "
			      "--co-officer. A reference is a name, a path (Sweden/TLS server; "
			      "/TLS server in Root) or an id.";

static const char *
lower(struct arena *a, const char *s)
{
	char *copy = arena_str(a, bytes_str(s));

	/* "CA key" keeps its capitals */
	if (copy && copy[0] >= 'A' && copy[0] <= 'Z' && !(copy[1] >= 'A' && copy[1] <= 'Z'))
		copy[0] = (char)(copy[0] + 'a' - 'A');
	return copy;
}

static enum rc
reading(struct arena *a, const struct kind *k, const struct command **at, size_t *n, struct err *e)
{
	const char *title = lower(a, k->title), *plural = lower(a, k->plural);

	NEED(title && plural, e, CHY_NO_MEMORY, NULL, "commands");
	TRY(add(a,
		&(struct command){ k->name, "list", arena_printf(a, "list %s", plural), NULL, list_options,
				   NULL, arena_printf(a, "chancery %s list --state active", k->name),
				   kind_list, k },
		at, n, e));
	TRY(add(a,
		&(struct command){ k->name, "show", arena_printf(a, "show the %s with all its fields", title),
				   NULL, show_options, one, NULL, kind_show, k },
		at, n, e));
	TRY(add(a,
		&(struct command){ k->name, "where-used",
				   arena_printf(a, "list the documents that refer to the %s", title), NULL,
				   NULL, one, NULL, kind_where_used, k },
		at, n, e));
	return add(a,
		   &(struct command){ k->name, "schema",
				      arena_printf(a, "print the JSON Schema of the %s's body", title), NULL,
				      NULL, NULL, NULL, kind_schema, k },
		   at, n, e);
}

static enum rc
writing(struct arena *a, const struct kind *k, const struct command **at, size_t *n, struct err *e)
{
	const char *title = lower(a, k->title);
	struct opt *create, *modify;

	TRY(field_options(a, k, false, create_options, &create, e));
	TRY(field_options(a, k, true, modify_options, &modify, e));
	NEED(title != NULL, e, CHY_NO_MEMORY, NULL, "commands");
	TRY(add(a,
		&(struct command){
		    k->name, "create", arena_printf(a, "create a new %s", title), signing, create, NULL,
		    arena_printf(a, "chancery %s create --officer anna.p12 --name \"...\" ...", k->name),
		    kind_create, k },
		at, n, e));
	TRY(add(a,
		&(struct command){
		    k->name, "modify", arena_printf(a, "change the %s", title), signing, modify, one,
		    arena_printf(a, "chancery %s modify --officer anna.p12 \"Old name\" --name \"New name\"",
				 k->name),
		    kind_modify, k },
		at, n, e));
	TRY(add(a,
		&(struct command){ k->name, "close",
				   arena_printf(a, "close the %s: nothing new is made with it", title),
				   signing, sign_options, one, NULL, kind_close, k },
		at, n, e));
	if (k->id == KIND_AUTHORITY)
		TRY(add(a,
			&(struct command){ k->name, "renew",
					   "issue the authority a new certificate, for the same key and name",
					   signing, modify, one,
					   "chancery authority renew --officer anna.p12 \"Root CA\" "
					   "--not-after 2046-01-01T00:00:00Z",
					   kind_renew, k },
			at, n, e));
	return add(a,
		   &(struct command){ k->name, "reopen",
				      arena_printf(a, "make the closed %s active again", title), signing,
				      sign_options, one, NULL, kind_reopen, k },
		   at, n, e);
}

enum rc
kind_commands(struct arena *a, const struct kind *kind, const struct command **at, size_t *ret_n,
	      struct err *e)
{
	*ret_n = 0;
	TRY(reading(a, kind, at, ret_n, e));
	return writing(a, kind, at, ret_n, e);
}
