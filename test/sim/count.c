/* count: the requests of a fleet. */
#include "count.h"

#define PER_BUCKET 100

/* What servers fetched for themselves comes due at as many times; until each
 * certificate has been fetched once for all, that outage goes on. */
#define AFTERMATH (6 * HOUR)

struct count_t {
    fleet_result_t *result;
    const world_t *world;
    apr_time_t warm;
    unsigned minutes;
    unsigned *requests;  /* by minute */
    unsigned char *down; /* by minute: the store is, or was a while ago */
};

static unsigned minute_of(const count_t *count, apr_time_t t)
{
    apr_int64_t minute = (t - count->warm) / MINUTE;

    if (minute < 0)
        return 0;
    return minute < count->minutes ? (unsigned)minute : count->minutes;
}

count_t *count_make(fleet_result_t *result, const world_t *world, apr_pool_t *p)
{
    count_t *count = apr_pcalloc(p, sizeof(*count));
    unsigned k, m;

    count->result = result;
    count->world = world;
    count->warm = fleet_warm(world);
    count->minutes = (unsigned)((world->end - count->warm) / MINUTE);
    count->requests = apr_pcalloc(p, (count->minutes + 1) * sizeof(unsigned));
    count->down = apr_pcalloc(p, count->minutes + 1);
    for (k = 0; k < world->store.count; k++) {
        const world_outage_t *outage = &world->store.list[k];
        unsigned end = minute_of(count, outage->over + AFTERMATH);

        for (m = minute_of(count, outage->down); m <= end; m++)
            count->down[m] = outage->over > count->warm;
    }
    return count;
}

void count_request(count_t *count, apr_time_t now, int first, int duplicate)
{
    if (now < count->warm)
        return;
    if (first) {
        count->result->first++;
        return;
    }
    count->result->requests++;
    count->result->duplicates += (unsigned)duplicate;
    count->requests[minute_of(count, now)]++;
}

void count_found(count_t *count, apr_time_t now)
{
    count->result->found += now >= count->warm;
}

/* The mean of the minutes in which the store works. */
static double mean(const count_t *count)
{
    double sum = 0;
    unsigned m, minutes = 0;

    for (m = 0; m < count->minutes; m++)
        if (!count->down[m]) {
            sum += count->requests[m];
            minutes++;
        }
    return minutes ? sum / minutes : 0;
}

static void look_at_bucket(count_t *count, unsigned from)
{
    fleet_result_t *result = count->result;
    double requests = 0, *peak = &result->peak;
    unsigned m;

    for (m = from; m < from + result->bucket; m++) {
        requests += count->requests[m];
        if (count->down[m])
            peak = &result->peak_alone;
    }
    requests /= result->bucket * result->mean;
    if (requests > *peak)
        *peak = requests;
}

void count_conclude(count_t *count)
{
    fleet_result_t *result = count->result;
    unsigned m;

    result->mean = mean(count);
    if (result->mean <= 0)
        return;
    result->per_validity = result->mean * count->minutes / result->validities;
    result->bucket = result->mean >= PER_BUCKET
                         ? 1
                         : (unsigned)(PER_BUCKET / result->mean) + 1;
    for (m = 0; m + result->bucket <= count->minutes; m += result->bucket)
        look_at_bucket(count, m);
}
