/* fuzz_chain: what a server sends with its certificate, read and judged. */
#include "fuzz.h"
#include "world.h"

#include <openssl/err.h>
#include <string.h>

#include "../../mod_ocspx/core/certs.h"
#include "../unit/encoded.h"

const char fuzz_name[] = "chain";
const unsigned fuzz_mutations = 150;

/* More than any server sends; judging takes the square of it. */
#define CERTS_MAX 30

static const fuzz_world_t *world;
static apr_array_header_t *hosts;

void fuzz_start(apr_pool_t *p)
{
    world = fuzz_world_make(p);
    hosts = apr_array_make(p, 2, sizeof(const char *));
    APR_ARRAY_PUSH(hosts, const char *) = "www.test";
    APR_ARRAY_PUSH(hosts, const char *) = "192.0.2.1";
}

/* A leaf that is not quite right, sent as it should be. */
static void seed_leaf(const pki_spec_t *spec, const pki_t *issuer,
                      apr_pool_t *p)
{
    X509 *certs[] = {fuzz_world_cert(world, *spec, issuer, p)->cert,
                     world->ca->cert, world->upper->cert};
    encoded_t bundle = encoded_bundle(certs, 3, p);

    fuzz_seed(bundle.data, bundle.len);
}

void fuzz_seeds(apr_pool_t *p)
{
    static const pki_spec_t leaves[] = {
        {.cn = "old", .serial = 20, .not_after = FUZZ_NOW - FUZZ_HOUR},
        {.cn = "soon", .serial = 21, .not_after = FUZZ_NOW + FUZZ_HOUR},
        {.cn = "early", .serial = 22, .not_before = FUZZ_NOW + FUZZ_HOUR},
        {.cn = "www.test", .serial = 23, .eku = "clientAuth"},
        {.cn = "staple",
         .serial = 24,
         .names = "DNS:*.test,IP:192.0.2.1",
         .must_staple = 1,
         .ocsp_urls = "http://ocsp.test/"},
        {.cn = "a ca", .serial = 25, .ca = 1},
        {.cn = "plain", .serial = 26, .no_key_ids = 1},
    };

    fuzz_world_seed_certs(world, "", p);
    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
        seed_leaf(&leaves[i], world->ca, p);
    seed_leaf(&(pki_spec_t){.cn = "weak", .serial = 27, .md = EVP_sha1()},
              world->ca, p);
    seed_leaf(&leaves[0], NULL, p);
    seed_leaf(&leaves[6], world->leaf, p);
    fuzz_seed_text("-----BEGIN CERTIFICATE-----\nAAAA\n"
                   "-----END CERTIFICATE-----\n");
}

static void assert_finding(const ocspx_chain_finding_t *finding)
{
    fuzz_assert_printable(finding->subject);
    fuzz_assert_printable(finding->message);
    fuzz_assert_printable(finding->remedy);
    ck_assert_int_gt(finding->cause, OCSPX_CAUSE_NONE);
    ck_assert_int_lt(finding->cause, OCSPX_CAUSE_COUNT);
}

static ocspx_chain_t judge(const apr_array_header_t *served, apr_pool_t *p)
{
    const ocspx_chain_question_t question = {.served = served,
                                             .trust = &world->trust,
                                             .hosts = hosts,
                                             .now = FUZZ_NOW};
    ocspx_cause_severity_e worst = OCSPX_CAUSE_ERROR;
    ocspx_chain_t out;

    memset(&out, 0x5a, sizeof(out));
    ocspx_chain_judge(&out, &question, p);
    for (int i = 0; i < out.findings->nelts; i++) {
        const ocspx_chain_finding_t *finding =
            &APR_ARRAY_IDX(out.findings, i, ocspx_chain_finding_t);

        assert_finding(finding);
        ck_assert_int_le(finding->severity, worst);
        worst = finding->severity;
    }
    for (int i = 0; out.gap && i < out.urls->nelts; i++)
        ck_assert(
            ocspx_cert_url_ok(APR_ARRAY_IDX(out.urls, i, const char *), p));
    return out;
}

/* PEM of them is the same certificates again. */
static void assert_rewritten(const apr_array_header_t *certs, apr_pool_t *p)
{
    const char *why, *pem = ocspx_certs_pem(certs, p);
    apr_array_header_t *again;

    ck_assert_ptr_nonnull(pem);
    again = ocspx_certs_read(&why, (const unsigned char *)pem, strlen(pem), p);
    ck_assert_ptr_nonnull(again);
    ck_assert_int_eq(again->nelts, certs->nelts);
    ERR_set_mark();
    for (int i = 0; i < certs->nelts; i++)
        ck_assert_int_eq(X509_cmp(APR_ARRAY_IDX(certs, i, X509 *),
                                  APR_ARRAY_IDX(again, i, X509 *)),
                         0);
    ERR_pop_to_mark();
}

void fuzz_one(const unsigned char *data, size_t len, apr_pool_t *p)
{
    const char *why;
    apr_array_header_t *certs = ocspx_certs_read(&why, data, len, p);
    ocspx_chain_t first, again;

    if (!certs) {
        fuzz_assert_printable(why);
        return;
    }
    assert_rewritten(certs, p);
    if (certs->nelts > CERTS_MAX)
        return;
    first = judge(certs, p);
    again = judge(certs, p);
    ck_assert_int_eq(first.complete, again.complete);
    ck_assert_int_eq(first.findings->nelts, again.findings->nelts);
    if (first.complete)
        ck_assert_msg(fuzz_world_trusts(world, certs), "not by OpenSSL");
}
