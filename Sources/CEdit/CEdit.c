#define _GNU_SOURCE
#include "CEdit.h"
#include "Keys.h"

#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

// Asks the terminal to mark pasted text, so that a line break in it does not end the line.
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
#define PASTE_END L"\033[201~"
#define LONGEST_PASTE (1 << 22)

struct rasa_editor {
  EditLine *line;
  History *history;
  FILE *input;
  FILE *output;
  rasa_keys *keys;
  bool interrupted;
  char *prompt;
  // Each followed by a line feed.
  char *words;
};

static rasa_editor *editor_of(EditLine *line) {
  void *editor = NULL;
  el_get(line, EL_CLIENTDATA, &editor);
  return editor;
}

static char *prompt_of(EditLine *line) { return editor_of(line)->prompt; }

static unsigned char interrupt(EditLine *line, int key) {
  (void)key;
  editor_of(line)->interrupted = true;
  return CC_EOF;
}

// The terminal sends no signals while a line is edited, so stopping is done here, for the whole
// job. Another thread may be the one that takes the signal: the wait ends after the job was
// continued, when the terminal is this program's to set again.
static unsigned char suspend(EditLine *line, int key) {
  (void)key;
  FILE *output = editor_of(line)->output;
  fputs(PASTE_OFF, output);
  fflush(output);
  el_set(line, EL_PREP_TERM, 0);
  kill(0, SIGTSTP);
  poll(NULL, 0, 50);
  el_set(line, EL_PREP_TERM, 1);
  fputs(PASTE_ON, output);
  fflush(output);
  return CC_REDISPLAY;
}

static int next_key(EditLine *line, wchar_t *key) {
  int next = rasa_keys_next(editor_of(line)->keys);
  if (next < 0) return 0;
  *key = (wchar_t)next;
  return 1;
}

static unsigned char insert_newline(EditLine *line, int key) {
  (void)key;
  return el_winsertstr(line, L"\n") == 0 ? CC_REFRESH : CC_ERROR;
}

static unsigned char paste(EditLine *line, int key) {
  (void)key;
  rasa_editor *editor = editor_of(line);
  const size_t end_length = wcslen(PASTE_END);
  size_t length = 0;
  size_t capacity = 256;
  bool too_long = false;
  bool after_return = false;
  wchar_t *text = malloc(capacity * sizeof *text);
  if (text == NULL) return CC_ERROR;
  wchar_t next;
  rasa_keys_begin_paste(editor->keys);
  while (el_wgetc(line, &next) == 1) {
    bool ends_pair = after_return && next == L'\n';
    after_return = next == L'\r';
    if (next == L'\0' || ends_pair) continue;
    if (length + 1 == capacity && !too_long) {
      wchar_t *larger =
          capacity >= LONGEST_PASTE ? NULL : realloc(text, 2 * capacity * sizeof *text);
      if (larger == NULL) {
        too_long = true;
      } else {
        text = larger;
        capacity *= 2;
      }
    }
    // Read to its end even if it does not fit: the rest must never count as typed keys.
    if (too_long && length + 1 == capacity) {
      memmove(text, text + length - end_length, end_length * sizeof *text);
      length = end_length;
    }
    // Terminals send the return key's character for each line break.
    text[length++] = next == L'\r' ? L'\n' : next;
    if (length >= end_length && wcsncmp(text + length - end_length, PASTE_END, end_length) == 0) {
      length -= end_length;
      break;
    }
  }
  rasa_keys_end_paste(editor->keys);
  if (too_long) {
    free(text);
    fputs("\r\n(more than 4,000,000 characters cannot be pasted here; nothing was inserted)\r\n",
          editor->output);
    fflush(editor->output);
    return CC_REDISPLAY;
  }
  // A line break at the end would only leave an empty line to send.
  while (length > 0 && text[length - 1] == L'\n') length--;
  text[length] = L'\0';
  int result = length == 0 || el_winsertstr(line, text) == 0 ? CC_REFRESH : CC_ERROR;
  free(text);
  return (unsigned char)result;
}

// Completes the first word of the line as far as it is unambiguous; otherwise lists the candidates.
static unsigned char complete(EditLine *line, int key) {
  (void)key;
  rasa_editor *editor = editor_of(line);
  const LineInfo *info = el_line(line);
  size_t length = (size_t)(info->cursor - info->buffer);
  bool is_first_word = length > 0 && editor->words != NULL;
  for (size_t i = 0; i < length; i++) is_first_word = is_first_word && info->buffer[i] > ' ';
  if (!is_first_word || info->buffer[0] != '/') {
    return el_insertstr(line, "\t") == 0 ? CC_REFRESH : CC_ERROR;
  }
  const char *common = NULL;
  size_t agreed = 0;
  size_t matches = 0;
  for (const char *word = editor->words; *word != 0;) {
    size_t end = strcspn(word, "\n");
    if (end >= length && memcmp(word, info->buffer, length) == 0) {
      if (matches++ == 0) {
        common = word;
        agreed = end;
      }
      size_t same = 0;
      while (same < agreed && same < end && word[same] == common[same]) same++;
      agreed = same;
    }
    word += end + (word[end] == '\n');
  }
  if (matches == 0) return CC_ERROR;
  if (matches == 1 || agreed > length) {
    char text[64];
    size_t count = agreed - length < sizeof text - 2 ? agreed - length : sizeof text - 2;
    memcpy(text, common + length, count);
    if (matches == 1) text[count++] = ' ';
    text[count] = 0;
    return el_insertstr(line, text) == 0 ? CC_REFRESH : CC_ERROR;
  }
  fputs("\r\n", editor->output);
  for (const char *word = editor->words; *word != 0;) {
    size_t end = strcspn(word, "\n");
    if (end >= length && memcmp(word, info->buffer, length) == 0) {
      fprintf(editor->output, "%.*s  ", (int)end, word);
    }
    word += end + (word[end] == '\n');
  }
  fputs("\r\n", editor->output);
  fflush(editor->output);
  return CC_REDISPLAY;
}

