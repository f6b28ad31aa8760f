/*
 * Named fault points. A test arms one by the environment and the program dies, stops or fails just there:
 *
 *	CHANCERY_FAULT=factory.after-sign@3=kill	SIGKILL to oneself at the third passage
 *	CHANCERY_FAULT=store.commit=fail		fault_fails() says yes, every time
 *	CHANCERY_FAULT=signer.journal@2=fail		... the second time only
 *	CHANCERY_FAULT=factory.before-commit=stop	SIGSTOP: the test looks around, then SIGCONT or SIGKILL
 *	CHANCERY_FAULT=factory.before-commit=wait	this thread alone goes on when the test has removed CHANCERY_FAULT_ONCE's file
 *
 * Several are separated by commas. With CHANCERY_FAULT_ONCE=FILE only the first kill, stop or wait of all processes happens: it
 * makes the file, so a program that is started again gets past the point (the signer's sandbox must allow the file's folder). Built without fault points (meson -Dfaults=false) all of it is nothing.
 * The list of names is kept in docs/design/faults.md.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef CHY_FAULTS

extern bool fault_armed; /* set before main() */
void fault_hit(const char *name);
bool fault_asked(const char *name);
int64_t fault_clock_offset_ms(void);

#define FAULT(name) \
	do { \
		if (__builtin_expect(fault_armed, 0)) \
			fault_hit(name); \
	} while (0)
#define fault_fails(name) (__builtin_expect(fault_armed, 0) && fault_asked(name))

#else

#define FAULT(name) ((void)0)
#define fault_fails(name) false
#define fault_clock_offset_ms() ((int64_t)0)

#endif
#endif
