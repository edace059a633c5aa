import RasaCore
import RasaKit
import RasaStore

extension Program {
  /// Runs the commands about definitions and what is around them: personas, operators, agents, trust.
  ///
  /// - Returns: Whether it was one of them.
  static func definitions(
    _ command: ParsedCommand, _ house: CompositionRoot, _ print: Printer
  ) async throws -> Bool {
    let console = house.console
    let rasa = Rasa(house, house.store(), onWarning: console.warn)
    do {
      let isDone = try await definitions(command, rasa, console, house.time, print)
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
    case "trust list": try await trust.list()
    case "trust add": try await trust.add(command.arguments.first ?? ".")
    case "trust remove": try await trust.remove(command.arguments.first ?? ".")
    case "doctor": try await DoctorCommand(rasa: rasa, print: print).run()
    case "init":
      try await InitCommand(rasa: rasa, print: print).run(
        name: command.text("name") ?? "my_persona", isUserWide: command.flag("user-wide"),
        overwrites: command.flag("force"))
    default: return false
    }
    return true
  }
}
