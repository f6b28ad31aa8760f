/*
 * An officer's signature from anybody. What we accept the library's own CMS code must accept too, with the same
 * content; that is how a reader of ours that is too generous is found.
 */
#include "base/base.h"
#include "crypto/cms_verify.h"

#include <openssl/cms.h>
#include <openssl/err.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
library_agrees(struct bytes der, struct bytes content)
{
	const uint8_t *p = der.p;
	CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
	BIO *out = BIO_new(BIO_s_mem());
	uint8_t *text;
	long len;

	check(c != NULL && p == der.p + der.n && out != NULL);
	check(CMS_verify(c, NULL, NULL, NULL, out, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1);
	len = BIO_get_mem_data(out, &text);
	check(bytes_eq(bytes_of(text, (size_t)len), content));
	BIO_free(out);
	CMS_ContentInfo_free(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	OWN(arena_free)
	struct arena *a = arena_new(1 << 20);
	struct bytes in = bytes_of(data, n);
	struct cms_signed s;
	struct err e = { 0 };

	if (a == NULL)
		return 0;
	if (cms_verify(a, in, &s, &e) == RC_OK)
		library_agrees(in, s.content);
	else
		check(e.code != CHY_NONE && e.text[0] != 0);
	check(ERR_peek_error() == 0);
	return 0;
}
