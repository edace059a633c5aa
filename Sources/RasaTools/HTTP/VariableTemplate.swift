package import RasaCore
package import RasaSystem

/// Text in which `${NAME}` stands for a variable of the environment, as declarations of tools and servers have it:
/// also `${NAME:-default}`, and `${env:NAME}`, as other clients write it.
///
/// A variable that is missing or empty is an error that names it: a request without its key would be sent otherwise.
/// What has been inserted is never expanded again.
package struct VariableTemplate: Sendable, Hashable {
  enum Part: Sendable, Hashable {
    case text(String)
    case variable(Variable)
  }

  struct Variable: Sendable, Hashable {
    var name: String
    var otherwise: String?
  }

  let parts: [Part]
  /// What it is, for errors: ``header `Authorization` of `quote` ``.
  let owner: String
  let location: SourceLocation?

  package init(
    _ text: String, of owner: String, at location: SourceLocation? = nil
  ) throws(Failure) {
    self.owner = owner
    self.location = location
    var parts: [Part] = []
    var rest = Substring(text)
    while let start = rest.firstRange(ofBytes: "${") {
      if start.lowerBound > rest.startIndex {
        parts.append(.text(String(rest[..<start.lowerBound])))
      }
      let inside = rest[start.upperBound...]
      guard let end = inside.firstIndex(ofByte: "}") else {
        throw Failure(
          .configuration, "\(owner) has a `${` without its `}`",
          suggestion: "write a variable as ${NAME}", at: location)
      }
      parts.append(.variable(try Variable(inside[..<end], of: owner, at: location)))
      rest = inside[inside.index(after: end)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    self.parts = parts
  }

  /// The names that it mentions.
  package var variables: [String] {
    parts.compactMap { if case .variable(let variable) = $0 { variable.name } else { nil } }
  }

  package func expand(_ environment: Environment) throws(Failure) -> String {
    var text = ""
    for part in parts {
      switch part {
      case .text(let literal): text += literal
      case .variable(let variable): text += try variable.value(environment, of: owner, at: location)
      }
    }
    return text
  }
}

extension VariableTemplate.Variable {
  init(_ text: Substring, of owner: String, at location: SourceLocation?) throws(Failure) {
    var name = text.hasBytePrefix("env:") ? text.dropFirst(4) : text
    if let mark = name.firstRange(ofBytes: ":-") {
      otherwise = String(name[mark.upperBound...])
      name = name[..<mark.lowerBound]
    }
    guard let first = name.utf8.first, !(48...57).contains(first),
      name.utf8.allSatisfy({ isWordByte($0) })
    else {
      throw Failure(
        .configuration, "\(owner) has `${\(text.printable(atMost: 40))}`, which is no variable",
        suggestion: "write ${NAME} or ${NAME:-default}, with letters, digits and `_`", at: location)
    }
    self.name = String(name)
  }

  func value(
    _ environment: Environment, of owner: String, at location: SourceLocation?
  ) throws(Failure) -> String {
    if let value = environment[name] ?? otherwise { return value }
    let isEmpty = environment.variables[name] != nil
    throw Failure(
      .configuration,
      "\(owner) needs the variable \(name), which is \(isEmpty ? "empty" : "not set")",
      suggestion: "set it: export \(name)=…", at: location)
  }
}

func isWordByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
    true
  default: false
  }
}
