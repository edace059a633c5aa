import RasaCore
import RasaHTTPClient
import RasaSystem

/// The URL of an HTTP tool. An argument is escaped for where it stands, and none decides which host is asked unless
/// the declaration lists the hosts.
struct URLTemplate: Sendable, Hashable {
  private let template: ArgumentTemplate
  private let hosts: [String]
  private let owner: String
  private let location: SourceLocation?

  init(
    _ text: String, hosts: [String], of owner: String, at location: SourceLocation?
  ) throws(Failure) {
    self.owner = "the URL of `\(owner)`"
    self.hosts = hosts
    self.location = location
    template = try ArgumentTemplate(text, of: self.owner, at: location)
    try check()
  }

  var arguments: [String] { template.arguments }
  /// The variables in the query. Those before it are a part of the address, which is no secret.
  var variables: [String] {
    let query = template.parts.drop { part in
      if case .text(let text) = part { !text.hasByte("?") } else { true }
    }
    return ArgumentTemplate(Array(query)).variables
  }

  /// What no arguments and no environment can mend.
  private func check() throws(Failure) {
    func problem(_ what: String, _ suggestion: String) -> Failure {
      Failure(.configuration, "\(owner) \(what)", suggestion: suggestion, at: location)
    }
    // A variable in front may hold everything up to the path.
    let beginsWithVariable = if case .variable = template.parts.first { true } else { false }
    let parts = expanded { $0 ? "https://example.com" : "x" }
    let sections: Sections
    do throws(UnfitArgument) {
      sections = try Sections(parts)
    } catch {
      throw problem(error.message, "write it as https://host/path")
    }
    if sections.authority.contains(where: { $0.argument != nil }), hosts.isEmpty {
      throw problem(
        "lets an argument choose the host",
        "list the hosts that it may choose under `hosts:`, or write the host out")
    }
    if sections.hasFragment {
      throw problem("has a fragment (`#`), which is never sent", "remove it")
    }
    guard !beginsWithVariable else { return }
    let plain = sections.authority.map { $0.argument == nil ? $0.literal : "x" }.joined()
    guard let url = URLParts("\(sections.scheme)://\(plain)/") else {
      throw problem("cannot be read", "write it as https://host/path")
    }
    if url.hasUser {
      throw problem(
        "has a user or a password in it", "send them in a header: Authorization: Basic ${NAME}")
    }
  }

  /// With a text for each variable; the first part is asked for with `true`.
  private func expanded(_ text: (_ isFirst: Bool) -> String) -> [Piece] {
    template.parts.enumerated().map { index, part in
      switch part {
      case .text(let text): .literal(text)
      case .argument(let name): .argument(name)
      case .variable: .literal(text(index == 0))
      }
    }
  }

  func url(_ arguments: ArgumentValues, _ environment: Environment) throws -> String {
    var pieces: [Piece] = []
    for part in template.parts {
      switch part {
      case .text(let text): pieces.append(.literal(text))
      case .argument(let name): pieces.append(.argument(name))
      case .variable(let variable):
        // One that is the value of a parameter is data, before that it is a part of the address.
        let value = try variable.value(environment, of: owner, at: location)
        let isInQuery = pieces.contains { $0.literal.hasByte("?") }
        pieces.append(.literal(isInQuery ? percentEncoded(value) : value))
      }
    }
    let sections: Sections
    do throws(UnfitArgument) {
      sections = try Sections(pieces)
    } catch {
      throw Failure(.configuration, "\(owner) \(error.message)", at: location)
    }
    let authority = try text(ofAuthority: sections.authority, arguments)
    var url = "\(sections.scheme)://\(authority)"
    url += try text(ofPath: sections.path, arguments)
    let query = try sections.query.flatMap { try pairs($0, arguments) }
    if !query.isEmpty { url += "?" + query.joined(separator: "&") }
    guard let parts = URLParts(url), !parts.hasUser else {
      throw Failure(.configuration, "\(owner) is none that can be requested", at: location)
    }
    if sections.authority.contains(where: { $0.argument != nil }),
      !AddressPolicy(allowsPrivate: hosts).allows(parts.host, port: parts.port)
    {
      throw UnfitArgument(
        "the host `\(parts.host.printable(atMost: 80))` is none of \(hosts.joined(separator: ", "))"
      )
    }
    return url
  }

