import RasaCore
import RasaKit

/// What a front end asks for itself: a title, tags, questions that could follow. The user did not ask that, so it is no
/// run of the persona, and neither memory nor scores learn of it.
struct Housework: Sendable, Hashable {
  /// What such a request begins with, and what it has besides. Users do not write like that.
  private static let marks: [(beginning: String, text: String)] = [
    // Open WebUI: title, tags, follow-ups, search queries, image prompts.
    ("### Task:", "<chat_history>"),
    // Open WebUI: completion while somebody types.
    ("### Task:", "<type>"),
    // Zed, and others that name a thread.
    ("Generate a concise", "title for this conversation"),
    // LibreChat.
    ("Provide a concise", "-word-or-less title for the conversation"),
  ]

  /// Nil for what somebody asks.
  init?(_ request: DoorRequest) {
    guard request.completion.tools.isEmpty,
      let asked = request.completion.messages.last(where: { $0.role == .user }),
      asked == request.completion.messages.last, asked.attachments.isEmpty
    else { return nil }
    let text = String(asked.text.trimmedByScalars)
    guard
      Self.marks.contains(where: {
        text.hasBytePrefix($0.beginning) && text.firstRange(ofBytes: $0.text) != nil
      })
    else { return nil }
  }

  /// The answer of the model that would answer as the persona, without the persona.
  func source(
    _ call: Call, _ request: DoorRequest, for runnable: Rasa.Runnable
  ) async throws -> AnswerSource {
    var request = request
    request.session = nil
    request.previous = nil
    var options = Rasa.RunOptions()
    options.user = call.client.user
    let calls = try await runnable.forecast("a title", options: options).calls
    // One that works by rules alone has no model, so a quick one answers.
    request.completion.model = calls.last.map { "\($0.provider):\($0.model)" } ?? "fast"
    request.completion.owner = runnable.name
    return try await ModelBackend.source(call, request, isClass: true)
  }
}
