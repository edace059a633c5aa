import RasaEngine

/// What a file is, by its first bytes; its name says nothing.
enum FileKind: Sendable, Hashable {
  case known(Attachment.MediaType)
  /// Something that no model is sent, and what to do with it.
  case foreign(String, suggestion: String)
  /// It may be text.
  case unknown

  private static let toImage = "convert it to PNG or JPEG"

  init(_ bytes: [UInt8]) {
    let reader = ByteReader(Array(bytes.prefix(1_100)))
    func begins(_ signature: [UInt8], at place: Int = 0) -> Bool {
      reader.has(signature, at: place)
    }
    if begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .known(.png)
    } else if begins([0xFF, 0xD8, 0xFF]) {
      self = .known(.jpeg)
    } else if reader.has("GIF87a", at: 0) || reader.has("GIF89a", at: 0) {
      self = .known(.gif)
    } else if reader.has("RIFF", at: 0), reader.has("WEBP", at: 8) {
      self = .known(.webp)
    } else if reader.holds("%PDF-") {
      self = .known(.pdf)
    } else if reader.has("ftyp", at: 4) {
      let isStill = ["heic", "heix", "heim", "heis", "hevc", "mif1", "msf1"].contains {
        begins(Array($0.utf8), at: 8)
      }
      if isStill {
        self = .foreign(
          "a HEIC image, which few models take",
          suggestion: "convert it, as with `heif-convert photo.heic photo.jpg`")
      } else if reader.has("avif", at: 8) || reader.has("avis", at: 8) {
        self = .foreign("an AVIF image, which few models take", suggestion: Self.toImage)
      } else {
        self = .foreign(
          "a film or a sound", suggestion: "attach a still of it, or its words as text")
      }
    } else if begins([0x49, 0x49, 0x2A, 0x00]) || begins([0x4D, 0x4D, 0x00, 0x2A]) {
      self = .foreign("a TIFF image, which models do not take", suggestion: Self.toImage)
    } else if reader.has("BM", at: 0), begins([0, 0, 0, 0], at: 6) {
      self = .foreign("a BMP image, which models do not take", suggestion: Self.toImage)
    } else if begins([0x00, 0x00, 0x01, 0x00]) {
      self = .foreign("an icon, which models do not take", suggestion: Self.toImage)
    } else if begins([0x50, 0x4B, 0x03, 0x04]) {
      self = .foreign(
        "an archive, or an office document", suggestion: "save the document as PDF or as text")
    } else if begins([0xD0, 0xCF, 0x11, 0xE0]) {
      self = .foreign("an old office document", suggestion: "save it as PDF or as text")
    } else if begins([0x1F, 0x8B]) || begins([0x28, 0xB5, 0x2F, 0xFD])
      || begins([0xFD, 0x37, 0x7A, 0x58, 0x5A])
    {
      self = .foreign("compressed", suggestion: "unpack it first")
    } else if reader.has("RIFF", at: 0) || reader.has("OggS", at: 0) || reader.has("ID3", at: 0)
      || reader.has("fLaC", at: 0) || begins([0x1A, 0x45, 0xDF, 0xA3])
    {
      self = .foreign("a film or a sound", suggestion: "attach a still of it, or its words as text")
    } else if begins([0xFF, 0xFE]) || begins([0xFE, 0xFF]) {
      self = .foreign(
        "text in UTF-16", suggestion: "convert it first, as with `iconv -f UTF-16 -t UTF-8`")
    } else {
      self = .unknown
    }
  }
}
