#include "base/base.h"
#include "factory/jobs.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "factory/auditor.h"
#include "factory/cil.h"
#include "factory/crl.h"
#include "factory/expiry.h"
#include "factory/in_force.h"
#include "factory/list_state.h"
#include "factory/log.h"
#include "factory/node.h"
#include "factory/ocsp_desk.h"
#include "factory/reconcile.h"
#include "factory/remember.h"
#include "factory/requests.h"
#include "factory/search_values.h"
#include "factory/selections.h"
#include "factory/sequencer.h"
#include "factory/tokens.h"
#include "factory/unclaimed.h"
#include "store/read.h"

enum { IDEMPOTENCY_KEPT_MS = 86400000, RECONCILE_GRACE_MS = 15000, FOLLOWER_BATCH = 512 };

/* Each does a piece of work and says whether more waits: then it is called again at once. */
typedef enum rc job_fn(struct factory *f, bool *ret_more, struct err *e);

static enum rc
do_sequence(struct factory *f, bool *more, struct err *e)
{
	size_t placed;

	TRY(sequencer_step(f, &placed, e));
	*more = placed == LIMIT_PAGE;
	return RC_OK;
}

static enum rc
do_reconcile(struct factory *f, bool *more, struct err *e)
{
	return signer_is_there(f->signer) ? reconcile(f, RECONCILE_GRACE_MS, NULL, e) : RC_OK;
}

static enum rc
do_repair(struct factory *f, bool *more, struct err *e)
{
	return doubt_is(&f->doubt) && signer_is_there(f->signer) ? factory_repair(f, e) : RC_OK;
}

static enum rc
do_follow(struct factory *f, bool *more, struct err *e)
{
	size_t done;

	TRY(store_search_catch_up(f->store, FOLLOWER_BATCH, &done, e));
	*more = done == FOLLOWER_BATCH;
	return RC_OK;
}

static enum rc
do_log(struct factory *f, bool *more, struct err *e)
{
	size_t done;

	TRY(log_catch_up(f, FOLLOWER_BATCH, &done, e));
	*more = done >= FOLLOWER_BATCH;
	return RC_OK;
}

static enum rc
do_remember(struct factory *f, bool *more, struct err *e)
{
	return remembered_store(f, e);
}

static enum rc
do_audit(struct factory *f, bool *more, struct err *e)
{
	return auditor_step(f, more, e);
}

static enum rc
do_requests(struct factory *f, bool *more, struct err *e)
{
	return requests_resume(f, more, e);
}

static enum rc
do_expire(struct factory *f, bool *more, struct err *e)
{
	return requests_expire(f, e);
}

static enum rc
do_tokens(struct factory *f, bool *more, struct err *e)
{
	return tokens_expire(f, e);
}

static enum rc
do_crls(struct factory *f, bool *more, struct err *e)
{
	return crls_step(f, more, e);
}

static enum rc
do_cils(struct factory *f, bool *more, struct err *e)
{
	return cils_step(f, e);
}

static enum rc
do_age(struct factory *f, bool *more, struct err *e)
{
	return store_idempotency_expire(f->store, atomic_fetch_add(&f->aged_slice, 1) % 256,
					clock_now_ms() - IDEMPOTENCY_KEPT_MS, NULL, e);
}

static enum rc
do_selections(struct factory *f, bool *more, struct err *e)
{
	return selections_forget(f, e);
}

static enum rc
do_values(struct factory *f, bool *more, struct err *e)
{
	size_t done;

	TRY(search_values_catch_up(f, FOLLOWER_BATCH, &done, e));
	*more = done >= FOLLOWER_BATCH;
	return store_search_sample(f->store, e);
}

static enum rc
do_unclaimed(struct factory *f, bool *more, struct err *e)
{
	return unclaimed_revoke(f, e);
}

static enum rc
do_responders(struct factory *f, bool *more, struct err *e)
{
	return responders_step(f, e);
}

static enum rc
do_presign(struct factory *f, bool *more, struct err *e)
{
	return ocsp_presign_step(f, more, e);
}

static enum rc
do_policy(struct factory *f, bool *more, struct err *e)
{
	return policy_load(f, e);
}

static enum rc
do_expiry(struct factory *f, bool *more, struct err *e)
{
	return expiry_step(f, e);
}

static enum rc
do_lists(struct factory *f, bool *more, struct err *e)
{
	return lists_look(f, e);
}

static enum rc
do_nodes(struct factory *f, bool *more, struct err *e)
{
	return node_wishes_step(f, e);
}

static enum rc
do_node(struct factory *f, bool *more, struct err *e)
{
	return node_step(f, e);
}

struct job {
	const char *name;
	job_fn *fn;
	int beat_ms;
	bool idle; /* only on time that nobody else wants */
};

