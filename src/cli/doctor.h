/*
 * The doctor: what a certificate points to (caIssuers, revocation lists, deltas, OCSP), fetched and judged as those who rely on
 * it see it. Each finding says what is wrong and how it is mended. Inner header of cmd_doctor.c and doctor_*.c.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "base/json.h"
#include "cli/fetch.h"
#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/ocsp.h"

enum finding_level { FOUND_GOOD, FOUND_DOUBT, FOUND_BAD };

struct finding {
	struct finding *next;
	enum finding_level level;
	const char *what; /* "caIssuers", "CRL", "delta CRL", "OCSP", "certificate", "store" */
	const char *url;  /* "" : of no address */
	const char *text, *mend;
};

/* What the world says of the certificate; of those that lists can say the later is the worse. */
enum said { SAID_NOTHING, SAID_GOOD, SAID_HELD, SAID_REVOKED, SAID_UNKNOWN };

struct doctor {
	struct arena *a;
	int64_t now_ms;
	long timeout_ms;
	struct cert cert, issuer;
	bool has_issuer, is_root;
	struct finding *first, **last;
	size_t bad, doubts;
	enum said by_crl, by_ocsp;
	int64_t crl_at_ms;        /* thisUpdate of the list that spoke */
	int64_t revoked_at_ms;    /* as OCSP says */
	struct bytes list_issuer; /* Name: who makes the list that is looked at */
	struct cert
	    crl_issuer;  /* of an indirect list, as found where the list says; der.p NULL: not found yet */
	bool clock_told; /* that of a server differs from ours */
	uint64_t crl_number;    /* of the complete list; 0: none */
	struct bytes crl_fresh; /* its freshest CRL extension; p NULL: none */
};

/* Adds a finding; mend NULL: nothing is to be done. */
void doctor_say(struct doctor *d, enum finding_level level, const char *what, const char *url,
		const char *mend, const char *fmt, ...) PRINTF(6, 7);
/* GET with the kind's limits: 200 and one of the media types, or a finding. types ends with NULL; the first is the right one. */
bool doctor_get(struct doctor *d, const char *what, const char *url, size_t max, const char *const *types,
		struct bytes *ret);
/* Says so once where the clock of a server that answered and ours differ. */
void doctor_clock(struct doctor *d, const char *url, const struct fetched *got);
/* An address that can be asked; else a finding. NULL: it cannot. */
const char *doctor_url(struct doctor *d, const char *what, const struct gname *g);

/* The certificate of an indirect list's issuer, by the list's own authorityInfoAccess (RFC 5280 5.2.7); NULL: a finding says why not. */
const struct cert *doctor_crl_issuer(struct doctor *d, const char *what, const char *url,
				     const struct crl *c);
/* Each looks at what the certificate names of its kind. */
void doctor_issuers(struct doctor *d, const struct access_descs *access);
void doctor_crls(struct doctor *d);
void doctor_ocsp(struct doctor *d, const struct access_descs *access);
/* Do list and responder say the same? */
void doctor_compare(struct doctor *d);
const char *said_name(enum said s);

#endif
