import RasaCore
import RasaKit

/// What a front end asks for itself: a title, tags, questions that could follow. The user did not ask that, so it is no
/// run of the persona, and neither memory nor scores learn of it.
struct Housework: Sendable {
  init?(_ request: DoorRequest) {
    return nil
  }

  func source(
    _ call: Call, _ request: DoorRequest, for runnable: Rasa.Runnable
  ) async throws -> AnswerSource {
    try await ModelBackend.source(call, request, isClass: true)
  }
}
