/* What an act changes, told to those who sign it: the lines of a request's `difference`, of acts that change no document (those are
   compared by policy/difference). */
#ifndef FACTORY_ACT_DIFFERENCE_H
#define FACTORY_ACT_DIFFERENCE_H

#include "base/json.h"
#include "model/officer.h"
#include "store/rows.h"

/* Adds {"field", "label", "old", "new"}; was, will: BYTES_NONE is null. Texts are copied into a. Out of memory: list stays shorter. */
void act_difference(struct arena *a, struct json *list, const char *field, struct bytes label,
		    struct bytes was, struct bytes will);
/* "Certificate 17, CN=...": how a line names a certificate. */
struct bytes act_certificate_label(struct arena *a, const struct certificate_row *row);
/* Adds {"id", "name", "active"} of an officer whom an act touches, unless that is there. Out of memory: as above. */
void act_affects(struct arena *a, const struct officer *o, struct json *affected);

#endif
