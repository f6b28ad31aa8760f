/*
 * The journal's hash tree in the store: nodes of every eighth level, 256 to a tile, so that any node and any proof
 * needs a few rows. A tile at the right edge grows until it is full and never changes again.
 */
#ifndef FACTORY_TILES_H
#define FACTORY_TILES_H

#include "model/tree.h"
#include "store/change.h"
#include "store/read.h"

enum { TILE_HASHES = 256, TILE_LEVELS = 8 };

/* The tree_sha256_fn of this program. */
enum rc tiles_sha256(const struct bytes *parts, size_t count, struct tree_hash *ret, struct err *e);

/* Any complete node, from the store. Reads one tile a node; the last one read is kept. */
struct tiles_reader {
	struct store *store;
	struct tree_reader reader; /* give &t.reader to the functions of model/tree.h */
	int64_t level, idx;        /* of the tile kept */
	size_t n;
	struct tree_hash kept[TILE_HASHES];
};
void tiles_reader_init(struct tiles_reader *t, struct store *s);

/* Tiles that grow: fed with complete nodes, put into changes. One per tile level, at its right edge. */
struct tiles_edge {
	struct {
		int64_t idx;
		size_t n;
		bool dirty;
		struct tree_hash hashes[TILE_HASHES];
	} at[TREE_LEVELS / TILE_LEVELS + 1];
};

/* Loads the right edge of a tree of this size. */
MUST enum rc tiles_load(struct tiles_edge *t, struct store *s, uint64_t size, struct err *e);
/* The tree_made_fn: takes nodes of every eighth level. A full tile goes into the change at once. */
struct tiles_target {
	struct tiles_edge *edge;
	struct change *change;
};
enum rc tiles_made(void *target, unsigned level, uint64_t index, const struct tree_hash *hash, struct err *e);
/* Puts the tiles that have grown. */
void tiles_flush(struct tiles_edge *t, struct change *c);

#endif
