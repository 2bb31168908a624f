/* world_seeds: what is said about the certificates of the fuzz targets. */
#include "world.h"

#include <apr_strings.h>
#include <string.h>

#include "../unit/encoded.h"
#include "fuzz.h"

static void seed(const void *data, size_t len, const char *prefix,
                 apr_pool_t *p)
{
    size_t before = strlen(prefix);
    char *bytes = apr_palloc(p, before + len);

    memcpy(bytes, prefix, before);
    memcpy(bytes + before, data, len);
    fuzz_seed(bytes, before + len);
}

/* --- responses ------------------------------------------------------- */

pki_single_t fuzz_world_good(const fuzz_world_t *world)
{
    return (pki_single_t){.cert = world->leaf->cert,
                          .issuer = world->ca->cert,
                          .status = V_OCSP_CERTSTATUS_GOOD,
                          .this_update = FUZZ_NOW - FUZZ_HOUR,
                          .next_update = FUZZ_NOW + FUZZ_HOUR,
                          .revoked_at = FUZZ_NOW - 2 * FUZZ_HOUR};
}

typedef struct {
    const fuzz_world_t *world;
    const char *prefix;
    apr_pool_t *pool;
} scene_t;

static void seed_response(const scene_t *s, pki_response_t r)
{
    const unsigned char *der;
    size_t len;

    r.produced_at = FUZZ_NOW - FUZZ_HOUR;
    if (!r.signer)
        r.signer = s->world->ca;
    if (!r.count)
        r.count = 1;
    der = pki_response(&len, &r, s->pool);
    seed(der, len, s->prefix, s->pool);
}

static void seed_single(const scene_t *s, pki_single_t single)
{
    seed_response(s, (pki_response_t){.singles = &single});
}

static void seed_statements(const scene_t *s)
{
    const pki_single_t good = fuzz_world_good(s->world);
    pki_single_t single = good;

    seed_single(s, good);
    single.status = V_OCSP_CERTSTATUS_REVOKED;
    seed_single(s, single);
    seed_response(s, (pki_response_t){.singles = (pki_single_t[]){good, single},
                                      .count = 2});
    single.status = V_OCSP_CERTSTATUS_UNKNOWN;
    seed_single(s, single);
    single = good;
    single.next_update = 0;
    seed_single(s, single);
    single.next_update = FUZZ_NOW - 1;
    seed_single(s, single);
    single = good;
    single.this_update = FUZZ_NOW + FUZZ_HOUR / 2;
    seed_single(s, single);
    single = good;
    single.certid_md = EVP_sha256();
    seed_single(s, single);
    single = good;
    single.unknown_critical = 1;
    seed_single(s, single);
    single = good;
    single.cert = s->world->ca->cert;
    single.issuer = s->world->upper->cert;
    seed_response(s, (pki_response_t){.singles = (pki_single_t[]){single, good},
                                      .count = 2});
}

static void seed_signers(const scene_t *s)
{
    const pki_single_t good = fuzz_world_good(s->world);
    pki_response_t r = {.singles = &good};

    r.by_key = 1;
    seed_response(s, r);
    r.break_signature = 1;
    seed_response(s, r);
    r = (pki_response_t){.singles = &good, .unknown_critical = 1};
    seed_response(s, r);
    r = (pki_response_t){
        .singles = &good, .signer = s->world->signer, .with_signer_cert = 1};
    seed_response(s, r);
    r.by_key = 1;
    seed_response(s, r);
    r.signer = s->world->leaf;
    seed_response(s, r);
    r.signer = s->world->upper;
    seed_response(s, r);
    r.signer = fuzz_world_cert(s->world,
                               (pki_spec_t){.cn = "Brief",
                                            .serial = 6,
                                            .ocsp_signing = 1,
                                            .not_after = FUZZ_NOW + 60000000},
                               s->world->ca, s->pool);
    seed_response(s, r);
}

void fuzz_world_seed_responses(const fuzz_world_t *world, const char *prefix,
                               apr_pool_t *p)
{
    static const int errors[] = {OCSP_RESPONSE_STATUS_MALFORMEDREQUEST,
                                 OCSP_RESPONSE_STATUS_TRYLATER,
                                 OCSP_RESPONSE_STATUS_UNAUTHORIZED};
    const scene_t scene = {world, prefix, p};
    size_t len;

    seed_statements(&scene);
    seed_signers(&scene);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        const unsigned char *der = pki_response_error(&len, errors[i], p);

        seed(der, len, prefix, p);
    }
    seed("<html>Log in</html>", 19, prefix, p);
}

/* --- certificates ---------------------------------------------------- */

static void seed_pem(const scene_t *s, X509 *const *certs, int count)
{
    BIO *bio = BIO_new(BIO_s_mem());
    encoded_t pem;

    for (int i = 0; i < count; i++)
        ck_assert_int_eq(PEM_write_bio_X509(bio, certs[i]), 1);
    pem = encoded_bio(bio, s->pool);
    seed(pem.data, pem.len, s->prefix, s->pool);
}

static void seed_bundle(const scene_t *s, X509 *const *certs, int count)
{
    encoded_t bundle = encoded_bundle(certs, count, s->pool);

    seed(bundle.data, bundle.len, s->prefix, s->pool);
}

void fuzz_world_seed_certs(const fuzz_world_t *world, const char *prefix,
                           apr_pool_t *p)
{
    const scene_t scene = {world, prefix, p};
    X509 *chain[] = {world->leaf->cert, world->ca->cert, world->upper->cert,
                     world->root->cert};
    X509 *mixed[] = {world->leaf->cert, world->upper->cert, world->ca->cert,
                     world->signer->cert};

    for (int first = 0; first < 4; first++) {
        encoded_t der = encoded_der(chain[first], p);

        seed(der.data, der.len, prefix, p);
        seed_pem(&scene, chain + first, 4 - first);
        seed_bundle(&scene, chain + first, 4 - first);
    }
    seed_bundle(&scene, mixed, 4);
    seed_pem(&scene, chain, 3);
    seed_bundle(&scene, chain, 3);
    seed_bundle(&scene, chain, 2);
    seed_bundle(&scene, chain, 0);
}
