import RasaCore
package import RasaPersona

/// What a model is told for one operator.
///
/// The system message holds only what the persona's author wrote, and the date; what users, memories,
/// tools and models said goes below it, so that none of it can speak with the author's voice.
package enum Prompt {
  ///
  /// - Parameters:
  ///   - attachments: those of the run's input; an operator that does not read it sees none.
  ///   - wishes: what the client's program wants of the answer.
  package static func request(
    for definition: OperatorDefinition, view: State, kind: FrameKind, system: String,
    attachments: [Attachment] = [], session: String? = nil, wishes: String? = nil
  ) -> ModelRequest {
    let read = view.promptReader(in: kind)
    var messages = [ChatMessage(.system, system)]
    let mentioned = definition.prompt?.paths ?? []
    let turns = read(.conversation).array ?? []
    var place: RequestHistory.Place?
    if definition.reads.contains(where: { $0.overlaps(.conversation) }),
      !mentioned.contains(where: { $0.overlaps(.conversation) }), !turns.isEmpty
    {
      place = .messages(from: messages.count)
      messages.reserveCapacity(messages.count + 2 * turns.count + 1)
      for turn in turns {
        messages.append(ChatMessage(.user, turn["input"].promptText))
        messages.append(ChatMessage(.assistant, turn["output"].promptText))
      }
    }
    let seen = definition.seesAttachments ? attachments : []
    let insertsTurns = !turns.isEmpty && mentioned.contains(.conversation)
    var task = definition.task { path in
      insertsTurns && path == .conversation ? .string(turnsMark) : promptValue(read(path))
    }
    let around = surroundings(of: definition, view, wishes: wishes)
    if !around.isEmpty { task = task.isEmpty ? around : "\(task)\n\n\(around)" }
    var text = seen.shown(below: task)
    var lengths = Array(repeating: 0, count: turns.count)
    if insertsTurns {
      let lines = turns.indices.map { line(of: turns[$0]) + ($0 + 1 < turns.count ? "\n" : "") }
      let (whole, offsets) = text.replacing(turnsMark, with: lines.joined())
      text = whole
      lengths = lines.map(\.utf8.count)
      place = .lines(message: messages.count, offsets: offsets, bytes: whole.utf8.count)
    }
    messages.append(ChatMessage(.user, text, attachments: seen.media))
    var request = ModelRequest(
      messages: messages, schema: definition.output, effort: definition.effort,
      name: definition.name,
      maxTokens: definition.maxTokens, temperature: definition.temperature,
      profile: definition.profile, timeout: definition.timeout, input: view[.input].promptText,
      preferences: view[.preferences].object ?? ValueObject())
    if let place {
      request.history = RequestHistory(
        session: session, place: place, lengths: lengths,
        earlier: Int(clamping: read("context.earlier_turns").int ?? 0),
        summary: ConversationSummary(read("context.summary")))
    }
    return request
  }

  /// Stands in a template's text for the turns until it is known where that is. Such scalars are for private use.
  private static let turnsMark = "\u{10FFFC}turns\u{10FFFC}"

  private static func line(of turn: Value) -> String {
    "User: \(turn["input"].promptText)\nAssistant: \(turn["output"].promptText)"
  }

  /// The same for every call of a persona, so the graph keeps it.
  static func system(for persona: PersonaDefinition, instructions: String?) -> String {
    var lines: [String]
    if let instructions {
      lines = [instructions]
    } else {
      lines = ["Your role: \(spoken(persona.name))."]
      if !persona.description.isEmpty { lines.append(persona.description) }
      if !persona.promptStyle.isBlank, persona.promptStyle.lowercased() != "default" {
        lines.append("Style: \(persona.promptStyle)")
      }
    }
    for (key, value) in persona.metadataAsWritten {
      let name = spoken(key)
      lines.append("\(name.prefix(1).uppercased())\(name.dropFirst()): \(inline(value))")
    }
    return lines.joined(separator: "\n")
  }

  /// The line that tells the day on which a run began; nil where that is not known, as in runs of
  /// earlier versions.
  static func dateLine(_ context: Value) -> String? {
    guard let day = context["today"].string.flatMap({ LocalDay($0) }) else { return nil }
    let weekdays = [
      "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]
    return "Today is \(weekdays[day.weekday]), \(day)."
  }

  /// An identifier as words.
  private static func spoken(_ name: String) -> String { String(name.map { $0 == "_" ? " " : $0 }) }

  /// Lists of plain values read as lists of words, or of sentences.
  private static func inline(_ value: Value) -> String {
    if let list = value.array {
      let items = list.map(inline)
      let areSentences = items.contains { $0.hasSuffix(".") }
      return items.joined(separator: areSentences ? " " : ", ")
    }
    if case .object = value { return value.json(.compact, escaping: .onlyNeeded) }
    return value.promptText
  }

  /// What a template inserts: conversations, notes, lists, and objects of plain values and lists of
  /// them read as lines, not as JSON.
  private static func promptValue(_ value: Value) -> Value {
    if case .object(let object) = value {
      if object.isEmpty { return .null }
      let members = object.compactMap { outline($0.key, $0.value) }
      return members.count == object.count ? .string(members.joined(separator: "\n")) : value
    }
    guard let list = value.array else { return value }
    if list.isEmpty { return .null }
    let lines = list.map { element -> String in
      if let input = element["input"].string {
        return "User: \(input)\nAssistant: \(element["output"].promptText)"
      }
      if let line = RecalledValue.line(element) { return line }
      if let text = element["text"].string { return "- \(MemoryText.untagged(text))" }
      return "- \(inline(element))"
    }
    return .string(lines.joined(separator: "\n"))
  }

  /// A member of an object as a line, and a list as lines below it; nil for what only JSON can say.
  private static func outline(_ key: String, _ value: Value) -> String? {
    func isPlain(_ value: Value) -> Bool {
      switch value {
      case .object, .array: false
      default: true
      }
    }
    guard let list = value.array else {
      return isPlain(value) ? "- \(key): \(value.promptText)" : nil
    }
    guard list.allSatisfy(isPlain) else { return nil }
    if list.isEmpty { return "- \(key): none" }
    return "- \(key):\n" + list.map { "  - \($0.promptText)" }.joined(separator: "\n")
  }
}

extension String {
  /// The text with something else in place of a mark, and where that begins each time, in bytes.
  fileprivate func replacing(_ mark: String, with text: String) -> (String, offsets: [Int]) {
    let bytes = Array(utf8)
    let mark = Array(mark.utf8)
    var result: [UInt8] = []
    var offsets: [Int] = []
    var place = 0
    while place < bytes.count {
      if bytes[place] == mark[0], bytes[place...].starts(with: mark) {
        offsets.append(result.count)
        result += text.utf8
        place += mark.count
      } else {
        result.append(bytes[place])
        place += 1
      }
    }
    return (String(decoding: result, as: UTF8.self), offsets)
  }
}
