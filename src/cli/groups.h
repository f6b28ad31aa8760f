/*
 * The groups of commands, one a file (cmd_*.c). Each array ends with a noun of NULL.
 */
#ifndef CLI_GROUPS_H
#define CLI_GROUPS_H

#include "cli/command.h"

extern const struct command commands_certificate[], commands_explain[], commands_request[],
    commands_session[], commands_officer[], commands_authority[], commands_draft[], commands_journal[],
    commands_server[], commands_help[], commands_log[], commands_policy[], commands_try[],
    commands_attribute[], commands_publication[], commands_token[], commands_status[], commands_starter[],
    commands_crl[], commands_search[];
extern const struct command commands_import[], commands_cil[], commands_doctor[], commands_selection[];
/* cmd_renew.c: officer renew. */
MUST enum rc officer_renew(struct cli *c, struct err *e);
/* cmd_server.c: doctor without a certificate. */
MUST enum rc doctor_settings(struct cli *c, struct err *e);
/* Of token procedures, beside what they have as documents. */
extern const struct command commands_procedure[];

#endif
