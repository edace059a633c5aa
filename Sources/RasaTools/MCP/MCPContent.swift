package import RasaCore
import RasaDocuments
package import RasaEngine

/// What a server returned for a use, as rasa has it.
package struct MCPContent: Sendable {
  /// Makes an attachment of the bytes of an image or a document.
  package typealias AttachmentReading =
    @Sendable (_ bytes: [UInt8], _ name: String) throws(Failure) -> Attachment

  private let tool: String
  private let attachment: AttachmentReading

  init(tool: String, attachment: @escaping AttachmentReading) {
    self.tool = tool
    self.attachment = attachment
  }

  /// - Parameter output: the schema that the tool gave for its structured result.
  package func result(_ result: Value, output: Value?) -> ToolResult {
    var content: [ToolResult.Content] = []
    for (index, block) in (result["content"].array ?? []).enumerated() {
      content.append(block.isNull ? .text("[nothing]") : self.content(block, index))
    }
    let structured = result.object?["structuredContent"]
    let isError = result["isError"].bool ?? false
    var outcome = ToolResult(content, structured: structured, isError: isError)
    guard !isError, let output else { return outcome }
    // What was done is done, whatever the server says of it: a result that cannot be trusted is an error of the tool.
    var problems = ["structured content is missing"]
    if let structured {
      problems =
        (try? Schema.compile(output).problems(in: structured, named: "structuredContent")) ?? []
    }
    guard !problems.isEmpty else { return outcome }
    outcome.structured = nil
    outcome.isError = true
    outcome.content.insert(
      .text(
        "The result does not have the form that the tool `\(tool)` promises: "
          + problems.prefix(8).joined(separator: "; ")), at: 0)
    return outcome
  }

  private func content(_ block: Value, _ index: Int) -> ToolResult.Content {
    switch block["type"].string {
    case "text": return .text(block["text"].string ?? "")
    case "image", "audio":
      return data(
        block["data"].string ?? "", block["mimeType"].string ?? "",
        name: "\(block["type"].string ?? "file")-\(index + 1)")
    case "resource":
      let resource = block["resource"]
      let uri = resource["uri"].string ?? ""
      if let text = resource["text"].string {
        return .text(uri.isEmpty ? text : "[\(uri)]\n\(text)")
      }
      return data(
        resource["blob"].string ?? "", resource["mimeType"].string ?? "",
        name: uri.isEmpty ? "resource-\(index + 1)" : uri)
    case "resource_link":
      let name = block["title"].string ?? block["name"].string ?? ""
      let about = block["description"].string.map { ": \($0)" } ?? ""
      return .text("[link to \(name) <\(block["uri"].string ?? "")>\(about)]")
    case let type:
      return .text(
        "[content of a type that rasa does not know: \((type ?? "none").printable(atMost: 40))]")
    }
  }

  private func data(_ base64: String, _ type: String, name: String) -> ToolResult.Content {
    let shownType = type.isEmpty ? "unknown type" : type.printable(atMost: 80)
    guard let bytes = Base64.decode(base64.filter { !$0.isWhitespace }) else {
      return .text("[\(name): its content (\(shownType)) is not base64]")
    }
    if type.hasBytePrefix("text/"), let text = String(validating: bytes, as: UTF8.self) {
      return .text("[\(name)]\n\(text)")
    }
    guard type.hasBytePrefix("image/") || type == "application/pdf" else {
      return .text("[\(name): \(bytes.count) bytes of \(shownType), which rasa does not pass on]")
    }
    do throws(Failure) {
      return .attachment(try attachment(bytes, name))
    } catch {
      return .text("[\(name) (\(shownType)) is left out: \(error.message)]")
    }
  }
}
