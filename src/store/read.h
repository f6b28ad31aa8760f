/*
 * Reading: named questions, answered into the caller's arena. Single rows: STORE_NOT_FOUND when there is
 * none. Lists: *ret is an array of *n rows in the arena, in ascending order of the key named; `after` is the
 * last key of the page before (0: from the start), `limit` is cut to LIMIT_PAGE. A list with fewer rows than
 * asked for is the last one.
 *
 * All questions see what was committed before they were asked, by this process or another.
 */
#ifndef STORE_READ_H
#define STORE_READ_H

#include "base/arena.h"
#include "store/rows.h"
#include "store/store.h"

/* --- documents --- */

/* One version; version 0: the current one. */
MUST enum rc store_document(struct store *s, struct arena *a, int64_t id, int64_t version,
			    struct document_row *ret, struct err *e);
/* Current versions. Empty kind, state or name: any. Deleted ones only when state says so. By id. */
MUST enum rc store_documents(struct store *s, struct arena *a, struct bytes kind, struct bytes state,
			     struct bytes name, int64_t after, size_t limit, struct document_row **ret,
			     size_t *n, struct err *e);
/* The version that was the current one at a time. */
MUST enum rc store_document_at(struct store *s, struct arena *a, int64_t id, int64_t at_ms,
			       struct document_row *ret, struct err *e);
/* All versions of one document, by version; `after` is a version. */
MUST enum rc store_document_versions(struct store *s, struct arena *a, int64_t id, int64_t after,
				     size_t limit, struct document_row **ret, size_t *n, struct err *e);
/* Every version of every document, by (id, version), for the journal's export. */
MUST enum rc store_document_history(struct store *s, struct arena *a, int64_t after_id, int64_t after_version,
				    size_t limit, struct document_row **ret, size_t *n, struct err *e);
/* A policy snapshot: the current versions of all documents that are not deleted, by id, read in one
   transaction together with the stamp that they are the state of. No limit but the arena's. */
MUST enum rc store_snapshot(struct store *s, struct arena *a, struct document_row **ret, size_t *n,
			    int64_t *stamp, struct err *e);
/* Grows with every document version committed; 0 when there is none. */
MUST enum rc store_document_stamp(struct store *s, int64_t *ret, struct err *e);

MUST enum rc store_draft(struct store *s, struct arena *a, int64_t id, struct draft_row *ret, struct err *e);
MUST enum rc store_drafts(struct store *s, struct arena *a, struct bytes kind, int64_t after, size_t limit,
			  struct draft_row **ret, size_t *n, struct err *e);
MUST enum rc store_selection(struct store *s, struct arena *a, int64_t id, struct selection_row *ret,
			     struct err *e);
/* An officer's that were changed at since_at or later. */
MUST enum rc store_selections(struct store *s, struct arena *a, int64_t officer, int64_t since_at,
			      int64_t after, size_t limit, struct selection_row **ret, size_t *n,
			      struct err *e);
/* Forgets those that were changed before this time. */
MUST enum rc store_selections_forget(struct store *s, int64_t before_at, struct err *e);

/* --- requests and sessions --- */

MUST enum rc store_request(struct store *s, struct arena *a, int64_t id, struct request_row *ret,
			   struct err *e);
/* Empty state: any. By id. */
MUST enum rc store_requests(struct store *s, struct arena *a, struct bytes state, int64_t after, size_t limit,
			    struct request_row **ret, size_t *n, struct err *e);
/* The same, newest first, behind the id `before` (0: from the newest). */
MUST enum rc store_requests_newest(struct store *s, struct arena *a, struct bytes state, int64_t before,
				   size_t limit, struct request_row **ret, size_t *n, struct err *e);
/* Signed ones of an act at or after from_at, newest first, behind the id `before` (0: from the newest). */
MUST enum rc store_requests_of_act(struct store *s, struct arena *a, struct bytes act, int64_t before,
				   int64_t from_at, size_t limit, struct request_row **ret, size_t *n,
				   struct err *e);
/* Only their ids: a body may take half a megabyte. */
MUST enum rc store_request_ids(struct store *s, struct arena *a, struct bytes state, int64_t after,
			       size_t limit, struct number_row **ret, size_t *n, struct err *e);
