#include "base/base.h"
#include "factory/choice.h"

#include "crypto/digest.h"
#include "crypto/kdf.h"

static bool
is_hex(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (!(b.p[i] >= '0' && b.p[i] <= '9') && !(b.p[i] >= 'a' && b.p[i] <= 'f'))
			return false;
	return true;
}

enum rc
choice_publication(const struct json *body, bool *said, bool *allowed, struct err *e)
{
	const struct json *publication = json_get(body, "publication_allowed");

	*said = publication != NULL && publication->type != JSON_NULL;
	return *said ? json_opt_bool(body, "publication_allowed", allowed, e) : RC_OK;
}

enum rc
choice_read(const struct json *body, struct choice_asked *ret, struct err *e)
{
	*ret = (struct choice_asked){ .publication = true };
	TRY(choice_publication(body, &ret->publication_said, &ret->publication, e));
	TRY(json_opt_str(body, "revocation_password_sha256", &ret->sha256, e));
	if (ret->sha256.n > 0 && (ret->sha256.n != 2 * SHA256_LEN || !is_hex(ret->sha256))) {
		err_field(e, "revocation_password_sha256");
		FAIL(e, CHY_REVOCATION_PASSWORD, NULL,
		     "a SHA-256 digest in small hexadecimal digits is wanted");
	}
	return RC_OK;
}

enum rc
choice_form_check(struct bytes form, struct err *e)
{
	struct err why = { 0 };

	if (password_form_check(form, &why) == RC_OK)
		return RC_OK;
	NEED(why.code != CHY_NO_MEMORY, e, CHY_NO_MEMORY, NULL, "a revocation password");
	FAIL(e, CHY_REVOCATION_PASSWORD, "RFC 7914", "its scrypt form is wanted, never the password: %s",
	     why.text);
}

static enum rc
is_the_signed_one(const struct choice_asked *c, struct bytes form, struct err *e)
{
	uint8_t sha[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	sha256(form, sha);
	NEED(bytes_is(c->sha256, hex_text(hex, BYTES_OF(sha))), e, CHY_REVOCATION_PASSWORD, NULL,
	     "it is not the one whose digest was signed");
	return RC_OK;
}

static enum rc
judge(const struct choice_asked *c, struct bytes form, struct err *e)
{
	NEED(c->sha256.n > 0, e, CHY_REVOCATION_PASSWORD, NULL, "the signed request names none");
	NEED(form.n > 0, e, CHY_REVOCATION_PASSWORD, NULL, "the one that was signed has not come");
	TRY(choice_form_check(form, e));
	return is_the_signed_one(c, form, e);
}

enum rc
choice_form(const struct choice_asked *c, const struct json *secrets, struct bytes *ret, struct err *e)
{
	*ret = BYTES_NONE;
	TRY(json_opt_str(secrets, "revocation_password", ret, e));
	if (c->sha256.n > 0 || ret->n > 0)
		TRY_AT(judge(c, *ret, e), e, "revocation_password");
	return RC_OK;
}
