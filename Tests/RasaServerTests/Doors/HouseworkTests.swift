import RasaCore
import RasaHTTPClient
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("Doors: what front ends ask for themselves", .timeLimit(.minutes(1)))
struct HouseworkTests {
  private static func request(_ text: String, _ change: (inout DoorRequest) -> Void = { _ in })
    -> DoorRequest
  {
    var request = DoorRequest(
      completion: Rasa.Completion(model: "rasa/helper", messages: [.init(.user, text)]))
    change(&request)
    return request
  }

  /// In the shapes of Open WebUI, Zed and LibreChat, in our own words between the marks.
  static let prompts = [
    "### Task:\nA title for the talk, in a few words.\n### Output:\nJSON\n### Chat History:\n<chat_history>\nUSER: Hi\nASSISTANT: Hello\n</chat_history>",
    "### Task:\nTags for the talk.\n### Chat History:\n<chat_history>\nUSER: Hi\n</chat_history>",
    "  ### Task:\nQuestions that could follow.\n<chat_history>\nUSER: Hi\n</chat_history>",
    "### Task:\nGo on with the text.\n<type>General</type>\n<text>I would</text>",
    "Generate a concise name, a title for this conversation",
    "Provide a concise, 5-word-or-less title for the conversation: Hi",
  ]

  @Test("it is told by its shape", arguments: prompts)
  func found(prompt: String) {
    #expect(Housework(Self.request(prompt)) != nil)
    // With tools, or with a file, somebody wants something done.
    #expect(
      Housework(
        Self.request(prompt) {
          $0.completion.tools = [.init(name: "a", description: "", parameters: [:])]
        }) == nil)
  }

  @Test(
    "what people ask is not taken for it",
    arguments: [
      "Hi", "Generate a concise title for my thesis", "### Task:\nWrite a poem",
      "What does <chat_history> mean?",
      "Why is it ### Task: and <chat_history>?", "",
    ])
  func others(prompt: String) {
    #expect(Housework(Self.request(prompt)) == nil)
  }

  @Test("its answer is no run of the persona, belongs to no session, and the persona pays")
  func noRun() async throws {
    try await withServer(ServerKit([.text("A title")])) { kit in
      let body = Value.object([
        "model": "rasa/helper", "user": "session:talk",
        "response_format": ["type": "json_object"],
        "messages": [["role": "user", "content": .string(Self.prompts[0])]],
      ])
      let reply = try await kit.ask("POST", "/v1/chat/completions", body.json())
      #expect(reply.status == 200, "\(reply.text)")
      #expect(reply.headers.first(named: "x-rasa-run") == nil)
      #expect(
        try await kit.rasa.runs().filter { $0.persona == "helper" && $0.session != nil }.isEmpty)
      #expect(try await kit.rasa.sessions().isEmpty)
      #expect(try await kit.rasa.memories().isEmpty)
      let sent = try #require(kit.provider.requests.last)
      #expect(sent.messages.count == 1 && sent.lastMessage.hasBytes("<chat_history>"))
      // A persona that works by rules alone has no model: a quick one answers.
      let rules = try await kit.ask(
        "POST", "/v1/chat/completions",
        Value.object([
          "model": "rasa/support_triage",
          "messages": [["role": "user", "content": .string(Self.prompts[1])]],
        ]).json())
      #expect(rules.status == 200, "\(rules.text)")
    }
  }
}
