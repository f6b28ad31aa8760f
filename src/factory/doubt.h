/*
 * Doubt: something may have been signed whose outcome in the store is not known. It is raised by whoever sees such a failure
 * and settled by whoever has read the signer's journal since: one that is raised meanwhile stays.
 */
#ifndef FACTORY_DOUBT_H
#define FACTORY_DOUBT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zero: no doubt. From any thread. */
struct doubt {
	_Atomic uint64_t raised, settled;
};

static inline void
doubt_raise(struct doubt *d)
{
	atomic_fetch_add(&d->raised, 1);
}

static inline bool
doubt_is(struct doubt *d)
{
	return atomic_load(&d->raised) != atomic_load(&d->settled);
}

/* To be asked before the journal is read, and given to doubt_settle afterwards. */
static inline uint64_t
doubt_seen(struct doubt *d)
{
	return atomic_load(&d->raised);
}

/* What was seen is settled. A repair that saw less and came to its end later takes nothing back. */
static inline void
doubt_settle(struct doubt *d, uint64_t seen)
{
	uint64_t was = atomic_load(&d->settled);

	while (was < seen && !atomic_compare_exchange_weak(&d->settled, &was, seen))
		;
}

#endif
