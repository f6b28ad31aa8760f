/* Apart from sockets.c, so that the factory need not link libsystemd. */
#include "base/base.h"
#include "programs/sockets.h"

#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

static void
free_names(char **names)
{
	for (size_t i = 0; names != NULL && names[i] != NULL; i++)
		free(names[i]);
	free(names);
}

static enum rc
join(char *const *names, size_t n, struct buf *text, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(text, "%s%s", i > 0 ? "," : "", names[i]);
	NEED(buf_cstr(text) != NULL, e, CHY_LISTEN_SOCKET, NULL, "the names of %zu sockets are too long", n);
	return RC_OK;
}

static enum rc
take(char *const *names, size_t n, struct sockets *ret, struct err *e)
{
	OWN_BUF struct buf text = buf_max(sizeof(ret->text));

	TRY(join(names, n, &text, e));
	TRY(sockets_parse(buf_cstr(&text), ret, e));
	NEED(ret->n == n, e, CHY_LISTEN_SOCKET, "systemd.socket(5)",
	     "a socket has no name; FileDescriptorName= must be tls or plain");
	for (size_t i = 0; i < n; i++) {
		ret->fd[i] = SD_LISTEN_FDS_START + (int)i;
		NEED(sd_is_socket_inet(ret->fd[i], AF_UNSPEC, SOCK_STREAM, 1, 0) > 0, e, CHY_LISTEN_SOCKET,
		     "systemd.socket(5)", "\"%s\" is no listening TCP socket", names[i]);
	}
	return RC_OK;
}

enum rc
sockets_take(struct sockets *ret, struct err *e)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names);
	enum rc rc = RC_OK;

	*ret = (struct sockets){ 0 };
	NEED(n >= 0, e, CHY_LISTEN_SOCKET, "sd_listen_fds(3)", "%s", strerror(-n));
	if (n > 0)
		rc = take(names, (size_t)n, ret, e);
	free_names(names);
	return rc;
}
