import RasaCore
import RasaEngine
import RasaTestKit
import Testing

@testable import RasaKit

/// Testing has one of its own.
typealias Attachment = RasaEngine.Attachment

@Suite("Attachments: what a file is")
struct AttachmentReaderTests {
  @Test(
    "every format is known by its bytes, and its size is read from its header",
    arguments: [
      ("a.png", MadeUpFiles.png(width: 1920, height: 1080), .png, 1920, 1080),
      ("a.jpg", MadeUpFiles.jpeg(width: 4032, height: 3024), .jpeg, 4032, 3024),
      ("a.gif", MadeUpFiles.gif(width: 300, height: 200), .gif, 300, 200),
      ("a.webp", MadeUpFiles.webp(.lossy, width: 1000, height: 9), .webp, 1000, 9),
      ("b.webp", MadeUpFiles.webp(.lossless, width: 16384, height: 1), .webp, 16384, 1),
      ("c.webp", MadeUpFiles.webp(.extended, width: 70000, height: 3), .webp, 70000, 3),
      // What it is called does not matter.
      ("photo", MadeUpFiles.png(width: 7, height: 8), .png, 7, 8),
    ] as [(String, [UInt8], Attachment.MediaType, Int64, Int64)])
  func images(
    _ row: (name: String, bytes: [UInt8], type: Attachment.MediaType, width: Int64, height: Int64)
  ) throws {
    let reading = try AttachmentReader().read(row.bytes, named: row.name)
    let attachment = reading.attachment
    #expect(attachment.type == row.type && reading.notes.isEmpty)
    #expect(attachment.pixels == .init(width: row.width, height: row.height))
    #expect(attachment.byteCount == Int64(row.bytes.count) && attachment.digest.utf8.count == 64)
    #expect(Base64.decode(attachment.payload) == row.bytes)
  }

  @Test("a misleading file name is reported")
  func misnamed() throws {
    let reading = try AttachmentReader().read(MadeUpFiles.jpeg(), named: "photo.png")
    #expect(reading.attachment.type == .jpeg)
    #expect(reading.notes == ["photo.png is a JPEG image, whatever its name says"])
    let vector = try AttachmentReader().read(
      Array("<?xml version=\"1.0\"?>\n<svg></svg>".utf8), named: "logo.svg")
    #expect(vector.attachment.type == .text && vector.notes.first?.contains("SVG") == true)
  }

