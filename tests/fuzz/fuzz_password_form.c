/* A password's scrypt form that somebody else made: never a crash; what may be stored is text of the form's own characters. */
#include "base/base.h"
#include "crypto/kdf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes text = bytes_of(data, n);
	struct err e = { 0 };

	if (password_form_check(text, &e) != RC_OK) {
		check(e.code == CHY_PASSWORD_FORM);
		return 0;
	}
	check(n < PASSWORD_TEXT_MAX && bytes_starts(text, "$scrypt$ln="));
	for (size_t i = 0; i < n; i++)
		check(data[i] > ' ' && data[i] < 0x7f && data[i] != '"' && data[i] != '\\');
	return 0;
}
