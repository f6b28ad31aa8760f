/*
 * A small installation for the tests of policy: documents are put in by the same check that officers' requests pass, the
 * authorities get certificates made by the same decision, requests are built by pki. Only signatures are made up: nobody
 * here verifies them.
 */
#ifndef TESTS_UNIT_POLICY_WORLD_H
#define TESTS_UNIT_POLICY_WORLD_H

#include "test.h"

#include "base/json.h"
#include "policy/approval.h"
#include "policy/document.h"
#include "policy/find.h"
#include "policy/issue.h"
#include "policy/path.h"
#include "policy/rights.h"
#include "policy/select.h"
#include "policy/snapshot.h"

enum { WORLD_DOCS = 128, WORLD_ARENA = 64 << 20 };
#define WORLD_NOW 1795262400000 /* 2026-11-21T12:00:00Z */

struct world {
	struct arena *a;
	struct document docs[WORLD_DOCS];
	size_t n;
	struct authority_facts facts[8];
	size_t facts_n;
	struct snapshot *s;
};

#define W_UNUSED __attribute__((unused))

static void
world_build(struct world *w)
{
	struct snapshot_input in = { w->docs, w->n, w->facts, w->facts_n };
	struct snapshot *s = NULL;
	struct err e = { 0 };

	if (snapshot_build(&in, &s, &e) != RC_OK)
		fail_msg("snapshot: %s", e.text);
	snapshot_unref(w->s);
	w->s = s;
}

W_UNUSED static struct json *
world_json(struct world *w, const char *text)
{
	struct json *v = NULL;
	struct err e = { 0 };

	if (json_parse(w->a, bytes_str(text), &v, &e) != RC_OK)
		fail_msg("%s in %s", e.text, text);
	return v;
}

/* Checks a body as a new document or as the next version of one; RC of the check. */
W_UNUSED static enum rc
world_check(struct world *w, enum kind_id kind, int64_t self, bool draft, const char *text, struct json **ret,
	    struct err *e)
{
	struct document_check c = {
		.kind = kind_of(kind), .policy = w->s, .self = doc_id_of(self), .draft = draft
	};
	const struct document *d = snapshot_document(w->s, c.self);
	struct json *normal = NULL;
	enum rc rc;

	c.before = d ? d->body : NULL;
	rc = document_check(w->a, &c, world_json(w, text), &normal, e);
	if (ret != NULL)
		*ret = normal;
	return rc;
}

static void
world_store(struct world *w, enum kind_id kind, int64_t id, const struct json *body)
{
	OWN_BUF struct buf b = buf_max(1 << 20);
	struct document *d = NULL;

	for (size_t i = 0; i < w->n; i++)
		if (w->docs[i].id.v == id)
			d = &w->docs[i];
	if (d == NULL) {
		assert_true(w->n < WORLD_DOCS);
		d = &w->docs[w->n++];
		*d = (struct document){ .id = doc_id_of(id), .kind = kind };
	}
	d->version++;
	d->body = NULL;
	json_put_canonical(&b, body);
	d->text = arena_dup(w->a, buf_bytes(&b));
	world_build(w);
}

/* A new document, or the next version of one. */
W_UNUSED static void
world_put(struct world *w, enum kind_id kind, int64_t id, const char *text)
{
	struct err e = { 0 };
	struct json *normal;

	if (world_check(w, kind, id, false, text, &normal, &e) != RC_OK)
		fail_msg("%s %lld refused: %s %s %s", kind_name(kind), (long long)id, code_name(e.code),
			 e.field, e.text);
	world_store(w, kind, id, normal);
}

/* The same without the check: what only a fault could bring about. */
W_UNUSED static void
world_force(struct world *w, enum kind_id kind, int64_t id, const char *text)
{
	world_store(w, kind, id, world_json(w, text));
}

