import RasaCore

extension Rasa {
  /// A file that was read to be attached.
  public struct AttachmentReading: Sendable, Hashable {
    /// The attachment.
    public var attachment: Attachment
    /// What a person should know about it: that its name says something else, that a picture is text.
    public var notes: [String]

    init(_ reading: AttachmentReader.Reading) {
      attachment = Attachment(reading.attachment)
      notes = reading.notes
    }
  }

  /// Reads a file to be attached; links are followed. `RASA_MAX_ATTACHMENT` limits images and PDFs,
  /// `RASA_MAX_INPUT` texts.
  ///
  /// - Throws: A `RasaError` when there is no such file, it is too large, or it is nothing that models take.
  public func attachment(path: String) async throws(RasaError) -> AttachmentReading {
    try await prepared { rasa throws(Failure) in
      AttachmentReading(try rasa.composition.attachmentReader().read(path))
    }
  }

  /// Takes bytes that have no file, under the same limits.
  ///
  /// - Parameters:
  ///   - name: What a model is told it is called.
  ///   - bytes: Its content.
  public func attachment(
    name: String, bytes: [UInt8]
  ) async throws(RasaError) -> AttachmentReading {
    try await prepared { rasa throws(Failure) in
      AttachmentReading(try rasa.composition.attachmentReader().read(bytes, named: name))
    }
  }

  /// How many bytes the largest file has that may be attached.
  public func largestAttachment() throws(RasaError) -> Int {
    try redacted { () throws(Failure) in
      let reader = try composition.attachmentReader()
      return max(reader.limit, reader.textLimit)
    }
  }
}
