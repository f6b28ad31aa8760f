/*
 * Control messages between the parent (`chancery serve`) and its children over a Unix seqpacket socket, with or without a
 * descriptor. libc only. Each child has its end as descriptor 3 (CONTROL_FD).
 *
 *	parent -> factory   signer    + descriptor: the link to a signer, at start and after each restart of it
 *	parent -> factory   distributor + descriptor: the link to a distributor, the same
 *	parent -> factory   stop      finish open requests, then exit 0
 *	factory -> parent   ready     the listeners are open
 *	factory -> parent   status    text for `systemctl status`
 *
 * Signer and distributor have no control socket: their descriptor 3 is the link itself, the signer's 4 the pipe its passphrase
 * comes through; they end by SIGTERM or when the link is closed.
 */
#ifndef PROGRAMS_CONTROL_H
#define PROGRAMS_CONTROL_H

#include "base/base.h"

enum {
	CONTROL_FD = 3,
	SIGNER_LINK_FD = 3,
	SIGNER_PASSPHRASE_FD = 4,
	DISTRIBUTOR_LINK_FD = 3,
	CONTROL_TEXT_MAX = 240
};

enum control_type { CONTROL_SIGNER = 1, CONTROL_STOP, CONTROL_READY, CONTROL_STATUS, CONTROL_DISTRIBUTOR };

struct control {
	enum control_type type;
	int fd; /* -1: none */
	char text[CONTROL_TEXT_MAX];
};

/* A connected pair, close-on-exec. CHY_SYSTEM. */
MUST enum rc control_pair(int ret[2], struct err *e);

/* Sends one message; fd = -1 sends none. The descriptor is duplicated to the other side, ours stays open. CHY_CONTROL. */
MUST enum rc control_send(int sock, enum control_type type, int fd, const char *text, struct err *e);

/* Takes one message, waiting up to wait_ms (-1: for ever). A descriptor received is close-on-exec and the caller's.
   CHY_CONTROL_CLOSED: the other side is gone; CHY_CONTROL_TIMEOUT: none came; CHY_CONTROL. */
MUST enum rc control_recv(int sock, int wait_ms, struct control *ret, struct err *e);

#endif
