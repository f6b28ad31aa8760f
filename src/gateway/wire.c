#include "base/base.h"
#include "gateway/conn.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

void
wire_drop(struct wire_buf *b, size_t n)
{
	b->off += n;
	if (b->off < b->n)
		return;
	b->off = b->n = 0;
	if (b->cap > CONN_IN_KEEP) {
		free(b->p);
		*b = (struct wire_buf){ 0 };
	}
}

void
wire_wipe(struct wire_buf *b, size_t n)
{
	if (b->p == NULL)
		return;
	explicit_bzero(b->p + b->off, n);
	explicit_bzero(b->p + b->n, b->cap - b->n);
}

/* Room for n bytes behind the data; moves them to the front first. Nothing stays where they were: they may be secrets. */
static bool
make_room(struct wire_buf *b, size_t n)
{
	size_t have = b->n - b->off, cap = b->cap ? b->cap : CONN_IN_FIRST;
	uint8_t *p;

	if (b->cap - b->n >= n && b->p != NULL)
		return true;
	if (b->off > 0) {
		memmove(b->p, b->p + b->off, have);
		b->off = 0;
		b->n = have;
	}
	while (cap - have < n)
		cap *= 2;
	if (cap == b->cap && b->p != NULL)
		return true;
	p = malloc(cap);
	if (p == NULL)
		return false;
	if (b->p != NULL) {
		memcpy(p, b->p, b->n);
		explicit_bzero(b->p, b->cap); /* what was moved to the front stood further behind */
		free(b->p);
	}
	b->p = p;
	b->cap = cap;
	return true;
}

static enum wire
tls_result(struct conn *c, int r)
{
	c->tls_wants_write = false;
	switch (SSL_get_error(c->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return WIRE_WAIT;
	case SSL_ERROR_WANT_WRITE:
		c->tls_wants_write = true;
		return WIRE_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return WIRE_END;
	default:
		return WIRE_ERROR;
	}
}

static enum wire
plain_read(struct conn *c, uint8_t *to, size_t n, size_t *got)
{
	ssize_t r;

	do
		r = recv(c->fd, to, n, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == EAGAIN ? WIRE_WAIT : WIRE_ERROR;
	*got = (size_t)r;
	c->drained = *got < n;
	return r == 0 ? WIRE_END : WIRE_OK;
}

static enum wire
tls_read(struct conn *c, uint8_t *to, size_t n, size_t *got)
{
	enum wire w = WIRE_OK;

	while (*got < n && w == WIRE_OK) {
		size_t now = 0;
		int r;

		ERR_clear_error();
		r = SSL_read_ex(c->ssl, to + *got, n - *got, &now);
		*got += now;
		if (r <= 0)
			w = tls_result(c, r);
		else if (!SSL_has_pending(c->ssl))
			break; /* the next record has not come: spare the system call that would say so */
	}
	c->drained = !SSL_has_pending(c->ssl);
	return *got > 0 ? WIRE_OK : w;
}

enum wire
wire_read(struct conn *c, size_t most)
{
	size_t got = 0, n;
	enum wire w;

	if (!make_room(&c->in, most < CONN_IN_FIRST / 2 ? most : CONN_IN_FIRST / 2))
		return WIRE_ERROR;
	n = c->in.cap - c->in.n;
	if (n > most)
		n = most;
	w = c->ssl ? tls_read(c, c->in.p + c->in.n, n, &got) : plain_read(c, c->in.p + c->in.n, n, &got);
	c->in.n += got;
	return w;
}

static enum wire
plain_write(struct conn *c, struct bytes b, size_t *put)
{
	ssize_t r;

	do
		r = send(c->fd, b.p, b.n, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == EAGAIN ? WIRE_WAIT : WIRE_ERROR;
	*put = (size_t)r;
	return WIRE_OK;
}

static enum wire
tls_write(struct conn *c, struct bytes b, size_t *put)
{
	int r;

	ERR_clear_error();
	r = SSL_write_ex(c->ssl, b.p, b.n, put);
	return r > 0 ? WIRE_OK : tls_result(c, r);
}

enum wire
wire_write(struct conn *c)
{
	while (c->out_off < c->out.n) {
		struct bytes rest = bytes_of(c->out.p + c->out_off, c->out.n - c->out_off);
		size_t put = 0;
		enum wire w = c->ssl ? tls_write(c, rest, &put) : plain_write(c, rest, &put);

		c->out_off += put;
		if (w != WIRE_OK)
			return w == WIRE_END ? WIRE_ERROR : w;
	}
	if (c->wipes && c->out.p != NULL)
		explicit_bzero(c->out.p, c->out.n);
	c->wipes = false;
	c->out_off = 0;
	c->out.n = 0;
	if (c->out.cap > CONN_OUT_KEEP)
		buf_fini(&c->out);
	return WIRE_OK;
}

static void
keep_peer_cert(struct conn *c)
{
	X509 *x = SSL_get0_peer_certificate(c->ssl);
	unsigned char *der = NULL;
	int n = x != NULL ? i2d_X509(x, &der) : 0;

	if (n > 0)
		c->peer_cert = bytes_of(der, (size_t)n);
}

enum wire
wire_handshake(struct conn *c)
{
	int r;

	ERR_clear_error();
	r = SSL_accept(c->ssl);
	if (r <= 0)
		return tls_result(c, r);
	keep_peer_cert(c);
	return WIRE_OK;
}
