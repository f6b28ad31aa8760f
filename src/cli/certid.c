#include "base/base.h"
#include "cli/certid.h"
#include "cli/key.h"
#include "cli/rest.h"
#include "crypto/digest.h"

#include <ctype.h>
#include <unistd.h>

/* Hexadecimal of at most `most` digits without separators; false when it is none. */
static bool
digits(char *dst, size_t most, const char *word)
{
	size_t n = 0;

	if (strncmp(word, "0x", 2) == 0)
		word += 2;
	for (; *word; word++) {
		if (*word == ':')
			continue;
		if (!isxdigit((unsigned char)*word) || n >= most)
			return false;
		dst[n++] = (char)tolower((unsigned char)*word);
	}
	dst[n] = 0;
	return n >= 2 && n % 2 == 0;
}

bool
serial_text(char *dst, const char *word)
{
	return digits(dst, 2 * LIMIT_SERIAL, word);
}

/* The one item that the server finds; *ret stays when there is none. */
static enum rc
find(struct cli *c, const char *query, int64_t *ret, struct err *e)
{
	struct json *page = NULL, *items = NULL;
	struct rest *r;

	NEED(query != NULL, e, CHY_NO_MEMORY, NULL, "certificate");
	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, query, NULL, &page, e));
	TRY_AT(json_need_array(page, "items", &items, e), e, "the server's answer");
	return items->count ? json_need_int(items->first, "id", 1, JSON_INT_MAX, ret, e) : RC_OK;
}

/* A serial number means something only with its authority, so each of them is asked. */
static enum rc
by_serial(struct cli *c, const char *serial, int64_t *ret, struct err *e)
{
	struct json *items = NULL;
	struct rest *r;

	*ret = 0;
	TRY(cli_rest(c, &r, e));
	if (c->authorities == NULL)
		TRY(rest_json(r, c->a, "/api/v1/documents/authority?limit=1000", NULL, &c->authorities, e));
	TRY_AT(json_need_array(c->authorities, "items", &items, e), e, "the server's answer");
	JSON_EACH(item, items)
	{
		int64_t authority, id = 0;

		TRY_AT(json_need_int(item, "id", 1, JSON_INT_MAX, &authority, e), e, "the server's answer");
		TRY(find(c,
			 arena_printf(c->a, "/api/v1/certificates?serial=%s&authority=%lld", serial,
				      (long long)authority),
			 &id, e));
		NEED(!id || !*ret, e, CHY_CLI_NOT_FOUND, NULL,
		     "two authorities have issued number %s; use the id or the file", serial);
		*ret = id ? id : *ret;
	}
	NEED(*ret != 0, e, CHY_CLI_NOT_FOUND, NULL,
	     "no certificate with the serial number %s was issued here", serial);
	return RC_OK;
}

static enum rc
by_file(struct cli *c, const char *path, int64_t *ret, struct err *e)
{
	struct bytes der[16];
	uint8_t hash[SHA256_LEN];
	char text[2 * SHA256_LEN + 1];
	size_t n;

	*ret = 0;
	TRY(certs_read(c->a, path, der, ARRAY_LEN(der), &n,
		       e)); /* the first one: the chain stands behind it */
	sha256(der[0], hash);
	TRY(find(c, arena_printf(c->a, "/api/v1/certificates?sha256=%s", hex_text(text, BYTES_OF(hash))), ret,
		 e));
	NEED(*ret != 0, e, CHY_CLI_NOT_FOUND, NULL, "the certificate in %s was not issued here", path);
	return RC_OK;
}

static enum rc
by_fingerprint(struct cli *c, const char *sum, int64_t *ret, struct err *e)
{
	*ret = 0;
	TRY(find(c, arena_printf(c->a, "/api/v1/certificates?sha256=%s", sum), ret, e));
	NEED(*ret != 0, e, CHY_CLI_NOT_FOUND, NULL, "no certificate with the fingerprint %s was issued here",
	     sum);
	return RC_OK;
}

enum rc
cert_id(struct cli *c, const char *word, int64_t *ret, struct err *e)
{
	if (strcmp(word, "-") == 0 || access(word, R_OK) == 0)
		return by_file(c, word, ret, e);
	return cert_id_listed(c, word, ret, e);
}

enum rc
cert_id_listed(struct cli *c, const char *word, int64_t *ret, struct err *e)
{
	char serial[2 * SHA256_LEN + 1];

	if (digits(serial, 2 * SHA256_LEN, word) && strlen(serial) == 2 * SHA256_LEN)
		return by_fingerprint(c, serial, ret, e);
	if (strlen(word) < 18 && int_parse(bytes_str(word), 1, JSON_INT_MAX, ret, NULL) == RC_OK)
		return RC_OK;
	NEED(serial_text(serial, word), e, CHY_CLI_USAGE, NULL,
	     "\"%s\" is neither a file, nor an id, nor a serial number or SHA-256 fingerprint in hexadecimal",
	     word);
	return by_serial(c, serial, ret, e);
}
