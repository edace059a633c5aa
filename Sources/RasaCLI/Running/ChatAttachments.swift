import RasaCore
import RasaEngine
import RasaKit
import RasaSystem

/// What is attached in a conversation: to the question in whose line its path stands, or to the next
/// one.
struct ChatAttachments {
  private let house: House
  /// What waits for a question.
  private(set) var waiting: [Attachment] = []

  init(_ house: House, beginningWith attachments: [Attachment] = []) {
    self.house = house
    waiting = attachments
  }

  static let command = "/attach"

  /// Takes what a line attaches.
  ///
  /// - Parameter tell: told of each what it may cost; throws where no model takes it, and then it is
  ///   not attached.
  /// - Returns: the question; nil when the line has none.
  mutating func take(
    _ line: String, tell: ([Attachment]) async throws -> Void
  ) async throws -> String? {
    let isCommand = line == Self.command || line.hasBytePrefix(Self.command + " ")
    if isCommand, line.utf8.count <= Self.command.utf8.count + 1 {
      throw Failure(
        .usage, "`/attach` needs the path of a file",
        mend: "write it as `/attach photo.png`; the file goes with the next question")
    }
    let found = AttachedPaths(
      isCommand ? String(line.utf8.dropFirst(Self.command.utf8.count + 1)) ?? "" : line,
      any: isCommand, home: house.environment["HOME"],
      isFile: { FileSystem.kind(of: $0) == .file })
    guard !found.paths.isEmpty else { return line }
    let (attachments, notes) = try AttachmentInput(house: house).read(
      found.paths, beside: .unstated)
    let known = Set(waiting.map(\.digest))
    let new = waiting + attachments.filter { !known.contains($0.digest) }
    try await tell(new)
    for note in notes { try house.errors.write("rasa: \(note)\n") }
    waiting = new
    return isCommand || !found.hasWords ? nil : found.text
  }

  /// What goes with a question; nothing waits any more.
  mutating func release() -> [Attachment] {
    defer { waiting = [] }
    return waiting
  }
}
