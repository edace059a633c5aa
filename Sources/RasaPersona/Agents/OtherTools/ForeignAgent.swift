package import RasaCore
package import RasaDocuments

/// A file of another tool, or a part of one, converted to an agent: its front matter in rasa's
/// form, its prompt, and the unsupported fields.
package struct ForeignAgent: Sendable {
  package let kind: AgentKind
  /// The name of the file or of its part.
  package var id: String
  /// rasa's fields, at the locations of the other tool's fields.
  package var fields: [DocumentNode.Entry] = []
  package var prompt = ""
  package var promptLocation: SourceLocation
  /// The unsupported fields, by the tool's names.
  package private(set) var unused: [String] = []
  /// Front matter that is broken or had to be repaired.
  package var failure: Failure?
  package var repairs: [Failure] = []

  init(_ kind: AgentKind, called name: String, at location: SourceLocation) {
    self.kind = kind
    id = AgentID.make(of: name) ?? name
    promptLocation = location
  }

  /// The front matter for the reader of rasa's own form.
  var matter: FrontMatter {
    FrontMatter(
      node: DocumentNode(content: .mapping(fields), location: start), failure: failure,
      warnings: repairs, body: prompt, bodyLocation: promptLocation)
  }

  private var start: SourceLocation {
    SourceLocation(file: promptLocation.file, line: 1, column: 1)
  }

  // MARK: Fields

  mutating func leave(_ field: String) {
    if !unused.contains(field) { unused.append(field) }
  }

  mutating func put(_ key: String, _ node: DocumentNode?) {
    guard let node, self[key] == nil else { return }
    if case .scalar(.null) = node.content { return }
    fields.append(DocumentNode.Entry(key: key, keyLocation: node.location, value: node))
  }

  mutating func put(_ key: String, _ value: Value, at place: SourceLocation? = nil) {
    put(key, DocumentNode(content: .scalar(value), location: place ?? start))
  }

  mutating func put(_ key: String, list: [String], at place: SourceLocation? = nil) {
    guard !list.isEmpty else { return }
    let place = place ?? start
    put(
      key,
      DocumentNode(
        content: .sequence(
          list.map { DocumentNode(content: .scalar(.string($0)), location: place) }),
        location: place))
  }

  subscript(key: String) -> DocumentNode? { fields.first { $0.key == key }?.value }

  /// Stores the field under rasa's name if there is one; otherwise it is unsupported.
  mutating func put(_ key: String, _ node: DocumentNode, elseLeaving name: String) {
    if AgentReader.keys.contains(key) { put(key, node) } else { leave(name) }
  }

  /// Sets the ID, and the display name.
  mutating func identify(name: String? = nil, at place: SourceLocation? = nil) {
    let place = place ?? start
    let trimmedName = name?.trimmed.nonEmpty
    // Fields under rasa's names for ID and display name have already been used.
    fields.removeAll { ["id", "agent_id", "name", "display_name"].contains($0.key) }
    if AgentID.isValid(id) {
      let shown = trimmedName == id ? nil : trimmedName
      fields.insert(
        DocumentNode.Entry(
          key: "name", keyLocation: place,
          value: DocumentNode(
            content: .scalar(.string(shown ?? AgentProposal.displayName(of: id))), location: place)),
        at: 0)
      fields.insert(
        DocumentNode.Entry(
          key: "agent_id", keyLocation: place,
          value: DocumentNode(content: .scalar(.string(id)), location: place)), at: 0)
    } else {
      put("name", .string(trimmedName ?? id), at: place)
    }
  }

  /// Changes the ID.
  package mutating func rename(to id: String) {
    self.id = id
    for index in fields.indices where fields[index].key == "agent_id" {
      fields[index].value.content = .scalar(.string(id))
    }
  }

  /// Names the agent after a file, if that makes a valid ID.
  mutating func rename(called name: String) {
    guard let id = AgentID.make(of: name), id != self.id else { return }
    rename(to: id)
  }

  /// Without a description, the agent is described by the start of its prompt.
  mutating func describe(_ node: DocumentNode?) {
    if let node, let text = node.value.string, text.trimmed.isEmpty == false {
      return put("description", node)
    }
    let words = prompt.replacing(bytes: #"\{{"#, with: "{{").replacing(
      bytes: "{{input}}", with: "…")
    if let text = Self.opening(of: words) { put("description", .string(text)) }
  }

  /// The first sentences of the first paragraph.
  static func opening(of prompt: String) -> String? {
    var words: [Substring] = []
    var isFenced = false
    for line in prompt.split(separator: "\n", omittingEmptySubsequences: false) {
      let text = line.trimmed
      if text.hasPrefix("```") { isFenced.toggle() }
      let isText =
        !isFenced && !text.hasPrefix("#") && !text.hasPrefix("```") && !text.hasPrefix("<!--")
        && !text.hasPrefix("---") && !text.hasPrefix("|") && !text.hasPrefix("@")
      if text.isEmpty || !isText {
        if !words.isEmpty { break }
        continue
      }
      words += text.split(whereSeparator: \.isWhitespace).map { Substring($0) }
      if words.count > 60 { break }
    }
    guard !words.isEmpty else { return nil }
    var taken = ""
    for word in words {
      let longer = taken.isEmpty ? String(word) : "\(taken) \(word)"
      guard longer.unicodeScalars.count <= 240 else { return taken.isEmpty ? nil : taken + " …" }
      taken = longer
      if taken.unicodeScalars.count >= 80, let last = taken.last, ".!?。".contains(last) { break }
    }
    return taken
  }
}

extension Substring {
  fileprivate var trimmed: String { String(self).trimmed }
}
