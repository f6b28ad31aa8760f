/*
 * Directories by libldap (RFC 4511). The entry is read first, and then what it lacks is changed in one modification, so that
 * a delivery that is repeated finds nothing to do.
 */
#include "base/base.h"
#include "distributor/lane.h"

#define LDAP_DEPRECATED 0
#include <ldap.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

enum { VALUES_MAX = 4, MODS_MAX = 40, CLASSES_MAX = 16, RDN_MAX = 8, TRIES = 3, OTHER_MAX = 20 };

struct directory {
	LDAP *ld;
	int roots; /* a file without a name, which the TLS library reads; -1: none */
};

static void
end(void *state)
{
	struct directory *d = state;

	if (d == NULL)
		return;
	if (d->ld != NULL)
		ldap_unbind_ext_s(d->ld, NULL, NULL);
	if (d->roots >= 0)
		close(d->roots);
	free(d);
}

/* ---- errors ---- */

static enum code
code_of(int rc)
{
	switch (rc) {
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_STRONG_AUTH_REQUIRED:
	case LDAP_CONFIDENTIALITY_REQUIRED:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_AUTH_METHOD_NOT_SUPPORTED:
		return CHY_DELIVERY_LOGIN;
	case LDAP_SERVER_DOWN:
	case LDAP_TIMEOUT:
	case LDAP_CONNECT_ERROR:
	case LDAP_LOCAL_ERROR:
		return CHY_DELIVERY_UNREACHED;
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
	case LDAP_UNWILLING_TO_PERFORM:
	case LDAP_ADMINLIMIT_EXCEEDED:
	case LDAP_TIMELIMIT_EXCEEDED:
		return CHY_DELIVERY_LATER;
	case LDAP_NO_MEMORY:
		return CHY_NO_MEMORY;
	default:
		return CHY_DELIVERY_REFUSED;
	}
}

