#include "base/base.h"
#include "pki/crl_walker.h"

#include "pki/name.h"

enum { CRL_REMOVES = 8 }; /* removeFromCRL */

#define BREAKS(d, std, ...) der_fail((d), CHY_CRL_TBS, (std), __VA_ARGS__)

/* ---- the head ---- */

/* A header whose contents reach beyond the part: short or minimal long form (X.690 10.1), a one-octet tag. */
static bool
take_open(struct bytes *in, uint8_t tag, size_t *ret_n)
{
	size_t k;

	if (in->n < 2 || in->p[0] != tag)
		return false;
	if (in->p[1] < 0x80) {
		*ret_n = in->p[1];
		*in = bytes_part(*in, 2, SIZE_MAX);
		return true;
	}
	k = in->p[1] & 0x7f;
	if (k == 0 || k > 4 || in->n < 2 + k || in->p[2] == 0)
		return false;
	*ret_n = 0;
	for (size_t i = 0; i < k; i++)
		*ret_n = *ret_n << 8 | in->p[2 + i];
	*in = bytes_part(*in, 2 + k, SIZE_MAX);
	return *ret_n >= 0x80;
}

/* An OBJECT IDENTIFIER in front: an issuance list. */
static void
walk_content(struct der *d, struct crl_walk *w)
{
	if (!der_next_is(d, DER_OID))
		return;
	w->issued = true;
	if (oid_find(der_oid(d)) != OID_CERT_HASH && der_ok(d))
		BREAKS(d, NULL, "what the entries have of certificates is not their hash");
}

static void
walk_fixed(struct der *d, struct crl_walk *w, struct bytes *ret_issuer)
{
	struct bytes alg;

	walk_content(d, w);
	if (der_int(d, 0, INT32_MAX) != 1)
		BREAKS(d, "RFC 5280 5.1.2.1", "version is not %d", w->issued ? 1 : 2);
	if (w->issued) {
		w->segment = (unsigned)der_int(d, 1, INT32_MAX);
		w->last = der_bool(d);
	}
	alg = der_tlv(d, DER_SEQUENCE);
	if (der_ok(d) && (d->rc = sigalg_parse(alg, &w->sigalg, d->e)) != RC_OK)
		err_field(d->e, "signature");
	if (der_ok(d) && !bytes_eq(alg, sigalg_alg_id(w->sigalg)))
		BREAKS(d, "RFC 4055 5", "algorithm identifier is not in the form that we write");
	*ret_issuer = der_tlv(d, DER_SEQUENCE);
	if (der_ok(d) && (d->rc = name_check(*ret_issuer, d->e)) != RC_OK)
		err_field(d->e, "issuer");
	if (der_ok(d) && name_is_empty(*ret_issuer))
		BREAKS(d, "RFC 5280 5.1.2.3", "the issuer's name is empty");
	w->this_update_at = der_time(d, true);
	w->next_update_at = der_time(d, true);
	if (der_ok(d) && w->this_update_at >= w->next_update_at)
		BREAKS(d, "RFC 5280 5.1.2.5", "the next list is not due after this one");
}

enum rc
crl_walk_head(struct crl_walk *w, struct bytes part, struct bytes *ret_issuer, struct err *e)
{
	struct bytes rest = part;
	struct der d;

	memset(w, 0, sizeof(*w));
	NEED(take_open(&rest, DER_SEQUENCE, &w->total), e, CHY_CRL_TBS, "RFC 5280 5.1.2",
	     "no TBSCertList begins here");
	NEED(rest.n <= w->total && w->total <= LIMIT_CRL, e, CHY_CRL_TBS, NULL,
	     "%zu bytes of %zu, at most %d", rest.n, w->total, LIMIT_CRL);
	w->left = w->total - rest.n;
	w->total += part.n - rest.n;
	d = der_of(rest, e);
	walk_fixed(&d, w, ret_issuer);
	TRY(d.rc);
	rest = bytes_of(d.p, (size_t)(d.end - d.p));
	w->at = CRL_WALK_TAIL;
	if (rest.n == 0)
		return RC_OK;
	NEED(take_open(&rest, DER_SEQUENCE, &w->entries_left) && rest.n == 0, e, CHY_CRL_TBS,
	     "RFC 5280 5.1.2.6",
	     "what follows the times is no list of entries, or the part does not end in front of them");
	NEED(w->entries_left > 0 && w->entries_left <= w->left, e, CHY_CRL_TBS, "RFC 5280 5.1.2.6",
	     "entries of %zu bytes, %zu follow", w->entries_left, w->left);
	w->at = CRL_WALK_ENTRIES;
	return RC_OK;
}

