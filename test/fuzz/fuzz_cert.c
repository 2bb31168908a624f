/* fuzz_cert: a server's own certificate, from its first reading to the status
 * page. Certificates are issued by others, who write into them what they like.
 */
#include "fuzz.h"
#include "world.h"

#include "answers.h"

#include <openssl/err.h>
#include <string.h>

const char fuzz_name[] = "cert";
const unsigned fuzz_mutations = 600;

static const fuzz_world_t *world;

void fuzz_start(apr_pool_t *p)
{
    world = fuzz_world_make(p);
    answers_begin(world, p);
}

static void seed(const pki_spec_t *spec, apr_pool_t *p)
{
    pki_t *made = fuzz_world_cert(world, *spec, world->ca, p);
    unsigned char *der = NULL;
    int len = i2d_X509(made->cert, &der);

    fuzz_seed(der, (size_t)len);
    OPENSSL_free(der);
}

void fuzz_seeds(apr_pool_t *p)
{
    static const pki_spec_t specs[] = {
        {.cn = "a.test", .serial = 10, .ocsp_urls = "http://ocsp.test/"},
        {.cn = "b.test",
         .serial = 11,
         .names = "DNS:b.test,DNS:*.b.test,IP:192.0.2.1,email:x@b.test",
         .ocsp_urls = "http://[2001:db8::1]:8080/x https://ocsp.test/ "
                      "ldap://x/ http://",
         .ca_issuers = "http://ca.test/ ftp://x/",
         .must_staple = 1,
         .eku = "serverAuth"},
        {.cn = "", .serial = 12, .names = "URI:http://c.test/"},
        {.cn = "<script>\"&'\n", .serial = 13, .ocsp_urls = "http://x/'<\"&"},
        {.cn = "CA",
         .serial = 14,
         .ca = 1,
         .pathlen = "0",
         .constraints = "permitted;DNS:x.test"},
    };

    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
        seed(&specs[i], p);
}

/* --- what must hold --------------------------------------------------- */

static void assert_urls(const ocspx_cert_t *cert)
{
    for (int i = 0; i < cert->urls->nelts; i++) {
        const char *url = APR_ARRAY_IDX(cert->urls, i, const char *);

        fuzz_assert_printable(url);
        ck_assert(ocspx_cert_url_ok(url, pool));
    }
    if (cert->bad_url)
        fuzz_assert_printable(cert->bad_url);
}

/* The request asks for this certificate, and nothing else. */
static void assert_request(const ocspx_cert_t *cert, ocspx_cert_hash_e hash)
{
    const unsigned char *der;
    OCSP_REQUEST *request;
    apr_size_t len;

    ck_assert_int_eq(ocspx_cert_request(&der, &len, cert, hash, pool),
                     APR_SUCCESS);
    request = d2i_OCSP_REQUEST(NULL, &der, (long)len);
    ck_assert_ptr_nonnull(request);
    ck_assert_int_eq(OCSP_request_onereq_count(request), 1);
    ck_assert(ocspx_cert_matches(
        cert, OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0))));
    OCSP_REQUEST_free(request);
}

static void assert_cert(const ocspx_cert_t *cert)
{
    unsigned char digest[OCSPX_CERT_DIGEST_LEN];

    fuzz_assert_printable(cert->name);
    ck_assert_uint_le(strlen(cert->name), OCSPX_CERT_TEXT_MAX + 3);
    ck_assert_int_eq(ocspx_cert_digest(digest, cert->leaf), APR_SUCCESS);
    ck_assert_mem_eq(digest, cert->digest, sizeof(digest));
    assert_urls(cert);
    if (cert->issuer) {
        assert_request(cert, OCSPX_CERT_SHA1);
        assert_request(cert, OCSPX_CERT_SHA256);
    }
}

static void assert_shown(const ocspx_cert_t *cert)
{
    static ocspx_repair_t repair;
    const ocspx_query_t query = {.report = {.cert = cert->id}};
    const char *conflict;

    answers_forget();
    ck_assert_ptr_nonnull(ocspx_registry_add(registry, &conflict, cert, &repair,
                                             &policy, "a:443 (x.conf:1)"));
    open_model();
    make_failing(0, HOURS(5), OCSPX_CAUSE_WRONG_CERT, cert->name);
    answers_assert(&query);
    answers_assert(&(ocspx_query_t){0});
    ocspx_cache_writer_leave(cache); /* its memory goes with the pool */
}

void fuzz_one(const unsigned char *data, size_t len, apr_pool_t *p)
{
    ocspx_cert_t *cert;
    X509 *leaf;

    ERR_set_mark();
    leaf = d2i_X509(NULL, &data, (long)len);
    ERR_pop_to_mark();
    answers_pool(p);
    if (leaf &&
        (ocspx_cert_make(&cert, leaf, world->ca->cert, p) == APR_SUCCESS ||
         ocspx_cert_make(&cert, leaf, NULL, p) == APR_SUCCESS)) {
        assert_cert(cert);
        assert_shown(cert);
    }
    X509_free(leaf);
}
