#include "CLanguage.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

// The library is written in C++; these two functions take and give nothing but plain values.
typedef int (*detect_language)(const char *text, int length, bool is_plain_text, bool *is_reliable);
typedef const char *(*language_code)(int language);

static detect_language detect;
static language_code code;

static void load(void) {
  // Not closed: the functions are used for as long as the program runs.
  void *handle = dlopen("libcld2.so.0", RTLD_LAZY | RTLD_LOCAL);
  if (!handle) return;
  detect = (detect_language)dlsym(handle, "_ZN4CLD214DetectLanguageEPKcibPb");
  code = (language_code)dlsym(handle, "_ZN4CLD212LanguageCodeENS_8LanguageE");
}

const char *rasa_language(const char *text, size_t length) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  if (!detect || !code || length == 0 || length > INT_MAX) return NULL;
  bool is_reliable = false;
  int language = detect(text, (int)length, true, &is_reliable);
  return is_reliable ? code(language) : NULL;
}
