/// Small images and documents, built here so that every byte is known.
package enum MadeUpFiles {
  private static func big32(_ number: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }
  private static func little(_ number: Int, bytes: Int) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }
  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    big32(content.count) + Array(name.utf8) + content + [0, 0, 0, 0]
  }

  /// A PNG with a header, some bytes in place of the image data, and its end.
  package static func png(
    width: Int = 640, height: Int = 480, filling: [UInt8] = [1, 2, 3]
  ) -> [UInt8] {
    [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      + chunk("IHDR", big32(width) + big32(height) + [8, 2, 0, 0, 0]) + chunk("IDAT", filling)
      + chunk("IEND", [])
  }

  package static func jpeg(width: Int = 640, height: Int = 480) -> [UInt8] {
    func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
      [0xFF, marker, UInt8((content.count + 2) >> 8), UInt8((content.count + 2) & 0xFF)] + content
    }
    let size = [height >> 8, height, width >> 8, width].map { UInt8(truncatingIfNeeded: $0) }
    return [0xFF, 0xD8] + segment(0xE0, Array("JFIF\0".utf8) + [1, 2, 0, 0, 1, 0, 1, 0, 0])
      + segment(0xC4, [0xFF, 0xC0]) + segment(0xC2, [8] + size + [3, 1, 0x11, 0])
      + segment(0xDA, [1, 1, 0, 0, 63, 0]) + [0x12, 0x34, 0xFF, 0x00, 0x56] + [0xFF, 0xD9]
  }

  package static func gif(width: Int = 640, height: Int = 480) -> [UInt8] {
    Array("GIF89a".utf8) + little(width, bytes: 2) + little(height, bytes: 2) + [0, 0, 0]
      + [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 1, 0, 0] + [0x3B]
  }

  package enum WebP: String, CaseIterable, Sendable {
    case lossy = "VP8 "
    case lossless = "VP8L"
    case extended = "VP8X"
  }

  package static func webp(
    _ form: WebP = .lossy, width: Int = 640, height: Int = 480
  ) -> [UInt8] {
    let content: [UInt8]
    switch form {
    case .lossy:
      content = [0, 0, 0, 0x9D, 0x01, 0x2A] + little(width, bytes: 2) + little(height, bytes: 2)
    case .lossless: content = [0x2F] + little((width - 1) | (height - 1) << 14, bytes: 4) + [0]
    case .extended:
      content = [0, 0, 0, 0] + little(width - 1, bytes: 3) + little(height - 1, bytes: 3)
    }
    let body =
      Array("WEBP".utf8) + Array(form.rawValue.utf8) + little(content.count, bytes: 4)
      + content
    return Array("RIFF".utf8) + little(body.count, bytes: 4) + body
  }

  /// - Parameters:
  ///   - claiming: what the file says its number of pages is.
  ///   - trailer: what else the trailer says.
  package static func pdf(
    pages: Int = 2, claiming: Int? = nil, trailer: String = "", extra: [UInt8] = []
  ) -> [UInt8] {
    var text = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    let kids = (0..<pages).map { "\($0 + 3) 0 R" }.joined(separator: " ")
    text += "2 0 obj\n<< /Type /Pages /Kids [\(kids)] /Count \(claiming ?? pages) >>\nendobj\n"
    for page in 0..<pages {
      text +=
        "\(page + 3) 0 obj\n<< /Type/Page /Parent 2 0 R /MediaBox [0 0 100 100] >>\nendobj\n"
    }
    return Array(text.utf8) + extra
      + Array("trailer\n<< /Root 1 0 R \(trailer)>>\nstartxref\n0\n%%EOF\n".utf8)
  }
}
