import Glibc
import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa: conversations of any length")
struct LongConversationTests {
  private static let window = 3_000

  /// A provider that counts and refuses, with answers that take room.
  private func start(_ first: Script...) throws -> (ScriptedProvider, RasaProgram) {
    let provider = try ScriptedProvider.start(
      first + [Script(.words(150)).with { $0.window = Self.window }])
    var rasa = try RasaProgram(provider)
    // Nobody has heard of it, so only a refusal tells how large its window is.
    rasa.environment["LLM_MODEL"] = "made-up-model"
    try rasa.writeSingle()
    return (provider, rasa)
  }

  private func question(_ number: Int) -> String {
    "Question \(number): " + (0..<150).map { "item\($0)" }.joined(separator: " ")
  }

  /// The numbers of the questions in a prompt, in its order.
  private func questions(in request: ReceivedRequest) -> [Int] {
    request.messages.compactMap { message in
      let words = message.split { $0 == " " || $0 == "\n" }
      guard let place = words.firstIndex(of: "Question"), place + 1 < words.count else {
        return nil
      }
      return Int(words[place + 1].prefix { $0.isNumber })
    }
  }

  private func asked(_ provider: ScriptedProvider) -> [ReceivedRequest] {
    provider.requests.filter { $0.method == "POST" }
  }

  @Test("each process of a long session is answered, and says what was left out")
  func goesOnInManyProcesses() async throws {
    let (provider, rasa) = try start()
    defer { provider.stop() }
    var last = Value.null
    for number in 1...14 {
      let run = try await rasa.run(
        "run", "-p", "single", "--session", "talk", question(number), "--json")
      #expect(run.exitCode == 0, "\(number): \(run.errorText)")
      last = try JSON.parse(run.output)
    }
    let requests = asked(provider)
    // The refusal taught every later process.
    #expect(requests.count { $0.status == 400 } == 1)
    let prompt = try #require(requests.last)
    #expect(prompt.promptTokens <= Self.window)
    let shown = questions(in: prompt)
    #expect(shown == Array((14 - shown.count + 1)...14) && shown.count >= 3)
    let notice = try #require(last["notices"].array?.first { $0["kind"] == "history" })
    #expect(notice["turns"] == .int(Int64(14 - shown.count)))
    #expect(notice["model"] == "openai:made-up-model" && notice["session"] == "talk")
    #expect(notice["window"] == .int(Int64(Self.window)))
    let told = try #require(prompt.messages.first { $0.contains("are not shown") })
    #expect(told.contains("\(14 - shown.count) oldest turns"))

    let run = try await rasa.run("run", "-p", "single", "--session", "talk", "And now?")
    #expect(run.errorText.contains("of the session `talk`"), "\(run.errorText)")
    #expect(run.errorText.contains("left out for openai:made-up-model"))
    let id = try #require(last["run"].string)
    let timeline = try await rasa.run("runs", "show", id)
    #expect(timeline.text.contains("left out for openai:made-up-model"), "\(timeline.text)")
  }

  @Test("an error names the session and the size when nothing helps")
  func namesTheSession() async throws {
    let (provider, rasa) = try start()
    defer { provider.stop() }
    for number in 1...3 {
      _ = try await rasa.run("run", "-p", "single", "--session", "talk", question(number))
    }
    let tooLong = (0..<6_000).map { "w\($0)" }.joined(separator: " ")
    let run = try await rasa.run(
      "run", "-p", "single", "--session", "talk", "-i", "-", input: tooLong)
    #expect(run.exitCode != 0)
    #expect(run.errorText.contains("turns of the session `talk`"), "\(run.errorText)")
    #expect(run.errorText.contains("--session NAME") && run.errorText.contains("--model"))
  }

