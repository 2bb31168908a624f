/* egress: is there a way out to the responders at all?
 *
 * Each responder is judged by the last attempt at it. There is no way out
 * where two hosts or more were out of reach (no name, no connection), and so
 * was everybody else who was asked within the hour before, while nobody is
 * being asked who may yet answer; from then on until any responder answers,
 * whatever it says. A host on which several ports are
 * dead is one host that is down.
 *
 * Decided once, by the refresher, and kept in the ledger: log and report say
 * what stands there.
 */
#ifndef OCSPX_EGRESS_H
#define OCSPX_EGRESS_H

#include "ledger.h"

/** Writer only: responder @a host was asked over the network, to an end at
 * @a now that ocspx_ledger_note has noted. */
void ocspx_egress_note(ocspx_ledger_t *ledger, unsigned host, apr_time_t now);

typedef enum {
    OCSPX_EGRESS_UNCHANGED,
    OCSPX_EGRESS_CLOSED, /* now */
    OCSPX_EGRESS_OPENED  /* now; somebody answers */
} ocspx_egress_change_e;

/** Writer only: decide, once all that a certificate has were asked.
 * @param answers who; set with OPENED
 * @param open somebody is being asked who may yet answer */
ocspx_egress_change_e ocspx_egress_judge(ocspx_ledger_host_t *answers,
                                         ocspx_ledger_t *ledger, int open,
                                         apr_time_t now);

/** Since when there is no way out; 0: there is one. @param ledger may be NULL,
 * here and below */
apr_time_t ocspx_egress_closed(const ocspx_ledger_t *ledger);

/** What is to be told of a failure: EGRESS_BLOCKED where there is no way out
 * and that explains it, else its own @a cause. */
ocspx_cause_e ocspx_egress_cause(const ocspx_ledger_t *ledger,
                                 ocspx_cause_e cause);

/** Who is out of reach and why: "no responder that was asked can be reached:
 * a.example:80 (DNS), b.example:80 (CONNECT_REFUSED)"; NULL: there is a way
 * out. */
const char *ocspx_egress_message(const ocspx_ledger_t *ledger, apr_pool_t *p);

#endif
