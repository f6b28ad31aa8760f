#include "base/base.h"
#include "factory/factory.h"
#include "factory/judge_sample.h"

#include <unistd.h>

#include "crypto/crypto.h"
#include "crypto/digest.h"
#include "crypto/rand.h"
#include "factory/in_flight.h"
#include "factory/in_force.h"
#include "factory/jobs.h"
#include "factory/leaf.h"
#include "factory/node.h"
#include "factory/ocsp_desk.h"
#include "factory/outbox.h"
#include "factory/reconcile.h"
#include "factory/remember.h"
#include "factory/requests.h"
#include "factory/sessions.h"
#include "store/change.h"
#include "store/read.h"

enum { LONGEST_REST_MS = 5 * 60 * 1000 };

static struct factory *
new_factory(void)
{
	struct factory *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	pthread_rwlock_init(&f->policy_lock, NULL);
	pthread_mutex_init(&f->policy_loading, NULL);
	pthread_mutex_init(&f->deciding, NULL);
	pthread_mutex_init(&f->revoking, NULL);
	pthread_mutex_init(&f->guessing, NULL);
	pthread_mutex_init(&f->valuing, NULL);
	f->valuing_pace = (struct pace){ .n = 64, .least = 64, .most = 4096 };
	acting_init(&f->acting);
	troubles_init(&f->troubles);
	f->node.skew_ms = NODE_SKEW_UNKNOWN;
	pthread_mutex_init(&f->sequencing, NULL);
	f->policy_stamp = -1;
	f->began_ms = clock_now_ms();
	f->identity = arena_new(1 << 20);
	f->sessions = sessions_new(SESSIONS_KEPT_MAX);
	f->in_flight = in_flight_new();
	f->remembered = remembered_new();
	f->ocsp = desk_new();
	if (f->identity == NULL || f->sessions == NULL || f->in_flight == NULL || f->remembered == NULL ||
	    f->ocsp == NULL) {
		factory_close(f);
		return NULL;
	}
	return f;
}

static enum rc
open_parts(struct factory *f, const struct factory_options *o, bool beside, struct err *e)
{
	const struct store_options how = { .node = o->node, .alone = !beside, .beside = beside };
	int64_t high = 0;

	f->key_archive = o->key_archive ? o->key_archive : "software";
	TRY(crypto_init(e));
	TRY(signer_open(o->signer_fd, &f->signer, e));
	TRY(store_open(o->store_url, &how, &f->store, e));
	if (!beside) /* a status node gives no ids, and need not see what has them */
		TRY(store_high_id(f->store, &high, e));
	idgen_init(&f->ids, o->node, high);
	TRY(rand_bytes((uint8_t *)&f->owner, sizeof(f->owner), e));
	f->owner = (f->owner & INT64_MAX) | 1;
	return RC_OK;
}

/* start: what comes once its parts are there; NULL: nothing. */
static enum rc
open_with(const struct factory_options *o, bool beside,
	  enum rc (*start)(struct factory *f, const struct factory_options *o, struct err *e),
	  struct factory **ret, struct err *e)
{
	struct factory *f = new_factory();
	enum rc rc;

	NEED(f != NULL, e, CHY_NO_MEMORY, NULL, "the factory");
	rc = open_parts(f, o, beside, e);
	if (rc == RC_OK && start != NULL)
		rc = start(f, o, e);
	if (rc != RC_OK) {
		factory_close(f);
		return rc;
	}
	*ret = f;
	return RC_OK;
}

enum rc
factory_open_bare(const struct factory_options *o, struct factory **ret, struct err *e)
{
	return open_with(o, false, NULL, ret, e);
}

/* A certificate kept as a setting by the boot ceremony. */
static enum rc
setting_der(struct factory *f, const char *name, struct bytes *ret, struct err *e)
{
	enum rc rc = store_setting(f->store, f->identity, name, ret, e);

	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		FAIL(e, CHY_NOT_SET_UP, NULL, "this store has had no boot ceremony: run \"chancery setup\"");
	}
	return rc;
}

static enum rc
load_identity(struct factory *f, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	struct bytes hex[3];

	TRY(setting_der(f, "root", &hex[0], e));
	TRY(setting_der(f, "journal-certificate", &hex[1], e));
	TRY(setting_der(f, "tls-certificate", &hex[2], e));
	TRY(base64_parse(f->identity, hex[0], &f->root, e));
	TRY(base64_parse(f->identity, hex[1], &f->journal_certificate, e));
	TRY(base64_parse(f->identity, hex[2], &f->tls_certificate, e));
	sha256(f->root, hash);
	hex_text(f->instance, BYTES_OF(hash));
	return RC_OK;
}

/* Made once. It stands in the store, since who reads the store knows the holders anyway. */
static enum rc
make_audit_key(struct factory *f, struct bytes *ret, struct err *e)
{
	uint8_t key[AUDIT_KEY];
	char text[2 * AUDIT_KEY + 1];
	struct change *c;

	TRY(rand_bytes(key, sizeof(key), e));
	c = change_new();
	change_claim_setting(c, "audit-identity-key", bytes_str(hex_text(text, BYTES_OF(key))));
	TRY(store_commit(f->store, c, e));
	return store_setting(f->store, f->identity, "audit-identity-key", ret, e);
}

