/*
 * Writing: a change is a list of typed operations that happen together or not at all.
 *
 *	struct change *c = change_new();
 *	change_put_certificate(c, &row, der);
 *	change_put_leaf(c, &leaf);
 *	TRY(store_submit(s, c, done, request, e));	... or TRY(store_commit(s, c, e))
 *
 * Group commit without a timer: the committer takes all that queued during the last commit as the next
 *transaction (at most LIMIT_COMMIT_BATCH changes). When an operation fails, only the change that it belongs
 *to fails: the others are committed. Operations of one change are carried out in this order: those that
 *compare or update, as they were added; then counters and session uses; then plain rows.
 *
 * The put functions copy what they are given. Running out of memory is sticky and reported by store_submit.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store/rows.h"
#include "store/store.h"

struct change;

/* NULL when memory is out (the other functions accept that and store_submit reports it). At most LIMIT_CHANGE
 * bytes. */
struct change *change_new(void);
/* Of a change that was not submitted. */
void change_free(struct change *c);
OWN_DEFINE(struct change *, change_free)

/* The outcome: called once, on a committer thread, after the commit is durable (RC_OK) or when it is certain
   that nothing is stored (any other rc; the exception is CHY_STORE_UNKNOWN). Must not block and must not call
   store_commit. */
typedef void change_done(void *arg, enum rc rc, const struct err *e);

/* Queues it. On RC_OK the change is the store's and done will be called; otherwise it stays the caller's.
   Codes: QUEUE_FULL, STORE_CLOSED, NO_MEMORY, STORE_TEXT (text that is not UTF-8 or holds a NUL). */
MUST enum rc store_submit(struct store *s, struct change *c, change_done *done, void *arg, struct err *e);

/* The same, waiting for the outcome. The change is freed in any case. */
MUST enum rc store_commit(struct store *s, struct change *c, struct err *e);

/* Certificates: the row, its DER, and its place in the queue of the search follower. STORE_EXISTS: the id or
   (issuer, serial) is there already. */
void change_put_certificate(struct change *c, const struct certificate_row *row, struct bytes der);
/* A certificate's new state, with the issuer's next seq (row->seq is ignored). was: the seq of the row that this was decided
   on; STORE_STATE when it has another one by now: read it again and decide anew. Watchers are told (store_watch_status).
   Leaf, holds and counters are the caller's, in the same change. */
void change_put_status(struct change *c, const struct status_row *row, int64_t was);
/* The same of a certificate that this very change puts, which has its state in its own row. */
void change_put_new_status(struct change *c, const struct status_row *row);
/* STORE_STATE: the certificate is held for this cause already; it is not. */
void change_put_hold(struct change *c, const struct hold_row *row);
void change_drop_hold(struct change *c, int64_t certificate, struct bytes cause);
/* All of them. */
void change_drop_holds(struct change *c, int64_t certificate);
/* The index of the search over many fields. What is there already is left alone. A value's attribute is not 0. */
void change_put_value(struct change *c, const struct value_row *row);
void change_put_link(struct change *c, const struct link_row *row);
void change_put_begin(struct change *c, const struct begin_row *row);
/* All of a certificate is entered. */
void change_drop_value_todo(struct change *c, int64_t certificate);

