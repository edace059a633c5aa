import RasaCore
import RasaKit

/// A place in a client's document, which names itself where something is wrong with it.
struct Member: Sendable {
  let value: Value
  /// Such as `messages[2].content`; empty for the whole document.
  let path: String

  init(_ value: Value, _ path: String = "") {
    self.value = value
    self.path = path
  }

  subscript(_ name: String) -> Member {
    Member(value[name], path.isEmpty ? name : "\(path).\(name)")
  }

  /// Whether it is there, and not `null`.
  var isThere: Bool { !value.isNull }

  /// What is wrong with it, as one sentence that goes on after its name.
  func problem(_ what: String, suggestion: String = "") -> ServerProblem {
    var problem = ServerProblem.invalid(
      path.isEmpty ? "the body \(what)" : "`\(path)` \(what)", suggestion: suggestion)
    problem.member = path.isEmpty ? nil : path
    return problem
  }

  private func mustBe(_ what: String) -> ServerProblem {
    problem(isThere ? "is \(value.typeName), and must be \(what)" : "is missing")
  }

  func text() throws(ServerProblem) -> String {
    guard let text = value.string else { throw mustBe("a text") }
    return text
  }

  /// A text that is not empty.
  func name() throws(ServerProblem) -> String {
    let text = try text()
    guard !text.isEmpty else { throw problem("is empty") }
    return text
  }

  func optionalText() throws(ServerProblem) -> String? { isThere ? try text() : nil }

  func flag(default standard: Bool = false) throws(ServerProblem) -> Bool {
    guard isThere else { return standard }
    guard let flag = value.bool else { throw mustBe("true or false") }
    return flag
  }

  /// A whole number from 1 on; nil where there is none.
  func count() throws(ServerProblem) -> Int? {
    guard isThere else { return nil }
    guard let number = value.int, number > 0 else { throw mustBe("a whole number above 0") }
    return Int(clamping: number)
  }

  func number() throws(ServerProblem) -> Double? {
    guard isThere else { return nil }
    guard let number = value.double else { throw mustBe("a number") }
    return number
  }

  func elements() throws(ServerProblem) -> [Member] {
    guard let array = value.array else { throw mustBe("an array") }
    return array.enumerated().map { Member($1, "\(path)[\($0)]") }
  }

  func optionalElements() throws(ServerProblem) -> [Member] { isThere ? try elements() : [] }

  func object() throws(ServerProblem) -> ValueObject {
    guard let object = value.object else { throw mustBe("an object") }
    return object
  }

  /// A text, or an array of them.
  func texts() throws(ServerProblem) -> [String] {
    guard isThere else { return [] }
    if let text = value.string { return [text] }
    var texts: [String] = []
    for element in try elements() { texts.append(try element.text()) }
    return texts
  }

  /// Refuses what nobody here can do.
  func refuse(
    _ reason: String, unless isHarmless: (Value) -> Bool = { _ in false }
  ) throws(ServerProblem) {
    guard isThere, !isHarmless(value) else { return }
    throw problem("is not possible here: \(reason)")
  }
}

extension Member {
  /// The file in a `data:` URL.
  func dataURL(named name: String) throws(ServerProblem) -> Rasa.Attachment {
    let url = try text()
    let hint = "send the file itself, as `data:image/png;base64,…`"
    guard url.hasBytePrefix("data:"), let comma = url.firstIndex(ofByte: ",") else {
      throw problem("is an address, and nothing is fetched from addresses", suggestion: hint)
    }
    guard url[..<comma].hasByteSuffix(";base64") else {
      throw problem("is no base64", suggestion: hint)
    }
    return try attachment(String(url[url.index(after: comma)...]), named: name)
  }

  /// The file in a text of base64.
  func base64(named name: String) throws(ServerProblem) -> Rasa.Attachment {
    try attachment(try text(), named: name)
  }

  private func attachment(
    _ text: String, named name: String
  ) throws(ServerProblem) -> Rasa.Attachment {
    guard let bytes = Base64.decode(text), !bytes.isEmpty else {
      throw problem("is no base64, or empty")
    }
    do throws(RasaError) {
      return try Rasa.Attachment(name: name, bytes: bytes)
    } catch {
      throw problem("cannot be taken: \(error.message)", suggestion: error.suggestion)
    }
  }
}
