import RasaCore
import RasaDocuments

/// Reads a configuration from one document.
struct ConfigurationReader {
  enum Origin {
    case user
    /// With the names of the user's providers.
    case project(providers: Set<String>)
  }

  var reader: DocumentReader
  let origin: Origin
  let isKnownZone: (String) -> Bool
  /// Locations of texts that may be keys: no message shows them.
  var secrets: [SourceLocation] = []
  /// What may stand before the colon in `engine:model`.
  private var engines = BuiltInProvider.names

  init(_ text: SourceText, of origin: Origin, isKnownZone: @escaping (String) -> Bool) {
    reader = DocumentReader(text: text)
    self.origin = origin
    self.isKnownZone = isKnownZone
    if case .project(let providers) = origin { engines.formUnion(providers) }
  }

  var failures: [Failure] { reader.failures.map { $0.hidingKeys(at: secrets) } }
  var warnings: [Warning] { reader.warnings }

  var isProject: Bool { if case .project = origin { true } else { false } }

  mutating func configuration(_ node: DocumentNode) -> Configuration {
    var configuration = Configuration()
    let known = [
      "model", "profile", "providers", "budget", "network", "recommend", "agents", "hooks",
      "learning", "memory", "policy", "storage", "tools",
    ]
    guard let fields = reader.fields(node, of: "the configuration", known: known) else {
      return configuration
    }
    configuration.providers = providers(fields["providers"])
    // A provider that is rejected below can still be named.
    if case .mapping(let entries) = fields["providers"]?.content {
      engines.formUnion(entries.map(\.key))
    }
    configuration.model = reader.model(fields["model"], "model", engines: engines)
    configuration.profile = reader.choice(fields["profile"], "profile")
    configuration.budget = budget(fields["budget"])
    configuration.network = network(fields["network"])
    if let rules = fields["policy"] { configuration.policy = reader.toolRules(rules) }
    configuration.narrowing = AgentNarrowing().and(reader.agentList(fields["agents"]))
    configuration.hooks = reader.hooks(
      fields["hooks"], isProject: isProject, isUsers: !isProject)
    configuration.tools = reader.toolDeclarations(
      fields["tools"], isProject: isProject, isUsers: !isProject)
    if isOwn(fields, "recommend", because: "it decides where your tasks are sent"),
      let node = fields["recommend"],
      let chosen = reader.fields(node, of: "`recommend`", known: ["embeddings"])
    {
      configuration.embeddings = reader.model(
        chosen["embeddings"], "embeddings", engines: engines)
    }
    if isOwn(fields, "memory", because: "it decides where what is remembered is sent"),
      let node = fields["memory"],
      let chosen = reader.fields(
        node, of: "`memory`", known: ["embeddings", "wait_ms", "linger_ms"])
    {
      configuration.memory.embeddings = reader.model(
        chosen["embeddings"], "embeddings", engines: engines)
      if let wait = reader.integer(chosen["wait_ms"], "wait_ms", in: 1...60_000) {
        configuration.memory.milliseconds = wait
      }
      if let linger = reader.integer(chosen["linger_ms"], "linger_ms", in: 0...60_000) {
        configuration.memory.lingerMilliseconds = linger
      }
    }
    if isOwn(fields, "storage", because: "it decides what a power failure can cost you"),
      let node = fields["storage"],
      let chosen = reader.fields(node, of: "`storage`", known: ["flush"])
    {
      configuration.flush = reader.choice(chosen["flush"], "flush") ?? .full
    }
    if isOwn(fields, "learning", because: "it decides what is kept of how your runs go"),
      let node = fields["learning"],
      let chosen = reader.fields(
        node, of: "`learning`", known: ["enabled", "evaluation", "weights"])
    {
      configuration.learning.isEnabled = reader.flag(chosen["enabled"], "enabled") ?? true
      configuration.learning.evaluation = evaluation(chosen["evaluation"])
      configuration.learning.weights = reader.weightSets(chosen["weights"])
    }
    return configuration
  }

  private mutating func evaluation(_ node: DocumentNode?) -> EvaluationSettings? {
    let known = ["max_daily", "max_monthly", "share", "by", "model", "same_model"]
    guard let node, let fields = reader.fields(node, of: "`evaluation`", known: known) else {
      return nil
    }
    var settings = EvaluationSettings()
    settings.maxDaily = reader.money(fields["max_daily"], "max_daily")
    settings.maxMonthly = reader.money(fields["max_monthly"], "max_monthly")
    if fields["max_daily"] == nil, fields["max_monthly"] == nil {
      reader.fail(
        node, "`evaluation` needs a limit of what it may cost",
        suggestion: "add `max_daily: 0.25`, in dollars, or `max_monthly`")
    }
    if let share = reader.number(fields["share"], "share", in: 0...1) { settings.share = share }
    if fields["by"] != nil {
      settings.evaluators = []
      for element in reader.elements(fields["by"], "by", of: "names") {
        guard let name = reader.worker(element, "by") else { continue }
        if settings.evaluators.contains(name) {
          reader.fail(element, "`\(name)` is asked twice", suggestion: "leave one out")
        } else {
          settings.evaluators.append(name)
        }
      }
    }
    settings.model = reader.model(fields["model"], "model", engines: engines)
    settings.allowsSameModel = reader.flag(fields["same_model"], "same_model") ?? false
    return settings
  }

