#include "base/base.h"
#include "pkcs11/impl.h"

/* ---- opening ---- */

static struct p11_key *
key_new(struct p11_token *t)
{
	struct p11_key *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->t = t;
	pthread_mutex_init(&k->lock, NULL);
	k->mem = arena_new(64 << 10);
	if (k->mem == NULL) {
		p11_key_free(k);
		return NULL;
	}
	return k;
}

void
p11_key_free(struct p11_key *k)
{
	if (k == NULL)
		return;
	arena_free(k->mem);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static MUST enum rc
key_set(struct p11_key *k, struct bytes id, struct bytes spki, struct bytes uri, struct err *e)
{
	struct pubkey pub;
	char *kind = arena_alloc(k->mem, KEY_NAME_MAX);

	k->id = arena_dup(k->mem, id);
	k->spki = arena_dup(k->mem, spki);
	k->uri = arena_str(k->mem, uri);
	NEED(kind != NULL && k->id.p != NULL && k->spki.p != NULL && k->uri != NULL, e, CHY_NO_MEMORY, NULL,
	     "a key");
	TRY(pubkey_parse(k->spki, &pub, e));
	k->type = pubkey_type(&pub);
	k->kind = key_type_text(kind, k->type);
	return RC_OK;
}

enum rc
p11_key_open(struct p11_token *t, const struct p11_uri *u, struct p11_key **ret, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(16 << 20);
	OWN(p11_key_free)
	struct p11_key *k = key_new(t);
	const struct p11_item *it = NULL;
	struct p11_item *items;
	size_t n, matches = 0;

	NEED(a != NULL && k != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	TRY(p11_list(t, u, a, &items, &n, e));
	for (size_t i = 0; i < n; i++)
		if (items[i].has_private) {
			it = &items[i];
			matches++;
		}
	NEED(it != NULL, e, CHY_P11_NO_KEY, NULL, "no private key matches the URI");
	NEED(matches == 1, e, CHY_P11_AMBIGUOUS, NULL, "%zu private keys match the URI", matches);
	NEED(it->spki.n > 0 && it->id.n > 0, e, CHY_P11_NO_KEY, NULL,
	     "the token tells no usable public key or no id for this private key");
	TRY(key_set(k, it->id, it->spki, it->uri, e));
	*ret = k;
	k = NULL;
	return RC_OK;
}

const char *
p11_key_kind(const struct p11_key *k)
{
	return k->kind;
}

struct bytes
p11_key_spki(const struct p11_key *k)
{
	return k->spki;
}

const char *
p11_key_uri(const struct p11_key *k)
{
	return k->uri;
}

void *
p11_unconst(struct bytes b)
{
	union {
		const uint8_t *in;
		void *out;
	} u = { .in = b.p };

	return u.out;
}

CK_RV
p11_private_object(struct p11_key *k, struct p11_session *s, CK_OBJECT_HANDLE *ret)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE want[] = { { CKA_CLASS, &class, sizeof(class) },
				{ CKA_ID, p11_unconst(k->id), k->id.n } };
	CK_OBJECT_HANDLE found[2];
	CK_ULONG n = 0;
	CK_RV rv = CKR_OK;

	pthread_mutex_lock(&k->lock);
	if (k->object == CK_INVALID_HANDLE || k->generation != s->generation) {
		rv = p11_find(s, want, ARRAY_LEN(want), found, 2, &n);
		k->object = rv == CKR_OK && n > 0 ? found[0] : CK_INVALID_HANDLE;
		k->generation = s->generation;
	}
	*ret = k->object;
	pthread_mutex_unlock(&k->lock);
	/* a token that has come back without the key: as good as away */
	return rv == CKR_OK && *ret == CK_INVALID_HANDLE ? CKR_KEY_HANDLE_INVALID : rv;
}

/* ---- generating ---- */

enum { MECHANISMS_MAX = 1024 };

struct generate {
	struct p11_key *k;
	struct key_type type;
	struct bytes id, label;
	bool agrees; /* else it signs */
};

static struct bytes
ec_params(struct key_type t, uint8_t *room)
{
	struct bytes oid = t.alg == KEY_ED25519 ? BYTES("\x2b\x65\x70")
	    : t.alg == KEY_ED448                ? BYTES("\x2b\x65\x71")
						: curve_oid(t.curve);

	room[0] = DER_OID;
	room[1] = (uint8_t)oid.n;
	memcpy(room + 2, oid.p, oid.n);
	return bytes_of(room, oid.n + 2);
}

static CK_RV
generate_pair(struct p11_session *s, const struct generate *g, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv)
{
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE, signs = !g->agrees, agrees = g->agrees;
	CK_ULONG bits = g->type.bits;
	uint8_t e65537[] = { 1, 0, 1 }, room[16];
	bool rsa = g->type.alg == KEY_RSA, ec = g->type.alg == KEY_EC;
	struct bytes params = rsa ? BYTES_NONE : ec_params(g->type, room);
	CK_ATTRIBUTE id = { CKA_ID, p11_unconst(g->id), g->id.n },
		     label = { CKA_LABEL, p11_unconst(g->label), g->label.n };
	CK_ATTRIBUTE public[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_VERIFY, &signs, sizeof(signs) },
		id,
		label,
		rsa ? (CK_ATTRIBUTE){ CKA_MODULUS_BITS, &bits, sizeof(bits) }
		    : (CK_ATTRIBUTE){ CKA_EC_PARAMS, p11_unconst(params), params.n },
		{ CKA_PUBLIC_EXPONENT, e65537, sizeof(e65537) },
	};
	CK_ATTRIBUTE private[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_SENSITIVE, &yes, sizeof(yes) },
		{ CKA_EXTRACTABLE, &no, sizeof(no) },
		{ CKA_SIGN, &signs, sizeof(signs) },
		{ CKA_DECRYPT, &no, sizeof(no) },
		{ CKA_UNWRAP, &no, sizeof(no) },
		{ CKA_DERIVE, &agrees, sizeof(agrees) },
		id,
		label,
	};
	CK_MECHANISM m = { rsa      ? CKM_RSA_PKCS_KEY_PAIR_GEN
			       : ec ? CKM_EC_KEY_PAIR_GEN
				    : CKM_EC_EDWARDS_KEY_PAIR_GEN,
			   NULL, 0 };

	return s->f->C_GenerateKeyPair(s->h, &m, public, ARRAY_LEN(public) - (rsa ? 0 : 1), private,
				       ARRAY_LEN(private), pub, priv);
}

