/* count: the requests of a fleet. */
#include "count.h"

#define PER_BUCKET 100

/* What servers fetched for themselves comes due at as many times; until each
 * certificate has been fetched once for all, that outage goes on. */
#define AFTERMATH (6 * HOUR)

static unsigned minutes_of(const world_t *world)
{
    return (unsigned)((world->end - fleet_warm(world)) / MINUTE);
}

static unsigned minute_of(const world_t *world, apr_time_t t)
{
    apr_int64_t minute = (t - fleet_warm(world)) / MINUTE;

    if (minute < 0)
        return 0;
    return minute < minutes_of(world) ? (unsigned)minute : minutes_of(world);
}

/* One minute more, for what is later than all. */
apr_size_t count_numbers(const world_t *world)
{
    return sizeof(count_t) / sizeof(apr_uint64_t) + minutes_of(world) + 1;
}

void count_request(count_t *count, const world_t *world, apr_time_t now,
                   int first, int duplicate)
{
    if (now < fleet_warm(world))
        return;
    if (first) {
        count->all.first++;
        return;
    }
    count->all.requests++;
    count->all.duplicates += (unsigned)duplicate;
    count->by_minute[minute_of(world, now)]++;
}

void count_found(count_t *count, const world_t *world, apr_time_t now)
{
    count->all.found += now >= fleet_warm(world);
}

/* By minute: the store is down, or was a while ago. */
static const unsigned char *without_store(const world_t *world, apr_pool_t *p)
{
    unsigned char *down = apr_pcalloc(p, minutes_of(world) + 1);
    unsigned k, m;

    for (k = 0; k < world->store.count; k++) {
        const world_outage_t *outage = &world->store.list[k];
        unsigned end = minute_of(world, outage->over + AFTERMATH);

        for (m = minute_of(world, outage->down); m <= end; m++)
            down[m] = outage->over > fleet_warm(world);
    }
    return down;
}

static double validities(const world_t *world)
{
    double sum = 0;
    unsigned i;

    for (i = 0; i < world->spec.certificates; i++)
        sum += (double)(world->end - fleet_warm(world)) /
               (double)world->hosts[i % WORLD_HOSTS].validity;
    return sum;
}

/* Of the minutes in which the store works. */
static double mean(const count_t *count, const unsigned char *down,
                   unsigned minutes)
{
    double sum = 0;
    unsigned m, up = 0;

    for (m = 0; m < minutes; m++)
        if (!down[m]) {
            sum += (double)count->by_minute[m];
            up++;
        }
    return up ? sum / up : 0;
}

static void look_at_bucket(fleet_result_t *result, const count_t *count,
                           const unsigned char *down, unsigned from)
{
    double requests = 0, *peak = &result->peak;
    unsigned m;

    for (m = from; m < from + result->bucket; m++) {
        requests += (double)count->by_minute[m];
        if (down[m])
            peak = &result->peak_alone;
    }
    requests /= result->bucket * result->mean;
    if (requests > *peak)
        *peak = requests;
}

void count_conclude(fleet_result_t *result, const count_t *count,
                    const world_t *world, apr_pool_t *p)
{
    const unsigned char *down = without_store(world, p);
    unsigned m, minutes = minutes_of(world);

    *result = (fleet_result_t){.counts = count->all,
                               .validities = validities(world),
                               .mean = mean(count, down, minutes)};
    if (result->mean <= 0)
        return;
    result->per_validity = result->mean * minutes / result->validities;
    result->bucket = result->mean >= PER_BUCKET
                         ? 1
                         : (unsigned)(PER_BUCKET / result->mean) + 1;
    for (m = 0; m + result->bucket <= minutes; m += result->bucket)
        look_at_bucket(result, count, down, m);
}
