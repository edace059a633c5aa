import Glibc
import RasaCore
import RasaSystem
import RasaTerminal
import Testing

@Suite struct ProgressModelTests {
  private let second: UInt64 = 1_000_000_000

  @Test func aLineForEachRunningOperator() {
    var model = ProgressModel()
    model.begin("1", frame: "session_frame", operator: "respond", at: 0)
    model.begin("2", frame: "session_frame", operator: "critic_agent", at: second)
    model.update("2", model: "gpt-4o-mini", tokens: 120, cost: Money(decimal: "0.0012"))
    #expect(
      model.lines(at: 4 * second, columns: 80, style: .plain) == [
        "⠋ session_frame › respond · 4.0 s",
        "⠋ session_frame › critic_agent · gpt-4o-mini · 3.0 s · 120 tokens · $0.001200",
      ])
    #expect(
      model.lines(at: 4 * second + 250_000_000, columns: 30, style: .plain) == [
        "⠹ session_frame › respond · …", "⠹ session_frame › critic_age…",
      ])
    #expect(model.end("1")?.text(at: 125 * second) == "session_frame › respond · 2 min 5 s")
    #expect(model.end("1") == nil)
    #expect(model.lines(at: 0, columns: 80, style: .plain).count == 1)
    _ = model.end("2")
    #expect(model.isEmpty)
  }

  @Test func namesCannotDrawOnTheTerminal() {
    var model = ProgressModel()
    model.begin("1", frame: "", operator: "evil\u{1B}[2J\nname", at: 0)
    #expect(model.lines(at: 0, columns: 80, style: .plain) == ["⠋ evil name · 0.0 s"])
  }

  @Test func manyOperatorsDoNotFillTheScreen() {
    var model = ProgressModel()
    for number in 1...20 { model.begin("\(number)", frame: "f", operator: "o\(number)", at: 0) }
    let lines = model.lines(at: 0, columns: 80, style: .plain)
    #expect(lines.count == 9)
    #expect(lines.last == "  and 12 more")
  }

  @Test func aClockThatGoesBackwardsIsHarmless() {
    var model = ProgressModel()
    model.begin("1", frame: "f", operator: "o", at: 5 * second)
    #expect(model.lines(at: second, columns: 80, style: .plain) == ["⠋ f › o · 0.0 s"])
  }
}

@Suite struct ProgressDisplayTests {
  /// A pipe in place of standard error, and a clock that the test advances.
  final class Stage: Sendable {
    let readEnd: Descriptor
    let writeEnd: Descriptor
    let tick: AsyncStream<Void>.Continuation
    let display: ProgressDisplay

    init(isLive: Bool, isVerbose: Bool, sharesScreen: Bool = true) throws {
      var ends: [Int32] = [0, 0]
      guard unsafe pipe(&ends) == 0 else {
        throw Failure(.run, systemError: errno, cannot: "make", "a pipe")
      }
      readEnd = Descriptor(owning: ends[0])
      writeEnd = Descriptor(owning: ends[1])
      let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
      tick = continuation
      let ticks = Ticks(stream)
      display = ProgressDisplay(
        error: Output(descriptor: ends[1]), isLive: isLive, isVerbose: isVerbose,
        sharesScreenWithOutput: sharesScreen, style: .plain, columns: { 80 },
        time: TimeSource(
          now: { Timestamp(milliseconds: 0) },
          localDay: { _ in LocalDay(year: 2026, month: 1, day: 1) },
          monotonic: { 0 }, sleep: { _ in try await ticks.next() }))
    }

    var output: Output { Output(descriptor: writeEnd.number) }

    /// The output since the last call, which must not be empty.
    func read() async throws -> String {
      let bytes = await onOwnThread { [self] in
        try? FileSystem.readSome(readEnd.number, name: "pipe")
      }
      return String(decoding: try #require(bytes), as: UTF8.self)
    }
  }

  final class Ticks: Sendable {
    private let stream: AsyncStream<Void>
    init(_ stream: AsyncStream<Void>) { self.stream = stream }
    func next() async throws {
      for await _ in stream { return }
      throw CancellationError()
    }
  }

