/*
 * A small journal for the tests of its verification, told with real keys: ceremony, an act of two officers, an issuing session,
 * certificates, an officer's renewal; and each of the things that can go wrong in it. In one file with the tests that tell it.
 */
#ifndef TESTS_JOURNAL_STORY_H
#define TESTS_JOURNAL_STORY_H

#include "base/base.h"
#include "base/json.h"
#include "cli/journal_state.h"
#include "crypto/crypto.h"
#include "crypto_help.h"
#include "model/rescue.h"
#include "pki/cert.h"
#include "pki/cms.h"
#include "pki/name.h"

enum { LEAVES_MAX = 60, HEAD_EVERY = 6 };
enum { ANNA = 61, BERT = 62, PROFILE = 50, DOMAIN = 70, ANNA_CERT = 101, BERT_CERT = 102 };

static struct arena *mem;
static bool heads_by_bert;
static struct softkey *root_key, *journal_key, *anna_key, *bert_key;
static struct bytes root, journal_cert, anna, renewed, unfit, bert, issued[4], forged, foreign, anna_expired,
    bert_expired, responder, responder_other, responder_for_more;
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
	CLOCK_FROM_NOWHERE, /* a leaf says that the clock was set back, but the last head had another time */
	SESSION_OF_CLOSED,  /* the officer who opened it was closed before */
	SESSION_ENDED,      /* it was closed before it issued */
	SESSION_ENDED_BY_NOBODY,
	SESSION_ENDED_OTHER, /* another session than the officer signed for */
	SESSION_ENDED_TWICE,
	NOT_FOR_SIGNATURES,  /* the officer's certificate is for encryption */
	OFFICER_SIGNS_HEADS, /* all of it written anew, by another key that the root has certified */
	RENEWED_BY_OTHER,    /* Bert asks for a certificate of Anna's subject, and signs as Anna with it */
	RENEWED_FOR_OTHER,   /* and its leaf says that it stands for Anna */
	RENEWED_OTHER_NAME,  /* Anna asks for one of another subject that is said to stand for her */
	RENEWED_AFTER_MARK, /* as RENEWED_BY_OTHER, in an older journal that has said that it is one no more */
	RENEW_BEGINS_OTHER, /* officer.renew: Bert signs first */
	RENEW_ALONE,        /* Anna alone */
	RENEW_FOR_BERT,     /* Bert and Anna sign, and it stands for Anna */
	RENEW_OTHER_CSR,
	RENEW_OTHER_PROCEDURE,
	RENEW_FOR_NOBODY,
	RENEW_TWICE,
	RESCUE_PAIR_LEFT, /* both could still renew each other */
	RESCUE_HIDDEN,    /* it does not show that they have expired */
	RESCUE_ONE_SIGNER,
	RESCUE_SAME_SIGNER,
	RESCUE_OTHER_KEY, /* Bert signs as Anna, too */
	RESCUE_OTHER_INSTANCE,
	RESCUE_OTHER_BYTES,
	RESCUE_OTHER_CSR,
	RESCUE_OTHER_PROCEDURE,
	RESCUE_OTHER_OFFICER, /* who is named is not whom it stands for */
	RESCUE_TWICE,
	RESCUE_OLD,           /* prepared more than thirty days before */
	RESCUE_NO_ROLE,       /* of officers who could not have renewed anybody */
	RESCUE_NOWHERE,       /* a certificate on the word of a rescue that there was not */
	RESCUE_ELSEWHERE,     /* a signature by an expired certificate under an ordinary act */
	RESPONDER_NOT_SIGNED, /* the officers' document does not say that the authority answers OCSP */
	RESPONDER_FOR_MORE,   /* than for signing answers */
	NODE_UNKNOWN,         /* no officers admitted the status node */
	NODE_CLOSED,
	NODE_CLOSED_BEFORE, /* five minutes ago, and the certificate is on the word of the version before */
	NODE_OTHER_KEY,     /* than the admitted one signed */
	NODE_OTHER_WISH,    /* it signed for another label */
	NODE_FORGED,        /* another key signed in its name */
	NODE_OTHER_SPKI,    /* the certificate has another key than it asked for */
	DEEDS,
	/* what looks like one of these, and is none */
	SESSION_BEFORE_CLOSED = DEEDS,
	SESSION_ENDED_LATER, /* closed after it issued */
	ADOPTED,
	CLOCK_BACK,
	RENEWED,   /* by Anna herself */
	RENEW_ACT, /* by officer.renew */
	RESCUE,
	RENEWED_OLDER, /* as RENEWED_BY_OTHER, as it was allowed before certificates said for whom they stand */
	RESPONDER,
	RESPONDER_AT_NODE,
	RENEWED_MOVED, /* and since then her document has another subject, though not in time for that certificate's leaf */
	GOOD_DEEDS_END
};

