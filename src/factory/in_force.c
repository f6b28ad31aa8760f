#include "base/base.h"
#include "factory/in_force.h"

#include "factory/judge_sample.h"
#include "factory/ocsp_desk.h"
#include "model/document.h"
#include "store/change.h"
#include "store/read.h"

enum { LOAD_ARENA = 1 << 30 };

enum rc
authority_certificate(struct factory *f, struct arena *a, struct doc_id authority, struct bytes *ret,
		      struct err *e)
{
	struct certificate_row row;
	enum rc rc = store_certificate_of_authority(f->store, a, authority.v, &row, e);

	if (rc == RC_NOT_FOUND) {
		err_clear(e);
		FAIL(e, CHY_AUTHORITY_NO_CERTIFICATE, NULL, "authority %lld has no certificate yet",
		     (long long)authority.v);
	}
	TRY(rc);
	return store_der(f->store, a, row.id, ret, e);
}

static enum rc
read_documents(struct arena *a, const struct document_row *rows, size_t n, const struct document *extra,
	       struct document **ret, size_t *ret_n, struct err *e)
{
	struct document *docs = arena_array(a, n + 1, sizeof(*docs));

	NEED(docs != NULL, e, CHY_NO_MEMORY, NULL, "the policy");
	*ret_n = 0;
	for (size_t i = 0; i < n; i++)
		if (extra == NULL || rows[i].id != extra->id.v)
			docs[(*ret_n)++] = (struct document){ .id = doc_id_of(rows[i].id),
							      .version = rows[i].version,
							      .kind = kind_id_of(rows[i].kind),
							      .at_ms = rows[i].at,
							      .text = rows[i].body };
	if (extra != NULL)
		docs[(*ret_n)++] = *extra;
	*ret = docs;
	return RC_OK;
}

static enum rc
read_authorities(struct factory *f, struct arena *a, const struct document *docs, size_t n,
		 struct authority_facts **ret, size_t *ret_n, struct err *e)
{
	struct authority_facts *facts = arena_array(a, n + 1, sizeof(*facts));
	size_t m = 0;

	NEED(facts != NULL, e, CHY_NO_MEMORY, NULL, "the authorities");
	for (size_t i = 0; i < n; i++) {
		struct certificate_row row;
		enum rc rc;

		if (docs[i].kind != KIND_AUTHORITY)
			continue;
		rc = store_certificate_of_authority(f->store, a, docs[i].id.v, &row, e);
		if (rc == RC_NOT_FOUND) {
			err_clear(e);
			continue;
		}
		TRY(rc);
		facts[m].authority = docs[i].id;
		facts[m].certificate_id = cert_id_of(row.id);
		facts[m].revoked = row.status != CERTIFICATE_VALID;
		TRY(store_der(f->store, a, row.id, &facts[m++].certificate, e));
	}
	*ret = facts;
	*ret_n = m;
	return RC_OK;
}

static enum rc
build(struct factory *f, struct arena *a, const struct document_row *rows, size_t n,
      const struct document *extra, struct snapshot **ret, struct err *e)
{
	struct authority_facts *facts;
	struct document *docs;
	size_t facts_n;

	TRY(read_documents(a, rows, n, extra, &docs, &n, e));
	TRY(read_authorities(f, a, docs, n, &facts, &facts_n, e));
	return snapshot_build(
	    &(struct snapshot_input){
		.documents = docs, .documents_n = n, .authorities = facts, .authorities_n = facts_n },
	    ret, e);
}

enum rc
policy_with(struct factory *f, const struct document *extra, struct snapshot **ret, struct err *e)
{
	OWN(arena_free)
	struct arena *own = arena_new(LOAD_ARENA);
	struct document_row *rows;
	int64_t stamp;
	size_t n;

	NEED(own != NULL, e, CHY_NO_MEMORY, NULL, "the policy");
	TRY(store_snapshot(f->store, own, &rows, &n, &stamp, e));
	return build(f, own, rows, n, extra, ret, e);
}

#define CONDEMNED "condemned."

static char *
condemned_name(char dst[64], struct doc_id id, int64_t version)
{
	snprintf(dst, 64, CONDEMNED "%lld.%lld", (long long)id.v, (long long)version);
	return dst;
}

static enum rc load(struct factory *f, struct err *e);

/* Even where no document has changed. With the mutex held before the stamp is taken away: a load that is under way, and may have
   read the settings already, would put it back, and what was condemned would stay in force. */
