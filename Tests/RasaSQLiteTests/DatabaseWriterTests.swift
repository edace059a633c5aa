import Glibc
import RasaCore
import RasaTestKit
import Testing

@testable import RasaSQLite

@Suite struct `A writer` {
  let folder = ScratchDirectory()
  let schema = Schema(applicationID: 7, scripts: ["CREATE TABLE t (a UNIQUE)"])

  private func writer(_ change: (inout DatabaseWriter.Options) -> Void = { _ in }) -> DatabaseWriter
  {
    var options = DatabaseWriter.Options()
    change(&options)
    return DatabaseWriter(path: folder.file("a.db"), schema: schema, options: options)
  }

  private func all(_ writer: DatabaseWriter) async throws -> [Int64] {
    try await writer.read { try $0.rows("SELECT a FROM t ORDER BY rowid") { $0.integer(0) } }
  }

  private static func insert(_ number: Int64) -> DatabaseWriter.Change {
    { try $0.run("INSERT INTO t VALUES (?)", .integer(number)) }
  }

  /// Makes all changes at once: the thread is kept busy until the last one is in the queue. Returns
  /// how many of them failed.
  private func make(_ changes: [DatabaseWriter.Change], in writer: DatabaseWriter) async throws
    -> Int
  {
    let (isBusy, gate) = (Gate(), Gate())
    async let opening: Void = writer.write { _ in
      isBusy.open()
      gate.wait()
    }
    await isBusy.opened()
    let failed = await withTaskGroup(of: Bool.self) { group in
      for change in changes {
        group.addTask { (try? await writer.write(change)) == nil }
      }
      while writer.queue.count < changes.count { await Task.yield() }
      gate.open()
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    try await opening
    return failed
  }

  @Test func `commits together what waits together`() async throws {
    let writer = writer()
    #expect(try await make((0..<100).map(Self.insert), in: writer) == 0)
    #expect(try await all(writer).sorted() == Array(0..<100))
    #expect(writer.writes == 101)
    #expect(writer.commits == 2)
  }

  @Test func `bounds a batch`() async throws {
    let writer = writer { $0.batch = 10 }
    #expect(try await make((0..<100).map(Self.insert), in: writer) == 0)
    #expect(writer.commits == 11)
  }

  @Test func `takes back a failing piece alone`() async throws {
    let writer = writer()
    let changes = (0..<40).map { (number: Int64) -> DatabaseWriter.Change in
      { database in
        try Self.insert(number)(database)
        if number.isMultiple(of: 4) { throw CancellationError() }
      }
    }
    #expect(try await make(changes, in: writer) == 10)
    #expect(try await all(writer).sorted() == (0..<40).filter { !$0.isMultiple(of: 4) })
    #expect(writer.commits == 2)
  }

  @Test func `keeps the order of everything around a failing piece`() async throws {
    let writer = writer()
    let (isBusy, gate) = (Gate(), Gate())
    async let opening: Void = writer.write { _ in
      isBusy.open()
      gate.wait()
    }
    await isBusy.opened()
    func queued(_ count: Int) async { while writer.queue.count < count { await Task.yield() } }
    async let before = all(writer)
    await queued(1)
    writer.deferred("one", Self.insert(7))
    async let first: Void = writer.write(after: ["one"], Self.insert(6))
    await queued(3)
    writer.deferred("one", Self.insert(5))
    async let failing: Void = writer.write(after: ["two"]) { database in
      try Self.insert(9)(database)
      throw CancellationError()
    }
    await queued(5)
    async let between = all(writer)
    await queued(6)
    async let wrong = writer.read { try $0.rows("SELECT b FROM t") { $0.integer(0) } }
    await queued(7)
    async let last: Void = writer.write(after: ["one"], Self.insert(4))
    await queued(8)
    gate.open()
    try await opening
    let (seenBefore, seenBetween) = (try await before, try await between)
    #expect(seenBefore == [])
    #expect(seenBetween == [7, 6])
    try await first
    var failures = 0
    do { try await failing } catch { failures += 1 }
    do { _ = try await wrong } catch { failures += 1 }
    #expect(failures == 2)
    try await last
    #expect(try await all(writer) == [7, 6, 5, 4])
    #expect(writer.commits == 2)
  }

  @Test func `works in the order it was asked`() async throws {
    let writer = writer()
    for number in 0..<50 {
      writer.deferred("run") { try $0.run("INSERT INTO t VALUES (?)", .integer(number)) }
    }
    try await writer.write(after: ["run"]) { try $0.run("INSERT INTO t VALUES (?)", 50) }
    #expect(try await all(writer) == Array(0...50))
    #expect(writer.commits == 1)
  }

  @Test func `keeps what is deferred until its subject writes`() async throws {
    let writer = writer()
    writer.deferred("one") { try $0.run("INSERT INTO t VALUES (?)", 1) }
    try await writer.write(after: ["two"]) { try $0.run("INSERT INTO t VALUES (?)", 2) }
    #expect(try await all(writer) == [2])
    try await writer.write(after: ["one"]) { _ in }
    #expect(try await all(writer) == [2, 1])
  }

  @Test func `keeps what is deferred through a failure, in its order`() async throws {
    let writer = writer()
    writer.deferred("one") { try $0.run("INSERT INTO t VALUES (?)", 1) }
    await #expect(throws: Failure.self) {
      try await writer.write(after: ["one"]) { _ in throw CancellationError() }
    }
    #expect(try await all(writer) == [])
    writer.deferred("one") { try $0.run("INSERT INTO t VALUES (?)", 2) }
    try await writer.write(after: ["one"]) { _ in }
    #expect(try await all(writer) == [1, 2])
  }

