/* httpd_config: writes httpd.conf. */
#include "httpd_private.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "procs.h"

#define USUAL_MODULES                                                          \
    "watchdog unixd log_config authz_core socache_shmcb ssl status"

/** Where distributions and a build from source put the modules. */
static const char *const module_dirs[] = {
    "/usr/lib/apache2/modules", "/usr/lib64/httpd/modules",
    "/usr/lib/httpd/modules", "/usr/local/apache2/modules"};

const char *httpd_config_binary(void)
{
    static const char *const names[] = {"/usr/sbin/apache2", "/usr/sbin/httpd",
                                        "/usr/local/apache2/bin/httpd"};
    const char *own = getenv("HTTPD");

    if (own != NULL)
        return own;
    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (access(names[i], X_OK) == 0)
            return names[i];
    return "httpd";
}

static const char *module_dir(void)
{
    const char *own = getenv("HTTPD_MODULES");

    if (own != NULL)
        return own;
    for (unsigned i = 0; i < sizeof(module_dirs) / sizeof(*module_dirs); i++)
        if (access(module_dirs[i], R_OK) == 0)
            return module_dirs[i];
    procs_die("no httpd modules found; set HTTPD_MODULES");
}

static const char *ocspx_module(void)
{
    const char *own = getenv("OCSPX_MODULE");

#ifdef OCSPX_MODULE_PATH
    own = own != NULL ? own : OCSPX_MODULE_PATH;
#endif
    if (own == NULL)
        procs_die("where is mod_ocspx.so? set OCSPX_MODULE");
    return own;
}

static int has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    const char *at = words;

    while ((at = strstr(at, word)) != NULL) {
        if ((at == words || at[-1] == ' ') &&
            (at[len] == '\0' || at[len] == ' '))
            return 1;
        at += len;
    }
    return 0;
}

/** A module that has no file is built in, or httpd -t will complain. */
static const char *load_module(const char *name, apr_pool_t *p)
{
    const char *path = apr_psprintf(p, "%s/mod_%s.so", module_dir(), name);

    if (access(path, R_OK) != 0)
        return "";
    return apr_psprintf(p, "LoadModule %s_module %s\n", name, path);
}

static const char *load_modules(const httpd_t *h, apr_pool_t *p)
{
    char *names = apr_pstrcat(p, "mpm_", h->config.mpm, " " USUAL_MODULES " ",
                              h->config.modules, NULL);
    const char *text = "";
    char *state;

    for (char *name = apr_strtok(names, " ", &state); name != NULL;
         name = apr_strtok(NULL, " ", &state))
        if (!has_word(h->config.without, name))
            text = apr_pstrcat(p, text, load_module(name, p), NULL);
    return text;
}

static const char *user_lines(apr_pool_t *p)
{
    const char *user = httpd_user();
    struct passwd *entry = user != NULL ? getpwnam(user) : NULL;
    struct group *group = entry != NULL ? getgrgid(entry->pw_gid) : NULL;

    if (group == NULL)
        return "";
    return apr_psprintf(p, "User %s\nGroup %s\n", user, group->gr_name);
}

static const char *mpm_lines(const httpd_t *h, apr_pool_t *p)
{
    const httpd_config_t *c = &h->config;
    int threads = c->workers / c->servers;

    if (strcmp(c->mpm, "prefork") == 0) {
        return apr_psprintf(p,
                            "StartServers %d\nMinSpareServers %d\n"
                            "MaxSpareServers %d\n"
                            "ServerLimit %d\nMaxRequestWorkers %d\n",
                            c->servers, c->servers, c->workers, 2 * c->workers,
                            c->workers);
    }
    /* As many threads as at the start at most, so no child comes and goes;
     * but more slots, because the old generation keeps its own for a while. */
    return apr_psprintf(p,
                        "StartServers %d\nServerLimit %d\n"
                        "ThreadsPerChild %d\nThreadLimit %d\n"
                        "MinSpareThreads %d\nMaxSpareThreads %d\n"
                        "MaxRequestWorkers %d\n",
                        c->servers, 4 * c->servers, threads, threads, threads,
                        threads * c->servers, threads * c->servers);
}

