/*
 * What every act upon a certificate asks of the officer, before what is its own: that the officer sees it and may change it, has the
 * roles, and is not kept from it by issuer or name constraints. Pure; each answer names its rule.
 */
#ifndef POLICY_UPON_H
#define POLICY_UPON_H

#include "policy/revoke.h"

/* The facts' wish and state are not looked at. Codes: STATUS_UNSEEN, DOMAIN_FOREIGN, ROLE_MISSING, ISSUER_CONSTRAINT, OFFICER_NAMES.
   a is for scratch. */
MUST enum rc may_act_upon(struct arena *a, const struct status_facts *f, roles needed, struct err *e);

#endif
