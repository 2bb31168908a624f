/* generation: one configuration of the server, from its reading to the end of
 * its last child, and what the next one takes over from it.
 */
#ifndef OCSPX_GENERATION_H
#define OCSPX_GENERATION_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <openssl/ssl.h>

#include "../engine/refresh.h"
#include "../engine/report.h"
#include "chains.h"
#include "settings.h"

/** Certificates with something in common: how many, and an example. */
typedef struct {
    unsigned count;
    const char *example;
} ocspx_tally_t;

/** A chain that is being repaired; see mend.h. */
typedef struct {
    SSL_CTX *ctx;
    X509 *leaf;
    const ocspx_registry_entry_t *entry;
} ocspx_mend_t;

/**
 * One configuration generation. Made before the directives are read, filled
 * by mod_ssl's hooks and post_config in the parent, const in the children but
 * for what the cache holds.
 */
typedef struct {
    server_rec *server; /* the main server; NULL until post_config */
    ocspx_registry_t *registry;
    const ocspx_registry_policy_t *policy; /* of its latest entry */
    apr_array_header_t *vhosts; /* server_rec *: where entry i is logged */
    ocspx_cache_t *cache;       /* NULL: nothing to staple */
    ocspx_ledger_t *ledger;     /* NULL with it */
    ocspx_log_t log;
    ocspx_settings_server_t settings;
    apr_hash_t *offered; /* what mod_ssl found an issuer for; until the end of
                            post_config; see tls.c */
    ocspx_chains_t *chains;
    apr_array_header_t *mends;    /* ocspx_mend_t */
    apr_array_header_t *others;   /* ocspx_report_other_t; see source.h */
    apr_hash_t *others_seen;      /* their numbers; see source.c */
    apr_hash_t *certs;            /* all that are served; see source.h */
    apr_hash_t *served;           /* the same by virtual host; see source.c */
    apr_array_header_t *findings; /* ocspx_report_finding_t; of chains */
    apr_array_header_t *news;     /* const ocspx_report_finding_t *: to be told;
                                     see observer.h */
    apr_uint32_t *news_told;      /* shared with the children */
    ocspx_tally_t without_responder;
    ocspx_tally_t with_other_provider;
} ocspx_generation_t;

/**
 * Make a new one, which is the current one from now on; from pre_config.
 * @param ptemp lives until the end of post_config
 */
void ocspx_generation_begin(apr_pool_t *pconf, apr_pool_t *ptemp);

/** A pool for one thread alone; NULL: no memory. Should it find none later, it
 * ends the process as all of httpd's pools do. */
apr_pool_t *ocspx_generation_thread_pool(const char *tag, const server_rec *s);

/** The one of the latest configuration. */
ocspx_generation_t *ocspx_generation_current(void);

/** Is this httpd's first pass over the configuration, done to check it? */
int ocspx_generation_rehearsal(void);

/**
 * What a refresher of this generation works with. In a process of the worker
 * user: opens the store, and logs it where that cannot be done.
 * @param fetch NULL: load only
 */
ocspx_refresh_config_t
ocspx_generation_refresh_config(const ocspx_generation_t *generation,
                                ocspx_fetch_t *fetch, apr_pool_t *p);

/**
 * Enter a certificate of @a s in the current one's registry; says where that
 * is not as configured.
 * @return NULL: it cannot be asked about; see ocspx_registry_add
 */
ocspx_registry_entry_t *ocspx_generation_enter(server_rec *s,
                                               const ocspx_cert_t *cert,
                                               ocspx_repair_t *repair,
                                               apr_pool_t *p);

/** What the server's process keeps from one configuration to the next. */
typedef struct {
    int ex_index;           /* of certificates; 0: none yet */
    apr_uint64_t instance;  /* random: no two servers have the same */
    apr_pool_t *cache_pool; /* of cache and ledger */
    ocspx_cache_t *cache;   /* of the latest generation */
    ocspx_ledger_t *ledger;
    apr_pool_t *broken_pool;
    apr_hash_t *broken; /* errors of the latest generation's chains; see
                           observer.c */
} ocspx_retained_t;

ocspx_retained_t *ocspx_generation_retained(void);

/**
 * Make cache and ledger, named by the registry, and carry over what the
 * previous generation has.
 * @param known filled in as by ocspx_cache_carry
 */
apr_status_t ocspx_generation_make_cache(unsigned *carried,
                                         ocspx_generation_t *generation,
                                         unsigned char *known,
                                         apr_pool_t *ptemp);

#endif