/* Begun before certificates said for whom they stand. */
static bool
is_older(enum deed d)
{
	return d == RENEWED_OLDER || d == RENEWED_AFTER_MARK;
}

static bool
is_act_of_renewal(enum deed d)
{
	return d == RENEW_ACT || (d >= RENEW_BEGINS_OTHER && d <= RENEW_TWICE);
}

static bool
is_rescue(enum deed d)
{
	return d == RESCUE || (d >= RESCUE_PAIR_LEFT && d <= RESCUE_ELSEWHERE);
}

static bool
is_at_node(enum deed d)
{
	return d == RESPONDER_AT_NODE || (d >= NODE_UNKNOWN && d <= NODE_OTHER_SPKI);
}

static bool
is_about_responder(enum deed d)
{
	return is_at_node(d) || d == RESPONDER || d == RESPONDER_NOT_SIGNED || d == RESPONDER_FOR_MORE;
}

static bool
is_about_renewal(enum deed d)
{
	return is_rescue(d) || is_act_of_renewal(d) || is_older(d) || d == RENEWED || d == RENEWED_MOVED ||
	    d == RENEWED_BY_OTHER || d == RENEWED_FOR_OTHER || d == RENEWED_OTHER_NAME;
}

#define PROCEDURES(token) ",\"procedures\":{\"certificate\":[90,1],\"token\":[" #token ",1]}"

