/* test_story_resources: what a server needs runs out under load, and is there
 * again.
 */
#include "story_scene.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIFETIME_S 6
#define EAGER OURS("OCSPXRetry 1 2\n")
#define KEPT_OUT "OCSPX0015: STORE_UNWRITABLE"

static const char *dir; /* of the state */

static void up(void)
{
    dir = httpd_path(w->httpd, "kept");
    story_configure((httpd_config_t){.state_dir = dir, .global = EAGER});
    story_up(apr_time_from_sec(LIFETIME_S));
}

/** All responses there were have ended since. */
static void outlive_responses(void)
{
    procs_sleep(1000 * LIFETIME_S + 500);
}

static void wait_logged(const char *regex)
{
    ck_assert_msg(httpd_log_wait(w->httpd, regex, 30000), "not logged: %s",
                  regex);
}

static int files_in(const char *path)
{
    DIR *directory = opendir(path);
    int n = 0;

    ck_assert_ptr_nonnull(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(directory);
    return n;
}

/* --- the disk ---------------------------------------------------------- */

/** A small file system that nobody but us and our children sees, and that goes
 * with them. */
static void mount_small(void)
{
    const struct passwd *worker = getpwnam(httpd_user());
    const char *options =
        apr_psprintf(w->pool, "size=64k,mode=0700,uid=%u,gid=%u",
                     (unsigned)worker->pw_uid, (unsigned)worker->pw_gid);

    dir = httpd_path(w->httpd, "kept");
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    ck_assert_msg(unshare(CLONE_NEWNS) == 0 &&
                      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                      mount("tmpfs", dir, "tmpfs", 0, options) == 0,
                  "this test mounts a small tmpfs and has to be root");
}

static void fill(const char *ballast)
{
    char page[4096] = {0};
    int fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    while (write(fd, page, sizeof(page)) > 0)
        ;
    close(fd);
}

START_TEST(disk_full_and_cleared)
{
    const char *ballast;

    mount_small();
    ballast = apr_pstrcat(w->pool, dir, "/.ballast", NULL);
    up();
    story_begin();
    procs_sleep(500);
    fill(ballast);
    wait_logged(KEPT_OUT ": .*No space left");
    outlive_responses();
    ck_assert_int_eq(unlink(ballast), 0);
    wait_logged("OCSPX0016");
    all_stapled(story_end("disk full and cleared"));
    ck_assert_int_eq(httpd_log_count(w->httpd, KEPT_OUT), 1);
    ck_assert_int_eq(files_in(dir), SITES);
    ck_assert_int_eq(umount2(dir, MNT_DETACH), 0);
}
END_TEST

/* Nobody but the parent may make it, and that does so at a reload. */
START_TEST(state_directory_deleted)
{
    up();
    story_begin();
    procs_sleep(500);
    procs_remove_tree(dir);
    wait_logged(KEPT_OUT);
    outlive_responses();
    ck_assert_int_ne(access(dir, F_OK), 0);
    for (int i = 0; i < SERVERS; i++)
        ck_assert_int_ge(httpd_graceful(story.worlds[i]->httpd), 0);
    outlive_responses();
    all_stapled(story_end("state directory deleted, then a graceful"));
    ck_assert_int_eq(httpd_log_count(w->httpd, KEPT_OUT), 1);
    ck_assert_int_eq(files_in(dir), SITES);
}
END_TEST

/* --- descriptors ------------------------------------------------------- */

/** More certificates than there are descriptors to ask about them. */
#define CROWD 96
#define ALL_AT_ONCE                                                            \
    OURS("OCSPXMaxParallel 96 96\nSSLStaplingStandardCacheTimeout 3\n"         \
         "SSLStaplingResponderTimeout 5\n")
/** Of these, the last eighth is enough for all clients at one process. */
#define FEW (rlim_t)(16 * CLIENTS)
#define CHILDREN_MAX 64
#define CROWD_LIFETIME apr_time_from_sec(60)

/** As the worker user: root may not set limits of others everywhere. */
static void limit_descriptors(pid_t of, rlim_t most)
{
    const struct passwd *worker = getpwnam(httpd_user());
    pid_t pid = procs_fork();
    struct rlimit limit;

    if (pid == 0) {
        if (setgid(worker->pw_gid) != 0 || setuid(worker->pw_uid) != 0 ||
            prlimit(of, RLIMIT_NOFILE, NULL, &limit) != 0)
            _exit(1);
        limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
        _exit(prlimit(of, RLIMIT_NOFILE, &limit, NULL) != 0);
    }
    ck_assert(procs_wait(pid, 10000));
}

static void limit_all(rlim_t most)
{
    pid_t pids[CHILDREN_MAX];

    for (int s = 0; s < SERVERS; s++) {
        int n = httpd_children(pids, CHILDREN_MAX, story.worlds[s]->httpd);

        while (n > 0)
            limit_descriptors(pids[--n], most);
    }
}

static int refused(const world_t *of, const char *what)
{
    return httpd_log_count(
        of->httpd, apr_pstrcat(w->pool, what, ".*Too many open files", NULL));
}

static void set_responder(responder_answer_e answer)
{
    responder_script(
        w->responder, NULL,
        &(responder_script_t){.answer = answer, .lifetime = CROWD_LIFETIME});
}

/* Where httpd cannot accept it gives up the process, so the refresher, whose
 * questions are all left hanging, must not take the last ones. */
START_TEST(descriptors_exhausted)
{
    dir = httpd_path(w->httpd, "kept");
    story_configure(
        (httpd_config_t){.state_dir = dir, .global = EAGER ALL_AT_ONCE});
    for (int i = 0; i < CROWD; i++)
        story_site(apr_psprintf(w->pool, "crowd%d.test", i), NULL);
    story_up(CROWD_LIFETIME);
    set_responder(RESPONDER_HANG);
    limit_all(FEW);
    story_begin();
    wait_logged("SERVER_LIMITS: .*Too many open files");
    procs_sleep(2000);
    limit_all(RLIM_INFINITY);
    set_responder(RESPONDER_NORMAL);
    responder_reset(w->responder);
    for (int i = 0; i < story.sites; i++)
        ck_assert(responder_wait(w->responder, story.leaves[i], 1, 30000));
    all_stapled(story_end("descriptors exhausted"));
    printf("  questions that got none: %d; connections not accepted with the "
           "module: %d, without: %d\n",
           refused(w, "OCSPX0010"), refused(w, "AH02179"),
           refused(story.worlds[WITHOUT], "AH02179"));
    ck_assert_int_eq(refused(w, "AH02179"), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {disk_full_and_cleared,
                                  state_directory_deleted,
                                  descriptors_exhausted, NULL};

    return story_main("story resources", tests);
}
