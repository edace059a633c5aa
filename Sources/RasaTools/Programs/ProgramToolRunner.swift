package import RasaCore
import RasaDocuments
package import RasaEngine
package import RasaPersona
import RasaProcess
package import RasaSystem

/// A declared program as a tool: its arguments as JSON on standard input, its result on standard output.
package struct ProgramToolRunner: Tool {
  package let description: ToolDescription
  private let declaration: ToolDeclaration
  private let program: ProgramTool
  private let launcher: any ProcessLauncher
  private let environment: Environment
  private let time: TimeSource

  /// What a program may write to standard output.
  package static let mostOutput = 4 << 20
  /// Seconds for one use, where the declaration says nothing.
  package static let usualTimeout = 60.0
  private static let grace = Duration.seconds(2)

  /// Nil if the declaration is of another kind.
  ///
  /// - Parameter environment: where `${NAME}` in the declaration's variables comes from.
  package init?(
    _ declaration: ToolDeclaration, launcher: any ProcessLauncher, environment: Environment,
    time: TimeSource
  ) {
    guard case .process(let program) = declaration.kind else { return nil }
    self.declaration = declaration
    self.program = program
    self.launcher = launcher
    self.environment = environment
    self.time = time
    description = ToolDescription(
      name: declaration.name, text: declaration.description, parameters: program.parameters,
      output: program.output, sideEffects: declaration.sideEffects ?? .yes,
      dataFlow: declaration.dataFlow, origin: .process)
  }

  package func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    let secrets = environment.variables.filter { secretNames.contains($0.key) }
    let redact = Redaction(secrets, named: secretNames)
    var command = try command()
    command.environment["RASA_IDEMPOTENCY_KEY"] = use.idempotencyKey
    let child = try await launcher.start(command, in: declaration.sandbox)
    let limit = min(declaration.timeout ?? Self.usualTimeout, context.secondsLeft())
    let run: Run?
    do {
      run = try await finish(child, input: use.arguments.jsonBytes(.compact) + [10], limit: limit)
    } catch is CancellationError {
      throw Failure(.cancelled, "the program of the tool `\(use.name)` was ended")
    }
    for remark in child.remarks {
      try await context.progress(ToolProgress(message: redact(remark)))
    }
    guard let run else {
      throw Failure(
        .timeout,
        "the program of the tool `\(use.name)` did not end within \(secondsText(limit)) seconds and was killed",
        suggestion: "raise `timeout:` of the tool, or make the program faster",
        details: Self.details(of: child).map { redact($0) })
    }
    if let failure = SandboxLauncher.failure(of: child) { throw redact(failure) }
    return .result(result(of: run, child, redact))
  }

  /// The variables of the user's environment whose values no message may show.
  private var secretNames: Set<String> {
    Set(program.environment.values.flatMap { VariableText.names(in: $0) })
  }

  /// `${NAME}` stands for a variable of the user's environment, where the declaration has it; in arguments of a use it
  /// is text.
  private func command() throws(Failure) -> ChildCommand {
    do throws(Failure) {
      var arguments: [String] = []
      for text in program.command {
        arguments.append(try VariableText.expanded(text, environment.variables))
      }
      var command = ChildCommand(arguments)
      for (name, text) in program.environment {
        command.environment[name] = try VariableText.expanded(text, environment.variables)
      }
      // Relative paths begin where the declaration is.
      let base = FileSystem.absolute(FileSystem.parent(of: declaration.location.file))
      if let folder = program.folder {
        let folder = try VariableText.expanded(folder, environment.variables)
        command.folder = folder.hasBytePrefix("/") ? folder : "\(base)/\(folder)"
      } else if let first = arguments.first, first.hasByte("/"), !first.hasBytePrefix("/") {
        command.folder = base
      }
      return command
    } catch {
      var failure = error
      failure.location = failure.location ?? declaration.location
      failure.message = "the tool `\(description.name)` cannot start: \(failure.message)"
      throw failure
    }
  }

  // MARK: - Running

  private struct Run {
    var output: [UInt8]
    var status: ExitStatus
    var isTooLong: Bool
  }

  /// Nil if the time was over first.
  private func finish(
    _ child: ChildProcess, input: [UInt8], limit: Double
  ) async throws -> Run? {
    let time = time
    return try await withThrowingTaskGroup(of: Run?.self) { group in
      group.addTask { try await Self.converse(child, input: input) }
      if limit < .infinity {
        group.addTask {
          try await time.sleep(.seconds(max(0, limit)))
          return nil
        }
      }
      do {
        let first = try await group.next() ?? nil
        group.cancelAll()
        if first == nil { _ = await child.end(grace: Self.grace) }
        return first
      } catch {
        // Cancelled: what it has done by now is not known, and it does no more.
        _ = await child.end(grace: Self.grace)
        throw error
      }
    }
  }

  private static func converse(_ child: ChildProcess, input: [UInt8]) async throws -> Run {
    // A program may answer before it has read everything, or read nothing at all.
    async let writing: Void = {
      try? await child.write(input)
      child.closeInput()
    }()
    var output: [UInt8] = []
    while let piece = try await child.read() {
      output += piece
      guard output.count <= mostOutput else {
        let status = await child.end(grace: .zero)
        await writing
        return Run(output: output, status: status, isTooLong: true)
      }
    }
    let status = await child.wait()
    await writing
    return Run(output: output, status: status, isTooLong: false)
  }

  // MARK: - The result

  private func result(of run: Run, _ child: ChildProcess, _ redact: Redaction) -> ToolResult {
    if run.isTooLong {
      return error(
        ["the program wrote more than \(byteCountText(Self.mostOutput)) and was killed"],
        child, redact)
    }
    let text = redact(String(decoding: run.output, as: UTF8.self))
    guard run.status.isSuccess else {
      var lines = ["the program ended with \(run.status)"]
      let output = text.trimmedByScalars
      if !output.isEmpty { lines.append(String(output.prefix(8_000))) }
      return error(lines, child, redact)
    }
    guard let value = try? JSON.parse(Array(text.utf8)) else {
      guard program.output == nil else {
        return error(
          [
            "the program's output is not JSON, which `output:` asks for",
            String(text.prefix(2_000)),
          ], child, redact)
      }
      return ToolResult([.text(String(text.withoutFinalLineFeed))])
    }
    if let schema = program.output {
      do throws(Failure) {
        let problems = try Schema.compile(schema).problems(in: value)
        if !problems.isEmpty {
          return error(
            ["the program's output does not fit `output:`"] + problems.prefix(8), child, redact)
        }
      } catch {
        return self.error(
          ["`output:` of the tool is no usable schema: \(error.message)"], child, redact)
      }
    }
    return ToolResult([.text(String(text.withoutFinalLineFeed))], structured: value)
  }

  private func error(_ lines: [String], _ child: ChildProcess, _ redact: Redaction) -> ToolResult {
    ToolResult(
      [.text((lines + Self.details(of: child).map { redact($0) }).joined(separator: "\n"))],
      isError: true)
  }

  private static func details(of child: ChildProcess) -> [String] {
    let tail = String(child.errorTail.trimmedByScalars)
    return (tail.isEmpty ? [] : ["standard error: \(tail)"]) + child.remarks
  }
}
