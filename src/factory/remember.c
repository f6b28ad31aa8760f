#include "base/base.h"
#include "factory/remember.h"

#include "store/change.h"

struct one {
	struct remembered_row row;
	uint8_t *mem; /* of csr, name and input */
};

struct remembered {
	pthread_mutex_t lock;
	struct one waiting[REMEMBERED_WAITING];
	size_t n;
};

struct remembered *
remembered_new(void)
{
	struct remembered *r = calloc(1, sizeof(*r));

	if (r != NULL)
		pthread_mutex_init(&r->lock, NULL);
	return r;
}

void
remembered_free(struct remembered *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		free(r->waiting[i].mem);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static bool
copy(struct one *to, const struct issue_call *c, enum rc rc)
{
	OWN_BUF struct buf input = buf_max(REMEMBERED_INPUT_MAX);
	struct bytes csr = c->csr.der, name = c->request.token_procedure;

	if (c->request.input != NULL)
		json_put_canonical(&input, c->request.input);
	if (!buf_ok(&input) || (to->mem = malloc(csr.n + name.n + input.n)) == NULL)
		return false;
	memcpy(to->mem, csr.p, csr.n);
	memcpy(to->mem + csr.n, name.p, name.n);
	if (input.n > 0)
		memcpy(to->mem + csr.n + name.n, input.p, input.n);
	to->row = (struct remembered_row){ .id = factory_new_id(c->f),
					   .at = c->facts.now_ms,
					   .session_id = c->session->facts.id.v,
					   .token_procedure = bytes_of(to->mem + csr.n, name.n),
					   .not_before = c->request.not_before_ms,
					   .not_after = c->request.not_after_ms,
					   .certificate = rc == RC_OK ? c->id : 0,
					   .csr = bytes_of(to->mem, csr.n),
					   .input = bytes_of(to->mem + csr.n + name.n, input.n) };
	return true;
}

/* A request with a password in it is nobody's to keep. */
static bool
is_fit(const struct issue_call *c, enum rc rc)
{
	struct bytes name = c->request.token_procedure;
	bool ended = rc == RC_OK || rc == RC_DENIED || rc == RC_NOT_FOUND || rc == RC_CONFLICT;

	return ended && c->session != NULL && !c->repeated && c->csr.der.n > 0 &&
	    c->csr.der.n <= REMEMBERED_CSR_MAX && c->csr.challenge_password.p == NULL && name.n > 0 &&
	    name.n <= REMEMBERED_NAME_MAX && utf8_ok(name) && memchr(name.p, 0, name.n) == NULL;
}

void
remember(struct factory *f, const struct issue_call *c, enum rc rc)
{
	struct remembered *r = f->remembered;

	if (r == NULL || !is_fit(c, rc))
		return;
	if (pthread_mutex_trylock(&r->lock) != 0)
		return;
	if (r->n < REMEMBERED_WAITING && copy(&r->waiting[r->n], c, rc))
		r->n++;
	pthread_mutex_unlock(&r->lock);
}

enum rc
remembered_store(struct factory *f, struct err *e)
{
	struct remembered *r = f->remembered;
	struct change *c = NULL;

	pthread_mutex_lock(&r->lock);
	if (r->n > 0)
		c = change_new();
	for (size_t i = 0; i < r->n; i++) {
		change_put_remembered(c, &r->waiting[i].row);
		free(r->waiting[i].mem);
	}
	r->n = 0;
	pthread_mutex_unlock(&r->lock);
	if (c == NULL)
		return RC_OK;
	change_forget(c, REMEMBERED_MAX);
	return store_commit(f->store, c, e);
}
