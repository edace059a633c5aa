package import RasaCore
package import RasaEngine
package import RasaPersona
import RasaProcess
import RasaSystem

/// The tools by which a model uses the skills that its operator names: `skill:NAME`, or `skill:*` for all.
package struct SkillTools: Sendable {
  /// What references begin with.
  package static let prefix = "skill:"
  package static let load = "load_skill"
  package static let readFile = "read_skill_file"
  package static let runScript = "run_skill_script"

  private let library: @Sendable () throws -> SkillLibrary
  private let launcher: any ProcessLauncher
  private let environment: [String: String]
  private let time: TimeSource

  package init(
    environment: [String: String], launcher: any ProcessLauncher, time: TimeSource = .system,
    library: @escaping @Sendable () throws -> SkillLibrary
  ) {
    self.environment = environment
    self.time = time
    self.launcher = launcher
    self.library = library
  }

  /// - Parameter references: each begins with `prefix`.
  package func tools(for references: [String]) throws -> [any Tool] {
    let names = references.compactMap { reference in
      reference.hasBytePrefix(Self.prefix)
        ? String(reference.dropFirst(Self.prefix.utf8.count)) : nil
    }
    guard !names.isEmpty else { return [] }
    return try tools(ofSkills: names)
  }

  /// Those with these names, for all skills: an operator uses them with what it was offered.
  package func tools(named names: [String]) throws -> [any Tool] {
    try tools(ofSkills: ["*"]).filter { names.contains($0.description.name) }
  }

  private func tools(ofSkills names: [String]) throws -> [any Tool] {
    let library = try library()
    // Those that are not there were told of when the run began.
    let skills =
      names.contains("*") || names.contains("all")
      ? library.skills : names.compactMap { library[$0] }
    guard !skills.isEmpty else { return [] }
    let context = SkillContext(
      library: library, skills: skills, launcher: launcher, environment: environment, time: time)
    var tools: [any Tool] = [LoadSkill(context), ReadSkillFile(context)]
    // Who has no scripts need not be told of them.
    if skills.contains(where: {
      library.files(of: $0).paths.contains { $0.hasBytePrefix("scripts/") }
    }) {
      tools.append(RunSkillScript(context))
    }
    return tools
  }
}

/// Tools of other kinds, and those for skills.
package struct ToolsWithSkills: ToolSource {
  private let others: any ToolSource
  private let skills: SkillTools

  package init(others: any ToolSource, skills: SkillTools) {
    self.others = others
    self.skills = skills
  }

  package func declaring(_ tools: [ToolDeclaration]) -> any ToolSource {
    ToolsWithSkills(others: others.declaring(tools), skills: skills)
  }

  private static let own = [SkillTools.load, SkillTools.readFile, SkillTools.runScript]

  private static func isSkill(_ reference: String) -> Bool {
    reference.hasBytePrefix(SkillTools.prefix)
  }

  package func tools(named references: [String]) async throws -> [any Tool] {
    let rest = references.filter { !Self.isSkill($0) && !Self.own.contains($0) }
    if rest.count == references.count { return try await others.tools(named: references) }
    var tools = try skills.tools(for: references)
    let named = references.filter { Self.own.contains($0) }
    if !named.isEmpty { tools += try skills.tools(named: named) }
    if !rest.isEmpty { tools = try await others.tools(named: rest) + tools }
    return tools
  }

  package func tools(named references: [String], for key: EffectKey) async throws -> [any Tool] {
    let rest = references.filter { !Self.isSkill($0) }
    if rest.count == references.count { return try await others.tools(named: references, for: key) }
    let own = try skills.tools(for: references)
    return rest.isEmpty ? own : try await others.tools(named: rest, for: key) + own
  }

  package func search(_ words: String, among tools: [ToolDescription], limit: Int) -> [Int] {
    others.search(words, among: tools, limit: limit)
  }

  package func known(_ reference: String) -> [ToolDescription]? {
    guard Self.isSkill(reference) || Self.own.contains(reference) else {
      return others.known(reference)
    }
    let tools =
      Self.isSkill(reference)
      ? try? skills.tools(for: [reference]) : try? skills.tools(named: [reference])
    return tools?.map(\.description)
  }
}

extension SkillLibrary {
  /// - Throws: a `Failure` with a suggestion, if there is no such skill.
  package func require(_ name: String, at location: SourceLocation? = nil) throws(Failure) -> Skill
  {
    if let skill = self[name] { return skill }
    if let problem = broken.first(where: { $0.location?.file.hasBytes("/\(name)/") == true }) {
      var failure = problem
      failure.message = "the skill `\(name)` cannot be used: \(problem.message)"
      throw failure
    }
    let hint = nearestName(to: name, among: skills.map(\.name)).map { "did you mean `\($0)`? " }
    throw Failure(
      .configuration, "there is no skill `\(name.printable(atMost: 64, ellipsis: "…"))`",
      suggestion: (hint ?? "") + "`rasa skills list` shows which there are", at: location)
  }
}

