/* test_refresh_nomem: a round of the refresher in which an allocation fails:
 * each in its turn, alone, and with all that come after it. Network, OpenSSL
 * and store are real.
 *
 * What must come of it: the old response stays served and kept, byte for byte,
 * or the new one has taken its place; and the next round brings the new one.
 *
 * Not those of APR's pools, by which httpd itself does everything: there is no
 * going on after one, the process aborts, and another takes over. The cache is
 * made for that (test_cache_kill).
 *
 * And a round for which there is no descriptor.
 */
#include "refresh_scene.h"

#include <curl/curl.h>
#include <dirent.h>
#include <link.h>
#include <openssl/crypto.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../support/procs.h"
#include "../support/responder.h"

/* --- allocations that fail -------------------------------------------- */

static struct {
    int on;
    int from;  /* number of the first that fails */
    int to;    /* and of the last */
    int count; /* of those asked for */
    int failed;
} memory;

static int fails(void)
{
    if (!memory.on)
        return 0;
    memory.count++;
    if (memory.count < memory.from || memory.count > memory.to)
        return 0;
    memory.failed++;
    return 1;
}

#ifdef __SANITIZE_ADDRESS__

/* The sanitizer's own allocator stays: only what can be told to use another. */
static void *make(size_t size)
{
    return fails() ? NULL : malloc(size);
}

static void *make_zeroed(size_t n, size_t size)
{
    return fails() ? NULL : calloc(n, size);
}

static void *resize(void *old, size_t size)
{
    return fails() ? NULL : realloc(old, size);
}

static char *duplicate(const char *text)
{
    return fails() ? NULL : strdup(text);
}

static void *openssl_make(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return make(size);
}

static void *openssl_resize(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return resize(old, size);
}

