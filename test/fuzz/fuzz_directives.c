/* fuzz_directives: arguments of directives. The functions are the module's own;
 * what they need of httpd is played here.
 *
 * An input is the number of a directive, whether it stands in a virtual host,
 * and its arguments, one a line.
 */
#include "fuzz.h"

#include <ap_listen.h>
#include <ap_provider.h>
#include <ap_socache.h>
#include <apr_file_info.h>
#include <apr_strings.h>
#include <http_core.h>
#include <string.h>

#include "../../mod_ocspx/httpd/directives.h"
#include "../../mod_ocspx/httpd/settings.h"

const char fuzz_name[] = "directives";
const unsigned fuzz_mutations = 3000;

module AP_MODULE_DECLARE_DATA ocspx_module = {.module_index = 0};
ap_listen_rec *ap_listeners;

/* --- httpd ------------------------------------------------------------ */

const char *ap_check_cmd_context(cmd_parms *cmd, unsigned forbidden)
{
    ck_assert_uint_eq(forbidden, GLOBAL_ONLY);
    return cmd->server->is_virtual
               ? apr_pstrcat(cmd->pool, cmd->cmd->name,
                             " cannot occur within <VirtualHost> section", NULL)
               : NULL;
}

char *ap_server_root_relative(apr_pool_t *p, const char *fname)
{
    char *path = NULL;

    return apr_filepath_merge(&path, "/nonexistent", fname,
                              APR_FILEPATH_TRUENAME, p) == APR_SUCCESS
               ? path
               : NULL;
}

module *ap_find_linked_module(const char *name)
{
    (void)name;
    return &ocspx_module;
}

void *ap_lookup_provider(const char *group, const char *name,
                         const char *version)
{
    static ap_socache_provider_t provider;

    (void)version;
    return !strcmp(group, AP_SOCACHE_PROVIDER_GROUP) && !strcmp(name, "redis")
               ? &provider
               : NULL;
}

const char *ap_get_server_protocol(server_rec *s)
{
    (void)s;
    return NULL;
}

/* Of arguments; httpd itself refuses that. */
static const char WRONG_NUMBER[] = "number";

/* --- the target ------------------------------------------------------- */

void fuzz_start(apr_pool_t *p)
{
    (void)p;
}

static unsigned directives(void)
{
    unsigned n = 0;

    while (ocspx_directives_table[n].name)
        n++;
    return n;
}

void fuzz_seeds(apr_pool_t *p)
{
    static const char *const values[] = {
        "5",
        "5\n600",
        "64K",
        "2047M",
        "none",
        "http://proxy.test:3128/",
        "warn",
        "/bin/true\n-x",
        "shmcb:/x(512000)",
        "-1",
        "99999999999",
        "sha256",
        "relative/",
        "",
    };

    for (unsigned n = 0; n < directives(); n++) {
        const char *value = values[n % (sizeof(values) / sizeof(*values))];

        fuzz_seed(apr_psprintf(p, "%c%c%s", (int)(n + 128), 'm', value),
                  2 + strlen(value));
    }
}

/* What the configuration amounts to, whatever was written. */
static void assert_sane(server_rec *s)
{
    ocspx_settings_server_t whole = ocspx_settings_server(s);
    const ocspx_registry_policy_t policy = ocspx_settings_policy(s);

    ck_assert(whole.cache_size == 0 || whole.cache_size >= 65536 ||
              ocspx_settings_of(s)->ssl_cache_size != OCSPX_UNSET);
    ck_assert(whole.cache_size <= APR_INT32_MAX);
    ck_assert(whole.startup_wait >= 0 &&
              whole.startup_wait <= apr_time_from_sec(600));
    ck_assert_uint_ge(whole.max_parallel, 1);
    ck_assert_uint_ge(whole.max_per_host, 1);
    ck_assert(whole.max_response_size >= 1024 &&
              whole.max_response_size <= 65536);
    ck_assert(policy.timeout > 0);
    ck_assert(policy.response.skew >= 0);
    ck_assert(policy.response.max_age >= 0);
    ck_assert(policy.schedule.retry_min > 0);
    ck_assert(policy.schedule.retry_max >= policy.schedule.retry_min);
}

/* @return WRONG_NUMBER, or what the directive says */
static const char *apply(const command_rec *command, cmd_parms *cmd,
                         char *const *args, int n)
{
    int how = (int)command->args_how;

    if (how == FLAG)
        return command->AP_FLAG(cmd, NULL, n % 2);
    if (how == TAKE_ARGV)
        return command->AP_TAKE_ARGV(cmd, NULL, n, args);
    if (how == TAKE1 && n == 1)
        return command->AP_TAKE1(cmd, NULL, args[0]);
    if ((how == TAKE2 || how == TAKE12) && n == 2)
        return command->AP_TAKE2(cmd, NULL, args[0], args[1]);
    if (how == TAKE12 && n == 1)
        return command->AP_TAKE2(cmd, NULL, args[0], NULL);
    ck_assert(how == TAKE1 || how == TAKE2 || how == TAKE12);
    return WRONG_NUMBER;
}

static int split(char **args, int max, char *text)
{
    char *state, *arg = apr_strtok(text, "\n", &state);
    int n = 0;

    for (; arg && n < max; arg = apr_strtok(NULL, "\n", &state))
        args[n++] = arg;
    return n;
}

void fuzz_one(const unsigned char *data, size_t len, apr_pool_t *p)
{
    void *modules[1] = {NULL};
    server_rec server = {.module_config = (ap_conf_vector_t *)(void *)modules};
    cmd_parms cmd = {.pool = p, .temp_pool = p, .server = &server};
    const char *wrong;
    char *args[9] = {NULL};
    int n;

    if (len < 2)
        return;
    cmd.cmd = &ocspx_directives_table[data[0] % directives()];
    cmd.info = cmd.cmd->cmd_data;
    server.is_virtual = data[1] % 2 == 0;
    modules[0] = ocspx_settings_create(p, &server);
    n = split(args, 8, apr_pstrmemdup(p, (const char *)data + 2, len - 2));
    wrong = apply(cmd.cmd, &cmd, args, n);
    if (!wrong)
        assert_sane(&server);
    else if (wrong != WRONG_NUMBER)
        ck_assert_msg(!strncmp(wrong, cmd.cmd->name, strlen(cmd.cmd->name)),
                      "%s", wrong);
}
