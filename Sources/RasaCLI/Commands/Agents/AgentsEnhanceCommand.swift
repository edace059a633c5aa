import RasaAgents
import RasaCore
import RasaEngine
import RasaKit
import RasaModels
import RasaPersona
import RasaSystem
import RasaTerminal

/// `rasa agents enhance`: what an agent's file does not say, proposed and, when wanted, written.
struct AgentsEnhanceCommand {
  let house: CompositionRoot
  let print: Printer

  /// One agent after the other: what is wrong with one does not keep the next from being looked at.
  func run(_ command: ParsedCommand) async throws {
    let desk = AgentFileResolver(house)
    guard command.arguments.count > 1 else {
      let report = try await enhance(try desk.file(command.arguments[0]), desk, command)
      if print.isJSON { try print(report) }
      return
    }
    var reports: [Value] = []
    var failures: [Failure] = []
    for word in command.arguments {
      do {
        for path in try desk.files(word) {
          reports.append(try await enhance(path, desk, command))
        }
      } catch let failure as Failure {
        failures.append(failure)
      }
    }
    if print.isJSON { try print(.array(reports)) }
    if let failure = Failure(allOf: failures) { throw failure }
  }

  private func enhance(
    _ path: String, _ desk: AgentFileResolver, _ command: ParsedCommand
  ) async throws -> Value {
    let documents = try desk.documents(at: path)
    let loaded = try AgentLoader.load(documents, engines: try desk.engines()).get()
    guard let document = documents.prompt, let prompt = loaded.prompt else {
      throw loaded.missingPrompt
        ?? Failure(.configuration, "the agent `\(loaded.agent.id)` has no prompt to analyse")
    }
    guard !document.path.hasPrefix("shipped:") else {
      throw Failure(
        .usage, "`\(loaded.agent.id)` ships with rasa and cannot be changed",
        suggestion: "`rasa agents copy \(loaded.agent.id)` writes a copy to change")
    }
    guard loaded.agent.files.kind == .rasa else {
      throw Failure(
        .usage, "\(document.path) is a \(loaded.agent.files.kind.name), which is not changed",
        suggestion: "`rasa import \(document.path)` converts it to a rasa agent")
    }
    let model = command.text("model").map(ModelConfiguration.reference)
    var proposals = AgentProposal.byRules(for: loaded.agent, prompt: prompt.text, model: model)
    if command.flag("with-model") {
      let asked = try await AgentDescriber(house: house).proposals(
        for: loaded.agent, prompt: prompt.text, model: model, maxCost: command.money("max-cost"))
      proposals = proposals.map { own in asked.first { $0.key == own.key } ?? own }
    }
    proposals = try FrontMatterEdit.new(proposals, in: document)
    let bytes = try FrontMatterEdit.adding(
      proposals, to: document, identity: identity(of: loaded.agent))
    return try await finish(
      loaded.agent, document, bytes, proposals, writes: command.flag("write"))
  }

  /// What ties a front matter to the agent that its TOML file is.
  private func identity(of agent: Agent) -> [AgentProposal] {
    [("agent_id", agent.id), ("name", agent.name)].map {
      AgentProposal(key: $0.0, value: .string($0.1), reason: "the TOML file")
    }
  }

  private func finish(
    _ agent: Agent, _ document: SourceDocument, _ bytes: [UInt8], _ proposals: [AgentProposal],
    writes: Bool
  ) async throws -> Value {
    guard !proposals.isEmpty else {
      if !print.isJSON { try print(text: "\(agent.id) has no missing fields\n") }
      return report(agent, document, proposals, isWritten: false)
    }
    if !print.isJSON { try show(document, bytes, proposals) }
    var isWritten = writes
    if !writes, !print.isJSON { isWritten = try await isConfirmed() }
    if isWritten {
      try write(bytes, over: document)
    }
    if !print.isJSON {
      try print(
        text: isWritten
          ? "wrote \(document.path)\n" : "nothing was written; `--write` writes the proposal\n")
    }
    return report(agent, document, proposals, isWritten: isWritten)
  }

  /// Nobody may have changed the file while it was being looked at.
  private func write(_ bytes: [UInt8], over document: SourceDocument) throws {
    let now = try FileSystem.read(document.path, limit: 10_000_000)
    guard now == document.bytes else {
      throw Failure(
        .configuration, "\(document.path) has changed since, so nothing was written",
        suggestion: "try again")
    }
    try house.agents.replace(bytes, in: document.path)
  }

  private func show(
    _ document: SourceDocument, _ bytes: [UInt8], _ proposals: [AgentProposal]
  ) throws {
    let style = Terminal(house.environment).style(of: .output)
    let difference = LineDifference(
      from: String(decoding: document.bytes, as: UTF8.self),
      to: String(decoding: bytes, as: UTF8.self))
    var lines = ["--- \(document.path)", "+++ \(document.path), enhanced"].map {
      style.bold(TerminalText.line($0))
    }
    lines += difference.unified().map { line in
      let text = TerminalText.escaped(line)
      if line.hasPrefix("+ ") { return style.green(text) }
      return line.hasPrefix("- ") ? style.red(text) : text
    }
    lines.append("")
    lines += proposals.map { style.dim(TerminalText.line("\($0.key): \($0.reason)")) }
    try house.output.write(lines.joined(separator: "\n") + "\n")
  }

  private func isConfirmed() async throws -> Bool {
    let terminal = Terminal(house.environment)
    guard terminal.inputIsTerminal, terminal.errorIsTerminal else { return false }
    let reader = LineReader(history: nil, environment: house.environment)
    switch try await reader.nextLine(prompt: "Write it? [y/N] ") {
    case .text(let answer): return ["y", "yes"].contains(answer.lowercased())
    case .end: return false
    case .interrupted: throw Interrupted(signal: .interrupt, suggestion: "nothing was written")
    }
  }

  private func report(
    _ agent: Agent, _ document: SourceDocument, _ proposals: [AgentProposal], isWritten: Bool
  ) -> Value {
    [
      "id": .string(agent.id), "file": .string(document.path), "written": .bool(isWritten),
      "proposals": .array(
        proposals.map {
          ["key": .string($0.key), "value": $0.value, "reason": .string($0.reason)]
        }),
    ]
  }
}
