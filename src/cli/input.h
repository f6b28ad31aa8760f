/* --input NAME=VALUE: what is filled in where the policy asks for inputs (docs/guide/formats.md). */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "cli/cli.h"

/* All --input options as one object: a text, several of one name as a list, or JSON's object (QC statements), which stands alone.
   *ret: the arena's; NULL where the option was not given. Codes: CLI_USAGE, those of json_parse, NO_MEMORY. */
MUST enum rc input_read(struct cli *c, struct json **ret, struct err *e);

#endif
