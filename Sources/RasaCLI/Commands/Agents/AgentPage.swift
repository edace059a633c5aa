import RasaCore
import RasaKit
import RasaPersona
import RasaTerminal

/// Everything about one agent, for people.
struct AgentPage {
  let agent: Agent
  /// The files that it takes the place of.
  let shadowed: [String]
  let warnings: [Warning]
  /// In bytes; nil when the prompt is not there.
  let promptSize: Int?
  let others: UntrustedText

  func text(width: Int, style: Style) -> String {
    var page = Lines(width: width, others: others)
    page.title = "\(style.bold(line(agent.id)))  \(line(agent.name))"
    page.paragraph(agent.description)
    page.gap()
    page.add("category", agent.category)
    page.add("tags", agent.tags)
    page.add("from", agent.files.origin)
    if agent.files.kind != .rasa { page.add("kind", agent.files.kind.name) }
    page.add("file", agent.files.config)
    page.add("prompt", agent.files.prompt ?? "missing, so the agent cannot run")
    for file in shadowed { page.add("instead of", file) }
    page.gap()
    page.add("engine", agent.engine)
    page.add("model", agent.model)
    for (role, model) in agent.models.roles { page.add(role, text(of: model)) }
    page.add("class", agent.models.modelClass?.rawValue)
    page.add("cost tier", agent.models.costTier?.rawValue)
    page.add("effort", agent.effort?.rawValue)
    page.add("profile", agent.profile?.rawValue)
    page.add("traits", agent.traits.words)
    page.add("tokens", agent.estimatedTokens.map { "about \($0) for an answer" })
    page.gap()
    page.add("budget", agent.budget.words)
    page.add("at a time", agent.maxConcurrentTasks.map { "\($0) at most" })
    page.add("limits", text(agent.limits))
    page.add("loop", agent.loop.map(text))
    page.add("trigger", agent.trigger.map { "hands over to \($0.agent)\(condition($0.when))" })
    page.add("sandbox", agent.sandbox?.words)
    page.add("tools", agent.tools)
    page.add("reviews", agent.qualityGates)
    page.add(
      "constraints", agent.constraints.isEmpty ? nil : Value.object(agent.constraints).json())
    page.gap()
    page.add("can", agent.capabilities)
    page.add("works with", agent.worksWellWith)
    page.add("workflows", agent.typicalWorkflows)
    page.add("asked as", agent.exampleQueries)
    page.add("defaults", agent.defaults.isEmpty ? nil : Value.object(agent.defaults).json())
    page.add("names", agent.isStrict ? "a name without a value is an error" : nil)
    page.gap()
    page.add("ignored", agent.unused)
    for warning in warnings { page.add("warning", warning.description) }
    var text = page.text
    if let color = agent.color {
      text += "\n\("color".padded(to: Lines.column))\(style.color(color, line(color)))\n"
    }
    return text
  }

  private func line(_ text: String) -> String { others.line(text) }

  private func condition(_ when: String?) -> String { when.map { " when \($0)" } ?? "" }

  private func text(of model: ModelReference) -> String {
    let note = agent.models.notes[model]
    let words = [note?.priority?.rawValue, note?.costTier.map { "cost \($0.rawValue)" }]
      .compactMap { $0 }
    return words.isEmpty ? "\(model)" : "\(model) (\(words.joined(separator: ", ")))"
  }

  private func text(_ limits: AgentLimits) -> String {
    [
      limits.seconds.map { "\(Int64(exactly: $0).map { "\($0)" } ?? "\($0)") s" },
      limits.steps.map { "\($0) steps" }, limits.cost.map { "\($0)" },
      limits.depth.map { "\($0) deep" },
    ].compactMap(\.self).joined(separator: ", ")
  }

  private func text(_ loop: LoopBehavior) -> String {
    let skip = loop.skip.isEmpty ? "" : ", without \(loop.skip.joined(separator: ", "))"
    return "back \(loop.steps) steps, \(loop.maxIterations) times at most\(skip)"
      + condition(loop.when)
  }

  /// Labels and what they are, broken to the width.
  private struct Lines {
    static let column = 13
    let width: Int
    let others: UntrustedText
    var title = ""
    private var groups: [[String]] = [[]]

    init(width: Int, others: UntrustedText) {
      self.width = width == Printer.unlimited ? width : max(20, min(width, 100))
      self.others = others
    }

    var text: String {
      let bodies = groups.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
      return ([title] + bodies).joined(separator: "\n\n") + "\n"
    }

    mutating func gap() { groups.append([]) }

    mutating func paragraph(_ text: String) {
      groups[groups.count - 1] += broken(text, to: width)
    }

    mutating func add(_ label: String, _ text: String?) {
      guard let text, !text.isEmpty else { return }
      for (index, line) in broken(text, to: width - Self.column).enumerated() {
        groups[groups.count - 1].append((index == 0 ? label : "").padded(to: Self.column) + line)
      }
    }

    mutating func add(_ label: String, _ texts: [String]) {
      add(label, texts.joined(separator: ", "))
    }

    private func broken(_ text: String, to width: Int) -> [String] {
      filled(others.line(text).split(atByte: " ", omittingEmpty: true), columns: width)
    }
  }
}

extension RecommendedModels {
  /// Those that are named, with what for.
  var roles: [(role: String, model: ModelReference)] {
    [("primary", primary), ("fallback", fallback), ("premium", premium)]
      .compactMap { role, model in model.map { (role, $0) } }
  }
}

extension PerformanceTraits {
  fileprivate var words: String? {
    let parts = [
      thinkingDepth.map { "thinking \($0.rawValue)" },
      iterationSpeed.map { "iteration \($0.rawValue)" },
      contextRequirements.map { "context \($0.rawValue)" },
      outputVolume.map { "output \($0.rawValue)" },
    ].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}

extension CostBudget {
  fileprivate var words: String? {
    let parts = [
      maxPerExecution.map { "\($0.centsText) an answer" },
      maxDaily.map { "\($0.centsText) a day" },
      maxMonthly.map { "\($0.centsText) a month" },
    ].compactMap { $0 }
    guard !parts.isEmpty else { return nil }
    return parts.joined(separator: ", ") + (policy == .reject ? "" : "; then \(policy.rawValue)")
  }
}

extension SandboxDefinition {
  fileprivate var words: String {
    ([type, image] + [profile?.rawValue, network.map { "network \($0.rawValue)" }])
      .compactMap { $0 }.joined(separator: ", ")
  }
}
