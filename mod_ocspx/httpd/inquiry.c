/* inquiry: asks each responder once, and makes a table of what came of it.
 *
 * It works as the server does at its start: the certificates are entered in
 * the registry, and a process of the worker user asks about them and leaves
 * the results in a cache; but that is looked at, and thrown away.
 */
#include "inquiry.h"

#include <apr_strings.h>
#include <stdio.h>

#include "../core/table.h"
#include "../core/text.h"
#include "../engine/egress.h"
#include "seeder.h"

APLOG_USE_MODULE(ocspx);

/* For all of it; a single certificate has SSLStaplingResponderTimeout. */
#define WAIT apr_time_from_sec(30)

/* Virtual host, chain, responder, verdict. */
static const unsigned widths[] = {19, 17, 17, 20, 0};

/* One certificate of one virtual host. */
typedef struct {
    server_rec *server;
    const char *key;   /* kind of key; NULL: not read */
    const char *chain; /* a word or two */
    const char *verdict;
    const ocspx_registry_entry_t *entry; /* whose answer is the verdict; or
                                            NULL: there is one already */
    apr_array_header_t *notes;           /* const char *: sentences */
    int wanting;                         /* somebody has to act */
} row_t;

struct ocspx_inquiry_t {
    ocspx_generation_t *generation;
    apr_array_header_t *rows; /* row_t */
    apr_pool_t *pool;
};

/* What the refresher says is meant for a server that will go on trying. */
static void write_debug(void *baton, ocspx_log_level_e level, int entry,
                        const char *line)
{
    const ocspx_generation_t *generation = baton;

    (void)level;
    (void)entry;
    ap_log_error(APLOG_MARK, APLOG_DEBUG, 0, generation->server, "%s", line);
}

ocspx_inquiry_t *ocspx_inquiry_make(ocspx_generation_t *generation,
                                    apr_pool_t *p)
{
    ocspx_inquiry_t *inquiry = apr_pcalloc(p, sizeof(*inquiry));

    inquiry->generation = generation;
    inquiry->pool = p;
    inquiry->rows = apr_array_make(p, 16, sizeof(row_t));
    generation->settings.state_dir = NULL;
    generation->settings.share = NULL;
    generation->log = (ocspx_log_t){write_debug, generation};
    return inquiry;
}

static void note(row_t *row, const char *topic, const char *sentence)
{
    apr_pool_t *p = row->notes->pool;

    APR_ARRAY_PUSH(row->notes, const char *) =
        apr_pstrcat(p, topic, ": ", sentence, NULL);
}

static row_t *add_row(ocspx_inquiry_t *inquiry, server_rec *s)
{
    row_t *row = apr_array_push(inquiry->rows);

    *row = (row_t){
        .server = s,
        .notes = apr_array_make(inquiry->pool, 1, sizeof(const char *)),
    };
    return row;
}

void ocspx_inquiry_add_trouble(ocspx_inquiry_t *inquiry, server_rec *s,
                               const char *trouble)
{
    row_t *row = add_row(inquiry, s);

    row->chain = "unreadable";
    row->verdict = "not asked";
    row->wanting = 1;
    note(row, "file", trouble);
}

/* --- the chain ------------------------------------------------------- */

/* Findings are in order, the worst first. */
static void describe_chain(row_t *row, const ocspx_chain_t *chain,
                           apr_pool_t *p)
{
    int i;

    row->chain = "complete";
    if (ocspx_settings_chain_check(row->server) == OCSPX_CHAIN_CHECK_OFF) {
        row->chain = "not checked";
        return;
    }
    for (i = 0; i < chain->findings->nelts; i++) {
        const ocspx_chain_finding_t *finding =
            &APR_ARRAY_IDX(chain->findings, i, ocspx_chain_finding_t);
        const char *code = ocspx_cause_code(finding->cause);

        if (!i && (finding->severity > OCSPX_CAUSE_INFO || !chain->complete))
            row->chain = code;
        if (finding->severity == OCSPX_CAUSE_INFO)
            continue;
        row->wanting = 1;
        note(row, code,
             apr_psprintf(p, "%s. %s", finding->message, finding->remedy));
    }
}

