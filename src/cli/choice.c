#include "base/base.h"
#include "cli/choice.h"
#include "cli/pin.h"
#include "crypto/digest.h"

enum { PASSWORD_MIN = 8, PASSWORD_MAX = 128 };

static enum rc
read_password(struct cli *c, struct secret **ret, struct err *e)
{
	const struct pin_source from = { args_text(&c->args, "revocation-password-file"),
					 (int)args_int(&c->args, "revocation-password-fd", -1),
					 "Revocation password" };

	if (from.file == NULL && from.fd < 0 && !args_has(&c->args, "ask-revocation-password"))
		return RC_OK;
	TRY(pin_new(&from, ret, e));
	NEED(secret_len(*ret) >= PASSWORD_MIN && secret_len(*ret) <= PASSWORD_MAX &&
		 utf8_ok(secret_bytes(*ret)),
	     e, CHY_REVOCATION_PASSWORD, NULL, "a revocation password has %d to %d bytes", PASSWORD_MIN,
	     PASSWORD_MAX);
	return RC_OK;
}

static enum rc
make_form(struct cli *c, const struct secret *password, struct cli_choice *ret, struct err *e)
{
	char form[PASSWORD_TEXT_MAX], hex[2 * SHA256_LEN + 1];
	uint8_t sha[SHA256_LEN];

	TRY(password_hash(password, form, e));
	sha256(bytes_str(form), sha);
	ret->form = json_str(c->a, bytes_str(form));
	ret->sha256 = json_str(c->a, bytes_str(hex_text(hex, BYTES_OF(sha))));
	NEED(ret->form != NULL && ret->sha256 != NULL, e, CHY_NO_MEMORY, NULL, "a revocation password");
	return RC_OK;
}

enum rc
cli_choice(struct cli *c, struct cli_choice *ret, struct err *e)
{
	OWN(secret_free)
	struct secret *password = NULL;

	*ret = (struct cli_choice){ 0 };
	if (args_has(&c->args, "publication-allowed")) {
		ret->publication = json_bool(c->a, args_yes(&c->args, "publication-allowed", true));
		NEED(ret->publication != NULL, e, CHY_NO_MEMORY, NULL, "a request");
	}
	TRY_AT(read_password(c, &password, e), e, "revocation-password");
	return password ? make_form(c, password, ret, e) : RC_OK;
}
