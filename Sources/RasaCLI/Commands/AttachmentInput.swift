import RasaCore
import RasaEngine
import RasaKit
import RasaModels
import RasaSystem
import RasaTerminal

/// What `--attach` names, read and checked before anybody is asked.
struct AttachmentInput {
  let house: CompositionRoot

  /// More than all providers take in one request; it bounds what is kept in memory.
  private static let largestInAll: Int64 = 100_000_000

  /// - Parameter input: where the question comes from: standard input can be read once only.
  /// - Returns: what was read, each content once, and what the person should know about it.
  func read(
    _ paths: [String], beside input: ParsedCommand.Input
  ) throws -> (attachments: [Attachment], notes: [String]) {
    guard !paths.isEmpty else { return ([], []) }
    let reader = try house.attachmentReader()
    var attachments: [Attachment] = []
    var notes: [String] = []
    var inAll: Int64 = 0
    var hasReadInput = false
    for path in paths {
      let reading: AttachmentReader.Reading
      if path == "-" {
        if hasReadInput {
          throw Failure(
            .usage, "`--attach -` is given twice",
            suggestion: "standard input can be read only once")
        }
        hasReadInput = true
        reading = try standardInput(reader, beside: input)
      } else {
        reading = try reader.read(path)
      }
      inAll += reading.attachment.byteCount
      guard inAll <= Self.largestInAll else {
        throw Failure(
          .usage,
          "the attachments are larger in total than \(byteCountText(Int(Self.largestInAll)))",
          suggestion: "attach fewer or smaller ones")
      }
      notes += reading.notes
      if let same = attachments.first(where: { $0.digest == reading.attachment.digest }) {
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
    _ reader: AttachmentReader, beside input: ParsedCommand.Input
  ) throws -> AttachmentReader.Reading {
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
    let limit = max(reader.limit, reader.textLimit)
    let tooLarge = Failure(
      .usage, "standard input is larger than \(byteCountText(limit))", suggestion: "make it smaller"
    )
    let bytes = try StandardInput.read(limit: limit, tooLarge: tooLarge) ?? []
    return try reader.read(bytes, named: "stdin")
  }
}

extension CompositionRoot {
  /// `RASA_MAX_ATTACHMENT` says how large an image or PDF may be, `RASA_MAX_INPUT` how large a text.
  func attachmentReader() throws(Failure) -> AttachmentReader {
    AttachmentReader(
      limit: try size(
        in: "RASA_MAX_ATTACHMENT", usual: AttachmentReader.usualLimit,
        largest: AttachmentReader.largestLimit),
      textLimit: try longestInput())
  }
}

extension Attachment {
  /// `photo.png (PNG image, 640×480, 12 kB)`.
  var line: String { "\(name) (\(summary), \(byteCountText(Int(clamping: byteCount))))" }
}

extension RunServices {
  /// What the attachments of a run add to it at most, in words: every operator that is shown them, and
  /// every loop, counts.
  func attachmentCost(_ graph: Graph, _ settings: RunSettings, at stand: RunPresentation)
    async throws
    -> String
  {
    let gate = try house.gate(
      ledger: store, history: store, client: client, options: settings.gate, onWarning: stand.warn,
      onlyEstimates: true)
    var start = start(graph, settings)
    let calls = graph.rehearse(start, profile: settings.gate.profile)
    start.attachments = []
    let others = graph.rehearse(start, profile: settings.gate.profile)
    var tokens: Int64 = 0
    var more = Money.zero
    var isKnown = true
    var isBounded = true
    var models: [String] = []
    for ((call, with), without) in zip(
      zip(calls, try await gate.costs(of: calls)), try await gate.costs(of: others))
    where !call.request.attachments.isEmpty {
      let estimate = with.estimate
      tokens += estimate.attachmentTokens.reduce(0, +) * Int64(call.most)
      more += with.total - without.total
      isKnown = isKnown && estimate.isPriceKnown
      isBounded = isBounded && estimate.isBounded
      let name = "\(estimate.provider):\(estimate.model)"
      if !models.contains(name) { models.append(name) }
    }
    guard !models.isEmpty else { return "no operator reads it" }
    let money = isKnown ? ", \(more)" : ", price unknown"
    return "\(isBounded ? "at most" : "about") \(tokens) tokens\(money) with "
      + models.joined(separator: ", ")
  }
}
