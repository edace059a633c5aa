import RasaCore
@testable import RasaAgents
import RasaPersona
import RasaTestKit
import Testing

/// A registry of agents that differ in the fields under test.
private let registry = AgentRegistry(
  [
    agent("arch-agent", "Architecture Agent", "Defines system architecture and interfaces") {
      $0.category = "core"
      $0.engine = "gemini"
      $0.model = "gemini-2.0-flash-exp"
      $0.capabilities = ["system_design", "planning"]
      $0.models.premium = ModelReference(engine: "openai", model: "gpt-4o")
    },
    agent("code-agent", "Code Agent", "Writes and reviews code") {
      $0.category = "core/build"
      $0.engine = "openai"
      $0.model = "gpt-4o-mini"
      $0.tags = ["Programming"]
    },
    agent("müller", "Ärztin Müller", "Liest Befunde; übersetzt sie") { $0.category = "Medicine" },
    agent("zebra", "Writer", "Turns architecture notes into prose") { $0.tags = ["planning"] },
  ].map { AgentRegistry.Entry(agent: $0) })

private func agent(
  _ id: String, _ name: String, _ description: String, _ change: (inout Agent) -> Void = { _ in }
) -> Agent {
  var agent = Agent(id: id, name: name, description: description)
  change(&agent)
  return agent
}

@Suite("Registry of agents")
struct RegistryTests {
  @Test("agents are found by id and listed by id; of two with one id the first counts")
  func lookUp() {
    let registry = AgentRegistry(
      [agent("b", "second", ""), agent("a", "A", ""), agent("b", "third", "")].map {
        AgentRegistry.Entry(agent: $0, relevance: [1])
      })
    #expect(registry.ids == ["a", "b"] && registry.count == 2)
    #expect(registry["b"]?.agent.name == "second" && registry["b"]?.relevance == [1])
    #expect(registry["c"] == nil)
    #expect(AgentRegistry().entries.isEmpty)
  }

  @Test(
    "a search finds all matches, best first",
    arguments: [
      ("arch-agent", .exact, ["arch-agent"]), ("ARCHITECTURE agent", .exact, ["arch-agent"]),
      ("arch", .exact, []), ("ÄRZTIN MÜLLER", .exact, ["müller"]),
      // Matches in the name come before matches in the description, regardless of the id.
      ("Architecture", .contains, ["arch-agent", "zebra"]),
      ("agent", .contains, ["arch-agent", "code-agent"]),
      ("ÜBERSETZT", .contains, ["müller"]), ("nothing of the kind", .contains, []),
      (" code ", .contains, ["code-agent"]),
      ("architectrue", .fuzzy, ["arch-agent", "zebra"]), ("cod-agent", .fuzzy, ["code-agent"]),
      ("muller", .fuzzy, ["müller"]), ("Architectur Agent", .fuzzy, ["arch-agent", "zebra"]),
      ("revews coed", .fuzzy, []), ("revews codes", .fuzzy, ["code-agent"]), ("xyzzy", .fuzzy, []),
      ("", .fuzzy, ["arch-agent", "code-agent", "müller", "zebra"]),
      ("  ", .exact, ["arch-agent", "code-agent", "müller", "zebra"]),
    ] as [(String, AgentQuery.Mode, [String])])
  func search(text: String, mode: AgentQuery.Mode, ids: [String]) {
    #expect(registry.search(AgentQuery(text, mode: mode)).map(\.agent.id) == ids)
  }

  @Test("a match has its field and closeness")
  func closeness() throws {
    let matches = registry.search(AgentQuery("cod-agent", mode: .fuzzy))
    #expect(matches.first?.field == .id && matches.first?.closeness == 0.9)
    let words = registry.search(AgentQuery("architecure", mode: .fuzzy))
    #expect(words.map(\.field) == [.description, .description])
    let exact = try #require(registry.search(AgentQuery("writer", mode: .contains)).first)
    #expect(exact.field == .name && exact.closeness == 1)
  }

