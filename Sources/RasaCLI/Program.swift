package import RasaCore
import RasaKit
import RasaServer
package import RasaSystem
import RasaTerminal

/// The program from its arguments to its exit code.
package enum Program {
  /// The newest heading of `CHANGELOG.md`.
  package static let version = BuiltWith.rasa

  package static func main(_ arguments: [String], _ environment: Environment) async -> Int32 {
    SignalWatch.ignoreBrokenPipe()
    if arguments.first == NameCompletion.command {
      await NameCompletion.run(Array(arguments.dropFirst()), environment)
      return 0
    }
    var reply = ReplyForm(unread: arguments)
    do {
      let request = try CommandLineInterface.parse(arguments)
      if case .run(let command) = request { reply = ReplyForm(command) }
      switch request {
      case .help(let page):
        let columns = Terminal(environment).columns(of: .output) ?? 80
        try Output.standard.write(page.text(width: min(columns, 100)))
      case .run(let command):
        var composition = try CompositionRoot(environment: environment)
        if let agents = command.agents { composition.narrow(to: agents, place: "`--agents`") }
        do {
          try await run(command, composition)
        } catch {
          await composition.endServers()
          // Keys whose variables only the configuration names are known by now.
          if let failure = error as? Failure { throw composition.redaction(failure) }
          throw error
        }
        await composition.endServers()
      }
      return 0
    } catch {
      return report(error, environment, reply)
    }
  }

  /// Says why the program cannot run here at all, and returns the exit code for it.
  package static func refuse(
    _ failure: Failure, _ arguments: [String], _ environment: Environment
  ) -> Int32 {
    SignalWatch.ignoreBrokenPipe()
    return report(failure, environment, ReplyForm(unread: arguments))
  }

  /// Says what went wrong, once on standard error, and for programs on standard output, and returns
  /// the exit code for it.
  private static func report(
    _ error: any Error, _ environment: Environment, _ reply: ReplyForm
  ) -> Int32 {
    let terminal = Terminal(environment)
    let style = terminal.style(of: .error)
    func say(_ text: String) {
      let text = terminal.laidOut(text, on: .error)
      let rest = text.hasPrefix("rasa:") ? style.red("rasa:") + text.dropFirst(5) : text
      try? Output.error.write(rest)
    }
    let failure: Failure
    var exitCode: Int32
    switch error {
    case is OutputClosed: return OutputClosed.exitCode
    case let interrupted as Interrupted:
      failure = interrupted.failure
      exitCode = interrupted.signal.exitCode
      let suggestion = interrupted.suggestion.isEmpty ? "" : "; \(interrupted.suggestion)"
      try? Output.error.write(terminal.laidOut("rasa: stopped\(suggestion)\n", on: .error))
    case is CancellationError:
      failure = Failure(.cancelled, "it was interrupted")
      exitCode = failure.exitCode
    default:
      failure = Redaction(environment.variables)(
        error as? Failure ?? (error as? RasaError)?.failure ?? Failure(.run, "\(error)"))
      exitCode = failure.exitCode
      say("rasa: \(printable(failure.description))\n")
    }
    printDocument(failure, exitCode, reply)
    return exitCode
  }

  /// A document that is already there tells what was found, the error included.
  private static func printDocument(_ failure: Failure, _ exitCode: Int32, _ reply: ReplyForm) {
    if case .document = reply, Output.standard.isBegun { return }
    guard failure.run?.isTold != true, let text = reply.text(of: failure, exitCode: exitCode) else {
      return
    }
    try? Output.standard.write(text)
  }

  private static func run(_ command: ParsedCommand, _ composition: CompositionRoot) async throws {
    if command.declares("trust"), command.flag("trust") { composition.trust.give() }
    if command.text("mode") != "api", command.isGiven("api-url") {
      throw Failure(
        .usage, "`--api-url` is the server of `--mode api`", suggestion: "add `--mode api`")
    }
    if command.text("mode") == "api", command.path != ["run"] {
      throw Failure(
        .usage, "`rasa \(command.path.joined(separator: " "))` works on this machine only",
        suggestion: "omit `--mode`: of the commands, only `rasa run` can run on a server")
    }
    let terminal = Terminal(composition.environment)
    let isListed = command.declares("json") && !command.declares("output-format")
    let print = Printer(
      output: composition.output, isJSON: isListed && command.flag("json"),
      width: terminal.columns(of: .output) ?? Printer.unlimited,
      glyphs: terminal.outputIsTerminal ? terminal.glyphs : .unicode)
    switch command.path.joined(separator: " ") {
    case "run":
      try await RunCommand(composition: composition, launch: launch(lazily: composition)).run(
        command)
    case "resume":
      try await ResumeCommand(launch: try launch(composition), print: print).resume(command)
    case "runs fork":
      try await ResumeCommand(launch: try launch(composition), print: print)
        .fork(command, InputReader(composition: composition))
    case "test":
      try await TestCommand(
        rasa: Rasa(composition, composition.store()), print: print,
        style: terminal.style(of: .output),
        isPinned: command.flag("pinned"), isUpdating: command.flag("update")
      ).run(command.arguments)
    case "eval":
      let rasa = Rasa(
        composition, composition.store(), onWarning: composition.console.warn,
        onBareProgram: composition.console.warn)
      do {
        try await EvalCommand(
          rasa: rasa, console: composition.console, print: print,
          style: terminal.style(of: .output)
        ).run(command)
      } catch {
        await rasa.close()
        throw error
      }
      await rasa.close()
    case "evaluate":
      let launch = launch(lazily: composition)
      do {
        try await EvaluateCommand(
          rasa: launch.rasa, console: composition.console, print: print,
          style: terminal.style(of: .output)
        ).run(command)
      } catch {
        await launch.rasa.close()
        throw error
      }
      await launch.rasa.close()
    case "serve":
      let launch = launch(lazily: composition)
      do {
        try await ServeCommand(rasa: launch.rasa, console: launch.console, print: print)
          .run(command)
      } catch {
        await launch.rasa.close()
        throw error
      }
      await launch.rasa.close()
    case "tokens list", "tokens create", "tokens revoke":
      try TokensCommand(list: TokenList(folder: composition.folders.data), print: print)
        .run(command)
    case "mcp":
      let rasa = Rasa(
        composition, composition.store(), onWarning: composition.console.warn,
        onBareProgram: composition.console.warn)
      do {
        try await ProtocolCommands.mcp(command, rasa, composition.console)
      } catch {
        await rasa.close()
        throw error
      }
      await rasa.close()
    case "acp":
      try await ProtocolCommands.acp(command, composition.console, trusts: command.flag("trust"))
    case "chat":
      try await RunCommand(composition: composition, launch: launch(lazily: composition)).chat(
        command)
    case "bench graph", "bench run":
      try await BenchCommand(composition: composition, print: print).run(command)
    case "version":
      if print.isJSON {
        try print(BuildReport.current.value)
      } else {
        try print(text: "rasa \(version)\n")
      }
    case "tools call":
      try await ToolCallCommand(launch: launch(lazily: composition)).run(command)
    case "completions": try completions(command, print)
    case "llm info", "llm health":
      try await LLMCommands(rasa: composition.rasa(), print: print).run(command)
    case "models import":
      try await ImportCommand(rasa: composition.rasa(), print: print).run(
        file: command.arguments[0], name: command.text("name"), providers: command.texts("provider")
      )
    default:
      guard try await !definitions(command, composition, print) else { return }
      try await records(command, composition, print)
    }
  }

  private static func launch(lazily composition: CompositionRoot) -> Launch {
    let console = composition.console
    // A run tells its own warnings. Tools are started for all of them.
    return Launch(
      rasa: Rasa(composition, composition.store(), onBareProgram: console.warn), console: console)
  }

  private static func launch(_ composition: CompositionRoot) throws -> Launch {
    let launch = launch(lazily: composition)
    try launch.rasa.warmUp()
    return launch
  }

  private static func completions(_ command: ParsedCommand, _ print: Printer) throws {
    guard let shell = CompletionScript.Shell(rawValue: command.arguments[0]) else { return }
    let program = FileSystem.realPath("/proc/self/exe") ?? "rasa"
    try print.output.write(
      CompletionScript(CommandLineInterface.root, program: program).text(for: shell))
  }

  /// The commands that need the database.
  private static func records(
    _ command: ParsedCommand, _ composition: CompositionRoot, _ print: Printer
  ) async throws {
    let console = composition.console
    let rasa = composition.rasa()
    do {
      let terminal = Terminal(composition.environment)
      let style = terminal.style(of: .output)
      switch command.path[0] {
      case "runs":
        try await RunsCommands(composition: composition, rasa: rasa, print: print, style: style)
          .run(command)
      case "approvals":
        try await ApprovalCommands(rasa: rasa, console: console, print: print, style: style)
          .run(command)
      case "sessions":
        try await SessionCommands(rasa: rasa, time: composition.time, print: print).run(command)
      case "memory":
        try await MemoryCommands(
          composition: composition, rasa: rasa, console: console, print: print
        ).run(command)
      case "models":
        try await ModelsCommands(rasa: rasa, time: composition.time, print: print).run(command)
      case "agents":
        try await BudgetCommand(rasa: rasa, console: console, print: print).run(command)
      case "feedback", "leaderboard", "stats", "objectives":
        try await LearningCommands(
          rasa: rasa, print: print, style: style, drawing: terminal.drawing
        ).run(command)
      case "route":
        try await RouteCommand(
          rasa: rasa, input: InputReader(composition: composition), print: print
        ).run(command)
      case "costs":
        try await CostsCommand(rasa: rasa, output: console.output, width: print.width)
          .run(command)
      default:
        throw Failure(
          .usage, "`\(command.path.joined(separator: " "))` is not available in this version",
          suggestion: "see `rasa help`")
      }
    } catch {
      await rasa.close()
      throw error
    }
    await rasa.close()
  }
}
