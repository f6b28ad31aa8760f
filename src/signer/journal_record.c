#include "base/base.h"
#include "signer/journal_record.h"

#include <dirent.h>
#include <errno.h>

#include "crypto/digest.h"

static const char magic[8] = { 'C', 'H', 'Y', 'S', 'J', '0', '0', '1' };

void
sj_header_put(uint8_t out[SJ_HEADER], const struct sj_segment *s)
{
	OWN_BUF struct buf b = buf_max(SJ_HEADER_SIGNED);

	memset(out, 0, SJ_HEADER);
	buf_put(&b, BYTES_OF(magic));
	buf_u64(&b, s->first);
	buf_put(&b, BYTES_OF(s->prev));
	buf_u64(&b, (uint64_t)s->made_at);
	buf_u64(&b, s->size);
	if (!buf_ok(&b))
		return; /* no memory: an all-zero header is valid to nobody */
	memcpy(out, b.p, SJ_HEADER_SIGNED);
	sha256(buf_bytes(&b), out + SJ_HEADER_SIGNED);
}

bool
sj_header_get(struct bytes in, struct sj_segment *ret)
{
	struct rd r = rd_of(bytes_part(in, 0, SJ_HEADER));
	uint8_t hash[SJ_HASH];
	struct bytes prev;

	if (in.n < SJ_HEADER || !bytes_eq(rd_take(&r, sizeof(magic)), BYTES_OF(magic)))
		return false;
	ret->first = rd_u64(&r);
	prev = rd_take(&r, SJ_HASH);
	ret->made_at = (int64_t)rd_u64(&r);
	ret->size = rd_u64(&r);
	sha256(bytes_part(in, 0, SJ_HEADER_SIGNED), hash);
	if (!rd_ok(&r) || !bytes_eq(rd_take(&r, SJ_HASH), BYTES_OF(hash)) || ret->first == 0)
		return false;
	memcpy(ret->prev, prev.p, SJ_HASH);
	return true;
}

void
sj_record_put(struct buf *out, struct sj_record *r)
{
	size_t body = SJ_BODY_LEAST + r->key.n + r->tbs.n + r->signature.n + r->context.n, from = out->n;

	if (body > SJ_RECORD_MAX - 4 - SJ_HASH || buf_room(out, 4 + body + SJ_HASH) == NULL) {
		out->bad = true;
		return;
	}
	buf_u32(out, (uint32_t)body);
	buf_put(out, BYTES_OF(r->prev));
	buf_u64(out, r->position);
	buf_u64(out, r->synced);
	buf_u64(out, (uint64_t)r->at_ms);
	buf_u16(out, (uint16_t)r->type);
	buf_lv(out, r->key);
	buf_lv(out, r->tbs);
	buf_lv(out, r->signature);
	buf_lv(out, r->context);
	sha256(bytes_of(out->p + from, out->n - from), r->hash);
	buf_put(out, BYTES_OF(r->hash));
}

static bool
body_get(struct bytes body, struct sj_record *ret)
{
	struct rd r = rd_of(body);
	struct bytes prev = rd_take(&r, SJ_HASH);

	ret->position = rd_u64(&r);
	ret->synced = rd_u64(&r);
	ret->at_ms = (int64_t)rd_u64(&r);
	ret->type = (enum sj_type)rd_u16(&r);
	ret->key = rd_lv(&r);
	ret->tbs = rd_lv(&r);
	ret->signature = rd_lv(&r);
	ret->context = rd_lv(&r);
	if (!rd_done(&r))
		return false;
	memcpy(ret->prev, prev.p, SJ_HASH);
	return true;
}

size_t
sj_record_get(struct bytes in, struct sj_record *ret)
{
	struct rd r = rd_of(in);
	uint32_t n = rd_u32(&r);
	struct bytes body, hash;

	if (n < SJ_BODY_LEAST || n > SJ_RECORD_MAX - 4 - SJ_HASH)
		return 0;
	body = rd_take(&r, n);
	hash = rd_take(&r, SJ_HASH);
	if (!rd_ok(&r) || !body_get(body, ret))
		return 0;
	sha256(bytes_of(in.p, 4 + (size_t)n), ret->hash);
	return bytes_eq(hash, BYTES_OF(ret->hash)) ? 4 + (size_t)n + SJ_HASH : 0;
}

size_t
sj_used(struct bytes in)
{
	while (in.n >= 4096 && in.p[in.n - 1] == 0 &&
	       memcmp(in.p + in.n - 4096, in.p + in.n - 4095, 4095) == 0)
		in.n -= 4096;
	while (in.n > 0 && in.p[in.n - 1] == 0)
		in.n--;
	return in.n;
}

bool
sj_is_damage(struct bytes rest, uint64_t expected)
{
	struct sj_record r;

	rest.n = sj_used(rest);
	for (; rest.n > SJ_BODY_LEAST; rest = bytes_part(rest, 1, SIZE_MAX)) {
		struct rd at = rd_of(bytes_part(rest, 4 + SJ_HASH, 16));
		uint64_t position = rd_u64(&at), synced = rd_u64(&at);

		/* the cheap look first: the hash is computed only where both numbers make sense */
		if (synced >= expected && position > synced && position - expected < UINT32_MAX &&
		    sj_record_get(rest, &r) > 0)
			return true;
	}
	return false;
}

void
sj_name_put(char out[SJ_NAME_MAX], uint64_t first)
{
	snprintf(out, SJ_NAME_MAX, "%016llx.sj", (unsigned long long)first);
}

bool
sj_name_get(const char *name, uint64_t *ret_first)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = 0;

	if (strlen(name) != 19 || strcmp(name + 16, ".sj") != 0)
		return false;
	for (size_t i = 0; i < 16; i++) {
		const char *digit = strchr(digits, name[i]);

		if (digit == NULL)
			return false;
		v = v << 4 | (uint64_t)(digit - digits);
	}
	*ret_first = v;
	return v != 0;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

enum rc
sj_list(const char *dir, uint64_t **ret, size_t *ret_n, struct err *e)
{
	DIR *d = opendir(dir);
	uint64_t *list = NULL, *more, first;
	size_t n = 0;

	*ret = NULL;
	*ret_n = 0;
	if (d == NULL && errno == ENOENT)
		return RC_OK;
	NEED(d != NULL, e, CHY_SJ_READ, NULL, "%s: %s", dir, strerror(errno));
	for (struct dirent *f; (f = readdir(d)) != NULL;) {
		if (!sj_name_get(f->d_name, &first))
			continue;
		more = reallocarray(list, n + 1, sizeof(*list));
		if (more == NULL) {
			free(list);
			closedir(d);
			FAIL(e, CHY_NO_MEMORY, NULL, "segments of %s", dir);
		}
		list = more;
		list[n++] = first;
	}
	closedir(d);
	if (n > 1)
		qsort(list, n, sizeof(*list), by_value);
	*ret = list;
	*ret_n = n;
	return RC_OK;
}
