#include "base/base.h"
#include "pki/pem.h"

static const char begin[] = "-----BEGIN ", end[] = "-----END ", dashes[] = "-----";

enum { LINE_MAX_LEN = 76, LABEL_MAX = 64 };

/* One line without its end, *text behind it. */
static struct bytes
take_line(struct bytes *text)
{
	struct bytes rest, line = text_cut(*text, '\n', &rest);

	*text = rest;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

bool
pem_is(struct bytes text)
{
	/* a request or certificate in DER, whatever its names hold */
	if (text.n > 1 && text.p[0] == 0x30 && text.p[1] >= 0x80)
		return false;
	while (text.n > 0)
		if (bytes_starts(take_line(&text), begin))
			return true;
	return false;
}

/* The label of a BEGIN or END line (RFC 7468 3); p NULL when it is none. */
static struct bytes
label_of(struct bytes line, const char *start)
{
	size_t head = strlen(start), tail = strlen(dashes);
	struct bytes l;

	while (line.n > 0 && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	if (!bytes_starts(line, start) || line.n < head + tail)
		return BYTES_NONE;
	if (memcmp(line.p + line.n - tail, dashes, tail) != 0)
		return BYTES_NONE;
	l = bytes_part(line, head, line.n - head - tail);
	for (size_t i = 0; i < l.n; i++)
		if (l.p[i] < 0x20 || l.p[i] > 0x7e || (l.p[i] == '-' && i + 1 < l.n && l.p[i + 1] == '-'))
			return BYTES_NONE;
	return l.n > LABEL_MAX ? BYTES_NONE : l;
}

/* The lines up to END, joined. */
static enum rc
take_body(struct bytes *text, struct bytes label, struct buf *out, struct err *e)
{
	size_t first = 0;
	bool last = false;

	while (text->n > 0) {
		struct bytes line = take_line(text);

		if (bytes_starts(line, end)) {
			struct bytes l = label_of(line, end);

			NEED(l.p != NULL && bytes_eq(l, label), e, CHY_PEM, "RFC 7468 3",
			     "END line of another label than BEGIN");
			return RC_OK;
		}
		NEED(memchr(line.p, ':', line.n) == NULL, e, CHY_PEM, "RFC 7468 2",
		     "headers inside the block");
		first = first ? first : line.n;
		NEED(line.n > 0 && line.n <= LINE_MAX_LEN && !last && line.n <= first, e, CHY_PEM,
		     "RFC 7468 3",
		     "lines of base64 must be equally long, at most %d characters, the last one may be "
		     "shorter",
		     LINE_MAX_LEN);
		last = line.n < first;
		buf_put(out, line);
	}
	FAIL(e, CHY_PEM, "RFC 7468 3", "no END line");
}

enum rc
pem_next(struct arena *a, struct bytes *text, struct pem_block *ret, struct err *e)
{
	OWN_BUF struct buf body = buf_max(text->n);
	struct bytes line = BYTES_NONE;

	while (text->n > 0 && !bytes_starts(line, begin))
		line = take_line(text);
	NEED(bytes_starts(line, begin), e, CHY_PEM_NONE, "RFC 7468 3", "no BEGIN line");
	ret->label = label_of(line, begin);
	NEED(ret->label.p != NULL, e, CHY_PEM, "RFC 7468 3", "damaged BEGIN line");
	TRY(take_body(text, ret->label, &body, e));
	NEED(buf_ok(&body), e, CHY_NO_MEMORY, NULL, "PEM block");
	return base64_parse(a, buf_bytes(&body), &ret->der, e);
}

enum rc
pem_one(struct arena *a, struct bytes text, const char *label, struct bytes *ret_der, struct err *e)
{
	struct pem_block b;

	TRY(pem_next(a, &text, &b, e));
	NEED(bytes_is(b.label, label), e, CHY_PEM_LABEL, "RFC 7468 4", "\"%.*s\" where \"%s\" is expected",
	     BYTES_FMT(bytes_part(b.label, 0, 40)), label);
	NEED(!pem_is(text), e, CHY_PEM_LABEL, NULL, "more than one PEM block");
	*ret_der = b.der;
	return RC_OK;
}

void
pem_put(struct buf *out, const char *label, struct bytes der)
{
	enum { PER_LINE = 48 };

	buf_printf(out, "%s%s%s\n", begin, label, dashes);
	for (size_t at = 0; at < der.n; at += PER_LINE) {
		base64_put(out, bytes_part(der, at, PER_LINE));
		buf_u8(out, '\n');
	}
	buf_printf(out, "%s%s%s\n", end, label, dashes);
}
