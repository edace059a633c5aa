#ifndef CRESOURCES_H
#define CRESOURCES_H
#include <stddef.h>
/// One file that ships inside the binary: its name as `personas/x.yaml` and its bytes.
struct rasa_resource { const char *name; const unsigned char *bytes; size_t size; };
/// Every shipped file, ended by an entry whose name is NULL.
extern const struct rasa_resource rasa_resources[];
/// The entry of that index. Swift sees an array of unknown size as a single element.
static inline const struct rasa_resource *rasa_resource_at(size_t index) {
  return &rasa_resources[index];
}
#endif