  @Test(
    "an unusable file is refused with its type and a suggestion",
    arguments: [
      ("empty.png", [], "it is empty", "another file"),
      ("text.png", Array("hello".utf8), "it is no PNG image, although it is called one", "`hello`"),
      ("page.pdf", Array("<!DOCTYPE html>".utf8), "it is no PDF", "<!DOCTYPE html>"),
      ("cut.png", Array(MadeUpFiles.png().dropLast(13)), "the PNG image is cut off", "again"),
      ("short.png", Array(MadeUpFiles.png().prefix(20)), "the PNG image is cut off", "again"),
      ("cut.jpg", Array(MadeUpFiles.jpeg().dropLast(2)), "the JPEG image is cut off", "again"),
      ("cut.gif", Array(MadeUpFiles.gif().dropLast()), "the GIF image is cut off", "again"),
      ("cut.webp", Array(MadeUpFiles.webp().dropLast()), "the WebP image is cut off", "again"),
      ("zero.png", MadeUpFiles.png(width: 0), "is damaged", "save it anew"),
      (
        "photo.heic", [0, 0, 0, 24] + Array("ftypheic".utf8), "it is a HEIC image",
        "heif-convert"
      ),
      ("old.bmp", Array("BM".utf8) + [9, 0, 0, 0, 0, 0, 0, 0], "a BMP image", "PNG or JPEG"),
      ("scan.tif", [0x49, 0x49, 0x2A, 0, 1], "a TIFF image", "PNG or JPEG"),
      ("letter.docx", [0x50, 0x4B, 3, 4, 0], "an office document", "as PDF"),
      ("notes.gz", [0x1F, 0x8B, 8, 0], "it is compressed", "unpack"),
      ("notes.txt", [0xFF, 0xFE, 0x41, 0], "text in UTF-16", "iconv"),
      ("latin.txt", [0x67, 0x72, 0xFC, 0xDF], "no UTF-8 text", "iconv"),
      ("blank.txt", Array(" \n\n".utf8), "it is blank", "another file"),
      ("secret.pdf", MadeUpFiles.pdf(trailer: "/Encrypt 9 0 R "), "is encrypted", "qpdf"),
      ("none.pdf", MadeUpFiles.pdf(pages: 0), "has no pages", "save it anew"),
      ("cut.pdf", Array(MadeUpFiles.pdf().prefix(200)), "the PDF is cut off", "again"),
    ] as [(String, [UInt8], String, String)])
  func refused(_ row: (name: String, bytes: [UInt8], what: String, suggestion: String)) throws {
    let failure = #expect(throws: Failure.self) {
      try AttachmentReader().read(row.bytes, named: row.name)
    }
    #expect(failure?.kind == .usage)
    #expect(failure?.message.contains("cannot attach \(row.name): ") == true)
    #expect(failure?.message.contains(row.what) == true, "\(failure?.message ?? "")")
    #expect(failure?.suggestion.contains(row.suggestion) == true, "\(failure?.suggestion ?? "")")
  }

  @Test("files are refused for what they are before they are read")
  func files() throws {
    let scratch = ScratchDirectory()
    try scratch.write("hello", to: "notes.txt")
    let reader = AttachmentReader()
    func failure(_ path: String, _ reader: AttachmentReader) -> Failure? {
      #expect(throws: Failure.self) { try reader.read(path) }
    }
    #expect(failure(scratch.path, reader)?.message.contains("it is a folder") == true)
    let missing = failure(scratch.file("nodes.txt"), reader)
    #expect(missing?.message.contains("there is no such file") == true)
    #expect(missing?.suggestion == "did you mean notes.txt?")
    #expect(failure("/dev/null", reader)?.message.contains("not a regular file") == true)
    var small = reader
    (small.limit, small.textLimit) = (4, 4)
    let large = failure(scratch.file("notes.txt"), small)
    #expect(large?.message.contains("it has 5 bytes, and 4 bytes are taken") == true)
    #expect(large?.suggestion.contains("RASA_MAX_ATTACHMENT") == true)
    let lines = failure(scratch.file("no\nsuch.png"), reader)
    #expect(lines?.message.contains("\n") == false)
  }

  @Test("a sparse file of 100 MB is refused by its size")
  func huge() async throws {
    let scratch = ScratchDirectory()
    let made = try await ProgramRun.run(
      "/usr/bin/truncate", ["-s", "100M", scratch.file("huge.png")], environment: [:],
      folder: scratch.path)
    #expect(made.exitCode == 0)
    let failure = #expect(throws: Failure.self) {
      try AttachmentReader().read(scratch.file("huge.png"))
    }
    #expect(failure?.message.contains("it has 104 MB, and 20 MB are taken") == true)
  }

  @Test("a name is printable and on one line everywhere")
  func names() throws {
    let attachment = try AttachmentReader().read(
      Array("x".utf8), named: "a\nb`c\u{1B}[31m\u{202E}.txt"
    ).attachment
    #expect(attachment.name == "a_b_c_[31m_.txt")
    #expect(attachment.fenced == "Attached file `a_b_c_[31m_.txt`:\n```\nx\n```")
    let fences = try AttachmentReader().read(Array("````\n".utf8), named: "f").attachment
    #expect(fences.fenced == "Attached file `f`:\n`````\n````\n`````")
  }
}

@Suite("Attachments: pages of a PDF")
struct PDFSurveyTests {
  @Test(
    "no fewer pages than there are, whatever the file claims",
    arguments: [
      (MadeUpFiles.pdf(pages: 3), 3),
      (MadeUpFiles.pdf(pages: 3, claiming: 1), 3),
      (MadeUpFiles.pdf(pages: 3, claiming: 40), 40),
      (MadeUpFiles.pdf(pages: 1, claiming: -5), 1),
      // An outline also counts something.
      (
        MadeUpFiles.pdf(
          pages: 1,
          extra: Array(
            "\n9 0 obj\n<< /Type /Outlines /Count 900 >>\nendobj\n\(String(repeating: " ", count: 900))"
              .utf8)), 1
      ),
      (MadeUpFiles.pdf(pages: 0, claiming: 0), 0),
    ] as [([UInt8], Int64)])
  func pages(_ row: (bytes: [UInt8], pages: Int64)) {
    #expect(PDFScan(row.bytes).pages == row.pages)
    #expect(!PDFScan(row.bytes).isEncrypted)
  }

