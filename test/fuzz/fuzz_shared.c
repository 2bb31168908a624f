/* fuzz_shared: a record of the shared store, as another server of the fleet, or
 * somebody else, left it there: until when HTTP calls the response fresh, in 8
 * bytes, and the response. The store is played here; it has the input.
 */
#include "fuzz.h"
#include "world.h"

#include "admitted.h"

#include "../../mod_ocspx/engine/admit.h"
#include "../../mod_ocspx/engine/share.h"

const char fuzz_name[] = "shared";
const unsigned fuzz_mutations = 1500;

static const fuzz_world_t *world;
static ocspx_cache_t *cache;
static ocspx_registry_entry_t *entry;

/* --- the store -------------------------------------------------------- */

static ocspx_share_result_t record;
static int begun;

static apr_status_t begin(ocspx_share_store_t *store,
                          const ocspx_share_job_t *job)
{
    (void)store;
    ck_assert_ptr_null(job->value);
    begun++;
    return APR_SUCCESS;
}

static int collect(ocspx_share_result_t *result, ocspx_share_store_t *store)
{
    (void)store;
    if (!begun)
        return 0;
    begun--;
    *result = record;
    return 1;
}

static void abandon(ocspx_share_store_t *store)
{
    (void)store;
    ck_abort_msg("no job took long");
}

static ocspx_share_store_t store = {"the store", 1, begin, collect, abandon};

static apr_time_t clock_now(void)
{
    return FUZZ_NOW;
}

static void write_log(void *baton, ocspx_log_level_e level, int of,
                      const char *line)
{
    (void)baton;
    (void)level;
    (void)of;
    fuzz_assert_printable(line);
}

/* What the engine takes the record for. */
typedef struct {
    int called, is_there;
    ocspx_admit_candidate_t candidate;
} found_t;

static void on_found(void *baton, const ocspx_share_found_t *found)
{
    found_t *to = baton;

    to->called++;
    to->is_there = found != NULL;
    to->candidate.source = OCSPX_CACHE_SHARED;
    if (!found)
        return;
    to->candidate.der = found->der;
    to->candidate.len = found->len;
    to->candidate.fresh_until = found->fresh_until;
}

static found_t look_up(const unsigned char *data, size_t len, apr_pool_t *p)
{
    const ocspx_log_t log = {.write = write_log};
    ocspx_share_t *share = ocspx_share_make(&store, NULL, &log, clock_now, p);
    found_t found = {0};

    record = (ocspx_share_result_t){APR_SUCCESS, data, len};
    ocspx_share_look_up(share, entry, on_found, &found);
    ocspx_share_turn(share);
    ck_assert_int_eq(found.called, 1);
    return found;
}

/* --- the target ------------------------------------------------------- */

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
    found_t found = look_up(data, len, p);
    ocspx_cache_state_t state = {0};
    ocspx_admit_t out;

    if (!found.is_there)
        return;
    ck_assert(found.candidate.der >= data && found.candidate.len <= len);
    ck_assert(found.candidate.der + found.candidate.len <= data + len);
    admitted_forget(cache);
    ocspx_admit(&out, &state, entry, &found.candidate, cache, NULL, FUZZ_NOW,
                p);
    if (!out.admitted) {
        fuzz_assert_printable(out.message);
        admitted_assert_none(cache);
        return;
    }
    ck_assert_int_eq(state.source, OCSPX_CACHE_SHARED);
    admitted_assert(world, cache, &state, found.candidate.der,
                    found.candidate.len);
    assert_not_replaced(&state, &found.candidate, p);
}
