/* test_state: the state directory in every bad state. Stapling works on from
 * memory, one line says what is wrong, and nothing outside is touched.
 */
#include <apr_strings.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/check_main.h"
#include "../support/world.h"

#define SITES 3

static world_t *w;
static pki_t *leaves[SITES];
static const char *dir;

static const char *site(int i)
{
    return apr_psprintf(w->pool, "site%d.test", i);
}

static void set_up(void)
{
    int i;

    w = world_make();
    dir = httpd_path(w->httpd, "kept");
    httpd_configure(w->httpd, &(httpd_config_t){.state_dir = dir});
    for (i = 0; i < SITES; i++)
        leaves[i] = world_site(w, site(i));
}

static void tear_down(void)
{
    world_destroy(w);
}

static void up(void)
{
    responder_start(w->responder);
    world_up(w);
}

static void assert_all_good(void)
{
    int i;

    for (i = 0; i < SITES; i++)
        world_assert_good(w, site(i));
}

static int logged(const char *regex)
{
    return httpd_log_count(w->httpd, regex);
}

/* The file the module keeps the response of a site in. */
static const char *file_of(int i)
{
    unsigned char digest[32];
    char *name = apr_psprintf(w->pool, "%s/", dir);
    unsigned n;

    ck_assert_int_eq(X509_digest(leaves[i]->cert, EVP_sha256(), digest, NULL),
                     1);
    for (n = 0; n < sizeof(digest); n++)
        name = apr_psprintf(w->pool, "%s%02x", name, digest[n]);
    return apr_pstrcat(w->pool, name, ".der", NULL);
}

static uid_t worker_uid(void)
{
    return httpd_user() ? getpwnam(httpd_user())->pw_uid : geteuid();
}

