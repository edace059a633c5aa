import RasaCore
import RasaDocuments

/// fabric: `patterns/NAME/system.md`, named after its folder. `user.md` beside it is the user's
/// message, which an agent does not need.
enum FabricPattern {
  static func agent(_ matter: FrontMatter, _ path: AgentPath) -> ForeignAgent {
    var agent = ForeignAgent(
      .fabric, matter, path, called: path.folder ?? path.stem, rules: [:])
    // fabric's templates have the input, plugins, and names that are set on the command line.
    agent.prompt = ForeignTemplate(agent.prompt).escaped { name in
      if name == "input" { return name }
      let isName =
        !name.isEmpty
        && name.utf8.allSatisfy { byte in
          (byte >= 0x61 && byte <= 0x7A) || (byte >= 0x30 && byte <= 0x39) || byte == 0x5F
        }
      return isName && !["name", "id", "description", "category"].contains(name) ? name : nil
    }
    agent.leaveInsertions([(part: "\\{{plugin:", shown: "{{plugin:…}}")])
    agent.identify()
    agent.describe(matter.node?["description"])
    return agent
  }
}
