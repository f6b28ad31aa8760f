/*
 * Officers whose certificates have all expired get new ones, on the machine itself, while no server runs (docs/formats/rescue.md).
 */
#ifndef FACTORY_RESCUE_H
#define FACTORY_RESCUE_H

#include "base/json.h"
#include "factory/factory.h"

/*
 * in: {"signatures": [base64 CMS, ...]}: two, over the same rescue document.
 * *ret: {"officers": [{"officer", "name", "certificate", "der": base64}]}, in the document's order. All of it is one change with its
 * leaf. Codes: those of decide_rescue, rescue_read, issuing, signer and store.
 */
MUST enum rc rescue(struct factory *f, struct arena *a, const struct json *in, struct json **ret,
		    struct err *e);

#endif
