import RasaCLI
import RasaCore
import RasaSystem
import RasaTestKit
import Testing

/// What the pages claim, apart from examples that are run (`ExampleTests`).
@Suite("Documentation") struct DocumentationTests {
  @Test("is read whole: every page, and every block of a kind that is checked")
  func everyBlock() throws {
    #expect(Documentation.pages.count > 20)
    let checked = Set(
      (Documentation.commands + Documentation.files + Documentation.documents + Documentation.swift
        + Documentation.recordings + Documentation.others).map(\.description))
    for block in Documentation.blocks {
      #expect(checked.contains(block.description), "\(block): nothing checks `\(block.language)`")
    }
    for block in Documentation.commands {
      #expect(!Documentation.lines(of: block).isEmpty, "\(block) has no command: mark it as `text`")
    }
  }

  /// Lines of other programs, alone or before one of rasa.
  @Test("names targets of the Makefile and products that exist", arguments: Documentation.commands)
  func others(block: Documentation.Block) throws {
    let makefile = try Repository.text("Makefile")
    let package = try Repository.text("Package.swift")
    for line in Documentation.lines(of: block).map(\.text) where !Documentation.isOfProgram(line) {
      let words = line.split(separator: " ")
      switch words[0] {
      case "make":
        for target in words.dropFirst() {
          #expect(makefile.contains("\n\(target):"), "\(block): there is no target `\(target)`")
        }
      case "swift":
        #expect(words.count > 2 && words[1] == "run", "\(block): \(line)")
        #expect(package.contains("name: \"\(words[2])\""), "\(block): \(line)")
      case "mkdir", "cp", "export": break
      default: Issue.record("\(block): nothing checks `\(line)`; mark the block as `text`")
      }
    }
  }

  @Test("shows Swift that compiles", arguments: Documentation.swift)
  func swift(block: Documentation.Block) throws {
    func words(_ text: String) -> String { text.filter { !$0.isWhitespace } }
    if block.text.hasPrefix("// Package.swift") {
      let package = try Repository.text("Package.swift")
      #expect(package.contains(".library(name: \"RasaKit\"") && package.contains("name: \"rasa\""))
      #expect(block.text.contains(".product(name: \"RasaKit\", package: \"rasa\")"))
      return
    }
    let compiled = "Tests/RasaKitTests/DocumentedExamples.swift"
    #expect(
      words(try Repository.text(compiled)).contains(words(block.text)),
      "\(block): put the same lines into \(compiled), where they are compiled")
  }

  /// Commands that the pages show as wrong, or that this parser does not read.
  private static let mistakes: Set = ["rasa ls"]

  @Test("names commands and options that exist", arguments: Documentation.pages)
  func inline(page: String) {
    for code in Documentation.codes(of: page) where code.hasPrefix("rasa ") {
      guard !Self.mistakes.contains(code), !code.contains("\""), !code.hasPrefix("rasa …"),
        !code.contains("COMMAND")
      else { continue }
      // What is optional or one of several is left out, and so is what follows the command.
      let line = code.replacing(/\[[^\]]*\]/, with: "").replacing("…", with: "x")
        .replacing(/\|\w+/, with: "").split(separator: /[<>;&|]/)[0]
      let words = line.split(separator: " ").dropFirst().map(String.init)
      do throws(Failure) {
        _ = try CommandLineInterface.parse(words)
      } catch {
        for mistake in ["has no command", "no command `", "has no option", "unexpected argument"] {
          #expect(!error.message.contains(mistake), "\(page): `\(code)`: \(error.message)")
        }
      }
    }
  }

  @Test("lists every command, and none that does not exist")
  func everyCommandIsListed() throws {
    var listed: Set<String> = []
    for line in Documentation.lines(of: "docs/commands.md") where line.hasPrefix("| `") {
      let cell = line.split(separator: "|")[0]
      for match in cell.matches(of: /`([a-z ,]+)`/) {
        let names = match.1.split(separator: ", ")
        let first = names[0].split(separator: " ")
        listed.insert(String(names[0]))
        for name in names.dropFirst() {
          listed.insert((first.dropLast() + [name]).joined(separator: " "))
        }
      }
    }
    let commands = everyCommand.filter { $0.command.subcommands.isEmpty }
      .map { $0.path.joined(separator: " ") }
    #expect(commands.count > 40)
    #expect(Set(commands).subtracting(listed).sorted() == [], "not in docs/commands.md")
    let groups = everyCommand.map { $0.path.joined(separator: " ") }
    #expect(listed.subtracting(groups).sorted() == [], "not a command")
  }

  @Test("links to files and headings that exist", arguments: Documentation.pages)
  func links(page: String) throws {
    let prose = Documentation.prose(of: page).replacing(/`[^`]*`/, with: "")
    for match in prose.matches(of: /\]\(([^)\s]+)\)/) {
      let link = String(match.1)
      guard !link.contains("://"), !link.hasPrefix("mailto:") else { continue }
      let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      let target = parts[0].isEmpty ? page : Self.resolved(String(parts[0]), from: page)
      let kind = FileSystem.kind(of: Repository.path(target))
      #expect(kind != nil, "\(page) links to \(link)")
      guard parts.count == 2, kind == .file else { continue }
      let headings = Documentation.lines(of: target).filter { $0.hasPrefix("#") }.map(Self.anchor)
      #expect(headings.contains(String(parts[1])), "\(page) links to \(link)")
    }
  }

  private static func resolved(_ link: String, from page: String) -> String {
    var parts = page.split(separator: "/").dropLast().map(String.init)
    for part in link.split(separator: "/") {
      switch part {
      case ".": break
      case "..": _ = parts.popLast()
      default: parts.append(String(part))
      }
    }
    return parts.joined(separator: "/")
  }

  /// A heading's name in links, as GitHub makes it.
  private static func anchor(_ heading: Substring) -> String {
    heading.drop { $0 == "#" }.dropFirst().lowercased().compactMap { character in
      character == " "
        ? "-"
        : character.isLetter || character.isNumber || "-_".contains(character)
          ? String(character) : nil
    }.joined()
  }
}
