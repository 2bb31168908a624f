/* timeline: the life of a response as a bar.
 *
 *             now
 *      ========V##########<>##########     ]
 *      thisUpdate       next try    end    certificate's end
 *
 * In units of the drawing's own, 240 by 24; the style sheet scales it. All is
 * told apart by shape: colours are the style sheet's, and only decorate.
 */
#include "timeline.h"

#include <apr_strings.h>

#include "../core/words.h"

#define LEFT 6.0
#define RIGHT 234.0

/* The certificate's end is near where it is this part of the bar behind the
 * response's end. */
#define NEAR 0.5

typedef struct {
    const ocspx_html_t *html;
    const ocspx_report_row_t *row;
    apr_time_t now;
    apr_time_t from, to; /* of the bar */
    apr_time_t end;      /* of the response */
    int cert_is_near;
    apr_pool_t *p;
} bar_t;

apr_time_t ocspx_timeline_end(const ocspx_report_row_t *row)
{
    if (!row->this_update)
        return 0;
    return row->safe_until ? row->safe_until : row->next_update;
}

static apr_time_t later(apr_time_t a, apr_time_t b)
{
    return a > b ? a : b;
}

static double between(apr_time_t from, apr_time_t to)
{
    return (double)to - (double)from;
}

/* @return 0: there is nothing to draw */
static int measure(bar_t *bar)
{
    const ocspx_report_row_t *row = bar->row;

    bar->from = row->this_update;
    bar->end = ocspx_timeline_end(row);
    if (between(bar->from, bar->end) <= 0)
        return 0;
    bar->to = later(bar->end, bar->now);
    bar->cert_is_near =
        row->not_after > bar->from &&
        between(bar->to, row->not_after) <= NEAR * between(bar->from, bar->to);
    if (bar->cert_is_near)
        bar->to = later(bar->to, row->not_after);
    return 1;
}

/* How much of the time between @a from and @a to, which is not before @a t, is
 * over at @a t: 0 to 1. */
static double part_of(apr_time_t t, apr_time_t from, apr_time_t to)
{
    double part = between(from, t) / between(from, to);

    return part < 0 ? 0 : part;
}

static double x_of(const bar_t *bar, apr_time_t t)
{
    return LEFT + part_of(t, bar->from, bar->to) * (RIGHT - LEFT);
}

static void stretch(const bar_t *bar, const char *class_name, apr_time_t from,
                    apr_time_t to)
{
    double x = x_of(bar, from);

    ocspx_html_put(bar->html, "<rect class=\"", class_name, "\" x=\"",
                   apr_psprintf(bar->p, "%.1f", x), "\" y=\"11\" width=\"",
                   apr_psprintf(bar->p, "%.1f", x_of(bar, to) - x),
                   "\" height=\"6\" rx=\"3\"/>");
}

static const struct {
    const char *class_name;
    const char *path; /* from the point on the bar's middle line */
} shapes[] = {
    [OCSPX_TIMELINE_OVER] = {"track", "m-8-3h16v6h-16z"},
    [OCSPX_TIMELINE_LEFT] = {"left", "m-8-3h16v6h-16z"},
    [OCSPX_TIMELINE_NOW] = {"now", "m0-6l-5-7h10zv16"},
    [OCSPX_TIMELINE_NEXT_TRY] = {"next", "m0-5.5l5.5 5.5-5.5 5.5-5.5-5.5z"},
    [OCSPX_TIMELINE_CERT_END] = {"end", "m-4-9h4v18h-4"},
};

static void sign(const ocspx_html_t *html, ocspx_timeline_sign_e which,
                 const char *x)
{
    ocspx_html_put(html, "<path class=\"", shapes[which].class_name, "\" d=\"M",
                   x, " 14", shapes[which].path, "\"/>");
}

static void mark(const bar_t *bar, ocspx_timeline_sign_e which, apr_time_t t)
{
    sign(bar->html, which, apr_psprintf(bar->p, "%.1f", x_of(bar, t)));
}

