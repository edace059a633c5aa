package import RasaCore
package import RasaDocuments

/// What was found out about a server.
package struct MCPAgreement: Sendable, Hashable {
  package var version: String
  /// Whether requests carry version and capabilities themselves, without `initialize` before them.
  package var isModern: Bool
  package var capabilities: Value
  /// What the server calls itself, unverified.
  package var server: Value
  /// What it tells models about itself, in its own untrusted words.
  package var instructions: String?
}

/// Finds out which era a server belongs to and agrees on a version: replies in, the next question out.
///
/// The stateless era is tried first. A server that rejects that in a way of its own, or is silent, is asked to
/// `initialize`; one that rejects that too, having been silent, may only have been slow and is asked once more.
package struct MCPNegotiation: Sendable {
  package enum Question: Sendable, Hashable {
    case discover
    case initialize(version: String)
  }

  package enum Reply: Sendable, Hashable {
    case result(Value)
    case problem(JSONRPC.Problem)
    /// Something that is no message: a page, an HTTP status.
    case foreign(String)
    case silence
    /// The program ended instead.
    case ended(Failure)
  }

  package enum Step: Sendable, Hashable {
    case ask(Question, seconds: Double)
    /// The program is started again, and asked this first.
    case restart(Question, seconds: Double)
    case agreed(MCPAgreement)
    case failed(Failure)
  }

  private let name: String
  private let limits: MCPLimits
  private var wasSilent = false
  private var askedAgain = false
  private var hasRestarted = false
  private var triedVersions: Set<String> = []

  package init(name: String, limits: MCPLimits) {
    self.name = name
    self.limits = limits
  }

  /// - Parameter known: what an earlier process of the same server agreed to.
  package mutating func begin(known: MCPAgreement? = nil) -> Step {
    guard let known else { return .ask(.discover, seconds: limits.probe) }
    return known.isModern ? .agreed(known) : initialize(known.version)
  }

  package mutating func take(_ reply: Reply, to question: Question) -> Step {
    switch question {
    case .discover: taken(reply)
    case .initialize: initialized(reply)
    }
  }

  private mutating func initialize(_ version: String = MCPVersion.legacy[0]) -> Step {
    triedVersions.insert(version)
    return .ask(.initialize(version: version), seconds: limits.start)
  }

  private mutating func taken(_ reply: Reply) -> Step {
    switch reply {
    case .result(let result):
      // A server that answers anything with anything is of the older era.
      guard let versions = result["supportedVersions"].array?.compactMap(\.string) else {
        return askedAgain ? .failed(unknown(result)) : initialize()
      }
      if let version = MCPVersion.modern.first(where: versions.contains) {
        return .agreed(
          MCPAgreement(
            version: version, isModern: true, capabilities: result["capabilities"],
            server: result["_meta"]["io.modelcontextprotocol/serverInfo"],
            instructions: result["instructions"].string))
      }
      return common(versions)
    case .problem(let problem) where problem.code == JSONRPC.Problem.unsupportedVersion:
      return common(problem.data["supported"].array?.compactMap(\.string) ?? [])
    case .problem(let problem) where problem.isModern:
      return .failed(
        Failure(
          .run, "the MCP server `\(name)` rejects what every client sends: \(problem.text)",
          suggestion: "report it to the authors of the server"))
    case .problem(let problem):
      return askedAgain ? .failed(rejected(problem.text)) : initialize()
    case .foreign(let what):
      return askedAgain ? .failed(rejected(what)) : initialize()
    case .silence:
      guard !askedAgain else { return .failed(late) }
      wasSilent = true
      return initialize()
    case .ended(let failure):
      // Some programs end at anything but `initialize`.
      guard !hasRestarted else { return .failed(failure) }
      hasRestarted = true
      triedVersions.insert(MCPVersion.legacy[0])
      return .restart(
        .initialize(version: MCPVersion.legacy[0]), seconds: limits.start)
    }
  }

  private mutating func initialized(_ reply: Reply) -> Step {
    switch reply {
    case .result(let result):
      let version = result["protocolVersion"].string ?? ""
      guard MCPVersion.legacy.contains(version) else { return .failed(unknown(result)) }
      return .agreed(
        MCPAgreement(
          version: version, isModern: false, capabilities: result["capabilities"],
          server: result["serverInfo"], instructions: result["instructions"].string))
    case .problem(let problem):
      let offered = problem.data["supported"].array?.compactMap(\.string) ?? []
      if let version = MCPVersion.legacy.first(where: {
        offered.contains($0) && !triedVersions.contains($0)
      }) {
        return initialize(version)
      }
      return askAgain() ?? .failed(rejected(problem.text))
    case .foreign(let what): return askAgain() ?? .failed(rejected(what))
    case .silence: return .failed(late)
    case .ended(let failure): return .failed(failure)
    }
  }

  /// A server of the stateless era that starts slowly did not hear the first question in time.
  private mutating func askAgain() -> Step? {
    guard wasSilent, !askedAgain else { return nil }
    askedAgain = true
    return .ask(.discover, seconds: limits.start)
  }

  /// The server has named the versions it speaks.
  private mutating func common(_ versions: [String]) -> Step {
    if let version = MCPVersion.legacy.first(where: {
      versions.contains($0) && !triedVersions.contains($0)
    }) {
      return initialize(version)
    }
    let shown = versions.prefix(8).map { $0.printable(atMost: 40) }
    return .failed(
      Failure(
        .configuration,
        "the MCP server `\(name)` speaks "
          + (shown.isEmpty ? "no version that it names" : listed(Array(shown), "and"))
          + " of the protocol, and rasa \(MCPVersion.all)",
        suggestion: "install a version of the server that speaks one of these"))
  }

  private func unknown(_ result: Value) -> Failure {
    let version = result["protocolVersion"].string.map { "`\($0.printable(atMost: 40))`" }
    return Failure(
      .configuration,
      "the MCP server `\(name)` answers with \(version ?? "no version") as the protocol's version, "
        + "and rasa speaks \(MCPVersion.all)",
      suggestion: "install a version of the server that speaks one of these")
  }

  private func rejected(_ text: String) -> Failure {
    Failure(
      .configuration, "the MCP server `\(name)` does not introduce itself: \(text)",
      suggestion: "check that its command or address is that of an MCP server")
  }

  private var late: Failure {
    Failure(
      .timeout,
      "the MCP server `\(name)` did not introduce itself within \(secondsText(limits.start)) seconds",
      suggestion: "start its command by hand to see what it waits for")
  }
}
