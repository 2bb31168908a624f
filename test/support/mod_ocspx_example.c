/* mod_ocspx_example: another module that uses all of include/mod_ocspx.h: a
 * handler that prints what it is told, and a hook that writes down events.
 *
 *   SetHandler ocspx-example
 *   OCSPXExampleEvents /path/of/a/file
 *
 * It does without mod_ocspx where that is not loaded.
 */
#include <httpd.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>
#include <openssl/evp.h>
#include <string.h>

#include "mod_ocspx.h"

extern module AP_MODULE_DECLARE_DATA ocspx_example_module;

static APR_OPTIONAL_FN_TYPE(ocspx_connection_status) * connection_status;
static APR_OPTIONAL_FN_TYPE(ocspx_connection_stapled) * connection_stapled;
static APR_OPTIONAL_FN_TYPE(ocspx_server_status) * server_status;
static APR_OPTIONAL_FN_TYPE(ocspx_response_copy) * response_copy;

static const char *events_path;
static apr_file_t *events; /* opened before the user is changed */

static void retrieve(void)
{
    connection_status = APR_RETRIEVE_OPTIONAL_FN(ocspx_connection_status);
    connection_stapled = APR_RETRIEVE_OPTIONAL_FN(ocspx_connection_stapled);
    server_status = APR_RETRIEVE_OPTIONAL_FN(ocspx_server_status);
    response_copy = APR_RETRIEVE_OPTIONAL_FN(ocspx_response_copy);
}

/* --- the handler ------------------------------------------------------ */

static void print_times(request_rec *r, const ocspx_status_t *status)
{
    ap_rprintf(r, " this=%d next=%d safe=%d failing=%d",
               (int)apr_time_sec(status->this_update),
               (int)apr_time_sec(status->next_update),
               (int)apr_time_sec(status->safe_until),
               (int)apr_time_sec(status->failing_since));
}

static void print_response(request_rec *r, const char *fingerprint)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    const unsigned char *der;
    apr_size_t len;
    unsigned size;

    if (!response_copy(&der, &len, fingerprint, r->pool)) {
        ap_rputs(" response=none", r);
        return;
    }
    EVP_Digest(der, len, digest, &size, EVP_sha256(), NULL);
    ap_rprintf(r, " response=%" APR_SIZE_T_FMT ":%s", len,
               apr_pescape_hex(r->pool, digest, size, 0));
}

static void print_status(request_rec *r, const char *what,
                         const ocspx_status_t *status)
{
    ap_rprintf(r, "%s: %s %s %s stapled=%d cause=%s", what, status->name,
               status->state, status->fingerprint, status->stapled,
               status->cause ? status->cause : "-");
    print_times(r, status);
    print_response(r, status->fingerprint);
    ap_rprintf(r, " message=%s\n", status->message ? status->message : "-");
}

/* Of a caller that is older or newer than the module: how much is written? */
static void print_sizes(request_rec *r)
{
    struct {
        ocspx_status_t status;
        unsigned char later[64];
    } newer;
    ocspx_status_t *status = &newer.status;
    unsigned untouched = 0, i;

    memset(&newer, 0xff, sizeof(newer));
    status->size = sizeof(newer) - 16;
    ap_rprintf(r, "newer: %d",
               connection_status(status, r->connection, r->pool));
    ap_rprintf(r, " size %s", status->size == sizeof(newer) - 16 ? "kept" : "");
    for (i = 0; i < sizeof(newer.later); i++)
        untouched += newer.later[i] == 0xff;
    ap_rprintf(r, " untouched %u of %u\n", untouched, i);
    memset(&newer, 0xff, sizeof(newer));
    status->size = sizeof(status->size);
    ap_rprintf(r, "too old: %d",
               connection_status(status, r->connection, r->pool));
    ap_rprintf(r, " name %s\n",
               (apr_uintptr_t)status->name + 1 ? "written" : "untouched");
}

/* The response of whatever the query string says. */
static void print_asked(request_rec *r)
{
    if (r->args) {
        ap_rputs("asked:", r);
        print_response(r, r->args);
        ap_rputs("\n", r);
    }
}

static int handler(request_rec *r)
{
    ocspx_status_t status = {.size = sizeof(status)};
    unsigned i;

    if (!r->handler || strcmp(r->handler, "ocspx-example"))
        return DECLINED;
    ap_set_content_type(r, "text/plain");
    if (!connection_status || !connection_stapled || !server_status ||
        !response_copy) {
        ap_rputs("without mod_ocspx\n", r);
        return OK;
    }
    if (connection_status(&status, r->connection, r->pool))
        print_status(r, "connection", &status);
    ap_rprintf(r, "in its handshake: %d\n", connection_stapled(r->connection));
    for (i = 0; server_status(&status, r->server, i, r->pool); i++)
        print_status(r, apr_psprintf(r->pool, "certificate %u", i), &status);
    print_sizes(r);
    print_asked(r);
    return OK;
}

/* --- the hook --------------------------------------------------------- */

static const char *word(const char *text)
{
    return text ? text : "-";
}

static int happened(const char *event, const ocspx_status_t *status,
                    apr_pool_t *p)
{
    const char *line = apr_psprintf(
        p, "%s %s state=%s fingerprint=%s cause=%s stapled=%d size=%s\n", event,
        word(status->name), word(status->state), word(status->fingerprint),
        word(status->cause), status->stapled,
        status->size == sizeof(*status) ? "ours" : "another");

    if (events)
        apr_file_write_full(events, line, strlen(line), NULL);
    return OK;
}

static int open_events(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                       server_rec *s)
{
    (void)plog;
    (void)ptemp;
    (void)s;
    if (!events_path)
        return OK;
    return apr_file_open(&events, events_path,
                         APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_APPEND,
                         APR_FPROT_OS_DEFAULT, pconf) == APR_SUCCESS
               ? OK
               : HTTP_INTERNAL_SERVER_ERROR;
}

static const char *set_events(cmd_parms *cmd, void *dir, const char *path)
{
    (void)cmd;
    (void)dir;
    events_path = path;
    return NULL;
}

static const command_rec directives[] = {
    AP_INIT_TAKE1("OCSPXExampleEvents", set_events, NULL, RSRC_CONF,
                  "where events are written down"),
    {.name = NULL}};

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_optional_fn_retrieve(retrieve, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(open_events, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ocspx, ocspx_event, happened, NULL, NULL,
                      APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(ocspx_example) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, directives,
    register_hooks,          0};
