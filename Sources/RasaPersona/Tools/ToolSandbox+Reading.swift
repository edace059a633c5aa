package import RasaCore
import RasaDocuments

extension DocumentReader {
  private static let sandboxKeys = [
    "type", "image", "profile", "network", "private", "read", "write",
  ]

  /// `sandbox:` of a tool: what a program may reach beyond a read-only system and a private `/tmp`.
  ///
  /// - Parameter isUsers: whether it is the user's own configuration, which alone may do without a sandbox.
  mutating func toolSandbox(_ node: DocumentNode?, isUsers: Bool) -> ToolSandbox {
    var sandbox = ToolSandbox()
    guard let node else { return sandbox }
    if case .scalar = node.content {
      // `sandbox: none`, `sandbox: restrictive`.
      if case .scalar(.string(let text)) = node.content,
        let profile = SandboxDefinition.Profile(rawValue: text)
      {
        sandbox.apply(profile)
        return sandbox
      }
      if let type: SandboxType = looseChoice(node, "sandbox", also: Self.otherTypes) {
        setRuntime(type, image: nil, of: &sandbox, node, isUsers: isUsers)
      }
      return sandbox
    }
    guard let fields = fields(node, of: "`sandbox`", known: Self.sandboxKeys) else {
      return sandbox
    }
    let profile: SandboxDefinition.Profile? = choice(fields["profile"], "profile")
    if let profile { sandbox.apply(profile) }
    if let image = fields["image"], fields["type"] == nil {
      fail(image, "`image` needs a `type`", suggestion: "add `type: podman` or `type: docker`")
    }
    let type: SandboxType? = looseChoice(fields["type"], "type", also: Self.otherTypes)
    if let type {
      let image = text(fields["image"], "image")?.nonEmpty
      setRuntime(type, image: image, of: &sandbox, fields["type"] ?? node, isUsers: isUsers)
    }
    sandbox.read = texts(fields["read"], "read")
    sandbox.write = texts(fields["write"], "write")
    if let node = fields["network"] { sandbox.network = network(node) }
    sandbox.privateHosts = texts(fields["private"], "private")
    if let node = fields["private"] {
      if case .hosts = sandbox.network {
      } else {
        fail(
          node, "`private` is for hosts that `network` names",
          suggestion: "name them under `network: [HOST]` as well")
      }
    }
    if profile == .restrictive,
      sandbox.network != .none || !sandbox.read.isEmpty || !sandbox.write.isEmpty
    {
      fail(
        fields["profile"] ?? node,
        "`profile: restrictive` gives nothing, and `network`, `read` or `write` give something",
        suggestion: "write `profile: custom`, or leave the profile out")
    }
    if sandbox.runtime == .none,
      sandbox.network != .none || !sandbox.read.isEmpty || !sandbox.write.isEmpty
    {
      warn(
        "`network`, `read` and `write` mean nothing without a sandbox", at: node.location)
    }
    if case .hosts = sandbox.network, sandbox.runtime.isContainer {
      fail(
        fields["network"] ?? node, "hosts by name are only for bubblewrap",
        suggestion: "leave `type` out, or write `network: none` or `network: all`")
    }
    return sandbox
  }

  private static var otherTypes: [String: SandboxType] { ["bwrap": .bubblewrap] }

  private mutating func setRuntime(
    _ type: SandboxType, image: String?, of sandbox: inout ToolSandbox, _ node: DocumentNode,
    isUsers: Bool
  ) {
    switch type {
    case .bubblewrap: sandbox.runtime = .bubblewrap
    case .docker, .podman:
      guard let image else {
        return fail(
          node, "a sandbox of type `\(type.rawValue)` needs an image",
          suggestion: "add `image: NAME`, such as `image: debian:12-slim`")
      }
      sandbox.runtime = type == .docker ? .docker(image: image) : .podman(image: image)
    case .none:
      guard isUsers else {
        return fail(
          node, "only your own configuration can let a program run without a sandbox",
          suggestion:
            "declare the tool in your config.yaml, or name what it needs under `read:` and `network:`"
        )
      }
      sandbox.runtime = .none
    case .seatbelt:
      fail(
        node, "`seatbelt` is a sandbox of another system", suggestion: "write `type: bubblewrap`")
    }
  }

  /// `none`, `all`, or the hosts.
  private mutating func network(_ node: DocumentNode) -> ToolSandbox.Network {
    switch node.content {
    case .sequence:
      let hosts = texts(node, "network")
      for host in hosts where host == "*" || host.contains("/") || host.contains(" ") {
        fail(
          node, "`\(Self.printable(host))` under `network` is no host",
          suggestion:
            "write names such as `api.example.com`, `*.example.com` or `api.example.com:8443`, or `network: all`"
        )
      }
      return hosts.isEmpty ? .none : .hosts(hosts)
    case .scalar(.bool(let isOpen)): return isOpen ? .all : .none
    case .scalar(.string(let text)):
      switch text {
      case "none", "closed", "isolated": return .none
      case "all", "open": return .all
      default:
        fail(
          node, "`network` must be `none`, `all` or a list of hosts",
          suggestion: text.contains(".") ? "write `network: [\(Self.printable(text))]`" : "")
        return .none
      }
    default:
      fail(node, "network", mustBe: "`none`, `all` or a list of hosts")
      return .none
    }
  }
}

extension ToolSandbox {
  fileprivate mutating func apply(_ profile: SandboxDefinition.Profile) {
    if profile == .permissive { network = .all }
  }

  /// What an agent's file says about where its tools run, in the same terms.
  ///
  /// - Throws: a `Failure` for what only other systems have, and for an agent that wants to do without.
  package init(_ definition: SandboxDefinition, at location: SourceLocation? = nil) throws(Failure)
  {
    self.init()
    if let profile = definition.profile { apply(profile) }
    switch definition.network {
    case .open: network = .all
    // Through the proxy to nothing yet: an agent's file names no hosts.
    case .closed, .proxied: network = .none
    case nil: break
    }
    switch SandboxType(rawValue: definition.type) {
    case .bubblewrap, .seatbelt, nil: runtime = .bubblewrap
    case .docker, .podman:
      guard let image = definition.image else {
        throw Failure(
          .configuration, "a sandbox of type `\(definition.type)` needs an image",
          suggestion: "add `image` beside `type`", at: location)
      }
      runtime = definition.type == "docker" ? .docker(image: image) : .podman(image: image)
    case .some(.none):
      throw Failure(
        .configuration, "an agent's file cannot let its tools run without a sandbox",
        suggestion: "write `sandbox: none` at the tool, in your own config.yaml", at: location)
    }
  }

  /// In the words of a file.
  package var value: ValueObject {
    var value = ValueObject()
    func list(_ texts: [String]) -> Value { .array(texts.map { .string($0) }) }
    switch runtime {
    case .bubblewrap: break
    case .docker(let image):
      value["type"] = "docker"
      value["image"] = .string(image)
    case .podman(let image):
      value["type"] = "podman"
      value["image"] = .string(image)
    case .none: value["type"] = "none"
    }
    switch network {
    case .none: break
    case .hosts(let hosts): value["network"] = list(hosts)
    case .all: value["network"] = "all"
    }
    if !privateHosts.isEmpty { value["private"] = list(privateHosts) }
    if !read.isEmpty { value["read"] = list(read) }
    if !write.isEmpty { value["write"] = list(write) }
    return value
  }
}

extension ToolSandbox.Runtime {
  package var isContainer: Bool {
    switch self {
    case .docker, .podman: true
    case .bubblewrap, .none: false
    }
  }
}
