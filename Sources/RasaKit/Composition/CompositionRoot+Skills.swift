package import RasaCore
package import RasaEngine
import RasaPersona
import RasaSystem
package import RasaTools

/// The folders of skills beside those that are always looked in: those of the agents and personas at work.
final class SkillFolders: Sendable {
  private let known = Locked<[String]>([])

  var paths: [String] { known.withLock { $0 } }

  func add(_ path: String) {
    known.withLock { known in
      if !known.contains(path) { known.append(path) }
    }
  }
}

extension CompositionRoot {
  /// Where skills are looked for, by precedence: beside the agents at work, in the project, in the user's own folder.
  var skillPlaces: [SkillLibrary.Place] {
    let base = FileSystem.realPath(project) ?? FileSystem.absolute(project)
    func isInProject(_ path: String) -> Bool {
      !isProjectOwn && FileSystem.absolute(path).hasBytePrefix("\(base)/")
        && !FileSystem.absolute(path).hasBytePrefix(
          "\(FileSystem.absolute(folders.configuration))/")
    }
    var places = skillFolders.paths.map { path in
      guard isInProject(path) else {
        return SkillLibrary.Place(path: path, label: path, isProject: false)
      }
      return SkillLibrary.Place(
        path: "skills", label: path, isProject: true, enclosing: FileSystem.parent(of: path))
    }
    if !isProjectOwn {
      for folder in ["skills", ".claude/skills"] {
        places.append(
          SkillLibrary.Place(path: folder, label: folder, isProject: true, enclosing: project))
      }
    }
    places.append(
      SkillLibrary.Place(
        path: "\(folders.configuration)/skills", label: "yours", isProject: false))
    return places
  }

  /// Those of the project, the ones beside its personas and agents included: what trust is about.
  var projectSkillPlaces: [SkillLibrary.Place] {
    guard !isProjectOwn else { return [] }
    var folders = ["personas", "agents"]
    let agents = (try? FileSystem.list(FileSystem.path("agents", in: project))) ?? []
    folders += agents.lazy.filter { $0.kind == .folder }.prefix(200).map { "agents/\($0.name)" }
    return skillPlaces.filter(\.isProject)
      + folders.map { folder in
        SkillLibrary.Place(
          path: "\(folder)/skills", label: "\(folder)/skills", isProject: true,
          enclosing: project)
      }
  }

  /// All that there are, trusted or not.
  package func skillLibrary() -> SkillLibrary { SkillLibrary(skillPlaces) }

  /// Those that a run may use.
  ///
  /// - Parameter onWarning: is told of those that are left out.
  func usableSkills(onWarning: (Warning) -> Void = { _ in }) throws(Failure) -> SkillLibrary {
    let all = skillLibrary()
    let ofProject = all.skills.filter(\.isProject)
    guard !ofProject.isEmpty, try !trustsProjectSkills() else { return all }
    let names = ofProject.map { "`\($0.name)`" }.joined(separator: ", ")
    onWarning(
      Warning(
        "the skills \(names) of this project are left out until you trust it; "
          + "`rasa trust add .` trusts its files as they are now"))
    return SkillLibrary(skillPlaces.filter { !$0.isProject })
  }

  /// The tools for skills.
  package func skillTools(_ launcher: any ProcessLauncher) -> SkillTools {
    SkillTools(environment: environment.variables, launcher: launcher, time: time) {
      try usableSkills()
    }
  }

  /// Notes where the graph's own skills are: in a folder `skills` beside the file of each persona and agent in it.
  func noteSkillFolders(of graph: Graph) {
    guard !graph.wantedSkills.isEmpty else { return }
    let file = graph.persona.location.file
    if file.utf8.contains(UInt8(ascii: "/")), !file.hasBytePrefix("shipped:") {
      skillFolders.add(FileSystem.path("skills", in: FileSystem.parent(of: file)))
    }
    for inner in graph.inner { noteSkillFolders(of: inner) }
  }

  /// What a run of the graph finds around it: the skills that its models are offered, and the project's `AGENTS.md`.
  /// Where it wants neither, nothing is looked for.
  package func surroundings(
    of graph: Graph, onWarning: (Warning) -> Void
  ) throws(Failure) -> (context: ValueObject, notices: [RunNotice]) {
    var context = ValueObject()
    var notices: [RunNotice] = []
    let wanted = graph.wantedSkills
    if !wanted.isEmpty {
      noteSkillFolders(of: graph)
      let skills = try usableSkills(onWarning: onWarning)
      for problem in skills.broken {
        onWarning(Warning("a skill is left out: \(problem.message)", at: problem.location))
      }
      for warning in skills.warnings { onWarning(warning) }
      for name in wanted where name != "all" && skills[name] == nil {
        // One that is not trusted has been told.
        if skillLibrary()[name] != nil { continue }
        do throws(Failure) {
          _ = try skills.require(name, at: graph.persona.location)
        } catch {
          // Agents come from anywhere, also from programs that have skills of their own.
          if graph.persona.agent == nil, graph.ownSkills.contains(name) { throw error }
          onWarning(Warning("\(error.message), so it is left out", at: error.location))
        }
      }
      let offered = skills.skills.filter { wanted.contains("all") || wanted.contains($0.name) }
      context["skills"] = .array(
        offered.map { skill in
          [
            "name": .string(skill.name), "description": .string(skill.description),
            "from": .string(skill.place), "project": .bool(skill.isProject),
            "digest": .string(skill.digest),
          ]
        })
    }
    if graph.seesProject {
      let (found, warning) = ProjectNotes.find(from: project, home: environment["HOME"])
      if let warning { onWarning(warning) }
      if let found {
        context["project"] = found.value
        notices.append(
          RunNotice(
            .context,
            "the models are shown \(found.path) (\(byteCountText(found.size))\(found.isCut ? ", cut" : ""))",
            facts: [
              "path": .string(found.path), "bytes": .int(Int64(found.size)),
              "cut": .bool(found.isCut),
            ]))
      }
    }
    return (context, notices)
  }
}
