import RasaCore
import RasaKit
import RasaTerminal

/// Recommendations as people read them.
struct RecommendationReport {
  let width: Int
  let explains: Bool

  func text(of found: Rasa.Recommendations) -> String {
    var lines: [String] = []
    if found.agents.isEmpty {
      lines += nothing(found)
    } else {
      lines.append("Recommended Agents:")
      for (place, recommendation) in found.agents.enumerated() {
        if place > 0 { lines.append("") }
        lines += entry(recommendation, place: place + 1)
      }
      lines += left(found)
    }
    if explains { lines += ["", requirements(found)] }
    return lines.flatMap { wrapped($0) }.joined(separator: "\n") + "\n"
  }

  // MARK: One agent

  private func entry(_ it: Rasa.Recommendation, place: Int) -> [String] {
    let agent = it.agent
    let verdict = it.verdict == .recommended ? "" : ", \(Self.word(it.verdict))"
    var lines = ["\(place). \(agent.id) (Score: \(it.shownScore)\(verdict))"]
    let derived = it.derivedCapabilities
    lines.append(
      "   - Capabilities: "
        + (agent.capabilities.isEmpty
          ? "\(derived.isEmpty ? "" : derived.joined(separator: ", ") + ", as its text says; ")none "
            + "declared, `rasa agents enhance \(agent.id)` proposes some"
          : agent.capabilities.joined(separator: ", ")))
    lines.append("   - Performance: \((agent.profile ?? .balanced).rawValue)")
    lines.append("   - Estimated Cost: \(it.estimatedCost?.description ?? "unknown")")
    lines.append(
      "   - Parts: capability \(it.capability.value.shown), profile \(it.profile.value.shown), cost "
        + "\(it.cost.value.shown), availability \(it.availability.value.shown)")
    if !it.partners.isEmpty {
      lines.append("   - Works well with: \(it.partners.joined(separator: ", "))")
    }
    if explains { lines += explanation(it) }
    return lines
  }

  static func word(_ verdict: Rasa.Recommendation.Verdict) -> String {
    verdict == .unfit ? "not recommended" : verdict.rawValue
  }

  private func explanation(_ it: Rasa.Recommendation) -> [String] {
    func line(_ name: String, _ term: Rasa.Recommendation.Term) -> String {
      "   - \(name) \(term.value.shown) of \(Int(term.most)): \(term.reason)"
    }
    return [line("Capability", it.capability)]
      + it.matches.map {
        "     - \(Int($0.points)) \($0.kindText): \($0.requirement) by \($0.with)"
      } + [
        line("Profile", it.profile), line("Cost", it.cost), line("Availability", it.availability),
      ]
  }

  // MARK: All of them

  private func requirements(_ found: Rasa.Recommendations) -> String {
    let words = found.requirements.joined(separator: ", ")
    return words.isEmpty
      ? "No agent matches a word of the task."
      : "Looked for among \(found.considered) agents: \(words)"
  }

  private func left(_ found: Rasa.Recommendations) -> [String] {
    let sentence = costSentence(found)
    return sentence.isEmpty ? [] : ["", sentence]
  }

  private func costSentence(_ found: Rasa.Recommendations) -> String {
    let parts = [
      found.tooExpensive > 0 ? "\(found.tooExpensive) because of their cost" : "",
      found.unpriced > 0 ? "\(found.unpriced) because their cost is unknown" : "",
    ].filter { !$0.isEmpty }
    return parts.isEmpty ? "" : "Left out: \(parts.joined(separator: ", "))."
  }

  private func nothing(_ found: Rasa.Recommendations) -> [String] {
    if found.considered == 0 {
      return ["There are no agents. `rasa agents create` creates one."]
    }
    var lines = ["None of \(found.considered) agents fits this task."]
    let cost = costSentence(found)
    if !cost.isEmpty { lines.append(cost + " Raise --max-cost to see them.") }
    if !found.nearest.isEmpty {
      let names = found.nearest.map { "\($0.agent.id) (\($0.shownScore))" }.joined(separator: ", ")
      lines.append(
        "Closest, but below \(Int(Rasa.Recommendation.acceptableScore)): \(names). `--all --explain` shows why; "
          + "`rasa run --agent ID` runs one anyway.")
    } else if cost.isEmpty {
      lines.append(
        "No agent matches a word of it; `rasa agents list` lists the agents, and `rasa agents "
          + "create` creates one.")
    }
    return lines
  }

  // MARK: Layout

  /// The line in pieces that fit, those after the first under its text.
  private func wrapped(_ line: String) -> [String] {
    let width = max(24, width)
    guard displayWidth(line) > width else { return [line] }
    let indent = line.prefix { $0 == " " }
    let margin = line.prefix { $0 == " " || $0 == "-" }.count
    return filled(
      line.dropFirst(indent.count).split(atByte: " ", omittingEmpty: true), columns: width,
      indent: indent.count, hanging: margin)
  }
}

extension Double {
  /// With one decimal where it has one.
  fileprivate var shown: String {
    let tenths = Int((self * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
  }
}