enum rc
policy_load_again(struct factory *f, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&f->policy_loading);
	atomic_store(&f->policy_stamp, -1);
	rc = load(f, e);
	pthread_mutex_unlock(&f->policy_loading);
	return rc;
}

enum rc
policy_condemn(struct factory *f, struct doc_id procedure, int64_t version, const char *why, struct err *e)
{
	struct change *c = change_new();
	char name[64];

	change_set_setting(c, condemned_name(name, procedure, version), bytes_str(why));
	TRY(store_commit(f->store, c, e));
	return policy_load_again(f, e);
}

/* What the auditor found earlier, all of it by one question. A new version of a procedure starts with a clean name. */
static enum rc
apply_condemned(struct factory *f, struct arena *a, struct snapshot *s, struct err *e)
{
	struct setting_row *rows;
	size_t n;

	TRY(store_settings(f->store, a, CONDEMNED, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct bytes rest,
		    id = text_cut(bytes_part(rows[i].name, strlen(CONDEMNED), SIZE_MAX), '.', &rest);
		const struct document *d;
		int64_t number, version;

		if (int_parse(id, 1, JSON_INT_MAX, &number, NULL) != RC_OK ||
		    int_parse(rest, 1, JSON_INT_MAX, &version, NULL) != RC_OK)
			continue;
		d = snapshot_document(
		    s, doc_id_of(number)); /* a certificate or attribute certificate procedure */
		if (d != NULL && d->version == version)
			TRY(snapshot_condemn(s, d->id, CHY_PROCEDURE_CONDEMNED, arena_str(a, rows[i].value),
					     e));
	}
	return RC_OK;
}

static enum rc
judge(struct factory *f, struct arena *a, struct snapshot *s, struct err *e)
{
	const struct document *const *list;
	size_t n = snapshot_list(s, KIND_CERTIFICATE_PROCEDURE, &list);

	TRY(apply_condemned(f, a, s, e));
	for (size_t i = 0; i < n; i++) {
		const struct procedure *p = snapshot_procedure(s, list[i]->id);

		if (p != NULL && p->why_not.code == CHY_NONE)
			TRY(judge_once(f->judged, s, p, e));
	}
	return RC_OK;
}

static void
swap(struct factory *f, struct snapshot *s, int64_t stamp)
{
	struct snapshot *old;

	pthread_rwlock_wrlock(&f->policy_lock);
	old = f->policy;
	f->policy = s;
	atomic_store(&f->policy_stamp, stamp);
	pthread_rwlock_unlock(&f->policy_lock);
	snapshot_unref(old);
}

/* What is answered by OCSP follows at once; where it cannot, the responders' job has it follow a moment later. */
static void
follow(struct factory *f)
{
	struct err e = { 0 };

	if (desk_renew(f, &e) != RC_OK)
		LOG(WARNING, "policy.ocsp-not-renewed", LE(&e));
}

static enum rc
load(struct factory *f, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(LOAD_ARENA);
	struct document_row *rows;
	struct snapshot *s;
	int64_t stamp, began_us = clock_mono_us(), read_us;
	enum rc rc;
	size_t n;

	NEED(a != NULL, e, CHY_NO_MEMORY, NULL, "the policy");
	TRY(store_document_stamp(f->store, &stamp, e));
	if (f->policy != NULL && stamp == atomic_load(&f->policy_stamp))
		return RC_OK;
	if (f->judged == NULL)
		TRY(judged_new(&f->judged, e));
	TRY(store_snapshot(f->store, a, &rows, &n, &stamp, e));
	read_us = clock_mono_us() - began_us;
	TRY(build(f, a, rows, n, NULL, &s, e));
	rc = judge(f, a, s, e);
	if (rc != RC_OK) {
		snapshot_unref(s);
		return rc;
	}
	swap(f, s, stamp);
	LOG(INFO, "policy.in-force", LI("stamp", stamp), LI("documents", (int64_t)n),
	    LI("octets", (int64_t)snapshot_size(s)), LI("judged", (int64_t)judged_count(f->judged)),
	    LI("read_us", read_us), LI("us", clock_mono_us() - began_us));
	follow(f);
	return RC_OK;
}

enum rc
policy_load(struct factory *f, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&f->policy_loading);
	rc = load(f, e);
	pthread_mutex_unlock(&f->policy_loading);
	return rc;
}

struct snapshot *
factory_policy(struct factory *f)
{
	struct snapshot *s;

	pthread_rwlock_rdlock(&f->policy_lock);
	s = snapshot_ref(f->policy);
	pthread_rwlock_unlock(&f->policy_lock);
	return s;
}
