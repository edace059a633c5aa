import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// What a persona is asked: words of the command line, standard input, or both. Its bytes are passed
/// on as they are.
struct InputReader {
  let composition: CompositionRoot
  var isQuiet = false

  /// - Parameter besideText: whether a pipe is read as well where a question is written.
  func input(
    _ input: ParsedCommand.Input, besideText: Bool = false
  ) throws -> String {
    let text: String
    switch input {
    case .text(let given): text = joined(given, besideText ? try besides() : "")
    case .textAndStandardInput(let given): text = joined(given, try standardInput())
    case .standardInput: text = try standardInput()
    case .unstated:
      guard StandardInput.kind != .terminal, StandardInput.kind != .closed else {
        throw Self.nothing("there is no question")
      }
      text = try standardInput()
    }
    guard text.utf8.contains(where: { $0 > 0x20 }) else {
      throw Self.nothing("the input is empty")
    }
    return text
  }

  private static func nothing(_ message: String) -> Failure {
    Failure(
      .usage, message, suggestion: "write it on the command line, or pipe the text into the command"
    )
  }

  /// The question goes first, so that the model knows what to do with the text that follows.
  private func joined(_ question: String, _ text: String) -> String {
    guard text.utf8.contains(where: { $0 > 0x20 }) else { return question }
    return question + "\n\n" + text
  }

  // MARK: Standard input

  /// All of it, however long it takes.
  func standardInput() throws -> String {
    guard StandardInput.kind != .closed else {
      throw Failure(
        .usage, "standard input is closed", suggestion: "write the question on the command line")
    }
    let hint =
      StandardInput.kind == .terminal ? nil : "waiting for the text on standard input"
    return try text(
      try read(patience: nil) { if let hint { try say(hint) } } ?? [])
  }

  /// What a pipe, a socket or a file gives beside a question. A job without a terminal often has an
  /// open pipe there that is never written to, so the wait is bounded.
  private func besides() throws -> String {
    switch StandardInput.kind {
    case .terminal, .closed, .device: return ""
    case .file: return try text(try read(patience: nil) {} ?? [])
    case .stream: break
    }
    let seconds = try patience()
    let bytes = try read(patience: seconds * 1000) {
      try say(
        "waiting for the pipe on standard input, \(seconds) s at most; `--no-stdin` skips it"
      )
    }
    guard let bytes else {
      try say(
        "nothing arrived on standard input, so only the question is sent; with `--input -` and the "
          + "question, rasa waits for it")
      return ""
    }
    return try text(bytes)
  }

  private func say(_ line: String) throws {
    if !isQuiet { try composition.note("rasa: \(line)\n") }
  }

  private func read(patience: Int?, onWait: () throws -> Void) throws -> [UInt8]? {
    let limit = try composition.longestInput()
    return try StandardInput.read(
      limit: limit, patience: patience,
      tooLarge: CompositionRoot.tooLarge("the text on standard input", limit), onWait: onWait)
  }

  private func text(_ bytes: [UInt8]) throws(Failure) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(
        .usage, "the text on standard input is not UTF-8",
        suggestion: "convert it first, as with `iconv -t UTF-8`")
    }
    return text
  }

  /// How many seconds a pipe beside a question may stay silent: `RASA_STDIN_WAIT`.
  private func patience() throws(Failure) -> Int {
    guard let text = composition.environment["RASA_STDIN_WAIT"] else { return 30 }
    guard let seconds = Int(text), (0...86_400).contains(seconds) else {
      throw Failure(
        .usage,
        "`RASA_STDIN_WAIT` must be a number of seconds from 0 to 86400, not \(quoted(text))",
        suggestion: "set it to 30, or remove it")
    }
    return seconds
  }
}
