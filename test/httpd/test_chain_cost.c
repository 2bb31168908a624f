/* test_chain_cost: what the check of 1,000 chains adds to the start. Prints
 * it; how long a start takes says more about the machine than about the module,
 * so all that has to be is that every chain was checked.
 */
#include <stdio.h>

#include "chain_scene.h"

#define VHOSTS 1000
#define ROUNDS 3

static void add_vhosts(void)
{
    for (int i = 0; i < VHOSTS; i++) {
        const char *name = apr_psprintf(w->pool, "v%d.test", i);
        pki_spec_t spec = {.cn = name,
                           .names = apr_pstrcat(w->pool, "DNS:", name, NULL)};

        world_chain_vhost(w, name, chain_make(spec, w->issuer), NULL, w->issuer,
                          NULL);
    }
}

/** Milliseconds from exec to the server being up. */
static int start_with(const char *check)
{
    int ms;

    chain_global(apr_psprintf(w->pool, "OCSPXChainCheck %s\n", check));
    httpd_log_mark(w->httpd);
    ms = world_up(w);
    ck_assert_int_eq(httpd_stop(w->httpd), 1);
    return ms;
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int median(int *ms)
{
    qsort(ms, ROUNDS, sizeof(*ms), compare);
    return ms[ROUNDS / 2];
}

START_TEST(thousand_virtual_hosts)
{
    int off[ROUNDS];
    int warn[ROUNDS];

    add_vhosts();
    start_with("off"); /* all files are in memory from now on */
    for (int i = 0; i < ROUNDS; i++) {
        off[i] = start_with("off");
        ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0108"), 0);
        warn[i] = start_with("warn");
        chain_summary(VHOSTS, VHOSTS);
    }
    printf("start with %d virtual hosts: %d ms unchecked, %d ms checked, "
           "ratio %.2f\n",
           VHOSTS, median(off), median(warn),
           (double)median(warn) / median(off));
}
END_TEST

static Suite *chain_cost_suite(void)
{
    Suite *suite = suite_create("chain_cost");
    TCase *tests = tcase_create("chain_cost");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, chain_setup, chain_teardown);
    tcase_add_test(tests, thousand_virtual_hosts);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(chain_cost_suite());
}
