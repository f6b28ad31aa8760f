#include "base/base.h"
#include "cli/certid.h"
#include "cli/key.h"
#include "cli/rest.h"
#include "pki/cert.h"

#include <ctype.h>
#include <unistd.h>

bool
serial_text(char *dst, const char *word)
{
	size_t n = 0;

	if (strncmp(word, "0x", 2) == 0)
		word += 2;
	for (; *word; word++) {
		if (*word == ':')
			continue;
		if (!isxdigit((unsigned char)*word) || n >= 2 * LIMIT_SERIAL)
			return false;
		dst[n++] = (char)tolower((unsigned char)*word);
	}
	dst[n] = 0;
	return n >= 2 && n % 2 == 0;
}

static enum rc
by_serial(struct cli *c, const char *serial, int64_t *ret, struct err *e)
{
	struct json *page, *items;
	struct rest *r;

	TRY(cli_rest(c, &r, e));
	TRY(rest_json(r, c->a, arena_printf(c->a, "/api/v1/certificates?serial=%s", serial), NULL, &page, e));
	TRY_AT(json_need_array(page, "items", &items, e), e, "the server's answer");
	NEED(items->count > 0, e, CHY_CLI_NOT_FOUND, NULL,
	     "no certificate with the serial number %s was issued here", serial);
	NEED(items->count == 1, e, CHY_CLI_NOT_FOUND, NULL,
	     "%zu certificates have this serial number; use the id", items->count);
	return json_need_int(items->first, "id", 1, JSON_INT_MAX, ret, e);
}

static enum rc
by_file(struct cli *c, const char *path, int64_t *ret, struct err *e)
{
	struct bytes der[16];
	struct cert cert;
	char serial[2 * LIMIT_SERIAL + 1];
	size_t n;

	TRY(certs_read(c->a, path, der, ARRAY_LEN(der), &n,
		       e)); /* the first one: the chain stands behind it */
	TRY_AT(cert_parse(c->a, der[0], &cert, e), e, "%s", path);
	NEED(cert.serial.n <= LIMIT_SERIAL, e, CHY_CLI_FILE_TYPE, "RFC 5280 4.1.2.2",
	     "%s: serial number too long", path);
	return by_serial(c, hex_text(serial, cert.serial), ret, e);
}

enum rc
cert_id(struct cli *c, const char *word, int64_t *ret, struct err *e)
{
	char serial[64];

	if (strcmp(word, "-") == 0 || access(word, R_OK) == 0)
		return by_file(c, word, ret, e);
	if (strlen(word) < 18 && int_parse(bytes_str(word), 1, JSON_INT_MAX, ret, NULL) == RC_OK)
		return RC_OK;
	NEED(serial_text(serial, word), e, CHY_CLI_USAGE, NULL,
	     "\"%s\" is neither a file, nor an id, nor a serial number in hexadecimal", word);
	return by_serial(c, serial, ret, e);
}
