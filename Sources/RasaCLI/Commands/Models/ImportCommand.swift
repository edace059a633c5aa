import RasaCore
import RasaKit
import RasaModels
import RasaSystem

/// `rasa models import`: takes prices over from the formats that others publish.
struct ImportCommand {
  let house: CompositionRoot
  let print: Printer

  func run(file: String, name: String?, providers: [String]) throws {
    let bytes =
      file == "-"
      ? try FileSystem.readToEnd(0, limit: PriceImport.largestFile, name: "standard input")
      : try FileSystem.read(file, limit: PriceImport.largestFile)
    let shipped = Catalogue.shipped()
    _ = try shipped.allFacts()
    let found: PriceImport
    do throws(Failure) {
      found = try PriceImport(
        bytes, file: file, only: Set(providers),
        vendor: { name throws(Failure) in try shipped.vendor(of: name) })
    } catch {
      var failure = error
      if failure.suggestion.isEmpty { failure.suggestion = "check that the file is complete JSON" }
      throw failure
    }
    guard !found.models.isEmpty else {
      throw Failure(
        .configuration, "no model in \(file) has a price that can be imported",
        suggestion: "choose other providers with --provider",
        details: Self.reasons(found).map { "\($0.count): \($0.reason)" })
    }
    let name = try Self.checked(name ?? found.format.rawValue)
    let path = "\(house.folders.configuration)/models/\(name).json"
    let text = found.catalogue(
      name: name, source: "\(found.format.rawValue), imported from \(Self.fileName(of: file))",
      date: house.time.localDay(house.time.now()))
    // What cannot be read again would stop every later run.
    let document = CatalogueDocument(file: path, bytes: Array(text.utf8))
    guard document.bytes.count <= CatalogueDocument.largest else {
      throw Failure(
        .configuration, "\(file) has more prices than a catalogue can hold",
        suggestion: "choose some providers with --provider")
    }
    _ = try Catalogue(load: { () throws(Failure) in [document] }).allFacts()
    try FileSystem.makeFolder(FileSystem.parent(of: path))
    try FileSystem.write(document.bytes, to: path)
    try report(found, file: file, path: path)
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

  private static func fileName(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private static func reasons(
    _ found: PriceImport
  ) -> [(reason: String, count: Int, names: [String])] {
    PriceImport.Skipped.allCases.compactMap { reason in
      found.skipped[reason].map { (reason.rawValue, $0.count, $0) }
    }
  }

  private func report(_ found: PriceImport, file: String, path: String) throws {
    let providers = found.providers.filter { $0.value > 0 }
    let reasons = Self.reasons(found)
    if print.isJSON {
      return try print(
        [
          "file": .string(file), "format": .string(found.format.rawValue), "path": .string(path),
          "models": .int(Int64(found.models.count)),
          "aliases": .int(Int64(found.aliases.count)),
          "providers": .object(
            ValueObject(
              providers.sorted { $0.key < $1.key }.map { ($0.key, .int(Int64($0.value))) })),
          "skipped": .array(
            reasons.map {
              [
                "reason": .string($0.reason), "count": .int(Int64($0.count)),
                "models": .array($0.names.map(Value.string)),
              ]
            }),
        ] as Value)
    }
    try print(
      text: "imported \(found.models.count) \(found.models.count == 1 ? "model" : "models") of "
        + "\(providers.count) \(providers.count == 1 ? "provider" : "providers") from \(file) "
        + "(\(found.format.rawValue))\nwrote \(path); its prices take precedence over shipped ones\n"
    )
    guard !reasons.isEmpty else { return }
    try print(text: "\nskipped\n")
    try print(
      Table(
        columns: ["COUNT", "WHY", "SUCH AS"],
        rows: reasons.map {
          [String($0.count), $0.reason, $0.names.prefix(3).joined(separator: ", ")]
        },
        values: []))
  }
}
