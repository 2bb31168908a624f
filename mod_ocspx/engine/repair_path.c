/* repair_path: grows the path from the leaf upwards. */
#include "repair_path.h"

#include <apr_strings.h>
#include <openssl/err.h>

/* So many certificates of one offer are looked at. */
#define OFFER_MAX 50

/* What becomes of a path, from bad to good. */
typedef enum {
    OUTLOOK_DEAD,    /* clients refuse it, whatever is added */
    OUTLOOK_PRIVATE, /* complete for clients that know a root we do not */
    OUTLOOK_OPEN,    /* somebody can be asked for the next certificate */
    OUTLOOK_COMPLETE
} outlook_e;

typedef struct {
    int length; /* of the path; 0: none has been looked at */
    outlook_e outlook;
    ocspx_chain_t chain;
} view_t;

/* --- judging --------------------------------------------------------- */

static const ocspx_chain_finding_t *finding(const ocspx_chain_t *chain, int i)
{
    return &APR_ARRAY_IDX(chain->findings, i, ocspx_chain_finding_t);
}

/* An error that another certificate on top would not mend. */
static int is_fatal(const ocspx_chain_finding_t *f)
{
    return f->severity == OCSPX_CAUSE_ERROR &&
           f->cause != OCSPX_CAUSE_CHAIN_MISSING &&
           f->cause != OCSPX_CAUSE_CHAIN_WRONG_KEY;
}

static int is_open(const ocspx_chain_t *chain)
{
    int i;

    for (i = 0; i < chain->findings->nelts; i++)
        if (is_fatal(finding(chain, i)))
            return 0;
    return ocspx_repair_possible(chain);
}

static int is_private(const ocspx_chain_t *chain)
{
    int i;

    for (i = 0; i < chain->findings->nelts; i++)
        if (finding(chain, i)->cause == OCSPX_CAUSE_CHAIN_PRIVATE)
            return 1;
    return 0;
}

/* Publicly trusted CAs log what they issue. */
static int is_public(X509 *leaf)
{
    return X509_get_ext_by_NID(leaf, NID_ct_precert_scts, -1) >= 0;
}

static outlook_e outlook(const ocspx_chain_t *chain, X509 *leaf)
{
    if (!chain->complete)
        return is_open(chain) ? OUTLOOK_OPEN : OUTLOOK_DEAD;
    if (!is_private(chain))
        return OUTLOOK_COMPLETE;
    /* Anybody can make a certificate of their own for the CA's key. */
    return is_public(leaf) ? OUTLOOK_DEAD : OUTLOOK_PRIVATE;
}

static view_t look(const ocspx_repair_try_t *attempt, apr_time_t now)
{
    const ocspx_chain_question_t question = {
        .served = attempt->path,
        .trust = attempt->repair->trust,
        .now = now,
    };
    view_t view = {.length = attempt->path->nelts};

    ocspx_chain_judge(&view.chain, &question, attempt->pool);
    view.outlook = outlook(&view.chain, attempt->repair->cert->leaf);
    return view;
}

/* Why a chain is not complete: the finding that says most. */
static void explain(ocspx_cause_e *cause, const char **message,
                    const ocspx_chain_t *chain)
{
    const ocspx_chain_finding_t *why = NULL;
    int i;

    for (i = chain->findings->nelts - 1; i >= 0; i--)
        if (!why || !is_fatal(why) || is_fatal(finding(chain, i)))
            why = finding(chain, i);
    *cause = OCSPX_CAUSE_CHAIN_REFUSED;
    if (why && why->cause != OCSPX_CAUSE_CHAIN_PRIVATE)
        *cause = why->cause;
    *message = why ? why->message : "there is nothing to add";
}

/* --- the path -------------------------------------------------------- */

static X509 *top(const ocspx_repair_try_t *attempt)
{
    return APR_ARRAY_IDX(attempt->path, attempt->path->nelts - 1, X509 *);
}

static int is_on_path(const ocspx_repair_try_t *attempt, const X509 *cert)
{
    int i;

    for (i = 0; i < attempt->path->nelts; i++)
        if (!X509_cmp(APR_ARRAY_IDX(attempt->path, i, X509 *), cert))
            return 1;
    return 0;
}

/* Of what is offered, that which signed the top and has the best outlook;
 * NULL: none did. */
static X509 *choose(view_t *with, ocspx_repair_try_t *attempt,
                    const apr_array_header_t *offer, apr_time_t now)
{
    X509 *best = NULL;
    int i;

    for (i = 0; i < offer->nelts && i < OFFER_MAX; i++) {
        X509 *cert = APR_ARRAY_IDX(offer, i, X509 *);
        view_t view;

        if (is_on_path(attempt, cert) ||
            !ocspx_chain_issued(cert, top(attempt)))
            continue;
        APR_ARRAY_PUSH(attempt->path, X509 *) = cert;
        view = look(attempt, now);
        apr_array_pop(attempt->path);
        if (best && view.outlook <= with->outlook)
            continue;
        best = cert;
        *with = view;
    }
    return best;
}

