package import RasaCore

extension Rasa.Recommendations {
  /// What `rasa agents recommend --json` prints.
  package var document: RasaCore.Value {
    [
      "requirements": .array(requirements.map(RasaCore.Value.string)),
      "profile": .string(profile.rawValue),
      "profile_reason": .string(profileReason), "among": .int(Int64(considered)),
      "too_expensive": .int(Int64(tooExpensive)), "unpriced": .int(Int64(unpriced)),
      "none_fits": .bool(noneFits),
      "recommendations": .array(agents.map(Self.value)),
      "nearest": .array(nearest.map(Self.value)),
    ]
  }

  private static func value(_ it: Rasa.Recommendation) -> RasaCore.Value {
    [
      "agent": .string(it.agent.id), "name": .string(it.agent.name),
      "verdict": .string(it.verdict == .unfit ? "not recommended" : it.verdict.rawValue),
      "score": .double(it.score),
      "relevance": .double(it.relevance), "skills": .double(it.skills),
      "capability": term(it.capability), "profile_match": term(it.profile),
      "cost_efficiency": term(it.cost), "availability": term(it.availability),
      "matches": .array(
        it.matches.map {
          [
            "requirement": .string($0.requirement), "kind": .string($0.kind),
            "points": .double($0.points), "with": .string($0.with),
            "near": $0.nearness.map { .double($0) } ?? .null,
          ]
        }),
      "capabilities": .array(it.agent.capabilities.map(RasaCore.Value.string)),
      "derived_capabilities": .array(it.derivedCapabilities.map(RasaCore.Value.string)),
      "performance": .string((it.agent.profile ?? .balanced).rawValue),
      "estimated_cost_usd": it.estimatedCost.map { .string($0.decimalText) } ?? .null,
      "works_well_with": .array(it.partners.map(RasaCore.Value.string)),
    ]
  }

  private static func term(_ term: Rasa.Recommendation.Term) -> RasaCore.Value {
    [
      "value": .double(term.value), "most": .double(term.most), "reason": .string(term.reason),
    ]
  }
}
