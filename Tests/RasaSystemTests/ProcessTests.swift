import Glibc
import RasaCore
import RasaSystem
import RasaTestKit
import Testing

@Suite struct EnvironmentTests {
  @Test func theProcessEnvironmentIsRead() {
    let environment = Environment.ofProcess()
    let path = unsafe getenv("PATH").map { unsafe String(cString: $0) }
    #expect(environment["PATH"] == path)
    #expect(environment["RASA_SURELY_NOT_SET"] == nil)
  }

  @Test func emptyVariablesCountAsNotSet() {
    #expect(Environment(["NO_COLOR": ""])["NO_COLOR"] == nil)
  }

  @Test func onlyAllowedNamesPass() {
    let environment = Environment(["LC_ALL": "C", "OPENAI_API_KEY": "k", "TERM": "x", "TERMS": "y"])
    #expect(environment.allowing(["LC_*", "TERM"]).variables == ["LC_ALL": "C", "TERM": "x"])
  }
}

@Suite struct OutputTests {
  @Test func aClosedReaderIsDetected() throws {
    SignalWatch.ignoreBrokenPipe()
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    close(ends[0])
    defer { close(ends[1]) }
    #expect(throws: OutputClosed()) { try Output(descriptor: ends[1]).write("x") }
  }
}

@Suite(.serialized) struct BlockedWriterTests {
  @Test func aPipeReportsWhetherItHasRoom() throws {
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    #expect(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0)
    let output = Output(descriptor: ends[1])
    #expect(output.takesNow(Int(PIPE_BUF)) && !output.takesNow(Int(PIPE_BUF) + 1))
    let bytes = [UInt8](repeating: 7, count: Int(PIPE_BUF))
    while output.takesNow(bytes.count) { try output.write(bytes) }
    #expect(!output.takesNow(1))
    // A device that is not a terminal does not block.
    let null = unsafe open("/dev/null", O_WRONLY)
    defer { close(null) }
    #expect(Output(descriptor: null).takesNow(1 << 20))
  }

  /// Serialized with the others, because releasing affects the whole process.
  @Test func everythingArrivesThroughANonBlockingPipe() async throws {
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    let (readEnd, writeEnd) = (ends[0], ends[1])
    #expect(fcntl(writeEnd, F_SETFL, O_NONBLOCK) == 0)
    let bytes = (0..<500_000).map { UInt8(truncatingIfNeeded: $0) }
    async let written: Void = onOwnThread {
      try? Output(descriptor: writeEnd).write(bytes)
      close(writeEnd)
    }
    let read = await onOwnThread {
      try? FileSystem.readToEnd(readEnd, limit: 1_000_000, name: "pipe")
    }
    await written
    close(readEnd)
    #expect(read == bytes)
  }

  private func pipeOfTest() -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    return (ends[0], ends[1])
  }

  @Test func whoWaitsForAReaderGivesUpWhenTheProgramIsToEnd() async throws {
    let (readEnd, writeEnd) = pipeOfTest()
    defer {
      close(readEnd)
      close(writeEnd)
    }
    BlockedWriters.hold()
    let output = Output(descriptor: writeEnd)
    async let outcome: Bool = onOwnThread {
      do {
        try output.write([UInt8](repeating: 1, count: 1_000_000))
        return false
      } catch { return error is CancellationError }
    }
    // What it could write has arrived; the rest is awaited.
    var buffer = [UInt8](repeating: 0, count: 1000)
    #expect(unsafe read(readEnd, &buffer, 1000) > 0)
    BlockedWriters.release()
    #expect(await outcome)
    BlockedWriters.hold()
  }
}

