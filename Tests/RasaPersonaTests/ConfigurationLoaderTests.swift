import RasaCore
import RasaPersona
import Testing

@Suite("config.yaml")
struct ConfigurationLoaderTests {
  private static let loader = ConfigurationLoader { ["Europe/Berlin", "UTC"].contains($0) }

  static func document(_ text: String, _ path: String = "config.yaml") -> SourceDocument {
    SourceDocument(bytes: Array(text.utf8), path: path)
  }

  private static func user(_ text: String) -> Reading<Configuration> {
    loader.load(user: document(text), project: nil)
  }

  private static func both(_ user: String, _ project: String) -> Reading<Configuration> {
    loader.load(user: document(user), project: document(project, ".rasa/config.yaml"))
  }

  @Test("a repeated field hides no other problem, and shows no key")
  func repeatedKeys() {
    let reading = Self.user(
      """
      profile: speed
      profile: fast
      budget: {max_daily: x}
      odd: 1
      odd: sk-0123456789abcdefghijklmnopqrstuv
      """)
    #expect(reading.failures.map { $0.location?.line } == [2, 2, 3, 5])
    #expect(reading.warnings.map { $0.location?.line } == [5])
    #expect(!reading.failures.map(\.description).joined().contains("0123456789abcdef"))
  }

