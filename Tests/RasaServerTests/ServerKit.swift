import RasaCore
import RasaDocuments
import RasaHTTPClient
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

/// A server on a real socket, in front of a scripted provider that is every configured one.
struct ServerKit: Sendable {
  static let token = "rasa_test_token_of_the_owner"

  let folder = ScratchDirectory()
  let provider: ScriptedProvider
  let rasa: Rasa
  let server: Server
  private let client = HTTPClient()

  struct Reply: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var text: String

    var json: Value {
      get throws { try JSON.parse(Array(text.utf8), named: "the reply") }
    }

    /// The `data:` lines of a stream of events, without `[DONE]`.
    var events: [Value] {
      get throws { try DialectWriterTests.events(text).map(\.data) }
    }

    /// The lines of a stream of JSON.
    var lines: [Value] {
      get throws {
        try text.split(atByte: "\n", omittingEmpty: true).map {
          try JSON.parse(Array($0.utf8), named: "a line")
        }
      }
    }
  }

  /// - Parameters:
  ///   - files: Below the home, by their paths.
  ///   - tokens: The entries of `tokens.json`, with `token` in place of its digest.
  init(
    _ scripts: [Script] = [], files: [String: String] = [:], tokens: [Value] = [],
    environment: [String: String] = [:], settings: ServerSettings = ServerSettings()
  ) throws {
    try folder.write(
      "name: helper\ndescription: Helps.\nframes: [session_frame]\n",
      to: "home/personas/helper.yaml")
    for (path, text) in files { try folder.write(text, to: "home/\(path)") }
    provider = try ScriptedProvider.start(
      scripts, models: ["gpt-4o-mini", "claude-haiku-4-5", "llama3"])
    var configuration = Rasa.Configuration(home: folder.file("home"))
    configuration.user = "ada"
    configuration.environment = [
      "OPENAI_BASE_URL": provider.openAIBaseURL, "OPENAI_API_KEY": "sk-test",
      "ANTHROPIC_BASE_URL": provider.baseURL, "ANTHROPIC_API_KEY": "sk-ant-test",
      "OLLAMA_HOST": provider.baseURL,
    ].merging(environment) { $1 }
    rasa = try Rasa(configuration)
    var settings = settings
    settings.port = 0
    settings.token = Self.token
    if !tokens.isEmpty {
      let entries = tokens.map { entry -> Value in
        var entry = entry.object ?? ValueObject()
        entry["sha256"] = .string(Digest.sha256(entry["token"]?.string ?? ""))
        entry["token"] = nil
        return .object(entry)
      }
      let path = rasa.folders.data + "/tokens.json"
      try folder.write(
        Value.object(["tokens": .array(entries)]).json(),
        to: String(path.dropFirst(folder.path.utf8.count + 1)))
    }
    server = try Server.start(rasa, settings)
  }

  func close() async {
    await server.stop(grace: .seconds(2))
    client.shutdown()
    await rasa.close()
    provider.stop()
    withExtendedLifetime(folder) {}
  }

  func send(
    _ method: String, _ path: String, _ body: String = "", token: String? = Self.token,
    headers: [(name: String, value: String)] = []
  ) async throws -> HTTPResponse {
    var all = headers
    if let token { all.append((name: "Authorization", value: "Bearer \(token)")) }
    if !body.isEmpty { all.append((name: "Content-Type", value: "application/json")) }
    return try await client.send(
      HTTPRequest(
        method: method, url: "http://127.0.0.1:\(server.port)\(path)", headers: all,
        body: Array(body.utf8), allowsPlainHTTP: true))
  }

  func ask(
    _ method: String, _ path: String, _ body: String = "", token: String? = Self.token,
    headers: [(name: String, value: String)] = []
  ) async throws -> Reply {
    let response = try await send(method, path, body, token: token, headers: headers)
    let bytes = try await response.body.collect(limit: 10_000_000)
    return Reply(
      status: response.status, headers: response.headers,
      text: String(decoding: bytes, as: UTF8.self))
  }

  func chat(
    _ model: String, _ text: String, _ more: String = "", token: String? = Self.token,
    headers: [(name: String, value: String)] = []
  ) async throws -> Reply {
    try await ask(
      "POST", "/v1/chat/completions",
      #"{"model":"\#(model)","messages":[{"role":"user","content":"\#(text)"}]\#(more.isEmpty ? "" : ",")\#(more)}"#,
      token: token, headers: headers)
  }
}

/// Runs with a server, and stops it whatever happens.
func withServer(
  _ kit: ServerKit, _ body: (ServerKit) async throws -> Void
) async throws {
  do {
    try await body(kit)
    await kit.close()
  } catch {
    await kit.close()
    throw error
  }
}
