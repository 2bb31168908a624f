/* table: a few columns, and sentences below them, for a terminal. */
#include "table.h"

#include <apr_strings.h>
#include <string.h>

/* How much of text one line takes: up to the last space that fits, else up to
 * the last sign that parts URLs, names and paths, else as much as fits. */
static unsigned line_length(const char *text, unsigned width)
{
    unsigned n;

    if (strlen(text) <= width)
        return (unsigned)strlen(text);
    for (n = width; n; n--)
        if (text[n] == ' ')
            return n;
    for (n = width; n; n--)
        if (strchr("/:.,", text[n - 1]))
            return n;
    return width;
}

/* The next line of *text, which it is taken off. */
static const char *take_line(const char **text, unsigned width, apr_pool_t *p)
{
    unsigned n = line_length(*text, width);
    const char *line = apr_pstrmemdup(p, *text, n);

    *text += n;
    *text += strspn(*text, " ");
    return line;
}

static const char *without_end_spaces(char *line)
{
    size_t n = strlen(line);

    while (n && line[n - 1] == ' ')
        n--;
    line[n] = '\0';
    return line;
}

/* One line of every cell. */
static const char *row_line(const char **cells, const unsigned *widths,
                            apr_pool_t *p)
{
    const char *line = "";
    unsigned i;

    for (i = 0; widths[i]; i++)
        line = apr_psprintf(p, "%s%-*s  ", line, (int)widths[i],
                            take_line(&cells[i], widths[i], p));
    return without_end_spaces(apr_pstrdup(p, line));
}

static int any_left(const char *const *cells, const unsigned *widths)
{
    unsigned i;

    for (i = 0; widths[i]; i++)
        if (*cells[i])
            return 1;
    return 0;
}

const char *ocspx_table_row(const char *const *cells, const unsigned *widths,
                            apr_pool_t *p)
{
    const char *text = "";
    const char **left;
    unsigned n = 0;

    while (widths[n])
        n++;
    left = apr_pmemdup(p, cells, n * sizeof(*cells));
    while (any_left(left, widths))
        text = apr_pstrcat(p, text, row_line(left, widths, p), "\n", NULL);
    return text;
}

const char *ocspx_table_note(const char *text, unsigned indent, apr_pool_t *p)
{
    const char *lines = "";

    while (*text)
        lines = apr_psprintf(p, "%s%*s%s\n", lines, (int)indent, "",
                             take_line(&text, OCSPX_TABLE_WIDTH - indent, p));
    return lines;
}