/* A SubjectPublicKeyInfo of this type whose octets come from seed. */
W_UNUSED static struct bytes
world_key(struct world *w, const char *type, uint8_t seed)
{
	OWN_DW struct dw d = dw_growing(8192);
	struct key_type t;
	uint8_t raw[4096];
	struct bytes ret;

	assert_int_equal(key_type_parse(bytes_str(type), &t, NULL), RC_OK);
	memset(raw, seed | 1, sizeof(raw));
	raw[0] = t.alg == KEY_RSA ? 0xc1 : t.alg == KEY_EC ? 4 : seed;
	if (t.alg == KEY_RSA) {
		raw[t.bits / 8 - 1] |= 1;
		dw_spki_rsa(&d, bytes_of(raw, t.bits / 8), BYTES("\x01\x00\x01"));
	} else {
		size_t n = t.alg == KEY_EC ? 1 + 2 * curve_field_len(t.curve)
		    : t.alg == KEY_ED25519 ? 32
					   : 57;

		if (t.curve == CURVE_P521) { /* 521 bits: the first octet of each coordinate is 0 or 1 */
			raw[1] = 0;
			raw[67] = 0;
		}
		dw_spki(&d, t, bytes_of(raw, n));
	}
	assert_int_equal(dw_dup(&d, w->a, &ret, NULL), RC_OK);
	return ret;
}

/* Stands for the digest that src/crypto makes of a key. */
W_UNUSED static struct bytes
world_key_id(struct world *w, struct bytes spki)
{
	uint8_t id[20] = { 0 };

	for (size_t i = 0; i < spki.n; i++)
		id[i % 20] = (uint8_t)(id[i % 20] * 31 + spki.p[i]);
	return arena_dup(w->a, BYTES_OF(id));
}

W_UNUSED static enum rc
world_decide_authority(struct world *w, int64_t id, const char *type, struct authority_decision *d,
		       struct err *e)
{
	struct authority_issue_facts f = { .policy = w->s,
					   .authority = doc_id_of(id),
					   .spki = world_key(w, type, (uint8_t)id),
					   .now_ms = WORLD_NOW - 60000,
					   .random = { 1, 2, 3 } };

	f.key_id = world_key_id(w, f.spki);
	return decide_authority(w->a, &f, d, e);
}

/* Gives an authority its certificate. */
W_UNUSED static void
world_found(struct world *w, int64_t id, const char *type)
{
	OWN_DW struct dw out = dw_growing(LIMIT_CERT);
	struct authority_decision d;
	struct err e = { 0 };
	struct bytes der;

	if (world_decide_authority(w, id, type, &d, &e) != RC_OK)
		fail_msg("authority: %s %s", e.field, e.text);
	assert_int_equal(cert_assemble(d.tbs, d.sigalg, BYTES("\x30\x06\x02\x01\x01\x02\x01\x01"), &out, &e),
			 RC_OK);
	assert_int_equal(dw_dup(&out, w->a, &der, &e), RC_OK);
	w->facts[w->facts_n++] = (struct authority_facts){ doc_id_of(id), cert_id_of(id * 1000), der };
	world_build(w);
}

/* Ids of what world_new makes. */
enum {
	NORTH = 101, /* domain below Root */
	SOUTH = 102,
	NORTH_CITY = 103, /* below NORTH */
	PROFILE_ADMIN = 201,
	PROFILE_CLERK = 202,
	ANNA = 301, /* administration, Root */
	BERT = 302,
	CLEO = 303, /* registration, Root */
	NORA = 304, /* administration, NORTH */
	DIRK = 305,
	ROOT_KEY = 401,
	CA_KEY = 402,
	ROOT_CA = 501,
	ISSUING_CA = 502,
	FORMAT_CA = 601,
	FORMAT_TLS = 602,
	PROC_SIGN = 701,  /* digitalSignature */
	PROC_NONE = 702,  /* no usage */
	PROC_CRYPT = 703, /* keyEncipherment */
	TOKEN = 801,      /* PROC_NONE only */
	TOKEN_MANY = 802,
	/* sign, none, crypt */ FORMAT_AC = 603,
	PIN = 901,
	ARCHIVE = 902,
	REUSE = 903, /* recovers, with the certificate that the key had */
	RENEW = 904, /* recovers, with a new one by PROC_CRYPT */
	PROC_AC = 905,
	PROC_CRL = 906,
	RULE = 907,
	VIEW = 908,
};

#define PRINT(x) "\"" x x x x x x x x "\"" /* a fingerprint of 32 octets, x is eight digits */

