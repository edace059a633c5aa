import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("The way of a run, worked out again")
struct RunWalkTests {
  @Test("has every operator in the order that counts, with the prompt it sent")
  func whole() throws {
    let (graph, entries) = try analystJournal(sendsBack: true)
    let walk = JournalFold(graph, entries)
    let names = walk.stops.map(\.step.operatorName)
    #expect(names.filter { $0 == "respond" }.count == 2)
    #expect(names.last == "remember" || names.contains("remember"))
    let explanation = try #require(
      walk.stops.first { $0.step.operatorName == "explain_operator" })
    #expect(explanation.request?.messages.last?.text.contains("draft 2") == true)
    let second = try #require(
      walk.stops.last { $0.step.operatorName == "respond" })
    #expect(second.request?.messages.last?.text.contains("verdict: revise") == true)
    #expect(walk.state["output"].promptText.contains("draft 2"))
    #expect(walk.stops.allSatisfy { $0.outcome != nil })
  }

  @Test("of a run that broke off ends with what was due")
  func broken() throws {
    let (graph, entries) = try analystJournal()
    let cut = try #require(
      entries.firstIndex {
        $0.kind == "operator.finished"
          && $0.body["step"]["operator"].string == "critic_agent"
      })
    let walk = JournalFold(graph, entries.prefix(cut))
    let last = try #require(walk.stops.last)
    #expect(last.step.operatorName == "critic_agent" && last.outcome == nil)
    #expect(last.request?.messages.last?.text == "Judge draft 1")
  }

  @Test("sees what a fork wrote over what a step wrote")
  func changed() throws {
    let (graph, entries) = try analystJournal()
    let changed = entries.map { entry -> JournalEntry in
      guard case .operatorFinished(let step, .wrote(let updates)) = RunEvent(folding: entry),
        step.operatorName == "critic_agent"
      else { return entry }
      let event = RunEvent.operatorFinished(
        step, .wrote(updates + [Update("draft", "another draft")]))
      return event.entry(of: entry.run, at: entry.time)
    }
    let walk = JournalFold(graph, changed)
    let explanation = walk.stops.first { $0.step.operatorName == "explain_operator" }
    #expect(explanation?.request?.messages.last?.text.contains("another draft") == true)
    #expect(walk.state["output"].promptText.contains("another draft"))
  }
}

@Suite("Two runs compared")
struct ComparisonTests {
  private func compared(
    _ journal: (graph: Graph, entries: [JournalEntry]), walked: Bool = true
  ) -> ComparedRun {
    let walk = walked ? JournalFold(journal.graph, journal.entries) : nil
    var timeline = RunTimeline(journal.entries)
    if let walk { timeline.add(walk) }
    return ComparedRun(timeline: timeline, walk: walk)
  }

  @Test("the same run has nothing that differs", arguments: [true, false])
  func same(walked: Bool) throws {
    let one = compared(try analystJournal(), walked: walked)
    let two = compared(try analystJournal(run: "run-2"), walked: walked)
    let comparison = RunComparison(one, two)
    #expect(comparison.start.isEmpty && comparison.parting == nil)
    #expect(comparison.same.count == one.timeline.passes.count)
    #expect(comparison.knowsPrompts == walked)
  }

  @Test("another question shows at the beginning and in the first prompt")
  func input() throws {
    let comparison = RunComparison(
      compared(try analystJournal()), compared(try analystJournal(input: "another")))
    #expect(comparison.start == [.init(.start("input"), "question", "another")])
    let parting = try #require(comparison.parting)
    #expect(comparison.same.isEmpty)
    #expect(parting.differences.contains { $0.subject == .prompt("user") })
  }

  @Test("what one operator wrote otherwise is found, and what comes after is counted")
  func written() throws {
    let comparison = RunComparison(
      compared(try analystJournal()), compared(try analystJournal(explanation: "because")))
    let parting = try #require(comparison.parting)
    #expect(parting.left?.operatorName == "explain_operator")
    #expect(parting.differences == [.init(.state("explanation"), "why", "because")])
    #expect(comparison.after.left > 0 && comparison.after.left == comparison.after.right)
  }

  @Test("a longer way is found where it leaves the shorter one")
  func path() throws {
    let left = compared(try analystJournal(sendsBack: true))
    let right = compared(try analystJournal())
    let comparison = RunComparison(left, right)
    let parting = try #require(comparison.parting)
    #expect(parting.left?.operatorName == "critic_agent")
    #expect(parting.differences == [.init(.state("critique.verdict"), "revise", "accept")])
    let swapped = try #require(RunComparison(right, left).parting)
    #expect(swapped.left?.operatorName == "critic_agent")
  }

  @Test("a run that broke off parts where it ends")
  func unfinished() throws {
    let whole = try analystJournal()
    let broken = (graph: whole.graph, entries: Array(whole.entries.prefix(8)))
    let parting = try #require(RunComparison(compared(whole), compared(broken)).parting)
    #expect(parting.differences.contains { $0.subject == .path })
  }
}
