/* fuzz_issuer: what comes from a caIssuers URL, to complete a chain. */
#include "fuzz.h"
#include "world.h"

#include "../../mod_ocspx/engine/repair.h"

const char fuzz_name[] = "issuer";
const unsigned fuzz_mutations = 300;

static const fuzz_world_t *world;
static ocspx_repair_t repair;

void fuzz_start(apr_pool_t *p)
{
    world = fuzz_world_make(p);
    repair.trust = &world->trust;
    repair.served = apr_array_make(p, 1, sizeof(X509 *));
    APR_ARRAY_PUSH(repair.served, X509 *) = world->leaf->cert;
    ck_assert_int_eq(ocspx_cert_make(&repair.cert, world->leaf->cert, NULL, p),
                     APR_SUCCESS);
}

void fuzz_seeds(apr_pool_t *p)
{
    fuzz_world_seed_certs(world, "", p);
    fuzz_seed_text("<html>Log in</html>");
}

/* As sent: the leaf and what is to stand behind it. */
static void assert_trusted(const ocspx_repair_try_t *attempt, apr_pool_t *p)
{
    apr_array_header_t *behind = ocspx_repair_chain(attempt);
    apr_array_header_t *chain = apr_array_make(p, 4, sizeof(X509 *));

    ck_assert_int_gt(behind->nelts, 0);
    ck_assert_int_le(behind->nelts, OCSPX_REPAIR_MAX);
    APR_ARRAY_PUSH(chain, X509 *) = world->leaf->cert;
    apr_array_cat(chain, behind);
    ck_assert_msg(fuzz_world_trusts(world, chain), "not by OpenSSL");
    ck_assert(ocspx_chain_issued(APR_ARRAY_IDX(behind, 0, X509 *),
                                 world->leaf->cert));
}

/* Every URL answers the same. */
void fuzz_one(const unsigned char *data, size_t len, apr_pool_t *p)
{
    ocspx_repair_try_t *attempt = ocspx_repair_begin(&repair, FUZZ_NOW, p);
    ocspx_repair_result_e result = OCSPX_REPAIR_REFUSED;
    const char *url;
    int asked = 0;

    while (result != OCSPX_REPAIR_COMPLETE &&
           (url = ocspx_repair_next(attempt))) {
        ocspx_cause_e cause = OCSPX_CAUSE_NONE;
        const char *message = NULL;

        ck_assert(ocspx_cert_url_ok(url, p));
        result =
            ocspx_repair_take(&cause, &message, attempt, data, len, FUZZ_NOW);
        if (result == OCSPX_REPAIR_REFUSED) {
            fuzz_assert_printable(message);
            ck_assert_int_gt(cause, OCSPX_CAUSE_NONE);
        }
        ck_assert_int_lt(asked++, 1000);
    }
    ck_assert_int_gt(asked, 0);
    if (result == OCSPX_REPAIR_COMPLETE)
        assert_trusted(attempt, p);
}
