package import RasaCore
import RasaDocuments

/// Reads an agent's files: a TOML file with its Markdown prompt, or a Markdown file alone.
package enum AgentLoader {
  /// The result of loading an agent.
  package struct LoadedAgent: Sendable {
    package var agent: Agent
    /// Nil if the prompt's file is missing.
    package var prompt: AgentPrompt?
    /// Why the agent cannot run without its prompt; nil if there is one.
    package var missingPrompt: Failure?
    /// Front matter that is broken and ignored.
    package var unreadable: Warning?
  }

  /// The engines that need no entry in a configuration.
  package static let builtInEngines = BuiltInProvider.names

  /// - Parameters:
  ///   - engines: the engines that may be named: built-in and configured ones.
  ///   - file: the prompt's file, if it was already parsed.
  package static func load(
    _ documents: AgentDocuments, engines: Set<String> = builtInEngines,
    from file: ForeignFile? = nil
  ) -> Reading<LoadedAgent> {
    var failures: [Failure] = []
    var warnings: [Warning] = []
    let head = frontMatter(documents, file, engines, &failures, &warnings)
    let loaded =
      documents.config.map { loadConfig($0, documents, head, engines, &failures, &warnings) }
      ?? loadMarkdown(documents, head, engines, &failures, &warnings)
    let nothing = LoadedAgent(agent: Agent(id: ""))
    return Reading(read: loaded ?? nothing, failures: failures, warnings: warnings)
  }
}

// MARK: Front matter

extension AgentLoader {
  /// A Markdown file, with a reader of its front matter if that is readable.
  private struct Head {
    var layer: AgentLayer?
    var reader: AgentReader
    var prompt: AgentPrompt
    var hasFrontMatter: Bool
    var kind = AgentKind.rasa
    /// Fields of another tool's file that rasa does not support.
    var unused: [String] = []
    var unreadable: Warning?
  }

  /// Broken front matter loses only the front matter: the text below it is kept.
  private static func frontMatter(
    _ documents: AgentDocuments, _ file: ForeignFile?, _ engines: Set<String>,
    _ failures: inout [Failure],
    _ warnings: inout [Warning]
  ) -> Head? {
    guard let document = documents.prompt else { return nil }
    let matter: FrontMatter
    var foreign: ForeignAgent?
    do throws(Failure) {
      if documents.config == nil {
        let file = if let file { file } else { try ForeignFile(document) }
        foreign = try file.agents(engines: engines).first
        if foreign?.kind == .prompt { foreign?.rename(called: documents.fileName) }
        if let foreign {
          matter = foreign.matter
        } else {
          matter = try file.ownMatter()
        }
      } else {
        matter = try FrontMatter.read(document.bytes, file: document.path)
      }
    } catch {
      failures.append(error)
      return nil
    }
    warnings += matter.warnings.map { Warning($0.oneLine, at: $0.location) }
    var head = Head(
      reader: AgentReader(
        reader: DocumentReader(text: SourceText(document)), engines: engines),
      prompt: AgentPrompt(text: matter.body, location: matter.bodyLocation),
      hasFrontMatter: matter.node != nil || matter.failure != nil,
      kind: foreign?.kind ?? .rasa, unused: foreign?.unused ?? [])
    if let failure = matter.failure {
      let warning = unreadable(failure.oneLine, at: failure.location)
      head.unreadable = warning
      warnings.append(warning)
    }
    // What another tool's path says about a file is known whatever the file contains.
    if matter.failure == nil || foreign != nil, let node = matter.node {
      if case .mapping = node.content {
        head.layer = head.reader.frontMatter(node)
      } else {
        warnings.append(
          unreadable("it is \(DocumentReader.kindName(node)), not a mapping", at: node.location))
      }
    }
    return head
  }

  private static func unreadable(_ why: String, at location: SourceLocation?) -> Warning {
    Warning("the front matter cannot be read and is ignored: \(why)", at: location)
  }
}

// MARK: Forms

