/* tls: the hooks that mod_ssl calls.
 *
 * A certificate that is stapled carries its registry entry as ex_data, so
 * that a handshake finds its cache slot without a look-up. One that mod_ssl
 * asked about and that is not stapled carries a mark instead. One without
 * either mod_ssl never asked about: another provider took it before, or its
 * issuer could not be found.
 */
#include "tls.h"

#include <apr_optional_hooks.h>
#include <apr_strings.h>
#include <http_ssl.h>
#include <mod_ssl_openssl.h>
#include <openssl/sha.h>

#include "watchdog.h"

APLOG_USE_MODULE(ocspx);

/* The marks. */
static char left_alone[] = "mod_ssl or nobody staples it";
static char nothing_to_ask[] = "ours, but there is no responder to ask";

/* OpenSSL gives out an index for the life of the process, never 0 (that is
 * its own app_data). */
static int ex_index(void)
{
    ocspx_retained_t *retained = ocspx_generation_retained();

    if (!retained->ex_index)
        retained->ex_index = X509_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return retained->ex_index;
}

static const char *place(const server_rec *s, apr_pool_t *p)
{
    unsigned port = s->addrs ? s->addrs->host_port : s->port;

    if (!s->defn_name)
        return apr_psprintf(p, "%s:%u (main server)", s->server_hostname, port);
    return apr_psprintf(p, "%s:%u (%s:%u)", s->server_hostname, port,
                        s->defn_name, s->defn_line_number);
}

static void count(ocspx_tally_t *tally, X509 *cert, const server_rec *s,
                  apr_pool_t *p)
{
    if (!tally->count++)
        tally->example = apr_psprintf(
            p, "%s, used by %s",
            ocspx_cert_name(X509_get_subject_name(cert), p), place(s, p));
}

/* --- startup --------------------------------------------------------- */

/* Key of a certificate offered to providers of stapling for a server. */
static const char *offer_key(apr_ssize_t *len, const server_rec *s,
                             const char *sha1, apr_pool_t *p)
{
    char *key = apr_palloc(p, sizeof(s) + SHA_DIGEST_LENGTH);

    memcpy(key, &s, sizeof(s));
    memcpy(key + sizeof(s), sha1, SHA_DIGEST_LENGTH);
    *len = sizeof(s) + SHA_DIGEST_LENGTH;
    return key;
}

/* Runs before every provider, and provides nothing: mod_ssl calls it for
 * each certificate whose issuer it found. */
static int note_offer(server_rec *s, apr_pool_t *p, const char *id,
                      apr_size_t id_len, const char *pem)
{
    apr_ssize_t len;
    const char *key;

    (void)pem;
    if (id_len == SHA_DIGEST_LENGTH) {
        key = offer_key(&len, s, id, p);
        apr_hash_set(ocspx_generation_current()->offered, key, len, key);
    }
    return DECLINED;
}

static int was_offered(server_rec *s, X509 *cert, apr_pool_t *p)
{
    unsigned char sha1[SHA_DIGEST_LENGTH];
    apr_ssize_t len;
    const char *key;

    if (X509_digest(cert, EVP_sha1(), sha1, NULL) != 1)
        return 0;
    key = offer_key(&len, s, (const char *)sha1, p);
    return apr_hash_get(ocspx_generation_current()->offered, key, len) != NULL;
}

/* The registry entry for a certificate of virtual host s; NULL: it cannot be
 * asked about. */
static ocspx_registry_entry_t *enter(server_rec *s, apr_pool_t *p,
                                     const ocspx_cert_t *cert)
{
    ocspx_generation_t *generation = ocspx_generation_current();
    unsigned before = ocspx_registry_count(generation->registry);
    ocspx_registry_entry_t *entry;
    const char *conflict;

    if (cert->bad_url)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "OCSPX0101: %s: %s: %s. %s", cert->name,
                     ocspx_cause_code(OCSPX_CAUSE_BAD_URL), cert->bad_url,
                     ocspx_cause_remedy(OCSPX_CAUSE_BAD_URL));
    entry = ocspx_registry_add(generation->registry, &conflict, cert, NULL,
                               ocspx_settings_policy(s, p), place(s, p));
    if (ocspx_registry_count(generation->registry) > before)
        APR_ARRAY_PUSH(generation->vhosts, server_rec *) = s;
    if (conflict)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "OCSPX0102: %s",
                     conflict);
    return entry;
}

static void warn_must_staple(server_rec *s, const ocspx_cert_t *cert,
                             const char *why)
{
    if (cert->must_staple)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "OCSPX0103: %s: %s: clients demand a staple for this "
                     "certificate, but %s. %s",
                     cert->name, ocspx_cause_code(OCSPX_CAUSE_MUST_STAPLE_OFF),
                     why, ocspx_cause_remedy(OCSPX_CAUSE_MUST_STAPLE_OFF));
}

