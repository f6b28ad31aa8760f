/*
 * The signer's journal in a damaged file: the first octets are put over a good segment at a place that they choose, or
 * taken as the whole segment. Opening and reading never fail but by saying so, and what they give was written.
 */
#include "base/base.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "signer/journal_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { RECORDS = 12 };

static char dir[64], segment[128];
static uint8_t good[SJ_SEGMENT_LEAST];
static size_t used;

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static int
drop_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	return remove(path);
}

static void
tidy(void)
{
	nftw(dir, drop_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
begin(void)
{
	struct sj *j;
	int fd;

	snprintf(dir, sizeof(dir), "/tmp/chy-fuzz-XXXXXX");
	check(mkdtemp(dir) != NULL && crypto_init(NULL) == RC_OK);
	snprintf(segment, sizeof(segment), "%s/0000000000000001.sj", dir);
	check(sj_open(dir, SJ_SEGMENT_LEAST, &j, NULL) == RC_OK);
	for (int i = 1; i <= RECORDS; i++) {
		struct sj_record r = { .type = SJ_CERT,
				       .at_ms = i,
				       .key = BYTES("ca"),
				       .tbs = BYTES("tbs"),
				       .context = BYTES("c") };

		check(sj_add(j, &r, NULL) == RC_OK);
		if (i % 3 == 0)
			check(sj_commit(j, NULL) == RC_OK);
	}
	sj_close(j);
	fd = open(segment, O_RDONLY);
	check(fd >= 0 && read(fd, good, sizeof(good)) == (ssize_t)sizeof(good));
	close(fd);
	used = sj_used(BYTES_OF(good));
	atexit(tidy);
}

static void
put_file(const uint8_t *data, size_t n)
{
	static uint8_t all[sizeof(good)];
	int fd = open(segment, O_RDWR | O_CREAT | O_TRUNC, 0600);
	size_t at = n >= 2 ? (size_t)(data[0] << 8 | data[1]) % (used + 64) : 0;

	memcpy(all, good, sizeof(all));
	if (n > 2 && data[0] == 0xff) /* from the header on */
		memset(all + SJ_HEADER, 0, sizeof(all) - SJ_HEADER);
	for (size_t i = 2; i < n && at + i - 2 < sizeof(all); i++)
		all[at + i - 2] = data[i];
	check(fd >= 0 && write(fd, all, sizeof(all)) == (ssize_t)sizeof(all));
	close(fd);
}

/* How many records a reader gives; each must be one of those written, in its place. */
static unsigned
read_all(void)
{
	OWN(sj_reader_free)
	struct sj_reader *r = NULL;
	bool more = true;
	unsigned n = 0;

	if (signer_journal_open_read(dir, 1, &r, NULL) != RC_OK)
		return 0;
	while (more) {
		OWN(arena_free)
		struct arena *a = arena_new(1 << 20);
		struct sj_record rec;

		if (sj_read(r, a, &rec, &more, NULL) != RC_OK)
			break;
		if (more)
			check(rec.position == ++n);
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sj_record rec;
	struct sj *j;
	struct err e = { 0 };
	unsigned before;

	if (dir[0] == 0)
		begin();
	(void)sj_record_get(bytes_of(data, n), &rec);
	put_file(data, n);
	before = read_all();
	if (sj_open(dir, SJ_SEGMENT_LEAST, &j, &e) != RC_OK) {
		check(e.code == CHY_SJ_DAMAGED);
		return 0;
	}
	check(sj_synced(j) == before); /* the writer takes for good what a reader takes for good */
	sj_close(j);
	check(read_all() == before);
	return 0;
}