  @Test func linesAreRedrawnAndClearedWhenDone() async throws {
    let stage = try Stage(isLive: true, isVerbose: false)
    stage.display.begin("1", frame: "f", operator: "draft")
    #expect(try await stage.read() == "⠋ f › draft · 0.0 s")
    stage.display.update("1", model: "mock")
    stage.tick.yield()
    #expect(try await stage.read() == "\r\u{1B}[2K⠋ f › draft · mock · 0.0 s")
    stage.display.begin("2", frame: "f", operator: "facts")
    #expect(try await stage.read() == "\r\u{1B}[2K⠋ f › draft · mock · 0.0 s\n⠋ f › facts · 0.0 s")
    stage.display.end("1")
    #expect(try await stage.read() == "\r\u{1B}[2K\u{1B}[1A\u{1B}[2K⠋ f › facts · 0.0 s")
    stage.display.end("2")
    #expect(try await stage.read() == "\r\u{1B}[2K")
  }

  @Test func linesMakeWayForTheAnswer() async throws {
    let stage = try Stage(isLive: true, isVerbose: false)
    stage.display.begin("1", frame: "f", operator: "draft")
    _ = try await stage.read()
    try stage.display.write("Hello", to: stage.output)
    #expect(try await stage.read() == "\r\u{1B}[2KHello")
    // The answer's line is unfinished, so nothing is drawn into it.
    stage.display.begin("2", frame: "f", operator: "facts")
    try stage.display.write(" world\n", to: stage.output)
    #expect(try await stage.read() == " world\n")
    stage.tick.yield()
    #expect(try await stage.read() == "⠋ f › draft · 0.0 s\n⠋ f › facts · 0.0 s")
    stage.display.finish()
    #expect(try await stage.read() == "\r\u{1B}[2K\u{1B}[1A\u{1B}[2K")
  }

  @Test func thePersonHasTheScreenForThemself() async throws {
    let stage = try Stage(isLive: true, isVerbose: false)
    stage.display.begin("1", frame: "f", operator: "draft")
    _ = try await stage.read()
    let shown = try await stage.display.withScreenFree {
      let erased = try await stage.read()
      stage.display.begin("2", frame: "f", operator: "facts")
      return erased
    }
    #expect(shown == "\r\u{1B}[2K")
    #expect(try await stage.read() == "⠋ f › draft · 0.0 s\n⠋ f › facts · 0.0 s")
    stage.display.finish()
  }

  @Test func plainLinesWhenAskedForWithoutATerminal() async throws {
    let stage = try Stage(isLive: false, isVerbose: true, sharesScreen: false)
    stage.display.begin("1", frame: "f", operator: "draft")
    stage.display.update("1", model: "mock", tokens: 7, cost: Money(decimal: "0.5"))
    stage.display.end("1", note: "sent back")
    #expect(
      try await stage.read()
        == "▸ f › draft\n✓ f › draft · mock · 0.0 s · 7 tokens · $0.5000 · sent back\n")
  }

  @Test func nothingIsSaidWhenNotAsked() async throws {
    let stage = try Stage(isLive: false, isVerbose: false)
    stage.display.begin("1", frame: "f", operator: "draft")
    stage.display.end("1")
    try stage.display.write("answer", to: stage.output)
    #expect(try await stage.read() == "answer")
  }
}

@Suite struct TerminalTests {
  @Test(arguments: [
    (["TERM": "xterm"], true, true), (["TERM": "xterm"], false, false),
    (["TERM": "dumb"], true, false), ([:], true, false),
    (["TERM": "xterm", "NO_COLOR": "1"], true, false),
    (["TERM": "xterm", "NO_COLOR": ""], true, true),
    (["CLICOLOR_FORCE": "1"], false, true), (["CLICOLOR_FORCE": "0"], false, false),
    (["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], true, false),
  ])
  func colourOnlyIfItIsWanted(variables: [String: String], isTerminal: Bool, isColored: Bool) {
    let terminal = Terminal(
      Environment(variables), inputIsTerminal: false, outputIsTerminal: isTerminal,
      errorIsTerminal: isTerminal)
    #expect(terminal.style(of: .error) == (isColored ? .colored : .plain))
  }

  @Test func theDumbTerminalIsNotAnimatedAndAPipeHasNoWidth() {
    func terminal(_ name: String, _ isTerminal: Bool) -> Terminal {
      Terminal(
        Environment(["TERM": name, "NO_COLOR": "1"]), inputIsTerminal: false,
        outputIsTerminal: isTerminal, errorIsTerminal: isTerminal)
    }
    #expect(!terminal("dumb", true).canMoveCursor(on: .error))
    #expect(terminal("xterm", true).canMoveCursor(on: .error))
    #expect(terminal("xterm", false).columns(of: .output) == nil)
  }
}