// Without a locale the editor would treat each byte of a character as a character.
static void use_unicode(void) {
  setlocale(LC_CTYPE, "");
  if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) setlocale(LC_CTYPE, "C.UTF-8");
}

rasa_editor *rasa_editor_open(int input, int output, rasa_keys *keys) {
  rasa_editor *editor = calloc(1, sizeof *editor);
  if (editor == NULL) return NULL;
  editor->keys = keys;
  int input_copy = dup(input);
  int output_copy = dup(output);
  editor->input = input_copy < 0 ? NULL : fdopen(input_copy, "r");
  editor->output = output_copy < 0 ? NULL : fdopen(output_copy, "w");
  if (editor->input == NULL || editor->output == NULL) {
    if (editor->input == NULL && input_copy >= 0) close(input_copy);
    if (editor->output == NULL && output_copy >= 0) close(output_copy);
    rasa_editor_close(editor);
    return NULL;
  }
  use_unicode();
  editor->line = el_init("rasa", editor->input, editor->output, editor->output);
  editor->history = history_init();
  if (editor->line == NULL || editor->history == NULL) {
    rasa_editor_close(editor);
    return NULL;
  }
  EditLine *line = editor->line;
  HistEvent event;
  history(editor->history, &event, H_SETSIZE, 1000);
  history(editor->history, &event, H_SETUNIQUE, 1);
  el_set(line, EL_CLIENTDATA, editor);
  el_wset(line, EL_GETCFN, next_key);
  el_set(line, EL_PROMPT, prompt_of);
  el_set(line, EL_EDITOR, "emacs");
  el_set(line, EL_SIGNAL, 0);
  el_set(line, EL_HIST, history, editor->history);
  el_source(line, NULL);
  el_set(line, EL_ADDFN, "rasa-interrupt", "Give this line up", interrupt);
  el_set(line, EL_ADDFN, "rasa-suspend", "Stop the program", suspend);
  el_set(line, EL_ADDFN, "rasa-paste", "Insert pasted text", paste);
  el_set(line, EL_ADDFN, "rasa-newline", "Begin a new line of the text", insert_newline);
  el_set(line, EL_ADDFN, "rasa-complete", "Complete a command", complete);
  // Ctrl-C is a key here and not a signal: it ends the line and not the program.
  el_set(line, EL_SETTY, "-d", "-isig", NULL);
  el_set(line, EL_BIND, "^C", "rasa-interrupt", NULL);
  el_set(line, EL_BIND, "^Z", "rasa-suspend", NULL);
  el_set(line, EL_BIND, "^I", "rasa-complete", NULL);
  el_set(line, EL_BIND, "^R", "em-inc-search-prev", NULL);
  el_set(line, EL_BIND, "\033[200~", "rasa-paste", NULL);
  el_set(line, EL_BIND, "\033\r", "rasa-newline", NULL);
  el_set(line, EL_BIND, "\033\n", "rasa-newline", NULL);
  return editor;
}

void rasa_editor_close(rasa_editor *editor) {
  if (editor->line != NULL) el_end(editor->line);
  if (editor->history != NULL) history_end(editor->history);
  if (editor->input != NULL) fclose(editor->input);
  if (editor->output != NULL) fclose(editor->output);
  free(editor->prompt);
  free(editor->words);
  free(editor);
}

int rasa_editor_read(rasa_editor *editor, const char *prompt, const char **line, size_t *length) {
  free(editor->prompt);
  editor->prompt = strdup(prompt);
  if (editor->prompt == NULL) return RASA_EDITOR_END;
  editor->interrupted = false;
  // The window may have changed while nobody was reading.
  el_resize(editor->line);
  // Before the prompt appears, which the editor prints first: what is typed or pasted at it must not
  // meet the line discipline.
  el_set(editor->line, EL_PREP_TERM, 1);
  fputs(PASTE_ON, editor->output);
  fflush(editor->output);
  int count = 0;
  const char *text = el_gets(editor->line, &count);
  fputs(PASTE_OFF, editor->output);
  if (text == NULL || count <= 0) fputc('\n', editor->output);
  fflush(editor->output);
  if (editor->interrupted) return RASA_EDITOR_INTERRUPTED;
  if (text == NULL || count <= 0) return RASA_EDITOR_END;
  // The editor counts wide characters; the caller needs bytes.
  size_t bytes = strlen(text);
  if (bytes > 0 && text[bytes - 1] == '\n') bytes--;
  *line = text;
  *length = bytes;
  return RASA_EDITOR_LINE;
}

void rasa_editor_complete(rasa_editor *editor, const char *words) {
  free(editor->words);
  editor->words = strdup(words);
}

void rasa_editor_remember(rasa_editor *editor, const char *line) {
  HistEvent event;
  history(editor->history, &event, H_ENTER, line);
}
