/* mod_ocspx.h: what other modules may ask mod_ocspx.
 *
 * All of it is optional: retrieve the functions in a hook of
 * ap_hook_optional_fn_retrieve, and do without where they are NULL.
 *
 *   static APR_OPTIONAL_FN_TYPE(ocspx_connection_status) *status_of;
 *   status_of = APR_RETRIEVE_OPTIONAL_FN(ocspx_connection_status);
 *   ...
 *   ocspx_status_t status = {.size = sizeof(status)};
 *   if (status_of && status_of(&status, r->connection, r->pool))
 *       ... status.safe_until ...
 *
 * They answer once the configuration is done, from any thread, without ever
 * waiting for anything. A function that returns 0 has changed nothing.
 */
#ifndef MOD_OCSPX_H
#define MOD_OCSPX_H

#include <apr_hooks.h>
#include <apr_optional.h>
#include <apr_optional_hooks.h>
#include <apr_time.h>
#include <httpd.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One certificate at one moment. Times are 0 where there is none. */
typedef struct {
    apr_size_t size;         /* in: sizeof(ocspx_status_t) of the caller. Later
                                versions only ever add members at the end, and
                                what a version does not know is zeroed */
    const char *fingerprint; /* SHA-256 of the certificate, lower-case hex */
    const char *name;        /* printable */
    const char *state;       /* "stapled", "failing", "waiting", "revoked",
                                "withheld", "other-provider" or
                                "not-applicable" */
    int stapled;             /* by mod_ocspx, in handshakes now */
    apr_time_t this_update, next_update; /* RFC 6960, 4.2.2.1 */
    apr_time_t safe_until;    /* stapled until then if nothing changes */
    apr_time_t failing_since; /* attempts have failed since then */
    const char *cause;        /* stable code; NULL: nothing to be told */
    const char *message;      /* the facts, one printable sentence; NULL */
} ocspx_status_t;

/**
 * The certificate that this connection was opened with; where a session was
 * resumed, in which none is sent, one that the virtual host has. Also for a
 * stream of HTTP/2. Strings live as long as @a p, as everywhere below.
 * @return 1; 0 where it is none of ours (no TLS, unknown certificate)
 */
APR_DECLARE_OPTIONAL_FN(int, ocspx_connection_status,
                        (ocspx_status_t * status, conn_rec *c, apr_pool_t *p));

/**
 * Was a response stapled in the handshake of this connection, by whomever?
 * @return 1; 0 if not, as in that of a resumed session
 */
APR_DECLARE_OPTIONAL_FN(int, ocspx_connection_stapled, (conn_rec * c));

/**
 * The certificates of a virtual host, one after the other: @a i from 0 on.
 * @return 1; 0 where there is none by that number
 */
APR_DECLARE_OPTIONAL_FN(int, ocspx_server_status,
                        (ocspx_status_t * status, server_rec *s, unsigned i,
                         apr_pool_t *p));

/**
 * A copy of the response stapled for a certificate, DER, from @a p.
 * @param fingerprint as in ocspx_status_t
 * @return 1; 0 where nothing is stapled for it, or it is unknown
 */
APR_DECLARE_OPTIONAL_FN(int, ocspx_response_copy,
                        (const unsigned char **der, apr_size_t *len,
                         const char *fingerprint, apr_pool_t *p));

/* What APR's macro for hooks wants; nothing is linked by it. */
#define OCSPX_DECLARE(type) type

/**
 * Run when something happened to a certificate, in the refresher's thread of
 * one worker process: be quick. Hook with
 *   APR_OPTIONAL_HOOK(ocspx, ocspx_event, my_event, NULL, NULL,
 *                     APR_HOOK_MIDDLE);
 * @param event "stapled", "failing", "recovered", "revoked", "expired" or
 *        "chain-broken"; ignore what you do not know
 * @param status of the certificate; with "chain-broken" its name, cause and
 *        message alone, the rest is NULL or 0. As large as its size says.
 * @param p for this call
 * @return OK or DECLINED
 */
APR_DECLARE_EXTERNAL_HOOK(ocspx, OCSPX, int, ocspx_event,
                          (const char *event, const ocspx_status_t *status,
                           apr_pool_t *p))

#ifdef __cplusplus
}
#endif

#endif