/* What the certificate gets as ex_data: its entry or a mark. */
static void *take_over(server_rec *s, apr_pool_t *p, X509 *x509, X509 *issuer)
{
    int explicit_ssl;
    int on = ocspx_settings_stapling(&explicit_ssl, s);
    ocspx_registry_entry_t *entry;
    ocspx_cert_t *cert;

    if (!ocspx_watchdog_available() ||
        ocspx_cert_make(&cert, x509, issuer, p) != APR_SUCCESS)
        return left_alone;
    if (!on) {
        if (!explicit_ssl)
            warn_must_staple(s, cert, "stapling is switched off");
        return left_alone;
    }
    entry = enter(s, p, cert);
    if (entry)
        return entry;
    warn_must_staple(s, cert, "there is no responder to ask");
    count(&ocspx_generation_current()->without_responder, x509, s, p);
    /* Left to mod_ssl it would be an error in the log each time. */
    return explicit_ssl ? nothing_to_ask : left_alone;
}

static int init_stapling_status(server_rec *s, apr_pool_t *p, X509 *x509,
                                X509 *issuer)
{
    int explicit_ssl;
    void *mark;

    if (ocspx_generation_rehearsal())
        return ocspx_settings_stapling(&explicit_ssl, s) ? OK : DECLINED;
    mark = take_over(s, p, x509, issuer);
    X509_set_ex_data(x509, ex_index(), mark);
    return mark == left_alone ? DECLINED : OK;
}

static void check_not_asked(server_rec *s, apr_pool_t *p, X509 *cert)
{
    STACK_OF(OPENSSL_STRING) * urls;

    if (X509_get_ex_data(cert, ex_index()))
        return;
    if (was_offered(s, cert, p)) {
        count(&ocspx_generation_current()->with_other_provider, cert, s, p);
        return;
    }
    urls = X509_get1_ocsp(cert);
    if (urls)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "OCSPX0104: %s, used by %s: %s: its issuer %s is not in "
                     "the chain, so it cannot be stapled. %s",
                     ocspx_cert_name(X509_get_subject_name(cert), p),
                     place(s, p), ocspx_cause_code(OCSPX_CAUSE_CHAIN_MISSING),
                     ocspx_cert_name(X509_get_issuer_name(cert), p),
                     ocspx_cause_remedy(OCSPX_CAUSE_CHAIN_MISSING));
    X509_email_free(urls);
}

static int init_server(server_rec *s, apr_pool_t *p, int is_proxy, SSL_CTX *ctx)
{
    int explicit_ssl;
    long more;

    if (is_proxy || ocspx_generation_rehearsal() ||
        !ocspx_watchdog_available() ||
        !ocspx_settings_stapling(&explicit_ssl, s))
        return OK;
    for (more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST); more == 1;
         more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT))
        check_not_asked(s, p, SSL_CTX_get0_certificate(ctx));
    return OK;
}

static void log_tally(server_rec *s, const char *tag, ocspx_cause_e cause,
                      const char *what, const ocspx_tally_t *tally)
{
    if (tally->count)
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s,
                     "%s: %s: %u certificate%s %s (the first: %s)", tag,
                     ocspx_cause_code(cause), tally->count,
                     tally->count == 1 ? "" : "s", what, tally->example);
}

void ocspx_tls_log_summary(const ocspx_generation_t *generation)
{
    log_tally(generation->server, "OCSPX0105", OCSPX_CAUSE_NO_URL,
              "without OCSP responder: nothing to staple",
              &generation->without_responder);
    log_tally(generation->server, "OCSPX0106", OCSPX_CAUSE_OTHER_PROVIDER,
              "stapled by another module, such as mod_md with MDStapling",
              &generation->with_other_provider);
}

/* --- handshake ------------------------------------------------------- */

/* Clients by OpenSSL break off where this is more than one record, 16 KB, and
 * its own header of 4 bytes; except in TLS 1.3, which sends it elsewhere. */
#define BEFORE_TLS13_MAX (16384 - 4)

static int has_room(int len, conn_rec *c, server_rec *s)
{
    const char *protocol;

    if (len <= BEFORE_TLS13_MAX)
        return 1;
    protocol = ap_ssl_var_lookup(c->pool, s, c, NULL, "SSL_PROTOCOL");
    return protocol && !strcmp(protocol, "TLSv1.3");
}

static int get_stapling_status(unsigned char **der, int *len, conn_rec *c,
                               server_rec *s, X509 *cert)
{
    const void *mark =
        X509_get_ex_data(cert, ocspx_generation_retained()->ex_index);
    ocspx_cache_t *cache = ocspx_generation_current()->cache;

    if (!mark || mark == left_alone)
        return DECLINED;
    *der = NULL;
    *len = 0;
    if (mark != nothing_to_ask && cache)
        *len = ocspx_cache_staple(der, cache,
                                  ((const ocspx_registry_entry_t *)mark)->index,
                                  apr_time_now());
    if (!has_room(*len, c, s)) {
        OPENSSL_free(*der);
        *der = NULL;
        *len = 0;
    }
    return APR_SUCCESS;
}

void ocspx_tls_register_hooks(apr_pool_t *p)
{
    ap_hook_ssl_ocsp_prime_hook(note_offer, NULL, NULL, APR_HOOK_REALLY_FIRST);
    APR_OPTIONAL_HOOK(ssl, init_stapling_status, init_stapling_status, NULL,
                      NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ssl, init_server, init_server, NULL, NULL,
                      APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ssl, get_stapling_status, get_stapling_status, NULL, NULL,
                      APR_HOOK_MIDDLE);
    (void)p;
}