static const char *global_lines(const httpd_t *h, apr_pool_t *p)
{
    return apr_psprintf(
        p,
        "ServerRoot %s\nDefaultRuntimeDir %s\nPidFile %s/httpd.pid\n"
        "ServerName localhost\nListen 127.0.0.1:%d\nListen 127.0.0.1:%d\n"
        "ErrorLog %s\nLogLevel %s\nDocumentRoot %s/htdocs\n"
        "GracefulShutdownTimeout 5\nTimeout 30\n%s%s",
        h->root, h->root, h->root, h->plain_port, h->port, httpd_log_path(h),
        h->config.log_level, h->root, user_lines(p), mpm_lines(h, p));
}

static const char *module_lines(const httpd_t *h, apr_pool_t *p)
{
    const char *state = h->config.state_dir;
    const char *text = "";

    if (!has_word(h->config.without, "ssl") &&
        !has_word(h->config.without, "sessions")) {
        text = apr_psprintf(p, "SSLSessionCache shmcb:%s/sessions(65536)\n",
                            h->root);
    }
    if (!has_word(h->config.without, "status")) {
        text = apr_pstrcat(p, text,
                           "<Location /server-status>\n"
                           "    SetHandler server-status\n</Location>\n",
                           NULL);
    }
    if (!h->config.without_ocspx)
        text = apr_pstrcat(p, text, "OCSPXMaturity 0\n", NULL);
    if (!h->config.without_ocspx && state[0] != '\0')
        text = apr_pstrcat(p, text, "OCSPXStateDir ", state, "\n", NULL);
    return text;
}

/** One line per word of @a values. */
static const char *lines_of(const char *directive, const char *values,
                            apr_pool_t *p)
{
    char *words = apr_pstrdup(p, values != NULL ? values : "");
    const char *text = "";
    char *state;

    for (char *word = apr_strtok(words, " ", &state); word != NULL;
         word = apr_strtok(NULL, " ", &state))
        text = apr_pstrcat(p, text, "    ", directive, " ", word, "\n", NULL);
    return text;
}

static const char *name_lines(const char *names, apr_pool_t *p)
{
    const char *rest = strchr(names, ' ');

    if (rest == NULL)
        return apr_pstrcat(p, "    ServerName ", names, "\n", NULL);
    return apr_pstrcat(p, "    ServerName ",
                       apr_pstrmemdup(p, names, (apr_size_t)(rest - names)),
                       "\n    ServerAlias", rest, "\n", NULL);
}

static const char *vhost_lines(const httpd_vhost_t *vhost, apr_pool_t *p)
{
    const char *head = apr_psprintf(p, "<VirtualHost 127.0.0.1:%d>\n%s",
                                    vhost->port, name_lines(vhost->names, p));

    if (vhost->cert != NULL) {
        head = apr_pstrcat(p, head, "    SSLEngine on\n",
                           lines_of("SSLCertificateFile", vhost->cert, p),
                           lines_of("SSLCertificateKeyFile", vhost->key, p),
                           lines_of("SSLCertificateChainFile", vhost->chain, p),
                           NULL);
    }
    return apr_pstrcat(p, head, vhost->extra, "\n</VirtualHost>\n", NULL);
}

void httpd_config_write(httpd_t *h)
{
    const char *ocspx = "";
    apr_array_header_t *vhosts;
    const char *text;
    apr_pool_t *p;

    apr_pool_create(&p, h->pool);
    mkdir(apr_pstrcat(p, h->root, "/htdocs", NULL), 0755);
    if (!h->config.without_ocspx) {
        ocspx = apr_pstrcat(p, "LoadModule ocspx_module ", ocspx_module(), "\n",
                            NULL);
    }
    vhosts = apr_array_make(p, h->vhosts->nelts, sizeof(const char *));
    for (int i = 0; i < h->vhosts->nelts; i++) {
        const httpd_vhost_t *vhost = (httpd_vhost_t *)h->vhosts->elts + i;

        APR_ARRAY_PUSH(vhosts, const char *) = vhost_lines(vhost, p);
    }
    text = apr_pstrcat(p, load_modules(h, p), ocspx, h->config.early, "\n",
                       global_lines(h, p), module_lines(h, p), h->config.global,
                       "\n", apr_array_pstrcat(p, vhosts, 0), NULL);
    pki_write_file(apr_pstrcat(p, h->root, "/httpd.conf", NULL), text,
                   strlen(text));
    apr_pool_destroy(p);
}
