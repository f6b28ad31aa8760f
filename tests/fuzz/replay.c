/*
 * The ordinary build of a fuzz target: feeds it each file of a corpus folder, and every beginning of the file (of a
 * large one only some), which is where readers of lengths go wrong. An empty corpus is a failure: it shows nothing.
 */
#include "base/base.h"
#include "base/file.h"

#include <dirent.h>

enum { FILE_MAX = 1 << 20, CUTS_MAX = 600 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A copy that ends where the input does, so that a sanitizer sees a read behind it. */
static void
one(struct bytes in)
{
	uint8_t *p = malloc(in.n ? in.n : 1);

	if (p == NULL)
		abort();
	if (in.n > 0)
		memcpy(p, in.p, in.n);
	LLVMFuzzerTestOneInput(p, in.n);
	free(p);
}

static void
replay(struct bytes in)
{
	size_t step = in.n / CUTS_MAX + 1;

	for (size_t n = 0; n < in.n; n += step)
		one(bytes_part(in, 0, n));
	one(in);
}

static bool
replay_file(const char *dir, const char *name)
{
	OWN(arena_free)
	struct arena *a = arena_new(2 * FILE_MAX);
	struct err e = { 0 };
	struct bytes in;

	if (file_read(a, arena_printf(a, "%s/%s", dir, name), FILE_MAX, &in, &e) != RC_OK) {
		fprintf(stderr, "%s: %s\n", name, e.text);
		return false;
	}
	replay(in);
	return true;
}

int
main(int argc, char **argv)
{
	DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
	unsigned files = 0;
	bool ok = d != NULL;

	for (struct dirent *f; ok && (f = readdir(d)) != NULL;)
		if (f->d_name[0] != '.') {
			ok = replay_file(argv[1], f->d_name);
			files++;
		}
	if (d != NULL)
		closedir(d);
	if (!ok || files == 0) {
		fprintf(stderr, "no readable corpus\n");
		return 1;
	}
	printf("%u files\n", files);
	return 0;
}