static void
ceremony(enum deed bad)
{
	const char *may = bad == NO_ROLE || bad == RESCUE_NO_ROLE
	    ? "[\"use-awb\",\"use-clients\",\"issue-certificate\"]"
	    : is_about_responder(bad)
	    ? "[\"domain-tasks\",\"officer-tasks\",\"use-awb\",\"use-clients\",\"issue-certificate\","
	      "\"ca-and-key-tasks\"]"
	    : "[\"domain-tasks\",\"officer-tasks\",\"use-awb\",\"use-clients\",\"issue-certificate\"]";
	const char *by = "{\"genesis\":1}";
	const char *officer = "{\"certificate\":%d,\"certificate_procedure\":90,\"certificate_sha256\":\"%"
			      "s\",\"domain\":%s,\"name\":\"%s\",\"profile\":50,"
			      "\"state\":\"%s\",\"subject\":\"CN=%s,O=Chancery test\"}";

	leaf(arena_printf(mem,
			  "{" AT ",\"id\":1,\"instance\":\"%s\",\"journal_certificate\":\"%s\",\"kind\":"
			  "\"genesis\",\"root\":\"%s\","
			  "%s\"version\":\"0\"}",
			  instance, b64(bad == OFFICER_SIGNS_HEADS ? bert : journal_cert), b64(root),
			  is_older(bad) ? "" : "\"form\":2,"));
	certificate_of(100, root, 40, by, ",\"authority\":[40,1]");
	if (bad != UNKNOWN_CERTIFICATE)
		certificate(ANNA_CERT, anna, by,
			    is_act_of_renewal(bad) || is_rescue(bad) ? PROCEDURES(80) : "");
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
session_closed(int id, int request)
{
	leaf(arena_printf(
	    mem,
	    "{" AT ",\"by\":{\"request\":%d},\"id\":%d,\"kind\":\"session-closed\",\"reason\":\"lost\","
	    "\"session\":210}",
	    request, id));
}

/* By who opened it. */
static void
end_session(enum deed bad, const char *at)
{
	const char *body = bad == SESSION_ENDED_OTHER ? "{\"reason\":\"lost\",\"session\":211}"
						      : "{\"reason\":\"lost\",\"session\":210}";

	leaf_at = at;
	signature(215, ANNA, anna_key, anna, act("issuing-session.close", 215, "null", body, instance));
	session_closed(1215, bad == SESSION_ENDED_BY_NOBODY ? 216 : 215);
	if (bad == SESSION_ENDED_TWICE)
		session_closed(1216, 215);
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
	if (bad == SESSION_ENDED)
		end_session(bad, "11:55:00");
	leaf_at = bad == SESSION_BEFORE_CLOSED ? "11:54:00" : NULL;
	certificate(300, issued[0], bad == UNKNOWN_SESSION ? "{\"session\":211}" : "{\"session\":210}",
		    bad == SESSION_OTHER_PROCEDURE ? ",\"procedures\":{\"token\":[81,1]}" : procedure);
	leaf_at = NULL;
	if (bad == SESSION_ENDED_LATER || bad == SESSION_ENDED_BY_NOBODY || bad == SESSION_ENDED_OTHER ||
	    bad == SESSION_ENDED_TWICE)
		end_session(bad, NULL);
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

/* officer.renew: by Anna first, then by Bert; and what Anna signs with it, by a key that is Bert's. */
static void
renewal_act(enum deed bad, struct bytes csr)
{
	const char *body = arena_printf(mem, "{\"csr\":\"%s\",\"officer\":%d}", b64(csr),
					bad == RENEW_FOR_BERT ? BERT : ANNA),
		   *content = act("officer.renew", 240, "null", body, instance),
		   *hash = hex_sha256(bad == RENEW_OTHER_CSR ? BYTES("x") : csr), *more;

	if (bad == RENEW_BEGINS_OTHER || bad == RENEW_FOR_BERT)
		signature(240, BERT, bert_key, bert, content);
	signature(240, ANNA, anna_key, anna, content);
	if (bad != RENEW_BEGINS_OTHER && bad != RENEW_FOR_BERT && bad != RENEW_ALONE)
		signature(240, BERT, bert_key, bert, content);
	more = arena_printf(mem, ",\"csr_sha256\":\"%s\"%s%s", hash,
			    bad == RENEW_OTHER_PROCEDURE ? PROCEDURES(81) : PROCEDURES(80),
			    bad == RENEW_FOR_NOBODY ? "" : ",\"stands_for\":61");
	certificate(304, renewed, "{\"request\":240}", more);
	if (bad == RENEW_TWICE)
		certificate(305, renewed, "{\"request\":240}", more);
	if (bad == RENEW_ACT)
		signature(241, ANNA, bert_key, renewed,
			  act("certificate.issue", 241, "null",
			      arena_printf(mem, "{\"requests\":[{\"csr\":\"%s\"}],\"token_procedure\":80}",
					   b64(csr)),
			      instance));
}

/* A certificate of the subject that Anna is bound by, and what is signed with it; the key is Bert's, so that he could. */
static void
renewal(enum deed bad)
{
	struct bytes csr = BYTES("another that is none");
	bool unsaid = bad == RENEWED_BY_OTHER || is_older(bad), by_bert = unsaid || bad == RENEWED_FOR_OTHER;
	const char *body = arena_printf(mem, "{\"requests\":[{\"csr\":\"%s\"}],\"token_procedure\":80}",
					b64(csr)),
		   *more;

	if (is_act_of_renewal(bad))
		renewal_act(bad, csr);
	if (!is_about_renewal(bad) || is_act_of_renewal(bad))
		return;
	if (bad == RENEWED_AFTER_MARK)
		leaf("{" AT ",\"form\":2,\"id\":2600,\"kind\":\"form\"}");
	signature(240, by_bert ? BERT : ANNA, by_bert ? bert_key : anna_key, by_bert ? bert : anna,
		  act("certificate.issue", 240, "null", body, instance));
	if (bad == RENEWED_MOVED)
		move_anna();
	more = arena_printf(
	    mem, ",\"csr_sha256\":\"%s\",\"procedures\":{\"certificate\":[90,1],\"token\":[80,1]}%s",
	    hex_sha256(csr), unsaid ? "" : ",\"stands_for\":61");
	certificate(304, bad == RENEWED_OTHER_NAME ? issued[3] : renewed, "{\"request\":240}", more);
	if (bad == RENEWED || unsaid)
		signature(241, ANNA, bert_key, renewed,
			  act("certificate.issue", 241, "null", body, instance));
}

/* ---- a rescue ---- */

static const char *
rescue_signature(int officer, const struct softkey *key, struct bytes cert, struct bytes content)
{
	return arena_printf(mem, "{\"cms\":\"%s\",\"officer\":%d}", b64(sign(key, cert, content)), officer);
}

static struct bytes
rescue_document(enum deed bad, struct bytes csr)
{
	const uint8_t nonce[RESCUE_NONCE] = { bad == RESCUE_OTHER_BYTES };
	struct rescue r = { .instance = bytes_str(bad == RESCUE_OTHER_INSTANCE ? hex_sha256(BYTES("x"))
									       : instance),
			    .prepared_at_ms = 1795262400000 - (bad == RESCUE_OLD ? RESCUE_DAYS_MS : 0),
			    .n = 1 };
	struct bytes text = BYTES_NONE;

	sha256(bad == RESCUE_OTHER_OFFICER ? bert : anna, r.v[0].certificate);
	r.v[0].csr = csr;
	assert_int_equal(rescue_write(mem, &r, BYTES_OF(nonce), &text, NULL), RC_OK);
	return text;
}

/* Anna's and Bert's certificates have expired; they sign, and Anna gets another one. */
static void
rescued(enum deed bad)
{
	struct bytes csr = BYTES("another that is none"), text = rescue_document(bad, csr);
	const struct softkey *by_anna = bad == RESCUE_OTHER_KEY ? bert_key : anna_key;
	const char *first = rescue_signature(ANNA, by_anna, bad == RESCUE_OTHER_KEY ? bert : anna, text),
		   *second = bad == RESCUE_SAME_SIGNER
	    ? first
	    : rescue_signature(BERT, bert_key, bert,
			       bad == RESCUE_OTHER_BYTES ? rescue_document(RESCUE, csr) : text),
		   *more = arena_printf(mem, ",\"csr_sha256\":\"%s\"%s,\"stands_for\":61",
					hex_sha256(bad == RESCUE_OTHER_CSR ? BYTES("x") : csr),
					bad == RESCUE_OTHER_PROCEDURE ? PROCEDURES(81) : PROCEDURES(80));

	if (bad != RESCUE_NOWHERE)
		leaf(arena_printf(
		    mem,
		    "{" AT ",\"certificates\":[%s],\"id\":2500,\"kind\":\"rescue\",\"signatures\":[%s%s%s]}",
		    bad == RESCUE_HIDDEN ? "" : arena_printf(mem, "\"%s\",\"%s\"", b64(anna), b64(bert)),
		    first, bad == RESCUE_ONE_SIGNER ? "" : ",", bad == RESCUE_ONE_SIGNER ? "" : second));
	certificate(2501, renewed, "{\"rescue\":2500}", more);
	if (bad == RESCUE_TWICE)
		certificate(2502, renewed, "{\"rescue\":2500}", more);
	signature(241, ANNA, bad == RESCUE_ELSEWHERE ? anna_key : bert_key,
		  bad == RESCUE_ELSEWHERE ? anna : renewed,
		  act("certificate.issue", 241, "null",
		      arena_printf(mem, "{\"requests\":[{\"csr\":\"%s\"}],\"token_procedure\":80}", b64(csr)),
		      instance));
}

static void
tell_rescue(enum deed bad)
{
	const struct bytes own = anna, other = bert;

	anna = bad == RESCUE_PAIR_LEFT ? anna : anna_expired;
	bert = bad == RESCUE_PAIR_LEFT ? bert : bert_expired;
	ceremony(bad);
	rescued(bad);
	anna = own;
	bert = other;
}

#include "journal_responder_story.h"

static void
tell(enum deed bad)
{
	const struct bytes own = anna;

	if (bad == NOT_FOR_SIGNATURES)
		anna = unfit;
	heads_by_bert = bad == OFFICER_SIGNS_HEADS;
	leaves_n = rows_n = documents_n = certificates_n = signatures_n = 0;
	if (is_rescue(bad)) {
		tell_rescue(bad);
		return;
	}
	if (is_about_responder(bad)) {
		tell_responder(bad);
		return;
	}
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

#endif
