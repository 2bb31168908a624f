/* replay: runs a fuzz target on what is known already: its seeds, the inputs
 * in corpus/<name>, and the same mutations of each seed every time. Prints how
 * many that were. What fails is left behind in <name>.failed.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX 100000
/* For a seed and its mutations, on however busy a machine: that is a loop. */
#define SECONDS_MAX 300

/* For the handler. */
static const unsigned char *running;
static size_t running_len;
static char failed[100];

static apr_uint64_t executions;

/* Of sanitizers: an end that the handler sees. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "abort_on_error=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "abort_on_error=1:print_stacktrace=1";
}

static void leave_input(int signal_number)
{
    int fd = open(failed, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (fd < 0 || write(fd, running, running_len) < 0)
        _exit(3);
    close(fd);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* A sanitizer that has a handler of its own says more, and aborts. */
static void catch (int signal_number)
{
    void (*other)(int) = signal(signal_number, leave_input);

    if (other != SIG_DFL)
        signal(signal_number, other);
}

/* In memory of its own, so that a sanitizer sees what reads beyond it. */
static void run(const unsigned char *data, size_t len)
{
    unsigned char *copy = malloc(len ? len : 1);

    if (!copy)
        abort();
    memcpy(copy, data, len);
    running = copy;
    running_len = len;
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    executions++;
}

/* --- mutations -------------------------------------------------------- */

/* xorshift64 */
static unsigned draw(apr_uint64_t *state, size_t bound)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned)(*state % bound);
}

static void move(fuzz_input_t *input, size_t to, size_t from)
{
    if (input->len + to - from > INPUT_MAX)
        return;
    memmove(input->data + to, input->data + from, input->len - from);
    if (to > from)
        memset(input->data + from, 'A', to - from);
    input->len = input->len + to - from;
}

static void overwrite(fuzz_input_t *input, apr_uint64_t *random)
{
    static const unsigned char telling[] = {0,   1,   0x7f, 0x80, 0xff, '\n',
                                            '"', '<', '%',  0x30, 0x82, 0x84};
    unsigned char *byte = input->data + draw(random, input->len);

    switch (draw(random, 3)) {
    case 0:
        *byte ^= (unsigned char)(1 << draw(random, 8));
        break;
    case 1:
        *byte = telling[draw(random, sizeof(telling))];
        break;
    default:
        *byte = (unsigned char)(*byte + draw(random, 9) - 4);
    }
}

/* Some bytes of another seed in the place of ours. */
static void graft(fuzz_input_t *input, const fuzz_input_t *other,
                  apr_uint64_t *random)
{
    size_t from = draw(random, other->len), to = draw(random, input->len);
    size_t len = 1 + draw(random, 64);

    if (len > other->len - from)
        len = other->len - from;
    if (len > input->len - to)
        len = input->len - to;
    memcpy(input->data + to, other->data + from, len);
}

static void mutate(fuzz_input_t *input, const fuzz_input_t *seeds, int n,
                   apr_uint64_t *random)
{
    const fuzz_input_t *other = &seeds[draw(random, (size_t)n)];
    size_t at, len;

    if (!input->len)
        move(input, 1, 0);
    at = draw(random, input->len);
    len = 1 + draw(random, draw(random, 8) ? 8 : input->len - at);
    switch (draw(random, 8)) {
    case 0:
        move(input, at + len, at);
        break;
    case 1:
        move(input, at, at + len < input->len ? at + len : input->len);
        break;
    case 2:
        if (other->len)
            graft(input, other, random);
        break;
    default:
        overwrite(input, random);
    }
}

static void run_mutations(const fuzz_input_t *seeds, int n, int of)
{
    static unsigned char data[INPUT_MAX];
    apr_uint64_t random = 0x9e3779b97f4a7c15ULL + (unsigned)of;
    unsigned i, changes;

    for (i = 0; i < fuzz_mutations; i++) {
        fuzz_input_t input = {data, seeds[of].len};

        memcpy(data, seeds[of].data, input.len);
        for (changes = 1 + draw(&random, 4); changes; changes--)
            mutate(&input, seeds, n, &random);
        run(input.data, input.len);
    }
}

/* --- the corpus ------------------------------------------------------- */

static void run_file(const char *dir, const char *name)
{
    static unsigned char data[INPUT_MAX];
    char path[4096];
    size_t len;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
    len = fread(data, 1, sizeof(data), f);
    fclose(f);
    run(data, len);
}

static int run_corpus(void)
{
    const char *srcdir = getenv("srcdir");
    struct dirent **files;
    char dir[3000];
    int n, i, found = 0;

    snprintf(dir, sizeof(dir), "%s/test/fuzz/corpus/%s", srcdir ? srcdir : ".",
             fuzz_name);
    n = scandir(dir, &files, NULL, alphasort);
    ck_assert_msg(n > 0, "%s: %s", dir, strerror(errno));
    for (i = 0; i < n; i++) {
        if (*files[i]->d_name != '.') {
            alarm(SECONDS_MAX);
            run_file(dir, files[i]->d_name);
            found++;
        }
        free(files[i]);
    }
    free(files);
    return found;
}

int main(int argc, char **argv)
{
    const fuzz_input_t *seeds;
    int i, n, found;

    LLVMFuzzerInitialize(&argc, &argv);
    snprintf(failed, sizeof(failed), "%s.failed", fuzz_name);
    catch (SIGABRT);
    catch (SIGALRM);
    catch (SIGSEGV);
    n = fuzz_all_seeds(&seeds);
    for (i = 0; i < n; i++) {
        run(seeds[i].data, seeds[i].len);
        alarm(SECONDS_MAX);
        run_mutations(seeds, n, i);
    }
    found = run_corpus();
    printf("fuzz: %s: %d seeds, %d inputs found, %" APR_UINT64_T_FMT
           " executions\n",
           fuzz_name, n, found, executions);
    return 0;
}
