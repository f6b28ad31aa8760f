/* The DER reader and writer, OIDs, PEM. */
#include "pki_util.h"

#include "pki/der.h"
#include "pki/oid.h"
#include "pki/pem.h"

/* ---- der_check ---- */

static const struct check_case {
	const char *what, *hex;
	enum code code;
} checks[] = {
	{ "null", "0500", CHY_NONE },
	{ "nothing", "", CHY_DER_TRUNCATED },
	{ "a tag alone", "30", CHY_DER_TRUNCATED },
	{ "trailing", "050000", CHY_DER_TRAILING },
	{ "trailing inside", "3004 0201 05 05", CHY_DER_TRUNCATED },
	{ "indefinite", "3080 0500 0000", CHY_DER_LENGTH },
	{ "long form of a short length", "048105 0102030405", CHY_DER_LENGTH },
	{ "leading zero in the length", "04820005 0102030405", CHY_DER_LENGTH },
	{ "length of five octets", "04850000000001 00", CHY_DER_LENGTH },
	{ "length beyond the end", "0405 01020304", CHY_DER_TRUNCATED },
	{ "length cut", "0482 01", CHY_DER_TRUNCATED },
	{ "tag zero", "0000", CHY_DER_TAG },
	{ "true", "0101ff", CHY_NONE },
	{ "false", "010100", CHY_NONE },
	{ "true as 1", "010101", CHY_DER_BOOLEAN },
	{ "long boolean", "0102ffff", CHY_DER_BOOLEAN },
	{ "empty integer", "0200", CHY_DER_INTEGER },
	{ "needless zero", "02020001", CHY_DER_INTEGER },
	{ "needed zero", "02020080", CHY_NONE },
	{ "needless ff", "0202ff80", CHY_DER_INTEGER },
	{ "needed ff", "0202ff7f", CHY_NONE },
	{ "enumerated", "0a0105", CHY_NONE },
	{ "needless zero, enumerated", "0a020005", CHY_DER_INTEGER },
	{ "bit string", "03020780", CHY_NONE },
	{ "unused bits not zero", "030207ff", CHY_DER_BITS },
	{ "eight unused bits", "03020800", CHY_DER_BITS },
	{ "unused bits of nothing", "030101", CHY_DER_BITS },
	{ "empty bit string", "030100", CHY_NONE },
	{ "bit string without count", "0300", CHY_DER_BITS },
	{ "null with contents", "050100", CHY_DER_NULL },
	{ "oid", "0603550403", CHY_NONE },
	{ "empty oid", "0600", CHY_DER_OBJECT_ID },
	{ "oid cut", "06028180", CHY_DER_OBJECT_ID },
	{ "oid with padded arc", "0603558001", CHY_DER_OBJECT_ID },
	{ "oid with an arc of 2^63", "060b 2a 81808080808080808000", CHY_DER_OBJECT_ID },
	{ "constructed octet string", "2403040100", CHY_DER_TAG },
	{ "primitive sequence", "1000", CHY_DER_TAG },
	{ "utf-8", "0c02c3bc", CHY_NONE },
	{ "utf-8 cut", "0c01c3", CHY_DER_STRING },
	{ "overlong utf-8", "0c02c080", CHY_DER_STRING },
	{ "numeric", "120231 32", CHY_NONE },
	{ "letter in numeric", "120141", CHY_DER_STRING },
	{ "high tag", "bf1f00", CHY_NONE },
	{ "high tag for a low number", "bf1e00", CHY_DER_TAG },
	{ "padded high tag", "bf801f00", CHY_DER_TAG },
	{ "utc time", "170d 3439313233313233353935395a", CHY_NONE },
	{ "utc time without seconds", "170b 343931323331323335395a", CHY_DER_TIME },
	{ "utc time with an offset", "1711 3439313233313233353935392b30313030", CHY_DER_TIME },
	{ "utc time, month 13", "170d 3439313333313233353935395a", CHY_DER_TIME },
	{ "utc time, 30 February", "170d 3234303233303030303030305a", CHY_DER_TIME },
	{ "leap second", "170d 3136313233313233353936305a", CHY_DER_TIME },
	{ "generalized time", "180f 32303530303130313030303030305a", CHY_NONE },
	{ "generalized time with fraction", "1811 32303530303130313030303030302e355a", CHY_NONE },
	{ "fraction ending in zero", "1812 32303530303130313030303030302e35305a", CHY_DER_TIME },
	{ "fraction of nothing", "1810 32303530303130313030303030302e5a", CHY_DER_TIME },
	{ "generalized time without Z", "180e 3230353030313031303030303030", CHY_DER_TIME },
};

