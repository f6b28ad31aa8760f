#include "base/base.h"
#include "factory/genesis.h"

#include "crypto/digest.h"
#include "crypto/rand.h"
#include "crypto/verify.h"
#include "factory/acts.h"
#include "factory/ca_certificate.h"
#include "factory/genesis_policy.h"
#include "factory/leaf.h"
#include "factory/pending.h"
#include "factory/sequencer.h"
#include "pki/cert.h"
#include "pki/csr.h"
#include "pki/name.h"
#include "policy/document.h"
#include "policy/issue.h"
#include "policy/names.h"
#include "store/read.h"

enum { BOOT_OFFICERS = 2, YEARS = 25, BOOT_DAYS = 30, TLS_DAYS = 3650, TLS_NAMES_MAX = 20 };

#define DAY_MS ((int64_t)86400000)

struct ceremony {
	struct factory *f;
	struct arena *a;
	struct change *change;
	struct bytes organisation;
	int64_t years, now_ms, leaf;
	struct document *docs;
	size_t n;
	struct snapshot *policy; /* the documents so far; NULL: none */
	const struct authority *system;
	int64_t root_id;                 /* certificate ids */
	struct bytes root, journal, tls; /* certificates */
	struct gnames tls_names;
	struct {
		struct bytes name, certificate;
		struct csr csr;
		int64_t id, certificate_id;
	} officers[BOOT_OFFICERS];
};

/* ---- documents ---- */

static enum rc
add_document(struct ceremony *c, int64_t id, enum kind_id kind, const struct json *raw, struct err *e)
{
	struct document_check check = { .kind = kind_of(kind), .policy = c->policy };
	OWN_BUF struct buf text = buf_max(64 << 10);
	struct document *d = &c->docs[c->n];
	struct json *body;

	TRY(document_check(c->a, &check, raw, &body, e));
	json_put_canonical(&text, body);
	*d = (struct document){ .id = doc_id_of(id),
				.version = 1,
				.kind = kind,
				.at_ms = c->now_ms,
				.body = body,
				.text = arena_dup(c->a, buf_bytes(&text)) };
	NEED(d->text.p != NULL, e, CHY_NO_MEMORY, NULL, "the first policy");
	TRY(document_read(c->a, d, e));
	c->n++;
	return RC_OK;
}

/* What the documents that follow can refer to by name. */
static enum rc
look_again(struct ceremony *c, struct err *e)
{
	snapshot_unref(c->policy);
	c->policy = NULL;
	return snapshot_build(&(struct snapshot_input){ .documents = c->docs, .documents_n = c->n },
			      &c->policy, e);
}

static enum rc
starter(struct ceremony *c, const struct starter_document *d, struct err *e)
{
	struct json *body;

	TRY(genesis_body(c->a, d, c->organisation, c->years, &body, e));
	return add_document(c, factory_new_id(c->f), d->kind, body, e);
}

static enum rc
first_policy(struct ceremony *c, struct err *e)
{
	enum kind_id before = KIND_NONE;

	c->docs = arena_array(c->a, starter_documents_n + BOOT_OFFICERS, sizeof(*c->docs));
	NEED(c->docs != NULL, e, CHY_NO_MEMORY, NULL, "the first policy");
	for (size_t i = 0; i < starter_documents_n; i++) {
		const struct starter_document *d = &starter_documents[i];

		if (!genesis_makes(d))
			continue;
		if (d->kind != before)
			TRY(look_again(c, e));
		before = d->kind;
		TRY_AT(starter(c, d, e), e, "first policy, %s \"%s\"", kind_name(d->kind), d->name);
	}
	return look_again(c, e);
}

/* A document of the first policy; none where it lacks one. */
static struct doc_id
first(const struct ceremony *c, enum kind_id kind, const char *name)
{
	const struct document *d = snapshot_in_domain(c->policy, kind, bytes_str(name), doc_id_of(0));

	return d ? d->id : doc_id_of(0);
}

