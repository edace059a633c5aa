import RasaCore
import RasaEngine
import RasaKit
import RasaSystem

/// What is attached in a conversation: to the question in whose line its path stands, or to the next
/// one.
struct ChatAttachments {
  private let house: CompositionRoot
  /// What waits for a question.
  private(set) var waiting: [Attachment] = []

  init(_ house: CompositionRoot, beginningWith attachments: [Attachment] = []) {
    self.house = house
    waiting = attachments
  }

  /// What went with the question before.
  private var released: [Attachment] = []

  /// Takes what the line of a question attaches.
  ///
  /// - Parameter check: Reports what the files may cost, and throws if no model takes them; then nothing is
  ///   attached.
  /// - Returns: the question; nil when the line has none.
  mutating func take(
    _ line: String, check: ([Attachment]) async throws -> Void
  ) async throws -> String? {
    let found = paths(in: line, any: false)
    guard !found.paths.isEmpty else { return line }
    try await attach(found, check)
    return found.hasWords ? found.text : nil
  }

  /// Attaches the files of `/attach` to the next question.
  mutating func attach(
    _ paths: String, check: ([Attachment]) async throws -> Void
  ) async throws {
    guard !paths.isEmpty else {
      throw Failure(
        .usage, "`/attach` needs the path of a file",
        suggestion: "write it as `/attach photo.png`; the file goes with the next question")
    }
    try await attach(self.paths(in: paths, any: true), check)
  }

  /// What goes with a question; nothing waits any more.
  mutating func release() -> [Attachment] {
    defer { waiting = [] }
    released = waiting
    return waiting
  }

  /// What goes with the question before when it is asked again, and what has been attached since.
  mutating func releaseAgain() -> [Attachment] {
    keep(released)
    return release()
  }

  /// Lets them wait for the next question beside those that wait for it.
  mutating func keep(_ attachments: [Attachment]) {
    let known = Set(attachments.map(\.digest))
    waiting = attachments + waiting.filter { !known.contains($0.digest) }
  }

  private func paths(in line: String, any: Bool) -> AttachedPaths {
    AttachedPaths(
      line, any: any, home: house.environment["HOME"],
      isFile: { FileSystem.kind(of: $0) == .file })
  }

  private mutating func attach(
    _ found: AttachedPaths, _ check: ([Attachment]) async throws -> Void
  ) async throws {
    let house = house
    let attachments: [Attachment]
    let notes: [String]
    do {
      let read = try await AttachmentInput(Rasa(house, house.store())).read(
        found.paths, beside: .unstated)
      (attachments, notes) = (read.attachments.map(\.own), read.notes)
    } catch let error as RasaError {
      // A conversation goes on after a failure.
      throw error.failure
    }
    let known = Set(waiting.map(\.digest))
    let new = waiting + attachments.filter { !known.contains($0.digest) }
    try await check(new)
    for note in notes { try house.note("rasa: \(note)\n") }
    waiting = new
  }
}
