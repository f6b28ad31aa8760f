#include "base/base.h"
#include "store/db.h"

/* The columns of each row struct; I integer, T text, B bytes. */

#define I(s, f) \
	{ \
#f, 'i', offsetof(struct s, f) \
	}
#define T(s, f) \
	{ \
#f, 't', offsetof(struct s, f) \
	}
#define B(s, f) \
	{ \
#f, 'b', offsetof(struct s, f) \
	}
#define DESCRIBE(tab, sql_name, row_type, ...) \
	static const struct column tab##_columns[] = { __VA_ARGS__ }; \
	_Static_assert(ARRAY_LEN(tab##_columns) <= PARAMS_MAX, "rows fit where they are read"); \
	const struct table table_##tab = { sql_name, tab##_columns, ARRAY_LEN(tab##_columns), \
					   sizeof(struct row_type) }

#define S document_row
DESCRIBE(document, "document", S, I(S, id), I(S, version), T(S, kind), T(S, name), T(S, state), I(S, domain),
	 T(S, body), I(S, at), I(S, request_id), I(S, stamp));
#undef S
#define S draft_row
DESCRIBE(draft, "draft", S, I(S, id), T(S, kind), T(S, name), T(S, body), I(S, officer_id), I(S, at),
	 I(S, owner));
#undef S
#define S selection_row
DESCRIBE(selection, "selection", S, I(S, id), I(S, officer_id), T(S, act), T(S, body), I(S, at));
#undef S
#define S request_row
DESCRIBE(request, "request", S, I(S, id), T(S, act), T(S, state), I(S, object), I(S, base_version),
	 B(S, body), I(S, prepared_by), B(S, nonce), I(S, at), I(S, expires_at), T(S, result));
#undef S
#define S signature_row
DESCRIBE(signature, "request_signature", S, I(S, request_id), I(S, n), I(S, officer_id), B(S, cms), I(S, at));
#undef S
#define S certificate_row
DESCRIBE(certificate, "certificate", S, I(S, id), B(S, serial), I(S, issuer), I(S, status), T(S, subject),
	 I(S, not_before), I(S, not_after), I(S, token_procedure), I(S, certificate_procedure),
	 I(S, authority), I(S, request_id), I(S, session_id), T(S, san), B(S, key_hash), B(S, fingerprint),
	 I(S, base));
#undef S
#define S leaf_row
DESCRIBE(leaf, "journal_leaf", S, I(S, id), T(S, kind), I(S, object), T(S, body), B(S, hash));
#undef S
#define S placed_leaf_row
DESCRIBE(placed_leaf, "journal_leaf", S, I(S, idx), I(S, id), T(S, kind), I(S, object), T(S, body),
	 B(S, hash));
#undef S
#define S seq_row
DESCRIBE(seq, "journal_seq", S, I(S, idx), I(S, leaf_id));
#undef S
#define S tile_row
DESCRIBE(tile, "journal_tile", S, I(S, level), I(S, idx), B(S, hashes));
#undef S
#define S head_row
DESCRIBE(head, "journal_head", S, I(S, size), B(S, root), I(S, at), B(S, signature), B(S, key));
#undef S
static const struct column idempotency_columns[] = {
	{ "slot", 'i', offsetof(struct slot_row, slot) },
	{ "key", 'b', offsetof(struct slot_row, row.key) },
	{ "caller", 'i', offsetof(struct slot_row, row.caller) },
	{ "request_hash", 'b', offsetof(struct slot_row, row.request_hash) },
	{ "result", 'i', offsetof(struct slot_row, row.result) },
	{ "at", 'i', offsetof(struct slot_row, row.at) },
};
const struct table table_idempotency = { "idempotency", idempotency_columns, ARRAY_LEN(idempotency_columns),
					 sizeof(struct slot_row) };
#define S session_row
DESCRIBE(session, "issuing_session", S, I(S, id), B(S, token_hash), I(S, request_id), I(S, officer_id),
	 T(S, body), I(S, used), I(S, maximum), I(S, expires_at), T(S, state));
#undef S
#define S outbox_row
DESCRIBE(outbox, "outbox", S, I(S, id), T(S, kind), I(S, object), I(S, destination), I(S, by_procedure),
	 I(S, request_id), T(S, form), I(S, removal), I(S, at), I(S, since), I(S, next_at), I(S, attempts),
	 T(S, state), T(S, error), I(S, changed_at));
#undef S
#define S outbox_count_row
DESCRIBE(outbox_count, "outbox", S, I(S, destination), T(S, state), I(S, n), I(S, first));
#undef S
#define S publication_row
DESCRIBE(publication, "publication", S, I(S, certificate), I(S, by_procedure), I(S, at), I(S, request_id),
	 I(S, withdrawn));
#undef S
#define S token_row
DESCRIBE(token, "token", S, I(S, id), I(S, officer_id), I(S, token_procedure), I(S, at), I(S, expires_at),
	 T(S, state), T(S, holder), B(S, pin), B(S, file));
#undef S
#define S token_key_row
DESCRIBE(token_key, "token_key", S, I(S, token), I(S, n), I(S, certificate), I(S, certificate_procedure),
	 I(S, source), T(S, archive), T(S, holder), B(S, spki), B(S, box), B(S, envelope));
#undef S
#define S archived_row
DESCRIBE(archived, "archived_key", S, I(S, certificate), I(S, at), T(S, archive), T(S, holder), B(S, spki),
	 B(S, envelope));
#undef S
#define S choice_row
DESCRIBE(choice, "certificate_choice", S, I(S, certificate), I(S, publication), T(S, revocation_password));
#undef S
#define S request_secret_row
DESCRIBE(request_secret, "request_secret", S, I(S, request), T(S, revocation_password));
#undef S
#define S recovery_row
DESCRIBE(recovery, "key_recovery", S, I(S, certificate), I(S, token), I(S, at), I(S, issued));
#undef S
#define S verdict_row
DESCRIBE(verdict, "verdict", S, I(S, id), I(S, at), I(S, ok), T(S, lints));
#undef S
#define S der_row
DESCRIBE(der, "certificate_der", S, I(S, id), B(S, der));
#undef S
#define S serial_row
DESCRIBE(serial, "certificate", S, I(S, id), I(S, issuer), B(S, serial));
#undef S
#define S counter_row
DESCRIBE(counter, "counter", S, T(S, name), I(S, value));
#undef S
#define S job_row
DESCRIBE(job, "job", S, T(S, name), I(S, owner), I(S, lease_until), I(S, cursor));
#undef S
#define S setting_row
DESCRIBE(setting, "setting", S, T(S, name), T(S, value));
#undef S
#define S search_row
DESCRIBE(search, "certificate_search", S, I(S, attribute), I(S, hash), I(S, id));
#undef S
#define S log_row
DESCRIBE(log, "log", S, I(S, id), I(S, at), I(S, category), I(S, failed));
#undef S
#define S log_link_row
DESCRIBE(log_link, "log_link", S, I(S, kind), I(S, value), I(S, id));
#undef S
#define S log_entry_row
DESCRIBE(log_entry, "log", S, I(S, id), I(S, at), I(S, category), I(S, failed), T(S, kind), I(S, object),
	 T(S, body));
#undef S
#define S remembered_row
DESCRIBE(remembered, "remembered", S, I(S, id), I(S, at), I(S, session_id), T(S, token_procedure),
	 I(S, not_before), I(S, not_after), I(S, certificate), B(S, csr), T(S, input));
#undef S
#define S card_serial_row
DESCRIBE(card_serial, "card_serial", S, I(S, number), I(S, token_procedure), I(S, at));
#undef S
#define S status_row
DESCRIBE(status, "certificate_status", S, I(S, id), I(S, issuer), B(S, serial), I(S, state), I(S, reason),
	 I(S, at), I(S, invalid_at), I(S, not_after), I(S, leaf), I(S, seq));
#undef S
#define S hold_row
DESCRIBE(hold, "certificate_hold", S, I(S, certificate), T(S, cause), I(S, at), I(S, request_id));
#undef S
#define S password_wrong_row
DESCRIBE(password_wrong, "password_wrong", S, I(S, certificate), I(S, tries), I(S, until_at));
#undef S
#define S responder_row
DESCRIBE(responder, "responder", S, I(S, certificate), I(S, authority), T(S, key), I(S, not_before),
	 I(S, not_after), T(S, node));
#undef S
#define S node_key_row
DESCRIBE(node_key, "node_key", S, T(S, node), I(S, authority), T(S, label), B(S, spki), B(S, node_spki),
	 B(S, signature), I(S, at));
#undef S
#define S activation_row
DESCRIBE(activation, "ocsp_activation", S, I(S, certificate), I(S, at), I(S, request_id));
#undef S
#define S unclaimed_row
DESCRIBE(unclaimed, "certificate_unclaimed", S, I(S, certificate), I(S, at), I(S, leaf));
#undef S
#define S crl_row
DESCRIBE(crl_place, "crl", S, I(S, id), I(S, part), I(S, delta), I(S, number), I(S, base), I(S, state),
	 I(S, this_update));
DESCRIBE(crl, "crl", S, I(S, id), I(S, procedure_id), I(S, list), I(S, part), I(S, delta), I(S, number),
	 I(S, base), I(S, state), I(S, this_update), I(S, next_update), I(S, status_seq), I(S, entries),
	 I(S, entries_len), I(S, pieces), T(S, sigalg), B(S, sha256), B(S, head), B(S, tail), B(S, signature),
	 I(S, shape), I(S, left_at));
#undef S
#define S crl_sum_row
DESCRIBE(crl_sum, "crl", S, I(S, delta), I(S, n), I(S, number), I(S, first_id), I(S, this_update),
	 I(S, next_update), I(S, entries), I(S, octets));
#undef S
#define S field_row
DESCRIBE(field, "certificate_field", S, I(S, certificate), I(S, n), T(S, value));
#undef S
#define S partition_row
DESCRIBE(partition, "certificate_partition", S, I(S, certificate), I(S, part));
#undef S
#define S crl_piece_row
DESCRIBE(crl_piece, "crl_piece", S, I(S, crl), I(S, n), B(S, entries));
#undef S
#define S crl_part_row
DESCRIBE(crl_part, "crl_part", S, I(S, crl), I(S, n), I(S, made_by), I(S, made_n), I(S, entries), I(S, len),
	 I(S, until), B(S, last));
#undef S
#define S value_row
DESCRIBE(value, "search_value", S, I(S, id), I(S, attribute), T(S, value));
#undef S
#define S link_row
DESCRIBE(link, "search_link", S, I(S, value), I(S, certificate));
#undef S
#define S begin_row
DESCRIBE(begin, "search_begin", S, I(S, not_before), I(S, certificate));
#undef S
static const struct column found_columns[] = {
	{ "id", 'i', offsetof(struct found_row, c.id) },
	{ "serial", 'b', offsetof(struct found_row, c.serial) },
	{ "issuer", 'i', offsetof(struct found_row, c.issuer) },
	{ "status", 'i', offsetof(struct found_row, c.status) },
	{ "subject", 't', offsetof(struct found_row, c.subject) },
	{ "not_before", 'i', offsetof(struct found_row, c.not_before) },
	{ "not_after", 'i', offsetof(struct found_row, c.not_after) },
	{ "token_procedure", 'i', offsetof(struct found_row, c.token_procedure) },
	{ "certificate_procedure", 'i', offsetof(struct found_row, c.certificate_procedure) },
	{ "authority", 'i', offsetof(struct found_row, c.authority) },
	{ "request_id", 'i', offsetof(struct found_row, c.request_id) },
	{ "session_id", 'i', offsetof(struct found_row, c.session_id) },
	{ "san", 't', offsetof(struct found_row, c.san) },
	{ "key_hash", 'b', offsetof(struct found_row, c.key_hash) },
	{ "fingerprint", 'b', offsetof(struct found_row, c.fingerprint) },
	{ "base", 'i', offsetof(struct found_row, c.base) },
	{ "reason", 'i', offsetof(struct found_row, reason) },
	{ "at", 'i', offsetof(struct found_row, at) },
	{ "publication", 'i', offsetof(struct found_row, publication) },
	{ "published", 'i', offsetof(struct found_row, published) },
	{ "activated", 'i', offsetof(struct found_row, activated) },
	{ "card_serial", 't', offsetof(struct found_row, card_serial) },
};
const struct table table_found = { "certificate", found_columns, ARRAY_LEN(found_columns),
				   sizeof(struct found_row) };
#define S imported_crl_row
DESCRIBE(imported_crl, "imported_crl", S, I(S, authority), B(S, scope), I(S, this_update), I(S, next_update),
	 B(S, number), I(S, at), I(S, request_id), B(S, der));
#undef S
#define S cil_row
DESCRIBE(cil, "cil", S, I(S, procedure_id), I(S, delta), I(S, build), I(S, number), I(S, last_number),
	 I(S, base), I(S, this_update), I(S, next_update), I(S, place), I(S, entries), T(S, timing));
#undef S
#define S cil_file_row
DESCRIBE(cil_file, "cil_file", S, I(S, build), I(S, segment), I(S, number), B(S, sha256), B(S, der));
#undef S
#define S cil_list_row
DESCRIBE(cil_list, "cil_list", S, I(S, id), I(S, procedure_id), I(S, delta), I(S, segment));
#undef S
#define S removed_row
DESCRIBE(removed, "certificate_removed", S, I(S, id), I(S, issuer), B(S, serial), B(S, fingerprint), I(S, at),
	 I(S, request_id), I(S, leaf));
#undef S
#define S number_row
DESCRIBE(number, "number", S, I(S, value));
#undef S
#define S der_row /* queues hold ids and nothing else */
DESCRIBE(journal_todo, "journal_todo", S, I(S, id));
DESCRIBE(certificate_todo, "certificate_todo", S, I(S, id));
DESCRIBE(verdict_todo, "verdict_todo", S, I(S, id));
DESCRIBE(value_todo, "value_todo", S, I(S, id));
#undef S

void
row_values(const struct table *t, const void *row, union value *ret)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *at = (const char *)row + t->cols[i].offset;

		if (t->cols[i].type == 'i')
			memcpy(&ret[i].i, at, sizeof(ret[i].i));
		else
			memcpy(&ret[i].b, at, sizeof(ret[i].b));
	}
}

void
row_view(const struct table *t, const union value *cols, void *row)
{
	for (size_t i = 0; i < t->n; i++) {
		char *at = (char *)row + t->cols[i].offset;

		if (t->cols[i].type == 'i')
			memcpy(at, &cols[i].i, sizeof(cols[i].i));
		else
			memcpy(at, &cols[i].b, sizeof(cols[i].b));
	}
}

enum rc
row_load(const struct table *t, const union value *cols, struct arena *a, void *row, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		char *at = (char *)row + t->cols[i].offset;
		struct bytes b;

		if (t->cols[i].type == 'i') {
			memcpy(at, &cols[i].i, sizeof(cols[i].i));
			continue;
		}
		b = arena_dup(a, cols[i].b);
		NEED(b.p != NULL, e, CHY_NO_MEMORY, NULL, "a row of %s", t->name);
		memcpy(at, &b, sizeof(b));
	}
	return RC_OK;
}
