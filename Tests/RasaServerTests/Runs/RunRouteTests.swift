import RasaCore
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("Runs over HTTP", .timeLimit(.minutes(1)))
struct RunRouteTests {
  static let single = """
    name: single
    description: Answers.
    frames: [session_frame]
    recommended_models: {primary: "openai:gpt-4o-mini"}

    """
  static let asking = """
    name: asking
    description: Asks first.
    frames: [session_frame]
    recommended_models: {primary: "openai:gpt-4o-mini"}
    operators:
      - {name: respond, kind: llm, reads: [input], writes: {draft: text}, review: always, prompt: "{{input}}"}

    """
  static let files = [
    "home/personas/single.yaml": single, "home/personas/asking.yaml": asking,
  ]

  @Test("a run streams its text and ends with its result; the same is there later")
  func streaming() async throws {
    let kit = try ServedKit([.tokens(["Hello", " ", "wörld"])], files: Self.files)
    let answer = try await kit.ask(
      "POST", "/v1/runs", #"{"persona": "single", "input": "Hi", "stream": true}"#)
    #expect(answer.status == 200)
    #expect(answer.header("content-type") == "text/event-stream; charset=utf-8")
    let events = Events(answer.body)
    #expect(events.text == "Hello wörld")
    #expect(events.types.first == "run.started" && events.types.last == "result")
    #expect(
      events.result["output"].string == "Hello wörld" && events.result["finish"].string == "stop")
    let id = try #require(answer.header("x-rasa-run"))
    let later = try await kit.ask("GET", "/v1/runs/\(id)/events")
    let again = Events(later.body)
    #expect(again.text == "Hello wörld" && again.result["finish"].string == "stop")
    #expect(again.result["cost_usd"].string == events.result["cost_usd"].string)
    let numbered = events.documents.filter {
      Rasa.JournalLine.streamed.contains($0["type"].string ?? "")
    }
    #expect(
      again.documents.filter { Rasa.JournalLine.streamed.contains($0["type"].string ?? "") }
        == numbered)
    let result = try await kit.ask("GET", "/v1/runs/\(id)/result")
    #expect(result.json["output"].string == "Hello wörld")
    // Who has everything gets only the end.
    let rest = try await kit.ask(
      "GET", "/v1/runs/\(id)/events", headers: ["Last-Event-ID: \(events.lastID ?? "")"])
    #expect(Events(rest.body).types == ["result"])
    await kit.stop()
  }

  @Test("a cut stream goes on after its last event while the run goes on")
  func cut() async throws {
    var script = Script.tokens(["one ", "two ", "three ", "four"])
    script.tokenDelay = .milliseconds(150)
    let kit = try ServedKit([script], files: Self.files)
    let client = try await kit.send(
      "POST", "/v1/runs", #"{"persona": "single", "input": "Hi", "stream": true}"#)
    let beginning = await client.receive { $0.contains("one ") }
    client.close()
    let first = Events(ServedKit.answer(beginning).body)
    let id = try #require(ServedKit.answer(beginning).header("x-rasa-run"))
    let last = try #require(first.lastID)
    let rest = try await kit.ask(
      "GET", "/v1/runs/\(id)/events", headers: ["Last-Event-ID: \(last)"])
    let whole = Events(rest.body, after: first.text)
    #expect(whole.text == "one two three four")
    #expect(!whole.types.contains("restart") && !whole.types.contains("run.started"))
    #expect(kit.provider.requests.count == 1)
    await kit.stop()
  }

  @Test("after a stop the next server goes on with the run, and its client has each byte once")
  func restart() async throws {
    var slow = Script.tokens(["one ", "two ", "three ", "four"])
    slow.breaking = (1, .silence)
    let kit = try ServedKit(
      [slow, .tokens(["one ", "two ", "three ", "four"])], files: Self.files)
    let client = try await kit.send(
      "POST", "/v1/runs", #"{"persona": "single", "input": "Hi", "stream": true}"#)
    _ = await client.receive { $0.contains("one ") }
    await kit.stop()
    let beginning = ServedKit.answer(await client.receive())
    let first = Events(beginning.body)
    #expect(first.result["status"].string == "interrupted")
    let id = try #require(beginning.header("x-rasa-run"))
    let next = try kit.next()
    let rest = try await next.ask(
      "GET", "/v1/runs/\(id)/events", headers: ["Last-Event-ID: \(try #require(first.lastID))"])
    let whole = Events(rest.body, after: first.text)
    #expect(whole.text == "one two three four")
    #expect(whole.result["status"].string == "done")
    #expect(!whole.types.contains("run.started") && whole.types.contains("run.resumed"))
    #expect(!whole.types.contains("restart"))
    await next.stop()
  }

  @Test("an answer that is another one after a restart begins again")
  func changed() async throws {
    var slow = Script.tokens(["one ", "two ", "three ", "four"])
    slow.breaking = (1, .silence)
    let kit = try ServedKit(
      [slow, .tokens(["something ", "else ", "entirely"])], files: Self.files)
    let client = try await kit.send(
      "POST", "/v1/runs", #"{"persona": "single", "input": "Hi", "stream": true}"#)
    _ = await client.receive { $0.contains("one ") }
    await kit.stop()
    let beginning = ServedKit.answer(await client.receive())
    let first = Events(beginning.body)
    let id = try #require(beginning.header("x-rasa-run"))
    let next = try kit.next()
    let rest = try await next.ask(
      "GET", "/v1/runs/\(id)/events", headers: ["Last-Event-ID: \(try #require(first.lastID))"])
    let whole = Events(rest.body, after: first.text)
    #expect(whole.text == "something else entirely")
    #expect(whole.types.contains("restart"))
    await next.stop()
  }

  @Test("a run is parked when its last reader has gone, if that was wanted")
  func leaving() async throws {
    var slow = Script.tokens(["one ", "two ", "three ", "four"])
    slow.breaking = (1, .silence)
    let kit = try ServedKit([slow], files: Self.files)
    let client = try await kit.send(
      "POST", "/v1/runs",
      #"{"persona": "single", "input": "Hi", "stream": true, "when_left": "park"}"#)
    let beginning = await client.receive { $0.contains("one ") }
    let id = try #require(ServedKit.answer(beginning).header("x-rasa-run"))
    client.close()
    _ = try await kit.provider.waitForDisconnect(ofRequest: 0)
    let events = try await kit.ask("GET", "/v1/runs/\(id)/events")
    #expect(Events(events.body).result["status"].string == "interrupted")
    // The next server does not go on with it: nobody wants it.
    await kit.stop()
    let next = try kit.next()
    #expect(try await next.ask("GET", "/v1/runs/\(id)").json["status"].string == "interrupted")
    await next.stop()
  }

  @Test("a question parks the run; its answer, once, has it go on")
  func approvals() async throws {
    let kit = try ServedKit([.text("A draft.")], files: Self.files)
    let started = try await kit.ask(
      "POST", "/v1/runs", #"{"persona": "asking", "input": "Hi", "wait": true}"#)
    #expect(started.json["status"].string == "parked" && started.json["output"].isNull)
    let question = try #require(started.json["waits_for"].array?.first?["approval"].string)
    let shown = try await kit.ask("GET", "/v1/approvals/\(question)")
    #expect(shown.json["payload"].string == "A draft.")
    let digest = try #require(shown.json["payload_digest"].string)
    for (body, status) in [
      (#"{"decision": "answer", "text": "x"}"#, 422), (#"{"decision": "maybe"}"#, 422),
      (#"{"decision": "feedback"}"#, 422),
      (#"{"decision": "approve", "payload_digest": "00"}"#, 409),
    ] {
      #expect(
        try await kit.ask("POST", "/v1/approvals/\(question)", body).status == status, "\(body)")
    }
    let answered = try await kit.ask(
      "POST", "/v1/approvals/\(question)",
      #"{"decision": "approve", "payload_digest": "\#(digest)"}"#)
    #expect(answered.status == 200 && answered.json["resumed"].bool == true, "\(answered.body)")
    let late = try await kit.ask("POST", "/v1/approvals/\(question)", #"{"decision": "reject"}"#)
    #expect(late.status == 409)
    #expect(late.json["approval"]["answer"]["decision"].string == "approve", "\(late.body)")
    let id = try #require(started.header("x-rasa-run"))
    let events = Events(try await kit.ask("GET", "/v1/runs/\(id)/events").body)
    #expect(events.result["status"].string == "done" && events.text == "A draft.")
    #expect(kit.provider.requests.count == 1)
    // A question of a run that was cancelled waits for nobody.
    kit.provider.add(Script.text("Another.").once())
    let other = try await kit.ask(
      "POST", "/v1/runs", #"{"persona": "asking", "input": "Ho", "wait": true}"#)
    let open = try #require(other.json["waits_for"].array?.first?["approval"].string)
    let otherRun = try #require(other.header("x-rasa-run"))
    #expect(try await kit.ask("POST", "/v1/runs/\(otherRun)/cancel").status == 200)
    #expect(
      try await kit.ask("POST", "/v1/approvals/\(open)", #"{"decision": "approve"}"#).status == 410)
    await kit.stop()
  }

  @Test("a run that is parked can be resumed while the server still looks after its end")
  func resumedAtOnce() async throws {
    let kit = try ServedKit([.text("A draft.")], files: Self.files)
    let context = kit.server.context
    let (finished, finish) = OneTimeSignal.make()
    let ready = try await kit.rasa.prepare(persona: "asking").ready("Hi")
    let first = try context.hub.start(
      ready, user: "ada", session: nil, atEnd: { _ in await finished.wait() })
    _ = try await first.log.result()
    #expect(context.hub.live(first.id) == nil)
    let question = try #require(try await kit.rasa.approvals(ofRun: first.id).first?.id)
    let answered = try await kit.ask(
      "POST", "/v1/approvals/\(question)", #"{"decision": "approve"}"#)
    #expect(answered.json["resumed"].bool == true, "\(answered.body)")
    finish()
    let events = Events(try await kit.ask("GET", "/v1/runs/\(first.id)/events").body)
    #expect(events.result["status"].string == "done" && events.text == "A draft.")
    await kit.stop()
  }

  @Test("in a conversation one run at a time: another is refused, waits, or stops the first")
  func busy() async throws {
    var slow = Script.tokens(["slow ", "and ", "slower"])
    slow.breaking = (1, .silence)
    let kit = try ServedKit([slow, .text("second"), .text("third")], files: Self.files)
    let client = try await kit.send(
      "POST", "/v1/runs", #"{"persona": "single", "input": "Hi", "stream": true, "session": "s"}"#)
    let beginning = await client.receive { $0.contains("slow ") }
    let first = try #require(ServedKit.answer(beginning).header("x-rasa-run"))
    let refused = try await kit.ask(
      "POST", "/v1/runs", #"{"persona": "single", "input": "Ho", "session": "s"}"#)
    #expect(
      refused.status == 409 && refused.json["error"]["run"].string == first, "\(refused.body)")
    async let waited = kit.ask(
      "POST", "/v1/runs",
      #"{"persona": "single", "input": "Ho", "session": "s", "when_busy": "enqueue", "wait": true}"#
    )
    while kit.server.context.turns.waiting == 0 { await Task.yield() }
    #expect(kit.provider.requests.count == 1)
    let parked = try await kit.ask("POST", "/v1/runs/\(first)/park")
    #expect(parked.json["status"].string == "interrupted")
    #expect(try await waited.json["output"].string == "second")
    await kit.stop()
  }

  @Test("a second message can stop the first")
  func interrupting() async throws {
    var slow = Script.tokens(["slow ", "and ", "slower"])
    slow.breaking = (1, .silence)
    let kit = try ServedKit([slow, .text("second")], files: Self.files)
    let client = try await kit.send(
      "POST", "/v1/runs", #"{"persona": "single", "input": "Hi", "stream": true, "session": "s"}"#)
    let beginning = await client.receive { $0.contains("slow ") }
    let first = try #require(ServedKit.answer(beginning).header("x-rasa-run"))
    let second = try await kit.ask(
      "POST", "/v1/runs",
      #"{"persona": "single", "input": "Ho", "session": "s", "when_busy": "interrupt", "wait": true}"#
    )
    #expect(second.json["output"].string == "second")
    #expect(try await kit.ask("GET", "/v1/runs/\(first)").json["status"].string == "interrupted")
    await kit.stop()
  }

  @Test("a fork is priced first, and starts under a price that was accepted")
  func fork() async throws {
    let kit = try ServedKit([.text("A draft."), .text("Another.")], files: Self.files)
    let started = try await kit.ask(
      "POST", "/v1/runs", #"{"persona": "single", "input": "Hi", "wait": true}"#)
    let id = try #require(started.header("x-rasa-run"))
    let price = try await kit.ask("POST", "/v1/runs/\(id)/fork", #"{"input": "Ho"}"#)
    #expect(price.status == 200 && price.json["run"].isNull, "\(price.body)")
    #expect(kit.provider.requests.count == 1)
    let most = try #require(price.json["most_cost_usd"].string)
    let refused = try await kit.ask(
      "POST", "/v1/runs/\(id)/fork", #"{"input": "Ho", "accept_usd": "0"}"#)
    #expect(refused.status == 409 && refused.json["most_cost_usd"].string == most)
    let accepted = try await kit.ask(
      "POST", "/v1/runs/\(id)/fork", #"{"input": "Ho", "accept_usd": "\#(most)"}"#)
    #expect(accepted.status == 202, "\(accepted.body)")
    let fork = try #require(accepted.json["run"].string)
    #expect(Events(try await kit.ask("GET", "/v1/runs/\(fork)/events").body).text == "Another.")
    await kit.stop()
  }
}
