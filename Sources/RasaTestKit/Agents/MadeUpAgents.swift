package import RasaCore
import RasaSystem

/// Realistic agents, the same for the same seed: a third each of TOML files with a plain prompt,
/// TOML files whose prompt has front matter, and Markdown files with front matter.
package struct MadeUpAgents: Sendable {
  package struct File: Sendable {
    /// Relative to the agents root.
    package var path: String
    package var text: String
  }

  package let count: Int
  private let seed: UInt64
  private let names: [String]

  package init(count: Int, seed: UInt64 = 1) {
    self.count = count
    self.seed = seed
    var random = SeededNumbers(seed: seed)
    names = (0..<2_500).map { _ in Self.name(&random) }
  }

  package func id(_ index: Int) -> String {
    let domain = MadeUpWords.domains[index % MadeUpWords.domains.count]
    let role = MadeUpWords.roles[index / MadeUpWords.domains.count % MadeUpWords.roles.count]
    return "\(domain.name)-\(role)-\(index)"
  }

  /// The files of one agent.
  package func files(_ index: Int) -> [File] {
    var random = SeededNumbers(seed: seed &* 1_000_003 &+ UInt64(index))
    let domain = MadeUpWords.domains[index % MadeUpWords.domains.count]
    let role = MadeUpWords.roles[index / MadeUpWords.domains.count % MadeUpWords.roles.count]
    let id = id(index)
    let title = "\(domain.name) \(role) \(index)"
      .split(separator: " ").map { $0.prefix(1).uppercased() + $0.dropFirst() }
      .joined(separator: " ")
    let description = description(domain, role, &random)
    let folder = index % 7 == 0 ? "" : "\(domain.field)/\(domain.name)/"
    let body = prompt(domain, title, &random)
    let head = frontMatter(id, title, description, domain, &random)
    switch index % 3 {
    case 0:
      return [
        File(path: "\(folder)\(id).toml", text: config(id, title, description, &random)),
        File(path: "\(folder)prompts/\(id).md", text: body),
      ]
    case 1:
      return [
        File(path: "\(folder)\(id).toml", text: config(id, title, description, &random)),
        File(path: "\(folder)prompts/\(id).md", text: "---\n\(head)---\n\n\(body)"),
      ]
    default: return [File(path: "\(folder)\(id).md", text: "---\n\(head)---\n\n\(body)")]
    }
  }

  /// Writes them all beneath a folder.
  package func write(to folder: String) throws(Failure) {
    var made: Set<String> = []
    for index in 0..<count {
      for file in files(index) {
        let path = "\(folder)/\(file.path)"
        let parent = FileSystem.parent(of: path)
        if made.insert(parent).inserted { try FileSystem.makeFolder(parent) }
        try FileSystem.write(Array(file.text.utf8), to: path, mode: 0o644, lasting: false)
      }
    }
  }

  // MARK: Texts

  private func config(
    _ id: String, _ title: String, _ description: String, _ random: inout SeededNumbers
  ) -> String {
    let model = MadeUpWords.models[random.upTo(MadeUpWords.models.count)]
    var text = """
      [agent]
      id = "\(id)"
      name = "\(title)"
      description = "\(description)"
      prompt_path = "prompts/\(id).md"
      engine = "\(model.engine)"
      model = "\(model.name)"
      reasoning_effort = "\(["low", "medium", "high"][random.upTo(3)])"

      [agent.capabilities]
      model_class = "\(["fast", "balanced", "reasoning"][random.upTo(3)])"
      cost_tier = "\(["low", "medium", "high"][random.upTo(3)])"
      max_concurrent_tasks = \(1 + random.upTo(4))

      """
    if random.happens(oneIn: 4) {
      text += "\n[agent.loop_behavior]\nsteps = 2\nmax_iterations = \(2 + random.upTo(4))\n"
    }
    if random.happens(oneIn: 5) {
      text +=
        "\n[agent.sandbox]\ntype = \"docker\"\nimage = \"rust:latest\"\n"
        + "profile = \"restricted\"\nnetwork_mode = \"isolated\"\n"
    }
    return text
  }

  private func frontMatter(
    _ id: String, _ title: String, _ description: String, _ domain: MadeUpWords.Domain,
    _ random: inout SeededNumbers
  ) -> String {
    let first = MadeUpWords.models[random.upTo(MadeUpWords.models.count)]
    let second = MadeUpWords.models[random.upTo(MadeUpWords.models.count)]
    let verb = MadeUpWords.verbs[random.upTo(MadeUpWords.verbs.count)]
    var capabilities = ["\(domain.name)", "\(verb)-\(domain.name)"]
    for _ in 0..<(1 + random.upTo(4)) {
      let word = domain.words[random.upTo(domain.words.count)]
      if !capabilities.contains(word) { capabilities.append(word) }
    }
    return """
      name: \(id)
      display_name: \(title)
      color: \(["blue", "green", "red", "purple"][random.upTo(4)])
      description: \(description)
      recommended_models:
        primary: \(first.engine):\(first.name)
        fallback: \(second.engine):\(second.name)
      capabilities: [\(capabilities.joined(separator: ", "))]
      performance_profile: \(["speed", "balanced", "thinking", "expert"][random.upTo(4)])
      cost_budget:
        max_per_execution: 0.\(1 + random.upTo(9))0
        max_daily: \(1 + random.upTo(20)).00

      """
  }

  private func description(
    _ domain: MadeUpWords.Domain, _ role: String, _ random: inout SeededNumbers
  ) -> String {
    let verb = MadeUpWords.verbs[random.upTo(MadeUpWords.verbs.count)]
    var text = "\(verb.prefix(1).uppercased())\(verb.dropFirst())s"
    text += " \(sentence(domain, 6 + random.upTo(10), &random)). Use this \(role) for"
    text +=
      " \(sentence(domain, 6 + random.upTo(14), &random)) at \(names[random.upTo(names.count)])"
    return text
  }

  private func prompt(
    _ domain: MadeUpWords.Domain, _ title: String, _ random: inout SeededNumbers
  ) -> String {
    var text = "# \(title)\n\nYou are the \(title). {{input}}\n"
    for section in ["Approach", "Checks", "Output"] {
      text += "\n## \(section)\n\n"
      for _ in 0..<(3 + random.upTo(5)) {
        text += "- \(sentence(domain, 8 + random.upTo(12), &random))\n"
      }
    }
    return text
  }

  /// Domain words among common ones, with an occasional name.
  private func sentence(
    _ domain: MadeUpWords.Domain, _ count: Int, _ random: inout SeededNumbers
  ) -> String {
    (0..<count).map { _ in
      switch random.upTo(10) {
      case 0..<4: domain.words[random.upTo(domain.words.count)]
      case 4..<9: MadeUpWords.common[random.upTo(MadeUpWords.common.count)]
      default: names[random.upTo(names.count)]
      }
    }.joined(separator: " ")
  }

  private static func name(_ random: inout SeededNumbers) -> String {
    let syllables = [
      "ver", "tal", "qui", "no", "ra", "shi", "mon", "del", "ka", "pro", "lex", "um", "bri", "sto",
      "fen", "gal", "ori", "zan", "cyl", "eth",
    ]
    let text = (0..<(2 + random.upTo(3))).map { _ in syllables[random.upTo(syllables.count)] }
    return text.joined()
  }
}
