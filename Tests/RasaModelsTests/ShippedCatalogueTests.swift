import RasaCore
import RasaDocuments
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaModels

@Suite struct ShippedCatalogueTests {
  private static func document() throws -> [UInt8] {
    return try FileSystem.read(Repository.path("models/catalogue.json"), limit: 1 << 20)
  }

  static func catalogue(overlay: String? = nil) throws -> Catalogue {
    Catalogue(shipped: try document(), overlays: overlay.map { [Array($0.utf8)] } ?? [])
  }

  @Test func everyNameThatPeopleUseIsThatOfAModel() throws {
    let document = try Self.document()
    let catalogue = Catalogue(shipped: document)
    let value = try JSON.parse(document)
    let names = try #require(value["names"].object)
    #expect(names.count > 40)
    for (name, model) in names {
      #expect(try catalogue.properName(of: name) == model.string, "\(name)")
      #expect(try catalogue.facts(for: name) != nil, "\(name)")
      #expect(value["aliases"][name].isNull && value["models"][name].isNull, "\(name)")
    }
  }

  @Test(arguments: ["openai", "anthropic", "gemini"], ModelClass.allCases)
  func everyClassHasModelsForEveryPurse(provider: String, wanted: ModelClass) throws {
    let catalogue = try Self.catalogue()
    let models = try catalogue.models(of: wanted, at: provider)
    #expect(models.count > 1)
    for model in models {
      let facts = try #require(try catalogue.facts(for: model), "\(model)")
      #expect(facts.id == model && !facts.prices.isEmpty, "\(model)")
      if wanted == .reasoning { #expect(facts.isThinking, "\(model)") }
    }
  }

  @Test func everyEntryAndEveryAliasHasWhatIsNeeded() throws {
    let document = try Self.document()
    let catalogue = Catalogue(shipped: document)
    let value = try JSON.parse(document)
    let names = (value["models"].object?.keys ?? []) + (value["aliases"].object?.keys ?? [])
    #expect(names.count > 100)
    for name in names {
      let facts = try #require(try catalogue.facts(for: name), "\(name)")
      #expect(facts.source.isEmpty == facts.prices.isEmpty && !facts.vendor.isEmpty, "\(name)")
      if let most = facts.maxOutput { #expect(most <= facts.context ?? .max, "\(name)") }
      if facts.isOpen {
        #expect(facts.prices.isEmpty, "\(name)")
        continue
      }
      #expect(["openai", "anthropic", "google"].contains(facts.vendor), "\(name)")
      #expect(facts.context != nil, "\(name)")
      let price = try #require(facts.price(on: LocalDay(year: 2026, month: 9, day: 1)), "\(name)")
      #expect(
        price.version.hasPrefix(facts.id) && price.version.hasSuffix("(genai-prices 2026-08-21)"))
      for rates in [price.rates] + price.tiers.map(\.rates) {
        // Of what only makes vectors there is no output.
        #expect(rates.output >= rates.input || rates.output == .zero, "\(name)")
        #expect(rates.cached <= rates.input, "\(name)")
        #expect(rates.cacheWrite >= rates.input, "\(name)")
      }
    }
  }

  @Test func everythingReadAtOnceIsWhatIsReadOneByOne() throws {
    let document = try Self.document()
    let lazily = Catalogue(shipped: document)
    let all = try Catalogue(shipped: document).allFacts()
    #expect(all.map(\.id) == all.map(\.id).sorted())
    for facts in all { #expect(try lazily.facts(for: facts.id) == facts) }
  }

  @Test(arguments: [("openai", "openai"), ("anthropic", "anthropic"), ("gemini", "google")])
  func hasAModelWhereNobodyNamedOne(_ row: (provider: String, vendor: String)) throws {
    let catalogue = Catalogue(shipped: try Self.document())
    let name = try #require(try catalogue.defaultModel(of: row.provider))
    let facts = try #require(try catalogue.facts(for: name))
    #expect(facts.id == name && facts.vendor == row.vendor)
    let rates = try #require(facts.price(on: LocalDay(year: 2026, month: 9, day: 1))).rates
    #expect(rates.output <= Money(decimal: "5") ?? .zero)
  }

  @Test(
    arguments: [
      ("gpt-9", "openai"), ("claude-sonnet-9-20280101", "anthropic"), ("gemini-9-pro", "google"),
      ("llama3.2:3b", "meta"), ("mine", nil),
    ] as [(String, String?)])
  func knowsWhoseAModelIs(_ row: (model: String, vendor: String?)) throws {
    #expect(try Catalogue(shipped: try Self.document()).vendor(of: row.model) == row.vendor)
  }

  @Test(arguments: [
    ("llama3:8b", "llama3"), ("llama3.2:3b-instruct-q4_K_M", "llama3.2"),
    ("gpt-oss:120b", "gpt-oss"),
    ("library/qwen3:8b", "qwen3"), ("mistral-small:24b", "mistral-small3.2"),
  ])
  func knowsOpenModelsInEverySize(_ row: (model: String, id: String)) throws {
    let document = try Self.document()
    #expect(try Catalogue(shipped: document).facts(for: row.model)?.id == row.id)
    let all = Catalogue(shipped: document)
    _ = try all.allFacts()
    #expect(try all.facts(for: row.model)?.id == row.id)
    #expect(try all.facts(for: "gpt-4o:extended") == nil)
  }

  @Test func theExampleOfTheDocumentationCanBeRead() throws {
    let page = String(
      decoding: try FileSystem.read(Repository.path("docs/models.md"), limit: 1 << 20),
      as: UTF8.self)
    let example = try #require(page.split(separator: "```json\n").dropFirst().first)
    let text = try #require(example.split(separator: "```").first)
    let document = CatalogueDocument(file: "ours.json", bytes: Array(text.utf8))
    let shipped = CatalogueDocument(
      file: "shipped", bytes: try Self.document(), isShipped: true)
    let catalogue = Catalogue { () throws(Failure) in [document, shipped] }
    #expect(try catalogue.facts(for: "fast")?.id == "gpt-5.6-luna")
    let price = try catalogue.facts(for: "gpt-4o")?.price(
      on: LocalDay(year: 2026, month: 9, day: 1))
    #expect(price?.version == "gpt-4o (ours 2026-09-01)")
    let shippedCount = try Catalogue(shipped: shipped.bytes).allFacts().count
    #expect(try catalogue.allFacts().count == shippedCount + 1)
  }

  /// One model a line, so that a change of price is one line of a difference. The models come last: nothing behind
  /// them is read for somebody who asks for one.
  @Test func keepsItsShape() throws {
    let text = String(decoding: try Self.document(), as: UTF8.self)
    #expect(try JSON.parse(text).object?.keys.last == "models")
    let models = try #require(text.split(separator: "\"models\": {\n").last)
    let lines = models.split(separator: "\n").dropLast(2)
    for line in lines {
      #expect(line.hasPrefix("    \"") && line.contains("\": {\"vendor\": \""), "\(line)")
      #expect(line.hasSuffix(line == lines.last ? "}" : "},"), "\(line)")
    }
    #expect(lines.count == (try JSON.parse(text)["models"].object?.count))
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
