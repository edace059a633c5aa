package import RasaCore
package import RasaEngine
package import RasaPersona

/// What a server offers: what a person approves of it, and what must not change afterwards.
package struct ServerOffer: Sendable, Hashable {
  /// In the order of their names, without those that the declaration hides.
  package var tools: [PinnedTool]
  /// What the server tells models about itself.
  package var instructions: String?

  package init(tools: [PinnedTool], instructions: String? = nil) {
    self.tools = tools.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    self.instructions = instructions
  }

  init(_ listing: MCPConnection.Listing, of declaration: ToolDeclaration) {
    var hidden: Set<String> = []
    if case .mcp(let server) = declaration.kind {
      hidden = Set(server.tools.filter { $0.value.isHidden }.map(\.key))
    }
    self.init(
      tools: listing.tools.filter { !hidden.contains($0.name) }.map { PinnedTool($0) },
      instructions: listing.instructions)
  }

  /// Without what approvals did not cover at first: titles, annotations and instructions.
  var covered: ServerOffer {
    ServerOffer(
      tools: tools.map { tool in
        var tool = tool
        tool.title = nil
        tool.annotations = nil
        return tool
      })
  }

  package var digest: String { Digest.sha256(Value.object(value).jsonBytes(.canonical)) }
}

/// What a server says about one of its tools.
package struct PinnedTool: Sendable, Hashable {
  package var name: String
  package var title: String?
  package var text: String
  package var parameters: Value
  package var output: Value?
  /// What it says of its effects, which is shown and never believed.
  package var annotations: Value?

  package init(_ tool: ToolDescription) {
    name = tool.nameOnServer
    text = tool.text
    parameters = tool.parameters
    output = tool.output
  }

  init(_ tool: MCPToolDefinition) {
    name = tool.name
    title = tool.title
    text = tool.text
    parameters = tool.input
    output = tool.output
    annotations = tool.annotations.isNull ? nil : tool.annotations
  }

  /// As a declaration of its server has it; nil where that hides it.
  package func description(under declaration: ToolDeclaration) -> ToolDescription? {
    guard case .mcp(let server) = declaration.kind else { return nil }
    let override = server.tools[name]
    guard override?.isHidden != true else { return nil }
    return ToolDescription(
      name: "mcp:\(declaration.name)/\(name)", text: text, parameters: parameters, output: output,
      sideEffects: override?.sideEffects ?? declaration.sideEffects ?? .yes,
      dataFlow: override?.dataFlow ?? declaration.dataFlow, origin: .server(declaration.name))
  }

  private init?(_ name: String, _ value: Value) {
    guard let text = value["description"].string else { return nil }
    self.name = name
    self.text = text
    title = value["title"].string
    parameters = value["parameters"]
    output = value["output"].isNull ? nil : value["output"]
    annotations = value["annotations"].isNull ? nil : value["annotations"]
  }

  package var value: ValueObject {
    var value: ValueObject = ["description": .string(text), "parameters": parameters]
    if let title { value["title"] = .string(title) }
    if let output { value["output"] = output }
    if let annotations { value["annotations"] = annotations }
    return value
  }

  fileprivate static func tools(_ value: Value) -> [PinnedTool]? {
    guard let kept = value.object else { return nil }
    var tools: [PinnedTool] = []
    for (name, tool) in kept {
      guard let tool = PinnedTool(name, tool) else { return nil }
      tools.append(tool)
    }
    return tools
  }
}

extension ServerOffer {
  /// As pins keep it.
  var value: ValueObject {
    var value: ValueObject = [
      "tools": .object(ValueObject(tools.map { ($0.name, .object($0.value)) }))
    ]
    if let instructions { value["instructions"] = .string(instructions) }
    return value
  }

  /// Nil for what is none.
  init?(_ value: Value) {
    guard let tools = PinnedTool.tools(value["tools"]) else { return nil }
    self.init(tools: tools, instructions: value["instructions"].string)
  }
}
