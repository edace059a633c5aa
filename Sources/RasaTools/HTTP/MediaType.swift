import RasaCore
import RasaEngine

/// The value of a `Content-Type` header.
struct MediaType: Sendable, Hashable {
  /// `application/json`, in small letters; empty where there is no header.
  var name = ""
  var charset: String?

  init(_ header: String?) {
    guard let header else { return }
    let parts = header.split(atByte: ";")
    name = parts.first.map { $0.trimmedByScalars.lowercased() } ?? ""
    for part in parts.dropFirst() {
      let pair = part.split(atByte: "=", maxSplits: 1)
      guard pair.count == 2, pair[0].trimmedByScalars.lowercased() == "charset" else { continue }
      charset = pair[1].trimmedByScalars.filter { $0 != "\"" && $0 != "'" }
    }
  }

  var isJSON: Bool {
    name == "application/json" || name == "text/json" || name.hasByteSuffix("+json")
  }

  var isText: Bool {
    name.isEmpty || isJSON || name.hasBytePrefix("text/") || name.hasByteSuffix("+xml")
      || [
        "application/xml", "application/javascript", "application/yaml", "application/x-yaml",
        "application/x-ndjson", "application/x-www-form-urlencoded", "application/toml",
        "application/csv",
      ].contains(name)
  }
}

extension Attachment.MediaType {
  /// What the bytes are that models can be shown, by their beginning; what a server says about them may be wrong.
  init?(ofBytes bytes: [UInt8]) {
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.starts(with: "GIF87a".utf8) || bytes.starts(with: "GIF89a".utf8) {
      self = .gif
    } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
      self = .webp
    } else if bytes.starts(with: "%PDF-".utf8) {
      self = .pdf
    } else {
      return nil
    }
  }
}