/* STORE_EXISTS: there is one already. */
void change_put_responder(struct change *c, const struct responder_row *row);
/* In place of what the node wanted before for this authority. */
void change_put_node_key(struct change *c, const struct node_key_row *row);
void change_put_activation(struct change *c, const struct activation_row *row);
void change_put_unclaimed(struct change *c, const struct unclaimed_row *row);
/* STORE_STATE: it is not there (any more). */
void change_drop_unclaimed(struct change *c, int64_t certificate);
/* One more wrong revocation password; none counts any more (a right one, or a new password). */
void change_password_wrong(struct change *c, int64_t certificate, int64_t until_at);
void change_password_right(struct change *c, int64_t certificate);
/* A revocation list's row, and one piece of its entries. STORE_EXISTS. A row is changed by dropping and putting it. */
void change_put_field(struct change *c, const struct field_row *row);
/* Before its status changes: with the certificate itself. */
void change_put_partition(struct change *c, const struct partition_row *row);
void change_put_crl(struct change *c, const struct crl_row *row);
void change_put_crl_piece(struct change *c, const struct crl_piece_row *row);
/* Each piece is on a list by such a row, whichever list has made it. */
void change_put_crl_part(struct change *c, const struct crl_part_row *row);
/* The row alone; the list's parts, and those of their pieces that no other list has. */
void change_drop_crl(struct change *c, int64_t id);
void change_drop_crl_pieces(struct change *c, int64_t id);
/* The certificate with its status and all that hangs on it, but for what it is found by (change_drop_link). STORE_STATE: it is not there. */
void change_remove_certificate(struct change *c, const struct removed_row *row, int64_t not_before);
void change_drop_link(struct change *c, const struct link_row *row);
/* An issuance list comes into force in the place of the one before, whose files stay until they are dropped; a segment of it. */
void change_put_cil(struct change *c, const struct cil_row *row);
void change_put_cil_file(struct change *c, const struct cil_file_row *row);
void change_put_cil_list(struct change *c, const struct cil_list_row *row);
void change_drop_cil(struct change *c, int64_t procedure, bool delta, int64_t build);
/* Files of no list that is in force, but for those of this build. */
void change_tidy_cil_files(struct change *c, int64_t but);
void change_put_verdict(struct change *c, const struct verdict_row *row);
/* It is not to be judged: it was made elsewhere. */
void change_drop_verdict(struct change *c, int64_t certificate);
/* In place of the list of the same authority and scope; STORE_STATE unless it is younger than that. */
void change_put_imported_crl(struct change *c, const struct imported_crl_row *row);

/* A leaf and its place in the queue of the sequencer. STORE_EXISTS. */
void change_put_leaf(struct change *c, const struct leaf_row *row);
/* The sequencer's: the leaf's place, out of the queue. STORE_EXISTS: the place or the leaf is taken.
   STORE_STATE: the leaf does not wait for its place. */
void change_put_seq(struct change *c, const struct seq_row *row);
/* Puts or replaces. */
void change_put_tile(struct change *c, const struct tile_row *row);
void change_put_head(struct change *c, const struct head_row *row);

/* A document version; row->version must be the current one + 1 (1: a new document), else STORE_VERSION.
   STORE_NAME_TAKEN: another document of the kind and domain that is not deleted has the name. row->stamp is
   ignored. */
void change_put_document(struct change *c, const struct document_row *row);
/* Only if the document's current version is still this one (STORE_VERSION): for acts that read what they do
 * not change. */
void change_check_document(struct change *c, int64_t id, int64_t version);

/* A new one; STORE_EXISTS. */
void change_put_draft(struct change *c, const struct draft_row *row);
/* In place of the one that was written at was_at, which is not row->at; its owner stays. STORE_STATE: it is another by now, or gone. */
void change_next_draft(struct change *c, const struct draft_row *row, int64_t was_at);
/* The same one; STORE_STATE. */
void change_drop_draft(struct change *c, int64_t id, int64_t was_at);

/* A new one; STORE_STATE: its officer has `most` already. */
void change_put_selection(struct change *c, const struct selection_row *row, int64_t most);
/* Its body in place of what was written at was_at, which is not row->at. STORE_STATE: it is another by now, or gone. */
void change_next_selection(struct change *c, const struct selection_row *row, int64_t was_at);
/* The same one; STORE_STATE. */
void change_drop_selection(struct change *c, int64_t id, int64_t was_at);

void change_put_request(struct change *c, const struct request_row *row);
/* Compare and set; STORE_STATE unless the state is `from`. result may be empty (then it stays as it is). */
void change_request_state(struct change *c, int64_t id, struct bytes from, struct bytes to,
			  struct bytes result);
void change_put_signature(struct change *c, const struct signature_row *row);

/* STORE_KEY_USED: the key is there. */
void change_put_idempotency(struct change *c, const struct idempotency_row *row);

