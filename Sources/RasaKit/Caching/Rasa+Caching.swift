import RasaCore
import RasaEngine
import RasaModels

extension Rasa {
  /// The header that marks an answer that was given before.
  static let cacheMark = (name: "x-rasa-cache", value: "hit")

  /// The key of a request in the cache; nil if it must not be cached. User, owner and token are part of it, so nobody is
  /// given an answer that was made for somebody else.
  func cacheKey(of request: ProviderRequest) -> String? {
    guard request.maxCacheAge != nil else { return nil }
    // Headers of these names change what a provider does; others differ from request to request.
    let headers = request.headers.map { (name: $0.name.lowercased(), value: $0.value) }
      .filter { $0.name.hasBytePrefix("anthropic-") || $0.name.hasBytePrefix("openai-") }
      .map { "\($0.name): \($0.value)" }.sorted()
    let parts =
      ["forwarded", request.model] + request.alternatives
      + ["\(request.replacesModel)", request.path] + headers
      + payers(request.user, request.owner, request.budget)
    return AnswerCache.key(parts.map { Array($0.utf8) } + [request.body])
  }

  func cacheKey(of request: Completion, digest: String) -> String? {
    guard request.maxCacheAge != nil else { return nil }
    let parts =
      ["completed", digest, request.model] + request.alternatives
      + payers(request.user, request.owner, request.budget)
    return AnswerCache.key(parts.map { Array($0.utf8) })
  }

  private func payers(_ user: String?, _ owner: String?, _ budget: ExtraBudget?) -> [String] {
    [composition.user(user), owner.map { "of \($0)" } ?? "", budget.map { "by \($0.name)" } ?? ""]
  }

  /// Gives an answer again, in a run of its own that tells so and costs nothing.
  func giveAgain(
    _ copy: ForwardedCopy, _ call: ForwardedCall, to request: ProviderRequest, _ owner: String,
    _ run: Identifier, _ onPart: @Sendable (ProviderPart) async throws -> Void
  ) async throws -> ForwardedCall {
    try await services.running(
      run, owner, input: "\(request.model) \(request.path), answered from the cache",
      user: composition.user(request.user)
    ) {
      try await onPart(.head(status: call.status, headers: copy.headers + [Self.cacheMark]))
      if !copy.bytes.isEmpty { try await onPart(.bytes(copy.bytes)) }
      var call = call
      call.run = run.text
      call.cost = .zero
      call.isCached = true
      return call
    }
  }

  /// The same for an answer in no provider's words.
  func giveAgain(
    _ result: CompletionResult, _ reasoning: String, to request: Completion, _ owner: String,
    _ run: Identifier, _ onPart: @Sendable (CompletionPart) async throws -> Void
  ) async throws -> CompletionResult {
    try await services.running(
      run, owner, input: "\(request.model), answered from the cache",
      user: composition.user(request.user)
    ) {
      try await onPart(.started(provider: result.provider, model: result.model))
      if !reasoning.isEmpty { try await onPart(.reasoning(reasoning)) }
      if !result.text.isEmpty { try await onPart(.text(result.text)) }
      for call in result.toolCalls { try await onPart(.toolCall(call)) }
      var result = result
      result.run = run.text
      result.cost = .zero
      result.isCached = true
      return result
    }
  }
}
