import RasaCore
import RasaKit

/// Recommendations as programs read them.
extension RecommendationReport {
  static func value(of found: Rasa.Recommendations) -> Value {
    [
      "requirements": .array(found.requirements.map(Value.string)),
      "profile": .string(found.profile.rawValue),
      "profile_reason": .string(found.profileReason), "among": .int(Int64(found.considered)),
      "too_expensive": .int(Int64(found.tooExpensive)), "unpriced": .int(Int64(found.unpriced)),
      "none_fits": .bool(found.noneFits),
      "recommendations": .array(found.agents.map { value(of: $0) }),
      "nearest": .array(found.nearest.map { value(of: $0) }),
    ]
  }

  private static func value(of it: Rasa.Recommendation) -> Value {
    [
      "agent": .string(it.agent.id), "name": .string(it.agent.name),
      "verdict": .string(word(it.verdict)), "score": .double(it.score),
      "relevance": .double(it.relevance), "skills": .double(it.skills),
      "capability": value(of: it.capability), "profile_match": value(of: it.profile),
      "cost_efficiency": value(of: it.cost), "availability": value(of: it.availability),
      "matches": .array(
        it.matches.map {
          [
            "requirement": .string($0.requirement), "kind": .string($0.kind),
            "points": .double($0.points), "with": .string($0.with),
            "near": $0.nearness.map { .double($0) } ?? .null,
          ]
        }),
      "capabilities": .array(it.agent.capabilities.map(Value.string)),
      "derived_capabilities": .array(it.derivedCapabilities.map(Value.string)),
      "performance": .string((it.agent.profile ?? .balanced).rawValue),
      "estimated_cost_usd": it.estimatedCost.map { .string($0.decimalText) } ?? .null,
      "works_well_with": .array(it.partners.map(Value.string)),
    ]
  }

  private static func value(of term: Rasa.Recommendation.Term) -> Value {
    [
      "value": .double(term.value), "most": .double(term.most), "reason": .string(term.reason),
    ]
  }
}