  @Test("every field is read")
  func everything() throws {
    let reading = Self.user(
      """
      model: groq:llama-3.3-70b-versatile
      profile: thinking
      providers:
        groq:
          base_url: https://api.groq.com/openai/v1
          key: GROQ_API_KEY
          key_header: api-key
          dialect: openai
          headers: {x-team: red, x-version: 2}
          query: {api-version: 2024-10-21}
          max_tokens_field: max_completion_tokens
          structured_output: json_object
          vendor: openai
          default_model: llama-3.1-8b-instant
          local: false
          vision: true
          pdf: false
          image_detail: low
          timeouts: {connect: 4, first_content: 12.5, idle: 60}
        vllm: {base_url: "http://127.0.0.1:8000/v1"}
        anthropic: {timeouts: {idle: 90}}
      budget:
        max_per_execution: 0.50
        max_daily: 5.00
        max_monthly: "100"
        time_zone: Europe/Berlin
        unknown_price: {input: 10, output: 30.000000000001}
      network:
        {proxy: "http://proxy.example:3128", no_proxy: ".example,10.0.0.0/8", proxy_loopback: true,
        ca_file: ca.pem, ca_dir: /etc/own, http2: true}
      """)
    let configuration = try reading.get()
    #expect(reading.warnings.isEmpty)
    #expect(
      configuration.model == ModelReference(engine: "groq", model: "llama-3.3-70b-versatile"))
    #expect(configuration.profile == .thinking)
    #expect(configuration.providers.map(\.name) == ["groq", "vllm", "anthropic"])
    let groq = configuration.providers[0]
    #expect(groq.baseURL == "https://api.groq.com/openai/v1" && groq.keyVariable == "GROQ_API_KEY")
    #expect(groq.keyHeader == "api-key" && groq.dialect == .openAI)
    #expect(groq.takesImages == true && groq.takesPDFs == false && groq.imageDetail == .low)
    #expect(groq.headers.map(\.name) == ["x-team", "x-version"])
    #expect(groq.headers.map(\.value) == ["red", "2"])
    #expect(groq.query.map(\.value) == ["2024-10-21"])
    #expect(groq.maxTokensField == .maxCompletionTokens)
    #expect(groq.structuredOutput == .jsonObject && groq.vendor == "openai")
    #expect(groq.defaultModel == "llama-3.1-8b-instant" && groq.isLocal == false)
    #expect(groq.connectTimeout == 4 && groq.firstContentTimeout == 12.5 && groq.idleTimeout == 60)
    #expect(groq.location.line == 4)
    let vllm = configuration.providers[1]
    #expect(vllm.dialect == .openAI && vllm.keyVariable == nil && vllm.isLocal == nil)
    let anthropic = configuration.providers[2]
    #expect(anthropic.dialect == .anthropic && anthropic.baseURL.isEmpty)
    #expect(configuration.budget.maxPerExecution == Money(decimal: "0.5"))
    #expect(configuration.budget.maxDaily == Money(decimal: "5"))
    #expect(configuration.budget.maxMonthly == Money(decimal: "100"))
    #expect(configuration.budget.timeZone == "Europe/Berlin")
    #expect(configuration.budget.unknownInputPrice == Money(decimal: "10"))
    #expect(
      configuration.budget.unknownOutputPrice == Money(picoDollars: 30_000_000_000_001))
    #expect(configuration.network.proxy?.value == "http://proxy.example:3128")
    #expect(configuration.network.http2 && configuration.network.proxiesLoopback)
    #expect(configuration.network.noProxy?.value == ".example,10.0.0.0/8")
    #expect(configuration.network.caFile?.value == "ca.pem")
    #expect(configuration.network.caFolder?.value == "/etc/own")
  }

  @Test("everything is optional", arguments: ["", "# nothing yet\n", "\n  # model: x\r\n\n", "{}"])
  func nothing(text: String) throws {
    let configuration = try Self.user(text).get()
    #expect(configuration.providers.isEmpty && configuration.model == nil)
    #expect(configuration.budget == GlobalBudget())
    #expect(configuration.network == NetworkDefinition())
    #expect(Self.loader.load(user: nil, project: nil).definition != nil)
  }

  @Test(
    "a colon splits off known providers only",
    arguments: [
      ("llama3:8b", nil, "llama3:8b"), ("ollama:llama3:8b", "ollama", "llama3:8b"),
      ("own:x", "own", "x"), ("other:x", nil, "other:x"), ("google:gemini-x", "google", "gemini-x"),
    ] as [(String, String?, String)])
  func references(text: String, engine: String?, model: String) throws {
    let configuration = try Self.user(
      "model: '\(text)'\nproviders: {own: {base_url: 'http://h/v1'}}"
    ).get()
    #expect(configuration.model == ModelReference(engine: engine, model: model))
  }

  @Test("nothing may be spent, exactly", arguments: ["0", "0.0", "0.00", "'0'"])
  func zero(text: String) throws {
    let budget = try Self.user("budget: {max_daily: \(text)}").get().budget
    #expect(budget.maxDaily == .zero && budget.maxMonthly == nil)
  }

  @Test("amounts are read digit by digit", arguments: ["0.1", "0.30", "9007199.254740993021"])
  func amounts(text: String) throws {
    let reading = Self.user("budget: {max_daily: \(text)}")
    let amount = try #require(Money(decimal: text))
    #expect(reading.definition?.budget.maxDaily == amount)
  }

  static let mistakes: [Mistake] = [
    Mistake("[]", "1:1", "the configuration must be a mapping"),
    Mistake("profile: fast", "1:10", "`profile` must be `speed`, `balanced`"),
    Mistake("profile: exprt", "1:10", "`profile` must be", suggestion: "did you mean `expert`?"),
    Mistake("model: [a]", "1:8", "`model` must be text"),
    Mistake("model: 'openai:'", "1:8", "`model` must be a model such as"),
    Mistake("budget: {max_daily: -5}", "1:21", "must be an amount in dollars such as 0.10"),
    Mistake("budget: {max_daily: lots}", "1:21", "must be an amount in dollars such as 0.10"),
    Mistake("budget: {max_daily: 1e2}", "1:21", "must be an amount in dollars such as 0.10"),
    Mistake("budget: {max_daily: .inf}", "1:21", "must be an amount in dollars such as 0.10"),
    Mistake("budget: {max_daily: true}", "1:21", "must be an amount in dollars such as 0.10"),
    Mistake("budget: {max_daily: 99999999999}", "1:21", "must be an amount in dollars"),
    Mistake("budget: {max_daily: 0.0000000000001}", "1:21", "must be an amount in dollars"),
    Mistake("budget: 5", "1:9", "`budget` must be a mapping"),
    Mistake(
      "budget: {time_zone: Europe/Berln}", "1:21", "`time_zone` must be the name of a time zone",
      suggestion: "Europe/Berlin"),
    Mistake(
      "budget: {unknown_price: {input: 1}}", "1:25", "has no `output`", suggestion: "{input: 10"),
    Mistake("budget: {unknown_price: 10}", "1:25", "`unknown_price` must be a mapping"),
    Mistake("network: {http2: yes}", "1:18", "`http2` must be `true` or `false`"),
    Mistake(
      "network: {proxy: 'proxy:3128'}", "1:18", "`proxy` is not an address", suggestion: "http://"),
    Mistake("providers: [groq]", "1:12", "`providers` must be a mapping"),
    Mistake("providers: {groq: x}", "1:19", "the provider `groq` must be a mapping"),
    Mistake(
      "providers: {Groq: {}}", "1:13", "a provider's name may contain only lowercase letters"),
    Mistake("providers: {mock: {}}", "1:13", "the mock is built in"),
    Mistake(
      "providers: {groq: {key: K}}", "1:19", "has no `base_url`", suggestion: "base_url: https"),
    Mistake(
      "providers: {g: {base_url: 127.0.0.1}}", "1:27", "begin with http", suggestion: "https://"),
    Mistake("providers: {g: {base_url: 'ftp://h'}}", "1:27", "`base_url` is not an address"),
    Mistake("providers: {g: {base_url: 'http://h/?a=b'}}", "1:27", "query", suggestion: "`query`"),
    Mistake("providers: {g: {base_url: 'http://u@h'}}", "1:27", "a user name", suggestion: "`key`"),
    Mistake("providers: {g: {base_url: 'http://h:0'}}", "1:27", "its port is not a number"),
    Mistake("providers: {g: {base_url: 'http://h:99999'}}", "1:27", "its port is not a number"),
    Mistake("providers: {g: {base_url: 'http:///v1'}}", "1:27", "it has no host"),
    Mistake("providers: {g: {base_url: 'http://a b'}}", "1:27", "a character that no URL"),
    Mistake("providers: {g: {base_url: 'http://[::1'}}", "1:27", "a `]` is missing"),
    Mistake("providers: {g: {base_url: 'http://ü'}}", "1:27", "a character that no URL"),
    Mistake(
      "providers: {g: {base_url: 'http://h', dialect: opnai}}", "1:48", "`dialect` must be",
      suggestion: "did you mean `openai`?"),
    Mistake(
      "providers: {g: {base_url: 'http://h', max_tokens_field: most}}", "1:57",
      "must be `max_tokens` or"),
    Mistake(
      "providers: {g: {base_url: 'http://h', headers: {'a b': c}}}", "1:49",
      "a header's name may contain only letters"),
    Mistake(
      "providers: {g: {base_url: 'http://h', headers: {a: ü}}}", "1:52", "must be plain text"),
    Mistake("providers: {g: {base_url: 'http://h', headers: {a: [b]}}}", "1:52", "must be text"),
    Mistake(
      "providers: {g: {base_url: 'http://h', timeouts: {idle: 0}}}", "1:56",
      "`idle` must be a number of seconds from 0.1"),
    Mistake("providers: {g: {base_url: 'http://h', key_header: 'a:'}}", "1:51", "`key_header`"),
  ]

  @Test("a mistake is reported with location and suggestion", arguments: mistakes)
  func mistake(_ mistake: Mistake) throws {
    let reading = Self.user(mistake.text)
    #expect(reading.definition == nil)
    #expect(mistake.isTold(by: reading.failures), "\(reading.failures)")
  }

  @Test("all problems in both files are reported at once")
  func together() throws {
    let reading = Self.both(
      "profile: fast\nbudget: {max_daily: -1}\n", "profile: slow\nbudget: {max_monthly: x}")
    #expect(reading.failures.count == 4)
    let failure = #expect(throws: Failure.self) { try reading.get() }
    #expect(failure?.exitCode == 3)
    let text = failure?.description ?? ""
    for place in [
      "config.yaml:1:10", "config.yaml:2:21", ".rasa/config.yaml:1:10", ".rasa/config.yaml:2:23",
    ] {
      #expect(text.contains(place))
    }
  }

  @Test(
    "unknown fields cause a warning with a suggestion",
    arguments: [
      ("modle: x", "1:1: `modle` is unknown in the configuration", "`model`"),
      ("budget: {max_dayly: 1}", "1:10: `max_dayly`", "`max_daily`"),
      ("providers: {g: {base_url: 'http://h', api_key: K}}", "`api_key` is unknown", ""),
      ("network: {proxi: x}", "`proxi`", "`proxy`"),
    ])
  func unknown(text: String, message: String, suggestion: String) throws {
    let reading = Self.user(text)
    #expect(reading.definition != nil)
    let warning = try #require(reading.warnings.first?.description)
    #expect(warning.contains(message) && warning.contains(suggestion), "\(warning)")
  }

  @Test(
    "a key in place of its variable's name is refused and never shown",
    arguments: [
      "sk-abcdef1234567890", "AIzaSyA1234567890abcdefg", "gsk_a1b2c3", "Bearer x1y2z3",
      "f3a9c1d27b6e4058a1d2c3b4", "abc-def", "a b", "12345", "hf_Qwerty",
    ])
  func keys(key: String) throws {
    for text in [
      "providers: {groq: {base_url: 'http://h', key: '\(key)', dialect: oops}}",
      "providers: {groq: {dialect: oops, base_url: 'http://h', key: '\(key)'}}",
      "providers:\n  groq:\n    base_url: http://h\n    key: \(key)\n",
    ] {
      let reading = Self.user(text)
      let failure = try #require(reading.failures.first { $0.message.contains("`key` takes") })
      #expect(failure.suggestion.contains("GROQ_API_KEY"))
      #expect(!"\(reading.failures)".contains(key))
    }
  }

  @Test("the usual way to write a variable is put right")
  func dollar() throws {
    for text in ["$GROQ_KEY", "${GROQ_KEY}"] {
      let reading = Self.user("providers: {groq: {base_url: 'http://h', key: '\(text)'}}")
      #expect(reading.failures.first?.suggestion.contains("without the `$`") == true)
    }
  }

  @Test(
    "keys in headers, parameters and addresses are refused and not shown",
    arguments: [
      "headers: {authorization: 'secret-one'}", "headers: {x-team: 'sk-secret-one'}",
      "query: {api-key: secret-one}", "base_url: 'https://secret-one@h/v1'",
      "base_url: 'https://h/v1?key=secret-one'",
    ])
  func hiddenKeys(field: String) throws {
    let reading = Self.user("providers:\n  g: {dialect: openai, \(field)}\n")
    #expect(reading.definition == nil)
    #expect(!"\(reading.failures)".contains("secret-one"))
  }

  @Test("the excerpt of a broken line hides keys")
  func brokenLine() throws {
    let reading = Self.user("providers:\n  g: {base_url: 'http://h', key: sk-secret1: }}\n")
    #expect(reading.failures.count == 1)
    #expect(!"\(reading.failures)".contains("sk-secret1"))
  }
}