  /// A zlib stream of blocks of one byte each, so that no word stands in it as it is.
  private func stored(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    var low: UInt32 = 1
    var high: UInt32 = 0
    for byte in bytes {
      low = (low + UInt32(byte)) % 65_521
      high = (high + low) % 65_521
    }
    let sum = high << 16 | low
    let blocks = bytes.indices.flatMap { index -> [UInt8] in
      [index == bytes.count - 1 ? 1 : 0, 1, 0, 0xFE, 0xFF, bytes[index]]
    }
    return [0x78, 0x01] + blocks + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
  }

  private func withObjects(_ content: [UInt8], filter: String = "/FlateDecode") -> [UInt8] {
    MadeUpFiles.pdf(
      pages: 0,
      extra: Array(
        "5 0 obj\n<< /Type /ObjStm /N 3 /First 10 /Filter \(filter) >>\nstream\r\n".utf8) + content
        + Array("\nendstream\nendobj\n".utf8))
  }

  @Test("pages in compressed object streams count")
  func compressed() {
    let objects = String(repeating: "<< /Type /Page /Parent 2 0 R >> ", count: 12)
    #expect(PDFScan(withObjects(stored(objects))).pages == 12)
  }

  @Test(
    "a stream may be hundreds of times as long as it is kept, and no longer than can be looked at")
  func dense() throws {
    // 700 pages in a zlib stream.
    let packed = try #require(
      Base64.decode(
        "eNrtybEJgDAABMBVfoOIdcgMElzAItiJiI3bC24hXHPN1ZqyPudIWbb98xrHnTlTelpL9d5777333nvvvffee++9995777333nvvvffee++9995777333nvvvffee++9995777333nvvf/gvcb3o4g=="
      ))
    #expect(PDFScan(withObjects(packed)).pages == 700)
    #expect(PDFScan(withObjects(Array(packed.dropLast(8)))).pages == nil)
  }

  @Test("files that cannot be inspected are not guessed at", arguments: ["/LZWDecode", "/Crypt"])
  func opaque(_ filter: String) {
    #expect(PDFScan(withObjects([1, 2, 3], filter: filter)).pages == nil)
    #expect(PDFScan(withObjects([1, 2, 3])).pages == nil)
  }

  @Test("encryption is a matter of the trailer, not of words in it")
  func encrypted() {
    #expect(PDFScan(MadeUpFiles.pdf(trailer: "/Encrypt 12 0 R")).isEncrypted)
    #expect(PDFScan(MadeUpFiles.pdf(trailer: "/Encrypt<</V 4>>")).isEncrypted)
    #expect(!PDFScan(MadeUpFiles.pdf(trailer: "/EncryptMetadata false")).isEncrypted)
    #expect(!PDFScan(MadeUpFiles.pdf(trailer: "(about /Encrypt)")).isEncrypted)
  }
}

@Suite("Attachments: any bytes")
struct AttachmentBytesTests {
  /// The beginnings that lead into each parser.
  private static let seeds: [[UInt8]] =
    [
      MadeUpFiles.png(), MadeUpFiles.jpeg(), MadeUpFiles.gif(), MadeUpFiles.pdf(),
      MadeUpFiles.pdf(extra: Array("/ObjStm /FlateDecode /Filter stream\n\u{1}endstream".utf8)),
    ] + MadeUpFiles.WebP.allCases.map { MadeUpFiles.webp($0) }

  @Test("no bytes trap: every file cut at every place, and every byte of it changed")
  func everyPlace() {
    for seed in Self.seeds {
      for length in 0...seed.count {
        _ = try? AttachmentReader().read(Array(seed.prefix(length)), named: "x")
      }
      for place in seed.indices {
        for value in [0x00, 0x7F, 0x80, 0xFF] as [UInt8] {
          var bytes = seed
          bytes[place] = value
          _ = try? AttachmentReader().read(bytes, named: "x")
        }
      }
    }
  }

  @Test("no bytes trap: made-up ones")
  func madeUp() {
    var numbers = SeededNumbers(seed: 12)
    for round in 0..<2_000 {
      let seed = Self.seeds[round % Self.seeds.count]
      var bytes = Array(seed.prefix(Int.random(in: 0...seed.count, using: &numbers)))
      for _ in 0..<Int.random(in: 0...60, using: &numbers) {
        bytes.append(UInt8.random(in: 0...255, using: &numbers))
      }
      for _ in 0..<4 where !bytes.isEmpty {
        bytes[Int.random(in: 0..<bytes.count, using: &numbers)] = UInt8.random(
          in: 0...255, using: &numbers)
      }
      _ = try? AttachmentReader().read(bytes, named: "x")
    }
  }
}
