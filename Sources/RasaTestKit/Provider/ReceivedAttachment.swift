import RasaCore

/// An image or document in a request, as a server would receive it.
package struct ReceivedAttachment: Sendable, Hashable {
  /// Empty if the format does not include it.
  package var mediaType: String
  package var bytes: [UInt8]
  /// The name of a document.
  package var name: String?
  /// The requested detail of an image.
  package var detail: String?
}

extension ReceivedRequest {
  /// The attachments of all messages, in order.
  package var attachments: [ReceivedAttachment] { parts.compactMap { try? $0.get() } }

  /// Why a server would refuse the attachments: invalid base64, a type that does not match the
  /// bytes, an image in place of a document.
  var attachmentProblem: String? {
    for part in parts {
      if case .failure(let problem) = part { return problem.message }
    }
    return nil
  }

  private struct Problem: Error { var message: String }

  private var parts: [Result<ReceivedAttachment, Problem>] {
    switch format {
    case .gemini:
      return (json["contents"].array ?? []).flatMap { $0["parts"].array ?? [] }.compactMap { part in
        guard !part["inlineData"].isNull else { return nil }
        let data = part["inlineData"]
        return made(data["mimeType"].string, data["data"].string)
      }
    case .ollama:
      return (json["messages"].array ?? []).flatMap { $0["images"].array ?? [] }.map {
        made("", $0.string)
      }
    case .anthropic, .openAI, nil:
      return (json["messages"].array ?? []).flatMap { $0["content"].array ?? [] }.compactMap(made)
    }
  }

  private func made(_ part: Value) -> Result<ReceivedAttachment, Problem>? {
    switch part["type"].string {
    case "image", "document":
      let source = part["source"]
      guard source["type"] == "base64" else { return .failure(Problem(message: "no source")) }
      let isDocument = part["type"] == "document"
      guard isDocument == (source["media_type"] == "application/pdf") else {
        return .failure(Problem(message: "a document where an image belongs"))
      }
      return made(
        source["media_type"].string, source["data"].string, name: part["title"].string)
    case "image_url":
      return made(url: part["image_url"]["url"].string, detail: part["image_url"]["detail"].string)
    case "file":
      return made(
        url: part["file"]["file_data"].string, name: part["file"]["filename"].string)
    default: return nil
    }
  }

  private func made(
    url: String?, name: String? = nil, detail: String? = nil
  ) -> Result<ReceivedAttachment, Problem> {
    guard let url, url.hasPrefix("data:"), let comma = url.firstIndex(of: ",") else {
      return .failure(Problem(message: "no data URL"))
    }
    let head = url[..<comma].dropFirst(5)
    guard head.hasSuffix(";base64") else { return .failure(Problem(message: "no base64")) }
    return made(
      String(head.dropLast(7)), String(url[url.index(after: comma)...]), name: name, detail: detail)
  }

  private func made(
    _ type: String?, _ data: String?, name: String? = nil, detail: String? = nil
  ) -> Result<ReceivedAttachment, Problem> {
    guard let type, let data, let bytes = Base64.decode(data), !bytes.isEmpty else {
      return .failure(Problem(message: "no base64"))
    }
    let beginnings: [String: [UInt8]] = [
      "image/png": [0x89, 0x50], "image/jpeg": [0xFF, 0xD8], "image/gif": [0x47, 0x49],
      "image/webp": [0x52, 0x49], "application/pdf": [0x25, 0x50],
    ]
    if type.isEmpty {
      guard beginnings.values.contains(where: { bytes.starts(with: $0) }) else {
        return .failure(Problem(message: "no image"))
      }
    } else {
      guard let beginning = beginnings[type], bytes.starts(with: beginning) else {
        return .failure(Problem(message: "not of the type \(type)"))
      }
    }
    return .success(
      ReceivedAttachment(mediaType: type, bytes: bytes, name: name, detail: detail))
  }
}