static const char *const all_admin =
    "\"use-awb\",\"audit-tasks\",\"domain-tasks\",\"ca-and-key-tasks\",\"policy-tasks\",\"officer-tasks\","
    "\"profile-tasks\",\"configuration-tasks\"";

W_UNUSED static void
world_people(struct world *w)
{
	world_put(w, KIND_DOMAIN, NORTH, "{\"name\":\"North\"}");
	world_put(w, KIND_DOMAIN, SOUTH, "{\"name\":\"South\"}");
	world_put(w, KIND_DOMAIN, NORTH_CITY, "{\"name\":\"City\",\"parent\":\"North\"}");
	world_put(
	    w, KIND_OFFICER_PROFILE, PROFILE_ADMIN,
	    arena_printf(w->a, "{\"name\":\"Admin\",\"entity_type\":\"subject\",\"roles\":[%s]}", all_admin));
	world_put(w, KIND_OFFICER_PROFILE, PROFILE_CLERK,
		  "{\"name\":\"Clerk\",\"entity_type\":\"dynamic-token\",\"roles\":[\"use-clients\",\"issue-"
		  "certificate\"]}");
	world_put(w, KIND_OFFICER, ANNA,
		  "{\"name\":\"Anna\",\"profile\":\"Admin\",\"certificate_sha256\":" PRINT("aaaaaaaa") "}");
	world_put(w, KIND_OFFICER, BERT,
		  "{\"name\":\"Bert\",\"profile\":\"Admin\",\"certificate_sha256\":" PRINT("bbbbbbbb") "}");
	world_put(w, KIND_OFFICER, CLEO,
		  "{\"name\":\"Cleo\",\"profile\":\"Clerk\",\"certificate_sha256\":" PRINT("cccccccc") "}");
	world_put(
	    w, KIND_OFFICER, NORA,
	    "{\"name\":\"Nora\",\"profile\":\"Admin\",\"domain\":\"North\",\"certificate_sha256\":" PRINT(
		"dddddddd") "}");
}

W_UNUSED static void
world_authorities(struct world *w)
{
	world_put(w, KIND_CA_KEY, ROOT_KEY, "{\"name\":\"Root key\",\"algorithm\":\"p-384\"}");
	world_put(w, KIND_CA_KEY, CA_KEY, "{\"name\":\"CA key\",\"algorithm\":\"p-256\"}");
	world_put(w, KIND_FORMAT, FORMAT_CA, "{\"name\":\"CA format\",\"purpose\":\"ca\"}");
	world_put(w, KIND_AUTHORITY, ROOT_CA,
		  "{\"name\":\"Root CA\",\"type\":\"root\",\"ca_key\":\"Root key\",\"format\":\"CA format\","
		  "\"subject\":\"CN=Root CA,O=Example,C=SE\",\"validity\":\"P20Y\"}");
	world_put(
	    w, KIND_AUTHORITY, ISSUING_CA,
	    "{\"name\":\"Issuing CA\",\"type\":\"subordinate\",\"issuing_authority\":\"Root CA\","
	    "\"ca_key\":\"CA key\",\"format\":\"CA format\",\"subject\":\"CN=Issuing CA,O=Example,C=SE\","
	    "\"validity\":\"P10Y\",\"path_length\":0,\"crl_urls\":[\"http://ca.example/i.crl\"],"
	    "\"ocsp_urls\":[\"http://ocsp.example\"]}");
	world_found(w, ROOT_CA, "p-384");
	world_found(w, ISSUING_CA, "p-256");
}

#define PROC(name, usage) \
	"{\"name\":\"" name \
	"\",\"authority\":\"Issuing CA\",\"format\":\"TLS\",\"validity\":\"P90D\",\"key_usage\":[" usage \
	"]," \
	"\"extended_key_usage\":[\"serverAuth\",\"clientAuth\"]}"

