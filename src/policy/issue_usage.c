/* What the key may do, and the other extensions of the request. */
#include "base/base.h"
#include "policy/issue_impl.h"
#include "policy/names.h"

enum rc
rule_basic_constraints(struct issuing *i)
{
	const struct ext *x = exts_find(&i->f->csr->exts, OID_CE_BASIC_CONSTRAINTS);
	struct basic_constraints basic = { .ca = false };

	if (x == NULL)
		return RC_OK;
	TRY_AT(ext_basic(x->value, &basic, i->e), i->e, "csr.basic_constraints");
	REFUSE_IF(basic.ca, i, "csr.basic_constraints", CHY_ISSUE_CA, "RFC 5280 4.2.1.9",
		  "authorities are made by officers, not by requests");
	return RC_OK;
}

/* ---- key usage ---- */

/* What a key of this kind can be used for at all, in a certificate that is no CA's: RFC 3279 2.3.1, RFC 8813 3, RFC 8410
   5, RFC 9881 5. */
static uint16_t
possible(const struct pubkey *k)
{
	uint16_t sign = USAGE_DIGITAL_SIGNATURE | USAGE_CONTENT_COMMITMENT | USAGE_CRL_SIGN;

	if (k->alg == KEY_RSA)
		return sign | USAGE_KEY_ENCIPHERMENT | USAGE_DATA_ENCIPHERMENT;
	if (k->alg == KEY_EC)
		return sign | USAGE_KEY_AGREEMENT | USAGE_ENCIPHER_ONLY | USAGE_DECIPHER_ONLY;
	return sign;
}

/* RFC 5280 4.2.1.3: these two mean something with keyAgreement only, and RFC 3279 2.3.3: not both. */
static bool
only_bits_fit(uint16_t usages)
{
	uint16_t only = usages & (USAGE_ENCIPHER_ONLY | USAGE_DECIPHER_ONLY);

	return only == 0 ||
	    ((usages & USAGE_KEY_AGREEMENT) && only != (USAGE_ENCIPHER_ONLY | USAGE_DECIPHER_ONLY));
}

/* The request's own: all of it, or a refusal. */
static enum rc
asked_usage(struct issuing *i, uint16_t asked)
{
	uint16_t not = (uint16_t)(asked & ~possible(&i->f->csr->key));
	char text[KEY_USAGE_TEXT_MAX];

	REFUSE_IF(not != 0, i, "csr.key_usage", CHY_ISSUE_KEY_USAGE, "RFC 5280 4.2.1.3",
		  "the key of an end entity of this kind cannot have %s", key_usage_text(text, not ));
	REFUSE_IF((asked & USAGE_CRL_SIGN) && !(i->d->procedure->key_usage & USAGE_CRL_SIGN), i,
		  "csr.key_usage", CHY_ISSUE_KEY_USAGE, "RFC 5280 4.2.1.3",
		  "cRLSign only where the procedure says so");
	REFUSE_IF(!only_bits_fit(asked), i, "csr.key_usage", CHY_ISSUE_KEY_USAGE, "RFC 5280 4.2.1.3",
		  "encipherOnly or decipherOnly without keyAgreement, or both");
	i->d->key_usage = asked;
	return RC_OK;
}

/* The procedure's: what this kind of key can have of it. */
static enum rc
procedure_usage(struct issuing *i, uint16_t usages)
{
	uint16_t can = (uint16_t)(usages & possible(&i->f->csr->key));
	char text[KEY_USAGE_TEXT_MAX];

	if (!only_bits_fit(can))
		can &= (uint16_t) ~(USAGE_ENCIPHER_ONLY | USAGE_DECIPHER_ONLY);
	REFUSE_IF(usages != 0 && can == 0, i, "csr.key", CHY_ISSUE_KEY_USAGE, "RFC 5280 4.2.1.3",
		  "the key can have none of the procedure's usages (%s)", key_usage_text(text, usages));
	if (can != usages)
		issue_note(i, "left out, as the key cannot have it: %s",
			   key_usage_text(text, (uint16_t)(usages & ~can)));
	i->d->key_usage = can;
	return RC_OK;
}

enum rc
rule_key_usage(struct issuing *i)
{
	const struct procedure *p = i->d->procedure;
	uint16_t asked = (uint16_t)i->f->csr->key_usage;
	struct ext_value v = { .kind = OID_CE_KEY_USAGE, .critical = true };

	if (p->format->key_usage == USAGE_NONE)
		return RC_OK;
	if (p->format->key_usage == USAGE_REQUEST_ELSE_PROCEDURE && asked != 0)
		TRY(asked_usage(i, asked));
	else
		TRY(procedure_usage(i, p->key_usage));
	v.key_usage = i->d->key_usage;
	return v.key_usage != 0 ? issue_extension(i, &v) : RC_OK;
}

/* ---- extended key usage ---- */

static enum rc
asked_extended(struct issuing *i, const struct oids *asked)
{
	const struct procedure *p = i->d->procedure;

	for (size_t k = 0; k < asked->n; k++)
		REFUSE_IF(!issue_has_oid(&p->extended_key_usage, asked->v[k]), i, "csr.extended_key_usage",
			  CHY_ISSUE_EXTENDED_KEY_USAGE, "RFC 5280 4.2.1.12",
			  "certificate procedure \"%.*s\" does not allow %s", BYTES_FMT(p->doc->name),
			  issue_oid(i, asked->v[k]));
	return RC_OK;
}

/* Who trusts the system authority for its server trusts each that it would certify. A format without this extension allows
   every usage. */
static enum rc
no_server(struct issuing *i, const struct oids *extended)
{
	const struct procedure *p = i->d->procedure;

	REFUSE_IF(p->authority->boot && is_for_servers(extended), i, "csr.extended_key_usage",
		  CHY_SYSTEM_AUTHORITY_SERVER, "RFC 5280 4.2.1.12",
		  "a certificate of the system's authority by procedure \"%.*s\" could pass for its server",
		  BYTES_FMT(p->doc->name));
	return RC_OK;
}

enum rc
rule_extended_key_usage(struct issuing *i)
{
	const struct procedure *p = i->d->procedure;
	const struct oids *asked = &i->f->csr->eku, none = { 0 };
	struct ext_value v = { .kind = OID_CE_EXT_KEY_USAGE, .critical = p->extended_critical };

	if (p->format->extended_key_usage != USAGE_REQUEST_ELSE_PROCEDURE) {
		for (size_t k = 0; k < asked->n; k++)
			if (p->format->extended_key_usage == USAGE_NONE ||
			    !issue_has_oid(&p->extended_key_usage, asked->v[k]))
				issue_note(i, "%s left out", issue_oid(i, asked->v[k]));
		/* the template has the procedure's */
		return no_server(
		    i, p->format->extended_key_usage == USAGE_NONE ? &none : &p->extended_key_usage);
	}
	TRY(asked_extended(i, asked));
	v.eku = asked->n > 0 ? *asked : p->extended_key_usage;
	TRY(no_server(i, &v.eku));
	return v.eku.n > 0 ? issue_extension(i, &v) : RC_OK;
}
