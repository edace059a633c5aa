import RasaCore
import RasaEngine
import RasaPersona
import RasaSystem
import RasaTestKit
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
    (["ANTHROPIC_API_KEY": "k"], ["anthropic https://api.anthropic.com"]),
    (
      ["ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "https://h/anthropic/v1/"],
      ["anthropic https://h/anthropic"]
    ),
    (["GEMINI_API_KEY": "k"], ["gemini https://generativelanguage.googleapis.com"]),
    (
      ["GOOGLE_API_KEY": "k", "GEMINI_BASE_URL": "localhost:9/v1beta"],
      ["gemini http://localhost:9 local"]
    ),
    (
      ["GOOGLE_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "LLM_PROVIDER": "google"],
      ["gemini https://generativelanguage.googleapis.com", "anthropic https://api.anthropic.com"]
    ),
    (
      ["ANTHROPIC_API_KEY": "k", "LLM_PROVIDER": "anthropic", "LLM_HOST": "gate.example"],
      ["anthropic https://gate.example"]
    ),
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
    #expect(!failure.suggestion.isEmpty)
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
      ("Mock:x", "mock", "x"), ("mock", "mock", "mock"), ("google:g", "gemini", "g"),
      ("Gemini:g", "gemini", "g"), ("groq:x", nil, "groq:x"),
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

/// Providers that are entries in a file.
@Suite struct ProviderDefinitionTests {
  private static let place = SourceLocation(file: "config.yaml", line: 4, column: 3)

  private func discover(
    _ environment: [String: String], _ definitions: ProviderDefinition..., model: String? = nil
  ) throws -> ModelConfiguration {
    var files = Configuration()
    files.providers = definitions.map { definition in
      var definition = definition
      definition.location = Self.place
      return definition
    }
    files.model = model.map { ModelReference(model: $0) }
    return try .discover(environment, configuration: files)
  }

  @Test(
    arguments: [
      ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1 local"),
      ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
      (
        "https://me.openai.azure.com/openai/deployments/mine",
        "https://me.openai.azure.com/openai/deployments/mine"
      ),
      ("https://openrouter.ai/api/v1/", "https://openrouter.ai/api/v1"),
    ])
  func takesAnAddressAsItIsWritten(_ row: (written: String, found: String)) throws {
    let found = try #require(
      try discover([:], ProviderDefinition(name: "mine", baseURL: row.written)).providers.first)
    #expect(found.name == "mine" && found.dialect == .openAI)
    #expect("\(found.baseURL)\(found.isLocal ? " local" : "")" == row.found)
  }

  @Test func takesEverySettingOver() throws {
    let azure = ProviderDefinition(
      name: "azure", baseURL: "https://me.openai.azure.com/openai/deployments/mine",
      keyVariable: "AZURE_KEY", keyHeader: "api-key", headers: [("x-team", "blue")],
      query: [("api-version", "2024-10-21")], structuredOutput: .jsonObject, vendor: "openai",
      defaultModel: "gpt-4o", isLocal: false, firstContentTimeout: 12.5, idleTimeout: 3)
    let found = try #require(
      try discover(["AZURE_KEY": "secret"], azure).providers.first)
    #expect(found.key == Secret("secret") && found.keyVariable == "AZURE_KEY")
    #expect(found.keyHeader == "api-key")
    #expect(found.extraHeaders.map(\.name) == ["x-team"])
    #expect(found.query.map(\.value) == ["2024-10-21"])
    #expect(found.maxTokensField == .maxCompletionTokens)
    #expect(found.structuredOutput == .jsonObject)
    #expect(found.vendor == "openai" && !found.isVendor)
    #expect(found.defaultModel == "gpt-4o")
    #expect(found.firstContentTimeout == .milliseconds(12_500))
    #expect(found.idleTimeout == .seconds(3))
    #expect(found.origins == ["config.yaml:4:3", "AZURE_KEY"])
    #expect(!found.modelKey("m").account.isEmpty)
    #expect(!"\(found)".contains("secret"))
  }

  @Test func letsTheEnvironmentWinSettingBySetting() throws {
    let entry = ProviderDefinition(
      name: "openai", baseURL: "https://gate.example/v1", defaultModel: "mine")
    let both = try #require(
      try discover(
        ["OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://here.example/v1"], entry
      ).providers.first)
    #expect(both.baseURL == "https://here.example/v1" && both.defaultModel == "mine")
    let file = try #require(try discover(["OPENAI_API_KEY": "k"], entry).providers.first)
    #expect(file.baseURL == "https://gate.example/v1" && file.key == Secret("k"))
    #expect(file.origins == ["OPENAI_API_KEY", "config.yaml:4:3"])
    let google = try #require(
      try discover(
        [:], ProviderDefinition(name: "google", dialect: .gemini, baseURL: "", keyVariable: "G")
      )
      .providers.first)
    #expect(google.name == "gemini" && google.lacksKey && google.dialect == .gemini)
    #expect(google.baseURL == "https://generativelanguage.googleapis.com")
    #expect(
      try discover([:], entry, model: "openai:x").model
        == ModelReference(engine: "openai", model: "x"))
    #expect(
      try discover(
        ["LLM_MODEL": "groq:y"], ProviderDefinition(name: "groq", baseURL: "https://g/v1")
      )
      .model == ModelReference(engine: "groq", model: "y"))
  }

  @Test func asksWhatHasItsKeyFirst() throws {
    let keyless = ProviderDefinition(name: "far", baseURL: "https://far/v1", keyVariable: "NONE")
    let near = ProviderDefinition(name: "near", baseURL: "http://127.0.0.1:1")
    #expect(try discover([:], keyless, near).providers.map(\.name) == ["near", "far"])
    #expect(
      try discover(["OLLAMA_HOST": "h"], keyless, near).providers.map(\.name)
        == ["ollama", "near", "far"])
    #expect(
      try discover(["LLM_PROVIDER": "far"], keyless, near).providers.map(\.name) == ["far", "near"])
    let doubled = ProviderDefinition(name: "near", baseURL: "http://127.0.0.1:2")
    #expect(try discover([:], near, doubled).providers.map(\.baseURL) == ["http://127.0.0.1:1/v1"])
  }

  @Test func saysWhereWhatItRefusesStands() throws {
    for definition in [
      ProviderDefinition(name: "m", baseURL: "ftp://h"), ProviderDefinition(name: "m", baseURL: ""),
      ProviderDefinition(name: "m", baseURL: "https://h/v1", firstContentTimeout: .infinity),
      ProviderDefinition(name: "m", baseURL: "https://h/v1", idleTimeout: .nan),
    ] {
      let failure = try #require(throws: Failure.self) { try discover([:], definition) }
      #expect(failure.location == Self.place && !failure.suggestion.isEmpty)
    }
    #expect(throws: Failure.self) {
      try discover(
        ["K": "two words"], ProviderDefinition(name: "m", baseURL: "https://h", keyVariable: "K"))
    }
  }

  /// A server that is sent a key may pass on what it is asked; what a project says is no promise.
  @Test(
    arguments: [
      ("http://127.0.0.1:1", nil, nil, false, true), ("http://127.0.0.1:1", "K", nil, false, false),
      ("http://127.0.0.1:1", "UNSET", nil, false, false),
      ("http://127.0.0.1:1", "K", true, false, true),
      ("http://127.0.0.1:1", nil, false, false, false), ("https://far/v1", nil, nil, false, false),
      ("https://far/v1", nil, true, false, true), ("http://127.0.0.1:1", nil, nil, true, false),
      ("http://127.0.0.1:1", nil, true, true, false),
    ])
  func isFreeOnlyWhereNobodyIsPaid(
    address: String, key: String?, isLocal: Bool?, isProject: Bool, isFree: Bool
  ) throws {
    var provider = ProviderDefinition(
      name: "m", baseURL: address, keyVariable: key, isLocal: isLocal)
    provider.isProject = isProject
    #expect(try discover(["K": "k"], provider).providers.first?.isFree == isFree)
  }

  @Test(
    arguments: [
      ("http://127.0.0.1:4000/v1", "http://localhost:4000", true),
      ("http://0.0.0.0:4000/v1", "http://127.9.9.9:4000/other", true),
      ("http://127.0.0.1:4000/v1", "http://127.0.0.1:4001/v1", false),
      ("http://127.0.0.1/v1", "http://[::1]:80/v1", true),
      ("https://proxy.example/v1", "http://PROXY.example:443/v1", true),
      ("https://proxy.example/v1", "https://other.example/v1", false),
    ])
  func aProjectNamesNoAddressOfTheUsersASecondTime(
    own: String, second: String, isTheSame: Bool
  ) throws {
    var project = ProviderDefinition(name: "p2", baseURL: second)
    project.isProject = true
    let found = try discover([:], ProviderDefinition(name: "mine", baseURL: own), project)
    #expect(found.providers.map(\.name) == (isTheSame ? ["mine"] : ["mine", "p2"]))
    #expect(found.warnings.count == (isTheSame ? 1 : 0))
    let fromEnvironment = try discover(["OPENAI_BASE_URL": own], project)
    #expect(fromEnvironment.providers.map(\.name) == (isTheSame ? ["openai"] : ["openai", "p2"]))
  }

  @Test func warnsOfAKeyInTheClear() throws {
    let far = ProviderDefinition(name: "far", baseURL: "http://far/v1", keyVariable: "K")
    #expect(try discover(["K": "k"], far).warnings.count == 1)
    #expect(try discover([:], far).warnings.isEmpty)
  }

  @Test(
    arguments: [
      ("gpt-4o", "openai"), ("claude-haiku-4-5", "anthropic"), ("claude-new-9", "anthropic"),
      ("gemini-2.5-pro", "router"), ("unheard-of", "openai"), ("llama3:8b", "near"),
      ("qwen3", "near"), ("near:gpt-4o", "near"), ("router:meta/llama", "router"),
      ("google:gemini-2.5-pro", nil), ("groq:x", "openai"),
    ] as [(String, String?)])
  func findsWhoAnswers(_ row: (model: String, provider: String?)) throws {
    let configuration = try discover(
      ["OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"],
      ProviderDefinition(name: "router", baseURL: "https://openrouter.ai/api/v1"),
      ProviderDefinition(name: "near", baseURL: "http://127.0.0.1:1"))
    let catalogue = Catalogue(
      shipped: try FileSystem.read(Repository.path("models/catalogue.json"), limit: 1 << 20))
    let provider = try configuration.provider(for: .init(model: row.model), in: catalogue)
    #expect(provider?.name == row.provider)
  }
}
