package import RasaCore
package import RasaPersona
package import RasaSystem

/// The headers of a declaration, whose values may name variables: of HTTP tools and of MCP servers.
package struct HeaderTemplate: Sendable, Hashable {
  private struct Entry: Sendable, Hashable {
    let name: String
    let value: VariableTemplate
  }

  private let entries: [Entry]
  private let location: SourceLocation?

  /// Those that make up the message itself, or choose where it goes.
  private static let own: Set = [
    "host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te",
    "trailer",
    "keep-alive", "proxy-authorization", "proxy-connection",
  ]

  /// - Parameter owner: the tool or server, for errors: `` `quote` ``.
  package init(
    _ headers: [Header], of owner: String, at location: SourceLocation? = nil
  ) throws(Failure) {
    var entries: [Entry] = []
    var failures: [Failure] = []
    for header in headers {
      let shown = header.name.printable(atMost: 60)
      if header.name.isEmpty || !header.name.utf8.allSatisfy({ isHeaderNameByte($0) }) {
        failures.append(
          Failure(
            .configuration, "`\(shown)` of \(owner) is no name of a header",
            suggestion: "use letters, digits and `-`", at: location))
      } else if Self.own.contains(header.name.lowercased()) {
        failures.append(
          Failure(
            .configuration, "\(owner) sets the header `\(shown)`, which rasa sets itself",
            suggestion: "remove it", at: location))
      } else {
        do throws(Failure) {
          let value = try VariableTemplate(
            header.value, of: "header `\(shown)` of \(owner)", at: location)
          entries.append(Entry(name: header.name, value: value))
        } catch {
          failures.append(error)
        }
      }
    }
    if let failure = Failure(allOf: failures) { throw failure }
    self.entries = entries
    self.location = location
  }

  package var variables: [String] { entries.flatMap(\.value.variables) }

  func has(_ name: String) -> Bool {
    entries.contains { $0.name.lowercased() == name.lowercased() }
  }

  /// With the variables' values. No error repeats one.
  package func headers(_ environment: Environment) throws(Failure) -> [Header] {
    var headers: [Header] = []
    for entry in entries {
      let value = try entry.value.expand(environment)
      guard !value.utf8.contains(where: { ($0 < 32 && $0 != 9) || $0 == 127 }) else {
        throw Failure(
          .configuration,
          "\(entry.value.owner) has a line break or a control character in its value",
          suggestion:
            "check \(entry.value.variables.joined(separator: ", ")); a file's last line end "
            + "may have come with it", at: location)
      }
      headers.append(Header(name: entry.name, value: value))
    }
    return headers
  }
}

private func isHeaderNameByte(_ byte: UInt8) -> Bool {
  isWordByte(byte) || "!#$%&'*+-.^`|~".utf8.contains(byte)
}
