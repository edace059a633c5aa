import RasaCore
import RasaEngine
import Testing

/// A run that has begun is told of when it can be found.
@Suite struct KeptObserverTests {
  private let start = RunEvent.resumed(by: "first")
  private let step = Step(frame: "f", visit: 1, operatorName: "o")

  private func told(
    _ perform: (JournalingObserver) async throws -> Void
  ) async throws -> [String] {
    let told = Locked<[String]>([])
    let observer = JournalingObserver { progress in
      let word =
        switch progress {
        case .event(let event): event.kind
        case .operatorStarted: "began"
        case .modelChosen: "model"
        case .notice: "notice"
        case .output: "output"
        default: "other"
        }
      told.withLock { $0.append(word) }
    }
    try await perform(observer)
    return told.withLock { $0 }
  }

  @Test func nothingIsToldBeforeTheFirstCommitAndThenAllInOrder() async throws {
    let words = try await told { observer in
      try await observer.emit(.event(start))
      try await observer.emit(.operatorStarted(step, kind: "llm"))
      try await observer.emit(.output("text"))
    }
    #expect(words.isEmpty)
    let all = try await told { observer in
      try await observer.emit(.event(start))
      try await observer.emit(.operatorStarted(step, kind: "llm"))
      try await observer.emit(.modelChosen(step, provider: "p", model: "m"))
      try await observer.emit(.output("text"))
    }
    #expect(all == ["run.resumed", "began", "model", "output"])
  }

  @Test func whatIsWaitedForBeforeACommitIsToldAtOnce() async throws {
    let words = try await told { observer in
      try await observer.emit(.event(start))
      try await observer.emit(.notice(RunNotice(.waiting, "money")))
      try await observer.release()
      try await observer.release()
    }
    #expect(words == ["notice", "run.resumed"])
  }
}
