/* report: what the operator is to know, as one model: totals, a row for each
 * certificate, responders, findings. Every output prints this and nothing
 * else.
 *
 *   report = ocspx_report_make(&source, &query, now, p);
 *   for (i = 0; i < report->count; i++)
 *       ocspx_report_row(&row, report, i, p);
 *
 * The model knows all certificates, but makes the text of those rows alone
 * that are asked for: 10,000 of them are no burden.
 */
#ifndef OCSPX_REPORT_H
#define OCSPX_REPORT_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>
#include <jansson.h>

#include "../core/chain.h"
#include "cache.h"
#include "ledger.h"
#include "registry.h"

/* Worst first: the order of the rows. */
typedef enum {
    OCSPX_REPORT_FAILING,        /* the last attempt failed; what there is, if
                                    anything, is served until it expires */
    OCSPX_REPORT_REVOKED,        /* stapled, and it says revoked */
    OCSPX_REPORT_WITHHELD,       /* revoked, and not stapled for that reason */
    OCSPX_REPORT_WAITING,        /* nothing yet, and no attempt has failed */
    OCSPX_REPORT_STAPLED,        /* good */
    OCSPX_REPORT_OTHER_PROVIDER, /* another module staples it */
    OCSPX_REPORT_NOT_APPLICABLE, /* it names no responder, or stapling is off */
    OCSPX_REPORT_STATES
} ocspx_report_state_e;

/** "failing", "other-provider" ... */
const char *ocspx_report_state_name(ocspx_report_state_e state);

/** A certificate that is not in the registry. */
typedef struct {
    const ocspx_cert_t *cert;
    ocspx_report_state_e state; /* OTHER_PROVIDER, NOT_APPLICABLE; FAILING
                                   where it ought to be stapled */
    ocspx_cause_e cause;        /* OTHER_PROVIDER, NO_URL ... or NONE */
    const char *reason;         /* one sentence; becomes the row's message */
    apr_array_header_t *places; /* const char * */
} ocspx_report_other_t;

/** A finding of the chain check. */
typedef struct {
    const char *place;
    unsigned others; /* virtual hosts that have it too */
    ocspx_chain_finding_t finding;
} ocspx_report_finding_t;

/** Where everything comes from; const while a report is made. */
typedef struct {
    const ocspx_registry_t *registry;
    const ocspx_cache_t *cache;         /* NULL: nothing to staple */
    const ocspx_ledger_t *ledger;       /* NULL with it */
    const apr_array_header_t *others;   /* ocspx_report_other_t */
    const apr_array_header_t *findings; /* ocspx_report_finding_t */
    const char *share; /* where servers share responses; NULL: nowhere */
} ocspx_report_source_t;

/** What is asked for; all zero: everything, on one page. */
typedef struct {
    const char *search;   /* in names, places, responder, subject; NULL: any */
    const char *state;    /* name of a state; NULL: any */
    const char *cert;     /* fingerprint, 64 hex digits; NULL: any */
    unsigned page;        /* from 1; 0: all on one page */
    unsigned page_length; /* rows; 0: 100 */
} ocspx_report_query_t;

typedef struct {
    apr_time_t generated;
    const char *version;
    apr_int64_t certificates;
    apr_int64_t states[OCSPX_REPORT_STATES];
    apr_time_t earliest_safe_until; /* of what is stapled now; 0: nothing is */
    const char *earliest;           /* name of that certificate; NULL */
    apr_int64_t requests;           /* sent to responders */
    apr_int64_t results[OCSPX_CAUSE_GROUP_COUNT]; /* attempts, by result */
    apr_int64_t stapled, empty, expired;          /* handshakes that asked */
    apr_int64_t cache_bytes, cache_used;
    const char *share; /* NULL: nothing is shared; then the next are 0 */
    apr_time_t share_down_since; /* 0: it works */
    apr_int64_t share_hits, share_misses, share_bad, share_puts;
    apr_int64_t refresher_pid; /* 0: none yet */
    apr_time_t refresher_turn;
    apr_int64_t findings[3];    /* by ocspx_cause_severity_e */
    const char *egress;         /* "EGRESS_BLOCKED"; NULL: there is a way out */
    const char *egress_message; /* which hosts and ports; NULL with it */
    const char *egress_remedy;  /* NULL with it */
} ocspx_report_totals_t;

