import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

extension CompositionRoot {
  /// Says on standard error what does not stop the work.
  func warn(_ warning: Warning) {
    try? tell("rasa: warning: \(printable(redaction("\(warning)")))\n")
  }
}
