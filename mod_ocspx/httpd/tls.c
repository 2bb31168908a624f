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

#include "mend.h"
#include "served.h"
#include "source.h"
#include "watchdog.h"

APLOG_USE_MODULE(ocspx);

/* The marks. */
static char left_alone[] = "mod_ssl or nobody staples it";
static char nothing_to_ask[] = "ours, but there is no responder to ask";

static int is_entry(const void *mark)
{
    return mark && mark != left_alone && mark != nothing_to_ask;
}

/* OpenSSL gives out an index for the life of the process, never 0 (that is
 * its own app_data). */
static int ex_index(void)
{
    ocspx_retained_t *retained = ocspx_generation_retained();

    if (!retained->ex_index)
        retained->ex_index = X509_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return retained->ex_index;
}

static void count(ocspx_tally_t *tally, X509 *cert, const server_rec *s,
                  apr_pool_t *p)
{
    if (!tally->count++)
        tally->example =
            apr_psprintf(p, "%s, used by %s",
                         ocspx_cert_name(X509_get_subject_name(cert), p),
                         ocspx_chains_place(s, p));
}

/* --- handshake ------------------------------------------------------- */

/* Clients by OpenSSL break off where this is more than one record, 16 KB, and
 * its own header of 4 bytes; except in TLS 1.3, which sends it elsewhere. */
#define BEFORE_TLS13_MAX (16384 - 4)

static void staple(unsigned char **der, int *len, const void *mark)
{
    ocspx_cache_t *cache = ocspx_generation_current()->cache;

    *der = NULL;
    *len = 0;
    if (is_entry(mark) && cache)
        *len = ocspx_cache_staple(der, cache,
                                  ((const ocspx_registry_entry_t *)mark)->index,
                                  apr_time_now());
}

static void withhold(unsigned char **der, int *len)
{
    OPENSSL_free(*der);
    *der = NULL;
    *len = 0;
}

static const void *mark_of(X509 *cert)
{
    return X509_get_ex_data(cert, ocspx_generation_retained()->ex_index);
}

static int is_tls13(conn_rec *c, server_rec *s)
{
    const char *protocol =
        ap_ssl_var_lookup(c->pool, s, c, NULL, "SSL_PROTOCOL");

    return protocol && !strcmp(protocol, "TLSv1.3");
}

static int get_stapling_status(unsigned char **der, int *len, conn_rec *c,
                               server_rec *s, X509 *cert)
{
    const void *mark = mark_of(cert);

    if (!mark || mark == left_alone)
        return DECLINED;
    staple(der, len, mark);
    if (*len > BEFORE_TLS13_MAX && !is_tls13(c, s))
        withhold(der, len);
    return APR_SUCCESS;
}

/* Without mod_ssl in between: where it staples nothing, as it knew no issuer
 * at startup; and where all certificates are ours, as finding out whom to ask
 * takes it six times the instructions of this. */
static int staple_directly(SSL *ssl, void *unused)
{
    unsigned char *der;
    int len;

    (void)unused;
    staple(&der, &len, mark_of(SSL_get_certificate(ssl)));
    if (len > BEFORE_TLS13_MAX && SSL_version(ssl) != TLS1_3_VERSION)
        withhold(&der, &len);
    if (!der)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, der, len);
    return SSL_TLSEXT_ERR_OK;
}

/* --- startup --------------------------------------------------------- */

/* Key of a certificate offered to providers of stapling for a server. */
static const char *offer_key(apr_ssize_t *len, const server_rec *s,
                             const char *sha1, apr_pool_t *p)
{
    enum { ADDRESS = sizeof(const server_rec *) };
    char *key = apr_palloc(p, ADDRESS + SHA_DIGEST_LENGTH);

    memcpy(key, &s, ADDRESS);
    memcpy(key + ADDRESS, sha1, SHA_DIGEST_LENGTH);
    *len = ADDRESS + SHA_DIGEST_LENGTH;
    return key;
}

/* Runs before every provider, and provides nothing: mod_ssl calls it for
 * each certificate whose issuer it found. */
static int note_offer(server_rec *s, apr_pool_t *p, const char *id,
                      apr_size_t id_len, const char *pem)
{
    apr_hash_t *offered = ocspx_generation_current()->offered;
    apr_ssize_t len;
    const char *key;

    (void)p;
    (void)pem;
    if (id_len == SHA_DIGEST_LENGTH) {
        key = offer_key(&len, s, id, apr_hash_pool_get(offered));
        apr_hash_set(offered, key, len, key);
    }
    return DECLINED;
}

static int was_offered(server_rec *s, X509 *cert)
{
    apr_hash_t *offered = ocspx_generation_current()->offered;
    unsigned char sha1[SHA_DIGEST_LENGTH];
    apr_ssize_t len;
    const char *key;

    if (X509_digest(cert, EVP_sha1(), sha1, NULL) != 1)
        return 0;
    key = offer_key(&len, s, (const char *)sha1, apr_hash_pool_get(offered));
    return apr_hash_get(offered, key, len) != NULL;
}

