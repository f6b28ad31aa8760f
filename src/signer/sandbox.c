#include "base/base.h"
#include "signer/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What both profiles need: files of the folder, memory, threads, time, the socket. */
static const int common[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(shutdown),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(eventfd2),
	SCMP_SYS(close),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(statx),
	SCMP_SYS(lseek),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(getdents64),
	SCMP_SYS(fallocate),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(fchmod),
	SCMP_SYS(flock),
	SCMP_SYS(fcntl),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(mlock),
	SCMP_SYS(mlock2),
	SCMP_SYS(munlock),
	SCMP_SYS(futex),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(gettid),
	SCMP_SYS(getpid),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(prlimit64),
	SCMP_SYS(getrusage),
	SCMP_SYS(getcpu),
};

/* For modules: their configuration and objects, pcscd, their own event loops. */
static const int wider[] = {
	SCMP_SYS(connect),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(socketpair),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(pipe),
	SCMP_SYS(pipe2),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(getcwd),
	SCMP_SYS(umask),
	SCMP_SYS(chmod),
	SCMP_SYS(fchmodat),
	SCMP_SYS(rmdir),
	SCMP_SYS(truncate),
	SCMP_SYS(utimensat),
	SCMP_SYS(fadvise64),
	SCMP_SYS(ioctl),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(inotify_init1),
	SCMP_SYS(inotify_add_watch),
	SCMP_SYS(getppid),
	SCMP_SYS(times),
	SCMP_SYS(msync),
	SCMP_SYS(sched_setaffinity),
	SCMP_SYS(sched_getparam),
	SCMP_SYS(sched_getscheduler),
	SCMP_SYS(getgroups),
};

/* What nobody here has a reason for: the process is not ours any more. */
static const int hostile[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(ptrace),
	SCMP_SYS(bind),
	SCMP_SYS(listen),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(chroot),
	SCMP_SYS(pivot_root),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(bpf),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(kexec_load),
	SCMP_SYS(reboot),
};

static bool
allow(scmp_filter_ctx f, const int *list, size_t n, uint32_t action)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] >= 0 && seccomp_rule_add(f, action, list[i], 0) != 0)
			return false;
	return true;
}

/* Threads, but no processes; clone3's flags cannot be seen, so libc is made to use clone. */
static bool
allow_threads(scmp_filter_ctx f)
{
	/* signals to itself only */
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())) == 0 &&
	    seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())) == 0 &&
	    seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) == 0 &&
	    seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
			     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0 &&
	    seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

static bool
allow_strict(scmp_filter_ctx f)
{
	static const int maps[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };

	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		if (seccomp_rule_add(f, SCMP_ACT_ALLOW, maps[i], 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0 ||
		    seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, maps[i], 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)) != 0)
			return false;
	return seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 0) == 0 &&
	    seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(connect), 0) == 0;
}

static bool
allow_wide(scmp_filter_ctx f)
{
	return allow(f, wider, ARRAY_LEN(wider), SCMP_ACT_ALLOW) &&
	    seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 0) == 0 &&
	    seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 0) == 0 &&
	    seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX)) == 0 &&
	    seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX)) ==
	    0;
}

static MUST enum rc
filter_calls(bool modules, struct err *e)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool ok = f != NULL && allow(f, common, ARRAY_LEN(common), SCMP_ACT_ALLOW) &&
	    allow(f, hostile, ARRAY_LEN(hostile), SCMP_ACT_KILL_PROCESS) && allow_threads(f) &&
	    (modules ? allow_wide(f) : allow_strict(f)) && seccomp_load(f) == 0;

	if (f != NULL)
		seccomp_release(f);
	NEED(ok, e, CHY_SIGNER_SANDBOX, NULL, "seccomp: %s", strerror(errno));
	return RC_OK;
}

/* Everything on files that Landlock's second version can tell apart, allowed below dir only. The first one allows no
   moving between folders, which archiving a segment is. False: not in this kernel. */
static bool
filter_files(const char *dir)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = (LANDLOCK_ACCESS_FS_REFER << 1) - 1 };
	struct landlock_path_beneath_attr below = { .allowed_access = attr.handled_access_fs };
	int rules, ok;

	below.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 2)
		return false;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (rules < 0)
		return false;
	below.parent_fd = open(dir, O_PATH | O_CLOEXEC);
	ok = below.parent_fd >= 0 &&
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0) == 0 &&
	    syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	if (below.parent_fd >= 0)
		close(below.parent_fd);
	close(rules);
	return ok;
}

enum rc
sandbox_enter(const char *dir, bool modules, bool *ret_landlock, struct err *e)
{
	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, e, CHY_SIGNER_SANDBOX, NULL, "no_new_privs: %s",
	     strerror(errno));
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no core with keys in it, no debugger of the same user */
	*ret_landlock = !modules && filter_files(dir);
	return filter_calls(modules, e);
}
