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
    if environment["NO_COLOR"] != nil { return .plain }
    if let forced = environment["CLICOLOR_FORCE"], forced != "0" { return .colored }
    return canMoveCursor(on: stream) ? .colored : .plain
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
