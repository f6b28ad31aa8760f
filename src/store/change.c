#include "base/base.h"
#include "store/core.h"

#include <endian.h>

struct change *
change_new(void)
{
	struct arena *mem = arena_new(LIMIT_CHANGE);
	struct change *c = mem ? arena_one(mem, struct change) : NULL;

	if (c == NULL) {
		arena_free(mem);
		return NULL;
	}
	c->mem = mem;
	c->last = &c->first;
	return c;
}

void
change_free(struct change *c)
{
	if (c != NULL)
		arena_free(c->mem);
}

static bool
text_ok(struct bytes b)
{
	return utf8_ok(b) && (b.n == 0 || memchr(b.p, 0, b.n) == NULL);
}

void
change_op(struct change *c, enum stmt_id stmt, const union value *v)
{
	const struct stmt *s = &statements[stmt];
	size_t n = stmt_nparams(s);
	struct op *op;

	if (c == NULL)
		return;
	op = arena_alloc(c->mem, sizeof(*op) + n * sizeof(op->v[0]));
	if (op == NULL) {
		c->no_memory = true;
		return;
	}
	op->stmt = stmt;
	for (size_t i = 0; i < n; i++) {
		op->v[i] = v[i];
		if (stmt_type(s, i) == 'i')
			continue;
		c->bad_text |= stmt_type(s, i) == 't' && !text_ok(v[i].b);
		op->v[i].b = arena_dup(c->mem, v[i].b);
		c->no_memory |= op->v[i].b.p == NULL;
	}
	*c->last = op;
	c->last = &op->next;
	c->nops++;
}

void
change_row(struct change *c, enum stmt_id stmt, const void *row)
{
	union value v[PARAMS_MAX];

	row_values(statements[stmt].table, row, v);
	change_op(c, stmt, v);
}

#define OP(c, stmt, ...) change_op((c), (stmt), (const union value[]){ __VA_ARGS__ })
#define I(x) INT_VALUE(x)
#define B(x) BYTES_VALUE(x)

void
change_put_certificate(struct change *c, const struct certificate_row *row, struct bytes der)
{
	change_row(c, Q_PUT_CERTIFICATE, row);
	OP(c, Q_PUT_DER, I(row->id), B(der));
	OP(c, Q_PUT_CERTIFICATE_TODO, I(row->id));
}

/* The issuer's row of status_seq first: writers of one issuer's statuses wait for one another at it, so that seq becomes
   visible in its order and without gaps. */
static void
put_status(struct change *c, const struct status_row *r, int64_t was)
{
	if (c == NULL)
		return;
	OP(c, Q_STATUS_NEXT, I(r->issuer));
	if (was == 0)
		OP(c, Q_STATUS_NEW, I(r->id), I(r->issuer), B(r->serial), I(r->state), I(r->reason), I(r->at),
		   I(r->invalid_at), I(r->not_after), I(r->leaf));
	else
		OP(c, Q_STATUS_SET, I(r->id), I(r->state), I(r->reason), I(r->at), I(r->invalid_at),
		   I(r->leaf), I(r->issuer), I(was));
	if (!c->statuses)
		change_op(c, Q_NOTIFY_STATUS, NULL);
	c->statuses = true;
}

void
change_put_status(struct change *c, const struct status_row *row, int64_t was)
{
	put_status(c, row, was);
	OP(c, Q_CERTIFICATE_STATE, I(row->id), I(row->state));
}

void
change_put_new_status(struct change *c, const struct status_row *row)
{
	put_status(c, row, 0);
}

void
change_put_field(struct change *c, const struct field_row *row)
{
	change_row(c, Q_PUT_FIELD, row);
}

void
change_put_partition(struct change *c, const struct partition_row *row)
{
	change_row(c, Q_PUT_PARTITION, row);
}

void
change_put_crl(struct change *c, const struct crl_row *row)
{
	change_row(c, Q_PUT_CRL, row);
}

