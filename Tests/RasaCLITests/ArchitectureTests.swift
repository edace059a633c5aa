import RasaSystem
import RasaTestKit
import Testing

@Suite("ARCHITECTURE is true")
struct ArchitectureTests {
  /// Direct dependencies by target, without C targets and tests.
  private static func packageEdges() throws -> [String: Set<String>] {
    let manifest = try Repository.text("Package.swift")
    var edges: [String: Set<String>] = [:]
    for marker in ["library(", ".executableTarget("] {
      for piece in manifest.split(separator: "\(marker)", omittingEmptySubsequences: false)
        .dropFirst()
      {
        // `library(_ name:` is the helper itself, and products name their targets by a label.
        guard let quote = piece.firstIndex(of: "\""), !piece.hasPrefix("_") else { continue }
        if marker == "library(", piece[..<quote].contains("name:") { continue }
        let strings = literals(piece)
        guard let name = strings.first, let open = piece.firstIndex(of: "["),
          let close = piece[open...].firstIndex(of: "]")
        else { continue }
        edges[name] = Set(literals(piece[open...close]).filter { !isC($0) })
      }
    }
    return edges
  }

  private static func literals(_ text: Substring) -> [String] {
    text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
  }

  private static func isC(_ name: String) -> Bool {
    name.first == "C" && name.dropFirst().first?.isUppercase == true
  }

  private static func drawnEdges() throws -> [String: Set<String>] {
    var edges: [String: Set<String>] = [:]
    for line in try Repository.lines("ARCHITECTURE.md") {
      let ends = line.split(separator: " ")
      guard ends.count == 3, ends[1] == "-->", line.hasPrefix("  ") else { continue }
      edges[String(ends[0]), default: []].insert(String(ends[2]))
    }
    return edges
  }

  private static func reachable(_ edges: [String: Set<String>]) -> [String: Set<String>] {
    edges.mapValues { direct in
      var found: Set<String> = []
      var open = Array(direct)
      while let next = open.popLast() {
        guard found.insert(next).inserted else { continue }
        open += edges[next] ?? []
      }
      return found
    }
  }

  @Test(
    "the diagram of targets has the arrows of Package.swift, and none that is implied by others")
  func picture() throws {
    let package = try Self.packageEdges()
    let drawn = try Self.drawnEdges()
    #expect(package.count > 15, "\(package.keys.sorted())")
    let known = Self.reachable(package)
    let shown = Self.reachable(drawn)
    for (target, expected) in known where !expected.isEmpty {
      #expect(
        shown[target, default: []].sorted() == expected.sorted(),
        "draw in ARCHITECTURE.md what `\(target)` depends on")
    }
    for (target, direct) in drawn {
      #expect(package[target] != nil, "Package.swift has no `\(target)`")
      for arrow in direct {
        let others = direct.subtracting([arrow])
        #expect(
          !others.contains { shown[$0, default: []].contains(arrow) },
          "`\(target) --> \(arrow)` follows from other arrows")
      }
    }
  }

  /// Whether there is such a file, folder, or Swift file without its extension. Paths may be relative
  /// to the sources or to the engine, of which ARCHITECTURE says most.
  private static func exists(_ path: String) -> Bool {
    ["", "Sources/", "Sources/RasaEngine/"].contains { folder in
      ["", ".swift"].contains { FileSystem.kind(of: Repository.path(folder + path + $0)) != nil }
    }
  }

  @Test(
    "every file and folder of the sources that a page names exists",
    arguments: Documentation.pages.filter { $0 != "CHANGELOG.md" && !$0.hasPrefix("Sources/") })
  func paths(page: String) {
    for code in Documentation.codes(of: page)
    where code.contains("/") && !code.contains(where: { " $~…*<{(".contains($0) }) {
      let isSource =
        code.hasPrefix("Rasa") || code.hasPrefix("Sources/") || code.hasSuffix(".swift")
      guard isSource || code.hasPrefix("Tests/") else { continue }
      #expect(Self.exists(code), "\(page) names `\(code)`")
    }
  }

  /// The declarations, files and folders of the sources and tests.
  private static func names() throws -> Set<String> {
    let declaration =
      #/\b(?:class|struct|enum|protocol|actor|typealias|case)\s+([A-Z]\w+)/#
    var names: Set<String> = ["Package.swift"]
    var open = ["Sources", "Tests"]
    while let folder = open.popLast() {
      for entry in try FileSystem.list(Repository.path(folder)) {
        names.insert(entry.name)
        let path = "\(folder)/\(entry.name)"
        if entry.kind == .folder { open.append(path) }
        guard entry.name.hasSuffix(".swift") else { continue }
        names.insert(String(entry.name.dropLast(".swift".count)))
        for match in try Repository.text(path).matches(of: declaration) {
          names.insert(String(match.1))
        }
      }
    }
    return names
  }

  @Test("every type and file that ARCHITECTURE names exists")
  func types() throws {
    let names = try Self.names()
    #expect(names.count > 500)
    for code in Documentation.codes(of: "ARCHITECTURE.md") {
      // `Gate`, `RunMachine.due()`, `Gate+Reading`, `Keys.c`: acronyms are of other systems.
      guard let name = code.wholeMatch(of: #/([A-Z][a-z]\w+)(?:[.(+].*)?/#)?.1 else { continue }
      #expect(
        names.contains(String(name)) || names.contains(code), "ARCHITECTURE.md names `\(code)`")
    }
  }
}
