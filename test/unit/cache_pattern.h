/* cache_pattern: responses and states that show by themselves what they are,
 * so that a reader can tell one wrong byte without knowing what to expect.
 */
#ifndef OCSPX_TEST_CACHE_PATTERN_H
#define OCSPX_TEST_CACHE_PATTERN_H

#include <apr_strings.h>
#include <string.h>

#include "../../mod_ocspx/engine/cache.h"

#define PATTERN_MIN 16 /* bytes; below, a pattern does not tell its version */
#define PATTERN_MAX 65536

static inline apr_uint64_t pattern_mix(apr_uint64_t x)
{
    x = (x ^ x >> 31) * 0x7fb5d329728ea185ULL;
    x = (x ^ x >> 27) * 0x81dadef4bc2dd44dULL;
    return x ^ x >> 33;
}

/** Next of a series of random numbers below @a bound. */
static inline unsigned pattern_random(apr_uint64_t *seed, unsigned bound)
{
    *seed += 0x9e3779b97f4a7c15ULL;
    return (unsigned)(pattern_mix(*seed) % bound);
}

static inline void pattern_fill(unsigned char *der, apr_size_t len,
                                unsigned slot, apr_uint64_t version)
{
    apr_uint64_t word = (apr_uint64_t)slot << 32 | len;
    apr_size_t at;

    for (at = 0; at < len; at += 8) {
        memcpy(der + at, &word, len - at < 8 ? len - at : 8);
        word = at == 0 ? version : pattern_mix(slot + version * 8191 + at);
    }
}

/** The version of a pattern of @a slot; 0 where there is a wrong byte. */
static inline apr_uint64_t pattern_version(const unsigned char *der,
                                           apr_size_t len, unsigned slot)
{
    unsigned char expected[PATTERN_MAX];
    apr_uint64_t version;

    if (len < PATTERN_MIN || len > PATTERN_MAX)
        return 0;
    memcpy(&version, der + 8, sizeof(version));
    pattern_fill(expected, len, slot, version);
    return memcmp(der, expected, len) ? 0 : version;
}

static inline void pattern_state(ocspx_cache_state_t *state, unsigned slot,
                                 apr_uint64_t version)
{
    memset(state, (int)(version % 251), sizeof(*state));
    state->due = (apr_time_t)version;
    state->requests = slot;
    memset(state->message, 0, sizeof(state->message));
    apr_snprintf(state->message, 1 + version % sizeof(state->message),
                 "state %" APR_UINT64_T_FMT " of slot %u%*u", version, slot,
                 (int)sizeof(state->message), slot);
}

/** Is this a state of @a slot, or none at all? */
static inline int pattern_state_ok(const ocspx_cache_state_t *state,
                                   unsigned slot)
{
    static const ocspx_cache_state_t none;
    ocspx_cache_state_t expected;

    pattern_state(&expected, slot, (apr_uint64_t)state->due);
    return !memcmp(state, &expected, sizeof(expected)) ||
           !memcmp(state, &none, sizeof(none));
}

#endif
