import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaSystem

// MARK: Personas

extension Rasa {
  /// Adds a persona of the program's own. It goes before files of the same name and lasts as long as
  /// this `Rasa`.
  ///
  /// - Parameters:
  ///   - yaml: The content of a persona file. It contains its prompts, because no folder is beside it.
  ///   - replacing: Whether to replace one that is registered under its name.
  /// - Returns: The persona's name.
  /// - Throws: A `RasaError` with line and column where the text is wrong.
  @discardableResult
  public func register(
    persona yaml: String, replacing: Bool = false
  ) async throws(RasaError) -> String {
    try add(yaml, "personas", replacing: replacing) { document, source throws(Failure) in
      try composition.library.readPersona(document, beside: source).get().name
    }
  }

  /// Adds an operator of the program's own, which personas name in their frames as they name others.
  ///
  /// - Parameters:
  ///   - yaml: The content of an operator file.
  ///   - replacing: Whether to replace one that is registered under its name.
  /// - Returns: The operator's name.
  /// - Throws: A `RasaError` with line and column where the text is wrong.
  @discardableResult
  public func register(
    operator yaml: String, replacing: Bool = false
  ) async throws(RasaError) -> String {
    try add(yaml, "operators", replacing: replacing) { document, source throws(Failure) in
      try composition.library.readOperator(document, beside: source).get().name
    }
  }

  /// Adds a definition under the name that reading it gives.
  private func add(
    _ yaml: String, _ kind: String, replacing: Bool,
    reading: (SourceDocument, any DefinitionSource) throws(Failure) -> String
  ) throws(RasaError) -> String {
    try redacted { () throws(Failure) in
      func document(_ path: String) -> SourceDocument {
        SourceDocument(
          bytes: Array(yaml.utf8), path: "\(RegisteredDefinitions.origin):\(path).yaml")
      }
      let name = try reading(document(String(kind.dropLast())), definitions.source(of: kind))
      try definitions.add(document("\(kind)/\(name)"), kind, name, replacing: replacing)
      return name
    }
  }

  /// Takes away a persona that was registered. A file of that name counts again.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  public func unregister(persona name: String) -> Bool { definitions.remove("personas", name) }

  /// Takes away an operator that was registered, with its Swift code. A file of that name counts again.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  public func unregister(operator name: String) -> Bool {
    definitions.removeTool(name)
    return definitions.remove("operators", name)
  }
}

// MARK: Operators in Swift

extension Rasa {
  /// An operator whose work is Swift code: it reads some of a run's values and writes others.
  ///
  /// ```swift
  /// try await rasa.register(
  ///   Rasa.Operator(name: "look_up", reads: ["input"], writes: ["facts": .object]) { call in
  ///     ["found": Rasa.JSON(await catalogue.find(call.inputs["input"].text))]
  ///   })
  /// ```
  ///
  /// What it writes is in the run's journal, so a resumed run does not call it again. A call whose
  /// result never came is made again under the same `Call.id`.
  public struct Operator: Sendable {
    /// What an operator may write under a key.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
      /// Text.
      case text
      /// A number.
      case number
      /// True or false.
      case boolean
      /// An array.
      case list
      /// An object.
      case object
      /// Any JSON value.
      case any
    }

    /// One call of an operator.
    public struct Call: Sendable {
      /// The same whenever this place of this run calls, also in another process: what work outside is
      /// to be recognised by.
      public var id: String
      /// The run that it is a part of.
      public var run: String
      /// The place in the run.
      public var step: Step
      /// What the operator declares that it reads, by key; members are found with `inputs["input"]`.
      public var inputs: JSON

      init(_ use: ToolUse) {
        id = use.idempotencyKey
        run = use.run.text
        step = Step(use.step)
        inputs = JSON(use.arguments)
      }
    }

    /// Lower-case letters, digits and `_`, as personas name it.
    public var name: String
    /// What it does, for people.
    public var description: String
    /// The frame that it belongs to where a persona does not say: such as `session_frame`.
    public var frame: String?
    /// The keys that it is given, such as `input` and `draft`. A `?` at the end marks one that may be
    /// missing.
    public var reads: [String]
    /// The keys that it writes, each with its type.
    public var writes: [String: Kind]
    /// Does the work. It is given to a task of its own for each call, and is to end when that task is
    /// cancelled. It returns the value of the one key, or an object with a member for each of several.
    public var perform: @Sendable (Call) async throws -> JSON

    /// An operator of the program's own.
    public init(
      name: String, description: String = "", frame: String? = nil, reads: [String] = ["input"],
      writes: [String: Kind], perform: @escaping @Sendable (Call) async throws -> JSON
    ) {
      self.name = name
      self.description = description
      self.frame = frame
      self.reads = reads
      self.writes = writes
      self.perform = perform
    }