static void
test_check(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct err e = { 0 };
		enum rc rc = der_check(hexb(a, checks[i].hex), &e);

		if (e.code != checks[i].code || (rc == RC_OK) != (e.code == CHY_NONE))
			fail_msg("%s: CHY-%d %s, not CHY-%d", checks[i].what, e.code, e.text, checks[i].code);
	}
}

static void
nest(struct dw *w, unsigned depth)
{
	dw_null(w);
	for (unsigned i = 0; i < depth; i++)
		dw_wrap(w, DER_SEQUENCE, 0);
}

static void
test_depth(void **state)
{
	OWN_DW struct dw ok = dw_growing(4096), deep = dw_growing(1 << 20);
	struct err e = { 0 };

	nest(&ok, LIMIT_DER_DEPTH);
	assert_rc(der_check(dw_bytes(&ok), &e), RC_OK, &e);
	nest(&deep, 100000);
	assert_int_equal(der_check(dw_bytes(&deep), &e), RC_MALFORMED);
	assert_int_equal(e.code, CHY_DER_DEPTH);
}

/* ---- the cursor ---- */

static void
test_sticky(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct err e = { 0 };
	struct der d = der_of(hexb(a, "3006 020105 020106"), &e);

	der_enter(&d, DER_SEQUENCE);
	assert_int_equal(der_int(&d, 0, 10), 5);
	assert_int_equal(der_peek(&d), DER_INTEGER);
	assert_false(der_bool(&d));
	assert_int_equal(der_int(&d, 0, 10), 0); /* nothing comes any more */
	assert_false(der_more(&d));
	assert_int_equal(der_any_tlv(&d).n, 0);
	der_fail(&d, CHY_CERT, NULL, "a later cause");
	assert_int_equal(der_end(&d), RC_MALFORMED);
	assert_int_equal(e.code, CHY_DER_TAG);
}

static void
test_left_over(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct err e = { 0 };
	struct der d = der_of(hexb(a, "3006 020105 020106"), &e);

	der_enter(&d, DER_SEQUENCE);
	assert_int_equal(der_int(&d, 5, 5), 5);
	der_leave(&d);
	assert_int_equal(der_end(&d), RC_MALFORMED);
	assert_int_equal(e.code, CHY_DER_TRAILING);
	d = der_of(hexb(a, "0500"), NULL);
	der_null(&d);
	der_leave(&d); /* more left than entered: our own mistake */
	assert_int_equal(der_end(&d), RC_INTERNAL);
}

static void
int_case(const char *hex, int64_t min, int64_t max, int64_t want, enum code code)
{
	OWN(arena_free)
	struct arena *a = fresh();
	struct err e = { 0 };
	struct der d = der_of(hexb(a, hex), &e);
	int64_t v = der_int(&d, min, max);

	assert_int_equal(der_end(&d), code ? RC_MALFORMED : RC_OK);
	assert_int_equal(e.code, code);
	if (!code)
		assert_true(v == want);
}

static void
test_integers(void **state)
{
	int_case("020100", 0, 0, 0, CHY_NONE);
	int_case("0201ff", -1, 0, -1, CHY_NONE);
	int_case("0201ff", 0, 1, 0, CHY_DER_INTEGER);
	int_case("02087fffffffffffffff", 0, INT64_MAX, INT64_MAX, CHY_NONE);
	int_case("02088000000000000000", INT64_MIN, 0, INT64_MIN, CHY_NONE);
	int_case("0209008000000000000000", INT64_MIN, INT64_MAX, 0, CHY_DER_INTEGER);
	int_case("02020100", 0, 255, 0, CHY_DER_INTEGER);
}