void change_put_session(struct change *c, const struct session_row *row);
/* Counts n certificates against the session's maximum: STORE_SESSION when it is closed, unknown or used up.
   The end of its time is the caller's to check. */
void change_session_use(struct change *c, int64_t id, int64_t n);
/* STORE_STATE unless the state is `from`. */
void change_session_state(struct change *c, int64_t id, struct bytes from, struct bytes to);

/* Adds to a counter that begins at 0. */
void change_add_counter(struct change *c, const char *name, int64_t delta);

/* CARD_SERIAL_TAKEN: another card has the number; see store_card_serial_next. */
void change_put_card_serial(struct change *c, const struct card_serial_row *row);
/* ---- soft tokens ---- */
void change_put_token(struct change *c, const struct token_row *row);
void change_put_token_key(struct change *c, const struct token_key_row *row);
/* The token's key n, if it is to be archived, becomes the archived key of this certificate. */
void change_archive_key(struct change *c, int64_t token, int64_t n, int64_t certificate);
/* From "made" to "ready", its certificates claimed, its keys gone; STORE_STATE unless it is "made". */
void change_token_ready(struct change *c, int64_t id, struct bytes pin, struct bytes file,
			int64_t expires_at);
/* From "made" to "failed", its PIN and keys gone, and what was chosen for certificates that the store has not; STORE_STATE unless it
   is "made". */
void change_token_failed(struct change *c, int64_t id);
/* From "ready" to "delivered" or "expired", PIN and file gone; STORE_STATE unless it is "ready". */
void change_token_end(struct change *c, int64_t id, struct bytes state);
void change_put_choice(struct change *c, const struct choice_row *row);
/* Sets it, or deletes it (empty form); what was chosen of publication stays. */
void change_set_revocation_password(struct change *c, int64_t certificate, struct bytes form);
void change_put_recovery(struct change *c, const struct recovery_row *row);
/* What a request's work needs again after an interruption; dropped with the request's end. */
void change_put_request_secret(struct change *c, const struct request_secret_row *row);
void change_drop_request_secret(struct change *c, int64_t request);

void change_put_outbox(struct change *c, const struct outbox_row *row);
/* To "done", "dead" or "dropped"; STORE_STATE unless the state is `from`. */
void change_outbox_end(struct change *c, int64_t id, struct bytes from, struct bytes to, struct bytes error,
		       int64_t at);
/* An attempt failed and another follows at next_at; STORE_STATE unless it is waiting. */
/* What is over of an object at a destination goes: its leaves say what became of it. */
void change_outbox_forget(struct change *c, int64_t object, int64_t destination);
void change_outbox_later(struct change *c, int64_t id, int64_t next_at, struct bytes error, int64_t at);
/* A dead one is tried anew; STORE_STATE unless it is dead. */
void change_outbox_retry(struct change *c, int64_t id, int64_t at);
/* Puts or replaces. */
void change_published(struct change *c, const struct publication_row *row);

/* Puts or replaces. */
void change_set_setting(struct change *c, const char *name, struct bytes value);
/* STORE_EXISTS when it is set already: for what is decided once, such as the instance. */
void change_claim_setting(struct change *c, const char *name, struct bytes value);

/* The request log; rows and links that are there already are left alone. */
void change_put_log(struct change *c, const struct log_row *row);
void change_put_log_link(struct change *c, const struct log_link_row *row);
/* STORE_STATE unless the cursor is at `from`: another factory was faster. */
void change_log_cursor(struct change *c, int64_t from, int64_t to);

/* A request to be tried again later, and all but the newest `keep` forgotten. */
void change_put_remembered(struct change *c, const struct remembered_row *row);
void change_forget(struct change *c, int64_t keep);

/* The job's progress, in the same transaction as its work: STORE_LEASE unless `owner` holds the job (its
   lease may have run out, as long as nobody else has taken it). See store_job_take. */
void change_job_cursor(struct change *c, const char *job, int64_t owner, int64_t cursor);

#endif