static enum rc
find_system(struct ceremony *c, struct err *e)
{
	c->system = snapshot_authority(c->policy, first(c, KIND_AUTHORITY, GENESIS_SYSTEM));
	NEED(c->system != NULL, e, CHY_INTERNAL, NULL, "the first policy has no authority");
	return RC_OK;
}

/* ---- keys ---- */

static enum rc
make_key(struct ceremony *c, const char *label, enum signer_class class, struct bytes *ret_spki,
	 struct err *e)
{
	struct signer_key key;
	enum rc rc = signer_key_generate(c->f->signer, label, class, "p-256", "software", SIGNER_WAIT_MS,
					 c->a, &key, e);

	if (rc != RC_OK && e->code == CHY_SIGNER_KEY_EXISTS) { /* of a ceremony that was interrupted */
		err_clear(e);
		rc = signer_key_public(c->f->signer, label, SIGNER_WAIT_MS, c->a, &key, e);
	}
	TRY(rc);
	*ret_spki = key.spki;
	return RC_OK;
}

/* ---- certificates ---- */

/* What the system's own certificates are, besides their names and keys. */
struct own {
	struct bytes subject, spki;
	uint32_t key_usage;
	const enum oid *eku;
	size_t eku_n;
	const struct gnames *san;
	int64_t days;
};

static enum rc
add_spec(struct ceremony *c, struct cert_slot_spec *spec, const struct ext_value *v, struct err *e)
{
	spec->slot = SLOT_CONST;
	return ext_encode(c->a, v, &spec->ext, e);
}