/* The ids of requests in the state whose expires_at is at or before now: to be made void. */
MUST enum rc store_requests_expired(struct store *s, struct arena *a, struct bytes state, int64_t now_at,
				    int64_t after, size_t limit, struct number_row **ret, size_t *n,
				    struct err *e);
/* By n. */
MUST enum rc store_signatures(struct store *s, struct arena *a, int64_t request_id,
			      struct signature_row **ret, size_t *n, struct err *e);
/* Their officers alone, in the same order. */
MUST enum rc store_signers(struct store *s, struct arena *a, int64_t request_id, struct number_row **ret,
			   size_t *n, struct err *e);
/* The officer of the first of them; 0: nobody has signed. */
MUST enum rc store_first_signer(struct store *s, struct arena *a, int64_t request_id, int64_t *ret,
				struct err *e);
/* Every signature of every request, by (request, n), for the journal's export. */
MUST enum rc store_signature_history(struct store *s, struct arena *a, int64_t after_request, int64_t after_n,
				     size_t limit, struct signature_row **ret, size_t *n, struct err *e);
MUST enum rc store_session(struct store *s, struct arena *a, int64_t id, struct session_row *ret,
			   struct err *e);
MUST enum rc store_session_by_token(struct store *s, struct arena *a, struct bytes token_hash,
				    struct session_row *ret, struct err *e);
MUST enum rc store_sessions(struct store *s, struct arena *a, struct bytes state, int64_t after, size_t limit,
			    struct session_row **ret, size_t *n, struct err *e);
/* What came of an Idempotency-Key; STORE_NOT_FOUND when it is new. */
MUST enum rc store_idempotency(struct store *s, struct arena *a, struct bytes key,
			       struct idempotency_row *ret, struct err *e);
/* Forgets keys older than `before_at`, but for those of requests in the state "signed", one slice in 256 of the key space per call; *deleted may be NULL. A
   job calls it with 0, 1, ... 255 over and over. */
MUST enum rc store_idempotency_expire(struct store *s, unsigned slice, int64_t before_at, int64_t *deleted,
				      struct err *e);

/* --- certificates --- */

MUST enum rc store_certificate(struct store *s, struct arena *a, int64_t id, struct certificate_row *ret,
			       struct err *e);
MUST enum rc store_certificate_by_serial(struct store *s, struct arena *a, int64_t issuer,
					 struct bytes serial, struct certificate_row *ret, struct err *e);
/* The newest certificate of an authority (its own, not one that it issued). */
MUST enum rc store_certificate_of_authority(struct store *s, struct arena *a, int64_t authority,
					    struct certificate_row *ret, struct err *e);
/* All of its own, by id: the oldest first. */
MUST enum rc store_certificates_of_authority(struct store *s, struct arena *a, int64_t authority,
					     int64_t after, size_t limit, struct certificate_row **ret,
					     size_t *n, struct err *e);
MUST enum rc store_certificates_by_request(struct store *s, struct arena *a, int64_t request_id,
					   int64_t after, size_t limit, struct certificate_row **ret,
					   size_t *n, struct err *e);
/* The attribute certificates that name this certificate, by id. */
MUST enum rc store_certificates_by_base(struct store *s, struct arena *a, int64_t base, int64_t after,
					size_t limit, struct certificate_row **ret, size_t *n, struct err *e);
/* All attribute certificates, by id. */
MUST enum rc store_attribute_certificates(struct store *s, struct arena *a, int64_t after, size_t limit,
					  struct certificate_row **ret, size_t *n, struct err *e);
/* All, by id. */
MUST enum rc store_certificates(struct store *s, struct arena *a, int64_t after, size_t limit,
				struct certificate_row **ret, size_t *n, struct err *e);
/* not_after within [from, to), by (not_after, id): the page begins behind (from, after_id). */
MUST enum rc store_certificates_expiring(struct store *s, struct arena *a, int64_t from, int64_t after_id,
					 int64_t to, size_t limit, struct certificate_row **ret, size_t *n,
					 struct err *e);
/* The status of a certificate: of one that was never held nor revoked with seq 0. STORE_NOT_FOUND: never issued here. */
MUST enum rc store_status(struct store *s, struct arena *a, int64_t id, struct status_row *ret,
			  struct err *e);
