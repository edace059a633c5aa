import RasaCore

/// A file that the user gave beside the question. It belongs to the input of a run: operators that
/// read `input` see it.
///
/// Its content is kept in the form in which the journal, the wires and recordings want it, so it is
/// encoded once, however often it is sent.
package struct Attachment: Sendable {
  package enum Kind: String, Sendable, Hashable, CaseIterable { case text, image, pdf }

  /// The raw values are media types.
  package enum MediaType: String, Sendable, Hashable, CaseIterable {
    case png = "image/png"
    case jpeg = "image/jpeg"
    case gif = "image/gif"
    case webp = "image/webp"
    case pdf = "application/pdf"
    case text = "text/plain"
  }

  package struct PixelSize: Sendable, Hashable {
    package var width: Int64
    package var height: Int64
    package init(width: Int64, height: Int64) {
      self.width = width
      self.height = height
    }
  }

  /// The last component of its path, in printable characters on one line.
  package var name: String
  package var type: MediaType
  /// Of the file.
  package var byteCount: Int64
  /// SHA-256 of the file's bytes.
  package var digest: String
  /// What an image's header says.
  package var pixels: PixelSize?
  /// Of a PDF, from above: it has no more.
  package var pages: Int64?
  /// A text as it is, everything else in base64; empty where only the facts are known.
  package var payload: String

  package init(
    name: String, type: MediaType, byteCount: Int64, digest: String, pixels: PixelSize? = nil,
    pages: Int64? = nil, payload: String = ""
  ) {
    self.name = name
    self.type = type
    self.byteCount = byteCount
    self.digest = digest
    self.pixels = pixels
    self.pages = pages
    self.payload = payload
  }

  /// - Parameter text: the bytes as text, for a text.
  package init(
    name: String, type: MediaType, bytes: [UInt8], text: String? = nil, pixels: PixelSize? = nil,
    pages: Int64? = nil
  ) {
    self.init(
      name: Self.printable(name), type: type, byteCount: Int64(bytes.count),
      digest: Digest.sha256(bytes), pixels: pixels, pages: pages,
      payload: text ?? Base64.encode(bytes))
  }

  /// A file can have any name, which prompts and terminals show.
  private static func printable(_ name: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in name.unicodeScalars {
      scalars.append(scalar.isHidden || scalar.value < 0x20 || scalar == "`" ? "_" : scalar)
    }
    return scalars.isEmpty ? "file" : String(scalars)
  }
}

extension Attachment: Hashable {
  /// Contents with the same digest are the same; megabytes need not be compared.
  package static func == (left: Attachment, right: Attachment) -> Bool {
    left.digest == right.digest && left.type == right.type && left.name == right.name
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(digest)
    hasher.combine(name)
  }
}

extension Attachment.MediaType {
  package var kind: Attachment.Kind {
    switch self {
    case .png, .jpeg, .gif, .webp: .image
    case .pdf: .pdf
    case .text: .text
    }
  }

  /// As messages call it.
  package var title: String {
    switch self {
    case .png: "PNG image"
    case .jpeg: "JPEG image"
    case .gif: "GIF image"
    case .webp: "WebP image"
    case .pdf: "PDF"
    case .text: "text"
    }
  }
}

extension Attachment.Kind {
  /// As in "it takes no images".
  package var plural: String {
    switch self {
    case .text: "texts"
    case .image: "images"
    case .pdf: "PDFs"
    }
  }
}

extension Attachment {
  package var kind: Kind { type.kind }

  /// Its description: `PNG image, 640×480`.
  package var summary: String {
    if let pixels { return "\(type.title), \(pixels.width)×\(pixels.height)" }
    if let pages { return "\(type.title), \(pages == 1 ? "1 page" : "at most \(pages) pages")" }
    return type.title
  }

  /// A text as prompts show it: between fences longer than any in it.
  package var fenced: String {
    var longest = 0
    var run = 0
    for byte in payload.utf8 {
      run = byte == UInt8(ascii: "`") ? run + 1 : 0
      longest = max(longest, run)
    }
    let fence = String(repeating: "`", count: max(3, longest + 1))
    let end = payload.utf8.last == UInt8(ascii: "\n") ? "" : "\n"
    return "Attached file `\(name)`:\n\(fence)\n\(payload)\(end)\(fence)"
  }
}

extension [Attachment] {
  /// What goes to a model as it is; texts are a part of the prompt.
  package var media: [Attachment] { filter { $0.kind != .text } }

  /// The texts among them, below a prompt or question.
  package func below(_ text: String) -> String {
    let texts = filter { $0.kind == .text }
    return texts.isEmpty ? text : ([text] + texts.map(\.fenced)).joined(separator: "\n\n")
  }

  /// What an operator is asked with these beside it. Where there are several images, a question names
  /// them, and the wire does not.
  package func shown(below text: String) -> String {
    let media = media
    guard media.count > 1 else { return below(text) }
    let names = media.map { "`\($0.name)`" }.joined(separator: ", ")
    return below(text) + "\n\nAttached, in this order: \(names)"
  }

  /// What later turns of a conversation know of a question: attached texts are a part of it, as a
  /// piped text is; of everything else it says that it was there, since sending it again would cost
  /// as much again each turn.
  package func remembered(below text: String) -> String {
    let notes = media.map {
      "[Attached to this message: \($0.name) (\($0.summary)); not shown again]"
    }
    return ([below(text)] + (notes.isEmpty ? [] : [notes.joined(separator: "\n")]))
      .joined(separator: "\n\n")
  }
}
