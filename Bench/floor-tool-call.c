// The floor of a tool call: the same server spoken to over bare pipes.
//
//   floor-tool-call SERVER COUNT
//
// One line a call: the nanoseconds that it took.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (unsigned long long)time.tv_sec * 1000000000ULL + (unsigned long long)time.tv_nsec;
}

static int fail(const char *what) { return fprintf(stderr, "floor-tool-call: %s\n", what), 1; }

/// Sends a line and waits for the next one.
static int ask(int to, FILE *from, const char *request, char **line, size_t *room) {
  size_t size = strlen(request);
  return write(to, request, size) == (ssize_t)size && getline(line, room, from) > 0;
}

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "usage: floor-tool-call SERVER COUNT\n"), 2;
  int in[2], out[2];
  if (pipe(in) || pipe(out)) return fail("no pipe");
  pid_t child = fork();
  if (child < 0) return fail("no process");
  if (child == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    close(in[0]), close(in[1]), close(out[0]), close(out[1]);
    execl(argv[1], argv[1], (char *)NULL);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  FILE *from = fdopen(out[0], "r");
  char *line = NULL;
  size_t room = 0;
  if (!from || !ask(in[1], from, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{}}\n", &line, &room))
    return fail("the server does not answer");
  for (long round = 1, count = strtol(argv[2], NULL, 10); round <= count; round++) {
    char request[256];
    snprintf(request, sizeof request,
             "{\"jsonrpc\":\"2.0\",\"id\":%ld,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":{"
             "\"text\":\"hello\"}}}\n", round);
    unsigned long long start = now();
    if (!ask(in[1], from, request, &line, &room)) return fail("the server does not answer");
    printf("%llu\n", now() - start);
  }
  close(in[1]);
  waitpid(child, NULL, 0);
  free(line);
  return 0;
}
