/* The signer's journal: what was synced stays and joins, what was torn goes, what was altered is found. */
#include "base/base.h"
#include "crypto/crypto.h"
#include "signer/journal_record.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { SMALL = SJ_SEGMENT_LEAST };

static char dir[128];

static int
drop_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	return remove(path);
}

static int
setup(void **state)
{
	snprintf(dir, sizeof(dir), "%s/chy-sj-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(dir) == NULL || crypto_init(NULL) != RC_OK;
}

static int
teardown(void **state)
{
	return nftw(dir, drop_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct sj *
opened(void)
{
	struct err e = { 0 };
	struct sj *j = NULL;

	if (sj_open(dir, SMALL, &j, &e) != RC_OK)
		fail_msg("%s", e.text);
	return j;
}

static enum rc
add(struct sj *j, unsigned n, size_t size)
{
	static uint8_t tbs[SJ_RECORD_MAX];
	char sig[32];
	struct sj_record r = {
		.at_ms = 1000 + n, .type = SJ_CERT, .key = BYTES("ca-1"), .context = BYTES("why")
	};

	memset(tbs, (int)(n % 251) + 1, size);
	snprintf(sig, sizeof(sig), "signature %u", n);
	r.tbs = bytes_of(tbs, size);
	r.signature = bytes_str(sig);
	return sj_add(j, &r, NULL);
}

/* n records beginning with number `from`, `batch` at a time. */
static void
fill(struct sj *j, unsigned from, unsigned n, unsigned batch, size_t size)
{
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(add(j, from + i, size), RC_OK);
		if ((i + 1) % batch == 0 || i + 1 == n)
			assert_int_equal(sj_commit(j, NULL), RC_OK);
	}
}

/* Reads all from `from`; checks that the records are those that fill made; returns how many, or -1 on damage.
 */
static int
count_from(uint64_t from)
{
	OWN(sj_reader_free)
	struct sj_reader *r = NULL;
	struct err e = { 0 };
	bool more = true;
	int n = 0;

	if (signer_journal_open_read(dir, from, &r, &e) != RC_OK)
		return e.code == CHY_SJ_DAMAGED ? -1 : -2;
	for (;; n++) {
		OWN(arena_free)
		struct arena *a = arena_new(SJ_RECORD_MAX * 2);
		struct sj_record rec;
		char sig[32];

		if (sj_read(r, a, &rec, &more, &e) != RC_OK)
			return -1;
		if (!more)
			return n;
		assert_int_equal(rec.position, from + (uint64_t)n);
		snprintf(sig, sizeof(sig), "signature %u", (unsigned)rec.position);
		assert_true(bytes_is(rec.signature, sig));
		assert_true(rec.tbs.n == 0 || rec.tbs.p[0] == rec.position % 251 + 1);
	}
}

static char *
path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

#define FIRST "0000000000000001.sj"

static void
poke(const char *name, off_t at, const void *what, size_t n)
{
	int fd = open(path_of(name), O_RDWR);

	assert_int_equal(pwrite(fd, what, n, at), (ssize_t)n);
	close(fd);
}

static void
writes_and_reads(void **state)
{
	struct sj *j = opened();
	struct err e = { 0 };
	struct sj *other;

	assert_int_equal(count_from(1), 0);
	fill(j, 1, 10, 3, 200);
	assert_int_equal(sj_synced(j), 10);
	assert_int_equal(count_from(1), 10);
	assert_int_equal(count_from(7), 4);
	assert_int_equal(count_from(11), 0);
	assert_int_equal(count_from(12), -2);
	assert_int_equal(sj_open(dir, SMALL, &other, &e), RC_CONFLICT);
	assert_int_equal(e.code, CHY_SJ_LOCKED);
	sj_close(j);
	j = opened();
	assert_int_equal(sj_synced(j), 10);
	fill(j, 11, 5, 5, 0);
	assert_int_equal(count_from(1), 15);
	sj_close(j);
}

static void
too_large_a_record_leaves_the_batch_usable(void **state)
{
	struct sj *j = opened();

	assert_int_equal(add(j, 1, 100), RC_OK);
	assert_int_equal(add(j, 2, SJ_RECORD_MAX - 100), RC_MALFORMED);
	assert_int_equal(add(j, 2, 100), RC_OK);
	assert_int_equal(sj_commit(j, NULL), RC_OK);
	assert_int_equal(count_from(1), 2);
	sj_close(j);
}

static void
rolls_and_archives(void **state)
{
	struct sj *j = opened();
	struct err e = { 0 };
	struct stat st;

	fill(j, 1, 100, 100, 30000); /* one batch over a dozen segments */
	assert_true(sj_segments(j) > 10);
	assert_int_equal(count_from(1), 100);
	assert_int_equal(count_from(57), 44);
	assert_int_equal(sj_ack(j, 101, &e), RC_NOT_FOUND);
	assert_int_equal(sj_ack(j, 100, NULL), RC_OK);
	assert_int_equal(sj_segments(j), 1);
	assert_int_equal(stat(path_of(FIRST), &st), -1);
	assert_int_equal(stat(path_of("archive/" FIRST), &st), 0);
	assert_int_equal(count_from(1), 100);
	fill(j, 101, 60, 7, 30000);
	sj_close(j);
	j = opened();
	assert_int_equal(sj_acked(j), 100);
	assert_int_equal(sj_synced(j), 160);
	assert_int_equal(count_from(1), 160);
	sj_close(j);
	/* an archived segment that is lost is found */
	assert_int_equal(unlink(path_of("archive/" FIRST)), 0);
	assert_int_equal(count_from(101), 60);
	assert_true(count_from(1) < 0);
}

/* Offset of record n (from 0) in the first segment. */
static size_t
offset_of(unsigned n, size_t *ret_len)
{
	static uint8_t all[SMALL];
	struct sj_record r;
	size_t at = SJ_HEADER, len;
	int fd = open(path_of(FIRST), O_RDONLY);

	assert_int_equal(read(fd, all, sizeof(all)), SMALL);
	close(fd);
	while ((len = sj_record_get(bytes_of(all + at, sizeof(all) - at), &r)) > 0 && n-- > 0)
		at += len;
	*ret_len = len;
	return at;
}

static void
torn_at_every_byte(void **state)
{
	static uint8_t zeros[4096];
	struct sj *j = opened();
	size_t len, at;
	uint8_t last[512];
	int fd;

	fill(j, 1, 4, 2, 60);
	fill(j, 5, 1, 1, 60);
	at = offset_of(4, &len);
	assert_in_range(len, 100, sizeof(last));
	fd = open(path_of(FIRST), O_RDONLY);
	assert_int_equal(pread(fd, last, len, (off_t)at), (ssize_t)len);
	close(fd);
	sj_close(j);
	for (size_t cut = 0; cut < len; cut++) {
		/* what a write that died after `cut` bytes leaves, on a disk that had zeros there, or old
		 * garbage */
		poke(FIRST, (off_t)at, last, cut);
		poke(FIRST, (off_t)(at + cut), zeros, len - cut);
		if (cut % 3 == 0)
			poke(FIRST, (off_t)(at + cut), "\xa5\x01\xff garbage", 10);
		j = opened();
		assert_int_equal(sj_synced(j), 4);
		assert_int_equal(count_from(1), 4);
		fill(j, 5, 1, 1, 60); /* and it goes on in the same place */
		assert_int_equal(count_from(1), 5);
		sj_close(j);
		poke(FIRST, (off_t)at, zeros, sizeof(zeros));
	}
}

/* Of one batch that never was synced, a later page reached the disk and an earlier one did not. */
static void
torn_in_the_middle_of_a_batch(void **state)
{
	struct sj *j = opened();
	size_t len, at;

	fill(j, 1, 3, 3, 500);
	fill(j, 4, 5, 5, 500);
	at = offset_of(4, &len); /* the second of the last batch */
	sj_close(j);
	poke(FIRST, (off_t)at + 90, "\0\0\0\0\0\0\0\0", 8);
	j = opened();
	assert_int_equal(sj_synced(j), 4);
	fill(j, 5, 2, 1, 500);
	assert_int_equal(count_from(1), 6);
	sj_close(j);
}

static void
altered_is_damage(void **state)
{
	struct sj *j = opened();
	struct err e = { 0 };
	size_t len, at;

	fill(j, 1, 6, 2, 300);
	at = offset_of(2, &len);
	sj_close(j);
	poke(FIRST, (off_t)at + 120, "X", 1);
	assert_int_equal(sj_open(dir, SMALL, &j, &e), RC_PEER);
	assert_int_equal(e.code, CHY_SJ_DAMAGED);
	assert_non_null(strstr(e.text, "position 3"));
	assert_int_equal(count_from(1), -1);
}

static void
zeroed_behind_the_acknowledged_is_damage(void **state)
{
	static uint8_t zeros[8192];
	struct sj *j = opened();
	struct err e = { 0 };
	size_t len, at;

	fill(j, 1, 6, 2, 300);
	assert_int_equal(sj_ack(j, 6, NULL), RC_OK);
	at = offset_of(3, &len);
	sj_close(j);
	poke(FIRST, (off_t)at, zeros, sizeof(zeros));
	assert_int_equal(sj_open(dir, SMALL, &j, &e), RC_PEER);
	assert_int_equal(e.code, CHY_SJ_DAMAGED);
}

static void
a_missing_segment_is_damage(void **state)
{
	struct sj *j = opened();
	struct err e = { 0 };
	uint64_t *list;
	size_t n;
	char name[SJ_NAME_MAX];

	fill(j, 1, 40, 3, 30000);
	sj_close(j);
	assert_int_equal(sj_list(dir, &list, &n, NULL), RC_OK);
	assert_true(n > 3);
	sj_name_put(name, list[2]);
	free(list);
	assert_int_equal(unlink(path_of(name)), 0);
	assert_int_equal(sj_open(dir, SMALL, &j, &e), RC_PEER);
	assert_int_equal(e.code, CHY_SJ_DAMAGED);
	assert_int_equal(count_from(1), -1);
}

/* A file system that takes a part of a batch and then no more. */
static void
no_space_then_space_again(void **state)
{
	struct sj *j = opened();
	struct err e = { 0 };
	struct rlimit was, tight;
	size_t len;

	signal(SIGXFSZ, SIG_IGN);
	fill(j, 1, 4, 2, 300);
	getrlimit(RLIMIT_FSIZE, &was);
	tight = was;
	tight.rlim_cur = offset_of(3, &len) + len +
	    700; /* the first record of the next batch fits, not the second */
	setrlimit(RLIMIT_FSIZE, &tight);
	assert_int_equal(add(j, 5, 400), RC_OK);
	assert_int_equal(add(j, 6, 400), RC_OK);
	assert_int_equal(sj_commit(j, &e), RC_PEER);
	assert_int_equal(e.code, CHY_SJ_WRITE);
	assert_true(sj_is_broken(j));
	assert_int_equal(add(j, 5, 10), RC_AGAIN);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(sj_repair(j, NULL), RC_OK);
	assert_false(sj_is_broken(j));
	assert_int_equal(count_from(1), 4);
	fill(j, 5, 3, 3, 300);
	assert_int_equal(count_from(1), 7);
	sj_close(j);
	j = opened();
	assert_int_equal(sj_synced(j), 7);
	sj_close(j);
}

static void *
writer(void *arg)
{
	fill(arg, 1, 3000, 7, 900);
	return NULL;
}

static void
read_while_written(void **state)
{
	struct sj *j = opened();
	pthread_t t;
	int n = 0, last = 0;

	pthread_create(&t, NULL, writer, j);
	while (last < 3000 && n++ < 100000) {
		int now = count_from(1);

		assert_true(now >= last);
		last = now;
		if (last > 0 && last % 2)
			(void)!usleep(200);
	}
	pthread_join(t, NULL);
	assert_int_equal(count_from(1), 3000);
	sj_close(j);
}

#define T(name, fn) \
	{ \
		name, fn, setup, teardown, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("writes and reads, one writer only", writes_and_reads),
		T("too large a record leaves the batch usable", too_large_a_record_leaves_the_batch_usable),
		T("rolls over segments and archives what is acknowledged", rolls_and_archives),
		T("torn at every byte of the last record", torn_at_every_byte),
		T("torn in the middle of a batch", torn_in_the_middle_of_a_batch),
		T("an altered record is damage, not a torn tail", altered_is_damage),
		T("records lost that were acknowledged are damage", zeroed_behind_the_acknowledged_is_damage),
		T("a missing segment is damage", a_missing_segment_is_damage),
		T("no space, then space again", no_space_then_space_again),
		T("read by another while it is written", read_while_written),
	};

	return cmocka_run_group_tests_name("signer_journal", tests, NULL, NULL);
}
