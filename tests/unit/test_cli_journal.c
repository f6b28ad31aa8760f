/*
 * Verification of the journal's export. A small journal is made here with real keys: ceremony, an act of two officers, an
 * issuing session, certificates. It verifies; then everything that can be done to it is done, and must be found:
 * to the file (by somebody without keys), and to the facts (by somebody who has the journal key and signs new heads).
 */
#include "base/base.h"
#include "base/json.h"
#include "cli/journal_state.h"
#include "crypto/crypto.h"
#include "crypto_help.h"
#include "pki/cert.h"
#include "pki/cms.h"
#include "pki/name.h"

enum { LEAVES_MAX = 60, HEAD_EVERY = 6 };
enum { ANNA = 61, BERT = 62, PROFILE = 50, DOMAIN = 70, ANNA_CERT = 101, BERT_CERT = 102 };

static struct arena *mem;
static bool heads_by_bert;
static struct softkey *root_key, *journal_key, *anna_key, *bert_key;
static struct bytes root, journal_cert, anna, renewed, unfit, bert, issued[4], forged, foreign;
static char instance[65];

/* ---- the journal ---- */

struct row {
	const char *line; /* without the line feed */
};

static const char *leaves[LEAVES_MAX];
static size_t leaves_n;
static struct row rows[LEAVES_MAX];
static size_t rows_n, documents_n, certificates_n, signatures_n;

static const char *
b64(struct bytes b)
{
	OWN_BUF struct buf t = buf_max(1 << 20);

	base64_put(&t, b);
	return arena_str(mem, buf_bytes(&t));
}

static const char *
hex_sha256(struct bytes b)
{
	uint8_t h[SHA256_LEN];
	char t[65];

	sha256(b, h);
	return arena_str(mem, bytes_str(hex_text(t, BYTES_OF(h))));
}

static const char *leaf_at; /* another time for the leaves to come, as "11:40:00" */

static void
leaf(const char *text)
{
	assert_non_null(text);
	if (leaf_at != NULL) {
		char *other = arena_str(mem, bytes_str(text));

		memcpy(strstr(other, "\"at\":\"2026") + strlen("\"at\":\"2026-11-21T"), leaf_at,
		       strlen(leaf_at));
		text = other;
	}
	assert_true(leaves_n < LEAVES_MAX);
	leaves[leaves_n++] = text;
}

#define AT "\"at\":\"2026-11-21T12:00:00Z\""

static void
row(const char *line)
{
	rows[rows_n++] = (struct row){ line };
}

static void
document(int id, int version, const char *kind, const char *body, const char *by)
{
	leaf(arena_printf(mem,
			  "{" AT ",\"by\":%s,\"document\":{\"body\":%s,\"id\":%d,\"kind\":\"%s\",\"version\":"
			  "%d},\"id\":%d,\"kind\":\"document\"}",
			  by, body, id, kind, version, 1000 + id));
	row(arena_printf(mem, "{\"type\":\"document\",\"id\":%d,\"version\":%d,\"kind\":\"%s\",\"body\":%s}",
			 id, version, kind, body));
	documents_n++;
}

/* What is wrong with the store's columns: a text of the honest row, and what stands there instead. */
static const char *column, *column_bad;
static int issuer = 40; /* the authority in leaves and rows */

static int
number_behind(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	return at ? (int)strtol(at + strlen(what), NULL, 10) : 0;
}

static const char *
columns(const struct cert *c, struct bytes der, int authority, const char *by, const char *more)
{
	OWN_BUF struct buf subject = buf_max(1024), san = buf_max(1024);
	const char *text, *at;

	name_put_der_text(&subject, c->subject);
	cert_put_san_lines(&san, mem, c);
	text = arena_printf(
	    mem,
	    "{\"authority\":%d,\"base\":0,\"certificate_procedure\":%d,\"issuer\":%d,\"not_after\":%lld,"
	    "\"not_"
	    "before\":%"
	    "lld,"
	    "\"request\":%d,\"session\":%d,\"status\":0,\"token_procedure\":%d,\"fingerprint\":\"%s\","
	    "\"key_hash\":\"%s\",\"san\":\"%.*s\",\"subject\":\"%.*s\"}",
	    authority, number_behind(more, "\"certificate\":["), issuer, (long long)c->not_after_at,
	    (long long)c->not_before_at, number_behind(by, "\"request\":"), number_behind(by, "\"session\":"),
	    number_behind(more, "\"token\":["), hex_sha256(der), hex_sha256(c->spki),
	    BYTES_FMT(buf_bytes(&san)), BYTES_FMT(buf_bytes(&subject)));
	at = column ? strstr(text, column) : NULL;
	if (at == NULL)
		return text;
	column = NULL; /* one row */
	return arena_printf(mem, "%.*s%s%s", (int)(at - text), text, column_bad,
			    at + strcspn(at, strstr(at, "subject") == at + 1 ? "}" : ",}"));
}

/* by, more: as texts of the leaf's members. authority: of whom it is, 0: nobody's. */
static void
certificate_of(int id, struct bytes der, int authority, const char *by, const char *more)
{
	OWN_BUF struct buf subject = buf_max(1024);
	struct cert c;
	char serial[64];

	assert_int_equal(cert_parse(mem, der, &c, NULL), RC_OK);
	hex_text(serial, c.serial);
	name_put_der_text(&subject, c.subject);
	leaf(arena_printf(
	    mem,
	    "{" AT
	    ",\"by\":%s,\"certificate\":{\"issuer\":%d,\"serial\":\"%s\",\"sha256\":\"%s\",\"subject\":"
	    "\"%.*s\"}%s,\"id\":%d,\"kind\":\"%scertificate\"}",
	    by, issuer, serial, hex_sha256(der), BYTES_FMT(buf_bytes(&subject)), more, id,
	    authority ? "ca-" : ""));
	row(arena_printf(mem,
			 "{\"type\":\"certificate\",\"id\":%d,\"serial\":\"%s\",\"der\":\"%s\",\"row\":%s}",
			 id, serial, b64(der), columns(&c, der, authority, by, more)));
	certificates_n++;
}

