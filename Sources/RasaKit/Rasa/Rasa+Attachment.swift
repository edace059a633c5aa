import RasaCore
import RasaEngine

extension Rasa {
  /// A file that is given beside a question: an image (PNG, JPEG, GIF, WebP), a PDF, or text in UTF-8.
  ///
  /// Its bytes decide its type, not its name. Only operators that read the input get it, and a model
  /// that takes no such files is not asked.
  public struct Attachment: Sendable, Hashable {
    let own: RasaEngine.Attachment

    init(_ attachment: RasaEngine.Attachment) { own = attachment }

    /// Reads a file, of at most 20 MB; links are followed.
    ///
    /// - Throws: A `RasaError` when there is no such file, or it is nothing that models take.
    public init(path: String) throws(RasaError) {
      own = try convertingErrors { () throws(Failure) in
        try AttachmentReader().read(path).attachment
      }
    }

    /// Takes bytes that have no file.
    ///
    /// - Parameters:
    ///   - name: The name that models see.
    ///   - bytes: Its content.
    public init(name: String, bytes: [UInt8]) throws(RasaError) {
      own = try convertingErrors { () throws(Failure) in
        try AttachmentReader().read(bytes, named: name).attachment
      }
    }

    /// The last part of its path.
    public var name: String { own.name }
    /// Such as `image/png`.
    public var mediaType: String { own.type.rawValue }
    /// How many bytes its content has.
    public var byteCount: Int { Int(clamping: own.byteCount) }
    /// Of its bytes, as 64 hexadecimal digits.
    public var sha256: String { own.digest }
    /// Of an image, in pixels.
    public var width: Int? { own.pixels.map { Int(clamping: $0.width) } }
    /// Of an image, in pixels; nil for others.
    public var height: Int? { own.pixels.map { Int(clamping: $0.height) } }
    /// The most pages that a PDF can have; nil for others, and where they cannot be counted.
    public var pageCount: Int? { own.pages.map { Int(clamping: $0) } }
  }
}
