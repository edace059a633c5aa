import Glibc
import RasaCore
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaProcess

/// A shell script as a command, with the usual programs.
func shell(_ script: String, _ arguments: String...) -> ChildCommand {
  ChildCommand(
    ["/bin/sh", "-c", script, "sh"] + arguments, environment: ["PATH": "/usr/bin:/bin"])
}

extension ChildProcess {
  /// Everything up to the end of its output.
  func readAll() async throws -> String {
    var bytes: [UInt8] = []
    while let piece = try await read() {
      #expect(!piece.isEmpty && piece.count <= 64 * 1024)
      bytes += piece
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  func readLine() async throws -> String {
    var bytes: [UInt8] = []
    while bytes.last != UInt8(ascii: "\n"), let piece = try await read() { bytes += piece }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A pipe whose write end children inherit: it ends when the last of them is gone.
final class Lifeline {
  let writeEnd: Int32
  private let readEnd: Int32

  init() {
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  /// Returns when nobody holds the write end any more.
  func waitForEnd() async {
    close(writeEnd)
    let readEnd = readEnd
    await onOwnThread {
      var byte: UInt8 = 0
      while unsafe read(readEnd, &byte, 1) > 0 {}
      close(readEnd)
    }
  }
}

@Suite("Programs as children", .timeLimit(.minutes(2))) struct ChildProcessTests {
  @Test("what is written to a program comes back")
  func echo() async throws {
    let child = try ChildProcess.start(shell("cat"))
    for line in ["one\n", "two\n"] {
      try await child.write(Array(line.utf8))
      #expect(try await child.readLine() == line)
    }
    #expect(child.status == nil)
    child.closeInput()
    #expect(try await child.read() == nil)
    #expect(try await child.read() == nil)
    #expect(await child.wait() == .exited(0))
    #expect(child.status == .exited(0))
  }

  @Test("a program that ends at once leaves its output and its exit code")
  func exitAtOnce() async throws {
    for _ in 0..<50 {
      let child = try ChildProcess.start(shell("echo out; echo err >&2; exit 5"))
      #expect(await child.wait() == .exited(5))
      #expect(try await child.readAll() == "out\n")
      #expect(child.errorTail == "err\n")
      await #expect(throws: Failure.self) { try await child.write([1]) }
    }
  }

  @Test("a signal is told from an exit code")
  func signalled() async throws {
    let child = try ChildProcess.start(shell("kill -SEGV $$"))
    let status = await child.wait()
    #expect(status == .signalled(11) && status.code == 139 && "\(status)" == "signal SIGSEGV")
  }

  @Test("of standard error the last whole lines are kept")
  func errorTail() async throws {
    let child = try ChildProcess.start(
      shell("i=0; while [ $i -lt 5000 ]; do echo \"line $i\" >&2; i=$((i+1)); done"))
    _ = await child.wait()
    let tail = child.errorTail
    #expect(tail.utf8.count <= 8192 && tail.hasSuffix("line 4999\n"))
    #expect(tail.hasPrefix("line "))
    let endless = try ChildProcess.start(shell("head -c 300000 /dev/zero | tr '\\0' x >&2"))
    _ = await endless.wait()
    #expect(endless.errorTail.utf8.count == 8192)
  }

  @Test("a flood is taken piece by piece, and only as fast as it is read")
  func flood() async throws {
    let child = try ChildProcess.start(shell("yes | tee /dev/stderr"))
    var count = 0
    while count < 10_000_000 { count += try await child.read()?.count ?? .max }
    #expect(await child.end(grace: .zero) == .signalled(9))
  }

  @Test("a program that listens to SIGTERM ends in its own way, with its group")
  func politeEnd() async throws {
    let child = try ChildProcess.start(
      shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 1000 & wait; done"))
    #expect(try await child.readLine() == "ready\n")
    #expect(await child.end(grace: .seconds(60)) == .exited(3))
    #expect(try await child.readAll() == "bye\n")
  }

  @Test("one that ignores SIGTERM is killed, with its children")
  func ignoredTerm() async throws {
    let lifeline = Lifeline()
    var command = shell("trap '' TERM; (trap '' TERM; sleep 1000) & echo ready; wait; sleep 1000")
    command.inherited = [lifeline.writeEnd]
    let child = try ChildProcess.start(command)
    #expect(try await child.readLine() == "ready\n")
    #expect(await child.end(grace: .milliseconds(50)) == .signalled(9))
    await lifeline.waitForEnd()
  }

  @Test("a stopped program can be ended")
  func stopped() async throws {
    let child = try ChildProcess.start(shell("echo ready; kill -STOP $$; sleep 1000"))
    #expect(try await child.readLine() == "ready\n")
    #expect(await child.end(grace: .seconds(60)) == .signalled(15))
  }

  @Test("what a program leaves in its group ends with it")
  func leftovers() async throws {
    let lifeline = Lifeline()
    var command = shell("sleep 1000 & sleep 1000 & echo started; exit 0")
    command.inherited = [lifeline.writeEnd]
    let child = try ChildProcess.start(command)
    #expect(try await child.readAll() == "started\n")
    #expect(await child.wait() == .exited(0))
    await lifeline.waitForEnd()
  }

  @Test("output that somebody outside the group holds open ends with the program")
  func escapedHolder() async throws {
    let child = try ChildProcess.start(shell("setsid sleep 3 & echo started; exit 0"))
    #expect(try await child.readAll() == "started\n")
  }

  @Test("a program that nobody refers to is killed")
  func forgotten() async throws {
    let lifeline = Lifeline()
    var command = shell("echo ready; sleep 1000")
    command.inherited = [lifeline.writeEnd]
    do {
      let child = try ChildProcess.start(command)
      #expect(try await child.readLine() == "ready\n")
    }
    await lifeline.waitForEnd()
  }

  @Test("writing to one that closed its input is an error, and no signal")
  func closedInput() async throws {
    let child = try ChildProcess.start(shell("exec 0<&-; echo closed; sleep 1000"))
    #expect(try await child.readLine() == "closed\n")
    let failure = await #expect(throws: Failure.self) { try await child.write(Array("x".utf8)) }
    #expect(failure?.reason == "closed")
    _ = await child.end(grace: .zero)
  }

  @Test("a writer waits for room, and hears of the end")
  func writerHearsOfEnd() async throws {
    let child = try ChildProcess.start(shell("echo ready; exec sleep 1000"))
    #expect(try await child.readLine() == "ready\n")
    let writing = Task { try await child.write([UInt8](repeating: 7, count: 1 << 20)) }
    _ = await child.end(grace: .zero)
    await #expect(throws: Failure.self) { try await writing.value }
  }

  @Test("large input goes in whole and in order while output is read")
  func largeInput() async throws {
    let child = try ChildProcess.start(shell("cat"))
    let pieces = (0..<8).map { [UInt8](repeating: UInt8($0 + 97), count: 100_000) }
    async let writing: Void = {
      for piece in pieces { try await child.write(piece) }
      child.closeInput()
    }()
    var output: [UInt8] = []
    while let piece = try await child.read() { output += piece }
    try await writing
    #expect(output == pieces.flatMap { $0 })
  }

  @Test("writes of several tasks are not mixed")
  func severalWriters() async throws {
    let child = try ChildProcess.start(shell("cat"))
    async let writing: Void = {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for letter in "abcdefgh".utf8 {
          group.addTask { try await child.write([UInt8](repeating: letter, count: 50_000)) }
        }
        try await group.waitForAll()
      }
      child.closeInput()
    }()
    var output: [UInt8] = []
    while let piece = try await child.read() { output += piece }
    try await writing
    #expect(output.count == 400_000)
    for start in stride(from: 0, to: output.count, by: 50_000) {
      #expect(Set(output[start..<start + 50_000]).count == 1)
    }
  }

  @Test("a waiting reader and a waiting writer can be cancelled, and the program goes on")
  func cancellation() async throws {
    let child = try ChildProcess.start(shell("read line; echo \"$line\"; cat >/dev/null"))
    let reader = Task { try await child.read() }
    reader.cancel()
    let failure = await #expect(throws: Failure.self) { try await reader.value }
    #expect(failure?.kind == .cancelled)
    try await child.write(Array("still here\n".utf8))
    #expect(try await child.readLine() == "still here\n")

    let stuck = try ChildProcess.start(shell("sleep 1000"))
    let full = Task { try await stuck.write([UInt8](repeating: 1, count: 1 << 20)) }
    let behind = Task { try await stuck.write([2]) }
    full.cancel()
    behind.cancel()
    await #expect(throws: Failure.self) { try await full.value }
    _ = await stuck.end(grace: .zero)
    _ = try? await behind.value
  }

  @Test("of two readers one is refused, and the other gets what is written")
  func secondReader() async throws {
    let child = try ChildProcess.start(shell("cat"))
    let readers = (0..<2).map { _ in Task { try await child.read() } }
    let outcomes = AsyncStream<Bool>.makeStream()
    for reader in readers {
      Task { outcomes.continuation.yield((try? await reader.value) != nil) }
    }
    var results = outcomes.stream.makeAsyncIterator()
    #expect(await results.next() == false)
    try await child.write(Array("x\n".utf8))
    #expect(await results.next() == true)
  }

  @Test(
    "a program gets the given variables, three descriptors, default signals and a session of its own"
  )
  func cleanStart() async throws {
    SignalWatch.ignoreBrokenPipe()
    var command = shell(
      "env; echo; ls -1 /proc/self/fd | wc -l; echo; grep -E 'Sig(Blk|Ign)' /proc/self/status; "
        + "echo; cut -d' ' -f1,5,6 /proc/$$/stat")
    command.environment["ONLY"] = "this one\nwith two lines"
    let child = try ChildProcess.start(command)
    let parts = try await child.readAll().split(separator: "\n\n").map(String.init)
    let names = Set(
      parts[0].split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) }
    )
    // The shell adds where it is.
    #expect(
      names.subtracting(["PWD", "OLDPWD", "SHLVL", "_"]) == ["PATH", "ONLY", "with two lines"])
    // The fourth is the folder that `ls` reads.
    #expect(parts[1].trimming == "4")
    for line in parts[2].split(separator: "\n") { #expect(line.hasSuffix("0000000000000000")) }
    #expect(Set(parts[3].trimming.split(separator: " ")) == ["\(child.id)"])
  }

  @Test("limits hold for the program, and not for its start in a process with more open files")
  func limits() async throws {
    let open = (0..<100).map { _ in unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) }
    defer { for descriptor in open { close(descriptor) } }
    var command = shell("ulimit -c; ulimit -n; ulimit -f")
    command.limits = [.coreSize(0), .openFiles(64), .fileSize(512 * 1000)]
    #expect(try await ChildProcess.start(command).readAll() == "0\n64\n1000\n")
  }

  @Test("what was given to inherit begins with descriptor 3, whatever its number here")
  func inherited() async throws {
    let lifeline = Lifeline()
    var command = shell("echo over 5 >&5; ls /proc/self/fd | wc -l")
    let null = unsafe open("/dev/null", O_WRONLY | O_CLOEXEC)
    defer { close(null) }
    command.inherited = [lifeline.writeEnd, lifeline.writeEnd, null]
    let child = try ChildProcess.start(command)
    #expect(try await child.readAll().trimming == "7")
    await lifeline.waitForEnd()
  }
}

extension String {
  fileprivate var trimming: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}

@Suite("Programs that do not start", .timeLimit(.minutes(1))) struct StartTests {
  private let folder = ScratchDirectory()

  private func script(_ text: String, _ name: String, mode: UInt32 = 0o755) throws -> String {
    try FileSystem.write(text, to: folder.file(name), mode: mode)
    return folder.file(name)
  }

  private func failure(_ command: ChildCommand) -> Failure? {
    do throws(Failure) {
      _ = try ChildProcess.start(command)
      return nil
    } catch {
      return error
    }
  }

  @Test("the error says what is wrong with the program, and what to do")
  func reasons() throws {
    let plain = try script("echo x\n", "plain", mode: 0o644)
    let lost = try script("#!/nowhere/python9\n", "lost")
    let binary = try script("\u{1}\u{2}", "binary")
    let quote = try script("#!/bin/sh\n", "quote-fetcher")
    let table: [(ChildCommand, String, String)] = [
      (ChildCommand([]), "empty", "first element"),
      (
        ChildCommand(["quote-fetchr"], environment: ["PATH": folder.path]),
        "no program `quote-fetchr`", "did you mean `quote-fetcher`"
      ),
      (ChildCommand(["a\0b"]), "NUL", "name a program"),
      (ChildCommand(["sh", "a\0b"]), "NUL", "standard input"),
      (
        ChildCommand([folder.file("quote-fetcherr")]), "there is no program",
        "did you mean \(quote)?"
      ),
      (ChildCommand([folder.path]), "is a folder", "name a program in it"),
      (ChildCommand([plain]), "not executable", "chmod +x"),
      (ChildCommand(["plain"], environment: ["PATH": folder.path]), "not executable", "chmod +x"),
      (ChildCommand([lost]), "interpreter", "first line"),
      (ChildCommand([binary]), "not a program", "#!"),
      (ChildCommand(["sh"], folder: "/nowhere"), "/nowhere", "folder"),
      (
        ChildCommand(["sh", String(repeating: "x", count: 1 << 22)]), "too large", "standard input"
      ),
    ]
    for (command, message, suggestion) in table {
      let failure = failure(command)
      #expect(
        failure?.message.contains(message) == true, "\(message): \(String(describing: failure))")
      #expect(
        failure?.suggestion.contains(suggestion) == true,
        "\(suggestion): \(String(describing: failure))")
    }
  }

