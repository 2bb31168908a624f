/* variables: what logs and expressions see of it, in the environment of
 * requests.
 *
 * They are set as soon as the virtual host is known, so that access control,
 * rewriting and SetEnvIf can use them, too. A request that is refused before
 * that, as it cannot be read, gets them for the log.
 */
#include "variables.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "../core/text.h"
#include "connection.h"
#include "source.h"

/* mod_ssl says of its own what is so. */
static void set_flag(request_rec *r, const char *name, int on)
{
    apr_table_setn(r->subprocess_env, name, on ? "true" : "false");
}

static void set_state(request_rec *r, const ocspx_generation_t *generation,
                      const ocspx_source_cert_t *cert)
{
    ocspx_report_source_t source = ocspx_source_of(generation);
    apr_time_t safe_until = 0;
    ocspx_report_state_e state =
        cert->entry ? ocspx_report_state(&safe_until, &source,
                                         cert->entry->index, apr_time_now())
                    : APR_ARRAY_IDX(generation->others, cert->other,
                                    ocspx_report_other_t)
                          .state;

    apr_table_setn(r->subprocess_env, "OCSPX_STATE",
                   ocspx_report_state_name(state));
    if (safe_until)
        apr_table_setn(r->subprocess_env, "OCSPX_SAFE_UNTIL",
                       ocspx_text_time(safe_until, r->pool));
}

static void set_all(request_rec *r)
{
    const ocspx_generation_t *generation = ocspx_generation_current();
    const ocspx_connection_t *connection = ocspx_connection_of(r->connection);
    const ocspx_source_cert_t *cert;

    if (!connection)
        return;
    if (!connection->resumed)
        set_flag(r, "OCSPX_STAPLED", connection->stapled);
    cert = ocspx_source_cert(generation, connection->leaf);
    if (cert)
        set_state(r, generation, cert);
}

static int post_read_request(request_rec *r)
{
    if (ocspx_settings_env_vars(r->server))
        set_all(r);
    return DECLINED;
}

static int log_transaction(request_rec *r)
{
    if (ocspx_settings_env_vars(r->server) &&
        !apr_table_get(r->subprocess_env, "OCSPX_STATE"))
        set_all(r);
    return DECLINED;
}

void ocspx_variables_register_hooks(apr_pool_t *p)
{
    ap_hook_post_read_request(post_read_request, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_log_transaction(log_transaction, NULL, NULL, APR_HOOK_FIRST);
    (void)p;
}
