// The floor for reservations: several processes, each with a connection of its own, that change two
// rows of one SQLite file in one transaction, over and over (write-ahead log, synchronous=FULL,
// prepared statements, SQLite's own waiting for each other).
//
//   floor-reserve FOLDER PROCESSES SECONDS
//
// One line a process: how many transactions it made, and the nanoseconds of the longest.
#include <signal.h>
#include <sqlite3.h>
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

static int fail(const char *what) { return fprintf(stderr, "floor-reserve: %s\n", what), 1; }

static sqlite3 *opened(const char *path) {
  sqlite3 *database;
  if (sqlite3_open(path, &database)) return NULL;
  sqlite3_busy_timeout(database, 60000);
  if (sqlite3_exec(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", 0, 0, 0))
    return NULL;
  return database;
}

static int work(const char *path, unsigned long long start, unsigned long long end) {
  sqlite3 *database = opened(path);
  if (!database) return fail("cannot open");
  sqlite3_stmt *statements[4];
  const char *texts[4] = {
      "BEGIN IMMEDIATE", "UPDATE balances SET held = held + 1 WHERE scope = 'day'",
      "UPDATE balances SET held = held + 1 WHERE scope = 'month'", "COMMIT"};
  for (int place = 0; place < 4; place++)
    if (sqlite3_prepare_v2(database, texts[place], -1, &statements[place], NULL))
      return fail(sqlite3_errmsg(database));
  while (now() < start) usleep(100);
  unsigned long long longest = 0;
  long count = 0;
  for (unsigned long long begun = now(); begun < end; count++) {
    for (int place = 0; place < 4; place++) {
      if (sqlite3_step(statements[place]) != SQLITE_DONE) return fail(sqlite3_errmsg(database));
      sqlite3_reset(statements[place]);
    }
    unsigned long long done = now();
    if (done - begun > longest) longest = done - begun;
    begun = done;
  }
  char line[64];
  int length = snprintf(line, sizeof line, "%ld %llu\n", count, longest);
  return write(1, line, length) == length ? 0 : 1;
}

int main(int argc, char **argv) {
  if (argc != 4)
    return fprintf(stderr, "usage: floor-reserve FOLDER PROCESSES SECONDS\n"), 2;
  char path[4096];
  snprintf(path, sizeof path, "%s/floor-%d.db", argv[1], (int)getpid());
  int processes = atoi(argv[2]);
  sqlite3 *database = opened(path);
  if (!database ||
      sqlite3_exec(database,
                   "CREATE TABLE balances (scope TEXT PRIMARY KEY, settled INTEGER, held INTEGER)"
                   " WITHOUT ROWID; INSERT INTO balances VALUES ('day', 0, 0), ('month', 0, 0)",
                   0, 0, 0))
    return fail("cannot write");
  sqlite3_close(database);
  unsigned long long start = now() + 200000000ULL;
  unsigned long long end = start + (unsigned long long)(atof(argv[3]) * 1e9);
  for (int process = 0; process < processes; process++) {
    pid_t child = fork();
    if (child < 0) return fail("cannot fork");
    if (child == 0) _exit(work(path, start, end));
  }
  int result = 0, status;
  while (wait(&status) > 0) result |= status;
  return result ? 1 : 0;
}
