import RasaCore
import RasaKit
import RasaTerminal

extension Program {
  /// Runs the commands about definitions and what is around them: personas, operators, agents, trust.
  ///
  /// - Returns: Whether it was one of them.
  static func definitions(
    _ command: ParsedCommand, _ composition: CompositionRoot, _ print: Printer
  ) async throws -> Bool {
    let console = composition.console
    let rasa = composition.rasa()
    do {
      var isDone = try await definitions(command, rasa, console, composition.time, print)
      if !isDone {
        isDone = try await agents(
          command, rasa, console, InputReader(composition: composition), print)
      }
      await rasa.close()
      return isDone
    } catch {
      await rasa.close()
      throw error
    }
  }

  private static func definitions(
    _ command: ParsedCommand, _ rasa: Rasa, _ console: Console, _ time: TimeSource,
    _ print: Printer
  ) async throws -> Bool {
    let library = LibraryCommands(rasa: rasa, print: print)
    let trust = TrustCommands(rasa: rasa, time: time, print: print)
    switch command.path.joined(separator: " ") {
    case "personas list": try await library.listPersonas()
    case "personas show": try await library.showPersona(command.arguments[0])
    case "personas validate": try await library.validatePersonas(command.arguments)
    case "personas graph":
      try await library.graph(command.arguments[0], asDot: command.text("format") == "dot")
    case "operators list": try await library.listOperators()
    case "operators show": try await library.showOperator(command.arguments[0])
    case "operators validate": try await library.validateOperators(command.arguments)
    case "skills list": try await SkillCommands(rasa: rasa, print: print).list()
    case "skills show":
      try await SkillCommands(rasa: rasa, print: print).show(command.arguments[0])
    case "skills validate":
      try await SkillCommands(rasa: rasa, print: print).validate(command.arguments)
    case "trust list": try await trust.list()
    case "trust add": try await trust.add(command.arguments.first ?? ".")
    case "trust remove": try await trust.remove(command.arguments.first ?? ".")
    case "tools list", "tools show", "tools check", "tools approve", "tools login", "tools logout":
      try await ToolsCommands(rasa: rasa, console: console, time: time, print: print).run(command)
    case "tools policy":
      try await PolicyCommand(rasa: rasa, print: print, style: console.terminal.style(of: .output))
        .run(command)
    case "doctor": try await DoctorCommand(rasa: rasa, print: print).run()
    case "init":
      try await InitCommand(rasa: rasa, print: print).run(
        name: command.text("name") ?? "my_persona", isUserWide: command.flag("user-wide"),
        overwrites: command.flag("force"))
    case "personas copy":
      try await CopyCommand(rasa: rasa, console: console, print: print, kind: .persona)
        .run(command)
    case "operators copy":
      try await CopyCommand(rasa: rasa, console: console, print: print, kind: .operator)
        .run(command)
    default: return false
    }
    return true
  }

  private static func agents(
    _ command: ParsedCommand, _ rasa: Rasa, _ console: Console, _ input: InputReader,
    _ print: Printer
  ) async throws -> Bool {
    switch command.path.joined(separator: " ") {
    case "agents list", "agents search", "agents info":
      try await AgentsCommands(
        rasa: rasa, console: console, print: print, style: console.terminal.style(of: .output)
      ).run(command)
    case "agents validate":
      try await AgentsValidateCommand(rasa: rasa, console: console, print: print)
        .run(command.arguments, isStrict: command.flag("strict"))
    case "agents create":
      try await AgentsCreateCommand(rasa: rasa, console: console, print: print).run(command)
    case "agents enhance":
      try await AgentsEnhanceCommand(rasa: rasa, console: console, print: print).run(command)
    case "agents recommend":
      try await RecommendCommand(rasa: rasa, console: console, input: input, print: print)
        .run(command)
    case "agents copy":
      try await CopyCommand(rasa: rasa, console: console, print: print, kind: .agent).run(command)
    case "import": try await AgentImportCommand(rasa: rasa, print: print).run(command)
    default: return false
    }
    return true
  }
}