/// What the three tools share.
private struct SkillContext: Sendable {
  let library: SkillLibrary
  let skills: [Skill]
  let launcher: any ProcessLauncher
  let environment: [String: String]
  let time: TimeSource

  var names: Value { .array(skills.map { .string($0.name) }) }
  var flow: DataFlow { skills.contains(where: \.isProject) ? .untrustedContent : [] }

  /// The skill that an argument names.
  func skill(_ arguments: Value, _ key: String) throws(Failure) -> Skill {
    let name = arguments[key].string ?? ""
    if let skill = skills.first(where: { $0.name == name }) { return skill }
    throw Failure(
      .usage, "there is no skill `\(name.printable(atMost: 64, ellipsis: "…"))` here",
      suggestion: "there are \(skills.map(\.name).joined(separator: ", "))")
  }

  func description(
    _ name: String, _ text: String, _ properties: ValueObject, required: [String],
    sideEffects: SideEffects
  ) -> ToolDescription {
    ToolDescription(
      name: name, text: text,
      parameters: [
        "type": "object", "properties": .object(properties),
        "required": .array(required.map(Value.string)), "additionalProperties": false,
      ],
      sideEffects: sideEffects, dataFlow: flow, origin: .skill)
  }

  /// What the model did wrong is told to the model.
  func answer(_ work: () async throws -> ToolResult) async throws -> ToolOutcome {
    do {
      return .result(try await work())
    } catch let failure as Failure where [.usage, .configuration].contains(failure.kind) {
      let hint = failure.suggestion.isEmpty ? "" : " (\(failure.suggestion))"
      return .result(ToolResult([.text(failure.message + hint)], isError: true))
    }
  }
}

/// Gives a model the instructions of a skill.
private struct LoadSkill: Tool {
  let context: SkillContext
  let description: ToolDescription

  init(_ context: SkillContext) {
    self.context = context
    description = context.description(
      SkillTools.load, "Returns the instructions of a skill, and the names of its files.",
      ["name": ["type": "string", "enum": context.names]], required: ["name"], sideEffects: .none)
  }

  func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    try await self.context.answer {
      let skill = try self.context.skill(use.arguments, "name")
      var text = try self.context.library.body(of: skill)
      let (files, hasMore) = self.context.library.files(of: skill)
      if !files.isEmpty {
        text +=
          "\n\nFiles of this skill, for `\(SkillTools.readFile)`:\n"
          + files.map { "- \($0)" }.joined(separator: "\n") + (hasMore ? "\n- …" : "")
      }
      if let allowed = skill.allowedTools {
        let tools = AllowedTools(allowed)
        text +=
          "\n\nFrom now on only these tools may be used: "
          + (allowed.isEmpty ? "none but those for skills" : allowed.joined(separator: " "))
        if !tools.unknown.isEmpty {
          text +=
            "\nThere is nothing here that is meant by: " + tools.unknown.joined(separator: " ")
        }
        return ToolResult(
          [.text(text)],
          structured: [
            "skill": .string(skill.name),
            "allowed_tools": .array(tools.patterns.map(Value.string)),
          ])
      }
      return ToolResult([.text(text)])
    }
  }
}

private struct ReadSkillFile: Tool {
  let context: SkillContext
  let description: ToolDescription
  static let largest = 1_000_000

  init(_ context: SkillContext) {
    self.context = context
    description = context.description(
      SkillTools.readFile, "Returns a text file of a skill.",
      [
        "skill": ["type": "string", "enum": context.names],
        "path": [
          "type": "string", "description": "From the skill's folder, as `references/guide.md`",
        ],
      ], required: ["skill", "path"], sideEffects: .none)
  }

  func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    try await self.context.answer {
      let skill = try self.context.skill(use.arguments, "skill")
      let path = use.arguments["path"].string ?? ""
      let bytes = try self.context.library.file(path, of: skill, limit: Self.largest)
      guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.usage, "`\(path)` is no text: it has \(byteCountText(bytes.count))")
      }
      return ToolResult([.text(text)])
    }
  }
}

/// Runs a script of a skill as a program: in the sandbox, and after its user was asked.
private struct RunSkillScript: Tool {
  let context: SkillContext
  let description: ToolDescription
  static let largestOutput = 1_000_000
  /// Seconds for one script.
  static let longest = 60.0

