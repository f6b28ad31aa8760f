#include "base/base.h"
#include "programs/sockets.h"

static const char *const uses[SOCKET_USES] = { "tls", "plain" };

enum rc
sockets_parse(const char *text, struct sockets *ret, struct err *e)
{
	struct bytes rest = bytes_str(text);

	*ret = (struct sockets){ 0 };
	while (rest.n > 0) {
		struct bytes name = text_cut(rest, ',', &rest);
		enum socket_use use = 0;

		while (use < SOCKET_USES && !bytes_is(name, uses[use]))
			use++;
		NEED(use < SOCKET_USES, e, CHY_LISTEN_SOCKET, "systemd.socket(5)",
		     "a socket is named \"%.*s\"; FileDescriptorName= must be tls or plain", BYTES_FMT(name));
		NEED(ret->n < SOCKETS_MAX, e, CHY_LISTEN_SOCKET, NULL, "more than %d sockets", SOCKETS_MAX);
		ret->use[ret->n] = use;
		ret->fd[ret->n] = SOCKETS_FIRST_FD + (int)ret->n;
		ret->n++;
	}
	snprintf(ret->text, sizeof(ret->text), "%s", text);
	return RC_OK;
}

bool
sockets_have(const struct sockets *s, enum socket_use use)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->use[i] == use)
			return true;
	return false;
}
