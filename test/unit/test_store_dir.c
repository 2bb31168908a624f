/* test_store_dir: the state directory: made, checked, swept. */
#include "store_scene.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

/* --- somebody quick in the parent directory -------------------------- */

static enum { NOBODY_QUICK, QUICK_LINK, QUICK_FULL_DIR } quick;

/* In place of libc's: what comes between mkdir and the look at its result. */
int mkdir(const char *path, mode_t mode)
{
    int rv = (int)syscall(SYS_mkdir, path, mode);

    if (quick == QUICK_LINK && (rmdir(path) || symlink(outside, path)))
        return -1;
    if (quick == QUICK_FULL_DIR && (rmdir(path) || rename(outside, path)))
        return -1;
    return rv;
}

/* --- prepare --------------------------------------------------------- */

static apr_status_t prepare(const char **why, const char *path)
{
    *why = "";
    return ocspx_store_prepare(why, path, geteuid(), getegid(), pool);
}

START_TEST(prepare_makes)
{
    const char *why;
    struct stat st;
    int before = open_files();

    ck_assert_int_eq(prepare(&why, dir), APR_SUCCESS);
    ck_assert_int_eq(stat(dir, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
    ck_assert_uint_eq(st.st_uid, geteuid());
    ck_assert_int_eq(open_files(), before);
}
END_TEST

START_TEST(prepare_leaves_alone)
{
    const char *why, *before;

    ck_assert_int_eq(mkdir(dir, 0755), 0);
    pki_write_file(in(dir, "something"), "x", 1);
    before = trace(dir);
    ck_assert_int_eq(prepare(&why, dir), APR_SUCCESS);
    ck_assert_int_eq(prepare(&why, in(dir, "/")), APR_SUCCESS);
    ck_assert_str_eq(trace(dir), before);
}
END_TEST

static void refused(const char *path, const char *says)
{
    const char *before = trace(path), *around = trace_outside(), *why;
    int fds = open_files();

    ck_assert_int_ne(prepare(&why, path), APR_SUCCESS);
    assert_says(why, path);
    assert_says(why, says);
    ck_assert_str_eq(trace(path), before);
    ck_assert_str_eq(trace_outside(), around);
    ck_assert_int_eq(open_files(), fds);
}

START_TEST(prepare_refuses)
{
    const char *why;

    refused(in(base, "missing/state"), "No such file");
    refused(victim, "is not a directory");
    ck_assert_int_eq(symlink(outside, dir), 0);
    refused(dir, "is a symbolic link");
    ck_assert_int_ne(prepare(&why, in(dir, "")), APR_SUCCESS);
    assert_says(why, "is a symbolic link");
    ck_assert_int_eq(unlink(dir), 0);
    ck_assert_int_eq(symlink("nowhere", dir), 0);
    refused(dir, "is a symbolic link");
}
END_TEST

START_TEST(prepare_refuses_writable)
{
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    ck_assert_int_eq(chmod(dir, 0720), 0);
    refused(dir, "writable by group or others");
    ck_assert_int_eq(chmod(dir, 01702), 0);
    refused(dir, "writable by group or others");
}
END_TEST

START_TEST(prepare_refuses_owner)
{
    const char *why;

    ck_assert_int_eq(mkdir(dir, 0700), 0);
    ck_assert_int_eq(ocspx_store_prepare(&why, dir, geteuid() + 1, 0, pool),
                     APR_EINVAL);
    assert_says(why, "belongs to user id");
}
END_TEST

/* The parent directory is as the test made it: root may, others may not. */
static int gives(void)
{
    const char *why = "";
    struct stat st;
    uid_t to = geteuid() == 0 ? NOBODY : geteuid();

    NEED(!ocspx_store_prepare(&why, dir, to, getegid(), pool));
    NEED(stat(dir, &st) == 0 && st.st_uid == to);
    NEED((st.st_mode & 07777) == 0700);
    return 0;
}

static int may_not_give(void)
{
    const char *why = "";

    NEED(ocspx_store_prepare(&why, dir, geteuid() - 1, getegid(), pool) ==
         EPERM);
    NEED(strstr(why, "cannot change the owner of"));
    NEED(access(dir, F_OK) != 0);
    return 0;
}

START_TEST(prepare_gives)
{
    ck_assert_int_eq(in_child(gives, 0), 0);
    ck_assert_int_eq(rmdir(dir), 0);
    give_away(base);
    ck_assert_int_eq(in_child(may_not_give, 1), 0);
}
END_TEST

START_TEST(prepare_race)
{
    const char *before = trace(victim), *why;

    quick = QUICK_LINK;
    ck_assert_int_ne(prepare(&why, dir), APR_SUCCESS);
    assert_says(why, "is a symbolic link");
    ck_assert_int_eq(unlink(dir), 0);

    quick = QUICK_FULL_DIR;
    ck_assert_int_ne(
        ocspx_store_prepare(&why, dir, geteuid() + 1, getegid(), pool),
        APR_SUCCESS);
    assert_says(why, "was replaced");
    ck_assert_str_eq(trace(in(dir, "victim")), before);
    quick = NOBODY_QUICK;
}
END_TEST

/* --- open ------------------------------------------------------------ */

START_TEST(open_closes)
{
    int before = open_files();
    ocspx_store_t *store;
    const char *why;
    apr_pool_t *p;

    apr_pool_create(&p, pool);
    ck_assert_int_eq(mkdir(dir, 0755), 0);
    ck_assert_int_eq(ocspx_store_open(&store, &why, dir, p), APR_SUCCESS);
    ck_assert_int_eq(open_files(), before + 1);
    ck_assert_int_eq(fcntl(store->fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    apr_pool_destroy(p);
    ck_assert_int_eq(open_files(), before);
}
END_TEST

static void not_opened(const char *path, const char *says)
{
    int before = open_files();
    ocspx_store_t *store;
    const char *why = "";

    ck_assert_int_ne(ocspx_store_open(&store, &why, path, pool), APR_SUCCESS);
    assert_says(why, says);
    ck_assert_int_eq(open_files(), before);
}

START_TEST(open_refuses)
{
    not_opened(dir, "No such file");
    not_opened(victim, "is not a directory");
    ck_assert_int_eq(symlink(outside, dir), 0);
    not_opened(dir, "is a symbolic link");
    not_opened(in(dir, "/"), "is a symbolic link");
    ck_assert_int_eq(chmod(outside, 0775), 0);
    not_opened(outside, "writable by group or others");
    ck_assert_int_eq(chmod(outside, 0757), 0);
    not_opened(outside, "writable by group or others");
}
END_TEST

static int cannot_open(void)
{
    ocspx_store_t *store;
    const char *why = "";

    NEED(ocspx_store_open(&store, &why, dir, pool) == EACCES);
    NEED(strstr(why, "cannot open the state directory"));
    NEED(strstr(why, "Permission denied"));
    return 0;
}

START_TEST(open_without_permission)
{
    ck_assert_int_eq(mkdir(dir, 0100), 0);
    ck_assert_int_eq(in_child(cannot_open, 1), 0);
}
END_TEST

/* Who but root could make a directory that is somebody else's? */
START_TEST(owners)
{
    const struct {
        uid_t is, wanted;
        int or_root;
        mode_t mode;
        apr_status_t rv;
    } cases[] = {
        {7, 7, 0, 0700, APR_SUCCESS}, {7, 8, 0, 0700, APR_EINVAL},
        {7, 8, 1, 0700, APR_EINVAL},  {0, 8, 1, 0755, APR_SUCCESS},
        {0, 8, 0, 0700, APR_EINVAL},  {7, 7, 1, 0770, APR_EINVAL},
        {7, 7, 1, 0702, APR_EINVAL},
    };
    const char *why;
    unsigned i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stat st = {.st_uid = cases[i].is, .st_mode = cases[i].mode};

        ck_assert_int_eq(ocspx_store_check_owner(&why, &st, "x",
                                                 cases[i].wanted,
                                                 cases[i].or_root, pool),
                         cases[i].rv);
    }
    if (geteuid() == 0) {
        ck_assert_int_eq(mkdir(dir, 0700), 0);
        give_away(dir);
        not_opened(dir, "belongs to user id 65534 instead of 0");
    }
}
END_TEST

/* --- sweep ----------------------------------------------------------- */

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void put(const char *name, int hours_ago)
{
    struct timespec times[2] = {{time(NULL) - 3600 * hours_ago - 1, 0}};

    times[1] = times[0];
    pki_write_file(in(dir, name), "x", 1);
    ck_assert_int_eq(utimensat(AT_FDCWD, in(dir, name), times, 0), 0);
}

START_TEST(sweep_old_temps)
{
    ocspx_store_t *store;
    const char *why;

    ck_assert_int_eq(mkdir(dir, 0700), 0);
    put("." ID ".4711.tmp", 1);
    put("." ID ".4712.tmp", 0);
    put(ID ".der", 9);
    put(".other.tmp", 9);
    put("old", 9);
    ck_assert_int_eq(symlink("old", in(dir, "." ID ".1.tmp")), 0);
    ck_assert_int_eq(ocspx_store_open(&store, &why, dir, pool), APR_SUCCESS);
    ck_assert_str_eq(trace(in(dir, "." ID ".4711.tmp")), "gone");
    ck_assert_int_eq(files_in(dir), 5);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("store_dir");
    TCase *t = tcase_create("store_dir");

    tcase_add_checked_fixture(t, scene_make, scene_end);
    tcase_add_test(t, prepare_makes);
    tcase_add_test(t, prepare_leaves_alone);
    tcase_add_test(t, prepare_refuses);
    tcase_add_test(t, prepare_refuses_writable);
    tcase_add_test(t, prepare_refuses_owner);
    tcase_add_test(t, prepare_gives);
    tcase_add_test(t, prepare_race);
    tcase_add_test(t, open_closes);
    tcase_add_test(t, open_refuses);
    tcase_add_test(t, open_without_permission);
    tcase_add_test(t, owners);
    tcase_add_test(t, sweep_old_temps);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return ocspx_check_main(suite());
}