static void
certificate(int id, struct bytes der, const char *by, const char *more)
{
	certificate_of(id, der, 0, by, more);
}

/* What an officer's command line does. */
static struct bytes
sign(const struct softkey *key, struct bytes cert, struct bytes content)
{
	struct cms_inputs in = { .sigalg = softkey_default_alg(key),
				 .content = content,
				 .cert = cert,
				 .signing_at = 1795262400000 };
	OWN_BUF struct buf signature = buf_max(SOFTKEY_SIGNATURE_MAX);
	uint8_t digest[SHA256_LEN], fingerprint[SHA256_LEN];
	struct bytes attrs = BYTES_NONE, der = BYTES_NONE;
	struct err e = { 0 };

	sha256(content, digest);
	sha256(cert, fingerprint);
	in.content_digest = BYTES_OF(digest);
	in.cert_sha256 = BYTES_OF(fingerprint);
	if (cms_signed_attrs(mem, &in, &attrs, &e) != RC_OK ||
	    softkey_sign(key, in.sigalg, attrs, &signature, &e) != RC_OK ||
	    cms_assemble(mem, &in, attrs, buf_bytes(&signature), &der, &e) != RC_OK)
		fail_msg("%s", e.text);
	return der;
}

static const char *
act(const char *name, int request, const char *base, const char *body, const char *where)
{
	return arena_printf(mem,
			    "{\"act\":\"%s\",\"base\":%s,\"body\":%s,\"format\":\"chancery-request/"
			    "1\",\"instance\":\"%s\",\"nonce\":"
			    "\"AAAAAAAAAAAAAAAAAAAAAA\",\"prepared_at\":\"2026-11-21T12:00:00Z\",\"prepared_"
			    "by\":61,\"request\":%d}",
			    name, base, body, where, request);
}

static void
signature(int request, int officer, const struct softkey *key, struct bytes cert, const char *content)
{
	const char *cms = b64(sign(key, cert, bytes_str(content)));

	leaf(arena_printf(
	    mem, "{" AT ",\"cms\":\"%s\",\"id\":%d,\"kind\":\"signature\",\"officer\":%d,\"request\":%d}",
	    cms, request * 10 + officer, officer, request));
	row(arena_printf(mem, "{\"type\":\"request-signature\",\"request\":%d,\"officer\":%d,\"cms\":\"%s\"}",
			 request, officer, cms));
	signatures_n++;
}

/* ---- the story ---- */

/* What goes wrong in it; the numbers of bad acts begin at 1. */
enum deed {
	NOTHING,
	OTHER_BODY,     /* the document is not what was signed */
	ONE_SIGNATURE,  /* of two */
	SAME_OFFICER,   /* signs twice */
	OTHER_KEY,      /* a stranger's certificate in an officer's name */
	OTHER_INSTANCE, /* signed for another installation */
	OTHER_REQUEST,  /* an old signature under a new request */
	OTHER_BYTES,    /* the second officer signed something else */
	BROKEN_CMS,
	LATE_CEREMONY, /* a document that claims the boot ceremony afterwards */
	VERSION_GAP,
	NO_ROLE,
	CLOSED_PROFILE,
	CLOSED_OFFICER,
	FOREIGN_DOMAIN,
	UNKNOWN_CERTIFICATE, /* the officer's certificate was issued nowhere */
	UNKNOWN_SESSION,
	SESSION_TOO_OFTEN,
	SESSION_OTHER_PROCEDURE,
	SESSION_OTHER_BODY,
	SESSION_OVER,
	OTHER_CSR,
	OTHER_PROCEDURE, /* than the officer signed for */
	ISSUED_TWICE,    /* two certificates for one request of the list */
	NOT_ASKED,       /* a certificate by a request that is none for certificates */
	TWICE,           /* one request takes effect twice */
	VOID_REQUEST,    /* takes effect after it became void */
	SECOND_GENESIS,
	UNKNOWN_KIND,
	FORGED_SIGNATURE, /* a certificate that another key than its issuer's has signed */
	FOREIGN_ISSUER,   /* its issuer's name is not the authority's */
	OTHER_AUTHORITY,  /* of the leaf: there is no such one */
	BACKDATED,        /* a leaf that claims to be older than the head before it */
	POSTDATED,        /* younger than the head that covers it */
	BACKDATED_CERTIFICATE,
	CLOCK_FROM_NOWHERE,  /* a leaf says that the clock was set back, but the last head had another time */
	SESSION_OF_CLOSED,   /* the officer who opened it was closed before */
	NOT_FOR_SIGNATURES,  /* the officer's certificate is for encryption */
	OFFICER_SIGNS_HEADS, /* all of it written anew, by another key that the root has certified */
	RENEWED_BY_OTHER,    /* Bert asks for a certificate of Anna's subject, and signs as Anna with it */
	RENEWED_FOR_OTHER,   /* and its leaf says that it stands for Anna */
	RENEWED_OTHER_NAME,  /* Anna asks for one of another subject that is said to stand for her */
	DEEDS,
	/* what looks like one of these, and is none */
	SESSION_BEFORE_CLOSED = DEEDS,
	ADOPTED,
	CLOCK_BACK,
	RENEWED, /* by Anna herself */
	RENEWED_MOVED, /* and since then her document has another subject, though not in time for that certificate's leaf */
	GOOD_DEEDS_END
};

