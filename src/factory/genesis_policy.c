#include "base/base.h"
#include "factory/genesis_policy.h"

/*
 * Bodies as JSON text: easier to read, and to compare with what `chancery show` prints, than calls that build them.
 * %K is the id of a document, %N the organisation as part of a distinguished name, %Y the years.
 */
static const struct {
	enum kind_id kind;
	const char *text;
} docs[G_DOCS] = {
	[G_PROFILE_BOOT] = { KIND_OFFICER_PROFILE,
			     "{\"name\":\"Boot "
			     "officer\",\"entity_type\":\"subject\",\"roles\":[\"use-awb\",\"officer-tasks\","
			     "\"profile-tasks\",\"policy-tasks\",\"ca-and-key-tasks\",\"domain-tasks\",\"use-"
			     "clients\","
			     "\"issue-certificate\"]}" },
	[G_PROFILE_ADMINISTRATION] = { KIND_OFFICER_PROFILE,
				       "{\"name\":\"Administration "
				       "officer\",\"entity_type\":\"subject\",\"roles\":[\"use-awb\",\"audit-"
				       "tasks\","
				       "\"domain-tasks\",\"ca-and-key-tasks\",\"policy-tasks\",\"officer-"
				       "tasks\",\"profile-tasks\","
				       "\"configuration-tasks\"]}" },
	[G_PROFILE_REGISTRATION] = { KIND_OFFICER_PROFILE,
				     "{\"name\":\"Registration "
				     "officer\",\"entity_type\":\"subject\",\"roles\":[\"use-clients\","
				     "\"issue-certificate\",\"publish-certificate\",\"revoke-certificate\"]"
				     "}" },
	[G_KEY_SYSTEM] = { KIND_CA_KEY,
			   "{\"name\":\"System "
			   "key\",\"algorithm\":\"p-256\",\"place\":\"software\",\"label\":\"system-"
			   "root\"}" },
	[G_FORMAT_CA] = { KIND_FORMAT, "{\"name\":\"CA certificate\",\"purpose\":\"ca\"}" },
	[G_SYSTEM] = { KIND_AUTHORITY,
		       "{\"name\":\"System CA\",\"type\":\"root\",\"ca_key\":%K3,\"subject\":\"CN=System "
		       "CA%N\",\"format\":%K4,"
		       "\"validity\":\"P%YY\",\"path_length\":0}" },
	[G_FORMAT_OFFICER] = { KIND_FORMAT,
			       "{\"name\":\"Officer\",\"subject\":[{\"attribute\":\"C\"},{\"attribute\":"
			       "\"O\"},{\"attribute\":\"OU\"},"
			       "{\"attribute\":\"serialNumber\"},{\"attribute\":\"CN\",\"mandatory\":true}],"
			       "\"san\":[{\"type\":\"email\","
			       "\"max_count\":1}],\"unknown_subject\":\"refuse\",\"key_usage\":"
			       "\"procedure\"}" },
	[G_FORMAT_TLS_SERVER] = { KIND_FORMAT,
				  "{\"name\":\"TLS "
				  "server\",\"subject\":[{\"attribute\":\"CN\"}],\"unknown_subject\":"
				  "\"drop\","
				  "\"empty_subject\":true,\"san\":[{\"type\":\"dns\",\"mandatory\":true,"
				  "\"max_count\":100},{\"type\":\"ip\","
				  "\"max_count\":10}],\"key_usage\":\"procedure\"}" },
	[G_PROCEDURE_OFFICER] = { KIND_CERTIFICATE_PROCEDURE,
				  "{\"name\":\"Officer\",\"authority\":%K5,\"format\":%K6,\"key_usage\":["
				  "\"digitalSignature\","
				  "\"nonRepudiation\"],\"extended_key_usage\":[\"clientAuth\"],\"validity\":"
				  "\"P3Y\"}" },
	[G_TOKEN_OFFICER] = { KIND_TOKEN_PROCEDURE,
			      "{\"name\":\"Officer\",\"storage_profile\":\"pkcs10\",\"issuer_certificates\":"
			      "\"none\","
			      "\"certificate_procedures\":[%K8]}" },
	[G_VIEW_ACME] = { KIND_INPUT_VIEW,
			  "{\"name\":\"Preregistration: ACME\",\"purpose\":\"preregistration\","
			  "\"fields\":[{\"input\":\"device.fqdn\"},{\"input\":\"device.allowed-domains\"},{"
			  "\"input\":\"device.secret\",\"mandatory\":true}]}" },
	[G_VIEW_CMP] = { KIND_INPUT_VIEW,
			 "{\"name\":\"Preregistration: CMP\",\"purpose\":\"preregistration\","
			 "\"fields\":[{\"input\":\"device.fqdn\",\"mandatory\":true},{\"input\":\"device."
			 "ip\"},{\"input\":\"device.serial-number\"},{\"input\":\"device.secret\","
			 "\"mandatory\":true},{\"input\":\"subject.common-name\"}]}" },
	[G_VIEW_EST] = { KIND_INPUT_VIEW,
			 "{\"name\":\"Preregistration: EST\",\"purpose\":\"preregistration\","
			 "\"fields\":[{\"input\":\"device.fqdn\",\"mandatory\":true},{\"input\":\"device."
			 "serial-number\"},{\"input\":\"device.secret\"}]}" },
	[G_VIEW_SCEP] = { KIND_INPUT_VIEW,
			  "{\"name\":\"Preregistration: SCEP\",\"purpose\":\"preregistration\","
			  "\"fields\":[{\"input\":\"device.fqdn\",\"mandatory\":true},{\"input\":\"device."
			  "ip\"},{\"input\":\"device.serial-number\"},{\"input\":\"device.secret\","
			  "\"mandatory\":true}]}" },
};

enum kind_id
genesis_kind(enum genesis_doc which)
{
	return docs[which].kind;
}

/* The organisation as ",O=..." of RFC 4514, inside a JSON string; nothing when it is empty. */
static void
put_organisation(struct buf *out, struct bytes organisation)
{
	OWN_BUF struct buf dn = buf_max(2048), quoted = buf_max(8192);
	struct bytes inner;

	if (organisation.n == 0)
		return;
	buf_str(&dn, ",O=");
	for (size_t i = 0; i < organisation.n; i++) {
		if (strchr("\"+,;<>\\#= ", organisation.p[i]) != NULL)
			buf_u8(&dn, '\\');
		buf_u8(&dn, organisation.p[i]);
	}
	json_put_str(&quoted, buf_bytes(&dn));
	inner = buf_bytes(&quoted);
	buf_put(out, bytes_part(inner, 1, inner.n >= 2 ? inner.n - 2 : 0));
}

struct json *
genesis_body(struct arena *a, enum genesis_doc which, const struct genesis_ids *ids,
	     struct bytes organisation, int64_t years)
{
	OWN_BUF struct buf text = buf_max(64 << 10);
	struct json *ret = NULL;

	for (const char *p = docs[which].text; *p != 0; p++) {
		if (*p != '%') {
			buf_u8(&text, (uint8_t)*p);
			continue;
		}
		p++;
		if (*p == 'K') {
			p++;
			buf_printf(&text, "%lld", (long long)ids->of[*p - '0']);
		} else if (*p == 'N') {
			put_organisation(&text, organisation);
		} else {
			buf_printf(&text, "%lld", (long long)years);
		}
	}
	return json_parse(a, buf_bytes(&text), &ret, NULL) == RC_OK ? ret : NULL;
}
