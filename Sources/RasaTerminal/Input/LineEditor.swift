import CEdit
import RasaCore

/// A reader of key presses, with a single owner. Not for two threads at a time.
@safe final class TerminalKeys: @unchecked Sendable {
  fileprivate let pointer: OpaquePointer

  /// `wake` ends a wait for keys when it becomes readable.
  init?(input: Int32, wake: Int32 = -1) {
    guard let pointer = unsafe rasa_keys_open(input, wake) else { return nil }
    unsafe self.pointer = pointer
  }

  deinit { unsafe rasa_keys_close(pointer) }

  enum Key: Equatable {
    case character(Unicode.Scalar)
    case end
    case woken
  }

  func next() -> Key {
    let next = unsafe rasa_keys_next(pointer)
    if next == Int32(RASA_KEYS_WOKEN) { return .woken }
    return Unicode.Scalar(UInt32(bitPattern: next)).map { .character($0) } ?? .end
  }

  /// Whether input faster than typing counts as a paste, if the terminal does not mark pastes.
  func gatherPastes(_ gathers: Bool) { unsafe rasa_keys_gather(pointer, gathers ? 1 : 0) }

  func discard() { unsafe rasa_keys_discard(pointer) }
}

/// libedit's editor with a single owner. Not for two threads at a time.
@safe final class LineEditor: @unchecked Sendable {
  private let pointer: OpaquePointer
  /// The editor reads from them.
  private let keys: TerminalKeys

  init?(_ keys: TerminalKeys, input: Int32, output: Int32) {
    guard let pointer = unsafe rasa_editor_open(input, output, keys.pointer) else { return nil }
    unsafe self.pointer = pointer
    self.keys = keys
  }

  deinit { unsafe rasa_editor_close(pointer) }

  func read(prompt: String) -> LineReader.Line {
    var line: UnsafePointer<CChar>? = nil
    var length = 0
    let outcome = unsafe rasa_editor_read(pointer, TerminalText.line(prompt), &line, &length)
    switch outcome {
    case Int32(RASA_EDITOR_LINE.rawValue):
      guard let line = unsafe line else { return .end }
      let bytes = unsafe UnsafeRawBufferPointer(start: line, count: length)
      return .text(unsafe String(decoding: bytes, as: UTF8.self))
    case Int32(RASA_EDITOR_INTERRUPTED.rawValue): return .interrupted
    default: return .end
    }
  }

  /// The words that Tab completes at the start of a line.
  func complete(_ words: [String]) {
    unsafe rasa_editor_complete(pointer, words.map { $0 + "\n" }.joined())
  }

  func remember(_ line: String) { unsafe rasa_editor_remember(pointer, line) }
}
