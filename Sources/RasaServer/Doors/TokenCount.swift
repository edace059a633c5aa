import RasaCore
import RasaHTTPServer
import RasaKit

/// Anthropic's count of tokens: the provider's own where it is Anthropic's, else an estimate.
enum TokenCount {
  /// Few texts have fewer bytes for a token.
  private static let bytesOfToken = 3
  /// What a picture or a document is held to be at least.
  private static let tokensOfFile = 1_600

  private static let door = Door(
    errors: .anthropic,
    passing: Door.Passing(
      dialect: .anthropic, path: "/messages/count_tokens", mayBeMissing: true),
    read: { _, body throws(ServerProblem) in try MessagesReader.read(body, isCounted: true) },
    writer: { _ in MessagesWriter() })

  static func answer(_ call: Call) async throws -> ServerResponse {
    try MessagesReader.checkVersion(call.request.header("anthropic-version"))
    let document = try Door.document(of: call)
    let name = try Member(document)["model"].name()
    if let counted = try await ModelBackend.forward(call, door, model: name, document) {
      return counted
    }
    let request = try door.read(call, document)
    if !name.hasBytePrefix(Backends.prefix), !call.client.mayAsk(name) {
      let found = try await call.rasa.place(ofModel: name)
      try await ModelBackend.check(call.client, found?.reference ?? name)
    }
    return .json(
      ["input_tokens": .int(Int64(estimate(request.completion)))],
      headers: [("X-Rasa-Estimate", "true")])
  }

  static func estimate(_ completion: Rasa.Completion) -> Int {
    var bytes = 0
    var files = 0
    for message in completion.messages {
      bytes += message.text.utf8.count + 12
      for call in message.toolCalls { bytes += call.name.utf8.count + call.arguments.utf8.count }
      files += message.attachments.count
    }
    for tool in completion.tools {
      bytes += tool.name.utf8.count + tool.description.utf8.count
      bytes += tool.parameters.description.utf8.count
    }
    return max(1, bytes / bytesOfToken + files * tokensOfFile)
  }
}