static bool
is_about_renewal(enum deed d)
{
	return d == RENEWED || d == RENEWED_MOVED || d == RENEWED_BY_OTHER || d == RENEWED_FOR_OTHER ||
	    d == RENEWED_OTHER_NAME;
}

static void
ceremony(enum deed bad)
{
	const char *may = bad == NO_ROLE
	    ? "[\"use-awb\",\"use-clients\",\"issue-certificate\"]"
	    : "[\"domain-tasks\",\"officer-tasks\",\"use-awb\",\"use-clients\",\"issue-certificate\"]";
	const char *by = "{\"genesis\":1}";
	const char *officer = "{\"certificate\":%d,\"certificate_procedure\":90,\"certificate_sha256\":\"%"
			      "s\",\"domain\":%s,\"name\":\"%s\",\"profile\":50,"
			      "\"state\":\"%s\",\"subject\":\"CN=%s\"}";

	leaf(arena_printf(mem,
			  "{" AT ",\"id\":1,\"instance\":\"%s\",\"journal_certificate\":\"%s\",\"kind\":"
			  "\"genesis\",\"root\":\"%s\","
			  "\"version\":\"0\"}",
			  instance, b64(bad == OFFICER_SIGNS_HEADS ? bert : journal_cert), b64(root)));
	certificate_of(100, root, 40, by, ",\"authority\":[40,1]");
	if (bad != UNKNOWN_CERTIFICATE)
		certificate(ANNA_CERT, anna, by, "");
	certificate(BERT_CERT, bert, by, "");
	document(PROFILE, 1, "officer-profile",
		 arena_printf(mem, "{%s\"name\":\"All\",\"roles\":%s,\"state\":\"%s\"}",
			      is_about_renewal(bad) ? "\"entity_type\":\"subject\"," : "", may,
			      bad == CLOSED_PROFILE ? "closed" : "active"),
		 by);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	document(ANNA, 1, "officer",
		 arena_printf(mem, officer, ANNA_CERT, hex_sha256(anna),
			      bad == FOREIGN_DOMAIN ? "99" : "null", "Anna", "active", "Anna"),
		 by);
	document(BERT, 1, "officer",
		 arena_printf(mem, officer, BERT_CERT, hex_sha256(bert), "null", "Bert",
			      bad == CLOSED_OFFICER ? "closed" : "active", "Bert"),
		 by);
#pragma GCC diagnostic pop
}

static void
two_officers(enum deed bad)
{
	const char *body = "{\"name\":\"North\",\"parent\":null,\"state\":\"active\"}";
	const char *content = act("domain.create", bad == OTHER_REQUEST ? 199 : 200, "null", body,
				  bad == OTHER_INSTANCE ? hex_sha256(BYTES("x")) : instance);
	const char *other = act("domain.create", 200, "null", "{\"name\":\"South\"}", instance);

	signature(200, ANNA, bad == OTHER_KEY ? bert_key : anna_key, bad == OTHER_KEY ? bert : anna, content);
	if (bad == SAME_OFFICER)
		signature(200, ANNA, anna_key, anna, content);
	else if (bad != ONE_SIGNATURE)
		signature(200, BERT, bert_key, bert, bad == OTHER_BYTES ? other : content);
	if (bad == BROKEN_CMS) {
		char *text = arena_str(mem, bytes_str(leaves[leaves_n - 1]));

		strstr(text, "\"cms\":\"")[300] ^= 1;
		leaves[leaves_n - 1] = text;
	}
	if (bad == VOID_REQUEST)
		leaf("{" AT ",\"from\":\"waiting\",\"id\":1500,\"kind\":\"request-state\",\"reason\":\"\","
		     "\"request\":200,\"to\":\"void\"}");
	document(DOMAIN, bad == VERSION_GAP ? 2 : 1, "domain",
		 bad == OTHER_BODY ? "{\"name\":\"Nord\",\"parent\":null,\"state\":\"active\"}" : body,
		 bad == LATE_CEREMONY ? "{\"genesis\":1}" : "{\"request\":200}");
	if (bad == TWICE)
		document(DOMAIN + 1, 1, "domain", body, "{\"request\":200}");
}

/* Five minutes before all else. */
static void
close_bert(void)
{
	const char *body = arena_printf(
	    mem,
	    "{\"certificate\":%d,\"certificate_sha256\":\"%s\",\"domain\":null,\"name\":"
	    "\"Bert\",\"profile\":50,\"state\":\"closed\"}",
	    BERT_CERT, hex_sha256(bert));
	const char *content = act("officer.modify", 230, "{\"id\":62,\"version\":1}", body, instance);

	leaf_at = "11:55:00";
	signature(230, ANNA, anna_key, anna, content);
	signature(230, BERT, bert_key, bert, content);
	document(BERT, 2, "officer", body, "{\"request\":230}");
	leaf_at = NULL;
}