static enum rc
load_audit_key(struct factory *f, struct err *e)
{
	struct bytes text, key;
	enum rc rc = store_setting(f->store, f->identity, "audit-identity-key", &text, e);

	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		rc = make_audit_key(f, &text, e);
	}
	TRY(rc);
	TRY(hex_parse(f->identity, text, &key, e));
	NEED(key.n == AUDIT_KEY, e, CHY_INTERNAL, NULL, "the key for audit identities has %zu octets", key.n);
	memcpy(f->audit_key, key.p, AUDIT_KEY);
	return RC_OK;
}

/* A journal that an earlier version began says from where on it is written by the rules of this one. */
static enum rc
mark_form(struct factory *f, struct err *e)
{
	struct json *m = json_object(f->identity);
	struct bytes there;
	struct change *c;
	enum rc rc = store_setting(f->store, f->identity, "journal-form", &there, e);

	if (rc != RC_NOT_FOUND)
		return rc;
	err_clear(e);
	c = change_new();
	json_set(m, "form", json_int(f->identity, JOURNAL_FORM));
	change_claim_setting(c, "journal-form", BYTES("2"));
	rc = leaf_add(f, f->identity, c, LEAF_FORM, 0, 0, m, e);
	if (rc != RC_OK) {
		change_free(c);
		return rc;
	}
	return store_commit(f->store, c, e);
}

/* A journal that something else has written to is not gone on with. */
static void signer_lost(void *arg);

static enum rc
start(struct factory *f, const struct factory_options *o, struct err *e)
{
	size_t adopted = 0;

	TRY(load_identity(f, e));
	TRY(load_audit_key(f, e));
	TRY(mark_form(f, e));
	signer_on_lost(f->signer, signer_lost, f);
	TRY(reconcile(f, 0, &adopted, e));
	if (adopted > 0)
		LOG(WARNING, "factory.reconciled", LI("adopted", (int64_t)adopted));
	TRY(policy_load(f, e));
	TRY(outbox_start(f, o->longest_rest_ms > 0 ? o->longest_rest_ms : LONGEST_REST_MS, &f->outbox, e));
	TRY(store_watch_status(f->store, desk_status_changed, f, e));
	return jobs_start(f, &f->jobs, e);
}

static enum rc
start_offline(struct factory *f, const struct factory_options *o, struct err *e)
{
	size_t done;

	TRY(load_identity(f, e));
	TRY(load_audit_key(f, e));
	TRY(mark_form(f, e));
	TRY(reconcile(f, 0, NULL, e));
	do
		TRY(store_search_catch_up(f->store, LIMIT_PAGE, &done, e));
	while (done == LIMIT_PAGE);
	return policy_load(f, e);
}

enum rc
factory_open_offline(const struct factory_options *o, struct factory **ret, struct err *e)
{
	return open_with(o, false, start_offline, ret, e);
}

enum rc
factory_open(const struct factory_options *o, struct factory **ret, struct err *e)
{
	return open_with(o, false, start, ret, e);
}

static enum rc
start_status(struct factory *f, const struct factory_options *o, struct err *e)
{
	TRY(load_identity(f, e));
	TRY(node_open(f, e));
	TRY(policy_load(f, e));
	TRY(store_watch_documents(f->store, node_policy_changed, f, e));
	TRY(store_watch_status(f->store, desk_status_changed, f, e));
	return jobs_start(f, &f->jobs, e);
}

enum rc
factory_open_status(const struct factory_options *o, struct factory **ret, struct err *e)
{
	return open_with(o, true, start_status, ret, e);
}

bool
factory_is_node(const struct factory *f)
{
	return f->node.sha256[0] != 0;
}

void
factory_close(struct factory *f)
{
	if (f == NULL)
		return;
	jobs_stop(f->jobs);
	outbox_stop(f->outbox);
	if (f->store != NULL && !factory_is_node(f))
		(void)!store_job_drop(f->store, "sequencer", f->owner,
				      NULL); /* so that the next one need not wait */
	signer_close(f->signer);             /* ends what waits for it */
	store_close(f->store);               /* commits what queued */
	snapshot_unref(f->policy);
	judged_free(f->judged);
	sessions_free(f->sessions);
	in_flight_free(f->in_flight);
	remembered_free(f->remembered);
	desk_free(f->ocsp);
	arena_free(f->identity);
	pthread_mutex_destroy(&f->deciding);
	acting_fini(&f->acting);
	pthread_mutex_destroy(&f->sequencing);
	pthread_mutex_destroy(&f->policy_loading);
	pthread_rwlock_destroy(&f->policy_lock);
	free(f);
}

int64_t
factory_new_id(struct factory *f)
{
	return idgen_next(&f->ids, clock_now_ms());
}

enum rc
factory_repair(struct factory *f, struct err *e)
{
	uint64_t seen = doubt_seen(&f->doubt);
	size_t adopted = 0;

	if (!factory_is_node(f)) /* whose signer signs no certificates */
		TRY(reconcile(f, 0, &adopted, e));
	doubt_settle(&f->doubt, seen);
	LOG(INFO, "factory.repaired", LI("adopted", (int64_t)adopted));
	return RC_OK;
}

static void
signer_lost(void *arg)
{
	struct factory *f = arg;

	doubt_raise(&f->doubt);
}

void
factory_attach_distributor(struct factory *f, int fd)
{
	outbox_attach(f->outbox, fd);
}

enum rc
factory_attach_signer(struct factory *f, int fd, struct err *e)
{
	doubt_raise(&f->doubt);
	TRY(signer_attach(f->signer, fd, e));
	return factory_repair(f, e);
}