static void
test_set_of(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	static const struct {
		const char *hex;
		enum code code;
	} cases[] = {
		{ "3106 020101 020102", CHY_NONE },
		{ "3106 020102 020101", CHY_DER_SET_ORDER },
		{ "3106 020101 020101", CHY_DER_SET_ORDER },
		{ "3107 020101 02020080", CHY_NONE },
		{ "3100", CHY_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct der d = der_of(hexb(a, cases[i].hex), &e);

		der_enter_set_of(&d);
		while (der_more(&d))
			der_integer(&d);
		der_leave(&d);
		assert_int_equal(der_end(&d), cases[i].code ? RC_MALFORMED : RC_OK);
		assert_int_equal(e.code, cases[i].code);
	}
}

static void
time_case(const char *tlv, bool strict, int64_t want, enum code code)
{
	struct err e = { 0 };
	struct der d = der_of(bytes_str(tlv), &e);
	int64_t at = der_time(&d, strict);

	assert_int_equal(der_end(&d), code ? RC_MALFORMED : RC_OK);
	assert_int_equal(e.code, code);
	if (!code)
		assert_true(at == want);
}

static void
test_times(void **state)
{
	time_case("\x17\x0d"
		  "700101000000Z",
		  true, 0, CHY_NONE);
	time_case("\x17\x0d"
		  "500101000000Z",
		  true, INT64_C(-631152000000), CHY_NONE);
	time_case("\x17\x0d"
		  "491231235959Z",
		  true, INT64_C(2524607999000), CHY_NONE);
	time_case("\x18\x0f"
		  "20500101000000Z",
		  true, INT64_C(2524608000000), CHY_NONE);
	time_case("\x18\x0f"
		  "20491231235959Z",
		  true, 0, CHY_DER_TIME);
	time_case("\x18\x0f"
		  "20491231235959Z",
		  false, INT64_C(2524607999000), CHY_NONE);
	time_case("\x18\x0f"
		  "99991231235959Z",
		  true, INT64_C(253402300799000), CHY_NONE);
}

/* ---- the writer ---- */

static void
test_write(void **state)
{
	static const int64_t ints[] = { 0,  1,    127,  128,  255,  256,       32767,     32768,
					-1, -128, -129, -255, -256, INT64_MAX, INT64_MIN, 65536 };
	static const int64_t times[] = { 0,
					 INT64_C(2524607999000),
					 INT64_C(2524608000000),
					 INT64_C(253402300799000),
					 INT64_C(-631152000000),
					 INT64_C(-631152001000) };
	static const uint32_t bits[] = { 0, 1, 0x80, 0x100, 0x1ff, 0x80000000u, 0xffffffffu, 5 };

	for (size_t i = 0; i < ARRAY_LEN(ints); i++) {
		uint8_t mem[32];
		struct dw w = dw_fixed(mem, sizeof(mem));
		struct der d;

		dw_int(&w, ints[i]);
		assert_int_equal(der_check(dw_bytes(&w), NULL), RC_OK);
		d = der_of(dw_bytes(&w), NULL);
		assert_true(der_int(&d, INT64_MIN, INT64_MAX) == ints[i]);
		assert_int_equal(der_end(&d), RC_OK);
	}
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		uint8_t mem[32];
		struct dw w = dw_fixed(mem, sizeof(mem));
		struct der d;

		dw_time(&w, times[i]);
		d = der_of(dw_bytes(&w), NULL);
		assert_int_equal(der_peek(&d),
				 times[i] >= INT64_C(-631152000000) && times[i] < INT64_C(2524608000000)
				     ? DER_UTC_TIME
				     : DER_GENERALIZED_TIME);
		assert_true(der_time(&d, false) == times[i]);
		assert_int_equal(der_end(&d), RC_OK);
	}
	for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
		uint8_t mem[32];
		struct dw w = dw_fixed(mem, sizeof(mem));
		struct der d;

		dw_named_bits(&w, DER_BIT_STRING, bits[i]);
		d = der_of(dw_bytes(&w), NULL);
		assert_int_equal(der_named_bits(&d, DER_BIT_STRING), bits[i]);
		assert_int_equal(der_end(&d), RC_OK);
	}
}

