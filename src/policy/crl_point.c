#include "base/base.h"
#include "policy/crl_point.h"

enum { NUMBER_MAX = 5 }; /* digits of 65536 */

/* Where the place begins; SIZE_MAX: there is none. */
static size_t
place_in(struct bytes address)
{
	const uint8_t *at = address.n ? memmem(address.p, address.n, CRL_PLACE, sizeof(CRL_PLACE) - 1) : NULL;

	return at != NULL ? (size_t)(at - address.p) : SIZE_MAX;
}

enum rc
crl_address(struct arena *a, struct bytes address, unsigned partition, struct bytes *ret, struct err *e)
{
	size_t at = place_in(address);
	const char *text;

	*ret = address;
	if (at == SIZE_MAX || partition == 0)
		return RC_OK;
	text = arena_printf(a, "%.*s%u%.*s", (int)at, (const char *)address.p, partition,
			    BYTES_FMT(bytes_part(address, at + sizeof(CRL_PLACE) - 1, SIZE_MAX)));
	NEED(text != NULL, e, CHY_NO_MEMORY, NULL, "an address");
	*ret = bytes_str(text);
	return RC_OK;
}

bool
crl_address_is_partitioned(struct bytes address)
{
	size_t at = place_in(address);
	struct bytes rest = at == SIZE_MAX ? BYTES_NONE : bytes_part(address, at + 1, SIZE_MAX);

	return at != SIZE_MAX && place_in(rest) == SIZE_MAX && memchr(rest.p, '/', rest.n) == NULL;
}

/* A number as we write it. */
static bool
take_number(struct bytes text, unsigned *ret)
{
	unsigned v = 0;

	if (text.n == 0 || text.n > NUMBER_MAX || text.p[0] == '0')
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		v = v * 10 + (unsigned)(text.p[i] - '0');
	}
	*ret = v;
	return true;
}

bool
crl_address_ends(struct bytes address, const char *folder, struct bytes name, unsigned *ret_partition)
{
	size_t n = strlen(folder), slash = address.n, place;
	struct bytes last, front, back;

	while (slash > 0 && address.p[slash - 1] != '/')
		slash--;
	*ret_partition = 0;
	if (slash <= n || !bytes_eq(bytes_part(address, slash - n, n), bytes_str(folder)))
		return false;
	last = bytes_part(address, slash, SIZE_MAX);
	place = place_in(last);
	if (place == SIZE_MAX)
		return bytes_eq(last, name);
	front = bytes_part(last, 0, place);
	back = bytes_part(last, place + sizeof(CRL_PLACE) - 1, SIZE_MAX);
	return name.n > front.n + back.n && bytes_eq(bytes_part(name, 0, front.n), front) &&
	    bytes_eq(bytes_part(name, name.n - back.n, SIZE_MAX), back) &&
	    take_number(bytes_part(name, front.n, name.n - front.n - back.n), ret_partition);
}

enum rc
crl_addresses(struct arena *a, const struct json *list, unsigned partition, struct gnames *ret, struct err *e)
{
	size_t n = list != NULL ? list->count : 0;

	*ret = (struct gnames){ .v = arena_array(a, n + 1, sizeof(*ret->v)) };
	NEED(ret->v != NULL, e, CHY_NO_MEMORY, NULL, "addresses");
	JSON_EACH(x, list)
	{
		struct gname *g = &ret->v[ret->n++];

		g->type = GN_URI;
		TRY(crl_address(a, x->str, partition, &g->value, e));
	}
	return RC_OK;
}

/* Who signs an indirect list has another name than who issued the certificate (RFC 5280 4.2.1.13). */
enum rc
crl_point_of(struct arena *a, const struct crl_procedure *p, unsigned partition, struct dist_point *ret,
	     struct err *e)
{
	*ret = (struct dist_point){ .reasons = 0 };
	TRY(crl_addresses(a, p->points, partition, &ret->full_name, e));
	if (!p->indirect)
		return RC_OK;
	ret->crl_issuer = (struct gnames){ 1, arena_one(a, struct gname) };
	NEED(ret->crl_issuer.v != NULL, e, CHY_NO_MEMORY, NULL, "a distribution point");
	*ret->crl_issuer.v = (struct gname){ .type = GN_DIR, .value = p->signer->subject_in_force };
	return RC_OK;
}

unsigned
crl_partition(const struct crl_procedure *p, struct bytes serial)
{
	uint64_t v = 0;

	for (size_t i = serial.n > sizeof(v) ? serial.n - sizeof(v) : 0; i < serial.n; i++)
		v = v << 8 | serial.p[i];
	return 1 + (unsigned)(v % p->partitions);
}
