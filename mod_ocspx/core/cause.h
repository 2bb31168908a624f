/* cause: every way stapling can fail, under one stable name. */
#ifndef OCSPX_CAUSE_H
#define OCSPX_CAUSE_H

/**
 * The causes. The names without the prefix are the codes the operator sees in
 * the log, the status page, JSON and the command line; they never change and
 * are never reused.
 */
typedef enum {
    OCSPX_CAUSE_NONE = 0,

    /* clock */
    OCSPX_CAUSE_SERVER_CLOCK,
    OCSPX_CAUSE_FUTURE,
    OCSPX_CAUSE_STALE,

    /* egress */
    OCSPX_CAUSE_DNS,
    OCSPX_CAUSE_CONNECT_REFUSED,
    OCSPX_CAUSE_CONNECT_TIMEOUT,
    OCSPX_CAUSE_EGRESS_BLOCKED,
    OCSPX_CAUSE_PROXY_DENIED,
    OCSPX_CAUSE_INTERCEPTED,

    /* signer */
    OCSPX_CAUSE_BAD_SIGNATURE,
    OCSPX_CAUSE_SIGNER_UNKNOWN,
    OCSPX_CAUSE_SIGNER_EXPIRED,
    OCSPX_CAUSE_SIGNER_NO_EKU,
    OCSPX_CAUSE_SIGNER_EXPIRES_EARLY,

    /* configuration */
    OCSPX_CAUSE_NO_URL,
    OCSPX_CAUSE_BAD_URL,
    OCSPX_CAUSE_MUST_STAPLE_OFF,
    OCSPX_CAUSE_WRONG_CERT,
    OCSPX_CAUSE_STORE_UNWRITABLE,
    OCSPX_CAUSE_SHARE_DOWN,
    OCSPX_CAUSE_SHARE_BAD,
    OCSPX_CAUSE_FILE_UNREADABLE,
    OCSPX_CAUSE_CACHE_FULL,
    OCSPX_CAUSE_SERVER_LIMITS,
    OCSPX_CAUSE_OTHER_PROVIDER,
    OCSPX_CAUSE_STAPLE_MISSING,
    OCSPX_CAUSE_HANDSHAKE_FAILED,

    /* chain */
    OCSPX_CAUSE_CHAIN_MISSING,
    OCSPX_CAUSE_CHAIN_ORDER,
    OCSPX_CAUSE_CHAIN_EXTRA,
    OCSPX_CAUSE_CHAIN_ROOT,
    OCSPX_CAUSE_CHAIN_PRIVATE,
    OCSPX_CAUSE_CHAIN_EXPIRED,
    OCSPX_CAUSE_CHAIN_WRONG_KEY,
    OCSPX_CAUSE_CHAIN_NOT_CA,
    OCSPX_CAUSE_CHAIN_NOT_SERVER,
    OCSPX_CAUSE_CHAIN_WEAK,
    OCSPX_CAUSE_CHAIN_SELF_SIGNED,
    OCSPX_CAUSE_CHAIN_NAME,
    OCSPX_CAUSE_CHAIN_REFUSED,
    OCSPX_CAUSE_CHAIN_NOT_CERT,

    /* responder */
    OCSPX_CAUSE_RESP_HTTP,
    OCSPX_CAUSE_RESP_TIMEOUT,
    OCSPX_CAUSE_RESP_TRYLATER,
    OCSPX_CAUSE_RESP_INTERNAL,
    OCSPX_CAUSE_RESP_UNAUTHORIZED,
    OCSPX_CAUSE_RESP_NOT_OCSP,
    OCSPX_CAUSE_RESP_TOO_LARGE,

    /* status */
    OCSPX_CAUSE_UNKNOWN,
    OCSPX_CAUSE_REVOKED,

    OCSPX_CAUSE_COUNT
} ocspx_cause_e;

typedef enum {
    OCSPX_CAUSE_INFO,
    OCSPX_CAUSE_WARNING,
    OCSPX_CAUSE_ERROR
} ocspx_cause_severity_e;

/** What went wrong, in a word; the results of attempts are counted by it. */
typedef enum {
    OCSPX_CAUSE_GROUP_OK, /* NONE, SIGNER_EXPIRES_EARLY, and REVOKED: an answer
                             that can be used */
    OCSPX_CAUSE_GROUP_CLOCK,
    OCSPX_CAUSE_GROUP_EGRESS,
    OCSPX_CAUSE_GROUP_SIGNER,
    OCSPX_CAUSE_GROUP_CONFIGURATION,
    OCSPX_CAUSE_GROUP_CHAIN,
    OCSPX_CAUSE_GROUP_RESPONDER,
    OCSPX_CAUSE_GROUP_STATUS, /* UNKNOWN */
    OCSPX_CAUSE_GROUP_COUNT
} ocspx_cause_group_e;

ocspx_cause_group_e ocspx_cause_group(ocspx_cause_e cause);

/** "ok", "clock", "egress" ... */
const char *ocspx_cause_group_name(ocspx_cause_group_e group);

/** Stable code, such as "CONNECT_REFUSED"; "NONE" for a value out of range. */
const char *ocspx_cause_code(ocspx_cause_e cause);

/** What happened, one line without a final stop. Never NULL. */
const char *ocspx_cause_line(ocspx_cause_e cause);

/** What the operator can do about it, one sentence. Never NULL. */
const char *ocspx_cause_remedy(ocspx_cause_e cause);

ocspx_cause_severity_e ocspx_cause_severity(ocspx_cause_e cause);

/** "info", "warning" or "error". */
const char *ocspx_cause_severity_name(ocspx_cause_severity_e severity);

#endif
