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

  @Test("the picture of targets has the arrows of Package.swift, and none that follows from others")
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

  /// Whether there is such a file, folder, or Swift file without its extension.
  private static func exists(_ path: String) throws -> Bool {
    if (try? FileSystem.list(path)) != nil { return true }
    let file = path.hasSuffix(".swift") ? path : "\(path).swift"
    return try FileSystem.readIfPresent(file, limit: 1 << 20) != nil
  }

  @Test(
    "every file and folder that documents name exists",
    arguments: ["ARCHITECTURE.md", "CONTRIBUTING.md"])
  func paths(document: String) throws {
    let parts = try Repository.text(document).split(
      separator: "`", omittingEmptySubsequences: false)
    var checked = 0
    for (index, part) in parts.enumerated() where index % 2 == 1 {
      guard part.hasPrefix("Rasa"), part.contains("/"), !part.contains(" ") else { continue }
      checked += 1
      let exists = try Self.exists(Repository.path("Sources/\(part)"))
      #expect(exists, "\(document) names `\(part)`")
    }
    #expect(checked > 3)
  }
}