  @Test("two processes in one session keep both turns, and each sees what was there when it began")
  func twoProcesses() async throws {
    let slow = Script.text("Slow answer.").with {
      $0.matches = { $0.lastMessage.contains("Question 1") }
      // Longer than it takes the other one to begin.
      $0.headersDelay = .seconds(4)
    }
    let (provider, rasa) = try start(slow)
    defer { provider.stop() }
    async let first = rasa.run("run", "-p", "single", "--session", "both", "Question 1")
    try await provider.waitForRequests(1)
    let second = try await rasa.run("run", "-p", "single", "--session", "both", "Question 2")
    let one = try await first
    #expect(one.exitCode == 0 && second.exitCode == 0, "\(one.errorText)\(second.errorText)")
    // Neither has seen the other.
    for request in asked(provider) { #expect(questions(in: request).count == 1) }
    let third = try await rasa.run("run", "-p", "single", "--session", "both", "Question 3")
    #expect(third.exitCode == 0)
    let last = try #require(asked(provider).last)
    // Each once, in the order in which they came to their end.
    let order = questions(in: last)
    #expect(Set(order) == [1, 2, 3] && order.count == 3 && order.last == 3)
    #expect(last.messages.contains("Slow answer."))
  }

  @Test("a chat sees what another process has added to its session")
  func chatSeesOthers() async throws {
    let (provider, rasa) = try start()
    defer { provider.stop() }
    let script = """
      ( echo "Question 1"; while [ ! -e added ]; do sleep 0.05; done; echo "Question 3" ) |
        "$RASA" chat -p single --session shared > chat.txt 2>&1 &
      chat=$!
      until "$RASA" runs list --json 2>/dev/null | grep -q '"done"'; do sleep 0.05; done
      "$RASA" run -p single --session shared "Question 2" > /dev/null
      touch added
      wait $chat
      """
    let run = try await rasa.shell(script)
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(asked(provider).map { questions(in: $0) } == [[1], [1, 2], [1, 2, 3]])
  }

  // MARK: Summaries

  private static let summarised = """
    memory: {summarise: {model: "openai:gpt-4o-mini", max_cost: 0.05}}
    recommended_models: {primary: made-up-model}
    """

  private let isSummary: @Sendable (ReceivedRequest) -> Bool = {
    $0.lastMessage.contains("# The summary so far")
  }

  @Test("a summary stands for what no longer fits, is extended, and goes with a forgotten turn")
  func summarises() async throws {
    let summary = Script.text("They spoke of many items.").with {
      $0.matches = { $0.lastMessage.contains("# The summary so far") }
    }
    let (provider, rasa) = try start(summary)
    defer { provider.stop() }
    try rasa.writeSingle(Self.summarised)
    var oldest = ""
    for number in 1...20 {
      let run = try await rasa.run(
        "run", "-p", "single", "--session", "talk", question(number), "--json")
      #expect(run.exitCode == 0, "\(number): \(run.errorText)")
      if number == 1 { oldest = try JSON.parse(run.output)["run"].string ?? "" }
    }
    let made = asked(provider).filter(isSummary)
    // Some turns at a time, and each of them in one summary only.
    try #require(made.count >= 2)
    for number in 1...20 {
      #expect(made.count { $0.lastMessage.contains("Question \(number):") } <= 1)
    }
    #expect(made[0].lastMessage.contains("There is none."))
    #expect(made[1].lastMessage.contains("They spoke of many items."))
    #expect(made[0].lastMessage.contains("Question 1:"))
    #expect(!made[1].lastMessage.contains("Question 1:"))
    // It is a message of the conversation, not the author's words.
    let prompt = try #require(asked(provider).last { !isSummary($0) })
    let place = try #require(
      prompt.messages.firstIndex { $0.contains("They spoke of many items.") })
    #expect(place == 1 && prompt.messages[1].contains("A model wrote the following summary"))
    #expect(prompt.json["messages"].array?[place]["role"] == "user")
    #expect(prompt.promptTokens <= Self.window)
    let runs = try await rasa.run("runs", "list", "--persona", "conversation_summary", "--json")
    #expect(runs.text.contains("conversation_summary"))

    // Forgetting one of the turns discards it, and the runs that have read the turn.
    let forgotten = try await rasa.run("memory", "forget", "--run", oldest)
    #expect(forgotten.exitCode == 0, "\(forgotten.errorText)")
    let after = try await rasa.run("run", "-p", "single", "--session", "talk", "And now?")
    #expect(after.exitCode == 0)
    let next = try #require(asked(provider).last { !isSummary($0) })
    #expect(!next.messages.contains { $0.contains("They spoke of many items.") })
  }

