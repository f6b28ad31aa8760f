/*
 * What the signer may still do once it has opened everything: work on its folder, its socket, its memory and threads.
 *
 * Strict, for keys in software only: no other socket, no program, no executable memory, and (where the kernel has
 * Landlock) no file outside of its folder. Wide, when PKCS#11 modules are loaded, which read their own files, talk to
 * pcscd and load libraries: sockets of the family AF_UNIX only, still no program.
 *
 * What is plainly hostile (a program, another family of sockets, ptrace ...) kills the process; anything else that is
 * not on the list fails with EPERM.
 */
#ifndef SIGNER_SANDBOX_H
#define SIGNER_SANDBOX_H

#include <stdbool.h>

#include "base/rc.h"

/* For the calling thread and all that it starts later: call before any other thread exists. dir: the signer's folder.
   *ret_landlock: files are restricted as well. CHY_SIGNER_SANDBOX. */
MUST enum rc sandbox_enter(const char *dir, bool modules, bool *ret_landlock, struct err *e);

#endif
