/* test_trust: the roots of a file, a directory and the system, and what is
 * said of those that cannot be had.
 */
#include "../support/check_main.h"

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../mod_ocspx/engine/trust.h"
#include "../support/pki.h"
#include "../support/procs.h"

#define NOBODY 65534

static apr_pool_t *pool;
static pki_t *root, *other, *leaf;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    root = pki_make(&(pki_spec_t){.cn = "Root", .ca = 1}, NULL, pool);
    other = pki_make(&(pki_spec_t){.cn = "Other", .ca = 1}, NULL, pool);
    leaf = pki_make(&(pki_spec_t){.cn = "a.test"}, root, pool);
    ck_assert_int_eq(chdir(procs_temp_dir(pool)), 0);
    pki_write_certs("root.pem", root->cert, NULL);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
}

static void tear_down(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    apr_pool_destroy(pool);
}

static const ocspx_chain_trust_t *load(const char *path)
{
    const ocspx_chain_trust_t *trust = NULL;
    const char *why = "no reason given";

    ck_assert_msg(ocspx_trust_load(&trust, &why, path, pool) == APR_SUCCESS,
                  "%s: %s", path ? path : "system", why);
    ck_assert_int_eq(trust->all, path != NULL);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return trust;
}

static int trusts(const ocspx_chain_trust_t *trust)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int ok;

    ck_assert_int_eq(X509_STORE_CTX_init(ctx, trust->roots, leaf->cert, NULL),
                     1);
    ck_assert_int_eq(X509_STORE_CTX_set_default(ctx, "ssl_server"), 1);
    ok = X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

/* By the judge of chains. */
static int completes(const ocspx_chain_trust_t *trust, apr_hash_t *unknown)
{
    apr_array_header_t *served = apr_array_make(pool, 1, sizeof(X509 *));
    const ocspx_chain_question_t question = {.served = served,
                                             .trust = trust,
                                             .unknown = unknown,
                                             .now = apr_time_now()};
    ocspx_chain_t chain;

    APR_ARRAY_PUSH(served, X509 *) = leaf->cert;
    ocspx_chain_judge(&chain, &question, pool);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return chain.complete;
}

static void assert_refused(const char *path, const char *says)
{
    static const ocspx_chain_trust_t untouched;
    const ocspx_chain_trust_t *trust = &untouched;
    const char *why = NULL;

    ck_assert_int_ne(ocspx_trust_load(&trust, &why, path, pool), APR_SUCCESS);
    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strstr(why, says) != NULL, "no \"%s\" in: %s", says, why);
    ck_assert_ptr_eq(trust, &untouched);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

static void shell(const char *command)
{
    const char *argv[] = {"sh", "-c", command, NULL};
    procs_result_t result;

    procs_run(&result, argv, NULL, 10000, pool);
    ck_assert_msg(result.status == 0, "%s: %s", command, result.output);
}

/* --- a file ---------------------------------------------------------- */

START_TEST(file_of_one)
{
    ck_assert(trusts(load("root.pem")));
    pki_write_certs("other.pem", other->cert, NULL);
    ck_assert(!trusts(load("other.pem")));
}
END_TEST

START_TEST(file_of_many_among_other_things)
{
    pki_write_key("other.key", other);
    pki_write_certs("other.pem", other->cert, NULL);
    shell("(echo '# ours'; cat other.pem other.key other.pem root.pem; "
          "echo end) > all.pem");
    ck_assert(trusts(load("all.pem")));
}
END_TEST

START_TEST(trusted_certificate)
{
    shell("openssl x509 -in root.pem -trustout -addtrust serverAuth -out t");
    shell("grep -q 'BEGIN TRUSTED CERTIFICATE' t");
    ck_assert(trusts(load("t")));
    shell("openssl x509 -in root.pem -trustout -addreject serverAuth -out t");
    ck_assert(!trusts(load("t")));
}
END_TEST

START_TEST(file_without_certificate)
{
    pki_write_file("empty", "", 0);
    pki_write_key("key", root);
    pki_write_file("junk", "certificate\n", 12);
    assert_refused("empty", "empty holds no certificate in PEM form");
    assert_refused("key", "key holds no certificate in PEM form");
    assert_refused("junk", "junk holds no certificate in PEM form");
}
END_TEST

START_TEST(damaged_certificate)
{
    pki_write_certs("two.pem", other->cert, root->cert, NULL);
    shell("tac two.pem | sed '3s/.*/AAAA/' | tac > bad.pem");
    assert_refused("bad.pem", "certificate 2 in bad.pem is damaged");
    shell("head -c -40 root.pem > cut.pem");
    assert_refused("cut.pem", "certificate 1 in cut.pem is damaged");
}
END_TEST

/* Whoever starts a server has no use for a question. */
START_TEST(encrypted_certificate)
{
    FILE *file = fopen("secret.pem", "w");
    unsigned char pass[] = "secret";

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(PEM_ASN1_write((i2d_of_void *)i2d_X509, PEM_STRING_X509,
                                    file, root->cert, EVP_aes_128_cbc(), pass,
                                    6, NULL, NULL),
                     1);
    fclose(file);
    assert_refused("secret.pem", "certificate 1 in secret.pem is damaged");
}
END_TEST