extension AgentLoader {
  private static func loadConfig(
    _ config: SourceDocument, _ documents: AgentDocuments, _ head: Head?, _ engines: Set<String>,
    _ failures: inout [Failure], _ warnings: inout [Warning]
  ) -> LoadedAgent? {
    var headReader = head?.reader
    var reader = AgentReader(
      reader: DocumentReader(text: SourceText(config)), engines: engines)
    defer {
      failures += reader.reader.failures + (headReader?.reader.failures ?? [])
      warnings += reader.reader.warnings + (headReader?.reader.warnings ?? [])
    }
    let root: DocumentNode
    do {
      root = try TOML.parse(config.bytes, file: config.path)
    } catch {
      failures.append(error)
      return nil
    }
    guard let layer = reader.config(root) else { return nil }
    let place = root["agent"] ?? root
    let identity = reader.identity(
      config: layer, at: place, frontMatter: head?.layer, documents: documents, &headReader)
    let missing = reader.checkPromptPath(layer, at: place, documents)
    let merged = head?.layer.map { layer.overlaid(by: $0) } ?? layer
    var agent = reader.agent(merged, identity, documents)
    agent.files = AgentFiles(
      config: config.path, prompt: documents.prompt?.path, origin: documents.origin)
    return LoadedAgent(agent: agent, prompt: head?.prompt, missingPrompt: missing)
  }

  private static func loadMarkdown(
    _ documents: AgentDocuments, _ head: Head?, _ engines: Set<String>,
    _ failures: inout [Failure], _ warnings: inout [Warning]
  ) -> LoadedAgent? {
    guard let document = documents.prompt, var head else {
      if documents.prompt == nil {
        failures.append(Failure(.configuration, "the agent has no files"))
      }
      return nil
    }
    let start = SourceLocation(file: document.path, line: 1, column: 1)
    guard head.hasFrontMatter else {
      failures.append(
        Failure(
          .configuration, "the file has no front matter, so it is not an agent",
          suggestion: "start it with `---`, `name: …`, `description: …`, `---`", at: start))
      return nil
    }
    if head.kind == .prompt {
      warnings.append(
        Warning(
          "the file has no front matter; it is read as a prompt named after the file",
          at: start))
    }
    let layer = head.layer ?? AgentLayer()
    let identity = head.reader.identity(frontMatter: layer, documents: documents, at: start)
    var agent = head.reader.agent(layer, identity, documents)
    // A pattern is named after its folder.
    if head.kind == .fabric, let category = documents.category {
      agent.category = category.contains("/") ? FilePlace.folder(of: category) : nil
    }
    agent.files = AgentFiles(
      prompt: document.path, origin: documents.origin, kind: head.kind)
    agent.unused = head.unused + agent.unused.filter { !head.unused.contains($0) }
    failures += head.reader.reader.failures
    warnings += head.reader.reader.warnings
    return LoadedAgent(agent: agent, prompt: head.prompt, unreadable: head.unreadable)
  }
}

extension AgentReader {
  /// An agent without its prompt is kept: only running it fails.
  fileprivate mutating func checkPromptPath(
    _ layer: AgentLayer, at place: DocumentNode, _ documents: AgentDocuments
  ) -> Failure? {
    guard let path = layer.promptPath else {
      reader.fail(
        place, "the agent has no `prompt_path`",
        suggestion: "add `prompt_path = \"…\"`, the file with its prompt")
      return nil
    }
    guard !path.text.isEmpty else {
      reader.fail(
        path.node, "the agent's `prompt_path` is empty",
        suggestion: "name the file with its prompt")
      return nil
    }
    guard documents.prompt == nil else { return nil }
    if documents.promptsOutside.contains(path.text) {
      let failure = path.node.failure(
        "the prompt `\(DocumentReader.printable(path.text))` is outside the agent's folder and the "
          + "project, so it is not read",
        suggestion: "put it beside this file, or in the folder that contains `agents`")
      reader.warn(failure.message, at: path.node.location)
      return failure
    }
    let failure = path.node.failure(
      "the prompt `\(DocumentReader.printable(path.text))` does not exist",
      suggestion: "create it, or fix `prompt_path`: it is relative to this file's folder, then to "
        + "the folder that contains `agents`, then to the workspace")
    reader.warn(failure.message, at: path.node.location)
    return failure
  }
}

extension Failure {
  /// The message and the suggestion, for a warning.
  fileprivate var oneLine: String { suggestion.isEmpty ? message : "\(message); \(suggestion)" }
}
