import RasaCore
import RasaKit
import RasaSystem

/// `rasa tools call`: one use of a tool, as a run.
struct ToolCallCommand {
  let launch: Launch

  func run(_ command: ParsedCommand) async throws {
    let name = command.arguments[0]
    let arguments = try Self.arguments(Array(command.arguments.dropFirst()))
    let runnable = try await launch.rasa.toolRunnable(
      name, arguments: arguments,
      server: try command.text("server").map { try Self.words($0) },
      ofPersona: command.text("persona"))
    var settings = RunSettings(subject: .persona(runnable.name), input: "")
    settings.approval = command.choice("approval", of: ApprovalMode.self) ?? .ask
    settings.format = command.choice("output-format", of: OutputFormat.self) ?? .text
    settings.isVerbose = command.flag("verbose")
    settings.isQuiet = command.flag("quiet")
    settings.filesFolder = command.text("output")
    // A result is no Markdown.
    settings.isPlain = true
    settings.options.maxSeconds = command.integer("max-seconds")
    settings.input = "\(name) \(arguments)"
    let presentation = launch.presentation(settings)
    for warning in runnable.warnings() { presentation.warn(warning) }
    try await launch.settle(runnable)
    do {
      _ = try await launch.run(runnable, settings, at: presentation)
    } catch {
      await launch.rasa.close()
      guard let failure = (error as? RasaError)?.failure ?? error as? Failure else { throw error }
      throw Rasa.withoutToolCallPersona(failure)
    }
    await launch.rasa.close()
  }

  /// `{"a": 1}`, `-`, or `a=1 b=text`.
  private static func arguments(_ words: [String]) throws -> Rasa.JSON {
    guard let first = words.first else { return [:] }
    if words.count == 1, first == "-" { return try parsed(readText("-"), "standard input") }
    if words.count == 1, first.trimmedByScalars.hasBytePrefix("{") {
      return try parsed(first, "the arguments")
    }
    var members: [(name: String, value: Rasa.JSON)] = []
    for word in words {
      let parts = word.split(atByte: "=", maxSplits: 1)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw Failure(
          .usage, "\(quoted(word)) is no argument of a tool",
          suggestion: "write one object as JSON, '{\"name\": \"value\"}', or items as name=value")
      }
      let text = String(parts[1])
      members.append(
        (String(parts[0]), (try? Rasa.JSON(parsing: text)) ?? Rasa.JSON(text)))
    }
    return Rasa.JSON(members: members)
  }

  private static func parsed(_ text: String, _ name: String) throws -> Rasa.JSON {
    do throws(RasaError) {
      return try Rasa.JSON(parsing: text)
    } catch {
      throw Failure(
        .usage, "\(name) cannot be read as JSON: \(error.message)", suggestion: error.suggestion)
    }
  }

  /// A command line as a person writes it: blanks part words, and quotes keep them together. No shell reads it.
  static func words(_ line: String) throws(Failure) -> [String] {
    var words: [String] = []
    var word = String.UnicodeScalarView()
    var isOpen = false
    var quote: Unicode.Scalar?
    var isEscaped = false
    for scalar in line.unicodeScalars {
      if isEscaped {
        word.append(scalar)
        isEscaped = false
      } else if scalar == "\\", quote != "'" {
        isEscaped = true
        isOpen = true
      } else if let open = quote {
        if scalar == open { quote = nil } else { word.append(scalar) }
      } else if scalar == "'" || scalar == "\"" {
        quote = scalar
        isOpen = true
      } else if scalar.properties.isWhitespace {
        if isOpen || !word.isEmpty { words.append(String(word)) }
        word = String.UnicodeScalarView()
        isOpen = false
      } else {
        word.append(scalar)
      }
    }
    guard quote == nil, !isEscaped else {
      throw Failure(
        .usage, "the command of `--server` has a quote without its end",
        suggestion: "close it")
    }
    if isOpen || !word.isEmpty { words.append(String(word)) }
    guard !words.isEmpty else {
      throw Failure(
        .usage, "`--server` names no command", suggestion: "write `--server 'command argument'`")
    }
    return words
  }
}