typedef struct {
    unsigned index; /* of the registry's entry; -1u: not in it */
    const char *name;
    const char *state;
    apr_int64_t revoked; /* the last response says so; also while FAILING */
    const apr_array_header_t *names; /* const char *: all it covers */
    const apr_array_header_t
        *vhosts; /* const char *: "name:port (file:line)" */
    const char *subject, *issuer;
    const char *key_type; /* "EC 256", "RSA 2048" */
    const char *fingerprint, *serial;
    apr_int64_t must_staple;
    apr_time_t not_before, not_after;
    apr_time_t this_update, next_update, fetched, next_try, safe_until;
    apr_time_t held_until;       /* 0: what is stapled is the newest */
    const char *responder;       /* URL asked first, or file; NULL */
    const char *address;         /* of the last attempt; NULL */
    apr_interval_time_t latency; /* of the last attempt; -1: there was none */
    apr_int64_t http_status;     /* 0: none */
    const char *cause, *cause_line, *message, *remedy; /* NULL: all is well */
    apr_time_t failing_since;
    apr_int64_t tries; /* that failed, in a row */
    apr_int64_t requests;
    apr_int64_t bytes;
    apr_int64_t asked, stapled, empty, expired; /* handshakes */
    const char *source; /* "network", "disk", "file", "shared"; NULL: nothing */
} ocspx_report_row_t;

typedef struct {
    ocspx_report_totals_t totals; /* of everything, whatever is asked for */
    unsigned count;               /* rows on this page */
    unsigned matching;            /* rows on all pages */
    unsigned page, pages;         /* from 1 */
    const apr_array_header_t *responders; /* ocspx_ledger_host_t: those asked
                                             over the network, not files */
    const ocspx_report_source_t *source;
    const char *cert;                        /* the query's; NULL: any */
    const struct ocspx_report_item_t *items; /* private: of this page */
} ocspx_report_t;

/** Any thread. The report refers to the source and, for its fingerprint, to
 * the query; they outlive it. */
ocspx_report_t *ocspx_report_make(const ocspx_report_source_t *source,
                                  const ocspx_report_query_t *query,
                                  apr_time_t now, apr_pool_t *p);

/** Row @a i of the page, as it is now; texts live as long as @a p and the
 * source. */
void ocspx_report_row(ocspx_report_row_t *row, const ocspx_report_t *report,
                      unsigned i, apr_pool_t *p);

/** The row of the registry's entry @a index, without a report. */
void ocspx_report_entry(ocspx_report_row_t *row,
                        const ocspx_report_source_t *source, unsigned index,
                        apr_time_t now, apr_pool_t *p);

/** The state alone; needs no memory. @param safe_until may be NULL */
ocspx_report_state_e ocspx_report_state(apr_time_t *safe_until,
                                        const ocspx_report_source_t *source,
                                        unsigned index, apr_time_t now);

/** With one certificate alone: its last attempts, latest first; @return how
 * many. 0 where the report is about several. */
unsigned
ocspx_report_history(ocspx_ledger_attempt_t attempts[OCSPX_LEDGER_ATTEMPTS],
                     const ocspx_report_t *report);

/* --- the fields, as data: one table for every output ------------------ */

typedef enum {
    OCSPX_REPORT_TEXT,     /* const char *; NULL: unknown */
    OCSPX_REPORT_LIST,     /* const apr_array_header_t *, of const char * */
    OCSPX_REPORT_TIME,     /* apr_time_t; 0: none */
    OCSPX_REPORT_DURATION, /* apr_interval_time_t; below 0: none */
    OCSPX_REPORT_COUNT,    /* apr_int64_t */
    OCSPX_REPORT_FLAG      /* apr_int64_t, 0 or 1 */
} ocspx_report_kind_e;

typedef struct {
    const char *key;   /* JSON and ?auto: "safeUntil" */
    const char *label; /* HTML and command line: "Safe until" */
    const char *help;  /* one line, for OpenMetrics and --help */
    ocspx_report_kind_e kind;
    apr_size_t offset; /* in the row, or in the totals */
} ocspx_report_field_t;

/** Each ends with a key that is NULL. */
extern const ocspx_report_field_t ocspx_report_row_fields[];
extern const ocspx_report_field_t ocspx_report_total_fields[];

/** The field's value as text: times by RFC 3339, durations in seconds
 * ("0.042"), flags "yes" or "no", lists with ", "; NULL: unknown or none. */
const char *ocspx_report_text(const ocspx_report_field_t *field, const void *of,
                              apr_pool_t *p);

/** A new value: null, string, array, number (durations in seconds), boolean. */
json_t *ocspx_report_json(const ocspx_report_field_t *field, const void *of,
                          apr_pool_t *p);

/** All fields of a row or of the totals, as a new object. */
json_t *ocspx_report_object(const ocspx_report_field_t *fields, const void *of,
                            apr_pool_t *p);

/** A finding, as a new object. */
json_t *ocspx_report_finding(const ocspx_report_finding_t *of, apr_pool_t *p);

/**
 * The whole report as JSON, in pieces: {"totals":{...},"page":n,"pages":n,
 * "matching":n,"certificates":[...],"responders":[...],"findings":[...]}.
 * With one certificate alone it has "history", too.
 * @param write takes each piece; the memory of one row is used at a time
 */
void ocspx_report_print_json(const ocspx_report_t *report,
                             void (*write)(void *baton, const char *piece,
                                           apr_size_t len),
                             void *baton, apr_pool_t *p);

#endif
