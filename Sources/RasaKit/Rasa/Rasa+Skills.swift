import RasaCore
import RasaPersona
import RasaTools

extension Rasa {
  /// Instructions for a special task, with files and scripts, that a model loads when it needs them: a folder with a
  /// `SKILL.md`.
  public struct Skill: Sendable, Hashable, Identifiable {
    /// The name of its folder.
    public var name: String
    /// The same as `name`.
    public var id: String { name }
    /// What it does and when to use it, in its author's words.
    public var description: String
    /// Its license, where the file names one.
    public var license: String?
    /// What it needs of its surroundings, in words.
    public var compatibility: String?
    /// The tools that may be used once it is loaded, as the file spells them; nil for all.
    public var allowedTools: [String]?
    /// Those of them that mean no tool here.
    public var unknownTools: [String]
    /// The folder.
    public var folder: String
    /// The place that it was found in, such as `.claude/skills`.
    public var origin: String
    /// Whether it belongs to the project. Such a skill is used only once the user trusts the project.
    public var isProject: Bool
    /// Whether a run would use it.
    public var isTrusted: Bool
    /// The places in which another skill has the same name and is not used.
    public var shadows: [String]
    /// What it has beside its instructions, by paths from its folder.
    public var files: [String]
    /// Whatever else its author noted about it.
    public var metadata: JSON

    init(_ skill: RasaPersona.Skill, _ library: SkillLibrary, isTrusted: Bool) {
      name = skill.name
      description = skill.description
      license = skill.license
      compatibility = skill.compatibility
      allowedTools = skill.allowedTools
      unknownTools = AllowedTools(skill.allowedTools ?? []).unknown
      folder = skill.folder
      origin = skill.place
      isProject = skill.isProject
      self.isTrusted = isTrusted
      shadows = skill.shadows
      files = library.files(of: skill).paths
      metadata = JSON(.object(skill.metadata))
    }

    /// The skill as the JSON documents of the program `rasa` have it.
    public var json: JSON {
      JSON(
        [
          "name": .string(name), "description": .string(description), "from": .string(origin),
          "folder": .string(folder), "project": .bool(isProject), "trusted": .bool(isTrusted),
          "shadows": .array(shadows.map(Value.string)),
          "license": license.map(Value.string) ?? .null,
          "compatibility": compatibility.map(Value.string) ?? .null,
          "allowed_tools": allowedTools.map { .array($0.map(Value.string)) } ?? .null,
          "unknown_tools": .array(unknownTools.map(Value.string)),
          "files": .array(files.map(Value.string)), "metadata": metadata.value,
        ] as Value)
    }
  }

  /// What was found in the folders of skills.
  public struct SkillList: Sendable {
    /// Those that can be read, by precedence.
    public var skills: [Skill]
    /// What keeps others from being used, each with its place.
    public var problems: [RasaError]
    /// What is odd about some.
    public var warnings: [FileWarning]
    /// The folders that were looked in.
    public var places: [String]
  }

  /// The skills of the project and of the user.
  public func skills() async throws(RasaError) -> SkillList {
    try await prepared { rasa throws(Failure) in
      let library = rasa.composition.skillLibrary()
      var isTrusted = true
      if library.skills.contains(where: \.isProject) {
        isTrusted = try rasa.composition.trustsProjectSkills()
      }
      return SkillList(
        skills: library.skills.map {
          Skill($0, library, isTrusted: isTrusted || !$0.isProject)
        }, problems: library.broken.map { RasaError($0) },
        warnings: library.warnings.map { FileWarning($0) }, places: library.placesLookedIn)
    }
  }

  /// One skill, with the instructions that a model gets when it loads it.
  ///
  /// - Throws: A `RasaError` of code `configuration` when there is none of that name, or it is broken.
  public func skill(named name: String) async throws(RasaError) -> (
    skill: Skill, instructions: String
  ) {
    try await prepared { rasa throws(Failure) in
      let library = rasa.composition.skillLibrary()
      let skill = try library.require(name)
      var isTrusted = true
      if skill.isProject { isTrusted = try rasa.composition.trustsProjectSkills() }
      return (Skill(skill, library, isTrusted: isTrusted), try library.body(of: skill))
    }
  }
}
