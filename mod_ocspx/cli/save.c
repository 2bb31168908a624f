/* save: where `ocspx fetch' puts a response. */
#include "save.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../engine/admit.h"

/* The network is nothing for root: be whom the state directory belongs to. */
static int become_owner(const char *dir)
{
    struct stat st;

    if (geteuid() || stat(dir, &st))
        return 1; /* opening the store says what is wrong with it */
    if (!setgroups(0, NULL) && !setgid(st.st_gid) && !setuid(st.st_uid))
        return 1;
    cli_complain("cannot become user %u, the owner of %s", (unsigned)st.st_uid,
                 dir);
    return 0;
}

int cli_save_open(cli_save_t *save, apr_pool_t *p)
{
    const char *why;

    if (!save->state_dir)
        return 1;
    if (!become_owner(save->state_dir))
        return 0;
    if (ocspx_store_open(&save->store, &why, save->state_dir, p) == APR_SUCCESS)
        return 1;
    cli_complain("%s", why);
    return 0;
}

const char *cli_save_objection(const cli_save_t *save, const ocspx_cert_t *cert,
                               const ocspx_response_t *response, apr_pool_t *p)
{
    static const ocspx_response_policy_t policy = {
        .skew = OCSPX_RESPONSE_SKEW_DEFAULT};
    ocspx_response_t kept;
    const unsigned char *der;
    const char *why;
    apr_size_t len;

    if (!save->store ||
        ocspx_store_load(&der, &len, &why, save->store, OCSPX_STORE_RESPONSE,
                         cert->id, OCSPX_RESPONSE_SIZE_MAX, p) != APR_SUCCESS)
        return NULL;
    ocspx_response_judge(&kept, der, len, cert, &policy, apr_time_now(), p);
    if (kept.verdict != OCSPX_RESPONSE_GOOD &&
        kept.verdict != OCSPX_RESPONSE_REVOKED)
        return NULL;
    return ocspx_admit_objection(response, kept.this_update,
                                 kept.verdict == OCSPX_RESPONSE_REVOKED);
}

static int save_in_store(const char **path, const cli_save_t *save,
                         const ocspx_cert_t *cert, const unsigned char *der,
                         apr_size_t len, apr_pool_t *p)
{
    const char *why;

    if (ocspx_store_save(&why, save->store, OCSPX_STORE_RESPONSE, cert->id, der,
                         len, p) != APR_SUCCESS) {
        cli_complain("%s", why);
        return 0;
    }
    *path = ocspx_store_file(save->store, OCSPX_STORE_RESPONSE, cert->id, p);
    return 1;
}

static apr_status_t fill(apr_file_t *file, const char *name,
                         const unsigned char *der, apr_size_t len)
{
    apr_status_t rv = apr_file_write_full(file, der, len, NULL);

    /* Nothing secret, and httpd's workers are to read it. */
    if (rv == APR_SUCCESS)
        rv = apr_file_perms_set(name, APR_FPROT_UREAD | APR_FPROT_UWRITE |
                                          APR_FPROT_GREAD | APR_FPROT_WREAD);
    return rv == APR_SUCCESS ? apr_file_sync(file) : rv;
}

/* In one step: httpd may be reading it. */
static apr_status_t replace(const char *path, const unsigned char *der,
                            apr_size_t len, apr_pool_t *p)
{
    char *temp = apr_pstrcat(p, path, ".XXXXXX", NULL);
    apr_file_t *file;
    apr_status_t rv = apr_file_mktemp(&file, temp,
                                      APR_FOPEN_CREATE | APR_FOPEN_WRITE |
                                          APR_FOPEN_EXCL | APR_FOPEN_BINARY,
                                      p);

    if (rv != APR_SUCCESS)
        return rv;
    rv = fill(file, temp, der, len);
    apr_file_close(file);
    if (rv == APR_SUCCESS)
        rv = apr_file_rename(temp, path, p);
    if (rv != APR_SUCCESS)
        apr_file_remove(temp, p);
    return rv;
}

static int save_in_file(const char **path, const cli_save_t *save,
                        const unsigned char *der, apr_size_t len, apr_pool_t *p)
{
    apr_status_t rv = replace(save->file, der, len, p);
    char text[120];

    if (rv != APR_SUCCESS) {
        cli_complain("%s cannot be written: %s", save->file,
                     apr_strerror(rv, text, sizeof(text)));
        return 0;
    }
    *path = save->file;
    return 1;
}

int cli_save(const char **path, const cli_save_t *save,
             const ocspx_cert_t *cert, const unsigned char *der, apr_size_t len,
             apr_pool_t *p)
{
    *path = NULL;
    if (save->store)
        return save_in_store(path, save, cert, der, len, p);
    return !save->file || save_in_file(path, save, der, len, p);
}
