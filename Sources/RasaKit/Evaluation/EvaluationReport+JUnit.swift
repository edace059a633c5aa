import RasaCore

extension EvaluationReport {
  /// The report as JUnit XML: a test case for each case and model, and for each recording.
  package var junit: String {
    var lines: [String] = []
    var (failures, errors, skipped) = (0, 0, 0)
    for group in groups {
      let name = group.model.isEmpty ? group.name : "\(group.name) [\(group.model)]"
      let total = group.seconds * Double(group.ran)
      lines.append(
        "    <testcase classname=\"\(group.subject.xml)\" name=\"\(name.xml)\" file=\"\(group.file.xml)\" time=\"\(total.fixed(3))\">"
      )
      let problems = group.problems.map { "\($0.count) × \($0.text)" }.joined(separator: "\n")
      let rate = "\(group.passes) of \(group.ran) trials passed"
      switch group.verdict {
      case .pass: break
      case .notRun:
        skipped += 1
        lines.append("      <skipped message=\"not run: the limit of cost was reached\"/>")
      case .fail where group.count(.failed) == 0:
        errors += 1
        lines.append("      <error message=\"\(rate.xml)\">\(problems.xml)</error>")
      case .fail:
        failures += 1
        lines.append("      <failure message=\"\(rate.xml)\">\(problems.xml)</failure>")
      }
      lines.append("    </testcase>")
    }
    for test in recordings {
      let seconds = test.duration / .seconds(1)
      lines.append(
        "    <testcase classname=\"\(test.persona.xml)\" name=\"\(test.path.xml)\" time=\"\(seconds.fixed(3))\">"
      )
      if test.verdict != .ok {
        failures += 1
        let text = test.failure?.message ?? "\(test.differences.count) differences"
        lines.append(
          "      <failure message=\"\(test.verdict.description.xml)\">\(text.xml)</failure>")
      }
      lines.append("    </testcase>")
    }
    let counts =
      "tests=\"\(count)\" failures=\"\(failures)\" errors=\"\(errors)\" skipped=\"\(skipped)\""
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites \(counts)>
        <testsuite name="rasa eval" \(counts)>
      \(lines.joined(separator: "\n"))
        </testsuite>
      </testsuites>

      """
  }
}
