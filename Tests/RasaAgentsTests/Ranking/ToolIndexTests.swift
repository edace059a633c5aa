import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaAgents

@Suite("Search among many tools")
struct ToolIndexTests {
  private static let table = RelatedTerms.shipped()

  private static func office() throws -> [ToolIndex.Entry] {
    let bytes = try FileSystem.read(
      Repository.path("Tests/Fixtures/tools/office.jsonl"), limit: 1_000_000)
    return try bytes.split(separator: UInt8(ascii: "\n")).map { line in
      let tool = try JSON.parse(Array(line))
      return ToolIndex.Entry(
        name: try #require(tool["name"].string), text: tool["text"].string ?? "",
        parameters: tool["parameters"])
    }
  }

  private func search(
    _ words: String, among tools: [ToolIndex.Entry], limit: Int = 10
  ) -> [String] {
    ToolIndex(tools, related: Self.table).search(words, limit: limit).map { tools[$0].name }
  }

  private func tool(
    _ name: String, _ text: String = "", _ properties: ValueObject = [:]
  ) -> ToolIndex.Entry {
    ToolIndex.Entry(
      name: name, text: text,
      parameters: ["type": "object", "properties": .object(properties)])
  }

  /// Words as models and people write them, compared to plain BM25 over the same text.
  @Test func theRightToolIsAmongTheFirstMoreOftenThanWithPlainTextSearch() throws {
    let tools = try Self.office()
    let index = ToolIndex(tools, related: Self.table)
    let names = tools.map(\.name)
    let plain = BM25(
      tools.map { ($0.name, "\($0.name) \($0.text) \($0.parameters.json())") })
    var ours = (first: 0, five: 0)
    var theirs = ours
    let wishes = try LabelledTasks("../tools/wishes").tasks
    var missed: [String] = []
    for wish in wishes {
      #expect(wish.agents.allSatisfy(names.contains), "\(wish.text)")
      let found = index.search(wish.text, limit: 5).map { names[$0] }
      if wish.agents.contains(found.first ?? "") { ours.first += 1 }
      if found.contains(where: wish.agents.contains) {
        ours.five += 1
      } else {
        missed.append(wish.text)
      }
      let base = plain.rank(wish.text)
      if wish.agents.contains(base.first ?? "") { theirs.first += 1 }
      if base.prefix(5).contains(where: wish.agents.contains) { theirs.five += 1 }
    }
    print(
      "tools: first \(ours.first), in five \(ours.five) of \(wishes.count); BM25 \(theirs.first), \(theirs.five)"
    )
    #expect(wishes.count >= 60)
    #expect(ours.first > theirs.first)
    #expect(ours.five >= theirs.five)
    #expect(ours.five * 100 >= wishes.count * 95, "\(missed)")
  }

  @Test(arguments: ["git_commit", "GIT_COMMIT", " git_commit ", "mcp:git/git_commit"])
  func aNameFindsItsToolFirst(words: String) throws {
    #expect(search(words, among: try Self.office()).first == "mcp:git/git_commit")
  }

  /// `sort` and `now` say nothing in a sentence, but they can be names.
  @Test(arguments: ["sort", "now", "a", "日"])
  func anyNameCanBeSearched(name: String) {
    let tools = [tool("mcp:x/other", "Sorts now."), tool("mcp:x/\(name)")]
    #expect(search(name, among: tools).first == "mcp:x/\(name)")
  }

  @Test(arguments: [
    ("stock price", "getStockPrice"), ("stock price", "get_stock_price"),
    ("stock price", "GetStockPrice"), ("stock price", "stock-price"), ("http server", "HTTPServer"),
    ("getStockPrice", "mcp:market/get_stock_price"),
  ])
  func namesAreReadAsWords(words: String, name: String) {
    let tools = [tool("mcp:x/unrelated", "Waters plants."), tool(name)]
    #expect(search(words, among: tools) == [name])
  }

  @Test func parametersCount() {
    let tools = [
      tool("mcp:x/one", "Does it.", ["color": ["description": "Of the balloon"]]),
      tool("mcp:x/two", "Does it.", ["mode": ["enum": ["turbo", "quiet"]]]),
      tool(
        "mcp:x/three", "Does it.",
        ["parts": ["type": "array", "items": ["properties": ["wheelBase": ["type": "number"]]]]]),
    ]
    #expect(search("balloon", among: tools) == ["mcp:x/one"])
    #expect(search("turbo", among: tools) == ["mcp:x/two"])
    #expect(search("wheel base", among: tools) == ["mcp:x/three"])
  }

  @Test func whatATextIsAboutCountsMoreThanAParameter() {
    let tools = [
      tool(
        "mcp:x/plant", "Waters plants.", ["note": ["description": "For example about invoices"]]),
      tool("mcp:x/bills", "Lists invoices."),
    ]
    #expect(search("invoices", among: tools) == ["mcp:x/bills", "mcp:x/plant"])
  }

  @Test func nothingFitsNothing() throws {
    let tools = try Self.office()
    #expect(search("", among: tools).isEmpty)
    #expect(search("the of and", among: tools).isEmpty)
    #expect(search("xylophone", among: tools).isEmpty)
    #expect(search("git", among: tools, limit: 0).isEmpty)
    #expect(search("git", among: []).isEmpty)
  }

  @Test func atMostAsManyAsWanted() throws {
    let tools = try Self.office()
    for limit in 1...8 { #expect(search("file", among: tools, limit: limit).count <= limit) }
    let twins = (0..<5).map { _ in tool("mcp:x/same", "Same.") }
    #expect(ToolIndex(twins, related: Self.table).search("same", limit: 3) == [0, 1, 2])
  }

  /// Descriptions and schemas come from strangers.
  @Test func anySchemaCanBeIndexed() {
    var deep: Value = "end"
    for _ in 0..<60 { deep = ["properties": ["p": ["items": deep]]] }
    let wide = Value.object(
      ValueObject((0..<20_000).map { ("p\($0)", ["description": .string("word\($0)")]) }))
    let tools = [
      tool("mcp:x/deep", "Deep."), tool("mcp:x/wide", "Wide."),
      ToolIndex.Entry(name: "", text: "", parameters: "text"),
      ToolIndex.Entry(
        name: "/", text: String(repeating: "long ", count: 400_000), parameters: .null),
      ToolIndex.Entry(name: "mcp:x/deep2", text: "\u{202E}\u{0}Hidden", parameters: deep),
      ToolIndex.Entry(name: "mcp:x/wide2", text: "", parameters: ["properties": wide]),
    ]
    #expect(search("hidden", among: tools) == ["mcp:x/deep2"])
    #expect(search("deep", among: tools).first == "mcp:x/deep")
  }
}