static void
session(enum deed bad)
{
	const char *until = bad == SESSION_OVER ? "2026-11-21T11:59:59Z" : "2026-11-22T12:00:00Z";
	const char *body = arena_printf(mem,
					"{\"certificates_max\":1,\"expires_at\":\"%s\",\"token_procedures\":["
					"80],\"token_sha256\":\"%s\"}",
					until, hex_sha256(BYTES("token")));
	const char *procedure = ",\"procedures\":{\"token\":[80,1]}";
	bool closes = bad == SESSION_OF_CLOSED || bad == SESSION_BEFORE_CLOSED;

	signature(210, closes ? BERT : ANNA, closes ? bert_key : anna_key, closes ? bert : anna,
		  act("issuing-session.open", 210, "null", body, instance));
	leaf(arena_printf(
	    mem,
	    "{" AT ",\"body\":%s,\"by\":{\"request\":210},\"id\":1210,\"kind\":\"session\",\"session\":210}",
	    bad == SESSION_OTHER_BODY
		? "{\"certificates_max\":9,\"expires_at\":\"2026-11-22T12:00:00Z\",\"token_procedures\":[80]}"
		: body));
	if (closes)
		close_bert();
	leaf_at = bad == SESSION_BEFORE_CLOSED ? "11:54:00" : NULL;
	certificate(300, issued[0], bad == UNKNOWN_SESSION ? "{\"session\":211}" : "{\"session\":210}",
		    bad == SESSION_OTHER_PROCEDURE ? ",\"procedures\":{\"token\":[81,1]}" : procedure);
	leaf_at = NULL;
	if (bad == SESSION_TOO_OFTEN)
		certificate(302, issued[2], "{\"session\":210}", procedure);
}

static void
by_officer(enum deed bad)
{
	struct bytes csr = BYTES("not a request, but bytes");
	const char *body = arena_printf(mem, "{\"requests\":[{\"csr\":\"%s\"}],\"token_procedure\":80}",
					b64(csr)),
		   *more;

	signature(220, ANNA, anna_key, anna, act("certificate.issue", 220, "null", body, instance));
	more = arena_printf(mem, ",\"csr_sha256\":\"%s\",\"procedures\":{\"token\":[%d,1]}",
			    hex_sha256(bad == OTHER_CSR ? BYTES("another") : csr),
			    bad == OTHER_PROCEDURE ? 81 : 80);
	issuer = bad == OTHER_AUTHORITY ? 41 : 40;
	leaf_at = bad == BACKDATED_CERTIFICATE || bad == ADOPTED ? "11:30:00" : NULL;
	certificate(301,
		    bad == FORGED_SIGNATURE     ? forged
			: bad == FOREIGN_ISSUER ? foreign
						: issued[1],
		    bad == NOT_ASKED ? "{\"request\":200}" : "{\"request\":220}", more);
	issuer = 40;
	leaf_at = NULL;
	if (bad == ADOPTED)
		leaf("{" AT ",\"certificate\":301,\"id\":1998,\"kind\":\"adopted\",\"position\":9}");
	if (bad == ISSUED_TWICE)
		certificate(303, issued[3], "{\"request\":220}", more);
	leaf_at = bad == CLOCK_BACK || bad == CLOCK_FROM_NOWHERE ? "11:00:00" : NULL;
	if (leaf_at != NULL)
		leaf(arena_printf(mem,
				  "{" AT ",\"id\":1997,\"kind\":\"clock\",\"was\":\"2026-11-21T%s:00:00Z\"}",
				  bad == CLOCK_BACK ? "12" : "13"));
	leaf_at = bad == BACKDATED ? "11:40:00" : bad == POSTDATED ? "12:02:00" : leaf_at;
	leaf("{\"act\":\"x\"," AT ",\"id\":1999,\"kind\":\"refusal\",\"text\":\"no\"}");
	leaf_at = NULL;
	if (bad == SECOND_GENESIS)
		leaf(leaves[0]);
	if (bad == UNKNOWN_KIND)
		leaf("{" AT ",\"id\":2000,\"kind\":\"invention\"}");
}

/* Anna moves to another subject, after her certificate was decided and before its leaf has its place. */
static void
move_anna(void)
{
	const char *body = arena_printf(
	    mem,
	    "{\"certificate\":%d,\"certificate_procedure\":90,\"certificate_sha256\":\"%s\",\"domain\":null,"
	    "\"name\":\"Anna\",\"profile\":50,\"state\":\"active\",\"subject\":\"CN=Anna Berg\"}",
	    ANNA_CERT, hex_sha256(anna));
	const char *content = act("officer.modify", 242, "{\"id\":61,\"version\":1}", body, instance);

	signature(242, ANNA, anna_key, anna, content);
	signature(242, BERT, bert_key, bert, content);
	document(ANNA, 2, "officer", body, "{\"request\":242}");
}

/* A certificate of the subject that Anna is bound by, and what is signed with it; the key is Bert's, so that he could. */
static void
renewal(enum deed bad)
{
	struct bytes csr = BYTES("another that is none");
	bool by_bert = bad == RENEWED_BY_OTHER || bad == RENEWED_FOR_OTHER;
	const char *body = arena_printf(mem, "{\"requests\":[{\"csr\":\"%s\"}],\"token_procedure\":80}",
					b64(csr)),
		   *more;

	if (!is_about_renewal(bad))
		return;
	signature(240, by_bert ? BERT : ANNA, by_bert ? bert_key : anna_key, by_bert ? bert : anna,
		  act("certificate.issue", 240, "null", body, instance));
	if (bad == RENEWED_MOVED)
		move_anna();
	more = arena_printf(
	    mem, ",\"csr_sha256\":\"%s\",\"procedures\":{\"certificate\":[90,1],\"token\":[80,1]}%s",
	    hex_sha256(csr), bad == RENEWED_BY_OTHER ? "" : ",\"stands_for\":61");
	certificate(304, bad == RENEWED_OTHER_NAME ? issued[3] : renewed, "{\"request\":240}", more);
	if (bad == RENEWED || bad == RENEWED_BY_OTHER)
		signature(241, ANNA, bert_key, renewed,
			  act("certificate.issue", 241, "null", body, instance));
}

