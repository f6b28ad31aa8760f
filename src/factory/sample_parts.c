#include "base/base.h"
#include "factory/sample_parts.h"

#include "pki/der.h"
#include "pki/ext.h"
#include "pki/gname.h"

/* ---- subject ---- */

static struct bytes
sample_value(const struct format_attribute *x)
{
	switch (oid_find(x->oid)) {
	case OID_AT_COUNTRY:
	case OID_AT_JURIS_C:
	case OID_AT_CITIZENSHIP:
	case OID_AT_RESIDENCE:
		return BYTES("SE");
	case OID_AT_EMAIL:
		return BYTES("sample@sample.example");
	case OID_AT_DATE_OF_BIRTH:
		return BYTES("20000101120000Z");
	case OID_AT_GENDER:
		return BYTES("F");
	default:
		return BYTES("Sample");
	}
}

/* What the format puts into every subject, and what it takes where a request gives it: lints look at the whole. A
   pseudonym stands in place of a name, so it is there only where it must be. */
static enum rc
sample_subject(struct arena *a, const struct format *f, struct bytes *ret, struct err *e)
{
	struct ava v[LIMIT_NAME_ATTRS] = {};
	struct name name;
	size_t n = 0;

	for (size_t i = 0; i < f->attributes_n; i++) {
		const struct format_attribute *x = &f->attributes[i];
		enum oid known = oid_find(x->oid);

		if (x->source == SOURCE_NONE || (known == OID_AT_PSEUDONYM && !x->mandatory))
			continue;
		v[n] = (struct ava){ .oid = x->oid,
				     .known = known,
				     .value = x->source == SOURCE_FIXED ? x->value : sample_value(x),
				     .rdn = (unsigned)n };
		n++;
	}
	if (n == 0 || name_build(a, v, n, &name, NULL) != RC_OK) {
		*v = (struct ava){ .known = OID_AT_CN, .value = BYTES("Sample") };
		TRY(name_build(a, v, 1, &name, e));
	}
	*ret = name.der;
	return RC_OK;
}

/* ---- extensions ---- */

/* The default, else a text that every form can have. */
static enum rc
sample_text(struct arena *a, const struct format_extension *x, struct ext *ret, struct err *e)
{
	static const uint32_t tags[] = {
		[TEXT_UTF8] = DER_UTF8, [TEXT_PRINTABLE] = DER_PRINTABLE, [TEXT_IA5] = DER_IA5
	};
	struct ext_value v = { .kind = OID_NONE, .oid = x->oid, .critical = x->critical };
	struct bytes text = x->otherwise.p != NULL ? x->otherwise : BYTES("Sample");
	OWN_DW struct dw w = dw_growing(LIMIT_TBS);

	if (x->otherwise.p != NULL)
		TRY(modifiers_apply(a, &x->modifiers, text, &text, e));
	dw_tlv(&w, tags[x->form], text);
	TRY(dw_dup(&w, a, &v.raw, e));
	return ext_encode(a, &v, ret, e);
}

/* The procedure's key usages, as far as the sample's key can have them; and its QC statements, where those of requests
   are added to them. */
static enum rc
sample_exts(struct arena *a, const struct procedure *p, struct exts *ret, struct err *e)
{
	const struct format *f = p->format;
	struct ext_value v = { .kind = OID_CE_KEY_USAGE,
			       .critical = true,
			       .key_usage = p->key_usage &
				   (USAGE_DIGITAL_SIGNATURE | USAGE_CONTENT_COMMITMENT | USAGE_KEY_AGREEMENT |
				    USAGE_CRL_SIGN) };
	struct ext_value qc = { .kind = OID_PE_QC_STATEMENTS, .qc = p->qc },
			 points = { .kind = OID_CE_CRL_POINTS, .points = p->points };

	ret->n = 0;
	NEED((ret->v = arena_array(a, 3 + f->input_extensions_n, sizeof(*ret->v))) != NULL, e, CHY_NO_MEMORY,
	     NULL, "a sample certificate");
	if (p->split != NULL) /* the template has no place for what each certificate has its own of */
		TRY(ext_encode(a, &points, &ret->v[ret->n++], e));
	for (size_t i = 0; i < f->input_extensions_n; i++)
		TRY(sample_text(a, &f->input_extensions[i], &ret->v[ret->n++], e));
	if (f->key_usage != USAGE_NONE && v.key_usage != 0)
		TRY(ext_encode(a, &v, &ret->v[ret->n++], e));
	return p->qc.n > 0 ? ext_encode(a, &qc, &ret->v[ret->n++], e) : RC_OK;
}