/* Fill the directory by a run of httpd, and stop it and the responder. */
static void fill(void)
{
    struct stat st;
    int i;

    up();
    assert_all_good();
    ck_assert_int_eq(httpd_stop(w->httpd), 1);
    responder_stop(w->responder);
    ck_assert_int_eq(stat(dir, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
    ck_assert_uint_eq(st.st_uid, worker_uid());
    for (i = 0; i < SITES; i++) {
        ck_assert_int_eq(stat(file_of(i), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_uint_eq(st.st_uid, worker_uid());
    }
    httpd_log_mark(w->httpd);
}

/* A directory outside, and whether anything has come into it. */
static const char *make_outside(void)
{
    const char *outside = httpd_path(w->httpd, "outside");

    ck_assert_int_eq(mkdir(outside, 0777), 0);
    ck_assert_int_eq(chmod(outside, 0777), 0);
    return outside;
}

/* As if httpd had made it. */
static void make_dir(mode_t mode)
{
    const struct passwd *worker = httpd_user() ? getpwnam(httpd_user()) : NULL;

    ck_assert_int_eq(mkdir(dir, 0700), 0);
    if (worker)
        ck_assert_int_eq(chown(dir, worker->pw_uid, worker->pw_gid), 0);
    ck_assert_int_eq(chmod(dir, mode), 0);
}

/* --- the directory --------------------------------------------------- */

START_TEST(missing_parent)
{
    dir = httpd_path(w->httpd, "no/such/dir");
    httpd_configure(w->httpd, &(httpd_config_t){.state_dir = dir});
    up();
    assert_all_good();
    ck_assert_int_eq(logged("STORE_UNWRITABLE: .*no/such/dir"), 1);
    ck_assert_int_eq(logged("STORE_UNWRITABLE"), 1);
}
END_TEST

START_TEST(file_in_its_place)
{
    pki_write_file(dir, "mine", 4);
    up();
    assert_all_good();
    ck_assert_int_eq(logged("STORE_UNWRITABLE: .*/kept"), 1);
    ck_assert_int_eq(logged("STORE_UNWRITABLE"), 1);
}
END_TEST

START_TEST(link_in_its_place)
{
    const char *outside = make_outside();

    ck_assert_int_eq(symlink(outside, dir), 0);
    up();
    assert_all_good();
    ck_assert_int_eq(logged("STORE_UNWRITABLE: .*/kept.*link"), 1);
    ck_assert_int_eq(logged("STORE_UNWRITABLE"), 1);
    ck_assert_int_eq(rmdir(outside), 0); /* it is empty */
}
END_TEST

START_TEST(writable_by_everybody)
{
    make_dir(0777);
    up();
    assert_all_good();
    ck_assert_int_eq(logged("STORE_UNWRITABLE: .*/kept.*writable"), 1);
    ck_assert_int_eq(logged("STORE_UNWRITABLE"), 1);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(somebody_elses)
{
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    ck_assert_msg(!chown(dir, 12345, 12345), "this test has to be root");
    up();
    assert_all_good();
    ck_assert_int_eq(logged("STORE_UNWRITABLE: .*/kept.*12345"), 1);
    ck_assert_int_eq(logged("STORE_UNWRITABLE"), 1);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(read_only)
{
    int i;

    fill();
    ck_assert_int_eq(chmod(dir, 0500), 0);
    for (i = 0; i < SITES; i++)
        ck_assert_int_eq(truncate(file_of(i), 0), 0);
    responder_script(w->responder, NULL,
                     &(responder_script_t){.lifetime = apr_time_from_sec(8)});
    responder_reset(w->responder);
    up();
    assert_all_good();
    ck_assert_int_eq(responder_wait(w->responder, NULL, 3 * SITES, 20000), 1);
    assert_all_good();
    /* one line of the process that fills the cache, one of the refresher */
    ck_assert_int_ge(logged("OCSPX0015: STORE_UNWRITABLE: .*/kept"), 1);
    ck_assert_int_le(logged("STORE_UNWRITABLE"), 2);
}
END_TEST

START_TEST(full)
{
    const struct passwd *worker = getpwnam(httpd_user());
    const char *options =
        apr_psprintf(w->pool, "size=16k,mode=0700,uid=%u,gid=%u",
                     (unsigned)worker->pw_uid, (unsigned)worker->pw_gid);
    char page[4096] = {0};
    int fd;

    ck_assert_int_eq(mkdir(dir, 0700), 0);
    ck_assert_msg(!mount("tmpfs", dir, "tmpfs", 0, options),
                  "this test mounts a small tmpfs and has to be root");
    fd = open(apr_pstrcat(w->pool, dir, "/ballast", NULL), O_WRONLY | O_CREAT,
              0600);
    while (write(fd, page, sizeof(page)) > 0)
        ;
    close(fd);
    up();
    assert_all_good();
    ck_assert_int_eq(httpd_stop(w->httpd), 1);
    ck_assert_int_eq(umount(dir), 0);
    ck_assert_int_eq(logged("STORE_UNWRITABLE: .*/kept.*No space"), 1);
}
END_TEST

START_TEST(deleted_while_running)
{
    int i;

    responder_script(w->responder, NULL,
                     &(responder_script_t){.lifetime = apr_time_from_sec(8)});
    up();
    for (i = 0; i < SITES; i++)
        unlink(file_of(i));
    ck_assert_int_eq(rmdir(dir), 0);
    ck_assert_int_eq(httpd_log_wait(w->httpd, "OCSPX0015", 20000), 1);
    ck_assert_int_eq(responder_wait(w->responder, NULL, 3 * SITES, 20000), 1);
    assert_all_good();
    ck_assert_int_eq(logged("STORE_UNWRITABLE"), 1);
}
END_TEST

START_TEST(none_at_all)
{
    httpd_configure(
        w->httpd,
        &(httpd_config_t){.state_dir = "", .global = "OCSPXStateDir none\n"});
    up();
    assert_all_good();
    ck_assert_int_eq(logged("ocspx:(warn|error)|STORE"), 0);
}
END_TEST

/* --- the files ------------------------------------------------------- */

/* Site 0 has a file that must not be used; the others are stapled from
 * theirs, with the responder dead. */
static void assert_file_refused(const char *regex)
{
    world_up(w);
    world_assert_bare(w, site(0));
    world_assert_good(w, site(1));
    world_assert_good(w, site(2));
    ck_assert_msg(logged(regex) == 1, "no line \"%s\"", regex);
}

START_TEST(truncated_file)
{
    fill();
    ck_assert_int_eq(truncate(file_of(0), 100), 0);
    assert_file_refused("OCSPX002[01]: site0.test: .*RESP_NOT_OCSP");
}
END_TEST

START_TEST(file_of_another_certificate)
{
    fill();
    ck_assert_int_eq(unlink(file_of(0)), 0);
    ck_assert_int_eq(rename(file_of(1), file_of(0)), 0);
    responder_start(w->responder);
    responder_script(w->responder, leaves[0],
                     &(responder_script_t){.answer = RESPONDER_RESET});
    assert_file_refused("OCSPX0020: site0.test: .*WRONG_CERT");
}
END_TEST

START_TEST(file_that_everybody_may_write)
{
    fill();
    ck_assert_int_eq(chmod(file_of(0), 0666), 0);
    assert_file_refused("OCSPX0021: site0.test: .*writable");
}
END_TEST

START_TEST(file_of_somebody_else)
{
    fill();
    ck_assert_msg(!chown(file_of(0), 12345, 12345), "this test has to be root");
    ck_assert_int_eq(chmod(file_of(0), 0644), 0);
    assert_file_refused("OCSPX0021: site0.test: .*12345");
}
END_TEST

START_TEST(link_to_a_good_file)
{
    const char *target = httpd_path(w->httpd, "target.der");

    fill();
    ck_assert_int_eq(rename(file_of(0), target), 0);
    ck_assert_int_eq(symlink(target, file_of(0)), 0);
    assert_file_refused("OCSPX0021: site0.test: .*link");
}
END_TEST

START_TEST(pipe_does_not_block)
{
    fill();
    ck_assert_int_eq(unlink(file_of(0)), 0);
    ck_assert_int_eq(mkfifo(file_of(0), 0600), 0);
    assert_file_refused("OCSPX0021: site0.test: .*");
}
END_TEST

START_TEST(bad_file_is_replaced)
{
    struct stat st;
    const char *target = httpd_path(w->httpd, "target.der");

    fill();
    ck_assert_int_eq(rename(file_of(0), target), 0);
    ck_assert_int_eq(truncate(target, 7), 0);
    ck_assert_int_eq(symlink(target, file_of(0)), 0);
    up();
    assert_all_good();
    ck_assert_int_eq(lstat(file_of(0), &st), 0);
    ck_assert(S_ISREG(st.st_mode));
    ck_assert_int_eq(stat(target, &st), 0);
    ck_assert_int_eq(st.st_size, 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state");
    TCase *tc = tcase_create("state");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 90);
    tcase_add_test(tc, missing_parent);
    tcase_add_test(tc, file_in_its_place);
    tcase_add_test(tc, link_in_its_place);
    tcase_add_test(tc, writable_by_everybody);
    tcase_add_test(tc, somebody_elses);
    tcase_add_test(tc, read_only);
    tcase_add_test(tc, full);
    tcase_add_test(tc, deleted_while_running);
    tcase_add_test(tc, none_at_all);
    tcase_add_test(tc, truncated_file);
    tcase_add_test(tc, file_of_another_certificate);
    tcase_add_test(tc, file_that_everybody_may_write);
    tcase_add_test(tc, file_of_somebody_else);
    tcase_add_test(tc, link_to_a_good_file);
    tcase_add_test(tc, pipe_does_not_block);
    tcase_add_test(tc, bad_file_is_replaced);
    suite_add_tcase(suite, tc);
    return ocspx_check_main(suite);
}
