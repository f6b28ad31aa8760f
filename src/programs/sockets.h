/*
 * Listening sockets that systemd (or whoever keeps its protocol, sd_listen_fds(3)) opened for us: `chancery serve` takes them
 * and gives them to each factory that it starts, so that nobody is refused while programs are restarted.
 *
 * Each has a name (FileDescriptorName= of its socket unit), "tls" or "plain": it takes the place of that listener's address
 * in chancery.ini. Several may have the same name.
 */
#ifndef PROGRAMS_SOCKETS_H
#define PROGRAMS_SOCKETS_H

#include "base/base.h"

enum { SOCKETS_MAX = 8, SOCKETS_FIRST_FD = 4 /* in the factory */ };

enum socket_use { SOCKET_TLS, SOCKET_PLAIN, SOCKET_USES };

struct sockets {
	int fd[SOCKETS_MAX];
	enum socket_use use[SOCKETS_MAX];
	size_t n;
	char text[SOCKETS_MAX * 8]; /* "tls,plain": what the factory is told */
};

/* Takes what the environment offers to this process, and removes the offer. None is no error. Close-on-exec, ours for as long as
   we live. CHY_LISTEN_SOCKET: another name, no listening TCP socket, or more than SOCKETS_MAX. */
MUST enum rc sockets_take(struct sockets *ret, struct err *e);

/* The factory's side: text as above, descriptors from SOCKETS_FIRST_FD on. CHY_LISTEN_SOCKET. */
MUST enum rc sockets_parse(const char *text, struct sockets *ret, struct err *e);

/* Is there one of this use? */
bool sockets_have(const struct sockets *s, enum socket_use use);

#endif