  private func text(ofAuthority pieces: [Piece], _ arguments: ArgumentValues) throws -> String {
    var text = ""
    for piece in pieces {
      guard let name = piece.argument else {
        text += piece.literal
        continue
      }
      let value = try arguments.text(name)
      guard !value.isEmpty,
        value.utf8.allSatisfy({
          isWordByte($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        })
      else { throw UnfitArgument("the argument `\(name)` is no name of a host") }
      text += value
    }
    return text
  }

  private func text(ofPath pieces: [Piece], _ arguments: ArgumentValues) throws -> String {
    var text = ""
    var segment = ""
    // An argument must not lead to another place: `/users/..` is `/` to many servers, and `/users/` is all users.
    func end() throws {
      if segment == "." || segment == ".." || segment.lowercased() == "%2e%2e" {
        throw UnfitArgument(
          "the arguments make a part of the path that leads elsewhere: `\(segment)`")
      }
      segment = ""
    }
    for piece in pieces {
      guard let name = piece.argument else {
        for (index, part) in piece.literal.split(atByte: "/").enumerated() {
          if index > 0 { try end() }
          segment += part
        }
        text += piece.literal
        continue
      }
      let value = try arguments.text(name)
      guard !value.isEmpty else {
        throw UnfitArgument("the argument `\(name)` is empty, and stands in the path")
      }
      guard !value.utf8.contains(where: { $0 < 32 || $0 == 127 }) else {
        throw UnfitArgument(
          "the argument `\(name)` has a control character, and stands in the path")
      }
      let steps = value.utf8.split(
        whereSeparator: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") })
      guard
        !steps.contains(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) })
          || steps.count < 2
      else { throw UnfitArgument("the argument `\(name)` leads elsewhere in the path") }
      segment += percentEncoded(value)
      text += percentEncoded(value)
    }
    try end()
    return text
  }

  /// One parameter of the query: left out if its argument is, once for each element of an array.
  private func pairs(_ pieces: [Piece], _ arguments: ArgumentValues) throws -> [String] {
    let sign = pieces.firstIndex { $0.literal.hasByte("=") }
    if let sign, let last = pieces.last, let name = last.argument, sign == pieces.count - 2,
      pieces[sign].literal.hasByteSuffix("="), pieces[..<sign].allSatisfy({ $0.argument == nil })
    {
      let before = pieces[...sign].map(\.literal).joined()
      guard let value = arguments[name] else { return [] }
      let values = value.array ?? [value]
      return try values.map { before + (try encoded(ArgumentValues.text($0), name)) }
    }
    var text = ""
    for piece in pieces {
      guard let name = piece.argument else {
        text += piece.literal
        continue
      }
      text += try encoded(arguments.text(name), name)
    }
    return text.isEmpty ? [] : [text]
  }

  private func encoded(_ value: String, _ name: String) throws(UnfitArgument) -> String {
    guard !value.utf8.contains(0) else {
      throw UnfitArgument("the argument `\(name)` has a NUL in it")
    }
    return percentEncoded(value)
  }
}

/// A piece of a URL whose variables are known.
private enum Piece: Sendable, Hashable {
  case literal(String)
  case argument(String)

  var argument: String? { if case .argument(let name) = self { name } else { nil } }
  var literal: String { if case .literal(let text) = self { text } else { "" } }
}

/// The parts of a URL, each in pieces.
private struct Sections {
  var scheme = ""
  var authority: [Piece] = []
  var path: [Piece] = []
  /// One for each parameter.
  var query: [[Piece]] = []
  var hasFragment = false

  private enum Place { case authority, path, query, fragment }

  init(_ pieces: [Piece]) throws(UnfitArgument) {
    guard let first = pieces.first?.literal, let end = first.firstRange(ofBytes: "://") else {
      throw UnfitArgument("does not begin with https:// or http://")
    }
    scheme = first[..<end.lowerBound].lowercased()
    guard scheme == "https" || scheme == "http" else {
      throw UnfitArgument("is none of https or http")
    }
    var place = Place.authority
    for (index, piece) in pieces.enumerated() {
      guard piece.argument == nil else {
        append(piece, place)
        continue
      }
      var text: [UInt8] = []
      func flush(_ sections: inout Sections) {
        if !text.isEmpty { sections.append(.literal(String(decoding: text, as: UTF8.self)), place) }
        text = []
      }
      let literal = index == 0 ? Substring(first[end.upperBound...]) : Substring(piece.literal)
      for byte in literal.utf8 {
        switch (place, byte) {
        case (.authority, UInt8(ascii: "/")):
          flush(&self)
          place = .path
          text.append(byte)
        case (.authority, UInt8(ascii: "?")), (.path, UInt8(ascii: "?")):
          flush(&self)
          place = .query
          query.append([])
        case (.query, UInt8(ascii: "&")):
          flush(&self)
          query.append([])
        case (_, UInt8(ascii: "#")) where place != .fragment:
          flush(&self)
          place = .fragment
          hasFragment = true
        default: text.append(byte)
        }
      }
      flush(&self)
    }
  }

  private mutating func append(_ piece: Piece, _ place: Place) {
    switch place {
    case .authority: authority.append(piece)
    case .path: path.append(piece)
    case .query: query[query.count - 1].append(piece)
    case .fragment: break
    }
  }
}
