/* test_repair_kept: what a repair keeps in the state directory is believed no
 * more than the network, read by nobody but the worker user, and good for
 * mending the certificate's file by hand; as are the commands in the log.
 */
#include "repair_scene.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>

#include "../support/tools.h"

static const char *kept;

/** Have it repaired, stop, and take the source away. */
static void keep_one(void)
{
    repair_sites();
    repair_offer(SOURCE, w->issuer);
    repair_done();
    kept = repair_kept(leaf);
    ck_assert_int_eq(httpd_stop(w->httpd), 1);
    responder_document(
        w->responder, SOURCE,
        &(responder_script_t){.answer = RESPONDER_HTTP, .http_status = 404});
    httpd_log_mark(w->httpd);
}

/* ---- tampering --------------------------------------------------------- */

static void garbage(void)
{
    pki_write_file(kept, "not a certificate\n", 18);
}

static void empty(void)
{
    pki_write_file(kept, "", 0);
}

static void truncated(void)
{
    ck_assert_int_eq(truncate(kept, 100), 0);
}

static void huge(void)
{
    ck_assert_int_eq(truncate(kept, 10 * 1024 * 1024), 0);
}

static void impostor(void)
{
    pki_spec_t spec = {.cn = "Issuer", .ca = 1};

    pki_write_certs(kept, pki_make(&spec, w->root, w->pool)->cert, NULL);
}

static void expired(void)
{
    pki_spec_t spec = {.cn = "Issuer", .ca = 1};

    spec.use_key = w->issuer->key;
    spec.not_before = apr_time_now() - apr_time_from_sec(864000);
    spec.not_after = apr_time_now() - apr_time_from_sec(86400);
    pki_write_certs(kept, pki_make(&spec, w->root, w->pool)->cert, NULL);
}

static void somebody_elses(void)
{
    ck_assert_msg(!chown(kept, 12345, 12345), "this test has to be root");
    ck_assert_int_eq(chmod(kept, 0644), 0);
}

static void writable_by_everybody(void)
{
    ck_assert_int_eq(chmod(kept, 0666), 0);
}

static void symbolic_link(void)
{
    const char *other = httpd_path(w->httpd, "elsewhere.pem");

    ck_assert_int_eq(rename(kept, other), 0);
    ck_assert_int_eq(symlink(other, kept), 0);
}

static void second_name(void)
{
    ck_assert_int_eq(link(kept, httpd_path(w->httpd, "second.pem")), 0);
}

static void fifo(void)
{
    ck_assert_int_eq(unlink(kept), 0);
    ck_assert_int_eq(mkfifo(kept, 0600), 0);
    ck_assert_int_eq(chmod(kept, 0644), 0);
}

static const struct {
    void (*tamper)(void);
    const char *why; /* regular expression */
} cases[] = {
    {garbage, "certificate"},
    {empty, "empty"},
    {truncated, "certificate"},
    {huge, "10485760|large"},
    {impostor, "."},
    {expired, "expired"},
    {somebody_elses, "12345"},
    {writable_by_everybody, "writable"},
    {symbolic_link, "link"},
    {second_name, "name|link"},
    {fifo, "regular"},
};

START_TEST(tampered_file_is_refused)
{
    keep_one();
    cases[_i].tamper();
    world_up(w);
    repair_await(apr_psprintf(w->pool, "%s.*(%s)", strrchr(kept, '/') + 1,
                              cases[_i].why));
    ck_assert_str_eq(repair_sent(), SITE);
    world_assert_good(w, SOUND);
    /* The repair is made anew. */
    repair_offer(SOURCE, w->issuer);
    repair_await(REPAIRED);
    repair_graceful();
    world_wait_good(w, SITE, SOON_MS);
}
END_TEST

/** A file is lost as well: that is no fault, only work to be done again. */
START_TEST(lost_file_is_fetched_again)
{
    keep_one();
    ck_assert_int_eq(unlink(kept), 0);
    repair_offer(SOURCE, w->issuer);
    world_up(w);
    repair_await(REPAIRED);
    repair_graceful();
    world_wait_good(w, SITE, SOON_MS);
}
END_TEST

/* Without a directory there is nowhere to keep it. */
START_TEST(repair_without_state_directory)
{
    httpd_configure(w->httpd, &(httpd_config_t){.state_dir = "none",
                                                .global = repair_lines()});
    repair_sites();
    repair_offer(SOURCE, w->issuer);
    repair_up();
    world_assert_good(w, SOUND);
    procs_sleep(1000);
    ck_assert_str_eq(repair_sent(), SITE);
    repair_graceful();
    world_assert_good(w, SOUND);
}
END_TEST

/* ---- who reads it ------------------------------------------------------ */