  @Test(
    "any threshold is taken: all or nothing at its ends",
    arguments: [(0, 4), (-1, 4), (1, 0), (2, 0), (.nan, 0), (.infinity, 0), (-.infinity, 4)]
      as [(Double, Int)])
  func thresholds(threshold: Double, count: Int) {
    let query = AgentQuery("qqqq", mode: .fuzzy, threshold: threshold)
    #expect(registry.search(query).count == count)
  }

  @Test(
    "a filter matches its conditions",
    arguments: [
      (AgentFilter(), ["arch-agent", "code-agent", "müller", "zebra"]),
      (AgentFilter(logic: .any), ["arch-agent", "code-agent", "müller", "zebra"]),
      (AgentFilter(category: "CORE"), ["arch-agent", "code-agent"]),
      (AgentFilter(category: "build"), ["code-agent"]),
      // Engines match as a whole, including those of recommended models; models match in part.
      (AgentFilter(engine: "OpenAI"), ["arch-agent", "code-agent"]),
      (AgentFilter(engine: "open"), []), (AgentFilter(model: "4o-m"), ["code-agent"]),
      (AgentFilter(tags: ["PROGRAMMING", "none"]), ["code-agent"]),
      (AgentFilter(tags: ["system-design"]), ["arch-agent"]),
      (AgentFilter(tags: ["planning"]), ["arch-agent", "zebra"]),
      (AgentFilter(tags: ["", "  "]), ["arch-agent", "code-agent", "müller", "zebra"]),
      (AgentFilter(category: "core", engine: "gemini"), ["arch-agent"]),
      (AgentFilter(category: "medicine", engine: "gemini"), []),
      (AgentFilter(category: "medicine", engine: "gemini", logic: .any), ["arch-agent", "müller"]),
      (AgentFilter(query: AgentQuery("architecture"), category: "core"), ["arch-agent"]),
      (
        AgentFilter(query: AgentQuery("prose"), category: "core", logic: .any),
        ["zebra", "arch-agent", "code-agent"]
      ),
      (AgentFilter(query: AgentQuery(""), engine: "gemini"), ["arch-agent"]),
    ] as [(AgentFilter, [String])])
  func filter(filter: AgentFilter, ids: [String]) {
    #expect(registry.select(filter).map(\.agent.id) == ids)
  }

  @Test(
    "agents are sorted by several fields, those without one last",
    arguments: [
      ("name", ["arch-agent", "code-agent", "zebra", "müller"]),
      ("-name", ["müller", "zebra", "code-agent", "arch-agent"]),
      ("category,-id", ["arch-agent", "code-agent", "müller", "zebra"]),
      ("-category", ["müller", "code-agent", "arch-agent", "zebra"]),
      ("engine", ["arch-agent", "code-agent", "müller", "zebra"]),
      ("-engine, -ID", ["code-agent", "arch-agent", "zebra", "müller"]),
      ("model", ["arch-agent", "code-agent", "müller", "zebra"]),
    ])
  func sort(by text: String, ids: [String]) throws {
    let orders = try AgentOrder.parse(text)
    #expect(registry.select(AgentFilter(), sortedBy: orders).map(\.agent.id) == ids)
  }

  @Test(
    "an unknown sort key is a usage error",
    arguments: ["", "nam", "id,", "-", "id;name"])
  func unknownOrder(text: String) {
    #expect { try AgentOrder.parse(text) } throws: { ($0 as? Failure)?.kind == .usage }
  }
}

@Suite("Fuzzy search of agents")
struct FuzzySearchTests {
  /// The definition of closeness, without optimizations.
  private func closeness(_ left: String, _ right: String) -> Double {
    let left = left.lowercased().unicodeScalars.map(\.value)
    let right = right.lowercased().unicodeScalars.map(\.value)
    var previous = Array(0...right.count)
    for (row, scalar) in left.enumerated() {
      var current = [row + 1]
      for (column, other) in right.enumerated() {
        current.append(
          min(
            previous[column + 1] + 1, current[column] + 1,
            previous[column] + (scalar == other ? 0 : 1)))
      }
      previous = current
    }
    let longer = max(left.count, right.count)
    return longer == 0 ? 1 : 1 - Double(previous[right.count]) / Double(longer)
  }

