/* html: writes HTML in pieces, and escapes what is text. */
#include "html.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void markup(const ocspx_html_t *html, const char *piece)
{
    if (*piece)
        html->write(html->baton, piece, strlen(piece));
}

/* NULL: it stands for itself. */
static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void special(const ocspx_html_t *html, char c)
{
    const char *name = entity(c);
    char code[8];

    if (!name) {
        snprintf(code, sizeof(code), "\\x%02x", (unsigned char)c);
        name = code;
    }
    markup(html, name);
}

void ocspx_html_text(const ocspx_html_t *html, const char *text)
{
    while (*text) {
        size_t plain = 0;

        while (text[plain] >= 0x20 && text[plain] < 0x7f &&
               !entity(text[plain]))
            plain++;
        if (plain)
            html->write(html->baton, text, plain);
        text += plain;
        if (*text)
            special(html, *text++);
    }
}

void ocspx_html_pieces(const ocspx_html_t *html, const char *first, ...)
{
    const char *piece = first;
    int is_text = 0;
    va_list pieces;

    va_start(pieces, first);
    for (; piece; piece = va_arg(pieces, const char *), is_text = !is_text) {
        if (is_text)
            ocspx_html_text(html, piece);
        else
            markup(html, piece);
    }
    va_end(pieces);
}
