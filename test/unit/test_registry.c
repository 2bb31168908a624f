/* test_registry: what becomes an entry. */
#include "refresh_scene.h"

START_TEST(one_entry_for_one_certificate)
{
    ocspx_registry_policy_t other = policy;
    const char *conflict;
    ocspx_registry_entry_t *entry =
        ocspx_registry_add(registry, &conflict, cert, NULL, &policy, "first");

    ck_assert_ptr_null(conflict);
    ck_assert_ptr_eq(
        ocspx_registry_add(registry, &conflict, cert, NULL, &other, "second"),
        entry);
    ck_assert_ptr_null(conflict);
    other.force_url = "http://other/";
    ck_assert_ptr_eq(
        ocspx_registry_add(registry, &conflict, cert, NULL, &other, "third"),
        entry);
    ck_assert_ptr_nonnull(strstr(conflict, "first"));
    ck_assert_ptr_nonnull(strstr(conflict, "third"));
    ck_assert_uint_eq(ocspx_registry_count(registry), 1);
    ck_assert_int_eq(entry->places->nelts, 3);
    ck_assert_int_eq(entry->urls->nelts, 2);
}
END_TEST

START_TEST(forced_url_replaces_the_certificates)
{
    const char *conflict;
    ocspx_registry_entry_t *entry;

    policy.force_url = "http://other/";
    entry =
        ocspx_registry_add(registry, &conflict, cert, NULL, &policy, "here");
    ck_assert_int_eq(entry->urls->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(entry->urls, 0, const char *),
                     "http://other/");
}
END_TEST

START_TEST(nothing_to_ask_is_no_entry)
{
    const char *conflict;

    apr_array_clear(cert->urls);
    ck_assert_ptr_null(
        ocspx_registry_add(registry, &conflict, cert, NULL, &policy, "here"));
    ck_assert_uint_eq(ocspx_registry_count(registry), 0);
    policy.response_file = "/some/file";
    ck_assert_ptr_nonnull(
        ocspx_registry_add(registry, &conflict, cert, NULL, &policy, "here"));
}
END_TEST

static void add_at(const char *cn, const char *url, const char *file)
{
    ocspx_registry_policy_t *own = apr_pmemdup(pool, &policy, sizeof(policy));
    pki_t *made =
        pki_make(&(pki_spec_t){.cn = cn, .use_key = ca->key}, ca, pool);
    const char *conflict;

    own->force_url = url;
    own->response_file = file;
    ck_assert_int_eq(ocspx_cert_make(&cert, made->cert, ca->cert, pool),
                     APR_SUCCESS);
    ck_assert_ptr_nonnull(
        ocspx_registry_add(registry, &conflict, cert, NULL, own, "here"));
}

START_TEST(hosts_by_their_numbers)
{
    const apr_array_header_t *hosts;

    ck_assert_int_eq(ocspx_registry_hosts(registry, pool)->nelts, 0);
    add_at("a", "http://one.test/a", NULL);
    add_at("b", "https://two.test/", NULL);
    add_at("c", "http://one.test/c", NULL);
    add_at("d", NULL, "/some/file");
    add_at("e", "http://one.test:8080/", NULL);
    hosts = ocspx_registry_hosts(registry, pool);
    ck_assert_int_eq(hosts->nelts, 4);
    ck_assert_str_eq(APR_ARRAY_IDX(hosts, 0, const char *), "one.test:80");
    ck_assert_str_eq(APR_ARRAY_IDX(hosts, 1, const char *), "two.test:443");
    ck_assert_str_eq(APR_ARRAY_IDX(hosts, 2, const char *), "/some/file");
    ck_assert_str_eq(APR_ARRAY_IDX(hosts, 3, const char *), "one.test:8080");
    ck_assert_uint_eq(ocspx_registry_get(registry, 2)->host, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registry");
    TCase *tc = tcase_create("registry");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, one_entry_for_one_certificate);
    tcase_add_test(tc, forced_url_replaces_the_certificates);
    tcase_add_test(tc, nothing_to_ask_is_no_entry);
    tcase_add_test(tc, hosts_by_their_numbers);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
