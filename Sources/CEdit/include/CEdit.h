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

/// The keys of a terminal, for any line editing.
typedef struct rasa_keys rasa_keys;

enum {
  RASA_KEYS_END = -1,
  /// Something was written to `wake`: the caller no longer wants a line.
  RASA_KEYS_WOKEN = -2,
};

/// `wake` ends a wait for keys when it becomes readable; -1 for none. Neither descriptor is closed.
rasa_keys *rasa_keys_open(int input, int wake);
void rasa_keys_close(rasa_keys *keys);

/// Whether input that is faster than typing is marked as a paste. In terminals that do not mark pastes
/// themselves the first line break would otherwise end the line.
void rasa_keys_gather(rasa_keys *keys, int gathers);

/// The next character, or one of the numbers above. Invalid UTF-8 is U+FFFD.
int rasa_keys_next(rasa_keys *keys);

/// Forgets what was read from the terminal and not used yet.
void rasa_keys_discard(rasa_keys *keys);

/// Null if these descriptors cannot have an editor. It does not close them.
/// `keys` are those of `input`, and stay the caller's.
rasa_editor *rasa_editor_open(int input, int output, rasa_keys *keys);
void rasa_editor_close(rasa_editor *editor);

/// Reads a line. `line` is valid until the next call, without its line break.
int rasa_editor_read(rasa_editor *editor, const char *prompt, const char **line, size_t *length);

/// The words, each followed by a line feed, that Tab completes at the beginning of a line.
void rasa_editor_complete(rasa_editor *editor, const char *words);

/// Adds a line to the history of the arrow keys.
void rasa_editor_remember(rasa_editor *editor, const char *line);
#endif
