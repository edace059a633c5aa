import RasaCore
import CSystem
import Glibc
package import RasaSystem

/// What the three standard descriptors are, and what is possible on them.
package struct Terminal: Sendable {
  package var inputIsTerminal: Bool
  package var outputIsTerminal: Bool
  package var errorIsTerminal: Bool
  /// Whether output to the one appears between output to the other.
  package var outputSharesScreenWithError: Bool
  private var environment: Environment

  package init(_ environment: Environment) {
    self.environment = environment
    inputIsTerminal = isatty(STDIN_FILENO) == 1
    outputIsTerminal = isatty(STDOUT_FILENO) == 1
    errorIsTerminal = isatty(STDERR_FILENO) == 1
    outputSharesScreenWithError =
      outputIsTerminal && errorIsTerminal
      && deviceNumber(STDOUT_FILENO) == deviceNumber(STDERR_FILENO)
  }

  package init(
    _ environment: Environment, inputIsTerminal: Bool, outputIsTerminal: Bool,
    errorIsTerminal: Bool
  ) {
    self.environment = environment
    self.inputIsTerminal = inputIsTerminal
    self.outputIsTerminal = outputIsTerminal
    self.errorIsTerminal = errorIsTerminal
    outputSharesScreenWithError = outputIsTerminal && errorIsTerminal
  }

  package enum Stream: Sendable { case output, error }

  /// The columns to lay text out in; nil if the output is not seen through a window: its reader
  /// then wraps it.
  package func columns(of stream: Stream) -> Int? {
    guard isTerminal(stream) else { return nil }
    let columns = Int(rasa_terminal_columns(stream == .output ? STDOUT_FILENO : STDERR_FILENO))
    if columns > 0 { return columns }
    return environment["COLUMNS"].flatMap { Int($0) }.map { min(max($0, 20), 1000) } ?? 80
  }

  package func style(of stream: Stream) -> Style {
    Style(isColored: isColored(stream), glyphs: glyphs)
  }

  private func isColored(_ stream: Stream) -> Bool {
    if environment["NO_COLOR"] != nil { return false }
    if let forced = environment["CLICOLOR_FORCE"], forced != "0" { return true }
    return canMoveCursor(on: stream)
  }

  /// The glyphs that rasa draws with. Without a locale, UTF-8 is assumed.
  package var glyphs: Glyphs {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"]
    guard let locale = names.lazy.compactMap({ environment[$0] }).first(where: { !$0.isEmpty })
    else { return .unicode }
    let encoding = locale.lowercased()
    return encoding.hasBytes("utf-8") || encoding.hasBytes("utf8") ? .unicode : .ascii
  }

  /// How charts are drawn on standard output: with letters alone, too, where the terminal says that it shows little else.
  package var drawing: Style {
    let glyphs = environment["TERM"] == "dumb" ? Glyphs.ascii : glyphs
    return Style(isColored: isColored(.output), glyphs: glyphs)
  }

  /// How an answer is shown on standard output, if that is a terminal.
  package func rendering(isPlain: Bool) -> MarkdownText.Rendering {
    let wish = environment["RASA_PLAIN"] ?? ""
    if isPlain || !(wish.isEmpty || wish == "0") { return .none }
    return isColored(.output) ? .full : .words
  }

  /// Text of the program itself: on a terminal it is wrapped at words with indented continuation
  /// rows; elsewhere it is unchanged.
  package func laidOut(_ text: String, on stream: Stream) -> String {
    guard let columns = columns(of: stream) else { return text }
    return wrapped(glyphs.own(text), columns: columns)
  }

  /// Whether lines can be redrawn in place.
  package func canMoveCursor(on stream: Stream) -> Bool {
    guard isTerminal(stream), let name = environment["TERM"] else { return false }
    return name != "dumb"
  }

  private func isTerminal(_ stream: Stream) -> Bool {
    stream == .output ? outputIsTerminal : errorIsTerminal
  }
}

private func deviceNumber(_ descriptor: Int32) -> UInt64 {
  var status = stat()
  return unsafe fstat(descriptor, &status) == 0 ? UInt64(status.st_rdev) : 0
}
