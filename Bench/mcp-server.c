// A server of the Model Context Protocol over standard input and output with one tool, `echo`, that does nothing: what
// a call of it takes is what its client and the pipes take.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// The value of a member of the outermost object; its length in `length`.
static const char *member(const char *line, const char *name, size_t *length) {
  int depth = 0;
  size_t size = strlen(name);
  for (const char *at = line; *at; at++) {
    if (*at == '{' || *at == '[') depth++;
    if (*at == '}' || *at == ']') depth--;
    if (*at != '"') continue;
    const char *start = ++at;
    for (; *at && *at != '"'; at++)
      if (*at == '\\' && at[1]) at++;
    if (!*at) return NULL;
    const char *after = at + 1;
    while (*after == ' ') after++;
    if (depth != 1 || *after != ':' || (size_t)(at - start) != size || strncmp(start, name, size)) continue;
    after++;
    while (*after == ' ') after++;
    const char *end = after;
    if (*end == '"') {
      for (end++; *end && *end != '"'; end++)
        if (*end == '\\' && end[1]) end++;
      if (*end) end++;
    } else {
      while (*end && *end != ',' && *end != '}') end++;
    }
    *length = (size_t)(end - after);
    return after;
  }
  return NULL;
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, stdin) > 0) {
    size_t method_length = 0, id_length = 0;
    const char *method = member(line, "method", &method_length);
    const char *id = member(line, "id", &id_length);
    if (!method || !id) continue;
    const char *result = NULL;
    if (!strncmp(method, "\"tools/call\"", method_length))
      result = "{\"content\":[{\"type\":\"text\",\"text\":\"done\"}],\"isError\":false}";
    else if (!strncmp(method, "\"tools/list\"", method_length))
      result = "{\"tools\":[{\"name\":\"echo\",\"description\":\"Does nothing.\",\"inputSchema\":{\"type\":\"object\","
               "\"properties\":{\"text\":{\"type\":\"string\"}}},\"annotations\":{\"readOnlyHint\":true}}]}";
    else if (!strncmp(method, "\"initialize\"", method_length))
      result = "{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"bench\","
               "\"version\":\"1\"}}";
    else if (!strncmp(method, "\"ping\"", method_length))
      result = "{}";
    if (result)
      printf("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":%s}\n", (int)id_length, id, result);
    else
      printf("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"error\":{\"code\":-32601,\"message\":\"unknown method\"}}\n",
             (int)id_length, id);
    fflush(stdout);
  }
  free(line);
  return 0;
}
