#include "base/base.h"
#include "cli/bulk.h"

#include "base/file.h"
#include "cli/certid.h"
#include "cli/flow.h"
#include "crypto/digest.h"
#include "pki/pem.h"

enum { LIST_MAX = 64 << 20, PROGRESS_FROM = 20, WORD_MAX = 200 };

/* One certificate that is meant. */
struct meant {
	const char *word;
	size_t line; /* of the list; 0: it stands in none */
	int64_t id;
};

struct collecting {
	struct cli *c;
	struct bulk_done *done;
	struct meant *v;
	size_t n;
};

/* ---- what is meant ---- */

/* An error of one of them is about what its user wrote, where he wrote it. */
static enum rc
name_it(const struct meant *m, struct err *e)
{
	if (m->line > 0)
		err_field(e, "%.64s (line %zu of the list)", m->word, m->line);
	else
		err_field(e, "%.80s", m->word);
	return e->rc;
}

static enum rc
add_word(struct collecting *x, struct bytes word, size_t line, struct err *e)
{
	NEED(x->n < BULK_MOST, e, CHY_LIMIT, NULL, "more than %d certificates", BULK_MOST);
	x->v[x->n] = (struct meant){ .word = arena_str(x->c->a, word), .line = line };
	NEED(x->v[x->n++].word != NULL, e, CHY_NO_MEMORY, NULL, "certificates");
	return RC_OK;
}

static enum rc
add_lines(struct collecting *x, struct bytes text, struct err *e)
{
	size_t at = 0;

	for (struct bytes rest = text, line; rest.p && rest.n;) {
		struct bytes remark;

		at++;
		line = text_cut(rest, '\n', &rest);
		line = text_trim(text_cut(line, '#', &remark));
		if (line.n > 0) /* a longer one names nothing, and is told as far as it is shown */
			TRY(add_word(x, bytes_part(line, 0, WORD_MAX), at, e));
	}
	return RC_OK;
}