  init(_ context: SkillContext) {
    self.context = context
    description = context.description(
      SkillTools.runScript,
      "Runs a script of a skill and returns what it prints.",
      [
        "skill": ["type": "string", "enum": context.names],
        "script": [
          "type": "string", "description": "From the skill's folder, as `scripts/check.py`",
        ],
        "arguments": ["type": "array", "items": ["type": "string"]],
        "input": ["type": "string", "description": "For its standard input"],
      ], required: ["skill", "script"], sideEffects: .yes)
  }

  private static let interpreters = [
    "py": "python3", "sh": "sh", "bash": "bash", "js": "node", "mjs": "node", "rb": "ruby",
    "pl": "perl",
  ]
  private static let passedOn = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"]

  func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    try await self.context.answer {
      let skill = try self.context.skill(use.arguments, "skill")
      let script = use.arguments["script"].string ?? ""
      // Reads it beneath the folder, so that no link makes another program of it.
      let bytes = try self.context.library.file(script, of: skill, limit: 10_000_000)
      let folder = FileSystem.realPath(skill.folder) ?? FileSystem.absolute(skill.folder)
      var words = ["\(folder)/\(script)"]
      if !bytes.starts(with: Array("#!".utf8)) || !Self.isExecutable(words[0]) {
        let ending = script.split(separator: ".").last.map(String.init) ?? ""
        let shebang = Self.interpreter(in: bytes)
        guard let program = shebang ?? Self.interpreters[ending].map({ [$0] }) else {
          throw Failure(
            .usage, "`\(script)` is no script that can be run",
            suggestion: "make it executable, with its interpreter in the first line")
        }
        words = program + words
      }
      words += (use.arguments["arguments"].array ?? []).map(\.promptText)
      var command = ChildCommand(words, folder: folder)
      for name in Self.passedOn { command.environment[name] = self.context.environment[name] }
      command.environment["RASA_SKILL"] = skill.name
      var sandbox = ToolSandbox()
      sandbox.read = [folder]
      return try await run(
        command, sandbox, input: use.arguments["input"].string ?? "",
        within: min(Self.longest, context.secondsLeft()))
    }
  }

  private static func isExecutable(_ path: String) -> Bool {
    (try? ProgramLookup.find(path, path: nil)) != nil
  }

  private static func interpreter(in bytes: [UInt8]) -> [String]? {
    guard bytes.starts(with: Array("#!".utf8)) else { return nil }
    let line = bytes.dropFirst(2).prefix { $0 != 0x0A && $0 != 0x0D }
    let words = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
    return words.isEmpty ? nil : words
  }

  private func run(
    _ command: ChildCommand, _ sandbox: ToolSandbox, input: String, within limit: Double
  ) async throws -> ToolResult {
    let child = try await context.launcher.start(command, in: sandbox)
    let (time, isLate) = (context.time, Locked(false))
    let timer = Task {
      guard (try? await time.sleep(.seconds(max(0, limit)))) != nil else { return }
      isLate.withLock { $0 = true }
      _ = await child.end(grace: .seconds(2))
    }
    defer { timer.cancel() }
    let writer = Task {
      try? await child.write(Array(input.utf8))
      child.closeInput()
    }
    defer { writer.cancel() }
    do {
      var output: [UInt8] = []
      var isCut = false
      while let bytes = try await child.read() {
        output += bytes
        if output.count > Self.largestOutput {
          isCut = true
          output.removeLast(output.count - Self.largestOutput)
          _ = await child.end(grace: .zero)
          break
        }
      }
      let status = await withTaskCancellationHandler {
        await child.wait()
      } onCancel: {
        Task { await child.end(grace: .zero) }
      }
      try Task.checkCancellation()
      guard !isLate.withLock({ $0 }) else {
        throw Failure(
          .timeout,
          "the script did not end within \(secondsText(limit)) seconds, and was ended",
          details: child.errorTail.isEmpty ? [] : ["standard error: \(child.errorTail)"])
      }
      if let failure = SandboxLauncher.failure(of: child) { throw failure }
      var text = String(decoding: output, as: UTF8.self)
      if isCut { text += "\n[it printed more than 1 MB and was ended]" }
      if !status.isSuccess, !isCut {
        text += (text.isEmpty ? "" : "\n") + "[it ended with \(status)]"
      }
      if !status.isSuccess || output.isEmpty {
        let remarks = ([child.errorTail] + child.remarks).filter { !$0.isEmpty }
        if !remarks.isEmpty { text += "\n" + remarks.joined(separator: "\n") }
      }
      return ToolResult([.text(text)], isError: !status.isSuccess)
    } catch {
      _ = await child.end(grace: .seconds(1))
      throw error
    }
  }
}