W_UNUSED static void
world_procedures(struct world *w)
{
	world_put(
	    w, KIND_FORMAT, FORMAT_TLS,
	    "{\"name\":\"TLS\",\"subject\":[{\"attribute\":\"C\",\"source\":\"fixed\",\"value\":\"SE\"},"
	    "{\"attribute\":\"O\",\"max_length\":20,\"modifiers\":[\"trim\",\"collapse\"]},"
	    "{\"attribute\":\"OU\",\"many\":true},{\"attribute\":\"CN\",\"mandatory\":true}],"
	    "\"san\":[{\"type\":\"dns\",\"mandatory\":true,\"max_count\":3},{\"type\":\"ip\"},"
	    "{\"type\":\"uri\",\"source\":\"none\"}]}");
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_SIGN, PROC("Sign", "\"digitalSignature\""));
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_NONE, PROC("Any", ""));
	world_put(w, KIND_CERTIFICATE_PROCEDURE, PROC_CRYPT, PROC("Crypt", "\"keyEncipherment\""));
	world_put(
	    w, KIND_TOKEN_PROCEDURE, TOKEN,
	    "{\"name\":\"Server\",\"storage_profile\":\"pkcs10\",\"certificate_procedures\":[\"Any\"]}");
	world_put(w, KIND_TOKEN_PROCEDURE, TOKEN_MANY,
		  "{\"name\":\"Many\",\"storage_profile\":\"pkcs10\",\"certificate_procedures\":[\"Sign\","
		  "\"Any\",\"Crypt\"]}");
}

/* What tokens need; the CRL procedure stays out of certificates. */
W_UNUSED static void
world_tokens(struct world *w)
{
	world_put(w, KIND_PIN_PROCEDURE, PIN, "{\"name\":\"PIN\",\"method\":\"shown\"}");
	world_put(w, KIND_KEY_PROCEDURE, ARCHIVE, "{\"name\":\"Archive\",\"action\":\"archive\"}");
	world_put(w, KIND_KEY_PROCEDURE, REUSE,
		  "{\"name\":\"Reuse\",\"action\":\"recover\",\"certificate\":\"reuse\"}");
	world_put(
	    w, KIND_KEY_PROCEDURE, RENEW,
	    "{\"name\":\"Renew\",\"action\":\"recover\",\"certificate\":\"new\",\"certificate_procedure\":"
	    "\"Crypt\"}");
	world_put(w, KIND_FORMAT, FORMAT_AC,
		  "{\"name\":\"AC format\",\"purpose\":\"attribute-certificate\"}");
	world_put(w, KIND_ATTRIBUTE_CERTIFICATE_PROCEDURE, PROC_AC,
		  "{\"name\":\"Roles\",\"authority\":\"Issuing CA\",\"format\":\"AC "
		  "format\",\"validity\":\"P7D\"}");
	world_put(w, KIND_CRL_PROCEDURE, PROC_CRL,
		  "{\"name\":\"CRL\",\"authority\":\"Issuing CA\",\"include\":false,\"distribution_points\":["
		  "\"http://crl.example/i.crl\"]}");
	world_put(w, KIND_DISTRIBUTION_RULE, RULE,
		  "{\"name\":\"Web\",\"protocol\":\"http\",\"address\":\"http://web.example\",\"path\":"
		  "\"/in\"}");
	world_put(w, KIND_INPUT_VIEW, VIEW,
		  "{\"name\":\"Names\",\"fields\":[{\"input\":\"subject.common-name\"}]}");
}

W_UNUSED static struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->a = arena_new(WORLD_ARENA);
	assert_non_null(w->a);
	world_build(w);
	world_people(w);
	world_authorities(w);
	world_procedures(w);
	world_tokens(w);
	return w;
}

W_UNUSED static void
world_free(struct world *w)
{
	snapshot_unref(w->s);
	arena_free(w->a);
	free(w);
}
OWN_DEFINE(struct world *, world_free)

/* ---- requests for certificates ---- */

/* What a request asks; texts as of RFC 4514 and gname_from_text. */
struct wish {
	const char *key, *subject;
	uint8_t seed; /* of the key; 0: 77 */
	const char *san[8];
	uint32_t key_usage;
	const char *eku[4];
	int ca;            /* 1: basicConstraints CA, -1: not CA */
	const char *other; /* OID of one more extension, a NULL */
};