  @Test("a summary that a killed process has begun is gone on with, under the same key")
  func outlivesAKill() async throws {
    let waiting = Script.text("They spoke of many items.").with {
      $0.matches = { $0.lastMessage.contains("# The summary so far") }
      $0.limit = 1
      $0.headersDelay = .seconds(50)
    }
    let answered = waiting.with {
      $0.limit = nil
      $0.headersDelay = .zero
    }
    let (provider, rasa) = try start(waiting, answered)
    defer { provider.stop() }
    for number in 1...6 {
      let run = try await rasa.run("run", "-p", "single", "--session", "talk", question(number))
      #expect(run.exitCode == 0, "\(number): \(run.errorText)")
    }
    try rasa.writeSingle(Self.summarised)
    let program = try RunningProgram(
      RasaProgram.binary, ["run", "-p", "single", "--session", "talk", question(7)],
      environment: rasa.environment, folder: rasa.home.path, atLimit: .kill)
    let isSummary = self.isSummary
    try await provider.invoice.wait(for: "the summary") { $0.requests.contains(where: isSummary) }
    program.signal(SIGKILL)
    let killed = try await program.finish()
    // The answer was out before anybody was asked for a summary.
    #expect(killed.text.contains("the price"))
    for number in 8...9 {
      let run = try await rasa.run("run", "-p", "single", "--session", "talk", question(number))
      #expect(run.exitCode == 0, "\(number): \(run.errorText)")
      #expect(!run.errorText.contains("was not summarised"), "\(run.errorText)")
    }
    let made = asked(provider).filter(isSummary)
    try #require(made.count >= 2)
    #expect(made[0].idempotencyKey != nil && made[0].idempotencyKey == made[1].idempotencyKey)
    #expect(made[0].body == made[1].body)
    let prompt = try #require(asked(provider).last { !isSummary($0) })
    #expect(prompt.messages.contains { $0.contains("They spoke of many items.") })
  }

  @Test("a conversation goes on without a summary that fails, and says so")
  func goesOnWithout() async throws {
    let refusal = Script.error(401, "no").with {
      $0.matches = { $0.lastMessage.contains("# The summary so far") }
    }
    let (provider, rasa) = try start(refusal)
    defer { provider.stop() }
    try rasa.writeSingle(Self.summarised)
    var said = ""
    for number in 1...8 {
      let run = try await rasa.run("run", "-p", "single", "--session", "talk", question(number))
      #expect(run.exitCode == 0, "\(number): \(run.errorText)")
      #expect(!run.output.isEmpty)
      said += run.errorText
    }
    #expect(asked(provider).contains(where: isSummary))
    #expect(said.contains("was not summarised, and goes on without"), "\(said)")
  }

  @Test("a summary that its budget has no room for is not asked for")
  func keepsToItsBudget() async throws {
    let (provider, rasa) = try start()
    defer { provider.stop() }
    try rasa.writeSingle(
      "memory: {summarise: {model: \"openai:gpt-4o\", max_cost: 0.000001}}\n"
        + "recommended_models: {primary: made-up-model}")
    var said = ""
    for number in 1...8 {
      let run = try await rasa.run("run", "-p", "single", "--session", "talk", question(number))
      #expect(run.exitCode == 0, "\(number): \(run.errorText)")
      said += run.errorText
    }
    #expect(!asked(provider).contains(where: isSummary))
    #expect(said.contains("was not summarised"), "\(said)")
  }
}
