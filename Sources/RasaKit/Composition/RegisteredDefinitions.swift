import RasaCore
package import RasaEngine
package import RasaModels
import RasaPersona

/// What a program has of its own beside files: personas, operators, the tools that operators call, and
/// providers of models.
package final class RegisteredDefinitions: Sendable {
  private struct State {
    var documents: [String: [String: SourceDocument]] = [:]
    var tools: [String: any Tool] = [:]
    var providers: [any NativeProvider] = []
  }

  private let state = Locked(State())
  /// What paths of registered definitions begin with.
  package static let origin = RegisteredAgents.origin

  package init() {}

  /// - Parameter kind: `personas` or `operators`.
  func source(of kind: String) -> any DefinitionSource { RegisteredSource(kind: kind, all: self) }

  package var toolNames: Set<String> { state.withLock { Set($0.tools.keys) } }
  package var tools: [String: any Tool] { state.withLock { $0.tools } }
  package var providers: [any NativeProvider] { state.withLock { $0.providers } }

  func document(_ kind: String, _ name: String) -> SourceDocument? {
    state.withLock { $0.documents[kind]?[name] }
  }

  func names(_ kind: String) -> [String] {
    state.withLock { ($0.documents[kind] ?? [:]).keys.sorted() }
  }

  func add(
    _ document: SourceDocument, _ kind: String, _ name: String, replacing: Bool
  ) throws(Failure) {
    let isAdded = state.withLock { state in
      if !replacing, state.documents[kind]?[name] != nil { return false }
      state.documents[kind, default: [:]][name] = document
      return true
    }
    guard isAdded else { throw Self.taken("\(kind == "personas" ? "persona" : "operator")", name) }
  }

  func remove(_ kind: String, _ name: String) -> Bool {
    state.withLock { $0.documents[kind]?.removeValue(forKey: name) != nil }
  }

  func add(_ tool: any Tool, _ name: String, replacing: Bool) throws(Failure) {
    let isAdded = state.withLock { state in
      if !replacing, state.tools[name] != nil { return false }
      state.tools[name] = tool
      return true
    }
    guard isAdded else { throw Self.taken("tool", name) }
  }

  func removeTool(_ name: String) {
    _ = state.withLock { $0.tools.removeValue(forKey: name) }
  }

  func add(_ provider: any NativeProvider, replacing: Bool) throws(Failure) {
    let isAdded = state.withLock { state in
      let place = state.providers.firstIndex { $0.name == provider.name }
      if !replacing, place != nil { return false }
      if let place { state.providers[place] = provider } else { state.providers.append(provider) }
      return true
    }
    guard isAdded else { throw Self.taken("provider", provider.name) }
  }

  func removeProvider(_ name: String) -> Bool {
    state.withLock { state in
      guard let place = state.providers.firstIndex(where: { $0.name == name }) else { return false }
      state.providers.remove(at: place)
      return true
    }
  }

  private static func taken(_ what: String, _ name: String) -> Failure {
    Failure(
      .configuration, "there is already \(what == "operator" ? "an" : "a") \(what) `\(name)`",
      suggestion: "choose another name, or say `replacing: true`")
  }
}

private struct RegisteredSource: DefinitionSource {
  let kind: String
  let all: RegisteredDefinitions

  var label: String { RegisteredDefinitions.origin }

  func list() throws(Failure) -> [String] { all.names(kind) }

  func read(_ name: String) throws(Failure) -> SourceDocument? { all.document(kind, name) }

  func readSibling(_ path: String, of document: String) throws(Failure) -> SourceDocument {
    throw Failure(
      .configuration, "`\(path)` cannot be read: \(document) is in no folder",
      suggestion: "write the text into the definition itself")
  }
}
