/* registry: all certificates of this configuration. */
#include "registry.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>

ocspx_registry_t *ocspx_registry_make(apr_pool_t *p)
{
    ocspx_registry_t *registry = apr_pcalloc(p, sizeof(*registry));

    registry->pool = p;
    registry->entries = apr_array_make(p, 16, sizeof(ocspx_registry_entry_t *));
    registry->by_digest = apr_hash_make(p);
    registry->hosts = apr_hash_make(p);
    registry->issuers = apr_hash_make(p);
    return registry;
}

static apr_status_t free_issuer(void *issuer)
{
    X509_free(issuer);
    return APR_SUCCESS;
}

X509 *ocspx_registry_issuer(ocspx_registry_t *registry, X509 *issuer)
{
    apr_pool_t *p = registry->pool;
    unsigned char digest[OCSPX_CERT_DIGEST_LEN];
    X509 *first;

    if (ocspx_cert_digest(digest, issuer) != APR_SUCCESS)
        return issuer;
    first = apr_hash_get(registry->issuers, digest, sizeof(digest));
    if (first)
        return first;
    X509_up_ref(issuer);
    apr_pool_cleanup_register(p, issuer, free_issuer, apr_pool_cleanup_null);
    apr_hash_set(registry->issuers, apr_pmemdup(p, digest, sizeof(digest)),
                 sizeof(digest), issuer);
    return issuer;
}

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

int ocspx_registry_same_policy(const ocspx_registry_policy_t *a,
                               const ocspx_registry_policy_t *b)
{
    return a->response.skew == b->response.skew &&
           a->response.max_age == b->response.max_age &&
           a->schedule.refresh_percent == b->schedule.refresh_percent &&
           a->schedule.refresh_max == b->schedule.refresh_max &&
           a->schedule.maturity == b->schedule.maturity &&
           a->schedule.retry_min == b->schedule.retry_min &&
           a->schedule.retry_max == b->schedule.retry_max &&
           a->certid_hash == b->certid_hash && a->method == b->method &&
           a->timeout == b->timeout &&
           a->withhold_revoked == b->withhold_revoked &&
           same_text(a->force_url, b->force_url) &&
           same_text(a->proxy, b->proxy) &&
           same_text(a->response_file, b->response_file);
}

/* "host:port" */
static const char *host_name(const char *url, apr_pool_t *p)
{
    apr_uri_t uri;

    if (apr_uri_parse(p, url, &uri) || !uri.hostname)
        return url;
    if (!uri.port)
        uri.port = apr_uri_port_of_scheme(uri.scheme);
    return apr_psprintf(p, "%s:%u", uri.hostname, (unsigned)uri.port);
}

static unsigned host_number(ocspx_registry_t *registry, const char *name)
{
    unsigned *number = apr_hash_get(registry->hosts, name, APR_HASH_KEY_STRING);

    if (!number) {
        number = apr_palloc(registry->pool, sizeof(*number));
        *number = apr_hash_count(registry->hosts);
        apr_hash_set(registry->hosts, apr_pstrdup(registry->pool, name),
                     APR_HASH_KEY_STRING, number);
    }
    return *number;
}

static const unsigned *responder_numbers(ocspx_registry_t *registry,
                                         const ocspx_registry_entry_t *entry,
                                         apr_pool_t *ptemp)
{
    int n = entry->urls->nelts, i;
    unsigned *numbers =
        apr_palloc(registry->pool, ((apr_size_t)n + 1) * sizeof(*numbers));

    if (entry->policy->response_file) {
        numbers[0] = host_number(registry, entry->policy->response_file);
        return numbers;
    }
    for (i = 0; i < n; i++)
        numbers[i] = host_number(
            registry,
            host_name(APR_ARRAY_IDX(entry->urls, i, const char *), ptemp));
    return numbers;
}

/* What entries share a fate with: a responder, or a file of their own; or, as
 * long as there is no point in asking these, where the issuer is to be had. */
