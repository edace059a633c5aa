import RasaCore
import RasaKit
import RasaSystem

/// What is attached in a conversation: to the question in whose line its path stands, or to the next
/// one.
struct ChatAttachments {
  private let input: AttachmentInput
  private let console: Console
  /// What waits for a question.
  private(set) var waiting: [Rasa.Attachment] = []

  init(_ input: AttachmentInput, _ console: Console, beginningWith attachments: [Rasa.Attachment]) {
    self.input = input
    self.console = console
    waiting = attachments
  }

  /// What went with the question before.
  private var released: [Rasa.Attachment] = []

  /// Takes what the line of a question attaches.
  ///
  /// - Parameter check: Reports what the files may cost, and throws if no model takes them; then nothing is
  ///   attached.
  /// - Returns: the question; nil when the line has none.
  mutating func take(
    _ line: String, check: ([Rasa.Attachment]) async throws -> Void
  ) async throws -> String? {
    let found = paths(in: line, any: false)
    guard !found.paths.isEmpty else { return line }
    try await attach(found, check)
    return found.hasWords ? found.text : nil
  }

  /// Attaches the files of `/attach` to the next question.
  mutating func attach(
    _ paths: String, check: ([Rasa.Attachment]) async throws -> Void
  ) async throws {
    guard !paths.isEmpty else {
      throw Failure(
        .usage, "`/attach` needs the path of a file",
        suggestion: "write it as `/attach photo.png`; the file goes with the next question")
    }
    try await attach(self.paths(in: paths, any: true), check)
  }

  /// What goes with a question; nothing waits any more.
  mutating func release() -> [Rasa.Attachment] {
    defer { waiting = [] }
    released = waiting
    return waiting
  }

  /// What goes with the question before when it is asked again, and what has been attached since.
  mutating func releaseAgain() -> [Rasa.Attachment] {
    keep(released)
    return release()
  }

  /// Lets them wait for the next question beside those that wait for it.
  mutating func keep(_ attachments: [Rasa.Attachment]) {
    let known = Set(attachments.map(\.sha256))
    waiting = attachments + waiting.filter { !known.contains($0.sha256) }
  }

  private func paths(in line: String, any: Bool) -> AttachedPaths {
    AttachedPaths(
      line, any: any, home: console.environment["HOME"],
      isFile: { FileSystem.kind(of: $0) == .file })
  }

  private mutating func attach(
    _ found: AttachedPaths, _ check: ([Rasa.Attachment]) async throws -> Void
  ) async throws {
    let (attachments, notes) = try await input.read(found.paths, beside: .unstated)
    let known = Set(waiting.map(\.sha256))
    let new = waiting + attachments.filter { !known.contains($0.sha256) }
    try await check(new)
    for note in notes { try console.note("rasa: \(note)\n") }
    waiting = new
  }
}