/* Of at most LIMIT_PAGE certificates together, each once, in the order of their ids; those that are not there are left out. */
MUST enum rc store_statuses_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n,
			       struct status_row **ret, size_t *n, struct err *e);
MUST enum rc store_certificates_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n,
				   struct certificate_row **ret, size_t *n, struct err *e);
/* By which certificate procedures they were issued, each once. */
MUST enum rc store_procedures_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n,
				 struct number_row **ret, size_t *n, struct err *e);
/* What they are on hold for, by certificate and cause. */
MUST enum rc store_holds_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n,
			    struct hold_row **ret, size_t *n, struct err *e);
MUST enum rc store_status_by_serial(struct store *s, struct arena *a, int64_t issuer, struct bytes serial,
				    struct status_row *ret, struct err *e);
/* Of all certificates that the authority has issued, by serial number, behind this one (empty: from the first). */
MUST enum rc store_statuses(struct store *s, struct arena *a, int64_t issuer, struct bytes after,
			    size_t limit, struct status_row **ret, size_t *n, struct err *e);
/* Those that are on hold or revoked, expired or not, by serial number. A page is what was so when it was asked for: who reads
   store_status_seq first and store_status_changed afterwards misses nothing. */
MUST enum rc store_revoked(struct store *s, struct arena *a, int64_t issuer, struct bytes after, size_t limit,
			   struct status_row **ret, size_t *n, struct err *e);
/* All that changed behind this seq, as they are now (reinstated ones too), by seq. A certificate that changed twice stands
   at its last change only. */
MUST enum rc store_status_changed(struct store *s, struct arena *a, int64_t issuer, int64_t after,
				  size_t limit, struct status_row **ret, size_t *n, struct err *e);
/* Of all certificates with an id within [from, to] that were ever held or revoked, by id. */
MUST enum rc store_status_range(struct store *s, struct arena *a, int64_t from, int64_t to, size_t limit,
				struct status_row **ret, size_t *n, struct err *e);
/* Both of one sort of certificates alone. */
enum status_sort {
	STATUS_OF_ALL,
	STATUS_OF_END_ENTITIES,
	STATUS_OF_AUTHORITIES,
	STATUS_OF_ATTRIBUTE_CERTIFICATES
};
MUST enum rc store_revoked_of(struct store *s, struct arena *a, int64_t issuer, enum status_sort sort,
			      struct bytes after, size_t limit, struct status_row **ret, size_t *n,
			      struct err *e);
MUST enum rc store_status_changed_of(struct store *s, struct arena *a, int64_t issuer, enum status_sort sort,
				     int64_t after, size_t limit, struct status_row **ret, size_t *n,
				     struct err *e);
/* The seq of the issuer's last change; 0: none yet. */
MUST enum rc store_status_seq(struct store *s, int64_t issuer, int64_t *ret, struct err *e);
/* What a certificate is searched by, by n; and whether one of those with an id within [from, to] has any. */
MUST enum rc store_fields(struct store *s, struct arena *a, int64_t certificate, struct field_row **ret,
			  size_t *n, struct err *e);
MUST enum rc store_fields_any(struct store *s, int64_t from, int64_t to, bool *ret, struct err *e);
/* Of one partition (1 and up) what is held or revoked, since > 0: what has changed since the issuer's change of this number, whatever
   it is now; by serial number. */
MUST enum rc store_revoked_part(struct store *s, struct arena *a, int64_t issuer, int64_t part, int64_t since,
				struct bytes after, size_t limit, struct status_row **ret, size_t *n,
				struct err *e);
/* The lists of a CRL procedure, or of one of its partitions (0: it has none), few, by number; and a list's pieces from the n-th on. */
MUST enum rc store_crls(struct store *s, struct arena *a, int64_t procedure, int64_t part,
			struct crl_row **ret, size_t *n, struct err *e);
/* The one that is in force in the place of the list of this number. STORE_NOT_FOUND. */
MUST enum rc store_crl_of_list(struct store *s, struct arena *a, int64_t list, struct crl_row *ret,
			       struct err *e);
/* Of the lists of partitions [from, to], by partition: id, part, delta, number, base, state and this_update only. */
MUST enum rc store_crl_places(struct store *s, struct arena *a, int64_t procedure, int64_t from, int64_t to,
			      struct crl_row **ret, size_t *n, struct err *e);