static MUST enum rc
adopt(struct p11_session *s, struct generate *g, CK_OBJECT_HANDLE pub, struct arena *a, struct err *e)
{
	struct bytes spki, kind, uri;
	CK_TOKEN_INFO info;

	TRY(p11_rv(s->f->C_GetTokenInfo(s->t->slot, &info), "token", e));
	p11_spki(s, pub, a, &spki, &kind);
	NEED(spki.n > 0, e, CHY_P11_FAILED, NULL, "the token does not tell the public key that it made");
	TRY(p11_token_uri(a, s->m, &info, g->id, BYTES_NONE, &uri, e));
	return key_set(g->k, g->id, spki, uri, e);
}

/* Modules that switch a mechanism off take it off the list, and tell of it all the same when asked. */
static CK_RV
is_listed(struct p11_session *s, CK_MECHANISM_TYPE mechanism, bool *ret)
{
	CK_MECHANISM_TYPE list[MECHANISMS_MAX];
	CK_ULONG n = MECHANISMS_MAX;
	CK_RV rv = s->f->C_GetMechanismList(s->t->slot, list, &n);

	*ret = rv == CKR_BUFFER_TOO_SMALL; /* more than we look at: it may be among them */
	for (CK_ULONG i = 0; rv == CKR_OK && i < n; i++)
		*ret = *ret || list[i] == mechanism;
	return rv == CKR_BUFFER_TOO_SMALL ? CKR_OK : rv;
}

