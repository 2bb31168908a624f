/* egress: is there a way out to the responders at all? */
#include "egress.h"

#include <apr_strings.h>
#include <string.h>

#include "ledger_private.h"

/* As long as the longest pause between two attempts at a host that is down,
 * unless OCSPXRetry says otherwise. */
#define WINDOW apr_time_from_sec(3600)

/* So many are named. */
#define HOSTS_NAMED 10

static int out_of_reach(ocspx_cause_e cause)
{
    return cause == OCSPX_CAUSE_DNS || cause == OCSPX_CAUSE_CONNECT_REFUSED ||
           cause == OCSPX_CAUSE_CONNECT_TIMEOUT;
}

/* Do "host:port" and "host:other" name one host? */
static int same_host(const char *a, const char *b)
{
    const char *port_a = strrchr(a, ':'), *port_b = strrchr(b, ':');

    return port_a && port_b && port_a - a == port_b - b &&
           !strncmp(a, b, (apr_size_t)(port_a - a));
}

/* --- deciding -------------------------------------------------------- */

/* Has anybody answered since then? */
static int find_answer(ocspx_ledger_host_t *answers,
                       const ocspx_ledger_t *ledger, apr_time_t since)
{
    unsigned i;

    for (i = 0; i < ledger->host_count; i++) {
        ocspx_ledger_host(answers, ledger, i);
        if (answers->asked >= since && answers->asked &&
            !out_of_reach(answers->cause))
            return 1;
    }
    return 0;
}

/* Are there two hosts that were asked since then? */
static int are_several(const ocspx_ledger_t *ledger, apr_time_t since)
{
    const char *first = NULL;
    unsigned i;

    for (i = 0; i < ledger->host_count; i++) {
        ocspx_ledger_host_t host;

        ocspx_ledger_host(&host, ledger, i);
        if (host.asked < since || !host.asked)
            continue;
        if (!first)
            first = host.name;
        if (!same_host(first, host.name))
            return 1;
    }
    return 0;
}

void ocspx_egress_note(ocspx_ledger_t *ledger, unsigned host, apr_time_t now)
{
    ocspx_ledger_set(&ledger->hosts[host].asked, (apr_uint64_t)now);
}

ocspx_egress_change_e ocspx_egress_judge(ocspx_ledger_host_t *answers,
                                         ocspx_ledger_t *ledger, int open,
                                         apr_time_t now)
{
    ocspx_ledger_word_t *closed = &ledger->head->refresher.egress_closed;
    int was_closed = ocspx_egress_closed(ledger) != 0;
    int answered = find_answer(answers, ledger, now - WINDOW);

    if (was_closed && answered) {
        ocspx_ledger_set(closed, 0);
        return OCSPX_EGRESS_OPENED;
    }
    if (!was_closed && !answered && !open &&
        are_several(ledger, now - WINDOW)) {
        ocspx_ledger_set(closed, (apr_uint64_t)now);
        return OCSPX_EGRESS_CLOSED;
    }
    return OCSPX_EGRESS_UNCHANGED;
}

/* --- telling --------------------------------------------------------- */

apr_time_t ocspx_egress_closed(const ocspx_ledger_t *ledger)
{
    return ledger
               ? ocspx_ledger_get_time(&ledger->head->refresher.egress_closed)
               : 0;
}

ocspx_cause_e ocspx_egress_cause(const ocspx_ledger_t *ledger,
                                 ocspx_cause_e cause)
{
    return ocspx_egress_closed(ledger) && out_of_reach(cause)
               ? OCSPX_CAUSE_EGRESS_BLOCKED
               : cause;
}

const char *ocspx_egress_message(const ocspx_ledger_t *ledger, apr_pool_t *p)
{
    const char *text = "no responder that was asked can be reached";
    apr_time_t closed = ocspx_egress_closed(ledger);
    unsigned i, named = 0;

    if (!closed)
        return NULL;
    for (i = 0; i < ledger->host_count; i++) {
        ocspx_ledger_host_t host;

        ocspx_ledger_host(&host, ledger, i);
        if (host.asked < closed - WINDOW || !out_of_reach(host.cause))
            continue;
        if (named++ < HOSTS_NAMED)
            text = apr_pstrcat(p, text, named > 1 ? ", " : ": ", host.name,
                               " (", ocspx_cause_code(host.cause), ")", NULL);
    }
    return named > HOSTS_NAMED
               ? apr_psprintf(p, "%s and %u more", text, named - HOSTS_NAMED)
               : text;
}