static enum rc
ldap_failed(struct directory *d, int rc, enum code code, const char *what, struct err *e)
{
	char *more = NULL;

	if (d->ld != NULL)
		ldap_get_option(d->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	(void)!err_set(e, code, NULL, "%s: %s%s%.160s", what, ldap_err2string(rc), more && *more ? ": " : "",
		       more ? more : "");
	ldap_memfree(more);
	return e->rc;
}

#define LDAP_TRY(call, what) \
	do { \
		int ldap_rc_ = (call); \
		if (ldap_rc_ != LDAP_SUCCESS) \
			return rc_bad(ldap_failed(d, ldap_rc_, code_of(ldap_rc_), (what), e)); \
	} while (0)

/* ---- the connection ---- */

static bool
is_ldaps(const struct job *j)
{
	return bytes_part(rule_text(j, "address"), 4, 1).n == 1 &&
	    (rule_text(j, "address").p[4] | 0x20) == 's';
}

/* The TLS library takes a file by its name only. */
static enum rc
set_trust(const struct job *j, struct directory *d, struct err *e)
{
	int demand = LDAP_OPT_X_TLS_DEMAND, zero = 0, least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	struct bytes roots;
	char path[64];

	TRY(job_roots(j, &roots, e));
	d->roots = memfd_create("roots", MFD_CLOEXEC);
	NEED(d->roots >= 0, e, CHY_SYSTEM, NULL, "memfd_create");
	TRY(fd_write_all(d->roots, roots, e));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", d->roots);
	LDAP_TRY(ldap_set_option(d->ld, LDAP_OPT_X_TLS_CACERTFILE, path), "trusted authorities");
	LDAP_TRY(ldap_set_option(d->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand), "TLS");
	LDAP_TRY(ldap_set_option(d->ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least), "TLS");
	LDAP_TRY(ldap_set_option(d->ld, LDAP_OPT_X_TLS_NEWCTX, &zero), "trusted authorities");
	return RC_OK;
}

static enum rc
begin_tls(const struct job *j, struct directory *d, struct err *e)
{
	int rc;

	if (!is_ldaps(j) && !rule_true(j, "start_tls"))
		return RC_OK;
	TRY(set_trust(j, d, e));
	if (is_ldaps(j))
		return RC_OK;
	rc = ldap_start_tls_s(d->ld, NULL, NULL);
	if (rc == LDAP_SERVER_DOWN || rc == LDAP_TIMEOUT)
		return ldap_failed(d, rc, CHY_DELIVERY_UNREACHED, "StartTLS", e);
	return rc == LDAP_SUCCESS ? RC_OK : ldap_failed(d, rc, CHY_DELIVERY_UNTRUSTED, "StartTLS", e);
}

static enum rc
bind_to(const struct job *j, struct directory *d, struct err *e)
{
	OWN(secret_free)
	struct secret *password = NULL;
	struct bytes dn = rule_text(j, "bind_dn");
	struct berval cred = { 0 };

	TRY(job_secret(j, "secret", &password, e));
	if (password != NULL)
		cred = (struct berval){ secret_len(password), (char *)secret_data(password) };
	LDAP_TRY(ldap_sasl_bind_s(d->ld, dn.n ? (const char *)dn.p : "", LDAP_SASL_SIMPLE, &cred, NULL, NULL,
				  NULL),
		 "bind");
	return RC_OK;
}

static enum rc
dial(const struct job *j, struct directory *d, struct err *e)
{
	struct timeval limit = { rule_int(j, "timeout_seconds", 20), 0 };
	int version = LDAP_VERSION3;

	LDAP_TRY(ldap_initialize(&d->ld, (const char *)rule_text(j, "address").p), "address");
	LDAP_TRY(ldap_set_option(d->ld, LDAP_OPT_PROTOCOL_VERSION, &version), "LDAP");
	LDAP_TRY(ldap_set_option(d->ld, LDAP_OPT_NETWORK_TIMEOUT, &limit), "LDAP");
	LDAP_TRY(ldap_set_option(d->ld, LDAP_OPT_TIMEOUT, &limit), "LDAP");
	LDAP_TRY(ldap_set_option(d->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF), "LDAP");
	TRY(begin_tls(j, d, e));
	return bind_to(j, d, e);
}

static enum rc
connection(const struct job *j, void **state, struct directory **ret, struct err *e)
{
	struct directory *d = *state;

	*ret = d;
	if (d != NULL)
		return RC_OK;
	d = *state = *ret = calloc(1, sizeof(*d));
	NEED(d != NULL, e, CHY_NO_MEMORY, NULL, "a connection");
	d->roots = -1;
	return dial(j, d, e);
}

/* ---- the entry ---- */

static enum rc
search_entry(const struct job *j, struct directory *d, const char **ret, struct err *e)
{
	static char none[] = LDAP_NO_ATTRS;
	char *attributes[] = { none, NULL }, *dn;
	struct bytes base, filter;
	LDAPMessage *found = NULL;
	int rc, n;

	TRY(job_fill(j, rule_text(j, "search_base"), PATTERN_DN, &base, e));
	TRY(job_fill(j, rule_text(j, "search_filter"), PATTERN_FILTER, &filter, e));
	rc = ldap_search_ext_s(d->ld, (const char *)base.p, LDAP_SCOPE_SUBTREE, (const char *)filter.p,
			       attributes, 0, NULL, NULL, NULL, 2, &found);
	n = found ? ldap_count_entries(d->ld, found) : 0;
	dn = n == 1 && rc == LDAP_SUCCESS ? ldap_get_dn(d->ld, ldap_first_entry(d->ld, found)) : NULL;
	*ret = dn ? arena_str(j->a, bytes_str(dn)) : NULL;
	ldap_memfree(dn);
	ldap_msgfree(found);
	if (rc != LDAP_SUCCESS && rc != LDAP_SIZELIMIT_EXCEEDED)
		return ldap_failed(d, rc, code_of(rc), "search", e);
	NEED(n <= 1 && rc == LDAP_SUCCESS, e, CHY_DELIVERY_REFUSED, NULL, "%.160s finds several entries",
	     (const char *)filter.p);
	NEED(*ret != NULL, e, CHY_DELIVERY_REFUSED, NULL, "%.160s finds no entry", (const char *)filter.p);
	return RC_OK;
}

static enum rc
entry_name(const struct job *j, struct directory *d, const char **ret, struct err *e)
{
	struct bytes dn;

	if (rule_text(j, "dn").n == 0)
		return search_entry(j, d, ret, e);
	TRY(job_fill(j, rule_text(j, "dn"), PATTERN_DN, &dn, e));
	*ret = (const char *)dn.p;
	return RC_OK;
}

static const char *
attribute_of(const struct job *j)
{
	static const char *const by_kind[DELIVERY_WHATS] = {
		[DELIVER_CERTIFICATE] = "userCertificate;binary",
		[DELIVER_CA_CERTIFICATE] = "cACertificate;binary",
		[DELIVER_ATTRIBUTE] = "attributeCertificateAttribute;binary",
		[DELIVER_CRL] = "certificateRevocationList;binary",
		[DELIVER_DELTA_CRL] = "deltaRevocationList;binary",
		[DELIVER_AUTHORITY_CRL] = "authorityRevocationList;binary",
	};
	struct bytes own = rule_text(j, "attribute");

	return own.n ? (const char *)own.p : by_kind[j->d.what];
}

/* What the entry has; NULL: it is not there. */
static enum rc
read_entry(const struct job *j, struct directory *d, const char *dn, LDAPMessage **ret, struct err *e)
{
	static char classes[] = "objectClass";
	char *attribute = arena_str(j->a, bytes_str(attribute_of(j)));
	char *attributes[] = { classes, attribute, NULL };
	int rc = ldap_search_ext_s(d->ld, dn, LDAP_SCOPE_BASE, "(objectClass=*)", attributes, 0, NULL, NULL,
				   NULL, 1, ret);

	if (rc == LDAP_NO_SUCH_OBJECT) {
		ldap_msgfree(*ret);
		*ret = NULL;
		return RC_OK;
	}
	if (rc != LDAP_SUCCESS) {
		ldap_msgfree(*ret);
		*ret = NULL;
		return ldap_failed(d, rc, code_of(rc), dn, e);
	}
	if (ldap_first_entry(d->ld, *ret) == NULL) {
		ldap_msgfree(*ret);
		*ret = NULL;
	}
	return RC_OK;
}

/* ---- modifications ---- */

struct mods {
	struct arena *a;
	size_t n;
	LDAPMod *list[MODS_MAX + 1];
};

/* Adds one value; several of one type and operation become one modification. */
static enum rc
add_mod(struct mods *m, int op, const char *type, struct bytes value, struct err *e)
{
	LDAPMod *mod = NULL;
	struct berval *v = arena_one(m->a, struct berval);
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->list[i]->mod_op == (op | LDAP_MOD_BVALUES) &&
		    strcasecmp(m->list[i]->mod_type, type) == 0)
			mod = m->list[i];
	if (mod == NULL) {
		NEED(m->n < MODS_MAX, e, CHY_LIMIT, NULL, "more than %d attributes", MODS_MAX);
		mod = m->list[m->n] = arena_one(m->a, LDAPMod);
		NEED(mod != NULL, e, CHY_NO_MEMORY, NULL, "an entry");
		mod->mod_op = op | LDAP_MOD_BVALUES;
		mod->mod_type = arena_str(m->a, bytes_str(type));
		mod->mod_bvalues = arena_array(m->a, CLASSES_MAX + 1, sizeof(struct berval *));
		m->n++;
	}
	NEED(v != NULL && mod->mod_type != NULL && mod->mod_bvalues != NULL, e, CHY_NO_MEMORY, NULL,
	     "an entry");
	if (value.p == NULL) { /* the attribute as a whole */
		mod->mod_bvalues = NULL;
		return RC_OK;
	}
	while (mod->mod_bvalues[n] != NULL)
		n++;
	NEED(n < CLASSES_MAX, e, CHY_LIMIT, NULL, "more than %d values", CLASSES_MAX);
	*v = (struct berval){ value.n, (char *)(uintptr_t)value.p };
	mod->mod_bvalues[n] = v;
	return RC_OK;
}