/* ---- alternative names ---- */

static const struct {
	const char *type, *prefix, *tails[3];
} kinds[] = {
	{ "dns", "dns:", { "sample.example", "sample" } },
	{ "email", "email:", { "sample@sample.example", "@sample.example" } },
	{ "ip", "ip:", { "192.0.2.1" } },
	{ "uri", "uri:", { "https://sample.example/", "sample", "//sample.example/" } },
	{ "directory", "dir:", { "CN=Sample" } },
	{ "rid", "rid:", { "1.3.6.1.4.1.32473" } }, /* RFC 5612: for examples */
	{ "upn", "upn:", { "sample@sample.example", "@sample.example" } },
	{ "srv", "srv:", { "_sample.sample.example", "sample.example" } },
	{ "smtp-utf8", "smtputf8:", { "s\xc3\xa4mple@sample.example" } },
	{ "fasc-n", "fasc-n:", { "d4e739da739ced39ce739d836858210842108421084210c3eb" } },
};

/* What a request might have: as it must begin, and a tail with which it is a name. false: there is none that we know. */
static bool
sample_name(struct arena *a, const struct format_san *rule, struct gname *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		for (size_t k = 0; strcmp(rule->name, kinds[i].type) == 0 && k < ARRAY_LEN(kinds[i].tails);
		     k++) {
			const char *text = kinds[i].tails[k]
			    ? arena_printf(a, "%s%.*s%s", kinds[i].prefix, BYTES_FMT(rule->begins),
					   kinds[i].tails[k])
			    : NULL;

			if (text != NULL && gname_from_text(a, bytes_str(text), GN_NAME, ret, NULL) == RC_OK)
				return true;
		}
	return false;
}

/* What each certificate has: fixed names, defaults, what is demanded. What a request may also leave out is not in it: lints
   allow one and not the other. */
static void
names_of(struct arena *a, const struct format_san *rule, struct gnames *to)
{
	if (rule->source == SOURCE_NONE)
		return;
	for (size_t i = 0; rule->source == SOURCE_FIXED && i < rule->fixed_n && to->n < LIMIT_SAN; i++)
		to->v[to->n++] = rule->fixed[i];
	if (rule->source == SOURCE_FIXED || to->n == LIMIT_SAN)
		return;
	if (rule->otherwise != NULL)
		to->v[to->n++] = *rule->otherwise;
	else if (rule->mandatory && sample_name(a, rule, &to->v[to->n]))
		to->n++;
}

static enum rc
sample_san(struct arena *a, const struct procedure *p, struct gnames *ret, struct err *e)
{
	const struct format *f = p->format;

	*ret = (struct gnames){ 0 };
	if (!p->template_.has_san)
		return RC_OK;
	ret->v = arena_array(a, LIMIT_SAN, sizeof(*ret->v));
	NEED(ret->v != NULL, e, CHY_NO_MEMORY, NULL, "a sample certificate");
	for (size_t i = 0; i < f->san_n; i++)
		names_of(a, &f->san[i], ret);
	for (size_t i = 0; ret->n == 0 && i < f->san_n; i++)
		if (f->san[i].source != SOURCE_NONE && sample_name(a, &f->san[i], &ret->v[0]))
			ret->n = 1;
	if (ret->n == 0) /* the format keeps whatever names there are */
		TRY(gname_from_text(a, BYTES("dns:sample.example"), GN_NAME, &ret->v[ret->n++], e));
	return RC_OK;
}

enum rc
sample_parts_of(struct arena *a, const struct procedure *p, struct sample_parts *ret, struct err *e)
{
	*ret = (struct sample_parts){ .subject = BYTES_NONE };
	TRY(sample_subject(a, p->format, &ret->subject, e));
	TRY(sample_exts(a, p, &ret->exts, e));
	return sample_san(a, p, &ret->san, e);
}