/* Of all partitions together: at most a row of the complete and one of the delta lists. */
MUST enum rc store_crl_sums(struct store *s, struct arena *a, int64_t procedure, struct crl_sum_row **ret,
			    size_t *n, struct err *e);
/* Its parts by their numbers, from one on, without what is in them. */
MUST enum rc store_crl_parts(struct store *s, struct arena *a, int64_t crl, int64_t from, size_t limit,
			     struct crl_part_row **ret, size_t *n, struct err *e);
MUST enum rc store_crl_pieces(struct store *s, struct arena *a, int64_t crl, int64_t from, size_t limit,
			      struct crl_piece_row **ret, size_t *n, struct err *e);
/* What needs a certificate: bits as in policy/removal.h. Certificates that were removed, by id. */
MUST enum rc store_certificate_uses(struct store *s, struct arena *a, int64_t certificate, int64_t *ret,
				    struct err *e);
MUST enum rc store_removed(struct store *s, struct arena *a, int64_t after, size_t limit,
			   struct removed_row **ret, size_t *n, struct err *e);
/* The issuance lists of a CIL procedure that are in force: at most a complete and a delta one. */
MUST enum rc store_cils(struct store *s, struct arena *a, int64_t procedure, struct cil_row **ret, size_t *n,
			struct err *e);
/* Of all segments together. */
MUST enum rc store_cil_octets(struct store *s, int64_t build, int64_t *ret, struct err *e);
/* STORE_NOT_FOUND. */
MUST enum rc store_cil_file(struct store *s, struct arena *a, int64_t build, int64_t segment,
			    struct cil_file_row *ret, struct err *e);
/* What deliveries name, by its id, or that of a segment. STORE_NOT_FOUND. */
MUST enum rc store_cil_list(struct store *s, struct arena *a, int64_t id, struct cil_list_row *ret,
			    struct err *e);
MUST enum rc store_cil_list_of(struct store *s, struct arena *a, int64_t procedure, bool delta,
			       int64_t segment, struct cil_list_row *ret, struct err *e);
/* What an authority has issued: by serial number, after this one; and what has its leaf at these places of the journal (to: the
   first that does not count), in their order. */
MUST enum rc store_issued(struct store *s, struct arena *a, int64_t issuer, struct bytes after, size_t limit,
			  struct certificate_row **ret, size_t *n, struct err *e);
MUST enum rc store_issued_between(struct store *s, struct arena *a, int64_t issuer, int64_t from, int64_t to,
				  struct certificate_row **ret, size_t *n, struct err *e);
/* The lists of a foreign authority that are the newest of their scope. */
MUST enum rc store_imported_crls(struct store *s, struct arena *a, int64_t authority,
				 struct imported_crl_row **ret, size_t *n, struct err *e);
/* What it is on hold for, by cause. */
MUST enum rc store_holds(struct store *s, struct arena *a, int64_t certificate, struct hold_row **ret,
			 size_t *n, struct err *e);
/* By certificate. */
MUST enum rc store_unclaimed(struct store *s, struct arena *a, int64_t after, size_t limit,
			     struct unclaimed_row **ret, size_t *n, struct err *e);
MUST enum rc store_is_unclaimed(struct store *s, struct arena *a, int64_t certificate, bool *ret,
				struct err *e);
/* The newest certificate of the authority's OCSP responder at a status node; "": our own. ret->certificate 0: none yet. */
MUST enum rc store_responder(struct store *s, struct arena *a, int64_t authority, const char *node,
			     struct responder_row *ret, struct err *e);
/* What the node wants a certificate for; an empty label: nothing yet. */
MUST enum rc store_node_key(struct store *s, struct arena *a, const char *node, int64_t authority,
			    struct node_key_row *ret, struct err *e);
/* The same of all authorities. */
MUST enum rc store_node_keys(struct store *s, struct arena *a, struct bytes node, struct node_key_row **ret,
			     size_t *n, struct err *e);
/* All of all authorities, by certificate. */
MUST enum rc store_responders(struct store *s, struct arena *a, int64_t after, size_t limit,
			      struct responder_row **ret, size_t *n, struct err *e);
