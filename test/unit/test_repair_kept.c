/* test_repair_kept: a repair on disk, and what it does to the certificate. */
#include "repair_scene.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *dir, *file;
static ocspx_store_t *store;

static void open_store(void)
{
    const char *why;

    ck_assert_int_eq(ocspx_store_open(&store, &why, dir, pool), APR_SUCCESS);
    file = ocspx_store_file(store, OCSPX_STORE_CHAIN, repair.cert->id, pool);
}

static void set_up(void)
{
    set_the_scene();
    dir = procs_temp_dir(pool);
    open_store();
}

/* An attempt that gets these two. */
static ocspx_repair_try_t *completed(void)
{
    ocspx_repair_try_t *attempt = ocspx_repair_begin(&repair, now, pool);
    X509 *certs[] = {lower->cert, upper->cert};
    encoded_t bundle = encoded_bundle(certs, 2, pool);
    ocspx_cause_e cause;
    const char *message;

    ck_assert_ptr_nonnull(ocspx_repair_next(attempt));
    ck_assert_int_eq(ocspx_repair_take(&cause, &message, attempt, bundle.data,
                                       bundle.len, now),
                     OCSPX_REPAIR_COMPLETE);
    return attempt;
}

static void save(void)
{
    const char *why = "";

    ck_assert_msg(ocspx_repair_save(&why, completed(), store, pool) ==
                      APR_SUCCESS,
                  "%s", why);
}

static const char *loaded(void)
{
    apr_array_header_t *chain;
    const char *why = "";

    if (ocspx_repair_load(&chain, &why, &repair, store, now, pool) !=
        APR_SUCCESS)
        return why;
    return names_of(chain);
}

static void put(const pki_t *one, const pki_t *two)
{
    pki_write_certs(file, one->cert, two ? two->cert : NULL, NULL);
    ck_assert_int_eq(chmod(file, 0600), 0);
}

START_TEST(round_trip)
{
    apr_array_header_t *read;
    const char *pem, *why;

    save();
    pem = procs_read_file(file, pool);
    read =
        ocspx_certs_read(&why, (const unsigned char *)pem, strlen(pem), pool);
    ck_assert_str_eq(names_of(read), "Lower Upper");
    ck_assert_str_eq(loaded(), "Lower Upper");
}
END_TEST

START_TEST(nothing_kept)
{
    apr_array_header_t *chain;
    const char *why;

    ck_assert_int_eq(ocspx_repair_load(&chain, &why, &repair, store, now, pool),
                     APR_ENOENT);
}
END_TEST

START_TEST(store_is_gone)
{
    const char *why = "";

    ck_assert_int_eq(rmdir(dir), 0);
    ck_assert_int_ne(ocspx_repair_save(&why, completed(), store, pool),
                     APR_SUCCESS);
    assert_says(why, dir);
}
END_TEST

/* All that was configured above the leaf and belongs to it is kept, too. */
START_TEST(whole_chain_is_kept)
{
    ocspx_repair_try_t *attempt;
    encoded_t answer = encoded_der(upper->cert, pool);
    ocspx_cause_e cause;
    const char *why;

    serve(make_ca("Lower", NULL, root)); /* wrong key */
    serve(lower);
    attempt = ocspx_repair_begin(&repair, now, pool);
    ocspx_repair_next(attempt);
    ck_assert_int_eq(
        ocspx_repair_take(&cause, &why, attempt, answer.data, answer.len, now),
        OCSPX_REPAIR_COMPLETE);
    ck_assert_int_eq(ocspx_repair_save(&why, attempt, store, pool),
                     APR_SUCCESS);
    ck_assert_str_eq(loaded(), "Lower Upper");
    /* whatever is configured now */
    repair_of(leaf);
    ck_assert_str_eq(loaded(), "Lower Upper");
}
END_TEST

/* --- not believed ---------------------------------------------------- */

