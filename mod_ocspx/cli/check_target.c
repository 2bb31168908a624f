/* check_target: HOST[:PORT] as given, taken apart. */
#include <apr_lib.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "check_target.h"
#include "cli.h"

#define PORT 443
#define HOST_MAX 253 /* RFC 1035, 2.3.4, without the dots at both ends */

static int refuse(const char *what, const char *given, const char *is)
{
    cli_complain("%s '%s': %s", what, given, is);
    return 0;
}

static int is_address(const char *host)
{
    struct in6_addr any;

    return inet_pton(AF_INET, host, &any) == 1 ||
           inet_pton(AF_INET6, host, &any) == 1;
}

/* With an underscore, as there are; IDNs in their ASCII form. */
static int is_name(const char *host)
{
    if (!*host || *host == '.' || strstr(host, "..") || strlen(host) > HOST_MAX)
        return 0;
    for (; *host; host++)
        if (!apr_isalnum(*host) && !strchr("-._", *host))
            return 0;
    return 1;
}

static int parse_port(int *port, const char *text)
{
    if (!*text || strlen(text) > 5 || text[strspn(text, "0123456789")])
        return 0;
    *port = atoi(text);
    return *port >= 1 && *port <= 65535;
}

/* Where the port begins; NULL: there is none. An address of IPv6 has colons of
 * its own. */
static char *find_port(char *text)
{
    char *colon = strrchr(text, ':');

    if (*text == '[') {
        char *end = strchr(text, ']');

        return end && end[1] == ':' ? end + 1 : NULL;
    }
    return colon && colon == strchr(text, ':') ? colon : NULL;
}

static char *without_brackets(char *host)
{
    size_t len = strlen(host);

    if (*host != '[' || len < 2 || host[len - 1] != ']')
        return host;
    host[len - 1] = '\0';
    return strchr(host + 1, ':') ? host + 1 : host;
}

/* @param port left alone where none is given */
static int take_apart(char **host, int *port, const char *what,
                      const char *given, apr_pool_t *p)
{
    char *text = apr_pstrdup(p, given);
    char *colon = find_port(text);

    if (colon && !strchr(text, '/')) {
        *colon = '\0';
        if (!parse_port(port, colon + 1))
            return refuse(what, given, "the port must be from 1 to 65535");
    }
    *host = without_brackets(text);
    if (!is_address(*host) && !is_name(*host))
        return refuse(what, given,
                      "must be a name or address, :PORT behind it or not, and "
                      "nothing else; an IPv6 address with a port in brackets");
    return 1;
}

static const char *label(const cli_check_target_t *target, apr_pool_t *p)
{
    int v6 = strchr(target->host, ':') != NULL;
    const char *host =
        v6 ? apr_pstrcat(p, "[", target->host, "]", NULL) : target->host;

    return target->port == PORT ? host
                                : apr_psprintf(p, "%s:%d", host, target->port);
}

cli_check_target_t *cli_check_target(const char *given, const char *connect,
                                     apr_pool_t *p)
{
    cli_check_target_t *target = apr_pcalloc(p, sizeof(*target));
    char *host, *where;
    size_t len;

    target->port = PORT;
    if (!take_apart(&host, &target->port, "host", given, p))
        return NULL;
    where = apr_pstrdup(p, host);
    target->connect_port = target->port;
    if (connect &&
        !take_apart(&where, &target->connect_port, "--connect", connect, p))
        return NULL;
    target->connect = where;
    /* To the resolver a dot at the end means something, to TLS it does not
     * belong (RFC 6066, 3). */
    len = strlen(host);
    if (host[len - 1] == '.')
        host[len - 1] = '\0';
    target->host = host;
    target->is_address = is_address(host);
    target->label = label(target, p);
    return target;
}
