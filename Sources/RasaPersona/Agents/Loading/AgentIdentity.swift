import RasaCore
import RasaDocuments

/// An agent's ID and display name, from either spelling: `agent_id` with `name` as the display
/// name, or `name` as the ID with `display_name`.
struct AgentIdentity {
  var id: String
  var name: String
}

extension AgentReader {
  /// The identity if there is a TOML file, which overrides the front matter. `self` reads the TOML
  /// file.
  mutating func identity(
    config: AgentLayer, at root: DocumentNode, frontMatter head: AgentLayer?,
    documents: AgentDocuments, _ headReader: inout AgentReader?
  ) -> AgentIdentity? {
    let claim = head.map { Self.claim(of: $0, beside: config) }
    let id = configID(config, at: root, claim: claim?.id, documents)
    let name: String
    if let stated = config.displayName ?? config.name {
      if stated.text.isEmpty {
        reader.fail(stated.node, "the agent's `name` is empty", suggestion: "add a display name")
      }
      name = stated.text
    } else if let stated = claim?.name, !stated.text.isEmpty {
      name = stated.text
    } else {
      reader.fail(
        root, "the agent has no `name`", suggestion: "add `name = \"…\"`, its display name")
      name = ""
    }
    if let stated = claim?.id, let id, config.id != nil, stated.text != id {
      headReader?.reader.warn(
        "the front matter is of `\(DocumentReader.printable(stated.text))`, but the agent is `\(id)`",
        at: stated.node.location)
    }
    if let stated = claim?.name, config.displayName ?? config.name != nil, stated.text != name {
      headReader?.reader.warn(
        "the front matter calls the agent `\(DocumentReader.printable(stated.text))`, and its TOML "
          + "file `\(DocumentReader.printable(name))`, which is used", at: stated.node.location)
    }
    return id.map { AgentIdentity(id: $0, name: name) }
  }

  /// The identity that front matter claims, interpreted with the TOML file beside it.
  private static func claim(
    of head: AgentLayer, beside config: AgentLayer
  ) -> (id: AgentLayer.StatedText?, name: AgentLayer.StatedText?) {
    if head.id != nil { return (head.id, head.displayName ?? head.name) }
    guard let name = head.name else { return (nil, head.displayName) }
    if head.displayName != nil { return (name, head.displayName) }
    let isName = name.text != config.id?.text && name.text == config.name?.text
    return isName || !AgentID.isValid(name.text) ? (nil, name) : (name, nil)
  }

  private mutating func configID(
    _ config: AgentLayer, at root: DocumentNode, claim: AgentLayer.StatedText?,
    _ documents: AgentDocuments
  ) -> String? {
    guard let stated = config.id else {
      if let claim, AgentID.isValid(claim.text) {
        reader.warn(
          "the file has no `id`; `\(claim.text)` is taken from the front matter",
          at: root.location)
        return claim.text
      }
      let example = AgentID.make(of: documents.fileName) ?? "code-agent"
      reader.fail(root, "the agent has no `id`", suggestion: "add `id = \"\(example)\"`")
      return nil
    }
    guard !stated.text.isEmpty else {
      reader.fail(
        stated.node, "the agent's `id` is empty", suggestion: "write one such as `code-agent`")
      return nil
    }
    guard AgentID.isValid(stated.text) else {
      let suggestion = AgentID.make(of: stated.text).map { "did you mean `\($0)`? " } ?? ""
      reader.fail(
        stated.node,
        "`id` must be lowercase words joined by hyphens, but is "
          + DocumentReader.kindName(stated.node),
        suggestion: suggestion + "use an ID such as `code-agent`")
      return nil
    }
    return stated.text
  }

  /// The identity of a Markdown file alone, which is read leniently.
  mutating func identity(
    frontMatter head: AgentLayer, documents: AgentDocuments, at location: SourceLocation
  ) -> AgentIdentity? {
    let people = head.displayName ?? (head.id == nil ? nil : head.name)
    if let stated = head.id ?? head.name, let id = AgentID.make(of: stated.text) {
      if AgentID.isValid(stated.text) {
        return AgentIdentity(id: stated.text, name: people?.text.nonEmpty ?? stated.text)
      }
      let text = DocumentReader.printable(stated.text)
      reader.warn("`\(text)` is not a valid ID; it is read as `\(id)`", at: stated.node.location)
      return AgentIdentity(id: id, name: people?.text.nonEmpty ?? stated.text)
    }
    guard let id = AgentID.make(of: documents.fileName) else {
      reader.fail(
        Failure(
          .configuration, "the agent has no `name`, and none can be derived from its file's name",
          suggestion: "add `name: code-agent`", at: location))
      return nil
    }
    reader.warn("the agent has no `name`; it is named `\(id)` after its file", at: location)
    return AgentIdentity(id: id, name: people?.text.nonEmpty ?? id)
  }
}
