/* input: what the commands read: files, certificates, numbers and times. */
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "../core/certs.h"
#include "cli.h"

/* Far more than any response or chain has. */
#define FILE_MAX (1024 * 1024)

/* --- files ----------------------------------------------------------- */

int cli_read_file(const unsigned char **data, apr_size_t *len, const char *path,
                  apr_pool_t *p)
{
    unsigned char *bytes = apr_palloc(p, FILE_MAX + 1);
    apr_file_t *file;
    apr_status_t rv;
    char text[120];

    *data = bytes;
    *len = 0;
    rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, p);
    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(file, bytes, FILE_MAX + 1, len);
        apr_file_close(file);
    }
    if (APR_STATUS_IS_EOF(rv))
        return 1;
    if (rv == APR_SUCCESS)
        cli_complain("%s has more than %d bytes", path, FILE_MAX);
    else
        cli_complain("%s cannot be read: %s", path,
                     apr_strerror(rv, text, sizeof(text)));
    return 0;
}

/* --- certificates ---------------------------------------------------- */

apr_array_header_t *cli_read_certs(const char *path, apr_pool_t *p)
{
    apr_array_header_t *certs;
    const unsigned char *data;
    const char *why;
    apr_size_t len;

    if (!cli_read_file(&data, &len, path, p))
        return NULL;
    certs = ocspx_certs_read(&why, data, len, p);
    if (!certs)
        cli_complain("%s %s", path, why);
    return certs;
}

ocspx_cert_t *cli_read_pair(const char *path, const char *issuer_path,
                            apr_pool_t *p)
{
    apr_array_header_t *certs = cli_read_certs(path, p);
    apr_array_header_t *issuers;
    ocspx_cert_t *cert;
    int i;

    issuers = certs && issuer_path ? cli_read_certs(issuer_path, p) : certs;
    if (!issuers)
        return NULL;
    for (i = issuer_path ? 0 : 1; i < issuers->nelts; i++)
        if (ocspx_cert_make(&cert, APR_ARRAY_IDX(certs, 0, X509 *),
                            APR_ARRAY_IDX(issuers, i, X509 *),
                            p) == APR_SUCCESS)
            return cert;
    cli_complain("%s does not hold the issuer of the first certificate in %s",
                 issuer_path ? issuer_path : path, path);
    return NULL;
}

/* --- numbers and times ----------------------------------------------- */

int cli_parse_seconds(apr_interval_time_t *seconds, const char *option,
                      const char *arg)
{
    char *end;
    apr_int64_t number = apr_strtoi64(arg, &end, 10);

    if (!apr_isdigit(*arg) || *end || number > APR_INT32_MAX) {
        cli_complain("%s '%s': must be a whole number of seconds from 0 to %d",
                     option, arg, APR_INT32_MAX);
        return 0;
    }
    *seconds = apr_time_from_sec(number);
    return 1;
}

/* Does @a text begin like @a shape, where 0 stands for any digit, T for what
 * may be between date and time, and S for a sign? */
static int has_shape(const char *text, const char *shape)
{
    for (; *shape; text++, shape++)
        if (*shape == '0'   ? !apr_isdigit(*text)
            : *shape == 'T' ? !*text || !strchr("Tt ", *text)
            : *shape == 'S' ? *text != '+' && *text != '-'
                            : *text != *shape)
            return 0;
    return 1;
}

/* Date and time, offset aside. No day is made out of 30 February. */
static int read_fields(apr_time_t *t, const char *arg)
{
    apr_time_exp_t e = {0}, again;
    int sec;

    sscanf(arg, "%4d-%2d-%2d%*c%2d:%2d:%2d", &e.tm_year, &e.tm_mon, &e.tm_mday,
           &e.tm_hour, &e.tm_min, &sec);
    e.tm_year -= 1900;
    e.tm_mon--;
    if (e.tm_mon < 0 || e.tm_mon > 11 || e.tm_hour > 23 || e.tm_min > 59 ||
        sec > 60 || apr_time_exp_gmt_get(t, &e) != APR_SUCCESS ||
        apr_time_exp_gmt(&again, *t) != APR_SUCCESS ||
        again.tm_mday != e.tm_mday)
        return 0;
    *t += apr_time_from_sec(sec);
    return 1;
}

/* "Z" or an offset, and nothing behind it. */
static int read_zone(apr_time_t *t, const char *zone)
{
    int hours, minutes, offset;

    if (!strcmp(zone, "Z") || !strcmp(zone, "z"))
        return 1;
    if (!has_shape(zone, "S00:00") || zone[6])
        return 0;
    sscanf(zone + 1, "%2d:%2d", &hours, &minutes);
    offset = hours * 3600 + minutes * 60;
    *t -= apr_time_from_sec(*zone == '-' ? -offset : offset);
    return hours < 24 && minutes < 60;
}

int cli_read_time(apr_time_t *t, const char *text)
{
    static const char shape[] = "0000-00-00T00:00:00";
    const char *rest = text + sizeof(shape) - 1;

    if (!has_shape(text, shape) || !read_fields(t, text))
        return 0;
    if (has_shape(rest, ".0"))
        rest += 1 + strspn(rest + 1, "0123456789");
    return read_zone(t, rest);
}

int cli_parse_time(apr_time_t *t, const char *option, const char *arg)
{
    if (cli_read_time(t, arg))
        return 1;
    cli_complain("%s '%s': must be a time as in RFC 3339, such as "
                 "2026-01-31T12:00:00Z",
                 option, arg);
    return 0;
}
