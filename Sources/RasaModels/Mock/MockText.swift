import RasaCore

/// The mock's prose: about whatever was asked, claiming nothing.
enum MockText {
  static func answer(to prompt: MockPrompt, name: String) -> String {
    let topic = prompt.topic.isEmpty ? "the request" : "“\(prompt.topic)”"
    let name = name.lowercased()
    var text: String
    if name.hasBytes("explain") {
      text =
        "The made-up answer on \(topic) has two steps: it separates what you asked from what you told"
        + " it, and weighs the one against the other\(wishes(prompt))."
        + " A real model would name its evidence here."
    } else if name.hasBytes("alt") {
      text =
        "Two made-up alternatives for \(topic): first, decide later and gather what is missing;"
        + " second, take a smaller step that is easy to undo\(wishes(prompt))."
    } else {
      text =
        "This is a made-up answer on \(topic): no model was asked. It restates the question, weighs"
        + " the arguments for and against, and draws a careful conclusion\(wishes(prompt))."
    }
    if !prompt.attachments.isEmpty {
      text += " The mock did not look at \(prompt.attachments.joined(separator: ", "))."
    }
    if !prompt.used.isEmpty {
      text +=
        " The mock called \(prompt.used.joined(separator: ", ")), and a real model would read what they returned."
    }
    if prompt.isRevision {
      text +=
        "\n\n\(MockPrompt.revisionMark(prompt.topic)): the conclusion would change if its"
        + " assumptions proved wrong."
    }
    return text
  }

  private static func wishes(_ prompt: MockPrompt) -> String {
    let known = prompt.preferences.prefix(6).map { pair in
      "\(pair.key.map { $0 == "_" ? " " : String($0) }.joined()) \(pair.value)"
    }
    return known.isEmpty ? "" : ", keeping to " + known.joined(separator: ", ")
  }
}
