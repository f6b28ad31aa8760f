/*
 * The factory: what all use cases share. One struct factory a process; every use case takes it as its first argument
 * and may be called from any thread.
 */
#ifndef FACTORY_FACTORY_H
#define FACTORY_FACTORY_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/idgen.h"
#include "base/pace.h"
#include "base/rc.h"
#include "factory/acting.h"
#include "factory/doubt.h"
#include "factory/trouble.h"
#include "model/attribute.h"
#include "policy/snapshot.h"
#include "signer/client.h"
#include "store/store.h"

/* Labels of the signer's keys that the boot ceremony makes. */
#define KEY_SYSTEM_ROOT "system-root"
#define KEY_JOURNAL "journal"
#define KEY_TLS "tls"

#define NODE_SKEW_UNKNOWN INT64_MAX
enum { SIGNER_WAIT_MS = 30000 }; /* for one synchronous request to the signer */

/* Figures that /metrics shows. */
struct factory_figures {
	_Atomic uint64_t issued, refused, failed, adopted, judged, disagreements;
	_Atomic int64_t issuing; /* now: begun and not answered */
};

/* The walk over requests that are signed and not done; the job's own. */
struct resuming {
	int64_t after;     /* the request that was tried last; 0: from the first */
	enum code told[8]; /* the causes that the log has, until a walk went through without any */
	size_t told_n;
	bool failed; /* one of this walk */
};

/* How it stands with officers' and authorities' certificates, as of the job's last look (expiry.h); the last four are the job's own. */
struct expiry {
	_Atomic int64_t ending, ended, pair_until_ms, pair_ends;
	_Atomic int64_t cas_ending, cas_ended,
	    ca_until_ms; /* until: the first end that is to come; 0: none */
	_Atomic int64_t
	    renewed; /* certificates of officers, since start: what was seen before may not hold */
	int64_t stamp, epoch, looked_ms, told_ms;
};

/* How many revocation and issuance lists are late, and of how many procedures building fails, as of the job's last look
   (list_state.h); the last is the job's own. */
struct list_figures {
	_Atomic int64_t crls_late, crls_failing, cils_late, cils_failing;
	int64_t looked_ms;
};

/* What a status node is and has found out (node.h). */
struct node {
	char sha256[65];         /* of its key, hex; "": this is the issuing server */
	struct bytes spki;       /* that key */
	_Atomic int64_t skew_ms; /* how far the database's clock is ahead of ours; NODE_SKEW_UNKNOWN */
	_Atomic bool twin;       /* the signer's keys are not those of our certificates */
	int64_t gone[3];         /* when keys of certificates were not there, ms; the node's job alone */
};

struct factory {
	struct store *store;
	struct signer *signer;
	const char *key_archive; /* place of the archive's key: "software", or a PKCS#11 URI */
	struct idgen ids;
	int64_t owner;    /* of job leases: this process's alone */
	int64_t began_ms; /* when it was opened: what the signer has signed before is no work of ours */

	/* who we are; set once by factory_open */
	char instance[65]; /* SHA-256 of the root's DER, hex */
	struct bytes root; /* DER of the system root certificate */
	struct bytes journal_certificate, tls_certificate;
	struct arena *identity;       /* keeps the three */
	uint8_t audit_key[AUDIT_KEY]; /* for audit identities in attribute certificates */
	struct node node;

	pthread_rwlock_t policy_lock;
	struct snapshot *policy; /* in force; never NULL once opened */
	_Atomic int64_t policy_stamp;
	struct judged *judged; /* under policy_loading */
	pthread_mutex_t policy_loading;

	/* Held from reading the newest policy to the commit of an act that changes it; not while the signer works. */
	pthread_mutex_t deciding;
	pthread_mutex_t
	    revoking; /* held while statuses of certificates are decided and committed; behind deciding */
	pthread_mutex_t
	    guessing; /* held from comparing revocation passwords to what they come to; before these two */
	_Atomic int64_t
	    status_epoch; /* grows with every change of a status and every session that is closed: what was known before may not hold */
	pthread_mutex_t valuing;    /* held while values are entered into the index of the search */
	struct pace valuing_pace;   /* certificates whose values are entered at once; under valuing */
	struct acting acting;       /* the signed requests whose work is being done and committed */
	pthread_mutex_t sequencing; /* one step of the sequencer at a time, whoever wants it */
	/* Something was signed whose outcome in the store is not known: nothing is issued before reconcile has been through,
	   so that a retry finds what the first try made. */
	struct doubt doubt;
	struct sessions *sessions;
	struct in_flight *in_flight;
	struct remembered *remembered;
	struct ocsp_desk *ocsp;
	struct jobs *jobs;
	struct outbox *outbox; /* NULL: without jobs */
	struct factory_figures figures;
	struct resuming resuming;
	struct expiry expiry;
	/* While they last: of CRL and CIL procedures, what keeps their lists from being built; of document 0, what keeps a status
	   node from asking for certificates. */
	struct troubles troubles;
	struct list_figures lists;
	int64_t crls_rest_until;     /* of the job that builds revocation lists alone; monotonic, us */
	_Atomic unsigned aged_slice; /* of idempotency keys: where the job that ages them goes on */
};

struct factory_options {
	const char *store_url;
	unsigned node;
	int signer_fd;           /* taken over */
	const char *key_archive; /* where its key is made; NULL: software. It must live as long */
	int64_t longest_rest_ms; /* of a destination that fails; 0: five minutes */
};

/* Opens store and signer, completes what a crash left (reconcile), loads the policy, starts the jobs.
   CHY_NOT_SET_UP: the store has had no boot ceremony. Owned by the caller: factory_close. */
MUST enum rc factory_open(const struct factory_options *o, struct factory **ret, struct err *e);
void factory_close(struct factory *f);

/* The same without jobs, policy and identity: for the boot ceremony. */
MUST enum rc factory_open_bare(const struct factory_options *o, struct factory **ret, struct err *e);

/* The same with identity and policy, and what a crash left put right: for what is done while no server runs. */
MUST enum rc factory_open_offline(const struct factory_options *o, struct factory **ret, struct err *e);

/* A status node: beside the issuing server on its database, with a signer of its own. It tells relying parties the status of
   certificates, and writes nothing but for which keys it wants responders' certificates. */
MUST enum rc factory_open_status(const struct factory_options *o, struct factory **ret, struct err *e);
bool factory_is_node(const struct factory *f);

int64_t factory_new_id(struct factory *f);

/* The policy in force, with a reference for the caller (snapshot_unref). */
struct snapshot *factory_policy(struct factory *f);

/* Brings the store up to the signer's journal and lets issuing go on. */
MUST enum rc factory_repair(struct factory *f, struct err *e);

/* Distributor started: the link to it, taken over. */
void factory_attach_distributor(struct factory *f, int fd);

/* Signer restarted: its new socket. Repairs afterwards. */
MUST enum rc factory_attach_signer(struct factory *f, int fd, struct err *e);

#endif
