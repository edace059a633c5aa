import RasaCore
import RasaDocuments

/// goose: a recipe in YAML or JSON, or with its fields below `recipe`, as the desktop app writes
/// it.
enum GooseRecipe {
  static func isOne(_ node: DocumentNode) -> Bool {
    let recipe = node["recipe"] ?? node
    guard recipe["title"] != nil, recipe["description"] != nil else { return false }
    return recipe["instructions"] != nil || recipe["prompt"] != nil || recipe["version"] != nil
      || recipe["extensions"] != nil
  }

  static func agent(
    _ node: DocumentNode, _ path: AgentPath, engines: Set<String>
  ) throws(Failure) -> ForeignAgent {
    let recipe = node["recipe"] ?? node
    guard case .mapping(let entries) = recipe.content else {
      throw recipe.failure("the recipe must be a mapping")
    }
    let parts = ["instructions", "prompt"].compactMap { recipe[$0] }
    let texts = parts.compactMap { $0.value.string?.trimmed.nonEmpty }
    guard let first = parts.first, !texts.isEmpty else {
      throw recipe.failure(
        "the recipe has neither `instructions` nor a `prompt`", suggestion: "add one of them")
    }
    // Many recipes are named `recipe.yaml`.
    let isCommon = ["recipe", "main", "index"].contains(path.stem.lowercased())
    let title = recipe["title"]
    let called = isCommon ? title?.value.string ?? path.folder ?? path.stem : path.stem
    var agent = ForeignAgent(.goose, called: called, at: first.location)
    takePrompt(texts.joined(separator: "\n\n"), recipe["parameters"], into: &agent)
    agent.identify(name: title?.value.string, at: title?.location)
    agent.describe(recipe["description"])
    agent.put(
      "example_queries", list: activities(recipe["activities"]),
      at: recipe["activities"]?.location)
    takeSettings(recipe["settings"], engines, into: &agent)
    let read: Set = [
      "version", "title", "description", "instructions", "prompt", "parameters", "activities",
      "settings",
    ]
    for entry in entries where !read.contains(entry.key) && !isEmpty(entry.value) {
      agent.leave(entry.key)
    }
    return agent
  }

  private static func isEmpty(_ node: DocumentNode) -> Bool {
    switch node.content {
    case .sequence(let elements): elements.isEmpty
    case .mapping(let entries): entries.isEmpty
    case .scalar(let value): value.isNull
    }
  }

  /// Text shown above the buttons starts with `message:`.
  private static func activities(_ node: DocumentNode?) -> [String] {
    guard let node, case .sequence(let elements) = node.content else { return [] }
    return elements.compactMap { element in
      guard let text = element.value.string?.trimmed, !text.isEmpty, !text.hasPrefix("message:")
      else { return nil }
      return text
    }
  }

  // MARK: Prompt

  private struct Parameter {
    var key: String
    var isRequired: Bool
    var fallback: DocumentNode?
  }

  private static func takePrompt(
    _ text: String, _ node: DocumentNode?, into agent: inout ForeignAgent
  ) {
    var parameters: [Parameter] = []
    if let node, case .sequence(let elements) = node.content {
      for element in elements {
        guard let key = element["key"]?.value.string else { continue }
        let fallback = element["default"]
        parameters.append(
          Parameter(
            key: key,
            isRequired: fallback == nil && element["requirement"]?.value.string != "optional",
            fallback: fallback))
      }
    }
    // A single required parameter is the question.
    let required = parameters.filter(\.isRequired)
    let question = required.count == 1 ? required.first?.key : nil
    let names = Set(parameters.map(\.key))
    agent.prompt = ForeignTemplate(text).escaped { name in
      if name == question { return "input" }
      return names.contains(name) ? name : nil
    }
    if agent.prompt.firstRange(ofBytes: "{%") != nil { agent.leave("{% … %}") }
    let defaults = parameters.compactMap { parameter -> DocumentNode.Entry? in
      guard let fallback = parameter.fallback else { return nil }
      return DocumentNode.Entry(
        key: parameter.key, keyLocation: fallback.location, value: fallback)
    }
    if !defaults.isEmpty, let node {
      agent.put("defaults", DocumentNode(content: .mapping(defaults), location: node.location))
    }
    if required.count > 1 { agent.leave("parameters: give them with --preferences key=value") }
  }

  private static func takeSettings(
    _ node: DocumentNode?, _ engines: Set<String>, into agent: inout ForeignAgent
  ) {
    guard let node, case .mapping(let entries) = node.content else { return }
    for entry in entries {
      switch entry.key {
      case "goose_provider": continue
      case "goose_model":
        guard let model = entry.value.value.string else { continue }
        let provider = node["goose_provider"]?.value.string
        agent.put(
          "model", .string(ForeignModel.text(provider: provider, model: model, engines)),
          at: entry.value.location)
      case "temperature": agent.put("temperature", entry.value, elseLeaving: "settings.temperature")
      case "max_turns": agent.put("max_turns", entry.value, elseLeaving: "settings.max_turns")
      default: agent.leave("settings.\(entry.key)")
      }
    }
  }
}