/* ---- entries ---- */

static void
walk_reason(struct der *d, struct crl_walk *w, struct bytes value)
{
	/* ENUMERATED of one octet: X.690 8.4 */
	uint8_t v = value.n == 3 && value.p[0] == DER_ENUMERATED && value.p[1] == 1 ? value.p[2] : 0;

	if (v == 0 || v == 7 || v > 10)
		BREAKS(d, "RFC 5280 5.3.1", "a reason that must not stand here");
	w->removes |= v == CRL_REMOVES;
}

static void
walk_generalized(struct der *d, struct bytes value)
{
	struct der in = der_of(value, d->e);

	if (!der_next_is(&in, DER_GENERALIZED_TIME))
		BREAKS(&in, "RFC 5280 5.3.2", "no GeneralizedTime");
	der_time(&in, false);
	d->rc = der_end(&in);
}

/* One distinguished name that stands behind the one before it: then the entries of an issuer are together. */
static void
walk_issuer(struct der *d, struct crl_walk *w, struct bytes value)
{
	struct der in = der_of(value, d->e);
	struct bytes name;

	der_enter(&in, DER_SEQUENCE);
	der_enter(&in, DER_CTX_CONS(4));
	name = der_tlv(&in, DER_SEQUENCE);
	der_leave(&in);
	der_leave(&in);
	d->rc = der_end(&in);
	if (der_ok(d))
		d->rc = name_check(name, d->e);
	if (!der_ok(d))
		return;
	if (name_is_empty(name) || name.n > sizeof(w->issuer) ||
	    bytes_cmp(name, bytes_of(w->issuer, w->issuer_n)) <= 0) {
		BREAKS(d, "RFC 5280 5.3.3", "certificateIssuer is empty, too long or not in ascending order");
		return;
	}
	memcpy(w->issuer, name.p, name.n);
	w->issuer_n = name.n;
	w->names_issuers = true;
	w->serial_n = 0;
}

/* pki/cil.c's put_cert_hash, and no other way to say it. */
static void
walk_cert_hash(struct der *d, struct bytes value)
{
	struct der in = der_of(value, d->e);

	der_enter(&in, DER_SEQUENCE);
	der_enter(&in, DER_SEQUENCE);
	if (oid_find(der_oid(&in)) != OID_ALG_SHA256 && der_ok(&in))
		BREAKS(&in, NULL, "the hash is not SHA-256");
	der_leave(&in);
	if (der_take(&in, DER_OCTET_STRING).n != 32 && der_ok(&in))
		BREAKS(&in, NULL, "the hash has not 32 octets");
	der_leave(&in);
	d->rc = der_end(&in);
}

/* What an entry of an issuance list has: the hash, and nothing else. */
static void
walk_issued(struct der *d)
{
	struct bytes value;

	der_enter(d, DER_SEQUENCE);
	der_enter(d, DER_SEQUENCE);
	if (oid_find(der_oid(d)) != OID_CERT_HASH && der_ok(d))
		BREAKS(d, NULL, "an extension of an entry that is not of the profile");
	value = der_take(d, DER_OCTET_STRING);
	der_leave(d);
	der_leave(d);
	if (der_ok(d))
		walk_cert_hash(d, value);
}

/* Extension (RFC 5280 4.1), of an entry or of the list. */
static bool
take_ext(struct der *d, struct bytes *oid, bool *critical, struct bytes *value)
{
	der_enter(d, DER_SEQUENCE);
	*oid = der_oid(d);
	if (der_next_is(d, DER_BOOLEAN)) {
		*critical = der_bool(d);
		if (der_ok(d) && !*critical)
			der_fail(d, CHY_DER_DEFAULT, "X.690 11.5", "critical FALSE must be left out");
	}
	*value = der_take(d, DER_OCTET_STRING);
	der_leave(d);
	return der_ok(d);
}

static void
walk_entry_ext(struct der *d, struct crl_walk *w, unsigned *seen)
{
	struct bytes oid, value;
	bool critical = false;
	unsigned bit;
	enum oid known;

	if (!take_ext(d, &oid, &critical, &value))
		return;
	known = oid_find(oid);
	bit = known == OID_CE_REASON ? 1 : known == OID_CE_INVALIDITY_DATE ? 2 : 4;
	if (known != OID_CE_REASON && known != OID_CE_INVALIDITY_DATE && known != OID_CE_CERTIFICATE_ISSUER)
		BREAKS(d, "RFC 5280 5.3", "an extension of an entry that is not of the profile");
	else if (*seen & bit)
		der_fail(d, CHY_EXT_DUPLICATE, "RFC 5280 4.2", "an extension stands twice");
	else if (critical != (known == OID_CE_CERTIFICATE_ISSUER))
		BREAKS(d, "RFC 5280 5.3", critical ? "must not be critical" : "must be critical");
	*seen |= bit;
	if (!der_ok(d))
		return;
	if (known == OID_CE_REASON)
		walk_reason(d, w, value);
	else if (known == OID_CE_INVALIDITY_DATE)
		walk_generalized(d, value);
	else
		walk_issuer(d, w, value);
}

