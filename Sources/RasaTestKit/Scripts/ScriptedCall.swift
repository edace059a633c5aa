package import RasaCore
import RasaDocuments

/// A tool call of the scripted model.
package struct ScriptedCall: Sendable, Hashable {
  /// Nil if the provider has none.
  package var id: String?
  package var name: String
  /// As the model writes it: valid JSON or not.
  package var arguments: String
  package var signature: String?

  package init(
    id: String? = nil, name: String, arguments: Value = [:], signature: String? = nil
  ) {
    self.init(id: id, name: name, text: arguments.json(), signature: signature)
  }

  /// A call with arbitrary text as arguments.
  package init(id: String? = nil, name: String, text: String, signature: String? = nil) {
    self.id = id
    self.name = name
    self.arguments = text
    self.signature = signature
  }

  /// The arguments as streamed, some characters at a time.
  var pieces: [String] {
    var pieces: [String] = []
    var rest = arguments[...]
    while !rest.isEmpty {
      pieces.append(String(rest.prefix(7)))
      rest = rest.dropFirst(7)
    }
    return pieces
  }

  /// The arguments as a value; invalid JSON is sent as text.
  var value: Value { (try? JSON.parse(arguments)) ?? .string(arguments) }
}
