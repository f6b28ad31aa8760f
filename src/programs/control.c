#include "base/base.h"
#include "programs/control.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* On the wire: one octet of type, then the text. A seqpacket socket keeps messages apart. */
enum { MESSAGE_MAX = 1 + CONTROL_TEXT_MAX };

union ancillary {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

enum rc
control_pair(int ret[2], struct err *e)
{
	NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) == 0, e, CHY_SYSTEM, NULL,
	     "socketpair: %s", strerror(errno));
	return RC_OK;
}

static void
attach_fd(struct msghdr *m, union ancillary *anc, int fd)
{
	struct cmsghdr *c;

	m->msg_control = anc->space;
	m->msg_controllen = sizeof(anc->space);
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
}

enum rc
control_send(int sock, enum control_type type, int fd, const char *text, struct err *e)
{
	char bytes[MESSAGE_MAX];
	size_t n = text != NULL ? strnlen(text, CONTROL_TEXT_MAX - 1) : 0;
	struct iovec part = { bytes, 1 + n };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	union ancillary anc = { 0 };
	ssize_t r;

	bytes[0] = (char)type;
	if (n > 0)
		memcpy(bytes + 1, text, n);
	if (fd >= 0)
		attach_fd(&m, &anc, fd);
	do
		r = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	NEED(r >= 0 || (errno != EPIPE && errno != ECONNRESET), e, CHY_CONTROL_CLOSED, NULL,
	     "the other program is gone");
	NEED(r >= 0, e, CHY_CONTROL, NULL, "sendmsg: %s", strerror(errno));
	return RC_OK;
}

/* The first descriptor of a message; further ones are closed. */
static int
take_fd(struct msghdr *m)
{
	int found = -1, fd;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
			memcpy(&fd, CMSG_DATA(c) + at, sizeof(int));
			if (found < 0)
				found = fd;
			else
				close(fd);
		}
	}
	return found;
}

static enum rc
wait_readable(int sock, int wait_ms, struct err *e)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, wait_ms);
	while (r < 0 && errno == EINTR);
	NEED(r >= 0, e, CHY_CONTROL, NULL, "poll: %s", strerror(errno));
	NEED(r > 0, e, CHY_CONTROL_TIMEOUT, NULL, "no message in %d ms", wait_ms);
	return RC_OK;
}

enum rc
control_recv(int sock, int wait_ms, struct control *ret, struct err *e)
{
	char bytes[MESSAGE_MAX + 1];
	struct iovec part = { bytes, sizeof(bytes) };
	union ancillary anc = { 0 };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = anc.space,
			    .msg_controllen = sizeof(anc.space) };
	ssize_t r;

	*ret = (struct control){ .fd = -1 };
	TRY(wait_readable(sock, wait_ms, e));
	do
		r = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	NEED(r != 0 && (r > 0 || errno != ECONNRESET), e, CHY_CONTROL_CLOSED, NULL,
	     "the other program is gone");
	NEED(r > 0, e, CHY_CONTROL, NULL, "recvmsg: %s", strerror(errno));
	ret->fd = take_fd(&m);
	if (r > MESSAGE_MAX || bytes[0] < CONTROL_SIGNER || bytes[0] > CONTROL_DISTRIBUTOR) {
		if (ret->fd >= 0)
			close(ret->fd);
		ret->fd = -1;
		FAIL(e, CHY_CONTROL, NULL, "a message that is none of ours");
	}
	ret->type = (enum control_type)bytes[0];
	memcpy(ret->text, bytes + 1, (size_t)r - 1);
	return RC_OK;
}
