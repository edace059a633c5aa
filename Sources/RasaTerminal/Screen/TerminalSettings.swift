import CSystem
import Glibc

/// The settings of a terminal at one moment.
struct TerminalSettings: Sendable {
  private let descriptor: Int32
  private let settings: termios

  /// Nil if the descriptor is not a terminal.
  init?(of descriptor: Int32) {
    var settings = termios()
    guard unsafe tcgetattr(descriptor, &settings) == 0 else { return nil }
    self.descriptor = descriptor
    self.settings = settings
  }

  func apply(discardingInput: Bool = false) {
    var settings = settings
    unsafe tcsetattr(descriptor, discardingInput ? TCSAFLUSH : TCSANOW, &settings)
  }

  /// The same, but keys arrive as they are pressed, none has a special meaning, and none is echoed.
  func applyRaw() {
    var settings = settings
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
    settings.c_iflag &= ~tcflag_t(ICRNL | INLCR | IGNCR)
    // VTIME and VMIN: a read waits for one byte, as long as it takes.
    (settings.c_cc.5, settings.c_cc.6) = (0, 1)
    unsafe tcsetattr(descriptor, TCSANOW, &settings)
  }
}