/* Equal octets; names of classes whatever their case. */
static bool
has_value(struct directory *d, LDAPMessage *entry, const char *type, struct bytes value, bool name)
{
	struct berval **v = ldap_get_values_len(d->ld, entry, type);
	bool found = false;

	for (size_t i = 0; v != NULL && v[i] != NULL && !found; i++) {
		struct bytes one = bytes_of(v[i]->bv_val, v[i]->bv_len);

		found = name ? ascii_case_eq(one, value) : bytes_eq(one, value);
	}
	ldap_value_free_len(v);
	return found;
}

static size_t
count_values(struct directory *d, LDAPMessage *entry, const char *type)
{
	struct berval **v = ldap_get_values_len(d->ld, entry, type);
	size_t n = 0;

	while (v != NULL && v[n] != NULL)
		n++;
	ldap_value_free_len(v);
	return n;
}

static enum rc
other_attributes(const struct job *j, struct mods *m, int op, struct err *e)
{
	JSON_EACH(x, rule_list(j, "attributes"))
	{
		const struct json *type = json_get(x, "type"), *value = json_get(x, "value");
		struct bytes filled;

		NEED(type && value && type->type == JSON_STR && value->type == JSON_STR, e, CHY_DELIVERY_RULE,
		     NULL, "attributes");
		TRY(job_fill(j, value->str, PATTERN_VALUE, &filled, e));
		TRY(add_mod(m, op, (const char *)type->str.p, filled, e));
	}
	return RC_OK;
}

