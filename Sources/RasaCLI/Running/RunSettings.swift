import RasaCore
import RasaEngine
import RasaModels
import RasaPersona

enum OutputFormat: String, Sendable, CaseIterable {
  case text, json
  case streamJSON = "stream-json"

  /// A document that is all that is printed.
  func text(of document: Value) -> String {
    document.json(self == .streamJSON ? .compact : .pretty) + "\n"
  }
}

/// What happens when a person has to decide.
enum ApprovalMode: String, Sendable, CaseIterable { case ask, deny, allow, `defer` }

/// Who is asked.
enum RunSubject: Sendable, Hashable {
  case persona(String)
  case agent(String)
  /// The agent that fits the input best.
  case fitting
}

/// One run as the command line asks for it.
struct RunSettings: Sendable {
  var subject: RunSubject
  var input: String
  /// Files that belong to the input.
  var attachments: [Attachment] = []
  var preferences = ValueObject()
  var session: String?
  var user: String?
  var format = OutputFormat.text
  /// Whether text is shown while it comes, or at the end.
  var streams = true
  var approval = ApprovalMode.ask
  var gate = GateOptions()
  /// Tells before each call why which models are asked.
  var explainsSelection = false
  /// Shows on standard error what models think before they answer.
  var showsReasoning = false
  /// Goes on by the copy that the run keeps although the persona's files have changed.
  var isPinned = false
  /// The file that the run is recorded in.
  var recording: String?
  /// How long the run may take.
  var maxSeconds: Int?
  /// An answer whose end is missing counts as a failure, once it has been shown.
  var isStrict = false
  var isVerbose = false
  var isQuiet = false
  /// A terminal shows the answer as it is: nothing is rendered or wrapped.
  var isPlain = false
  /// The agents that `--agents` leaves.
  var agents: [String] = []
  /// What the journal and the reader of the answer are told of how it came to this run.
  var notices: [RunNotice] = []
}

extension RunSettings {
  /// What a run keeps of its settings, so that it goes on as it began. What was allowed once, to go
  /// past a limit, is not allowed again by that.
  var kept: ValueObject {
    var kept = ValueObject()
    if let model = gate.model { kept["model"] = .string(model.description) }
    if let profile = gate.profile { kept["profile"] = .string(profile.rawValue) }
    if gate.premium { kept["premium"] = true }
    if let most = gate.maxCost { kept["max_cost"] = .string(most.decimalText) }
    if let maxSeconds { kept["max_seconds"] = .int(Int64(maxSeconds)) }
    if !agents.isEmpty { kept["agents"] = .array(agents.map(Value.string)) }
    return kept
  }

  /// The settings with what a run has kept where nothing else is said now.
  func goingOn(with kept: ValueObject) -> RunSettings {
    var settings = self
    if gate.model == nil {
      settings.gate.model = kept["model"]?.string.map(ModelConfiguration.reference)
    }
    if gate.profile == nil {
      settings.gate.profile = kept["profile"]?.string.flatMap { PerformanceProfile(rawValue: $0) }
    }
    if kept["premium"]?.bool == true { settings.gate.premium = true }
    if gate.maxCost == nil {
      settings.gate.maxCost = kept["max_cost"]?.string.flatMap { Money(decimal: $0) }
    }
    if agents.isEmpty {
      settings.agents = (kept["agents"]?.array ?? []).compactMap(\.string)
    }
    if maxSeconds == nil {
      settings.maxSeconds = kept["max_seconds"]?.int.map { Int(clamping: $0) }
    }
    return settings
  }
}
