/*
 * Mail by SMTP (libcurl): a text and the certificate as attachment. A delivery that is repeated has the same Message-ID, so that
 * whoever gets it twice can tell.
 */
#include "base/base.h"
#include "distributor/lane.h"

#include <curl/curl.h>
#include <time.h>

struct letter {
	struct curl_slist *recipients, *headers;
	struct bytes sender, subject, text;
};

/* ---- headers ---- */

static bool
is_ascii(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] >= 0x80)
			return false;
	return true;
}

/* RFC 2047 in pieces that fit a line (75 characters), none of which splits a character. */
static void
put_unstructured(struct buf *out, struct bytes v)
{
	enum { PIECE = 42 };

	if (is_ascii(v) && v.n < 900) {
		buf_put(out, v);
		return;
	}
	for (size_t at = 0; at < v.n;) {
		size_t n = v.n - at < PIECE ? v.n - at : PIECE;

		while (at + n < v.n && n > 1 && (v.p[at + n] & 0xc0) == 0x80)
			n--;
		buf_printf(out, "%s=?UTF-8?B?", at ? "\r\n " : "");
		base64_put(out, bytes_part(v, at, n));
		buf_str(out, "?=");
		at += n;
	}
}

static enum rc
add_line(struct curl_slist **list, const char *line, struct err *e)
{
	struct curl_slist *longer = line ? curl_slist_append(*list, line) : NULL;

	NEED(longer != NULL, e, CHY_NO_MEMORY, NULL, "a mail");
	*list = longer;
	return RC_OK;
}

static enum rc
add_header(struct letter *l, const char *name, struct bytes value, bool text, struct err *e)
{
	OWN_BUF struct buf b = buf_max(64 << 10);

	buf_printf(&b, "%s: ", name);
	if (text)
		put_unstructured(&b, value);
	else
		buf_put(&b, value);
	return add_line(&l->headers, buf_cstr(&b), e);
}

/* RFC 5322 3.3, in UTC. */
static const char *
date(struct arena *a)
{
	time_t now = (time_t)(clock_now_ms() / 1000);
	char text[64];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	return arena_str(a, bytes_str(text));
}

static enum rc
make_headers(const struct job *j, struct letter *l, struct bytes to, struct err *e)
{
	const char *host = memchr(l->sender.p, '@', l->sender.n);
	const char *id = arena_printf(j->a, "<chancery.%lld.%lld@%s>", (long long)j->d.id,
				      (long long)j->d.destination, host ? host + 1 : "localhost");

	TRY(add_header(l, "Date", bytes_str(date(j->a)), false, e));
	TRY(add_header(l, "From", l->sender, false, e));
	TRY(add_header(l, "To", to, false, e));
	TRY(add_header(l, "Subject", l->subject, true, e));
	TRY(add_header(l, "Message-ID", bytes_str(id), false, e));
	return add_header(l, "Auto-Submitted", BYTES("auto-generated"), false, e); /* RFC 3834 5 */
}

static enum rc
make_letter(const struct job *j, struct letter *l, struct err *e)
{
	OWN_BUF struct buf to = buf_max(16 << 10);

	TRY(job_fill(j, rule_text(j, "sender"), PATTERN_MAILBOX, &l->sender, e));
	TRY(job_fill(j, rule_text(j, "subject"), PATTERN_LINE, &l->subject, e));
	l->text = l->subject;
	if (rule_text(j, "text").n > 0)
		TRY(job_fill(j, rule_text(j, "text"), PATTERN_LINE, &l->text, e));
	JSON_EACH(x, rule_list(j, "recipients"))
	{
		struct bytes one;

		TRY(job_fill(j, x->str, PATTERN_MAILBOX, &one, e));
		buf_printf(&to, "%s%.*s", to.n ? ",\r\n " : "", BYTES_FMT(one));
		TRY(add_line(&l->recipients, (const char *)one.p, e));
	}
	return make_headers(j, l, buf_bytes(&to), e);
}

/* ---- sending ---- */