/* The order is that of the octets, as databases sort them; any total order shows that none stands twice. */
static bool
above(struct bytes serial, const struct crl_walk *w)
{
	return bytes_cmp(serial, bytes_of(w->serial, w->serial_n)) > 0;
}

/* Takes the serial number's place where it stands behind the last one. */
static bool
take_serial(struct crl_walk *w, struct bytes serial)
{
	if (!above(serial, w))
		return false;
	memcpy(w->serial, serial.p, serial.n);
	w->serial_n = serial.n;
	w->n++;
	return true;
}

/* ---- nearly all entries, octet by octet ---- */

enum { PLAIN_TIME = 15, PLAIN_REASON = 14 }; /* octets of a UTCTime, of the reason as the only extension */

/* YYMMDDHHMMSSZ of a day that every month has; others are for the cursor. */
static bool
is_plain_time(const uint8_t *p)
{
	static const uint8_t least[] = { 0, 1, 1, 0, 0, 0 }, most[] = { 99, 12, 28, 23, 59, 59 };

	if (p[0] != DER_UTC_TIME || p[1] != 13 || p[14] != 'Z')
		return false;
	for (int i = 0; i < 6; i++) {
		uint8_t tens = (uint8_t)(p[2 + 2 * i] - '0'), ones = (uint8_t)(p[3 + 2 * i] - '0');

		if (tens > 9 || ones > 9 || tens * 10 + ones < least[i] || tens * 10 + ones > most[i])
			return false;
	}
	return true;
}

static bool
is_plain_reason(const uint8_t *p)
{
	static const uint8_t begin[] = { 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
					 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01 };
	uint8_t v = p[sizeof(begin)];

	return memcmp(p, begin, sizeof(begin)) == 0 && v != 0 && v != 7 && v <= 10;
}

/* A serial number, a time, and at most a reason, in the one way in which DER writes them: the octets that follow, or 0: it is
   something else, which the cursor reads and tells what. A million entries take a fifth of the time so. */
static size_t
walk_plain(struct bytes rest, struct crl_walk *w)
{
	const uint8_t *p = rest.p;
	size_t n, serial;
	struct bytes s;

	if (rest.n < 2 || p[0] != DER_SEQUENCE || p[1] >= 0x80 || (size_t)2 + p[1] > rest.n)
		return 0;
	n = p[1];
	if (n < 2 || p[2] != DER_INTEGER || p[3] == 0 || p[3] > LIMIT_SERIAL)
		return 0;
	serial = p[3];
	if (n != 2 + serial + PLAIN_TIME && n != 2 + serial + PLAIN_TIME + PLAIN_REASON)
		return 0;
	s = bytes_of(p + 4, serial);
	if (s.p[0] >= 0x80 || (s.p[0] == 0 && (serial == 1 || s.p[1] < 0x80)) || !is_plain_time(s.p + serial))
		return 0;
	if (n == 2 + serial + PLAIN_TIME + PLAIN_REASON && !is_plain_reason(s.p + serial + PLAIN_TIME))
		return 0;
	if (!take_serial(w, s))
		return 0;
	if (n > 2 + serial + PLAIN_TIME)
		w->removes |= p[n + 1] == CRL_REMOVES;
	return 2 + n;
}

static void
walk_entry(struct der *d, struct crl_walk *w)
{
	struct bytes serial;
	unsigned seen = 0;

	der_enter(d, DER_SEQUENCE);
	serial = der_integer(d);
	if (der_ok(d) &&
	    (serial.n > LIMIT_SERIAL || serial.p[0] >= 0x80 || (serial.n == 1 && serial.p[0] == 0)))
		BREAKS(d, "RFC 5280 4.1.2.2", "serial number is not positive or longer than %d octets",
		       LIMIT_SERIAL);
	der_time(d, true);
	if (w->issued) {
		walk_issued(d);
	} else if (der_more(d)) {
		der_enter(d, DER_SEQUENCE);
		if (der_ok(d) && !der_more(d))
			BREAKS(d, "RFC 5280 5.3", "an empty list of extensions");
		while (der_more(d))
			walk_entry_ext(d, w, &seen);
		der_leave(d);
	}
	der_leave(d);
	if (!der_ok(d))
		return;
	if (!take_serial(w, serial))
		BREAKS(d, "RFC 5280 5.3", "serial numbers do not ascend");
}