static void
test_lengths(void **state)
{
	static const size_t sizes[] = { 0, 1, 127, 128, 255, 256, 65535, 65536 };
	static uint8_t zeros[65536];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		OWN_DW struct dw w = dw_growing(1 << 20);
		struct err e = { 0 };
		struct der d;

		dw_octets(&w, bytes_of(zeros, sizes[i]));
		dw_wrap(&w, DER_SEQUENCE, 0);
		assert_rc(der_check(dw_bytes(&w), &e), RC_OK, &e);
		d = der_of(dw_bytes(&w), &e);
		der_enter(&d, DER_SEQUENCE);
		assert_int_equal(der_take(&d, DER_OCTET_STRING).n, sizes[i]);
		der_leave(&d);
		assert_rc(der_end(&d), RC_OK, &e);
	}
}

static void
test_room(void **state)
{
	uint8_t mem[10];
	struct dw w = dw_fixed(mem, sizeof(mem));
	OWN_DW struct dw g = dw_growing(600);
	struct err e = { 0 };

	dw_octets(&w, BYTES("12345678"));
	assert_rc(dw_end(&w, &e), RC_OK, &e);
	dw_null(&w);
	assert_int_equal(dw_end(&w, &e), RC_NOMEM);
	assert_int_equal(e.code, CHY_DER_ROOM);
	assert_null(dw_bytes(&w).p);
	for (int i = 0; i < 300; i++)
		dw_null(&g);
	assert_false(g.bad);
	dw_null(&g);
	assert_true(g.bad);
}

static void
test_write_set(void **state)
{
	OWN_DW struct dw w = dw_growing(4096);
	struct der d;

	for (int64_t v = 1; v < 200; v += 7)
		dw_int(&w, v); /* stands last to first */
	dw_set_of(&w, 0);
	d = der_of(dw_bytes(&w), NULL);
	der_enter_set_of(&d);
	while (der_more(&d))
		der_integer(&d);
	der_leave(&d);
	assert_int_equal(der_end(&d), RC_OK);
}

/* ---- OIDs ---- */

/* The table's two forms say the same, it is sorted, and every row is found by each of its names. */
static void
test_oid_table(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();

	for (unsigned i = 1; i < OID_COUNT; i++) {
		struct bytes der = oid_der((enum oid)i), parsed;
		char text[OID_TEXT_MAX];

		assert_string_equal(oid_text(text, der), oid_dotted((enum oid)i));
		assert_true(oid_ok(der));
		assert_int_equal(oid_find(der), i);
		assert_int_equal(oid_by_text(bytes_str(oid_dotted((enum oid)i))), i);
		assert_int_equal(oid_by_text(bytes_str(oid_name((enum oid)i))), i);
		assert_int_equal(oid_parse(a, bytes_str(oid_dotted((enum oid)i)), &parsed, NULL), RC_OK);
		assert_true(bytes_eq(parsed, der));
		assert_true(strlen(oid_title((enum oid)i)) > 0);
		if (i > 1)
			assert_true(bytes_cmp(oid_der((enum oid)(i - 1)), der) < 0);
	}
	assert_int_equal(oid_find(BYTES_NONE), OID_NONE);
}