START_TEST(neither_file_nor_directory)
{
    assert_refused("missing", "missing cannot be read: No such file");
    assert_refused("/dev/null", "/dev/null is neither a file nor a directory");
    shell("mkfifo fifo");
    assert_refused("fifo", "fifo is neither");
    assert_refused("mis\nsing", "mis\\x0asing cannot be read");
}
END_TEST

static void in_place_of_root(void)
{
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(NOBODY), 0);
}

START_TEST(not_ours_to_read)
{
    shell("mkdir closed; chmod 0 root.pem closed");
    in_place_of_root();
    assert_refused("root.pem", "root.pem cannot be read: Permission denied");
    assert_refused("closed", "closed cannot be read: Permission denied");
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

/* --- a directory ----------------------------------------------------- */

START_TEST(directory_with_hashes)
{
    shell("mkdir dir; cp root.pem dir; openssl rehash dir");
    ck_assert(trusts(load("dir")));
    ck_assert(trusts(load("dir/")));
    pki_write_certs("other.pem", other->cert, NULL);
    shell("mkdir others; mv other.pem others; openssl rehash others");
    ck_assert(!trusts(load("others")));
}
END_TEST

START_TEST(directory_without_hashes)
{
    shell("mkdir dir; cp root.pem dir; cp root.pem dir/0123456789.0; "
          "cp root.pem dir/12345678.x; cp root.pem dir/12345678.; "
          "ln -s gone dir/12345678.0; mkdir dir/12345678.1");
    assert_refused("dir", "dir holds no certificate under its hash; openssl "
                          "rehash dir gives");
    shell("cp root.pem dir/12345678.10");
    load("dir");
}
END_TEST

START_TEST(directory_that_openssl_takes_for_two)
{
    shell("mkdir a:b; cp root.pem a:b; openssl rehash a:b || "
          "cp root.pem a:b/12345678.0");
    assert_refused("a:b", "a:b cannot be used: there is a colon");
}
END_TEST

/* What the directory does not have is not looked for again as long as the
 * caller keeps in mind which names these were; all else is. */
START_TEST(names_it_does_not_know)
{
    apr_hash_t *unknown = apr_hash_make(pool);

    pki_write_certs("other.pem", other->cert, NULL);
    shell("mkdir dir; cp other.pem dir; openssl rehash dir");
    ck_assert(!completes(load("dir"), NULL));
    ck_assert(!completes(load("dir"), unknown));
    ck_assert_uint_eq(apr_hash_count(unknown), 1);
    shell("cp root.pem dir; openssl rehash dir");
    ck_assert(!completes(load("dir"), unknown));
    ck_assert(completes(load("dir"), NULL));
    ck_assert(completes(load("dir"), apr_hash_make(pool)));
    ck_assert(trusts(load("dir")));
}
END_TEST

/* A name it knows, with another key, is one that it knows. */
START_TEST(names_it_knows_otherwise)
{
    apr_hash_t *unknown = apr_hash_make(pool);
    const pki_t *namesake =
        pki_make(&(pki_spec_t){.cn = "Root", .ca = 1}, NULL, pool);

    shell("mkdir dir");
    pki_write_certs("dir/namesake.pem", namesake->cert, NULL);
    shell("openssl rehash dir");
    ck_assert(!completes(load("dir"), unknown));
    shell("cp root.pem dir; openssl rehash dir");
    ck_assert(completes(load("dir"), unknown));
}
END_TEST

/* --- the system ------------------------------------------------------ */

START_TEST(system_file)
{
    setenv("SSL_CERT_FILE", "root.pem", 1);
    setenv("SSL_CERT_DIR", "nowhere", 1);
    ck_assert(trusts(load(NULL)));
    setenv("SSL_CERT_FILE", "missing", 1);
    ck_assert(!trusts(load(NULL)));
}
END_TEST

START_TEST(system_directory)
{
    shell("mkdir dir; cp root.pem dir; openssl rehash dir");
    setenv("SSL_CERT_FILE", "missing", 1);
    setenv("SSL_CERT_DIR", "nowhere:dir", 1);
    ck_assert(trusts(load(NULL)));
}
END_TEST

static Suite *trust_suite(void)
{
    Suite *suite = suite_create("trust");
    TCase *tests = tcase_create("load");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, file_of_one);
    tcase_add_test(tests, file_of_many_among_other_things);
    tcase_add_test(tests, trusted_certificate);
    tcase_add_test(tests, file_without_certificate);
    tcase_add_test(tests, damaged_certificate);
    tcase_add_test(tests, encrypted_certificate);
    tcase_add_test(tests, neither_file_nor_directory);
    tcase_add_test(tests, not_ours_to_read);
    tcase_add_test(tests, directory_with_hashes);
    tcase_add_test(tests, directory_without_hashes);
    tcase_add_test(tests, directory_that_openssl_takes_for_two);
    tcase_add_test(tests, names_it_does_not_know);
    tcase_add_test(tests, names_it_knows_otherwise);
    tcase_add_test(tests, system_file);
    tcase_add_test(tests, system_directory);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(trust_suite());
}
