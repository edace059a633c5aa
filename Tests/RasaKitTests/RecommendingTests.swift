import RasaKit
import Testing

@Suite("A recommendation from a program") struct RecommendingTests {
  @Test func namesTheAgentsThatFitWithEachPartOfTheirScore() async throws {
    let kit = try Kit()
    try await kit.rasa.register(Kit.writer)
    var cook = Rasa.Agent(
      id: "menu-cook", description: "Plans menus and recipes for guests.", prompt: "You cook.")
    cook.capabilities = ["menu_planning", "recipes"]
    cook.worksWellWith = ["note-writer"]
    try await kit.rasa.register(cook)
    let found = try await kit.rasa.recommend("Plan a menu with recipes for ten guests", limit: 3)
    let best = try #require(found.first)
    #expect(best.agent.id == "menu-cook" && best.verdict == .recommended)
    let sum =
      best.capability.value + best.profile.value + best.cost.value + best.availability.value
    #expect(abs(best.score - sum) < 0.001 && best.score >= 50)
    #expect(best.matches.contains { $0.kind == "exact" || $0.kind == "partial" })
    #expect(best.partners == ["note-writer"])
    #expect(!best.capability.reason.isEmpty)
    let all = try await kit.rasa.recommend(
      "Plan a menu with recipes for ten guests", limit: 1_000, includingUnfit: true)
    #expect(all.count > found.count && all.first == found.first)
    await kit.rasa.close()
  }
}
