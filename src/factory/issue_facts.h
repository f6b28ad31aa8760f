/*
 * From a certificate request to what the decision is told of it: one way for issuing and for simulation, so that they cannot
 * come to differ.
 */
#ifndef FACTORY_ISSUE_FACTS_H
#define FACTORY_ISSUE_FACTS_H

#include "crypto/digest.h"
#include "model/issue.h"

/* Sets csr, key_id, weak and pop. key_id is the caller's room and lives as long as the facts (RFC 5280 4.2.1.2, method 1).
   ours: the key was made here and needs no proof of possession. */
void issue_facts_of_csr(struct issue_facts *facts, const struct csr *csr, uint8_t key_id[SHA1_LEN],
			bool ours);

#endif
