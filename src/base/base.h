/*
 * The whole of src/base in one include: what C lacks. Needs libc only, knows nothing of certificates.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "base/limits.h"
#include "base/bytes.h"
#include "base/arena.h"
#include "base/rd.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/clock.h"
#include "base/secret.h"
#include "base/log.h"
#include "base/fault.h"
#include "base/banned.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
