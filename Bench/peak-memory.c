// Runs a program, throws its output away, and prints the most memory it had, in kilobytes. A small
// parent of its own: the figure of a process begins with that of whoever started it.
//
//   peak-memory PROGRAM [ARGUMENT…]
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return fprintf(stderr, "usage: peak-memory PROGRAM [ARGUMENT…]\n"), 2;
  pid_t child = fork();
  if (child == 0) {
    int nothing = open("/dev/null", O_WRONLY);
    if (nothing < 0 || dup2(nothing, 1) < 0) _exit(126);
    execv(argv[1], argv + 1);
    _exit(127);
  }
  int status;
  struct rusage usage;
  if (child < 0 || wait4(child, &status, 0, &usage) < 0) return 1;
  if (!WIFEXITED(status) || WEXITSTATUS(status)) return 1;
  return printf("%ld\n", usage.ru_maxrss) < 0;
}