/* As far as they are plain. Those of an issuance list never are: each has the hash of its certificate. */
static void
walk_plain_ones(struct der *d, struct crl_walk *w)
{
	size_t n = w->issued ? 0 : 1;

	while (n > 0) {
		n = walk_plain(bytes_of(d->p, (size_t)(d->end - d->p)), w);
		d->p += n;
	}
}

enum rc
crl_walk_entries(struct crl_walk *w, struct bytes part, struct err *e)
{
	struct der d = der_of(part, e);

	NEED(w->at == CRL_WALK_ENTRIES && part.n > 0 && part.n <= w->entries_left, e, CHY_CRL_TBS, NULL,
	     "entries of %zu bytes, %zu are expected", part.n, w->entries_left);
	for (walk_plain_ones(&d, w); der_more(&d); walk_plain_ones(&d, w))
		walk_entry(&d, w);
	if (der_end(&d) != RC_OK) {
		err_field(e, "revokedCertificates[%zu]", w->n);
		w->at = CRL_WALK_HEAD; /* nothing goes on from here */
		return d.rc;
	}
	w->left -= part.n;
	w->entries_left -= part.n;
	if (w->entries_left == 0)
		w->at = CRL_WALK_TAIL;
	return RC_OK;
}

/* ---- the tail ---- */

struct tail {
	bool aki, number, freshest, indirect;
	struct bytes point;
};

static void
walk_aki(struct der *d, struct bytes value)
{
	struct der in = der_of(value, d->e);
	struct bytes id;

	der_enter(&in, DER_SEQUENCE);
	id = der_take(&in, DER_CTX(0));
	while (der_more(&in))
		der_any(&in, NULL);
	der_leave(&in);
	d->rc = der_end(&in);
	if (der_ok(d) && id.n == 0)
		BREAKS(d, "RFC 5280 5.2.1", "authorityKeyIdentifier without a key identifier");
}

static uint64_t
walk_number(struct der *d, struct bytes value)
{
	struct der in = der_of(value, d->e);
	int64_t v = der_int(&in, 0, INT64_MAX);

	d->rc = der_end(&in);
	return (uint64_t)v;
}

/* Flags are [1] users, [2] CAs, [4] indirect, [5] attribute certificates; [0] the name and [3] the reasons stay as they are. */
static void
walk_point(struct der *d, struct tail *t, struct bytes value)
{
	struct der in = der_of(value, d->e);
	int last = -1;
	unsigned kinds = 0;

	t->point = value;
	der_enter(&in, DER_SEQUENCE);
	if (der_ok(&in) && !der_more(&in))
		BREAKS(&in, "RFC 5280 5.2.5", "an empty issuing distribution point");
	while (der_more(&in)) {
		uint32_t tag;
		struct bytes v = der_any(&in, &tag);
		int n = tag == DER_CTX_CONS(0)              ? 0
		    : tag > DER_CTX(0) && tag <= DER_CTX(5) ? (int)(tag - DER_CTX(0))
							    : -1;

		if (!der_ok(&in))
			break;
		if (n <= last)
			BREAKS(&in, "RFC 5280 5.2.5", "its parts are not in order");
		if (n > 0 && n != 3 && (v.n != 1 || v.p[0] != 0xff))
			BREAKS(&in, "X.690 11.5", "a flag that is not TRUE must be left out");
		if (n == 1 || n == 2 || n == 5)
			kinds++;
		t->indirect |= n == 4;
		last = n;
	}
	der_leave(&in);
	d->rc = der_end(&in);
	if (der_ok(d) && kinds > 1)
		BREAKS(d, "RFC 5280 5.2.5", "of one kind of certificates only, and of another");
}

static const struct {
	enum oid oid;
	bool critical;
	const char *std;
	bool issued; /* may stand in an issuance list */
} rules[] = {
	{ OID_CE_AUTHORITY_KEY_ID, false, "RFC 5280 5.2.1", true },
	{ OID_CE_ISSUER_ALT_NAME, false, "RFC 5280 5.2.2" },
	{ OID_CE_CRL_NUMBER, false, "RFC 5280 5.2.3", true },
	{ OID_CE_DELTA_CRL, true, "RFC 5280 5.2.4", true },
	{ OID_CE_ISSUING_POINT, true, "RFC 5280 5.2.5" },
	{ OID_CE_FRESHEST_CRL, false, "RFC 5280 5.2.6" },
	{ OID_PE_AUTHORITY_INFO, false, "RFC 5280 5.2.7" },
	{ OID_CE_EXPIRED_ON_CRL, false, "X.509 9.5.2.8" },
};

