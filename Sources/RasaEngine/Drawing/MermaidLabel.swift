/// Text as it can stand between the quotes of a Mermaid label: nothing in it is taken for syntax,
/// for HTML or for Markdown, and it is no longer than a picture can show.
package func mermaidLabel(_ text: String, longest: Int = 80) -> String {
  var label = ""
  var count = 0
  for scalar in text.unicodeScalars {
    guard count < longest else { return label + "…" }
    count += 1
    switch scalar {
    case "\"": label += "'"
    case "`": label += "'"
    case "#": label += "#35;"
    case "<": label += "#lt;"
    case ">": label += "#gt;"
    case "&": label += "#amp;"
    case ";": label += "#59;"
    case "\\": label += "/"
    default:
      let isText =
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
      label.unicodeScalars.append(isText ? scalar : " ")
    }
  }
  return label
}