/* Issuer key identifier, basic constraints, usages: as RFC 5280 wants an end entity's. */
static enum rc
specs_of(struct ceremony *c, const struct own *o, struct cert_slot_spec specs[8], size_t *n, struct err *e)
{
	struct oids eku = { 0 };
	struct bytes *oids = arena_array(c->a, o->eku_n + 1, sizeof(*oids));
	struct cert root;
	size_t i = 0;

	NEED(oids != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
	TRY(cert_parse(c->a, c->root, &root, e));
	for (size_t k = 0; k < o->eku_n; k++)
		oids[k] = oid_der(o->eku[k]);
	eku = (struct oids){ o->eku_n, oids };
	TRY(add_spec(c, &specs[i++],
		     &(struct ext_value){ .kind = OID_CE_AUTHORITY_KEY_ID, .aki.key_id = cert_key_id(&root) },
		     e));
	specs[i++].slot = SLOT_SKI;
	TRY(add_spec(
	    c, &specs[i++],
	    &(struct ext_value){ .kind = OID_CE_KEY_USAGE, .critical = true, .key_usage = o->key_usage }, e));
	if (o->eku_n > 0)
		TRY(add_spec(c, &specs[i++], &(struct ext_value){ .kind = OID_CE_EXT_KEY_USAGE, .eku = eku },
			     e));
	if (o->san != NULL)
		specs[i++].slot = SLOT_SAN;
	*n = i;
	return RC_OK;
}

static enum rc
own_tbs(struct ceremony *c, const struct own *o, struct bytes *ret, struct err *e)
{
	struct cert_slot_spec specs[8] = { 0 };
	struct cert_template template_;
	uint8_t serial[SERIAL_LEN], key_id[SHA1_LEN], *room = arena_alloc(c->a, LIMIT_TBS);
	struct pubkey key;
	struct dw w;
	size_t n;

	NEED(room != NULL, e, CHY_NO_MEMORY, NULL, "a certificate");
	TRY(specs_of(c, o, specs, &n, e));
	TRY(cert_template_build(c->a, c->system->sigalg, c->system->subject, specs, n, &template_, e));
	TRY(pubkey_parse(o->spki, &key, e));
	sha1(key.bits_der, key_id);
	for (int i = 0; i < 6; i++)
		serial[i] = (uint8_t)((uint64_t)c->now_ms >> (8 * (5 - i)));
	TRY(rand_bytes(serial + 6, SERIAL_RANDOM, e));
	w = dw_fixed(room, LIMIT_TBS);
	TRY(cert_tbs_build(&template_,
			   &(struct cert_inputs){ .serial = BYTES_OF(serial),
						  .not_before_at = c->now_ms / 1000 * 1000,
						  .not_after_at = c->now_ms / 1000 * 1000 + o->days * DAY_MS,
						  .subject = o->subject,
						  .spki = o->spki,
						  .key_id = BYTES_OF(key_id),
						  .san = o->san ? *o->san : (struct gnames){ 0 } },
			   &w, e));
	*ret = dw_bytes(&w);
	return RC_OK;
}

static enum rc
sign_own(struct ceremony *c, const struct own *o, int64_t *ret_id, struct bytes *ret, struct err *e)
{
	struct json *m = json_object(c->a);
	OWN_BUF struct buf leaf = buf_max(4096), context = buf_max(LIMIT_CONTEXT);
	struct signed_cert signature;
	struct finished done;
	struct pending p = { .id = factory_new_id(c->f),
			     .issuer = c->system->doc->id.v,
			     .sigalg = c->system->sigalg };
	struct bytes tbs;

	TRY(own_tbs(c, o, &tbs, e));
	json_set(m, "at", json_time(c->a, c->now_ms));
	json_set(m, "by", by_genesis(c->a, c->leaf));
	json_set(m, "certificate", json_null(c->a));
	json_set(m, "id", json_int(c->a, p.id));
	json_set(m, "kind", json_str(c->a, BYTES("certificate")));
	json_put_canonical(&leaf, m);
	p.leaf = buf_bytes(&leaf);
	/* without a context: a ceremony that is interrupted here is held again from the start, nothing is adopted */
	TRY(signer_sign_cert_sync(c->f->signer,
				  &(struct sign_cert){ .key = KEY_SYSTEM_ROOT, .alg = p.sigalg, .tbs = tbs },
				  SIGNER_WAIT_MS, c->a, &signature, e));
	TRY(pending_add(c->a, &p, tbs, signature.signature, c->change, &done, e));
	*ret_id = p.id;
	*ret = done.der;
	return RC_OK;
}

static enum rc
subject_of(struct ceremony *c, struct bytes common_name, struct bytes *ret, struct err *e)
{
	struct ava ava[2] = { { .known = OID_AT_ORGANIZATION, .value = c->organisation, .rdn = 0 },
			      { .known = OID_AT_CN, .value = common_name, .rdn = 1 } };
	bool has_o = c->organisation.n > 0;
	struct name name;

	if (!has_o)
		ava[1].rdn = 0;
	TRY(name_build(c->a, has_o ? ava : ava + 1, has_o ? 2 : 1, &name, e));
	*ret = name.der;
	return RC_OK;
}

static enum rc
journal_certificate(struct ceremony *c, struct err *e)
{
	struct own o = { .key_usage = USAGE_DIGITAL_SIGNATURE, .days = c->years * 365 - 1 };
	int64_t id;

	TRY(make_key(c, KEY_JOURNAL, SIGNER_JOURNAL, &o.spki, e));
	TRY(subject_of(c, BYTES(JOURNAL_NAME), &o.subject, e));
	return sign_own(c, &o, &id, &c->journal, e);
}

static enum rc
tls_certificate(struct ceremony *c, struct err *e)
{
	static const enum oid eku[] = { OID_EKU_SERVER_AUTH };
	struct own o = { .key_usage = USAGE_DIGITAL_SIGNATURE,
			 .eku = eku,
			 .eku_n = 1,
			 .days = TLS_DAYS,
			 .san = &c->tls_names };
	int64_t id;

	o.days = o.days < c->years * 365 ? o.days : c->years * 365 - 1;
	TRY(make_key(c, KEY_TLS, SIGNER_TLS, &o.spki, e));
	TRY(subject_of(c, BYTES("Chancery server"), &o.subject, e));
	return sign_own(c, &o, &id, &c->tls, e);
}

static enum rc
boot_officer(struct ceremony *c, size_t i, struct err *e)
{
	static const enum oid eku[] = { OID_EKU_CLIENT_AUTH };
	struct own o = { .key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_CONTENT_COMMITMENT,
			 .eku = eku,
			 .eku_n = 1,
			 .days = BOOT_DAYS,
			 .spki = c->officers[i].csr.key.spki };
	struct json *body = json_object(c->a);
	uint8_t hash[SHA256_LEN];

	TRY(subject_of(c, c->officers[i].name, &o.subject, e));
	TRY(sign_own(c, &o, &c->officers[i].certificate_id, &c->officers[i].certificate, e));
	sha256(c->officers[i].certificate, hash);
	json_set(body, "name", json_str(c->a, c->officers[i].name));
	json_set(body, "profile", json_int(c->a, first(c, KIND_OFFICER_PROFILE, GENESIS_BOOT_PROFILE).v));
	json_set(body, "certificate_sha256", json_hex(c->a, BYTES_OF(hash)));
	json_set(body, "certificate", json_int(c->a, c->officers[i].certificate_id));
	json_set(body, "boot", json_bool(c->a, true));
	c->officers[i].id = factory_new_id(c->f);
	return add_document(c, c->officers[i].id, KIND_OFFICER, body, e);
}

/* ---- what the ceremony is given ---- */

static enum rc
read_officer(struct ceremony *c, const struct json *item, size_t i, struct err *e)
{
	static const char *const names[] = { "name", "csr", NULL };
	struct bytes text, der;

	TRY(json_only(item, names, e));
	TRY(json_need_str(item, "name", &c->officers[i].name, e));
	TRY(json_need_str(item, "csr", &text, e));
	TRY(base64_parse(c->a, text, &der, e));
	TRY(csr_parse(c->a, der, &c->officers[i].csr, e));
	return verify_csr(&c->officers[i].csr, e);
}

static enum rc
read_officers(struct ceremony *c, const struct json *list, struct err *e)
{
	size_t i = 0;

	NEED(list->count == BOOT_OFFICERS, e, CHY_SETUP, NULL, "there are %d boot officers", BOOT_OFFICERS);
	JSON_EACH(item, list)
	{
		TRY_AT(read_officer(c, item, i, e), e, "officers[%zu]", i);
		i++;
	}
	NEED(!bytes_eq(c->officers[0].csr.key.spki, c->officers[1].csr.key.spki), e, CHY_SETUP, NULL,
	     "the boot officers have the same key");
	return RC_OK;
}

static enum rc
read_tls_names(struct ceremony *c, const struct json *list, struct err *e)
{
	NEED(list->count >= 1 && list->count <= TLS_NAMES_MAX, e, CHY_SETUP, NULL,
	     "1 to %d names of the server", TLS_NAMES_MAX);
	c->tls_names.v = arena_array(c->a, list->count, sizeof(*c->tls_names.v));
	NEED(c->tls_names.v != NULL, e, CHY_NO_MEMORY, NULL, "the server's names");
	JSON_EACH(item, list)
	{
		NEED(item->type == JSON_STR, e, CHY_JSON_TYPE, NULL, "a name is a string");
		TRY(gname_from_text(c->a, item->str, GN_NAME, &c->tls_names.v[c->tls_names.n], e));
		c->tls_names.n++;
	}
	return RC_OK;
}

static enum rc
read_input(struct ceremony *c, const struct json *in, struct err *e)
{
	static const char *const names[] = { "organisation", "officers", "tls_names", "years", NULL };
	struct json *list;

	c->years = YEARS;
	TRY(json_only(in, names, e));
	TRY(json_opt_str(in, "organisation", &c->organisation, e));
	TRY(json_opt_int(in, "years", 2, 50, &c->years, e));
	TRY(json_need_array(in, "officers", &list, e));
	TRY(read_officers(c, list, e));
	TRY(json_need_array(in, "tls_names", &list, e));
	TRY_AT(read_tls_names(c, list, e), e, "tls_names");
	return RC_OK;
}

/* ---- the store ---- */

static enum rc
put_genesis_leaf(struct ceremony *c, struct err *e)
{
	struct json *m = json_object(c->a);

	json_set(m, "instance", json_str(c->a, bytes_str(c->f->instance)));
	json_set(m, "root", json_base64(c->a, c->root));
	json_set(m, "journal_certificate", json_base64(c->a, c->journal));
	json_set(m, "form", json_int(c->a, JOURNAL_FORM));
	change_claim_setting(c->change, "journal-form", BYTES("2"));
	json_set(m, "version", json_str(c->a, BYTES(CHY_VERSION)));
	return leaf_add(c->f, c->a, c->change, LEAF_GENESIS, c->leaf, 0, m, e);
}

static void
claim(struct ceremony *c, const char *name, struct bytes der)
{
	OWN_BUF struct buf text = buf_max(LIMIT_CERT * 2);

	base64_put(&text, der);
	change_claim_setting(c->change, name, buf_bytes(&text));
}

static enum rc
put_all(struct ceremony *c, struct err *e)
{
	TRY(put_genesis_leaf(c, e));
	claim(c, "root", c->root);
	claim(c, "journal-certificate", c->journal);
	claim(c, "tls-certificate", c->tls);
	for (size_t i = 0; i < c->n; i++)
		TRY(document_put(c->f, c->a, c->change, &c->docs[i], by_genesis(c->a, c->leaf), 0, e));
	return RC_OK;
}

static enum rc
hold(struct ceremony *c, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	struct bytes spki;

	c->now_ms = clock_now_ms();
	c->leaf = factory_new_id(c->f); /* below all others: the first leaf of the tree */
	TRY(first_policy(c, e));
	TRY(find_system(c, e));
	TRY(make_key(c, KEY_SYSTEM_ROOT, SIGNER_CA, &spki, e));
	TRY(ca_certificate_add(c->f, c->a, c->policy, c->system->doc->id, by_genesis(c->a, c->leaf),
			       request_id_of(0), c->change, &c->root_id, &c->root, e));
	c->now_ms =
	    clock_now_ms(); /* what the root issues must not begin before it: a second may have passed */
	sha256(c->root, hash);
	hex_text(c->f->instance, BYTES_OF(hash));
	TRY(journal_certificate(c, e));
	TRY(tls_certificate(c, e));
	for (size_t i = 0; i < BOOT_OFFICERS; i++)
		TRY_AT(boot_officer(c, i, e), e, "officers[%zu]", i);
	return put_all(c, e);
}

static struct json *
answer(struct ceremony *c)
{
	struct json *o = json_object(c->a), *list = json_array(c->a);

	json_set(o, "instance", json_str(c->a, bytes_str(c->f->instance)));
	json_set(o, "root", json_base64(c->a, c->root));
	for (size_t i = 0; i < BOOT_OFFICERS; i++) {
		struct json *item = json_object(c->a);

		json_set(item, "id", json_int(c->a, c->officers[i].id));
		json_set(item, "name", json_str(c->a, c->officers[i].name));
		json_set(item, "certificate", json_base64(c->a, c->officers[i].certificate));
		json_add(list, item);
	}
	json_set(o, "officers", list);
	return o;
}

enum rc
genesis(struct factory *f, struct arena *a, const struct json *in, struct json **ret, struct err *e)
{
	struct ceremony c = { .f = f, .a = a };
	struct bytes there;
	struct change *ready;
	enum rc rc = store_setting(f->store, a, "root", &there, e);

	NEED(rc != RC_OK, e, CHY_ALREADY_SET_UP, NULL, "this store has a system root already");
	if (rc != RC_NOT_FOUND)
		return rc;
	err_clear(e);
	TRY(read_input(&c, in, e));
	c.change = change_new();
	rc = hold(&c, e);
	snapshot_unref(c.policy);
	if (rc != RC_OK) {
		change_free(c.change);
		return rc;
	}
	ready = c.change;
	FAULT("factory.before-genesis");
	TRY(store_commit(f->store, ready, e));
	TRY(sequencer_drain(f, e));
	*ret = answer(&c);
	return RC_OK;
}
