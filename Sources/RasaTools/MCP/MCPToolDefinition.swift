package import RasaCore
import RasaDocuments

/// A tool as its server describes it. All of it is the server's own word.
package struct MCPToolDefinition: Sendable, Hashable {
  /// On the server.
  package var name: String
  package var title: String?
  package var text: String
  package var input: Value
  package var output: Value?
  /// What it says of its effects, which is shown and never believed.
  package var annotations: Value
  /// Arguments that go into headers of HTTP requests, too, so that routers see them.
  var headers: [HeaderParameter] = []

  struct HeaderParameter: Sendable, Hashable {
    var path: [String]
    var name: String
  }

  /// Why a tool is not offered.
  package struct Refusal: Error, Sendable, Hashable {
    /// Its name as it can be shown.
    package var name: String
    package var reason: String
  }

  /// - Parameter isHTTP: whether arguments can be wanted as headers.
  init(_ value: Value, isHTTP: Bool) throws(Refusal) {
    let name = value["name"].string ?? ""
    func refusal(_ reason: String) -> Refusal {
      Refusal(name: name.printable(atMost: 80, ellipsis: "…"), reason: reason)
    }
    if let problem = Self.problem(ofName: name) { throw refusal(problem) }
    guard case .object(var input) = value["inputSchema"] else {
      throw refusal("it has no `inputSchema`")
    }
    switch input["type"] {
    case nil: input["type"] = "object"
    case "object": break
    default: throw refusal("its arguments are no object")
    }
    let output = value["outputSchema"]
    for (member, schema) in [("inputSchema", Value.object(input)), ("outputSchema", output)]
    where !schema.isNull {
      do throws(Failure) {
        _ = try Schema.compile(schema)
      } catch {
        throw refusal("its `\(member)` cannot be used: \(error.message)")
      }
    }
    self.name = name
    title = value["title"].string ?? value["annotations"]["title"].string
    text = value["description"].string ?? title ?? ""
    self.input = .object(input)
    self.output = output.isNull ? nil : output
    annotations = value["annotations"]
    if isHTTP {
      do throws(HeaderProblem) {
        headers = try Self.headers(in: self.input)
      } catch {
        throw refusal(error.text)
      }
    }
  }

  /// Names are shown, typed, and matched by patterns of policies: what could be taken for a pattern, for the end of a
  /// word or for another name is refused.
  private static func problem(ofName name: String) -> String? {
    guard !name.isEmpty else { return "it has no name" }
    guard name.utf8.count <= 128 else { return "its name is longer than 128 bytes" }
    let isFine = name.unicodeScalars.allSatisfy { scalar in
      if scalar.value < 0x80 {
        return scalar.properties.isAlphabetic || (0x30...0x39).contains(scalar.value)
          || "_-./:@+#~=".unicodeScalars.contains(scalar)
      }
      return scalar.isPrintable && !scalar.isHidden && !scalar.looksBlank
        && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
    }
    return isFine ? nil : "its name has characters that names of tools cannot have"
  }
}

// MARK: - Arguments as headers

extension MCPToolDefinition {
  private struct HeaderProblem: Error { var text: String }

  private static let mark = "x-mcp-header"

  /// The annotated arguments, all of them reachable through `properties` alone.
  private static func headers(in schema: Value) throws(HeaderProblem) -> [HeaderParameter] {
    var found: [HeaderParameter] = []
    var known: Set<String> = []
    var due: [(value: Value, path: [String]?)] = [(schema, [])]
    while let (value, path) = due.popLast() {
      switch value {
      case .array(let elements): due += elements.map { ($0, nil) }
      case .object(let object):
        if let mark = object[mark], isSchema(object) {
          guard let path, !path.isEmpty else {
            throw HeaderProblem(
              text: "`\(mark.promptText)` marks what no call can send as a header")
          }
          let header = try name(mark, object)
          guard known.insert(header.lowercased()).inserted else {
            throw HeaderProblem(text: "two arguments want the header `\(header)`")
          }
          found.append(HeaderParameter(path: path, name: header))
        }
        for (key, member) in object {
          if key == "properties", case .object(let properties) = member {
            for (name, property) in properties { due.append((property, path.map { $0 + [name] })) }
          } else if !["default", "const", "enum", "examples", mark].contains(key) {
            due.append((member, nil))
          }
        }
      default: break
      }
    }
    return found.sorted { $0.name < $1.name }
  }

  /// Not an argument of that name.
  private static func isSchema(_ object: ValueObject) -> Bool { object[mark]?.object == nil }

  private static func name(_ mark: Value, _ object: ValueObject) throws(HeaderProblem) -> String {
    guard let name = mark.string, !name.isEmpty, name.utf8.count <= 100,
      name.utf8.allSatisfy(isTokenByte)
    else { throw HeaderProblem(text: "`\(Self.mark)` is no name of a header") }
    guard ["string", "integer", "boolean"].contains(object["type"]?.string) else {
      throw HeaderProblem(text: "the header `\(name)` belongs to no text, whole number or boolean")
    }
    return name
  }

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  /// The headers of a call with these arguments; what is missing or null has none.
  func headerValues(_ arguments: Value) -> [(name: String, value: String)] {
    headers.compactMap { parameter in
      var value = arguments
      for step in parameter.path { value = value[step] }
      switch value {
      case .string(let text): return (parameter.name, text)
      case .bool(let flag): return (parameter.name, flag ? "true" : "false")
      case .int, .double: return value.int.map { (parameter.name, String($0)) }
      default: return nil
      }
    }
  }
}