  /// Whether a field that only the user's own file may have counts here.
  private mutating func isOwn(_ fields: Fields, _ key: String, because reason: String) -> Bool {
    guard isProject, fields[key] != nil,
      let entry = fields.entries.first(where: { $0.key == key })
    else { return true }
    reader.warn(
      "`\(key)` is ignored in a project's file: \(reason); put it in your own",
      at: entry.keyLocation)
    return false
  }

  // MARK: Budget

  private mutating func budget(_ node: DocumentNode?) -> GlobalBudget {
    var budget = GlobalBudget()
    let known = ["max_per_execution", "max_daily", "max_monthly", "time_zone", "unknown_price"]
    guard let node, let fields = reader.fields(node, of: "`budget`", known: known) else {
      return budget
    }
    budget.maxPerExecution = reader.money(fields["max_per_execution"], "max_per_execution")
    budget.maxDaily = reader.money(fields["max_daily"], "max_daily")
    budget.maxMonthly = reader.money(fields["max_monthly"], "max_monthly")
    if isOwn(fields, "time_zone", because: "it changes the calendar of your limits") {
      budget.timeZone = timeZone(fields["time_zone"])
    }
    if isOwn(fields, "unknown_price", because: "it decides which models your limits allow") {
      let price = unknownPrice(fields["unknown_price"])
      budget.unknownInputPrice = price?.input
      budget.unknownOutputPrice = price?.output
      budget.unknownPricePerSecond = price?.perSecond
    }
    return budget
  }

  private mutating func timeZone(_ node: DocumentNode?) -> String? {
    guard let node, let zone = reader.text(node, "time_zone") else { return nil }
    guard isKnownZone(zone) else {
      reader.fail(
        node, "time_zone", mustBe: "the name of a time zone",
        suggestion: "write it as `Europe/Berlin` or `UTC`; the zones of this machine are in "
          + "/usr/share/zoneinfo, from the package tzdata")
      return nil
    }
    return zone
  }

  private mutating func unknownPrice(
    _ node: DocumentNode?
  ) -> (input: Money, output: Money, perSecond: Money?)? {
    let known = ["input", "output", "per_second"]
    guard let node, let fields = reader.fields(node, of: "`unknown_price`", known: known) else {
      return nil
    }
    for key in ["input", "output"] where fields[key] == nil {
      reader.fail(
        node, "`unknown_price` has no `\(key)`",
        suggestion: "write it as `{input: 10, output: 30}`, in dollars per million tokens")
    }
    let input = reader.money(fields["input"], "input")
    let output = reader.money(fields["output"], "output")
    guard let input, let output else { return nil }
    return (input, output, reader.money(fields["per_second"], "per_second"))
  }

  // MARK: Network

  private mutating func network(_ node: DocumentNode?) -> NetworkDefinition {
    var network = NetworkDefinition()
    let known = ["proxy", "no_proxy", "proxy_loopback", "ca_file", "ca_dir", "http2"]
    guard let node, let fields = reader.fields(node, of: "`network`", known: known) else {
      return network
    }
    guard !isProject else {
      reader.warn(
        "`network` is ignored in a project's file: it decides how your keys and prompts "
          + "travel; put it in your own", at: node.location)
      return network
    }
    network.proxy = proxy(fields["proxy"])
    network.noProxy = setting(fields["no_proxy"], "no_proxy")
    network.proxiesLoopback = flag(fields["proxy_loopback"], "proxy_loopback") ?? false
    network.caFile = setting(fields["ca_file"], "ca_file")
    network.caFolder = setting(fields["ca_dir"], "ca_dir")
    network.http2 = flag(fields["http2"], "http2") ?? false
    return network
  }

  private mutating func setting(
    _ node: DocumentNode?, _ label: String
  ) -> NetworkDefinition.Setting? {
    guard let node, let text = reader.text(node, label) else { return nil }
    return NetworkDefinition.Setting(value: text, location: node.location)
  }

  private mutating func proxy(_ node: DocumentNode?) -> NetworkDefinition.Setting? {
    guard let node else { return nil }
    if node.value.string?.isEmpty == true || node.value.string == "none" {
      return NetworkDefinition.Setting(value: "", location: node.location)
    }
    guard let text = reader.text(node, "proxy") else { return nil }
    let schemes = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]
    do {
      _ = try AddressText(text, schemes: schemes, mayNameUser: true)
      return NetworkDefinition.Setting(value: text, location: node.location)
    } catch {
      secrets.append(node.location)
      reader.fail(
        node, "`proxy` is not an address: \(error.problem)",
        suggestion:
          "write it as `http://host:port`; it may begin with \(DocumentReader.listed(schemes))")
      return nil
    }
  }

  mutating func flag(_ node: DocumentNode?, _ label: String) -> Bool? {
    reader.flag(node, label)
  }
}
