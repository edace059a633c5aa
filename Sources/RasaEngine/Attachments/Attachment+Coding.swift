package import RasaCore

extension Attachment {
  /// The facts, without the content.
  package var facts: ValueObject {
    var object: ValueObject = [
      "name": .string(name), "type": .string(type.rawValue), "bytes": .int(byteCount),
      "sha256": .string(digest),
    ]
    if let pixels {
      object["width"] = .int(pixels.width)
      object["height"] = .int(pixels.height)
    }
    if let pages { object["pages"] = .int(pages) }
    return object
  }

  /// Nil for facts that no version has written.
  package init?(facts value: Value, payload: String = "") {
    guard let name = value["name"].string, let digest = value["sha256"].string,
      let type = value["type"].string.flatMap(MediaType.init(rawValue:))
    else { return nil }
    var pixels: PixelSize?
    if let width = value["width"].int, let height = value["height"].int {
      pixels = PixelSize(width: width, height: height)
    }
    self.init(
      name: name, type: type, byteCount: value["bytes"].int ?? 0, digest: digest, pixels: pixels,
      pages: value["pages"].int, payload: payload)
  }
}

/// What is attached is in the journal once: its facts with the start of the run, its content in a
/// line of its own, so that whoever only wants to know how a run began need not carry it.
extension RunStart {
  package static let attachedKind = "input.attached"

  /// The lines that keep what is attached.
  package func attachedEntries(at time: Timestamp) -> [JournalEntry] {
    var kept: Set<String> = []
    return attachments.filter { kept.insert($0.digest).inserted }.map { attachment in
      JournalEntry(
        run: run, time: time, kind: Self.attachedKind,
        body: [
          "sha256": .string(attachment.digest),
          (attachment.kind == .text ? "text" : "data"): .string(attachment.payload),
        ])
    }
  }

  /// What a run began with, as its journal tells it; nil when it does not begin with its start.
  ///
  /// - Throws: where the content of something attached is missing, so that nothing empty is sent for it.
  package init?(recordedIn entries: some Collection<JournalEntry>) throws(Failure) {
    guard let first = entries.first, case .started(var start) = RunEvent(folding: first) else {
      return nil
    }
    if !start.attachments.isEmpty {
      var contents: [String: String] = [:]
      for entry in entries where entry.kind == Self.attachedKind {
        guard let digest = entry.body["sha256"].string else { continue }
        contents[digest] = entry.body["data"].string ?? entry.body["text"].string
      }
      for index in start.attachments.indices {
        let attachment = start.attachments[index]
        guard let content = contents[attachment.digest] else {
          throw Failure(
            .storage,
            "the journal of \(start.run) is damaged: the content of `\(attachment.name)`, which was "
              + "attached, is missing",
            suggestion: "run it again with `--attach \(attachment.name)`")
        }
        start.attachments[index].payload = content
      }
    }
    self = start
  }
}
