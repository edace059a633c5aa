import CSystem

/// The environment variables of the program as a value: code that depends on them takes one, so
/// that tests can set them.
package struct Environment: Sendable, Hashable {
  package private(set) var variables: [String: String]

  package init(_ variables: [String: String] = [:]) { self.variables = variables }

  /// The variables that this process was started with.
  package static func ofProcess() -> Environment {
    var variables: [String: String] = [:]
    guard var entry = unsafe rasa_environment() else { return Environment() }
    while let text = unsafe entry.pointee {
      let pair = unsafe String(cString: text)
      if let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")) {
        // The first occurrence of a repeated name counts, as for getenv.
        let name = String(pair[..<equals])
        if variables[name] == nil {
          variables[name] = String(pair[pair.utf8.index(after: equals)...])
        }
      }
      unsafe entry += 1
    }
    return Environment(variables)
  }

  /// The value of a variable; an empty one counts as unset.
  package subscript(name: String) -> String? {
    guard let value = variables[name], !value.isEmpty else { return nil }
    return value
  }

  /// Only the variables with these names; a name that ends in `*` matches any with that prefix.
  package func allowing(_ names: [String]) -> Environment {
    Environment(
      variables.filter { name, _ in
        names.contains { $0.hasSuffix("*") ? name.hasPrefix($0.dropLast()) : $0 == name }
      })
  }
}