  @Test("a program that is being written says so")
  func busy() throws {
    try FileSystem.write(
      try FileSystem.read("/bin/true", limit: 1 << 24), to: folder.file("busy"), mode: 0o755)
    let descriptor = unsafe open(folder.file("busy"), O_WRONLY | O_CLOEXEC)
    defer { close(descriptor) }
    #expect(failure(ChildCommand([folder.file("busy")]))?.message.contains("being written") == true)
  }

  @Test("a relative program begins in its folder")
  func relative() async throws {
    _ = try script("#!/bin/sh\necho here\n", "tool")
    let child = try ChildProcess.start(ChildCommand(["./tool"], folder: folder.path))
    #expect(try await child.readAll() == "here\n")
  }
}

@Suite("A process with children", .timeLimit(.minutes(2))) struct ParentTests {
  @Test("a thousand starts leave no descriptor and no process")
  func noLeak() async throws {
    let run = try await ProgramRun.run(
      RasaProgram.built("rasa-children"), ["repeat", "1000", "/bin/true"], limit: .seconds(100))
    #expect(run.text == "0 0\n", "\(run.errorText)")
  }

  @Test("children die with it, even when it is killed")
  func killedParent() async throws {
    let folder = ScratchDirectory()
    let pipe = folder.file("held")
    #expect(unsafe mkfifo(pipe, 0o600) == 0)
    let script = "trap '' TERM HUP; exec 3>\"$0\"; echo up; exec sleep 1000"
    let parent = try ChildProcess.start(
      ChildCommand([RasaProgram.built("rasa-children"), "hold", "/bin/sh", "-c", script, pipe]))
    let held = await onOwnThread { unsafe open(pipe, O_RDONLY | O_CLOEXEC) }
    var text = ""
    while !text.contains("up") { text += try await parent.readLine() }
    kill(parent.id, SIGKILL)
    #expect(await parent.wait() == .signalled(9))
    await onOwnThread {
      var byte: UInt8 = 0
      #expect(unsafe read(held, &byte, 1) == 0)
      close(held)
    }
  }
}
