import RasaCore
import RasaPersona
import RasaAgents

/// Recommendations as programs read them.
extension RecommendationReport {
  static func value(of found: Recommendations, among registry: AgentRegistry) -> Value {
    [
      "requirements": .array(found.requirements.map(Value.string)),
      "profile": .string(found.complexity.profile.rawValue),
      "profile_reason": .string(found.complexity.reason), "among": .int(Int64(found.among)),
      "too_expensive": .int(Int64(found.tooExpensive)), "unpriced": .int(Int64(found.unpriced)),
      "none_fits": .bool(!found.agents.contains { $0.verdict != .not }),
      "recommendations": .array(found.agents.map { value(of: $0, registry[$0.agent]) }),
      "nearest": .array(found.nearest.map { value(of: $0, registry[$0.agent]) }),
    ]
  }

  private static func value(of it: Recommendation, _ entry: AgentRegistry.Entry?) -> Value {
    let agent = entry?.agent
    return [
      "agent": .string(it.agent), "name": .string(agent?.name ?? it.agent),
      "verdict": .string(it.verdict.rawValue), "score": .double(it.score),
      "relevance": .double(it.relevance), "skills": .double(it.skills),
      "capability": value(of: it.capability), "profile_match": value(of: it.profile),
      "cost_efficiency": value(of: it.cost), "availability": value(of: it.availability),
      "matches": .array(
        it.matches.map {
          [
            "requirement": .string($0.requirement), "kind": .string($0.kind.rawValue),
            "points": .double($0.kind.points), "with": .string($0.with),
            "near": $0.nearness.map { .double($0) } ?? .null,
          ]
        }),
      "capabilities": .array((agent?.capabilities ?? []).map(Value.string)),
      "derived_capabilities": .array(
        (entry.map { AgentTerms.derivedSkills(in: $0.relevance) } ?? []).map(Value.string)),
      "performance": .string((agent?.profile ?? .balanced).rawValue),
      "estimated_cost_usd": it.estimatedCost.map { .string($0.decimalText) } ?? .null,
      "works_well_with": .array(it.partners.map(Value.string)),
    ]
  }

  private static func value(of term: Recommendation.Term) -> Value {
    [
      "value": .double(term.value), "most": .double(term.most), "reason": .string(term.reason),
    ]
  }
}