  private func text(_ random: inout SeededNumbers, _ longest: Int) -> String {
    // Few letters, so that texts have much in common; some outside ASCII and the basic plane.
    let letters = Array("aAbBcde01äÄßéλ日😀".unicodeScalars)
    var text = ""
    for _ in 0..<(1 + random.upTo(longest)) {
      text.unicodeScalars.append(letters[random.upTo(random.happens(oneIn: 3) ? letters.count : 6)])
    }
    return text
  }

  private func changed(_ text: String, _ random: inout SeededNumbers) -> String {
    var scalars = Array(text.unicodeScalars)
    for _ in 0..<random.upTo(1 + scalars.count / 2) {
      let place = random.upTo(scalars.count)
      switch random.upTo(3) {
      case 0 where scalars.count > 1: scalars.remove(at: place)
      case 1: scalars.insert("b", at: place)
      default: scalars[place] = "c"
      }
    }
    return String(String.UnicodeScalarView(scalars))
  }

  @Test(
    "finds the same as the reference, with the same closeness", arguments: [8, 30, 63, 66, 150])
  func agreesWithTheRule(longest: Int) {
    var random = SeededNumbers(seed: UInt64(longest))
    for round in 0..<60 {
      let query = text(&random, longest)
      let threshold = [0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0][random.upTo(7)]
      let agents = (0..<12).map { index in
        Agent(
          id: random.happens(oneIn: 2) ? changed(query, &random) + "-\(index)" : "agent-\(index)",
          name: random.happens(oneIn: 3) ? changed(query, &random) : text(&random, longest),
          description: random.happens(oneIn: 2) ? changed(query, &random) : text(&random, longest))
      }
      let registry = AgentRegistry(agents.map { AgentRegistry.Entry(agent: $0) })
      let found = registry.search(AgentQuery(query, mode: .fuzzy, threshold: threshold))
      var expected: [String: Double] = [:]
      for entry in registry.entries {
        let agent = entry.agent
        // Letters and digits only, so that the emoji is the only separator of words.
        let words = agent.description.unicodeScalars.split { $0 == "😀" }.map { String($0) }
        let own = max(closeness(query, agent.id), closeness(query, agent.name))
        if own >= threshold - 1e-9 {
          expected[agent.id] = own
        } else if let best = words.map({ closeness(query, $0) }).max(), best >= threshold - 1e-9 {
          expected[agent.id] = best
        }
      }
      let several = query.unicodeScalars.split { $0 == "😀" }.count > 1
      let actual = Dictionary(uniqueKeysWithValues: found.map { ($0.agent.id, $0.closeness) })
      if several {
        // Also finds agents with a similar word for each word of the query.
        #expect(Set(expected.keys).isSubset(of: actual.keys), "round \(round)")
      } else {
        #expect(actual == expected, "round \(round): `\(query)` at \(threshold)")
      }
    }
  }
}

extension RegistryTests {
  @Test("an agent is found by ID and display name, in every form of its letters")
  func namesMeantByPeople() {
    let registry = AgentRegistry(
      [
        ("code-review", "Code Review"), ("コードレビュー", "コードレビュー"), ("prufer", "Prüfer"),
        ("one", "Twin"), ("two", "twin"),
      ].map { AgentRegistry.Entry(agent: Agent(id: $0.0, name: $0.1)) })
    for (word, id) in [
      ("code-review", "code-review"), ("Code Review", "code-review"),
      ("CODE review", "code-review"),
      ("コードレビュー", "コードレビュー"), ("コードレヒ\u{309A}ュー", nil),
      ("コードレヒ\u{3099}ュー", "コードレビュー"),
      ("Prüfer", "prufer"), ("Pru\u{308}fer", "prufer"), ("prüfer", "prufer"), ("Twin", nil),
      ("nobody", nil), ("", nil),
    ] as [(String, String?)] {
      #expect(registry.id(for: word) == id, "\(word)")
    }
  }
}
