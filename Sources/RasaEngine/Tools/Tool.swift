package import RasaCore
package import RasaPersona

/// Something that operators and models can have done: a tool of an MCP server, an HTTP request, a program, a
/// function of the program that uses RasaKit, another operator.
package protocol Tool: Sendable {
  var description: ToolDescription { get }
  /// Does it once. Throws a `Failure` of kind `timeout` where it may have been done all the same; what the tool
  /// itself reports as an error is a result that `isError`.
  func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome
}

/// What a tool is, for models, people and the policy.
package struct ToolDescription: Sendable, Hashable {
  /// As operators, policies and people name it: `mcp:time/convert_time`, `quote`, `critic_agent`,
  /// `agent:security-reviewer`.
  package var name: String
  /// What it does, in its author's words: untrusted text.
  package var text: String
  /// JSON Schema of the arguments, an object.
  package var parameters: Value
  /// JSON Schema of the structured result.
  package var output: Value?
  package var sideEffects: SideEffects
  /// What its declaration says about the data it touches; nil where nobody has said.
  package var dataFlow: DataFlow?
  package var origin: Origin

  package enum Origin: Sendable, Hashable {
    /// Code of the program that uses RasaKit, which answers for it.
    case program
    case server(String)
    case http, process
    case `operator`, agent, skill
    /// rasa's own, such as the search among many tools.
    case builtIn
    /// The program that asked for the run: it uses the tool itself, and gives back what came of it.
    case client
  }

  package init(
    name: String, text: String = "", parameters: Value = ["type": "object"], output: Value? = nil,
    sideEffects: SideEffects = .yes, dataFlow: DataFlow? = nil, origin: Origin
  ) {
    self.name = name
    self.text = text
    self.parameters = parameters
    self.output = output
    self.sideEffects = sideEffects
    self.dataFlow = dataFlow
    self.origin = origin
  }
}

/// One use of a tool.
package struct ToolUse: Sendable, Hashable {
  package var run: Identifier
  package var step: Step
  /// Where in the run it is asked for.
  package var key: EffectKey
  package var name: String
  package var arguments: Value
  /// The same for every attempt at this use, so that the tool can recognise a second one.
  package var idempotencyKey: String
  /// Answers to what the tool asked for at the use before this one, and the state that it gave with its question.
  package var responses: Value?
  package var requestState: Value?

  package init(
    run: Identifier, step: Step, key: EffectKey, name: String, arguments: Value,
    idempotencyKey: String
  ) {
    self.run = run
    self.step = step
    self.key = key
    self.name = name
    self.arguments = arguments
    self.idempotencyKey = idempotencyKey
  }
}

/// What a tool can say and ask while it works.
package struct ToolContext: Sendable {
  package var progress: @Sendable (ToolProgress) async throws -> Void
  /// Puts a question of the tool to a person. Nil if nobody can answer now.
  package var ask: @Sendable (ToolQuestion) async throws -> HumanAnswer?
  /// The seconds that the use may still take.
  package var secondsLeft: @Sendable () -> Double

  package init(
    progress: @escaping @Sendable (ToolProgress) async throws -> Void = { _ in },
    ask: @escaping @Sendable (ToolQuestion) async throws -> HumanAnswer? = { _ in nil },
    secondsLeft: @escaping @Sendable () -> Double = { .infinity }
  ) {
    self.progress = progress
    self.ask = ask
    self.secondsLeft = secondsLeft
  }
}

package struct ToolProgress: Sendable, Hashable {
  package var done: Double?
  package var total: Double?
  package var message: String
  package init(done: Double? = nil, total: Double? = nil, message: String = "") {
    self.done = done
    self.total = total
    self.message = message
  }
}

/// What a tool asks a person for, in its own untrusted words.
package struct ToolQuestion: Sendable, Hashable {
  package var message: String
  /// JSON Schema of the answer; nil for a plain yes or no.
  package var schema: Value?
  /// The page that the person is to open instead of answering here.
  package var url: String?
  /// The arguments of a call that the client of the run has to make: what it comes to is the answer.
  package var call: Value?
  package init(
    message: String, schema: Value? = nil, url: String? = nil, call: Value? = nil
  ) {
    self.message = message
    self.schema = schema
    self.url = url
    self.call = call
  }
}

package enum ToolOutcome: Sendable, Hashable {
  case result(ToolResult)
  case inputRequired(ToolInputRequest)
}

/// The tool has to know more: the same use again, with the answers as `responses` and with `state`.
package struct ToolInputRequest: Sendable, Hashable {
  package struct Entry: Sendable, Hashable {
    package var name: String
    package var question: ToolQuestion
    package init(name: String, question: ToolQuestion) {
      self.name = name
      self.question = question
    }
  }
  package var entries: [Entry]
  package var state: Value
  package init(entries: [Entry], state: Value) {
    self.entries = entries
    self.state = state
  }
}

/// What a tool returned.
package struct ToolResult: Sendable, Hashable {
  package enum Content: Sendable, Hashable {
    case text(String)
    /// An image or a document.
    case attachment(Attachment)
  }
  package var content: [Content]
  package var structured: Value?
  /// The tool says that it failed; a model may try something else.
  package var isError: Bool

  package init(_ content: [Content] = [], structured: Value? = nil, isError: Bool = false) {
    self.content = content
    self.structured = structured
    self.isError = isError
  }

  /// What an operator writes: the structured value, else the text, else what files there are.
  package var value: Value {
    if let structured { return structured }
    guard text.isEmpty, !attachments.isEmpty else { return .string(text) }
    return .string(attachments.map { "\($0.name): \($0.summary)" }.joined(separator: "\n"))
  }

  package var attachments: [Attachment] {
    content.compactMap { if case .attachment(let file) = $0 { file } else { nil } }
  }

  package var text: String {
    content.compactMap { if case .text(let text) = $0 { text } else { nil } }
      .joined(separator: "\n")
  }
}
