#ifndef CLANGUAGE_H
#define CLANGUAGE_H
#include <stddef.h>

/// The language of a text in well-formed UTF-8 as an ISO 639 code; null where it cannot be told. The code is not to be
/// freed. libcld2 exists as a shared library only and is loaded at the first call; without it nothing can be told.
const char *rasa_language(const char *text, size_t length);
#endif