static void
tell(enum deed bad)
{
	const struct bytes own = anna;

	if (bad == NOT_FOR_SIGNATURES)
		anna = unfit;
	heads_by_bert = bad == OFFICER_SIGNS_HEADS;
	leaves_n = rows_n = documents_n = certificates_n = signatures_n = 0;
	ceremony(bad);
	two_officers(bad);
	session(bad);
	by_officer(bad);
	renewal(bad);
	anna = own;
}

/* ---- the export ---- */

static void
put_head(struct buf *out, const struct tree *t)
{
	OWN_BUF struct buf bytes = buf_max(128), sig = buf_max(SOFTKEY_SIGNATURE_MAX);
	struct tree_hash top;
	struct err e = { 0 };

	assert_int_equal(tree_root(journal_sha256, t, &top, &e), RC_OK);
	buf_str(&bytes, "Chancery journal head, version 1");
	buf_u64(&bytes, t->size);
	buf_u64(&bytes, 1795262400000);
	buf_put(&bytes, BYTES_OF(top.b));
	assert_int_equal(softkey_sign(heads_by_bert ? bert_key : journal_key, SIGALG_ECDSA_SHA256,
				      buf_bytes(&bytes), &sig, &e),
			 RC_OK);
	buf_printf(out,
		   "{\"type\":\"head\",\"size\":%llu,\"root\":\"%s\",\"at\":\"2026-11-21T12:00:00Z\","
		   "\"signature\":\"%s\"}\n",
		   (unsigned long long)t->size, b64(BYTES_OF(top.b)), b64(buf_bytes(&sig)));
}

static struct bytes export(void)
{
	OWN_BUF struct buf out = buf_max(4 << 20);
	struct tree t = { 0 };
	struct tree_hash h;
	struct err e = { 0 };

	buf_printf(
	    &out,
	    "{\"type\":\"header\",\"format\":\"chancery-journal/1\",\"instance\":\"%s\",\"size\":%zu}\n",
	    instance, leaves_n);
	for (size_t i = 0; i < leaves_n; i++) {
		buf_printf(&out, "{\"type\":\"leaf\",\"index\":%zu,\"body\":", i);
		json_put_str(&out, bytes_str(leaves[i]));
		buf_str(&out, "}\n");
		assert_int_equal(tree_leaf(journal_sha256, bytes_str(leaves[i]), &h, &e), RC_OK);
		assert_int_equal(tree_add(journal_sha256, &t, &h, NULL, NULL, &e), RC_OK);
		if (i % HEAD_EVERY == HEAD_EVERY - 1 || i == leaves_n - 1)
			put_head(&out, &t);
	}
	for (int certs = 0; certs < 2; certs++)
		for (size_t i = 0; i < rows_n; i++)
			if ((strstr(rows[i].line, "\"type\":\"certificate\"") != NULL) == certs)
				buf_printf(&out, "%s\n", rows[i].line);
	buf_printf(&out,
		   "{\"type\":\"end\",\"leaves\":%zu,\"documents\":%zu,\"certificates\":%zu,"
		   "\"signatures\":%zu,\"left_out\":3}\n",
		   leaves_n, documents_n, certificates_n, signatures_n);
	assert_true(buf_ok(&out));
	return arena_dup(mem, buf_bytes(&out));
}

/* ---- verifying ---- */

static struct journal_finding first;
static char first_where[64];
static bool show, quick;
static const struct journal_head *witness; /* what the signer says, if it is asked */

static void
report(void *arg, const struct journal_finding *f)
{
	if (++*(size_t *)arg == 1) {
		first = *f;
		snprintf(first_where, sizeof(first_where), "%s", f->where);
	}
	if (show)
		print_message("%s: %s %s\n", f->where, f->err.field, f->err.text);
}

/* How many things do not hold; a stop counts as one. */
static size_t
findings(struct bytes text, size_t piece, struct journal_summary *ret)
{
	OWN(journal_verifier_free)
	struct journal_verifier *v = NULL;
	struct journal_summary mine;
	struct err e = { 0 };
	size_t n = 0;
	enum rc rc = journal_verifier_new(root, 1795262400000, report, &n, &v, &e);

	assert_int_equal(rc, RC_OK);
	if (quick)
		journal_verifier_quick(v);
	if (witness != NULL)
		journal_verifier_witness(v, witness);
	for (size_t at = 0; rc == RC_OK && at < text.n; at += piece)
		rc = journal_verifier_take(v, bytes_part(text, at, piece), &e);
	if (rc == RC_OK)
		rc = journal_verifier_end(v, ret ? ret : &mine, &e);
	if (rc != RC_OK) {
		first = (struct journal_finding){ "", e };
		return 1;
	}
	return n;
}