/* What the certificate gets as ex_data: its entry or a mark. */
static void *take_over(server_rec *s, apr_pool_t *p, X509 *x509, X509 *issuer)
{
    int explicit_ssl;
    int on = ocspx_settings_stapling(&explicit_ssl, s);
    ocspx_registry_entry_t *entry;
    ocspx_cert_t *cert;

    if (!on || !ocspx_watchdog_available())
        return left_alone;
    issuer =
        ocspx_registry_issuer(ocspx_generation_current()->registry, issuer);
    if (ocspx_cert_make(&cert, x509, issuer, p) != APR_SUCCESS)
        return left_alone;
    entry = ocspx_generation_enter(s, cert, NULL, p);
    if (entry)
        return entry;
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

/* Has another module, such as mod_md, taken it before us? */
static int has_other_provider(server_rec *s, X509 *leaf)
{
    return !X509_get_ex_data(leaf, ex_index()) && was_offered(s, leaf);
}

/* mod_ssl has not asked about a certificate whose issuer is missing; and one
 * without responder is entered for the repair alone. */
static const ocspx_registry_entry_t *arrange_repair(server_rec *s, SSL_CTX *ctx,
                                                    apr_pool_t *p)
{
    ocspx_generation_t *generation = ocspx_generation_current();
    X509 *leaf = SSL_CTX_get0_certificate(ctx);
    void *mark = X509_get_ex_data(leaf, ex_index());
    ocspx_registry_entry_t *entry = is_entry(mark) ? mark : NULL;
    ocspx_repair_t *repair = apr_palloc(p, sizeof(*repair));
    ocspx_cert_t *cert;

    if (ocspx_cert_make(&cert, leaf, NULL, p) != APR_SUCCESS)
        return NULL;
    *repair = (ocspx_repair_t){
        .cert = cert,
        .served = ocspx_served_by_ctx(ctx, p),
        .trust = ocspx_chains_trust(generation->chains, s),
        .file = ocspx_served_to_mend(&ocspx_settings_of(s)->ssl_files, leaf),
    };
    if (!entry)
        entry = ocspx_generation_enter(s, cert, repair, p);
    if (!entry->repair)
        entry->repair = repair;
    if (!mark)
        X509_set_ex_data(leaf, ex_index(), entry);
    ocspx_mend_arrange(generation, ctx, leaf, entry, staple_directly);
    return entry;
}

/* @return it can be completed, and is to be */
static int check_chain(server_rec *s, SSL_CTX *ctx, apr_pool_t *p)
{
    ocspx_chains_t *chains = ocspx_generation_current()->chains;
    ocspx_chain_t chain;
    apr_pool_t *ptemp;
    int to_repair;

    apr_pool_create(&ptemp, p);
    ocspx_chains_check(&chain, chains, s, ocspx_served_by_ctx(ctx, ptemp),
                       ptemp);
    to_repair = ocspx_settings_chain_repair(s) && ocspx_repair_possible(&chain);
    apr_pool_destroy(ptemp);
    return to_repair;
}

static void check_cert(server_rec *s, apr_pool_t *p, SSL_CTX *ctx)
{
    ocspx_generation_t *generation = ocspx_generation_current();
    X509 *leaf = SSL_CTX_get0_certificate(ctx);
    int to_repair = check_chain(s, ctx, p);
    const ocspx_registry_entry_t *entry;
    int explicit_ssl, ours, provided;
    const void *mark;

    if (ocspx_generation_rehearsal())
        return;
    ours =
        ocspx_watchdog_available() && ocspx_settings_stapling(&explicit_ssl, s);
    provided = ours && has_other_provider(s, leaf);
    if (provided)
        count(&generation->with_other_provider, leaf, s, p);
    mark = X509_get_ex_data(leaf, ex_index());
    entry = is_entry(mark) ? mark : NULL;
    if (ours && !provided && to_repair)
        entry = arrange_repair(s, ctx, p);
    if (entry)
        ocspx_source_add_entry(generation, s, leaf, entry);
    else
        ocspx_source_add(generation, s, leaf, provided);
}

static int init_server(server_rec *s, apr_pool_t *p, int is_proxy, SSL_CTX *ctx)
{
    int all_ours = 1;
    long more, first;

    if (is_proxy ||
        (ocspx_generation_rehearsal() &&
         ocspx_settings_chain_check(s) != OCSPX_CHAIN_CHECK_REQUIRE))
        return OK;
    first = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST);
    for (more = first; more == 1;
         more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT)) {
        check_cert(s, p, ctx);
        all_ours &= is_entry(
            X509_get_ex_data(SSL_CTX_get0_certificate(ctx), ex_index()));
    }
    if (first == 1 && all_ours)
        SSL_CTX_set_tlsext_status_cb(ctx, staple_directly);
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
