/*
 * Every hard limit of the program, in one place. Bytes unless the name says otherwise.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
	LIMIT_REQUEST_ARENA = 16 << 20, /* memory that one request may use */
	LIMIT_BODY = 1 << 20,           /* HTTP body of an ordinary route */
	LIMIT_HEADERS = 16 << 10,       /* all HTTP headers of a request */
	LIMIT_BODY_SECONDS = 20,        /* until the whole of a request has come */
	LIMIT_JSON_DEPTH = 32,          /* nested arrays and objects */
	LIMIT_JSON_MEMBERS = 4096,      /* of one object */
	LIMIT_DER_DEPTH = 32,           /* nested constructed values */
	LIMIT_CSR = 64 << 10,           /* a certificate request, DER */
	LIMIT_CERT = 64 << 10,          /* a certificate, DER */
	LIMIT_TBS = 60 << 10,           /* what the signer signs */
	LIMIT_CRL = 256 << 20,          /* a revocation list, DER */
	LIMIT_CRL_ENTRY = 8 << 10,      /* one entry of it */
	LIMIT_OCSP_REQUEST = 16 << 10,  /* an OCSP request, DER */
	LIMIT_OCSP_RESPONSE = 64 << 10, /* an OCSP response, DER */
	LIMIT_OCSP_IDS = 50,            /* certificates asked about in one request */
	LIMIT_OCSP_KEPT = 1 << 20,      /* OCSP answers in memory, 400 bytes each */
	LIMIT_NAME_ATTRS = 64,          /* attributes in one distinguished name */
	LIMIT_SAN = 1000,               /* general names in one extension */
	LIMIT_EXTENSIONS = 64,          /* in one certificate or request */
	LIMIT_SERIAL = 20,              /* RFC 5280 4.1.2.2 */
	LIMIT_CMS = 1 << 20,            /* an officer's signature with what it signs */
	LIMIT_CONTEXT = 16 << 10,       /* the context blob of a signature in the signer's journal */
	LIMIT_SIGNER_BATCH = 256,       /* messages that the signer takes at once */
	LIMIT_SIGNER_INFLIGHT = 4096,   /* requests without an answer yet */
	LIMIT_FRAME = 128 << 10,        /* a message between two of our processes */
	LIMIT_COMMIT_BATCH = 1000,      /* changes in one database transaction */
	LIMIT_COMMIT_QUEUE = 8192,      /* changes that wait for the committer */
	LIMIT_CHANGE = 64 << 20,        /* memory of one change, LIMIT_BULK certificates and more */
	LIMIT_CONNECTIONS = 4096,       /* open HTTP connections */
	LIMIT_PAGE = 1000,              /* rows of one page of a list */
	LIMIT_BULK = 100,               /* objects in one signed request */
	LIMIT_BULK_STATUS = 1000,       /* certificates whose status one signed request changes */
	LIMIT_BULK_PASSWORD = 10,       /* of them where each one's revocation password is looked at */
	LIMIT_SELECTIONS = 100,         /* of one officer that are not submitted yet */
	LIMIT_IMPORT = 500,             /* foreign certificates in one signed request */
	LIMIT_IMPORT_CRL = 380 << 10,   /* a foreign revocation list in one, DER */
	LIMIT_CA_WARN_DAYS = 180,       /* before the certificate of an authority ends */
	LIMIT_OFFICER_WARN_DAYS = 90,   /* before the last certificate of an officer ends */
};

#endif
