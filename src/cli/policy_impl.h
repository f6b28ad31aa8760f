/*
 * Between the files of policy as code: policy_set.c gathers, policy_refs.c turns ids into paths and back, policy_judge.c
 * checks, compares and orders. Not for others.
 */
#ifndef CLI_POLICY_IMPL_H
#define CLI_POLICY_IMPL_H

#include "cli/policy_set.h"

/* NULL: there is none. */
struct policy_item *policy_item_at(const struct policy_set *s, enum kind_id kind, const char *path);
struct policy_item *policy_item_of(const struct policy_set *s, int64_t id);
void policy_sort_ids(struct policy_set *s);

/* Calls fn for each reference of a body with ids, in lists and objects too; stops where it fails. */
typedef enum rc policy_ref_fn(void *arg, int64_t id, struct err *e);
MUST enum rc policy_each_ref(enum kind_id kind, const struct json *body, policy_ref_fn *fn, void *arg,
			     struct err *e);

/* States, normal forms and errors of all items. */
MUST enum rc policy_judge(struct policy_set *s, struct err *e);
/* order, waves and what each waits for; cycles become errors of their items. */
MUST enum rc policy_put_in_order(struct policy_set *s, struct err *e);

#endif