/* When an officer activated it for OCSP; ret->certificate 0: nobody has. */
MUST enum rc store_activation(struct store *s, struct arena *a, int64_t certificate,
			      struct activation_row *ret, struct err *e);
/* Wrong revocation passwords in a row; tries 0: none. */
MUST enum rc store_password_wrong(struct store *s, struct arena *a, int64_t certificate,
				  struct password_wrong_row *ret, struct err *e);
MUST enum rc store_der(struct store *s, struct arena *a, int64_t id, struct bytes *ret, struct err *e);
/* Of at most LIMIT_PAGE certificates together, in the order of their ids; those that are not there are left out. */
MUST enum rc store_ders_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n,
			   struct der_row **ret, size_t *n, struct err *e);
/* By id, for the export. */
MUST enum rc store_ders(struct store *s, struct arena *a, int64_t after, size_t limit, struct der_row **ret,
			size_t *n, struct err *e);
/* id, issuer and serial of certificates with an id above `after`: what reconcile compares. */
MUST enum rc store_serials(struct store *s, struct arena *a, int64_t after, size_t limit,
			   struct serial_row **ret, size_t *n, struct err *e);
/* The oldest ones that no verdict exists for yet and that the search follower has passed. */
MUST enum rc store_certificates_unjudged(struct store *s, struct arena *a, size_t limit, struct der_row **ret,
					 size_t *n, struct err *e);
MUST enum rc store_verdict(struct store *s, struct arena *a, int64_t id, struct verdict_row *ret,
			   struct err *e);

/* Exact search. The index behind it is filled by a follower in sorted batches, off the path of issuing; these
   questions let it catch up first, so they see every certificate that was committed before. Subject, SAN:
   equal but for ASCII case. By id. */
enum search_by { SEARCH_SUBJECT = 1, SEARCH_SAN = 2, SEARCH_KEY = 3, SEARCH_FINGERPRINT = 4 };
MUST enum rc store_search(struct store *s, struct arena *a, enum search_by by, struct bytes value,
			  int64_t after, size_t limit, struct certificate_row **ret, size_t *n,
			  struct err *e);
/* Does not let the index catch up: what it has not got yet is looked for among the newest SEARCH_WAITING_MAX that wait.
   STORE_BEHIND: it was not found, and more wait. A handful of short questions, so it may be asked on an event thread. */
enum { SEARCH_WAITING_MAX = 4096 };
MUST enum rc store_certificate_by_fingerprint(struct store *s, struct arena *a, struct bytes sha256,
					      struct certificate_row *ret, struct err *e);
/* Indexes at most `most` waiting certificates (0: all); *done how many (may be NULL). The follower job calls
 * it. */
MUST enum rc store_search_catch_up(struct store *s, size_t most, size_t *done, struct err *e);

/* --- soft tokens --- */

MUST enum rc store_token(struct store *s, struct arena *a, int64_t id, struct token_row *ret, struct err *e);
/* An officer's, by id. */
MUST enum rc store_tokens(struct store *s, struct arena *a, int64_t officer, int64_t after, size_t limit,
			  struct token_row **ret, size_t *n, struct err *e);
MUST enum rc store_tokens_expired(struct store *s, struct arena *a, int64_t now_at, size_t limit,
				  struct token_row **ret, size_t *n, struct err *e);
MUST enum rc store_token_keys(struct store *s, struct arena *a, int64_t token, struct token_key_row **ret,
			      size_t *n, struct err *e);
/* Archived keys of a holder below this certificate id, the newest first. */
MUST enum rc store_archived(struct store *s, struct arena *a, struct bytes holder, int64_t below,
			    size_t limit, struct archived_row **ret, size_t *n, struct err *e);
/* NOT_FOUND: the key of this certificate is not in the archive. */
MUST enum rc store_archived_key(struct store *s, struct arena *a, int64_t certificate,
				struct archived_row *ret, struct err *e);
/* Each time that this certificate's key was recovered, or was recovered for it; by token, behind `after`. */
MUST enum rc store_recoveries(struct store *s, struct arena *a, int64_t certificate, int64_t after,
			      size_t limit, struct recovery_row **ret, size_t *n, struct err *e);
/* NOT_FOUND: nothing was chosen, which means that it may be published and has no revocation password. A password that
   somebody gives is compared by password_verify(it, ret->revocation_password) of crypto/kdf.h, where that is not empty. */
