/* report_responders: what the responders add to the report, and what is shared
 * so as not to ask them.
 */
#include "egress.h"
#include "report_private.h"

/* Which of the ledger's hosts are asked over the network? */
static unsigned char *asked(const ocspx_report_source_t *source, unsigned hosts,
                            apr_pool_t *p)
{
    unsigned n = ocspx_registry_count(source->registry), i;
    unsigned char *flags = apr_pcalloc(p, hosts);
    int j;

    for (i = 0; i < n; i++) {
        const ocspx_registry_entry_t *entry =
            ocspx_registry_get(source->registry, i);

        if (entry->policy->response_file)
            continue;
        for (j = 0; j < entry->urls->nelts; j++)
            if (entry->responders[j] < hosts)
                flags[entry->responders[j]] = 1;
    }
    return flags;
}

static void add_host(ocspx_report_totals_t *totals,
                     const ocspx_ledger_host_t *host)
{
    unsigned i;

    ocspx_report_sum(&totals->requests, (apr_int64_t)host->requests);
    for (i = 0; i < OCSPX_CAUSE_GROUP_COUNT; i++)
        ocspx_report_sum(&totals->results[i], (apr_int64_t)host->attempts[i]);
}

static void add_egress(ocspx_report_totals_t *totals,
                       const ocspx_ledger_t *ledger, apr_pool_t *p)
{
    totals->egress_message = ocspx_egress_message(ledger, p);
    if (!totals->egress_message)
        return;
    totals->egress = ocspx_cause_code(OCSPX_CAUSE_EGRESS_BLOCKED);
    totals->egress_remedy = ocspx_cause_remedy(OCSPX_CAUSE_EGRESS_BLOCKED);
}

static void add_share(ocspx_report_totals_t *totals,
                      const ocspx_report_source_t *source)
{
    ocspx_ledger_share_t share;

    if (!source->share)
        return;
    ocspx_ledger_share(&share, source->ledger);
    totals->share = source->share;
    totals->share_down_since = share.down_since;
    totals->share_hits = (apr_int64_t)share.counts[OCSPX_LEDGER_SHARE_HIT];
    totals->share_misses = (apr_int64_t)share.counts[OCSPX_LEDGER_SHARE_MISS];
    totals->share_bad = (apr_int64_t)share.counts[OCSPX_LEDGER_SHARE_BAD];
    totals->share_puts = (apr_int64_t)share.counts[OCSPX_LEDGER_SHARE_PUT];
}

void ocspx_report_responders(ocspx_report_t *report, apr_pool_t *p)
{
    const ocspx_ledger_t *ledger = report->source->ledger;
    ocspx_report_totals_t *totals = &report->totals;
    ocspx_ledger_refresher_t refresher;
    unsigned n = ledger ? ocspx_ledger_hosts(ledger) : 0, i;
    unsigned char *flags = asked(report->source, n, p);
    apr_array_header_t *hosts =
        apr_array_make(p, 1, sizeof(ocspx_ledger_host_t));

    report->responders = hosts;
    if (!ledger)
        return;
    for (i = 0; i < n; i++) {
        ocspx_ledger_host_t host;

        ocspx_ledger_host(&host, ledger, i);
        add_host(totals, &host);
        if (flags[i])
            APR_ARRAY_PUSH(hosts, ocspx_ledger_host_t) = host;
    }
    add_egress(totals, ledger, p);
    ocspx_ledger_refresher(&refresher, ledger);
    totals->refresher_pid = refresher.pid;
    totals->refresher_turn = refresher.turn;
    add_share(totals, report->source);
}