static int
start(void **state)
{
	struct err e = { 0 };

	mem = arena_new((size_t)1 << 30);
	if (crypto_init(&e) != RC_OK)
		return 1;
	root_key = test_key("p-256");
	journal_key = test_key("p-256");
	anna_key = test_key("p-256");
	bert_key = test_key("p-256");
	root = test_issue(mem,
			  (struct test_cert){ .cn = "Root", .key = root_key, .ca = true, .path_len = -1 });
	journal_cert = test_issue(
	    mem,
	    (struct test_cert){
		.cn = "Journal", .key = journal_key, .issuer_cn = "Root", .issuer_key = root_key });
	anna = test_issue(
	    mem,
	    (struct test_cert){ .cn = "Anna", .key = anna_key, .issuer_cn = "Root", .issuer_key = root_key });
	unfit = test_issue(mem,
			   (struct test_cert){ .cn = "Anna",
					       .key = anna_key,
					       .issuer_cn = "Root",
					       .issuer_key = root_key,
					       .ku = "keyEncipherment" });
	bert = test_issue(
	    mem,
	    (struct test_cert){ .cn = "Bert", .key = bert_key, .issuer_cn = "Root", .issuer_key = root_key });
	renewed = test_issue(
	    mem,
	    (struct test_cert){ .cn = "ANNA", .key = bert_key, .issuer_cn = "Root", .issuer_key = root_key });
	for (size_t i = 0; i < ARRAY_LEN(issued); i++)
		issued[i] = test_issue(mem,
				       (struct test_cert){ .cn = "Web",
							   .key = anna_key,
							   .issuer_cn = "Root",
							   .issuer_key = root_key,
							   .serial = 100 + (long)i });
	forged = test_issue(
	    mem,
	    (struct test_cert){ .cn = "Web", .key = anna_key, .issuer_cn = "Root", .issuer_key = anna_key });
	foreign = test_issue(
	    mem,
	    (struct test_cert){ .cn = "Web", .key = anna_key, .issuer_cn = "Boot", .issuer_key = root_key });
	snprintf(instance, sizeof(instance), "%s", hex_sha256(root));
	return 0;
}

static int
stop(void **state)
{
	softkey_free(root_key);
	softkey_free(journal_key);
	softkey_free(anna_key);
	softkey_free(bert_key);
	arena_free(mem);
	return 0;
}

/* ---- cases ---- */

static void
good_journal_verifies(void **state)
{
	struct journal_summary s = { 0 };
	struct bytes text;

	tell(NOTHING);
	text = export();
	show = true;
	assert_int_equal(findings(text, SIZE_MAX, &s), 0);
	show = false;
	assert_int_equal(s.leaves, leaves_n);
	assert_int_equal(s.heads, (leaves_n + HEAD_EVERY - 1) / HEAD_EVERY);
	assert_int_equal(s.signatures, 4);
	assert_int_equal(s.documents, 4);
	assert_int_equal(s.certificates, 5);
	assert_int_equal(s.left_out, 3);
	assert_int_equal(s.findings, 0);
	assert_int_equal(s.head_at_ms, 1795262400000);
	for (size_t piece = 1; piece < 200; piece += 33) /* wherever the stream is cut */
		assert_int_equal(findings(text, piece, NULL), 0);
}

/* Somebody with the journal key rewrites history and signs new heads. */
static void
bad_deeds_are_found(void **state)
{
	for (enum deed bad = NOTHING + 1; bad < DEEDS; bad++) {
		size_t n;

		tell(bad);
		n = findings(export(), SIZE_MAX, NULL);
		if (n == 0)
			fail_msg("deed %d was not found", bad);
		if (getenv("CHY_SHOW"))
			print_message("%d: %s: %s\n", bad, first_where, first.err.text);
		if (first.err.code != CHY_JOURNAL_SIGNATURE && first.err.code != CHY_JOURNAL_ALTERED &&
		    first.err.code != CHY_JOURNAL_FORMAT && bad != BROKEN_CMS)
			fail_msg("deed %d gave %s: %s", bad, code_name(first.err.code), first.err.text);
	}
}

static void
what_only_looks_bad_is_not_found(void **state)
{
	for (enum deed good = DEEDS; good < GOOD_DEEDS_END; good++) {
		tell(good);
		if (findings(export(), SIZE_MAX, NULL) != 0)
			fail_msg("%d: %s: %s", good, first_where, first.err.text);
	}
}

/* Less is looked at, but nothing else. */
static void
quick_leaves_only_signatures_of_certificates_out(void **state)
{
	quick = true;
	for (enum deed bad = NOTHING + 1; bad < DEEDS; bad++) {
		bool hidden = bad == FORGED_SIGNATURE || bad == FOREIGN_ISSUER || bad == OTHER_AUTHORITY;

		tell(bad);
		if ((findings(export(), SIZE_MAX, NULL) == 0) != hidden)
			fail_msg("deed %d", bad);
	}
	quick = false;
}

