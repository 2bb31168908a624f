/* fuzz_shared: a record of the shared store, as another server of the fleet, or
 * somebody else, left it there: until when HTTP calls the response fresh, in 8
 * bytes, and the response.
 */
#include "fuzz.h"
#include "world.h"

#include "admitted.h"

#include "../../mod_ocspx/engine/admit.h"

const char fuzz_name[] = "shared";
const unsigned fuzz_mutations = 1500;

#define FRESH_LEN 8

static const fuzz_world_t *world;
static ocspx_cache_t *cache;
static ocspx_registry_entry_t *entry;

void fuzz_start(apr_pool_t *p)
{
    static const ocspx_registry_policy_t policy = {
        .response = {.skew = OCSPX_RESPONSE_SKEW_DEFAULT}};
    const char *conflict;

    world = fuzz_world_make(p);
    cache = admitted_cache(world, p);
    entry = ocspx_registry_add(ocspx_registry_make(p), &conflict, world->cert,
                               NULL, &policy, "here");
    ck_assert_ptr_nonnull(entry);
}

void fuzz_seeds(apr_pool_t *p)
{
    fuzz_world_seed_responses(world, "until   ", p);
}

/* What is there already is kept by whoever says so less recently. */
static void assert_not_replaced(const ocspx_cache_state_t *served,
                                const ocspx_admit_candidate_t *candidate,
                                apr_pool_t *p)
{
    ocspx_cache_state_t state = *served;
    ocspx_admit_t out;

    state.this_update++;
    ocspx_admit(&out, &state, entry, candidate, cache, NULL, FUZZ_NOW, p);
    ck_assert(!out.admitted);
    ck_assert_int_eq(out.cause, OCSPX_CAUSE_STALE);
}

void fuzz_one(const unsigned char *data, size_t len, apr_pool_t *p)
{
    ocspx_admit_candidate_t candidate = {.source = OCSPX_CACHE_SHARED};
    ocspx_cache_state_t state = {0};
    ocspx_admit_t out;

    if (len <= FRESH_LEN)
        return;
    admitted_forget(cache);
    memcpy(&candidate.fresh_until, data, FRESH_LEN);
    candidate.der = data + FRESH_LEN;
    candidate.len = len - FRESH_LEN;
    ocspx_admit(&out, &state, entry, &candidate, cache, NULL, FUZZ_NOW, p);
    if (!out.admitted) {
        fuzz_assert_printable(out.message);
        admitted_assert_none(cache);
        return;
    }
    ck_assert_int_eq(state.source, OCSPX_CACHE_SHARED);
    admitted_assert(world, cache, &state, candidate.der, candidate.len);
    assert_not_replaced(&state, &candidate, p);
}
