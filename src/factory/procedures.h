/*
 * Questions about procedures, and the numbers that they hand out.
 */
#ifndef FACTORY_PROCEDURES_H
#define FACTORY_PROCEDURES_H

#include "base/json.h"
#include "factory/factory.h"
#include "model/officer.h"
#include "policy/snapshot.h"
#include "store/change.h"

/* A page of a list that is made whole each time: the cursor is how many were seen. */
struct part {
	int64_t after;
	size_t limit;
};

/* {"items": [{"kind", "id", "name", "state", "field"}], "next"}: documents that refer to this one, of those that the officer
   may see. STORE_NOT_FOUND for one that the officer may not see. */
MUST enum rc document_references(struct arena *a, const struct snapshot *policy, const struct officer *who,
				 enum kind_id kind, struct doc_id id, struct part part, struct json **ret,
				 struct err *e);

/* What is filled in to use a token procedure: view_show. Needs the right to see it. */
MUST enum rc token_input(struct arena *a, const struct snapshot *policy, const struct officer *who,
			 struct doc_id id, struct json **ret, struct err *e);

/* {"items": [{"token_procedure", "name", "state", "from", "to", "next", "left"}], "next"}: every range of card serial
   numbers, by its first number; its next null: none is left. All procedures, whoever may see them: their ranges are taken
   for everybody. Needs Use AWB and Policy tasks. */
MUST enum rc card_serial_ranges(struct factory *f, struct arena *a, const struct snapshot *policy,
				const struct officer *who, struct part part, struct json **ret,
				struct err *e);

/* The next number of the procedure's range, taken by the change that uses it: what is not committed is not handed
   out. Codes: CARD_SERIALS_EXHAUSTED; the commit's CARD_SERIAL_TAKEN: another card was faster, begin again. */
MUST enum rc card_serial_take(struct store *s, const struct token_procedure *t, int64_t now_ms,
			      struct change *c, int64_t *ret, struct err *e);

#endif
