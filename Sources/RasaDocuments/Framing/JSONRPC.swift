package import RasaCore

/// JSON-RPC 2.0 as values.
package enum JSONRPC {
  package enum ID: Sendable, Hashable {
    case number(Int64)
    case text(String)

    package init?(_ value: Value) {
      if let number = value.int {
        self = .number(number)
      } else if let text = value.string {
        self = .text(text)
      } else {
        return nil
      }
    }

    package var value: Value {
      switch self {
      case .number(let number): .int(number)
      case .text(let text): .string(text)
      }
    }
  }

  /// An error, as one side reports it to the other.
  package struct Problem: Error, Sendable, Hashable {
    package var code: Int64
    package var message: String
    package var data: Value

    package init(code: Int64, message: String, data: Value = .null) {
      self.code = code
      self.message = message
      self.data = data
    }

    package static let parseError: Int64 = -32_700
    package static let invalidRequest: Int64 = -32_600
    package static let internalError: Int64 = -32_603
    package static let methodNotFound: Int64 = -32_601
    package static let invalidParams: Int64 = -32_602
    package static let headerMismatch: Int64 = -32_020
    package static let missingCapability: Int64 = -32_021
    package static let unsupportedVersion: Int64 = -32_022
    /// Of 2025-11-25 alone: a page has to be visited first.
    package static let urlElicitationRequired: Int64 = -32_042

    /// Whether only servers of the stateless era send it.
    package var isModern: Bool {
      [Self.headerMismatch, Self.missingCapability, Self.unsupportedVersion].contains(code)
    }

    package init?(_ value: Value) {
      guard let code = value["code"].int else { return nil }
      self.init(code: code, message: value["message"].string ?? "", data: value["data"])
    }

    /// In one line, for messages.
    package var text: String { "\(message.printable(atMost: 300, ellipsis: "…")) (\(code))" }

    package var value: Value {
      var object: ValueObject = ["code": .int(code), "message": .string(message)]
      if !data.isNull { object["data"] = data }
      return .object(object)
    }
  }

  package enum Message: Sendable, Hashable {
    case request(ID, method: String, params: Value)
    case notification(method: String, params: Value)
    case result(ID, Value)
    /// Without an ID where the request could not be read.
    case failure(ID?, Problem)

    /// Nil for what is no message.
    package init?(_ value: Value) {
      guard case .object(let object) = value else { return nil }
      let id = object["id"].flatMap { ID($0) }
      if let method = object["method"]?.string {
        let params = object["params"] ?? .emptyObject
        if let id {
          self = .request(id, method: method, params: params)
        } else {
          self = .notification(method: method, params: params)
        }
      } else if let problem = object["error"].flatMap({ Problem($0) }) {
        self = .failure(id, problem)
      } else if let id, let result = object["result"] {
        self = .result(id, result)
      } else {
        return nil
      }
    }

    package var value: Value {
      var object: ValueObject = ["jsonrpc": "2.0"]
      switch self {
      case .request(let id, let method, let params):
        object["id"] = id.value
        object["method"] = .string(method)
        object["params"] = params
      case .notification(let method, let params):
        object["method"] = .string(method)
        if params != .emptyObject { object["params"] = params }
      case .result(let id, let result):
        object["id"] = id.value
        object["result"] = result
      case .failure(let id, let problem):
        object["id"] = id?.value ?? .null
        object["error"] = problem.value
      }
      return .object(object)
    }

    package var bytes: [UInt8] { value.jsonBytes(.compact, escaping: .onlyNeeded) }
  }

  /// The messages of a document: one, or several of a batch, which the revision of 2025-03-26 has. Nil where
  /// anything in it is none.
  package static func messages(in document: Value) -> [Message]? {
    guard case .array(let elements) = document else { return Message(document).map { [$0] } }
    var messages: [Message] = []
    for element in elements {
      guard let message = Message(element) else { return nil }
      messages.append(message)
    }
    return messages.isEmpty ? nil : messages
  }
}
