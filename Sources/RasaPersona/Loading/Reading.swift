package import RasaCore

/// The result of reading a definition: all problems at once, so that an author can fix a file in
/// one go. There is a definition exactly if nothing failed.
package struct Reading<Definition: Sendable>: Sendable {
  package let definition: Definition?
  /// What could be read despite the failures, for further checks.
  package let partial: Definition?
  package let failures: [Failure]
  package let warnings: [Warning]

  /// - Parameter partial: the partial definition of a failed reading.
  package init(
    read definition: Definition, failures: [Failure], warnings: [Warning],
    partial: Definition? = nil
  ) {
    self.definition = failures.isEmpty ? definition : nil
    self.partial = failures.isEmpty ? nil : partial
    self.failures = failures.sorted { Self.isOrdered($0.location, before: $1.location) }
    self.warnings = warnings.sorted { Self.isOrdered($0.location, before: $1.location) }
  }

  package init(failure: Failure, warnings: [Warning] = []) {
    self.init(definition: nil, failures: failure.separated, warnings: warnings)
  }

  private init(
    definition: Definition?, failures: [Failure], warnings: [Warning], partial: Definition? = nil
  ) {
    self.definition = definition
    self.partial = partial
    self.failures = failures
    self.warnings = warnings
  }

  /// The same result with another definition.
  package func with(_ definition: Definition) -> Self {
    Self(definition: definition, failures: failures, warnings: warnings)
  }

  /// The same without excerpts of the file.
  package var hidingExcerpts: Self {
    Self(
      definition: definition,
      failures: failures.map { failure in
        var failure = failure
        failure.excerpt = nil
        return failure
      }, warnings: warnings, partial: partial)
  }

  package func warning(_ warning: Warning) -> Self {
    Self(
      definition: definition, failures: failures, warnings: warnings + [warning], partial: partial)
  }

  /// The definition, or one failure that includes all of them.
  package func get() throws(Failure) -> Definition {
    if let definition { return definition }
    throw Failure(allOf: failures)
      ?? Failure(.configuration, "the definition could not be read")
  }

  private static func isOrdered(_ left: SourceLocation?, before right: SourceLocation?) -> Bool {
    guard let left, let right else { return false }
    return (left.file, left.line, left.column) < (right.file, right.line, right.column)
  }
}
