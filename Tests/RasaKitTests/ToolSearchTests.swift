import RasaAgents
import RasaCore
import RasaEngine
import RasaKit
import RasaPersona
import Testing

@Suite("The search among the tools of a run")
struct ToolSearchTests {
  private func tools(_ group: Int) -> [ToolDescription] {
    ["list", "send", "delete"].map { verb in
      ToolDescription(
        name: "mcp:server-\(group)/\(verb)_invoice", text: "\(verb)s invoices of \(group)",
        origin: .server("server-\(group)"))
    }
  }

  @Test func findsByTheIndexOfTheGivenTools() {
    let search = ToolSearch()
    #expect(search.search("send an invoice", among: tools(1), limit: 2).first == 1)
    #expect(search.search("delete", among: tools(1), limit: 2) == [2])
    #expect(search.search("delete", among: [], limit: 2).isEmpty)
  }

  /// A set that changes is indexed anew, also by one word.
  @Test func noIndexOfOtherToolsIsUsed() {
    let search = ToolSearch()
    var changed = tools(1)
    #expect(search.search("shred", among: changed, limit: 1).isEmpty)
    changed[0].text = "Shreds paper."
    #expect(search.search("shred", among: changed, limit: 1) == [0])
    #expect(search.search("shred", among: tools(1), limit: 1).isEmpty)
  }

  @Test func anIndexIsBuiltOnceForASetAndTheLastFewAreKept() {
    let built = Locked(0)
    let search = ToolSearch {
      built.withLock { $0 += 1 }
      return RelatedTerms()
    }
    for _ in 0..<3 {
      for group in 0..<5 { _ = search.search("list", among: tools(group), limit: 1) }
    }
    #expect(built.withLock { $0 } == 5)
    // A process that makes ever new sets does not keep them all.
    for group in 5..<40 { _ = search.search("list", among: tools(group), limit: 1) }
    _ = search.search("list", among: tools(0), limit: 1)
    #expect(built.withLock { $0 } == 41)
  }
}