extension ConfigurationLoaderTests {
  @Test("a project's limits make the user's tighter and never wider")
  func limits() throws {
    func limits(_ user: String, _ project: String) throws -> GlobalBudget {
      try Self.both("budget: {\(user)}", "budget: {\(project)}").get().budget
    }
    #expect(try limits("max_daily: 5", "max_daily: 1").maxDaily == Money(decimal: "1"))
    #expect(try limits("max_daily: 5", "max_daily: 50").maxDaily == Money(decimal: "5"))
    #expect(try limits("max_daily: 0", "max_daily: 50").maxDaily == .zero)
    #expect(try limits("max_daily: 5", "max_monthly: 50").maxDaily == Money(decimal: "5"))
    #expect(try limits("max_daily: 5", "max_monthly: 50").maxMonthly == Money(decimal: "50"))
    #expect(try limits("max_per_execution: 2", "max_per_execution: 1").maxPerExecution == .dollar)
  }

  @Test("a project may choose model and profile, also of the user's providers")
  func choices() throws {
    let configuration = try Self.both(
      "model: gpt-4o\nprofile: expert\nproviders: {groq: {base_url: 'https://g/v1', key: K}}",
      "model: groq:llama\nprofile: speed"
    ).get()
    #expect(configuration.model == ModelReference(engine: "groq", model: "llama"))
    #expect(configuration.profile == .speed)
    let unsaid = try Self.both("model: gpt-4o\nprofile: expert", "budget: {max_daily: 1}").get()
    #expect(unsaid.model?.model == "gpt-4o" && unsaid.profile == .expert)
  }

