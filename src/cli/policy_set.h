/*
 * The policy in force and the policy of a folder, side by side: one item for each document of either, told apart by kind and
 * path. Everything is judged here before anything is asked of the server: by the very code that the server judges with,
 * over a snapshot in which the folder's documents stand in place of those in force.
 */
#ifndef CLI_POLICY_SET_H
#define CLI_POLICY_SET_H

#include "cli/cli.h"
#include "cli/policy_folder.h"

enum policy_state {
	POLICY_SAME,
	POLICY_CREATE,
	POLICY_MODIFY,
	POLICY_ONLY_IN_FORCE, /* the folder lacks it */
	POLICY_INCOMPLETE,    /* new, and something mandatory is missing: a draft */
	POLICY_BY_HAND,       /* a key, an authority or an officer that this installation lacks */
	POLICY_BROKEN,        /* see err */
	POLICY_STATE_COUNT
};

const char *policy_state_name(enum policy_state s);

struct policy_item {
	enum kind_id kind;
	const char *path, *above, *file;
	int64_t id, version;    /* of a new one: a number of our own, above all ids; version 0 */
	struct json *current;   /* the body in force; NULL: none */
	struct json *file_body; /* as it stands in the file; NULL: none */
	struct json *wanted;    /* of the file, with ids in place of references; NULL: none, or broken */
	struct json *whole;     /* wanted as others see it: with defaults where nothing is missing */
	struct json *normal;    /* wanted as officers would sign it */
	struct err err;
	enum policy_state state;
	unsigned wave;                  /* 0: can be asked for now; n: behind others of wave n - 1 */
	const struct policy_item *wait; /* what it waits for; NULL: nothing */
	int mark;                       /* of the walk that orders */
	int64_t request;                /* once asked for */
};

/* The kinds that are looked at; a bit mask by enum kind_id. */
typedef uint32_t policy_kinds;

struct policy_set {
	struct arena *a;
	struct policy_item *items; /* by kind and path */
	struct policy_item **by_id;
	size_t n;
	struct policy_item **order; /* those that change, what others need first */
	size_t order_n;
	size_t broken;
	int depth; /* of the walk that orders */
	policy_kinds kinds;
	bool part;     /* the folder is a part of a policy: what it lacks means nothing */
	bool new_keys; /* keys and authorities are made anew where they are missing */
};

/* All documents in force that the officer sees; folder NULL: only those. Fills in everything. An error of a single file is
   the item's; only what leaves nothing to compare is an error of the call. */
MUST enum rc policy_set_load(struct cli *c, const char *folder, policy_kinds kinds, bool new_keys,
			     struct policy_set *ret, struct err *e);

/* A body with paths in place of ids, without what the folder or the installation says: as it stands in a file. */
MUST enum rc policy_named(const struct policy_set *s, const struct policy_item *item, const struct json *body,
			  struct json **ret, struct err *e);
/* The file's body with ids again, as they are known now. */
MUST enum rc policy_with_ids(const struct policy_set *s, struct policy_item *item, struct json **ret,
			     struct err *e);

/* {"field", "in_force", "folder"} for each member that differs; the arena's. */
MUST enum rc policy_difference(const struct policy_set *s, const struct policy_item *item, struct json **ret,
			       struct err *e);

/* RFC 8785's order of members, indented, with a line feed at the end. */
MUST enum rc policy_text(struct arena *a, const struct json *body, struct bytes *ret, struct err *e);

#endif
