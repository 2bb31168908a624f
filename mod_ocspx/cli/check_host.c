/* check_host: handshakes with one host, questions to its certificates'
 * responders, and what all of them said.
 */
#include <apr_strings.h>
#include <openssl/err.h>

#include "check.h"

static const struct {
    int version;
    const char *version_text;
    cli_handshake_key_e key;
    const char *key_text;
} kinds[CLI_CHECK_HANDSHAKES] = {
    {TLS1_3_VERSION, "TLS 1.3", CLI_HANDSHAKE_ECDSA, "ECDSA"},
    {TLS1_3_VERSION, "TLS 1.3", CLI_HANDSHAKE_RSA, "RSA"},
    {TLS1_2_VERSION, "TLS 1.2", CLI_HANDSHAKE_ECDSA, "ECDSA"},
    {TLS1_2_VERSION, "TLS 1.2", CLI_HANDSHAKE_RSA, "RSA"},
};

const char *cli_check_version(int i)
{
    return kinds[i].version_text;
}

const char *cli_check_key(int i)
{
    return kinds[i].key_text;
}

/* --- handshakes ------------------------------------------------------ */

/* All that follow go where the first one went: facts of one server. */
static apr_array_header_t *only(const cli_address_t *peer, apr_pool_t *p)
{
    apr_array_header_t *one = apr_array_make(p, 1, sizeof(*peer));

    APR_ARRAY_PUSH(one, cli_address_t) = *peer;
    return one;
}

static void shake_hands(cli_check_host_t *host,
                        const apr_array_header_t *addresses,
                        apr_interval_time_t timeout, apr_pool_t *p)
{
    const cli_check_target_t *target = host->target;

    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i++) {
        cli_handshake_t *handshake = &host->handshakes[i];
        cli_handshake_question_t question = {
            .name = target->is_address ? NULL : target->host,
            .version = kinds[i].version,
            .key = kinds[i].key,
            .timeout = timeout,
        };

        cli_handshake(handshake, &question, addresses, p);
        if (handshake->result == CLI_HANDSHAKE_HOPELESS)
            return;
        if (addresses->nelts > 1)
            addresses = only(handshake->peer, p);
    }
}

/* --- certificates ---------------------------------------------------- */

static int same_certs(const apr_array_header_t *a, const apr_array_header_t *b)
{
    int same = a->nelts == b->nelts;

    for (int i = 0; same && i < a->nelts; i++)
        same =
            !X509_cmp(APR_ARRAY_IDX(a, i, X509 *), APR_ARRAY_IDX(b, i, X509 *));
    return same;
}

static apr_status_t free_cert(void *cert)
{
    X509_free(cert);
    return APR_SUCCESS;
}

/* From those that clients trust. */
static X509 *trusted_issuer(X509 *leaf, const ocspx_chain_trust_t *trust,
                            apr_pool_t *p)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509 *issuer = NULL;

    ERR_set_mark();
    if (ctx && X509_STORE_CTX_init(ctx, trust->roots, leaf, NULL) &&
        X509_STORE_CTX_get1_issuer(&issuer, ctx, leaf) == 1)
        apr_pool_cleanup_register(p, issuer, free_cert, apr_pool_cleanup_null);
    X509_STORE_CTX_free(ctx);
    ERR_pop_to_mark();
    return issuer && ocspx_chain_issued(issuer, leaf) ? issuer : NULL;
}

static X509 *find_issuer(const apr_array_header_t *served,
                         const ocspx_chain_trust_t *trust, apr_pool_t *p)
{
    X509 *leaf = APR_ARRAY_IDX(served, 0, X509 *);

    for (int i = 1; i < served->nelts; i++) {
        X509 *other = APR_ARRAY_IDX(served, i, X509 *);

        if (ocspx_chain_issued(other, leaf))
            return other;
    }
    return trusted_issuer(leaf, trust, p);
}

