/* When a certificate may leave the store. */
#include "policy_world.h"

#include "base/clock.h"
#include "policy/removal.h"

static struct world *w;

static int
setup(void **state)
{
	w = world_new();
	return 0;
}

static int
teardown(void **state)
{
	world_free(w);
	return 0;
}

enum { DAY = 86400000, LIST = 3001 };

static void
when_nobody_asks_any_more(void **state)
{
	const int64_t end = WORLD_NOW;
	const struct authority *x = snapshot_authority(w->s, doc_id_of(ROOT_CA));

	assert_int_equal(removable_from(w->s, x, CERT_VALID, end), end + DAY);
	assert_int_equal(removable_from(w->s, x, CERT_REVOKED, end), end + DAY);
	world_put(w, KIND_CRL_PROCEDURE, LIST,
		  "{\"name\":\"L\",\"state\":\"active\",\"authority\":501,\"distribution_points\":[\"http://"
		  "a.example/c\"],"
		  "\"interval\":\"P3D\",\"overlap\":\"P2D\"}");
	x = snapshot_authority(w->s, doc_id_of(ROOT_CA));
	assert_int_equal(removable_from(w->s, x, CERT_VALID, end), end + DAY);
	assert_int_equal(removable_from(w->s, x, CERT_REVOKED, end), end + 5 * (int64_t)DAY);
	assert_int_equal(removable_from(w->s, x, CERT_HELD, end), end + 5 * (int64_t)DAY);
	assert_int_equal(removable_from(w->s, snapshot_authority(w->s, doc_id_of(502)), CERT_REVOKED, end),
			 end + DAY);
	world_put(w, KIND_CRL_PROCEDURE, LIST,
		  "{\"name\":\"L\",\"state\":\"active\",\"authority\":501,\"distribution_points\":[\"http://"
		  "a.example/c\"],"
		  "\"interval\":\"P3D\",\"overlap\":\"P2D\",\"keep_expired\":true}");
	x = snapshot_authority(w->s, doc_id_of(ROOT_CA));
	assert_true(removable_from(w->s, x, CERT_REVOKED, end) == INT64_MAX);
	assert_int_equal(removable_from(w->s, x, CERT_VALID, end), end + DAY);
}

/* What OCSP says that it knows of stays known so long, whatever became of it (RFC 6960 4.4.4). */
static void
not_before_the_archive_cutoff(void **state)
{
	const int64_t end = WORLD_NOW;
	const struct authority *x;

	world_put(
	    w, KIND_AUTHORITY, ISSUING_CA,
	    "{\"name\":\"Issuing CA\",\"type\":\"subordinate\",\"issuing_authority\":\"Root CA\",\"ca_key\":"
	    "\"CA key\",\"format\":\"CA format\",\"subject\":\"CN=Issuing CA,O=Example,C=SE\","
	    "\"validity\":\"P10Y\",\"ocsp\":true,\"ocsp_archive_cutoff\":\"P20D\"}");
	x = snapshot_authority(w->s, doc_id_of(ISSUING_CA));
	assert_int_equal(removable_from(w->s, x, CERT_VALID, end), end + 20 * (int64_t)DAY);
	assert_int_equal(removable_from(w->s, x, CERT_REVOKED, end), end + 20 * (int64_t)DAY);
	assert_int_equal(removable_from(w->s, NULL, CERT_VALID, end), end + DAY);
}

static const struct CMUnitTest tests[] = {
	CASE(when_nobody_asks_any_more),
	CASE(not_before_the_archive_cutoff),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, setup, teardown);
}
