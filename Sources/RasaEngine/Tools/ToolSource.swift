package import RasaCore
package import RasaPersona

/// Reads the tools that are declared outside of a persona.
package typealias DeclaredTools = @Sendable () throws(Failure) -> [ToolDeclaration]

/// Where the tools of a run come from. Servers start when a tool of theirs is first needed.
package protocol ToolSource: Sendable {
  /// The tools that `references` name (`mcp:time`, `mcp:git/git_*`, `quote`), each once.
  ///
  /// - Throws: a `Failure` that names the reference, for one that is unknown, or whose server does not start.
  func tools(named references: [String]) async throws -> [any Tool]
  /// The same for the operator whose tools have that key: a recording knows them by it.
  func tools(named references: [String], for key: EffectKey) async throws -> [any Tool]
  /// A tool of rasa's own, such as the search among many, as this source has it used: a recording knows what it gave.
  func builtIn(_ tool: any Tool) -> any Tool
  /// The same with the tools that a persona or an agent declares itself, which go before others of their names.
  func declaring(_ tools: [ToolDeclaration]) -> any ToolSource
  /// The places of the tools that fit the words best, the best first.
  func search(_ words: String, among tools: [ToolDescription], limit: Int) -> [Int]
  /// What is known of what a reference names without starting anything; nil where that would take a start.
  func known(_ reference: String) -> [ToolDescription]?
}

extension ToolSource {
  package func tools(
    named references: [String], for key: EffectKey
  ) async throws -> [any Tool] {
    try await tools(named: references)
  }

  package func builtIn(_ tool: any Tool) -> any Tool { tool }
  package func declaring(_ tools: [ToolDeclaration]) -> any ToolSource { self }

  package func search(_ words: String, among tools: [ToolDescription], limit: Int) -> [Int] {
    Array(tools.indices.prefix(limit))
  }

  package func known(_ reference: String) -> [ToolDescription]? { nil }
}

/// Tools that are there by their names.
package struct FixedTools: ToolSource, ExpressibleByDictionaryLiteral {
  private let known: [String: any Tool]

  package init(_ known: [String: any Tool] = [:]) { self.known = known }
  package init(dictionaryLiteral elements: (String, any Tool)...) {
    known = Dictionary(elements) { _, last in last }
  }

  package func tools(named references: [String]) throws(Failure) -> [any Tool] {
    var tools: [any Tool] = []
    for reference in references {
      guard let tool = known[reference] else {
        throw Failure(.configuration, "there is no tool `\(reference)`")
      }
      tools.append(tool)
    }
    return tools
  }

  package func known(_ reference: String) -> [ToolDescription]? {
    known[reference].map { [$0.description] }
  }
}
