#include "base/base.h"
#include "base/file.h"
#include "cli/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

enum { PIN_MAX = 4096 };

/* A line without its end, byte by byte so that nothing of it is left in a buffer. */
static enum rc
read_line(int fd, struct secret **ret, struct err *e)
{
	OWN(secret_free)
	struct secret *s = secret_new(PIN_MAX);
	size_t n = 0;

	NEED(s != NULL, e, CHY_NO_MEMORY, NULL, "PIN");
	for (;;) {
		uint8_t *c = secret_data(s) + n;
		ssize_t got = read(fd, c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		NEED(got >= 0, e, CHY_CLI_PIN, NULL, "the terminal cannot be read: %s", strerror(errno));
		if (got == 0 || *c == '\n')
			break;
		NEED(++n < PIN_MAX, e, CHY_CLI_PIN, NULL, "longer than %d characters", PIN_MAX - 1);
	}
	NEED(n > 0, e, CHY_CLI_PIN, NULL, "nothing was typed");
	secret_cut(s, n);
	*ret = s;
	s = NULL;
	return RC_OK;
}

static int quiet_tty = -1;
static struct termios loud;

/* A terminal must not stay without echo when the person gives up with ^C. */
static void
give_up(int sig)
{
	tcsetattr(quiet_tty, TCSANOW, &loud);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
signals(void (*handler)(int))
{
	static const int list[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		signal(list[i], handler);
}

static enum rc
ask_silently(int tty, const char *prompt, struct secret **ret, struct err *e)
{
	struct termios quiet;
	enum rc rc;

	NEED(tcgetattr(tty, &loud) == 0, e, CHY_CLI_PIN, NULL, "the terminal's echo cannot be turned off");
	quiet = loud;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet_tty = tty;
	signals(give_up);
	/* what was typed before the question is thrown away: it was meant for something else */
	rc = tcsetattr(tty, TCSAFLUSH, &quiet) == 0
	    ? RC_OK
	    : err_set(e, CHY_CLI_PIN, NULL, "the terminal's echo cannot be turned off");
	if (rc == RC_OK)
		rc = fd_write_all(tty, bytes_str(prompt), e);
	if (rc == RC_OK)
		rc = fd_write_all(tty, BYTES(": "), e);
	if (rc == RC_OK)
		rc = read_line(tty, ret, e);
	tcsetattr(tty, TCSANOW, &loud);
	signals(SIG_DFL);
	if (write(tty, "\n", 1) < 0)
		quiet_tty = -1; /* the line feed is for the eye only */
	return rc;
}

static enum rc
ask(const char *prompt, struct secret **ret, struct err *e)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	enum rc rc;

	NEED(tty >= 0, e, CHY_CLI_PIN, NULL, "%s: there is no terminal to ask on; use --pin-file or --pin-fd",
	     prompt);
	rc = ask_silently(tty, prompt, ret, e);
	close(tty);
	return rc;
}

enum rc
pin_get(const struct pin_source *from, struct secret **ret, struct err *e)
{
	if (from->file)
		TRY(secret_read_file(from->file, ret, e));
	else if (from->fd >= 0)
		TRY(secret_read_fd(from->fd, ret, e));
	else
		return ask(from->prompt, ret, e);
	if (secret_len(*ret) == 0) {
		secret_free(*ret);
		*ret = NULL;
		FAIL(e, CHY_CLI_PIN, NULL, "%s: the first line is empty",
		     from->file ? from->file : "the PIN's descriptor");
	}
	return RC_OK;
}

enum rc
pin_new(const struct pin_source *from, struct secret **ret, struct err *e)
{
	OWN(secret_free)
	struct secret *again = NULL;
	char prompt[160];

	TRY(pin_get(from, ret, e));
	if (from->file || from->fd >= 0)
		return RC_OK;
	snprintf(prompt, sizeof(prompt), "%.100s, once more", from->prompt);
	if (ask(prompt, &again, e) == RC_OK && bytes_eq_secret(secret_bytes(again), secret_bytes(*ret)))
		return RC_OK;
	secret_free(*ret);
	*ret = NULL;
	FAIL(e, CHY_CLI_PIN, NULL, "the two are not the same");
}
