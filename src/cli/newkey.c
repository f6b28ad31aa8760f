#include "base/base.h"
#include "cli/newkey.h"

#include <unistd.h>

#include "base/file.h"
#include "pki/csr.h"
#include "pki/pem.h"

enum rc
newkey_must_be_new(const char *path, struct err *e)
{
	NEED(access(path, F_OK) != 0, e, CHY_FILE_WRITE, NULL, "%s is there already and is not overwritten",
	     path);
	return RC_OK;
}

enum rc
newkey_write(const struct softkey *key, const struct secret *password, const char *path, struct err *e)
{
	OWN_BUF struct buf der = buf_max(SOFTKEY_SAVED_MAX), pem = buf_max(2 * SOFTKEY_SAVED_MAX);

	TRY(softkey_save(key, password, &der, e));
	pem_put(&pem, NEWKEY_LABEL, buf_bytes(&der));
	NEED(buf_ok(&pem), e, CHY_NO_MEMORY, NULL, "key");
	return file_write(path, buf_bytes(&pem), 0600, e);
}

enum rc
newkey_request(struct arena *a, const struct softkey *key, struct bytes subject, const struct exts *exts,
	       struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf signature = buf_max(SOFTKEY_SIGNATURE_MAX);
	enum sigalg alg = softkey_default_alg(key);
	struct bytes tbs;

	TRY(csr_tbs_build(a, subject, softkey_spki(key), exts, &tbs, e));
	TRY(softkey_sign(key, alg, tbs, &signature, e));
	return csr_assemble(a, tbs, alg, buf_bytes(&signature), ret, e);
}
