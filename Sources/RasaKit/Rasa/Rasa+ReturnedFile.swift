import RasaCore
import RasaEngine
import RasaSystem

extension Rasa {
  /// An image or a document that a tool has returned.
  public struct ReturnedFile: Sendable, Hashable {
    /// What it is. Its name is one that a file can have, and no other file of the run has.
    public var attachment: Attachment
    /// Where ``write(to:)`` has written it.
    public var path: String?

    /// Writes it into a folder, which is made if it is missing. A file of that name is not replaced.
    ///
    /// - Throws: A `RasaError` when the folder has such a file, or it cannot be written.
    public mutating func write(to folder: String) throws(RasaError) {
      path = try convertingErrors { () throws(Failure) in
        try FileSystem.makeFolder(folder)
        let path = FileSystem.path(attachment.name, in: folder)
        guard FileSystem.kind(of: path) == nil else {
          throw Failure(
            .usage, "\(path) is there already", suggestion: "name another folder, or remove it")
        }
        guard let bytes = attachment.own.bytes else {
          throw Failure(.storage, "the content of \(attachment.name) is not there")
        }
        try FileSystem.write(bytes, to: path)
        return path
      }
    }

    /// As the answer of `rasa tools call --json` has it.
    public var json: JSON {
      var object = attachment.json.value.object ?? ValueObject()
      object["path"] = path.map { .string($0) } ?? .null
      return JSON(.object(object))
    }

    static func files(_ attachments: [RasaEngine.Attachment]) -> [ReturnedFile] {
      var taken: Set<String> = []
      return attachments.map { attachment in
        var file = attachment
        file.name = name(of: attachment, without: taken)
        taken.insert(file.name)
        return ReturnedFile(attachment: Attachment(file))
      }
    }

    /// A server may name a file as it likes, also `../x` or `.bashrc`.
    private static func name(
      of attachment: RasaEngine.Attachment, without taken: Set<String>
    ) -> String {
      let last = attachment.name.split(atByte: "/").last.map(String.init) ?? ""
      var stem = String(last.drop { $0 == "." || $0 == "-" })
      if stem.isEmpty { stem = "file" }
      let ending = attachment.type.fileEnding
      let endings = ending == "jpg" ? [".jpg", ".jpeg"] : [".\(ending)"]
      if let known = endings.first(where: { stem.lowercased().hasByteSuffix($0) }) {
        stem = String(stem.dropLast(known.count))
      }
      stem = String(stem.prefix(80))
      var name = "\(stem).\(ending)"
      var number = 2
      while taken.contains(name) {
        name = "\(stem)-\(number).\(ending)"
        number += 1
      }
      return name
    }
  }
}

extension RasaEngine.Attachment.MediaType {
  fileprivate var fileEnding: String {
    switch self {
    case .png: "png"
    case .jpeg: "jpg"
    case .gif: "gif"
    case .webp: "webp"
    case .pdf: "pdf"
    case .text: "txt"
    }
  }
}

extension RasaEngine.Attachment {
  fileprivate var bytes: [UInt8]? {
    type == .text ? Array(payload.utf8) : Base64.decode(payload)
  }
}