/* A newer list takes the place of the older one, whatever the policy adds to others. */
static bool
is_list(const struct job *j)
{
	return j->d.what == DELIVER_CRL || j->d.what == DELIVER_DELTA_CRL ||
	    j->d.what == DELIVER_AUTHORITY_CRL || j->d.what == DELIVER_CIL;
}

/* What the update policy makes of the certificate's attribute. */
static enum rc
certificate_mod(const struct job *j, struct directory *d, LDAPMessage *entry, struct mods *m, struct err *e)
{
	const char *type = attribute_of(j);
	struct bytes policy = rule_text(j, "update");
	bool there = has_value(d, entry, type, j->d.content, false);
	size_t n = count_values(d, entry, type);

	if (bytes_is(policy, "delete"))
		return n > 0 ? add_mod(m, LDAP_MOD_DELETE, type, BYTES_NONE, e) : RC_OK;
	if (j->d.removal)
		return there ? add_mod(m, LDAP_MOD_DELETE, type, j->d.content, e) : RC_OK;
	if (bytes_is(policy, "replace") || is_list(j))
		return there && n == 1 ? RC_OK : add_mod(m, LDAP_MOD_REPLACE, type, j->d.content, e);
	return there ? RC_OK : add_mod(m, LDAP_MOD_ADD, type, j->d.content, e);
}

static enum rc
modify(const struct job *j, struct directory *d, const char *dn, LDAPMessage *entry, int *ret, struct err *e)
{
	struct mods m = { .a = j->a };

	JSON_EACH(x, j->d.removal ? NULL : rule_list(j, "object_classes"))
	if (!has_value(d, entry, "objectClass", x->str, true))
		TRY(add_mod(&m, LDAP_MOD_ADD, "objectClass", x->str, e));
	TRY(certificate_mod(j, d, entry, &m, e));
	TRY(other_attributes(j, &m, LDAP_MOD_REPLACE, e));
	*ret = LDAP_SUCCESS;
	if (m.n > 0)
		*ret = ldap_modify_ext_s(d->ld, dn, m.list, NULL, NULL);
	return RC_OK;
}