  @Test func `tells a deferred failure to the next durable call`() async throws {
    let writer = writer()
    try await writer.write { try $0.run("INSERT INTO t VALUES (?)", 1) }
    writer.deferred("one") { try $0.run("INSERT INTO t VALUES (?)", 1) }
    await #expect(throws: Failure.self) { try await writer.write(after: ["one"]) { _ in } }
    #expect(try await all(writer) == [1])
  }

  @Test func `writes deferred changes for their own sake when they are many`() async throws {
    let writer = writer()
    for number in 0..<1100 {
      writer.deferred("run") { try $0.run("INSERT INTO t VALUES (?)", .integer(number)) }
    }
    #expect(try await all(writer).count == 1024)
  }

  // MARK: Postponed changes

  @Test func `makes a postponed change with whatever is asked next, in its order`() async throws {
    let writer = writer()
    try await writer.write { _ in }
    writer.deferred("one") { try $0.run("INSERT INTO t VALUES (?)", 1) }
    try writer.postponed("one", for: .seconds(600)) { try $0.run("INSERT INTO t VALUES (?)", 2) }
    writer.deferred("one") { try $0.run("INSERT INTO t VALUES (?)", 3) }
    try await writer.write(after: ["two"]) { try $0.run("INSERT INTO t VALUES (?)", 4) }
    #expect(writer.commits == 2)
    #expect(try await all(writer) == [1, 2, 4])
    try writer.postponed("two", for: .seconds(600)) { try $0.run("INSERT INTO t VALUES (?)", 5) }
    #expect(try await all(writer) == [1, 2, 4, 5])
    try await writer.write(after: ["one"]) { _ in }
    #expect(try await all(writer) == [1, 2, 4, 5, 3])
  }

