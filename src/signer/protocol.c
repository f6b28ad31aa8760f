#include "base/base.h"
#include "signer/protocol.h"

#include "signer/journal.h"

static const char *const classes[] = { [SIGNER_CA] = "ca",
				       [SIGNER_OCSP] = "ocsp",
				       [SIGNER_JOURNAL] = "journal",
				       [SIGNER_TLS] = "tls",
				       [SIGNER_ARCHIVE] = "archive" };

const char *
signer_class_name(enum signer_class c)
{
	return (unsigned)c < ARRAY_LEN(classes) ? classes[c] : NULL;
}

bool
signer_class_of(struct bytes name, enum signer_class *ret)
{
	for (unsigned c = SIGNER_CA; c < ARRAY_LEN(classes); c++)
		if (bytes_is(name, classes[c])) {
			*ret = (enum signer_class)c;
			return true;
		}
	return false;
}

bool
signer_label_ok(struct bytes label)
{
	for (size_t i = 0; i < label.n; i++) {
		uint8_t c = label.p[i], l = c | 0x20;

		if (!((c >= '0' && c <= '9') || (l >= 'a' && l <= 'z') || c == '_' || c == '-' ||
		      (c == '.' && i > 0)))
			return false;
	}
	return label.n > 0 && label.n <= SIGNER_LABEL_MAX;
}

void
signer_limits_put(struct buf *out, const struct signer_limits *l)
{
	buf_lv(out, l->issuer);
	buf_u16(out, (uint16_t)l->n_algs);
	for (size_t i = 0; i < l->n_algs; i++)
		buf_lv(out, bytes_str(sigalg_name(l->algs[i])));
	buf_u32(out, l->validity_max_days);
	buf_u8(out, (uint8_t)(l->ca_allowed | l->acs_allowed << 1));
	buf_u32(out, (uint32_t)l->path_len_max);
	buf_lv(out, l->name_constraints);
	buf_u32(out, l->per_second);
	if (l->issuer_key.n > 0) /* of keys of class ocsp alone */
		buf_lv(out, l->issuer_key);
}

enum rc
signer_limits_get_from(struct rd *r, struct signer_limits *ret, struct err *e)
{
	uint8_t flag;

	*ret = (struct signer_limits){ .issuer = rd_lv(r), .n_algs = rd_u16(r) };
	NEED(ret->n_algs <= SIGNER_ALGS_MAX, e, CHY_SIGNER_MESSAGE, NULL, "%zu algorithms", ret->n_algs);
	for (size_t i = 0; i < ret->n_algs; i++) {
		ret->algs[i] = sigalg_by_name(rd_lv(r));
		NEED(ret->algs[i] != SIGALG_NONE, e, CHY_SIGNER_MESSAGE, NULL, "unknown signature algorithm");
	}
	ret->validity_max_days = rd_u32(r);
	flag = rd_u8(r);
	ret->ca_allowed = flag & 1;
	ret->acs_allowed = flag & 2;
	ret->path_len_max = (int32_t)rd_u32(r);
	ret->name_constraints = rd_lv(r);
	ret->per_second = rd_u32(r);
	if (rd_left(r) > 0)
		ret->issuer_key = rd_lv(r);
	NEED(rd_ok(r) && flag <= 3, e, CHY_SIGNER_MESSAGE, NULL, "limits");
	return RC_OK;
}

void
signer_head_put(uint8_t out[SIGNER_HEAD_BYTES], const struct signer_head *h)
{
	static const char domain[32] = { "Chancery journal head, version 1" };

	memcpy(out, domain, sizeof(domain));
	for (int i = 0; i < 8; i++) {
		out[32 + i] = (uint8_t)(h->size >> (56 - 8 * i));
		out[40 + i] = (uint8_t)((uint64_t)h->at_ms >> (56 - 8 * i));
	}
	memcpy(out + 48, h->root, sizeof(h->root));
}

void
signer_record_put(struct buf *out, const struct sj_record *r)
{
	buf_u64(out, r->position);
	buf_u64(out, r->synced);
	buf_u64(out, (uint64_t)r->at_ms);
	buf_u16(out, (uint16_t)r->type);
	buf_put(out, BYTES_OF(r->prev));
	buf_put(out, BYTES_OF(r->hash));
	buf_lv(out, r->key);
	buf_lv(out, r->tbs);
	buf_lv(out, r->signature);
	buf_lv(out, r->context);
}

void
signer_record_get(struct rd *r, struct sj_record *ret)
{
	struct bytes prev, hash;

	*ret = (struct sj_record){ .position = rd_u64(r), .synced = rd_u64(r), .at_ms = (int64_t)rd_u64(r) };
	ret->type = (enum sj_type)rd_u16(r);
	prev = rd_take(r, SJ_HASH);
	hash = rd_take(r, SJ_HASH);
	ret->key = rd_lv(r);
	ret->tbs = rd_lv(r);
	ret->signature = rd_lv(r);
	ret->context = rd_lv(r);
	if (!rd_ok(r) || prev.p == NULL || hash.p == NULL)
		return;
	memcpy(ret->prev, prev.p, SJ_HASH);
	memcpy(ret->hash, hash.p, SJ_HASH);
}
