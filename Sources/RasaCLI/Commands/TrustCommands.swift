import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa trust list|add|remove`.
struct TrustCommands {
  let house: CompositionRoot
  let print: Printer

  private var projects: TrustedProjects { TrustedProjects(house.folders) }

  func list() throws {
    let known = try projects.read()
    try print(
      Table(
        columns: ["FOLDER", "FILES", "SINCE"],
        rows: known.map {
          [$0.path, "\($0.files.count)", momentText($0.since, house.time)]
        },
        values: known.map { project in
          [
            "folder": .string(project.path), "since_ms": .int(project.since.milliseconds),
            "files": .array(project.files.keys.sorted().map { .string($0) }),
          ]
        }, whenEmpty: "no trusted folders; `rasa trust add DIR` adds one"))
  }

  func add(_ folder: String) throws {
    guard FileSystem.kind(of: folder) == .folder else {
      throw Failure(.usage, "\(folder) is not a folder", suggestion: "name the folder of a project")
    }
    let changes = try CompositionRoot(environment: house.environment, project: folder)
      .projectChanges()
    let isNeeded = !changes.isEmpty
    if isNeeded { try projects.add(changes, at: house.time.now()) }
    if print.isJSON {
      return try print(
        [
          "folder": .string(changes.project), "trusted": .bool(isNeeded),
          "changes": .array(changes.lines.map { .string($0) }),
        ] as Value)
    }
    guard isNeeded else {
      return try print(
        text: "the files of \(changes.project) change nothing, so no trust is needed\n")
    }
    try print(text: changes.lines.map { "  \($0)\n" }.joined())
    try print(text: "trusted \(changes.project) as it is now\n")
  }

  func remove(_ folder: String) throws {
    // A folder that is gone is named as it was.
    let path = FileSystem.realPath(folder) ?? folder
    let isRemoved = try projects.remove(path)
    guard isRemoved else {
      throw Failure(
        .usage, "\(path) is not trusted", suggestion: "`rasa trust list` shows the trusted folders")
    }
    if print.isJSON {
      return try print(["folder": .string(path), "trusted": false] as Value)
    }
    try print(text: "\(path) is no longer trusted\n")
  }
}
