/* count: the requests of a fleet. */
#include "count.h"

#define PER_BUCKET 100

/* What servers fetched for themselves comes due at as many times; until each
 * certificate has been fetched once for all, that outage goes on. */
#define AFTERMATH (6 * HOUR)

/* So long do servers need to have asked for all that ended. */
#define CATCH_UP HOUR

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

static void mark(unsigned char *times, const world_t *world, apr_time_t from,
                 apr_time_t to, fleet_time_e time)
{
    unsigned m;

    if (to <= fleet_warm(world))
        return;
    for (m = minute_of(world, from); m <= minute_of(world, to); m++)
        times[m] = (unsigned char)time;
}

static const unsigned char *times_by_minute(const world_t *world, apr_pool_t *p)
{
    unsigned char *times = apr_pcalloc(p, minutes_of(world) + 1);
    unsigned h, k;

    for (h = 0; h < WORLD_HOSTS; h++)
        for (k = 0; k < world->hosts[h].outages.count; k++) {
            const world_outage_t *outage = &world->hosts[h].outages.list[k];

            if (world_is_long(&world->hosts[h], outage))
                mark(times, world, outage->up, outage->over + CATCH_UP,
                     FLEET_ENDED);
        }
    for (k = 0; k < world->store.count; k++)
        mark(times, world, world->store.list[k].down,
             world->store.list[k].over + AFTERMATH, FLEET_ALONE);
    return times;
}

static double validities(const world_t *world)
{
    double sum = 0;
    unsigned h;

    for (h = 0; h < WORLD_HOSTS; h++)
        sum += world_certificates(world, h) *
               (double)(world->end - fleet_warm(world)) /
               (double)world->hosts[h].validity;
    return sum;
}

/* Of the minutes in which the store works. */
static double mean(const count_t *count, const unsigned char *times,
                   unsigned minutes)
{
    double sum = 0;
    unsigned m, up = 0;

    for (m = 0; m < minutes; m++)
        if (times[m] != FLEET_ALONE) {
            sum += (double)count->by_minute[m];
            up++;
        }
    return up ? sum / up : 0;
}

static void look_at_bucket(fleet_result_t *result, const count_t *count,
                           const unsigned char *times, unsigned from)
{
    double requests = 0;
    unsigned m, time = FLEET_USUAL;

    for (m = from; m < from + result->bucket; m++) {
        requests += (double)count->by_minute[m];
        if (times[m] > time)
            time = times[m];
    }
    requests /= result->bucket * result->mean;
    if (requests > result->peak[time])
        result->peak[time] = requests;
}

void count_conclude(fleet_result_t *result, const count_t *count,
                    const world_t *world, apr_pool_t *p)
{
    const unsigned char *times = times_by_minute(world, p);
    unsigned m, minutes = minutes_of(world);

    *result = (fleet_result_t){.counts = count->all,
                               .validities = validities(world),
                               .mean = mean(count, times, minutes)};
    if (result->mean <= 0)
        return;
    result->per_validity = result->mean * minutes / result->validities;
    result->bucket = result->mean >= PER_BUCKET
                         ? 1
                         : (unsigned)(PER_BUCKET / result->mean) + 1;
    for (m = 0; m + result->bucket <= minutes; m += result->bucket)
        look_at_bucket(result, count, times, m);
}
