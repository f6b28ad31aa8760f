#include "base/base.h"

int
bytes_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool
bytes_eq_secret(struct bytes a, struct bytes b)
{
	uint8_t diff = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		diff |= (uint8_t)(a.p[i] ^ b.p[i]);
	return diff == 0;
}

struct bytes
bytes_part(struct bytes a, size_t from, size_t n)
{
	if (from >= a.n)
		return (struct bytes){ a.p, 0 };
	return (struct bytes){ a.p + from, n < a.n - from ? n : a.n - from };
}
