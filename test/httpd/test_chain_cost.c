/* test_chain_cost: what the check of 1,000 chains adds to the start. Prints
 * it; how long a start takes says more about the machine and who else is busy
 * on it than about the module, so all that has to be is that every chain was
 * checked. The processor's time is what it takes on a machine that is idle.
 */
#include <stdio.h>
#include <time.h>

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
typedef struct {
    int all[ROUNDS];
    int busy[ROUNDS]; /* of these, the processor's for the parent */
} starts_t;

static int processor_ms(pid_t pid)
{
    struct timespec used = {0, 0};
    clockid_t clock;

    ck_assert_int_eq(clock_getcpuclockid(pid, &clock), 0);
    clock_gettime(clock, &used);
    return (int)(used.tv_sec * 1000 + used.tv_nsec / 1000000);
}

static void start_with(starts_t *starts, int round, const char *check)
{
    chain_global(apr_psprintf(w->pool, "OCSPXChainCheck %s\n", check));
    httpd_log_mark(w->httpd);
    starts->all[round] = world_up(w);
    starts->busy[round] = processor_ms(httpd_pid(w->httpd));
    ck_assert_int_eq(httpd_stop(w->httpd), 1);
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

static const char *compared(int *off, int *warn)
{
    return apr_psprintf(w->pool, "%d ms unchecked, %d ms checked, ratio %.2f",
                        median(off), median(warn),
                        (double)median(warn) / median(off));
}

START_TEST(thousand_virtual_hosts)
{
    starts_t off;
    starts_t warn;

    add_vhosts();
    for (int i = 0; i < ROUNDS; i++) {
        start_with(&off, i, "off");
        ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0108"), 0);
        start_with(&warn, i, "warn");
        chain_summary(VHOSTS, VHOSTS);
    }
    printf("start with %d virtual hosts: %s; processor: %s\n", VHOSTS,
           compared(off.all, warn.all), compared(off.busy, warn.busy));
}
END_TEST

static Suite *chain_cost_suite(void)
{
    Suite *suite = suite_create("chain_cost");
    TCase *tests = tcase_create("chain_cost");

    tcase_set_timeout(tests, 240);
    tcase_add_checked_fixture(tests, chain_setup, chain_teardown);
    tcase_add_test(tests, thousand_virtual_hosts);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(chain_cost_suite());
}