W_UNUSED static void
wish_put(struct world *w, struct exts *l, const struct ext_value *v)
{
	struct err e = { 0 };

	if (ext_encode(w->a, v, &l->v[l->n++], &e) != RC_OK)
		fail_msg("extension: %s", e.text);
}

W_UNUSED static void
wish_extensions(struct world *w, const struct wish *x, struct exts *l)
{
	struct gname names[8];
	struct bytes ekus[4];
	struct ext_value san = { .kind = OID_CE_SUBJECT_ALT_NAME, .names = { 0, names } };
	struct ext_value eku = { .kind = OID_CE_EXT_KEY_USAGE, .eku = { 0, ekus } };
	struct ext_value usage = { .kind = OID_CE_KEY_USAGE, .critical = true, .key_usage = x->key_usage };
	struct ext_value basic = { .kind = OID_CE_BASIC_CONSTRAINTS,
				   .critical = true,
				   .basic = { x->ca > 0, -1 } };
	struct ext_value other = { .kind = OID_NONE, .raw = BYTES("\x05\x00") };

	for (; san.names.n < 8 && x->san[san.names.n]; san.names.n++)
		assert_int_equal(
		    gname_from_text(w->a, bytes_str(x->san[san.names.n]), GN_NAME, &names[san.names.n], NULL),
		    RC_OK);
	for (; eku.eku.n < 4 && x->eku[eku.eku.n]; eku.eku.n++)
		assert_int_equal(oid_parse(w->a, bytes_str(x->eku[eku.eku.n]), &ekus[eku.eku.n], NULL),
				 RC_OK);
	if (san.names.n)
		wish_put(w, l, &san);
	if (eku.eku.n)
		wish_put(w, l, &eku);
	if (x->key_usage)
		wish_put(w, l, &usage);
	if (x->ca)
		wish_put(w, l, &basic);
	if (x->other) {
		assert_int_equal(oid_parse(w->a, bytes_str(x->other), &other.oid, NULL), RC_OK);
		wish_put(w, l, &other);
	}
}

W_UNUSED static struct csr *
world_csr(struct world *w, const struct wish *x)
{
	struct exts l = { 0, arena_array(w->a, 8, sizeof(struct ext)) };
	struct csr *csr = arena_one(w->a, struct csr);
	struct bytes spki = world_key(w, x->key ? x->key : "p-256", x->seed ? x->seed : 77), tbs, der;
	struct pubkey key;
	struct key_type type;
	struct name subject;
	struct err e = { 0 };

	if (name_from_text(w->a, bytes_str(x->subject), &subject, &e) != RC_OK)
		fail_msg("subject: %s", e.text);
	wish_extensions(w, x, &l);
	assert_int_equal(pubkey_parse(spki, &key, &e), RC_OK);
	type = pubkey_type(&key);
	if (csr_tbs_build(w->a, subject.der, spki, &l, &tbs, &e) != RC_OK)
		fail_msg("csr: %s", e.text);
	assert_int_equal(csr_assemble(w->a, tbs, sigalg_default(&type),
				      BYTES("\x30\x06\x02\x01\x01\x02\x01\x01"), &der, &e),
			 RC_OK);
	if (csr_parse(w->a, der, csr, &e) != RC_OK)
		fail_msg("csr: %s", e.text);
	return csr;
}

/* Facts as the factory gathers them, for CLEO. */
struct asking {
	struct issue_request request;
	struct issue_facts facts;
};

W_UNUSED static struct asking *
world_ask(struct world *w, const char *token_procedure, const struct wish *x)
{
	struct asking *q = arena_one(w->a, struct asking);

	q->request = (struct issue_request){ .word = WORD_REQUEST,
					     .request = request_id_of(9001),
					     .officer = officer_id_of(CLEO),
					     .token_procedure = bytes_str(token_procedure) };
	q->facts = (struct issue_facts){ .policy = w->s,
					 .request = &q->request,
					 .csr = world_csr(w, x),
					 .pop = { .made = true },
					 .weak = { .made = true },
					 .now_ms = WORLD_NOW,
					 .random = { 0xde, 0xad, 0xbe, 0xef } };
	q->facts.key_id = world_key_id(w, q->facts.csr->key.spki);
	return q;
}

#endif