/* --- whom to ask ----------------------------------------------------- */

static X509 *issuer_in(const apr_array_header_t *served)
{
    X509 *leaf = APR_ARRAY_IDX(served, 0, X509 *);
    int i;

    for (i = 1; i < served->nelts; i++)
        if (ocspx_chain_issued(APR_ARRAY_IDX(served, i, X509 *), leaf))
            return APR_ARRAY_IDX(served, i, X509 *);
    return NULL;
}

static void fail(row_t *row, ocspx_cause_e cause, const char *message,
                 apr_pool_t *p)
{
    row->verdict = ocspx_cause_code(cause);
    row->wanting = 1;
    note(row, row->verdict,
         apr_psprintf(p, "%s. %s", message, ocspx_cause_remedy(cause)));
}

static void enter(row_t *row, ocspx_cert_t *cert, apr_pool_t *p)
{
    const ocspx_registry_policy_t policy = ocspx_settings_policy(row->server);

    if (cert->issuer)
        row->entry = ocspx_generation_enter(row->server, cert, NULL, p);
    if (row->entry)
        return;
    if (cert->bad_url)
        fail(row, OCSPX_CAUSE_BAD_URL, cert->bad_url, p);
    else if (apr_is_empty_array(cert->urls) && !policy.force_url &&
             !policy.response_file)
        row->verdict = "nothing to ask";
    else
        fail(row, OCSPX_CAUSE_CHAIN_MISSING,
             "without its issuer, which is not sent, there is no question to "
             "ask",
             p);
}

static const char *kind_of_key(X509 *leaf)
{
    int kind = EVP_PKEY_base_id(X509_get0_pubkey(leaf));

    return kind == EVP_PKEY_RSA  ? "RSA"
           : kind == EVP_PKEY_EC ? "EC"
                                 : OBJ_nid2sn(kind);
}

void ocspx_inquiry_add(ocspx_inquiry_t *inquiry, server_rec *s,
                       const apr_array_header_t *served,
                       const ocspx_chain_t *chain)
{
    X509 *leaf = APR_ARRAY_IDX(served, 0, X509 *);
    row_t *row = add_row(inquiry, s);
    int explicit_ssl;
    ocspx_cert_t *cert;

    row->key = kind_of_key(leaf);
    describe_chain(row, chain, inquiry->pool);
    if (!ocspx_settings_stapling(&explicit_ssl, s))
        row->verdict = "stapling is off";
    else if (ocspx_cert_make(&cert, leaf, issuer_in(served), inquiry->pool) !=
             APR_SUCCESS)
        fail(row, OCSPX_CAUSE_WRONG_CERT, "it cannot be asked about",
             inquiry->pool);
    else
        enter(row, cert, inquiry->pool);
}

/* --- the answers ----------------------------------------------------- */

static int host_is_down(const ocspx_cache_state_t *state)
{
    return state->failures && (state->http_status != 200 ||
                               state->cause == OCSPX_CAUSE_RESP_TRYLATER ||
                               state->cause == OCSPX_CAUSE_RESP_INTERNAL);
}

/* A host that is down for one certificate is not asked for the others: what
 * it did then is the answer for these, too. */
static int state_of(ocspx_cache_state_t *state,
                    const ocspx_generation_t *generation,
                    const ocspx_registry_entry_t *entry)
{
    unsigned n = ocspx_registry_count(generation->registry);
    unsigned i;

    if (!generation->cache)
        return 0;
    ocspx_cache_state_get(state, generation->cache, entry->index);
    if (state->tried)
        return 1;
    for (i = 0; i < n; i++) {
        if (ocspx_registry_get(generation->registry, i)->host != entry->host)
            continue;
        ocspx_cache_state_get(state, generation->cache, i);
        if (host_is_down(state))
            return 1;
    }
    return 0;
}

/* Neither asked, nor its host for another one; or not done with it. */
static void note_no_time(row_t *row, apr_pool_t *p)
{
    row->verdict = "not asked in time";
    row->wanting = 1;
    note(row, "time",
         apr_psprintf(p,
                      "no answer within %d seconds, which is all that the test "
                      "takes. Ask for this one alone: ocspx fetch --cert FILE",
                      (int)apr_time_sec(WAIT)));
}

