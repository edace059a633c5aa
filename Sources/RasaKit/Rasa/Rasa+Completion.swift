extension Rasa {
  /// A question to a model in no provider's words: the gate asks whichever fits, and translates.
  public struct Completion: Sendable, Hashable {
    /// One message of a conversation.
    public struct Message: Sendable, Hashable {
      /// Who says it.
      public enum Role: String, Sendable, Hashable {
        /// What the model is told to be.
        case system
        /// Who asks.
        case user
        /// The model.
        case assistant
        /// The result of a tool.
        case tool
      }
      /// Who says it.
      public var role: Role
      /// Its words.
      public var text: String
      /// Images, documents and texts beside a user's words, or in what a tool returned.
      public var attachments: [Attachment] = []
      /// What an assistant wanted to have called.
      public var toolCalls: [ToolCall] = []
      /// The id of the call whose result this is; nil for other messages.
      public var answers: String?
      /// Whether the result says that the call failed.
      public var isError = false

      /// A message with words alone.
      public init(_ role: Role, _ text: String) {
        self.role = role
        self.text = text
      }
    }

    /// What a model may ask to have called.
    public struct Tool: Sendable, Hashable {
      /// Its name.
      public var name: String
      /// What it does, for the model.
      public var description: String
      /// The JSON Schema of its arguments.
      public var parameters: JSON

      /// A tool.
      public init(name: String, description: String, parameters: JSON) {
        self.name = name
        self.description = description
        self.parameters = parameters
      }
    }

    /// A model's wish to have a tool called.
    public struct ToolCall: Sendable, Hashable {
      /// What its result names it by.
      public var id: String
      /// The tool.
      public var name: String
      /// A JSON object as the model wrote it.
      public var arguments: String

      /// A call.
      public init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
      }
    }

    /// Whether tools may or must be called.
    public enum ToolChoice: Sendable, Hashable {
      /// The model decides.
      case auto
      /// None may be called.
      case none
      /// One must be called.
      case required
      /// This one must be called.
      case named(String)
    }

    /// `provider:model`, an alias, a model's own name, or a class: `fast`, `balanced`, `thinking`, `expert`.
    public var model: String
    /// Asked in turn where `model` gives no answer: `provider:model`, an alias or a model's own name.
    public var alternatives: [String] = []
    /// What was said so far, the oldest first. Where a provider knows one system message, all of them are
    /// joined in it.
    public var messages: [Message]
    /// What may be called. Its calls go back to who asks: nothing is called here.
    public var tools: [Tool] = []
    /// Whether it may or must be.
    ///
    /// Where a provider cannot be told, `complete` throws an error of the reason `unfit` that names the
    /// parameter, before anything is sent.
    public var toolChoice = ToolChoice.auto
    /// The JSON Schema of the answer; nil where a text is wanted.
    public var schema: JSON?
    /// The most tokens that the answer may have; nil where nothing bounds it.
    public var maxTokens: Int?
    /// How much chance there is to be in the answer, usually from 0 to 2.
    public var temperature: Double?
    /// The share of the likeliest tokens that are chosen from, up to 1.
    public var topP: Double?
    /// Texts that end the answer.
    public var stop: [String] = []
    /// How much the model is to think first, where it can.
    public var effort: Effort?
    /// The persona or agent whose budget pays besides; nil where only the budget of everybody holds.
    public var owner: String?
    /// Whose call it is; nil for the user of this `Rasa`.
    public var user: String?
    /// The most that it may cost.
    public var maxCost: Dollars?
    /// A further budget that pays, such as that of an access token.
    public var budget: ExtraBudget?
    /// How old an answer to the very same request may be that is given again instead of asking; nil always asks, and
    /// keeps nothing. Only whole answers that ended with `stop` or `tool_calls` are kept, for the same user,
    /// `owner` and `budget`, in memory and as long as there is room (64 MB, a megabyte each).
    public var maxCacheAge: Duration?

    /// A question to a model.
    public init(model: String, messages: [Message]) {
      self.model = model
      self.messages = messages
    }
  }

  /// A part of an answer, as it arrives.
  @nonexhaustive
  public enum CompletionPart: Sendable, Hashable {
    /// The model that answers. It comes once, with the first content: another model may have failed before, and
    /// nothing of its answer was given.
    case started(provider: String, model: String)
    /// Text of the answer.
    case text(String)
    /// What the model thinks first; no part of the answer.
    case reasoning(String)
    /// A call, once it is complete.
    case toolCall(Completion.ToolCall)
  }

  /// What a question to a model came to.
  public struct CompletionResult: Sendable, Hashable {
    /// The run that the call is accounted and journalled under.
    public var run: String
    /// The provider that answered.
    public var provider: String
    /// The model that answered.
    public var model: String
    /// All of its text.
    public var text: String
    /// What it wants to have called.
    public var toolCalls: [Completion.ToolCall]
    /// How it ended: `stop`, `length`, `tool_calls`, `cut_off` where it cost more than could be held,
    /// `refused`, `filtered`; more may come.
    public var finish: String
    /// Why the model declined, in its own words; nil where it answered or says nothing.
    public var refusal: String?
    /// Tokens of input, as billed.
    public var inputTokens: Int
    /// Those of them that the provider had cached.
    public var cachedInputTokens: Int
    /// Tokens of output, reasoning included, as billed.
    public var outputTokens: Int
    /// Those of them that were reasoning.
    public var reasoningTokens: Int
    /// Whether the provider counted. Otherwise the counts are estimates.
    public var isCounted: Bool
    /// What it cost, with the attempts that failed before it.
    public var cost: Dollars
    /// False if the price of the model is unknown; `cost` is then meaningless.
    public var isPriceKnown: Bool
    /// Whether the mock answered, which makes its answers up.
    public var isMock: Bool
    /// Whether it is an answer that was given before. The counts are those of that time, and it cost nothing now.
    public var isCached = false
    /// The model that was asked for or came first, where another one answered, as `provider:model`.
    public var insteadOf: String?
    /// Why that one did not answer.
    public var because: String?
  }
}
