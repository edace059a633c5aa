import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// What `--attach` names, read and checked before anybody is asked.
struct AttachmentInput {
  private let rasa: () -> Rasa

  /// - Parameter rasa: made only where something is attached.
  init(_ rasa: @autoclosure @escaping () -> Rasa) { self.rasa = rasa }

  /// More than all providers take in one request; it bounds what is kept in memory.
  private static let largestInAll = 100_000_000

  /// - Parameter input: where the question comes from: standard input can be read once only.
  /// - Returns: what was read, each content once, and what the person should know about it.
  func read(
    _ paths: [String], beside input: ParsedCommand.Input
  ) async throws -> (attachments: [Rasa.Attachment], notes: [String]) {
    guard !paths.isEmpty else { return ([], []) }
    let rasa = rasa()
    var attachments: [Rasa.Attachment] = []
    var notes: [String] = []
    var inAll = 0
    var hasReadInput = false
    for path in paths {
      let reading: Rasa.AttachmentReading
      if path == "-" {
        if hasReadInput {
          throw Failure(
            .usage, "`--attach -` is given twice",
            suggestion: "standard input can be read only once")
        }
        hasReadInput = true
        let bytes = try standardInput(rasa.largestAttachment(), beside: input)
        reading = try await rasa.attachment(name: "stdin", bytes: bytes)
      } else {
        reading = try await rasa.attachment(path: path)
      }
      inAll += reading.attachment.byteCount
      guard inAll <= Self.largestInAll else {
        throw Failure(
          .usage,
          "the attachments are larger in total than \(byteCountText(Self.largestInAll))",
          suggestion: "attach fewer or smaller ones")
      }
      notes += reading.notes
      if let same = attachments.first(where: { $0.sha256 == reading.attachment.sha256 }) {
        notes.append(
          same.name == reading.attachment.name
            ? "\(same.name) is named twice, and attached once"
            : "\(reading.attachment.name) has the same content as \(same.name), and is skipped")
        continue
      }
      attachments.append(reading.attachment)
    }
    return (attachments, notes)
  }

  private func standardInput(
    _ limit: Int, beside input: ParsedCommand.Input
  ) throws -> [UInt8] {
    guard case .text = input else {
      throw Failure(
        .usage, "`--attach -` reads standard input, and so does the question",
        suggestion: "write the question on the command line, or attach the file by its path")
    }
    switch StandardInput.kind {
    case .terminal, .closed, .device:
      throw Failure(
        .usage, "`--attach -` reads standard input, but nothing is piped into it",
        suggestion: "pipe the file into the command, or attach it by its path")
    case .file, .stream: break
    }
    let tooLarge = Failure(
      .usage, "standard input is larger than \(byteCountText(limit))", suggestion: "make it smaller"
    )
    return try StandardInput.read(limit: limit, tooLarge: tooLarge) ?? []
  }
}
