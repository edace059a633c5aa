#ifndef CUNICODE_H
#define CUNICODE_H
#include <stdint.h>
#include <utf8proc.h>

/// The columns that a terminal gives one code point: 0, 1 or 2. What is not assigned counts as one.
static inline int rasa_code_point_width(int32_t code_point) {
  int width = utf8proc_charwidth(code_point);
  if (width == 0 && utf8proc_category(code_point) == UTF8PROC_CATEGORY_CN) return 1;
  return width;
}
#endif
