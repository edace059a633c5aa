import RasaCore
import RasaEngine
import RasaPersona

extension Rasa {
  /// A tool whose work is Swift code. Operators name it under `tools:`, and models call it by themselves.
  ///
  /// ```swift
  /// try rasa.register(
  ///   Rasa.Tool(
  ///     name: "stock_level", description: "How many pieces of an article are in stock.",
  ///     parameters: [
  ///       "type": "object", "properties": ["article": ["type": "string"]], "required": ["article"],
  ///     ], sideEffects: .none
  ///   ) { use in
  ///     ["pieces": Rasa.JSON(await warehouse.pieces(of: use.arguments["article"].text))]
  ///   })
  /// ```
  ///
  /// The program answers for what it does: no person is asked before it is used. Each use is in the run's journal, so a
  /// resumed run does not repeat one whose result is known.
  public struct Tool: Sendable {
    /// Whether using a tool changes anything outside.
    public enum SideEffects: String, Sendable, Hashable, Codable, CaseIterable {
      /// It only reads.
      case none
      /// Doing it twice is the same as doing it once.
      case idempotent
      /// It changes something each time.
      case yes
    }

    /// One use of a tool.
    public struct Use: Sendable {
      /// The same whenever this place of this run uses it, also in another process: what work outside is to be
      /// recognised by.
      public var id: String
      /// The run that it is a part of.
      public var run: String
      /// The place in the run.
      public var step: Step
      /// What the model or the operator gives it. It has been checked against `parameters`.
      public var arguments: JSON
    }

    /// Letters, digits, `_` and `-`.
    public var name: String
    /// What it does, for the model.
    public var description: String
    /// JSON Schema of the arguments: an object.
    public var parameters: JSON
    /// JSON Schema of the result; nil where it may be anything.
    public var output: JSON?
    /// Whether using it changes anything outside.
    public var sideEffects: SideEffects
    /// Does it. It is given to a task of its own for each use, and is to end when that task is cancelled.
    public var perform: @Sendable (Use) async throws -> JSON

    /// A tool of the program's own.
    public init(
      name: String, description: String,
      parameters: JSON = ["type": "object", "properties": [:]], output: JSON? = nil,
      sideEffects: SideEffects = .yes, perform: @escaping @Sendable (Use) async throws -> JSON
    ) {
      self.name = name
      self.description = description
      self.parameters = parameters
      self.output = output
      self.sideEffects = sideEffects
      self.perform = perform
    }
  }

  /// Adds a tool whose work is Swift code.
  ///
  /// - Parameters:
  ///   - tool: The tool.
  ///   - replacing: Whether to replace one that is registered under its name.
  /// - Throws: A `RasaError` where its name or one of its schemas is wrong.
  public func register(_ tool: Tool, replacing: Bool = false) throws(RasaError) {
    try redacted { () throws(Failure) in
      guard Library.isName(tool.name) else {
        throw Failure(
          .configuration, "\(quoted(tool.name)) cannot be the name of a tool",
          suggestion: "use lower-case letters, digits, `_` and `-`")
      }
      let parameters = tool.parameters.value
      guard parameters["type"] == "object" else {
        throw Failure(
          .configuration, "the parameters of the tool `\(tool.name)` are no schema of an object",
          suggestion: "begin it with `\"type\": \"object\"`")
      }
      try definitions.add(
        RegisteredTool(tool, parameters: try ToolSchemas.check(parameters, tool.output?.value)),
        tool.name, replacing: replacing)
    }
  }

  /// Takes away a tool that was registered.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  public func unregister(tool name: String) -> Bool {
    guard definitions.tools[name] is RegisteredTool else { return false }
    definitions.removeTool(name)
    return true
  }
}

/// The code of a registered tool.
struct RegisteredTool: RasaEngine.Tool {
  private let tool: Rasa.Tool
  private let parameters: ArgumentCheck
  let description: RasaEngine.ToolDescription

  init(_ tool: Rasa.Tool, parameters: ArgumentCheck) {
    self.tool = tool
    self.parameters = parameters
    description = RasaEngine.ToolDescription(
      name: tool.name, text: tool.description, parameters: tool.parameters.value,
      output: tool.output?.value,
      sideEffects: SideEffects(rawValue: tool.sideEffects.rawValue) ?? .yes, origin: .program)
  }

  func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    let problems = parameters.problems(use.arguments)
    guard problems.isEmpty else {
      return .result(
        ToolResult(
          [.text("the arguments do not fit: \(problems.prefix(8).joined(separator: "; "))")],
          isError: true))
    }
    do {
      let result = try await tool.perform(
        Rasa.Tool.Use(
          id: use.idempotencyKey, run: use.run.text, step: Rasa.Step(use.step),
          arguments: Rasa.JSON(use.arguments)))
      if let text = result.value.string { return .result(ToolResult([.text(text)])) }
      return .result(ToolResult(structured: result.value))
    } catch {
      throw RasaError.failure(of: error)
    }
  }
}
