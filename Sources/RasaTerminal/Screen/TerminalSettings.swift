import CSystem
import Glibc

/// How a terminal was set when somebody looked.
struct TerminalSettings: Sendable {
  private let descriptor: Int32
  private let settings: termios

  /// Nil when the descriptor is no terminal.
  init?(of descriptor: Int32) {
    var settings = termios()
    guard unsafe tcgetattr(descriptor, &settings) == 0 else { return nil }
    self.descriptor = descriptor
    self.settings = settings
  }

  func apply() {
    var settings = settings
    unsafe tcsetattr(descriptor, TCSANOW, &settings)
  }
}
