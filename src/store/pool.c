#include "base/base.h"
#include "store/core.h"

enum rc
pool_init(struct pool *p, const struct db_ops *ops, const char *where, enum db_mode mode, unsigned n,
	  struct err *e)
{
	*p = (struct pool){ .ops = ops, .where = where, .mode = mode };
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->free, NULL);
	p->db = calloc(n, sizeof(struct db *));
	NEED(p->db != NULL, e, CHY_NO_MEMORY, NULL, "%u connections", n);
	p->n = p->nfree = n;
	return RC_OK;
}

void
pool_fini(struct pool *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->db[i] != NULL)
			p->ops->close(p->db[i]);
	free(p->db);
	if (p->n > 0) {
		pthread_cond_destroy(&p->free);
		pthread_mutex_destroy(&p->lock);
	}
}

/* The free ones stand at the front, the one given back last at their end: so that a few stay warm and the others unopened. */
enum rc
pool_take(struct pool *p, struct db **ret, struct err *e)
{
	struct db *db;
	enum rc rc = RC_OK;

	pthread_mutex_lock(&p->lock);
	while (p->nfree == 0)
		pthread_cond_wait(&p->free, &p->lock);
	db = p->db[--p->nfree];
	p->db[p->nfree] = NULL;
	pthread_mutex_unlock(&p->lock);
	if (db != NULL && db->lost) {
		p->ops->close(db);
		db = NULL;
	}
	if (db == NULL) {
		struct err why = { 0 };

		rc = p->ops->open(p->where, p->mode, &db, &why);
		if (rc != RC_OK) {
			pool_give(p, NULL);
			FAIL(e, why.code == CHY_STORE_OPEN ? CHY_STORE_DOWN : why.code, NULL, "%s", why.text);
		}
	}
	*ret = db;
	return rc;
}

void
pool_give(struct pool *p, struct db *db)
{
	pthread_mutex_lock(&p->lock);
	p->db[p->nfree++] = db;
	/* an unopened one goes below the open ones */
	if (db == NULL && p->nfree > 1) {
		p->db[p->nfree - 1] = p->db[0];
		p->db[0] = NULL;
	}
	pthread_cond_signal(&p->free);
	pthread_mutex_unlock(&p->lock);
}
