import RasaCore
import RasaEngine
import RasaKit
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
  /// How the run is to go, without how it is shown.
  var plan: RunPlan {
    var plan = RunPlan(input: input)
    plan.attachments = attachments
    plan.preferences = preferences
    plan.session = session
    plan.user = user
    plan.gate = gate
    plan.maxSeconds = maxSeconds
    plan.agents = agents
    plan.notices = notices
    return plan
  }

  /// The settings with what another plan says of models, money and time.
  func having(_ plan: RunPlan) -> RunSettings {
    var settings = self
    settings.gate = plan.gate
    settings.maxSeconds = plan.maxSeconds
    settings.agents = plan.agents
    return settings
  }
}

extension RunSettings {
  /// How the run is to go, in the words of the library.
  var options: Rasa.RunOptions {
    var options = Rasa.RunOptions()
    options.profile = gate.profile.flatMap { Rasa.Profile(rawValue: $0.rawValue) }
    options.model = gate.model.map { "\($0)" }
    options.allowsPremium = gate.premium
    options.maxCost = gate.maxCost.flatMap { Rasa.Dollars($0.decimalText) }
    return options
  }
}