/* Told before there is a key: what is sealed to a key that cannot agree could never be opened. */
static CK_RV
can_agree(struct p11_session *s, struct err *e)
{
	CK_MECHANISM_INFO info = { 0 };
	bool listed;
	CK_RV rv = is_listed(s, CKM_ECDH1_DERIVE, &listed);

	if (rv == CKR_OK && listed)
		rv = s->f->C_GetMechanismInfo(s->t->slot, CKM_ECDH1_DERIVE, &info);
	if (rv != CKR_MECHANISM_INVALID && (rv != CKR_OK || (info.flags & CKF_DERIVE)))
		return rv;
	(void)err_set(e, CHY_P11_MECHANISM, NULL,
		      "the token's module does not agree on secrets (CKM_ECDH1_DERIVE)");
	return CKR_MECHANISM_INVALID;
}

static CK_RV
generate(struct p11_session *s, void *arg, struct err *e)
{
	OWN(arena_free)
	struct arena *a = arena_new(256 << 10);
	struct generate *g = arg;
	CK_OBJECT_HANDLE pub, priv;
	CK_RV rv = a ? CKR_OK : CKR_HOST_MEMORY;

	if (rv == CKR_OK && g->agrees)
		rv = can_agree(s, e);
	if (rv != CKR_OK)
		return rv;
	rv = generate_pair(s, g, &pub, &priv);
	if (rv == CKR_OK && adopt(s, g, pub, a, e) != RC_OK) {
		s->f->C_DestroyObject(s->h, priv);
		s->f->C_DestroyObject(s->h, pub);
	}
	return rv;
}

static MUST enum rc
generate_key(struct p11_token *t, const char *kind, struct bytes id, struct bytes label, bool agrees,
	     struct p11_key **ret, struct err *e)
{
	OWN(p11_key_free)
	struct p11_key *k = key_new(t);
	struct generate g = { .k = k, .id = id, .label = label, .agrees = agrees };

	NEED(k != NULL, e, CHY_NO_MEMORY, NULL, "a key");
	NEED(id.n > 0 && id.n <= P11_ID_MAX, e, CHY_P11_FAILED, NULL, "id of %zu bytes", id.n);
	TRY(key_type_parse(bytes_str(kind), &g.type, e));
	NEED(g.type.alg <= KEY_ED448, e, CHY_P11_MECHANISM, NULL,
	     "keys of kind %s are not made in PKCS#11 tokens", kind);
	NEED(!agrees || g.type.alg == KEY_EC, e, CHY_KEY_KIND, NULL, "only keys on NIST curves agree");
	TRY(p11_do(t, generate, &g, "generate", e));
	*ret = k;
	k = NULL;
	return RC_OK;
}

enum rc
p11_key_generate(struct p11_token *t, const char *kind, struct bytes id, struct bytes label,
		 struct p11_key **ret, struct err *e)
{
	return generate_key(t, kind, id, label, false, ret, e);
}

enum rc
p11_key_generate_agreeing(struct p11_token *t, const char *kind, struct bytes id, struct bytes label,
			  struct p11_key **ret, struct err *e)
{
	return generate_key(t, kind, id, label, true, ret, e);
}

static CK_RV
delete_objects(struct p11_session *s, void *arg, struct err *e)
{
	static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY, CKO_PUBLIC_KEY };
	struct p11_key *k = arg;
	CK_RV rv = CKR_OK;

	for (size_t c = 0; rv == CKR_OK && c < ARRAY_LEN(classes); c++) {
		CK_OBJECT_CLASS class = classes[c];
		CK_ATTRIBUTE want[] = { { CKA_CLASS, &class, sizeof(class) },
					{ CKA_ID, p11_unconst(k->id), k->id.n } };
		CK_OBJECT_HANDLE found[8];
		CK_ULONG n = 0;

		rv = p11_find(s, want, ARRAY_LEN(want), found, ARRAY_LEN(found), &n);
		for (CK_ULONG i = 0; rv == CKR_OK && i < n; i++)
			rv = s->f->C_DestroyObject(s->h, found[i]);
	}
	return rv;
}

enum rc
p11_key_delete(struct p11_key *k, struct err *e)
{
	TRY(p11_do(k->t, delete_objects, k, "delete", e));
	pthread_mutex_lock(&k->lock);
	k->object = CK_INVALID_HANDLE;
	pthread_mutex_unlock(&k->lock);
	return RC_OK;
}
