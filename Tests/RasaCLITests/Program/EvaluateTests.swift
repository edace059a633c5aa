import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa evaluate: judges, peers and the classifier")
struct EvaluateTests {
  /// What models say that judge, by the criteria that they are asked for.
  private static func judges(_ scores: ValueObject) -> [Script] {
    [
      ["accuracy", "relevance", "completeness", "clarity"], ["accuracy", "depth", "clarity"],
      ["relevance", "completeness", "usefulness"],
    ].map { criteria in
      var script = Script()
      script.matches = { $0.criteria == Set(criteria) }
      let given = ValueObject(criteria.map { ($0, scores[$0] ?? .null) })
      script.answer = .tokens([
        Value.object(["feedback": "It is mostly right.", "scores": .object(given)]).json(.compact)
      ])
      script.usage = .exactly(prompt: 100, completion: 20)
      return script
    }
  }

  private static let answer = Script.text("Paris is the capital of France.").with {
    $0.matches = { !$0.isJudging }
  }

  private static let models = ["gpt-4o-mini", "gpt-4o"]

  private static let fair: ValueObject = [
    "accuracy": 1, "relevance": 0.8, "completeness": 0.6, "clarity": 1, "depth": 0.2,
    "usefulness": 0.7,
  ]

  private func program(
    _ provider: ScriptedProvider, _ evaluation: String? = "{max_daily: 5, share: 1}"
  ) throws -> RasaProgram {
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle("recommended_models: {primary: \"openai:gpt-4o-mini\"}\n")
    if let evaluation {
      try rasa.home.write(
        "learning: {evaluation: \(evaluation)}\n", to: "config.yaml")
    }
    return rasa
  }

  private func ask(_ rasa: RasaProgram) async throws -> String {
    let run = try await rasa.run("run", "-p", "single", "What is the capital of France?")
    #expect(run.exitCode == 0, "\(run.errorText)")
    return try await rasa.latestRun()
  }

