import RasaCore
import RasaDocuments
import RasaKit

/// The revisions of the protocol that are spoken here, the newest first.
enum MCPRevision {
  /// Each request stands for itself.
  static let stateless = ["2026-07-28"]
  /// They begin with `initialize`.
  static let sessions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
}

/// Who makes a request, and what that program can do.
struct MCPCaller: Sendable {
  var revision: String
  var capabilities: Value
  var client: Client

  static let metaPrefix = "io.modelcontextprotocol/"
  static let tasks = "io.modelcontextprotocol/tasks"

  var isStateless: Bool { MCPRevision.stateless.contains(revision) }

  /// Whether questions can be put to the person behind it, who may decide them.
  var mayBeAsked: Bool {
    guard client.may(.approve), let elicitation = capabilities["elicitation"].object else {
      return false
    }
    return elicitation.isEmpty || elicitation["form"]?.object != nil
  }

  /// Whether it takes a handle in place of an answer that is late.
  var takesTasks: Bool {
    isStateless && capabilities["extensions"][Self.tasks].object != nil
  }

  /// Whether the request names its revision itself.
  static func isStateless(_ params: Value) -> Bool {
    let meta = params["_meta"]
    return !meta["\(metaPrefix)protocolVersion"].isNull
      || !meta["\(metaPrefix)clientCapabilities"].isNull
  }

  /// What a request of the stateless era says of its maker.
  init(stateless params: Value, _ client: Client) throws(JSONRPC.Problem) {
    let meta = params["_meta"]
    guard let revision = meta["\(Self.metaPrefix)protocolVersion"].string else {
      throw .params("`_meta` lacks `\(Self.metaPrefix)protocolVersion`")
    }
    guard MCPRevision.stateless.contains(revision) else {
      throw JSONRPC.Problem(
        code: JSONRPC.Problem.unsupportedVersion, message: "Unsupported protocol version",
        data: [
          "supported": .array((MCPRevision.stateless + MCPRevision.sessions).map(Value.string)),
          "requested": .string(revision),
        ])
    }
    let capabilities = meta["\(Self.metaPrefix)clientCapabilities"]
    guard capabilities.object != nil else {
      throw .params("`_meta` lacks `\(Self.metaPrefix)clientCapabilities`")
    }
    self.init(revision, capabilities, client)
  }

  /// What `initialize` has agreed on.
  init(initializing params: Value, _ client: Client) {
    let asked = params["protocolVersion"].string ?? ""
    self.init(
      MCPRevision.sessions.first { $0 == asked } ?? MCPRevision.sessions[0],
      params["capabilities"], client)
  }

  private init(_ revision: String, _ capabilities: Value, _ client: Client) {
    self.revision = revision
    self.capabilities = capabilities
    self.client = client
  }
}

/// The ways to a client while its request is answered.
struct MCPOutlet: Sendable {
  var notify: @Sendable (_ method: String, _ params: Value) async -> Void
  /// Asks it something; nil where the era or the transport has no way to.
  var ask: (@Sendable (_ method: String, _ params: Value) async throws -> Value)?
}

extension JSONRPC.Problem {
  static func params(_ message: String) -> JSONRPC.Problem {
    JSONRPC.Problem(code: invalidParams, message: message)
  }

  static func unknown(method: String) -> JSONRPC.Problem {
    JSONRPC.Problem(code: methodNotFound, message: "there is no method \(quoted(method))")
  }
}