void
change_put_crl_piece(struct change *c, const struct crl_piece_row *row)
{
	change_row(c, Q_PUT_CRL_PIECE, row);
}

void
change_put_crl_part(struct change *c, const struct crl_part_row *row)
{
	change_row(c, Q_PUT_CRL_PART, row);
}

void
change_drop_crl(struct change *c, int64_t id)
{
	OP(c, Q_DROP_CRL, I(id));
}

void
change_drop_crl_pieces(struct change *c, int64_t id)
{
	OP(c, Q_DROP_CRL_PIECES, I(id));
	OP(c, Q_DROP_CRL_PARTS, I(id));
}

void
change_remove_certificate(struct change *c, const struct removed_row *row, int64_t not_before)
{
	OP(c, Q_REMOVE_FROM_CERTIFICATE, I(row->id));
	OP(c, Q_REMOVE_FROM_CERTIFICATE_DER, I(row->id));
	OP(c, Q_REMOVE_FROM_CERTIFICATE_STATUS, I(row->id));
	OP(c, Q_REMOVE_FROM_CERTIFICATE_HOLD, I(row->id));
	OP(c, Q_REMOVE_FROM_CERTIFICATE_CHOICE, I(row->id));
	OP(c, Q_REMOVE_FROM_PASSWORD_WRONG, I(row->id));
	OP(c, Q_REMOVE_FROM_CERTIFICATE_UNCLAIMED, I(row->id));
	OP(c, Q_REMOVE_FROM_OCSP_ACTIVATION, I(row->id));
	OP(c, Q_REMOVE_FROM_CERTIFICATE_PARTITION, I(row->id));
	OP(c, Q_REMOVE_FROM_CERTIFICATE_FIELD, I(row->id));
	OP(c, Q_REMOVE_FROM_PUBLICATION, I(row->id));
	OP(c, Q_REMOVE_FROM_VERDICT, I(row->id));
	OP(c, Q_REMOVE_FROM_VERDICT_TODO, I(row->id));
	OP(c, Q_REMOVE_FROM_CERTIFICATE_TODO, I(row->id));
	OP(c, Q_REMOVE_FROM_VALUE_TODO, I(row->id));
	OP(c, Q_DROP_BEGIN, I(not_before), I(row->id));
	change_row(c, Q_PUT_REMOVED, row);
}

void
change_drop_link(struct change *c, const struct link_row *row)
{
	OP(c, Q_DROP_LINK, I(row->value), I(row->certificate));
}

void
change_put_cil(struct change *c, const struct cil_row *row)
{
	OP(c, Q_DROP_CIL, I(row->procedure_id), I(row->delta));
	change_row(c, Q_PUT_CIL, row);
}

void
change_put_cil_file(struct change *c, const struct cil_file_row *row)
{
	change_row(c, Q_PUT_CIL_FILE, row);
}

void
change_put_cil_list(struct change *c, const struct cil_list_row *row)
{
	change_row(c, Q_PUT_CIL_LIST, row);
}

void
change_drop_cil(struct change *c, int64_t procedure, bool delta, int64_t build)
{
	OP(c, Q_DROP_CIL, I(procedure), I(delta));
	OP(c, Q_DROP_CIL_FILES, I(build));
}

void
change_tidy_cil_files(struct change *c, int64_t but)
{
	OP(c, Q_TIDY_CIL_FILES, I(but));
}

void
change_put_imported_crl(struct change *c, const struct imported_crl_row *row)
{
	OP(c, Q_PUT_IMPORTED_CRL, I(row->authority), B(row->scope), I(row->this_update), I(row->next_update),
	   B(row->number), I(row->at), I(row->request_id), B(row->der));
}

void
change_drop_verdict(struct change *c, int64_t certificate)
{
	OP(c, Q_DROP_VERDICT_TODO, I(certificate));
}

void
change_put_hold(struct change *c, const struct hold_row *row)
{
	change_row(c, Q_PUT_HOLD, row);
}

