import RasaKit
import RasaSystem
import RasaTerminal

extension CompositionRoot {
  /// Says something to the person, on standard error: on a terminal without breaking words.
  func tell(_ text: String) throws {
    try errors.write(Terminal(environment).laidOut(text, on: .error))
  }
}
