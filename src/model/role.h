/*
 * Roles: what an officer's profile allows. One table; a set of roles is a bit mask. The position in the table
 * is nobody's business but this program's: outside, a role is its name.
 */
#ifndef MODEL_ROLE_H
#define MODEL_ROLE_H

#include "base/bytes.h"

enum workbench { WORKBENCH_ADMINISTRATION, WORKBENCH_REGISTRATION };

/* X(enum, name, workbench, label) */
#define ROLE_TABLE(X) \
	X(USE_AWB, "use-awb", ADMINISTRATION, "Use AWB") \
	X(MANUAL_BUILD, "manual-build", ADMINISTRATION, "Manual build of CRL and CIL") \
	X(AUDIT_TASKS, "audit-tasks", ADMINISTRATION, "Audit tasks") \
	X(DOMAIN_TASKS, "domain-tasks", ADMINISTRATION, "Domain tasks") \
	X(CA_AND_KEY_TASKS, "ca-and-key-tasks", ADMINISTRATION, "CA and Key tasks") \
	X(POLICY_TASKS, "policy-tasks", ADMINISTRATION, "Policy tasks") \
	X(OFFICER_TASKS, "officer-tasks", ADMINISTRATION, "Officer tasks") \
	X(PROFILE_TASKS, "profile-tasks", ADMINISTRATION, "Profile tasks") \
	X(CONFIGURATION_TASKS, "configuration-tasks", ADMINISTRATION, "Configuration tasks") \
	X(USE_CLIENTS, "use-clients", REGISTRATION, "Use clients") \
	X(ISSUE_CERTIFICATE, "issue-certificate", REGISTRATION, "Issue certificate") \
	X(ISSUE_ATTRIBUTE_CERTIFICATE, "issue-attribute-certificate", REGISTRATION, \
	  "Issue attribute certificate") \
	X(RECOVER_KEY, "recover-key", REGISTRATION, "Recover key") \
	X(SIGN_KEY_RECOVERY, "sign-key-recovery", REGISTRATION, "Sign key recovery") \
	X(PUBLISH_CERTIFICATE, "publish-certificate", REGISTRATION, "Publish certificate") \
	X(MANAGE_REVOCATION_PASSWORD, "manage-revocation-password", REGISTRATION, \
	  "Manage Revocation password") \
	X(REVOKE_CERTIFICATE, "revoke-certificate", REGISTRATION, "Revoke certificate") \
	X(REVOKE_CERTIFICATE_WITH_PASSWORD, "revoke-certificate-with-password", REGISTRATION, \
	  "Revoke certificate with password") \
	X(REVOKE_ATTRIBUTE_CERTIFICATE, "revoke-attribute-certificate", REGISTRATION, \
	  "Revoke attribute certificate") \
	X(REVOKE_ATTRIBUTE_CERTIFICATE_WITH_PASSWORD, "revoke-attribute-certificate-with-password", \
	  REGISTRATION, "Revoke attribute certificate with password") \
	X(IMPORT_CERTIFICATES, "import-certificates", REGISTRATION, "Import certificates") \
	X(MANAGE_PIN_LETTERS, "manage-pin-letters", REGISTRATION, "Manage PIN letters") \
	X(ORDER_TOKENS, "order-tokens", REGISTRATION, "Order tokens") \
	X(MANAGE_BATCHES, "manage-batches", REGISTRATION, "Manage batches") \
	X(ACTIVATE_OCSP, "activate-ocsp", REGISTRATION, "Activate OCSP")

enum role {
#define X(e, name, workbench, label) ROLE_##e,
	ROLE_TABLE(X)
#undef X
	    ROLE_COUNT,
	ROLE_NONE = -1
};

/* A set of roles. */
typedef uint64_t roles;
#define ROLES(r) ((roles)1 << (r))

/* "use-awb", "Use AWB"; "" for what is no role. */
const char *role_name(enum role r);
const char *role_label(enum role r);
enum workbench role_workbench(enum role r);
/* ROLE_NONE for an unknown name. */
enum role role_of(struct bytes name);

#endif
