import RasaCore

/// What a server accepts of the parts of a request that servers disagree on. It starts as the
/// provider's settings say and adapts to what the server refuses.
struct WireQuirks: Sendable, Hashable {
  var maxTokensField: ProviderSettings.MaxTokensField
  var structuredOutput: ProviderSettings.StructuredOutput
  var sendsTemperature = true
  var asksForUsage = true

  init(_ settings: ProviderSettings) {
    maxTokensField = settings.maxTokensField
    structuredOutput = settings.structuredOutput
  }

  /// Gives up the part of the request that the server blames. False when it blames none of them:
  /// then asking again would be refused again. Each part is given up once, so this ends.
  mutating func adapt(to problem: ProviderProblem, triedOtherField: inout Bool) -> Bool {
    guard problem.kind == .rejected else { return false }
    func blames(_ words: String...) -> Bool {
      let parameter = problem.parameter ?? ""
      return words.contains { parameter.hasPrefix($0) || problem.message.contains($0) }
    }
    if blames("response_format", "json_schema", "guided_json") {
      switch structuredOutput {
      case .jsonSchema: structuredOutput = .jsonObject
      case .jsonObject: structuredOutput = .prompt
      case .prompt: return false
      }
      return true
    }
    if blames("max_tokens", "max_completion_tokens"), !triedOtherField {
      triedOtherField = true
      maxTokensField =
        maxTokensField == .maxTokens ? .maxCompletionTokens : .maxTokens
      return true
    }
    if sendsTemperature, blames("temperature") {
      sendsTemperature = false
      return true
    }
    if asksForUsage, blames("stream_options") {
      asksForUsage = false
      return true
    }
    return false
  }
}
