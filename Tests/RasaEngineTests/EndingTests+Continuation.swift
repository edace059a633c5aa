import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// Texts that were cut and are continued.
extension EndingTests {
  @Test("a text that was cut is continued, and what its reader sees is one text")
  func continued() async throws {
    let gate = FakeGate { _, context, onEvent in
      switch (context.key.label, context.key.occurrence) {
      case ("call", _): try await FakeGate.streamCut("one two th", onEvent)
      case (_, 1): try await FakeGate.streamCut("two three", onEvent)
      default: try await FakeGate.stream("three four", onEvent)
      }
    }
    let screen = Screen()
    let result = try await run(single(), gate: gate, screen: screen)
    #expect(result.output == "one two three four")
    #expect(gate.keys == ["a:1/one/call#1", "a:1/one/more#1", "a:1/one/more#2"])
    #expect(screen.restarts == 0)
    let last = try #require(gate.requests.last)
    #expect(last.continuation?.text == "one two three")
    #expect(last.continuation?.tokens == 10)
    #expect(last.continuation?.model == "fake-1")
    #expect(last.messages.suffix(2).map(\.role) == [.assistant, .user])
    #expect(last.messages[last.messages.count - 2].text == "one two three")
    #expect(last.messages.last?.text.contains("«one two three»") == true)
    #expect(result.calls == 3)
    #expect(result.usage.output == 15)
    #expect(result.cost == Money(picoDollars: 3_000_000))
    #expect(result.continued == 2)
    #expect(result.finish == .stop)
    #expect(screen.notices.map(\.kind) == [.continued])
    #expect(result.notices == screen.notices)
  }

  @Test("a further try of a continued answer has places of its own")
  func continuedTwice() async throws {
    let gate = FakeGate { _, context, onEvent in
      switch context.key.label {
      case "call" where context.key.occurrence == 1: throw Failure(.provider, "down")
      case "call": try await FakeGate.streamCut("one", onEvent)
      default: try await FakeGate.stream("one two", onEvent)
      }
    }
    let result = try await run(single(onError: ErrorPolicy(retry: 1)), gate: gate)
    #expect(result.output == "one two")
    #expect(gate.keys == ["a:1/one/call#1", "a:1/one/call#2", "a:1/one/more.2#1"])
  }

  @Test("a stream that breaks in a continuation shows what came before it once more, and no more")
  func brokenContinuation() async throws {
    let gate = FakeGate { _, context, onEvent in
      if context.key.label == "call" { return try await FakeGate.streamCut("one two", onEvent) }
      try await onEvent(.text(" thr"))
      try await onEvent(.restarted(reason: "it broke"))
      return try await FakeGate.stream("two three", onEvent)
    }
    let screen = Screen()
    let graph = try compile(single())
    let store = FakeStore()
    let result = try await Runner(ResumeTests.dependencies(gate, store, FakePeople())).run(
      graph, start(graph)
    ) { screen.show($0) }
    #expect(result.output == "one two three")
    #expect(screen.restarts == 1)
    #expect(screen.output.hasPrefix("one two thr") && screen.output.hasSuffix("one two three"))
    #expect(screen.output.split(separator: "thr").count == 3)
  }

  @Test(
    "what cannot go on is delivered and marked, and is asked no more than may help",
    arguments: [
      // cap, ceiling, max_tokens, finish, what the line names
      (100, 100, 100, FinishReason.length, "max_tokens"),
      (nil, nil, nil, .length, "another model"), (100, 100, nil, .length, "another model"),
      (100, 100, nil, .cutOff, "--max-cost"),
    ] as [(Int64?, Int64?, Int?, FinishReason, String)])
  func cut(
    cap: Int64?, ceiling: Int64?, maxTokens: Int?, finish: FinishReason, remedy: String
  ) async throws {
    let gate = FakeGate(
      shape: { answer, _, _ in
        (answer.finish, answer.cap, answer.ceiling) = (finish, cap, ceiling)
      }) { _, _, onEvent in try await FakeGate.stream("one two", onEvent) }
    let screen = Screen()
    let result = try await run(single(maxTokens: maxTokens), gate: gate, screen: screen)
    #expect(result.output == "one two")
    #expect(result.finish == finish)
    #expect(gate.keys.count == 1)
    let notice = try #require(result.notices.first)
    #expect(notice.kind == .cut && screen.notices == [notice])
    #expect(notice.value["finish"].string == finish.rawValue)
    #expect(notice.suggestion.contains(remedy), "\(notice.line)")
  }

  @Test(
    "when going on is refused or fails, what there is is delivered and marked",
    arguments: [Failure.Kind.budget, .provider, .timeout])
  func obstacle(kind: Failure.Kind) async throws {
    let gate = FakeGate { _, context, onEvent in
      if context.key.label == "call" { return try await FakeGate.streamCut("one two", onEvent) }
      throw Failure(kind, "there is $0 left", suggestion: "raise it")
    }
    let result = try await run(single(onError: ErrorPolicy(retry: 3)), gate: gate)
    #expect(result.output == "one two")
    #expect(result.finish == .length)
    #expect(gate.keys.count == 2)
    #expect(result.notices.first?.line.contains("there is $0 left") == true)
  }

  @Test("an answer that never ends, or never gets longer, is not asked on for ever")
  func bounded() async throws {
    let gate = FakeGate(shape: { answer, _, _ in answer.ceiling = nil }) { _, context, onEvent in
      try await FakeGate.streamCut("part \(context.key.label)\(context.key.occurrence). ", onEvent)
    }
    #expect(try await run(single(), gate: gate).finish == .length)
    #expect(gate.keys.count == 1 + OperatorProcedure.mostContinuations)
    let stuck = FakeGate { _, _, onEvent in try await FakeGate.streamCut("one two", onEvent) }
    #expect(try await run(single(), gate: stuck).output == "one two")
    #expect(stuck.keys.count == 2)
    // What it may have in all is used up.
    let capped = FakeGate(shape: { answer, _, _ in answer.ceiling = 12 }) { _, context, onEvent in
      try await FakeGate.streamCut("part \(context.key.label)\(context.key.occurrence). ", onEvent)
    }
    _ = try await run(single(), gate: capped)
    #expect(capped.keys.count == 3)
  }
}