MUST enum rc store_choice(struct store *s, struct arena *a, int64_t certificate, struct choice_row *ret,
			  struct err *e);
MUST enum rc store_request_secret(struct store *s, struct arena *a, int64_t request,
				  struct request_secret_row *ret, struct err *e);

/* --- the search over many fields --- */

/* One way along an index, by (key, id): the key is the column, 0 where the order is the id's. */
enum walk_by {
	WALK_ALL,
	WALK_VALUES,
	WALK_NOT_AFTER,
	WALK_NOT_BEFORE,
	WALK_STATE,
	WALK_CHANGED,
	WALK_CHANGED_BY_ID,
	WALK_PUBLISHED,
	WALK_ACTIVATED
};
struct search_walk {
	enum walk_by by;
	bool descending;
	const int64_t *values; /* WALK_VALUES: one of them */
	size_t values_n;
	int64_t from, to; /* [from, to) of the key */
	int64_t
	    state; /* WALK_STATE: enum certificate_status, not valid; WALK_CHANGED is along all that are not */
};
/* Its order is that of a key, and among equals of the ids. */
bool walk_is_keyed(enum walk_by by);
/* Ids of values that have this text in them, in no order, at most LIMIT_PAGE; on SQLite also some that have only all its pieces of three
   characters, the first twelve. The text has three characters or more, none of them SQL's own % _ \ . */
MUST enum rc store_search_values(struct store *s, struct arena *a, struct bytes text, size_t limit,
				 int64_t **ret, size_t *n, struct err *e);
/* Ids of values that have all numbers of the text in them, of which five digits or more in a row are looked at, in no order, at most
   LIMIT_PAGE. The text has one of that length. */
MUST enum rc store_search_numbers(struct store *s, struct arena *a, struct bytes text, size_t limit,
				  int64_t **ret, size_t *n, struct err *e);
bool store_search_has_number(struct bytes text);
/* Reads the sample of values anew, where it is old. */
MUST enum rc store_search_sample(struct store *s, struct err *e);
/* The part of a text, of a few octets, that the index of values is best asked for: it intersects the lists of all three-character
   pieces, and by the sample it is known which are long. */
struct bytes store_search_part(struct store *s, struct bytes text);
/* Whether surely more than `most` values have this text in them, by a sample; what is not sure is false. */
bool store_search_is_common(struct store *s, struct bytes text, size_t most);
/* Values that begin with this, of which the first 64 characters are looked at, and no more of them is told; without their attributes. */
enum { SEARCH_BEGINNING = 64 };
MUST enum rc store_search_beginnings(struct store *s, struct arena *a, struct bytes begin, size_t limit,
				     struct value_row **ret, size_t *n, struct err *e);
/* The values with these ids, at most LIMIT_PAGE, in no order. */
MUST enum rc store_values_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n,
			     struct value_row **ret, size_t *n, struct err *e);
/* Certificates that have one of these values, each once, in the order of their ids, by as many links as are not too many: where
   *ret_links, of which one certificate may have several, are `most`, there may be more. */
MUST enum rc store_search_certificates(struct store *s, struct arena *a, const int64_t *values,
				       size_t values_n, size_t most, int64_t **ret, size_t *n,
				       size_t *ret_links, struct err *e);
/* Along one value (WALK_VALUES) or all that have changed (WALK_CHANGED_BY_ID; state 0: of any state): certificates by the index alone, in the
   walk's direction, at most `limit` behind `id`. */
MUST enum rc store_search_ids(struct store *s, struct arena *a, const struct search_walk *w, int64_t id,
			      size_t limit, int64_t **ret, size_t *n, struct err *e);
/* Those of these certificates that have the value too, in the order of their ids. */
MUST enum rc store_search_having(struct store *s, struct arena *a, int64_t value, const int64_t *ids,
				 size_t ids_n, int64_t **ret, size_t *n, struct err *e);
/* Those that are on hold or revoked, likewise. */
MUST enum rc store_search_changed(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n,
				  int64_t **ret, size_t *n, struct err *e);
/* Those of which both ends lie in these times, [from, to), likewise. */
struct search_times {
	int64_t end_from, end_to, begin_from, begin_to;
};
MUST enum rc store_search_within(struct store *s, struct arena *a, const struct search_times *times,
				 const int64_t *ids, size_t ids_n, int64_t **ret, size_t *n, struct err *e);
