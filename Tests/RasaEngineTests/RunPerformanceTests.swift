import RasaCore
import RasaLearning
import RasaPersona
import Testing

@testable import RasaEngine

/// Journals by hand: what they say of how a run went.
@Suite("How a run went, by its journal") struct RunPerformanceTests {
  private let run = Identifier("r1")

  private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

  private var start: JournalEntry {
    RunEvent.started(
      RunStart(run: run, persona: "analyst", personaDigest: "d", user: "ann", input: "?")
    ).entry(of: run, at: at(1000))
  }

  private func step(_ name: String) -> Step {
    Step(frame: "f", visit: 1, operatorName: name)
  }

  private func call(
    _ name: String, _ number: Int, from: Int64, to: Int64, model: String = "large",
    cost: String = "0.01", isPriceKnown: Bool = true
  ) -> [JournalEntry] {
    let key = step(name).effect("call", occurrence: number)
    var intent = ModelIntent(provider: "p", model: model)
    intent.isPriceKnown = isPriceKnown
    let attempt = Identifier("\(name)\(number)")
    return [
      EffectEvent(
        .model, key,
        .intent(EffectIntent(attempt: attempt, request: "d", subject: .model(intent)))
      ).entry(of: run, at: at(from)),
      EffectEvent(
        .model, key,
        .result(
          .answer(
            ModelAnswer(
              text: "x", provider: "p", model: model, usage: Usage(input: 100, output: 20),
              cost: Money(decimal: cost) ?? .zero)), attempt: attempt)
      ).entry(of: run, at: at(to)),
    ]
  }

  private func wrote(_ name: String, _ key: String, at time: Int64) -> JournalEntry {
    RunEvent.operatorFinished(step(name), .wrote([Update(StatePath(key), "x")]))
      .entry(of: run, at: at(time))
  }

  private func performance(
    _ entries: [JournalEntry], _ status: RunPerformance.Status = .done
  ) -> RunPerformance? {
    RunPerformance(
      journal: entries, of: run, status: status,
      PerformanceFacts(
        category: "code", complexity: 2, day: LocalDay(year: 2026, month: 1, day: 1)),
      endedAt: at(9000))
  }

  @Test(
    "tokens, cost and time are those of its calls, and the model is the one that wrote the draft")
  func whole() throws {
    let entries =
      [start] + call("respond", 1, from: 1100, to: 3100)
      + [wrote("respond", "draft", at: 3100)]
      + call("critic", 1, from: 3100, to: 3600, model: "small", cost: "0.002")
      + [wrote("critic", "critique", at: 3600)]
      + [RunEvent.finished(output: "x").entry(of: run, at: at(4000))]
    let found = try #require(performance(entries))
    #expect(found.model == "p:large" && found.finish == "stop")
    #expect(found.inputTokens == 200 && found.outputTokens == 40)
    #expect(found.cost == Money(decimal: "0.012") && found.isCostKnown)
    #expect(found.milliseconds == 3000)
    #expect(
      found.nodes.map { "\($0.kind.name) \($0.name) \($0.milliseconds)" } == [
        "frame f 2500", "model p:large 2000", "operator respond 2000", "model p:small 500",
        "operator critic 500",
      ])
    #expect(found.nodes.allSatisfy { $0.error == nil })
  }

  @Test("an unknown price makes the cost unknown")
  func unknown() throws {
    let entries =
      [start] + call("respond", 1, from: 1100, to: 2000, cost: "0", isPriceKnown: false)
      + [RunEvent.finished(output: "x").entry(of: run, at: at(2000))]
    let found = try #require(performance(entries))
    #expect(!found.isCostKnown)
    #expect(found.score(ScoringWeights()).costPerPoint == nil)
  }

  @Test(
    "time in which it was parked or dead does not count, and a clock that is set back does no harm")
  func time() throws {
    var entries = [start]
    entries.append(RunEvent.parked(Parking(.interrupted)).entry(of: run, at: at(2000)))
    entries.append(RunEvent.resumed(by: "p").entry(of: run, at: at(800_000)))
    entries += call("respond", 1, from: 800_500, to: 700_000)
    entries.append(RunEvent.finished(output: "x").entry(of: run, at: at(801_000)))
    let found = try #require(performance(entries))
    #expect(found.milliseconds == 2000)
    #expect(found.nodes.allSatisfy { $0.milliseconds == 0 })
  }

  @Test("a run that failed says why; one that nobody can read has no record")
  func failed() throws {
    let entries = [
      start, RunEvent.failed(Failure(.budget, "no money")).entry(of: run, at: at(1500)),
    ]
    #expect(try #require(performance(entries, .failed)).finish == "budget")
    #expect(try #require(performance(entries, .failed)).model == "")
    #expect(performance([], .failed) == nil)
  }

  @Test("a call that failed is a node with its reason, and so is its operator that never finished")
  func nodes() throws {
    let key = step("respond").effect("call")
    let entries = [
      start,
      EffectEvent(
        .model, key,
        .intent(
          EffectIntent(
            attempt: Identifier("a"), request: "d",
            subject: .model(ModelIntent(provider: "p", model: "m"))))
      ).entry(of: run, at: at(1100)),
      EffectEvent(
        .model, key,
        .failed(
          EffectFailure(provider: "p", model: "m", reason: "overloaded", message: "503"),
          attempt: Identifier("a"))
      ).entry(of: run, at: at(1400)),
      RunEvent.failed(Failure(.provider, "503")).entry(of: run, at: at(1500)),
    ]
    let found = try #require(performance(entries, .failed))
    #expect(found.finish == "provider")
    #expect(
      found.nodes.map { "\($0.kind.name) \($0.error ?? "-")" }
        == ["frame overloaded", "model overloaded", "operator overloaded"])
  }
}
