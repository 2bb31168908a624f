/* version: the release this is, as every part of it says. */
#ifndef OCSPX_VERSION_H
#define OCSPX_VERSION_H

#define OCSPX_VERSION "0.1.0"

#endif