static int has_next_try(const bar_t *bar)
{
    return bar->row->next_try > bar->from && bar->row->next_try <= bar->to;
}

/* --- the same in words ----------------------------------------------- */

static const char *how_far(const bar_t *bar)
{
    if (bar->now >= bar->end)
        return apr_pstrcat(bar->p, "it ended ",
                           ocspx_words_when(bar->end, bar->now, bar->p), NULL);
    return apr_psprintf(bar->p, "%d %% of that is over",
                        (int)(100 * part_of(bar->now, bar->from, bar->end)));
}

static const char *clause(const bar_t *bar, int wanted, const char *words,
                          apr_time_t t)
{
    if (!wanted)
        return "";
    return apr_pstrcat(bar->p, "; ", words,
                       ocspx_words_when(t, bar->now, bar->p), NULL);
}

static void describe(const bar_t *bar, const char *id)
{
    const ocspx_html_t *html = bar->html;
    const ocspx_report_row_t *row = bar->row;

    ocspx_html_put(html, "<title id=\"t", id, "\">Response for ", row->name,
                   "</title><desc id=\"d", id, "\">Valid from ",
                   ocspx_words_time(bar->from, bar->p), " to ",
                   ocspx_words_time(bar->end, bar->p), "; ", how_far(bar));
    ocspx_html_text(html,
                    clause(bar, has_next_try(bar), "next try ", row->next_try));
    ocspx_html_text(html,
                    clause(bar, bar->cert_is_near,
                           "the certificate itself ends ", row->not_after));
    ocspx_html_put(html, ".</desc>");
}

static void draw(const bar_t *bar, const char *id)
{
    const ocspx_report_row_t *row = bar->row;

    ocspx_html_put(bar->html,
                   "<svg class=\"bar\" viewBox=\"0 0 240 24\" role=\"img\" "
                   "aria-labelledby=\"t",
                   id, " d", id, "\">");
    describe(bar, id);
    stretch(bar, "track", bar->from, bar->end);
    if (bar->now < bar->end)
        stretch(bar, row->safe_until ? "left" : "unused", bar->now, bar->end);
    if (bar->cert_is_near)
        mark(bar, OCSPX_TIMELINE_CERT_END, row->not_after);
    if (has_next_try(bar))
        mark(bar, OCSPX_TIMELINE_NEXT_TRY, row->next_try);
    mark(bar, OCSPX_TIMELINE_NOW, bar->now);
    ocspx_html_put(bar->html, "</svg>");
}

/* The drawing has said all this, but not to who sees it. */
static void put_dates(const bar_t *bar)
{
    const ocspx_html_t *html = bar->html;

    ocspx_html_put(html, "<small class=\"ends\" aria-hidden=\"true\"><span>",
                   ocspx_words_date(bar->from, bar->p), "</span> <span>",
                   ocspx_words_date(bar->end, bar->p), "</span>");
    if (bar->to > bar->end)
        ocspx_html_put(html, " <span>",
                       bar->to == bar->now ? "now"
                                           : ocspx_words_date(bar->to, bar->p),
                       "</span>");
    ocspx_html_put(html, "</small>");
}

void ocspx_timeline_print(const ocspx_html_t *html,
                          const ocspx_report_row_t *row, apr_time_t now,
                          unsigned number, apr_pool_t *p)
{
    bar_t bar = {.html = html, .row = row, .now = now, .p = p};

    if (!measure(&bar))
        return;
    draw(&bar, apr_psprintf(p, "%u", number));
    put_dates(&bar);
}

void ocspx_timeline_sign(const ocspx_html_t *html, ocspx_timeline_sign_e which)
{
    ocspx_html_put(html, "<svg class=\"sign\" viewBox=\"0 0 24 24\" "
                         "aria-hidden=\"true\">");
    sign(html, which, "12");
    ocspx_html_put(html, "</svg>");
}
