package import RasaCore

/// A question of an operator to the user.
package struct AnswerRequest: Sendable {
  /// One field of an answer with a schema.
  package struct Field: Sendable {
    package var name: String
    package var description: String
    /// The allowed values: `yes or no`.
    package var hint: String
    package var isRequired: Bool

    package init(name: String, description: String, hint: String, isRequired: Bool) {
      self.name = name
      self.description = description
      self.hint = hint
      self.isRequired = isRequired
    }
  }

  package var question: String
  package var askedBy: String
  package var costSoFar: Money
  package var context: [(name: String, value: String)]
  /// Empty if the answer is a text.
  package var fields: [Field]
  /// The default for Enter alone; nil if a value is required.
  package var standard: String?
  /// What is wrong with the value of one field.
  package var problem: @Sendable (_ field: String, _ text: String) -> String?
  /// What was wrong with the previous answer.
  package var note = ""

  package init(
    question: String, askedBy: String, costSoFar: Money = .zero,
    context: [(name: String, value: String)] = [], fields: [Field] = [], standard: String? = nil,
    problem: @escaping @Sendable (_ field: String, _ text: String) -> String? = { _, _ in nil }
  ) {
    self.question = question
    self.askedBy = askedBy
    self.costSoFar = costSoFar
    self.context = context
    self.fields = fields
    self.standard = standard
    self.problem = problem
  }
}

package enum UserAnswer: Sendable {
  case text(String)
  /// The fields that were filled in.
  case fields([(name: String, text: String)])
  /// The default for Enter alone.
  case standard
  /// No answer: the input has ended, or the terminal is gone.
  case unanswered
  case interrupted
}

extension ApprovalPrompt {
  /// Asks for a text, or for one field after the other.
  package func ask(_ request: AnswerRequest) async throws(Failure) -> UserAnswer {
    let terminal = try open()
    defer { terminal.leave() }
    let card = ApprovalCard(style: style, columns: terminal.columns)
    var facts = [("asked by", request.askedBy), ("cost so far", request.costSoFar.displayText)]
    facts += request.context.map { ($0.name, $0.value) }
    if let standard = request.standard { facts.append(("Enter alone", standard)) }
    var text = card.presentation(question: request.question, facts: facts)
    if !request.note.isEmpty { text += card.note(request.note) }
    var isFirst = true
    func read(_ prompt: String) async -> LineReader.Line {
      defer {
        isFirst = false
        text = ""
      }
      return await terminal.readLine(
        prompt: text + prompt, discardingTypedAhead: isFirst, isText: true)
    }
    if request.fields.isEmpty {
      while true {
        switch await read("Answer: ") {
        case .interrupted: return interrupted(terminal)
        case .end: return .unanswered
        case .text(let line):
          if !line.allSatisfy(\.isWhitespace) { return .text(line) }
          if request.standard != nil { return .standard }
          text = "Write an answer, or press Ctrl-D to leave the question for later.\n"
        }
      }
    }
    text += "One line per value, or everything as JSON. Ctrl-D leaves the question for later.\n"
    var filled: [(name: String, text: String)] = []
    for (index, field) in request.fields.enumerated() {
      let optional = field.isRequired ? "" : ", or Enter for none"
      text += card.note("\(field.name) (\(field.hint)\(optional))  \(field.description)")
      let name = fit(TerminalText.exact(field.name), to: max(terminal.columns / 2, 8))
      asking: while true {
        switch await read("  \(name): ") {
        case .interrupted: return interrupted(terminal)
        case .end: return .unanswered
        case .text(let line):
          if index == 0, line.first(where: { !$0.isWhitespace }) == "{" { return .text(line) }
          if line.allSatisfy(\.isWhitespace) {
            if index == 0, request.standard != nil { return .standard }
            if !field.isRequired { break asking }
            text = card.note("`\(field.name)` is required")
          } else if let problem = request.problem(field.name, line) {
            text = card.note(problem)
          } else {
            filled.append((field.name, line))
            break asking
          }
        }
      }
    }
    return .fields(filled)
  }

  private func interrupted(_ terminal: InteractiveTerminal) -> UserAnswer {
    terminal.show("\n")
    return .interrupted
  }
}
