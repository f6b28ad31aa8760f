/*
 * Status nodes: servers beside the issuing one, on its database, that tell relying parties the status of certificates. A node
 * signs OCSP answers with keys of its own signer. It asks for their certificates by rows that its own key has signed; the issuing
 * server makes one where officers have admitted that key (kind status-node).
 */
#ifndef FACTORY_NODE_H
#define FACTORY_NODE_H

#include "factory/factory.h"

/* ---- at a node ---- */

/* Finds the node's own key in its signer, or makes it; who it is stands in the log, for officers to compare. */
MUST enum rc node_open(struct factory *f, struct err *e);
/* One job's step: asks for what its responders lack. */
MUST enum rc node_step(struct factory *f, struct err *e);
/* Documents have changed. On the watcher's thread. */
void node_policy_changed(void *factory, int64_t stamp);
/* May anything be said as of now? A node that has not heard of its database for a while does not know what was revoked meanwhile,
   and one with a wrong clock would say it of another time. The issuing server may. */
bool node_may_say(const struct factory *f);
/* Before a question that would wait for the database. STORE_DOWN: the node has not heard of it for a while, so it would hang for each
   of those who ask. At the issuing server RC_OK. */
MUST enum rc node_hears(const struct factory *f, struct err *e);
/* For readiness, without waiting: officers have admitted it (NODE_NOT_ADMITTED), each of its responders has a certificate
   (OCSP_NO_RESPONDER, or what keeps it from asking), it hears of changes (STORE_DOWN), its clock is right (NODE_CLOCK) and its keys
   are its own (NODE_TWIN). */
MUST enum rc node_check(struct factory *f, struct err *e);

/* Of the newest certificate: the signer has its key, has another one by that label, or none. A node whose folder was copied finds
   the other one's: it stops then (NODE_TWIN), for the two would take the certificate from each other without end. */
void node_key_found(struct factory *f, bool is_its);
void node_key_gone(struct factory *f);

/* ---- at the issuing server ---- */

/* One job's step: makes what admitted nodes ask for. */
MUST enum rc node_wishes_step(struct factory *f, struct err *e);

#endif
