#ifndef CEDIT_H
#define CEDIT_H
#include <stddef.h>

/// A line editor on a terminal. libedit's own interface is variadic and wants callbacks that touch
/// its pointers, so both stay behind this one.
typedef struct rasa_editor rasa_editor;

enum rasa_editor_outcome {
  RASA_EDITOR_LINE = 0,
  RASA_EDITOR_INTERRUPTED = 1,
  RASA_EDITOR_END = 2,
};

/// Null when there is no editor to be had on these descriptors. They are not closed by it.
rasa_editor *rasa_editor_open(int input, int output);
void rasa_editor_close(rasa_editor *editor);

/// Reads a line. `line` is valid until the next call, without its line break.
int rasa_editor_read(rasa_editor *editor, const char *prompt, const char **line, size_t *length);

/// Offers a line under the arrow keys.
void rasa_editor_remember(rasa_editor *editor, const char *line);
#endif
