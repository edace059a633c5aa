package import RasaCore
import RasaDocuments

/// Whether using a tool changes anything outside.
package enum SideEffects: String, Sendable, Hashable, CaseIterable {
  case none
  /// Doing it twice is the same as doing it once.
  case idempotent
  /// It changes something, or nobody has said that it does not.
  case yes
}

/// What a tool does with data, for what may leak through it.
package struct DataFlow: OptionSet, Sendable, Hashable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }
  /// Its results can contain private data.
  package static let privateData = DataFlow(rawValue: 1)
  /// Its results can contain what strangers wrote.
  package static let untrustedContent = DataFlow(rawValue: 2)
  /// What is given to it can leave the machine.
  package static let wayOut = DataFlow(rawValue: 4)
}

/// An entry under `tools:` of a persona or of a configuration, or under `mcpServers` of another client's file.
package struct ToolDeclaration: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    case mcp(MCPServer)
    case http(HTTPTool)
    case process(ProgramTool)
  }

  /// The name: of a server what its tools' names begin with.
  package var name: String
  package var kind: Kind
  package var description: String = ""
  /// Nil where the file says nothing, which counts as `yes`.
  package var sideEffects: SideEffects?
  package var dataFlow: DataFlow?
  package var sandbox = ToolSandbox()
  /// Seconds for one use.
  package var timeout: Double?
  /// Whether the server may put questions of its own to the user.
  package var mayAsk = false
  package var location: SourceLocation
  /// Whether it comes from a project's file instead of the user's own.
  package var isProject = false
  /// The persona that declares it, whose name commands need to find it.
  package var persona: String?

  package init(name: String, kind: Kind, location: SourceLocation) {
    self.name = name
    self.kind = kind
    self.location = location
  }
}

/// A server of the Model Context Protocol.
package struct MCPServer: Sendable, Hashable {
  package enum Transport: Sendable, Hashable {
    /// A program, its arguments, and the variables it gets beside the usual ones.
    case stdio(command: [String], environment: [String: String], folder: String?)
    /// Streamable HTTP. Headers may name variables of the environment as `${NAME}`.
    case http(url: String, headers: [Header], oauth: OAuthSettings?)
  }
  package var transport: Transport
  /// What is declared about single tools, by their names on the server.
  package var tools: [String: ToolOverride] = [:]
  /// Hosts on this machine or in private networks that its address may lead to, by name or `name:port`.
  package var allowsPrivate: [String] = []

  package init(_ transport: Transport) { self.transport = transport }
}

package struct Header: Sendable, Hashable {
  package var name: String
  package var value: String
  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

package struct OAuthSettings: Sendable, Hashable {
  /// The ID of a client that is registered with the authorization server.
  package var clientID: String?
  /// The variable with that client's secret.
  package var clientSecretVariable: String?
  /// The URL of a client ID metadata document, which is the client's ID then.
  package var metadataURL: String?
  /// The port of this machine that the client's redirect is registered with; nil for any.
  package var callbackPort: UInt16?
  package var scopes: [String] = []
  package init() {}
}

/// What a declaration says about one tool of a server.
package struct ToolOverride: Sendable, Hashable {
  package var sideEffects: SideEffects?
  package var dataFlow: DataFlow?
  package var isHidden = false
  package init() {}
}

/// One HTTP request.
package struct HTTPTool: Sendable, Hashable {
  package var method: String
  /// With arguments as `{name}`, escaped for where they stand.
  package var url: String
  package var headers: [Header]
  /// A JSON body whose texts may have `{name}`; nil for none.
  package var body: Value?
  /// JSON pointer of what counts in the answer; nil for all of it.
  package var answer: String?
  package var parameters: Value
  package var output: Value?
  /// The hosts that an argument in the place of the host may choose, by name or `name:port`.
  package var hosts: [String] = []
  /// Hosts on this machine or in private networks that it may reach, by name or `name:port`.
  package var allowsPrivate: [String] = []

  package init(method: String = "GET", url: String, parameters: Value) {
    self.method = method
    self.url = url
    headers = []
    self.parameters = parameters
  }
}

/// A program: its arguments as JSON on standard input, its result on standard output.
package struct ProgramTool: Sendable, Hashable {
  package var command: [String]
  /// Values may name variables of the environment as `${NAME}`.
  package var environment: [String: String] = [:]
  package var folder: String?
  package var parameters: Value
  package var output: Value?

  package init(command: [String], parameters: Value) {
    self.command = command
    self.parameters = parameters
  }
}

/// What a program may reach, beyond a read-only system and a private `/tmp`.
package struct ToolSandbox: Sendable, Hashable {
  package enum Network: Sendable, Hashable {
    case none
    /// Only these hosts, as `name` or `name:port`, through rasa's proxy.
    case hosts([String])
    case all
  }
  package enum Runtime: Sendable, Hashable {
    case bubblewrap
    case docker(image: String)
    case podman(image: String)
    /// Only where the user's own file says so.
    case none
  }
  package var runtime = Runtime.bubblewrap
  package var network = Network.none
  /// Those of the hosts that may be on this machine or in a private network, as `name` or `name:port`.
  package var privateHosts: [String] = []
  /// Paths that it may read, and write, beside its own folder.
  package var read: [String] = []
  package var write: [String] = []

  package init() {}
}
