/* test_registry: what becomes an entry. */
#include "mending.h"

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
    other.schedule.maturity++;
    ocspx_registry_add(registry, &conflict, cert, NULL, &other, "second");
    ck_assert_ptr_nonnull(conflict);
    other = policy;
    other.force_url = "http://other/";
    ck_assert_ptr_eq(
        ocspx_registry_add(registry, &conflict, cert, NULL, &other, "third"),
        entry);
    ck_assert_ptr_nonnull(strstr(conflict, "first"));
    ck_assert_ptr_nonnull(strstr(conflict, "third"));
    ck_assert_uint_eq(ocspx_registry_count(registry), 1);
    ck_assert_int_eq(entry->places->nelts, 4);
    ck_assert_int_eq(entry->urls->nelts, 2);
}
END_TEST

/* However many copies of its certificate there are. */
START_TEST(one_object_for_one_issuer)
{
    X509 *copy = X509_dup(ca->cert);

    ck_assert_ptr_eq(ocspx_registry_issuer(registry, ca->cert), ca->cert);
    ck_assert_ptr_eq(ocspx_registry_issuer(registry, copy), ca->cert);
    ck_assert_ptr_eq(ocspx_registry_issuer(registry, leaf->cert), leaf->cert);
    X509_free(copy);
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

START_TEST(names_of_hosts)
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

START_TEST(every_responder_has_its_number)
{
    const ocspx_registry_entry_t *entry;
    const char *conflict;

    add_at("a", "http://two/", NULL);
    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    entry =
        ocspx_registry_add(registry, &conflict, cert, NULL, &policy, "here");
    ck_assert_int_eq(entry->urls->nelts, 2);
    ck_assert_uint_eq(entry->responders[0], entry->host);
    ck_assert_uint_eq(entry->responders[0], 1);
    ck_assert_uint_eq(entry->responders[1], 0);
    add_at("b", NULL, "/some/file");
    entry = ocspx_registry_get(registry, 2);
    ck_assert_uint_eq(entry->responders[0], entry->host);
    ck_assert_uint_eq(entry->host, 2);
}
END_TEST

static ocspx_registry_entry_t *add_of(ocspx_cert_t *of, ocspx_repair_t *by)
{
    const char *conflict;

    return ocspx_registry_add(registry, &conflict, of, by, &policy, "here");
}

static ocspx_cert_t *issued(void)
{
    ocspx_cert_t *made;

    ck_assert_int_eq(ocspx_cert_make(&made, leaf->cert, ca->cert, pool),
                     APR_SUCCESS);
    return made;
}

START_TEST(nothing_but_a_repair)
{
    ocspx_registry_entry_t *entry;

    make_leaf(NULL);
    entry = add_of(cert, repair);
    ck_assert_ptr_eq(entry->repair, repair);
    ck_assert_int_eq(ocspx_registry_staples(entry), 0);
    ck_assert_int_eq(ocspx_registry_lacks_repair(entry), 1);
    repair->repaired = 1;
    ck_assert_int_eq(ocspx_registry_lacks_repair(entry), 0);
    policy.response_file = "/some/file";
    ck_assert_int_eq(ocspx_registry_staples(entry), 1);
}
END_TEST

START_TEST(without_issuer_and_repair)
{
    ck_assert_ptr_null(add_of(cert, NULL));
    policy.response_file = "/some/file";
    ck_assert_ptr_null(add_of(cert, NULL));
    ck_assert_uint_eq(ocspx_registry_count(registry), 0);
    ck_assert_int_eq(ocspx_registry_lacks_repair(add_of(issued(), NULL)), 0);
}
END_TEST

/* Used by one host with its chain and by another without. */
START_TEST(what_one_place_knows_all_do)
{
    ocspx_cert_t *complete = issued();
    ocspx_registry_entry_t *entry = add_of(cert, repair);

    add_of(make_unissued(leaf), make_repair(cert));
    ck_assert_ptr_eq(entry->cert, cert);
    ck_assert_ptr_eq(add_of(complete, NULL), entry);
    ck_assert_ptr_eq(entry->cert, complete);
    ck_assert_ptr_eq(entry->repair, repair);
    add_of(make_unissued(leaf), make_repair(cert));
    ck_assert_ptr_eq(entry->cert, complete);
    ck_assert_ptr_eq(entry->repair, repair);

    registry = ocspx_registry_make(pool);
    entry = add_of(complete, NULL);
    add_of(issued(), NULL);
    ck_assert_ptr_eq(entry->cert, complete);
    add_of(cert, repair);
    ck_assert_ptr_eq(entry->cert, complete);
    ck_assert_ptr_eq(entry->repair, repair);
    ck_assert_int_eq(entry->places->nelts, 3);
}
END_TEST

static unsigned host_of(const char *ocsp_urls, int with_issuer)
{
    pki_t *other = make_cert((pki_spec_t){.cn = "other",
                                          .ocsp_urls = ocsp_urls,
                                          .ca_issuers = CA_URL},
                             ca);
    ocspx_cert_t *of = make_unissued(other);
    ocspx_repair_t *by = make_repair(of);

    if (with_issuer)
        ck_assert_int_eq(ocspx_cert_make(&of, other->cert, ca->cert, pool),
                         APR_SUCCESS);
    return add_of(of, by)->host;
}

START_TEST(hosts)
{
    unsigned responder = host_of("http://one/a", 1);
    unsigned ca_host = host_of("http://one/b", 0);

    ck_assert_uint_ne(responder, ca_host);
    ck_assert_uint_eq(host_of("http://one:80/", 1), responder);
    ck_assert_uint_eq(host_of("http://two/", 0), ca_host);
    ck_assert_uint_eq(host_of(NULL, 0), ca_host);
    ck_assert_uint_eq(host_of("http://ca/ocsp", 1), ca_host);
    ck_assert_uint_eq(host_of(NULL, 1), ca_host);
    policy.response_file = "/some/file";
    ck_assert_uint_eq(host_of(NULL, 0), ca_host);
    ck_assert_uint_ne(host_of(NULL, 1), ca_host);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registry");
    TCase *tc = tcase_create("registry");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, one_entry_for_one_certificate);
    tcase_add_test(tc, one_object_for_one_issuer);
    tcase_add_test(tc, forced_url_replaces_the_certificates);
    tcase_add_test(tc, nothing_to_ask_is_no_entry);
    tcase_add_test(tc, names_of_hosts);
    tcase_add_test(tc, every_responder_has_its_number);
    suite_add_tcase(suite, tc);
    tc = tcase_create("repair");
    tcase_add_checked_fixture(tc, set_up_mending, tear_down);
    tcase_add_test(tc, nothing_but_a_repair);
    tcase_add_test(tc, without_issuer_and_repair);
    tcase_add_test(tc, what_one_place_knows_all_do);
    tcase_add_test(tc, hosts);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