  @Test(arguments: [0, 2])
  func `makes a postponed change by itself when nothing else is asked`(delay: Int) async throws {
    let writer = writer()
    for number in 1...3 {
      await withCheckedContinuation { continuation in
        #expect(throws: Never.self) {
          try writer.postponed(
            "one", for: .milliseconds(delay),
            { try $0.run("INSERT INTO t VALUES (?)", .integer(Int64(number))) },
            done: { continuation.resume() })
        }
      }
      // Another connection sees it without anybody having asked.
      let seen = try Database(path: folder.file("a.db"))
        .first("SELECT count(*) FROM t") { $0.integer(0) }
      #expect(seen == Int64(number))
    }
    #expect(writer.commits == 3)
  }

  @Test func `defers a postponed change that fails, and no one else's`() async throws {
    let writer = writer()
    try await writer.write { try $0.run("INSERT INTO t VALUES (?)", 1) }
    try writer.postponed("one", for: .seconds(600)) { try $0.run("INSERT INTO t VALUES (?)", 1) }
    try writer.postponed("two", for: .seconds(600)) { try $0.run("INSERT INTO t VALUES (?)", 2) }
    try await writer.write(after: ["two"]) { try $0.run("INSERT INTO t VALUES (?)", 3) }
    #expect(try await all(writer) == [1, 2, 3])
    await #expect(throws: Failure.self) { try await writer.write(after: ["one"]) { _ in } }
    // Once it can be made, it is made once.
    try await writer.write { try $0.run("DELETE FROM t WHERE a = ?", 1) }
    try await writer.write(after: ["one"]) { _ in }
    try await writer.write(after: ["one"]) { _ in }
    #expect(try await all(writer).sorted() == [1, 2, 3])
  }

  @Test func `makes a postponed change once when others fail around it`() async throws {
    let writer = writer()
    try await writer.write { _ in }
    try writer.postponed("one", for: .seconds(600)) { try $0.run("INSERT INTO t VALUES (?)", 1) }
    async let failing: Void = writer.write { _ in throw CancellationError() }
    var failures = 0
    do { try await failing } catch { failures += 1 }
    #expect(try await all(writer) == [1])
    let (isBusy, gate) = (Gate(), Gate())
    async let opening: Void = writer.write { _ in
      isBusy.open()
      gate.wait()
    }
    await isBusy.opened()
    func queued(_ count: Int) async { while writer.queue.count < count { await Task.yield() } }
    async let first: Void = writer.write { try $0.run("INSERT INTO t VALUES (?)", 2) }
    await queued(1)
    try writer.postponed("one", for: .seconds(600)) { try $0.run("INSERT INTO t VALUES (?)", 3) }
    async let last: Void = writer.write { _ in throw CancellationError() }
    await queued(3)
    gate.open()
    try await opening
    try await first
    do { try await last } catch { failures += 1 }
    #expect(failures == 2)
    #expect(try await all(writer) == [1, 2, 3])
  }

  @Test func `makes postponed changes before it closes`() async throws {
    let writer = writer()
    try writer.postponed("one", for: .seconds(600)) { try $0.run("INSERT INTO t VALUES (?)", 1) }
    await writer.close()
    #expect(try await all(self.writer()) == [1])
  }

  @Test func `finishes everything when it is closed`() async throws {
    let writer = writer()
    writer.deferred("run") { try $0.run("INSERT INTO t VALUES (?)", 1) }
    await writer.close()
    await #expect(throws: Failure.self) { try await writer.read { _ in } }
    await writer.close()
    let another = self.writer()
    #expect(try await all(another) == [1])
  }

  @Test func `carries its log over while working, and keeps it short`() async throws {
    let writer = writer { $0.pagesBeforeCheckpoint = 20 }
    for number in 0..<200 {
      try await writer.write { try $0.run("INSERT INTO t VALUES (?)", .integer(number)) }
    }
    let pages = try await writer.read { $0.pagesInLog }
    #expect(pages <= 40)
    #expect(writer.checkpoints > 1)
    await writer.close()
    #expect(RawFile.size(of: folder.file("a.db-wal")) <= 45 * 4120)
  }

  @Test func `drops what is deferred for a subject that begins anew`() async throws {
    let writer = writer()
    writer.deferred("one") { try $0.run("INSERT INTO t VALUES (?)", 1) }
    writer.deferred("two") { try $0.run("INSERT INTO t VALUES (?)", 2) }
    await #expect(throws: Failure.self) {
      try await writer.write(discarding: ["one", "two"]) { _ in throw CancellationError() }
    }
    try await writer.write(discarding: ["one"]) { try $0.run("INSERT INTO t VALUES (?)", 3) }
    try await writer.write(after: ["one", "two"]) { _ in }
    #expect(try await all(writer) == [3, 2])
  }

  @Test func `keeps what was to be dropped when the commit fails`() async throws {
    let writer = DatabaseWriter(
      path: folder.file("a.db"),
      schema: Schema(
        applicationID: 7,
        scripts: [
          """
          CREATE TABLE t (a UNIQUE); CREATE TABLE p (id INTEGER PRIMARY KEY);
          CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)
          """
        ]))
    writer.deferred("one") { try $0.run("INSERT INTO t VALUES (?)", 1) }
    writer.deferred("two") { try $0.run("INSERT INTO t VALUES (?)", 2) }
    await #expect(throws: Failure.self) {
      try await writer.write(after: ["two"], discarding: ["one"]) {
        try $0.run("INSERT INTO c VALUES (?)", 99)
      }
    }
    #expect(try await all(writer) == [])
    try await writer.write(after: ["one", "two"]) { _ in }
    #expect(try await all(writer) == [1, 2])
  }

  @Test func `waits for others once for all that wait together`() async throws {
    let writer = writer { $0.patience = .milliseconds(50) }
    try await writer.write { _ in }
    let other = try CrossProcessWriteLock(database: folder.file("a.db"), patience: .zero)
    try other.enter()
    let (isBusy, gate) = (Gate(), Gate())
    async let reading: Void = writer.read { _ in
      isBusy.open()
      gate.wait()
    }
    await isBusy.opened()
    // Whoever comes after these have failed waits anew, so all of them are there before.
    let messages = Locked<[String]>([])
    try await withThrowingTaskGroup { group in
      for number in 0..<300 {
        group.addTask {
          do {
            try await writer.write { try $0.run("INSERT INTO t VALUES (?)", .integer(number)) }
          } catch {
            messages.withLock { $0.append((error as? Failure)?.message ?? "\(error)") }
          }
        }
      }
      while writer.queue.count < 300 { await Task.yield() }
      gate.open()
      try await group.waitForAll()
    }
    try await reading
    // The same wait for all: who had waited by themselves would have waited another time.
    #expect(messages.withLock { $0.count } == 300)
    #expect(Set(messages.withLock { $0 }).count == 1)
    #expect(messages.withLock { $0.first }?.contains("waited") != nil)
    other.leave()
    try await writer.write { try $0.run("INSERT INTO t VALUES (?)", 7) }
    #expect(try await all(writer) == [7])
  }

  @Test func `says truly that a file is locked, and waits for it no longer than it may`()
    async throws
  {
    try await writer().write { _ in }
    let other = try Database(path: folder.file("a.db"))
    try other.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO t VALUES (1)")
    let writer = writer { $0.patience = .milliseconds(50) }
    writer.prepare()
    let failure = await #expect(throws: Failure.self) {
      try await writer.write { try $0.run("INSERT INTO t VALUES (?)", 2) }
    }
    #expect(failure?.message.contains("is locked by another process") == true)
    #expect(failure?.message.contains("busy") == false)
    try other.execute("COMMIT")
  }

  @Test func `refuses another program's file, whatever its version`() async throws {
    try await writer().write { _ in }
    try Database(path: folder.file("a.db")).execute("PRAGMA application_id = 8")
    let failure = await #expect(throws: Failure.self) { try await writer().read { _ in } }
    #expect(failure?.message.hasSuffix("is a database of another program") == true)
  }

  @Test(arguments: ["link", "folder", "pipe"])
  func `writes its locks into no file that is not its own`(kind: String) async throws {
    let (place, precious) = (folder.file("a.db-turn"), folder.file("precious"))
    RawFile.write([], to: precious)
    switch kind {
    case "link": _ = unsafe symlink(precious, place)
    case "folder": _ = unsafe mkdir(place, 0o700)
    default: _ = unsafe mkfifo(place, 0o600)
    }
    let failure = await #expect(throws: Failure.self) { try await writer().write { _ in } }
    #expect(failure?.message.contains("a.db-turn is a link or not a regular file") == true)
    #expect(RawFile.size(of: precious) == 0)
  }

  @Test func `sees to what is due without being asked, and sleeps when nothing is`() async throws {
    let due = Locked<ContinuousClock.Instant?>(nil)
    let looks = Locked(0)
    let (calls, called) = AsyncStream.makeStream(of: Int.self)
    let writer = DatabaseWriter(
      path: folder.file("a.db"), schema: schema,
      upkeep: .init(
        due: { due.withLock { $0 } },
        look: { _ in
          let number = looks.withLock { looks in
            looks += 1
            return looks
          }
          // A look that fails is no reason to stop.
          due.withLock { $0 = number < 4 ? .now : nil }
          if number == 2 { throw CancellationError() }
          called.yield(number)
          if number == 3 { return nil }
          return { database in try database.run("INSERT INTO t VALUES (?)", .integer(number)) }
        }))
    #expect(try await all(writer) == [])
    #expect(looks.withLock { $0 } == 0)
    due.withLock { $0 = .now + .milliseconds(1) }
    // Whatever comes next lets the thread see when to look.
    _ = try await all(writer)
    for await number in calls where number == 4 { break }
    while try await all(writer) != [1, 4] { await Task.yield() }
    #expect(looks.withLock { $0 } == 4)
    await writer.close()
  }

  @Test func `opens again once what was wrong is fixed`() async throws {
    let path = folder.file("a.db")
    RawFile.write(Array(repeating: 1, count: 4096), to: path)
    let writer = writer()
    await #expect(throws: Failure.self) { try await writer.write { _ in } }
    RawFile.write([], to: path)
    try await writer.write { try $0.run("INSERT INTO t VALUES (?)", 1) }
    #expect(try await all(writer) == [1])
  }
}

