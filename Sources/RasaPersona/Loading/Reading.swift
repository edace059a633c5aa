package import RasaCore

/// What came of reading a definition: all that is wrong with it at once, so that an author mends a
/// file in one go. There is a definition exactly when nothing failed.
package struct Reading<Definition: Sendable>: Sendable {
  package let definition: Definition?
  package let failures: [Failure]
  package let warnings: [Warning]

  package init(read definition: Definition, failures: [Failure], warnings: [Warning]) {
    self.definition = failures.isEmpty ? definition : nil
    self.failures = failures.sorted { Self.stands($0.location, before: $1.location) }
    self.warnings = warnings.sorted { Self.stands($0.location, before: $1.location) }
  }

  package init(failure: Failure) { self.init(definition: nil, failures: [failure], warnings: []) }

  private init(definition: Definition?, failures: [Failure], warnings: [Warning]) {
    self.definition = definition
    self.failures = failures
    self.warnings = warnings
  }

  /// The same with another definition in the place of the one that was read.
  package func with(_ definition: Definition) -> Self {
    Self(definition: definition, failures: failures, warnings: warnings)
  }

  package func warning(_ warning: Warning) -> Self {
    Self(definition: definition, failures: failures, warnings: warnings + [warning])
  }

  /// The definition, or one failure that tells of all.
  package func get() throws(Failure) -> Definition {
    if let definition { return definition }
    var failure =
      failures.first ?? Failure(.configuration, "the definition could not be read")
    for other in failures.dropFirst() {
      let place = other.location.map { "\($0): " } ?? ""
      let mend = other.mend.isEmpty ? "" : " → \(other.mend)"
      failure.details.append(place + other.message + mend)
      failure.details += other.details
    }
    throw failure
  }

  private static func stands(_ left: SourceLocation?, before right: SourceLocation?) -> Bool {
    guard let left, let right else { return false }
    return (left.file, left.line, left.column) < (right.file, right.line, right.column)
  }
}