void
change_drop_hold(struct change *c, int64_t certificate, struct bytes cause)
{
	OP(c, Q_DROP_HOLD, I(certificate), B(cause));
}

void
change_drop_holds(struct change *c, int64_t certificate)
{
	OP(c, Q_DROP_HOLDS, I(certificate));
}

void
change_put_value_numbers(struct change *c, const struct value_row *row)
{
	OWN_BUF struct buf grams = buf_max(8 * row->value.n);

	if (!store_search_has_number(row->value))
		return;
	store_number_grams(&grams, row->value);
	if (!buf_ok(&grams) && c != NULL)
		c->no_memory = true;
	OP(c, Q_PUT_VALUE_NUMBERS, I(row->id), B(buf_bytes(&grams)));
}

void
change_put_value(struct change *c, const struct value_row *row)
{
	OP(c, Q_PUT_VALUE_TEXT, I(row->id), I(row->attribute), B(row->value));
	change_row(c, Q_PUT_VALUE, row);
	change_put_value_numbers(c, row);
}

void
change_put_link(struct change *c, const struct link_row *row)
{
	change_row(c, Q_PUT_LINK, row);
}

void
change_put_begin(struct change *c, const struct begin_row *row)
{
	change_row(c, Q_PUT_BEGIN, row);
}

void
change_drop_value_todo(struct change *c, int64_t certificate)
{
	OP(c, Q_DROP_VALUE_TODO, I(certificate));
}

void
change_put_responder(struct change *c, const struct responder_row *row)
{
	change_row(c, Q_PUT_RESPONDER, row);
}

void
change_put_node_key(struct change *c, const struct node_key_row *row)
{
	OP(c, Q_PUT_NODE_KEY, B(row->node), I(row->authority), B(row->label), B(row->spki), B(row->node_spki),
	   B(row->signature), I(row->at));
}

void
change_put_activation(struct change *c, const struct activation_row *row)
{
	change_row(c, Q_PUT_ACTIVATION, row);
}

void
change_put_unclaimed(struct change *c, const struct unclaimed_row *row)
{
	change_row(c, Q_PUT_UNCLAIMED, row);
}

void
change_drop_unclaimed(struct change *c, int64_t certificate)
{
	OP(c, Q_DROP_UNCLAIMED, I(certificate));
}

void
change_password_wrong(struct change *c, int64_t certificate, int64_t until_at)
{
	OP(c, Q_PASSWORD_WRONG, I(certificate), I(until_at));
}

void
change_password_right(struct change *c, int64_t certificate)
{
	OP(c, Q_PASSWORD_RIGHT, I(certificate));
}

void
change_put_verdict(struct change *c, const struct verdict_row *row)
{
	change_row(c, Q_PUT_VERDICT, row);
	OP(c, Q_DROP_VERDICT_TODO, I(row->id));
}

void
change_put_leaf(struct change *c, const struct leaf_row *row)
{
	change_row(c, Q_PUT_LEAF, row);
	OP(c, Q_PUT_JOURNAL_TODO, I(row->id));
}

void
change_put_seq(struct change *c, const struct seq_row *row)
{
	OP(c, Q_DROP_JOURNAL_TODO, I(row->leaf_id));
	change_row(c, Q_PUT_SEQ, row);
}

void
change_put_tile(struct change *c, const struct tile_row *r)
{
	OP(c, Q_PUT_TILE, I(r->level), I(r->idx), B(r->hashes));
}

void
change_put_head(struct change *c, const struct head_row *row)
{
	change_row(c, Q_PUT_HEAD, row);
}

