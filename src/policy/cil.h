/* When the issuance list of an authority is built, and which time it bears (pki/cil.h says what it is). Pure. */
#ifndef POLICY_CIL_H
#define POLICY_CIL_H

#include "policy/snapshot.h"

/* What is there of a procedure's lists. timing: the settings that they were built by, as cil_procedure.timing. */
struct cil_state {
	bool complete, delta; /* there is one; the delta list continues that complete one */
	int64_t this_update_ms, delta_this_update_ms;
	struct bytes timing;
};

enum cil_what { CIL_NOTHING, CIL_COMPLETE, CIL_DELTA };

struct cil_plan {
	enum cil_what what;
	int64_t this_update_ms, next_update_ms; /* whole seconds */
};

/* The last time at or before now at which a list with a time of day is due: regular times are counted from that time of the first
   day of 1970, in UTC. */
int64_t cil_regular(const struct cil_procedure *p, int64_t now_ms);

/* When the list after one of this time is due: the complete one, or the delta list. */
int64_t cil_due(const struct cil_procedure *p, int64_t this_update_ms, bool delta);

/* What is to be built now. wanted: a complete list is, whenever the next one is due. A list from the future comes from a clock that
   went wrong, and is replaced. */
struct cil_plan decide_cil(const struct cil_procedure *p, const struct cil_state *s, bool wanted,
			   int64_t now_ms);

#endif
