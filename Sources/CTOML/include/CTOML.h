#ifndef CTOML_H
#define CTOML_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  RASA_TOML_TABLE,
  RASA_TOML_ARRAY,
  RASA_TOML_STRING,
  RASA_TOML_INTEGER,
  RASA_TOML_FLOAT,
  RASA_TOML_BOOLEAN,
  /// A date, a time or both, as written.
  RASA_TOML_TIME
} rasa_toml_kind;

/// Counted from 1, columns in code points; 0 if toml++ does not know.
typedef struct {
  uint32_t line;
  uint32_t column;
} rasa_toml_place;

typedef struct {
  const char *bytes;
  size_t count;
} rasa_toml_text;

/// One value. The members of a table and the elements of an array follow it, each with its own
/// descendants.
typedef struct {
  rasa_toml_kind kind;
  /// For tables and arrays: how many values are directly below.
  size_t children;
  rasa_toml_place start;
  rasa_toml_place end;
  /// The key of a table's member.
  rasa_toml_text key;
  rasa_toml_place key_start;
  rasa_toml_text text;
  int64_t integer;
  double number;
  bool boolean;
} rasa_toml_node;

/// A parsed file, or its problem. Everything in it lives as long as the document.
typedef struct rasa_toml_document rasa_toml_document;

/// Parses a file. The caller has checked that its tables, arrays and dotted keys are not nested so deeply
/// that parsing exhausts the stack. Never null.
rasa_toml_document *rasa_toml_parse(const char *bytes, size_t count);
void rasa_toml_free(rasa_toml_document *document);

/// The values in the order of the file, the root first; none if the file is broken.
const rasa_toml_node *rasa_toml_nodes(const rasa_toml_document *document, size_t *count);
/// What is wrong, in the words of toml++.
rasa_toml_text rasa_toml_problem(const rasa_toml_document *document, rasa_toml_place *place);

#ifdef __cplusplus
}
#endif
#endif
