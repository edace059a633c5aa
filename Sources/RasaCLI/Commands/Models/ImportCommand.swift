import RasaCore
import RasaKit
import RasaSystem

/// `rasa models import`: imports prices from the lists that others publish.
struct ImportCommand {
  let rasa: Rasa
  let print: Printer

  func run(file: String, name: String?, providers: [String]) async throws {
    let bytes =
      file == "-"
      ? try FileSystem.readToEnd(0, limit: Rasa.largestPriceList, name: "standard input")
      : try FileSystem.read(file, limit: Rasa.largestPriceList)
    let found = try await rasa.importPrices(
      bytes, named: file, as: name, providers: Set(providers))
    if print.isJSON {
      return try print(
        [
          "file": .string(file), "format": .string(found.format), "path": .string(found.path),
          "models": .int(Int64(found.models)), "aliases": .int(Int64(found.aliases)),
          "providers": .object(
            ValueObject(
              found.modelsByProvider.sorted { $0.key < $1.key }
                .map { ($0.key, .int(Int64($0.value))) })),
          "skipped": .array(
            found.skipped.map {
              [
                "reason": .string($0.reason), "count": .int(Int64($0.models.count)),
                "models": .array($0.models.map(Value.string)),
              ]
            }),
        ] as Value)
    }
    let providers = found.modelsByProvider.count
    try print(
      text: "imported \(found.models) \(found.models == 1 ? "model" : "models") of "
        + "\(providers) \(providers == 1 ? "provider" : "providers") from \(file) "
        + "(\(found.format))\nwrote \(found.path); its prices take precedence over shipped ones\n"
    )
    guard !found.skipped.isEmpty else { return }
    try print(text: "\nskipped\n")
    try print(
      Table(
        columns: ["COUNT", "WHY", "SUCH AS"],
        rows: found.skipped.map {
          [String($0.models.count), $0.reason, $0.models.prefix(3).joined(separator: ", ")]
        },
        values: []))
  }
}
