#include "base/base.h"
#include "factory/tiles.h"

#include "crypto/digest.h"

enum rc
tiles_sha256(const struct bytes *parts, size_t count, struct tree_hash *ret, struct err *e)
{
	sha256_parts(parts, count, ret->b);
	return RC_OK;
}

static enum rc
tile_read(struct store *s, int64_t level, int64_t idx, struct tree_hash *to, size_t *ret_n, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(64 << 10);
	struct tile_row row;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "a tile of the journal's tree");
	TRY(store_tile(s, a, level, idx, &row, e));
	NEED(row.hashes.n % TREE_HASH == 0 && row.hashes.n <= TILE_HASHES * TREE_HASH, e, CHY_JOURNAL_TILE,
	     NULL, "tile %lld of level %lld has %zu octets", (long long)idx, (long long)level, row.hashes.n);
	memcpy(to, row.hashes.p, row.hashes.n);
	*ret_n = row.hashes.n / TREE_HASH;
	return RC_OK;
}

/* The root over a run of 2^k hashes, in place. */
static enum rc
fold(struct tree_hash *h, size_t n, struct err *e)
{
	for (; n > 1; n /= 2)
		for (size_t i = 0; i < n / 2; i++)
			TRY(tree_node(tiles_sha256, &h[2 * i], &h[2 * i + 1], &h[i], e));
	return RC_OK;
}

static enum rc
node(void *arg, unsigned level, uint64_t index, struct tree_hash *ret, struct err *e)
{
	struct tiles_reader *t = arg;
	unsigned below = level % TILE_LEVELS;
	uint64_t first = index << below;
	int64_t tile_level = level / TILE_LEVELS, tile = (int64_t)(first / TILE_HASHES);
	size_t at = first % TILE_HASHES, n = (size_t)1 << below;
	struct tree_hash run[TILE_HASHES];

	if (t->level != tile_level || t->idx != tile || t->n < at + n) {
		t->level = -1;
		TRY(tile_read(t->store, tile_level, tile, t->kept, &t->n, e));
		t->level = tile_level;
		t->idx = tile;
	}
	NEED(at + n <= t->n, e, CHY_JOURNAL_TILE, NULL, "tile %lld of level %lld is too short",
	     (long long)tile, (long long)tile_level);
	memcpy(run, t->kept + at, n * sizeof(*run));
	TRY(fold(run, n, e));
	*ret = run[0];
	return RC_OK;
}

void
tiles_reader_init(struct tiles_reader *t, struct store *s)
{
	t->store = s;
	t->reader = (struct tree_reader){ node, t };
	t->level = -1;
	t->n = 0;
}

enum rc
tiles_load(struct tiles_edge *t, struct store *s, uint64_t size, struct err *e)
{
	for (unsigned l = 0; l < ARRAY_LEN(t->at); l++) {
		uint64_t nodes = size >> (l * TILE_LEVELS);

		t->at[l].idx = (int64_t)(nodes / TILE_HASHES);
		t->at[l].n = 0;
		t->at[l].dirty = false;
		if (nodes % TILE_HASHES == 0)
			continue;
		TRY(tile_read(s, l, t->at[l].idx, t->at[l].hashes, &t->at[l].n, e));
		NEED(t->at[l].n >= nodes % TILE_HASHES, e, CHY_JOURNAL_TILE, NULL,
		     "the edge of level %u is too short", l);
		t->at[l].n = nodes % TILE_HASHES;
	}
	return RC_OK;
}

static void
put(struct tiles_edge *t, unsigned l, struct change *c)
{
	change_put_tile(c,
			&(struct tile_row){ .level = l,
					    .idx = t->at[l].idx,
					    .hashes = bytes_of(t->at[l].hashes, t->at[l].n * TREE_HASH) });
	t->at[l].dirty = false;
}

enum rc
tiles_made(void *arg, unsigned level, uint64_t index, const struct tree_hash *hash, struct err *e)
{
	struct tiles_target *to = arg;
	unsigned l = level / TILE_LEVELS;

	if (level % TILE_LEVELS != 0)
		return RC_OK;
	NEED(to->edge->at[l].n == index % TILE_HASHES, e, CHY_JOURNAL_TILE, NULL,
	     "node %llu of level %u out of turn", (unsigned long long)index, level);
	to->edge->at[l].hashes[to->edge->at[l].n++] = *hash;
	to->edge->at[l].dirty = true;
	if (to->edge->at[l].n == TILE_HASHES) {
		put(to->edge, l, to->change);
		to->edge->at[l].idx++;
		to->edge->at[l].n = 0;
	}
	return RC_OK;
}

void
tiles_flush(struct tiles_edge *t, struct change *c)
{
	for (unsigned l = 0; l < ARRAY_LEN(t->at); l++)
		if (t->at[l].dirty)
			put(t, l, c);
}
