import RasaSystem
import RasaTestKit
import Testing

@testable import RasaAgents

@Suite("Words that are near each other in meaning")
struct WordRelationsTests {
  private func shipped() throws -> WordRelations { try #require(WordRelations.shipped) }

  private func hash(_ word: String) throws -> TermHash {
    try #require(TaskTerms(word, related: RelatedTerms()).terms.first?.hashes[0])
  }

  @Test(arguments: [
    ("lamp", "bulb"), ("recipe", "cooking"), ("flight", "airline"), ("salary", "wages"),
    ("purchase", "buying"), ("faster", "quicker"),
  ])
  func theShippedTableRelatesThemBothWays(one: String, other: String) throws {
    let (relations, first, second) = (try shipped(), try hash(one), try hash(other))
    let there = try #require(relations.near(first).first { $0.word == second })
    let back = try #require(relations.near(second).first { $0.word == first })
    #expect(there.share == back.share)
    #expect((0.3..<1).contains(there.share))
  }

  /// Either source alone would relate them: by their letters, or by the news of some years.
  @Test(arguments: [("lamp", "lampoon"), ("board", "boar"), ("omit", "obliterate")])
  func whatOnlyOneSourceSaysIsNotInIt(one: String, other: String) throws {
    let second = try hash(other)
    #expect(!(try shipped().near(try hash(one))).contains { $0.word == second })
  }

  @Test func whatEverybodySaysIsLessRare() throws {
    let relations = try shipped()
    let rarities = try ["people", "kitchen", "omelette"].map { relations.rarity(try hash($0)) }
    #expect(rarities == rarities.sorted())
    #expect(rarities.allSatisfy { (0...1).contains($0) })
    #expect(relations.rarity(try hash("zymurgyx")) == 1)
    #expect(relations.near(try hash("zymurgyx")).isEmpty)
  }

  @Test func aDamagedTableIsNone() throws {
    let bytes = try #require(EmbeddedFiles.bytes(of: "models/words.bin"))
    #expect(WordRelations(bytes) != nil)
    for length in [0, 3, 7, 8, 1_000, bytes.count / 2, bytes.count - 1] {
      #expect(WordRelations(Array(bytes.prefix(length))) == nil, "\(length)")
    }
    #expect(WordRelations(bytes + [0]) == nil)
    #expect(WordRelations([255, 255, 255, 255] + bytes.dropFirst(4)) == nil)
    // Whatever bytes change, reading ends.
    for seed in 0..<UInt64(6) {
      var chance = SeededNumbers(seed: seed)
      var other = bytes
      for _ in 0..<40 { other[chance.upTo(other.count)] = UInt8(chance.upTo(256)) }
      if let table = WordRelations(other) { _ = table.near(TermHash(bits: 1)) }
    }
  }

  @Test func anAgentIsFoundByWordsThatItDoesNotUse() throws {
    let agents = registry(
      agent("electrician", ["bulb-replacement", "wiring"], description: "Repairs illumination."),
      agent("baker", ["bread", "cake"], description: "Bakes all morning."))
    let found = Recommender(related: .shipped()).recommend(
      .init(task: "my lamp is broken"), among: agents)
    #expect(found.agents.map(\.agent) == ["electrician"])
    #expect(
      found.agents.first?.matchLines.contains("lamp: related bulb-replacement") == true,
      "\(found.agents.first?.matchLines ?? [])")
    #expect(Recommender.plain.recommend(.init(task: "my lamp is broken"), among: agents).isEmpty)
  }

  /// The word that few use decides, though as many agents have the other.
  @Test func anEverydayWordCountsLessThanARareOne() throws {
    let agents = registry(
      agent("alpha", ["people"]), agent("beta", ["kubernetes"]), agent("gamma", ["zymurgy"]))
    let found = Recommender(related: .shipped()).all("people kubernetes", among: agents)
    #expect(found.agents.map(\.agent) == ["beta", "alpha"])
    #expect(
      (Recommender.plain.all("people kubernetes", among: agents)).agents.map(\.agent)
        == ["alpha", "beta"])
  }

  @Test(arguments: [
    ("save it to /root/notes/a.md", true), ("read ./src/a.swift", true), ("in ~/notes", true),
    ("(/etc/hosts)", true), ("see `/var/log/syslog`", true), ("../a/b", true),
    ("and/or", false), ("/start", false), ("https://example.com/a/b", false), ("//x/y", false),
    ("1/2/3", false), ("", false), ("/", false), ("~", false), ("...", false), ("./", false),
  ])
  func aPathIsOne(text: String, isOne: Bool) {
    #expect(FilePaths.contains(in: text) == isOne)
  }

  @Test func aTaskWithAPathFindsWhatWritesFiles() {
    let tools = ["write_file", "chart", "mindmap", "rewrite"].map {
      ToolIndex.Entry(name: "mcp:x/\($0)", text: "")
    }
    let index = ToolIndex(tools, related: RelatedTerms())
    #expect(index.search("a report of bitcoin in /tmp/out/report.md", limit: 3) == [0])
    #expect(index.search("a report of bitcoin", limit: 3) == [])
  }

  @Test func vectorsAndWordsOrderToolsTogether() {
    let tools = ["weather", "letters", "plants", "stocks", "trains", "weather_map"].map {
      ToolIndex.Entry(name: "mcp:x/\($0)", text: "")
    }
    let index = ToolIndex(tools, related: RelatedTerms())
    func near(_ cosines: [Float]) -> [VectorSimilarity.Value?] {
      VectorSimilarity.find([1, 0], among: cosines.map { [$0, (1 - $0 * $0).squareRoot()] })
    }
    // Without a word in common.
    #expect(
      index.search("Wetter", limit: 1, nearness: near([0.9, 0.5, 0.52, 0.5, 0.51, 0.6])) == [0])
    // The words alone would say the first.
    #expect(index.search("weather, please", limit: 1) == [0])
    #expect(
      index.search("weather, please", limit: 1, nearness: near([0.5, 0.5, 0.52, 0.5, 0.51, 0.9]))
        == [5])
    // A tool without a vector is found by its words.
    var some = near([0.5, 0.5, 0.52, 0.5, 0.51, 0.5])
    some[0] = nil
    #expect(index.search("weather, please", limit: 2, nearness: some).contains(0))
    // Vectors of other tools than these say nothing.
    #expect(index.search("weather, please", limit: 1, nearness: [nil]) == [0])
  }
}
