import RasaCore
import RasaDocuments
import RasaPersona
import Testing

/// Definitions from text that can use the shipped operators.
enum Loading {
  static func operatorReading(
    _ text: String, siblings: [String: [UInt8]] = [:]
  ) throws -> Reading<OperatorDefinition> {
    let source = MemorySource(folder: "operators", siblings: siblings)
    return Shipped.library.readOperator(
      SourceDocument(bytes: Array(text.utf8), path: "o.yaml"), beside: source)
  }

  static func personaReading(
    _ text: String, siblings: [String: [UInt8]] = [:]
  ) throws -> Reading<PersonaDefinition> {
    let source = MemorySource(siblings: siblings)
    return Shipped.library.readPersona(
      SourceDocument(bytes: Array(text.utf8), path: "p.yaml"), beside: source)
  }

  /// A minimal persona with additional lines.
  static func persona(_ lines: String) throws -> Reading<PersonaDefinition> {
    try personaReading("name: p\ndescription: d\n" + lines)
  }
}

/// A mistake in a file, and the expected message.
struct Mistake: Sendable, CustomTestStringConvertible {
  var text: String
  var place: String
  var message: String
  var suggestion: String = ""

  init(_ text: String, _ place: String, _ message: String, suggestion: String = "") {
    self.text = text
    self.place = place
    self.message = message
    self.suggestion = suggestion
  }

  var testDescription: String { "\(place): \(message)" }

  func isTold(by failures: [Failure]) -> Bool {
    failures.contains { failure in
      failure.kind == .configuration && failure.message.contains(message)
        && failure.suggestion.contains(suggestion)
        && failure.location.map { "\($0.line):\($0.column)" } == place
    }
  }
}
