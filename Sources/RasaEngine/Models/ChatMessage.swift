package import RasaCore

package enum ChatRole: String, Sendable, Hashable { case system, user, assistant, tool }

package struct ChatMessage: Sendable, Hashable {
  package var role: ChatRole
  package var text: String
  /// What an assistant's message asked for.
  package var toolCalls: [ToolCall]
  /// Which call a `tool` message answers.
  package var toolCallID: String?
  /// Whether a `tool` message tells that the call failed.
  package var isError = false
  /// The number by which the model can read on in what a tool returned; nil where it cannot.
  package var resultNumber: String?
  /// What a thinking model thought before its tool calls; providers that sign it want it back.
  package var reasoning: [ReasoningPart]
  /// Images and documents beside a user's words, or in what a tool returned.
  package var attachments: [Attachment]

  package init(
    _ role: ChatRole, _ text: String, toolCalls: [ToolCall] = [], toolCallID: String? = nil,
    reasoning: [ReasoningPart] = [], attachments: [Attachment] = []
  ) {
    self.attachments = attachments
    self.role = role
    self.text = text
    self.toolCalls = toolCalls
    self.toolCallID = toolCallID
    self.reasoning = reasoning
  }
}

/// A tool as a model sees it.
package struct ToolDefinition: Sendable, Hashable {
  package var name: String
  package var description: String
  /// JSON Schema of the arguments, an object.
  package var parameters: Value
  /// Whether it is declared to change nothing. This is never sent to a provider.
  package var isReadOnly = false

  package init(name: String, description: String, parameters: Value) {
    self.name = name
    self.description = description
    self.parameters = parameters
  }
}

/// A model's wish to have a tool called.
package struct ToolCall: Sendable, Hashable {
  /// Empty where the provider gives none.
  package var id: String
  package var name: String
  /// The object that the model wrote.
  package var arguments: Value
  /// What it wrote instead of an object; `arguments` is empty then.
  package var unreadable: String?
  /// What the provider wants back with the call, unchanged.
  package var signature: String?

  package init(id: String, name: String, arguments: Value, signature: String? = nil) {
    self.id = id
    self.name = name
    self.arguments = arguments
    self.signature = signature
  }
}

/// Reasoning as it has to be handed back to the provider that made it.
package struct ReasoningPart: Sendable, Hashable {
  package var text: String
  package var signature: String?
  /// The provider keeps the text to itself and gave this in its place.
  package var redacted: String?

  package init(text: String, signature: String? = nil, redacted: String? = nil) {
    self.text = text
    self.signature = signature
    self.redacted = redacted
  }
}
