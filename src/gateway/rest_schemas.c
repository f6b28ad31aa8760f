/* Components of the OpenAPI document that the REST routes refer to by name. */
#include "base/base.h"
#include "gateway/rest.h"

#define ID "{\"type\":\"integer\",\"minimum\":1}"
#define TEXT "{\"type\":\"string\"}"
#define TIME "{\"type\":\"string\",\"format\":\"date-time\"}"
#define BASE64 "{\"type\":\"string\",\"contentEncoding\":\"base64\"}"
#define ANY_OBJECT "{\"type\":\"object\"}"
#define PAGE(item) \
	"{\"type\":\"object\",\"required\":[\"items\",\"next\"],\"properties\":{\"items\":{\"type\":" \
	"\"array\",\"items\":" item "},\"next\":{\"type\":[\"integer\",\"null\"]}}}"
#define REF(name) "{\"$ref\":\"#/components/schemas/" name "\"}"
#define OBJECT(required, properties) \
	"{\"type\":\"object\",\"required\":[" required "],\"properties\":{" properties "}}"

#define TIME_OR_NULL "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}"
#define LISTS \
	OBJECT("\"late\",\"failing\"", "\"late\":{\"type\":\"integer\"},\"failing\":{\"type\":\"integer\"}")
#define WITHIN_DAYS \
	OBJECT("\"days\",\"count\",\"more\"", \
	       "\"days\":{\"type\":\"integer\"},\"count\":{\"type\":\"integer\"},\"more\":{\"type\":" \
	       "\"boolean\"}")
#define IDS "{\"type\":\"array\",\"items\":" ID "}"
#define SELECTION_HEAD \
	"\"id\":" ID ",\"act\":" TEXT ",\"body\":" ANY_OBJECT ",\"at\":" TIME ",\"expires_at\":" TIME \
	",\"selected\":{\"type\":\"integer\"}"