  @Test("a judge and two peers are asked after the answer, by models that did not write it")
  func whole() async throws {
    let provider = try ScriptedProvider.start(
      Self.judges(Self.fair) + [Self.answer], models: Self.models)
    defer { provider.stop() }
    let rasa = try program(provider)
    let id = try await ask(rasa)
    // Nothing is asked before somebody says so.
    #expect(provider.questions.count == 1)
    let plan = try await rasa.json("evaluate", "--dry-run")
    #expect(
      plan.array?.map { $0["evaluator"] } == ["judge", "critical-reviewer", "holistic-reviewer"])
    #expect(plan.array?.allSatisfy { $0["cost_at_most_usd"].string != nil } == true)
    #expect(provider.questions.count == 1)
    let done = try await rasa.json("evaluate")
    #expect(done["waiting"] == 0 && done["stopped"].isNull)
    let made = done["evaluations"].array ?? []
    #expect(made.map { $0["outcome"] } == ["made", "made", "made"], "\(done.json(.pretty))")
    #expect(made.map { $0["run"].string } == [id, id, id])
    try #require(made.count == 3)
    #expect(made[0]["score"].double.map { abs($0 - 0.85) < 0.001 } == true)
    #expect(made[1]["criteria"]["depth"].double == 0.2 && made[1]["criteria"]["relevance"].isNull)
    #expect(made[2]["criteria"]["usefulness"].double == 0.7)
    #expect(provider.questions.count == 4)
    for request in provider.questions.dropFirst() {
      #expect(request.model != "gpt-4o-mini")
      #expect(request.messages.joined().contains("Paris is the capital of France."))
    }
    let report = try await rasa.json("runs", "show", id, "--reward")
    #expect(report["basis"] == "judge" && report["criteria"]["completeness"].double == 0.6)
    #expect(report["evaluations"].array?.count == 3)
    #expect(report["peers"].double.map { abs($0 - (2.2 / 3 + 2.1 / 3) / 2) < 0.001 } == true)
    #expect((report["terms"].array ?? []).contains { $0["name"] == "peers" })
    let costs = try await rasa.json("costs", "--by", "persona")
    #expect(costs["rows"].array?.contains { $0["persona"] == "evaluation" } == true, "\(costs)")
    let again = try await rasa.run("evaluate")
    #expect(again.text == "no run waits to be evaluated\n" && again.exitCode == 0)
    // It is no work that somebody wanted done.
    #expect(try await rasa.json("stats")["totals"]["runs"] == 1)
    #expect(!(try await rasa.run("runs", "list")).text.contains("evaluation"))
    // What holds the task and the answer goes with the run.
    let judging = try #require(made[0]["evaluation_run"].string)
    #expect(try await rasa.run("runs", "show", judging).exitCode == 0)
    _ = try await rasa.run("runs", "delete", id)
    #expect(try await rasa.run("runs", "show", judging).exitCode == 2)
  }

  @Test("what cannot be read is missing, and nothing in the middle")
  func unreadable() async throws {
    let provider = try ScriptedProvider.start(
      Self.judges(["accuracy": 7, "relevance": -1, "completeness": -1, "clarity": 100])
        + [Self.answer], models: Self.models)
    defer { provider.stop() }
    let rasa = try program(provider, "{max_daily: 5, share: 1, by: [judge]}")
    let id = try await ask(rasa)
    let done = try await rasa.json("evaluate")
    #expect(done["evaluations"].array?.map { $0["outcome"] } == ["unreadable"])
    #expect(done["waiting"] == 0 && done["spent_usd"] != "0")
    let report = try await rasa.json("runs", "show", id, "--reward")
    #expect(report["basis"] == "none" && report["score"].isNull && report["criteria"] == [:])
  }

  @Test("a model that says no JSON at all is asked again later, and at last no more")
  func broken() async throws {
    let provider = try ScriptedProvider.start(
      [Script.text("Great answer!").with { $0.matches = { $0.isJudging } }, Self.answer],
      models: Self.models)
    defer { provider.stop() }
    let rasa = try program(provider, "{max_daily: 5, share: 1, by: [judge]}")
    let id = try await ask(rasa)
    for attempt in 1...5 {
      let run = try await rasa.run("evaluate", "--json")
      #expect(run.exitCode == 1)
      let done = try JSON.parse(run.text)
      #expect(
        done["evaluations"].array?.first?["outcome"] == (attempt < 5 ? "failed" : "abandoned"))
      #expect(done["waiting"] == (attempt < 5 ? 1 : 0))
    }
    #expect(try await rasa.json("runs", "show", id, "--reward")["score"].isNull)
  }

  @Test("no model judges itself unless somebody wants that")
  func same() async throws {
    let provider = try ScriptedProvider.start(
      Self.judges(Self.fair) + [Self.answer], models: Self.models)
    defer { provider.stop() }
    let rasa = try program(
      provider, "{max_daily: 5, share: 1, by: [judge], model: \"openai:gpt-4o-mini\"}")
    _ = try await ask(rasa)
    let refused = try await rasa.run("evaluate")
    #expect(refused.exitCode == 1)
    #expect(refused.errorText.contains("could answer, and may not"), "\(refused.errorText)")
    #expect(provider.questions.count == 1)
    let done = try await rasa.json("evaluate", "--same-model")
    #expect(done["evaluations"].array?.first?["model"] == "openai:gpt-4o-mini")
  }

  @Test("a limit of cost leaves the rest waiting")
  func limit() async throws {
    let provider = try ScriptedProvider.start(
      Self.judges(Self.fair) + [Self.answer], models: Self.models)
    defer { provider.stop() }
    let rasa = try program(provider, "{max_daily: 0, share: 1, by: [judge]}")
    let id = try await ask(rasa)
    let run = try await rasa.run("evaluate", "--json")
    #expect(run.exitCode == 6, "\(run.errorText)")
    #expect(try JSON.parse(run.text)["waiting"] == 1)
    #expect(provider.questions.count == 1)
    // Nothing is lost: what was not made is made as soon as there is money.
    try rasa.home.write(
      "learning: {evaluation: {max_daily: 5, by: [judge]}}\n", to: "config.yaml")
    #expect(try await rasa.json("evaluate")["evaluations"].array?.first?["run"].string == id)
  }

  @Test("without a limit of cost nobody is asked, and nothing waits")
  func off() async throws {
    let provider = try ScriptedProvider.start(
      Self.judges(Self.fair) + [Self.answer], models: Self.models)
    defer { provider.stop() }
    let rasa = try program(provider, nil)
    let id = try await ask(rasa)
    let refused = try await rasa.run("evaluate")
    #expect(refused.exitCode == 0 && refused.text == "no run waits to be evaluated\n")
    #expect(refused.errorText.contains("max_daily: 0.25"))
    let unlimited = try await rasa.run("evaluate", id)
    #expect(unlimited.exitCode == 2)
    let done = try await rasa.json("evaluate", id, "--by", "judge", "--max-cost", "0.5")
    #expect(done["evaluations"].array?.first?["outcome"] == "made")
    // Asked for by name it is made anew.
    _ = try await rasa.json("evaluate", id, "--by", "judge", "--max-cost", "0.5")
    #expect(provider.questions.count == 3)
    let unknown = try await rasa.run("evaluate", id, "--by", "critical-revewer", "--max-cost", "1")
    #expect(unknown.exitCode == 3 && unknown.errorText.contains("did you mean"))
    try rasa.home.write("learning:\n  evaluation: {share: 1}\n", to: "config.yaml")
    let broken = try await rasa.run("evaluate")
    #expect(broken.exitCode == 3 && broken.errorText.contains("config.yaml:2:15"))
  }

  @Test("the classifier says what kind of task it was, and the statistics follow")
  func classifier() async throws {
    let provider = try ScriptedProvider.start(
      [
        Script.text(#"{"category": "research", "complexity": 3}"#).with {
          $0.matches = { $0.json.json().contains("complexity") }
        }, Self.answer,
      ], models: Self.models)
    defer { provider.stop() }
    let rasa = try program(provider, "{max_daily: 5, share: 1, by: [classifier]}")
    let id = try await ask(rasa)
    #expect(try await rasa.json("runs", "show", id, "--reward")["category"] != "research")
    let done = try await rasa.json("evaluate")
    #expect(done["evaluations"].array?.first?["category"] == "research", "\(done)")
    let report = try await rasa.json("runs", "show", id, "--reward")
    #expect(report["category"] == "research" && report["complexity"] == 3)
    let stats = try await rasa.json("stats")
    #expect(stats["categories"].array?.map { $0["category"] } == ["research"], "\(stats)")
    _ = try await rasa.run("stats", "rebuild")
    #expect(try await rasa.json("stats") == stats)
  }

  @Test("what the mock wrote is not judged, and the mock judges nobody")
  func mock() async throws {
    let provider = try ScriptedProvider.start(
      Self.judges(Self.fair) + [Self.answer], models: Self.models)
    defer { provider.stop() }
    var rasa = try program(provider)
    let id = try await ask(rasa)
    rasa.environment["LLM_PROVIDER"] = "mock"
    let refused = try await rasa.run("evaluate", id, "--by", "judge")
    #expect(refused.exitCode == 1 && refused.errorText.contains("the mock cannot judge"))
    let mocked = try await rasa.run("run", "-p", "single", "Hello?")
    #expect(mocked.exitCode == 0)
    let run = try await rasa.latestRun()
    let done = try await rasa.json("evaluate", run, "--by", "judge")
    #expect(done["evaluations"].array?.first?["problem"] == "the mock wrote its answer")
    #expect(try await rasa.json("runs", "show", id, "--reward")["score"].isNull)
  }

  @Test("which of two answers is better is asked in both orders, and said if both agree")
  func comparison() async throws {
    // The first prefers what comes first, whatever it is; the second what mentions the capital.
    for isFair in [false, true] {
      let said: @Sendable (String) -> Script = { better in
        Script.text(#"{"reason": "It says more.", "better": "\#(better)"}"#).with {
          $0.matches = { request in
            guard let place = request.messages.joined().firstRange(of: #""answer_a":""#) else {
              return false
            }
            let isFirst = request.messages.joined()[place.upperBound...].hasPrefix("Paris")
            return better == (isFair && !isFirst ? "b" : "a")
          }
        }
      }
      let provider = try ScriptedProvider.start(
        [
          said("a"), said("b"), Script.text("Paris.").with { $0.limit = 1 }, Script.text("Lyon."),
        ], models: Self.models)
      defer { provider.stop() }
      let rasa = try program(provider, nil)
      let (paris, lyon) = (try await ask(rasa), try await ask(rasa))
      let found = try await rasa.json(
        "evaluate", paris, "--against", lyon, "--max-cost", "0.5")
      #expect(found["better"].string == (isFair ? paris : nil), "\(found)")
      #expect(found["opinions"].array?.map { $0["first"].string } == [paris, lyon])
      #expect(found["models"] == ["openai:gpt-4o"])
      let same = try await rasa.run("evaluate", paris, "--against", paris, "--max-cost", "0.5")
      #expect(same.exitCode == 2)
      #expect(try await rasa.run("evaluate", paris, "--against", lyon).exitCode == 2)
    }
  }

  @Test("how far a judge agrees with the stars is said from ten runs on")
  func agreement() async throws {
    let provider = try ScriptedProvider.start(
      Self.judges(Self.fair) + [Self.answer], models: Self.models)
    defer { provider.stop() }
    let rasa = try program(provider, "{max_daily: 5, share: 1, by: [judge]}")
    for stars in [1, 5, 3, 2, 4, 5, 1, 3, 2] {
      let id = try await ask(rasa)
      _ = try await rasa.run("feedback", id, "--stars", "\(stars)")
    }
    _ = try await rasa.json("evaluate")
    #expect(try await rasa.run("evaluate", "--agreement").text.contains("too few runs"))
    let id = try await ask(rasa)
    _ = try await rasa.run("feedback", id, "--stars", "4")
    _ = try await rasa.json("evaluate")
    let found = try #require(try await rasa.json("evaluate", "--agreement").array?.first)
    #expect(found["evaluator"] == "judge" && found["runs"] == 10)
    // It says the same of every answer.
    #expect(found["correlation"].isNull)
    #expect(found["bias"].double.map { abs($0 - (0.85 - 0.6)) < 0.001 } == true, "\(found)")
  }
}

extension ScriptedProvider {
  /// Without the questions which models there are.
  fileprivate var questions: [ReceivedRequest] { requests.filter { !$0.messages.isEmpty } }
}

extension ReceivedRequest {
  fileprivate var criteria: Set<String> {
    let schema = json["response_format"]["json_schema"]["schema"]
    return Set((schema["properties"]["scores"]["properties"].object ?? [:]).keys)
  }

  fileprivate var isJudging: Bool { json.json().contains("feedback") }
}