@Suite struct `A turnstile` {
  let folder = ScratchDirectory()

  @Test func `lets one in at a time`() async throws {
    let path = folder.file("a.db")
    let visits = Locked(0)
    let isInside = Locked(false)
    await withTaskGroup { group in
      for _ in 0..<3 {
        group.addTask {
          let done = Gate()
          onThread {
            let turnstile = try CrossProcessWriteLock(database: path, patience: .seconds(30))
            for _ in 0..<100 {
              try turnstile.enter()
              #expect(isInside.withLock { isInside in !isInside })
              isInside.withLock { $0 = true }
              visits.withLock { $0 += 1 }
              isInside.withLock { $0 = false }
              turnstile.leave()
            }
            done.open()
          }
          await done.opened()
        }
      }
    }
    #expect(visits.withLock { $0 } == 300)
  }

  @Test func `lets who waits go before who comes again`() async throws {
    let path = folder.file("a.db")
    let again = try CrossProcessWriteLock(database: path, patience: .zero)
    try again.enter()
    let inside = Gate()
    let done = Gate()
    onThread {
      let turnstile = try CrossProcessWriteLock(database: path, patience: .seconds(30))
      try turnstile.enter()
      inside.open()
      done.wait()
      turnstile.leave()
    }
    // Until the other stands in front of the door.
    let probe = try CrossProcessWriteLock(database: path, patience: .zero)
    while (try? probe.take(CrossProcessWriteLock.door, until: .now)) != nil {
      probe.release(CrossProcessWriteLock.door)
      await Task.yield()
    }
    again.leave()
    #expect(throws: Failure.self) { try again.enter() }
    await inside.opened()
    done.open()
  }

  private func onThread(_ body: @escaping @Sendable () throws -> Void) {
    do {
      try startThread {
        do { try body() } catch { Issue.record(error) }
      }
    } catch { Issue.record(error) }
  }

  @Test func `gives up after its patience and says so`() throws {
    let path = folder.file("a.db")
    let first = try CrossProcessWriteLock(database: path, patience: .seconds(1))
    let second = try CrossProcessWriteLock(database: path, patience: .zero)
    try first.enter()
    let failure = #expect(throws: Failure.self) { try second.enter() }
    #expect(failure?.message.contains("busy") == true)
    first.leave()
    try second.enter()
    second.leave()
  }
}
