#include "base/base.h"
#include "model/node.h"

#include "base/json.h"

enum { WISH_MAX = 16 << 10 };

enum rc
node_wish_build(struct arena *a, const struct node_wish *w, struct bytes *ret, struct err *e)
{
	OWN_BUF struct buf text = buf_max(WISH_MAX);
	struct json *m = json_object(a);

	json_set(m, "authority", json_int(a, w->authority));
	json_set(m, "instance", json_str(a, w->instance));
	json_set(m, "key", json_base64(a, w->spki));
	json_set(m, "label", json_str(a, w->label));
	json_set(m, "what", json_str(a, BYTES("ocsp-responder-key")));
	json_put_canonical(&text, m);
	*ret = arena_dup(a, buf_bytes(&text));
	NEED(buf_ok(&text) && ret->p != NULL, e, CHY_NO_MEMORY, NULL, "what a node signs");
	return RC_OK;
}
