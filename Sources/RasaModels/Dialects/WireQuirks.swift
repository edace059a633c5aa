import RasaCore
import RasaPersona

/// What a server accepts of the parts of a request that servers disagree on. It starts as the
/// provider's settings say and adapts to what the server refuses.
struct WireQuirks: Sendable, Hashable {
  /// How a model is asked to think. Newer models are told how hard to try, older ones how many
  /// tokens it may take, and some nothing at all.
  enum Thinking: Sendable, Hashable { case effort, budget, none }

  var maxTokensField: ProviderSettings.MaxTokensField
  var structuredOutput: ProviderSettings.StructuredOutput
  var thinking = Thinking.effort
  var sendsTemperature = true
  var sendsTopP = true
  var asksForUsage = true
  /// Small models repeat themselves without end; servers on this machine know a remedy that vendors
  /// refuse.
  var sendsRepeatPenalty: Bool
  /// It takes the most that the catalogue says the model writes.
  var takesModelCap = true
  /// The server wants the reasoning back that came before tool calls.
  var returnsReasoning = false
  /// The server wants a signature with every call of the conversation, also with another model's.
  var signsForeignCalls = false
  /// The window that the server has named or shown when it refused a request for its length, in tokens.
  var window: Int64?
  private let dialect: ProviderSettings.Dialect
  private let usualMaxTokensField: ProviderSettings.MaxTokensField
  private let usualStructuredOutput: ProviderSettings.StructuredOutput
  private let usuallySendsRepeatPenalty: Bool

  init(_ settings: ProviderSettings) {
    maxTokensField = settings.maxTokensField
    structuredOutput = settings.structuredOutput
    usualMaxTokensField = settings.maxTokensField
    usualStructuredOutput = settings.structuredOutput
    dialect = settings.dialect
    usuallySendsRepeatPenalty = settings.dialect == .openAI && settings.isLocal
    sendsRepeatPenalty = usuallySendsRepeatPenalty
  }

  /// Gives up the part of the request that the server blames. False when it blames none of them:
  /// then asking again would be refused again. Each part is given up once, so this ends.
  mutating func adapt(to problem: ProviderProblem, triedOtherField: inout Bool) -> Bool {
    guard problem.kind == .rejected || problem.kind == .unsupported else { return false }
    let parameter = problem.parameter?.lowercased() ?? ""
    let message = problem.message.lowercased()
    func blames(_ words: String...) -> Bool {
      words.contains { parameter.hasPrefix($0) || message.hasBytes($0) }
    }
    // What names two parts is about the first of them: a model that thinks takes no temperature.
    if sendsTemperature, blames("temperature") {
      sendsTemperature = false
      return true
    }
    if sendsTopP, blames("top_p", "topp") {
      sendsTopP = false
      return true
    }
    if !returnsReasoning, dialect == .openAI, message.hasBytes("reasoning_content"),
      message.hasBytes("must be")
    {
      returnsReasoning = true
      return true
    }
    if !signsForeignCalls, dialect == .gemini, blames("thought_signature", "thoughtsignature") {
      signsForeignCalls = true
      return true
    }
    if thinking != .none, blames("thinking", "effort", "does not support think", ".think of type") {
      let hasBudget = dialect != .openAI
      thinking = thinking == .effort && hasBudget ? .budget : .none
      return true
    }
    if structuredOutput != .prompt, blamesSchema(blames) {
      // With tools beside it Gemini takes no JSON at all, and Anthropic knows no other form.
      let hasObject = dialect != .anthropic && !blames("mime type", "mime_type", "mimetype")
      structuredOutput =
        structuredOutput == .jsonSchema && hasObject ? .jsonObject : .prompt
      return true
    }
    guard dialect == .openAI else { return false }
    if !triedOtherField, blames("max_tokens", "max_completion_tokens") {
      triedOtherField = true
      maxTokensField =
        maxTokensField == .maxTokens ? .maxCompletionTokens : .maxTokens
      return true
    }
    if sendsRepeatPenalty, blames("repeat_penalty") {
      sendsRepeatPenalty = false
      return true
    }
    if takesModelCap, blames("max_tokens", "max_completion_tokens") {
      takesModelCap = false
      return true
    }
    if asksForUsage, blames("stream_options") {
      asksForUsage = false
      return true
    }
    return false
  }

  /// What differs from the form that the settings ask for, for the journal: asked again under the
  /// same key, the request has to have the same body.
  var adaptations: String {
    var words: [String] = []
    if maxTokensField != usualMaxTokensField { words.append(maxTokensField.rawValue) }
    if structuredOutput != usualStructuredOutput { words.append(structuredOutput.rawValue) }
    switch thinking {
    case .effort: break
    case .budget: words.append("thinking_budget")
    case .none: words.append("no_thinking")
    }
    if !sendsTemperature { words.append("no_temperature") }
    if !sendsTopP { words.append("no_top_p") }
    if !asksForUsage { words.append("no_usage") }
    if usuallySendsRepeatPenalty, !sendsRepeatPenalty { words.append("no_repeat_penalty") }
    if !takesModelCap { words.append("no_model_cap") }
    if returnsReasoning { words.append("reasoning") }
    if signsForeignCalls { words.append("signatures") }
    if let window { words.append("window:\(window)") }
    return words.joined(separator: " ")
  }

  /// Nil where a word is not known: then the form cannot be had again.
  init?(_ settings: ProviderSettings, adaptations: String) {
    self.init(settings)
    for word in adaptations.split(separator: " ") {
      switch word {
      case "thinking_budget": thinking = .budget
      case "no_thinking": thinking = .none
      case "no_temperature": sendsTemperature = false
      case "no_top_p": sendsTopP = false
      case "no_usage": asksForUsage = false
      case "no_repeat_penalty": sendsRepeatPenalty = false
      case "no_model_cap": takesModelCap = false
      case "reasoning": returnsReasoning = true
      case "signatures": signsForeignCalls = true
      case _ where word.utf8.starts(with: "window:".utf8):
        guard let tokens = Int64(word.dropFirst(7)), tokens > 0 else { return nil }
        window = tokens
      default:
        if let field = ProviderSettings.MaxTokensField(rawValue: String(word)) {
          maxTokensField = field
        } else if let form = ProviderSettings.StructuredOutput(rawValue: String(word)) {
          structuredOutput = form
        } else {
          return nil
        }
      }
    }
  }

  private func blamesSchema(_ blames: (String...) -> Bool) -> Bool {
    switch dialect {
    case .openAI: blames("response_format", "json_schema", "guided_json")
    case .anthropic: blames("output_config", "output_format", "schema", "grammar")
    case .gemini:
      blames(
        "response_schema", "responseschema", "response_json_schema", "responsejsonschema",
        "mime type", "mime_type", "mimetype", "schema")
    case .ollama: blames("format", "schema", "grammar")
    }
  }
}
