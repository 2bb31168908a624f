/* httpd: a private Apache httpd on loopback, under a directory of its own.
 *
 *   h = httpd_make(&(httpd_config_t){.mpm = "worker"}, p);
 *   httpd_vhost(h, &(httpd_vhost_t){.names = "a.test", .cert = c, .key = k});
 *   ck_assert_int_ge(httpd_start(h), 0);
 *
 * Destroying the pool stops it and removes the directory. A test that dies
 * before that has all of httpd's processes killed and its error log copied to
 * stderr (OCSPX_KEEP=1 in the environment: the directory is kept).
 * A sanitizer's report in what httpd wrote ends the test as well.
 *
 * The binary is $HTTPD, else apache2, else httpd; modules come from
 * $HTTPD_MODULES, else the usual places; mod_ocspx from $OCSPX_MODULE, else
 * the macro OCSPX_MODULE_PATH.
 */
#ifndef OCSPX_TEST_HTTPD_H
#define OCSPX_TEST_HTTPD_H

#include <apr_pools.h>
#include <stdarg.h>
#include <sys/types.h>

#include "pki.h"

typedef struct httpd_t httpd_t;

/** All zero: event MPM, mod_ssl, mod_ocspx, nothing else said about it but
 * OCSPXMaturity 0: tests wait for the next response, not for its maturity. */
typedef struct {
    const char *mpm;       /* "event", "worker", "prefork"; NULL: event */
    const char *log_level; /* NULL: "warn ocspx:debug" (with it) */
    const char *modules;   /* more: "md headers socache_redis", or NULL */
    const char *without;   /* of the usual: "ssl status sessions" (their
                              cache), or NULL */
    int without_ocspx;     /* do not load mod_ocspx */
    const char *state_dir; /* NULL: "state" under the root, which the module
                              has to make itself; "": no directive */
    int servers;           /* StartServers; 0: 2 */
    int workers;           /* MaxRequestWorkers; 0: 64 */
    const char *global;    /* more lines for the main server, or NULL */
    const char *early;     /* lines right after the LoadModules, or NULL */
} httpd_config_t;

typedef struct {
    const char *names; /* "a.test b.test *.c.test": first is the ServerName */
    const char *cert;  /* PEM files; two of each: "rsa.pem ec.pem"; NULL: no
                          TLS on this vhost */
    const char *key;
    const char *chain; /* SSLCertificateChainFile, or NULL */
    const char *extra; /* more lines, or NULL */
    int port;          /* 0: httpd_port() */
} httpd_vhost_t;

/** Directory and ports; starts nothing. Strings are copied. */
httpd_t *httpd_make(const httpd_config_t *config, apr_pool_t *p);

/** Another configuration, from the next start or reload on. */
void httpd_configure(httpd_t *h, const httpd_config_t *config);
void httpd_vhost(httpd_t *h, const httpd_vhost_t *vhost);
void httpd_vhosts_clear(httpd_t *h);

int httpd_port(const httpd_t *h);       /* TLS */
int httpd_plain_port(const httpd_t *h); /* HTTP: /server-status?auto */
const char *httpd_root(const httpd_t *h);
/** root/name; from the pool of @a h. */
const char *httpd_path(const httpd_t *h, const char *name);

/**
 * Issue a certificate file for a vhost: writes name.pem (leaf, then the rest
 * of the chain up to the NULL) and name.key under the root.
 * @return the path of name.pem; that of the key is in @a key
 */
const char *httpd_cert(httpd_t *h, const char **key, const char *name,
                       const pki_t *leaf, ...);
const char *httpd_cert_va(httpd_t *h, const char **key, const char *name,
                          const pki_t *leaf, va_list chain);

/** httpd -t; @return its exit status, @a output what it said. */
int httpd_configtest(httpd_t *h, const char **output);
/** The same with -D @a define; NULL: without. */
int httpd_configtest_define(httpd_t *h, const char **output,
                            const char *define);

/** Start one that does not come up; @return its exit status, as above; -1: it
 * came up, and was killed. */
int httpd_refusal(httpd_t *h, const char **output);

/* These write the configuration anew and return the milliseconds until the
 * (new generation of the) server answered a request, or -1 if it never did;
 * httpd_output() then says why. A reload needs mod_status. After a graceful one
 * httpd starts new children at its leisure: up to 1 s with event and prefork
 * and 2 s with worker pass on an idle server without any module's doing. */
int httpd_start(httpd_t *h);
int httpd_graceful(httpd_t *h);
int httpd_restart(httpd_t *h); /* SIGHUP; for a cold start stop and start */

/** SIGTERM; @return 1: all of it ended in time, 0: it had to be killed. */
int httpd_stop(httpd_t *h);

/** SIGKILL to every process of it; reaps them. */
void httpd_kill9(httpd_t *h);

/** What it wrote on stdout and stderr so far. */
const char *httpd_output(const httpd_t *h);

pid_t httpd_pid(const httpd_t *h); /* the parent; 0: not running */
int httpd_running(const httpd_t *h);
/** Its children; @return how many, at most @a max filled in. */
int httpd_children(pid_t *pids, int max, const httpd_t *h);
/** The name workers run under ("www-data"); NULL: our own user. */
const char *httpd_user(void);

/* The error log, line by line, from the last mark on (at first: all of it);
 * regular expressions are extended POSIX. */
void httpd_log_mark(httpd_t *h);
int httpd_log_count(const httpd_t *h, const char *regex);
/** Wait for a matching line; @return 1: seen in time. */
int httpd_log_wait(const httpd_t *h, const char *regex, int timeout_ms);
/** The pid that wrote the last matching line; 0: none. */
pid_t httpd_log_pid(const httpd_t *h, const char *regex);
/** The last matching line, NULL: none; from the pool of @a h. */
const char *httpd_log_line(const httpd_t *h, const char *regex);
void httpd_log_dump(const httpd_t *h); /* to stderr */

#endif
