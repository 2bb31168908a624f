/* fuzz_state: the files of the state directory, found there at a start.
 *
 * An input is one byte, which of the two files of the certificate it is, and
 * the file: its response, or what completes its chain.
 */
#include "fuzz.h"
#include "world.h"

#include "admitted.h"

#include <fcntl.h>
#include <unistd.h>

#include "../../mod_ocspx/engine/load.h"
#include "../support/procs.h"

const char fuzz_name[] = "state";
const unsigned fuzz_mutations = 200;

static const fuzz_world_t *world;
static ocspx_refresh_config_t config;
static apr_array_header_t *served;
static const ocspx_registry_policy_t policy = {
    .response = {.skew = OCSPX_RESPONSE_SKEW_DEFAULT}};

static apr_time_t now(void)
{
    return FUZZ_NOW;
}

static void check_line(void *baton, ocspx_log_level_e level, int entry,
                       const char *line)
{
    (void)baton;
    (void)level;
    ck_assert_int_eq(entry, 0);
    fuzz_assert_printable(line);
}

void fuzz_start(apr_pool_t *p)
{
    static const ocspx_log_t log = {.write = check_line};
    const char *why;

    world = fuzz_world_make(p);
    config.cache = admitted_cache(world, p);
    config.log = &log;
    config.clock = now;
    config.max_response = 65536;
    ck_assert_int_eq(
        ocspx_store_open(&config.store, &why, procs_temp_dir(p), p),
        APR_SUCCESS);
    served = apr_array_make(p, 1, sizeof(X509 *));
    APR_ARRAY_PUSH(served, X509 *) = world->leaf->cert;
}

void fuzz_seeds(apr_pool_t *p)
{
    fuzz_world_seed_responses(world, "r", p);
    fuzz_world_seed_certs(world, "c", p);
}

static void write_file(ocspx_store_kind_e kind, const unsigned char *data,
                       size_t len, apr_pool_t *p)
{
    const char *path = ocspx_store_file(config.store, kind, world->cert->id, p);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, data, len), (int)len);
    /* Not O_TRUNC, which has some file systems flush it. */
    ck_assert_int_eq(ftruncate(fd, (off_t)len), 0);
    close(fd);
}

/* Afresh, from a configuration with this one certificate. */
static void start(const ocspx_cert_t *cert, ocspx_repair_t *repair,
                  apr_pool_t *p)
{
    ocspx_registry_t *registry = ocspx_registry_make(p);
    const char *conflict;

    admitted_forget(config.cache);
    config.registry = registry;
    ck_assert_ptr_nonnull(
        ocspx_registry_add(registry, &conflict, cert, repair, &policy, "here"));
    ocspx_load_entry(&config, 0, p);
}

static void load_response(const unsigned char *data, size_t len, apr_pool_t *p)
{
    ocspx_cache_state_t state;

    write_file(OCSPX_STORE_RESPONSE, data, len, p);
    start(world->cert, NULL, p);
    ck_assert(ocspx_cache_state_get(&state, config.cache, 0));
    if (!state.expiry) {
        admitted_assert_none(config.cache);
        return;
    }
    ck_assert_int_eq(state.source, OCSPX_CACHE_DISK);
    ck_assert(state.due > FUZZ_NOW && state.due < state.expiry);
    admitted_assert(world, config.cache, &state, data, len);
}

/* What is to be sent behind the leaf. */
static void assert_trusted(const ocspx_repair_t *repair, apr_pool_t *p)
{
    apr_array_header_t *chain, *all = apr_array_copy(p, served);
    const char *why;

    ck_assert_int_eq(
        ocspx_repair_load(&chain, &why, repair, config.store, FUZZ_NOW, p),
        APR_SUCCESS);
    apr_array_cat(all, chain);
    ck_assert_msg(fuzz_world_trusts(world, all), "not by OpenSSL");
}

static void load_chain(const unsigned char *data, size_t len, apr_pool_t *p)
{
    ocspx_repair_t repair = {.served = served, .trust = &world->trust};

    write_file(OCSPX_STORE_CHAIN, data, len, p);
    ck_assert_int_eq(ocspx_cert_make(&repair.cert, world->leaf->cert, NULL, p),
                     APR_SUCCESS);
    start(repair.cert, &repair, p);
    ck_assert_int_eq(repair.repaired, repair.cert->issuer != NULL);
    if (repair.repaired)
        assert_trusted(&repair, p);
}

void fuzz_one(const unsigned char *data, size_t len, apr_pool_t *p)
{
    if (len && *data == 'r')
        load_response(data + 1, len - 1, p);
    else if (len)
        load_chain(data + 1, len - 1, p);
}
