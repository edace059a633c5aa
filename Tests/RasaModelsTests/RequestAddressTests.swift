import RasaCore
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

@Suite struct RequestAddressTests {
  @Test(
    arguments: [
      (.openAI, "https://h/v1", "/chat/completions", "https://h/v1/chat/completions"),
      (.openAI, "https://h/x/deployments/d", "/c", "https://h/x/deployments/d/c"),
      (.anthropic, "https://h", "/messages", "https://h/v1/messages"),
      (.anthropic, "https://h/v1", "/messages", "https://h/v1/messages"),
      (.anthropic, "https://h/proxy", "/messages", "https://h/proxy/v1/messages"),
      (.gemini, "https://h", "/models/m:x?alt=sse", "https://h/v1beta/models/m:x?alt=sse"),
      (.gemini, "https://h/v1beta", "/models/m:x", "https://h/v1beta/models/m:x"),
      (.gemini, "https://h/v1alpha", "/models/m:x", "https://h/v1alpha/models/m:x"),
      (.ollama, "http://h:1", "/api/chat", "http://h:1/api/chat"),
    ] as [(ProviderSettings.Dialect, String, String, String)])
  func putsTheVersionIntoTheAddressOnce(
    _ row: (dialect: ProviderSettings.Dialect, base: String, path: String, address: String)
  ) {
    let settings = ProviderSettings(name: "p", dialect: row.dialect, baseURL: row.base)
    #expect(settings.address(of: row.path) == row.address)
  }

  @Test func addsTheQueryToEveryAddress() {
    let settings = ProviderSettings(
      name: "p", dialect: .openAI, baseURL: "https://h/v1",
      query: [("api-version", "2026-01-01"), ("a b", "c&d")])
    #expect(settings.address(of: "/m") == "https://h/v1/m?api-version=2026-01-01&a%20b=c%26d")
    #expect(
      settings.address(of: "/m?x=1") == "https://h/v1/m?x=1&api-version=2026-01-01&a%20b=c%26d")
  }

  @Test(
    arguments: [
      (.openAI, nil, "Authorization", "Bearer key"), (.ollama, nil, "Authorization", "Bearer key"),
      (.anthropic, nil, "x-api-key", "key"), (.gemini, nil, "x-goog-api-key", "key"),
      (.openAI, "api-key", "api-key", "key"), (.gemini, "X-Key", "X-Key", "key"),
      (.anthropic, "Authorization", "Authorization", "Bearer key"),
    ] as [(ProviderSettings.Dialect, String?, String, String)])
  func carriesTheKeyInTheHeaderOfTheDialect(
    _ row: (dialect: ProviderSettings.Dialect, header: String?, name: String, value: String)
  ) {
    let settings = ProviderSettings(
      name: "p", dialect: row.dialect, baseURL: "https://h", key: Secret("key"),
      keyHeader: row.header)
    let headers = settings.headers(idempotencyKey: nil)
    #expect(headers.filter { $0.value.contains("key") }.map(\.name) == [row.name])
    #expect(headers.first { $0.name == row.name }?.value == row.value)
    #expect(!settings.address(of: "/x").contains("key"))
    let version = headers.first { $0.name == "anthropic-version" }?.value
    #expect(version == (row.dialect == .anthropic ? "2023-06-01" : nil))
  }

  @Test func sendsTheUsersHeadersInPlaceOfItsOwn() {
    let settings = ProviderSettings(
      name: "p", dialect: .anthropic, baseURL: "https://h",
      extraHeaders: [("Anthropic-Version", "2030-01-01"), ("anthropic-beta", "x")])
    let headers = settings.headers(idempotencyKey: "k")
    #expect(headers.filter { $0.name.lowercased() == "anthropic-version" }.count == 1)
    #expect(headers.contains { $0.name == "anthropic-beta" && $0.value == "x" })
    #expect(headers.contains { $0.name == "Idempotency-Key" && $0.value == "k" })
  }

  @Test(
    arguments: [
      ("OpenAI", ["data": [["id": "a"], ["id": "b"]]], ["a", "b"]),
      ("Ollama", ["models": [["name": "a:1"]]], ["a:1"]),
      (
        "Anthropic", ["data": [["type": "model", "id": "claude", "display_name": "C"]]], ["claude"]
      ),
      (
        "Gemini",
        [
          "models": [
            [
              "name": "models/g", "supportedGenerationMethods": ["generateContent", "countTokens"],
            ],
            ["name": "models/e", "supportedGenerationMethods": ["embedContent"]],
          ]
        ], ["g"]
      ),
      ("nothing", [:], []), ("names that are none", ["data": [["id": 7], [:], "x"]], []),
    ] as [(String, Value, [String])])
  func readsLists(_ row: (name: String, list: Value, models: [String])) {
    #expect(ListedModel.read(row.list).map(\.name) == row.models)
  }

  @Test func knowsWhatRunsInACloud() {
    let list: Value = [
      "models": [
        ["name": "here"], ["name": "there", "remote_host": "https://ollama.com"],
        ["name": "elsewhere", "remote_model": "x"], ["name": "empty", "remote_host": ""],
      ]
    ]
    #expect(ListedModel.read(list).filter(\.isRemote).map(\.name) == ["there", "elsewhere"])
  }
}