static void describe_answer(row_t *row, const ocspx_inquiry_t *inquiry)
{
    ocspx_cache_state_t state;
    apr_pool_t *p = inquiry->pool;

    if (!state_of(&state, inquiry->generation, row->entry))
        note_no_time(row, p);
    else if (state.failures)
        fail(row,
             ocspx_egress_cause(inquiry->generation->ledger,
                                (ocspx_cause_e)state.cause),
             state.message, p);
    else if (state.revoked)
        fail(row, OCSPX_CAUSE_REVOKED, ocspx_cause_line(OCSPX_CAUSE_REVOKED),
             p);
    else
        row->verdict = apr_pstrcat(p, "good until ",
                                   ocspx_text_time(state.expiry, p), NULL);
}

static void ask(ocspx_inquiry_t *inquiry)
{
    apr_status_t rv;
    unsigned carried;

    if (!ocspx_registry_count(inquiry->generation->registry))
        return;
    rv = ocspx_generation_make_cache(&carried, inquiry->generation, NULL,
                                     inquiry->pool);
    if (rv == APR_SUCCESS)
        ocspx_seeder_ask_once(inquiry->generation, WAIT, inquiry->pool);
    else
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, inquiry->generation->server,
                     "OCSPX0133: there is no shared memory for the answers");
}

/* --- the table ------------------------------------------------------- */

static const char *responder(const row_t *row, apr_pool_t *p)
{
    const char *url;

    if (!row->entry)
        return "-";
    if (row->entry->policy->response_file)
        return row->entry->policy->response_file;
    url = APR_ARRAY_IDX(row->entry->urls, 0, const char *);
    if (!strncmp(url, "http://", 7))
        url += 7;
    return ocspx_cert_printable(url, strlen(url), p);
}

static const char *server_name(const row_t *row, apr_pool_t *p)
{
    const server_rec *s = row->server;
    unsigned port = s->addrs ? s->addrs->host_port : s->port;

    return apr_psprintf(p, "%s:%u%s%s", s->server_hostname, port,
                        row->key ? " " : "", row->key ? row->key : "");
}

static void print_row(const row_t *row, apr_pool_t *p)
{
    const char *cells[] = {server_name(row, p), row->chain, responder(row, p),
                           row->verdict};
    int i;

    fputs(ocspx_table_row(cells, widths, p), stdout);
    for (i = 0; i < row->notes->nelts; i++)
        fputs(
            ocspx_table_note(APR_ARRAY_IDX(row->notes, i, const char *), 4, p),
            stdout);
}

/* httpd has its virtual hosts in reverse order: the first row of the last of
 * those before row i. */
static int first_before(const ocspx_inquiry_t *inquiry, int i)
{
    const row_t *rows = (const row_t *)(void *)inquiry->rows->elts;

    for (i--; i > 0 && rows[i - 1].server == rows[i].server; i--)
        ;
    return i;
}

static void print_table(const ocspx_inquiry_t *inquiry)
{
    static const char *const titles[] = {"VIRTUAL HOST", "CHAIN", "RESPONDER",
                                         "VERDICT"};
    int end, start, i;

    fputs(ocspx_table_row(titles, widths, inquiry->pool), stdout);
    for (end = inquiry->rows->nelts; end > 0; end = start) {
        start = first_before(inquiry, end);
        for (i = start; i < end; i++)
            print_row(&APR_ARRAY_IDX(inquiry->rows, i, row_t), inquiry->pool);
    }
    fflush(stdout);
}

unsigned ocspx_inquiry_run(ocspx_inquiry_t *inquiry)
{
    unsigned wanting = 0;
    int i;

    ask(inquiry);
    for (i = 0; i < inquiry->rows->nelts; i++) {
        row_t *row = &APR_ARRAY_IDX(inquiry->rows, i, row_t);

        if (row->entry)
            describe_answer(row, inquiry);
        wanting += (unsigned)row->wanting;
    }
    print_table(inquiry);
    return wanting;
}
