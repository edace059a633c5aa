import RasaCore
import RasaDocuments
import RasaSystem
import Testing

@testable import RasaModels

@Suite struct ShippedCatalogueTests {
  private static func document() throws -> [UInt8] {
    let root = FileSystem.parent(of: FileSystem.parent(of: FileSystem.parent(of: #filePath)))
    return try FileSystem.read("\(root)/models/catalogue.json", limit: 1 << 20)
  }

  @Test func everyEntryAndEveryAliasHasAPrice() throws {
    let document = try Self.document()
    let catalogue = Catalogue(shipped: document)
    let value = try JSON.parse(document)
    let names = (value["models"].object?.keys ?? []) + (value["aliases"].object?.keys ?? [])
    #expect(names.count > 60)
    for name in names {
      let facts = try #require(try catalogue.facts(for: name), "\(name)")
      let price = try #require(facts.price(on: LocalDay(year: 2026, month: 9, day: 1)), "\(name)")
      #expect(price.rates.output >= price.rates.input, "\(name)")
      #expect(price.rates.cached <= price.rates.input, "\(name)")
      #expect(["openai", "anthropic", "google"].contains(facts.vendor), "\(name)")
    }
    let standard = try #require(try catalogue.defaultModel(of: "openai"))
    #expect(try catalogue.facts(for: standard) != nil)
  }

  @Test(arguments: [
    ("gemini-2.0-flash-exp", "0.075", "0.3"), ("gemini-2.0-flash-thinking", "0.2", "0.8"),
    ("gemini-1.5-pro", "1.25", "5"), ("gpt-4o", "2.5", "10"), ("gpt-4o-mini", "0.15", "0.6"),
  ])
  func knowsTheFirstModels(_ row: (model: String, input: String, output: String)) throws {
    let facts = try Catalogue(shipped: try Self.document()).facts(for: row.model)
    let rates = try #require(facts?.price(on: LocalDay(year: 2026, month: 9, day: 1))).rates
    #expect(rates.input.decimalText == row.input)
    #expect(rates.output.decimalText == row.output)
  }
}
