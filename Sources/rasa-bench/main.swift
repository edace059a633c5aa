import Glibc
import RasaCore
import RasaTestKit

// Measures rasa against bare libcurl (and curl) on this machine, in one run: every row is a ratio
// of medians, so that it says something on a machine that is shared. Prints the table and, with
// --json, one document.
//
//   rasa-bench RASA PROVIDER FLOORS [--json] [ROW…]

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == Reserving.command {
  await Task.detached {
    do {
      try await Reserving.work(Array(arguments.dropFirst()))
      exit(0)
    } catch {
      print("rasa-bench: \(error)")
      exit(3)
    }
  }.value
}
let paths = arguments.prefix(3).map { $0 }
guard paths.count == 3 else {
  print("usage: rasa-bench RASA PROVIDER FLOORS-FOLDER [--json] [ROW…]")
  exit(2)
}
let wanted = arguments.dropFirst(3).filter { !$0.hasPrefix("--") }
let isJSON = arguments.contains("--json")

// Off the main actor, as the program itself is.
await Task.detached {
  do {
    let bench = try Bench(rasa: paths[0], provider: paths[1], floors: paths[2])
    var results: [RowResult] = []
    if !isJSON { print(RowResult.heading) }
    let rows =
      wanted.isEmpty
      ? Bench.rows : (Bench.rows + Bench.rowsByName).filter { wanted.contains($0.name) }
    let names = Set(rows.map(\.name))
    if let unknown = wanted.first(where: { !names.contains($0) }) {
      throw Failure(
        .usage,
        "there is no row `\(unknown)`; the rows are: "
          + (Bench.rows + Bench.rowsByName).map(\.name).joined(separator: " · "))
    }
    for row in rows {
      let result = try await row.measure(bench, row)
      results.append(result)
      if !isJSON { print(result.line) }
      fflush(nil)
    }
    if isJSON { print(Value.array(results.map(\.value)).json(.pretty)) }
    exit(results.allSatisfy(\.isMet) ? 0 : 1)
  } catch {
    print("rasa-bench: \(error)")
    exit(3)
  }
}.value
