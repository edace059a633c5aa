package import RasaCore
package import RasaPersona

/// The declared tools by name. What a persona declares goes before what the project declares, and that before what
/// the user does.
package struct ToolCatalogue: Sendable {
  package enum Scope: String, Sendable, Hashable, CaseIterable {
    /// On the command line.
    case given
    case persona, project, user
  }

  /// The declarations of one file, or of one command line.
  package struct Layer: Sendable {
    package var scope: Scope
    package var declarations: [ToolDeclaration]

    package init(_ scope: Scope, _ declarations: [ToolDeclaration]) {
      self.scope = scope
      self.declarations = declarations
    }
  }

  package struct Entry: Sendable {
    package var declaration: ToolDeclaration
    package var scope: Scope
    /// Where others of the same name are, which do not count.
    package var shadows: [SourceLocation] = []
  }

  /// In the order of their names.
  package let entries: [Entry]

  /// - Parameter layers: the first one goes before the others.
  package init(_ layers: [Layer]) {
    var found: [String: Entry] = [:]
    for layer in layers {
      for declaration in layer.declarations {
        if found[declaration.name] == nil {
          found[declaration.name] = Entry(declaration: declaration, scope: layer.scope)
        } else {
          found[declaration.name]?.shadows.append(declaration.location)
        }
      }
    }
    entries = found.values.sorted { $0.declaration.name < $1.declaration.name }
  }

  package subscript(name: String) -> Entry? { entries.first { $0.declaration.name == name } }

  /// The entry that a reference means.
  ///
  /// - Throws: a `Failure` that names the reference, with the nearest name.
  package func entry(of reference: ToolReference) throws(Failure) -> Entry {
    switch reference {
    case .server(let name, _):
      if let entry = self[name] {
        if entry.declaration.isServer { return entry }
        throw Failure(
          .configuration,
          "`\(name)` is no server but a tool of kind `\(entry.declaration.kindName)`",
          suggestion: "name it as `\(name)`", at: entry.declaration.location)
      }
    case .named(let name):
      if let entry = self[name] {
        guard entry.declaration.isServer else { return entry }
        throw Failure(
          .configuration, "`\(name)` is a server and not a tool",
          suggestion:
            "name one of its tools as `mcp:\(name)/TOOL`; `rasa tools show \(name)` lists them")
      }
    case .agent: break
    }
    throw unknown(reference.text)
  }

  package func unknown(_ name: String) -> Failure {
    let known = entries.map(\.declaration.reference)
    var spelling = name
    if case .server(let server, _) = ToolReference(name) { spelling = "mcp:\(server)" }
    let nearest =
      nearestName(to: spelling, among: known)
      // `time` for `mcp:time`.
      ?? nearestName(to: spelling, among: entries.map(\.declaration.name))
    return Failure(
      .configuration, "no tool `\(name.printable(atMost: 80))` is declared",
      suggestion: (nearest.map { "did you mean `\($0)`? " } ?? "")
        + "`rasa tools list` shows which there are")
  }
}
