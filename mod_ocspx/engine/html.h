/* html: writes HTML in pieces, and escapes what is text. */
#ifndef OCSPX_HTML_H
#define OCSPX_HTML_H

#include <apr.h>
#include <stddef.h>

/** Where the pieces go. */
typedef struct {
    void (*write)(void *baton, const char *piece, apr_size_t len);
    void *baton;
} ocspx_html_t;

/**
 * Write markup and text in turn:
 *
 *   ocspx_html_put(html, "<td class=\"name\">", name, "</td>");
 *
 * Every second string is text and gets escaped, the others are markup and are
 * written as they are. None of them is NULL.
 */
#define ocspx_html_put(...) ocspx_html_pieces(__VA_ARGS__, (const char *)NULL)

void ocspx_html_pieces(const ocspx_html_t *html, const char *markup, ...)
    __attribute__((sentinel));

/** Text, for an element or between double quotes: printable ASCII, whatever
 * is in it; other bytes as \xNN, as everywhere. */
void ocspx_html_text(const ocspx_html_t *html, const char *text);

#endif
