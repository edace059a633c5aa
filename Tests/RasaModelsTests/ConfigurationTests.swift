import RasaCore
import RasaPersona
import Testing

@testable import RasaModels

@Suite struct ConfigurationTests {
  static let environments: [(environment: [String: String], providers: [String])] = [
    ([:], []),
    (["OPENAI_API_KEY": "sk-1"], ["openai https://api.openai.com/v1"]),
    (["OPENAI_API_KEY": "  "], []),
    (["OPENAI_BASE_URL": "http://127.0.0.1:8000"], ["openai http://127.0.0.1:8000/v1 local"]),
    (["OPENAI_BASE_URL": "http://127.0.0.1:8000/v1/"], ["openai http://127.0.0.1:8000/v1 local"]),
    (["OPENAI_BASE_URL": "localhost:1234/v1"], ["openai http://localhost:1234/v1 local"]),
    (["OPENAI_BASE_URL": "models.example.org"], ["openai https://models.example.org/v1"]),
    (["OPENAI_BASE_URL": "https://openrouter.ai/api/v1"], ["openai https://openrouter.ai/api/v1"]),
    (
      ["OPENAI_BASE_URL": "https://host.example/v1beta/openai/"],
      ["openai https://host.example/v1beta/openai"]
    ),
    (["OLLAMA_HOST": "127.0.0.1"], ["ollama http://127.0.0.1:11434 local"]),
    (["OLLAMA_HOST": "0.0.0.0:9999"], ["ollama http://127.0.0.1:9999 local"]),
    (["OLLAMA_HOST": ":9999"], ["ollama http://127.0.0.1:9999 local"]),
    (["OLLAMA_HOST": "gpu.example"], ["ollama http://gpu.example:11434"]),
    (["OLLAMA_HOST": "http://gpu.example"], ["ollama http://gpu.example"]),
    (["OLLAMA_HOST": "https://gpu.example/"], ["ollama https://gpu.example"]),
    (["OLLAMA_HOST": "http://gpu.example:1/api"], ["ollama http://gpu.example:1"]),
    (["OLLAMA_HOST": "[::1]:5"], ["ollama http://[::1]:5 local"]),
    (["OLLAMA_HOST": "::1"], ["ollama http://[::1]:11434 local"]),
    (
      ["OPENAI_API_KEY": "sk-1", "OLLAMA_HOST": "h"],
      ["openai https://api.openai.com/v1", "ollama http://h:11434"]
    ),
    (
      ["OPENAI_API_KEY": "sk-1", "OLLAMA_HOST": "h", "LLM_PROVIDER": "Ollama"],
      ["ollama http://h:11434", "openai https://api.openai.com/v1"]
    ),
    (["LLM_PROVIDER": "ollama"], ["ollama http://127.0.0.1:11434 local"]),
    (["LLM_PROVIDER": "ollama", "LLM_HOST": "h:1"], ["ollama http://h:1"]),
    (["LLM_PROVIDER": "openai", "LLM_HOST": "http://h:1"], ["openai http://h:1/v1"]),
    (["LLM_HOST": "http://h:1/v1"], ["openai http://h:1/v1"]),
    (["LLM_HOST": "h"], ["ollama http://h:11434"]),
    (["LLM_PROVIDER": "mock", "OPENAI_API_KEY": "sk-1"], ["openai https://api.openai.com/v1"]),
  ]

  @Test(arguments: environments)
  func findsProvidersInTheEnvironment(
    _ row: (environment: [String: String], providers: [String])
  ) throws {
    let configuration = try ModelConfiguration.discover(row.environment)
    let found = configuration.providers.map { settings in
      "\(settings.name) \(settings.baseURL)\(settings.isLocal ? " local" : "")"
    }
    #expect(found == row.providers)
  }

  @Test(arguments: [
    ["LLM_PROVIDER": "opnai"], ["LLM_PROVIDER": "openai"], ["LLM_PROVIDER": "anthropic"],
    ["OPENAI_BASE_URL": "ftp://h"], ["OPENAI_BASE_URL": "https://user:key@h/v1"],
    ["OPENAI_BASE_URL": "http://h:port"], ["OPENAI_BASE_URL": "http://h:99999"],
    ["OPENAI_BASE_URL": "http://"], ["OPENAI_BASE_URL": "http://a b"],
    ["OPENAI_BASE_URL": "http://h/v1?key=1"], ["OLLAMA_HOST": "[::1"],
    ["OPENAI_API_KEY": "two words"], ["OPENAI_API_KEY": "line\nbreak"],
  ])
  func refusesWhatItCannotRead(_ environment: [String: String]) throws {
    let failure = try #require(throws: Failure.self) {
      try ModelConfiguration.discover(environment)
    }
    #expect(failure.kind == .configuration)
    #expect(!failure.mend.isEmpty)
    #expect(!"\(failure)".contains("two words"))
  }

  @Test func speaksToEachServerAsItWants() throws {
    let vendor = try ProviderSettings.openAI(baseURL: nil, key: "sk-1")
    #expect(vendor.maxTokensField == .maxCompletionTokens)
    #expect(vendor.isVendor)
    #expect(!vendor.allowsPlainHTTP)
    let compatible = try ProviderSettings.openAI(baseURL: "http://h/v1", key: nil)
    #expect(compatible.maxTokensField == .maxTokens)
    #expect(!compatible.isVendor)
    #expect(compatible.allowsPlainHTTP)
    #expect(
      try !ProviderSettings.openAI(baseURL: "http://api.openai.com/v1", key: nil).allowsPlainHTTP)
  }

  @Test func warnsOfAKeyInTheClear() throws {
    let configuration = try ModelConfiguration.discover([
      "OPENAI_API_KEY": "sk-secret", "OPENAI_BASE_URL": "http://far.example/v1",
    ])
    #expect(configuration.warnings.count == 1)
    #expect(!"\(configuration.warnings)".contains("sk-secret"))
    let local = try ModelConfiguration.discover([
      "OPENAI_API_KEY": "sk-secret", "OPENAI_BASE_URL": "http://localhost:1/v1",
    ])
    #expect(local.warnings.isEmpty)
  }

  @Test(
    arguments: [
      ("gpt-4o", nil, "gpt-4o"), ("openai:gpt-4o", "openai", "gpt-4o"),
      ("llama3:8b", nil, "llama3:8b"), ("ollama:llama3:8b", "ollama", "llama3:8b"),
      ("Mock:x", "mock", "x"), ("mock", "mock", "mock"),
    ] as [(String, String?, String)])
  func splitsTheEngineFromTheModel(_ row: (text: String, engine: String?, model: String)) {
    #expect(
      ModelConfiguration.reference(row.text) == ModelReference(engine: row.engine, model: row.model)
    )
  }

  @Test func neverPrintsAKey() throws {
    let secret = Secret("sk-very-secret")
    #expect("\(secret)" == "***")
    #expect(String(reflecting: secret) == "***")
    var dumped = ""
    dump(try ProviderSettings.openAI(baseURL: nil, key: "sk-very-secret"), to: &dumped)
    #expect(!dumped.contains("very"))
    #expect(
      secret.redacting("key sk-very-secret, twice: sk-very-secret.") == "key ***, twice: ***.")
    #expect(secret.redacting("nothing") == "nothing")
  }
}
