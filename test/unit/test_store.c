/* test_store: reading and replacing what is kept, among obstacles. */
#include "store_scene.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define MAX 1000

static ocspx_store_t *store;
static ocspx_store_kind_e kind;
static const char *file; /* of ID */
static const char *temp; /* of ID, while this process writes it */

/* --- in place of libc's: the order of calls, failures, and death ------ */

static enum { ALL_WELL, SYNC_FAILS, RENAME_FAILS, RENAME_KILLS } accident;
static char calls[16]; /* f: fsync, r: rename */

static void note(char call)
{
    size_t n = strlen(calls);

    if (n < sizeof(calls) - 1)
        calls[n] = call;
}

int fsync(int fd)
{
    note('f');
    if (accident == SYNC_FAILS) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    note('r');
    if (accident == RENAME_KILLS)
        raise(SIGKILL);
    if (accident == RENAME_FAILS) {
        errno = EDQUOT;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

/* --- helpers --------------------------------------------------------- */

static void set_up(ocspx_store_kind_e of, const char *name)
{
    const char *why;

    scene_make();
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    ck_assert_int_eq(ocspx_store_open(&store, &why, dir, pool), APR_SUCCESS);
    kind = of;
    file = in(dir, name);
    temp = in(dir, apr_psprintf(pool, "." ID ".%d.tmp", (int)getpid()));
    memset(calls, 0, sizeof(calls));
}

static void set_up_response(void)
{
    set_up(OCSPX_STORE_RESPONSE, ID ".der");
}

static void set_up_chain(void)
{
    set_up(OCSPX_STORE_CHAIN, ID ".pem");
}

static apr_status_t save(const char **why, const char *id, const char *text)
{
    return ocspx_store_save(why, store, kind, id, (const unsigned char *)text,
                            strlen(text), pool);
}

static void saved(const char *text)
{
    const char *why = "";

    ck_assert_msg(save(&why, ID, text) == APR_SUCCESS, "%s", why);
}

/* What is kept for @a id, or NULL. */
static const char *kept(const char *id)
{
    const unsigned char *der;
    const char *why;
    apr_size_t len;

    if (ocspx_store_load(&der, &len, &why, store, kind, id, MAX, pool))
        return NULL;
    return apr_pstrmemdup(pool, (const char *)der, len);
}

static void not_loaded(const char *says)
{
    const char *around = trace_outside(), *before = trace(file), *why = "";
    const unsigned char *der;
    int fds = open_files();
    apr_status_t rv;
    apr_size_t len;

    rv = ocspx_store_load(&der, &len, &why, store, kind, ID, MAX, pool);
    ck_assert_int_ne(rv, APR_SUCCESS);
    ck_assert(!APR_STATUS_IS_ENOENT(rv));
    assert_says(why, file);
    assert_says(why, says);
    ck_assert_str_eq(trace(file), before);
    ck_assert_str_eq(trace_outside(), around);
    ck_assert_int_eq(open_files(), fds);
}

/* --- the normal way -------------------------------------------------- */

START_TEST(round_trip)
{
    struct stat st;

    saved("first");
    ck_assert_str_eq(kept(ID), "first");
    saved("second, longer");
    ck_assert_str_eq(kept(ID), "second, longer");
    ck_assert_ptr_null(kept(ID2));
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(files_in(dir), 1);
    ck_assert_str_eq(calls, "frfr");
}
END_TEST

/* Nor do two kinds get into each other's way. */
START_TEST(kinds)
{
    saved("one");
    ck_assert_str_eq(ocspx_store_file(store, kind, ID, pool), file);
    kind = kind == OCSPX_STORE_CHAIN ? OCSPX_STORE_RESPONSE : OCSPX_STORE_CHAIN;
    ck_assert_str_ne(ocspx_store_file(store, kind, ID, pool), file);
    ck_assert_ptr_null(kept(ID));
    saved("two");
    ck_assert_str_eq(kept(ID), "two");
    ck_assert_str_eq(procs_read_file(file, pool), "one");
    ck_assert_int_eq(files_in(dir), 2);
}
END_TEST

START_TEST(nothing_kept)
{
    const unsigned char *der;
    const char *why;
    apr_size_t len;

    ck_assert_int_eq(
        ocspx_store_load(&der, &len, &why, store, kind, ID, MAX, pool),
        APR_ENOENT);
}
END_TEST

START_TEST(sizes)
{
    char text[MAX + 2];

    memset(text, 'x', sizeof(text));
    text[MAX] = '\0';
    saved(text);
    ck_assert_str_eq(kept(ID), text);
    text[MAX] = 'x';
    text[MAX + 1] = '\0';
    saved(text);
    not_loaded("has 1001 bytes, more than the 1000 allowed");
    pki_write_file(file, "", 0);
    not_loaded("is empty");
}
END_TEST

START_TEST(ids)
{
    static const char *const bad[] = {
        "",
        "0123",
        ID "0",
        "../outside/victim",
        "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
        "/123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "../../../../../../../../../../../../../../../../../../../../tmp/",
    };
    const char *before = trace_outside(), *why;
    unsigned i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(save(&why, bad[i], "x"), APR_EINVAL);
        assert_says(why, "is not a certificate id");
        ck_assert_ptr_null(kept(bad[i]));
    }
    ck_assert_int_eq(files_in(dir), 0);
    ck_assert_str_eq(trace_outside(), before);
}
END_TEST

/* --- what may lie in place of a file --------------------------------- */

START_TEST(load_refuses)
{
    ck_assert_int_eq(symlink(victim, file), 0);
    not_loaded("is a symbolic link");
    ck_assert_int_eq(unlink(file), 0);

    ck_assert_int_eq(link(victim, file), 0);
    not_loaded("more than one name");
    ck_assert_int_eq(unlink(file), 0);

    ck_assert_int_eq(mkfifo(file, 0600), 0);
    not_loaded("is not a regular file");
    ck_assert_int_eq(unlink(file), 0);

    ck_assert_int_eq(mkdir(file, 0700), 0);
    not_loaded("is not a regular file");
    ck_assert_int_eq(rmdir(file), 0);

    saved("x");
    ck_assert_int_eq(chmod(file, 0602), 0);
    not_loaded("writable by group or others");
    ck_assert_int_eq(chmod(file, 0660), 0);
    not_loaded("writable by group or others");
    if (geteuid() == 0) {
        ck_assert_int_eq(chmod(file, 0600), 0);
        give_away(file);
        not_loaded("belongs to user id 65534 instead of 0");
    }
}
END_TEST

static int cannot_read(void)
{
    const unsigned char *der;
    const char *why = "";
    apr_size_t len;

    NEED(ocspx_store_load(&der, &len, &why, store, kind, ID, MAX, pool) ==
         EACCES);
    NEED(strstr(why, "cannot open"));
    return 0;
}

START_TEST(load_without_permission)
{
    saved("x");
    ck_assert_int_eq(chmod(file, 0), 0);
    ck_assert_int_eq(in_child(cannot_read, 1), 0);
}
END_TEST

/* A save makes a new file, whatever bears its name. */
static void replaced(void)
{
    const char *before = trace_outside();

    saved("new");
    ck_assert_str_eq(kept(ID), "new");
    ck_assert_int_eq(files_in(dir), 1);
    ck_assert_str_eq(trace(outside),
                     apr_pstrndup(pool, before, strlen(trace(outside))));
    ck_assert_str_eq(procs_read_file(victim, pool), "precious");
}

START_TEST(save_replaces)
{
    ck_assert_int_eq(symlink(victim, file), 0);
    replaced();
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(link(victim, file), 0);
    replaced();
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(mkfifo(file, 0600), 0);
    replaced();
    ck_assert_int_eq(symlink(victim, temp), 0);
    replaced();
    ck_assert_int_eq(mkfifo(temp, 0600), 0);
    replaced();
    pki_write_file(temp, "of a killed process with our pid", 9);
    replaced();
}
END_TEST

/* --- failures of a save ---------------------------------------------- */

/* Save fails with this sentence, and nothing else happens. */
static int fails(const char *text, const char *says)
{
    const char *before = kept(ID), *why = "";
    int files = files_in(dir), fds = open_files();

    NEED(save(&why, ID, text) != APR_SUCCESS);
    if (!strstr(why, says))
        fprintf(stderr, "\"%s\" lacks \"%s\"\n", why, says);
    NEED(strstr(why, says) && strstr(why, dir));
    NEED(files_in(dir) == files && open_files() == fds);
    NEED(!before ? !kept(ID) : kept(ID) && !strcmp(kept(ID), before));
    return 0;
}

START_TEST(save_over_directory)
{
    ck_assert_int_eq(mkdir(file, 0700), 0);
    ck_assert_int_eq(fails("new", "Is a directory"), 0);
}
END_TEST

START_TEST(save_fails_late)
{
    saved("old");
    accident = SYNC_FAILS;
    ck_assert_int_eq(fails("new", "Input/output error"), 0);
    accident = RENAME_FAILS;
    ck_assert_int_eq(fails("new", "Disk quota exceeded"), 0);
    accident = ALL_WELL;
    saved("new");
    ck_assert_str_eq(kept(ID), "new");
}
END_TEST

static int read_only(void)
{
    return fails("new", "Permission denied");
}

START_TEST(save_in_read_only_directory)
{
    saved("old");
    give_away(dir);
    give_away(file);
    ck_assert_int_eq(chmod(dir, 0500), 0);
    ck_assert_int_eq(in_child(read_only, 1), 0);
    ck_assert_int_eq(chmod(dir, 0700), 0);
}
END_TEST

#define BIG 40000

static int no_room(const char *says)
{
    char *big = apr_pcalloc(pool, BIG + 1);

    NEED(save(&(const char *){NULL}, ID, "old") == APR_SUCCESS);
    memset(big, 'x', BIG);
    return fails(big, says);
}

static int no_room_by_limit(void)
{
    const struct rlimit limit = {BIG / 2, BIG / 2};

    signal(SIGXFSZ, SIG_IGN);
    NEED(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    return no_room("File too large");
}

/* On a small file system of its own, where that is allowed. */
static int no_room_on_disk(void)
{
    const char *why;

    if (unshare(CLONE_NEWNS) ||
        mount("none", "/", "", MS_REC | MS_PRIVATE, "") ||
        mount("none", dir, "tmpfs", 0, "size=16k,mode=0700"))
        return no_room_by_limit();
    NEED(ocspx_store_open(&store, &why, dir, pool) == APR_SUCCESS);
    NEED(no_room("No space left on device") == 0);
    NEED(save(&why, ID, "new") == APR_SUCCESS && !strcmp(kept(ID), "new"));
    return 0;
}

START_TEST(save_without_room)
{
    ck_assert_int_eq(in_child(no_room_by_limit, 0), 0);
    ck_assert_int_eq(in_child(no_room_on_disk, 0), 0);
}
END_TEST

static int killed(void)
{
    accident = RENAME_KILLS;
    return save(&(const char *){NULL}, ID, "new") == APR_SUCCESS;
}

START_TEST(save_killed)
{
    int status;

    saved("old");
    status = in_child(killed, 0);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ck_assert_int_eq(files_in(dir), 2);
    ck_assert_str_eq(kept(ID), "old");
    saved("newer");
    ck_assert_str_eq(kept(ID), "newer");
}
END_TEST

/* --- somebody else's file -------------------------------------------- */

static const char *read_why(const char *path)
{
    const unsigned char *der;
    const char *why = "";
    int fds = open_files();
    apr_size_t len;

    ck_assert_int_ne(ocspx_store_read_file(&der, &len, &why, path, 8, pool),
                     APR_SUCCESS);
    assert_says(why, path);
    ck_assert_int_eq(open_files(), fds);
    return why;
}

START_TEST(read_other_file)
{
    const unsigned char *der;
    const char *why;
    apr_size_t len;

    ck_assert_int_eq(symlink(victim, file), 0);
    ck_assert_int_eq(chmod(victim, 0666), 0);
    ck_assert_int_eq(link(victim, in(base, "second")), 0);
    give_away(victim);
    ck_assert_int_eq(ocspx_store_read_file(&der, &len, &why, file, 8, pool),
                     APR_SUCCESS);
    ck_assert_uint_eq(len, 8);
    ck_assert_mem_eq(der, "precious", 8);
}
END_TEST

START_TEST(read_other_file_refuses)
{
    const char *path = in(base, "file");

    assert_says(read_why(path), "No such file");
    pki_write_file(path, "", 0);
    assert_says(read_why(path), "is empty");
    pki_write_file(path, "123456789", 9);
    assert_says(read_why(path), "more than the 8 allowed");
    assert_says(read_why(outside), "is not a regular file");
    assert_says(read_why("/dev/zero"), "is not a regular file");
    ck_assert_int_eq(mkfifo(file, 0600), 0);
    assert_says(read_why(file), "is not a regular file");
}
END_TEST

static TCase *tests_of(const char *name, SFun set_up_kind)
{
    TCase *t = tcase_create(name);

    tcase_add_checked_fixture(t, set_up_kind, scene_end);
    tcase_add_test(t, round_trip);
    tcase_add_test(t, kinds);
    tcase_add_test(t, nothing_kept);
    tcase_add_test(t, sizes);
    tcase_add_test(t, ids);
    tcase_add_test(t, load_refuses);
    tcase_add_test(t, load_without_permission);
    tcase_add_test(t, save_replaces);
    tcase_add_test(t, save_over_directory);
    tcase_add_test(t, save_fails_late);
    tcase_add_test(t, save_in_read_only_directory);
    tcase_add_test(t, save_without_room);
    tcase_add_test(t, save_killed);
    tcase_add_test(t, read_other_file);
    tcase_add_test(t, read_other_file_refuses);
    return t;
}

static Suite *suite(void)
{
    Suite *s = suite_create("store");

    suite_add_tcase(s, tests_of("response", set_up_response));
    suite_add_tcase(s, tests_of("chain", set_up_chain));
    return s;
}

int main(void)
{
    return ocspx_check_main(suite());
}