    /// What a model knows of it that has it as a tool: it gives what the operator reads.
    fileprivate var toolDescription: ToolDescription {
      let names = reads.map { $0.hasSuffix("?") ? String($0.dropLast()) : $0 }
      let required = reads.filter { !$0.hasSuffix("?") }
      var parameters: ValueObject = [
        "type": "object",
        "properties": .object(ValueObject(names.map { ($0, .emptyObject) })),
      ]
      if !required.isEmpty { parameters["required"] = .array(required.map(Value.string)) }
      return ToolDescription(
        name: name, text: description, parameters: .object(parameters), origin: .program)
    }

    /// The operator as a file says it: everything goes through the one reader.
    var yaml: String {
      func scalar(_ text: String) -> String { Value.string(text).json() }
      var lines = ["name: \(scalar(name))", "kind: tool", "tools: [\(scalar(name))]"]
      if !description.isEmpty { lines.append("description: \(scalar(description))") }
      if let frame { lines.append("frame: \(scalar(frame))") }
      lines.append("reads: [\(reads.map(scalar).joined(separator: ", "))]")
      let members = writes.sorted { $0.key < $1.key }.map {
        "\(scalar($0.key)): \($0.value.rawValue)"
      }
      lines.append("writes: {\(members.joined(separator: ", "))}")
      return lines.joined(separator: "\n") + "\n"
    }
  }

  /// Adds an operator whose work is Swift code.
  ///
  /// - Parameters:
  ///   - operation: The operator.
  ///   - replacing: Whether to replace one that is registered under its name.
  /// - Throws: A `RasaError` where its name, reads or writes are wrong.
  public func register(
    _ operation: Operator, replacing: Bool = false
  ) async throws(RasaError) {
    try await register(operator: operation.yaml, replacing: replacing)
    let perform = operation.perform
    try redacted { () throws(Failure) in
      try definitions.add(
        OperatorTool(
          perform: perform,
          description: operation.toolDescription), operation.name,
        replacing: true)
    }
  }
}

/// The code of a registered operator.
private struct OperatorTool: Tool {
  let perform: @Sendable (Rasa.Operator.Call) async throws -> Rasa.JSON

  let description: ToolDescription

  func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    do {
      return .result(ToolResult(structured: try await perform(Rasa.Operator.Call(use)).value))
    } catch {
      throw RasaError.failure(of: error)
    }
  }
}

// MARK: Models

extension Rasa {
  /// A provider of models in Swift: a model in this process, a service without HTTP, a stand-in for
  /// tests.
  ///
  /// Its calls are reserved, settled and journalled as those of every provider are. Personas and agents
  /// name its models as `name:model`; it is asked first where nobody names any.
  public protocol ModelProvider: Sendable {
    /// What stands before the colon in `name:model`: lower-case letters, digits, `-` and `_`.
    var name: String { get }
    /// Its models. The first is asked where nobody names one.
    var models: [ProvidedModel] { get }
    /// Answers a request.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - emit: Hands on a piece of the answer. It waits for whoever reads, and throws when nobody
    ///     does any more.
    /// - Returns: How the answer ended, and what it took.
    /// - Throws: A `RasaError` of code `provider` or `timeout` has another model asked, one of code
    ///   `authentication` or `usage` does not; any other error counts as `provider`.
    func answer(
      _ request: ModelRequest, emit: @escaping @Sendable (ModelOutput) async throws -> Void
    ) async throws -> ModelEnding
  }

  /// A model of a `ModelProvider`.
  public struct ProvidedModel: Sendable, Hashable, Codable {
    /// Its name, without that of the provider.
    public var name: String
    /// US dollars for a million tokens of input; nil where nobody knows.
    public var inputPricePerMillion: Dollars?
    /// US dollars for a million tokens of output; nil where nobody knows. Without both prices the model
    /// is not asked under a budget.
    public var outputPricePerMillion: Dollars?

    /// A model with its prices; `0` for one that is free.
    public init(
      _ name: String, inputPricePerMillion: Dollars? = nil, outputPricePerMillion: Dollars? = nil
    ) {
      self.name = name
      self.inputPricePerMillion = inputPricePerMillion
      self.outputPricePerMillion = outputPricePerMillion
    }
  }

  /// What a `ModelProvider` is asked.
  public struct ModelRequest: Sendable, Hashable {
    /// One message of the conversation.
    public struct Message: Sendable, Hashable, Codable {
      /// `system`, `user`, `assistant` or `tool`.
      public var role: String
      /// Its words.
      public var text: String
    }

    /// The model that is to answer, one of the provider's.
    public var model: String
    /// What was said so far, the oldest first.
    public var messages: [Message]
    /// The JSON Schema of the answer; nil where a text is wanted.
    public var schema: JSON?
    /// The most tokens that the answer may have; nil where nothing bounds it. An answer that goes on
    /// beyond it is cut off.
    public var maxTokens: Int?
    /// How much chance there is to be in the answer, usually from 0 to 2.
    public var temperature: Double?
    /// The share of the likeliest tokens that are chosen from, up to 1.
    public var topP: Double?
    /// Texts that end the answer, and are no part of it.
    public var stop: [String]
    /// How much the model is to think first, where it can.
    public var effort: Effort?
    /// The operator that asks.
    public var name: String
    /// The same for a call that is made again because nobody knows what came of it.
    public var idempotencyKey: String
  }

