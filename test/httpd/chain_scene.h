/* chain_scene: virtual hosts whose chains have one defect each, and what httpd
 * says of it at its start.
 *
 * Only the root of the world is trusted (OCSPXChainTrust), and nothing is
 * stapled, so that nothing but the chains is talked about.
 */
#ifndef OCSPX_CHAIN_SCENE_H
#define OCSPX_CHAIN_SCENE_H

#include <apr_strings.h>
#include <stdlib.h>

#include "../support/check_main.h"
#include "../support/world.h"

#define DAY apr_time_from_sec(86400)

/** The virtual host with the defect. */
#define BROKEN "broken.test"
/** The one beside it. */
#define SOUND "sound.test"

/** How a finding of a virtual host begins; its place is "name:port (...)". */
#define FINDING "OCSPX0107: %s:[0-9]+ \\([^)]*httpd.conf:[0-9]+\\)[^:]*: "

static world_t *w;

static inline void chain_global(const char *lines)
{
    world_global(w, apr_psprintf(w->pool,
                                 "OCSPXChainTrust %s\nOCSPXUseStapling off\n%s",
                                 w->root_file, lines));
}

static inline void chain_setup(void)
{
    w = world_make();
    chain_global("");
}

static inline void chain_teardown(void)
{
    world_destroy(w);
}

static inline pki_t *chain_make(pki_spec_t spec, const pki_t *issuer)
{
    return pki_make(&spec, issuer, w->pool);
}

static inline pki_t *chain_ca(const char *cn, const pki_t *issuer)
{
    return chain_make((pki_spec_t){.cn = cn, .ca = 1}, issuer);
}

/** A certificate for the broken virtual host, sound but for what is said. */
static inline pki_t *chain_leaf(pki_spec_t spec, const pki_t *issuer)
{
    spec.cn = BROKEN;
    if (spec.names == NULL)
        spec.names = "DNS:" BROKEN;
    return chain_make(spec, issuer);
}

/** A virtual host with nothing wrong. */
static inline void chain_sound(void)
{
    pki_t *leaf =
        chain_make((pki_spec_t){.cn = SOUND, .names = "DNS:" SOUND}, w->issuer);

    world_chain_vhost(w, SOUND, leaf, NULL, w->issuer, NULL);
}

/** How often a line like this was logged about a virtual host.
 * @param rest begins with the finding's code */
static inline int chain_findings(const char *name, const char *rest)
{
    return httpd_log_count(
        w->httpd,
        apr_pstrcat(w->pool, apr_psprintf(w->pool, FINDING, name), rest, NULL));
}

/** The same, at this level ("error") only. */
static inline int chain_findings_at(const char *level, const char *name,
                                    const char *rest)
{
    return httpd_log_count(w->httpd,
                           apr_pstrcat(w->pool, "\\[ocspx:", level, "\\] .*",
                                       apr_psprintf(w->pool, FINDING, name),
                                       rest, NULL));
}

/** Did the module call the chain of a virtual host complete? Errors are about
 * the chain, and a self-signed certificate has none. */
static inline int chain_said_complete(const char *name)
{
    return chain_findings_at("error", name, "CHAIN_") == 0 &&
           chain_findings(name, "CHAIN_SELF_SIGNED: ") == 0;
}

static inline void chain_fail(const char *what)
{
    httpd_log_dump(w->httpd);
    ck_abort_msg("%s", what);
}

/** The verdict is that of `openssl s_client'. @return what both say */
static inline int chain_verdict(client_spec_t spec)
{
    int said = chain_said_complete(spec.name);
    const char *output;
    int complete = client_openssl_chain(&output, &spec, w->pool);

    if (said != complete)
        chain_fail(apr_psprintf(w->pool,
                                "%s: called %scomplete, but OpenSSL says:\n%s",
                                spec.name, said ? "" : "in", output));
    return complete;
}

/** So many chains were checked, and so many of them are complete. */
static inline void chain_summary(int checked, int complete)
{
    const char *regex =
        apr_psprintf(w->pool,
                     "OCSPX0108: %d certificate chains? checked, "
                     "%d complete; ",
                     checked, complete);

    if (httpd_log_count(w->httpd, regex) != 1 ||
        httpd_log_count(w->httpd, "OCSPX0108: ") != 1)
        chain_fail(apr_psprintf(w->pool, "not logged once: %s", regex));
}

#endif