static void
judge(struct der *d, enum oid known, bool critical, bool issued, unsigned *seen)
{
	size_t i = 0;

	while (i < ARRAY_LEN(rules) && (rules[i].oid != known || known == OID_NONE))
		i++;
	if (i == ARRAY_LEN(rules) || (issued && !rules[i].issued))
		BREAKS(d, "RFC 5280 5.2", "an extension that is not of the profile");
	else if (*seen & 1u << i)
		der_fail(d, CHY_EXT_DUPLICATE, "RFC 5280 4.2", "an extension stands twice");
	else if (critical != rules[i].critical)
		BREAKS(d, rules[i].std, critical ? "must not be critical" : "must be critical");
	*seen |= 1u << i;
}

static void
note(struct der *d, struct crl_walk *w, struct tail *t, enum oid known, struct bytes value)
{
	switch (known) {
	case OID_CE_AUTHORITY_KEY_ID:
		t->aki = true;
		walk_aki(d, value);
		break;
	case OID_CE_CRL_NUMBER:
		t->number = true;
		w->number = walk_number(d, value);
		break;
	case OID_CE_DELTA_CRL:
		w->delta = true;
		w->base = walk_number(d, value);
		break;
	case OID_CE_ISSUING_POINT:
		walk_point(d, t, value);
		break;
	case OID_CE_EXPIRED_ON_CRL:
		walk_generalized(d, value);
		break;
	case OID_CE_FRESHEST_CRL:
		t->freshest = true;
		break;
	default:
		break;
	}
}

static void
walk_ext(struct der *d, struct crl_walk *w, struct tail *t, unsigned *seen)
{
	char text[OID_TEXT_MAX];
	struct bytes oid, value;
	bool critical = false;
	enum oid known;

	if (!take_ext(d, &oid, &critical, &value))
		return;
	known = oid_find(oid);
	d->rc = der_check(value, d->e);
	if (der_ok(d))
		judge(d, known, critical, w->issued, seen);
	if (der_ok(d))
		note(d, w, t, known, value);
	if (!der_ok(d))
		err_field(d->e, "%s", known ? oid_name(known) : oid_text(text, oid));
}

/* What the extensions and the entries must say together. */
static enum rc
check_together(const struct crl_walk *w, const struct tail *t, struct err *e)
{
	NEED(t->aki, e, CHY_CRL_TBS, "RFC 5280 5.2.1", "no authorityKeyIdentifier");
	NEED(t->number, e, CHY_CRL_TBS, "RFC 5280 5.2.3", "no cRLNumber");
	NEED(!w->delta || w->base < w->number, e, CHY_CRL_TBS, "RFC 5280 5.2.4",
	     "a delta list to one that does not come before it");
	NEED(!w->delta || !t->freshest, e, CHY_CRL_TBS, "RFC 5280 5.2.6", "freshestCRL in a delta list");
	NEED(w->delta || !w->removes, e, CHY_CRL_TBS, "RFC 5280 5.3.1",
	     "removeFromCRL in a list that is no delta list");
	NEED(t->indirect || !w->names_issuers, e, CHY_CRL_TBS, "RFC 5280 5.3.3",
	     "certificateIssuer in a list that is not indirect");
	return RC_OK;
}

enum rc
crl_walk_tail(struct crl_walk *w, struct bytes part, struct bytes *ret_point, struct err *e)
{
	struct der d = der_of(part, e);
	struct tail t = { 0 };
	unsigned seen = 0;

	NEED(w->at == CRL_WALK_TAIL && part.n == w->left, e, CHY_CRL_TBS, NULL,
	     "extensions of %zu bytes, %zu are left", part.n, w->left);
	w->at = CRL_WALK_HEAD;
	der_enter(&d, DER_CTX_CONS(0));
	der_enter(&d, DER_SEQUENCE);
	while (der_more(&d))
		walk_ext(&d, w, &t, &seen);
	der_leave(&d);
	der_leave(&d);
	TRY(der_end(&d));
	TRY(check_together(w, &t, e));
	w->left = 0;
	w->at = CRL_WALK_DONE;
	*ret_point = w->issued ? oid_der(OID_CERT_HASH) : t.point;
	return RC_OK;
}
