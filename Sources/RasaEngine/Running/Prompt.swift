import RasaCore
package import RasaPersona

/// What a model is told for one operator.
///
/// The system message holds only what the persona's author wrote; what users, memories, tools and
/// models said goes below it, so that none of it can speak with the author's voice.
package enum Prompt {
  ///
  /// - Parameter attachments: those of the run's input; an operator that does not read it sees none.
  package static func request(
    for definition: OperatorDefinition, view: State, kind: FrameKind, system: String,
    attachments: [Attachment] = []
  ) -> ModelRequest {
    let read = view.promptReader(in: kind)
    var messages = [ChatMessage(.system, system)]
    let mentioned = definition.prompt?.paths ?? []
    if definition.reads.contains(where: { $0.overlaps(.conversation) }),
      !mentioned.contains(where: { $0.overlaps(.conversation) })
    {
      for turn in read(.conversation).array ?? [] {
        messages.append(ChatMessage(.user, turn["input"].promptText))
        messages.append(ChatMessage(.assistant, turn["output"].promptText))
      }
    }
    let seen = definition.seesAttachments ? attachments : []
    messages.append(
      ChatMessage(
        .user, seen.shown(below: definition.task { promptValue(read($0)) }), attachments: seen.media
      ))
    return ModelRequest(
      messages: messages, schema: definition.output, effort: definition.effort,
      name: definition.name,
      maxTokens: definition.maxTokens, temperature: definition.temperature,
      profile: definition.profile, timeout: definition.timeout, input: view[.input].promptText,
      preferences: view[.preferences].object ?? ValueObject())
  }

  /// The same for every call of a persona, so the graph keeps it.
  static func system(for persona: PersonaDefinition, instructions: String?) -> String {
    var lines: [String]
    if let instructions {
      lines = [instructions]
    } else {
      lines = ["You are \(persona.name)."]
      if !persona.description.isEmpty { lines.append(persona.description) }
      if persona.promptStyle != "default" { lines.append("Style: \(persona.promptStyle)") }
    }
    for (key, value) in persona.metadataAsWritten {
      let name = String(key.map { $0 == "_" ? " " : $0 })
      lines.append("\(name.prefix(1).uppercased())\(name.dropFirst()): \(inline(value))")
    }
    return lines.joined(separator: "\n")
  }

  /// Lists of plain values read as lists of words.
  private static func inline(_ value: Value) -> String {
    if let list = value.array { return list.map(inline).joined(separator: ", ") }
    if case .object = value { return value.json(.compact, escaping: .onlyNeeded) }
    return value.promptText
  }

  /// What a template inserts: conversations, notes and lists read as lines, not as JSON.
  private static func promptValue(_ value: Value) -> Value {
    guard let list = value.array, !list.isEmpty else {
      if case .object(let object) = value {
        if object.isEmpty { return .null }
        let isPlain = object.allSatisfy { member in
          switch member.value {
          case .object, .array: false
          default: true
          }
        }
        if isPlain {
          return .string(
            object.map { "- \($0.key): \($0.value.promptText)" }.joined(separator: "\n"))
        }
      }
      if case .array = value { return .null }
      return value
    }
    let lines = list.map { element -> String in
      if let input = element["input"].string {
        return "User: \(input)\nYou: \(element["output"].promptText)"
      }
      if let text = element["text"].string { return "- \(text)" }
      return "- \(inline(element))"
    }
    return .string(lines.joined(separator: "\n"))
  }
}