/* The parent is root: it must not open what belongs to the worker user. */
START_TEST(parent_never_opens_it)
{
    const char *trace = httpd_path(w->httpd, "trace");
    const char *id;
    const char *text;
    pid_t strace;

    ck_assert_msg(tools_have("strace"),
                  "strace is missing; build/packages installs it");
    repair_sites();
    repair_offer(SOURCE, w->issuer);
    repair_done();
    strace = procs_spawn(
        (const char *[]){"strace", "-e", "trace=open,openat", "-s", "512", "-o",
                         trace, "-p",
                         apr_itoa(w->pool, (int)httpd_pid(w->httpd)), NULL},
        httpd_path(w->httpd, "strace.out"));
    procs_sleep(500);
    repair_graceful();
    world_wait_good(w, SITE, SOON_MS);
    procs_stop(strace, SIGINT, 5000);
    text = procs_read_file(trace, w->pool);
    if (text[0] == '\0') /* not allowed here */
        return;
    ck_assert_ptr_nonnull(strstr(text, SITE ".pem"));
    id = strrchr(repair_kept(leaf), '/') + 1;
    ck_assert_ptr_null(strstr(text, id));
}
END_TEST

/* ---- by hand ----------------------------------------------------------- */

/** No finding and no repair: the file is whole. */
static void assert_mended_for_good(void)
{
    world_global(w,
                 apr_psprintf(w->pool, "OCSPXChainTrust %s\n", w->root_file));
    httpd_log_mark(w->httpd);
    world_up(w);
    world_wait_good(w, SITE, SOON_MS);
    ck_assert_int_eq(httpd_log_count(w->httpd, "OCSPX0107"), 0);
    ck_assert_int_eq(
        httpd_log_count(w->httpd, "OCSPX0108: 2 .* checked, 2 complete"), 1);
}

/* Not every editor ends the last line. */
static void drop_line_end(const char *file)
{
    struct stat st;

    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_int_eq(truncate(file, st.st_size - 1), 0);
}

START_TEST(kept_file_mends_the_certificates_file)
{
    keep_one();
    if (_i == 1)
        drop_line_end(httpd_path(w->httpd, SITE ".pem"));
    repair_run(apr_psprintf(w->pool, "cat %s >> " SITE ".pem", kept));
    ck_assert_int_eq(unlink(kept), 0);
    assert_mended_for_good();
}
END_TEST

/** The commands that the log says will do it, for the site's file. */
static const char *commands(const char *file)
{
    const char *line = httpd_log_line(
        w->httpd, "OCSPX0107: " SITE ":.*: CHAIN_MISSING: .*: curl ");
    const char *text = line != NULL ? strstr(line, ": curl ") : NULL;

    if (text == NULL)
        repair_fail("no commands");
    text += 2;
    ck_assert_ptr_nonnull(strstr(text, "; openssl "));
    ck_assert_ptr_nonnull(
        strstr(text, apr_psprintf(w->pool, " >> '%s'", file)));
    return text;
}

/** @param configured the name of the file in the configuration */
static void mend_by_commands(const char *path, const char *configured,
                             int open_end)
{
    httpd_vhost_t vhost = {.names = SITE, .cert = configured};
    const char *file;

    world_global(w,
                 apr_psprintf(w->pool, "OCSPXChainTrust %s\n", w->root_file));
    leaf = repair_leaf((pki_spec_t){0}, path);
    file = httpd_cert(w->httpd, &vhost.key, SITE, leaf, NULL);
    httpd_vhost(w->httpd, &vhost);
    if (open_end)
        drop_line_end(file);
    world_site(w, SOUND);
    repair_up();
    ck_assert_str_eq(repair_sent(), SITE);
    repair_run(commands(file));
    ck_assert_int_eq(httpd_stop(w->httpd), 1);
    assert_mended_for_good();
}

START_TEST(commands_of_the_log_mend_the_file)
{
    repair_offer(SOURCE, w->issuer);
    mend_by_commands(SOURCE, httpd_path(w->httpd, SITE ".pem"), _i);
}
END_TEST

START_TEST(commands_of_the_log_name_the_whole_path)
{
    repair_offer(SOURCE, w->issuer);
    mend_by_commands(SOURCE, SITE ".pem", 0);
}
END_TEST

START_TEST(commands_of_the_log_for_a_bundle)
{
    static const char path[] = "/certs/issuer.p7c";

    pki_write_certs(httpd_path(w->httpd, "issuer.pem"), w->issuer->cert, NULL);
    repair_offer_made(path, "openssl crl2pkcs7 -nocrl -certfile issuer.pem "
                            "-outform DER -out made");
    mend_by_commands(path, httpd_path(w->httpd, SITE ".pem"), 0);
}
END_TEST

static Suite *repair_kept_suite(void)
{
    Suite *suite = suite_create("repair_kept");
    TCase *tests = tcase_create("repair_kept");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, repair_setup, repair_teardown);
    tcase_add_loop_test(tests, tampered_file_is_refused, 0,
                        sizeof(cases) / sizeof(*cases));
    tcase_add_test(tests, lost_file_is_fetched_again);
    tcase_add_test(tests, repair_without_state_directory);
    tcase_add_test(tests, parent_never_opens_it);
    tcase_add_loop_test(tests, kept_file_mends_the_certificates_file, 0, 2);
    tcase_add_loop_test(tests, commands_of_the_log_mend_the_file, 0, 2);
    tcase_add_test(tests, commands_of_the_log_name_the_whole_path);
    tcase_add_test(tests, commands_of_the_log_for_a_bundle);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return ocspx_check_main(repair_kept_suite());
}