/* Somebody who writes to the store's columns: the journal is as it was. */
static void
every_column_is_checked(void **state)
{
	static const char *const columns_bad[][2] = {
		{ "\"authority\":0", "\"authority\":40" },
		{ "\"certificate_procedure\":0", "\"certificate_procedure\":80" },
		{ "\"base\":0", "\"base\":80" },
		{ "\"issuer\":40", "\"issuer\":41" },
		{ "\"not_after\":", "\"not_after\":1" },
		{ "\"not_before\":", "\"not_before\":1" },
		{ "\"request\":0", "\"request\":200" },
		{ "\"session\":0", "\"session\":210" },
		{ "\"status\":0", "\"status\":2" },
		{ "\"token_procedure\":80", "\"token_procedure\":81" },
		{ "\"fingerprint\":\"", "\"fingerprint\":\"00\"" },
		{ "\"key_hash\":\"", "\"key_hash\":\"00\"" },
		{ "\"san\":\"", "\"san\":\"dns:other.example\"" },
		{ "\"subject\":\"CN=Web", "\"subject\":\"CN=Deb\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(columns_bad); i++) {
		column = columns_bad[i][0];
		column_bad = columns_bad[i][1];
		tell(NOTHING);
		assert_null(column);
		if (findings(export(), SIZE_MAX, NULL) != 1 || first.err.code != CHY_JOURNAL_ACCOUNT)
			fail_msg("%s: %s", columns_bad[i][1], first.err.text);
	}
}

/* The signer has signed a head over more leaves than are there, or over others. */
static void
the_signers_last_head(void **state)
{
	struct journal_head whole = { .size = leaves_n };
	struct tree t = { 0 };
	struct tree_hash h;
	struct err e = { 0 };

	tell(NOTHING);
	for (size_t i = 0; i < leaves_n; i++) {
		assert_int_equal(tree_leaf(journal_sha256, bytes_str(leaves[i]), &h, &e), RC_OK);
		assert_int_equal(tree_add(journal_sha256, &t, &h, NULL, NULL, &e), RC_OK);
	}
	assert_int_equal(tree_root(journal_sha256, &t, &h, &e), RC_OK);
	memcpy(whole.root, h.b, TREE_HASH);
	whole.size = leaves_n;
	witness = &whole;
	assert_int_equal(findings(export(), SIZE_MAX, NULL), 0);
	whole.root[3] ^= 1;
	assert_int_equal(findings(export(), SIZE_MAX, NULL), 1);
	assert_int_equal(first.err.code, CHY_JOURNAL_ALTERED);
	whole.root[3] ^= 1;
	leaves_n--; /* the refusal, which nothing else knows; heads and all are made anew */
	assert_int_equal(findings(export(), SIZE_MAX, NULL), 1);
	assert_int_equal(first.err.code, CHY_JOURNAL_ALTERED);
	witness = NULL;
	assert_int_equal(findings(export(), SIZE_MAX, NULL), 0); /* without the signer nobody could know */
}

/* ---- to the file ---- */

struct lines {
	struct bytes at[3 * LEAVES_MAX];
	size_t n;
};

static struct lines
lines_of(struct bytes text)
{
	struct lines l = { .n = 0 };

	for (struct bytes rest = text; rest.n > 0; l.n++)
		l.at[l.n] = text_cut(rest, '\n', &rest);
	return l;
}

static struct bytes
joined(const struct lines *l)
{
	OWN_BUF struct buf b = buf_max(8 << 20);

	for (size_t i = 0; i < l->n; i++) {
		buf_put(&b, l->at[i]);
		buf_str(&b, "\n");
	}
	return arena_dup(mem, buf_bytes(&b));
}

static void
must_find(const struct lines *l, const char *what, size_t i)
{
	if (findings(joined(l), SIZE_MAX, NULL) == 0)
		fail_msg("%s line %zu was not found", what, i + 1);
}

static void
every_removed_line_is_found(void **state)
{
	struct lines all, l;

	tell(NOTHING);
	all = lines_of(export());
	for (size_t i = 0; i < all.n; i++) {
		/* a head between others may be left out: a later one covers the same leaves */
		if (bytes_starts(all.at[i], "{\"type\":\"head\"") &&
		    bytes_starts(all.at[i + 1], "{\"type\":\"leaf\""))
			continue;
		l = all;
		memmove(&l.at[i], &l.at[i + 1], (l.n - i - 1) * sizeof(l.at[0]));
		l.n--;
		must_find(&l, "removed", i);
	}
}

static void
every_doubled_line_is_found(void **state)
{
	struct lines all, l;

	tell(NOTHING);
	all = lines_of(export());
	for (size_t i = 0; i < all.n; i++) {
		l = all;
		memmove(&l.at[i + 1], &l.at[i], (l.n - i) * sizeof(l.at[0]));
		l.n++;
		must_find(&l, "doubled", i);
	}
}

static void
every_pair_of_leaves_changed_round_is_found(void **state)
{
	struct lines all, l;

	tell(NOTHING);
	all = lines_of(export());
	for (size_t i = 0; i < all.n; i++)
		for (size_t j = i + 1; j < all.n; j++) {
			if (!bytes_starts(all.at[i], "{\"type\":\"leaf\"") ||
			    !bytes_starts(all.at[j], "{\"type\":\"leaf\""))
				continue;
			l = all;
			l.at[i] = all.at[j];
			l.at[j] = all.at[i];
			must_find(&l, "changed", i);
		}
}

/* Leaves changed round together with their indexes: only the tree tells. */
static void
reordered_and_renumbered_is_found(void **state)
{
	struct lines l;
	struct bytes bodies[2];
	size_t at[2] = { 0 }, n = 0;

	tell(NOTHING);
	l = lines_of(export());
	for (size_t i = 0; i < l.n && n < 2; i++)
		if (bytes_starts(l.at[i], "{\"type\":\"leaf\",\"index\":1,") ||
		    bytes_starts(l.at[i], "{\"type\":\"leaf\",\"index\":2,"))
			at[n++] = i;
	assert_int_equal(n, 2);
	for (size_t i = 0; i < 2; i++)
		bodies[i] = bytes_part(l.at[at[i]], 25, SIZE_MAX);
	for (size_t i = 0; i < 2; i++)
		l.at[at[i]] = bytes_str(arena_printf(mem, "{\"type\":\"leaf\",\"index\":%zu,%.*s", i + 1,
						     BYTES_FMT(bodies[1 - i])));
	must_find(&l, "renumbered", at[0]);
}

/* A bit in (nearly) every place. */
static void
every_altered_byte_is_found(void **state)
{
	struct bytes text;
	uint8_t *p;

	tell(NOTHING);
	text = export();
	p = arena_alloc(mem, text.n);
	memcpy(p, text.p, text.n);
	for (size_t i = 0; i < text.n; i += 13) {
		if (p[i] == '\n' || i == text.n - 3) /* how many were left out is a remark, nobody's claim */
			continue;
		p[i] ^= 1;
		if (findings(bytes_of(p, text.n), SIZE_MAX, NULL) == 0)
			fail_msg("byte %zu: %.*s", i, 60, (const char *)p + (i > 30 ? i - 30 : 0));
		p[i] ^= 1;
	}
}

static void
every_cut_is_found(void **state)
{
	struct bytes text;

	tell(NOTHING);
	text = export();
	for (size_t n = 0; n < text.n - 1; n += 97)
		if (findings(bytes_part(text, 0, n), SIZE_MAX, NULL) == 0)
			fail_msg("cut after %zu bytes", n);
}

static void
another_root_is_found(void **state)
{
	struct bytes mine = root, text;

	tell(NOTHING);
	text = export();
	root = anna;
	assert_int_equal(findings(text, SIZE_MAX, NULL), 1);
	assert_int_equal(first.err.code, CHY_JOURNAL_FORMAT);
	root = mine;
}

static void
stranger_with_the_journal_is_found(void **state)
{
	struct softkey *real = journal_key;
	struct bytes text;

	tell(NOTHING);
	journal_key = bert_key; /* signs the heads */
	text = export();
	journal_key = real;
	assert_true(findings(text, SIZE_MAX, NULL) > 0);
	assert_int_equal(first.err.code, CHY_JOURNAL_SIGNATURE);
}

/* ---- one proof ---- */

static struct json *
proof(size_t index, const char *path)
{
	OWN_BUF struct buf head = buf_max(1 << 16), leaf_text = buf_max(1 << 20);
	struct tree t = { 0 };
	struct tree_hash h;
	struct json *v;
	struct err e = { 0 };
	const char *text;

	for (size_t i = 0; i < leaves_n; i++) {
		assert_int_equal(tree_leaf(journal_sha256, bytes_str(leaves[i]), &h, &e), RC_OK);
		assert_int_equal(tree_add(journal_sha256, &t, &h, NULL, NULL, &e), RC_OK);
	}
	put_head(&head, &t);
	json_put_str(&leaf_text, bytes_str(leaves[index]));
	text = arena_printf(
	    mem, "{\"leaf\":%s,\"index\":%zu,\"path\":%s,\"head\":%.*s,\"certificate\":\"%s\"}}",
	    buf_cstr(&leaf_text), index, path, (int)head.n - 2, (const char *)head.p, b64(journal_cert));
	if (json_parse(mem, bytes_str(text), &v, &e) != RC_OK)
		fail_msg("%s", e.text);
	return v;
}

static enum rc
stored(void *arg, unsigned level, uint64_t index, struct tree_hash *ret, struct err *e)
{
	struct tree t = { 0 };
	struct tree_hash h;

	for (uint64_t i = index << level; i < (index + 1) << level; i++) {
		TRY(tree_leaf(journal_sha256, bytes_str(leaves[i]), &h, e));
		TRY(tree_add(journal_sha256, &t, &h, NULL, NULL, e));
	}
	return tree_root(journal_sha256, &t, ret, e);
}

static const char *
path_of(size_t index)
{
	OWN_BUF struct buf b = buf_max(1 << 16);
	struct tree_reader from = { stored, NULL };
	struct tree_proof p;
	struct err e = { 0 };

	assert_int_equal(tree_inclusion(journal_sha256, &from, index, leaves_n, &p, &e), RC_OK);
	for (size_t i = 0; i < p.n; i++)
		buf_printf(&b, "%s\"%s\"", i ? "," : "", b64(BYTES_OF(p.at[i].b)));
	return arena_printf(mem, "[%.*s]", BYTES_FMT(buf_bytes(&b)));
}

static void
proof_of_one_certificate(void **state)
{
	struct proven p;
	struct err e = { 0 };

	tell(NOTHING);
	if (journal_check_proof(mem, proof(2, path_of(2)), root, ANNA_CERT, &p, &e) != RC_OK)
		fail_msg("%s: %s", e.field, e.text);
	assert_int_equal(p.index, 2);
	assert_int_equal(p.size, leaves_n);
	assert_true(bytes_is(p.sha256, hex_sha256(anna)));

	assert_int_not_equal(journal_check_proof(mem, proof(2, path_of(2)), root, BERT_CERT, &p, &e), RC_OK);
	assert_int_equal(e.code, CHY_TREE_PROOF);
	err_clear(&e);
	assert_int_not_equal(journal_check_proof(mem, proof(2, path_of(3)), root, ANNA_CERT, &p, &e), RC_OK);
	assert_int_equal(e.code, CHY_TREE_PROOF);
	err_clear(&e);
	assert_int_not_equal(journal_check_proof(mem, proof(2, path_of(2)), anna, ANNA_CERT, &p, &e), RC_OK);
	assert_int_equal(e.code, CHY_CHAIN_INCOMPLETE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_journal_verifies),
		cmocka_unit_test(bad_deeds_are_found),
		cmocka_unit_test(quick_leaves_only_signatures_of_certificates_out),
		cmocka_unit_test(what_only_looks_bad_is_not_found),
		cmocka_unit_test(every_column_is_checked),
		cmocka_unit_test(the_signers_last_head),
		cmocka_unit_test(every_removed_line_is_found),
		cmocka_unit_test(every_doubled_line_is_found),
		cmocka_unit_test(every_pair_of_leaves_changed_round_is_found),
		cmocka_unit_test(reordered_and_renumbered_is_found),
		cmocka_unit_test(every_altered_byte_is_found),
		cmocka_unit_test(every_cut_is_found),
		cmocka_unit_test(another_root_is_found),
		cmocka_unit_test(stranger_with_the_journal_is_found),
		cmocka_unit_test(proof_of_one_certificate),
	};

	return cmocka_run_group_tests_name("cli_journal", tests, start, stop);
}
