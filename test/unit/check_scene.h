/* check_scene: runs the real `ocspx check' against servers on loopback. */
#ifndef OCSPX_TEST_CHECK_SCENE_H
#define OCSPX_TEST_CHECK_SCENE_H

#include "cli_scene.h"

#include "../support/responder.h"
#include "../support/tools.h"

#define HOUR apr_time_from_sec(3600)

/** The issuer of cli_scene.h is an intermediate of this one here. */
static pki_t *root;
static responder_t *responder; /* not started */

/** In a new directory with root.pem. */
static inline void check_scene_make(void)
{
    set_the_scene();
    root = pki_make(&(pki_spec_t){.cn = "Root", .ca = 1}, NULL, pool);
    issuer = pki_make(&(pki_spec_t){.cn = "Middle", .ca = 1}, root, pool);
    pki_write_certs("root.pem", root->cert, NULL);
    responder = responder_make(NULL, 0, pool);
}

/**
 * A certificate of the issuer, which the responder knows.
 * @param spec NULL in it: cn, names: a.test; ocsp_urls: the responder's ("":
 *        none)
 */
static inline pki_t *make_leaf(const pki_spec_t *spec)
{
    pki_spec_t full = *spec;
    pki_t *leaf;

    full.cn = full.cn != NULL ? full.cn : "a.test";
    full.names = full.names != NULL ? full.names : "DNS:a.test";
    if (full.ocsp_urls == NULL)
        full.ocsp_urls = responder_url(responder);
    leaf = pki_make(&full, issuer, pool);
    responder_add(responder, leaf, issuer, issuer);
    return leaf;
}

/**
 * Put a response of this status into @a site, about @a leaf.
 * @param left until nextUpdate
 */
static inline void add_staple(tools_site_t *site, const pki_t *leaf, int status,
                              apr_interval_time_t left)
{
    apr_time_t now = apr_time_now();
    pki_single_t single = {.cert = leaf->cert,
                           .issuer = issuer->cert,
                           .status = status,
                           .this_update = now - 12 * HOUR,
                           .next_update = now + left,
                           .revoked_at = now - 13 * HOUR};

    site->staple = pki_response(
        &site->staple_len,
        &(pki_response_t){.singles = &single, .count = 1, .signer = issuer},
        pool);
}

/** "check a.test:PORT --connect 127.0.0.1 --trust root.pem" and a blank. */
static inline const char *check_at(int port)
{
    return apr_psprintf(
        pool, "check a.test:%d --connect 127.0.0.1 --trust root.pem ", port);
}

/** What it says of all hosts. */
static inline json_t *check_all(int status, const char *arguments)
{
    const char *output =
        run(status, apr_pstrcat(pool, arguments, " --json", NULL));
    json_t *hosts = json_loads(output, 0, NULL);

    ck_assert_msg(json_is_array(hosts), "%s", output);
    return hosts;
}

/** The findings of one: "critical: error CHAIN_MISSING, info CHAIN_ROOT". */
static inline const char *found_at(const json_t *host)
{
    const json_t *findings = json_object_get(host, "findings");
    const char *text = apr_pstrcat(pool, text_of(host, "status"), ":", NULL);

    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);

        text = apr_pstrcat(pool, text, i > 0 ? ", " : " ",
                           text_of(finding, "severity"), " ",
                           text_of(finding, "code"), NULL);
    }
    return text;
}

static inline int status_of(const char *found)
{
    static const char *const words[] = {
        "ok:", "warning:", "critical:", "unknown:"};

    for (int i = 0; i < 4; i++)
        if (strncmp(found, words[i], strlen(words[i])) == 0)
            return i;
    ck_abort_msg("no status in %s", found);
}

/** Check one host, and look at status and findings alone. */
static inline json_t *assert_found(const char *arguments, const char *wanted)
{
    json_t *hosts = check_all(status_of(wanted), arguments);
    json_t *host = json_array_get(hosts, 0);

    ck_assert_uint_eq(json_array_size(hosts), 1);
    if (strcmp(found_at(host), wanted) != 0)
        ck_abort_msg("ocspx %s: %s instead of %s:\n%s", arguments,
                     found_at(host), wanted, json_dumps(host, JSON_INDENT(2)));
    json_incref(host);
    json_decref(hosts);
    return host;
}

/** The message of the first finding of this code; "" if there is none. */
static inline const char *message_of(const json_t *host, const char *code)
{
    const json_t *findings = json_object_get(host, "findings");

    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);

        if (strcmp(text_of(finding, "code"), code) == 0)
            return text_of(finding, "message");
    }
    return "";
}

/** The results of the four handshakes: "done, not offered, ...". */
static inline const char *handshakes_of(const json_t *host)
{
    const json_t *handshakes = json_object_get(host, "handshakes");
    const char *text = "";

    for (size_t i = 0; i < json_array_size(handshakes); i++)
        text =
            apr_pstrcat(pool, text, i > 0 ? ", " : "",
                        text_of(json_array_get(handshakes, i), "result"), NULL);
    return text;
}

static inline const json_t *cert_of(const json_t *host, size_t i)
{
    return json_array_get(json_object_get(host, "certificates"), i);
}

#endif