  @Test(
    "a project cannot have keys or prompts sent elsewhere",
    arguments: [
      ("evil: {base_url: 'https://evil.example/v1', key: OPENAI_API_KEY}", "one of your keys"),
      ("evil: {base_url: 'http://127.0.0.1:1/v1', key: OPENAI_API_KEY}", "one of your keys"),
      ("evil: {base_url: 'http://127.0.0.1:1/v1', key_header: x}", "one of your keys"),
      ("openai: {base_url: 'http://127.0.0.1:1/v1'}", "replace a known provider"),
      ("google: {base_url: 'http://127.0.0.1:1/v1'}", "replace a known provider"),
      ("anthropic: {timeouts: {idle: 1}}", "replace a known provider"),
      ("groq: {base_url: 'http://127.0.0.1:1/v1'}", "your own file has a provider"),
      ("evil: {base_url: 'https://evil.example/v1'}", "not on this machine"),
      ("evil: {base_url: 'http://127.0.0.1.evil.example/v1'}", "not on this machine"),
      ("evil: {base_url: 'http://localhost.evil.example/v1'}", "not on this machine"),
      ("evil: {base_url: 'http://0.0.0.0/v1'}", "not on this machine"),
      ("evil: {base_url: 'http://127.0.0.01/v1'}", "not on this machine"),
      ("evil: {base_url: 'http://[::ffff:1.2.3.4]/v1'}", "not on this machine"),
    ])
  func cloned(provider: String, reason: String) throws {
    let reading = Self.both(
      "providers: {groq: {base_url: 'https://g/v1', key: K}}", "providers: {\(provider)}")
    let configuration = try reading.get()
    #expect(configuration.providers.map(\.baseURL) == ["https://g/v1"])
    let warning = try #require(reading.warnings.first?.description)
    #expect(warning.hasPrefix(".rasa/config.yaml:1:13") && warning.contains(reason), "\(warning)")
    #expect(warning.contains("your own file"))
  }

