import RasaCore
import RasaDocuments

/// GitHub Copilot: `.github/agents/*.agent.md`, `.github/chatmodes/*.chatmode.md` and
/// `.github/prompts/*.prompt.md`. Files are identified by name; `name` is a display name.
enum Copilot {
  static let distinctiveKeys = [
    "handoffs", "mcp-servers", "target", "user-invocable", "infer", "user-invokable",
  ]

  private static let rules: [String: ForeignField] = [
    "name": .ignored, "description": .ignored, "title": .ignored, "model": .ignored,
    "target": .unused, "mcp-servers": .unused, "handoffs": .unused, "infer": .unused,
    "user-invocable": .unused, "disable-model-invocation": .unused, "metadata": .unused,
    "argument-hint": .unused, "agents": .unused, "agent": .unused, "mode": .unused,
    "hooks": .unused, "github": .unused, "tags": .ours("tags"), "category": .unused,
  ]

  static func agent(_ matter: FrontMatter, _ path: AgentPath, _ kind: AgentKind) -> ForeignAgent {
    var agent = ForeignAgent(
      kind, matter, path, called: path.name(saying: matter.node?["name"]), rules: rules)
    let nameNode = matter.node?["name"] ?? matter.node?["title"]
    agent.identify(name: nameNode?.value.string, at: nameNode?.location)
    if kind == .copilotPrompt {
      agent.takeInputs()
    } else {
      agent.prompt = ForeignTemplate(agent.prompt).escaped()
    }
    agent.describe(matter.node?["description"])
    putModel(matter.node?["model"], into: &agent)
    return agent
  }

  /// The first entry of the list that names a model.
  private static func putModel(_ node: DocumentNode?, into agent: inout ForeignAgent) {
    guard let node else { return }
    var nodes = [node]
    if case .sequence(let elements) = node.content { nodes = elements }
    for node in nodes {
      guard let name = ForeignModel.name(ofMenu: node.value.string ?? "") else { continue }
      return agent.put("model", .string(name), at: node.location)
    }
    agent.leave("model")
  }
}

extension ForeignAgent {
  /// `${input:what}` and `${input:what:hint}` are prompted for when a prompt is used. A single one
  /// is the question; several are names to give values to.
  fileprivate mutating func takeInputs() {
    let text = ForeignTemplate(prompt).escaped()
    var inputs: [(range: Range<String.Index>, name: String)] = []
    var position = text.startIndex
    while let opening = text.firstRange(ofBytes: "${input:", from: position) {
      position = opening.upperBound
      guard let end = text.utf8[position...].firstIndex(of: UInt8(ascii: "}")) else { break }
      let inner = text[position..<end]
      let name = inner.utf8.firstIndex(of: UInt8(ascii: ":")).map { inner[..<$0] } ?? inner
      let isName =
        !name.isEmpty
        && name.utf8.allSatisfy { byte in
          (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
            || byte == 0x5F || byte == 0x2D
        }
      if isName {
        inputs.append((opening.lowerBound..<text.utf8.index(after: end), String(name).lowercased()))
      }
      position = end
    }
    let names = Set(inputs.map(\.name))
    prompt = ""
    position = text.startIndex
    for input in inputs {
      prompt += text[position..<input.range.lowerBound]
      prompt += names.count == 1 ? "{{input}}" : "{{\(input.name)}}"
      position = input.range.upperBound
    }
    prompt += text[position...]
    for variable in ["selection", "selectedText", "file", "fileBasename", "workspaceFolder"] {
      leaveInsertions([(part: "${\(variable)}", shown: "${\(variable)}")])
    }
  }
}
