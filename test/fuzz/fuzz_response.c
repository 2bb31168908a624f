/* fuzz_response: a responder's answer, judged for a certificate. */
#include "fuzz.h"
#include "world.h"

#include <string.h>

#include "../../mod_ocspx/core/response.h"

const char fuzz_name[] = "response";
const unsigned fuzz_mutations = 2000;

static const fuzz_world_t *world;

void fuzz_start(apr_pool_t *p)
{
    world = fuzz_world_make(p);
}

void fuzz_seeds(apr_pool_t *p)
{
    fuzz_world_seed_responses(world, "", p);
}

static ocspx_response_t judge(const unsigned char *data, size_t len,
                              apr_time_t now, apr_pool_t *p)
{
    const ocspx_response_policy_t policy = {.skew =
                                                OCSPX_RESPONSE_SKEW_DEFAULT};
    ocspx_response_t out;

    memset(&out, 0x5a, sizeof(out));
    ocspx_response_judge(&out, data, len, world->cert, &policy, now, p);
    fuzz_assert_printable(out.message);
    if (out.signer)
        fuzz_assert_printable(out.signer);
    ck_assert_int_eq(out.verdict == OCSPX_RESPONSE_GOOD,
                     out.cause == OCSPX_CAUSE_NONE ||
                         out.cause == OCSPX_CAUSE_SIGNER_EXPIRES_EARLY);
    ck_assert_int_eq(out.verdict == OCSPX_RESPONSE_REJECT, out.expiry == 0);
    return out;
}

static void assert_same(const ocspx_response_t *a, const ocspx_response_t *b)
{
    ck_assert_int_eq(a->verdict, b->verdict);
    ck_assert_int_eq(a->cause, b->cause);
    ck_assert_str_eq(a->message, b->message);
    ck_assert_int_eq(a->status, b->status);
    ck_assert(a->this_update == b->this_update);
    ck_assert(a->next_update == b->next_update);
    ck_assert(a->expiry == b->expiry);
}

/* What we accept, OpenSSL accepts, and not for a second longer. */
static void assert_accepted(const ocspx_response_t *out,
                            const unsigned char *data, size_t len,
                            apr_pool_t *p)
{
    int status = fuzz_world_status(world, data, len, out->expiry);

    ck_assert_int_ge(status, 0);
    ck_assert_int_eq(status, out->status);
    ck_assert_int_eq(out->verdict == OCSPX_RESPONSE_GOOD,
                     status == V_OCSP_CERTSTATUS_GOOD);
    ck_assert_int_eq(out->verdict == OCSPX_RESPONSE_REVOKED,
                     status == V_OCSP_CERTSTATUS_REVOKED);
    ck_assert(out->expiry > FUZZ_NOW);
    ck_assert_int_eq(judge(data, len, out->expiry, p).verdict,
                     OCSPX_RESPONSE_REJECT);
}

void fuzz_one(const unsigned char *data, size_t len, apr_pool_t *p)
{
    ocspx_response_t first = judge(data, len, FUZZ_NOW, p);
    ocspx_response_t again = judge(data, len, FUZZ_NOW, p);

    assert_same(&first, &again);
    if (first.verdict != OCSPX_RESPONSE_REJECT)
        assert_accepted(&first, data, len, p);
}
