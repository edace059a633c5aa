import RasaCore
import RasaKit

/// `rasa trust list|add|remove`.
struct TrustCommands {
  let rasa: Rasa
  let time: TimeSource
  let print: Printer

  func list() async throws {
    let known = try await rasa.trustedProjects()
    try print(
      Table(
        columns: ["FOLDER", "FILES", "SINCE"],
        rows: known.map {
          [
            $0.folder, "\($0.files.count)",
            momentText(Timestamp(milliseconds: $0.since), time),
          ]
        },
        values: known.map { project in
          [
            "folder": .string(project.folder), "since_ms": .int(project.since),
            "files": .array(project.files.map { .string($0) }),
          ]
        }, whenEmpty: "no trusted folders; `rasa trust add DIR` adds one"))
  }

  func add(_ folder: String) async throws {
    let changes = try await rasa.trust(project: folder)
    if print.isJSON {
      return try print(
        [
          "folder": .string(changes.folder), "trusted": .bool(!changes.isEmpty),
          "changes": .array(changes.lines.map { .string($0) }),
        ] as Value)
    }
    guard !changes.isEmpty else {
      return try print(
        text: "the files of \(changes.folder) change nothing, so no trust is needed\n")
    }
    try print(text: changes.lines.map { "  \($0)\n" }.joined())
    try print(text: "trusted \(changes.folder) as it is now\n")
  }

  func remove(_ folder: String) async throws {
    let path = try await rasa.distrust(project: folder)
    if print.isJSON {
      return try print(["folder": .string(path), "trusted": false] as Value)
    }
    try print(text: "\(path) is no longer trusted\n")
  }
}
