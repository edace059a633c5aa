// The parser alone, in this file alone, with errors as values.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 512
// The alternative is a stream for each number.
#define TOML_FLOAT_CHARCONV 1
#include <toml++/impl/preprocessor.h>
// Version 3.3 asserts, assumes and calls unreachable what some files do reach, such as the line `[`
// or an `é` where no key can begin. Its own code handles them well when nothing is assumed.
#undef TOML_ASSERT
#undef TOML_ASSUME
#undef TOML_ASSERT_ASSUME
#undef TOML_UNREACHABLE
#define TOML_ASSERT(condition) static_assert(true)
#define TOML_ASSUME(condition) static_assert(true)
#define TOML_ASSERT_ASSUME(condition) static_assert(true)
#define TOML_UNREACHABLE return {}
#include <toml++/impl/forward_declarations.h>
#include <toml++/impl/unicode.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE __builtin_trap()
#include <toml++/toml.h>

#include "CTOML.h"

// What is replaced above is an internal of this version, and `TOMLProblem` matches the words of its errors. Before
// another version is allowed here, the tests of RasaDocuments have to pass with it.
static_assert(
    TOML_LIB_MAJOR == 3 && TOML_LIB_MINOR == 3, "CTOML was written for toml++ 3.3: see the comment");

#include <algorithm>
#include <string>
#include <vector>

struct rasa_toml_document {
  toml::parse_result result;
  std::vector<rasa_toml_node> nodes;
  std::string problem;
  rasa_toml_place place{};
};

namespace {

rasa_toml_place place(const toml::source_position &position) {
  return {position.line, position.column};
}

rasa_toml_text text(std::string_view view) { return {view.data(), view.size()}; }

struct Flattening {
  std::vector<rasa_toml_node> &nodes;

  void add(const toml::node &node, const toml::key *key) {
    rasa_toml_node flat{};
    flat.start = place(node.source().begin);
    flat.end = place(node.source().end);
    if (key) {
      flat.key = text(key->str());
      flat.key_start = place(key->source().begin);
    }
    switch (node.type()) {
      case toml::node_type::table:
        flat.kind = RASA_TOML_TABLE;
        flat.children = node.as_table()->size();
        break;
      case toml::node_type::array:
        flat.kind = RASA_TOML_ARRAY;
        flat.children = node.as_array()->size();
        break;
      case toml::node_type::string:
        flat.kind = RASA_TOML_STRING;
        flat.text = text(node.as_string()->get());
        break;
      case toml::node_type::integer:
        flat.kind = RASA_TOML_INTEGER;
        flat.integer = node.as_integer()->get();
        break;
      case toml::node_type::floating_point:
        flat.kind = RASA_TOML_FLOAT;
        flat.number = node.as_floating_point()->get();
        break;
      case toml::node_type::boolean:
        flat.kind = RASA_TOML_BOOLEAN;
        flat.boolean = node.as_boolean()->get();
        break;
      default: flat.kind = RASA_TOML_TIME;
    }
    nodes.push_back(flat);
    if (const auto *table = node.as_table()) members(*table);
    if (const auto *array = node.as_array()) {
      for (const auto &element : *array) add(element, nullptr);
    }
  }

  // toml++ keeps a table sorted by key.
  void members(const toml::table &table) {
    using Member = std::pair<const toml::key *, const toml::node *>;
    std::vector<Member> members;
    members.reserve(table.size());
    for (auto it = table.cbegin(); it != table.cend(); ++it) {
      members.emplace_back(&it->first, &it->second);
    }
    std::stable_sort(members.begin(), members.end(), [](const Member &left, const Member &right) {
      return left.first->source().begin < right.first->source().begin;
    });
    for (const auto &[key, node] : members) add(*node, key);
  }
};

}  // namespace

rasa_toml_document *rasa_toml_parse(const char *bytes, size_t count) {
  auto *document = new rasa_toml_document{toml::parse(std::string_view{bytes, count})};
  if (document->result.succeeded()) {
    Flattening{document->nodes}.add(document->result.table(), nullptr);
  } else {
    const auto &error = document->result.error();
    document->problem = std::string{error.description()};
    document->place = place(error.source().begin);
  }
  return document;
}

void rasa_toml_free(rasa_toml_document *document) { delete document; }

const rasa_toml_node *rasa_toml_nodes(const rasa_toml_document *document, size_t *count) {
  *count = document->nodes.size();
  return document->nodes.data();
}

rasa_toml_text rasa_toml_problem(const rasa_toml_document *document, rasa_toml_place *place) {
  *place = document->place;
  return text(document->problem);
}
