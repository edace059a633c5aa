import RasaCore
import RasaKit
import RasaTerminal

/// Everything about one agent, for people.
struct AgentPage {
  private let page: Value
  private let format: Rasa.AgentFormat
  private let others: UntrustedText

  init(_ details: Rasa.AgentDetails, others: UntrustedText) {
    page = Value(details.json)
    format = details.format
    self.others = others
  }

  func text(width: Int, style: Style) -> String {
    var lines = Lines(width: width, others: others)
    lines.title =
      "\(style.bold(line(page["id"].string ?? "")))  \(line(page["name"].string ?? ""))"
    lines.paragraph(page["description"].string ?? "")
    lines.gap()
    lines.add("category", page["category"].string)
    lines.add("tags", texts("tags"))
    lines.add("from", page["from"].string)
    if format != .rasa { lines.add("kind", format.name) }
    lines.add("file", page["file"].string)
    lines.add("prompt", page["prompt"].string ?? "missing, so the agent cannot run")
    for file in texts("shadows") { lines.add("instead of", file) }
    lines.gap()
    lines.add("engine", page["engine"].string)
    lines.add("model", page["model"].string)
    for (role, model) in page["recommended_models"].object ?? ValueObject() {
      lines.add(role, text(ofModel: model))
    }
    lines.add("class", page["model_class"].string)
    lines.add("cost tier", page["cost_tier"].string)
    lines.add("effort", page["effort"].string)
    lines.add("profile", page["profile"].string)
    lines.add("traits", traits)
    lines.add(
      "tokens", page["performance"]["estimated_tokens"].int.map { "about \($0) for an answer" })
    lines.gap()
    lines.add("budget", budget)
    lines.add("at a time", page["max_concurrent_tasks"].int.map { "\($0) at most" })
    lines.add("limits", limits)
    lines.add("loop", loop)
    if let next = page["trigger_behavior"]["trigger_agent_id"].string {
      lines.add("trigger", "hands over to \(next)\(condition(page["trigger_behavior"]["when"]))")
    }
    lines.add("sandbox", sandbox)
    lines.add("tools", texts("tools"))
    lines.add("reviews", texts("quality_gates"))
    lines.add("constraints", json("constraints"))
    lines.gap()
    lines.add("can", texts("capabilities"))
    lines.add("works with", texts("works_well_with"))
    lines.add("workflows", texts("typical_workflows"))
    lines.add("asked as", texts("example_queries"))
    lines.add("defaults", json("defaults"))
    lines.add(
      "names", page["strict"].bool == true ? "a name without a value is an error" : nil)
    lines.gap()
    lines.add("ignored", texts("unused"))
    for warning in texts("warnings") { lines.add("warning", warning) }
    var text = lines.text
    if let color = page["color"].string {
      text += "\n\("color".padded(to: Lines.column))\(style.color(color, line(color)))\n"
    }
    return text
  }

  // MARK: Parts

  private func line(_ text: String) -> String { others.line(text) }

  private func texts(_ key: String) -> [String] {
    (page[key].array ?? []).compactMap(\.string)
  }

  /// Nil for an object without members.
  private func json(_ key: String) -> String? {
    guard let object = page[key].object, !object.isEmpty else { return nil }
    return page[key].json()
  }

  private func condition(_ when: Value) -> String { when.string.map { " when \($0)" } ?? "" }

  /// Those of these parts that there are; nil where there is none.
  private func joined(_ parts: [String?]) -> String? {
    let parts = parts.compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  private func text(ofModel model: Value) -> String {
    let name = (model["engine"].string.map { "\($0):" } ?? "") + (model["model"].string ?? "")
    let notes = joined([
      model["priority"].string, model["cost_tier"].string.map { "cost \($0)" },
    ])
    return notes.map { "\(name) (\($0))" } ?? name
  }

  private var traits: String? {
    let traits = page["performance"]
    return joined([
      traits["thinking_depth"].string.map { "thinking \($0)" },
      traits["iteration_speed"].string.map { "iteration \($0)" },
      traits["context_requirements"].string.map { "context \($0)" },
      traits["output_volume"].string.map { "output \($0)" },
    ])
  }

  private var budget: String? {
    let budget = page["cost_budget"]
    func part(_ key: String, _ period: String) -> String? {
      budget[key].string.flatMap { Rasa.Dollars($0) }.map { "\($0.centsText) \(period)" }
    }
    let policy = budget["policy"].string ?? "reject"
    return joined([
      part("max_per_execution", "an answer"), part("max_daily", "a day"),
      part("max_monthly", "a month"),
    ]).map { $0 + (policy == "reject" ? "" : "; then \(policy)") }
  }

  private var limits: String? {
    let limits = page["limits"]
    return joined([
      limits["seconds"].double.map { "\(Int64(exactly: $0).map { "\($0)" } ?? "\($0)") s" },
      limits["steps"].int.map { "\($0) steps" },
      limits["cost"].string.flatMap { Rasa.Dollars($0) }.map { "\($0)" },
      limits["depth"].int.map { "\($0) deep" },
    ])
  }

  private var loop: String? {
    let loop = page["loop_behavior"]
    guard let steps = loop["steps"].int, let most = loop["max_iterations"].int else { return nil }
    let skip = (loop["skip"].array ?? []).compactMap(\.string)
    return "back \(steps) steps, \(most) times at most"
      + (skip.isEmpty ? "" : ", without \(skip.joined(separator: ", "))")
      + condition(loop["when"])
  }

  private var sandbox: String? {
    let sandbox = page["sandbox"]
    return joined([
      sandbox["type"].string, sandbox["image"].string, sandbox["profile"].string,
      sandbox["network"].string.map { "network \($0)" },
    ])
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