/* The attributes that name the entry belong to it. */
static enum rc
naming_attributes(const struct job *j, struct mods *m, const char *dn, struct err *e)
{
	LDAPDN parsed = NULL;
	enum rc rc = RC_OK;

	NEED(ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && parsed != NULL, e,
	     CHY_PATTERN_RESULT, NULL, "%.160s is no distinguished name", dn);
	for (size_t i = 0; rc == RC_OK && parsed[0][i] != NULL && i < RDN_MAX; i++) {
		const LDAPAVA *ava = parsed[0][i];
		const char *type = arena_str(j->a, bytes_of(ava->la_attr.bv_val, ava->la_attr.bv_len));
		bool has = false;

		JSON_EACH(x, rule_list(j, "attributes"))
		has = has || ascii_case_eq(json_get(x, "type")->str, bytes_str(type));
		if (!has)
			rc = add_mod(m, LDAP_MOD_ADD, type,
				     arena_dup(j->a, bytes_of(ava->la_value.bv_val, ava->la_value.bv_len)),
				     e);
	}
	ldap_dnfree(parsed);
	return rc;
}

static enum rc
create(const struct job *j, struct directory *d, const char *dn, int *ret, struct err *e)
{
	struct mods m = { .a = j->a };

	*ret = LDAP_SUCCESS;
	if (j->d.removal || bytes_is(rule_text(j, "update"), "delete"))
		return RC_OK; /* nothing there to take away */
	NEED(rule_true(j, "create"), e, CHY_DELIVERY_REFUSED, NULL, "there is no entry %.160s", dn);
	JSON_EACH(x, rule_list(j, "object_classes"))
	TRY(add_mod(&m, LDAP_MOD_ADD, "objectClass", x->str, e));
	TRY(naming_attributes(j, &m, dn, e));
	TRY(add_mod(&m, LDAP_MOD_ADD, attribute_of(j), j->d.content, e));
	TRY(other_attributes(j, &m, LDAP_MOD_ADD, e));
	*ret = ldap_add_ext_s(d->ld, dn, m.list, NULL, NULL);
	return RC_OK;
}

/* Somebody else changed it between reading and writing. */
static bool
is_overtaken(int rc)
{
	return rc == LDAP_TYPE_OR_VALUE_EXISTS || rc == LDAP_ALREADY_EXISTS || rc == LDAP_NO_SUCH_ATTRIBUTE ||
	    rc == LDAP_NO_SUCH_OBJECT;
}

static enum rc
update(const struct job *j, struct directory *d, const char *dn, int *ret, struct err *e)
{
	LDAPMessage *found = NULL;
	enum rc rc;

	TRY(read_entry(j, d, dn, &found, e));
	FAULT("distributor.before-ldap");
	rc = found ? modify(j, d, dn, ldap_first_entry(d->ld, found), ret, e) : create(j, d, dn, ret, e);
	FAULT("distributor.after-ldap");
	ldap_msgfree(found);
	return rc;
}

/* No standard of LDAP has a type for attribute certificates (RFC 4523 has none), and OpenLDAP's, of X.509, takes only those that
   name their issuer by baseCertificateID, which RFC 5755 4.2.3 forbids: what is wrong is the place, not the certificate. */
static bool
is_their_type(const struct job *j, int rc)
{
	return rc == LDAP_INVALID_SYNTAX && j->d.what == DELIVER_ATTRIBUTE &&
	    rule_text(j, "attribute").n == 0;
}

static enum rc
deliver(const struct job *j, void **state, struct err *e)
{
	struct directory *d;
	const char *dn;
	int rc = LDAP_SUCCESS;

	NEED(attribute_of(j) != NULL, e, CHY_DELIVERY_RULE, NULL,
	     "directories have no type for issuance lists: let the rule name an attribute");
	TRY(connection(j, state, &d, e));
	TRY(entry_name(j, d, &dn, e));
	for (int i = 0; i < TRIES; i++) {
		TRY(update(j, d, dn, &rc, e));
		if (!is_overtaken(rc))
			break;
	}
	NEED(!is_their_type(j, rc), e, CHY_DELIVERY_REFUSED, "RFC 5755 4.2.3",
	     "the directory's own type takes no attribute certificate of RFC 5755: let the rule name another "
	     "attribute, of octets");
	return rc == LDAP_SUCCESS ? RC_OK : ldap_failed(d, rc, code_of(rc), dn, e);
}

const struct protocol protocol_ldap = { "ldap", deliver, end };
