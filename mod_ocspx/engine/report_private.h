/* report_private: what the files of the report share. */
#ifndef OCSPX_REPORT_PRIVATE_H
#define OCSPX_REPORT_PRIVATE_H

#include "report.h"

/** One certificate, as little as is needed to put it in its place. */
typedef struct ocspx_report_item_t {
    const ocspx_cert_t *cert;
    const ocspx_registry_entry_t *entry; /* NULL: not in the registry */
    const ocspx_report_other_t *other;   /* NULL: it is */
    ocspx_report_state_e state;
    apr_time_t safe_until;
} ocspx_report_item_t;

/** What the cache knows of an entry at one moment. */
typedef struct {
    ocspx_cache_state_t state;
    apr_int64_t stapled, empty, expired; /* handshakes */
    apr_size_t bytes;                    /* of what is served; 0: nothing is */
    ocspx_report_state_e verdict;
    apr_time_t safe_until;
} ocspx_report_look_t;

void ocspx_report_look(ocspx_report_look_t *look,
                       const ocspx_report_source_t *source,
                       const ocspx_registry_entry_t *entry, apr_time_t now);

/** Add without regard to overflow: who can write to the shared memory can make
 * a sum wrong, but nothing else. */
static inline void ocspx_report_sum(apr_int64_t *sum, apr_int64_t more)
{
    *sum = (apr_int64_t)((apr_uint64_t)*sum + (apr_uint64_t)more);
}

/** Is the certificate among those asked for? @param ptemp is cleared */
int ocspx_report_matches(const ocspx_report_query_t *query,
                         const ocspx_report_item_t *item, apr_pool_t *ptemp);

/** Where it is used. */
const apr_array_header_t *ocspx_report_places(const ocspx_report_item_t *item);

/** The DNS names and IP addresses that a certificate covers: const char *,
 * printable. @param most of them; 0: all. The last element says how many more
 * there are. */
apr_array_header_t *ocspx_report_names(const X509 *leaf, int most,
                                       apr_pool_t *p);

/** The part of the totals that the responders make. */
void ocspx_report_responders(ocspx_report_t *report, apr_pool_t *p);

#endif
