import RasaCore
import RasaTestKit
import Testing

@testable import RasaKit

@Suite("Answers that are given again", .timeLimit(.minutes(1))) struct AnswerCacheTests {
  private actor Parts {
    private(set) var heads: [[String]] = []
    private(set) var bytes: [UInt8] = []
    private(set) var parts: [Rasa.CompletionPart] = []

    func note(_ part: Rasa.ProviderPart) {
      switch part {
      case .head(_, let headers):
        heads.append(headers.map { "\($0.name.lowercased()): \($0.value)" })
      case .bytes(let more): bytes += more
      }
    }

    func note(_ part: Rasa.CompletionPart) { parts.append(part) }
  }

  private static func request(_ text: String = "Hi", age: Duration? = .seconds(60))
    -> Rasa.ProviderRequest
  {
    let body =
      #"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"\#(text)"}]}"#
    var request = Rasa.ProviderRequest(
      model: "openai:gpt-4o-mini", path: "/chat/completions", body: Array(body.utf8))
    request.maxCacheAge = age
    return request
  }

  private static func question(_ text: String = "Hi", age: Duration? = .seconds(60))
    -> Rasa.Completion
  {
    var asked = Rasa.Completion(model: "openai:gpt-4o-mini", messages: [.init(.user, text)])
    asked.maxCacheAge = age
    return asked
  }

  @Test("have the same bytes, cost nothing, and say what they are")
  func passedOn() async throws {
    let kit = try Kit(provider: [Script.text("Hello there.")])
    let (first, second) = (Parts(), Parts())
    let paid = try await kit.rasa.forward(Self.request()) { await first.note($0) }
    let again = try await kit.rasa.forward(Self.request()) { await second.note($0) }
    #expect(kit.provider?.requests.count == 1)
    #expect(await first.bytes == second.bytes)
    #expect(!paid.isCached && paid.cost > 0 && again.isCached && again.cost == 0)
    #expect(again.outputTokens == paid.outputTokens && again.run != paid.run)
    #expect(await !first.heads[0].contains("x-rasa-cache: hit"))
    let head = await second.heads[0]
    #expect(head.contains("x-rasa-cache: hit") && head.contains { $0.hasPrefix("content-type") })
    let run = try await kit.rasa.run(withID: again.run)
    #expect(run.status == .done && run.input.contains("from the cache"))
    #expect(try await kit.rasa.calls(ofRun: again.run).isEmpty)
    await kit.rasa.close()
  }

  @Test("have the same words and calls")
  func completed() async throws {
    let calls = [ScriptedCall(id: "c1", name: "weather", arguments: ["city": "Ulm"])]
    let kit = try Kit(provider: [
      Script.text("Hello there.").with {
        $0.reasoning = ["hm ", "so"]
        $0.toolCalls = calls
      }
    ])
    var asked = Self.question()
    asked.tools = [.init(name: "weather", description: "", parameters: ["type": "object"])]
    let (first, second) = (Parts(), Parts())
    let paid = try await kit.rasa.complete(asked) { await first.note($0) }
    let again = try await kit.rasa.complete(asked) { await second.note($0) }
    #expect(kit.provider?.requests.count == 1)
    #expect(again.isCached && again.cost == 0 && again.finish == "tool_calls")
    #expect(again.text == paid.text && again.toolCalls == paid.toolCalls)
    #expect(
      await second.parts == [
        .started(provider: "openai", model: "gpt-4o-mini"), .reasoning("hm so"),
        .text("Hello there."), .toolCall(paid.toolCalls[0]),
      ])
    await kit.rasa.close()
  }

  @Test("go to nobody else, and only to who wants them for the same request")
  func others() async throws {
    let kit = try Kit(provider: [Script.text("Hello there.")])
    try await kit.rasa.register(Kit.writer)
    _ = try await kit.rasa.forward(Self.request()) { _ in }
    _ = try await kit.rasa.complete(Self.question()) { _ in }
    var other = Self.request()
    other.user = "bob"
    var owned = Self.request()
    owned.owner = "note-writer"
    var token = Self.request()
    token.budget = Rasa.ExtraBudget(name: "token:ci")
    var beta = Self.request()
    beta.headers = [(name: "OpenAI-Beta", value: "x")]
    var asked = kit.provider?.requests.count ?? 0
    #expect(asked == 2)
    for request in [
      other, owned, token, beta, Self.request("Ho"), Self.request(age: nil),
      Self.request(age: .zero),
    ] {
      #expect(try await !kit.rasa.forward(request) { _ in }.isCached)
      asked += 1
      #expect(kit.provider?.requests.count == asked)
    }
    var warm = Self.question()
    warm.temperature = 0.5
    var bob = Self.question()
    bob.user = "bob"
    for request in [warm, bob, Self.question("Ho"), Self.question(age: nil)] {
      #expect(try await !kit.rasa.complete(request) { _ in }.isCached)
    }
    // A header that says nothing about the answer makes no difference.
    var traced = Self.request()
    traced.headers = [(name: "X-Request-Id", value: "7")]
    #expect(try await kit.rasa.forward(traced) { _ in }.isCached)
    await kit.rasa.close()
  }

  @Test(
    "are whole",
    arguments: [
      Script.error(400, "no"), Script.text("No.").with { $0.finishReason = "content_filter" },
      Script.text("Too").with { $0.finishReason = "length" },
      Script.words(9).with { $0.chunking = .eachEvent }.broken(after: 4, .close),
    ])
  func whole(_ script: Script) async throws {
    let kit = try Kit(provider: [script.once(), script.once(), .text("Hello there.")])
    _ = try? await kit.rasa.forward(Self.request()) { _ in }
    _ = try? await kit.rasa.complete(Self.question()) { _ in }
    #expect(try await !kit.rasa.forward(Self.request()) { _ in }.isCached)
    #expect(try await !kit.rasa.complete(Self.question()) { _ in }.isCached)
    await kit.rasa.close()
  }

  @Test("are let go of, the oldest first, where there is no room, and when they are too old")
  func bounds() {
    let cache = AnswerCache(most: 4_000, mostPerAnswer: 1_000)
    func answer(_ text: String) -> AnswerCache.Answer {
      var copy = ForwardedCopy()
      copy.bytes = Array(text.utf8)
      return .forwarded(copy)
    }
    func text(_ key: String, _ age: Duration = .seconds(100), at now: UInt64 = 0) -> String? {
      guard case .forwarded(let copy) = cache.answer(key, within: age, at: now) else { return nil }
      return String(decoding: copy.bytes, as: UTF8.self)
    }
    cache.keep(answer("long"), of: 1_001, as: "long", at: 0)
    #expect(text("long") == nil && cache.size.count == 0)
    for number in 0..<5_000 {
      cache.keep(answer("\(number)"), of: 500, as: "\(number)", at: UInt64(number))
      #expect(cache.size.bytes <= 4_000)
      // The same one made anew counts once.
      cache.keep(answer("same"), of: 100, as: "same", at: UInt64(number))
    }
    #expect(text("4999") == "4999" && text("4990") == nil && text("same") == "same")
    #expect(cache.size.count >= 3 && cache.size.count <= 7)
    cache.keep(answer("now"), of: 10, as: "now", at: 1_000)
    #expect(text("now", .nanoseconds(10), at: 1_010) == "now")
    #expect(text("now", .nanoseconds(10), at: 1_011) == nil)
    #expect(text("now", .seconds(-1), at: 1_001) == nil)
  }
}
