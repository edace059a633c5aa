// The floor for anything that is to be durable, on the disk of the folder: a bare flush after
// appending to a file, or a bare SQLite commit of one row (write-ahead log, synchronous=FULL,
// prepared statements).
//
//   floor-durable fdatasync|commit FOLDER BYTES COUNT
//
// One line a repetition: the nanoseconds that it took.
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (unsigned long long)time.tv_sec * 1000000000ULL + (unsigned long long)time.tv_nsec;
}

static int fail(const char *what) { return fprintf(stderr, "floor-durable: %s\n", what), 1; }

static int flushes(const char *path, const char *bytes, size_t size, long count) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) return fail("cannot write");
  for (long round = 0; round < count; round++) {
    unsigned long long start = now();
    if (write(file, bytes, size) != (ssize_t)size || fdatasync(file)) return fail("cannot write");
    printf("%llu\n", now() - start);
  }
  return close(file);
}

static int commits(const char *path, const char *bytes, size_t size, long count) {
  sqlite3 *database;
  if (sqlite3_open(path, &database)) return fail("cannot open");
  if (sqlite3_exec(database,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                   "CREATE TABLE lines (run INTEGER, sequence INTEGER, body BLOB,"
                   " PRIMARY KEY (run, sequence)) WITHOUT ROWID",
                   NULL, NULL, NULL))
    return fail(sqlite3_errmsg(database));
  sqlite3_stmt *begin, *insert, *commit;
  sqlite3_prepare_v2(database, "BEGIN IMMEDIATE", -1, &begin, NULL);
  sqlite3_prepare_v2(database, "INSERT INTO lines VALUES (1, ?, ?)", -1, &insert, NULL);
  sqlite3_prepare_v2(database, "COMMIT", -1, &commit, NULL);
  for (long round = 0; round < count; round++) {
    unsigned long long start = now();
    sqlite3_bind_int64(insert, 1, round);
    sqlite3_bind_blob(insert, 2, bytes, (int)size, SQLITE_STATIC);
    if (sqlite3_step(begin) != SQLITE_DONE || sqlite3_step(insert) != SQLITE_DONE ||
        sqlite3_step(commit) != SQLITE_DONE)
      return fail(sqlite3_errmsg(database));
    sqlite3_reset(begin);
    sqlite3_reset(insert);
    sqlite3_reset(commit);
    printf("%llu\n", now() - start);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 5)
    return fprintf(stderr, "usage: floor-durable fdatasync|commit FOLDER BYTES COUNT\n"), 2;
  size_t size = strtoul(argv[3], NULL, 10);
  long count = strtol(argv[4], NULL, 10);
  char path[4096];
  snprintf(path, sizeof path, "%s/floor-%s-%d", argv[2], argv[1], (int)getpid());
  char *bytes = malloc(size + 1);
  if (!bytes) return fail("no memory");
  memset(bytes, 'x', size);
  return strcmp(argv[1], "commit") ? flushes(path, bytes, size, count)
                                   : commits(path, bytes, size, count);
}
