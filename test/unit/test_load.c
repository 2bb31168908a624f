/* test_load: responses from the state directory and from files. */
#include "refresh_scene.h"

#include <sys/stat.h>
#include <unistd.h>

#include "../../mod_ocspx/engine/load.h"

static const char *make_dir(void)
{
    char *dir = apr_pstrdup(pool, "/tmp/ocspx-refresh-XXXXXX");

    ck_assert_ptr_nonnull(mkdtemp(dir));
    return dir;
}

static void open_store(const char *dir)
{
    const char *why;

    ck_assert_int_eq(ocspx_store_open(&config.store, &why, dir, pool),
                     APR_SUCCESS);
}

static const char *store_file(const char *dir)
{
    return apr_psprintf(pool, "%s/%s.der", dir, cert->id);
}

START_TEST(response_survives_a_restart)
{
    const char *dir = make_dir();
    ocspx_refresh_t *refresh;

    open_store(dir);
    refresh = make_refresher();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);

    registry = ocspx_registry_make(pool);
    make_refresher();
    ck_assert(serves_nothing());
    now += SECONDS(100);
    ocspx_load_entry(&config, 0, pool);
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).source, OCSPX_CACHE_DISK);
    ck_assert_int_gt(state_of(0).due, now);
    ck_assert_int_eq(network.asked, 1);
    unlink(store_file(dir));
    rmdir(dir);
}
END_TEST

START_TEST(damaged_file_is_told_and_not_served)
{
    const char *dir = make_dir();

    open_store(dir);
    make_refresher();
    ocspx_load_entry(&config, 0, pool);
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 0); /* none is no fault */
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    pki_write_file(store_file(dir), network.answer.body,
                   network.answer.body_len / 2);
    chmod(store_file(dir), 0600);
    ocspx_load_entry(&config, 0, pool);
    ck_assert(serves_nothing());
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 1);
    ck_assert_ptr_nonnull(strstr(last_line, "RESP_NOT_OCSP"));
    unlink(store_file(dir));
    rmdir(dir);
}
END_TEST

START_TEST(lost_store_is_told_once)
{
    const char *dir = make_dir();
    ocspx_refresh_t *refresh;
    int i;

    open_store(dir);
    rmdir(dir);
    refresh = make_refresher();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(refresh);
    for (i = 0; i < 3; i++) {
        answer_with(V_OCSP_CERTSTATUS_GOOD, state_of(0).due, SECONDS(1000));
        step_to_due(refresh);
        ck_assert(serves_answer());
    }
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR], 1);
}
END_TEST

START_TEST(response_file_is_followed)
{
    const char *dir = make_dir();
    const char *path = apr_pstrcat(pool, dir, "/file", NULL);
    ocspx_refresh_t *refresh;

    policy.response_file = path;
    policy.schedule.refresh_max = SECONDS(60);
    refresh = make_refresher();
    turn(refresh);
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_FILE_UNREADABLE);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(100000));
    pki_write_file(path, network.answer.body, network.answer.body_len);
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_int_le(state_of(0).due, now + SECONDS(60));
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(100000));
    pki_write_file(path, network.answer.body, network.answer.body_len);
    step_to_due(refresh);
    ck_assert(serves_answer());
    ck_assert_int_eq(network.asked, 0);
    unlink(path);
    rmdir(dir);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("load");
    TCase *tc = tcase_create("load");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, response_survives_a_restart);
    tcase_add_test(tc, damaged_file_is_told_and_not_served);
    tcase_add_test(tc, lost_store_is_told_once);
    tcase_add_test(tc, response_file_is_followed);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