const struct route_schema rest_schemas[] = {
	{ "Status",
	  OBJECT("\"program\",\"version\",\"instance\"",
		 "\"program\":" TEXT ",\"version\":" TEXT ",\"instance\":" TEXT ",\"store\":" TEXT
		 ",\"policy_stamp\":{\"type\":\"integer\"},"
		 "\"officers\":" OBJECT(
		     "\"ending\",\"ended\",\"pair_until\",\"pair_"
		     "ends\"",
		     "\"ending\":{\"type\":\"integer\"},\"ended\":{"
		     "\"type\":\"integer\"},\"pair_until\":{"
		     "\"type\":[\"string\",\"null\"]},\"pair_ends\":{"
		     "\"type\":\"boolean\"}") ",\"authorities\""
					      ":" OBJECT("\"ending\","
							 "\"ended\","
							 "\"next_end\"",
							 "\"ending\":{"
							 "\"type\":"
							 "\"integer\"},"
							 "\"ended\":{"
							 "\"type\":"
							 "\"integer\"},"
							 "\"next_"
							 "end\""
							 ":" TIME_OR_NULL) ",\"crls\":" LISTS ",\"cils\""
									   ":" LISTS) },
	{ "ListState",
	  OBJECT("\"state\",\"lists\",\"late\",\"wanted\"",
		 "\"state\":{\"enum\":[\"good\",\"late\",\"ended\",\"missing\",\"closed\",\"elsewhere\"]}"
		 ",\"lists\":{\"type\":\"integer\"},\"number\":{\"type\":[\"integer\",\"null\"]}"
		 ",\"first_number\":{\"type\":\"integer\"},\"this_update\":" TIME_OR_NULL
		 ",\"next_update\":" TIME_OR_NULL ",\"entries\":{\"type\":\"integer\"},\"octets\":{\"type\":"
		 "\"integer\"},\"due_at\":" TIME_OR_NULL
		 ",\"late\":{\"type\":\"boolean\"},\"wanted\":{\"type\":\"boolean\"}") },
	{ "ListStatePage",
	  PAGE(OBJECT(
	      "\"procedure\",\"path\",\"complete\",\"delta\",\"failure\"",
	      "\"procedure\":" ID ",\"path\":" TEXT ",\"issuer\":{\"type\":[\"string\",\"null\"]},"
	      "\"indirect\":{\"type\":\"boolean\"},\"partitions\":{\"type\":[\"integer\",\"null\"]},"
	      "\"complete\":" REF("ListState") ",\"delta\":{\"anyOf\":[" REF(
		  "ListState") ",{\"type\":\"null\"}]},\"failure\":{\"type\":[\"object\",\"null\"]}")) },
	{ "Officer",
	  OBJECT("\"officer\",\"name\",\"roles\"",
		 "\"officer\":" ID ",\"name\":" TEXT ",\"profile\":" TEXT
		 ",\"boot\":{\"type\":\"boolean\"},\"domain\":{\"type\":[\"integer\",\"null\"]},\"roles\":{"
		 "\"type\":"
		 "\"array\",\"items\":" TEXT "}") },
	{ "Kind",
	  OBJECT("\"name\",\"title\",\"signatures\",\"roles\"",
		 "\"name\":" TEXT ",\"title\":" TEXT ",\"plural\":" TEXT ",\"help\":" TEXT
		 ",\"signatures\":{\"type\":\"integer\"},\"roles\":{\"type\":\"array\",\"items\":" TEXT
		 "}") },
	{ "KindPage", PAGE(REF("Kind")) },
	{ "Schema", "{\"type\":\"object\",\"description\":\"JSON Schema 2020-12\"}" },
	{ "Body",
	  "{\"type\":\"object\",\"description\":\"A document's members; see /api/v1/kinds/{kind}/schema\"}" },
	{ "Document",
	  OBJECT("\"id\",\"kind\",\"version\",\"body\"",
		 "\"id\":" ID ",\"kind\":" TEXT ",\"version\":" ID ",\"name\":" TEXT
		 ",\"path\":{\"type\":[\"string\",\"null\"]},\"names\":" ANY_OBJECT ",\"state\":" TEXT
		 ",\"at\":" TIME
		 ",\"request\":{\"type\":[\"integer\",\"null\"]},\"unusable\":{\"type\":[\"string\","
		 "\"null\"]},\"acts_until\":{\"type\":[\"string\",\"null\"]},\"acts_not\":" TEXT
		 ",\"body\":" REF("Body")) },
	{ "DocumentPage",
	  OBJECT("\"items\",\"next\"",
		 "\"items\":{\"type\":\"array\",\"items\":" REF(
		     "Document") "},\"next\":{\"type\":[\"integer\",\"null\"]},\"unseen\":" TEXT) },
	{ "ReferencePage",
	  PAGE(OBJECT("\"kind\",\"id\",\"name\",\"field\",\"state\"",
		      "\"kind\":" TEXT ",\"id\":" ID ",\"name\":" TEXT ",\"field\":" TEXT
		      ",\"state\":" TEXT)) },
	{ "TokenInput",
	  OBJECT("\"view\",\"name\",\"purpose\",\"fields\",\"certificate_procedures\"",
		 "\"view\":{\"type\":[\"integer\",\"null\"]},\"name\":" TEXT ",\"purpose\":" TEXT
		 ",\"fields\":{\"type\":\"array\",\"items\":" ANY_OBJECT
		 "},\"certificate_procedures\":{\"type\":\"array\",\"items\":" ANY_OBJECT "}") },
	{ "CardSerialRangePage",
	  PAGE(OBJECT("\"token_procedure\",\"name\",\"state\",\"from\",\"to\",\"next\",\"left\"",
		      "\"token_procedure\":" ID ",\"name\":" TEXT ",\"state\":" TEXT
		      ",\"from\":{\"type\":\"integer\"},\"to\":{\"type\":\"integer\"},\"next\":{\"type\":["
		      "\"integer\",\"null\"]},\"left\":{\"type\":\"integer\"}")) },
	{ "Warnings",
	  "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"field\":" TEXT
	  ",\"text\":" TEXT ",\"kind\":" TEXT ",\"document\":" ID "}}}" },
	{ "Draft",
	  OBJECT("\"id\",\"kind\",\"body\"",
		 "\"id\":" ID ",\"kind\":" TEXT ",\"name\":" TEXT ",\"at\":" TIME ",\"officer\":" ID
		 ",\"body\":" REF("Body")) },
	{ "DraftPage", PAGE(REF("Draft")) },
	{ "SelectionCall",
	  OBJECT("\"act\"",
		 "\"act\":" TEXT ",\"body\":" ANY_OBJECT ",\"certificates\":" IDS
		 ",\"search\":" REF("SearchCall")) },
	{ "SelectionChange",
	  "{\"type\":\"object\",\"properties\":{\"add\":" IDS ",\"remove\":" IDS
	  ",\"search\":" REF("SearchCall") "}}" },
	{ "SelectionSubmit",
	  "{\"type\":\"object\",\"properties\":{\"body\":{\"type\":\"object\",\"description\":\"Members of "
	  "the "
	  "act's body that the selection has not\"}}}" },
	{ "SelectionChanged",
	  OBJECT("\"id\",\"act\",\"body\",\"selected\",\"added\",\"removed\",\"already\",\"refused\"",
		 SELECTION_HEAD
		 ",\"added\":{\"type\":\"integer\"},\"removed\":{\"type\":\"integer\"},\"already\":{"
		 "\"type\":\"integer\"},\"refused\":{\"type\":\"array\",\"items\":" ANY_OBJECT
		 "},\"searched\":{\"type\":\"integer\"},\"next\":{\"type\":[\"string\",\"null\"]},"
		 "\"full\":{\"type\":\"boolean\"}") },
	{ "Selection",
	  OBJECT("\"id\",\"act\",\"body\",\"selected\"",
		 SELECTION_HEAD ",\"problem\":" ANY_OBJECT
				",\"certificates\":{\"type\":\"array\",\"items\":" ANY_OBJECT "}") },
	{ "SelectionPage", PAGE(REF("Selection")) },
	{ "RequestCall",
	  OBJECT("\"act\",\"body\"",
		 "\"act\":" TEXT ",\"object\":{\"type\":[\"integer\",\"string\"]},\"body\":" ANY_OBJECT
		 ",\"skip_refused\":{\"type\":\"boolean\",\"description\":\"Of acts over many certificates: "
		 "leave out those "
		 "that are refused, and tell them in refused\"}") },
	{ "Difference",
	  "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"field\":" TEXT
	  ",\"label\":" TEXT ",\"old\":{},\"new\":{},\"removed\":{\"type\":\"array\",\"items\":" TEXT
	  "},\"added\":{\"type\":\"array\",\"items\":" TEXT "}}}}" },
	{ "PreparedRequest",
	  OBJECT("\"id\",\"act\",\"state\",\"to_sign\"",
		 "\"id\":" ID ",\"act\":" TEXT ",\"state\":" TEXT ",\"to_sign\":" BASE64
		 ",\"difference\":" REF("Difference") ",\"warnings\":" REF(
		     "Warnings") ",\"signatures_needed\":{\"type\":\"integer\"},\"expires_at\":" TIME
				 ",\"affected_officers\":{\"type\":\"array\",\"items\":" ANY_OBJECT
				 "},\"refused\":{\"type\":\"array\",\"items\":" ANY_OBJECT "}") },
	{ "Request",
	  OBJECT("\"id\",\"act\",\"state\",\"to_sign\"",
		 "\"id\":" ID ",\"act\":" TEXT ",\"state\":" TEXT ",\"to_sign\":" BASE64
		 ",\"difference\":" REF("Difference") ",\"warnings\":" REF(
		     "Warnings") ",\"signatures_needed\":{\"type\":\"integer\"},\"prepared_by\":" ID
				 ",\"prepared_at\":" TIME ",\"expires_at\":" TIME ",\"names\":" ANY_OBJECT
				 ",\"signatures\":{\"type\":\"array\"},\"result\":" ANY_OBJECT
				 ",\"ended\":" ANY_OBJECT
				 ",\"affected_officers\":{\"type\":\"array\",\"items\":" ANY_OBJECT "}") },
	{ "RequestPage",
	  PAGE(OBJECT("\"id\",\"act\",\"state\"",
		      "\"id\":" ID ",\"act\":" TEXT ",\"about\":" TEXT ",\"state\":" TEXT
		      ",\"state_label\":" TEXT ",\"prepared_by\":" ID ",\"prepared_by_name\":" TEXT
		      ",\"prepared_at\":" TIME ",\"expires_at\":" TIME
		      ",\"signatures_needed\":{\"type\":\"integer\"}"
		      ",\"signed_by\":{\"type\":\"array\",\"items\":" TEXT
		      "},\"roles\":{\"type\":\"array\",\"items\":" TEXT "}")) },
	{ "Signatures",
	  OBJECT("\"signatures\"",
		 "\"signatures\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":4,\"items\":" BASE64
		 "},\"secrets\":{\"type\":\"object\",\"properties\":{\"pin\":" TEXT
		 ",\"revocation_password\":{\"type\":\"string\",\"description\":\"Its scrypt form, whose "
		 "digest was "
		 "signed\"}}}") },
	{ "SignedRequest",
	  OBJECT("\"id\",\"act\",\"state\"",
		 "\"id\":" ID ",\"act\":" TEXT ",\"state\":" TEXT
		 ",\"signatures_needed\":{\"type\":\"integer\"},"
		 "\"signatures\":{\"type\":\"array\",\"items\":" ID "},\"expires_at\":" TIME
		 ",\"result\":" ANY_OBJECT) },
	{ "IssueCall",
	  OBJECT(
	      "\"token_procedure\",\"request\"",
	      "\"token_procedure\":{\"type\":[\"integer\",\"string\"]},\"request\":" TEXT
	      ",\"validity\":{\"type\":\"object\",\"properties\":{\"not_before\":" TIME ",\"not_after\":" TIME
	      "}},\"attributes\":{\"type\":\"array\",\"items\":" ANY_OBJECT
	      "},\"publication_allowed\":{\"type\":\"boolean\"},\"revocation_password\":{\"type\":\"string\","
	      "\"description\":\"Its scrypt form, $scrypt$ln=15,r=8,p=1$salt$hash, never the "
	      "password\"},\"input\":" ANY_OBJECT ",\"card_serial\":" TEXT) },
	{ "Issued",
	  OBJECT("\"id\",\"certificate\"",
		 "\"id\":" ID ",\"repeated\":{\"type\":\"boolean\"},\"certificate\":" BASE64
		 ",\"attribute_certificates\":{\"type\":\"array\",\"items\":" ANY_OBJECT "}") },
	{ "Certificate",
	  OBJECT("\"id\",\"serial\",\"subject\"",
		 "\"id\":" ID ",\"serial\":" TEXT ",\"subject\":" TEXT ",\"issuer\":" TEXT
		 ",\"not_before\":" TIME ",\"not_after\":" TIME ",\"state\":" TEXT ",\"sha256\":" TEXT
		 ",\"card_serial\":{\"type\":[\"string\",\"null\"]}"
		 ",\"der\":" BASE64) },
	{ "Token",
	  OBJECT("\"id\",\"holder\",\"state\"",
		 "\"id\":" ID ",\"holder\":" TEXT ",\"state\":" TEXT ",\"token_procedure\":" ID
		 ",\"token_procedure_path\":{\"type\":[\"string\",\"null\"]}"
		 ",\"at\":" TIME
		 ",\"expires_at\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}") },
	{ "TokenPage", PAGE(REF("Token")) },
	{ "IssuingSession",
	  OBJECT("\"id\",\"officer\",\"state\",\"expires_at\"",
		 "\"id\":" ID ",\"officer\":" ID ",\"officer_name\":{\"type\":[\"string\",\"null\"]}"
		 ",\"name\":{\"type\":[\"string\",\"null\"]}"
		 ",\"state\":{\"enum\":[\"open\",\"used-up\",\"expired\",\"closed\"]}"
		 ",\"token_procedures\":{\"type\":\"array\",\"items\":" ANY_OBJECT "}"
		 ",\"certificates_made\":{\"type\":\"integer\"},\"certificates_max\":{\"type\":\"integer\"}"
		 ",\"at\":" TIME ",\"expires_at\":" TIME) },
	{ "IssuingSessionPage", PAGE(REF("IssuingSession")) },
	{ "TokenFile",
	  OBJECT("\"id\",\"file\"", "\"id\":" ID ",\"holder\":" TEXT ",\"file\":" BASE64 ",\"pin\":" TEXT) },
	{ "CertificatePage", PAGE(ANY_OBJECT) },
	{ "Delivery",
	  OBJECT(
	      "\"id\",\"kind\",\"object\",\"destination\",\"state\"",
	      "\"id\":" ID ",\"kind\":" TEXT ",\"object\":" ID ",\"destination\":" ANY_OBJECT
	      ",\"procedure\":{\"type\":[\"object\",\"null\"]},\"request\":{\"type\":[\"integer\",\"null\"]},"
	      "\"removal\":{\"type\":\"boolean\"},\"state\":" TEXT
	      ",\"attempts\":{\"type\":\"integer\"},\"error\":{\"type\":[\"string\",\"null\"]},\"at\":" TIME
	      ",\"next_at\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"},\"changed_"
	      "at\":" TIME) },
	{ "DeliveryPage", PAGE(REF("Delivery")) },
	{ "PublicationPage",
	  PAGE(OBJECT("\"certificate\",\"at\"",
		      "\"certificate\":" ID ",\"serial\":" TEXT ",\"subject\":" TEXT ",\"at\":" TIME
		      ",\"request\":" ID ",\"withdrawn\":{\"type\":\"boolean\"}")) },
	{ "DestinationPage",
	  "{\"type\":\"object\",\"required\":[\"items\",\"distributor\"],\"properties\":{\"items\":{\"type\":"
	  "\"array\",\"items\":" ANY_OBJECT
	  "},\"next\":{\"type\":[\"integer\",\"null\"]},\"distributor\":{\"type\":"
	  "\"boolean\",\"description\":\"Whether the "
	  "distributor is running\"}}}" },
	{ "SearchCall",
	  "{\"type\":\"object\",\"description\":\"All that is given must hold. In texts * stands for "
	  "anything.\",\"properties\":{\"text\":" TEXT ",\"common_name\":" TEXT ",\"given_name\":" TEXT
	  ",\"surname\":" TEXT ",\"organisation\":" TEXT ",\"organisational_unit\":" TEXT
	  ",\"subject_serial_number\":" TEXT ",\"country\":" TEXT ",\"email\":" TEXT
	  ",\"alternative_name\":" TEXT ",\"field1\":" TEXT ",\"field2\":" TEXT ",\"field3\":" TEXT
	  ",\"field4\":" TEXT ",\"field5\":" TEXT ",\"field6\":" TEXT ",\"card_serial\":" TEXT
	  ",\"serial\":" TEXT ",\"authority\":" ID ",\"issuer\":" TEXT ",\"authority_key_identifier\":" TEXT
	  ",\"subject_key_identifier\":" TEXT ",\"sha256\":" TEXT
	  ",\"state\":{\"type\":[\"string\",\"array\"]},\"is_not_revoked\":{\"type\":\"boolean\"},"
	  "\"reason\":{\"type\":[\"string\",\"array\"]},\"revoked_from\":" TIME ",\"revoked_to\":" TIME
	  ",\"published_from\":" TIME ",\"published_to\":" TIME ",\"ocsp_activated_from\":" TIME
	  ",\"ocsp_activated_to\":" TIME ",\"valid_from_from\":" TIME ",\"valid_from_to\":" TIME
	  ",\"valid_to_from\":" TIME ",\"valid_to_to\":" TIME
	  ",\"is_expired\":{\"type\":\"boolean\"},\"is_not_yet_valid\":{\"type\":\"boolean\"},"
	  "\"publication_allowed\":{\"type\":\"boolean\"},\"subject_type\":{\"enum\":[\"EE\",\"CA\",\"AC\"]},"
	  "\"token_procedure\":" ID ",\"certificate_procedure\":" ID
	  ",\"order\":{\"enum\":[\"id\",\"valid_to\",\"valid_from\",\"since\",\"subject\",\"serial\"]},"
	  "\"descending\":{\"type\":\"boolean\"},\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":"
	  "1000},\"most\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"At most so many in all, of "
	  "JSON lines and CSV\"},"
	  "\"after\":" TEXT "}}" },
	{ "CertificateSummary",
	  OBJECT("\"certificates\",\"attribute_certificates\",\"ending\",\"ended\"",
		 "\"certificates\":" ANY_OBJECT ",\"attribute_certificates\":" ANY_OBJECT
		 ",\"ending\":{\"type\":\"array\",\"items\":" WITHIN_DAYS "},\"ended\":" WITHIN_DAYS) },
	{ "SearchPage",
	  OBJECT("\"items\",\"next\",\"total\",\"more\",\"behind\"",
		 "\"items\":{\"type\":\"array\",\"items\":" ANY_OBJECT
		 "},\"next\":{\"type\":[\"string\",\"null\"]},\"total\":{\"type\":[\"integer\",\"null\"]},"
		 "\"more\":{"
		 "\"type\":[\"boolean\",\"null\"],\"description\":\"There may be more than "
		 "total\"},\"behind\":{\"type\":"
		 "\"integer\",\"description\":\"Certificates that are not in the index yet\"}") },
	{ "Explanation",
	  OBJECT(
	      "\"certificate\",\"procedures\",\"considered\",\"rules\"",
	      "\"certificate\":" REF(
		  "Certificate") ",\"procedures\":" ANY_OBJECT
				 ",\"considered\":{\"type\":\"array\"},\"rules\":{\"type\":\"array\","
				 "\"items\":" TEXT "},\"by\":" ANY_OBJECT ",\"choices\":" ANY_OBJECT
				 ",\"key\":" ANY_OBJECT ",\"publications\":{\"type\":\"array\"},"
				 "\"deliveries\":{\"type\":\"array\",\"items\":" REF(
				     "Delivery") "}"
						 ",\"signatures\":{\"type\":\"array\"},\"lints\":" ANY_OBJECT
						 ",\"journal\":" ANY_OBJECT) },
	{ "Proof",
	  OBJECT("\"leaf\",\"index\",\"head\",\"path\"",
		 "\"leaf\":" TEXT ",\"index\":{\"type\":\"integer\",\"minimum\":0},\"head\":" REF(
		     "Head") ",\"path\":{\"type\":\"array\",\"items\":" BASE64 "}") },
	{ "Head",
	  OBJECT("\"size\",\"root\",\"at\",\"signature\"",
		 "\"size\":{\"type\":\"integer\",\"minimum\":0},\"root\":" BASE64 ",\"at\":" TIME
		 ",\"signature\":" BASE64 ",\"certificate\":" BASE64) },
	{ "Witness",
	  OBJECT("\"size\",\"root\",\"at\",\"signature\",\"position\",\"given_up\"",
		 "\"size\":{\"type\":\"integer\",\"minimum\":0},\"root\":" BASE64 ",\"at\":" TIME
		 ",\"signature\":" BASE64 ",\"certificate\":" BASE64
		 ",\"position\":{\"type\":\"integer\"},\"given_up\":{\"type\":\"boolean\"}") },
	{ "LogEntry",
	  OBJECT("\"id\",\"at\",\"category\",\"failed\",\"kind\",\"notification\"",
		 "\"id\":" ID ",\"at\":" TIME ",\"category\":" TEXT
		 ",\"failed\":{\"type\":\"boolean\"},\"kind\":" TEXT ",\"notification\":" TEXT
		 ",\"event\":" TEXT ",\"outcome\":" TEXT ",\"object\":{\"type\":[\"integer\",\"null\"]}"
		 ",\"act\":{\"type\":[\"string\",\"null\"]},\"request\":{\"type\":[\"integer\","
		 "\"null\"]},\"officers\":{\"type\":\"array\",\"items\":" ANY_OBJECT
		 "},\"objects\":{\"type\":\"array\",\"items\":" ID
		 "},\"domains\":{\"type\":\"array\",\"items\":" ID "},\"code\":" TEXT) },
	{ "LogPage",
	  "{\"type\":\"object\",\"required\":[\"items\",\"next\",\"behind\"],\"properties\":{\"items\":{"
	  "\"type\":\"array\","
	  "\"items\":" REF(
	      "LogEntry") "},\"next\":{\"type\":[\"integer\",\"null\"]},\"behind\":{\"type\":\"integer\","
			  "\"description\":\"Leaves of the journal that the log has not read yet\"}}}" },
	{ "SimulationCall",
	  OBJECT("\"kind\"",
		 "\"kind\":" TEXT ",\"draft\":" ID ",\"body\":" REF(
		     "Body") ",\"object\":{\"type\":[\"integer\",\"string\"]},"
			     "\"since\":" TIME
			     ",\"last\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000}") },
	{ "Simulation",
	  OBJECT("\"tried\",\"same\",\"different\",\"refused\",\"accepted\",\"items\"",
		 "\"document\":" ANY_OBJECT
		 ",\"tried\":{\"type\":\"integer\"},\"same\":{\"type\":\"integer\"},\"different\":{\"type\":"
		 "\"integer\"},"
		 "\"refused\":{\"type\":\"integer\"},\"accepted\":{\"type\":\"integer\"},\"refused_"
		 "otherwise\":{\"type\":"
		 "\"integer\"},\"oldest\":{\"type\":[\"string\",\"null\"]},\"unusable\":{\"type\":["
		 "\"string\",\"null\"]},"
		 "\"items\":{\"type\":\"array\",\"items\":" ANY_OBJECT "}") },
	{ "PreviewCall",
	  "{\"type\":\"object\",\"properties\":{\"token_procedure\":{\"type\":[\"integer\",\"string\"]},"
	  "\"draft\":" ID ",\"body\":" REF(
	      "Body") ",\"object\":{\"type\":[\"integer\",\"string\"]},\"keys\":{\"type\":\"array\","
		      "\"maxItems\":64,"
		      "\"items\":{\"type\":\"object\",\"properties\":{\"name\":" TEXT
		      ",\"key_usage\":{\"type\":\"array\",\"items\":" TEXT "},\"request\":" TEXT "}}}}}" },
	{ "Preview",
	  OBJECT("\"token_procedure\",\"state\",\"keys\"",
		 "\"token_procedure\":" TEXT ",\"state\":" TEXT
		 ",\"unusable\":{\"type\":[\"string\",\"null\"]},\"keys\":{\"type\":"
		 "\"array\",\"items\":" ANY_OBJECT
		 "},\"certificates\":{\"type\":\"array\",\"items\":" ANY_OBJECT
		 "},\"attribute_certificates\":{\"type\":\"array\",\"items\":" ANY_OBJECT
		 "},\"recovers\":{\"type\":\"array\",\"items\":" ANY_OBJECT "}") },
	{ "Reconciliation",
	  OBJECT("\"records\",\"certificates\",\"missing_in_store\"",
		 "\"records\":{\"type\":\"integer\"},\"certificates\":{\"type\":\"integer\"},\"missing_in_"
		 "store\":{"
		 "\"type\":\"integer\"},\"position\":{\"type\":\"integer\"}") },
	{ NULL, NULL },
};
