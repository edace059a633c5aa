import RasaCore
import RasaModels
import RasaSystem

extension Rasa {
  /// What came of importing a list of prices.
  public struct ImportedPrices: Sendable, Hashable, Codable {
    /// Models that were left out.
    public struct Skipped: Sendable, Hashable, Codable {
      /// Why, as a phrase.
      public var reason: String
      /// Their names in the list.
      public var models: [String]
    }

    /// The format of the list: `genai-prices` or `litellm`.
    public var format: String
    /// The catalogue that was written. Its prices take precedence over shipped ones.
    public var path: String
    /// How many models have a price there.
    public var models: Int
    /// How many other names of models it has.
    public var aliases: Int
    /// How many models each provider of the list has in the catalogue.
    public var modelsByProvider: [String: Int]
    /// What was left out, by reason.
    public var skipped: [Skipped]
  }

  /// The most bytes that a list of prices may have.
  public static let largestPriceList = PriceImport.largestFile

  /// Writes the prices of a published list into a catalogue in `models/` of the home.
  ///
  /// - Parameters:
  ///   - document: The list: a JSON document of genai-prices or LiteLLM.
  ///   - name: What errors and the catalogue call it, such as its path.
  ///   - catalogue: The name of the catalogue; nil for that of the format. One of that name is replaced.
  ///   - providers: The providers of the list whose models are taken; empty for all.
  /// - Throws: A `RasaError` of code `configuration` when the list cannot be read or has no price that can
  ///   be imported. Nothing has been written then.
  @concurrent
  public func importPrices(
    _ document: [UInt8], named name: String, as catalogue: String? = nil,
    providers: Set<String> = []
  ) async throws(RasaError) -> ImportedPrices {
    try redacted { () throws(Failure) in
      let shipped = Catalogue.shipped()
      _ = try shipped.allFacts()
      let found: PriceImport
      do throws(Failure) {
        found = try PriceImport(
          document, file: name, only: providers,
          vendor: { name throws(Failure) in try shipped.vendor(of: name) })
      } catch {
        var failure = error
        if failure.suggestion.isEmpty {
          failure.suggestion = "check that the file is complete JSON"
        }
        throw failure
      }
      let skipped = PriceImport.Skipped.allCases.compactMap { reason in
        found.skipped[reason].map {
          ImportedPrices.Skipped(reason: reason.rawValue, models: $0)
        }
      }
      guard !found.models.isEmpty else {
        throw Failure(
          .configuration, "no model in \(name) has a price that can be imported",
          suggestion: "choose other providers with --provider",
          details: skipped.map { "\($0.models.count): \($0.reason)" })
      }
      let catalogue = try Self.checked(catalogue ?? found.format.rawValue)
      let path = "\(composition.folders.configuration)/models/\(catalogue).json"
      let fileName = name.split(separator: "/").last.map(String.init) ?? name
      let text = found.catalogue(
        name: catalogue, source: "\(found.format.rawValue), imported from \(fileName)",
        date: composition.time.localDay(composition.time.now()))
      // What cannot be read again would stop every later run.
      let written = CatalogueDocument(file: path, bytes: Array(text.utf8))
      guard written.bytes.count <= CatalogueDocument.largest else {
        throw Failure(
          .configuration, "\(name) has more prices than a catalogue can hold",
          suggestion: "choose some providers with --provider")
      }
      _ = try Catalogue(load: { () throws(Failure) in [written] }).allFacts()
      try FileSystem.makeFolder(FileSystem.parent(of: path))
      try FileSystem.write(written.bytes, to: path)
      return ImportedPrices(
        format: found.format.rawValue, path: path, models: found.models.count,
        aliases: found.aliases.count, modelsByProvider: found.providers.filter { $0.value > 0 },
        skipped: skipped)
    }
  }

  private static func checked(_ name: String) throws(Failure) -> String {
    let isName =
      !name.isEmpty && name.utf8.count <= 64
      && name.utf8.allSatisfy { byte in
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
          || byte == UInt8(ascii: "_")
      }
    guard isName else {
      throw Failure(
        .usage, "\(quoted(name)) is not a valid catalogue name",
        suggestion: "use lower-case letters, digits, `-` and `_`")
    }
    return name
  }
}
