import RasaCore
import RasaKit
import RasaTestKit
import Testing

@Suite("Runs that are ready to begin", .timeLimit(.minutes(1))) struct ReadyTests {
  private func script(_ text: String) -> Script {
    var script = Script()
    script.answer = .text(text)
    return script
  }

  private func kit() throws -> Kit {
    try Kit(
      provider: [script("Hello.")],
      files: [
        "project/personas/greeter.yaml":
          "name: greeter\ndescription: Greets.\nframes: [stateless_frame]\noperators: []\n"
      ])
  }

  @Test("an observer gets the text as it comes, and the run has the ID that was known before")
  func observed() async throws {
    let kit = try kit()
    try kit.rasa.warmUp()
    let greeter = try await kit.rasa.prepare(persona: "greeter")
    #expect(greeter.name == "greeter" && greeter.changedFiles().isEmpty)
    for _ in 1...2 {
      let ready = try greeter.ready("Hi?")
      let seen = Locked<(text: String, started: String, lines: [String])>(("", "", []))
      var observer = Rasa.Observer { observation in
        switch observation.event {
        case .started(let run): seen.withLock { $0.started = run }
        case .output(let text): seen.withLock { $0.text += text }
        default: break
        }
        if let line = observation.json { seen.withLock { $0.lines.append(line["type"].text) } }
      }
      observer.waitsForJournal = true
      let result = try await ready.run(observer)
      let (text, started, lines) = seen.withLock { $0 }
      #expect(text == "Hello." && result.text == text)
      #expect(started == ready.id && result.run == ready.id)
      #expect(lines.first == "run.started" && lines.contains("model.chosen"))
      #expect(try await kit.rasa.run(withID: ready.id).status == .done)
    }
    try kit.folder.write(
      "name: greeter\ndescription: Greets again.\nframes: [stateless_frame]\noperators: []\n",
      to: "project/personas/greeter.yaml")
    #expect(greeter.changedFiles().count == 1)
    await kit.rasa.close()
  }

  @Test("what an observer throws ends the run and comes out as it is")
  func stopped() async throws {
    struct Enough: Error {}
    let kit = try kit()
    let ready = try await kit.rasa.prepare(persona: "greeter").ready("Hi?")
    let observer = Rasa.Observer { observation in
      if case .output = observation.event { throw Enough() }
    }
    await #expect(throws: Enough.self) { _ = try await ready.run(observer) }
    await kit.rasa.close()
  }

  @Test("who cancels the run elsewhere has the task told")
  func cancelledElsewhere() async throws {
    let kit = try kit()
    let ready = try await kit.rasa.prepare(persona: "greeter").ready("Hi?")
    let (requests, requested) = AsyncStream.makeStream(of: Void.self)
    let rasa = kit.rasa
    let observer = Rasa.Observer { observation in
      guard case .modelChosen = observation.event else { return }
      _ = try await rasa.cancel(ready.id)
      for await _ in requests { return }
    }
    _ = try? await ready.run(observer, onCancel: { requested.finish() })
    await kit.rasa.close()
  }

  @Test("a run is ended by who cancels it elsewhere")
  func endedElsewhere() async throws {
    let kit = try kit()
    let ready = try await kit.rasa.prepare(persona: "greeter").ready("Hi?")
    let rasa = kit.rasa
    let observer = Rasa.Observer { observation in
      guard case .modelChosen = observation.event else { return }
      _ = try await rasa.cancel(ready.id)
      // It waits until its task is cancelled.
      for await _ in AsyncStream<Void>.makeStream().stream {}
      try Task.checkCancellation()
    }
    await #expect(throws: (any Error).self) { try await ready.run(observer) }
    #expect(try await rasa.run(withID: ready.id).status == .cancelled)
    await rasa.close()
  }

  @Test("a question is answered by its members, by its default, and in somebody's name")
  func decisions() async throws {
    let kit = try Kit(
      provider: [script("Off we go.")], files: ["home/personas/asking.yaml": Kit.asking])
    let asking = try await kit.rasa.prepare(persona: "asking")
    func answer(_ decision: Rasa.Decision) async throws -> Rasa.Timeline.Question.Answer? {
      let ready = try asking.ready("trip") { approval in
        #expect(approval.fields.map(\.name) == ["city", "days"])
        #expect(approval.fields.map(\.isRequired) == [true, false])
        #expect(approval.standard == #"{"city":"Lisbon"}"#)
        #expect(approval.problem(withField: "days", "many") != nil)
        #expect(throws: RasaError.self) { try approval.check(.members(["days": "3"])) }
        try approval.check(decision)
        return decision
      }
      let result = try await ready.run(Rasa.Observer { _ in })
      let timeline = try await kit.rasa.timeline(ofRun: result.run)
      for case .visit(let visit) in timeline.items {
        for question in visit.passes.flatMap(\.questions) { return question.answer }
      }
      return nil
    }
    let members = try #require(try await answer(.members(["city": "Porto", "days": "3"])))
    #expect(members.text == ["city": "Porto", "days": 3] && members.by == "ada")
    let standard = try #require(try await answer(.by("a rule", .standard)))
    #expect(standard.text == ["city": "Lisbon"] && standard.by == "a rule")
    await kit.rasa.close()
  }

  @Test("a fork says before it begins what it takes over and what is left")
  func fork() async throws {
    let kit = try kit()
    let origin = try await kit.rasa.run(persona: "greeter", input: "Hi?").result().run
    let same = try await kit.rasa.ready(forkOf: origin)
    let forecast = try await same.forecast()
    #expect(same.origin == origin && forecast.reusedCalls == 1 && forecast.isComplete)
    var options = Rasa.ForkOptions()
    options.input = "And now?"
    let other = try await kit.rasa.ready(forkOf: origin, options).forecast()
    #expect(other.reusedCalls == 0 && !other.isComplete && other.asks.count == other.mostCalls)
    let result = try await same.run.run(Rasa.Observer { _ in })
    #expect(result.run == same.run.id && result.text == "Hello.")
    #expect(try await kit.rasa.run(withID: result.run).forkOf == origin)
    await kit.rasa.close()
  }

  @Test("values by name keep the order in which they were set")
  func pairs() {
    var pairs: Rasa.Pairs<String> = ["tone": "brief", "language": "German"]
    pairs["audience"] = "engineers"
    pairs["tone"] = "warm"
    #expect(pairs.names == ["tone", "language", "audience"] && pairs["tone"] == "warm")
    pairs["language"] = nil
    #expect(pairs.names == ["tone", "audience"] && pairs["language"] == nil)
    #expect(Rasa.Pairs(["b": 1, "a": 2]).names == ["a", "b"])
  }
}