static void
test_oid_text(void **state)
{
	OWN(arena_free)
	struct arena *a = fresh();
	static const char *const good[] = { "0.0",
					    "0.39",
					    "1.39.1",
					    "2.0",
					    "2.999.1",
					    "2.5.4.9223372036854775000",
					    "1.2.840.113549.1.9.16.2.47" };
	static const char *const bad[] = { "",
					   "1",
					   "3.1",
					   "0.40",
					   "1.40",
					   "1..2",
					   ".1.2",
					   "1.2.",
					   "1.02",
					   "1.-2",
					   "1.2 ",
					   "1.2.x",
					   "nonsense",
					   "1.2.9223372036854775808",
					   "1.2.99999999999999999999" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char text[OID_TEXT_MAX];
		struct bytes der;
		struct err e = { 0 };

		assert_rc(oid_parse(a, bytes_str(good[i]), &der, &e), RC_OK, &e);
		assert_string_equal(oid_text(text, der), good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct bytes der;
		struct err e = { 0 };

		if (oid_parse(a, bytes_str(bad[i]), &der, &e) != RC_MALFORMED || e.code != CHY_OID_TEXT)
			fail_msg("\"%s\" passed", bad[i]);
	}
}

/* ---- PEM ---- */

static void
test_pem(void **state)
{
	static const struct {
		const char *what, *text;
		enum code code;
	} cases[] = {
		{ "plain", "-----BEGIN X-----\nAAAA\n-----END X-----\n", CHY_NONE },
		{ "text in front", "hello\n-----BEGIN X-----\nAAAA\n-----END X-----\n", CHY_NONE },
		{ "CRLF", "-----BEGIN X-----\r\nAAAA\r\n-----END X-----\r\n", CHY_NONE },
		{ "no end of line at the end", "-----BEGIN X-----\nAAAA\n-----END X-----", CHY_NONE },
		{ "nothing", "", CHY_PEM_NONE },
		{ "only text", "hello\n", CHY_PEM_NONE },
		{ "no END", "-----BEGIN X-----\nAAAA\n", CHY_PEM },
		{ "another END", "-----BEGIN X-----\nAAAA\n-----END Y-----\n", CHY_PEM },
		{ "another label", "-----BEGIN Y-----\nAAAA\n-----END Y-----\n", CHY_PEM_LABEL },
		{ "two",
		  "-----BEGIN X-----\nAAAA\n-----END X-----\n-----BEGIN X-----\nAAAA\n-----END X-----\n",
		  CHY_PEM_LABEL },
		{ "headers", "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X-----\n",
		  CHY_PEM },
		{ "short line in the middle",
		  "-----BEGIN X-----\nAAAAAAAA\nAAAA\nAAAAAAAA\n-----END X-----\n", CHY_PEM },
		{ "longer second line", "-----BEGIN X-----\nAAAA\nAAAAAAAA\n-----END X-----\n", CHY_PEM },
		{ "no base64", "-----BEGIN X-----\nA*AA\n-----END X-----\n", CHY_BASE64 },
		{ "padding missing", "-----BEGIN X-----\nAAA\n-----END X-----\n", CHY_BASE64 },
		{ "bits behind the end", "-----BEGIN X-----\nAAB=\n-----END X-----\n", CHY_BASE64 },
		{ "damaged BEGIN", "-----BEGIN X----\nAAAA\n-----END X-----\n", CHY_PEM },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		OWN(arena_free)
		struct arena *a = fresh();
		struct err e = { 0 };
		struct bytes der;
		enum rc rc = pem_one(a, bytes_str(cases[i].text), "X", &der, &e);

		if (e.code != cases[i].code || (rc == RC_OK) != (e.code == CHY_NONE))
			fail_msg("%s: CHY-%d %s", cases[i].what, e.code, e.text);
	}
}

static void
test_pem_round(void **state)
{
	uint8_t data[300];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t n = 1; n < sizeof(data); n++) {
		OWN(arena_free)
		struct arena *a = fresh();
		OWN_BUF struct buf out = buf_max(4096);
		struct err e = { 0 };
		struct bytes der;

		pem_put(&out, "CERTIFICATE", bytes_of(data, n));
		assert_true(pem_is(buf_bytes(&out)));
		assert_rc(pem_one(a, buf_bytes(&out), "CERTIFICATE", &der, &e), RC_OK, &e);
		assert_true(bytes_eq(der, bytes_of(data, n)));
	}
	assert_false(pem_is(BYTES("\x30\x82\x01\x00\n-----BEGIN X-----\n")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),     cmocka_unit_test(test_depth),
		cmocka_unit_test(test_sticky),    cmocka_unit_test(test_left_over),
		cmocka_unit_test(test_integers),  cmocka_unit_test(test_set_of),
		cmocka_unit_test(test_times),     cmocka_unit_test(test_write),
		cmocka_unit_test(test_lengths),   cmocka_unit_test(test_room),
		cmocka_unit_test(test_write_set), cmocka_unit_test(test_oid_table),
		cmocka_unit_test(test_oid_text),  cmocka_unit_test(test_pem),
		cmocka_unit_test(test_pem_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