static const char *
file_name(const struct job *j)
{
	static const char *const ends[DELIVERY_WHATS] = {
		[DELIVER_CERTIFICATE] = "certificate.cer",
		[DELIVER_CA_CERTIFICATE] = "certificate.cer",
		[DELIVER_ATTRIBUTE] = "certificate.ac",
		[DELIVER_CRL] = "list.crl",
		[DELIVER_DELTA_CRL] = "delta.crl",
		[DELIVER_AUTHORITY_CRL] = "list.crl",
		[DELIVER_CIL] = "list.cil",
	};

	return j->d.form == DELIVER_DER ? ends[j->d.what] : j->d.name.n > 0 ? "list.pem" : "certificate.pem";
}

static curl_mime *
make_body(const struct job *j, CURL *c, const struct letter *l)
{
	curl_mime *mime = curl_mime_init(c);
	curl_mimepart *text = mime ? curl_mime_addpart(mime) : NULL,
		      *file = text ? curl_mime_addpart(mime) : NULL;
	bool ok = file != NULL && curl_mime_data(text, (const char *)l->text.p, l->text.n) == CURLE_OK &&
	    curl_mime_type(text, "text/plain; charset=utf-8") == CURLE_OK &&
	    curl_mime_encoder(text, "quoted-printable") == CURLE_OK &&
	    curl_mime_data(file, (const char *)j->body.p, j->body.n) == CURLE_OK &&
	    curl_mime_type(file, j->media_type) == CURLE_OK &&
	    curl_mime_encoder(file, "base64") == CURLE_OK &&
	    curl_mime_filename(file, file_name(j)) == CURLE_OK;

	if (!ok) {
		curl_mime_free(mime);
		return NULL;
	}
	return mime;
}

/* RFC 5321 4.2.1: 4 asks to come back, 5 is a no; libcurl gives the last answer. */
static enum rc
judge(enum rc rc, long status, struct err *e)
{
	char text[ERR_TEXT_MAX];

	if (rc == RC_OK || e->code != CHY_DELIVERY_UNREACHED || status < 400)
		return rc;
	snprintf(text, sizeof(text), "%s", e->text);
	err_clear(e);
	return err_set(e, status < 500 ? CHY_DELIVERY_LATER : CHY_DELIVERY_REFUSED, "RFC 5321 4.2.1",
		       "the server answers %ld: %s", status, text);
}

static enum rc
send_letter(const struct job *j, void *state, struct letter *l, struct err *e)
{
	CURL *c = *(CURL **)state; /* the first member of what curl_begin made */
	const char *from = arena_printf(j->a, "<%.*s>", BYTES_FMT(l->sender));
	curl_mime *mime = make_body(j, c, l);
	long status = 0;
	enum rc rc;

	NEED(mime != NULL && from != NULL, e, CHY_NO_MEMORY, NULL, "a mail");
	curl_easy_setopt(c, CURLOPT_USE_SSL,
			 rule_true(j, "start_tls") ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_NONE);
	curl_easy_setopt(c, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, l->recipients);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, l->headers);
	curl_easy_setopt(c, CURLOPT_MIMEPOST, mime);
	FAULT("distributor.before-mail");
	rc = curl_carry_out(state, &status, e);
	rc = judge(rc, status, e);
	FAULT("distributor.after-mail");
	curl_mime_free(mime);
	return rc;
}

static enum rc
deliver(const struct job *j, void **state, struct err *e)
{
	struct letter l = { 0 };
	enum rc rc;

	NEED(!j->d.removal, e, CHY_DELIVERY_NO_REMOVAL, NULL, "a mail that was sent is not taken back");
	rc = make_letter(j, &l, e);
	if (rc == RC_OK)
		rc = curl_begin(j, state, rule_text(j, "address"), e);
	if (rc == RC_OK)
		rc = send_letter(j, *state, &l, e);
	curl_slist_free_all(l.recipients);
	curl_slist_free_all(l.headers);
	return rc;
}

const struct protocol protocol_mail = { "mail", deliver, curl_end };