static const char *describe_key(X509 *leaf, apr_pool_t *p)
{
    EVP_PKEY *key = X509_get0_pubkey(leaf);
    int type = key ? EVP_PKEY_base_id(key) : NID_undef;

    if (type == EVP_PKEY_RSA)
        return apr_psprintf(p, "RSA %d", EVP_PKEY_bits(key));
    if (type == EVP_PKEY_EC)
        return apr_psprintf(p, "ECDSA %d", EVP_PKEY_bits(key));
    return type == NID_undef ? "unknown key" : OBJ_nid2sn(type);
}

static cli_check_cert_t *make_cert(const apr_array_header_t *served,
                                   const ocspx_chain_trust_t *trust,
                                   apr_pool_t *p)
{
    cli_check_cert_t *cert = apr_pcalloc(p, sizeof(*cert));
    X509 *leaf = APR_ARRAY_IDX(served, 0, X509 *);
    ocspx_cert_t *made;

    cert->served = served;
    cert->key = describe_key(leaf, p);
    cert->subject = ocspx_cert_name(X509_get_subject_name(leaf), p);
    if (ocspx_cert_make(&made, leaf, find_issuer(served, trust, p), p) ==
        APR_SUCCESS)
        cert->cert = made;
    if (!*cert->subject && cert->cert)
        cert->subject = cert->cert->name;
    return cert;
}

static cli_check_cert_t *find_cert(const cli_check_host_t *host,
                                   const apr_array_header_t *served)
{
    for (int i = 0; i < host->certs->nelts; i++) {
        cli_check_cert_t *cert =
            APR_ARRAY_IDX(host->certs, i, cli_check_cert_t *);

        if (same_certs(cert->served, served))
            return cert;
    }
    return NULL;
}

static void gather_certs(cli_check_host_t *host,
                         const ocspx_chain_trust_t *trust, apr_pool_t *p)
{
    for (int i = 0; i < CLI_CHECK_HANDSHAKES; i++) {
        const apr_array_header_t *served = host->handshakes[i].certs;
        cli_check_cert_t *cert;

        if (host->handshakes[i].result != CLI_HANDSHAKE_DONE)
            continue;
        cert = find_cert(host, served);
        if (!cert) {
            cert = make_cert(served, trust, p);
            APR_ARRAY_PUSH(host->certs, cli_check_cert_t *) = cert;
        }
        cert->handshakes |= 1u << i;
    }
}

/* --- responders ------------------------------------------------------ */

static cli_answer_t *ask(const ocspx_cert_t *cert, ocspx_fetch_t *fetch,
                         apr_interval_time_t timeout, apr_pool_t *p)
{
    cli_question_t question = {
        .fetch = fetch, .cert = cert, .timeout = timeout};
    cli_answer_t *answer = apr_palloc(p, sizeof(*answer));

    cli_ask_each(answer, &question, p);
    return answer;
}

static void ask_responders(cli_check_host_t *host, apr_interval_time_t timeout,
                           apr_pool_t *p)
{
    ocspx_fetch_t *fetch;

    if (ocspx_fetch_curl_make(&fetch, p) != APR_SUCCESS)
        return;
    for (int i = 0; i < host->certs->nelts; i++) {
        cli_check_cert_t *cert =
            APR_ARRAY_IDX(host->certs, i, cli_check_cert_t *);

        if (cert->cert && cert->cert->issuer &&
            !apr_is_empty_array(cert->cert->urls))
            cert->answer = ask(cert->cert, fetch, timeout, p);
    }
}

/* --- all of it ------------------------------------------------------- */

void cli_check_host(cli_check_host_t *host, const cli_check_target_t *target,
                    const cli_check_policy_t *policy, apr_pool_t *p)
{
    const apr_array_header_t *addresses;

    *host = (cli_check_host_t){.target = target};
    host->certs = apr_array_make(p, 2, sizeof(cli_check_cert_t *));
    addresses = cli_net_resolve(&host->unresolved, target->connect,
                                target->connect_port, policy->timeout, p);
    if (addresses)
        shake_hands(host, addresses, policy->timeout, p);
    gather_certs(host, policy->trust, p);
    ask_responders(host, policy->timeout, p);
    host->now = apr_time_now();
    cli_check_judge(host, policy->trust, p);
}