/* Each certificate of the file, by its fingerprint. */
static enum rc
add_pem(struct collecting *x, struct bytes text, struct err *e)
{
	struct pem_block block;
	uint8_t hash[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	for (;;) {
		struct err end = { 0 };
		enum rc rc = pem_next(x->c->a, &text, &block, &end);

		if (rc == RC_NOT_FOUND)
			return RC_OK;
		if (rc != RC_OK) {
			*e = end;
			return rc;
		}
		if (!bytes_is(block.label, "CERTIFICATE"))
			continue;
		sha256(block.der, hash);
		TRY(add_word(x, bytes_str(hex_text(hex, BYTES_OF(hash))), 0, e));
	}
}

static enum rc
add_file(struct collecting *x, const char *path, struct err *e)
{
	struct bytes text;

	TRY(file_read(x->c->a, path, LIST_MAX, &text, e));
	TRY_AT(pem_is(text) ? add_pem(x, text, e) : add_lines(x, text, e), e, "%s", path);
	return RC_OK;
}

static void
leave_out(struct collecting *x, struct json *certificate, const struct err *why)
{
	struct arena *a = x->c->a;
	struct json *o = json_object(a), *problem = json_object(a);

	json_set(problem, "code", json_str(a, bytes_str(arena_printf(a, "CHY-%d", (int)why->code))));
	json_set(problem, "detail", json_str(a, arena_dup(a, bytes_str(why->text))));
	json_set(o, "certificate", certificate);
	json_set(o, "problem", problem);
	json_add(x->done->outcomes, o);
}

/* Words of the command line may be files; what stands in a list is none. */
static enum rc
find_all(struct collecting *x, size_t from_line, struct err *e)
{
	bool skip = args_has(&x->c->args, "skip-refused");
	struct progress p;
	size_t n = 0;

	progress_start(&p, &x->c->out, "Finding", x->n > PROGRESS_FROM ? x->n : 0);
	for (size_t i = 0; i < x->n; i++) {
		struct meant *m = &x->v[i];
		struct err why = { 0 };
		enum rc rc = i < from_line ? cert_id(x->c, m->word, &m->id, &why)
					   : cert_id_listed(x->c, m->word, &m->id, &why);

		if (rc != RC_OK && (!skip || (rc != RC_NOT_FOUND && rc != RC_MALFORMED))) {
			progress_end(&p);
			*e = why;
			return name_it(m, e);
		}
		if (rc != RC_OK)
			leave_out(x, json_str(x->c->a, bytes_str(m->word)), &why);
		else
			x->v[n++] = *m;
		if (x->n > PROGRESS_FROM)
			progress_step(&p, i + 1, i + 1 - n);
	}
	progress_end(&p);
	x->n = n;
	return RC_OK;
}

static int
by_id(const void *a, const void *b)
{
	int64_t x = ((const struct meant *)a)->id, y = ((const struct meant *)b)->id;

	return (x > y) - (x < y);
}

/* One that stands twice is meant once. The order is kept where none does. */
static enum rc
drop_doubles(struct collecting *x, struct err *e)
{
	struct meant *sorted = arena_array(x->c->a, x->n + 1, sizeof(*sorted));
	size_t n = 0, doubles = 0;

	NEED(sorted != NULL, e, CHY_NO_MEMORY, NULL, "certificates");
	memcpy(sorted, x->v, x->n * sizeof(*sorted));
	qsort(sorted, x->n, sizeof(*sorted), by_id);
	for (size_t i = 1; i < x->n; i++)
		doubles += sorted[i].id == sorted[i - 1].id;
	if (doubles == 0)
		return RC_OK;
	for (size_t i = 0; i < x->n; i++)
		if (i == 0 || sorted[i].id != sorted[i - 1].id)
			x->v[n++] = sorted[i];
	x->n = n;
	out_note(&x->c->out, "%zu certificates stand there more than once.\n", doubles);
	return RC_OK;
}

static enum rc
collect(struct collecting *x, struct err *e)
{
	const char *from = args_text(&x->c->args, "from");
	size_t words;

	x->v = arena_array(x->c->a, BULK_MOST, sizeof(*x->v));
	NEED(x->v != NULL, e, CHY_NO_MEMORY, NULL, "certificates");
	for (const struct arg *arg = NULL; (arg = args_next(&x->c->args, "CERTIFICATE", arg)) != NULL;)
		TRY(add_word(x, bytes_str(arg->value), 0, e));
	words = x->n;
	if (from != NULL)
		TRY(add_file(x, from, e));
	NEED(x->n > 0, e, CHY_CLI_USAGE, NULL, "which certificates? Name them, or give --from FILE");
	TRY(find_all(x, words, e));
	return drop_doubles(x, e);
}

/* ---- request by request ---- */

static enum rc
body_of(const struct collecting *x, const struct bulk *b, size_t from, size_t n, struct json **ret,
	struct err *e)
{
	struct arena *a = x->c->a;
	struct json *list = json_array(a);

	*ret = json_copy(a, b->body);
	NEED(*ret != NULL && list != NULL, e, CHY_NO_MEMORY, NULL, "request");
	for (size_t i = from; i < from + n; i++) {
		struct json *id = json_int(a, x->v[i].id), *o = b->objects ? json_object(a) : id;

		NEED(id != NULL && o != NULL, e, CHY_NO_MEMORY, NULL, "request");
		if (b->objects)
			json_set(o, "certificate", id);
		json_add(list, o);
	}
	json_set(*ret, "certificates", list);
	return RC_OK;
}

static void
take_refused(struct collecting *x, const struct json *list)
{
	JSON_EACH(item, list)
	{
		struct json *o = json_copy(x->c->a, item), *named = json_get(item, "certificate");

		if (named != NULL && named->type == JSON_OBJECT)
			json_set(o, "certificate", json_copy(x->c->a, json_get(named, "certificate")));
		json_drop(o, "index");
		json_add(x->done->outcomes, o);
	}
}

static void
take_outcomes(struct collecting *x, struct json *answer)
{
	JSON_EACH(item, json_get(json_get(answer, "result"), "certificates"))
	json_add(x->done->outcomes, json_copy(x->c->a, item));
	take_refused(x, json_get(answer, "refused"));
	json_add(x->done->answers, answer);
}

/* "certificates[3]" and what is below it: the one that the server means, of the n of this request. */
static const struct meant *
named_by(const struct collecting *x, size_t from, size_t n, const char *field)
{
	struct bytes rest, number = bytes_str(field);
	int64_t i;

	if (!bytes_starts(number, "certificates["))
		return NULL;
	number = text_cut(bytes_part(number, strlen("certificates["), SIZE_MAX), ']', &rest);
	if (int_parse(number, 0, BULK_MOST, &i, NULL) != RC_OK || (size_t)i >= n)
		return NULL;
	return &x->v[from + (size_t)i];
}

/* The place in a request tells a person nothing. */
static enum rc
failed(const struct collecting *x, size_t from, size_t n, struct err *e)
{
	const struct meant *m = named_by(x, from, n, e->field);

	if (m == NULL)
		return e->rc;
	e->field[0] = 0;
	return name_it(m, e);
}

static enum rc
one_request(struct collecting *x, const struct bulk *b, size_t from, size_t n, bool alone, struct err *e)
{
	struct asked asked = { .act = b->act,
			       .question = alone ? b->question : NULL,
			       .skip_refused = args_has(&x->c->args, "skip-refused") };
	const struct json *refused = NULL;
	struct json *body, *answer = NULL;
	enum rc rc;

	TRY(body_of(x, b, from, n, &body, e));
	asked.body = body;
	asked.ret_refused = &refused;
	rc = alone ? flow_with_secrets(x->c, &asked, b->secrets, &answer, e)
		   : flow_one_of_many(x->c, &asked, b->secrets, &answer, e);
	if (rc == RC_OK) {
		take_outcomes(x, answer);
		return RC_OK;
	}
	if (refused == NULL || refused->count != n)
		return failed(x, from, n, e);
	take_refused(x, refused);
	err_clear(e);
	return RC_OK;
}

static enum rc
confirm_all(const struct collecting *x, const struct bulk *b, size_t requests, struct err *e)
{
	const char *question;

	if (b->question == NULL)
		return RC_OK;
	question = arena_printf(x->c->a, "%zu certificates, in %zu requests. %s", x->n, requests,
				b->question);
	NEED(question != NULL, e, CHY_NO_MEMORY, NULL, "question");
	return cli_confirm_here(x->c, question, e);
}

static enum rc
run_all(struct collecting *x, const struct bulk *b, struct err *e)
{
	size_t requests = (x->n + b->most - 1) / b->most;
	struct progress p;

	if (requests > 1)
		TRY(confirm_all(x, b, requests, e));
	progress_start(&p, &x->c->out, "Certificates", requests > 1 ? x->n : 0);
	for (size_t at = 0; at < x->n; at += b->most) {
		size_t n = x->n - at < b->most ? x->n - at : b->most;

		if (one_request(x, b, at, n, requests == 1, &x->done->why) != RC_OK) {
			x->done->untried = x->n - at;
			break;
		}
		if (requests > 1)
			progress_step(&p, at + n, 0);
	}
	progress_end(&p);
	return RC_OK;
}

enum rc
bulk_of_one(struct cli *c, const struct json *answer, struct bulk_done *ret, struct err *e)
{
	struct collecting x = { .c = c, .done = ret };
	struct json *copy = json_copy(c->a, answer);

	*ret = (struct bulk_done){ .answers = json_array(c->a), .outcomes = json_array(c->a) };
	NEED(ret->answers != NULL && ret->outcomes != NULL && copy != NULL, e, CHY_NO_MEMORY, NULL,
	     "certificates");
	take_outcomes(&x, copy);
	return RC_OK;
}

enum rc
bulk_run(struct cli *c, const struct bulk *b, struct bulk_done *ret, struct err *e)
{
	struct collecting x = { .c = c, .done = ret };

	*ret = (struct bulk_done){ .answers = json_array(c->a), .outcomes = json_array(c->a) };
	NEED(ret->answers != NULL && ret->outcomes != NULL, e, CHY_NO_MEMORY, NULL, "certificates");
	TRY(collect(&x, e));
	return run_all(&x, b, e);
}

/* ---- what became of it ---- */

void
bulk_json(struct cli *c, const struct bulk_done *done)
{
	struct json *o = json_object(c->a);

	if (done->answers->count == 1) {
		if (args_has(&c->args, "skip-refused"))
			json_set(done->answers->first, "outcomes", json_copy(c->a, done->outcomes));
		out_json(&c->out, done->answers->first);
		return;
	}
	json_set(o, "requests", json_copy(c->a, done->answers));
	json_set(o, "outcomes", json_copy(c->a, done->outcomes));
	if (done->answers->count + done->outcomes->count > 0)
		out_json(&c->out, o);
}

enum rc
bulk_end(const struct bulk_done *done, struct err *e)
{
	size_t refused = 0;

	JSON_EACH(item, done->outcomes)
	refused += json_get(item, "problem") != NULL;
	if (done->why.code != CHY_NONE && done->answers->count == 0) {
		*e = done->why;
		return e->rc;
	}
	NEED(done->why.code == CHY_NONE, e, CHY_CLI_SOME_FAILED, NULL,
	     "%zu certificates were not tried: CHY-%d %s%s%s", done->untried, (int)done->why.code,
	     done->why.field, done->why.field[0] ? ": " : "", done->why.text);
	NEED(refused == 0, e, CHY_CLI_SOME_FAILED, NULL, "%zu of %zu certificates were refused", refused,
	     done->outcomes->count);
	return RC_OK;
}
