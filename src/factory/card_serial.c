#include "base/base.h"
#include "factory/card_serial.h"

#include "base/json.h"
#include "model/issue.h"
#include "store/read.h"

static bool
is_right(struct bytes v)
{
	if (v.n < 1 || v.n > CARD_SERIAL_MAX || v.p[0] == ' ' || v.p[v.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] > 0x7e || v.p[i] == '*')
			return false;
	return true;
}

enum rc
card_serial_read(const struct json *in, struct bytes *ret, struct err *e)
{
	const struct json *v = json_get(in, "card_serial");

	*ret = BYTES_NONE;
	if (v == NULL || v->type == JSON_NULL)
		return RC_OK;
	TRY(json_opt_str(in, "card_serial", ret, e));
	if (is_right(*ret))
		return RC_OK;
	err_field(e, "card_serial");
	FAIL(e, CHY_FIELD_VALUE, NULL,
	     "a card's serial number has 1 to %d printable characters of ASCII, none of them *, and no blank "
	     "at "
	     "its ends",
	     CARD_SERIAL_MAX);
}

enum rc
card_serial_of(struct factory *f, struct arena *a, int64_t certificate, struct bytes *ret, struct err *e)
{
	struct field_row *rows;
	size_t n;

	*ret = BYTES_NONE;
	TRY(store_fields(f->store, a, certificate, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rows[i].n == SEARCH_CARD)
			*ret = rows[i].value;
	return RC_OK;
}
