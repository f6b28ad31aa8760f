/*
 * Functions that have no place here: each has a bounded or checked replacement in this folder.
 * Included by base.h, so that a use of one does not compile.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/* alloca is a macro, the linter greps for it. Where the fortified libc has macros for these (clang), they go first. */
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef stpcpy
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets strtok strtok_r
#pragma GCC poison atoi atol atoll atof mktemp tmpnam tempnam

#endif
