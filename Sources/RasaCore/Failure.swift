/// A place in a document. Lines and columns count from 1; columns count characters.
package struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
  package var file: String
  package var line: Int
  package var column: Int

  package init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  package var description: String { line > 0 ? "\(file):\(line):\(column)" : file }
}

/// The one error that people see: what happened, where, and what to do about it.
///
/// Every target throws this. What differs between errors is data: the kind decides the exit code.
package struct Failure: Error, Sendable, Hashable {
  package enum Kind: String, Sendable, CaseIterable {
    case run, usage, configuration, authentication, provider, budget, approval, limit, timeout
    case cancelled, storage
  }

  package var kind: Kind
  /// What happened, as one sentence without a full stop.
  package var message: String
  /// The kind in more detail, for programs, as the journal has it: name, connection, proxy, certificate or
  /// time; nil if the kind says it all.
  package var reason: String?
  /// What to do about it; may be empty.
  package var suggestion: String
  package var location: SourceLocation?
  /// The line the location points at, to be shown with a caret under the column.
  package var excerpt: String?
  /// Further lines: each attempt of a chain, each cause; and each of `others` in one line.
  package var details: [String] {
    get { ownDetails + linesOfOthers }
    set {
      let lines = linesOfOthers
      ownDetails = lines.isEmpty ? newValue : newValue.filter { !lines.contains($0) }
    }
  }
  private var ownDetails: [String]
  /// Further problems of the same document, each with its own place and suggestion.
  package var others: [Failure] = []
  /// The passes through operators in which it occurred, innermost first.
  package var steps: [FailedStep] = []
  /// Whether the run's own time is up, which no operator can work around.
  package var isOfWholeRun = false
  /// The run that it ended, if one had begun.
  package var run: FailedRun?
  /// The cost of a call that ended in this, until it is added to the run's total.
  package var spent = Money.zero

  package init(
    _ kind: Kind, _ message: String, suggestion: String = "", at location: SourceLocation? = nil,
    excerpt: String? = nil, details: [String] = []
  ) {
    self.kind = kind
    self.message = message
    self.suggestion = suggestion
    self.location = location
    self.excerpt = excerpt
    ownDetails = details
  }

  /// One failure that contains all of them; nil if there are none.
  package init?(allOf failures: [Failure]) {
    guard let first = failures.first else { return nil }
    self = first
    others += failures.dropFirst().flatMap(\.separated)
  }

  /// This failure and its `others`, each by itself.
  package var separated: [Failure] {
    var first = self
    first.others = []
    return [first] + others.flatMap(\.separated)
  }

  private var linesOfOthers: [String] {
    others.flatMap { other in
      let place = other.location.map { "\($0): " } ?? ""
      let suggestion = other.suggestion.isEmpty ? "" : " → \(other.suggestion)"
      return [place + other.message + suggestion] + other.details
    }
  }

  /// The process's exit code for this kind of failure.
  package var exitCode: Int32 {
    switch kind {
    case .run, .storage: 1
    case .usage: 2
    case .configuration: 3
    case .authentication: 4
    case .provider: 5
    case .budget: 6
    case .approval: 7
    case .limit: 8
    case .timeout: 124
    case .cancelled: 130
    }
  }
}

extension Failure: CustomStringConvertible {
  /// The lines a terminal shows: location and message, the excerpt with a caret, details, the suggestion.
  package var description: String {
    var lines: [String] = []
    let prefix = location.map { "\($0): " } ?? ""
    lines.append(prefix + message)
    if let excerpt, let location, location.line > 0 {
      lines.append("  " + excerpt)
      if let caret = Self.caretLine(under: excerpt, column: location.column) {
        lines.append("  " + caret)
      }
    }
    lines += ownDetails.map { "  " + $0 }
    if !suggestion.isEmpty { lines.append("→ " + suggestion) }
    lines += others.map(\.description)
    if let run, let resume = run.resume, !names(run) {
      lines.append("→ `\(resume)` continues the run where it stopped")
    }
    return lines.joined(separator: "\n")
  }

  /// Whether the text names the run already.
  private func names(_ run: FailedRun) -> Bool {
    ([message, suggestion] + ownDetails).contains { $0.hasBytes(run.id) }
  }

  /// Nil when the column lies beyond an excerpt that was cut.
  private static func caretLine(under excerpt: String, column: Int) -> String? {
    let scalars = excerpt.unicodeScalars
    let before = max(1, column) - 1
    guard before <= scalars.count else { return nil }
    let indent = scalars.prefix(before).map { scalar in
      scalar == "\t" ? "\t" : String(repeating: " ", count: scalar.displayWidth)
    }
    return indent.joined() + "^"
  }
}

/// The pass through an operator in which a failure occurred.
package struct FailedStep: Sendable, Hashable {
  package var operatorName: String
  package var frame: String
  /// Nil if an early version recorded it, which did not say.
  package var visit: Int?
  package var round: Int?

  package init(operatorName: String, frame: String, visit: Int? = nil, round: Int? = nil) {
    self.operatorName = operatorName
    self.frame = frame
    self.visit = visit
    self.round = round
  }
}

/// A run that ended without its answer: what its caller has to know.
package struct FailedRun: Sendable, Hashable {
  package var id: String
  /// Its status, in the words of `rasa runs list`.
  package var status: String
  /// The command that resumes it; nil if nothing does.
  package var resume: String?
  /// Further facts for programs, by name.
  package var facts: ValueObject
  /// Whether standard output has said all this already.
  package var isTold: Bool

  package init(
    id: String, status: String, resume: String?, facts: ValueObject = ValueObject(),
    isTold: Bool = false
  ) {
    self.id = id
    self.status = status
    self.resume = resume
    self.facts = facts
    self.isTold = isTold
  }
}

// MARK: - For programs

extension SourceLocation {
  package var value: Value {
    [
      "file": .string(file), "line": line > 0 ? .int(Int64(line)) : .null,
      "column": line > 0 ? .int(Int64(column)) : .null,
    ]
  }
}

extension Failure {
  /// The form of an error in every JSON document.
  package var value: Value { value(exitCode: exitCode) }

  /// - Parameter exitCode: that of a signal, where one ended the program.
  package func value(exitCode: Int32) -> Value {
    var place = location?.value
    if let excerpt, var object = place?.object {
      object["excerpt"] = .string(excerpt)
      place = .object(object)
    }
    return [
      "kind": .string(kind.rawValue), "reason": reason.map { .string($0) } ?? .null,
      "message": .string(message), "where": place ?? .null,
      "suggestion": suggestion.isEmpty ? .null : .string(suggestion),
      "details": .array(details.map { .string($0) }), "exit_code": .int(Int64(exitCode)),
    ]
  }

  /// What a program reads instead of an answer.
  package func document(exitCode: Int32) -> ValueObject {
    var document: ValueObject = ["status": .string(run?.status ?? "failed")]
    if let run {
      document["run"] = .string(run.id)
      document["resume"] = run.resume.map { .string($0) } ?? .null
      for (key, fact) in run.facts { document[key] = fact }
    }
    document["error"] = value(exitCode: exitCode)
    return document
  }
}

/// A problem that does not stop the work: an unknown key, a deprecated spelling.
package struct Warning: Sendable, Hashable, CustomStringConvertible {
  package var message: String
  package var location: SourceLocation?

  package init(_ message: String, at location: SourceLocation? = nil) {
    self.message = message
    self.location = location
  }

  package var description: String { (location.map { "\($0): " } ?? "") + message }
}

extension Warning {
  /// The form of a warning in every JSON document.
  package var value: Value {
    ["message": .string(message), "where": location?.value ?? .null]
  }
}