  /// A piece of an answer.
  public enum ModelOutput: Sendable, Hashable {
    /// Text of the answer.
    case text(String)
    /// What the model thinks first; no part of the answer.
    case reasoning(String)
  }

  /// How an answer ended.
  public struct ModelEnding: Sendable, Hashable {
    /// `stop`; `length` for an answer that ended at its limit; `refused`, `filtered` or `empty` for none;
    /// `tool_calls`. Any other word counts as a failure of the provider, so that an answer whose end is
    /// missing never passes for a whole one.
    public var finish: String
    /// Tokens of input; nil where nobody counted, and rasa estimates.
    public var inputTokens: Int?
    /// Tokens of output, reasoning included; nil where nobody counted.
    public var outputTokens: Int?

    /// An end, with what was counted.
    public init(finish: String = "stop", inputTokens: Int? = nil, outputTokens: Int? = nil) {
      self.finish = finish
      self.inputTokens = inputTokens
      self.outputTokens = outputTokens
    }
  }

  /// Adds a provider of models.
  ///
  /// - Parameters:
  ///   - provider: The provider.
  ///   - replacing: Whether to replace one that is registered under its name.
  /// - Throws: A `RasaError` where its name is no name or it has no model.
  public func register(
    _ provider: some ModelProvider, replacing: Bool = false
  ) throws(RasaError) {
    try redacted { () throws(Failure) in
      let isName =
        !provider.name.isEmpty
        && provider.name.utf8.allSatisfy { byte in
          (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
      guard isName else {
        throw Failure(
          .configuration, "\(quoted(provider.name)) cannot be the name of a provider",
          suggestion: "use lower-case letters, digits, `-` and `_`")
      }
      guard !provider.models.isEmpty else {
        throw Failure(
          .configuration, "the provider `\(provider.name)` has no model",
          suggestion: "name at least one in `models`")
      }
      try definitions.add(ProviderBridge(provider), replacing: replacing)
    }
  }

  /// Takes away a provider that was registered.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  public func unregister(provider name: String) -> Bool { definitions.removeProvider(name) }
}

/// A public provider as the gate asks it.
private struct ProviderBridge: NativeProvider {
  let provider: any Rasa.ModelProvider
  let name: String
  let models: [String]
  private let prices: [String: Price]

  init(_ provider: any Rasa.ModelProvider) {
    self.provider = provider
    name = provider.name
    models = provider.models.map(\.name)
    var prices: [String: Price] = [:]
    for model in provider.models {
      guard let input = model.inputPricePerMillion, let output = model.outputPricePerMillion else {
        continue
      }
      prices[model.name] =
        input == .zero && output == .zero
        ? .free
        : Price(
          rates: Price.Rates(input: input.money, output: output.money), perSecond: .zero,
          version: "program")
    }
    self.prices = prices
  }

  func price(of model: String) -> Price? { prices[model] }

  func answer(
    _ call: NativeCall, emit: @escaping @Sendable (NativePiece) async throws -> Void
  ) async throws -> NativeEnd {
    let request = call.request
    do {
      let end = try await provider.answer(
        Rasa.ModelRequest(
          model: call.model,
          messages: request.messages.map {
            Rasa.ModelRequest.Message(role: $0.role.rawValue, text: $0.text)
          },
          schema: request.schema.map { Rasa.JSON($0) },
          maxTokens: call.cap.map { Int(clamping: $0) },
          temperature: request.temperature, topP: request.topP, stop: request.stop,
          effort: call.effort.flatMap { Rasa.Effort(rawValue: $0.rawValue) }, name: request.name,
          idempotencyKey: call.idempotencyKey)
      ) { output in
        switch output {
        case .text(let text): try await emit(.text(text))
        case .reasoning(let text): try await emit(.reasoning(text))
        }
      }
      guard let finish = FinishReason(rawValue: end.finish) else {
        throw Failure(
          .provider, "\(name) says that its answer ended with \(quoted(end.finish))",
          suggestion: "an ending is one of "
            + listed(FinishReason.allCases.map { "`\($0.rawValue)`" }, "and"))
      }
      return NativeEnd(
        finish: finish,
        inputTokens: end.inputTokens.map(Int64.init),
        outputTokens: end.outputTokens.map(Int64.init))
    } catch {
      throw RasaError.failure(of: error)
    }
  }
}

extension RasaError {
  /// What a program's own code threw, as the targets below know it.
  static func failure(of error: any Error) -> any Error {
    switch error {
    case let error as RasaError: error.code == .cancelled ? CancellationError() : error.failure
    // Nobody reads the output any more: that ends a run, and is no failure of it.
    case is CancellationError, is Failure, is OutputClosed: error
    default: Failure(.run, "\(error)")
    }
  }
}
