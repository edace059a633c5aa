import Glibc
import RasaCore
import RasaEngine
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

/// What happens to a store when the machine does not play along.
@Suite(.serialized) struct `A store in hard times` {
  let folder = ScratchDirectory()
  let time = FixedTime()

  private func store(_ name: String = "rasa.db") -> SQLiteStore {
    SQLiteStore(path: folder.file(name), time: time.source)
  }

  /// Bodies that do not fit where there is no room.
  private static func large(_ number: Int) -> Value {
    .string(String(repeating: "\(number) ", count: 20_000))
  }

  /// Appends until it fails; how many times it did not.
  private static func fill(_ store: SQLiteStore) async -> (appended: Int, failure: Failure?) {
    for number in 0..<1000 {
      do {
        try await store.append([entry("r1", "\(number)", large(number))])
      } catch { return (number, error as? Failure) }
    }
    return (1000, nil)
  }

  @Test func `keeps what is committed when the disk is full, and goes on when it is not`()
    async throws
  {
    let disk = folder.file("disk")
    guard unsafe mkdir(disk, 0o700) == 0,
      unsafe mount("tmpfs", disk, "tmpfs", 0, "size=1m,mode=700") == 0
    else {
      // Not root, or in a container: the next test and the wrapper's own do what can be done.
      print("skipped: a small disk cannot be mounted here (errno \(errno))")
      return
    }
    defer { unsafe umount2(disk, Int32(MNT_DETACH)) }
    let store = store("disk/rasa.db")
    store.open(record("r1"), [entry("r1", "started")])
    let (appended, failure) = await Self.fill(store)
    #expect(appended > 0)
    #expect(failure?.kind == .storage)
    #expect(failure?.message.contains("no room left") == true)
    #expect(failure?.suggestion.contains("free some space") == true)
    #expect(try await store.entries(of: "r1").count == appended + 1)

    let reopened = self.store("disk/rasa.db")
    #expect(try await reopened.entries(of: "r1").count == appended + 1)
    #expect(unsafe mount("tmpfs", disk, "tmpfs", UInt(MS_REMOUNT), "size=4m") == 0)
    try await store.append([entry("r1", "room again", Self.large(0))])
    #expect(try await store.entries(of: "r1").count == appended + 2)
  }

  @Test func `keeps what is committed when the file may not grow`() async throws {
    let path = folder.file("rasa.db")
    await #expect(processExitsWith: .success) { [path = path as String] in
      var limit = rlimit(rlim_cur: 400_000, rlim_max: 400_000)
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let store = SQLiteStore(path: path, time: FixedTime().source)
      store.open(record("r1"), [entry("r1", "started")])
      let (appended, failure) = await Self.fill(store)
      #expect(appended > 0)
      #expect(failure?.message.contains("no room left") == true)
      let another = SQLiteStore(path: path, time: FixedTime().source)
      for store in [store, another] {
        let kept = try await store.entries(of: "r1").count
        #expect(kept == appended + 1)
      }
    }
    #expect(try await store().entries(of: "r1").count > 1)
  }

  @Test func `says that a folder may not be written`() async throws {
    let path = folder.path
    await #expect(processExitsWith: .success) { [path = path as String] in
      _ = unsafe chmod(path, 0o555)
      // The administrator may write everywhere.
      if getuid() == 0 { _ = setuid(65534) }
      for name in ["rasa.db", "below/rasa.db"] {
        let store = SQLiteStore(path: path + "/" + name, time: FixedTime().source)
        let failure = await #expect(throws: Failure.self) { try await store.add([fact("a")]) }
        #expect(failure?.kind == .storage)
        #expect(failure?.message == "\(path)/\(name) may not be written")
      }
    }
    _ = unsafe chmod(path, 0o700)
  }

  @Test func `says that a file may not be written, and still reads it`() async throws {
    let first = store()
    first.open(record("r1"), [entry("r1", "a")])
    await first.close()
    let path = folder.path
    await #expect(processExitsWith: .success) { [path = path as String] in
      for name in ["rasa.db", "rasa.db-wal", "rasa.db-shm"] {
        _ = unsafe chmod(path + "/" + name, 0o444)
      }
      _ = unsafe chmod(path, 0o755)
      if getuid() == 0 { _ = setuid(65534) } else { _ = unsafe chmod(path, 0o555) }
      let store = SQLiteStore(path: path + "/rasa.db", time: FixedTime().source)
      let failure = await #expect(throws: Failure.self) { try await store.add([fact("a")]) }
      #expect(failure?.kind == .storage)
      #expect(failure?.message.contains("may not be written") == true)
    }
    _ = unsafe chmod(path, 0o700)
  }

  @Test func `refuses a file of a newer version`() async throws {
    try Database(path: folder.file("rasa.db")).execute("PRAGMA user_version = 99")
    let failure = await #expect(throws: Failure.self) { try await store().runs() }
    #expect(failure?.message.contains("newer version") == true)
  }

  @Test func `says that a file is damaged`() async throws {
    let first = store()
    first.open(record("r1"), [])
    for number in 0..<20 { try await first.append([entry("r1", "a", Self.large(number))]) }
    await first.close()
    RawFile.overwrite(Array(repeating: 0xAA, count: 300_000), in: folder.file("rasa.db"), at: 8192)
    let failure = await #expect(throws: Failure.self) { try await store().entries(of: "r1") }
    #expect(failure?.message.contains("is damaged") == true)
  }

  @Test func `survives a process that is killed in the middle of its work`() async throws {
    let path = folder.file("rasa.db")
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let store = SQLiteStore(path: path, time: FixedTime().source)
      store.open(record("r1"), [])
      _ = try await store.reserve(request("h", 7, [leg("r1", 9)]), recording: [entry("r1", "a")])
      store.record([entry("r1", "deferred")])
      async let _ = store.append([entry("r1", "perhaps")])
      kill(getpid(), SIGKILL)
    }
    let store = store()
    #expect(try await store.balance(of: leg("r1", nil).scope) == Balance(0, held: 7))
    let kinds = try await store.entries(of: "r1").map(\.kind)
    #expect(kinds == ["a"] || kinds == ["a", "deferred", "perhaps"])
  }

  @Test func `serves several processes at once, none of which passes the limit`() async throws {
    let path = folder.file("rasa.db")
    // All of them find no file and make it.
    await withTaskGroup { group in
      for process in 0..<3 {
        let name = "p\(process)"
        group.addTask {
          await #expect(processExitsWith: .success) {
            [path = path as String, name = name as String] in
            let store = SQLiteStore(path: path, time: FixedTime().source)
            store.open(record(name), [])
            for number in 0..<40 {
              let id = "\(name).\(number)"
              let outcome = try await store.reserve(
                request(id, 3, [monthLeg("ann", 200)], run: name), recording: [entry(name, id)])
              if outcome == .held, number.isMultiple(of: 2) {
                try await store.settle(settlement(id, 3), recording: [entry(name, "settled")])
              }
            }
          }
        }
      }
    }
    let store = store()
    let balance = try await store.balance(of: monthLeg("ann", nil).scope)
    #expect(balance.settled + balance.held == Money(picoDollars: 198))
    var lines: [JournalEntry] = []
    for process in 0..<3 { lines += try await store.entries(of: Identifier("p\(process)")) }
    #expect(lines.filter { $0.kind != "settled" }.count == 66)
    // What a process that has ended held may count as spent, too.
    #expect(lines.count { $0.kind == "settled" } * 3 <= balance.settled.picoDollars)
  }
}
