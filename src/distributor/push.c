/*
 * What is pushed to identity management: a certificate with what the receiver does with it, as one JSON message
 * (docs/formats/push.md). It goes by the HTTP destination.
 */
#include "base/base.h"
#include "distributor/lane.h"

#include "pki/cert.h"

/* Lists have no template: whoever needs them fetches them. */
static const char *
kind_of_content(enum delivery_what what)
{
	switch (what) {
	case DELIVER_CERTIFICATE:
		return "certificate";
	case DELIVER_CA_CERTIFICATE:
		return "ca-certificate";
	case DELIVER_ATTRIBUTE:
		return "attribute-certificate";
	default:
		return NULL;
	}
}

static enum rc
put_content(const struct job *j, struct json *m, struct err *e)
{
	const char *kind = kind_of_content(j->d.what);
	struct json *chain = json_array(j->a), *status = NULL;

	NEED(kind != NULL, e, CHY_DELIVERY_RULE, NULL, "only certificates are pushed, lists are not");
	json_set(m, "kind", json_str(j->a, bytes_str(kind)));
	json_set(m, "certificate", json_base64(j->a, j->d.content));
	json_set(m, "sha256", json_hex(j->a, j->facts.sha256));
	if (j->d.what == DELIVER_ATTRIBUTE)
		json_set(m, "base", json_base64(j->a, j->d.about));
	if (j->d.form == DELIVER_PEM_CHAIN) {
		for (size_t i = 0; i < j->d.chain_n; i++)
			json_add(chain, json_base64(j->a, j->d.chain[i]));
		json_set(m, "chain", chain);
	}
	TRY(json_parse(j->a, j->d.status, &status, e));
	json_set(m, "status", status);
	return RC_OK;
}

static void
put_wish(const struct job *j, struct json *m, const char *name)
{
	struct bytes v = rule_text(j, name);

	if (v.n > 0)
		json_set(m, name, json_str(j->a, v));
}

bool
push_is(const struct job *j)
{
	return bytes_is(rule_text(j, "content"), "push");
}

enum rc
push_make(struct job *j, struct err *e)
{
	OWN_BUF struct buf text = buf_max((size_t)2 * LIMIT_DELIVERY);
	struct json *m = json_object(j->a);

	json_set(m, "format", json_str(j->a, BYTES("chancery-push/1")));
	json_set(m, "instance", json_str(j->a, j->d.instance));
	json_set(m, "delivery", json_int(j->a, j->d.id));
	json_set(m, "object", json_int(j->a, j->d.object));
	json_set(m, "event", json_str(j->a, j->d.removal ? BYTES("withdrawn") : BYTES("published")));
	TRY(put_content(j, m, e));
	put_wish(j, m, "template");
	put_wish(j, m, "process");
	put_wish(j, m, "tenant");
	json_put_canonical(&text, m);
	j->body = arena_dup(j->a, buf_bytes(&text));
	j->media_type = "application/json";
	NEED(buf_ok(&text) && j->body.p != NULL, e, CHY_NO_MEMORY, NULL, "a push");
	return RC_OK;
}
