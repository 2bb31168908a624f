/* share_scene: a store that the test scripts, beside the scripted network. */
#ifndef OCSPX_TEST_SHARE_SCENE_H
#define OCSPX_TEST_SHARE_SCENE_H

#include "../../mod_ocspx/engine/share.h"
#include "refresh_scene.h"

typedef struct {
    unsigned char *bytes;
    apr_size_t len;
    apr_time_t expiry;
} kept_t;

/* What it holds, what it is told to do, and what it was asked. */
static struct {
    ocspx_share_store_t face;
    apr_hash_t *kept;           /* kept_t by key */
    apr_status_t reads, writes; /* the status of each */
    apr_status_t begins;
    int hangs;
    int slow; /* so many times it is not ready when it is looked at */
    int abandoned;
    int jobs, puts;
    ocspx_share_job_t queue[16]; /* begun, the first of them first */
    unsigned begun, most;
    int asked; /* of the network, when the last job began */
    int left;
} store;

static ocspx_ledger_t *ledger;

static inline apr_status_t store_begin(ocspx_share_store_t *face,
                                       const ocspx_share_job_t *job)
{
    (void)face;
    if (store.begins != APR_SUCCESS)
        return store.begins;
    ck_assert_uint_lt(store.begun, store.face.depth);
    if (!store.begun)
        store.left = store.slow;
    store.queue[store.begun] = *job;
    if (job->value)
        store.queue[store.begun].value =
            apr_pmemdup(pool, job->value, job->len);
    if (++store.begun > store.most)
        store.most = store.begun;
    store.jobs++;
    store.puts += job->value != NULL;
    store.asked = network.asked;
    return APR_SUCCESS;
}

static inline void store_keep(const unsigned char *key, const void *bytes,
                              apr_size_t len, apr_time_t expiry)
{
    kept_t *kept = apr_palloc(pool, sizeof(*kept));

    *kept = (kept_t){apr_pmemdup(pool, bytes, len), len, expiry};
    apr_hash_set(store.kept, apr_pmemdup(pool, key, OCSPX_SHARE_KEY_LEN),
                 OCSPX_SHARE_KEY_LEN, kept);
}

static inline void store_do(ocspx_share_result_t *result,
                            const ocspx_share_job_t *job)
{
    const kept_t *kept =
        apr_hash_get(store.kept, job->key, OCSPX_SHARE_KEY_LEN);

    *result = (ocspx_share_result_t){.status = store.reads};
    if (job->value) {
        result->status = store.writes;
        if (store.writes == APR_SUCCESS)
            store_keep(job->key, job->value, job->len, job->expiry);
    } else if (store.reads == APR_SUCCESS && kept) {
        result->value = kept->bytes;
        result->len = kept->len;
    } else if (store.reads == APR_SUCCESS) {
        result->status = APR_NOTFOUND;
    }
}

static inline int store_collect(ocspx_share_result_t *result,
                                ocspx_share_store_t *face)
{
    (void)face;
    ck_assert_uint_gt(store.begun, 0);
    if (store.hangs || store.left-- > 0)
        return 0;
    store_do(result, &store.queue[0]);
    memmove(store.queue, store.queue + 1, 15 * sizeof(store.queue[0]));
    store.begun--;
    store.left = store.slow;
    return 1;
}

static inline void store_abandon(ocspx_share_store_t *face)
{
    (void)face;
    store.abandoned += store.begun > 0;
    store.begun = 0;
}

/** The key of the world's certificate. */
static inline const unsigned char *key(void)
{
    static unsigned char bytes[OCSPX_SHARE_KEY_LEN];

    bytes[0] = 1;
    bytes[1] = (unsigned char)policy.certid_hash;
    memcpy(bytes + 2, cert->digest, OCSPX_CERT_DIGEST_LEN);
    return bytes;
}

static inline const kept_t *kept(void)
{
    return apr_hash_get(store.kept, key(), OCSPX_SHARE_KEY_LEN);
}

/** Another server has put this there. */
static inline void share_holds(const unsigned char *der, apr_size_t len,
                               apr_time_t fresh_until)
{
    unsigned char *value = apr_palloc(pool, 8 + len);
    int i;

    for (i = 0; i < 8; i++)
        value[i] = (unsigned char)(fresh_until >> (56 - 8 * i));
    memcpy(value + 8, der, len);
    store_keep(key(), value, 8 + len, 0);
}

static inline const unsigned char *
share_holds_response(apr_size_t *len, int status, apr_time_t this_update,
                     apr_interval_time_t lifetime)
{
    const unsigned char *der = response(len, status, this_update, lifetime);

    share_holds(der, *len, 0);
    return der;
}

static inline ocspx_refresh_t *make_sharing(void)
{
    apr_array_header_t *hosts = apr_array_make(pool, 2, sizeof(const char *));
    unsigned n = fill_registry();
    const unsigned char *digests = apr_pcalloc(pool, n * OCSPX_CERT_DIGEST_LEN);

    APR_ARRAY_PUSH(hosts, const char *) = "one:80";
    APR_ARRAY_PUSH(hosts, const char *) = "two:80";
    store.face = (ocspx_share_store_t){"the store", 1, store_begin,
                                       store_collect, store_abandon};
    store.kept = apr_hash_make(pool);
    make_config(ocspx_cache_area_size(n));
    ck_assert_int_eq(ocspx_ledger_create(&ledger, digests, n, hosts, pool),
                     APR_SUCCESS);
    config.ledger = ledger;
    config.share =
        ocspx_share_make(&store.face, ledger, &log_to, clock_now, pool);
    return ocspx_refresh_make(&config, NULL, pool);
}

static inline void set_up_sharing(void)
{
    set_up();
    memset(&store, 0, sizeof(store));
}

/** How often it came out so. */
static inline unsigned counted(ocspx_ledger_share_e what)
{
    ocspx_ledger_share_t share;

    ocspx_ledger_share(&share, ledger);
    return (unsigned)share.counts[what];
}

static inline apr_time_t down_since(void)
{
    ocspx_ledger_share_t share;

    ocspx_ledger_share(&share, ledger);
    return share.down_since;
}

#endif
