package import RasaCore
package import RasaPersona
package import RasaSystem

/// The skills that are there, by name: the project's before the user's, and an agent's own before both.
package struct SkillLibrary: Sendable {
  /// A folder of skills.
  package struct Place: Sendable, Hashable {
    package var path: String
    package var label: String
    package var isProject: Bool
    /// The folder that links must not lead out of; nil for the user's own, which may be a link farm.
    package var enclosing: String?

    package init(path: String, label: String, isProject: Bool, enclosing: String? = nil) {
      self.path = path
      self.label = label
      self.isProject = isProject
      self.enclosing = enclosing
    }

    package var root: FileRoot {
      if let enclosing { return FileRoot(path, beneath: enclosing) }
      return FileRoot(path, links: .anywhere)
    }

    package var shownPath: String { root.folder }
  }

  /// In order of precedence, each name once.
  package private(set) var skills: [Skill] = []
  /// Those that cannot be used, with what is wrong; and what is odd about the others.
  package private(set) var broken: [Failure] = []
  package private(set) var warnings: [Warning] = []
  private let places: [Place]

  /// A folder with more is not read to its end.
  static let mostInPlace = 1_000

  package init(_ places: [Place]) {
    self.places = places
    for place in places { survey(place) }
  }

  package subscript(name: String) -> Skill? { skills.first { $0.name == name } }

  /// The places that skills were looked for in.
  package var placesLookedIn: [String] { places.map(\.shownPath) }

  private mutating func survey(_ place: Place) {
    let root = place.root
    switch root.standing {
    case .nothing: return
    case .outside:
      warnings.append(Warning("\(place.shownPath) is left out: \(root.refusal.message)"))
      return
    case .there(let kind, _): guard kind == .folder else { return }
    }
    let entries: [FileSystem.Entry]
    do throws(Failure) {
      entries = try FileSystem.list(root.folder)
    } catch {
      warnings.append(Warning("\(error.message), so its skills are left out"))
      return
    }
    if entries.count > Self.mostInPlace {
      warnings.append(
        Warning(
          "\(place.shownPath) has more than \(Self.mostInPlace) entries; only the first are read"))
    }
    for entry in entries.prefix(Self.mostInPlace) where entry.name.utf8.first != UInt8(ascii: ".") {
      // A link out of a project's folder is refused where it is read.
      guard entry.kind == .folder || root.standing(of: entry.name) == .outside else { continue }
      read(entry.name, in: place)
    }
  }

  private mutating func read(_ name: String, in place: Place) {
    let path = "\(name)/\(Skill.fileName)"
    let shown = FileSystem.path(path, in: place.shownPath)
    let location = SourceLocation(file: shown, line: 1, column: 1)
    do throws(Failure) {
      guard let bytes = try place.root.readIfPresent(path, limit: SkillReader.largest) else {
        return
      }
      guard Skill.isName(name) else {
        broken.append(
          Failure(
            .configuration,
            "the folder of a skill is named `\(name.printable(atMost: 40, ellipsis: "…"))`",
            suggestion:
              "names have at most \(Skill.longestName) lowercase letters, digits and single hyphens inside",
            at: location))
        return
      }
      let (reading, _) = SkillReader.read(
        SourceDocument(bytes: bytes, path: shown), named: name,
        in: FileSystem.path(name, in: place.shownPath), place: place.label,
        isProject: place.isProject)
      warnings += reading.warnings
      broken += reading.failures
      guard let skill = reading.definition else { return }
      if let index = skills.firstIndex(where: { $0.name == name }) {
        skills[index].shadows.append(place.label)
      } else {
        skills.append(skill)
      }
    } catch {
      broken.append(
        Failure(
          error.kind, "a skill cannot be read: \(error.message)", suggestion: error.suggestion,
          at: location))
    }
  }

  // MARK: Its contents

  /// The files of a skill, beneath its folder wherever links lead.
  func root(of skill: Skill) -> FileRoot {
    for place in places where FileSystem.path(skill.name, in: place.shownPath) == skill.folder {
      if let enclosing = place.enclosing {
        return FileRoot("\(place.path)/\(skill.name)", beneath: enclosing)
      }
    }
    // The user's own folder may be a link; what is in it stays beneath where that leads.
    return FileRoot(FileSystem.realPath(skill.folder) ?? skill.folder)
  }

  /// The text that a model gets when it asks for the skill.
  package func body(of skill: Skill) throws(Failure) -> String {
    let bytes = try root(of: skill).read(Skill.fileName, limit: SkillReader.largest)
    return SkillReader.read(
      SourceDocument(bytes: bytes, path: skill.location.file), named: skill.name,
      in: skill.folder, place: skill.place, isProject: skill.isProject
    ).body
  }

  /// A file of the skill.
  package func file(
    _ path: String, of skill: Skill, limit: Int
  ) throws(Failure) -> [UInt8] {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard !path.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != ".." }), !path.utf8.contains(0)
    else {
      throw Failure(
        .usage, "`\(path.printable(atMost: 80, ellipsis: "…"))` is no path in the skill",
        suggestion: "name a file from the skill's folder, such as `references/guide.md`")
    }
    return try root(of: skill).read(path, limit: limit)
  }

  /// The paths of all its files, as far as they are wanted, sorted; and whether there are more.
  package func files(of skill: Skill, limit: Int = 200) -> (paths: [String], hasMore: Bool) {
    var paths: [String] = []
    var folders = [""]
    var visited = 0
    let root = root(of: skill)
    while let folder = folders.popLast(), visited < 100 {
      visited += 1
      let entries =
        (try? FileSystem.list(folder.isEmpty ? root.folder : "\(root.folder)/\(folder)")) ?? []
      for entry in entries where entry.name.utf8.first != UInt8(ascii: ".") {
        let path = folder.isEmpty ? entry.name : "\(folder)/\(entry.name)"
        // What a link leads out to is no file of the skill.
        guard case .there(let kind, _) = root.standing(of: path) else { continue }
        switch kind {
        case .folder: if folder.utf8.count < 200 { folders.append(path) }
        case .file:
          guard paths.count < limit else { return (paths.sorted(), true) }
          if path != Skill.fileName { paths.append(path) }
        case .other: break
        }
      }
    }
    return (paths.sorted(), !folders.isEmpty)
  }
}