static void openssl_drop(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

static int take_over_allocations(void)
{
    return CRYPTO_set_mem_functions(openssl_make, openssl_resize,
                                    openssl_drop) == 1 &&
           curl_global_init_mem(CURL_GLOBAL_DEFAULT, make, free, resize,
                                duplicate, make_zeroed) == CURLE_OK;
}

#else

/* All there are: of OpenSSL, libcurl, the C library and ourselves. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

static struct {
    char *begin, *end;
} apr; /* its code */

static int find_apr(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    for (int i = 0; strstr(info->dlpi_name, "/libapr-") && i < info->dlpi_phnum;
         i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD &&
            info->dlpi_phdr[i].p_flags & PF_X) {
            apr.begin = (char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            apr.end = apr.begin + info->dlpi_phdr[i].p_memsz;
        }
    return 0;
}

static int fails_for(char *caller)
{
    return (caller < apr.begin || caller >= apr.end) && fails();
}

void *malloc(size_t size)
{
    return fails_for(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails_for(__builtin_return_address(0)) ? NULL
                                                  : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    return fails_for(__builtin_return_address(0)) ? NULL
                                                  : __libc_realloc(old, size);
}

static int take_over_allocations(void)
{
    dl_iterate_phdr(find_apr, NULL);
    return apr.begin && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

#endif

/* --- rounds ------------------------------------------------------------ */

typedef struct {
    const unsigned char *der;
    apr_size_t len;
} staple_t;

static staple_t old, new;
static ocspx_cache_state_t old_state;
static responder_t *responder;
static const char *dir;

static void count_line(void *baton, ocspx_log_level_e level, int entry,
                       const char *line)
{
    (void)baton;
    (void)entry;
    lines[level]++;
    apr_cpystrn(last_line, line, sizeof(last_line));
}

static void set_up_real(void)
{
    const char *why;

    set_up();
    log_to.write = count_line;
    responder = responder_make(NULL, 0, pool);
    cert->urls->nelts = 1;
    APR_ARRAY_IDX(cert->urls, 0, const char *) = responder_url(responder);
    old.der = response(&old.len, V_OCSP_CERTSTATUS_GOOD, now - SECONDS(10),
                       SECONDS(10000));
    new.der = response(&new.len, V_OCSP_CERTSTATUS_GOOD, now, SECONDS(10000));
    responder_script(responder, NULL,
                     &(responder_script_t){.answer = RESPONDER_REPLAY,
                                           .body = new.der,
                                           .body_len = new.len});
    responder_add(responder, leaf, ca, ca);
    responder_start(responder);
    dir = procs_temp_dir(pool);
    ck_assert_int_eq(ocspx_store_open(&config.store, &why, dir, pool),
                     APR_SUCCESS);
    make_config(ocspx_cache_area_size(fill_registry()));
    old_state = (ocspx_cache_state_t){
        .this_update = now - SECONDS(10),
        .next_update = now + SECONDS(9990),
        .expiry = now + SECONDS(9990),
        .fetched = now - SECONDS(5),
        .tried = now - SECONDS(5),
        .source = OCSPX_CACHE_NETWORK,
    };
}

static void serve_old(apr_pool_t *p)
{
    const char *why;

    ck_assert_int_eq(
        ocspx_cache_put(cache, 0, old.der, old.len, old_state.expiry, NULL),
        APR_SUCCESS);
    ocspx_cache_state_set(cache, 0, &old_state);
    ck_assert_int_eq(ocspx_store_save(&why, config.store, OCSPX_STORE_RESPONSE,
                                      cert->id, old.der, old.len, p),
                     APR_SUCCESS);
}

static int is(const staple_t *staple, const unsigned char *der, apr_size_t len)
{
    return len == staple->len && !memcmp(der, staple->der, len);
}

/* Is the file one of the two, and is there nothing beside it? */
static int keeps(const staple_t *staple, apr_pool_t *p)
{
    const unsigned char *der;
    const char *why;
    apr_size_t len;

    ck_assert_int_eq(ocspx_store_load(&der, &len, &why, config.store,
                                      OCSPX_STORE_RESPONSE, cert->id, 65536, p),
                     APR_SUCCESS);
    return is(staple, der, len);
}

static int files(void)
{
    DIR *directory = opendir(dir);
    int n = -2; /* "." and ".." */

    ck_assert_ptr_nonnull(directory);
    while (readdir(directory))
        n++;
    closedir(directory);
    return n;
}

/* Without Check, which needs memory as well. */
static int is_tried(apr_time_t before)
{
    ocspx_cache_state_t state;

    return ocspx_cache_state_get(&state, cache, 0) && state.tried != before;
}

/* Until an attempt is over. */
static void take_turns(ocspx_refresh_t *refresh, apr_time_t before)
{
    for (int i = 0; i < 1000 && !is_tried(before); i++)
        ocspx_refresh_turn(refresh, SECONDS(1) / 100);
}

/* A refresher from its very beginning, and its first attempt. */
static void first_round(ocspx_refresh_t **refresh, apr_pool_t *p)
{
    *refresh = NULL;
    if (ocspx_fetch_curl_make(&config.fetch, p) != APR_SUCCESS)
        return;
    *refresh = ocspx_refresh_make(&config, NULL, p);
    take_turns(*refresh, old_state.tried);
}

static void next_round(ocspx_refresh_t *refresh, apr_pool_t *p)
{
    if (!refresh)
        first_round(&refresh, p);
    while (state_of(0).failures) {
        apr_time_t tried = state_of(0).tried;

        now = state_of(0).due;
        tick = SECONDS(1) / 10;
        take_turns(refresh, tried);
        tick = 0;
        ck_assert(is_tried(tried));
    }
}

/* @return 1: it is still the old one */
static int assert_old_or_new(apr_pool_t *p)
{
    int is_old;
    unsigned char *served;
    apr_size_t len = (apr_size_t)ocspx_cache_peek(&served, cache, 0, now);

    is_old = is(&old, served, len);
    ck_assert(is_old || is(&new, served, len));
    ck_assert(is_old || !state_of(0).failures);
    ck_assert(keeps(&old, p) || keeps(&new, p));
    ck_assert_int_eq(files(), 1);
    OPENSSL_free(served);
    return is_old;
}

/* @return 1: the old response stayed for want of memory, 0: it did not, -1: so
 * many allocations there are not */
static int round_without(int from, int to)
{
    ocspx_refresh_t *refresh;
    apr_pool_t *p;
    int is_old;

    apr_pool_create(&p, pool);
    now = START;
    serve_old(p);
    memory.from = from;
    memory.to = to;
    memory.count = memory.failed = 0;
    memory.on = 1;
    first_round(&refresh, p);
    memory.on = 0;
    ck_assert(!refresh || is_tried(old_state.tried));
    is_old = assert_old_or_new(p);
    ck_assert(memory.failed || !is_old);
    next_round(refresh, p);
    ck_assert(serves(new.der, new.len));
    ck_assert(keeps(&new, p));
    apr_pool_destroy(p);
    return memory.failed ? is_old : -1;
}

static void without_each(const char *what, int width)
{
    int n, stayed, kept_old = 0;

    round_without(0, 0); /* what is made once in a process */
    for (n = 1; (stayed = round_without(n, n + width)) >= 0; n++)
        kept_old += stayed;
    printf("%s of %d allocations failed, each in its turn: %d times the old "
           "response stayed, and never after the next round\n",
           what, n - 1, kept_old);
    ck_assert_int_eq(round_without(0, 0), -1);
    ck_assert_int_gt(kept_old, 100);
}

START_TEST(one_fails)
{
    without_each("one", 0);
}
END_TEST

START_TEST(all_from_one_on_fail)
{
    without_each("all from one on,", 1000000);
}
END_TEST

/* --- descriptors ------------------------------------------------------- */

static const struct {
    rlim_t more; /* than those in use */
    int asked;
} limits[] = {{0, 0}, {1, 0}, {100, 1}};

static rlim_t in_use(void)
{
    int next = dup(STDIN_FILENO);

    close(next);
    return (rlim_t)next;
}

START_TEST(no_descriptor_left)
{
    ocspx_refresh_t *refresh;
    struct rlimit before, limit;

    serve_old(pool);
    ck_assert_int_eq(ocspx_fetch_curl_make(&config.fetch, pool), APR_SUCCESS);
    refresh = ocspx_refresh_make(&config, NULL, pool);
    while (in_use() < 16) /* an eighth of fewer is nothing */
        ck_assert_int_ge(dup(STDIN_FILENO), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = in_use() + limits[_i].more;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    take_turns(refresh, old_state.tried);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(assert_old_or_new(pool), !limits[_i].asked);
    ck_assert_uint_eq(state_of(0).cause, limits[_i].asked
                                             ? OCSPX_CAUSE_NONE
                                             : OCSPX_CAUSE_SERVER_LIMITS);
    next_round(refresh, pool);
    ck_assert(serves(new.der, new.len));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refresh nomem");
    TCase *tc = tcase_create("refresh nomem");

    if (!take_over_allocations())
        procs_die("no allocation would fail");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, set_up_real, tear_down);
    tcase_add_test(tc, one_fails);
    tcase_add_test(tc, all_from_one_on_fail);
    tcase_add_loop_test(tc, no_descriptor_left, 0, 3);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