/* How many rows the walk has, counted up to `most`; along one value, see store_search_certificates for several. */
MUST enum rc store_search_count(struct store *s, struct arena *a, const struct search_walk *w, size_t most,
				int64_t *ret, struct err *e);
/* Its rows behind (key, id); a fresh walk begins before all, INT64_MIN or INT64_MAX for both by its direction. Not full: without what
   other tables know of a certificate (its status, but for WALK_STATE and WALK_CHANGED, choice, publication, activation), at a fraction of the
   cost. INTERNAL for walks that store_search_ids goes. */
MUST enum rc store_search_walk(struct store *s, struct arena *a, const struct search_walk *w, int64_t key,
			       int64_t id, size_t limit, bool full, struct found_row **ret, size_t *n,
			       struct err *e);
/* Of at most LIMIT_PAGE certificates, in the order of their ids; full as of a walk. */
MUST enum rc store_search_of(struct store *s, struct arena *a, const int64_t *ids, size_t ids_n, bool full,
			     struct found_row **ret, size_t *n, struct err *e);
MUST enum rc store_search_one(struct store *s, struct arena *a, int64_t id, struct found_row *ret,
			      struct err *e);
/* Certificates whose values are not entered yet, the oldest first; how many, counted up to `most`. */
MUST enum rc store_values_waiting(struct store *s, struct arena *a, size_t limit,
				  struct certificate_row **ret, size_t *n, struct err *e);
MUST enum rc store_values_behind(struct store *s, size_t most, int64_t *ret, struct err *e);

/* --- journal --- */

/* Leaves that have no place yet, by id. */
MUST enum rc store_leaves_waiting(struct store *s, struct arena *a, size_t limit, struct leaf_row **ret,
				  size_t *n, struct err *e);
/* The same, the newest first. */
MUST enum rc store_leaves_newest(struct store *s, struct arena *a, size_t limit, struct leaf_row **ret,
				 size_t *n, struct err *e);
/* Full sweep: leaves that neither have a place nor wait for one (nobody but a tamperer or a bug can make
 * such). By id. */
MUST enum rc store_leaves_lost(struct store *s, struct arena *a, int64_t after, size_t limit,
			       struct leaf_row **ret, size_t *n, struct err *e);
MUST enum rc store_leaf(struct store *s, struct arena *a, int64_t id, struct leaf_row *ret, struct err *e);
/* The place of a leaf; STORE_NOT_FOUND when it waits. */
MUST enum rc store_leaf_index(struct store *s, int64_t id, int64_t *ret_idx, struct err *e);
/* Leaves with idx >= from, by idx. */
MUST enum rc store_leaves(struct store *s, struct arena *a, int64_t from, size_t limit,
			  struct placed_leaf_row **ret, size_t *n, struct err *e);
/* How many leaves have a place. */
MUST enum rc store_tree_size(struct store *s, int64_t *ret, struct err *e);
MUST enum rc store_tile(struct store *s, struct arena *a, int64_t level, int64_t idx, struct tile_row *ret,
			struct err *e);
/* The newest signed head. */
MUST enum rc store_head(struct store *s, struct arena *a, struct head_row *ret, struct err *e);
/* Heads with size > after, by size. */
MUST enum rc store_heads(struct store *s, struct arena *a, int64_t after, size_t limit, struct head_row **ret,
			 size_t *n, struct err *e);

/* --- the request log --- */

enum { LOG_OBJECTS_MAX = 4 };

struct log_query {
	int64_t category_from, category_to; /* both 0: any */
	int64_t category;                   /* an exact one, for the index; 0: none */
	int64_t group;                      /* LOG_BY_GROUP's value, for the index; 0: none */
	bool failed;                        /* only those */
	int64_t officer;                    /* 0: any */
	int64_t domain;                     /* of it and those below it; 0: any */
	int64_t objects[LOG_OBJECTS_MAX];   /* of any of them */
	size_t objects_n;                   /* 0: of anything */
	int64_t from_at, to_at;             /* [from, to), ms; 0: open */
	int64_t before;                     /* the id of the page before; 0: from the newest */
	size_t limit;
};

