import RasaCore

/// The first version of an agent, as files with comments that explain what to change.
package struct AgentDraft: Sendable {
  package enum Form: String, Sendable, CaseIterable { case markdown, toml }

  package var id: String
  package var name: String
  package var description: String
  package var capabilities: [String]
  package var model: ModelReference?
  package var profile: PerformanceProfile
  private var examples: [String]
  private let isDescribed: Bool

  /// A placeholder for what only the author knows.
  private static let placeholder =
    "say here in one or two sentences what it does and when to use it."

  /// Whether a description is still the placeholder of a new agent.
  package static func isPlaceholder(_ description: String) -> Bool {
    description.hasSuffix(placeholder)
  }

  /// Missing values are derived from the ID and the description.
  package init(
    id: String, name: String? = nil, description: String = "", capabilities: [String] = [],
    model: ModelReference? = nil, profile: PerformanceProfile? = nil
  ) {
    self.id = id
    self.name = name?.trimmed.nonEmpty ?? AgentProposal.displayName(of: id)
    isDescribed = !description.trimmed.isEmpty
    self.description = description.trimmed.nonEmpty ?? "\(self.name): \(Self.placeholder)"
    self.model = model
    // A placeholder says nothing about the agent.
    let agent = Agent(id: id, name: self.name, description: description)
    let proposals = AgentProposal.byRules(for: agent, prompt: "")
    func texts(_ key: String) -> [String] {
      let value = proposals.first { $0.key == key }?.value
      return (value?.array ?? []).compactMap(\.string)
    }
    self.capabilities = capabilities.isEmpty ? texts("capabilities") : capabilities
    self.profile =
      profile
      ?? proposals.first { $0.key == "performance_profile" }?.value.string
      .flatMap { PerformanceProfile(rawValue: $0) } ?? .balanced
    examples = texts("example_queries")
  }

  /// The files by name, starting with the agent's definition.
  package func files(_ form: Form) -> [(name: String, text: String)] {
    switch form {
    case .markdown: [("\(id).md", markdown)]
    case .toml: [("\(id).toml", toml), ("\(id).md", prompt)]
    }
  }
}

extension AgentDraft {
  private var prompt: String {
    let purpose = isDescribed ? " \(description)" : ""
    return """
      You are \(name).\(purpose)

      <!-- Say who the agent is, what it is given and what its answer looks like. Names in double
      braces are filled in when it runs, such as preferences and the name of the agent. -->

      ## What to do

      1. Read what you are asked, and say in one sentence what you understood.
      2. Do the work, step by step.
      3. Say what you assumed, and what is left open.

      ## What a good answer looks like

      - It is complete, and no longer than it has to be.
      - It says when something is not known instead of making it up.

      """
  }

  private var markdown: String {
    var lines = [
      "---", "# What the agent is found by; `rasa agents validate \(id)` checks this file.",
      field("name", .string(id)), field("display_name", .string(name)),
      "# What it does and when to use it: it is recommended by these words.",
      field("description", .string(description)),
    ]
    lines += FrontMatterText.lines(
      AgentProposal(
        key: "capabilities", value: .array(capabilities.map { .string($0) }), reason: ""))
    if examples.isEmpty {
      lines += ["# What people would ask it:", "# example_queries:", "#   - Draw up a plan for …"]
    } else {
      lines += FrontMatterText.lines(
        AgentProposal(
          key: "example_queries", value: .array(examples.map { .string($0) }), reason: ""))
    }
    lines += [
      "# speed, balanced, thinking or expert: what matters most in choosing a model.",
      field("performance_profile", .string(profile.rawValue)),
    ]
    if let model {
      lines += ["recommended_models:", "  " + field("primary", .string(model.description))]
    } else {
      lines += [
        "# Models of its own, if the configured one will not do:", "# recommended_models:",
        "#   primary: gemini:gemini-2.5-pro", "#   fallback: openai:gpt-4o-mini",
      ]
    }
    lines += [
      "# What it may spend, in dollars:",
      "# cost_budget: {max_per_execution: 0.10, max_daily: 5.00}",
      "# Agents that go well before or after it:", "# works_well_with: [code-review]", "---", "",
    ]
    return lines.joined(separator: "\n") + "\n" + prompt
  }

  private func field(_ key: String, _ value: Value) -> String {
    "\(key): \(FrontMatterText.scalar(value))"
  }

  private var toml: String {
    func text(_ text: String) -> String { Value.string(text).json() }
    let list = capabilities.map { text($0) }.joined(separator: ", ")
    var lines = [
      "# An agent; `rasa agents validate \(id)` checks it.", "[agent]",
      "# What it is found by.", "id = \(text(id))", "name = \(text(name))",
      "# What it does and when to use it: it is recommended by these words.",
      "description = \(text(description))",
      "# The words of its prompt, from the folder of this file or from the workspace.",
      "prompt_path = \(text("\(id).md"))",
    ]
    if let model {
      if let engine = model.engine { lines.append("engine = \(text(engine))") }
      lines.append("model = \(text(model.model))")
    } else {
      lines += ["# engine = \"gemini\"", "# model = \"gemini-2.5-pro\""]
    }
    lines += [
      "# reasoning_effort = \"medium\" # low, medium, high", "", "[agent.persona]",
      "# What it can do.", "capabilities = [\(list)]", "", "[agent.persona.performance]",
      "# speed, balanced, thinking or expert: what matters most in choosing a model.",
      "profile = \"\(profile.rawValue)\"", "",
      "# [agent.capabilities]", "# model_class = \"balanced\" # fast, balanced, reasoning",
      "# cost_tier = \"medium\" # low, medium, high, premium", "# max_concurrent_tasks = 3", "",
      "# Go back over so many frames until the work is done.", "# [agent.loop_behavior]",
      "# steps = 1", "# max_iterations = 3", "", "# Hand the answer on to another agent.",
      "# [agent.trigger_behavior]", "# trigger_agent_id = \"code-review\"", "",
    ]
    return lines.joined(separator: "\n")
  }
}
