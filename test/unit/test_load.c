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

/* As the refresher tells it. */
START_TEST(signer_that_expires_early_is_a_note)
{
    const char *dir = make_dir();

    open_store(dir);
    signer = pki_make(&(pki_spec_t){.cn = "signer",
                                    .ocsp_signing = 1,
                                    .not_before = START - SECONDS(60),
                                    .not_after = START + SECONDS(500)},
                      ca, pool);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    turn(make_refresher());
    log_text = "";
    registry = ocspx_registry_make(pool);
    make_refresher();
    ocspx_load_entry(&config, 0, pool);
    ck_assert(serves_answer());
    ck_assert_uint_eq(state_of(0).cause, OCSPX_CAUSE_SIGNER_EXPIRES_EARLY);
    ck_assert_int_eq(strncmp(log_text, "OCSPX0042: ", 11), 0);
    ck_assert_str_eq(strchr(log_text, '\n'), "\n");
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

START_TEST(file_that_others_may_write_is_told_and_not_served)
{
    const char *dir = make_dir();

    open_store(dir);
    make_refresher();
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    pki_write_file(store_file(dir), network.answer.body,
                   network.answer.body_len);
    chmod(store_file(dir), 0666);
    ocspx_load_entry(&config, 0, pool);
    ck_assert(serves_nothing());
    ck_assert_int_eq(lines[OCSPX_LOG_WARNING], 1);
    ck_assert_ptr_nonnull(strstr(last_line, "OCSPX0021"));
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

/* Whatever comes of one, a file has no bad moments for others. */
START_TEST(file_for_several)
{
    const char *conflict;
    ocspx_cert_t *another;
    unsigned i;

    policy.response_file = "/nowhere/file";
    for (i = 0; i < 4; i++) {
        pki_t *other = pki_make(&(pki_spec_t){.cn = "other"}, ca, pool);

        ck_assert_int_eq(ocspx_cert_make(&another, other->cert, ca->cert, pool),
                         APR_SUCCESS);
        ocspx_registry_add(registry, &conflict, another, NULL, &policy, "here");
    }
    turn(make_refresher());
    for (i = 0; i < 4; i++)
        ck_assert_uint_eq(state_of(i).cause, OCSPX_CAUSE_FILE_UNREADABLE);
}
END_TEST

START_TEST(file_says_nothing_of_the_store)
{
    ocspx_registry_policy_t with_file = policy;
    ocspx_refresh_t *refresh;
    const char *dir = make_dir();
    const char *conflict;
    ocspx_cert_t *another;
    pki_t *other = pki_make(&(pki_spec_t){.cn = "other",
                                          .ocsp_urls = "http://one/",
                                          .not_after = START + SECONDS(9999)},
                            ca, pool);

    open_store(dir);
    rmdir(dir);
    dir = make_dir();
    with_file.response_file = apr_pstrcat(pool, dir, "/file", NULL);
    with_file.schedule.refresh_max = SECONDS(60);
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    pki_write_file(with_file.response_file, network.answer.body,
                   network.answer.body_len);
    ck_assert_int_eq(ocspx_cert_make(&another, other->cert, ca->cert, pool),
                     APR_SUCCESS);
    leaf = other;
    answer_with(V_OCSP_CERTSTATUS_GOOD, now, SECONDS(1000));
    ocspx_registry_add(registry, &conflict, another, NULL, &policy, "here");
    ocspx_registry_add(registry, &conflict, cert, NULL, &with_file, "there");
    refresh = make_refresher();
    turn(refresh);
    ck_assert_uint_eq(state_of(0).failures + state_of(1).failures, 0);
    ck_assert_uint_eq(state_of(1).source, OCSPX_CACHE_FILE);
    now += SECONDS(61);
    turn(refresh);
    ck_assert_int_eq(state_of(1).tried, now);
    ck_assert_int_eq(lines[OCSPX_LOG_ERROR], 1);
    ck_assert_int_eq(lines[OCSPX_LOG_NOTICE], 0);
    unlink(with_file.response_file);
    rmdir(dir);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("load");
    TCase *tc = tcase_create("load");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, response_survives_a_restart);
    tcase_add_test(tc, signer_that_expires_early_is_a_note);
    tcase_add_test(tc, damaged_file_is_told_and_not_served);
    tcase_add_test(tc, file_that_others_may_write_is_told_and_not_served);
    tcase_add_test(tc, lost_store_is_told_once);
    tcase_add_test(tc, response_file_is_followed);
    tcase_add_test(tc, file_for_several);
    tcase_add_test(tc, file_says_nothing_of_the_store);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
