#include "base/base.h"
#include "factory/issue_facts.h"

#include "crypto/verify.h"
#include "crypto/weak.h"

static struct verdict
verdict_of(enum rc rc, const struct err *e)
{
	return (struct verdict){ .made = rc == RC_OK || rc == RC_DENIED || rc == RC_MALFORMED, .why = *e };
}

void
issue_facts_of_csr(struct issue_facts *facts, const struct csr *csr, uint8_t key_id[SHA1_LEN], bool ours)
{
	struct err e = { 0 };
	enum rc rc;

	facts->csr = csr;
	sha1(csr->key.bits_der, key_id);
	facts->key_id = bytes_of(key_id, SHA1_LEN);
	sha256(csr->key.spki, facts->key);
	rc = key_check(&csr->key, NULL, &e);
	facts->weak = verdict_of(rc, &e);
	err_clear(&e);
	/* a weak key is not worth 50 us */
	rc = facts->weak.why.code == CHY_NONE && !ours ? verify_csr(csr, &e) : RC_OK;
	facts->pop = verdict_of(rc, &e);
}