@Suite(.serialized) struct SignalTests {
  @Test func aSignalThatIsIgnoredStaysIgnored() async throws {
    var before = sigaction()
    var ignored = sigaction()
    unsafe ignored.__sigaction_handler.sa_handler = SIG_IGN
    #expect(unsafe sigaction(SIGHUP, &ignored, &before) == 0)
    defer { unsafe sigaction(SIGHUP, &before, nil) }
    let (stream, continuation) = AsyncStream.makeStream(of: Signal.self)
    let watch = try SignalWatch([.windowChanged, .hangUp]) { continuation.yield($0) }
    kill(getpid(), SIGHUP)
    kill(getpid(), SIGWINCH)
    var signals = stream.makeAsyncIterator()
    #expect(await signals.next() == .windowChanged)
    withExtendedLifetime(watch) {}
  }

  @Test func signalsReachOrdinaryCode() async throws {
    let (stream, continuation) = AsyncStream.makeStream(of: Signal.self)
    var watch: SignalWatch? = try SignalWatch([.windowChanged, .hangUp]) { continuation.yield($0) }
    let failure = try #require(throws: Failure.self) { _ = try SignalWatch([.interrupt]) { _ in } }
    #expect(failure.kind == .run)
    var signals = stream.makeAsyncIterator()
    kill(getpid(), SIGWINCH)
    #expect(await signals.next() == .windowChanged)
    kill(getpid(), SIGHUP)
    #expect(await signals.next() == .hangUp)
    #expect(watch != nil)
    watch = nil
    // The previous handler is restored: this signal is ignored.
    kill(getpid(), SIGWINCH)
    watch = try SignalWatch([.windowChanged]) { continuation.yield($0) }
    kill(getpid(), SIGWINCH)
    #expect(await signals.next() == .windowChanged)
    watch = nil
  }
}

@Suite struct InteractiveProgramTests {
  func run(_ script: String, _ environment: Environment = Environment(["PATH": "/usr/bin:/bin"]))
    async throws -> (code: Int32, output: String)
  {
    let folder = ScratchDirectory()
    let path = folder.path + "/output"
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(file) }
    let code = try await InteractiveProgram.run(
      ["sh", "-c", script], terminal: file, environment: environment)
    return (code, String(decoding: try FileSystem.read(path, limit: 10_000), as: UTF8.self))
  }

  @Test func itsExitCodeIsAnswered() async throws {
    #expect(try await run("exit 3").code == 3)
    #expect(try await run("kill -TERM $$").code == 143)
  }

  @Test func itSeesNoSecretAndNoOpenFile() async throws {
    let leak = unsafe open("/dev/null", O_RDONLY)
    defer { close(leak) }
    let (_, output) = try await run(
      "echo key=$OPENAI_API_KEY term=$TERM; ls /proc/self/fd | wc -l",
      Environment(["PATH": "/usr/bin:/bin", "OPENAI_API_KEY": "secret", "TERM": "xterm"]))
    // The standard three, and the folder that ls itself reads.
    #expect(output == "key= term=xterm\n4\n")
  }

  @Test func aProgramThatIsNotThereIsAFailure() async throws {
    let failure = await #expect(throws: Failure.self) {
      try await InteractiveProgram.run(
        ["/no/such/editor"], terminal: 1, environment: Environment())
    }
    #expect(failure?.message == "cannot start /no/such/editor: no such file or folder")
  }
}

@Suite struct SystemTimeTests {
  @Test func clocksMoveForward() {
    let time = TimeSource.system
    #expect(time.now().milliseconds > 1_700_000_000_000)
    let first = time.monotonic()
    #expect(time.monotonic() >= first)
  }

  @Test func localDaysAgreeWithTheMachine() {
    var now = Glibc.time(nil)
    var parts = unsafe tm()
    unsafe localtime_r(&now, &parts)
    let day = TimeSource.system.localDay(Timestamp(milliseconds: Int64(now) * 1000))
    let expected = unsafe LocalDay(
      year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday))
    #expect(day == expected)
  }

  @Test func sleepEndsWhenTheTaskIsCancelled() async {
    let task = Task { try await TimeSource.system.sleep(.seconds(3600)) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
