package import RasaCore

/// What the files of a folder change of what would happen without them: which of the user's own and
/// the shipped files they take the place of, and where questions go instead.
package struct ProjectChanges: Sendable, Hashable {
  /// The folder, without links.
  package var project: String
  /// A line for each.
  package var lines: [String] = []
  /// The files that do it, by their paths from the project, with their digests.
  package var files: [String: String] = [:]

  /// What the project has that is used only once the user trusts it, and refuses no run until then: skills.
  package var offers: [String] = []
  package var offeredFiles: [String: String] = [:]

  package init(project: String) { self.project = project }

  /// Whether there is nothing to agree to.
  package var isEmpty: Bool { lines.isEmpty && offers.isEmpty }
  /// Whether runs are refused until the user agrees.
  package var needsTrust: Bool { !lines.isEmpty }

  /// The files that are not as they were when the user trusted them.
  func changed(since trusted: [String: String]) -> [String] {
    files.filter { trusted[$0.key] != $0.value }.map(\.key).sorted()
  }

  /// - Parameter changed: the files that have changed since they were trusted.
  package func refusal(changed: [String]) -> Failure {
    var details = lines
    if !changed.isEmpty {
      details.append("changed since you trusted it: \(changed.joined(separator: ", "))")
    }
    return Failure(
      .configuration, "the folder \(project) is not trusted, and its files change what rasa does",
      suggestion:
        "look at them; `rasa trust add \(Self.quoted(project))` trusts them as they are now, "
        + "`--trust` trusts them for one command", details: details)
  }

  private static func quoted(_ path: String) -> String {
    let isPlain = path.utf8.allSatisfy { byte in
      (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
        || "/._-+,@".utf8.contains(byte)
    }
    return isPlain
      ? path
      : "'\(path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
  }
}
