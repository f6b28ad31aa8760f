#include "base/base.h"
#include "programs/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a server of certificates never does, but somebody who has taken it over would like to. */
static const int never[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsmount),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(name_to_handle_at),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(personality),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(reboot),
	SCMP_SYS(acct),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(sethostname),
	SCMP_SYS(setuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setreuid),
	SCMP_SYS(setregid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresgid),
};

static const int families[] = { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK };

/* EPERM, not death: a library that tries must get its error and we our log line. */
static int
forbid_families(scmp_filter_ctx f, bool may_connect)
{
	int r = 0;

	for (size_t i = may_connect ? 3 : 0; i < ARRAY_LEN(families) && r == 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, (unsigned)families[i]));
	return r;
}

/* A library may bind a socket to look around (resolvers do); without listen nobody can connect to it. */
static int
forbid_listening(scmp_filter_ctx f)
{
	static const int calls[] = { SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4) };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(calls) && r == 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
	return r;
}

static int
fill(scmp_filter_ctx f, const struct sandbox *s)
{
	int r = forbid_families(f, s->may_connect);

	for (size_t i = 0; i < ARRAY_LEN(never) && r == 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), never[i], 0);
	if (r == 0 && s->never_listens)
		r = forbid_listening(f);
	/* another process, but threads go on being made */
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	/* its flags lie behind a pointer that a filter cannot see; glibc falls back to clone on ENOSYS */
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return r;
}

/* ---- files ---- */

/* All that changes something, of Landlock's second version. */
#define WRITING \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)

static bool
allow_below(int rules, const char *path, uint64_t what)
{
	struct landlock_path_beneath_attr below = { .allowed_access = what,
						    .parent_fd = open(path, O_PATH | O_CLOEXEC) };
	bool ok = below.parent_fd >= 0 &&
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0) == 0;

	if (below.parent_fd >= 0)
		close(below.parent_fd);
	return ok;
}

/* One that is not there stays closed until the next start: nobody can say what will stand in its place. */
static void
allow_folders(int rules, const char *folders)
{
	for (struct bytes rest = bytes_str(folders), one; rest.p != NULL && rest.n > 0;) {
		char path[PATH_MAX];

		one = text_cut(rest, ':', &rest);
		if (one.n == 0 || one.n >= sizeof(path))
			continue;
		snprintf(path, sizeof(path), "%.*s", BYTES_FMT(one));
		if (!allow_below(rules, path, WRITING))
			LOG(WARNING, "sandbox.folder-not-there", LS("folder", path));
	}
}

/* False: not in this kernel. */
static bool
confine_writing(const char *folders)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = WRITING };
	int rules;
	bool ok;

	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 2)
		return false;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (rules < 0)
		return false;
	(void)allow_below(rules, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE);
	allow_folders(rules, folders);
	ok = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return ok;
}

enum rc
sandbox_enter(struct sandbox *s, struct err *e)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	s->seccomp = false;
	s->landlock = s->writes_apart && confine_writing(s->folders);
	NEED(f != NULL, e, CHY_SANDBOX, NULL, "no memory for the filter of system calls");
	/* all threads that run already, too */
	r = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r == 0)
		r = fill(f, s);
	if (r == 0)
		r = seccomp_load(f);
	seccomp_release(f);
	NEED(r == 0, e, CHY_SANDBOX, NULL, "the filter of system calls: %s", strerror(-r));
	s->seccomp = true;
	return RC_OK;
}