START_TEST(tampered_with)
{
    put(make_ca("Lower", NULL, upper), upper);
    assert_says(loaded(),
                apr_pstrcat(pool, file, ": CHAIN_WRONG_KEY: CN=Lower", NULL));
    put(root, NULL);
    assert_says(loaded(), ": CHAIN_REFUSED: CN=Root is there instead of");
    put(lower, NULL);
    assert_says(loaded(), ": CHAIN_MISSING: ");
    pki_write_file(file, "junk", 4);
    assert_says(loaded(),
                apr_pstrcat(pool, file, " holds no certificate", NULL));
    put(lower, upper);
    ck_assert_str_eq(loaded(), "Lower Upper");
    ck_assert_int_eq(chmod(file, 0666), 0);
    assert_says(loaded(), "writable by group or others");
}
END_TEST

START_TEST(out_of_date)
{
    save();
    now = START + DAYS(400);
    assert_says(loaded(), ": CHAIN_EXPIRED: ");
    now = START;
    trust_in(make_ca("Root", NULL, NULL), NULL);
    assert_says(loaded(), file);
}
END_TEST

/* Kept is what the leaf needs, not what somebody put there besides. */
START_TEST(more_than_needed)
{
    put(root, lower);
    repair_of(make_leaf("http://upper/", upper));
    ck_assert_int_eq(rename(file, ocspx_store_file(store, OCSPX_STORE_CHAIN,
                                                   repair.cert->id, pool)),
                     0);
    assert_says(loaded(), "CHAIN_REFUSED: CN=Root is there instead of "
                          "CN=Upper, which issued CN=leaf");
    repair_of(leaf);
    pki_write_certs(file, root->cert, upper->cert, lower->cert, NULL);
    ck_assert_int_eq(chmod(file, 0600), 0);
    ck_assert_str_eq(loaded(), "Lower Upper");
}
END_TEST

START_TEST(too_large)
{
    apr_size_t len = 1024 * 1024 + 1;

    pki_write_file(file, apr_pcalloc(pool, len), len);
    ck_assert_int_eq(chmod(file, 0600), 0);
    assert_says(loaded(), "more than the 1048576 allowed");
}
END_TEST

/* --- in use ---------------------------------------------------------- */

START_TEST(applied)
{
    apr_array_header_t *chain;
    apr_pool_t *own;
    const char *why;

    save();
    apr_pool_create(&own, NULL);
    ck_assert_int_eq(ocspx_repair_load(&chain, &why, &repair, store, now, own),
                     APR_SUCCESS);
    ck_assert_int_eq(repair.repaired, 0);
    ck_assert_ptr_null(repair.cert->issuer);
    ocspx_repair_apply(&repair, chain);
    apr_pool_destroy(own);
    ck_assert_int_eq(repair.repaired, 1);
    ck_assert_int_eq(X509_cmp(repair.cert->issuer, lower->cert), 0);
}
END_TEST

START_TEST(issuer_known_before)
{
    ocspx_cert_t *cert;

    ck_assert_int_eq(ocspx_cert_make(&cert, leaf->cert, lower->cert, pool),
                     APR_SUCCESS);
    repair.cert = cert;
    ocspx_repair_apply(&repair, ocspx_repair_chain(completed()));
    ck_assert_ptr_eq(cert->issuer, lower->cert);
    ck_assert_int_eq(repair.repaired, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("repair_kept");
    TCase *tc = tcase_create("repair_kept");

    tcase_add_checked_fixture(tc, set_up, strike_the_scene);
    tcase_add_test(tc, round_trip);
    tcase_add_test(tc, nothing_kept);
    tcase_add_test(tc, store_is_gone);
    tcase_add_test(tc, whole_chain_is_kept);
    tcase_add_test(tc, tampered_with);
    tcase_add_test(tc, out_of_date);
    tcase_add_test(tc, more_than_needed);
    tcase_add_test(tc, too_large);
    tcase_add_test(tc, applied);
    tcase_add_test(tc, issuer_known_before);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
