import RasaCore
import RasaKit

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
  /// How the run is to go, without how it is shown.
  var options = Rasa.RunOptions()
  var format = OutputFormat.text
  /// Whether text is shown while it comes, or at the end.
  var streams = true
  var approval = ApprovalMode.ask
  /// Tells before each call why which models are asked.
  var explainsSelection = false
  /// Shows on standard error what models think before they answer.
  var showsReasoning = false
  /// The file that the run is recorded in.
  var recording: String?
  /// An answer whose end is missing counts as a failure, once it has been shown.
  var isStrict = false
  var isVerbose = false
  var isQuiet = false
  /// Where files that tools return are written; nil for nowhere.
  var filesFolder: String?
  /// A terminal shows the answer as it is: nothing is rendered or wrapped.
  var isPlain = false
}
