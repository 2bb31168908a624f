/* httpd_private: what the files of the httpd driver share.
 *
 *   httpd.c         the object: directory, configuration, vhosts
 *   httpd_config.c  from these to the text of httpd.conf
 *   httpd_run.c     start, reload, stop
 *   httpd_log.c     questions to the error log
 */
#ifndef OCSPX_TEST_HTTPD_PRIVATE_H
#define OCSPX_TEST_HTTPD_PRIVATE_H

#include <apr_tables.h>

#include "httpd.h"

struct httpd_t {
    apr_pool_t *pool;
    const char *root;
    int port;
    int plain_port;
    httpd_config_t config;
    apr_array_header_t *vhosts; /* httpd_vhost_t */
    volatile pid_t *pid;        /* shared with the guard; 0: not running */
    pid_t guard;
    int generation;      /* of the configuration, as httpd counts: from 1 on */
    apr_size_t log_mark; /* bytes of the log before it */
};

/** Path of the httpd binary. */
const char *httpd_config_binary(void);
void httpd_config_write(httpd_t *h);

/** Path of the error log. */
const char *httpd_log_path(const httpd_t *h);
/** Die if a sanitizer has complained in what httpd wrote. */
void httpd_log_judge(const httpd_t *h, const char *output);

#endif