void
change_put_document(struct change *c, const struct document_row *r)
{
	if (c == NULL)
		return;
	/* the stamp's row first: it is what writers of documents wait for one another at */
	change_op(c, Q_STAMP, NULL);
	OP(c, r->version == 1 ? Q_NEW_DOCUMENT : Q_NEXT_DOCUMENT, I(r->id), B(r->kind), B(r->name),
	   B(r->state), I(r->domain), I(r->version));
	OP(c, Q_PUT_DOCUMENT, I(r->id), I(r->version), B(r->kind), B(r->name), B(r->state), I(r->domain),
	   B(r->body), I(r->at), I(r->request_id));
	change_op(c, Q_NOTIFY, NULL);
	c->documents = true;
}

void
change_check_document(struct change *c, int64_t id, int64_t version)
{
	OP(c, Q_CHECK_DOCUMENT, I(id), I(version));
}

void
change_put_draft(struct change *c, const struct draft_row *r)
{
	change_row(c, Q_PUT_DRAFT, r);
}

void
change_next_draft(struct change *c, const struct draft_row *r, int64_t was_at)
{
	OP(c, Q_NEXT_DRAFT, I(r->id), B(r->kind), B(r->name), B(r->body), I(r->officer_id), I(r->at),
	   I(was_at));
}

void
change_drop_draft(struct change *c, int64_t id, int64_t was_at)
{
	OP(c, Q_DROP_DRAFT, I(id), I(was_at));
}

void
change_put_selection(struct change *c, const struct selection_row *r, int64_t most)
{
	OP(c, Q_PUT_SELECTION, I(r->id), I(r->officer_id), B(r->act), B(r->body), I(r->at), I(most));
}

void
change_next_selection(struct change *c, const struct selection_row *r, int64_t was_at)
{
	OP(c, Q_NEXT_SELECTION, I(r->id), B(r->body), I(r->at), I(was_at));
}

void
change_drop_selection(struct change *c, int64_t id, int64_t was_at)
{
	OP(c, Q_DROP_SELECTION, I(id), I(was_at));
}

void
change_put_request(struct change *c, const struct request_row *row)
{
	change_row(c, Q_PUT_REQUEST, row);
}

void
change_request_state(struct change *c, int64_t id, struct bytes from, struct bytes to, struct bytes result)
{
	OP(c, Q_REQUEST_STATE, I(id), B(from), B(to), B(result));
}

void
change_put_signature(struct change *c, const struct signature_row *row)
{
	change_row(c, Q_PUT_SIGNATURE, row);
}

void
change_put_idempotency(struct change *c, const struct idempotency_row *row)
{
	struct slot_row full = { .row = *row };
	uint64_t slot = 0;

	memcpy(&slot, row->key.p, row->key.n < sizeof(slot) ? row->key.n : sizeof(slot));
	full.slot = (int64_t)be64toh(slot);
	change_row(c, Q_PUT_IDEMPOTENCY, &full);
}

void
change_put_session(struct change *c, const struct session_row *row)
{
	change_row(c, Q_PUT_SESSION, row);
}

void
change_session_use(struct change *c, int64_t id, int64_t n)
{
	OP(c, Q_SESSION_USE, I(id), I(n));
}

void
change_session_state(struct change *c, int64_t id, struct bytes from, struct bytes to)
{
	OP(c, Q_SESSION_STATE, I(id), B(from), B(to));
}

void
change_add_counter(struct change *c, const char *name, int64_t delta)
{
	OP(c, Q_ADD_COUNTER, B(bytes_str(name)), I(0), I(delta)); /* the committer puts its node in */
}

void
change_put_card_serial(struct change *c, const struct card_serial_row *row)
{
	change_row(c, Q_PUT_CARD_SERIAL, row);
}

void
change_put_token(struct change *c, const struct token_row *row)
{
	change_row(c, Q_PUT_TOKEN, row);
}

void
change_put_token_key(struct change *c, const struct token_key_row *row)
{
	change_row(c, Q_PUT_TOKEN_KEY, row);
}

void
change_archive_key(struct change *c, int64_t token, int64_t n, int64_t certificate)
{
	OP(c, Q_ARCHIVE_KEY, I(token), I(n), I(certificate));
}

