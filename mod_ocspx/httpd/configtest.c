/* configtest: what httpd -t says about certificates.
 *
 * mod_ssl reads no certificate in a configuration test. So the files that it
 * would read are read here, and the chains checked as at a start. With -D
 * OCSPX_CHECK the responders are asked, too; see inquiry.c. Neither touches
 * the state directory, or a server that is running.
 */
#include "configtest.h"

#include <http_core.h>

#include "inquiry.h"
#include "served.h"

APLOG_USE_MODULE(ocspx);

#define ASK "OCSPX_CHECK"

typedef struct {
    ocspx_generation_t *generation;
    ocspx_inquiry_t *inquiry; /* NULL: nobody is asked */
    apr_hash_t *stores;       /* as in ocspx_served_by_files */
    apr_hash_t *said;         /* sentences about files */
    int refused;              /* httpd would not be let start */
    apr_pool_t *pool;
} test_t;

/* One line, however many virtual hosts use the file. */
static void say(test_t *test, server_rec *s, const char *trouble)
{
    int required = ocspx_settings_chain_check(s) == OCSPX_CHAIN_CHECK_REQUIRE;

    test->refused |= required;
    if (apr_hash_get(test->said, trouble, APR_HASH_KEY_STRING))
        return;
    apr_hash_set(test->said, trouble, APR_HASH_KEY_STRING, trouble);
    ap_log_error(APLOG_MARK, required ? APLOG_CRIT : APLOG_WARNING, 0, s,
                 "OCSPX0130: %s: %s; httpd does not start unless it can use "
                 "this file, and the chain is not checked",
                 ocspx_chains_place(s, test->pool), trouble);
}

static void check_cert(test_t *test, server_rec *s,
                       const apr_array_header_t *served)
{
    ocspx_chain_t chain;

    ocspx_chains_check(&chain, test->generation->chains, s, served, test->pool);
    if (test->inquiry)
        ocspx_inquiry_add(test->inquiry, s, served, &chain);
}

static void check_server(test_t *test, server_rec *s)
{
    apr_array_header_t *troubles =
        apr_array_make(test->pool, 1, sizeof(const char *));
    apr_array_header_t *certs = ocspx_served_by_files(
        troubles, &ocspx_settings_of(s)->ssl_files, test->stores, test->pool);
    int i;

    for (i = 0; i < certs->nelts; i++)
        check_cert(test, s, APR_ARRAY_IDX(certs, i, apr_array_header_t *));
    for (i = 0; i < troubles->nelts; i++) {
        const char *trouble = APR_ARRAY_IDX(troubles, i, const char *);

        say(test, s, trouble);
        if (test->inquiry)
            ocspx_inquiry_add_trouble(test->inquiry, s, trouble);
    }
}

static int is_concerned(const test_t *test, const server_rec *s)
{
    return ocspx_ssl_files_tls(s) &&
           (test->inquiry ||
            ocspx_settings_chain_check(s) != OCSPX_CHAIN_CHECK_OFF);
}

/* @return OK: httpd may say "Syntax OK" */
static int verdict(test_t *test, server_rec *s)
{
    unsigned wanting;

    ocspx_chains_log(test->generation->chains, s);
    test->refused |= ocspx_chains_refuse(test->generation->chains);
    if (test->refused)
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                     "OCSPX0131: httpd would not start: see the error above, "
                     "where OCSPXChainCheck is require");
    wanting = test->inquiry ? ocspx_inquiry_run(test->inquiry) : 0;
    if (wanting)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "OCSPX0132: %u row%s of the table need%s action", wanting,
                     wanting == 1 ? "" : "s", wanting == 1 ? "s" : "");
    return test->refused || wanting ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                        server_rec *main_server)
{
    test_t test = {
        .generation = ocspx_generation_current(),
        .stores = apr_hash_make(pconf),
        .said = apr_hash_make(pconf),
        .pool = pconf,
    };
    server_rec *s;

    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST ||
        !ap_find_linked_module("mod_ssl.c"))
        return OK;
    test.generation->server = main_server;
    test.generation->settings = ocspx_settings_server(main_server);
    if (ap_exists_config_define(ASK))
        test.inquiry = ocspx_inquiry_make(test.generation, pconf);
    for (s = main_server; s; s = s->next)
        if (is_concerned(&test, s))
            check_server(&test, s);
    return verdict(&test, main_server);
}

void ocspx_configtest_register_hooks(apr_pool_t *p)
{
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_LAST);
    (void)p;
}
