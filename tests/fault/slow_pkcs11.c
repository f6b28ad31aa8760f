/* A PKCS#11 module over SoftHSM whose C_GenerateKeyPair hangs for as long as the file named by SLOW_PKCS11_GATE is there
   (two minutes at most, lest a test that fails leaves it hanging). */
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"

enum { TRIES = 2400, PAUSE_NS = 50000000 };

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

static CK_FUNCTION_LIST ours;
static CK_C_GenerateKeyPair generate;

static int
is_shut(const char *gate)
{
	int fd = gate ? open(gate, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static CK_RV
generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public, CK_ULONG public_n,
		  CK_ATTRIBUTE *private, CK_ULONG private_n, CK_OBJECT_HANDLE *ret_public,
		  CK_OBJECT_HANDLE *ret_private)
{
	const char *gate = getenv("SLOW_PKCS11_GATE");

	for (int i = 0; i < TRIES && is_shut(gate); i++)
		nanosleep(&(struct timespec){ 0, PAUSE_NS }, NULL);
	return generate(session, mechanism, public, public_n, private, private_n, ret_public, ret_private);
}

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	void *module = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
	CK_C_GetFunctionList theirs;
	CK_FUNCTION_LIST *all;
	CK_RV rv;

	if (module == NULL)
		return CKR_GENERAL_ERROR;
	*(void **)&theirs = dlsym(module, "C_GetFunctionList");
	rv = theirs ? theirs(&all) : CKR_GENERAL_ERROR;
	if (rv != CKR_OK)
		return rv;
	ours = *all;
	generate = all->C_GenerateKeyPair;
	ours.C_GenerateKeyPair = generate_key_pair;
	*list = &ours;
	return CKR_OK;
}
