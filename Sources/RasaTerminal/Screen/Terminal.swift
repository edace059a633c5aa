import CSystem
import Glibc
package import RasaSystem

/// What the three standard descriptors are, and what may be done with them.
package struct Terminal: Sendable {
  package var inputIsTerminal: Bool
  package var outputIsTerminal: Bool
  package var errorIsTerminal: Bool
  /// Whether what is written to the one is seen between what is written to the other.
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

  /// Columns to lay text out in, nil when nobody looks at it through a window: it is then for the
  /// reader to wrap.
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

  /// What rasa draws with. Where no locale is set, nobody has said that the terminal shows anything
  /// but UTF-8.
  package var glyphs: Glyphs {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"]
    guard let locale = names.lazy.compactMap({ environment[$0] }).first(where: { !$0.isEmpty })
    else { return .unicode }
    let encoding = locale.lowercased()
    return encoding.contains("utf-8") || encoding.contains("utf8") ? .unicode : .ascii
  }

  /// How an answer is shown on standard output, when that is a terminal.
  package func rendering(isPlain: Bool) -> MarkdownText.Rendering {
    let wish = environment["RASA_PLAIN"] ?? ""
    if isPlain || !(wish.isEmpty || wish == "0") { return .none }
    return isColored(.output) ? .full : .words
  }

  /// Text of the program's own for a stream: on a terminal no word is broken, and rows that go on with
  /// a line stand further in; elsewhere it stays as it is.
  package func laidOut(_ text: String, on stream: Stream) -> String {
    guard let columns = columns(of: stream) else { return text }
    return wrapped(glyphs.own(text), columns: columns)
  }

  /// Whether lines may be drawn again in place.
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
