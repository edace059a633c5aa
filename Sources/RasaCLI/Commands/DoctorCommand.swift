import RasaCore
import RasaKit

/// `rasa doctor`: what works here, and what to do about what does not.
struct DoctorCommand {
  let rasa: Rasa
  let print: Printer

  func run() async throws {
    let findings = await rasa.diagnose()
    if print.isJSON {
      try print(
        .array(
          [value("rasa", "ok", "version \(Program.version)")]
            + findings.map {
              value($0.subject, $0.status.description, $0.text, suggestion: $0.suggestion)
            }))
    } else {
      try print(text: "ok     rasa: version \(Program.version)\n")
      for finding in findings {
        let suggestion = finding.suggestion.isEmpty ? "" : "\n           → \(finding.suggestion)"
        try print(
          text: "\(finding.status.description.padded(to: 7))\(finding.subject): \(finding.text)"
            + "\(suggestion)\n")
      }
    }
    if let error = findings.lazy.compactMap(\.error).first { throw error }
  }

  private func value(
    _ subject: String, _ status: String, _ text: String, suggestion: String = ""
  ) -> Value {
    [
      "subject": .string(subject), "status": .string(status), "text": .string(text),
      "suggestion": suggestion.isEmpty ? .null : .string(suggestion),
    ]
  }
}