static const struct job issuing[] = {
	{ "sequencer", do_sequence, 250, false },
	{ "reconcile", do_reconcile, 60000, false },
	{ "repair", do_repair, 500, false },
	{ "follower", do_follow, 1000, true },
	{ "auditor", do_audit, 1000, true },
	{ "requests", do_requests, 1000, false },
	{ "unsigned", do_expire, 5000, false },
	{ "tokens", do_tokens, 5000, false }, /* files and PINs are erased whatever the others meet */
	{ "idempotency", do_age, 20000, true },
	{ "selections", do_selections, 60000, true },
	{ "policy", do_policy, 1000, false },
	{ "log", do_log, 1000, true },
	{ "values", do_values, 1000, true },
	{ "unclaimed", do_unclaimed, 60000, true },
	{ "crls", do_crls, 1000, false },
	{ "cils", do_cils, 1000, false },
	{ "ocsp-responders", do_responders, 500, false },
	{ "ocsp-answers", do_presign, 1000, true },
	{ "remember", do_remember, 1000, true },
	{ "officers", do_expiry, 1000, true },
	{ "lists", do_lists, 1000, true },
	{ "status-nodes", do_nodes, 500, false },
};

static const struct job status_node[] = {
	{ "policy", do_policy, 1000, false },
	{ "node", do_node, 500, false },
	{ "ocsp-answers", do_presign, 1000, true },
	{ "repair", do_repair, 500, false },
};

enum { JOBS_MOST = ARRAY_LEN(issuing) };

struct jobs {
	struct factory *f;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	size_t n;
	pthread_t threads[JOBS_MOST];
	struct job_thread {
		struct jobs *all;
		const struct job *job;
	} args[JOBS_MOST];
};

/* Idle priority does not free what an idle job holds: caches, memory bandwidth, the one writer of the store. So it goes on a
   piece a second while certificates are being issued, and catches up afterwards. */
static bool
is_held_back(const struct job_thread *t)
{
	return t->job->idle && atomic_load(&t->all->f->figures.issuing) > 0;
}

/* Waits for the beat; true: stop. */
static bool
rest(struct jobs *j, int ms)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_mutex_lock(&j->lock);
	while (!j->stop && pthread_cond_timedwait(&j->wake, &j->lock, &until) == 0)
		;
	stop = j->stop;
	pthread_mutex_unlock(&j->lock);
	return stop;
}

static void *
job_main(void *arg)
{
	struct job_thread *t = arg;
	const char *name = t->job->name;
	enum code last = CHY_NONE;

	pthread_setname_np(pthread_self(), name); /* up to 15 characters, longer ones stay unnamed */
	if (t->job->idle)
		sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){ 0 }); /* refused: then not idle */
	for (;;) {
		struct err e = { 0 };
		bool more = false;
		enum rc rc = t->job->fn(t->all->f, &more, &e);

		if (rc != RC_OK && e.code != last) /* the same trouble is told once */
			LOG(WARNING, "job.failed", LS("job", name), LE(&e));
		last = rc == RC_OK ? CHY_NONE : e.code;
		if (rest(t->all, rc == RC_OK && more && !is_held_back(t) ? 0 : t->job->beat_ms))
			return NULL;
	}
}

enum rc
jobs_start(struct factory *f, struct jobs **ret, struct err *e)
{
	const struct job *table = factory_is_node(f) ? status_node : issuing;
	size_t most = factory_is_node(f) ? ARRAY_LEN(status_node) : ARRAY_LEN(issuing);
	struct jobs *j = calloc(1, sizeof(*j));
	pthread_condattr_t attr;

	NEED(j != NULL, e, CHY_NO_MEMORY, NULL, "the jobs");
	j->f = f;
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->wake, &attr);
	pthread_condattr_destroy(&attr);
	for (size_t i = 0; i < most; i++) {
		j->args[i] = (struct job_thread){ j, &table[i] };
		if (pthread_create(&j->threads[i], NULL, job_main, &j->args[i]) != 0) {
			jobs_stop(j);
			FAIL(e, CHY_SYSTEM, NULL, "a thread for the job %s", table[i].name);
		}
		j->n++;
	}
	*ret = j;
	return RC_OK;
}

void
jobs_stop(struct jobs *j)
{
	if (j == NULL)
		return;
	pthread_mutex_lock(&j->lock);
	j->stop = true;
	pthread_cond_broadcast(&j->wake);
	pthread_mutex_unlock(&j->lock);
	for (size_t i = 0; i < j->n; i++)
		pthread_join(j->threads[i], NULL);
	pthread_cond_destroy(&j->wake);
	pthread_mutex_destroy(&j->lock);
	free(j);
}
