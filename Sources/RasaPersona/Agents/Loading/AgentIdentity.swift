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
    if let said = config.displayName ?? config.name {
      if said.text.isEmpty {
        reader.fail(said.node, "the agent's `name` is empty", suggestion: "add a display name")
      }
      name = said.text
    } else if let said = claim?.name, !said.text.isEmpty {
      name = said.text
    } else {
      reader.fail(
        root, "the agent has no `name`", suggestion: "add `name = \"…\"`, its display name")
      name = ""
    }
    if let said = claim?.id, let id, config.id != nil, said.text != id {
      headReader?.reader.warn(
        "the front matter is of `\(DocumentReader.printable(said.text))`, but the agent is `\(id)`",
        at: said.node.location)
    }
    if let said = claim?.name, config.displayName ?? config.name != nil, said.text != name {
      headReader?.reader.warn(
        "the front matter calls the agent `\(DocumentReader.printable(said.text))`, and its TOML "
          + "file `\(DocumentReader.printable(name))`, which is used", at: said.node.location)
    }
    return id.map { AgentIdentity(id: $0, name: name) }
  }

  /// The identity that front matter claims, interpreted with the TOML file beside it.
  private static func claim(
    of head: AgentLayer, beside config: AgentLayer
  ) -> (id: AgentLayer.Said?, name: AgentLayer.Said?) {
    if head.id != nil { return (head.id, head.displayName ?? head.name) }
    guard let name = head.name else { return (nil, head.displayName) }
    if head.displayName != nil { return (name, head.displayName) }
    let isName = name.text != config.id?.text && name.text == config.name?.text
    return isName || !AgentID.isValid(name.text) ? (nil, name) : (name, nil)
  }

  private mutating func configID(
    _ config: AgentLayer, at root: DocumentNode, claim: AgentLayer.Said?,
    _ documents: AgentDocuments
  ) -> String? {
    guard let said = config.id else {
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
    guard !said.text.isEmpty else {
      reader.fail(
        said.node, "the agent's `id` is empty", suggestion: "write one such as `code-agent`")
      return nil
    }
    guard AgentID.isValid(said.text) else {
      let suggestion = AgentID.make(of: said.text).map { "did you mean `\($0)`? " } ?? ""
      reader.fail(
        said.node,
        "`id` must be lowercase words joined by hyphens, but is "
          + DocumentReader.spoken(said.node),
        suggestion: suggestion + "use an ID such as `code-agent`")
      return nil
    }
    return said.text
  }

  /// The identity of a Markdown file alone, which is read leniently.
  mutating func identity(
    frontMatter head: AgentLayer, documents: AgentDocuments, at location: SourceLocation
  ) -> AgentIdentity? {
    let people = head.displayName ?? (head.id == nil ? nil : head.name)
    if let said = head.id ?? head.name, let id = AgentID.make(of: said.text) {
      if AgentID.isValid(said.text) {
        return AgentIdentity(id: said.text, name: people?.text.nonEmpty ?? said.text)
      }
      let text = DocumentReader.printable(said.text)
      reader.warn("`\(text)` is not a valid ID; it is read as `\(id)`", at: said.node.location)
      return AgentIdentity(id: id, name: people?.text.nonEmpty ?? said.text)
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