  @Test(
    "a server on this machine that wants no key may come with a project",
    arguments: ["http://127.0.0.1:8000/v1", "http://localhost:8000/v1", "http://[::1]:8000/v1"])
  func loopback(address: String) throws {
    let reading = Self.both("", "providers: {vllm: {base_url: '\(address)', default_model: m}}")
    #expect(try reading.get().providers.map(\.baseURL) == [address])
    #expect(reading.warnings.isEmpty)
  }

  @Test(
    "only the user's file decides how limits count",
    arguments: [
      "budget: {time_zone: UTC}", "budget: {unknown_price: {input: 0, output: 0}}",
      "network: {proxy: 'http://evil.example:1'}", "network: {http2: true}",
    ])
  func own(text: String) throws {
    let reading = Self.both("", text)
    let configuration = try reading.get()
    #expect(configuration.budget == GlobalBudget() && configuration.network == NetworkDefinition())
    #expect(reading.warnings.count == 1 && reading.warnings[0].message.contains("project's file"))
  }

  @Test("commits wait for the disk unless the user's own file says otherwise")
  func flush() throws {
    #expect(try Self.user("model: a").get().flush == .full)
    #expect(try Self.user("storage: {flush: full}").get().flush == .full)
    #expect(try Self.user("storage: {flush: relaxed}").get().flush == .relaxed)
    let project = Self.both("", "storage: {flush: relaxed}")
    #expect(try project.get().flush == .full && project.warnings.count == 1)
    let wrong = Self.user("storage: {flush: never}")
    #expect(wrong.definition == nil && wrong.failures.count == 1)
  }

  @Test("sets of weights are read, with the rest as in the standard set")
  func weightSets() throws {
    let reading = Self.user(
      """
      learning:
        weights:
          strict: {share: 0.3, accuracy: 0.5, relevance: 0.2, completeness: 0.2, clarity: 0.1, efficiency: 0}
          lean: {share: 0.7, efficiency: 0.5}
      """)
    let sets = try #require(reading.definition?.learning.weights, "\(reading.failures)")
    #expect(sets.map(\.name) == ["strict", "lean"] && sets.map(\.share) == [0.3, 0.7])
    #expect(sets[0].values["accuracy"] == 0.5 && sets[0].values["efficiency"] == 0)
    #expect(sets[1].values == ["efficiency": 0.5])
    // A third of a third is no mistake.
    let thirds = Self.user(
      "learning: {weights: {a: {share: 1, accuracy: 0.3333333, relevance: 0.3333333, completeness: 0.3333334, clarity: 0}}}"
    )
    #expect(thirds.failures.isEmpty)
  }

  @Test(
    "a set of weights that cannot be is refused where it stands",
    arguments: [
      ("a: {accuracy: 1}", 6, "has no `share`"),
      ("a: {share: 1.5}", 14, "`share` must be a number from 0 to 1"),
      ("a: {share: 0.5, accuracy: -0.1}", 29, "`accuracy` must be a number from 0 to 1"),
      ("a: {share: 0.5, accuracy: 0.5}", 6, "of `a` come to 1.15"),
      ("a: {share: 0.5, efficiency: 2}", 31, "`efficiency` must be a number from 0 to 1"),
      ("a: {share: 0.5, efficiency: much}", 31, "`efficiency` must be a number from 0 to 1"),
      ("standard: {share: 0.5}", 13, "cannot be called `standard`"),
      ("Not A Name: {share: 0.5}", 15, "cannot be called"),
      ("a: half", 6, "must be a mapping"),
    ])
  func brokenWeightSets(line: String, column: Int, message: String) {
    let reading = Self.user("learning:\n weights:\n  \(line)")
    #expect(reading.failures.count == 1 && reading.definition == nil)
    let failure = reading.failures.first
    #expect(failure?.message.contains(message) == true, "\(reading.failures)")
    #expect(
      failure?.location?.line == 3 && failure?.location?.column == column, "\(reading.failures)")
  }

  @Test("shares come to at most one")
  func shares() {
    let reading = Self.user(
      "learning:\n weights:\n  a: {share: 0.6}\n  b: {share: 0.4}\n  c: {share: 0.1}")
    #expect(reading.failures.map { $0.location?.line } == [5])
    #expect(reading.failures.first?.message.contains("come to 1.1") == true, "\(reading.failures)")
  }
}
