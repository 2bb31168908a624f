/* test_report_many: ten thousand certificates are no burden: how long it takes
 * is printed, how much memory it takes is bounded.
 */
#include "report_scene.h"

#include <apr_allocator.h>
#include <stdio.h>
#include <unistd.h>

#define MANY 10000

/* What may be kept for each certificate while they are sorted; and for a page
 * with its longest row, and what malloc takes in advance. */
#define ITEM 64
#define PAGE 262144

/* Each with three names and at its own virtual host; in every state. */
static void add_many(void)
{
    unsigned i;

    for (i = 0; i < MANY; i++) {
        const char *cn = apr_psprintf(pool, "host%u.example", i);

        add_cert(make_cert((pki_spec_t){
            .cn = cn,
            .names =
                apr_psprintf(pool, "DNS:%s,DNS:www.%s,DNS:api.%s", cn, cn, cn),
            .ocsp_urls = apr_psprintf(pool, "http://r%u.test/", i % 50)}));
    }
    open_cache();
    for (i = 0; i < MANY; i++) {
        if (i % 5)
            serve(i, NOW + SECONDS(1 + i % 1000));
        if (i % 7 == 0)
            set_failing(i, OCSPX_CAUSE_DNS, "no address");
        if (i % 11 == 0)
            set_revoked(i);
    }
}

static double milliseconds_since(apr_time_t start)
{
    return (double)(apr_time_now() - start) / 1000;
}

/* A pool of its own allocator, which gives nothing back to the system: so what
 * it holds in the end is the most that it ever held. */
typedef struct {
    apr_pool_t *pool;
    apr_size_t before;
} account_t;

/* Of this process's address space: APR's memory may be malloc's or mmap's. */
static apr_size_t allocated(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%lu", &pages), 1);
    fclose(file);
    return pages * (apr_size_t)sysconf(_SC_PAGESIZE);
}

static account_t open_account(void)
{
    apr_allocator_t *allocator;
    account_t account = {.before = allocated()};

    ck_assert_int_eq(apr_allocator_create(&allocator), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create_ex(&account.pool, NULL, NULL, allocator),
                     APR_SUCCESS);
    apr_allocator_owner_set(allocator, account.pool);
    return account;
}

static apr_size_t close_account(const account_t *account)
{
    apr_size_t bytes = allocated() - account->before;

    apr_pool_destroy(account->pool);
    return bytes;
}

static void assert_bytes(apr_size_t bytes, apr_size_t least, apr_size_t most)
{
    if (!MEMORY_IS_OURS)
        return;
    ck_assert_uint_ge(bytes, least);
    ck_assert_uint_le(bytes, most);
}

/* Make a page and all its rows; @return how many match. */
static unsigned make_page(const char *what)
{
    account_t account = open_account();
    apr_time_t start = apr_time_now();
    ocspx_report_t *report =
        ocspx_report_make(&source, &query, NOW, account.pool);
    unsigned count = report->count, matching = report->matching, i;
    ocspx_report_row_t row;
    apr_pool_t *ptemp;
    apr_size_t bytes;
    double took;

    apr_pool_create(&ptemp, account.pool);
    for (i = 0; i < count; i++) {
        ocspx_report_row(&row, report, i, ptemp);
        apr_pool_clear(ptemp);
    }
    took = milliseconds_since(start);
    bytes = close_account(&account);
    printf("%s: %u of %u rows, %.1f ms, %.1f bytes per certificate\n", what,
           count, matching, took, (double)bytes / MANY);
    assert_bytes(bytes, MANY * ITEM / 2, MANY * ITEM + PAGE);
    return matching;
}

/* What a report of one page needs once it is made. */
static void assert_little_is_kept(void)
{
    account_t account = open_account();
    apr_size_t bytes;

    apr_allocator_max_free_set(apr_pool_allocator_get(account.pool), 1);
    ocspx_report_make(&source, &query, NOW, account.pool);
    bytes = close_account(&account);
    printf("kept for a page: %lu bytes\n", (unsigned long)bytes);
    assert_bytes(bytes, 1, PAGE / 4);
}

static void count_bytes(void *baton, const char *piece, apr_size_t len)
{
    (void)piece;
    *(apr_size_t *)baton += len;
}

static void print_everything(void)
{
    account_t account = open_account();
    apr_time_t start = apr_time_now();
    apr_size_t written = 0, bytes;
    double took;

    query = (ocspx_report_query_t){0};
    ocspx_report_print_json(
        ocspx_report_make(&source, &query, NOW, account.pool), count_bytes,
        &written, account.pool);
    took = milliseconds_since(start);
    bytes = close_account(&account);
    printf("all as JSON: %lu bytes written, %.1f ms, %.1f bytes per "
           "certificate\n",
           (unsigned long)written, took, (double)bytes / MANY);
    ck_assert_uint_gt(written, MANY * 500);
    assert_bytes(bytes, MANY * ITEM, 2 * MANY * ITEM + PAGE);
}

START_TEST(ten_thousand_certificates)
{
    add_many();
    make_report(); /* lets malloc have what it wants for OpenSSL */
    query.page = 1;
    ck_assert_uint_eq(make_page("first page"), MANY);
    assert_little_is_kept();
    query.page = 100;
    ck_assert_uint_eq(make_page("last page"), MANY);
    query.page = 1;
    query.state = "failing";
    ck_assert_uint_eq(make_page("one state"), (MANY + 6) / 7);
    query.state = NULL;
    query.search = "nowhere.example";
    ck_assert_uint_eq(make_page("search in vain"), 0);
    query.search = "API.host77";
    ck_assert_uint_eq(make_page("search"), 111);
    query.search = NULL;
    query.cert = ocspx_registry_get(registry, MANY - 1)->cert->id;
    ck_assert_uint_eq(make_page("one certificate"), 1);
    print_everything();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_many");
    TCase *tc = tcase_create("report_many");

    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, ten_thousand_certificates);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
