import RasaCore
import RasaSystem

/// Who has started, answered or changed what: one JSON document a line, in a file that only its owner can read.
final class AuditLog: Sendable {
  let path: String
  private let time: TimeSource
  private let onWarning: @Sendable (String) -> Void
  private let writing = Locked(())

  init(path: String, time: TimeSource, onWarning: @escaping @Sendable (String) -> Void) {
    self.path = path
    self.time = time
    self.onWarning = onWarning
  }

  func note(_ call: Call, _ action: String, _ subject: String) {
    note(client: call.client.name, action, subject)
  }

  func note(client: String, _ action: String, _ subject: String) {
    let line: Value = [
      "at_ms": .int(time.now().milliseconds), "token": .string(client), "action": .string(action),
      "subject": .string(subject),
    ]
    do throws(Failure) {
      try writing.withLock { _ throws(Failure) in
        try FileSystem.append(Array((line.json(.compact) + "\n").utf8), to: path)
      }
    } catch {
      onWarning("the audit log cannot be written: \(error.message)")
    }
  }
}