/* A root on top of what is complete without it is of no use. */
static int is_progress(const view_t *view, const view_t *best)
{
    if (!best->length)
        return 1;
    if (view->outlook == OUTLOOK_PRIVATE)
        return best->outlook != OUTLOOK_PRIVATE;
    return view->outlook != OUTLOOK_DEAD;
}

/* Add what fits, as far up as it is better than @a best, and not beyond @a most
 * certificates. */
static void climb(view_t *best, ocspx_repair_try_t *attempt,
                  const apr_array_header_t *offer, int most, apr_time_t now)
{
    int length = attempt->path->nelts;
    view_t view;
    X509 *next;

    ERR_set_mark(); /* even to compare a bad certificate leaves an error */
    while (best->outlook != OUTLOOK_COMPLETE && attempt->path->nelts < most &&
           (next = choose(&view, attempt, offer, now))) {
        APR_ARRAY_PUSH(attempt->path, X509 *) = next;
        if (is_progress(&view, best))
            *best = view;
    }
    ERR_pop_to_mark();
    attempt->path->nelts = best->length ? best->length : length;
}

/* --- why nothing fits ------------------------------------------------ */

static const char *subject(const X509 *cert, apr_pool_t *p)
{
    return ocspx_cert_name(X509_get_subject_name(cert), p);
}

static int signed_by(X509 *cert, X509 *other)
{
    int ok;

    ERR_set_mark();
    ok = X509_verify(cert, X509_get0_pubkey(other)) == 1;
    ERR_pop_to_mark();
    return ok;
}

static void blame(ocspx_cause_e *cause, const char **message, X509 *cert,
                  X509 *other, apr_pool_t *p)
{
    const char *what = " does not bear the key identifier that ";
    const char *end = " names";

    *cause = OCSPX_CAUSE_CHAIN_REFUSED;
    if (!signed_by(cert, other)) {
        *cause = OCSPX_CAUSE_CHAIN_WRONG_KEY;
        what = " has the name of the issuer of ";
        end = ", but not its key";
    } else if (X509_check_ca(other) != 1) {
        *cause = OCSPX_CAUSE_CHAIN_NOT_CA;
        what = ", which signed ";
        end = ", is no CA certificate";
    }
    *message =
        apr_pstrcat(p, subject(other, p), what, subject(cert, p), end, NULL);
}

/* Of those with the right name, one with the right key says more. */
static void explain_unfit(ocspx_cause_e *cause, const char **message,
                          const ocspx_repair_try_t *attempt,
                          const apr_array_header_t *offer)
{
    X509 *cert = top(attempt);
    X509_NAME *wanted = X509_get_issuer_name(cert);
    X509 *first = APR_ARRAY_IDX(offer, 0, X509 *);
    apr_pool_t *p = attempt->pool;
    int i;

    *cause = OCSPX_CAUSE_CHAIN_REFUSED;
    *message = apr_psprintf(p, "%s is there instead of %s, which issued %s",
                            subject(first, p), ocspx_cert_name(wanted, p),
                            subject(cert, p));
    for (i = 0; i < offer->nelts && i < OFFER_MAX; i++) {
        X509 *other = APR_ARRAY_IDX(offer, i, X509 *);

        if (!X509_NAME_cmp(X509_get_subject_name(other), wanted) &&
            (*cause == OCSPX_CAUSE_CHAIN_REFUSED || signed_by(cert, other)))
            blame(cause, message, cert, other, p);
    }
}

/* --- growing --------------------------------------------------------- */

void ocspx_repair_path_start(ocspx_repair_try_t *attempt, apr_time_t now)
{
    view_t view = look(attempt, now);

    climb(&view, attempt, attempt->repair->served, OFFER_MAX, now);
    attempt->configured = attempt->path->nelts;
    if (view.outlook == OUTLOOK_OPEN)
        attempt->urls = view.chain.urls;
    else
        explain(&attempt->cause, &attempt->message, &view.chain);
}

ocspx_repair_result_e ocspx_repair_path_grow(ocspx_cause_e *cause,
                                             const char **message,
                                             ocspx_repair_try_t *attempt,
                                             const apr_array_header_t *offer,
                                             int most, apr_time_t now)
{
    int before = attempt->path->nelts;
    view_t view = {0};

    climb(&view, attempt, offer, most, now);
    if (!view.length) {
        explain_unfit(cause, message, attempt, offer);
        return OCSPX_REPAIR_REFUSED;
    }
    if (view.outlook == OUTLOOK_COMPLETE || view.outlook == OUTLOOK_PRIVATE)
        return OCSPX_REPAIR_COMPLETE;
    explain(cause, message, &view.chain);
    if (view.outlook == OUTLOOK_OPEN && view.length == most) {
        *message = apr_psprintf(attempt->pool, "%s; more than %d are not added",
                                *message, OCSPX_REPAIR_MAX);
    } else if (view.outlook == OUTLOOK_OPEN) {
        attempt->urls = view.chain.urls;
        attempt->url = 0;
        return OCSPX_REPAIR_MORE;
    }
    attempt->path->nelts = before;
    return OCSPX_REPAIR_REFUSED;
}
