package import RasaCore
package import RasaEngine
import RasaSystem

/// Makes attachments of files. Its bytes decide the type of a file; what cannot be used is refused
/// with what it is and what to do.
package struct AttachmentReader: Sendable {
  /// The most bytes of an image or PDF. Providers take between 7 and 50 MB.
  package static let usualLimit = 20_000_000
  package static let largestLimit = 50_000_000
  package static let usualTextLimit = 16_000_000

  package var limit: Int
  package var textLimit: Int

  package init(limit: Int = usualLimit, textLimit: Int = usualTextLimit) {
    self.limit = limit
    self.textLimit = textLimit
  }

  package struct Reading: Sendable {
    package var attachment: Attachment
    /// What the person should know: that the name says something else, that a picture is text.
    package var notes: [String] = []
  }

  /// Reads a file that the user has named; links are followed.
  package func read(_ path: String) throws(Failure) -> Reading {
    let shown = Self.shown(path)
    switch FileSystem.kind(of: path) {
    case .file: break
    case nil: throw missing(path)
    case .folder:
      throw Failure(
        .usage, "cannot attach \(shown): it is a folder",
        suggestion: "name the files in it, one by one")
    case .other:
      throw Failure(
        .usage, "cannot attach \(shown): it is not a regular file",
        suggestion: "`--attach -` reads standard input")
    }
    if let size = FileSystem.size(of: path), size > Int64(max(limit, textLimit)) {
      throw tooLarge(shown, size, max(limit, textLimit))
    }
    let bytes: [UInt8]
    do {
      bytes = try FileSystem.read(path, limit: max(limit, textLimit))
    } catch {
      var failure = error
      failure.kind = .usage
      throw failure
    }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return try reading(bytes, name: name, shown: shown)
  }

  /// Takes bytes that have no file, as from standard input.
  package func read(_ bytes: [UInt8], named name: String) throws(Failure) -> Reading {
    try reading(bytes, name: name, shown: Self.shown(name))
  }

  private func reading(
    _ bytes: [UInt8], name: String, shown: String
  ) throws(Failure) -> Reading {
    guard !bytes.isEmpty else {
      throw Failure(.usage, "cannot attach \(shown): it is empty", suggestion: "name another file")
    }
    let claimed = Self.claimedType(name)
    switch FileKind(bytes) {
    case .foreign(let what, let suggestion):
      throw Failure(.usage, "cannot attach \(shown): it is \(what)", suggestion: suggestion)
    case .known(let type):
      guard bytes.count <= limit else { throw tooLarge(shown, Int64(bytes.count), limit) }
      var reading = Reading(
        attachment: type == .pdf
          ? try pdf(bytes, name, shown) : try image(type, bytes, name, shown))
      if let claimed, claimed != type {
        reading.notes.append("\(shown) is a \(type.title), whatever its name says")
      }
      return reading
    case .unknown:
      if let claimed, claimed != .text {
        throw Failure(
          .usage, "cannot attach \(shown): it is no \(claimed.title), although it is called one",
          suggestion: "check how it was made; what it begins with is \(Self.opening(bytes))")
      }
      return try text(bytes, name, shown)
    }
  }

  // MARK: Kinds

  private func image(
    _ type: Attachment.MediaType, _ bytes: [UInt8], _ name: String, _ shown: String
  ) throws(Failure) -> Attachment {
    let pixels: Attachment.PixelSize
    do throws(ImageHeader.Problem) {
      pixels = try ImageHeader(type, bytes).pixels
    } catch {
      switch error {
      case .cutOff:
        throw Failure(
          .usage, "cannot attach \(shown): the \(type.title) is cut off",
          suggestion: "copy or download it again")
      case .damaged(let why):
        throw Failure(
          .usage, "cannot attach \(shown): the \(type.title) is damaged: \(why)",
          suggestion: "open it in a viewer and save it anew")
      }
    }
    return Attachment(name: name, type: type, bytes: bytes, pixels: pixels)
  }

  private func pdf(
    _ bytes: [UInt8], _ name: String, _ shown: String
  ) throws(Failure) -> Attachment {
    let survey = PDFScan(bytes)
    guard !survey.isEncrypted else {
      throw Failure(
        .usage, "cannot attach \(shown): the PDF is encrypted, and no provider takes it so",
        suggestion: "save it without a password, as with `qpdf --decrypt in.pdf out.pdf`")
    }
    guard ByteReader(Array(bytes.suffix(4_096))).holds("%%EOF") else {
      throw Failure(
        .usage, "cannot attach \(shown): the PDF is cut off",
        suggestion: "copy or download it again")
    }
    guard survey.pages != 0 else {
      throw Failure(
        .usage, "cannot attach \(shown): the PDF has no pages",
        suggestion: "open it in a viewer and save it anew")
    }
    return Attachment(name: name, type: .pdf, bytes: bytes, pages: survey.pages)
  }

  private func text(
    _ bytes: [UInt8], _ name: String, _ shown: String
  ) throws(Failure) -> Reading {
    guard bytes.count <= textLimit else { throw tooLarge(shown, Int64(bytes.count), textLimit) }
    guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(
        .usage, "cannot attach \(shown): it is no image, no PDF and no UTF-8 text",
        suggestion:
          "attach PNG, JPEG, GIF, WebP, PDF or text; text in another encoding is converted "
          + "with `iconv -t UTF-8`")
    }
    guard bytes.contains(where: { $0 > 0x20 }) else {
      throw Failure(.usage, "cannot attach \(shown): it is blank", suggestion: "name another file")
    }
    var reading = Reading(
      attachment: Attachment(name: name, type: .text, bytes: bytes, text: text))
    if ByteReader(Array(bytes.prefix(1_024))).holds("<svg") {
      reading.notes.append(
        "\(shown) is an SVG, which is text: its source is attached, and no picture of it")
    }
    return reading
  }

  // MARK: Words

  private func missing(_ path: String) -> Failure {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[..<$0]) } ?? "."
    let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    let names = ((try? FileSystem.list(folder.isEmpty ? "/" : folder)) ?? []).map(\.name)
    let near = nearestName(to: name, among: names.prefix(1_000))
    return Failure(
      .usage, "cannot attach \(Self.shown(path)): there is no such file",
      suggestion: near.map { "did you mean \(Self.shown($0))?" } ?? "check the path")
  }

  private func tooLarge(_ shown: String, _ size: Int64, _ limit: Int) -> Failure {
    let most = byteCountText(limit)
    return Failure(
      .usage,
      "cannot attach \(shown): it has \(byteCountText(Int(clamping: size))), and \(most) are taken",
      suggestion: limit < Self.largestLimit
        ? "make it smaller, or set `RASA_MAX_ATTACHMENT` to take more, up to 50M"
        : "make it smaller, or attach a part of it")
  }

  /// On one line, whatever is in it.
  private static func shown(_ path: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in path.unicodeScalars {
      if scalar.isHidden || scalar.value < 0x20 {
        scalars.append(contentsOf: scalar.numbered.unicodeScalars)
      } else {
        scalars.append(scalar)
      }
    }
    return String(scalars)
  }

  private static func opening(_ bytes: [UInt8]) -> String {
    let shown = bytes.prefix(16).map { byte in
      (0x20...0x7E).contains(byte) ? Character(Unicode.Scalar(byte)) : "·"
    }
    return "`\(String(shown))`"
  }

  /// What the end of a name says; nil for ends that say nothing here.
  static func claimedType(_ name: String) -> Attachment.MediaType? {
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return nil }
    switch name[name.index(after: dot)...].lowercased() {
    case "png": return .png
    case "jpg", "jpeg": return .jpeg
    case "gif": return .gif
    case "webp": return .webp
    case "pdf": return .pdf
    default: return nil
    }
  }
}