void
change_token_ready(struct change *c, int64_t id, struct bytes pin, struct bytes file, int64_t expires_at)
{
	OP(c, Q_TOKEN_READY, I(id), B(pin), B(file), I(expires_at));
	OP(c, Q_CLAIM_TOKEN, I(id));
	OP(c, Q_DROP_TOKEN_KEYS, I(id));
}

void
change_token_end(struct change *c, int64_t id, struct bytes state)
{
	OP(c, Q_TOKEN_END, I(id), B(state));
}

void
change_token_failed(struct change *c, int64_t id)
{
	OP(c, Q_TOKEN_FAILED, I(id));
	OP(c, Q_DROP_TOKEN_CHOICES, I(id));
	OP(c, Q_DROP_TOKEN_KEYS, I(id));
}

void
change_put_choice(struct change *c, const struct choice_row *row)
{
	change_row(c, Q_PUT_CHOICE, row);
}

void
change_put_recovery(struct change *c, const struct recovery_row *row)
{
	change_row(c, Q_PUT_RECOVERY, row);
}

void
change_put_request_secret(struct change *c, const struct request_secret_row *row)
{
	change_row(c, Q_PUT_REQUEST_SECRET, row);
}

void
change_drop_request_secret(struct change *c, int64_t request)
{
	OP(c, Q_DROP_REQUEST_SECRET, I(request));
}

void
change_set_revocation_password(struct change *c, int64_t certificate, struct bytes form)
{
	OP(c, Q_SET_REVOCATION_PASSWORD, I(certificate), B(form));
}

void
change_put_outbox(struct change *c, const struct outbox_row *row)
{
	change_row(c, Q_PUT_OUTBOX, row);
}

void
change_outbox_end(struct change *c, int64_t id, struct bytes from, struct bytes to, struct bytes error,
		  int64_t at)
{
	OP(c, Q_OUTBOX_END, I(id), B(from), B(to), B(error), I(at));
}

void
change_outbox_forget(struct change *c, int64_t object, int64_t destination)
{
	OP(c, Q_OUTBOX_FORGET, I(object), I(destination));
}

void
change_outbox_later(struct change *c, int64_t id, int64_t next_at, struct bytes error, int64_t at)
{
	OP(c, Q_OUTBOX_LATER, I(id), I(next_at), B(error), I(at));
}

void
change_outbox_retry(struct change *c, int64_t id, int64_t at)
{
	OP(c, Q_OUTBOX_RETRY, I(id), I(at));
}

void
change_published(struct change *c, const struct publication_row *row)
{
	OP(c, Q_PUBLISHED, I(row->certificate), I(row->by_procedure), I(row->at), I(row->request_id),
	   I(row->withdrawn));
}

void
change_set_setting(struct change *c, const char *name, struct bytes value)
{
	OP(c, Q_SET_SETTING, B(bytes_str(name)), B(value));
}

void
change_claim_setting(struct change *c, const char *name, struct bytes value)
{
	OP(c, Q_CLAIM_SETTING, B(bytes_str(name)), B(value));
}

void
change_put_log(struct change *c, const struct log_row *row)
{
	change_row(c, Q_PUT_LOG, row);
}

void
change_put_log_link(struct change *c, const struct log_link_row *row)
{
	change_row(c, Q_PUT_LOG_LINK, row);
}

void
change_log_cursor(struct change *c, int64_t from, int64_t to)
{
	OP(c, Q_LOG_CURSOR, I(from), I(to));
}

void
change_put_remembered(struct change *c, const struct remembered_row *row)
{
	change_row(c, Q_PUT_REMEMBERED, row);
}

void
change_forget(struct change *c, int64_t keep)
{
	OP(c, Q_FORGET, I(keep));
}

void
change_job_cursor(struct change *c, const char *job, int64_t owner, int64_t cursor)
{
	OP(c, Q_JOB_CURSOR, B(bytes_str(job)), I(owner), I(cursor));
}