static unsigned first_number(ocspx_registry_t *registry,
                             const ocspx_registry_entry_t *entry,
                             apr_pool_t *ptemp)
{
    const apr_array_header_t *urls;

    if (entry->cert->issuer && ocspx_registry_staples(entry))
        return entry->responders[0];
    urls = ocspx_cert_ca_issuers(entry->cert->leaf, ptemp);
    return host_number(
        registry, apr_is_empty_array(urls)
                      ? "(none)"
                      : host_name(APR_ARRAY_IDX(urls, 0, const char *), ptemp));
}

static apr_array_header_t *responders(const ocspx_cert_t *cert,
                                      const ocspx_registry_policy_t *policy,
                                      apr_pool_t *p)
{
    apr_array_header_t *urls;

    if (!policy->force_url)
        return cert->urls;
    urls = apr_array_make(p, 1, sizeof(const char *));
    APR_ARRAY_PUSH(urls, const char *) = policy->force_url;
    return urls;
}

static ocspx_registry_entry_t *make_entry(ocspx_registry_t *registry,
                                          const ocspx_cert_t *cert,
                                          ocspx_repair_t *repair,
                                          const ocspx_registry_policy_t *policy)
{
    apr_pool_t *p = registry->pool;
    apr_array_header_t *urls = responders(cert, policy, p);
    ocspx_registry_entry_t *entry;
    apr_pool_t *ptemp;

    if (!repair &&
        (!cert->issuer || (apr_is_empty_array(urls) && !policy->response_file)))
        return NULL;
    entry = apr_pcalloc(p, sizeof(*entry));
    entry->index = ocspx_registry_count(registry);
    entry->cert = cert;
    entry->repair = repair;
    entry->policy = policy;
    entry->urls = urls;
    entry->places = apr_array_make(p, 1, sizeof(const char *));
    apr_pool_create(&ptemp, p);
    entry->responders = responder_numbers(registry, entry, ptemp);
    entry->host = first_number(registry, entry, ptemp);
    apr_pool_destroy(ptemp);
    APR_ARRAY_PUSH(registry->entries, ocspx_registry_entry_t *) = entry;
    apr_hash_set(registry->by_digest, cert->digest, OCSPX_CERT_DIGEST_LEN,
                 entry);
    return entry;
}

static void extend_entry(ocspx_registry_entry_t *entry,
                         const ocspx_cert_t *cert, ocspx_repair_t *repair)
{
    if (!entry->cert->issuer && cert->issuer)
        entry->cert = cert;
    if (!entry->repair)
        entry->repair = repair;
}

static const char *conflict_with(const ocspx_registry_entry_t *entry,
                                 const char *place, apr_pool_t *p)
{
    const char *first = APR_ARRAY_IDX(entry->places, 0, const char *);

    return apr_psprintf(
        p,
        "certificate %s is used with different OCSP settings by %s and %s; "
        "those of %s count",
        entry->cert->name, first, place, first);
}

ocspx_registry_entry_t *
ocspx_registry_add(ocspx_registry_t *registry, const char **conflict,
                   const ocspx_cert_t *cert, ocspx_repair_t *repair,
                   const ocspx_registry_policy_t *policy, const char *place)
{
    ocspx_registry_entry_t *entry =
        apr_hash_get(registry->by_digest, cert->digest, OCSPX_CERT_DIGEST_LEN);

    *conflict = NULL;
    if (entry) {
        extend_entry(entry, cert, repair);
        if (!ocspx_registry_same_policy(entry->policy, policy))
            *conflict = conflict_with(entry, place, registry->pool);
    } else {
        entry = make_entry(registry, cert, repair, policy);
    }
    if (entry)
        APR_ARRAY_PUSH(entry->places, const char *) = place;
    return entry;
}

apr_array_header_t *ocspx_registry_hosts(const ocspx_registry_t *registry,
                                         apr_pool_t *p)
{
    int n = (int)apr_hash_count(registry->hosts);
    apr_array_header_t *names = apr_array_make(p, n, sizeof(const char *));
    apr_hash_index_t *i;

    names->nelts = n;
    for (i = apr_hash_first(p, registry->hosts); i; i = apr_hash_next(i)) {
        const unsigned *number = apr_hash_this_val(i);

        APR_ARRAY_IDX(names, *number, const char *) = apr_hash_this_key(i);
    }
    return names;
}
