/*
 * A part of journal_story.h: an authority that answers OCSP, a status node that officers admit or do not, and a responder's certificate.
 */
#ifndef TESTS_JOURNAL_RESPONDER_STORY_H
#define TESTS_JOURNAL_RESPONDER_STORY_H

#include "model/node.h"

enum { CA = 40, NODE = 75 };
#define NODE_LABEL "ocsp-40-0"

/* Both officers sign it; what comes of it is version `version`. */
static void
signed_document(int request, int id, int version, const char *kind, const char *name, const char *body)
{
	const char *base = version == 1 ? "null"
					: arena_printf(mem, "{\"id\":%d,\"version\":%d}", id, version - 1);
	const char *content = act(name, request, base, body, instance);

	signature(request, ANNA, anna_key, anna, content);
	signature(request, BERT, bert_key, bert, content);
	document(id, version, kind, body, arena_printf(mem, "{\"request\":%d}", request));
}

/* The node's key is Anna's, the responder's Bert's. */
static const char *
node_member(enum deed bad)
{
	const struct softkey *key = bad == NODE_OTHER_KEY ? bert_key : anna_key;
	const struct node_wish w = { .instance = bytes_str(instance),
				     .authority = CA,
				     .label = bytes_str(bad == NODE_OTHER_WISH ? "ocsp-40-1" : NODE_LABEL),
				     .spki = softkey_spki(bert_key) };
	OWN_BUF struct buf signature_ = buf_max(SOFTKEY_SIGNATURE_MAX);
	struct bytes text;
	struct err e = { 0 };

	assert_int_equal(node_wish_build(mem, &w, &text, &e), RC_OK);
	assert_int_equal(
	    softkey_sign(bad == NODE_FORGED ? journal_key : key, SIGALG_ECDSA_SHA256, text, &signature_, &e),
	    RC_OK);
	return arena_printf(mem, ",\"node\":{\"document\":[%d,%d],\"key\":\"%s\",\"signature\":\"%s\"}", NODE,
			    bad == NODE_CLOSED ? 2 : 1, b64(softkey_spki(key)), b64(buf_bytes(&signature_)));
}

static const char *
node_body(const char *state)
{
	return arena_printf(mem, "{\"key_sha256\":\"%s\",\"name\":\"Node\",\"state\":\"%s\"}",
			    hex_sha256(softkey_spki(anna_key)), state);
}

static void
tell_responder(enum deed bad)
{
	ceremony(bad);
	document(CA, 1, "authority", "{\"name\":\"CA\"}", "{\"genesis\":1}");
	signed_document(240, CA, 2, "authority", "authority.modify",
			bad == RESPONDER_NOT_SIGNED ? "{\"name\":\"CA\"}"
						    : "{\"name\":\"CA\",\"ocsp\":true}");
	if (is_at_node(bad) && bad != NODE_UNKNOWN)
		signed_document(NODE, NODE, 1, "status-node", "status-node.create", node_body("active"));
	leaf_at = bad == NODE_CLOSED_BEFORE ? "11:55:00" : NULL;
	if (bad == NODE_CLOSED || bad == NODE_CLOSED_BEFORE)
		signed_document(241, NODE, 2, "status-node", "status-node.modify", node_body("closed"));
	leaf_at = NULL;
	certificate(310,
		    bad == RESPONDER_FOR_MORE    ? responder_for_more
			: bad == NODE_OTHER_SPKI ? responder_other
						 : responder,
		    "{\"request\":240}",
		    arena_printf(mem, ",\"key\":\"" NODE_LABEL "\"%s,\"responder\":[%d,2]",
				 is_at_node(bad) ? node_member(bad) : "", CA));
}

#endif
