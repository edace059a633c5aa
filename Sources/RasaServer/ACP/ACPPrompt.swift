import RasaCore
import RasaDocuments
import RasaKit

/// The content of a prompt: a text, and files beside it.
struct ACPPrompt: Sendable {
  var text = ""
  var attachments: [Rasa.Attachment] = []

  /// Blocks are in the order in which the user wrote them. A file stands in the text as a link, and its content beside it.
  init(_ blocks: Value, _ rasa: Rasa) async throws {
    for block in blocks.array ?? [] {
      switch block["type"].string {
      case "text": text += block["text"].string ?? ""
      case "resource_link":
        let uri = block["uri"].string ?? ""
        text += Self.link(block["name"].string ?? uri, uri)
      case "resource":
        let resource = block["resource"]
        let uri = resource["uri"].string ?? ""
        let name = Self.lastPart(of: uri)
        let bytes: [UInt8]
        if let text = resource["text"].string {
          bytes = Array(text.utf8)
        } else if let blob = resource["blob"].string, let decoded = Base64.decode(blob) {
          bytes = decoded
        } else {
          throw JSONRPC.Problem.params("the resource \(quoted(uri)) has no content")
        }
        text += Self.link(name, uri)
        try await attach(bytes, name, rasa)
      case "image":
        guard let data = block["data"].string, let bytes = Base64.decode(data) else {
          throw JSONRPC.Problem.params("an image has no content in base64")
        }
        let uri = block["uri"].string ?? ""
        try await attach(
          bytes, uri.isEmpty ? "image \(attachments.count + 1)" : Self.lastPart(of: uri), rasa)
      case let type:
        throw JSONRPC.Problem.params("content of type \(quoted(type ?? "")) is not taken here")
      }
    }
    guard text.utf8.contains(where: { $0 > 0x20 }) || !attachments.isEmpty else {
      throw JSONRPC.Problem.params("the prompt is empty")
    }
    if !text.utf8.contains(where: { $0 > 0x20 }) { text = "See what is attached." }
  }

  private mutating func attach(_ bytes: [UInt8], _ name: String, _ rasa: Rasa) async throws {
    // A file without content says nothing beside its link.
    guard !bytes.isEmpty else { return }
    attachments.append(try await rasa.attachment(name: name, bytes: bytes).attachment)
  }

  private static func link(_ name: String, _ uri: String) -> String { "[\(name)](\(uri))" }

  private static func lastPart(of uri: String) -> String {
    uri.split(atByte: "/", omittingEmpty: true).last.map(String.init) ?? "resource"
  }
}
