import RasaCore
import RasaHTTPServer
import RasaKit

/// Anthropic's count of tokens: an estimate, as only the provider itself can count.
enum TokenCount {
  /// Few texts have fewer bytes for a token.
  private static let bytesOfToken = 3
  /// What a picture or a document is held to be at least.
  private static let tokensOfFile = 1_600

  static func answer(_ call: Call) async throws -> ServerResponse {
    try MessagesReader.checkVersion(call.request.header("anthropic-version"))
    let request = try MessagesReader.read(try Door.document(of: call), isCounted: true)
    let name = request.completion.model
    if !name.hasBytePrefix(Backends.prefix), !call.client.mayAsk(name) {
      let found = try await call.rasa.resolve(model: name)
      try await ModelBackend.check(call.client, found?.name ?? name)
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
