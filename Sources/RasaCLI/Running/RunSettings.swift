import RasaCore
import RasaModels
import RasaPersona

enum OutputFormat: String, Sendable, CaseIterable {
  case text, json
  case streamJSON = "stream-json"
}

/// What happens when a person has to decide.
enum ApprovalMode: String, Sendable, CaseIterable { case ask, deny, allow, `defer` }

/// One run as the command line asks for it.
struct RunSettings: Sendable {
  var persona: String
  var input: String
  var preferences = ValueObject()
  var session: String?
  var user: String?
  var format = OutputFormat.text
  /// Whether text is shown while it comes, or at the end.
  var streams = true
  var approval = ApprovalMode.ask
  var gate = GateOptions()
  /// Goes on by the copy that the run keeps although the persona's files have changed.
  var isPinned = false
  var isVerbose = false
  var isQuiet = false
}
