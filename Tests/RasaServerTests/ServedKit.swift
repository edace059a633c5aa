import RasaCore
import RasaDocuments
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

/// A server with a home and a provider of its own for one test.
final class ServedKit: Sendable {
  let folder: ScratchDirectory
  let provider: ScriptedProvider
  let rasa: Rasa
  let server: Server
  static let token = "rasa_test-token-0123456789"

  private init(
    _ folder: ScratchDirectory, _ provider: ScriptedProvider,
    _ change: (inout ServerSettings) -> Void
  ) throws {
    self.folder = folder
    self.provider = provider
    rasa = try Rasa(
      home: folder.file("home"), project: folder.file("project"),
      environment: [
        "HOME": folder.path, "USER": "ada", "PATH": "/usr/bin:/bin",
        "OPENAI_BASE_URL": provider.openAIBaseURL, "OPENAI_API_KEY": "sk-test",
      ])
    var settings = ServerSettings()
    settings.port = 0
    settings.token = Self.token
    change(&settings)
    server = try Server.start(rasa, settings)
  }

  convenience init(
    _ scripts: [Script] = [], files: [String: String] = [:],
    _ change: (inout ServerSettings) -> Void = { _ in }
  ) throws {
    let folder = ScratchDirectory()
    for (name, text) in files { try folder.write(text, to: name) }
    try self.init(
      folder, try ScriptedProvider.start(scripts.map { $0.once() }, models: ["gpt-4o-mini"]), change
    )
  }

  /// The next process, after this one's end.
  func next(_ change: (inout ServerSettings) -> Void = { _ in }) throws -> ServedKit {
    try ServedKit(folder, provider, change)
  }

  func stop(grace: Duration = .zero) async {
    await server.stop(grace: grace)
    await rasa.close()
  }

  struct Answer: Sendable {
    var status: Int
    var head: String
    var body: String
    var json: Value { (try? JSON.parse(body, named: "body")) ?? .null }
    func header(_ name: String) -> String? {
      for line in head.split(separator: "\r\n").dropFirst() {
        let sides = line.split(separator: ":", maxSplits: 1)
        if sides[0].lowercased() == name.lowercased() {
          return String(sides[1].drop { $0 == " " })
        }
      }
      return nil
    }
  }

  /// Sends a request and reads the whole answer.
  func ask(
    _ method: String, _ path: String, _ body: String? = nil, token: String? = ServedKit.token,
    headers: [String] = []
  ) async throws -> Answer {
    let client = try await send(method, path, body, token: token, headers: headers)
    return Self.answer(await client.receive())
  }

  func send(
    _ method: String, _ path: String, _ body: String? = nil, token: String? = ServedKit.token,
    headers: [String] = []
  ) async throws -> RawClient {
    let client = try RawClient(port: server.port)
    var lines = [
      "\(method) \(path) HTTP/1.1", "Host: 127.0.0.1:\(server.port)", "Connection: close",
    ]
    if let token { lines.append("Authorization: Bearer \(token)") }
    if let body { lines.append("Content-Length: \(body.utf8.count)") }
    lines += headers
    await client.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
    return client
  }

  static func answer(_ text: String) -> Answer {
    let parts = text.firstRange(of: "\r\n\r\n").map {
      (String(text[..<$0.lowerBound]), String(text[$0.upperBound...]))
    }
    let (head, body) = parts ?? (text, "")
    let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    let isChunked = head.lowercased().contains("transfer-encoding: chunked")
    return Answer(status: status, head: head, body: isChunked ? joined(body) : body)
  }

  /// The chunks of a body, as far as they are there.
  static func joined(_ body: String) -> String {
    var bytes = Array(body.utf8)[...]
    var joined: [UInt8] = []
    while let end = bytes.firstIndex(of: 0x0D) {
      guard let size = Int(String(decoding: bytes[..<end], as: UTF8.self), radix: 16), size > 0
      else { break }
      let start = end + 2
      joined += bytes[min(start, bytes.endIndex)..<min(start + size, bytes.endIndex)]
      guard start + size + 2 <= bytes.endIndex else { break }
      bytes = bytes[(start + size + 2)...]
    }
    return String(decoding: joined, as: UTF8.self)
  }
}

/// Server-sent events as a client sees them.
struct Events: Sendable {
  /// The `id` of the last event that has one.
  var lastID: String?
  var documents: [Value] = []
  /// What is left of the text once restarts are obeyed.
  var text = ""

  init(_ body: String, after text: String = "") {
    self.text = text
    for block in body.components(separatedBy: "\n\n") where body.hasSuffix("\n\n") || !block.isEmpty
    {
      for line in block.split(separator: "\n") {
        if line.hasPrefix("id: ") { lastID = String(line.dropFirst(4)) }
        guard line.hasPrefix("data: "),
          let value = try? JSON.parse(String(line.dropFirst(6)), named: "event")
        else { continue }
        documents.append(value)
        switch value["type"].string {
        case "text": self.text += value["text"].string ?? ""
        case "restart":
          if let keeps = value["keeps_bytes"].int {
            self.text = String(decoding: self.text.utf8.prefix(Int(keeps)), as: UTF8.self)
          }
        default: break
        }
      }
    }
  }

  var types: [String] { documents.compactMap { $0["type"].string } }
  var result: Value { documents.last { $0["type"].string == "result" } ?? .null }
}

extension String {
  fileprivate func components(separatedBy separator: String) -> [String] {
    split(separator: separator, omittingEmptySubsequences: false).map(String.init)
  }
}