/* Newest first. Sees what the log's follower has read (store_log_cursor). */
MUST enum rc store_log(struct store *s, struct arena *a, const struct log_query *q,
		       struct log_entry_row **ret, size_t *n, struct err *e);
/* Remembered requests at or after from_at, newest first, behind the id `before` (0: from the newest). */
MUST enum rc store_remembered(struct store *s, struct arena *a, int64_t before, int64_t from_at, size_t limit,
			      struct remembered_row **ret, size_t *n, struct err *e);
/* The first place of the tree whose leaf was not read yet. */
MUST enum rc store_log_cursor(struct store *s, int64_t *ret, struct err *e);

/* --- the outbox --- */

struct outbox_query {
	struct bytes state;           /* empty: any */
	int64_t destination, request; /* 0: any */
	int64_t object;               /* 0: any; then the others are not looked at */
	int64_t after;
	size_t limit;
};
/* By id. */
MUST enum rc store_outbox_list(struct store *s, struct arena *a, const struct outbox_query *q,
			       struct outbox_row **ret, size_t *n, struct err *e);
MUST enum rc store_outbox(struct store *s, struct arena *a, int64_t id, struct outbox_row *ret,
			  struct err *e);
/* Whether anything waits at all. */
MUST enum rc store_outbox_any(struct store *s, bool *ret, struct err *e);
/* What of a destination is due, of each object the first only. */
MUST enum rc store_outbox_due(struct store *s, struct arena *a, int64_t destination, int64_t now_at,
			      size_t limit, struct outbox_row **ret, size_t *n, struct err *e);
/* Of the same object at the same destination what is older, and waits or is a dead letter. */
MUST enum rc store_outbox_older(struct store *s, struct arena *a, const struct outbox_row *row, size_t limit,
				struct outbox_row **ret, size_t *n, struct err *e);
/* Whether there is a younger delivery of the same object to the same destination. */
MUST enum rc store_outbox_overtaken(struct store *s, const struct outbox_row *row, bool *ret, struct err *e);
/* Waiting and dead ones of each destination. */
MUST enum rc store_outbox_counts(struct store *s, struct arena *a, struct outbox_count_row **ret, size_t *n,
				 struct err *e);
MUST enum rc store_publications(struct store *s, struct arena *a, int64_t certificate,
				struct publication_row **ret, size_t *n, struct err *e);
/* Last published by a procedure within [from, to), by certificate. */
MUST enum rc store_published_between(struct store *s, struct arena *a, int64_t procedure, int64_t from,
				     int64_t to, int64_t after, size_t limit, struct publication_row **ret,
				     size_t *n, struct err *e);

/* --- the rest --- */

/* 0 when it was never added to. */
MUST enum rc store_counter(struct store *s, const char *name, int64_t *ret, struct err *e);
/* All, by name. */
MUST enum rc store_counters(struct store *s, struct arena *a, struct counter_row **ret, size_t *n,
			    struct err *e);
MUST enum rc store_setting(struct store *s, struct arena *a, const char *name, struct bytes *ret,
			   struct err *e);
/* Those whose names begin with this, by name. */
MUST enum rc store_settings(struct store *s, struct arena *a, const char *prefix, struct setting_row **ret,
			    size_t *n, struct err *e);
/* The number behind the highest of the range that a card has; `from` where none has; to + 1 where none is left. It is
   only taken by the change that puts it, in one transaction with its use. */
MUST enum rc store_card_serial_next(struct store *s, int64_t from, int64_t to, int64_t *ret, struct err *e);
/* The highest id in any table; a generator must begin above it. 0: none. */
MUST enum rc store_high_id(struct store *s, int64_t *ret, struct err *e);

/* Takes or renews the lease of a job for lease_ms from now by the database's clock. owner: a number that is
   this process's alone and not 0. STORE_LEASE: another one has it. *ret_cursor (may be NULL): how far the job
   has come. */
MUST enum rc store_job_take(struct store *s, const char *job, int64_t owner, int64_t lease_ms,
			    int64_t *ret_cursor, struct err *e);
/* Gives it back before its time, so that another need not wait. No error when it was not held. */
MUST enum rc store_job_drop(struct store *s, const char *job, int64_t owner, struct err *e);

#endif
